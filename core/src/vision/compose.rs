//! Steps in a row.

use super::resize::{ResizeMethod, resample_part};
use super::{CenterCrop, Image, Item, Normalize, Resize, Transform};
use crate::error::{Error, Result};
use crate::rng::Rng;
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// Transforms, one after the other. torchvision's `Compose`, fast.ai's `Pipeline`.
///
/// ```
/// use tallow::vision::{CenterCrop, Compose, Image, Normalize, Resize};
///
/// let photo = Image::from_fn(500, 375, |x, y| [x as u8, y as u8, 0])?;
/// let tfms = Compose::new().then(Resize::short_side(256)).then(CenterCrop::new(224)).then(Normalize::imagenet());
/// let x = tfms.tensor(photo)?; // [3, 224, 224]
/// assert_eq!(x.dims(), [3, 224, 224]);
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Compose(Vec<Transform>);

/// An item as it is after one step.
#[derive(Debug, Clone)]
pub struct Step {
    /// What has been done.
    pub description: String,
    /// What came of it.
    pub item: Item,
}

impl Compose {
    /// No steps.
    pub fn new() -> Compose {
        Compose::default()
    }

    /// One step more.
    #[must_use]
    pub fn then(mut self, transform: impl Into<Transform>) -> Compose {
        self.0.push(transform.into());
        self
    }

    /// All steps of another one after these.
    #[must_use]
    pub fn chain(mut self, other: impl Into<Compose>) -> Compose {
        self.0.extend(other.into().0);
        self
    }

    /// The steps.
    pub fn transforms(&self) -> &[Transform] {
        &self.0
    }

    /// What is done in validation: each step's own counterpart, nothing random.
    #[must_use]
    pub fn valid(&self) -> Compose {
        Compose(self.0.iter().flat_map(Transform::valid).collect())
    }

    /// In the order in which fast.ai does batch transforms: augmentation, then normalisation, then erasing.
    #[must_use]
    pub fn in_order(mut self) -> Compose {
        self.0.sort_by_key(Transform::order);
        self
    }

    /// With this normalisation, in the place of one that there may be.
    #[must_use]
    pub fn normalized(mut self, normalize: Normalize) -> Compose {
        self.0.retain(|t| !matches!(t, Transform::Normalize(_)));
        let before_erasing = self.0.iter().position(|t| t.order() > Transform::Normalize(normalize).order());
        self.0.insert(before_erasing.unwrap_or(self.0.len()), normalize.into());
        self
    }

    /// The normalisation among the steps.
    pub fn normalization(&self) -> Option<Normalize> {
        self.0.iter().find_map(|t| if let Transform::Normalize(normalize) = t { Some(*normalize) } else { None })
    }

    /// Applies all steps, none of which may be random: those of [`Compose::valid`], for validation and prediction.
    ///
    /// # Errors
    /// When a step fails, or is random.
    pub fn apply(&self, item: impl Into<Item>) -> Result<Item> {
        self.apply_with(item, &mut self.no_stream()?)
    }

    /// [`Compose::apply`], and a tensor `[3, H, W]` of the result.
    ///
    /// # Errors
    /// When a step fails, or is random.
    pub fn tensor(&self, item: impl Into<Item>) -> Result<Tensor> {
        self.apply(item)?.to_tensor(&Device::Cpu)
    }

    /// Applies all steps; random ones draw from `rng`.
    ///
    /// # Errors
    /// When a step fails.
    pub fn apply_with(&self, item: impl Into<Item>, rng: &mut Rng) -> Result<Item> {
        run(&self.0, item.into(), rng)
    }

    /// [`Compose::apply_with`], and a tensor `[3, H, W]` of the result.
    ///
    /// # Errors
    /// When a step fails.
    pub fn tensor_with(&self, item: impl Into<Item>, rng: &mut Rng) -> Result<Tensor> {
        self.apply_with(item, rng)?.to_tensor(&Device::Cpu)
    }

    /// Does all steps and appends the `3 * H * W` values to `out`; gives (width, height). The same values as
    /// [`Compose::tensor_with`], with fewer copies.
    ///
    /// # Errors
    /// When a step fails.
    pub fn append(&self, item: impl Into<Item>, rng: &mut Rng, out: &mut Vec<f32>) -> Result<(usize, usize)> {
        let (steps, last) = match self.0.split_last() {
            Some((Transform::Normalize(normalize), steps)) => (steps, Some(normalize)),
            _ => (&self.0[..], None),
        };
        let item = run(steps, item.into(), rng)?;
        let size = item.size();
        match (item, last) {
            (Item::Image(picture), Some(normalize)) => normalize.append(&picture, out)?,
            (item, Some(normalize)) => out.extend_from_slice(normalize.apply(item.into_planes())?.values()),
            (item, None) => out.extend_from_slice(item.into_planes().values()),
        }
        Ok(size)
    }

    /// The item at first and after every step, with what was done: for looking at. No step may be random. Of a picture
    /// that is very long and narrow, a crop that undoes most of a resizing is one step with it.
    ///
    /// # Errors
    /// When a step fails, or is random.
    pub fn explain(&self, item: impl Into<Item>) -> Result<Vec<Step>> {
        self.explain_with(item, &mut self.no_stream()?)
    }

    /// [`Compose::explain`], with random steps that draw from `rng`.
    ///
    /// # Errors
    /// When a step fails.
    pub fn explain_with(&self, item: impl Into<Item>, rng: &mut Rng) -> Result<Vec<Step>> {
        let mut steps = vec![Step { description: "as read".into(), item: item.into() }];
        let mut rest = &self.0[..];
        while !rest.is_empty() {
            let before = &steps[steps.len() - 1].item;
            let joined = if is_huge_between(rest, before) { 2 } else { 1 };
            let item = run(&rest[..joined], before.clone(), rng)?;
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
    /// The picture to show for this step; values that `normalization` changed are changed back.
    pub fn image(&self, normalization: Option<Normalize>) -> Image {
        match (&self.item, normalization) {
            (Item::ChannelPlanes(planes), Some(normalize)) => normalize.inverse_planes(planes.clone()).to_image(),
            (item, _) => item.to_image(),
        }
    }
}

/// Does steps. Resizing and then keeping the middle is done in one, without making the pixels that are cut off.
fn run(steps: &[Transform], mut item: Item, rng: &mut Rng) -> Result<Item> {
    let mut rest = steps;
    while let Some((step, later)) = rest.split_first() {
        rest = later;
        if let (Transform::Resize(resize), Some(Transform::CenterCrop(crop)), Item::Image(picture)) =
            (step, later.first(), &item)
            && let Some(done) = resize_and_crop(resize, crop, picture)?
        {
            item = done.into();
            rest = &later[1..];
            continue;
        }
        item = step.apply(item, rng)?;
    }
    Ok(item)
}

/// Whether the first two steps are a resizing and a crop, with a picture in between that nobody could look at: a line
/// of 12,000 pixels with a shorter side of 256 has 786 million of them.
fn is_huge_between(steps: &[Transform], item: &Item) -> bool {
    const HUGE: usize = 1 << 24;
    let [Transform::Resize(resize), Transform::CenterCrop(_), ..] = steps else { return false };
    let (width, height) = item.size();
    let (width, height) = resize.output_size(width, height);
    width.saturating_mul(height) > HUGE
}

fn resize_and_crop(resize: &Resize, crop: &CenterCrop, picture: &Image) -> Result<Option<Image>> {
    let (width, height) = resize.output_size(picture.width(), picture.height());
    let plain = matches!(resize.method, ResizeMethod::ShortSide | ResizeMethod::Squish);
    if !plain || crop.width > width || crop.height > height {
        return Ok(None);
    }
    let corner = crop.corner(width, height);
    Ok(Some(resample_part(picture, (width, height), corner, (crop.width, crop.height), resize.interpolation)?))
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
