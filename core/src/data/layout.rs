//! What the names of folders say: which class a picture has, and which side of the split it is on.

use super::find::some_names;
use crate::error::{Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// A part of the data with a purpose of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// The items to train with: `train`, `training`.
    Train,
    /// The validation items: `valid`, `val`, `validation`, `dev`.
    Valid,
    /// The items that are looked at once, at the end: `test`, `testing`.
    Test,
}

impl Side {
    /// The side that a folder of this name holds, whatever its case and with words such as `set` or `images` beside it:
    /// `val`, `Validation`, `test_set`, `seg_train`, `train2`.
    pub fn of_folder(name: &str) -> Option<Side> {
        const BESIDE: [&str; 11] =
            ["set", "sets", "data", "dataset", "images", "imgs", "photos", "pictures", "seg", "split", "folder"];
        let name = name.to_lowercase();
        let words = name.split(|c: char| !c.is_alphanumeric()).map(|word| word.trim_end_matches(char::is_numeric));
        let mut side = None;
        for word in words.filter(|word| !word.is_empty()) {
            match word {
                "train" | "training" | "trn" if side.is_none() => side = Some(Side::Train),
                "valid" | "val" | "validation" | "dev" if side.is_none() => side = Some(Side::Valid),
                "test" | "testing" | "tst" if side.is_none() => side = Some(Side::Test),
                word if BESIDE.contains(&word) => {}
                _ => return None,
            }
        }
        side
    }
}

/// What the folders say of one picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The class: the name of the folder under the searched one, or under that of the side, however deep the picture
    /// lies in it. torchvision's `ImageFolder` takes the same. None where there is no such folder.
    pub label: Option<String>,
    /// The side, if the folders are split.
    pub side: Option<Side>,
    /// Whether it lies outside of the sides of a split folder, where nothing says what it is for.
    pub outside: bool,
}

/// The classes and sides of the pictures of a folder, by the folders that they are in:
///
/// - `cat/1.jpg`, `dog/2.jpg`: a folder for each class;
/// - `train/cat/1.jpg`, `val/cat/2.jpg`: a folder for each side ([`Side::of_folder`]), and in it one for each class;
/// - `cat/train/1.jpg`, `cat/val/2.jpg`: the other way round;
/// - `cat/1.jpg`, `val/cat/2.jpg`: classes, and beside them sides with the same classes.
///
/// A folder around all of these changes nothing. A folder `train` that has pictures and no class folders, and no other
/// side beside it, is a class, of trains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderLayout {
    placed: Vec<Placed>,
    has_sides: bool,
    notes: Vec<String>,
}

impl FolderLayout {
    /// Reads the names of the folders between `folder` and each of the files.
    ///
    /// # Errors
    /// [`Error::File`] when two folders claim one side, when folders of sides lie so deep that nothing says what they
    /// split, or when a folder's name is not UTF-8.
    pub fn read(folder: &Path, files: &[PathBuf]) -> Result<FolderLayout> {
        let mut dirs = files.iter().map(|file| folders_between(folder, file)).collect::<Result<Vec<Vec<&str>>>>()?;
        strip_common(&mut dirs);
        let first = Level::of(dirs.iter().filter_map(|dirs| Some((*dirs.first()?, dirs.len() > 1))));
        let reading = if first.is_split() {
            first.refuse_rivals(folder)?;
            Reading::SideFirst
        } else if first.has_train_class() {
            // A class of trains: the other names are classes too.
            Reading::Classes
        } else if first.has_sides() {
            Reading::SidesBesideClasses(first.classes())
        } else {
            // Here a lone `train` is not a split, whatever lies in it.
            let second = Level::of(dirs.iter().filter_map(|dirs| Some((*dirs.get(1)?, false))));
            if second.is_split() { Reading::ClassFirst } else { Reading::Classes }
        };
        if !matches!(reading, Reading::SideFirst | Reading::ClassFirst) {
            refuse_deep_sides(folder, &dirs, &reading)?;
        }
        let root = folder.file_name().and_then(OsStr::to_str);
        let (placed, notes) = match dirs.iter().all(Vec::is_empty) {
            true => {
                let placed = Placed { label: root.map(str::to_string), side: None, outside: false };
                (vec![placed; files.len()], Vec::new())
            }
            false => {
                let placed: Vec<(Placed, usize)> = dirs.iter().map(|dirs| reading.place(dirs)).collect();
                let notes = notes(files, &placed, &dirs);
                (placed.into_iter().map(|(placed, _)| placed).collect(), notes)
            }
        };
        let has_sides = placed.iter().any(|placed| placed.side.is_some());
        Ok(FolderLayout { placed, has_sides, notes })
    }

    /// What the folders say of each file, in the files' order.
    pub fn placed(&self) -> &[Placed] {
        &self.placed
    }

    /// Whether folders say which side pictures are on.
    pub fn has_sides(&self) -> bool {
        self.has_sides
    }

    /// What a user should know of how the folders were read, in sentences: pictures that have no class or belong to no
    /// side, and such as lie deeper than the folder of their class.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// The class of each file of a folder that has no sides and nothing beside its class folders.
pub(super) fn class_of_each(folder: &Path, files: &[PathBuf]) -> Result<Vec<String>> {
    let layout = FolderLayout::read(folder, files)?;
    let label = |(file, placed): (&PathBuf, &Placed)| match placed {
        Placed { label: Some(label), side: None, outside: false } => Ok(label.clone()),
        Placed { side: Some(_), .. } => {
            Err(Error::file(folder, "is split into sides already; give the folder of one side, with the class folders"))
        }
        _ => Err(Error::file(file, "lies beside the class folders and has no class; move it into one, or away")),
    };
    files.iter().zip(layout.placed()).map(label).collect()
}

/// What a user should know of these files, with the number of folders that say the class and the side of each.
fn notes(files: &[PathBuf], placed: &[(Placed, usize)], dirs: &[Vec<&str>]) -> Vec<String> {
    let mut without_class: BTreeMap<(&Path, &str), Vec<&PathBuf>> = BTreeMap::new();
    let mut deeper: BTreeMap<&str, usize> = BTreeMap::new();
    for ((file, (placed, depth)), dirs) in files.iter().zip(placed).zip(dirs) {
        let why = match placed {
            Placed { outside: true, .. } => "they belong to no side of the split",
            Placed { label: None, side: None, .. } => "they lie beside the class folders, so they have no class",
            Placed { label: None, side: Some(_), .. } => {
                "they lie in no class folder of that side, so they have no label"
            }
            Placed { label: Some(label), .. } => {
                if dirs.len() > *depth {
                    *deeper.entry(label).or_default() += 1;
                }
                continue;
            }
        };
        without_class.entry((file.parent().unwrap_or(file), why)).or_default().push(file);
    }
    let mut notes = Vec::new();
    for ((folder, why), files) in without_class {
        let (pictures, why) = match files.len() {
            1 => ("1 picture is".to_string(), singular(why)),
            n => (format!("{n} pictures are"), why.to_string()),
        };
        notes.push(format!("{}: {pictures} left out: {why} ({})", folder.display(), some_names(&files)));
    }
    for (label, n) in deeper {
        let lie = if n == 1 { "lies" } else { "lie" };
        notes.push(format!("class `{label}`: {n} of its pictures {lie} in folders below the class's own"));
    }
    notes
}

/// What is said of several pictures, of one.
fn singular(why: &str) -> String {
    let words = [("they have", "it has"), ("they lie", "it lies"), ("they belong", "it belongs")];
    words.into_iter().fold(why.to_string(), |why, (they, it)| why.replace(they, it))
}

/// How the folders are read.
enum Reading<'a> {
    Classes,
    SideFirst,
    ClassFirst,
    /// The names of the classes.
    SidesBesideClasses(BTreeSet<&'a str>),
}

impl Reading<'_> {
    /// What these folders say, and how many of them say it.
    fn place(&self, dirs: &[&str]) -> (Placed, usize) {
        let name = |i: usize| dirs.get(i).copied();
        let side = |i: usize| name(i).and_then(Side::of_folder);
        let placed = |label: Option<&str>, side| Placed { label: label.map(str::to_string), side, outside: false };
        match self {
            Reading::Classes => (placed(name(0), None), 1),
            Reading::SideFirst if side(0).is_none() => (Placed { outside: true, ..placed(None, None) }, 1),
            // `seg_train/seg_train/forest`: an archive that was unpacked into a folder of its own name.
            Reading::SideFirst if side(0) == side(1) => (placed(name(2), side(0)), 3),
            Reading::SideFirst => (placed(name(1), side(0)), 2),
            Reading::ClassFirst => (Placed { outside: side(1).is_none(), ..placed(name(0), side(1)) }, 2),
            Reading::SidesBesideClasses(classes) => match side(0) {
                None => (placed(name(0), Some(Side::Train)), 1),
                of_first => (placed(name(1).filter(|name| classes.contains(name)), of_first), 2),
            },
        }
    }
}

/// The folders at one depth.
#[derive(Default)]
struct Level<'a> {
    /// The names of each side's folders, with whether there are folders in them.
    sides: BTreeMap<Side, BTreeMap<&'a str, bool>>,
    classes: BTreeSet<&'a str>,
}

impl<'a> Level<'a> {
    /// Of names, each with whether there is a folder below.
    fn of(names: impl Iterator<Item = (&'a str, bool)>) -> Level<'a> {
        let mut level = Level::default();
        for (name, is_deep) in names {
            match Side::of_folder(name) {
                Some(side) => *level.sides.entry(side).or_default().entry(name).or_default() |= is_deep,
                None => {
                    level.classes.insert(name);
                }
            }
        }
        level
    }

    /// Whether there is a folder to train with: one that has folders in it, or another side beside it.
    fn is_split(&self) -> bool {
        let train = self.sides.get(&Side::Train);
        train.is_some_and(|folders| folders.values().any(|&is_deep| is_deep) || self.sides.len() > 1)
    }

    fn has_train_class(&self) -> bool {
        self.sides.contains_key(&Side::Train)
    }

    fn has_sides(&self) -> bool {
        !self.sides.is_empty() && !self.classes.is_empty()
    }

    fn classes(self) -> BTreeSet<&'a str> {
        self.classes
    }

    fn refuse_rivals(&self, folder: &Path) -> Result<()> {
        for (side, folders) in &self.sides {
            if folders.len() > 1 {
                let names = folders.keys().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ");
                let purpose = match side {
                    Side::Train => "to train with",
                    Side::Valid => "for validation",
                    Side::Test => "to test",
                };
                let what = format!("holds {names}, of which each could be the folder {purpose}; rename or move one");
                return Err(Error::file(folder, what));
            }
        }
        Ok(())
    }
}

/// The names of the folders between `folder` and a file.
fn folders_between<'a>(folder: &Path, file: &'a Path) -> Result<Vec<&'a str>> {
    let inside = file.strip_prefix(folder).unwrap_or(file);
    let above = inside.parent().into_iter().flat_map(Path::components);
    let name = |part: std::path::Component<'a>| {
        part.as_os_str().to_str().ok_or_else(|| {
            let name = part.as_os_str();
            let what = format!("lies in a folder whose name {name:?} is not valid UTF-8; rename the folder");
            Error::file(file, what)
        })
    };
    above.map(name).collect()
}

/// Takes off the folders that are around everything. A lone folder to train with is one of them too, but it says a
/// side.
fn strip_common(dirs: &mut [Vec<&str>]) {
    while let Some(&common) = dirs.first().and_then(|dirs| dirs.first())
        && Side::of_folder(common) != Some(Side::Train)
        && dirs.iter().all(|dirs| dirs.len() > 1 && dirs[0] == common)
    {
        dirs.iter_mut().for_each(|dirs| {
            dirs.remove(0);
        });
    }
}

/// An error if there are folders of the training and of the validation set below the classes: `a/b/train`, `a/b/val`.
fn refuse_deep_sides(folder: &Path, dirs: &[Vec<&str>], reading: &Reading) -> Result<()> {
    let depth = if matches!(reading, Reading::Classes) { 1 } else { 2 };
    let mut found: BTreeMap<Side, String> = BTreeMap::new();
    for dirs in dirs {
        for (i, name) in dirs.iter().enumerate().skip(depth) {
            if let Some(side) = Side::of_folder(name) {
                found.entry(side).or_insert_with(|| dirs[..=i].join("/"));
            }
        }
    }
    match (found.get(&Side::Train), found.values().find(|name| Some(*name) != found.get(&Side::Train))) {
        (Some(train), Some(other)) => {
            let what = format!(
                "holds folders of a split deep inside, such as `{train}` and `{other}`; give the folder that holds \
                 these two, or arrange all pictures as `train/CLASS` and `valid/CLASS`"
            );
            Err(Error::file(folder, what))
        }
        _ => Ok(()),
    }
}
