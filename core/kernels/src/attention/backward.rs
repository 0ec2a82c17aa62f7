//! The way back.

use super::{Heads, add_scaled};
use crate::simd::vectorized;
use rayon::prelude::*;

/// The gradients by queries, keys and values, from `[q, k, v, gradient]` and the probabilities before dropout.
pub(super) fn backward(
    heads: &Heads,
    values: &[&[f32]],
    probabilities: &[f32],
    factors: Option<&[f32]>,
) -> [Vec<f32>; 3] {
    let (size, square) = (heads.places * heads.channels(), heads.places * heads.places);
    let mut grads = [0; 3].map(|_| vec![0.0; heads.texts * size]);
    let [dq, dk, dv] = grads.each_mut().map(|grad| grad.par_chunks_mut(size));
    dq.zip(dk).zip(dv).enumerate().for_each(|(text, ((dq, dk), dv))| {
        let [q, k, v, dy] = [0, 1, 2, 3].map(|which| &values[which][text * size..][..size]);
        let mut transposed = vec![0.0; heads.width * heads.padded()];
        let mut by_row = vec![0.0; heads.padded()];
        vectorized!({
            for head in 0..heads.heads {
                heads.transpose(v, head, &mut transposed);
                for place in 0..heads.places {
                    let row = (text * heads.heads + head) * square + place * heads.places;
                    let p = &probabilities[row..row + heads.places];
                    let factors = factors.map(|factors| &factors[row..row + heads.places]);
                    let dy = heads.at(dy, head, place);
                    // By the probabilities after dropout, then before it.
                    heads.products([dy], &transposed, &mut by_row);
                    for (key, &p) in p.iter().enumerate() {
                        let factor = factors.map_or(1.0, |factors| factors[key]);
                        add_scaled(heads.at_mut(dv, head, key), p * factor, dy);
                        by_row[key] *= factor;
                    }
                    let along: f32 = by_row.iter().zip(p).map(|(by, p)| by * p).sum();
                    for (key, &p) in p.iter().enumerate() {
                        let by_score = p * (by_row[key] - along) * heads.scale();
                        add_scaled(heads.at_mut(dq, head, place), by_score, heads.at(k, head, key));
                        add_scaled(heads.at_mut(dk, head, key), by_score, heads.at(q, head, place));
                    }
                }
            }
        });
    });
    grads
}
