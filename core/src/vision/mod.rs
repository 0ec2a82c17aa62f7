//! Images: decoding, resizing, cropping, augmentation and normalisation.
//!
//! An [`Image`] is read, passes through a chain of [`Transform`]s ([`Compose`]), and becomes [`ChannelPlanes`] or a
//! tensor `[3, H, W]`. Decoding gives Pillow's pixels, resizing and cropping torchvision's to one level or two;
//! augmentation is fast.ai's. Random steps draw from the stream that they receive, so an item's result depends on its
//! own stream only. A [`Mask`] passes through the same steps beside its image ([`Compose::apply_both`]).
//!
//! ```
//! use tallow::vision::{Image, Normalize};
//! # fn main() -> tallow::Result<()> {
//! let image = Image::from_fn(2, 1, |x, _| [[255, 0, 128], [0, 0, 0]][x])?;
//! let x = image.to_tensor(&tallow::candle::Device::Cpu)?; // [3, 1, 2]
//! assert_eq!(x.flatten_all()?.to_vec1::<f32>()?, [1.0, 0.0, 0.0, 0.0, 128.0 / 255.0, 0.0]);
//! assert_eq!(image.clone().flip_horizontal().bytes(), [0, 0, 0, 255, 0, 128]);
//! assert_eq!(image.greyscale().pixel(0, 0), [91; 3]); // Pillow's `convert("L")`: 0.299 · 255 + 0.114 · 128
//! # Ok(())
//! # }
//! ```

mod augment;
mod budget;
mod check;
mod compose;
mod crop;
mod decode;
mod erase;
mod flip;
mod gif;
mod grid;
mod ifd;
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
mod orientation;
mod pad;
mod perceptual_hash;
mod planes;
mod png;
mod preprocess;
mod resize;
mod rotate;
mod sample;
mod strength;
mod tiff;
mod tiff_view;
mod transform;
mod webp;

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
