//! From the bytes of a photo to the numbers that a network sees.
//!
//! A [`Picture`] is read, goes through [`Transform`]s in a row ([`Compose`]), and comes out as [`Planes`] or as a tensor
//! `[3, H, W]`. Decoding, resizing and cropping give Pillow's and torchvision's pixels to one level or two; augmentation
//! is fast.ai's. Random steps draw from the stream that they are given, so an item's stream decides about the item.

mod augment;
mod compose;
mod crop;
mod decode;
mod erase;
mod flip;
mod grid;
mod jpeg;
mod lighting;
mod normalize;
mod pad;
mod picture;
mod planes;
mod resize;
mod rotate;
mod sample;
mod transform;

pub use augment::{AugDraw, AugTransforms, ResampleTo, aug_transforms};
pub use compose::{Compose, Step};
pub use crop::{CenterCrop, RandomResizedCrop};
pub use decode::{EXTENSIONS, Limits};
pub use erase::{Fill, RandomErasing};
pub use flip::{RandomHorizontalFlip, RandomVerticalFlip};
pub use grid::make_grid;
pub use normalize::Normalize;
pub use pad::{PadMode, pad};
pub use picture::Picture;
pub use planes::Planes;
pub use resize::{Filter, Resize, ResizeMethod};
pub use rotate::{Interpolation, RandomRotation};
pub use transform::{Item, Transform};
