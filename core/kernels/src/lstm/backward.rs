//! From the gradients of all states to those of inputs, first state and weights.
#![allow(unsafe_code)]

use super::forward::History;
use super::units::{BLOCK, COLUMNS, Part, Units};
use crate::blank::{Blank, fill, filled};
use crate::conv2d::{ConvParams, Geometry};
use crate::math::tanh;
use crate::shared::SharedMut;
use crate::simd::dispatch;
use crate::sums::sum_rows;
use crate::tiles::{Gemm, PackedB};
use candle_core::Result;
use rayon::prelude::*;

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
    let panels = PackedB::backward(&units.ordered(weight_hh, h), columns, h, 1);
    let mut dgates = vec![0.0; steps * width];
    let (mut dhidden, mut dcell) = (vec![0.0; state], dcell.unwrap_or_else(|| vec![0.0; state]));
    let to_hidden = |row: usize, pieces: &mut [usize]| {
        pieces[0] = row * columns;
        row * h
    };
    // Tasks have whole panels of units.
    let parts = units.parts(panels.width().div_ceil(BLOCK));
    for step in (0..steps).rev() {
        let (now, later) = dgates[step * width..].split_at_mut(width);
        let (mut now, mut hidden) = (Blank::from(now), Blank::from(&mut dhidden[..]));
        let mut cell = Blank::from(&mut dcell[..]);
        let back = Step {
            units,
            history,
            dy,
            step,
            product: later.get(..width).map(|later| product(batch, later, columns, &panels, &to_hidden)),
            each: panels.width(),
            dgates: SharedMut::new(&mut now),
            dhidden: SharedMut::new(&mut hidden),
            dcell: SharedMut::new(&mut cell),
        };
        // SAFETY: a part has its rows and blocks, and so its places, for itself.
        parts.par_iter().for_each(|part| unsafe { back.run(part) });
    }
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
        let panels = PackedB::backward(&units.ordered(weight_ih, features), columns, features, 1);
        run(product(batch * steps, &dgates, columns, &panels, &to_inputs), batch * steps * features)
    });
    let dfirst = wanted[1].then(|| run(product(batch, &dgates[..width], columns, &panels, &to_hidden), state));
    let by_weight = |source: &[f32], k: usize| {
        // A linear layer's weight, seen as a convolution's.
        let geometry = Geometry::new(&[1, batch * steps, 1, k], &[columns, k, 1, 1], &ConvParams::new(1, 0))?;
        Result::Ok(units.unordered(&geometry.by_weight(&dgates, source), k))
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
    Gemm { rows, source, len, segments: &[0], panels, place, bias: None, accumulate: false, epilogue: None }
}

/// `[N, T, in]` as `[T, N, in]`.
fn by_time(units: &Units, xs: &[f32]) -> Vec<f32> {
    let Units { batch, steps, features, .. } = *units;
    fill(xs.len(), batch * features, (0..steps).into_par_iter(), |step, out| {
        out.join(xs.chunks_exact(steps * features).map(|sample| &sample[step * features..][..features]))
    })
}

struct Step<'a> {
    units: &'a Units,
    history: &'a History,
    dy: &'a [f32],
    step: usize,
    /// From the gradients of the next step's gates to what they say about this step's hidden state.
    product: Option<Gemm<'a>>,
    /// Units of a panel.
    each: usize,
    dgates: SharedMut<'a>,
    dhidden: SharedMut<'a>,
    /// Of the cell state after this step; afterwards, of the one before.
    dcell: SharedMut<'a>,
}

impl Step<'_> {
    /// # Safety
    /// No other task may have the same rows of the same blocks.
    unsafe fn run(&self, part: &Part) {
        let Units { batch, steps, hidden: h, .. } = *self.units;
        let (columns, state) = (self.units.columns(), self.units.state());
        let last = self.units.of(part.blocks.end - 1).end;
        if let Some(product) = &self.product {
            let panels = part.blocks.start * BLOCK / self.each..last.div_ceil(self.each);
            // SAFETY: a part's blocks begin and end with panels, passed on.
            unsafe { product.run_part(part.rows.clone(), panels, self.dhidden) };
        }
        let gates = &self.history.gates[self.step * batch * columns..][..batch * columns];
        let cells = &self.history.cell[self.step * state..][..2 * state];
        dispatch(|| {
            for block in part.blocks.clone() {
                let of = self.units.of(block);
                for row in part.rows.clone() {
                    let padded = |values: &[f32]| {
                        let mut all = [0.0; BLOCK];
                        all[..of.len()].copy_from_slice(values);
                        all
                    };
                    let at = row * h + of.start;
                    // SAFETY: written by the product or zeros from the beginning; one part of each in use at a time.
                    let mut dhidden = padded(unsafe { self.dhidden.part(at, of.len()).assume_filled() });
                    // SAFETY: as above.
                    let dcell = unsafe { self.dcell.part(at, of.len()).assume_filled() };
                    let dy = padded(&self.dy[(row * steps + self.step) * h + of.start..][..of.len()]);
                    dhidden.iter_mut().zip(dy).for_each(|(dhidden, dy)| *dhidden += dy);
                    let mut before = padded(dcell);
                    let cells = [padded(&cells[at..][..of.len()]), padded(&cells[state + at..][..of.len()])];
                    let start = row * columns + block * COLUMNS;
                    let dgates = retreat(&gates[start..][..COLUMNS], cells, dhidden, &mut before);
                    dcell.copy_from_slice(&before[..of.len()]);
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
