//! Loaders of images that remember their files, classes and transforms.

use super::{
    BadFile, Batch, Batches, Captioned, DataLoader, DataLoaders, Dataset, ImageDataset, Show, Shown, Targets, Vocab,
};
use crate::error::Result;
use crate::rng::Rng;
use crate::vision::{Compose, Normalize};
use candle_core::Device;
use std::path::PathBuf;
use std::sync::Arc;

/// How batches are made.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) batch_size: usize,
    pub(super) workers: usize,
    pub(super) seed: u64,
    pub(super) rng: Rng,
    pub(super) device: Device,
    /// How often each training item is drawn; each once, if there are none.
    pub(super) weights: Option<Arc<Vec<f64>>>,
}

impl Settings {
    /// A loader of a dataset: shuffled and without a smaller last batch, if it is to train with.
    pub(super) fn loader(&self, dataset: impl Dataset + 'static, train: bool) -> Result<DataLoader> {
        let loader = DataLoader::new(dataset, self.batch_size)?;
        let loader = loader.rng(&self.rng).workers(self.workers).device(&self.device);
        Ok(match &self.weights {
            _ if !train => loader,
            Some(weights) => loader.weighted(weights, &self.rng)?.drop_last(),
            None => loader.shuffle(&self.rng).drop_last(),
        })
    }
}

/// A [`DataLoader`] of images with the files, classes and transforms behind it.
#[derive(Clone)]
pub struct ImageLoader {
    loader: DataLoader,
    dataset: ImageDataset,
    vocab: Vocab,
    settings: Settings,
    train: bool,
}

impl ImageLoader {
    pub(super) fn new(dataset: ImageDataset, vocab: Vocab, settings: Settings, train: bool) -> Result<ImageLoader> {
        let dataset = dataset.named(&vocab);
        let loader = settings.loader(dataset.clone(), train)?;
        Ok(ImageLoader { loader, dataset, vocab, settings, train })
    }

    /// The pictures behind the batches.
    pub fn dataset(&self) -> &ImageDataset {
        &self.dataset
    }

    /// The files, in the dataset's order: that of the batches, if nothing is shuffled or left out.
    pub fn files(&self) -> &[PathBuf] {
        self.dataset.files()
    }

    /// The classes of the files, by number; empty where an image may have several ([`ImageDataset::targets`]).
    pub fn labels(&self) -> &[u32] {
        self.dataset.labels()
    }

    /// What is done with each picture.
    pub fn tfms(&self) -> &Compose {
        self.dataset.tfms()
    }

    /// The plain loader, for what takes one.
    pub fn loader(&self) -> &DataLoader {
        &self.loader
    }

    /// The number of items.
    pub fn n_items(&self) -> usize {
        self.loader.n_items()
    }

    /// The number of batches in an epoch.
    pub fn n_batches(&self) -> usize {
        self.loader.n_batches()
    }

    /// The batches of epoch `epoch`, images `[N, 3, H, W]` and labels `[N]`.
    pub fn epoch(&self, epoch: usize) -> Batches {
        self.loader.epoch(epoch)
    }

    /// The first batch of the first epoch.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn one_batch(&self) -> Result<Batch> {
        self.loader.one_batch()
    }

    /// These items as a batch, on the loader's device, as they are in the first epoch.
    pub(crate) fn batch_of(&self, items: &[usize]) -> Result<Batch> {
        self.loader.batch_of(items)
    }

    /// The weights by which the items that have been read so far without being left out are drawn, if they are.
    pub(crate) fn kept_weights(&self) -> Option<Vec<f64>> {
        let weights = self.loader.weights()?;
        Some(self.dataset.kept().into_iter().map(|index| weights[index]).collect())
    }

    /// The files that have been read so far without being left out, in the dataset's order: after an epoch, in order,
    /// the files behind its predictions.
    pub fn kept_files(&self) -> Vec<PathBuf> {
        self.dataset.kept().into_iter().map(|index| self.files()[index].clone()).collect()
    }

    /// The first `n` images of the first epoch as the network sees them, with normalisation undone, and their classes.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn captioned(&self, n: usize) -> Result<Vec<Captioned>> {
        self.first(self.loader.order(0).into_iter(), n, true)
    }

    /// Image number `index` as it is in each of the first `n` epochs: how different augmentation makes it. fast.ai's
    /// `show_batch(unique=True)`.
    ///
    /// # Errors
    /// When the image cannot be read.
    pub fn captioned_augmented(&self, index: usize, n: usize) -> Result<Vec<Captioned>> {
        self.first(std::iter::repeat_n(index, n), n, false)
    }

    /// The first `n` images of these that can be read.
    fn first(&self, indices: impl Iterator<Item = usize>, n: usize, one_epoch: bool) -> Result<Vec<Captioned>> {
        let normalize = self.tfms().normalization();
        let mut shown = Vec::with_capacity(n);
        for (i, index) in indices.enumerate() {
            if shown.len() == n {
                break;
            }
            let Some(image) = self.dataset.readable(index)? else { continue };
            let mut rng = self.loader.item_rng(if one_epoch { 0 } else { i }, index);
            let planes = self.tfms().apply_with(image, &mut rng)?.into_planes();
            let planes = normalize.map_or(planes.clone(), |normalize| normalize.inverse_planes(planes));
            shown.push(Captioned { image: planes.to_image(), caption: self.classes_of(index).join(", ") });
        }
        Ok(shown)
    }

    /// The names of the classes of item `index`.
    pub fn classes_of(&self, index: usize) -> Vec<&str> {
        let name = |&class: &u32| self.vocab.classes().get(class as usize).map(String::as_str);
        self.dataset.targets().of(index).iter().filter_map(name).collect()
    }

    fn with(&self, dataset: ImageDataset, settings: Settings) -> Result<ImageLoader> {
        ImageLoader::new(dataset, self.vocab.clone(), settings, self.train)
    }
}

impl Show for ImageLoader {
    fn shown(&self, n: usize) -> Result<Shown> {
        Ok(Shown::Images(self.captioned(n)?))
    }
}

/// The image loaders of the training and the validation set. fast.ai's `ImageDataLoaders`.
///
/// [`loaders`](ImageDataLoaders::loaders), or `into()`, gives the plain [`DataLoaders`] that a learner takes.
#[derive(Clone)]
pub struct ImageDataLoaders {
    /// Training images: shuffled, augmented, without a smaller last batch.
    pub train: ImageLoader,
    /// Validation images, in order, without augmentation.
    pub valid: ImageLoader,
    /// The test set, where the folder or the table names one: in order, without augmentation. Nothing looks at it while
    /// a network trains.
    pub test: Option<ImageLoader>,
    pub(super) left_out: Vec<BadFile>,
}

impl ImageDataLoaders {
    /// The seed of the [`super::DataBlock`] that made them, from which a learner draws too.
    pub fn seed(&self) -> u64 {
        self.train.settings.seed
    }

    /// The classes.
    pub fn vocab(&self) -> &Vocab {
        &self.train.vocab
    }

    /// The files that could not be read and were left out before anything was counted ([`super::BadFiles::Skip`]), with
    /// the reasons.
    pub fn left_out(&self) -> &[BadFile] {
        &self.left_out
    }

    /// How many classes there are.
    pub fn n_classes(&self) -> usize {
        self.vocab().n_classes()
    }

    /// Whether an image may have several classes, or none ([`super::MultiCategoryBlock`]).
    pub fn is_multi_label(&self) -> bool {
        matches!(self.train.dataset.targets(), Targets::Sets { .. })
    }

    /// The transforms of validation and prediction, normalisation included: what an exported model needs.
    pub fn valid_tfms(&self) -> &Compose {
        self.valid.tfms()
    }

    /// The number of training and of validation items of each class.
    pub fn counts(&self) -> Vec<(usize, usize)> {
        let mut counts = vec![(0, 0); self.n_classes()];
        for (loader, is_train) in [(&self.train, true), (&self.valid, false)] {
            let targets = loader.dataset.targets();
            for &class in (0..targets.len()).flat_map(|item| targets.of(item)) {
                if let Some((train, valid)) = counts.get_mut(class as usize) {
                    *(if is_train { train } else { valid }) += 1;
                }
            }
        }
        counts
    }

    /// Loaders with this normalisation, in place of any other.
    ///
    /// # Errors
    /// When the dataset is empty or the batch size is 0.
    pub fn normalize(&self, normalize: Normalize) -> Result<ImageDataLoaders> {
        self.map(|loader| {
            let tfms = loader.tfms().clone().normalized(normalize);
            loader.with(loader.dataset.with_tfms(tfms), loader.settings.clone())
        })
    }

    /// Loaders whose batches are on this device.
    ///
    /// # Errors
    /// When the dataset is empty or the batch size is 0.
    pub fn device(&self, device: &Device) -> Result<ImageDataLoaders> {
        let device = device.clone();
        self.map(|l| l.with(l.dataset.clone(), Settings { device: device.clone(), ..l.settings.clone() }))
    }

    /// Loaders with this number of worker threads; with 0, batches are made in the calling thread.
    ///
    /// # Errors
    /// When the dataset is empty or the batch size is 0.
    pub fn workers(&self, workers: usize) -> Result<ImageDataLoaders> {
        self.map(|l| l.with(l.dataset.clone(), Settings { workers, ..l.settings.clone() }))
    }

    /// Loaders whose training images are drawn with replacement, each with a probability in proportion to its weight;
    /// weights by which all classes come equally often are [`super::sample_weights`]'. fast.ai's
    /// `weighted_dataloaders`.
    ///
    /// # Errors
    /// When there is not one weight for each item, one is negative or not a number, or all are 0.
    pub fn weighted(&self, weights: &[f64]) -> Result<ImageDataLoaders> {
        let weights = Some(Arc::new(weights.to_vec()));
        let train = self.train.with(self.train.dataset.clone(), Settings { weights, ..self.train.settings.clone() })?;
        Ok(ImageDataLoaders { train, ..self.clone() })
    }

    fn map(&self, f: impl Fn(&ImageLoader) -> Result<ImageLoader>) -> Result<ImageDataLoaders> {
        Ok(ImageDataLoaders {
            train: f(&self.train)?,
            valid: f(&self.valid)?,
            test: self.test.as_ref().map(&f).transpose()?,
            left_out: self.left_out.clone(),
        })
    }

    /// Loaders whose training images have the transforms of validation.
    ///
    /// # Errors
    /// When the dataset is empty or the batch size is 0.
    pub fn without_augmentation(&self) -> Result<ImageDataLoaders> {
        let tfms = self.valid_tfms();
        self.map(|loader| loader.with(loader.dataset.with_tfms(tfms.clone()), loader.settings.clone()))
    }

    /// A loader of the validation images in order, augmented as in training: each epoch shows other views of them.
    ///
    /// # Errors
    /// When the dataset is empty or the batch size is 0.
    pub fn augmented_valid(&self) -> Result<ImageLoader> {
        let dataset = self.valid.dataset.with_tfms(self.train.tfms().clone());
        self.valid.with(dataset, self.valid.settings.clone())
    }

    /// A loader of other files, in order, with the transforms of validation. Their classes are not known: all targets
    /// are 0 and mean nothing. fast.ai's `test_dl`.
    ///
    /// # Errors
    /// When there are no files.
    pub fn test_dl(&self, files: &[PathBuf]) -> Result<ImageLoader> {
        let targets = match self.is_multi_label() {
            false => Targets::Classes(vec![0; files.len()]),
            true => Targets::Sets { n_classes: self.n_classes(), sets: vec![Vec::new(); files.len()] },
        };
        let dataset = ImageDataset::new(files.to_vec(), targets, self.valid_tfms().clone())?;
        self.valid.with(dataset, self.valid.settings.clone())
    }

    /// The plain loaders, for a learner.
    pub fn loaders(&self) -> DataLoaders {
        DataLoaders { train: self.train.loader.clone(), valid: self.valid.loader.clone() }
    }
}

impl From<ImageDataLoaders> for DataLoaders {
    fn from(dls: ImageDataLoaders) -> DataLoaders {
        dls.loaders()
    }
}

impl From<&ImageDataLoaders> for DataLoaders {
    fn from(dls: &ImageDataLoaders) -> DataLoaders {
        dls.loaders()
    }
}
