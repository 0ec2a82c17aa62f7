//! From a folder of pictures and one of masks to data loaders.

use super::block::bad_notes;
use super::codes::Codes;
use super::collect::{Collected, Splitting};
use super::file_warnings::warnings_of;
use super::labelled::{LabelledImage, LabelledImages};
use super::mask_label::NearMasks;
use super::{
    BadFile, BadFiles, DataBlock, ImageBlock, SegmentationDataLoaders, SegmentationDataset, SegmentationLoader,
    file_entries,
};
use crate::error::{Error, Result};
use crate::event::Event;
use crate::vision::Compose;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

type MaskOf = dyn Fn(&Path) -> Result<PathBuf> + Send + Sync;

/// A target that says of each pixel what it shows. fast.ai's `MaskBlock`.
#[derive(Clone, Default)]
pub struct MaskBlock {
    mask: Option<Arc<MaskOf>>,
    codes: Vec<String>,
    void: Option<String>,
    values: Vec<(u16, String)>,
}

impl DataBlock<ImageBlock, MaskBlock> {
    /// Pictures with a mask each: a PNG file of the picture's size that has the number of a class for each pixel
    /// ([`Mask::open`](crate::vision::Mask::open)). Folders named as sides are sides, as in `train/images`,
    /// `train/labels`, `valid/images` and `valid/labels`; else a random fifth of all is for validation.
    ///
    /// ```no_run
    /// use tallow::data::{DataBlock, mask_beside, read_codes};
    /// use tallow::vision::{Resize, aug_transforms};
    ///
    /// # fn main() -> tallow::Result<()> {
    /// let dls = DataBlock::segmentation()
    ///     .label(mask_beside("labels", "_P"))
    ///     .codes(read_codes("camvid/codes.txt")?)
    ///     .void("Void")
    ///     .item_tfms([Resize::squish(0).size(120, 90)])
    ///     .batch_tfms(aug_transforms())
    ///     .dataloaders("camvid", 8)?;
    /// println!("{} classes, {} pictures", dls.codes().len(), dls.train.n_items());
    /// # Ok(())
    /// # }
    /// ```
    pub fn segmentation() -> DataBlock<ImageBlock, MaskBlock> {
        DataBlock::new(MaskBlock::default())
    }

    /// Sets where a picture's mask is: [`mask_beside`](super::mask_beside), [`mask_in`](super::mask_in), or a function
    /// of one's own. Where the items are not set, files that are the mask of a picture are none. fast.ai's `get_y`.
    #[must_use]
    pub fn label(mut self, mask: impl Fn(&Path) -> Result<PathBuf> + Send + Sync + 'static) -> Self {
        self.target.mask = Some(Arc::new(mask));
        self
    }

    /// Sets the names of the classes, in the order of their numbers in the masks; those of a file are
    /// [`read_codes`](super::read_codes)'s. fast.ai's `codes`.
    #[must_use]
    pub fn codes(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.target.codes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Sets which of the codes is of pixels that neither train nor count, whose class is unknown. Black
    /// that a transform puts around a picture is of it too.
    #[must_use]
    pub fn void(mut self, name: impl Into<String>) -> Self {
        self.target.void = Some(name.into());
        self
    }

    /// Sets that pixels of the number `value` are of the class `name`: `mask_value(255, "void")` where 255 marks what
    /// is void, or `mask_value(255, "cell")` for masks of 0 and 255.
    #[must_use]
    pub fn mask_value(mut self, value: u16, name: impl Into<String>) -> Self {
        self.target.values.push((value, name.into()));
        self
    }

    /// Loaders of the pictures under `path` with their masks, in batches of `batch_size`. The listener is told of all
    /// that is left out, and of what looks wrong with the files. With [`BadFiles::Skip`] all pictures and masks are
    /// read once before anything is counted.
    ///
    /// # Errors
    /// When no picture is found, a mask is not there, the codes are wrong, or one side of the split is empty.
    pub fn dataloaders(&self, path: impl AsRef<Path>, batch_size: usize) -> Result<SegmentationDataLoaders> {
        let path = path.as_ref();
        let MaskBlock { mask, codes, void, values } = &self.target;
        let codes = Arc::new(Codes::new(codes, void.as_deref(), values)?);
        let where_are = "say where a picture's mask is: set `label`, for example to `mask_beside(\"labels\", \"\")`";
        let mask = mask.as_deref().ok_or_else(|| Error::config("label", where_are))?;
        let mut labelled = match &self.labelled {
            Some(labelled) => LabelledImages::clone(labelled),
            None => self.placed_items(path, mask)?,
        };
        // What the pictures show is in their masks.
        labelled.images.iter_mut().for_each(|image| image.labels.clear());
        let files = labelled.images.iter().map(|image| image.file.clone());
        let masks: BTreeMap<PathBuf, PathBuf> =
            files.map(|file| Ok((file.clone(), mask(&file)?))).collect::<Result<_>>()?;
        let left_out = self.leave_out(path, &mut labelled, &masks, &codes)?;
        let splitting = Splitting {
            splitter: self.splitter.as_deref(),
            valid_pct: self.valid_pct,
            seed: self.seed,
            is_multi: true,
        };
        let collected = Collected::new(path, labelled, &splitting, false, &self.listener)?;
        let dls = self.loaders_of(&collected, &masks, &codes, batch_size, left_out)?;
        let files = |side: &SegmentationLoader| side.files().to_vec();
        let all = [files(&dls.train), files(&dls.valid), dls.test.as_ref().map_or(Vec::new(), files)].concat();
        let warnings = warnings_of(&all, &vec![&[][..]; all.len()], dls.train.n_items());
        let notes = collected.notes.iter().chain(&collected.split_notes).cloned();
        for note in notes.chain(bad_notes(dls.left_out())).chain(warnings) {
            self.listener.tell(Event::Note(&note));
        }
        Ok(dls)
    }

    /// The pictures, on their sides where folders say so; files that are the masks of others are none.
    fn placed_items(&self, path: &Path, mask: &MaskOf) -> Result<LabelledImages> {
        let (mut files, mut notes) = self.find_items(path)?;
        if self.items.is_none() {
            let masks: BTreeMap<&PathBuf, PathBuf> =
                files.iter().map(|file| Ok((file, mask(file)?))).collect::<Result<_>>()?;
            let (pictures, unused) = without_masks(&masks);
            if !unused.is_empty() {
                let n = unused.len();
                let (masks, are) = if n == 1 { ("mask belongs", "is") } else { ("masks belong", "are") };
                let names = super::find::some_names(&unused);
                notes.push(format!("{n} {masks} to no picture and {are} left out ({names})"));
            }
            files = pictures;
        }
        if files.is_empty() {
            return Err(Error::file(path, "has masks, and no pictures that they belong to"));
        }
        if self.splitter.is_some() {
            // Then no folder's name matters.
            let image = |file| LabelledImage { labels: Vec::new(), file, side: None, group: None };
            return Ok(LabelledImages { images: files.into_iter().map(image).collect(), notes, sides: None });
        }
        LabelledImages::of_files(path, files, notes, |_| Ok(Some(Vec::new())))
    }

    /// Leaves out what cannot be used, if that is wanted; else a mask that is not there is an error.
    fn leave_out(
        &self,
        path: &Path,
        labelled: &mut LabelledImages,
        masks: &BTreeMap<PathBuf, PathBuf>,
        codes: &Arc<Codes>,
    ) -> Result<Vec<BadFile>> {
        let missing = |image: &&LabelledImage| !masks[&image.file].exists();
        let mut near = NearMasks::default();
        if self.bad_files == BadFiles::Stop {
            let missing: Vec<&LabelledImage> = labelled.images.iter().filter(missing).collect();
            let Some(first) = missing.first() else { return Ok(Vec::new()) };
            let more = match missing.len() - 1 {
                0 => String::new(),
                n => format!("; {n} more of {} pictures have no mask", labelled.images.len()),
            };
            let mask = &masks[&first.file];
            let what = near.missing(mask, &first.file);
            let remedy = "check how masks are named, or leave such pictures out";
            return Err(Error::file(mask, format!("{what}{more}; {remedy}")));
        }
        let reasons: BTreeMap<&Path, String> = labelled
            .images
            .iter()
            .filter(missing)
            .map(|LabelledImage { file, .. }| {
                let mask = &masks[file];
                (file.as_path(), format!("{}: {}", mask.display(), near.missing(mask, file)))
            })
            .collect();
        let items = labelled.images.iter().map(|image| (image.file.clone(), Some(masks[&image.file].clone())));
        let dataset = SegmentationDataset::new(items.collect(), codes, self.limits, |images| images)?;
        let n = dataset.files().len();
        let task = self.listener.task(&format!("reading {}", path.display()), n);
        let mut bad = Vec::new();
        for start in (0..n).step_by(CHUNK) {
            self.listener.stop_if_interrupted()?;
            let end = n.min(start + CHUNK);
            let check = |index: usize| {
                let file = &dataset.files()[index];
                let missing = reasons.get(file.as_path()).cloned();
                let reason = missing.or_else(|| Some(dataset.pair(index).err()?.to_string()))?;
                Some(BadFile { file: file.clone(), reason })
            };
            bad.extend((start..end).into_par_iter().filter_map(check).collect::<Vec<BadFile>>());
            task.progress(end, "");
        }
        let names: BTreeSet<&Path> = bad.iter().map(|bad| bad.file.as_path()).collect();
        labelled.images.retain(|image| !names.contains(image.file.as_path()));
        if let (true, Some(first)) = (labelled.images.is_empty(), bad.first()) {
            let what = format!("none of its {n} pictures can be used with its mask; the first: {}", first.reason);
            return Err(Error::file(path, what));
        }
        Ok(bad)
    }

    fn loaders_of(
        &self,
        collected: &Collected,
        masks: &BTreeMap<PathBuf, PathBuf>,
        codes: &Arc<Codes>,
        batch_size: usize,
        left_out: Vec<BadFile>,
    ) -> Result<SegmentationDataLoaders> {
        let files: Vec<PathBuf> = collected.images.iter().map(|image| image.file.clone()).collect();
        let root = file_entries::common_folder(&files);
        let side = |items: &[usize], tfms: &Compose, name: &str| {
            let items = items.iter().map(|&i| (files[i].clone(), masks.get(&files[i]).cloned())).collect();
            let dataset = SegmentationDataset::new(items, codes, self.limits, |images| {
                images.bad_files(self.bad_files).listener(self.listener.clone()).root(&root)
            })?;
            SegmentationLoader::new(dataset.with_tfms(tfms.clone()), self.settings(batch_size, name), name == "train")
        };
        let (tfms, valid_tfms) = self.both_tfms();
        let test = match collected.test.is_empty() {
            true => None,
            false => Some(side(&collected.test, &valid_tfms, "test")?),
        };
        let valid = side(&collected.split.valid, &valid_tfms, "valid")?;
        Ok(SegmentationDataLoaders { train: side(&collected.split.train, &tfms, "train")?, valid, test, left_out })
    }
}

/// The pictures among files, each with what would be its mask, and the masks that belong to none of them.
fn without_masks(files: &BTreeMap<&PathBuf, PathBuf>) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let all: BTreeSet<&PathBuf> = files.values().collect();
    // Folders of masks alone. What lies there and has no mask of its own is one that lost its picture.
    let apart = files.iter().filter(|(file, mask)| files.contains_key(mask) && file.parent() != mask.parent());
    let folders: BTreeSet<Option<&Path>> = apart.map(|(_, mask)| mask.parent()).collect();
    let is_mask = |file: &PathBuf, mask: &PathBuf| {
        all.contains(file) || (folders.contains(&file.parent()) && !files.contains_key(mask))
    };
    let (masks, pictures): (Vec<_>, Vec<_>) = files.iter().partition(|(file, mask)| is_mask(file, mask));
    let named: BTreeSet<&PathBuf> = pictures.iter().map(|(_, mask)| *mask).collect();
    let unused = masks.into_iter().filter(|(file, _)| !named.contains(*file)).map(|(file, _)| file.to_path_buf());
    (pictures.into_iter().map(|(file, _)| file.to_path_buf()).collect(), unused.collect())
}

/// Pictures read between two reports of progress, and two questions whether to stop.
const CHUNK: usize = 64;
