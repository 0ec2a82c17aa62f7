//! What a run of a target starts from, and what it learns.

use crate::{Answer, Target, mutate};
use std::collections::BTreeSet;
use std::path::Path;
use tallow::rng::Rng;

/// A run of one target: inputs in an order that seed and target determine. An input that was answered in new words
/// becomes a seed itself, so that the run finds its way into the format.
pub struct Pool<'a> {
    target: &'a Target,
    folder: &'a Path,
    seeds: Vec<Vec<u8>>,
    answers: BTreeSet<String>,
    rng: Rng,
    n: u64,
}

impl<'a> Pool<'a> {
    /// Starts a run whose files are in `folder`.
    pub fn new(target: &'a Target, folder: &'a Path, seed: u64) -> Pool<'a> {
        let seeds = (target.seeds)(folder);
        Pool { target, folder, seeds, answers: BTreeSet::new(), rng: Rng::new(seed).stream(target.name), n: 0 }
    }

    /// The next input: first the seeds themselves.
    pub fn next_input(&mut self) -> Vec<u8> {
        let n = self.n;
        self.n += 1;
        match self.seeds.get(n as usize) {
            Some(seed) if self.answers.len() as u64 <= n => seed.clone(),
            _ => self.changed(&mut self.rng.substream(n)),
        }
    }

    fn changed(&self, rng: &mut Rng) -> Vec<u8> {
        let within = self.target.structure.filter(|_| rng.below(4) > 0);
        let seed = &self.seeds[rng.below(self.seeds.len())];
        let changed = within.and_then(|structure| structure(seed, rng));
        changed.unwrap_or_else(|| mutate(&self.seeds, self.target.tokens, rng))
    }

    /// Gives an input to the target; a fault in words, if it is one.
    pub fn give(&mut self, input: &[u8]) -> Option<String> {
        match self.target.answer(input, self.folder) {
            Answer::Fault(words) => Some(words),
            Answer::Fine(words) => {
                // Numbers and names differ from input to input.
                let words: String = words.chars().filter(|c| c.is_alphabetic() || *c == ' ').take(60).collect();
                if self.answers.len() < 5000 && self.answers.insert(words) && !self.seeds.iter().any(|s| s == input) {
                    self.seeds.push(input.to_vec());
                }
                None
            }
        }
    }

    /// How many inputs there were.
    pub fn n_inputs(&self) -> u64 {
        self.n
    }

    /// How many answers in different words there were.
    pub fn n_answers(&self) -> usize {
        self.answers.len()
    }

    /// Makes an input that is a fault as small as cutting parts out of it can.
    pub fn minimised(&self, input: &[u8]) -> Vec<u8> {
        let is_fault = |input: &[u8]| matches!(self.target.answer(input, self.folder), Answer::Fault(_));
        let mut input = input.to_vec();
        let mut size = input.len() / 2;
        while size > 0 {
            let mut at = 0;
            while at < input.len() {
                let mut shorter = input.clone();
                shorter.drain(at..(at + size).min(input.len()));
                if is_fault(&shorter) {
                    input = shorter;
                } else {
                    at += size;
                }
            }
            size /= 2;
        }
        input
    }
}
