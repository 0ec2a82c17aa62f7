//! MNIST: photographs of handwritten digits, 28 by 28 grey levels each; 60,000 for training, 10,000 for validation.
//!
//! [`Mnist::load`] reads the four IDX files of the full set. [`sample`] needs no file: the threes and sevens, which are
//! what the digit-classifier chapter tells apart, are part of the program.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::idx::{self, Idx};

/// Rows, and columns, of an image.
pub const SIDE: usize = 28;
/// Pixels of an image.
pub const PIXELS: usize = SIDE * SIDE;

/// MNIST's two halves. `valid` is what MNIST calls the test set; teaching material validates on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Mnist {
    /// To learn from.
    pub train: Digits,
    /// For validation.
    pub valid: Digits,
}

/// Images and what they show, in MNIST's own order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Digits {
    /// `len()` images of [`PIXELS`] grey levels each, row after row; 0 is paper, 255 is ink.
    pub images: Vec<u8>,
    /// The digit that each image shows, 0 to 9.
    pub labels: Vec<u8>,
    /// Where each image stands in the original MNIST file, from 0.
    pub index: Vec<u32>,
}

impl Digits {
    /// The number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True where there is not a single image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The [`PIXELS`] grey levels of image `i`, row after row.
    ///
    /// # Panics
    /// As a slice does, where `i` is not below [`Digits::len`].
    pub fn image(&self, i: usize) -> &[u8] {
        &self.images[i * PIXELS..(i + 1) * PIXELS]
    }

    /// The images that show one of `digits`, in the same order.
    pub fn only(&self, digits: &[u8]) -> Digits {
        let mut kept = Digits::default();
        for i in (0..self.len()).filter(|&i| digits.contains(&self.labels[i])) {
            kept.images.extend_from_slice(self.image(i));
            kept.labels.push(self.labels[i]);
            kept.index.push(self.index[i]);
        }
        kept
    }

    /// Puts the parts together, checking that they belong together. The paths are for messages.
    fn new(images: Part<u8>, labels: Part<u8>, index: Option<Part<i32>>) -> Result<Digits> {
        let n = labels.array.data.len();
        if images.array.shape != [n, SIDE, SIDE] {
            let expected = format!("shape [{n}, {SIDE}, {SIDE}], as {} has {n} labels", labels.path.display());
            return Err(Error::damaged(&images.path, expected, format!("shape {:?}", images.array.shape)));
        }
        if labels.array.shape.len() != 1 {
            return Err(Error::damaged(&labels.path, "one dimension", format!("shape {:?}", labels.array.shape)));
        }
        if let Some(label) = labels.array.data.iter().find(|&&label| label > 9) {
            return Err(Error::damaged(&labels.path, "labels from 0 to 9", format!("a label {label}")));
        }
        let index = match index {
            None => (0..n as u32).collect(),
            Some(index) if index.array.shape == [n] => index.array.data.into_iter().map(|i| i as u32).collect(),
            Some(index) => {
                return Err(Error::damaged(&index.path, format!("{n} positions"), format!("{:?}", index.array.shape)));
            }
        };
        Ok(Digits { images: images.array.data, labels: labels.array.data, index })
    }
}

/// An array, and the file that it came from.
struct Part<T> {
    path: PathBuf,
    array: Idx<T>,
}

impl Mnist {
    /// Reads the four IDX files, each gzipped (`train-images-idx3-ubyte.gz`) or plain (`train-images-idx3-ubyte`), from
    /// `folder`, which [`DataFolder::find`](crate::DataFolder::find)`("mnist")` gives.
    ///
    /// # Errors
    /// [`Error::Missing`] where one is not there, [`Error::Damaged`] where one is cut short or they do not fit
    /// together.
    pub fn load(folder: impl AsRef<Path>) -> Result<Mnist> {
        let folder = folder.as_ref();
        let read = |name: &str| -> Result<Part<u8>> {
            let compressed = folder.join(format!("{name}.gz"));
            let path = if compressed.is_file() { compressed } else { folder.join(name) };
            if !path.is_file() {
                return Err(missing(folder, &format!("{name}.gz"))?);
            }
            Ok(Part { array: idx::read_u8(&path)?, path })
        };
        Ok(Mnist {
            train: Digits::new(read("train-images-idx3-ubyte")?, read("train-labels-idx1-ubyte")?, None)?,
            valid: Digits::new(read("t10k-images-idx3-ubyte")?, read("t10k-labels-idx1-ubyte")?, None)?,
        })
    }

    /// The images that show one of `digits`, in the same order.
    pub fn only(&self, digits: &[u8]) -> Mnist {
        Mnist { train: self.train.only(digits), valid: self.valid.only(digits) }
    }
}

fn missing(folder: &Path, file: &str) -> Result<Error> {
    let manifest = crate::Manifest::builtin()?;
    let dataset = manifest.get("mnist")?;
    Ok(dataset.missing(folder, dataset.files.iter().find(|entry| entry.name == file)))
}

/// The threes and sevens of MNIST, all of them, in MNIST's order: 6,131 threes and 6,265 sevens to learn from, 1,010
/// and 1,028 for validation. They are embedded in the program; `datasets/README.md` says how they were made.
///
/// # Errors
/// [`Error::Damaged`] where the embedded bytes do not decode, which a test rules out.
pub fn sample() -> Result<Mnist> {
    Ok(Mnist {
        train: embedded(
            include_bytes!("../embedded/mnist_sample/train-images-idx3-ubyte.gz"),
            include_bytes!("../embedded/mnist_sample/train-labels-idx1-ubyte.gz"),
            include_bytes!("../embedded/mnist_sample/train-index-idx1-int.gz"),
            "train",
        )?,
        valid: embedded(
            include_bytes!("../embedded/mnist_sample/t10k-images-idx3-ubyte.gz"),
            include_bytes!("../embedded/mnist_sample/t10k-labels-idx1-ubyte.gz"),
            include_bytes!("../embedded/mnist_sample/t10k-index-idx1-int.gz"),
            "t10k",
        )?,
    })
}

fn embedded(images: &[u8], labels: &[u8], index: &[u8], half: &str) -> Result<Digits> {
    let name = |what: &str| PathBuf::from(format!("datasets/embedded/mnist_sample/{half}-{what}.gz"));
    let (images_name, labels_name, index_name) =
        (name("images-idx3-ubyte"), name("labels-idx1-ubyte"), name("index-idx1-int"));
    Digits::new(
        Part { array: idx::from_bytes(&images_name, images)?, path: images_name },
        Part { array: idx::from_bytes(&labels_name, labels)?, path: labels_name },
        Some(Part { array: idx::from_bytes(&index_name, index)?, path: index_name }),
    )
}
