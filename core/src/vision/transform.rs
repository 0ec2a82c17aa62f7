//! One step of a pipeline.

use super::{
    AugTransforms, CenterCrop, ChannelPlanes, Image, Mask, Normalize, RandomErasing, RandomHorizontalFlip,
    RandomResizedCrop, RandomRotation, RandomVerticalFlip, ResampleTo, Resize,
};
use crate::error::{Error, Result};
use crate::rng::Rng;
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

/// The value that passes from step to step: first an image of bytes, later planes of `f32`.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// An image of bytes.
    Image(Image),
    /// Values `[3, H, W]`.
    ChannelPlanes(ChannelPlanes),
}

impl Item {
    /// The size, (width, height), in pixels.
    pub fn size(&self) -> (usize, usize) {
        match self {
            Item::Image(picture) => (picture.width(), picture.height()),
            Item::ChannelPlanes(planes) => (planes.width(), planes.height()),
        }
    }

    /// Converts to planes; bytes become values between 0 and 1. torchvision's `ToTensor`.
    pub fn into_planes(self) -> ChannelPlanes {
        match self {
            Item::Image(picture) => ChannelPlanes::from(&picture),
            Item::ChannelPlanes(planes) => planes,
        }
    }

    /// A tensor `[3, H, W]`.
    ///
    /// # Errors
    /// When the device cannot hold it.
    pub fn to_tensor(self, device: &Device) -> Result<Tensor> {
        self.into_planes().to_tensor(device)
    }

    /// Converts to an image; planes must not be normalised.
    pub fn to_image(&self) -> Image {
        match self {
            Item::Image(picture) => picture.clone(),
            Item::ChannelPlanes(planes) => planes.to_image(),
        }
    }
}

impl From<Image> for Item {
    fn from(picture: Image) -> Item {
        Item::Image(picture)
    }
}

impl From<ChannelPlanes> for Item {
    fn from(planes: ChannelPlanes) -> Item {
        Item::ChannelPlanes(planes)
    }
}

/// One step of a [`Compose`](super::Compose), as a value that can be serialised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "transform", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Transform {
    /// Resizing.
    Resize(Resize),
    /// A crop of the centre.
    CenterCrop(CenterCrop),
    /// A random crop, resized.
    RandomResizedCrop(RandomResizedCrop),
    /// A rotation by a random angle.
    RandomRotation(RandomRotation),
    /// A horizontal flip of some images.
    RandomHorizontalFlip(RandomHorizontalFlip),
    /// A vertical flip of some images.
    RandomVerticalFlip(RandomVerticalFlip),
    /// A horizontal flip of all images.
    HorizontalFlip,
    /// A vertical flip of all images.
    VerticalFlip,
    /// Conversion to grey.
    Greyscale,
    /// Conversion of bytes to values between 0 and 1. Steps that need it convert by themselves.
    ToTensor,
    /// fast.ai's augmentation.
    AugTransforms(AugTransforms),
    /// Resizing by fast.ai's resampling.
    ResampleTo(ResampleTo),
    /// Normalisation to mean 0 and standard deviation 1.
    Normalize(Normalize),
    /// Erasing of a random rectangle.
    RandomErasing(RandomErasing),
}

impl Transform {
    /// Applies this step; random ones draw from `rng`.
    ///
    /// # Errors
    /// When the step is for images and the item is already planes, or a setting is out of its range.
    pub fn apply(&self, item: Item, rng: &mut Rng) -> Result<Item> {
        let picture = |item: Item| match item {
            Item::Image(picture) => Ok(picture),
            Item::ChannelPlanes(_) => Err(Error::Value(format!(
                "`{self}` works on pictures, and a step before it has made numbers of the picture: put it further to \
                 the front"
            ))),
        };
        Ok(match self {
            Transform::Resize(t) => t.apply(&picture(item)?, rng)?.into(),
            Transform::CenterCrop(t) => t.apply(&picture(item)?)?.into(),
            Transform::RandomResizedCrop(t) => t.apply(&picture(item)?, rng)?.into(),
            Transform::RandomRotation(t) => t.apply(&picture(item)?, rng).into(),
            Transform::RandomHorizontalFlip(t) if !t.draw(rng) => item,
            Transform::RandomVerticalFlip(t) if !t.draw(rng) => item,
            Transform::RandomHorizontalFlip(_) | Transform::HorizontalFlip => match item {
                Item::Image(picture) => picture.flip_horizontal().into(),
                Item::ChannelPlanes(planes) => planes.flip_horizontal().into(),
            },
            Transform::RandomVerticalFlip(_) | Transform::VerticalFlip => match item {
                Item::Image(picture) => picture.flip_vertical().into(),
                Item::ChannelPlanes(planes) => planes.flip_vertical().into(),
            },
            Transform::Greyscale => picture(item)?.greyscale().into(),
            Transform::ToTensor => item.into_planes().into(),
            Transform::AugTransforms(t) => t.apply(&item, rng)?.into(),
            Transform::ResampleTo(t) => t.apply(&item)?.into(),
            Transform::Normalize(t) => t.apply(item.into_planes())?.into(),
            Transform::RandomErasing(t) => t.apply(item.into_planes(), rng)?.into(),
        })
    }

    /// Applies this step to the mask of an image. Changes of geometry apply by the nearest pixels; changes of colour do
    /// not. `rng` is a copy of the image's stream before the step, so that both get the same random parameters.
    ///
    /// # Errors
    /// When a setting is out of its range.
    pub fn apply_mask(&self, mask: Mask, rng: &mut Rng) -> Result<Mask> {
        Ok(match self {
            Transform::Resize(t) => t.apply_mask(&mask, rng)?,
            Transform::CenterCrop(t) => t.apply_mask(&mask)?,
            Transform::RandomResizedCrop(t) => t.apply_mask(&mask, rng)?,
            Transform::RandomRotation(t) => t.apply_mask(&mask, rng),
            Transform::RandomHorizontalFlip(t) if !t.draw(rng) => mask,
            Transform::RandomVerticalFlip(t) if !t.draw(rng) => mask,
            Transform::RandomHorizontalFlip(_) | Transform::HorizontalFlip => mask.flip_horizontal(),
            Transform::RandomVerticalFlip(_) | Transform::VerticalFlip => mask.flip_vertical(),
            Transform::AugTransforms(t) => t.apply_mask(&mask, rng)?,
            Transform::ResampleTo(t) => t.apply_mask(&mask)?,
            Transform::Greyscale | Transform::ToTensor | Transform::Normalize(_) | Transform::RandomErasing(_) => mask,
        })
    }

    /// Whether two applications of this step can differ.
    pub fn is_random(&self) -> bool {
        self.valid() != [*self]
    }

    /// The deterministic steps that replace this one in validation, as in fast.ai: itself, a counterpart, or none.
    pub fn valid(&self) -> Vec<Transform> {
        match self {
            Transform::Resize(t) => t.valid(),
            Transform::RandomResizedCrop(t) => t.valid(),
            Transform::AugTransforms(t) => t.valid(),
            Transform::RandomRotation(_)
            | Transform::RandomHorizontalFlip(_)
            | Transform::RandomVerticalFlip(_)
            | Transform::RandomErasing(_) => Vec::new(),
            _ => vec![*self],
        }
    }

    /// Where fast.ai's order numbers put a step of a batch: augmentation, normalisation, erasing.
    pub(super) fn order(&self) -> u8 {
        match self {
            Transform::Normalize(_) => 99,
            Transform::RandomErasing(_) => 100,
            _ => 30,
        }
    }
}

impl std::fmt::Display for Transform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Transform::Resize(t) => f.write_str(&t.describe()),
            Transform::CenterCrop(t) => write!(f, "the middle {} x {}", t.width, t.height),
            Transform::RandomResizedCrop(t) => {
                let (low, high) = (t.scale.0 * 100.0, t.scale.1 * 100.0);
                write!(f, "random part of {low} to {high} % of the area, resized to {} x {}", t.width, t.height)
            }
            Transform::RandomRotation(t) => write!(f, "random rotation by {} to {} degrees", t.degrees.0, t.degrees.1),
            Transform::RandomHorizontalFlip(t) => write!(f, "horizontal flip with probability {}", t.p),
            Transform::RandomVerticalFlip(t) => write!(f, "vertical flip with probability {}", t.p),
            Transform::HorizontalFlip => f.write_str("horizontal flip"),
            Transform::VerticalFlip => f.write_str("vertical flip"),
            Transform::Greyscale => f.write_str("greyscale"),
            Transform::ToTensor => f.write_str("numbers between 0 and 1"),
            Transform::AugTransforms(t) => f.write_str(&t.describe()),
            Transform::ResampleTo(t) => write!(f, "resampled to {} x {}", t.width, t.height),
            Transform::Normalize(t) => {
                // f64 has room for the decimal number itself, f32 would print 0.4980 as 0.49799999.
                let short = |values: [f32; 3]| values.map(|v| (f64::from(v) * 1e4).round() / 1e4);
                write!(f, "normalize by mean {:?} and std {:?}", short(t.mean), short(t.std))
            }
            Transform::RandomErasing(t) => write!(f, "random erasing with probability {}", t.p),
        }
    }
}

macro_rules! is_a_transform {
    ($($name:ident),*) => {
        $(impl From<$name> for Transform {
            fn from(transform: $name) -> Transform {
                Transform::$name(transform)
            }
        })*
    };
}

is_a_transform!(
    Resize,
    CenterCrop,
    RandomResizedCrop,
    RandomRotation,
    RandomHorizontalFlip,
    RandomVerticalFlip,
    AugTransforms,
    ResampleTo,
    Normalize,
    RandomErasing
);
