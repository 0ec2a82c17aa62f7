//! Texts one after the other, cut into rows for a language model.

use super::dataset::fingerprint;
use super::procs::TextProcs;
use crate::data::{Batch, Dataset};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::rng::Rng;
use candle_core::{Device, Tensor};
use std::sync::{Arc, Mutex, PoisonError};

/// The stream of all texts for a language model, in `rows` rows that go on from batch to batch. A batch is
/// `[rows, seq_len]` tokens (`u32`) and the same number of targets, each the next token; the last batch of an epoch may
/// be shorter, but has all rows. What is left over at the stream's end, less than a token for each row, is not used.
/// fast.ai's `LMDataLoader`.
///
/// Item number `i` is row `i % rows` of batch `i / rows`, so a [`crate::data::DataLoader`] with `rows` as its batch
/// size gives these batches. In training the texts are in another order in each epoch.
#[derive(Debug, Clone)]
pub struct StreamDataset {
    procs: Arc<TextProcs>,
    texts: Arc<Vec<Vec<u32>>>,
    rows: usize,
    row_length: usize,
    shuffle: bool,
    last: Arc<Mutex<Option<Stream>>>,
}

/// All texts of an epoch, one after the other.
#[derive(Debug, Clone)]
struct Stream {
    /// What tells epochs apart.
    epoch: usize,
    tokens: Arc<Vec<u32>>,
}

impl StreamDataset {
    /// # Errors
    /// When there are fewer tokens than rows, or a size is 0.
    pub(super) fn new(
        procs: &Arc<TextProcs>,
        texts: Vec<Vec<u32>>,
        rows: usize,
        shuffle: bool,
    ) -> Result<StreamDataset> {
        let n_tokens: usize = texts.iter().map(Vec::len).sum();
        let row_length = n_tokens.saturating_sub(1).checked_div(rows).unwrap_or(0);
        if row_length == 0 || procs.seq_len == 0 {
            let seq_len = procs.seq_len;
            let message = format!(
                "cannot cut {n_tokens} tokens into {rows} rows and chunks of {seq_len}: more texts, or fewer rows are \
                 needed, and at least one of each"
            );
            return Err(Error::config("batch_size", message));
        }
        let (procs, texts) = (procs.clone(), Arc::new(texts));
        Ok(StreamDataset { procs, texts, rows, row_length, shuffle, last: Arc::default() })
    }

    /// How texts become numbers.
    pub fn procs(&self) -> &Arc<TextProcs> {
        &self.procs
    }

    /// The texts.
    pub fn texts(&self) -> &[Vec<u32>] {
        &self.texts
    }

    /// The number of tokens of each row in an epoch.
    pub fn row_length(&self) -> usize {
        self.row_length
    }

    /// The tokens of the epoch whose random stream this is.
    fn tokens(&self, rng: &Rng) -> Arc<Vec<u32>> {
        let mut rng = rng.stream("texts");
        // Two epochs have the same first number as good as never, and one epoch always has.
        let epoch = if self.shuffle { rng.below(usize::MAX) } else { 0 };
        // What a thread that panicked left behind is whole, since it is written at once.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stream) = last.as_ref().filter(|stream| stream.epoch == epoch) {
            return stream.tokens.clone();
        }
        let n = self.texts.len();
        let order = if self.shuffle { rng.permutation(n) } else { (0..n).collect() };
        let tokens: Arc<Vec<u32>> = Arc::new(order.into_iter().flat_map(|i| self.texts[i].iter().copied()).collect());
        *last = Some(Stream { epoch, tokens: tokens.clone() });
        tokens
    }
}

impl Dataset for StreamDataset {
    fn len(&self) -> usize {
        self.row_length.div_ceil(self.procs.seq_len) * self.rows
    }

    fn item(&self, index: usize, rng: &mut Rng) -> Result<(Tensor, Tensor)> {
        let batch = self.batch(&[index], rng)?;
        Ok((batch.xs.squeeze(0)?, batch.ys.squeeze(0)?))
    }

    fn batch(&self, indices: &[usize], rng: &Rng) -> Result<Batch> {
        let tokens = self.tokens(rng);
        let seq_len = self.procs.seq_len;
        let (mut xs, mut ys) = (Vec::new(), Vec::new());
        for &index in indices {
            let (row, offset) = (index % self.rows, index / self.rows * seq_len);
            let length = seq_len.min(self.row_length.saturating_sub(offset));
            let start = row * self.row_length + offset;
            let Some(chunk) = tokens.get(start..=start + length).filter(|_| length > 0) else {
                return Err(Error::Value(format!("there is no chunk {index} among {}", self.len())));
            };
            xs.extend_from_slice(&chunk[..length]);
            ys.extend_from_slice(&chunk[1..]);
        }
        let n = indices.len();
        let shape = (n, xs.len().checked_div(n).unwrap_or(0));
        Ok(Batch::new(Tensor::from_vec(xs, shape, &Device::Cpu)?, Tensor::from_vec(ys, shape, &Device::Cpu)?))
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let order = if self.shuffle { "another in each epoch" } else { "as they were read" };
        Ok(fingerprint(&self.procs, &self.texts)
            .with("length of chunks", self.procs.seq_len)
            .with("order of texts", order))
    }
}
