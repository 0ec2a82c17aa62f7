//! From a folder to data loaders, in five lines.

use super::image_loaders::Settings;
use super::{
    BadFiles, ImageDataLoaders, ImageDataset, ImageLoader, RandomSplitter, Split, Splitter, Vocab, balance,
    image_files, parent_label,
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

type Items = dyn Fn(&Path) -> Result<Vec<PathBuf>> + Send + Sync;
type Label = dyn Fn(&Path) -> Result<String> + Send + Sync;

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
    blocks: PhantomData<(X, Y)>,
    items: Arc<Items>,
    label: Arc<Label>,
    splitter: Option<Arc<dyn Splitter>>,
    item_tfms: Compose,
    batch_tfms: Compose,
    valid_tfms: Option<Compose>,
    bad_files: BadFiles,
    limits: Limits,
    seed: u64,
    workers: usize,
    listener: Listener,
}

/// An input that is an image, in RGB. fast.ai's `ImageBlock`.
#[derive(Debug, Clone, Copy)]
pub struct ImageBlock;

/// A target that is one of several classes. fast.ai's `CategoryBlock`.
#[derive(Debug, Clone, Copy)]
pub struct CategoryBlock;

/// The items of a folder, with their labels and their split.
struct Found {
    files: Vec<PathBuf>,
    names: Vec<String>,
    vocab: Vocab,
    split: Split,
}

impl DataBlock<ImageBlock, CategoryBlock> {
    /// Images with one class each. By default classes are the names of folders, a random fifth is for validation,
    /// nothing is transformed, and the seed is 42.
    pub fn images() -> DataBlock {
        DataBlock {
            blocks: PhantomData,
            items: Arc::new(image_files),
            label: Arc::new(parent_label),
            splitter: None,
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
    pub fn items(self, items: impl Fn(&Path) -> Result<Vec<PathBuf>> + Send + Sync + 'static) -> DataBlock {
        DataBlock { items: Arc::new(items), ..self }
    }

    /// Sets how a file tells its class: [`parent_label`], [`regex_label`](super::regex_label), or a function of one's
    /// own. fast.ai's `get_y`.
    #[must_use]
    pub fn label(self, label: impl Fn(&Path) -> Result<String> + Send + Sync + 'static) -> DataBlock {
        DataBlock { label: Arc::new(label), ..self }
    }

    /// Sets which items are for validation; a random fifth by default.
    #[must_use]
    pub fn split(self, splitter: impl Splitter + 'static) -> DataBlock {
        DataBlock { splitter: Some(Arc::new(splitter)), ..self }
    }

    /// Sets the transforms of each image; they should give all images one size.
    #[must_use]
    pub fn item_tfms(self, tfms: impl Into<Compose>) -> DataBlock {
        DataBlock { item_tfms: tfms.into(), ..self }
    }

    /// Sets the transforms after those, in fast.ai's order: augmentation, normalisation, erasing. fast.ai does it to
    /// whole batches on a GPU; here each picture gets it on a worker's thread, and the mathematics is the same.
    #[must_use]
    pub fn batch_tfms(self, tfms: impl Into<Compose>) -> DataBlock {
        DataBlock { batch_tfms: tfms.into(), ..self }
    }

    /// Sets all transforms of the validation images, normalisation included, instead of the counterparts of those of
    /// training. PyTorch's tutorials write both lists by hand.
    #[must_use]
    pub fn valid_tfms(self, tfms: impl Into<Compose>) -> DataBlock {
        DataBlock { valid_tfms: Some(tfms.into()), ..self }
    }

    /// Sets the normalisation. A learner with pretrained weights sets that of its weights.
    #[must_use]
    pub fn normalize(self, normalize: Normalize) -> DataBlock {
        DataBlock { batch_tfms: self.batch_tfms.normalized(normalize), ..self }
    }

    /// Sets what is done about files that cannot be read: an error by default.
    #[must_use]
    pub fn bad_files(self, bad_files: BadFiles) -> DataBlock {
        DataBlock { bad_files, ..self }
    }

    /// Sets how large an image may be.
    #[must_use]
    pub fn limits(self, limits: Limits) -> DataBlock {
        DataBlock { limits, ..self }
    }

    /// Sets the one seed of the random split, of shuffling and augmentation, and of a learner that is made from the
    /// loaders; 42 by default.
    #[must_use]
    pub fn seed(self, seed: u64) -> DataBlock {
        DataBlock { seed, ..self }
    }

    /// Sets how many threads decode and transform; by default as many as there are processors. It changes no result.
    #[must_use]
    pub fn workers(self, workers: usize) -> DataBlock {
        DataBlock { workers, ..self }
    }

    /// Sets the receiver of warnings and of files that are left out.
    #[must_use]
    pub fn listener(self, listener: Listener) -> DataBlock {
        DataBlock { listener, ..self }
    }

    /// Loaders of what is under `path`, in batches of `batch_size`. The listener is told of what looks wrong with the
    /// classes.
    ///
    /// # Errors
    /// When no picture is found, a file tells no class, or one side of the split is empty.
    pub fn dataloaders(&self, path: impl AsRef<Path>, batch_size: usize) -> Result<ImageDataLoaders> {
        let path = path.as_ref();
        let found = self.find(path)?;
        let dls = self.build(&found, batch_size)?;
        for warning in self.warnings(path, &dls)? {
            self.listener.tell(Event::Note(&warning));
        }
        Ok(dls)
    }

    /// What looks wrong with the classes under `path`, in sentences; see [`balance::warnings`].
    fn warnings(&self, path: &Path, dls: &ImageDataLoaders) -> Result<Vec<String>> {
        let mut warnings = Vec::new();
        for folder in super::empty_folders(path)? {
            warnings.push(format!("{}: the folder is empty, so it makes no class", folder.display()));
        }
        warnings.extend(balance::warnings(dls.vocab(), &dls.counts()));
        Ok(warnings)
    }

    /// What [`DataBlock::dataloaders`] would do with `path`, step by step with the first item as the example.
    /// fast.ai's `summary`.
    ///
    /// # Errors
    /// As [`DataBlock::dataloaders`], and when the first item cannot be read or transformed.
    pub fn summary(&self, path: impl AsRef<Path>, batch_size: usize) -> Result<String> {
        let path = path.as_ref();
        let found = self.find(path)?;
        let dls = self.build(&found, batch_size)?;
        let (n, n_train, n_valid) = (found.files.len(), found.split.train.len(), found.split.valid.len());
        let mut text = format!("{n} items in {}: {n_train} for training, {n_valid} for validation\n", path.display());
        let classes = dls.vocab().classes();
        let _ = writeln!(text, "{} classes:", classes.len());
        for (class, (train, valid)) in classes.iter().zip(dls.counts()) {
            let _ = writeln!(text, "  {class}: {train} + {valid}");
        }
        for (name, loader) in [("training", &dls.train), ("validation", &dls.valid)] {
            let (file, label) = (&loader.files()[0], loader.labels()[0]);
            let _ =
                writeln!(text, "\none {name} item: {}\n  class {label} ({})", file.display(), classes[label as usize]);
            let steps = loader.tfms().explain_with(loader.dataset().image(0)?, &mut loader.loader().item_rng(0, 0))?;
            for step in steps {
                let (w, h) = step.item.size();
                let _ = writeln!(text, "  {}: {w} x {h}", step.description);
            }
            let dims = loader.one_batch()?.xs.dims().to_vec();
            let _ = writeln!(text, "  {} batches of {dims:?}", loader.n_batches());
        }
        for warning in self.warnings(path, &dls)? {
            let _ = write!(text, "\nwarning: {warning}");
        }
        Ok(text)
    }

    fn find(&self, path: &Path) -> Result<Found> {
        let files = (self.items)(path)?;
        if files.is_empty() {
            return Err(Error::file(path, "no items were found there"));
        }
        let names = files.iter().map(|file| (self.label)(file)).collect::<Result<Vec<String>>>()?;
        let split = match &self.splitter {
            Some(splitter) => splitter.split_items(&files, &names)?,
            None => RandomSplitter { valid: 0.2, seed: self.seed }.split_items(&files, &names)?,
        };
        for (side, items) in [("training", &split.train), ("validation", &split.valid)] {
            if items.is_empty() {
                let n = files.len();
                return Err(Error::file(path, format!("of its {n} items the splitter left none for {side}")));
            }
            if let Some(bad) = items.iter().find(|&&i| i >= files.len()) {
                return Err(Error::Value(format!("the splitter names item {bad} of {}", files.len())));
            }
        }
        // Items on neither side make no classes.
        let used = split.train.iter().chain(&split.valid);
        let vocab = Vocab::new(used.map(|&i| names[i].clone()));
        Ok(Found { files, names, vocab, split })
    }

    fn build(&self, found: &Found, batch_size: usize) -> Result<ImageDataLoaders> {
        let tfms = self.item_tfms.clone().chain(self.batch_tfms.clone().in_order());
        let rng = Rng::new(self.seed).stream("loader");
        let side = |items: &[usize], tfms: Compose, train: bool| {
            let files = items.iter().map(|&i| found.files[i].clone()).collect();
            let labels = items.iter().map(|&i| found.vocab.index(&found.names[i])).collect::<Result<Vec<u32>>>()?;
            let dataset = ImageDataset::new(files, labels, tfms)?.bad_files(self.bad_files).limits(self.limits);
            let dataset = dataset.listener(self.listener.clone());
            let rng = rng.stream(if train { "train" } else { "valid" });
            let (workers, seed) = (self.workers, self.seed);
            let settings = Settings { batch_size, workers, seed, rng, device: Device::Cpu, weights: None };
            ImageLoader::new(dataset, found.vocab.clone(), settings, train)
        };
        let valid_tfms = self.valid_tfms.clone().unwrap_or_else(|| tfms.valid());
        let valid = side(&found.split.valid, valid_tfms, false)?;
        Ok(ImageDataLoaders { train: side(&found.split.train, tfms, true)?, valid })
    }
}
