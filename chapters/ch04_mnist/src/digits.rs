//! The threes and sevens, in the order of the source.

use candle_core::{Device, Tensor};
use tallow::Result;
use tallow::cli::Session;
use tallow::data::mnist::{self, SIDE};

/// MNIST's threes and sevens, as fast.ai's `MNIST_SAMPLE` has them.
pub(crate) struct Digits {
    /// `train/3`: 6,131 pictures of 28 x 28 bytes.
    pub(crate) threes: Vec<Tensor>,
    /// `train/7`: 6,265.
    pub(crate) sevens: Vec<Tensor>,
    /// `valid/3`: 1,010.
    pub(crate) valid_threes: Vec<Tensor>,
    /// `valid/7`: 1,028.
    pub(crate) valid_sevens: Vec<Tensor>,
}

impl Digits {
    pub(crate) fn embedded(s: &mut Session) -> Result<Digits> {
        s.data("MNIST: all threes and sevens, embedded (CC BY-SA 3.0)");
        let sample = mnist::sample()?;
        Ok(Digits {
            threes: sorted_by_file_name(&sample.train, 3)?,
            sevens: sorted_by_file_name(&sample.train, 7)?,
            valid_threes: sorted_by_file_name(&sample.valid, 3)?,
            valid_sevens: sorted_by_file_name(&sample.valid, 7)?,
        })
    }
}

/// The source reads files named after their place in MNIST, sorted as text: `10.png`, `10000.png`, `10011.png`, ...
fn sorted_by_file_name(digits: &mnist::Digits, digit: u8) -> Result<Vec<Tensor>> {
    let mut places: Vec<usize> = (0..digits.len()).filter(|&i| digits.labels[i] == digit).collect();
    places.sort_by_cached_key(|&i| format!("{}.png", digits.index[i]));
    let picture = |&i: &usize| Ok(Tensor::from_slice(digits.image(i), (SIDE, SIDE), &Device::Cpu)?);
    places.iter().map(picture).collect()
}
