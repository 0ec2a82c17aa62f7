//! Loaders for a language model.

use super::procs::TextProcs;
use super::stream::StreamDataset;
use crate::data::{DataLoader, DataLoaders, Show, Shown, ShownTable};
use crate::error::Result;
use crate::rng::Rng;
use candle_core::Device;
use std::sync::Arc;

/// A [`DataLoader`] of the stream of all texts. fast.ai's `LMDataLoader`.
#[derive(Clone)]
pub struct LanguageModelLoader {
    loader: DataLoader,
    dataset: StreamDataset,
}

impl LanguageModelLoader {
    pub(super) fn new(dataset: StreamDataset, batch_size: usize, rng: &Rng) -> Result<LanguageModelLoader> {
        Ok(LanguageModelLoader { loader: DataLoader::new(dataset.clone(), batch_size)?.rng(rng), dataset })
    }

    /// The stream behind the batches.
    pub fn dataset(&self) -> &StreamDataset {
        &self.dataset
    }

    /// The plain loader, for what takes one.
    pub fn loader(&self) -> &DataLoader {
        &self.loader
    }
}

impl Show for LanguageModelLoader {
    /// The first `n` rows of the first batch: tokens, and the same one later, which are the targets.
    fn shown(&self, n: usize) -> Result<Shown> {
        let batch = self.loader.one_batch()?;
        let text = |ids: &[u32]| self.dataset.procs().vocab.decode(ids).join(" ");
        let (xs, ys) = (batch.xs.to_vec2::<u32>()?, batch.ys.to_vec2::<u32>()?);
        let rows = xs.iter().zip(&ys).take(n).map(|(x, y)| vec![text(x), text(y)]).collect();
        Ok(Shown::Table(ShownTable { columns: ["text", "target"].map(String::from).to_vec(), rows }))
    }
}

/// The loaders of the texts that a language model learns from, and of those that validate it. A [`super::TextBlock`]
/// makes them.
#[derive(Clone)]
pub struct LanguageModelDataLoaders {
    /// Texts to learn from, in another order in each epoch.
    pub train: LanguageModelLoader,
    /// Texts for validation, in order.
    pub valid: LanguageModelLoader,
    pub(super) seed: u64,
}

impl LanguageModelDataLoaders {
    /// How texts become numbers.
    pub fn procs(&self) -> &Arc<TextProcs> {
        self.train.dataset.procs()
    }

    /// The seed of the [`super::TextBlock`] that made them, from which a learner draws too.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The perplexity of a model that reads nothing: it tells each word of the validation texts by how often that word
    /// is in the training texts, each word of the vocabulary counted once more, so that none is impossible. A language
    /// model whose perplexity is not far below this one has not begun to read yet, and its encoder is of no use to a
    /// classifier (`docs/language_models.md`).
    pub fn perplexity_by_frequency(&self) -> f64 {
        let mut counts = vec![1.0; self.procs().vocab.len()];
        self.train.dataset.texts().iter().flatten().for_each(|&id| counts[id as usize] += 1.0);
        let total: f64 = counts.iter().sum();
        let (mut n, mut loss) = (0.0, 0.0);
        for &id in self.valid.dataset.texts().iter().flatten() {
            loss += libm::log(total / counts[id as usize]);
            n += 1.0;
        }
        (loss / n).exp()
    }

    /// Loaders whose batches are on this device.
    #[must_use]
    pub fn device(&self, device: &Device) -> LanguageModelDataLoaders {
        let on = |side: &LanguageModelLoader| LanguageModelLoader {
            loader: side.loader.clone().device(device),
            dataset: side.dataset.clone(),
        };
        LanguageModelDataLoaders { train: on(&self.train), valid: on(&self.valid), seed: self.seed }
    }

    /// The plain loaders, for a learner.
    pub fn loaders(&self) -> DataLoaders {
        DataLoaders { train: self.train.loader.clone(), valid: self.valid.loader.clone() }
    }
}
