//! A language model that writes.

use crate::data::TextProcs;
use crate::error::{Error, Result};
use crate::kernels;
use crate::models::LanguageModel;
use crate::nn::Module;
use crate::rng::Rng;
use crate::words::{UNK_ID, readable};
use candle_core::{D, DType, Device, Tensor};

/// How a language model goes on with a text: fast.ai's arguments of `predict`, and its defaults.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Writing {
    /// How many words to add.
    pub n_words: usize,
    /// Below 1 likely words become more likely, above 1 less; towards 0 the likeliest is taken.
    pub temperature: f64,
    /// Words less probable than this are not drawn, unless all are.
    pub min_p: Option<f64>,
    /// Whether `xxunk` may be written.
    pub unknown_words: bool,
    /// The seed of the words that are drawn.
    pub seed: u64,
}

impl Default for Writing {
    fn default() -> Writing {
        Writing { n_words: 1, temperature: 1.0, min_p: None, unknown_words: false, seed: 0 }
    }
}

/// `text` and the words that the model adds, as a text to read.
pub(super) fn write(
    model: &LanguageModel,
    procs: &TextProcs,
    device: &Device,
    text: &str,
    how: Writing,
) -> Result<String> {
    if how.temperature.is_nan() || how.temperature <= 0.0 {
        let message = format!("expected a temperature above 0, got {}", how.temperature);
        return Err(Error::config("temperature", message));
    }
    let mut rng = Rng::new(how.seed).stream("words");
    let mut ids = procs.ids(text);
    let before = model.state();
    model.reset();
    let mut new = ids.clone();
    let written = (0..how.n_words).try_for_each(|_| {
        let input = Tensor::new(new.as_slice(), device)?.unsqueeze(0)?;
        let scores = kernels::no_grad(|| model.forward(&input, false))?;
        let last = scores.narrow(1, new.len() - 1, 1)?.flatten_all()?.to_dtype(DType::F64)?;
        let mut chances = candle_nn::ops::softmax(&last, D::Minus1)?.to_vec1::<f64>()?;
        let word = draw(&mut chances, how, &mut rng);
        ids.push(word);
        new = vec![word];
        Ok::<_, Error>(())
    });
    model.set_state(before);
    written?;
    Ok(readable(&procs.tokens(&ids)))
}

/// A word by the chances of all, as the settings change them.
fn draw(chances: &mut [f64], how: Writing, rng: &mut Rng) -> u32 {
    if let (false, Some(unknown)) = (how.unknown_words, chances.get_mut(UNK_ID as usize)) {
        *unknown = 0.0;
    }
    if let Some(min_p) = how.min_p.filter(|min_p| chances.iter().any(|chance| chance >= min_p)) {
        chances.iter_mut().filter(|chance| **chance < min_p).for_each(|chance| *chance = 0.0);
    }
    // As powers of shares of the largest, which do not all become 0.
    let largest = chances.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    chances.iter_mut().for_each(|chance| *chance = libm::pow(*chance / largest, 1.0 / how.temperature));
    let mut left = rng.uniform(0.0, chances.iter().sum());
    let drawn = chances.iter().position(|chance| {
        left -= chance;
        left < 0.0
    });
    drawn.or_else(|| chances.iter().rposition(|&chance| chance > 0.0)).unwrap_or(0) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_drawn_by_their_chances() {
        let counts = |how: Writing| {
            let (mut rng, mut counts) = (Rng::new(1), [0; 4]);
            (0..10_000).for_each(|_| counts[draw(&mut [0.3, 0.1, 0.2, 0.4], how, &mut rng) as usize] += 1);
            counts.map(|n| f64::from(n) / 10_000.0)
        };
        let near = |got: [f64; 4], want: [f64; 4]| {
            assert!(got.iter().zip(want).all(|(got, want)| (got - want).abs() < 0.02), "{got:?} instead of {want:?}");
        };
        near(counts(Writing::default()), [0.0, 1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0]);
        near(counts(Writing { unknown_words: true, ..Writing::default() }), [0.3, 0.1, 0.2, 0.4]);
        // Squares, of which the sum is 0.21.
        near(counts(Writing { temperature: 0.5, ..Writing::default() }), [0.0, 1.0 / 21.0, 4.0 / 21.0, 16.0 / 21.0]);
        near(counts(Writing { min_p: Some(0.15), ..Writing::default() }), [0.0, 0.0, 1.0 / 3.0, 2.0 / 3.0]);
        near(counts(Writing { min_p: Some(0.5), ..Writing::default() }), [0.0, 1.0 / 7.0, 2.0 / 7.0, 4.0 / 7.0]);
        near(counts(Writing { temperature: 1e-3, ..Writing::default() }), [0.0, 0.0, 0.0, 1.0]);
    }
}
