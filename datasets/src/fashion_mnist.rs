//! Two classes of Fashion-MNIST: product photos of sneakers and ankle boots, 28 by 28 grey levels each.

use std::path::Path;

use crate::error::{Error, Result};
use crate::idx;

/// Rows, and columns, of a photo.
pub const SIDE: usize = 28;

/// A product photo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// What it shows, as Fashion-MNIST names it: `Sneaker` or `Ankle boot`.
    pub class: &'static str,
    /// [`SIDE`] rows of [`SIDE`] grey levels; 0 is the background.
    pub pixels: Vec<u8>,
}

/// Embedded in the program: the first 200 of each class in the training set, then the first 50 in the test set, in
/// Fashion-MNIST's order. MIT licence, Zalando SE, 2017; the files are those of Debian's package `dataset-fashion-mnist`.
///
/// # Errors
/// [`Error::Damaged`] where the embedded bytes do not decode, which a test rules out.
pub fn sample() -> Result<Vec<Product>> {
    let path = |name: &str| format!("datasets/embedded/fashion_mnist_sample/{name}-ubyte.gz");
    let images_path = path("images-idx3");
    let images = include_bytes!("../embedded/fashion_mnist_sample/images-idx3-ubyte.gz");
    let labels = include_bytes!("../embedded/fashion_mnist_sample/labels-idx1-ubyte.gz");
    let images: idx::Idx<u8> = idx::from_bytes(Path::new(&images_path), images)?;
    let labels: idx::Idx<u8> = idx::from_bytes(Path::new(&path("labels-idx1")), labels)?;
    let n = labels.data.len();
    if images.shape != [n, SIDE, SIDE] {
        let expected = format!("shape [{n}, {SIDE}, {SIDE}]");
        return Err(Error::damaged(Path::new(&images_path), expected, format!("shape {:?}", images.shape)));
    }
    let name = |label: u8| if label == 7 { "Sneaker" } else { "Ankle boot" };
    let product = |(pixels, &label): (&[u8], &u8)| Product { class: name(label), pixels: pixels.to_vec() };
    Ok(images.data.chunks_exact(SIDE * SIDE).zip(&labels.data).map(product).collect())
}
