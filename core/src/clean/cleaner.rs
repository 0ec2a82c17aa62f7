//! Photos of a folder, what is wrong with them, and what is to be done.

use super::finding::{Finding, Problem};
use super::plan::Change;
use super::{judge, plan, trash};
use crate::data::{FolderLayout, ImageFacts, Placed, Side, duplicates_of, find_images, inspect_images};
use crate::error::{Error, Result};
use crate::metrics::label_errors;
use crate::vision::PerceptualHash;
use crate::vision_learner::Predictor;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

/// A photo with its label.
#[derive(Debug, Clone, PartialEq)]
pub struct Photo {
    /// The file.
    pub file: PathBuf,
    /// The class, by its folder.
    pub class: String,
    /// The side of the split, if the folders have sides.
    pub side: Option<Side>,
    /// What models that have not seen the photo make of it; none before [`Cleaner::judge`], for a file that cannot be
    /// read, and for the only photo of its class.
    pub judged: Option<Judged>,
}

/// What models that have not seen a photo make of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The likeliest class.
    pub class: String,
    /// Its probability.
    pub probability: f64,
    /// The cross entropy of the photo's own label, `-ln p`: large if the label is doubted.
    pub loss: f64,
}

/// Up to how many different bits of their hashes copies are copies beyond doubt: half of those up to which they are
/// named.
const SURE: u32 = PerceptualHash::NEAR / 2;

/// A folder of photos that is to be cleaned. Decisions are kept in the folder until they are applied, so that another
/// run goes on where this one stopped.
#[derive(Debug)]
pub struct Cleaner {
    root: PathBuf,
    photos: Vec<Photo>,
    places: HashMap<PathBuf, usize>,
    findings: Vec<Finding>,
    notes: Vec<String>,
    changes: BTreeMap<PathBuf, Change>,
}

impl Cleaner {
    /// Reads the names in a folder that has a subfolder for each class, with or without folders for the sides of the
    /// split. No photo is opened, and the decisions of an earlier run are not taken over ([`Cleaner::resume`]).
    ///
    /// # Errors
    /// When the folder has no photos, its layout cannot be told ([`FolderLayout::read`]), or a name is not UTF-8.
    pub fn open(root: impl AsRef<Path>) -> Result<Cleaner> {
        let root = root.as_ref().to_path_buf();
        let found = find_images(&root)?.require_pictures(&root)?;
        let layout = FolderLayout::read(&root, &found.files)?;
        let notes = [found.notes().to_vec(), layout.notes().to_vec()].concat();
        let mut photos = Vec::new();
        for (file, placed) in found.files.into_iter().zip(layout.placed()) {
            if file.to_str().is_none() {
                return Err(Error::file(file, "has a name that is not valid UTF-8; rename it"));
            }
            if let Placed { label: Some(class), side, outside: false } = placed {
                photos.push(Photo { file, class: class.clone(), side: *side, judged: None });
            }
        }
        let places = photos.iter().enumerate().map(|(i, photo)| (photo.file.clone(), i)).collect();
        Ok(Cleaner { root, photos, places, findings: Vec::new(), notes, changes: BTreeMap::new() })
    }

    /// Takes over the decisions that an earlier run left in the photos' folder. Those about photos that are not there
    /// any more are left out, with a note.
    ///
    /// # Errors
    /// When the list of decisions is damaged.
    pub fn resume(&mut self) -> Result<()> {
        let saved = plan::path(&self.root);
        if !saved.exists() {
            return Ok(());
        }
        for (file, change) in plan::read(&saved, &self.root)? {
            if self.places.contains_key(&file) {
                self.decide([(file, change)])?;
            } else {
                self.notes
                    .push(format!("{}: is not there any more; what was decided about it is left out", file.display()));
            }
        }
        Ok(())
    }

    /// Reads decisions, in addition to those that were made: a CSV file with the columns file, change (`delete` or
    /// `relabel`) and class.
    ///
    /// # Errors
    /// When the file is damaged, or a decision is not possible, such as one about a file that is not there.
    pub fn read_plan(&mut self, file: impl AsRef<Path>) -> Result<()> {
        self.decide(plan::read(file.as_ref(), &self.root)?)
    }

    /// Decisions as the text of a CSV file, for [`Cleaner::read_plan`].
    pub fn plan_csv(&self, changes: &BTreeMap<PathBuf, Change>) -> String {
        plan::text(&self.root, changes)
    }

    /// Keeps the decisions in the photos' folder, for [`Cleaner::resume`]. Without any, the file is removed.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn save_plan(&self) -> Result<()> {
        plan::save(&self.root, &self.changes)
    }

    /// Looks at every photo and lists what is probably wrong ([`Cleaner::findings`]).
    ///
    /// The network of `predictor` turns photos into features; its classes do not matter. On these features logistic
    /// regressions of four fifths of the photos judge the last fifth, so that no label is doubted or confirmed by a
    /// model that has seen it. That holds as long as the network itself has not seen it: with a network that was
    /// fine-tuned in full on these photos, fewer wrong labels are found than with one whose head alone was trained.
    ///
    /// # Errors
    /// [`Error::File`] with fewer than two classes of two photos; and when a stop is asked for.
    pub fn judge(&mut self, predictor: &Predictor) -> Result<()> {
        let files: Vec<PathBuf> = self.photos.iter().map(|photo| photo.file.clone()).collect();
        let mut findings = Vec::new();
        let mut facts: Vec<Option<ImageFacts>> = Vec::new();
        for (file, inspected) in files.iter().zip(inspect_images(&files)) {
            match &inspected {
                Ok(facts) => findings.extend(Finding::of_facts(file, facts)),
                Err(error) => findings.push(Finding::new(Problem::Unreadable, file, error.to_string())),
            }
            facts.push(inspected.ok());
        }
        for copy in duplicates_of(&files, &facts) {
            findings.extend(Finding::of_copy(&copy, |file| &self.known(file).class, |file| self.trains(file)));
        }
        let (mut readable, mut features) = (Vec::new(), Vec::new());
        for (i, of_file) in predictor.features(&files)?.into_iter().enumerate() {
            // Blank photos have no neighbours and no class.
            if let (Ok(row), Some(ImageFacts { is_blank: false, .. })) = (of_file, &facts[i]) {
                readable.push(i);
                features.push(row);
            }
        }
        let copies: HashSet<PathBuf> =
            findings.iter().filter(|finding| finding.other.is_some()).map(|finding| finding.file.clone()).collect();
        findings.extend(self.by_neighbours(&readable, &features, &copies)?);
        findings.extend(self.by_labels(&readable, &features)?);
        findings.sort_by_key(|finding| finding.problem);
        self.findings = findings;
        Ok(())
    }

    /// Photos that are nearly the same as others, and such as are unlike all others.
    fn by_neighbours(
        &self,
        readable: &[usize],
        features: &[Vec<f32>],
        copies: &HashSet<PathBuf>,
    ) -> Result<Vec<Finding>> {
        if features.len() < 2 {
            return Ok(Vec::new());
        }
        let nearest = judge::nearest(features)?;
        let distances: Vec<f64> = nearest.iter().map(|(_, distance)| *distance).collect();
        let (alike, odd) = judge::alike(&distances);
        let mut findings = Vec::new();
        for (row, (other, distance)) in nearest.iter().enumerate() {
            let (photo, other_photo) = (&self.photos[readable[row]], &self.photos[readable[*other]]);
            let name = photo.file.display();
            if *distance > odd {
                let words = format!("{name}: nothing here is like it; the nearest is {}", other_photo.file.display());
                findings.push(Finding::new(Problem::Odd, &photo.file, words));
            }
            // Of two that are each other's nearest, the later one is named.
            let is_named = nearest[*other].0 != row || *other < row;
            let is_known = copies.contains(&photo.file) || copies.contains(&other_photo.file);
            if *distance <= alike && is_named && !is_known {
                let words = format!("{name}: nearly the same as {} to the network", other_photo.file.display());
                let one_side = self.trains(&photo.file) == self.trains(&other_photo.file);
                let problems = Problem::of_places(photo.class == other_photo.class, one_side, Problem::Alike);
                findings.extend(problems.into_iter().map(|problem| Finding {
                    other: Some(other_photo.file.clone()),
                    ..Finding::new(problem, &photo.file, words.clone())
                }));
            }
        }
        Ok(findings)
    }

    /// Labels that are probably wrong; sets the judgement of each photo.
    fn by_labels(&mut self, readable: &[usize], features: &[Vec<f32>]) -> Result<Vec<Finding>> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        readable.iter().for_each(|&i| *counts.entry(&self.photos[i].class).or_default() += 1);
        counts.retain(|_, n| *n > 1);
        let classes: Vec<String> = counts.into_keys().map(String::from).collect();
        if classes.len() < 2 {
            let what = "labels can be judged from two classes of two photos on".to_string();
            return Err(Error::file(&self.root, what));
        }
        let place = |photo: &Photo| classes.binary_search(&photo.class).ok().map(|label| label as u32);
        let judged: Vec<(usize, u32)> = (0..readable.len())
            .filter_map(|row| place(&self.photos[readable[row]]).map(|label| (row, label)))
            .collect();
        let rows: Vec<Vec<f32>> = judged.iter().map(|(row, _)| features[*row].clone()).collect();
        let labels: Vec<u32> = judged.iter().map(|(_, label)| *label).collect();
        let probabilities = judge::out_of_sample(&rows, &labels)?;
        for ((row, label), p) in judged.iter().zip(probabilities.iter()) {
            let best = (0..p.len()).fold(0, |best, i| if p[i] > p[best] { i } else { best });
            let loss = -p[*label as usize].max(f64::MIN_POSITIVE).ln();
            let class = classes[best].clone();
            self.photos[readable[*row]].judged = Some(Judged { class, probability: p[best], loss });
        }
        let doubted = label_errors(probabilities.values(), classes.len(), &labels)?;
        let finding = |error: &crate::metrics::LabelError| {
            let photo = &self.photos[readable[judged[error.sample].0]];
            let p = probabilities.row(error.sample);
            let (suggested, own) = (&classes[error.suggested], p[error.label]);
            let (file, class) = (photo.file.display(), &photo.class);
            let words = format!(
                "{file}: labelled {class}, looks like {suggested} ({:.3} against {own:.3})",
                p[error.suggested]
            );
            Finding { suggested: Some(suggested.clone()), ..Finding::new(Problem::Label, &photo.file, words) }
        };
        Ok(doubted.iter().map(finding).collect())
    }

    /// Takes over what another cleaner of the same folder found, for files that are where they were.
    pub fn take_judgements(&mut self, of: &Cleaner) {
        for photo in &mut self.photos {
            let known = of.places.get(&photo.file).map(|place| &of.photos[*place]);
            photo.judged = known.filter(|known| known.class == photo.class).and_then(|known| known.judged.clone());
        }
        let is_there = |finding: &&Finding| {
            let files = std::iter::once(&finding.file).chain(&finding.other);
            files.into_iter().all(|file| self.places.contains_key(file))
        };
        self.findings = of.findings.iter().filter(is_there).cloned().collect();
    }

    /// The folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All photos that have a class, by their files' names.
    pub fn photos(&self) -> &[Photo] {
        &self.photos
    }

    /// The photo in this file, if it has a class.
    pub fn photo(&self, file: &Path) -> Option<&Photo> {
        self.places.get(file).map(|place| &self.photos[*place])
    }

    /// The classes, sorted.
    pub fn classes(&self) -> Vec<&str> {
        let classes: BTreeSet<&str> = self.photos.iter().map(|photo| photo.class.as_str()).collect();
        classes.into_iter().collect()
    }

    /// The photos of a class, or of all, on one side, or on all, by falling loss; those that were not judged last.
    /// fast.ai's widget shows them in this order.
    pub fn by_loss(&self, class: Option<&str>, side: Option<Side>) -> Vec<&Photo> {
        let is_wanted = |photo: &&Photo| {
            class.is_none_or(|class| photo.class == class) && side.is_none_or(|side| photo.side == Some(side))
        };
        let mut photos: Vec<&Photo> = self.photos.iter().filter(is_wanted).collect();
        let loss = |photo: &Photo| photo.judged.as_ref().map_or(f64::NEG_INFINITY, |judged| judged.loss);
        photos.sort_by(|a, b| loss(b).total_cmp(&loss(a)));
        photos
    }

    /// What is probably wrong, by [`Problem`], the clearest label first.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Decisions that the findings suggest, for a person to look through: another class for a label that is probably
    /// wrong; deletion of blank files, of such as cannot be read, of copies in one class, and of photos that are in
    /// training too. Of a photo in two classes, which is wrong is not known.
    pub fn suggestions(&self) -> BTreeMap<PathBuf, Change> {
        let mut suggested = BTreeMap::new();
        for finding in &self.findings {
            let change = match (finding.problem, &finding.suggested) {
                (Problem::Label, Some(class)) => Change::Relabel(class.clone()),
                (Problem::Blank | Problem::Unreadable, _) => Change::Delete,
                (Problem::Copy | Problem::BothSides, _) if finding.distance.is_some_and(|bits| bits <= SURE) => {
                    Change::Delete
                }
                _ => continue,
            };
            let known = suggested.entry(finding.file.clone()).or_insert_with(|| change.clone());
            if change == Change::Delete {
                *known = change;
            }
        }
        suggested
    }

    /// Takes over decisions, such as [`Cleaner::suggestions`].
    ///
    /// # Errors
    /// As [`Cleaner::delete`] and [`Cleaner::relabel`].
    pub fn decide(&mut self, changes: impl IntoIterator<Item = (PathBuf, Change)>) -> Result<()> {
        changes.into_iter().try_for_each(|(file, change)| match change {
            Change::Delete => self.delete(file),
            Change::Relabel(class) => self.relabel(file, &class),
        })
    }

    /// What was left out and how the folders were read, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Decides that a photo is to be deleted.
    ///
    /// # Errors
    /// [`Error::File`] if it is not one of the folder's photos.
    pub fn delete(&mut self, file: impl AsRef<Path>) -> Result<()> {
        let photo = self.checked(file.as_ref())?;
        self.changes.insert(photo, Change::Delete);
        Ok(())
    }

    /// Decides that a photo is to get another class. A class that is not there yet gets a folder.
    ///
    /// # Errors
    /// [`Error::File`] if it is not one of the folder's photos, or `class` cannot be the name of a class's folder.
    pub fn relabel(&mut self, file: impl AsRef<Path>, class: &str) -> Result<()> {
        let file = self.checked(file.as_ref())?;
        if self.known(&file).class == class {
            self.changes.remove(&file);
            return Ok(());
        }
        self.relabelled(&file, class)?;
        self.changes.insert(file, Change::Relabel(class.into()));
        Ok(())
    }

    /// Takes a decision back.
    ///
    /// # Errors
    /// [`Error::File`] if it is not one of the folder's photos.
    pub fn keep(&mut self, file: impl AsRef<Path>) -> Result<()> {
        let file = self.checked(file.as_ref())?;
        self.changes.remove(&file);
        Ok(())
    }

    /// The decisions.
    pub fn changes(&self) -> &BTreeMap<PathBuf, Change> {
        &self.changes
    }

    /// Does what was decided, and returns how many files were moved. [`undo`](super::undo) takes it back.
    ///
    /// # Errors
    /// When a file cannot be moved; those that were moved before are restored by `undo`.
    pub fn apply(self) -> Result<usize> {
        if self.changes.is_empty() {
            return Ok(0);
        }
        let moved = trash::apply(&self.root, |deleted| {
            let mut taken = HashSet::new();
            let mut moves = Vec::new();
            for (file, change) in &self.changes {
                let from = self.inside(file).to_path_buf();
                let to = match change {
                    Change::Delete => deleted.join(&from),
                    Change::Relabel(class) => self.free(self.relabelled(file, class)?, &mut taken),
                };
                moves.push((from, to));
            }
            Ok(moves)
        })?;
        // Decisions of another run that were not applied now still wait.
        if plan::path(&self.root).exists() {
            let mut waiting: BTreeMap<PathBuf, Change> =
                plan::read(&plan::path(&self.root), &self.root)?.into_iter().collect();
            waiting.retain(|file, _| !self.changes.contains_key(file));
            plan::save(&self.root, &waiting)?;
        }
        Ok(moved)
    }

    fn known(&self, file: &Path) -> &Photo {
        &self.photos[self.places[file]]
    }

    fn trains(&self, file: &Path) -> bool {
        self.known(file).side.is_none_or(|side| side == Side::Train)
    }

    fn checked(&self, file: &Path) -> Result<PathBuf> {
        let known = self.places.get_key_value(file).map(|(file, _)| file.clone());
        known.ok_or_else(|| Error::file(file, format!("is not a photo with a class under {}", self.root.display())))
    }

    fn inside<'a>(&self, file: &'a Path) -> &'a Path {
        file.strip_prefix(&self.root).unwrap_or(file)
    }

    /// Where a photo goes, below the folder, if its class is this one. Which of the folders above it is its class's is
    /// told by reading all folders again as if it were there: that must change its class and nothing else.
    fn relabelled(&self, file: &Path, class: &str) -> Result<PathBuf> {
        let photo = self.known(file);
        let parts: Vec<Component> = self.inside(file).components().collect();
        let is_name = Path::new(class).components().eq([Component::Normal(class.as_ref())]) && !class.starts_with('.');
        let mut files: Vec<PathBuf> = self.photos.iter().map(|photo| photo.file.clone()).collect();
        let placed = |photo: &Photo| Placed { label: Some(photo.class.clone()), side: photo.side, outside: false };
        let mut wanted: Vec<Placed> = self.photos.iter().map(placed).collect();
        wanted[self.places[file]].label = Some(class.into());
        for at in (0..parts.len() - 1).filter(|&at| is_name && parts[at].as_os_str() == photo.class.as_str()) {
            let mut moved = parts.clone();
            moved[at] = Component::Normal(class.as_ref());
            let moved: PathBuf = moved.into_iter().collect();
            files[self.places[file]] = self.root.join(&moved);
            if FolderLayout::read(&self.root, &files).is_ok_and(|layout| layout.placed() == wanted) {
                return Ok(moved);
            }
        }
        Err(Error::file(file, format!("`{class}` cannot be the folder of its class; choose another name")))
    }

    /// The place, with a number in its name if another file is there.
    fn free(&self, place: PathBuf, taken: &mut HashSet<PathBuf>) -> PathBuf {
        let numbered = |n: usize| {
            let stem = place.file_stem().unwrap_or_default().to_string_lossy();
            let extension = place.extension().map(|e| format!(".{}", e.to_string_lossy())).unwrap_or_default();
            if n == 1 { place.clone() } else { place.with_file_name(format!("{stem}-{n}{extension}")) }
        };
        let is_free = |place: &PathBuf| !taken.contains(place) && !self.root.join(place).exists();
        let free = (1..).map(numbered).find(is_free).unwrap_or_default();
        taken.insert(free.clone());
        free
    }
}
