//! Samples of Fashion-MNIST: product photos of shoes and of clothes, 28 by 28 grey levels each.
//!
//! MIT licence, Zalando SE, 2017; the files are those of Debian's package `dataset-fashion-mnist`.

use std::path::Path;

use crate::error::{Error, Result};
use crate::idx;

/// Rows, and columns, of a photo.
pub const SIDE: usize = 28;

/// A product photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// What it shows, as Fashion-MNIST names it: `Sneaker` or `Ankle boot`, `Pullover`, `Dress` or `Coat`.
    pub class: &'static str,
    /// [`SIDE`] rows of [`SIDE`] grey levels; 0 is the background.
    pub pixels: Vec<u8>,
}

/// Two classes: sneakers and ankle boots, the first 200 of each in the training set, then the first 50 of each in the
/// test set, in Fashion-MNIST's order. Embedded in the program.
///
/// # Errors
/// [`Error::Damaged`] where the embedded bytes do not decode, which a test rules out.
pub fn sample() -> Result<Vec<Product>> {
    let images = include_bytes!("../embedded/fashion_mnist_sample/images-idx3-ubyte.gz");
    let labels = include_bytes!("../embedded/fashion_mnist_sample/labels-idx1-ubyte.gz");
    decode("fashion_mnist_sample", images, labels)
}

/// Three classes that are hard to tell apart by their pixels: pullovers, dresses and coats, the first 50 of each in the
/// training set, then the first 50 of each in the test set, in Fashion-MNIST's order: 150 to train with and 150 to
/// validation. Embedded in the program.
///
/// # Errors
/// As [`sample`].
pub fn clothes() -> Result<(Vec<Product>, Vec<Product>)> {
    let images = include_bytes!("../embedded/fashion_mnist_clothes/images-idx3-ubyte.gz");
    let labels = include_bytes!("../embedded/fashion_mnist_clothes/labels-idx1-ubyte.gz");
    let mut train = decode("fashion_mnist_clothes", images, labels)?;
    let valid = train.split_off(train.len() / 2);
    Ok((train, valid))
}

fn decode(folder: &str, images: &[u8], labels: &[u8]) -> Result<Vec<Product>> {
    let path = |name: &str| format!("datasets/embedded/{folder}/{name}-ubyte.gz");
    let images_path = path("images-idx3");
    let images: idx::Idx<u8> = idx::from_bytes(Path::new(&images_path), images)?;
    let labels: idx::Idx<u8> = idx::from_bytes(Path::new(&path("labels-idx1")), labels)?;
    let n = labels.data.len();
    if images.shape != [n, SIDE, SIDE] {
        let expected = format!("shape [{n}, {SIDE}, {SIDE}]");
        return Err(Error::damaged(Path::new(&images_path), expected, format!("shape {:?}", images.shape)));
    }
    let product = |(pixels, &label): (&[u8], &u8)| Product { class: name(label), pixels: pixels.to_vec() };
    Ok(images.data.chunks_exact(SIDE * SIDE).zip(&labels.data).map(product).collect())
}

fn name(label: u8) -> &'static str {
    const NAMES: [&str; 10] =
        ["T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"];
    NAMES.get(usize::from(label)).copied().unwrap_or("unknown")
}
