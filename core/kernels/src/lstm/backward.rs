//! From the gradients of all states to those of inputs, first state and weights.
#![allow(unsafe_code)]

use super::forward::History;
use super::units::{BLOCK, COLUMNS, Units, padded, unpadded};
use crate::blank::{Blank, fill, filled};
use crate::conv2d::{ConvParams, Geometry};
use crate::math::tanh;
use crate::shared::SharedMut;
use crate::simd::vectorized;
use crate::sums::sum_rows;
use crate::tiles::{Gemm, PackedB, Place};
use crate::values::Stored;
use candle_core::Result;
use rayon::prelude::*;
use std::ops::Range;

/// The gradients of [`super::lstm`]'s inputs, in its order, from those of its results: `dy` `[N, T, H]`, and `dcell`
/// `[N, H]` of the last cell state.
pub(super) fn backward(
    units: &Units,
    inputs: &[&[f32]],
    history: &History,
    dy: &[f32],
    dcell: Option<Vec<f32>>,
    wanted: &[bool],
) -> Result<Vec<Option<Vec<f32>>>> {
    let &[xs, _, _, weight_ih, weight_hh, ..] = inputs else { candle_core::bail!("lstm: expected seven inputs") };
    let Units { batch, steps, features, hidden: h } = *units;
    let (columns, state, width) = (units.columns(), units.state(), batch * units.columns());
    let panels = PackedB::backward::<f32>(&units.ordered(weight_hh, h), columns, h, 1);
    let (mut dhidden, mut dcell) = (vec![0.0; state], dcell.unwrap_or_else(|| vec![0.0; state]));
    let to_hidden = |row: usize, pieces: &mut [usize]| {
        pieces[0] = row * columns;
        row * h
    };
    // Whole panels of units.
    let shares = units.shares(panels.width().div_ceil(BLOCK));
    let dgates = filled(steps * width, |mut gates| {
        let [mut hidden, mut cell] = [&mut dhidden, &mut dcell].map(|values| Blank::from(&mut values[..]));
        let pass = Pass {
            units,
            history,
            dy,
            panels: &panels,
            dgates: SharedMut::new(&mut gates),
            dhidden: SharedMut::new(&mut hidden),
            dcell: SharedMut::new(&mut cell),
        };
        shares.rows.par_iter().for_each(|rows| {
            for step in (0..steps).rev() {
                // SAFETY: rows and blocks are shared out, and the step after is done with.
                shares.blocks.par_iter().for_each(|blocks| unsafe { pass.step(step, rows, blocks) });
            }
        });
        // SAFETY: each step has written all columns of all blocks in each row.
        unsafe { gates.assume_filled() }
    });
    let to_inputs = |row: usize, pieces: &mut [usize]| {
        pieces[0] = row * columns;
        (row % batch * steps + row / batch) * features
    };
    let run = |product: Gemm<'_>, len: usize| {
        filled(len, |mut out| {
            // SAFETY: each row has a place of its own.
            unsafe { product.run(SharedMut::new(&mut out)) };
            // SAFETY: the panels have all columns, so each row was written whole.
            unsafe { out.assume_filled() }
        })
    };
    let dxs = wanted[0].then(|| {
        let panels = PackedB::backward::<f32>(&units.ordered(weight_ih, features), columns, features, 1);
        run(product(batch * steps, &dgates, columns, &panels, &to_inputs), batch * steps * features)
    });
    let dfirst = wanted[1].then(|| run(product(batch, &dgates[..width], columns, &panels, &to_hidden), state));
    let by_weight = |source: &[f32], k: usize| {
        // A linear layer's weight, seen as a convolution's.
        let geometry = Geometry::new(&[1, batch * steps, 1, k], &[columns, k, 1, 1], &ConvParams::new(1, 0))?;
        Result::Ok(units.unordered(&geometry.by_weight(Stored::F32(&dgates), Stored::F32(source)), k))
    };
    let dweight_ih = wanted[3].then(|| by_weight(&by_time(units, xs), features)).transpose()?;
    let dweight_hh = wanted[4].then(|| by_weight(&history.hidden[..steps * state], h)).transpose()?;
    let dbias = (wanted[5] || wanted[6]).then(|| units.unordered(&sum_rows(&dgates, columns), 1));
    let [dbias_ih, dbias_hh] = [wanted[5], wanted[6]].map(|wanted| dbias.clone().filter(|_| wanted));
    Ok(vec![dxs, dfirst, wanted[2].then_some(dcell), dweight_ih, dweight_hh, dbias_ih, dbias_hh])
}

/// `source`, in rows of `len` values, times a packed matrix.
fn product<'a>(
    rows: usize,
    source: &'a [f32],
    len: usize,
    panels: &'a PackedB,
    place: &'a (dyn Fn(usize, &mut [usize]) -> usize + Sync),
) -> Gemm<'a> {
    Gemm {
        rows,
        source,
        len,
        segments: &[0],
        panels,
        place: Place::Each(place),
        bias: None,
        accumulate: false,
        epilogue: None,
    }
}

/// `[N, T, in]` as `[T, N, in]`.
fn by_time(units: &Units, xs: &[f32]) -> Vec<f32> {
    let Units { batch, steps, features, .. } = *units;
    fill(xs.len(), batch * features, (0..steps).into_par_iter(), |step, out| {
        out.join(xs.chunks_exact(steps * features).map(|sample| &sample[step * features..][..features]))
    })
}

/// A pass back over all steps, whose gradients several threads write.
struct Pass<'a> {
    units: &'a Units,
    history: &'a History,
    dy: &'a [f32],
    panels: &'a PackedB,
    /// `[T, N, columns]`
    dgates: SharedMut<'a>,
    /// What the step after says about the hidden state, `[N, H]`; zeros before the last step.
    dhidden: SharedMut<'a>,
    /// `[N, H]`, of the cell state after a step; afterwards, of the one before.
    dcell: SharedMut<'a>,
}

impl Pass<'_> {
    /// Some rows of some blocks in a step.
    ///
    /// # Safety
    /// The step after must be done with for these rows, and no other thread may have the same rows of the same blocks.
    unsafe fn step(&self, step: usize, rows: &Range<usize>, blocks: &Range<usize>) {
        let Units { batch, steps, hidden: h, .. } = *self.units;
        let (columns, state) = (self.units.columns(), self.units.state());
        let first = step * batch + rows.start;
        if step + 1 < steps {
            let place = |row: usize, pieces: &mut [usize]| {
                pieces[0] = row * columns;
                (rows.start + row) * h
            };
            // SAFETY: written by the step after.
            let later = unsafe { self.dgates.values((first + batch) * columns, rows.len() * columns) };
            let each = self.panels.width();
            let last = self.units.of(blocks.end - 1).end;
            let panels = blocks.start * BLOCK / each..last.div_ceil(each);
            // SAFETY: blocks begin and end with panels, passed on.
            unsafe {
                product(rows.len(), later, columns, self.panels, &place).run_part(0..rows.len(), panels, self.dhidden)
            };
        }
        vectorized!({
            for block in blocks.clone() {
                let of = self.units.of(block);
                for row in rows.clone() {
                    let at = row * h + of.start;
                    // SAFETY: written by the product or zeros from the beginning; nobody writes it now.
                    let mut dhidden = padded(unsafe { self.dhidden.values(at, of.len()) });
                    let dy = padded(&self.dy[(row * steps + step) * h + of.start..][..of.len()]);
                    dhidden.iter_mut().zip(dy).for_each(|(dhidden, dy)| *dhidden += dy);
                    // SAFETY: as above, and written again only when it has been read.
                    let mut dcell = padded(unsafe { self.dcell.values(at, of.len()) });
                    let cells =
                        [0, state].map(|later| padded(&self.history.cell[step * state + later + at..][..of.len()]));
                    let start = (step * batch + row) * columns + block * COLUMNS;
                    let dgates = retreat(&self.history.gates[start..][..COLUMNS], cells, dhidden, &mut dcell);
                    // SAFETY: one part in use at a time, and nobody else's.
                    unpadded(&dcell, unsafe { self.dcell.part(at, of.len()) });
                    // SAFETY: as above.
                    unsafe { self.dgates.part(start, COLUMNS) }.copy(dgates.as_flattened());
                }
            }
        });
    }
}

/// The gradients of the gates before their functions; `dcell` goes from after the step to before it.
#[inline(always)]
fn retreat(
    gates: &[f32],
    [before, after]: [[f32; BLOCK]; 2],
    dhidden: [f32; BLOCK],
    dcell: &mut [f32; BLOCK],
) -> [[f32; BLOCK]; 4] {
    let mut dgates = [[0.0; BLOCK]; 4];
    let ([input, forget, candidate, output], _) = gates.as_chunks::<BLOCK>() else { return dgates };
    for i in 0..BLOCK {
        let out = tanh(after[i]);
        let d = dcell[i] + dhidden[i] * output[i] * (1.0 - out * out);
        dgates[0][i] = d * candidate[i] * input[i] * (1.0 - input[i]);
        dgates[1][i] = d * before[i] * forget[i] * (1.0 - forget[i]);
        dgates[2][i] = d * input[i] * (1.0 - candidate[i] * candidate[i]);
        dgates[3][i] = dhidden[i] * out * output[i] * (1.0 - output[i]);
        dcell[i] = d * forget[i];
    }
    dgates
}
