//! Loaders of pictures with masks that remember their files, classes and transforms.

use super::image_loaders::Settings;
use super::{BadFile, Batch, Batches, DataLoader, DataLoaders, Masked, SegmentationDataset, Show, Shown};
use crate::error::Result;
use crate::vision::{Compose, Normalize};
use candle_core::Device;
use rayon::prelude::*;
use std::path::PathBuf;

/// A [`DataLoader`] of pictures and masks with the files, classes and transforms behind it.
#[derive(Clone)]
pub struct SegmentationLoader {
    loader: DataLoader,
    dataset: SegmentationDataset,
    settings: Settings,
    train: bool,
}

impl SegmentationLoader {
    pub(super) fn new(dataset: SegmentationDataset, settings: Settings, train: bool) -> Result<SegmentationLoader> {
        let loader = settings.loader(dataset.clone(), train)?;
        Ok(SegmentationLoader { loader, dataset, settings, train })
    }

    /// The pictures and masks behind the batches.
    pub fn dataset(&self) -> &SegmentationDataset {
        &self.dataset
    }

    /// The pictures' files, in the dataset's order: that of the batches, if nothing is shuffled or left out.
    pub fn files(&self) -> &[PathBuf] {
        self.dataset.files()
    }

    /// The files that have been read so far without being left out, in the dataset's order: after an epoch, in order,
    /// the files behind its predictions.
    pub fn kept_files(&self) -> Vec<PathBuf> {
        self.dataset.kept().into_iter().map(|index| self.files()[index].clone()).collect()
    }

    /// What is done with each picture and its mask.
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

    /// The batches of epoch `epoch`, pictures `[N, 3, H, W]` and masks `[N, H, W]`.
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

    /// The first `n` pictures of the first epoch as the network sees them, with normalisation undone, and their masks.
    ///
    /// # Errors
    /// When a picture or a mask cannot be read.
    pub fn masked(&self, n: usize) -> Result<Vec<Masked>> {
        self.first(self.loader.order(0).into_iter(), n, true)
    }

    /// Picture number `index` with its mask as they are in each of the first `n` epochs: how different augmentation
    /// makes them. fast.ai's `show_batch(unique=True)`.
    ///
    /// # Errors
    /// When the picture or the mask cannot be read.
    pub fn masked_augmented(&self, index: usize, n: usize) -> Result<Vec<Masked>> {
        self.first(std::iter::repeat_n(index, n), n, false)
    }

    fn first(&self, indices: impl Iterator<Item = usize>, n: usize, one_epoch: bool) -> Result<Vec<Masked>> {
        let normalize = self.tfms().normalization();
        let mut shown = Vec::with_capacity(n);
        for (i, index) in indices.enumerate() {
            if shown.len() == n {
                break;
            }
            let Some((image, mask)) = self.dataset.readable(index)? else { continue };
            let mut rng = self.loader.item_rng(if one_epoch { 0 } else { i }, index);
            let (item, mask) = self.tfms().apply_both(image, mask, &mut rng)?;
            let planes = item.into_planes();
            let planes = normalize.map_or(planes.clone(), |normalize| normalize.inverse_planes(planes));
            shown.push(Masked { image: planes.to_image(), mask });
        }
        Ok(shown)
    }

    /// How many pixels of the masks are of each class, as the files have them. All pictures and masks are read, on all
    /// processors, so that what is wrong with one is found before anything is trained.
    ///
    /// # Errors
    /// As [`SegmentationDataset::pair`], and when a stop is asked for.
    pub fn pixel_counts(&self) -> Result<Vec<u64>> {
        const CHUNK: usize = 64;
        let (listener, n_codes) = (self.dataset.listener(), self.dataset.codes().len());
        let n = self.n_items();
        let task = listener.task("reading masks", n);
        let mut counts = vec![0; n_codes];
        for start in (0..n).step_by(CHUNK) {
            listener.stop_if_interrupted()?;
            let end = n.min(start + CHUNK);
            let of_item = |index: usize| Ok(self.dataset.readable(index)?.map(|(_, mask)| mask.counts(n_codes)));
            let of_items = (start..end).into_par_iter().map(of_item).collect::<Result<Vec<Option<Vec<u64>>>>>()?;
            for of_item in of_items.into_iter().flatten() {
                counts.iter_mut().zip(of_item).for_each(|(sum, n)| *sum += n);
            }
            task.progress(end, "");
        }
        Ok(counts)
    }

    fn with(&self, dataset: SegmentationDataset, settings: Settings) -> Result<SegmentationLoader> {
        SegmentationLoader::new(dataset, settings, self.train)
    }
}

impl Show for SegmentationLoader {
    fn shown(&self, n: usize) -> Result<Shown> {
        let (codes, void) = (self.dataset.codes().to_vec(), self.dataset.void());
        Ok(Shown::Masks { items: self.masked(n)?, codes, void })
    }
}

/// The loaders of pictures with masks of the training and the validation set. fast.ai's `SegmentationDataLoaders`.
///
/// [`loaders`](SegmentationDataLoaders::loaders), or `into()`, gives the plain [`DataLoaders`] that a learner takes.
#[derive(Clone)]
pub struct SegmentationDataLoaders {
    /// Shuffled, and without a last batch that is smaller than the others.
    pub train: SegmentationLoader,
    /// In order, whole.
    pub valid: SegmentationLoader,
    /// The test set, in order, if the folder or the table has one: training never looks at it.
    pub test: Option<SegmentationLoader>,
    pub(super) left_out: Vec<BadFile>,
}

impl SegmentationDataLoaders {
    /// The names of the classes of pixels, by number.
    pub fn codes(&self) -> &[String] {
        self.train.dataset.codes()
    }

    /// The class of pixels that neither train nor count, if there is one.
    pub fn void(&self) -> Option<u32> {
        self.train.dataset.void()
    }

    /// The seed of all randomness ([`super::DataBlock::seed`]).
    pub fn seed(&self) -> u64 {
        self.train.settings.seed
    }

    /// The pictures that were left out before anything was counted, since they or their masks cannot be read
    /// ([`super::BadFiles::Skip`]), with the reasons.
    pub fn left_out(&self) -> &[BadFile] {
        &self.left_out
    }

    /// The transforms of validation and prediction, normalisation included: what an exported model needs.
    pub fn valid_tfms(&self) -> &Compose {
        self.valid.tfms()
    }

    /// Loaders with this normalisation, in place of any other.
    ///
    /// # Errors
    /// When the dataset is empty or the batch size is 0.
    pub fn normalize(&self, normalize: Normalize) -> Result<SegmentationDataLoaders> {
        self.map(|loader| {
            let tfms = loader.tfms().clone().normalized(normalize);
            loader.with(loader.dataset.with_tfms(tfms), loader.settings.clone())
        })
    }

    /// Loaders whose batches are on this device.
    ///
    /// # Errors
    /// When the dataset is empty or the batch size is 0.
    pub fn device(&self, device: &Device) -> Result<SegmentationDataLoaders> {
        let device = device.clone();
        self.map(|l| l.with(l.dataset.clone(), Settings { device: device.clone(), ..l.settings.clone() }))
    }

    /// Loaders with this number of worker threads; with 0, batches are made in the calling thread.
    ///
    /// # Errors
    /// When the dataset is empty or the batch size is 0.
    pub fn workers(&self, workers: usize) -> Result<SegmentationDataLoaders> {
        self.map(|l| l.with(l.dataset.clone(), Settings { workers, ..l.settings.clone() }))
    }

    /// Loaders whose training pictures have the transforms of validation.
    ///
    /// # Errors
    /// When the dataset is empty or the batch size is 0.
    pub fn without_augmentation(&self) -> Result<SegmentationDataLoaders> {
        let tfms = self.valid_tfms();
        self.map(|loader| loader.with(loader.dataset.with_tfms(tfms.clone()), loader.settings.clone()))
    }

    /// A loader of other pictures, in order, with the transforms of validation. Their masks are not known: all targets
    /// are void, or class 0 where no class is void, and mean nothing. fast.ai's `test_dl`.
    ///
    /// # Errors
    /// When there are no files.
    pub fn test_dl(&self, files: &[PathBuf]) -> Result<SegmentationLoader> {
        let dataset = self.valid.dataset.without_masks(files)?;
        self.valid.with(dataset, self.valid.settings.clone())
    }

    /// The plain loaders, for a learner.
    pub fn loaders(&self) -> DataLoaders {
        DataLoaders { train: self.train.loader.clone(), valid: self.valid.loader.clone() }
    }

    fn map(&self, f: impl Fn(&SegmentationLoader) -> Result<SegmentationLoader>) -> Result<SegmentationDataLoaders> {
        Ok(SegmentationDataLoaders {
            train: f(&self.train)?,
            valid: f(&self.valid)?,
            test: self.test.as_ref().map(&f).transpose()?,
            left_out: self.left_out.clone(),
        })
    }
}

impl From<SegmentationDataLoaders> for DataLoaders {
    fn from(dls: SegmentationDataLoaders) -> DataLoaders {
        dls.loaders()
    }
}

impl From<&SegmentationDataLoaders> for DataLoaders {
    fn from(dls: &SegmentationDataLoaders) -> DataLoaders {
        dls.loaders()
    }
}
