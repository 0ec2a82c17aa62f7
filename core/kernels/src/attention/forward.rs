//! From queries, keys and values to what each place takes.

use super::Heads;
use crate::math::exp;
use crate::simd::vectorized;
use crate::softmax::{largest, reduce};
use rayon::prelude::*;

/// Places that are computed together: one sum would wait for its own additions, and each value read serves all of them.
const ROWS: usize = 4;

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
        let mut is_key = vec![false; heads.padded()];
        is_key[..heads.places].copy_from_slice(&keys[text * heads.places..][..heads.places]);
        let padded = heads.padded();
        let mut rows = vec![0.0; ROWS * padded];
        let mut transposed = vec![0.0; heads.width * padded];
        vectorized!({
            for head in 0..heads.heads {
                heads.transpose(k, head, &mut transposed);
                for first in (0..heads.places).step_by(ROWS) {
                    // The last place more than once, if the places do not go into whole groups.
                    let queries = [0, 1, 2, 3].map(|row| heads.at(q, head, (first + row).min(heads.places - 1)));
                    heads.products::<ROWS>(queries, &transposed, &mut rows);
                    for (place, row) in (first..heads.places).zip(rows.chunks_exact_mut(padded)) {
                        softmax(row, &is_key, heads.scale());
                        if keep {
                            kept[head * square + place * heads.places..][..heads.places]
                                .copy_from_slice(&row[..heads.places]);
                        }
                        if let Some(factors) = factors {
                            let at = ((text * heads.heads + head) * heads.places + place) * heads.places;
                            row.iter_mut().zip(&factors[at..at + heads.places]).for_each(|(p, factor)| *p *= factor);
                        }
                    }
                    heads.weighted::<ROWS>(&rows, v, head, out, first);
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
    let largest = largest(row);
    row.iter_mut().for_each(|score| *score = exp(*score - largest));
    // exp of minus infinity is the smallest number there is, or 0: a key that does not count gets exactly 0.
    row.iter_mut().zip(keys).for_each(|(p, &key)| *p = if key { *p } else { 0.0 });
    let sum = reduce(row, 0.0, |p| p, |a, b| a + b);
    row.iter_mut().for_each(|p| *p /= sum);
}
