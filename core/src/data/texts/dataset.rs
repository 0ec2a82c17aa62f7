//! Texts with a class each, and the batches that they become.

use super::padding::pad_chunks;
use super::procs::TextProcs;
use crate::data::{Batch, Dataset, Targets};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::rng::Rng;
use crate::words::UNK_ID;
use candle_core::Tensor;
use std::sync::Arc;
use tallow_io::hash;

/// Texts in memory with a class each. A batch is `[N, L]` numbers of tokens (`u32`), padded ([`pad_chunks`]), and `[N]`
/// classes.
#[derive(Debug, Clone)]
pub struct TextDataset {
    procs: Arc<TextProcs>,
    items: Arc<Items>,
}

#[derive(Debug)]
struct Items {
    texts: Vec<String>,
    /// Where each text comes from, in words.
    places: Vec<String>,
    ids: Vec<Vec<u32>>,
    targets: Targets,
}

impl TextDataset {
    /// Texts, where each comes from in words, their numbers, and their classes.
    pub(super) fn new(
        procs: &Arc<TextProcs>,
        texts: Vec<String>,
        places: Vec<String>,
        ids: Vec<Vec<u32>>,
        labels: Vec<u32>,
    ) -> TextDataset {
        let targets = Targets::Classes(labels);
        TextDataset { procs: procs.clone(), items: Arc::new(Items { texts, places, ids, targets }) }
    }

    /// How texts become numbers.
    pub fn procs(&self) -> &Arc<TextProcs> {
        &self.procs
    }

    /// The texts as they were read.
    pub fn texts(&self) -> &[String] {
        &self.items.texts
    }

    /// Where each text comes from, in words: a line of a table, or a file.
    pub fn places(&self) -> &[String] {
        &self.items.places
    }

    /// The numbers of the tokens of each text.
    pub fn ids(&self) -> &[Vec<u32>] {
        &self.items.ids
    }

    /// The classes.
    pub fn targets(&self) -> &Targets {
        &self.items.targets
    }

    /// How many tokens there are in all texts, and how many of them are of words that the network does not know, all of
    /// which look the same to it (`xxunk`).
    pub fn n_tokens(&self) -> (usize, usize) {
        let unknown = self.items.ids.iter().flatten().filter(|&&id| id == UNK_ID).count();
        (self.lengths().iter().sum(), unknown)
    }

    /// The number of tokens of each text.
    pub fn lengths(&self) -> Vec<usize> {
        self.items.ids.iter().map(Vec::len).collect()
    }
}

impl Dataset for TextDataset {
    fn len(&self) -> usize {
        self.items.ids.len()
    }

    fn item(&self, index: usize, rng: &mut Rng) -> Result<(Tensor, Tensor)> {
        let batch = self.batch(&[index], rng)?;
        Ok((batch.xs.squeeze(0)?, batch.ys.squeeze(0)?))
    }

    fn batch(&self, indices: &[usize], _rng: &Rng) -> Result<Batch> {
        let missing = |i: usize| Error::Value(format!("there is no text {i} among {}", self.len()));
        let text = |&i: &usize| self.items.ids.get(i).map(Vec::as_slice).ok_or_else(|| missing(i));
        let texts: Vec<&[u32]> = indices.iter().map(text).collect::<Result<_>>()?;
        Ok(Batch::new(pad_chunks(&texts, self.procs.seq_len)?, self.items.targets.tensor(indices)?))
    }

    fn fingerprint(&self) -> Result<Fingerprint> {
        let classes = (0..self.len()).flat_map(|i| self.items.targets.of(i).iter().copied());
        Ok(fingerprint(&self.procs, &self.items.ids)
            .with("classes", format!("sha256 {}", digest(classes)))
            .with("length of chunks", self.procs.seq_len))
    }
}

/// What texts are as numbers, and which words these stand for.
pub(super) fn fingerprint(procs: &TextProcs, ids: &[Vec<u32>]) -> Fingerprint {
    // Each text after its length, so that no two collections look alike.
    let all = ids.iter().flat_map(|text| std::iter::once(text.len() as u32).chain(text.iter().copied()));
    let vocab = &hash::bytes(procs.vocab.tokens().join("\n").as_bytes()).sha256[..16];
    let direction = if procs.backwards { "backwards" } else { "forwards" };
    Fingerprint::default()
        .with("texts", format!("{}, sha256 {}", ids.len(), digest(all)))
        .with("vocabulary", format!("{}, sha256 {vocab}", procs.vocab.len()))
        .with("direction", direction)
}

fn digest(numbers: impl Iterator<Item = u32>) -> String {
    let bytes: Vec<u8> = numbers.flat_map(u32::to_le_bytes).collect();
    hash::bytes(&bytes).sha256[..16].to_string()
}
