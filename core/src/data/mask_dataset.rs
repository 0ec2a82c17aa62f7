//! Pictures and their masks, decoded and transformed when they are asked for.

use super::codes::Codes;
use super::{Batch, Dataset, ImageDataset, Targets, file_entries};
use crate::error::{Error, Result};
use crate::event::Listener;
use crate::fingerprint::Fingerprint;
use crate::rng::Rng;
use crate::vision::{Compose, Image, Limits, Mask};
use candle_core::{Device, Tensor};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// Image files with their masks, as `[3, H, W]` and `[H, W]` of `u32`. Copies share the files.
#[derive(Debug, Clone)]
pub struct SegmentationDataset {
    images: ImageDataset,
    masks: Arc<Vec<Option<PathBuf>>>,
    codes: Arc<Codes>,
    limits: Limits,
    digests: Arc<OnceLock<Vec<String>>>,
}

impl SegmentationDataset {
    /// These pictures with these masks; one without a mask is all void, or all of class 0 where no class is void.
    pub(super) fn new(
        items: Vec<(PathBuf, Option<PathBuf>)>,
        codes: &Arc<Codes>,
        limits: Limits,
        images: impl FnOnce(ImageDataset) -> ImageDataset,
    ) -> Result<SegmentationDataset> {
        let (files, masks): (Vec<PathBuf>, Vec<Option<PathBuf>>) = items.into_iter().unzip();
        // What is true of a picture is in its mask.
        let none = Targets::Classes(vec![0; files.len()]);
        Ok(SegmentationDataset {
            images: images(ImageDataset::new(files, none, Compose::new())?.limits(limits)),
            masks: Arc::new(masks),
            codes: codes.clone(),
            limits,
            digests: Arc::default(),
        })
    }

    /// A dataset of the same files with other transforms.
    #[must_use]
    pub fn with_tfms(&self, tfms: impl Into<Compose>) -> SegmentationDataset {
        SegmentationDataset { images: self.images.with_tfms(tfms), ..self.clone() }
    }

    /// The pictures' files, in order.
    pub fn files(&self) -> &[PathBuf] {
        self.images.files()
    }

    /// The files of their masks; none where nothing is known of a picture.
    pub fn masks(&self) -> &[Option<PathBuf>] {
        &self.masks
    }

    /// The names of the classes of pixels, by number.
    pub fn codes(&self) -> &[String] {
        &self.codes.names
    }

    /// The class of pixels that neither train nor count, if there is one.
    pub fn void(&self) -> Option<u32> {
        self.codes.void.map(u32::from)
    }

    /// What is done with each picture and its mask.
    pub fn tfms(&self) -> &Compose {
        self.images.tfms()
    }

    /// These pictures in place of the others, without masks.
    pub(super) fn without_masks(&self, files: &[PathBuf]) -> Result<SegmentationDataset> {
        let items = files.iter().map(|file| (file.clone(), None)).collect();
        Ok(SegmentationDataset::new(items, &self.codes, self.limits, |images| images)?.with_tfms(self.tfms().clone()))
    }

    /// Receives notes on what is left out.
    pub(super) fn listener(&self) -> &Listener {
        self.images.told()
    }

    /// The pictures that were left out so far, with the reasons.
    pub fn skipped(&self) -> Vec<(PathBuf, String)> {
        self.images.skipped()
    }

    /// The numbers of the items that were not left out so far: see [`ImageDataset::kept`].
    pub fn kept(&self) -> Vec<usize> {
        self.images.kept()
    }

    /// The picture number `index` as it is in its file, turned upright.
    ///
    /// # Errors
    /// When there is no such item, or the file cannot be read.
    pub fn image(&self, index: usize) -> Result<Image> {
        self.images.image(index)
    }

    /// The picture number `index` and its mask, as they are in their files.
    ///
    /// # Errors
    /// When one cannot be read, they have different sizes, or a number in the mask is that of no class.
    pub fn pair(&self, index: usize) -> Result<(Image, Mask)> {
        let image = self.images.image(index)?;
        let (w, h) = (image.width(), image.height());
        let void = self.codes.void.unwrap_or(0);
        let Some(file) = &self.masks[index] else { return Ok((image, Mask::from_fn(w, h, |_, _| void)?)) };
        let mask = self.read_mask(file)?;
        if (mask.width(), mask.height()) != (w, h) {
            let what = format!(
                "is {} by {} pixels, and its picture {} is {w} by {h}: a mask has the size of its picture; make one \
                 the size of the other",
                mask.width(),
                mask.height(),
                self.files()[index].display()
            );
            return Err(Error::file(file, what));
        }
        Ok((image, mask))
    }

    fn read_mask(&self, file: &Path) -> Result<Mask> {
        let mask = Mask::open_with(file, self.limits)?.outside(self.codes.void.unwrap_or(0));
        let mask = if self.codes.values.is_empty() { mask } else { mask.map(|value| self.codes.class(value)) };
        let names = &self.codes.names;
        let n = names.len();
        let Some(wrong) = mask.values().iter().position(|&class| usize::from(class) >= n) else { return Ok(mask) };
        let (value, x, y) = (mask.values()[wrong], wrong % mask.width(), wrong / mask.width());
        let last = names.last().map_or("", String::as_str);
        Err(Error::file(
            file,
            format!(
                "has the number {value} in column {x}, row {y} (from 0), and the {n} codes are 0 to {} ({}, ..., \
                 {last}): name all classes, correct the mask, or say which class that number means (`mask_value`)",
                n - 1,
                names[0]
            ),
        ))
    }

    /// The picture number `index` and its mask; nothing if they cannot be read and such items are to be left out.
    ///
    /// # Errors
    /// As [`SegmentationDataset::pair`].
    pub fn readable(&self, index: usize) -> Result<Option<(Image, Mask)>> {
        self.images.unless_bad(index, || self.pair(index))
    }
}

impl Dataset for SegmentationDataset {
    fn len(&self) -> usize {
        self.files().len()
    }

    fn item(&self, index: usize, rng: &mut Rng) -> Result<(Tensor, Tensor)> {
        let (image, mask) = self.pair(index)?;
        let (item, mask) = self.tfms().apply_both(image, mask, rng)?;
        Ok((item.to_tensor(&Device::Cpu)?, mask.to_tensor(&Device::Cpu)?))
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let digests = match self.digests.get() {
            Some(digests) => digests,
            None => {
                let masks: Vec<PathBuf> = self.masks.iter().map(|mask| mask.clone().unwrap_or_default()).collect();
                let digests = file_entries::digests(&masks, self.images.told())?;
                self.digests.get_or_init(|| digests)
            }
        };
        let classes: Vec<String> = digests.iter().map(|digest| format!("mask of {digest}")).collect();
        let settings = Fingerprint::default().with("list of codes", self.codes.describe());
        Ok(settings.and("", self.images.settings_fingerprint()?).and("", self.images.files_fingerprint(&classes)?))
    }

    /// All pictures of a batch are written into one piece of memory, one after the other, and so are their masks.
    fn batch(&self, indices: &[usize], rng: &Rng) -> Result<Batch> {
        let (mut values, mut classes): (Vec<f32>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut first: Option<((usize, usize), usize)> = None;
        for &index in indices {
            let Some((image, mask)) = self.readable(index)? else { continue };
            let mask = self.tfms().append_both(image, mask, &mut rng.substream(index as u64), &mut values)?;
            let size = (mask.width(), mask.height());
            let &mut (expected, other) = first.get_or_insert_with(|| {
                values.reserve_exact(values.len() * (indices.len() - 1));
                classes.reserve_exact(mask.values().len() * indices.len());
                (size, index)
            });
            if size != expected {
                return Err(self.images.other_size(index, size, other, expected));
            }
            classes.extend(mask.values().iter().copied().map(u32::from));
        }
        let Some(((w, h), _)) = first else { return Err(self.images.none_readable(indices)) };
        let n = classes.len() / (w * h);
        let xs = Tensor::from_vec(values, (n, 3, h, w), &Device::Cpu)?;
        Ok(Batch::new(xs, Tensor::from_vec(classes, (n, h, w), &Device::Cpu)?))
    }
}
