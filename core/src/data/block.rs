//! From a folder to data loaders, in five lines.

use super::collect::{Collected, Splitting};
use super::image_loaders::Settings;
use super::labelled::{LabelledImage, LabelledImages};
use super::{
    BadFile, BadFiles, ImageDataLoaders, ImageDataset, ImageLoader, KFold, Side, Split, Splitter, Targets, Vocab,
    balance, file_entries, file_warnings, find_images,
};
use crate::error::{Error, Result};
use crate::event::{Event, Listener};
use crate::rng::Rng;
use crate::vision::{Compose, Limits, Normalize};
use candle_core::Device;
use std::fmt::Write;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(super) type Items = dyn Fn(&Path) -> Result<Vec<PathBuf>> + Send + Sync;
type Label = dyn Fn(&Path) -> Result<Vec<String>> + Send + Sync;

/// Describes how a folder becomes data loaders: how to find, label, split and transform the items. fast.ai's
/// `DataBlock`.
///
/// The type says what an item consists of, as fast.ai's `blocks=(ImageBlock, CategoryBlock)` does: the input first,
/// then the target. [`DataBlock::images`] begins one of images with a class each.
///
/// ```no_run
/// use tallow::data::{DataBlock, RandomSplitter, image_files, parent_label};
/// use tallow::vision::{Resize, aug_transforms};
///
/// # fn main() -> tallow::Result<()> {
/// let dls = DataBlock::images()
///     .items(image_files)
///     .label(parent_label)
///     .split(RandomSplitter { valid: 0.2, seed: 42 })
///     .item_tfms([Resize::squish(192)])
///     .batch_tfms(aug_transforms())
///     .dataloaders("pets", 32)?;
/// println!("{:?}, {} photos", dls.vocab().classes(), dls.train.n_items());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct DataBlock<X = ImageBlock, Y = CategoryBlock> {
    input: PhantomData<X>,
    /// The kind of target, with the settings of its own.
    pub(super) target: Y,
    pub(super) items: Option<Arc<Items>>,
    label: Option<Arc<Label>>,
    pub(super) labelled: Option<Arc<LabelledImages>>,
    pub(super) splitter: Option<Arc<dyn Splitter>>,
    pub(super) valid_pct: f64,
    item_tfms: Compose,
    batch_tfms: Compose,
    valid_tfms: Option<Compose>,
    pub(super) bad_files: BadFiles,
    pub(super) limits: Limits,
    pub(super) seed: u64,
    workers: usize,
    pub(super) listener: Listener,
}

/// An input that is an image, in RGB. fast.ai's `ImageBlock`.
#[derive(Debug, Clone, Copy)]
pub struct ImageBlock;

/// A target that is one of several classes. fast.ai's `CategoryBlock`.
#[derive(Debug, Clone, Copy)]
pub struct CategoryBlock;

/// A target that is any number of classes, none included: what a photo shows, where it may show several things. The
/// loss is then binary cross entropy, class by class. fast.ai's `MultiCategoryBlock`.
#[derive(Debug, Clone, Copy)]
pub struct MultiCategoryBlock;

/// A kind of target that says classes. One that is a mask is a [`MaskBlock`](super::MaskBlock).
pub trait TargetBlock: sealed::Sealed {
    /// Whether an item may have several classes, or none.
    const IS_MULTI_LABEL: bool;
}

impl TargetBlock for CategoryBlock {
    const IS_MULTI_LABEL: bool = false;
}

impl TargetBlock for MultiCategoryBlock {
    const IS_MULTI_LABEL: bool = true;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::CategoryBlock {}
    impl Sealed for super::MultiCategoryBlock {}
}

impl DataBlock<ImageBlock, CategoryBlock> {
    /// Images with one class each. By default folders say the classes, and the sides of the split if they are named as
    /// such ([`FolderLayout`](super::FolderLayout)); else a random fifth of each class is for validation
    /// ([`EveryClassSplitter`](super::EveryClassSplitter)). Nothing is transformed, and the seed is 42.
    pub fn images() -> DataBlock {
        DataBlock::new(CategoryBlock)
    }

    /// Sets the function that returns the class of a file: [`parent_label`](super::parent_label),
    /// [`regex_label`](super::regex_label), or a function of one's own. fast.ai's `get_y`.
    #[must_use]
    pub fn label(self, label: impl Fn(&Path) -> Result<String> + Send + Sync + 'static) -> DataBlock {
        DataBlock { label: Some(Arc::new(move |file| Ok(vec![label(file)?]))), ..self }
    }
}

impl DataBlock<ImageBlock, MultiCategoryBlock> {
    /// Images with any number of classes each. They come from a table ([`DataBlock::labelled`]) or from
    /// [`DataBlock::labels`]; a random fifth is for validation where nothing else says it.
    ///
    /// ```no_run
    /// use tallow::data::{DataBlock, LabelTable, TableColumns};
    ///
    /// # fn main() -> tallow::Result<()> {
    /// let columns = TableColumns { delimiter: Some(' '), ..TableColumns::default() };
    /// let images = LabelTable::read("train.csv", &columns)?.images_in("train".as_ref())?;
    /// let dls = DataBlock::multi_label_images().labelled(images).dataloaders("train", 32)?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn multi_label_images() -> DataBlock<ImageBlock, MultiCategoryBlock> {
        DataBlock::new(MultiCategoryBlock)
    }

    /// Sets the function that returns the classes of a file. fast.ai's `get_y`.
    #[must_use]
    pub fn labels(self, labels: impl Fn(&Path) -> Result<Vec<String>> + Send + Sync + 'static) -> Self {
        DataBlock { label: Some(Arc::new(labels)), ..self }
    }
}

impl<Y> DataBlock<ImageBlock, Y> {
    pub(super) fn new(target: Y) -> Self {
        DataBlock {
            input: PhantomData,
            target,
            items: None,
            label: None,
            labelled: None,
            splitter: None,
            valid_pct: 0.2,
            item_tfms: Compose::new(),
            batch_tfms: Compose::new(),
            valid_tfms: None,
            bad_files: BadFiles::Stop,
            limits: Limits::default(),
            seed: 42,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            listener: Listener::default(),
        }
    }

    /// Sets how the items are found. fast.ai's `get_items`.
    #[must_use]
    pub fn items(self, items: impl Fn(&Path) -> Result<Vec<PathBuf>> + Send + Sync + 'static) -> Self {
        DataBlock { items: Some(Arc::new(items)), ..self }
    }

    /// Sets images that are known already, with their classes, sides and groups, in place of items and labels: those of
    /// a table, say.
    #[must_use]
    pub fn labelled(self, images: LabelledImages) -> Self {
        DataBlock { labelled: Some(Arc::new(images)), ..self }
    }

    /// Sets which items are for validation, whatever their folders are called.
    #[must_use]
    pub fn split(self, splitter: impl Splitter + 'static) -> Self {
        DataBlock { splitter: Some(Arc::new(splitter)), ..self }
    }

    /// Sets the share (of each class, if there are classes) that is for validation where nothing else says it; 0.2 by
    /// default. fast.ai's `valid_pct`.
    #[must_use]
    pub fn valid_pct(self, valid_pct: f64) -> Self {
        DataBlock { valid_pct, ..self }
    }

    /// Sets the transforms of each image; they should give all images one size.
    #[must_use]
    pub fn item_tfms(self, tfms: impl Into<Compose>) -> Self {
        DataBlock { item_tfms: tfms.into(), ..self }
    }

    /// Sets the transforms after those, in fast.ai's order: augmentation, normalisation, erasing. fast.ai does it to
    /// whole batches on a GPU; here each picture gets it on a worker's thread, and the mathematics is the same.
    #[must_use]
    pub fn batch_tfms(self, tfms: impl Into<Compose>) -> Self {
        DataBlock { batch_tfms: tfms.into(), ..self }
    }

    /// Sets all transforms of the validation images, normalisation included, instead of the counterparts of those of
    /// training. PyTorch's tutorials write both lists by hand.
    #[must_use]
    pub fn valid_tfms(self, tfms: impl Into<Compose>) -> Self {
        DataBlock { valid_tfms: Some(tfms.into()), ..self }
    }

    /// Sets the normalisation. A learner with pretrained weights sets that of its weights.
    #[must_use]
    pub fn normalize(self, normalize: Normalize) -> Self {
        DataBlock { batch_tfms: self.batch_tfms.normalized(normalize), ..self }
    }

    /// Sets what is done about files that cannot be read: an error by default.
    #[must_use]
    pub fn bad_files(self, bad_files: BadFiles) -> Self {
        DataBlock { bad_files, ..self }
    }

    /// Sets how large an image may be.
    #[must_use]
    pub fn limits(self, limits: Limits) -> Self {
        DataBlock { limits, ..self }
    }

    /// Sets the one seed of the random split, of shuffling and augmentation, and of a learner that is made from the
    /// loaders; 42 by default.
    #[must_use]
    pub fn seed(self, seed: u64) -> Self {
        DataBlock { seed, ..self }
    }

    /// Sets the number of threads that decode and transform, which changes no result; by default the number of
    /// processors.
    #[must_use]
    pub fn workers(self, workers: usize) -> Self {
        DataBlock { workers, ..self }
    }

    /// Sets the receiver of warnings and of files that are left out.
    #[must_use]
    pub fn listener(self, listener: Listener) -> Self {
        DataBlock { listener, ..self }
    }

    /// The transforms of training, and those of validation.
    pub(super) fn both_tfms(&self) -> (Compose, Compose) {
        let tfms = self.item_tfms.clone().chain(self.batch_tfms.clone().in_order());
        let valid = self.valid_tfms.clone().unwrap_or_else(|| tfms.valid());
        (tfms, valid)
    }

    /// How the batches of the side of this name are made.
    pub(super) fn settings(&self, batch_size: usize, side: &str) -> Settings {
        let rng = Rng::new(self.seed).stream("loader").stream(side);
        Settings { batch_size, workers: self.workers, seed: self.seed, rng, device: Device::Cpu, weights: None }
    }

    /// The files of a folder, with what was passed over.
    pub(super) fn find_items(&self, path: &Path) -> Result<(Vec<PathBuf>, Vec<String>)> {
        let (files, notes) = match &self.items {
            None => {
                let found = find_images(path)?.require_pictures(path)?;
                let notes = found.notes();
                (found.files, notes)
            }
            Some(items) => {
                let files = items(path)?;
                // Where these are all pictures of the folder, what was passed over is not their maker's choice.
                let found = path.is_dir().then(|| find_images(path)).transpose()?;
                let notes = found.filter(|found| found.files == files).map(|found| found.notes());
                (files, notes.unwrap_or_default())
            }
        };
        if files.is_empty() {
            return Err(Error::file(path, "no items were found there"));
        }
        Ok((files, notes))
    }
}

impl<Y: TargetBlock> DataBlock<ImageBlock, Y> {
    /// Loaders of what is under `path`, in batches of `batch_size`. The listener is notified of all that is left out,
    /// and of what looks wrong with the classes. With [`BadFiles::Skip`] all files are read once before anything is
    /// counted.
    ///
    /// # Errors
    /// When no image is found, a file has no class, or the training or validation set is empty.
    pub fn dataloaders(&self, path: impl AsRef<Path>, batch_size: usize) -> Result<ImageDataLoaders> {
        let path = path.as_ref();
        let collected = self.collect(path, self.labelled_items(path)?)?;
        let dls = self.build(&collected, &collected.split, batch_size)?;
        for note in self.notes(&collected, &dls) {
            self.listener.tell(Event::Note(&note));
        }
        Ok(dls)
    }

    /// Loaders for cross-validation: of each of `k` folds in turn for validation and the others to train with, each
    /// class spread evenly, and groups kept together ([`KFold`](super::KFold)). A test set is in none of them.
    ///
    /// # Errors
    /// As [`DataBlock::dataloaders`]; when there are too few items for `k` folds; and when a folder or a splitter says
    /// already which items are for validation.
    pub fn folds(&self, path: impl AsRef<Path>, k: usize, batch_size: usize) -> Result<Vec<ImageDataLoaders>> {
        let path = path.as_ref();
        let mut labelled = self.labelled_items(path)?;
        // Which column names no item for validation makes no difference to folds.
        labelled.sides = None;
        let mut collected = self.collect(path, labelled)?;
        if self.splitter.is_some() || collected.images.iter().any(|image| image.side == Some(Side::Valid)) {
            let message = "the items for validation are named already, and cross-validation would choose its own: \
                           leave one of the two out";
            return Err(Error::config("k", message));
        }
        let mut items = [&collected.split.train[..], &collected.split.valid].concat();
        items.sort_unstable();
        let label = |i: &usize| match Y::IS_MULTI_LABEL {
            // Combinations of classes are too many to be spread evenly.
            true => String::new(),
            false => collected.images[*i].labels.concat(),
        };
        let labels: Vec<String> = items.iter().map(label).collect();
        let groups: Option<Vec<String>> = items.iter().map(|&i| collected.images[i].group.clone()).collect();
        let folds = KFold { k, seed: self.seed };
        let splits = match groups {
            Some(groups) => folds.split_groups(&labels, &groups)?,
            None => folds.split(&labels)?,
        };
        // All folds have the same classes, so that their predictions can be put together.
        collected.vocab = Vocab::new(items.iter().flat_map(|&i| collected.images[i].labels.clone()));
        let original = |side: &[usize]| side.iter().map(|&i| items[i]).collect();
        let dls = splits.iter().map(|split| {
            let split = Split { train: original(&split.train), valid: original(&split.valid) };
            self.build(&collected, &split, batch_size)
        });
        let dls = dls.collect::<Result<Vec<ImageDataLoaders>>>()?;
        let notes = collected.notes.iter().cloned().chain(bad_notes(&collected.bad));
        for note in notes.chain(dls.first().map(file_warnings).unwrap_or_default()) {
            self.listener.tell(Event::Note(&note));
        }
        Ok(dls)
    }

    /// All that a user should know, in sentences: what was left out, and what looks wrong with classes and files.
    fn notes(&self, collected: &Collected, dls: &ImageDataLoaders) -> Vec<String> {
        let mut notes = [&collected.notes[..], &collected.split_notes].concat();
        notes.extend(bad_notes(&collected.bad));
        notes.extend(balance::warnings(dls.vocab(), &dls.counts()));
        notes.extend(file_warnings(dls));
        notes
    }

    /// What [`DataBlock::dataloaders`] would do with `path`, step by step with the first item as the example.
    /// fast.ai's `summary`.
    ///
    /// # Errors
    /// As [`DataBlock::dataloaders`], and when the first item cannot be read or transformed.
    pub fn summary(&self, path: impl AsRef<Path>, batch_size: usize) -> Result<String> {
        let path = path.as_ref();
        let collected = self.collect(path, self.labelled_items(path)?)?;
        let dls = self.build(&collected, &collected.split, batch_size)?;
        let (n, n_train, n_valid) = (collected.images.len(), dls.train.n_items(), dls.valid.n_items());
        let mut text = format!("{n} items in {}: {n_train} for training, {n_valid} for validation\n", path.display());
        let classes = dls.vocab().classes();
        let _ = writeln!(text, "{} classes:", classes.len());
        for (class, (train, valid)) in classes.iter().zip(dls.counts()) {
            let _ = writeln!(text, "  {class}: {train} + {valid}");
        }
        for (name, loader) in [("training", &dls.train), ("validation", &dls.valid)] {
            let (file, names) = (&loader.files()[0], loader.classes_of(0).join(", "));
            let numbers: Vec<String> = loader.dataset().targets().of(0).iter().map(u32::to_string).collect();
            let _ = writeln!(text, "\none {name} item: {}\n  class {} ({names})", file.display(), numbers.join(", "));
            let steps = loader.tfms().explain_with(loader.dataset().image(0)?, &mut loader.loader().item_rng(0, 0))?;
            for step in steps {
                let (w, h) = step.item.size();
                let _ = writeln!(text, "  {}: {w} x {h}", step.description);
            }
            let dims = loader.one_batch()?.xs.dims().to_vec();
            let _ = writeln!(text, "  {} batches of {dims:?}", loader.n_batches());
        }
        for note in self.notes(&collected, &dls) {
            let _ = write!(text, "\nwarning: {note}");
        }
        Ok(text)
    }

    fn labelled_items(&self, path: &Path) -> Result<LabelledImages> {
        match &self.labelled {
            Some(labelled) => Ok(LabelledImages::clone(labelled)),
            None => self.label_items(path),
        }
    }

    fn collect(&self, path: &Path, labelled: LabelledImages) -> Result<Collected> {
        let splitting = Splitting {
            splitter: self.splitter.as_deref(),
            valid_pct: self.valid_pct,
            seed: self.seed,
            is_multi: Y::IS_MULTI_LABEL,
        };
        Collected::new(path, labelled, &splitting, self.bad_files == BadFiles::Skip, &self.listener)
    }

    fn label_items(&self, path: &Path) -> Result<LabelledImages> {
        let (files, notes) = self.find_items(path)?;
        match (&self.label, &self.splitter) {
            // Then no folder's name matters.
            (Some(label), Some(_)) => {
                let image = |file: PathBuf| Ok(LabelledImage { labels: label(&file)?, file, side: None, group: None });
                let images = files.into_iter().map(image).collect::<Result<_>>()?;
                Ok(LabelledImages { images, notes, sides: None })
            }
            (label, _) => {
                LabelledImages::of_files(path, files, notes, |file| label.as_ref().map(|label| label(file)).transpose())
            }
        }
    }

    fn build(&self, collected: &Collected, split: &Split, batch_size: usize) -> Result<ImageDataLoaders> {
        let (tfms, valid_tfms) = self.both_tfms();
        let files: Vec<PathBuf> = collected.images.iter().map(|image| image.file.clone()).collect();
        let root = file_entries::common_folder(&files);
        let side = |items: &[usize], tfms: Compose, name: &str| {
            let images = items.iter().map(|&i| &collected.images[i]);
            let files = images.clone().map(|image| image.file.clone()).collect();
            let classes = |image: &LabelledImage| {
                image.labels.iter().map(|label| collected.vocab.index(label)).collect::<Result<Vec<u32>>>()
            };
            let sets = images.map(classes).collect::<Result<Vec<Vec<u32>>>>()?;
            let targets = match Y::IS_MULTI_LABEL {
                true => Targets::Sets { n_classes: collected.vocab.n_classes(), sets },
                false => Targets::Classes(sets.concat()),
            };
            let dataset = ImageDataset::new(files, targets, tfms)?.bad_files(self.bad_files).limits(self.limits);
            let dataset = dataset.listener(self.listener.clone()).root(&root);
            let settings = self.settings(batch_size, name);
            ImageLoader::new(dataset, collected.vocab.clone(), settings, name == "train")
        };
        let test = &collected.test;
        let test = if test.is_empty() { None } else { Some(side(test, valid_tfms.clone(), "test")?) };
        let valid = side(&split.valid, valid_tfms, "valid")?;
        let left_out = collected.bad.clone();
        Ok(ImageDataLoaders { train: side(&split.train, tfms, "train")?, valid, test, left_out })
    }
}

/// Files named one by one; more are counted.
const NAMED: usize = 20;

/// The files that cannot be read, in sentences.
pub(super) fn bad_notes(bad: &[BadFile]) -> Vec<String> {
    let mut notes: Vec<String> = bad.iter().take(NAMED).map(|bad| format!("left out: {}", bad.reason)).collect();
    if bad.len() > NAMED {
        notes.push(format!("left out: {} more files that cannot be read; `tallow check` names all", bad.len() - NAMED));
    }
    notes
}
