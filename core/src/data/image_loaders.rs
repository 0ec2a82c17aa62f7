//! Loaders of pictures that remember where their pictures come from.

use super::{DataLoader, DataLoaders, ImageDataset, Vocab};
use crate::error::Result;
use crate::rng::Rng;
use crate::vision::{Compose, Image, Normalize};
use candle_core::Device;
use std::ops::Deref;
use std::path::PathBuf;

/// A picture to show, with what to write under it.
#[derive(Debug, Clone)]
pub struct Captioned {
    /// The picture.
    pub picture: Image,
    /// The words.
    pub caption: String,
}

/// How batches are made.
#[derive(Clone)]
pub(super) struct Settings {
    pub(super) batch_size: usize,
    pub(super) workers: usize,
    pub(super) rng: Rng,
    pub(super) device: Device,
}

/// A [`DataLoader`] of pictures; it can do all that one can.
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
        let loader = DataLoader::new(dataset.clone(), settings.batch_size)?;
        let loader = loader.rng(&settings.rng).workers(settings.workers).device(&settings.device);
        let loader = if train { loader.shuffle(&settings.rng).drop_last() } else { loader };
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

    /// The classes of the files, by number.
    pub fn labels(&self) -> &[u32] {
        self.dataset.labels()
    }

    /// What is done with each picture.
    pub fn tfms(&self) -> &Compose {
        self.dataset.tfms()
    }

    /// The first `n` pictures of the first epoch as the network sees them, without normalisation, with their classes.
    /// fast.ai's `show_batch`.
    ///
    /// # Errors
    /// When a picture cannot be read.
    pub fn show_batch(&self, n: usize) -> Result<Vec<Captioned>> {
        self.shown(self.loader.order(0).into_iter(), n, true)
    }

    /// The picture number `index` `n` times, as it is in `n` epochs: how different augmentation makes it. fast.ai's
    /// `show_batch(unique=True)`.
    ///
    /// # Errors
    /// When the picture cannot be read.
    pub fn show_augmented(&self, index: usize, n: usize) -> Result<Vec<Captioned>> {
        self.shown(std::iter::repeat_n(index, n), n, false)
    }

    /// The first `n` pictures of these that can be read.
    fn shown(&self, indices: impl Iterator<Item = usize>, n: usize, one_epoch: bool) -> Result<Vec<Captioned>> {
        let normalize = self.tfms().normalization();
        let mut shown = Vec::with_capacity(n);
        for (i, index) in indices.enumerate() {
            if shown.len() == n {
                break;
            }
            let Some(picture) = self.dataset.readable(index)? else { continue };
            let mut rng = self.loader.item_rng(if one_epoch { 0 } else { i }, index);
            let planes = self.tfms().apply(picture, &mut rng)?.into_planes();
            let planes = normalize.map_or(planes.clone(), |normalize| normalize.inverse_planes(planes));
            let class = self.vocab.classes().get(self.labels()[index] as usize);
            shown.push(Captioned { picture: planes.to_image(), caption: class.cloned().unwrap_or_default() });
        }
        Ok(shown)
    }

    fn with(&self, dataset: ImageDataset, settings: Settings) -> Result<ImageLoader> {
        ImageLoader::new(dataset, self.vocab.clone(), settings, self.train)
    }
}

impl Deref for ImageLoader {
    type Target = DataLoader;

    fn deref(&self) -> &DataLoader {
        &self.loader
    }
}

/// Loaders of pictures to train with and to judge by, and what they know about the task. fast.ai's `ImageDataLoaders`.
///
/// [`loaders`](ImageDataLoaders::loaders), or `into()`, gives the plain [`DataLoaders`] that a learner takes.
#[derive(Clone)]
pub struct ImageDataLoaders {
    /// Shuffled, augmented, without a smaller last batch.
    pub train: ImageLoader,
    /// In order, as they are.
    pub valid: ImageLoader,
}

impl ImageDataLoaders {
    /// The classes.
    pub fn vocab(&self) -> &Vocab {
        &self.train.vocab
    }

    /// How many classes there are.
    pub fn n_classes(&self) -> usize {
        self.vocab().n_classes()
    }

    /// All that is done with a picture in validation and prediction, normalisation included: what an exported model needs.
    pub fn valid_tfms(&self) -> &Compose {
        self.valid.tfms()
    }

    /// How many items of each class there are to train with and to judge by.
    pub fn counts(&self) -> Vec<(usize, usize)> {
        let count = |labels: &[u32], class: usize| labels.iter().filter(|&&l| l as usize == class).count();
        (0..self.n_classes())
            .map(|class| (count(self.train.labels(), class), count(self.valid.labels(), class)))
            .collect()
    }

    /// The same pictures, normalised like this, in the place of a normalisation that there may be.
    ///
    /// # Errors
    /// As [`DataLoader::new`].
    pub fn normalize(&self, normalize: Normalize) -> Result<ImageDataLoaders> {
        self.map(|loader| {
            let tfms = loader.tfms().clone().normalized(normalize);
            loader.with(loader.dataset.with_tfms(tfms), loader.settings.clone())
        })
    }

    /// The same batches on another device.
    ///
    /// # Errors
    /// As [`DataLoader::new`].
    pub fn device(&self, device: &Device) -> Result<ImageDataLoaders> {
        let device = device.clone();
        self.map(|l| l.with(l.dataset.clone(), Settings { device: device.clone(), ..l.settings.clone() }))
    }

    /// The same batches, made by another number of worker threads; with 0, when they are asked for.
    ///
    /// # Errors
    /// As [`DataLoader::new`].
    pub fn workers(&self, workers: usize) -> Result<ImageDataLoaders> {
        self.map(|l| l.with(l.dataset.clone(), Settings { workers, ..l.settings.clone() }))
    }

    fn map(&self, f: impl Fn(&ImageLoader) -> Result<ImageLoader>) -> Result<ImageDataLoaders> {
        Ok(ImageDataLoaders { train: f(&self.train)?, valid: f(&self.valid)? })
    }

    /// The same pictures, those to train with treated as those of validation.
    ///
    /// # Errors
    /// As [`DataLoader::new`].
    pub fn without_augmentation(&self) -> Result<ImageDataLoaders> {
        let tfms = self.valid_tfms();
        self.map(|loader| loader.with(loader.dataset.with_tfms(tfms.clone()), loader.settings.clone()))
    }

    /// The validation pictures in order, augmented as those to train with: each epoch shows other views of them.
    ///
    /// # Errors
    /// As [`DataLoader::new`].
    pub fn augmented_valid(&self) -> Result<ImageLoader> {
        let dataset = self.valid.dataset.with_tfms(self.train.tfms().clone());
        self.valid.with(dataset, self.valid.settings.clone())
    }

    /// Other files in order, treated as those of validation. Nobody knows their classes: all targets are 0 and mean
    /// nothing. fast.ai's `test_dl`.
    ///
    /// # Errors
    /// When there are no files.
    pub fn test_dl(&self, files: &[PathBuf]) -> Result<ImageLoader> {
        let dataset = ImageDataset::new(files.to_vec(), vec![0; files.len()], self.valid_tfms().clone())?;
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
