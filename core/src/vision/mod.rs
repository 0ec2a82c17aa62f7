//! From the bytes of a photo to the numbers that a network sees.
//!
//! An [`Image`] is read, goes through [`Transform`]s in a row ([`Compose`]), and comes out as [`ChannelPlanes`] or as a
//! tensor `[3, H, W]`. Decoding, resizing and cropping give Pillow's and torchvision's pixels to one level or two;
//! augmentation is fast.ai's. Random steps draw from the stream that they are given, so an item's stream decides about
//! the item. A [`Mask`] goes through the same steps beside its picture ([`Compose::apply_both`]).

mod augment;
mod compose;
mod crop;
mod decode;
mod erase;
mod flip;
mod grid;
mod image;
mod interpolation;
mod jpeg;
mod kinds;
mod lighting;
mod limits;
mod mask;
mod mask_colours;
mod mask_file;
mod normalize;
mod pad;
mod perceptual_hash;
mod planes;
mod preprocess;
mod resize;
mod rotate;
mod sample;
mod strength;
mod tiff;
mod transform;

pub use augment::{AugDraw, AugTransforms, ResampleTo, aug_transforms};
pub use compose::{Compose, Step};
pub use crop::{CenterCrop, RandomResizedCrop};
pub use erase::{Fill, RandomErasing};
pub use flip::{RandomHorizontalFlip, RandomVerticalFlip};
pub use grid::make_grid;
pub use image::Image;
pub use interpolation::Interpolation;
pub use kinds::{EXTENSIONS, Kind, OtherKind, other_kind, other_kind_of_bytes};
pub use limits::Limits;
pub use mask::Mask;
pub use mask_colours::class_colours;
pub use normalize::Normalize;
pub use pad::{PadMode, pad};
pub use perceptual_hash::PerceptualHash;
pub use planes::ChannelPlanes;
pub use preprocess::Preprocess;
pub use resize::{Resize, ResizeMethod};
pub use rotate::RandomRotation;
pub use strength::Strength;
pub use transform::{Item, Transform};
