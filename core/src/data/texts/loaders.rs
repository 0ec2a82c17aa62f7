//! Loaders of texts with a class each.

use super::dataset::TextDataset;
use super::procs::TextProcs;
use crate::data::{DataLoader, DataLoaders, Show, Shown, ShownTable, Vocab};
use crate::error::Result;
use crate::rng::Rng;
use crate::words::PAD;
use candle_core::Device;
use std::sync::Arc;

/// A [`DataLoader`] of texts with a class each, in which a batch holds texts of about one length. fast.ai's `SortedDL`.
#[derive(Clone)]
pub struct TextLoader {
    loader: DataLoader,
    dataset: TextDataset,
    classes: Vocab,
}

/// How many tokens of a text are shown.
const SHOWN_TOKENS: usize = 150;

impl TextLoader {
    /// Texts to train with.
    pub(super) fn train(dataset: TextDataset, classes: &Vocab, batch_size: usize, rng: &Rng) -> Result<TextLoader> {
        let loader = DataLoader::new(dataset.clone(), batch_size)?.shuffle_sorted(&dataset.lengths(), rng)?.drop_last();
        Ok(TextLoader { loader, dataset, classes: classes.clone() })
    }

    /// Texts for validation.
    pub(super) fn valid(dataset: TextDataset, classes: &Vocab, batch_size: usize) -> Result<TextLoader> {
        let loader = DataLoader::new(dataset.clone(), batch_size)?.sorted(&dataset.lengths())?;
        Ok(TextLoader { loader, dataset, classes: classes.clone() })
    }

    /// The texts behind the batches.
    pub fn dataset(&self) -> &TextDataset {
        &self.dataset
    }

    /// The plain loader, for what takes one. Its order is not the dataset's, but [`DataLoader::order`]`(0)`.
    pub fn loader(&self) -> &DataLoader {
        &self.loader
    }

    /// The number of texts.
    pub fn n_items(&self) -> usize {
        self.loader.n_items()
    }

    /// The names of the classes.
    pub fn classes(&self) -> &Vocab {
        &self.classes
    }

    /// The name of the class of text number `index`; empty if there is no such text.
    pub fn class_of(&self, index: usize) -> &str {
        let class =
            self.dataset.targets().of(index).first().and_then(|&class| self.classes.classes().get(class as usize));
        class.map_or("", String::as_str)
    }
}

impl Show for TextLoader {
    /// The first `n` texts of the first epoch as tokens, with what the network does not know as `xxunk`, and their
    /// classes.
    fn shown(&self, n: usize) -> Result<Shown> {
        let rows = self.loader.order(0).into_iter().take(n).map(|index| {
            let tokens = self.dataset.procs().tokens(&self.dataset.ids()[index]);
            let mut words: Vec<&str> = tokens.into_iter().filter(|&token| token != PAD).collect();
            if words.len() > SHOWN_TOKENS {
                words.truncate(SHOWN_TOKENS);
                words.push("…");
            }
            vec![words.join(" "), self.class_of(index).to_string()]
        });
        let columns = ["text", "class"].map(String::from).to_vec();
        Ok(Shown::Table(ShownTable { columns, rows: rows.collect() }))
    }
}

/// The loaders of the texts to train with and of those for validation. fast.ai's `TextDataLoaders`; a
/// [`super::TextBlock`] makes them.
#[derive(Clone)]
pub struct TextDataLoaders {
    /// Texts to train with, shuffled, without a smaller last batch.
    pub train: TextLoader,
    /// Texts for validation, the longest first.
    pub valid: TextLoader,
    /// The test set, where the folder or the table names one. Nothing looks at it while a network trains.
    pub test: Option<TextLoader>,
    pub(super) seed: u64,
    pub(super) batch_size: usize,
}

impl TextDataLoaders {
    /// How texts become numbers.
    pub fn procs(&self) -> &Arc<TextProcs> {
        self.train.dataset.procs()
    }

    /// The classes.
    pub fn classes(&self) -> &Vocab {
        &self.train.classes
    }

    /// The seed of the [`super::TextBlock`] that made them, from which a learner draws too.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The number of training and of validation texts of each class.
    pub fn counts(&self) -> Vec<(usize, usize)> {
        let mut counts = vec![(0, 0); self.classes().n_classes()];
        for (loader, is_train) in [(&self.train, true), (&self.valid, false)] {
            for &class in (0..loader.n_items()).flat_map(|i| loader.dataset.targets().of(i)) {
                if let Some((train, valid)) = counts.get_mut(class as usize) {
                    *(if is_train { train } else { valid }) += 1;
                }
            }
        }
        counts
    }

    /// A loader of other texts, the longest first. Their classes are not known: all targets are 0 and mean nothing.
    /// fast.ai's `test_dl`.
    ///
    /// # Errors
    /// When there are no texts.
    pub fn test_dl(&self, texts: &[String]) -> Result<TextLoader> {
        let procs = self.procs();
        let places = (0..texts.len()).map(|i| format!("text {i}")).collect();
        let (ids, labels) = (procs.ids_of(texts), vec![0; texts.len()]);
        let dataset = TextDataset::new(procs, texts.to_vec(), places, ids, labels);
        TextLoader::valid(dataset, self.classes(), self.batch_size)
    }

    /// Loaders whose batches are on this device.
    #[must_use]
    pub fn device(&self, device: &Device) -> TextDataLoaders {
        let on = |side: &TextLoader| TextLoader { loader: side.loader.clone().device(device), ..side.clone() };
        let test = self.test.as_ref().map(on);
        TextDataLoaders { train: on(&self.train), valid: on(&self.valid), test, ..self.clone() }
    }

    /// The plain loaders, for a learner.
    pub fn loaders(&self) -> DataLoaders {
        DataLoaders { train: self.train.loader.clone(), valid: self.valid.loader.clone() }
    }
}
