//! Chains of transforms.

use super::resize::{ResizeMethod, resample_part};
use super::{CenterCrop, Image, Item, Mask, Normalize, Resize, Transform};
use crate::error::{Error, Result};
use crate::rng::Rng;
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// A chain of transforms. torchvision's `Compose`, fast.ai's `Pipeline`.
///
/// ```
/// use tallow::vision::{CenterCrop, Compose, Image, Normalize, Resize};
///
/// let photo = Image::from_fn(500, 375, |_, _| [255, 0, 128])?;
/// let tfms = Compose::new().then(Resize::short_side(256)).then(CenterCrop::new(224)).then(Normalize::imagenet());
/// let x = tfms.tensor(photo)?;
/// assert_eq!(x.dims(), [3, 224, 224]);
/// let colour = x.narrow(1, 0, 1)?.narrow(2, 0, 1)?.flatten_all()?.to_vec1::<f32>()?;
/// assert!(colour.iter().zip([2.2489, -2.0357, 0.4265]).all(|(x, torch)| (x - torch).abs() < 1e-4));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Compose(Vec<Transform>);

/// An item after one step of a [`Compose`].
#[derive(Debug, Clone)]
pub struct Step {
    /// The step's description.
    pub description: String,
    /// The item after the step.
    pub item: Item,
}

impl Compose {
    /// An empty chain.
    pub fn new() -> Compose {
        Compose::default()
    }

    /// Appends a transform.
    #[must_use]
    pub fn then(mut self, transform: impl Into<Transform>) -> Compose {
        self.0.push(transform.into());
        self
    }

    /// Appends all transforms of another chain.
    #[must_use]
    pub fn chain(mut self, other: impl Into<Compose>) -> Compose {
        self.0.extend(other.into().0);
        self
    }

    /// The transforms in order.
    pub fn transforms(&self) -> &[Transform] {
        &self.0
    }

    /// The transforms for validation: the deterministic counterpart of each ([`Transform::valid`]).
    #[must_use]
    pub fn valid(&self) -> Compose {
        Compose(self.0.iter().flat_map(Transform::valid).collect())
    }

    /// Sorts the transforms into fast.ai's order of batch transforms: augmentation, normalisation, erasing.
    #[must_use]
    pub fn in_order(mut self) -> Compose {
        self.0.sort_by_key(Transform::order);
        self
    }

    /// Adds a normalisation, which replaces an existing one.
    #[must_use]
    pub fn normalized(mut self, normalize: Normalize) -> Compose {
        self.0.retain(|t| !matches!(t, Transform::Normalize(_)));
        let before_erasing = self.0.iter().position(|t| t.order() > Transform::Normalize(normalize).order());
        self.0.insert(before_erasing.unwrap_or(self.0.len()), normalize.into());
        self
    }

    /// The normalisation, if there is one.
    pub fn normalization(&self) -> Option<Normalize> {
        self.0.iter().find_map(|t| if let Transform::Normalize(normalize) = t { Some(*normalize) } else { None })
    }

    /// Applies all transforms, none of which may be random: those of [`Compose::valid`], for validation and
    /// prediction.
    ///
    /// # Errors
    /// When a step fails, or is random.
    pub fn apply(&self, item: impl Into<Item>) -> Result<Item> {
        self.apply_with(item, &mut self.no_stream()?)
    }

    /// Applies all transforms, none of which may be random, and converts the result to a tensor `[3, H, W]`.
    ///
    /// # Errors
    /// When a step fails, or is random.
    pub fn tensor(&self, item: impl Into<Item>) -> Result<Tensor> {
        self.apply(item)?.to_tensor(&Device::Cpu)
    }

    /// Applies all transforms; random ones draw from `rng`.
    ///
    /// # Errors
    /// When a step fails.
    pub fn apply_with(&self, item: impl Into<Item>, rng: &mut Rng) -> Result<Item> {
        Ok(run(&self.0, item.into(), None, rng)?.0)
    }

    /// Applies all transforms to an image and to its mask, with the same random parameters. Changes of geometry apply
    /// to the mask by the nearest pixels; changes of colour do not.
    ///
    /// # Errors
    /// When a step fails, or the mask does not have the image's size.
    pub fn apply_both(&self, item: impl Into<Item>, mask: Mask, rng: &mut Rng) -> Result<(Item, Mask)> {
        run_both(&self.0, item.into(), mask, rng)
    }

    /// Applies all transforms, with random ones from `rng`, and converts the result to a tensor `[3, H, W]`.
    ///
    /// # Errors
    /// When a step fails.
    pub fn tensor_with(&self, item: impl Into<Item>, rng: &mut Rng) -> Result<Tensor> {
        self.apply_with(item, rng)?.to_tensor(&Device::Cpu)
    }

    /// Applies all transforms, appends the `3·H·W` values to `out` and returns (width, height). The values are those of
    /// [`Compose::tensor_with`], with fewer copies.
    ///
    /// # Errors
    /// When a step fails.
    pub fn append(&self, item: impl Into<Item>, rng: &mut Rng, out: &mut Vec<f32>) -> Result<(usize, usize)> {
        let (steps, last) = self.before_normalization();
        let (item, _) = run(steps, item.into(), None, rng)?;
        append_item(item, last, out)
    }

    /// Does the same as [`Compose::append`] for an image with a mask ([`Compose::apply_both`]), and returns the mask.
    ///
    /// # Errors
    /// When a step fails, or the mask does not have the image's size.
    pub fn append_both(&self, item: impl Into<Item>, mask: Mask, rng: &mut Rng, out: &mut Vec<f32>) -> Result<Mask> {
        let (steps, last) = self.before_normalization();
        let (item, mask) = run_both(steps, item.into(), mask, rng)?;
        append_item(item, last, out)?;
        Ok(mask)
    }

    /// All steps but a normalisation that is the last, and that.
    fn before_normalization(&self) -> (&[Transform], Option<&Normalize>) {
        match self.0.split_last() {
            Some((Transform::Normalize(normalize), steps)) => (steps, Some(normalize)),
            _ => (&self.0, None),
        }
    }

    /// The item at the start and after each step, with descriptions. No step may be random. For a very long and narrow
    /// image, a resizing and the crop that removes most of it are one step.
    ///
    /// # Errors
    /// When a step fails, or is random.
    pub fn explain(&self, item: impl Into<Item>) -> Result<Vec<Step>> {
        self.explain_with(item, &mut self.no_stream()?)
    }

    /// The item at the start and after each step, with descriptions, where random steps draw from `rng`.
    ///
    /// # Errors
    /// When a step fails.
    pub fn explain_with(&self, item: impl Into<Item>, rng: &mut Rng) -> Result<Vec<Step>> {
        let mut steps = vec![Step { description: "as read".into(), item: item.into() }];
        let mut rest = &self.0[..];
        while !rest.is_empty() {
            let before = &steps[steps.len() - 1].item;
            let joined = if is_huge_between(rest, before) { 2 } else { 1 };
            let (item, _) = run(&rest[..joined], before.clone(), None, rng)?;
            let description: Vec<String> = rest[..joined].iter().map(Transform::to_string).collect();
            steps.push(Step { description: description.join("; "), item });
            rest = &rest[joined..];
        }
        Ok(steps)
    }

    /// A stream from which nothing draws, since no step is random.
    fn no_stream(&self) -> Result<Rng> {
        if let Some(random) = self.0.iter().find(|t| t.is_random()) {
            let message = format!("`{random}` is random: use `valid()` of these transforms, or give a random stream");
            return Err(Error::config("transforms", message));
        }
        Ok(Rng::new(0))
    }
}

impl Step {
    /// The item as an image to show, with `normalization` undone.
    pub fn image(&self, normalization: Option<Normalize>) -> Image {
        match (&self.item, normalization) {
            (Item::ChannelPlanes(planes), Some(normalize)) => normalize.inverse_planes(planes.clone()).to_image(),
            (item, _) => item.to_image(),
        }
    }
}

/// Does steps, to a picture and perhaps to its mask, which has its size. Resizing and then keeping the middle is done
/// in one, without making the pixels that are cut off.
fn run(steps: &[Transform], mut item: Item, mut mask: Option<Mask>, rng: &mut Rng) -> Result<(Item, Option<Mask>)> {
    let mut rest = steps;
    while let Some((step, later)) = rest.split_first() {
        rest = later;
        if let (Transform::Resize(resize), Some(Transform::CenterCrop(crop)), Item::Image(picture)) =
            (step, later.first(), &item)
            && let Some((full, corner)) = resize_and_crop(resize, crop, item.size())
        {
            let part = (crop.width, crop.height);
            if let Some(whole) = mask {
                mask = Some(whole.resize_part(full, corner, part)?);
            }
            item = resample_part(picture, full, corner, part, resize.interpolation)?.into();
            rest = &later[1..];
            continue;
        }
        if let Some(whole) = mask {
            mask = Some(step.apply_mask(whole, &mut rng.clone())?);
        }
        item = step.apply(item, rng)?;
    }
    Ok((item, mask))
}

fn run_both(steps: &[Transform], item: Item, mask: Mask, rng: &mut Rng) -> Result<(Item, Mask)> {
    let (size, of_mask) = (item.size(), (mask.width(), mask.height()));
    if size != of_mask {
        let message = format!("a mask of {of_mask:?} pixels is not one of a picture of {size:?}: sizes must be equal");
        return Err(Error::shape(message, &[of_mask.1, of_mask.0]));
    }
    match run(steps, item, Some(mask), rng)? {
        (item, Some(mask)) => Ok((item, mask)),
        (_, None) => Err(Error::Value("a mask was lost on its way through the transforms".into())),
    }
}

/// Appends an item's values, normalised or as they are; gives (width, height).
fn append_item(item: Item, normalize: Option<&Normalize>, out: &mut Vec<f32>) -> Result<(usize, usize)> {
    let size = item.size();
    match (item, normalize) {
        (Item::Image(picture), Some(normalize)) => normalize.append(&picture, out)?,
        (item, Some(normalize)) => out.extend_from_slice(normalize.apply(item.into_planes())?.values()),
        (item, None) => out.extend_from_slice(item.into_planes().values()),
    }
    Ok(size)
}

/// Whether the first two steps are a resizing and a crop, with a picture in between that could not be stored: a line
/// of 12,000 pixels with a shorter side of 256 has 786 million of them.
fn is_huge_between(steps: &[Transform], item: &Item) -> bool {
    const HUGE: usize = 1 << 24;
    let [Transform::Resize(resize), Transform::CenterCrop(_), ..] = steps else { return false };
    let (width, height) = item.size();
    let (width, height) = resize.output_size(width, height);
    width.saturating_mul(height) > HUGE
}

/// The whole size and the crop's corner in it, if a picture of `size` can be resized and cropped in one.
fn resize_and_crop(
    resize: &Resize,
    crop: &CenterCrop,
    (width, height): (usize, usize),
) -> Option<((usize, usize), (usize, usize))> {
    let (width, height) = resize.output_size(width, height);
    let plain = matches!(resize.method, ResizeMethod::ShortSide | ResizeMethod::Squish);
    let fits = plain && crop.width <= width && crop.height <= height;
    fits.then(|| ((width, height), crop.corner(width, height)))
}

impl<T: Into<Transform>, const N: usize> From<[T; N]> for Compose {
    fn from(transforms: [T; N]) -> Compose {
        Compose(transforms.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Transform>> From<Vec<T>> for Compose {
    fn from(transforms: Vec<T>) -> Compose {
        Compose(transforms.into_iter().map(Into::into).collect())
    }
}

impl From<super::AugTransforms> for Compose {
    fn from(transforms: super::AugTransforms) -> Compose {
        Compose(vec![transforms.into()])
    }
}
