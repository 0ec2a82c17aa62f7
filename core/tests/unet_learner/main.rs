//! The learner for segmentation: pretrained, trained, exported, read again.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod learn;
mod refuse;
mod resume;

use candle_core::Device;
use std::path::Path;
use tallow::data::{DataBlock, SegmentationDataLoaders, mask_beside};
use tallow::models::weights::Weights;
use tallow::unet_learner::{Pretrained, UnetConfig};
use tallow::vision::{Image, Mask, RandomHorizontalFlip, Resize, Transform};

/// The classes of the pictures, by number.
pub(crate) const CODES: [&str; 3] = ["ground", "square", "unknown"];

/// The number of `unknown`.
pub(crate) const VOID: u32 = 2;

/// Where the bright square of picture `i` is: its first column and row, and its side.
fn square(i: usize) -> (usize, usize, usize) {
    (4 + 5 * i % 23, 3 + 7 * i % 17, 14 + i % 7)
}

/// Pictures of 48 by 40 pixels with a bright square on dark stripes, and a border of two pixels about which nothing is
/// known: twelve in `root/train`, four in `root/valid`.
pub(crate) fn pictures(root: &Path) {
    for (side, n) in [("train", 12), ("valid", 4)] {
        for i in 0..n {
            let (left, top, size) = square(if side == "train" { i } else { i + 31 });
            let inside = |x: usize, y: usize| x.wrapping_sub(left) < size && y.wrapping_sub(top) < size;
            let dark = |x: usize, y: usize| (20 + (x * (3 + i % 4) + y * 5) % 60) as u8;
            let pixel = |x, y| if inside(x, y) { [230, 200, 90] } else { [dark(x, y), dark(y, x), 60] };
            let border = |x: usize, y: usize| x < 2 || y < 2 || x >= 46 || y >= 38;
            let class = |x, y| if border(x, y) { VOID as u16 } else { u16::from(inside(x, y)) };
            let folder = root.join(side);
            Image::from_fn(48, 40, pixel).unwrap().save(folder.join(format!("images/{i:02}.png"))).unwrap();
            std::fs::create_dir_all(folder.join("labels")).unwrap();
            let mask = Mask::from_fn(48, 40, class).unwrap();
            mask.save(folder.join(format!("labels/{i:02}.png")), Some(VOID)).unwrap();
        }
    }
}

pub(crate) fn block() -> DataBlock<tallow::data::ImageBlock, tallow::data::MaskBlock> {
    let tfms: Vec<Transform> = vec![Resize::squish(0).size(48, 40).into(), RandomHorizontalFlip::default().into()];
    DataBlock::segmentation().label(mask_beside("labels", "")).codes(CODES).void("unknown").item_tfms(tfms).workers(0)
}

pub(crate) fn loaders(root: &Path) -> SegmentationDataLoaders {
    pictures(root);
    block().dataloaders(root, 4).unwrap()
}

/// The embedded weights, on the CPU.
pub(crate) fn config() -> UnetConfig {
    let weights = tallow_datasets::efficientnet_lite0::weights();
    let weights = Weights::from_bytes("efficientnet_lite0.safetensors", weights).unwrap();
    UnetConfig::default().pretrained(Pretrained::Weights(weights)).device(&Device::Cpu).seed(3)
}
