//! From queries, keys and values to what each place takes.

use super::{Heads, add_scaled};
use crate::math::exp;
use crate::simd::vectorized;
use rayon::prelude::*;

/// The result `[N, T, channels]`, and, if it is to be kept, with which probability places attend to places,
/// `[N, heads, T, T]`.
pub(super) fn forward(
    heads: &Heads,
    qkv: &[&[f32]],
    keys: &[bool],
    factors: Option<&[f32]>,
    keep: bool,
) -> (Vec<f32>, Vec<f32>) {
    let (size, square) = (heads.places * heads.channels(), heads.places * heads.places);
    let mut out = vec![0.0; heads.texts * size];
    let mut kept = vec![0.0; if keep { heads.texts * heads.heads * square } else { 0 }];
    // Without a way back, a head's probabilities are forgotten with the head.
    let memory: Vec<&mut [f32]> = match keep {
        true => kept.chunks_mut(heads.heads * square).collect(),
        false => (0..heads.texts).map(|_| Default::default()).collect(),
    };
    out.par_chunks_mut(size).zip(memory).enumerate().for_each(|(text, (out, kept))| {
        let [q, k, v] = [0, 1, 2].map(|which| &qkv[which][text * size..][..size]);
        let keys = &keys[text * heads.places..][..heads.places];
        let mut of_one_head = vec![0.0; if keep { 0 } else { square }];
        let mut transposed = vec![0.0; heads.width * heads.places];
        vectorized!({
            for head in 0..heads.heads {
                heads.transpose(k, head, &mut transposed);
                let start = head * square;
                let probabilities = if keep { &mut kept[start..start + square] } else { &mut of_one_head[..] };
                for (place, row) in probabilities.chunks_exact_mut(heads.places).enumerate() {
                    heads.products(heads.at(q, head, place), &transposed, row);
                    softmax(row, keys, heads.scale());
                    let factors = factors.map(|factors| {
                        let row = ((text * heads.heads + head) * heads.places + place) * heads.places;
                        &factors[row..row + heads.places]
                    });
                    let out = heads.at_mut(out, head, place);
                    for (key, &p) in row.iter().enumerate().filter(|&(key, _)| keys[key]) {
                        let p = factors.map_or(p, |factors| p * factors[key]);
                        add_scaled(out, p, heads.at(v, head, key));
                    }
                }
            }
        });
    });
    (out, kept)
}

/// Scores, times `scale`, to probabilities; 0 where there is no key.
#[inline(always)]
fn softmax(row: &mut [f32], keys: &[bool], scale: f32) {
    for (score, &key) in row.iter_mut().zip(keys) {
        *score = if key { *score * scale } else { f32::NEG_INFINITY };
    }
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|score| *score = exp(*score - largest));
    // exp of minus infinity is the smallest number there is, or 0: a key that does not count gets exactly 0.
    row.iter_mut().zip(keys).for_each(|(p, &key)| *p = if key { *p } else { 0.0 });
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|p| *p /= sum);
}
