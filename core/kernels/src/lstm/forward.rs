//! From inputs and a state to all states after it.
#![allow(unsafe_code)]

use super::units::{BLOCK, COLUMNS, Units, padded, unpadded};
use crate::blank::{Blank, fill, filled};
use crate::math::{sigmoid, tanh};
use crate::shared::SharedMut;
use crate::simd::vectorized;
use crate::tiles::{Gemm, PackedB, Place};
use candle_core::Result;
use rayon::prelude::*;
use std::ops::Range;

pub(super) struct Passed {
    /// `[N, T, H]`
    pub(super) ys: Vec<f32>,
    /// `[N, H]`
    pub(super) cell: Vec<f32>,
    /// What the way back needs, if there is to be one.
    pub(super) history: Option<History>,
}

/// All by time first, so that a step's values lie together.
pub(super) struct History {
    /// The gates after their functions, `[T, N, columns]`.
    pub(super) gates: Vec<f32>,
    /// From before the first step until after the last one, `[T + 1, N, H]`.
    pub(super) hidden: Vec<f32>,
    pub(super) cell: Vec<f32>,
}

/// `inputs` are those of [`super::lstm`], in its order.
pub(super) fn forward(units: &Units, inputs: &[&[f32]], keep: bool) -> Result<Passed> {
    let &[xs, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh] = inputs else {
        candle_core::bail!("lstm: expected seven inputs")
    };
    let Units { batch, steps, hidden: h, .. } = *units;
    let (columns, state) = (units.columns(), units.state());
    let weight_hh = PackedB::forward::<f32>(&units.ordered(weight_hh, h), columns, h, 1);
    let bias: Vec<f32> = bias_ih.iter().zip(bias_hh).map(|(a, b)| a + b).collect();
    let mut gates = from_inputs(units, xs, weight_ih, &bias);
    let mut states = [hidden, cell].map(|first| {
        let mut all = Vec::with_capacity((steps + 1) * state);
        all.extend_from_slice(first);
        all.resize((steps + 1) * state, 0.0);
        all
    });
    let shares = units.shares(1);
    let [hidden, cell] = &mut states;
    let [mut all_gates, mut hidden, mut cell] = [&mut gates, hidden, cell].map(|values| Blank::from(&mut values[..]));
    let pass = Pass {
        units,
        weight_hh: &weight_hh,
        gates: SharedMut::new(&mut all_gates),
        hidden: SharedMut::new(&mut hidden),
        cell: SharedMut::new(&mut cell),
    };
    shares.rows.par_iter().for_each(|rows| {
        for step in 0..steps {
            // SAFETY: rows and blocks are shared out, and the step before is over.
            shares.blocks.par_iter().for_each(|blocks| unsafe { pass.step(step, rows, blocks) });
        }
    });
    let [hidden, cell] = states;
    let ys = fill(batch * steps * h, steps * h, (0..batch).into_par_iter(), |row, ys| {
        ys.join(hidden[state..].chunks_exact(state).map(|step| &step[row * h..][..h]))
    });
    let last = cell[steps * state..].to_vec();
    Ok(Passed { ys, cell: last, history: keep.then_some(History { gates, hidden, cell }) })
}

/// What inputs and biases contribute to the gates, `[T, N, columns]`.
fn from_inputs(units: &Units, xs: &[f32], weight_ih: &[f32], bias: &[f32]) -> Vec<f32> {
    let Units { batch, steps, features, .. } = *units;
    let columns = units.columns();
    let panels = PackedB::forward::<f32>(&units.ordered(weight_ih, features), columns, features, 1);
    let place = |row: usize, pieces: &mut [usize]| {
        let (step, sample) = (row / batch, row % batch);
        pieces[0] = (sample * steps + step) * features;
        row * columns
    };
    let bias = units.ordered(bias, 1);
    let product = Gemm {
        rows: batch * steps,
        source: xs,
        len: features,
        segments: &[0],
        panels: &panels,
        place: Place::Each(&place),
        bias: Some(&bias),
        accumulate: false,
        epilogue: None,
    };
    filled(batch * steps * columns, |mut out| {
        // SAFETY: rows follow each other.
        unsafe { product.run(SharedMut::new(&mut out)) };
        // SAFETY: the panels have all columns, so each row was written whole.
        unsafe { out.assume_filled() }
    })
}

/// A pass over all steps, whose values several threads write.
struct Pass<'a> {
    units: &'a Units,
    weight_hh: &'a PackedB,
    /// `[T, N, columns]`, and holds what the inputs contribute.
    gates: SharedMut<'a>,
    /// `[T + 1, N, H]`
    hidden: SharedMut<'a>,
    cell: SharedMut<'a>,
}

impl Pass<'_> {
    /// Some rows of some blocks in a step.
    ///
    /// # Safety
    /// The step before must be over for these rows, and no other thread may have the same rows of the same blocks.
    unsafe fn step(&self, step: usize, rows: &Range<usize>, blocks: &Range<usize>) {
        let Units { batch, hidden: h, .. } = *self.units;
        let columns = self.units.columns();
        let first = step * batch + rows.start;
        let place = |row: usize, pieces: &mut [usize]| {
            pieces[0] = row * h;
            (first + row) * columns
        };
        let product = Gemm {
            rows: rows.len(),
            // SAFETY: the state before the step, written by the step before.
            source: unsafe { self.hidden.values(first * h, rows.len() * h) },
            len: h,
            segments: &[0],
            panels: self.weight_hh,
            place: Place::Each(&place),
            bias: None,
            accumulate: true,
            epilogue: None,
        };
        let each = COLUMNS / self.weight_hh.width();
        // SAFETY: passed on; the gates hold what the inputs contribute.
        unsafe { product.run_part(0..rows.len(), blocks.start * each..blocks.end * each, self.gates) };
        vectorized!({
            for block in blocks.clone() {
                let of = self.units.of(block);
                for row in first..first + rows.len() {
                    // SAFETY: written by the product; one part of each in use at a time.
                    let gates = unsafe { self.gates.part(row * columns + block * COLUMNS, COLUMNS).assume_filled() };
                    // SAFETY: written by the step before.
                    let mut cell = padded(unsafe { self.cell.values(row * h + of.start, of.len()) });
                    let hidden = advance(gates, &mut cell);
                    let after = (row + batch) * h + of.start;
                    // SAFETY: one part of each in use at a time, and nobody else's.
                    let [to_cell, to_hidden] = [self.cell, self.hidden].map(|all| unsafe { all.part(after, of.len()) });
                    unpadded(&cell, to_cell);
                    unpadded(&hidden, to_hidden);
                }
            }
        });
    }
}

/// Applies the gates' functions, moves the cell on, and gives the new hidden state.
#[inline(always)]
fn advance(gates: &mut [f32], cell: &mut [f32; BLOCK]) -> [f32; BLOCK] {
    let ([input, forget, candidate, output], _) = gates.as_chunks_mut::<BLOCK>() else { return [0.0; BLOCK] };
    input.iter_mut().for_each(|x| *x = sigmoid(*x));
    forget.iter_mut().for_each(|x| *x = sigmoid(*x));
    candidate.iter_mut().for_each(|x| *x = tanh(*x));
    output.iter_mut().for_each(|x| *x = sigmoid(*x));
    let mut hidden = [0.0; BLOCK];
    for i in 0..BLOCK {
        cell[i] = forget[i] * cell[i] + input[i] * candidate[i];
        hidden[i] = output[i] * tanh(cell[i]);
    }
    hidden
}
