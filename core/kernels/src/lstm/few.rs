//! The way forward for few words, as when a text is written word by word: the weights are read where they are, since
//! packing them would take longer than the products.

use super::forward::Passed;
use super::units::Units;
use crate::math::{sigmoid, tanh};
use crate::simd::vectorized;
use crate::tiles::few_rows;
use candle_core::Result;

/// [`super::forward::forward`] without a history.
pub(super) fn forward(units: &Units, inputs: &[&[f32]]) -> Result<Passed> {
    let &[xs, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh] = inputs else {
        candle_core::bail!("lstm: expected seven inputs")
    };
    let Units { batch, steps, features, hidden: h } = *units;
    let bias: Vec<f32> = bias_ih.iter().zip(bias_hh).map(|(a, b)| a + b).collect();
    let from_inputs = few_rows(xs, weight_ih, Some(&bias), features); // [N, T, 4 H]
    let (mut hidden, mut cell) = (hidden.to_vec(), cell.to_vec());
    let mut ys = vec![0.0; batch * steps * h];
    for step in 0..steps {
        let mut gates = few_rows(&hidden, weight_hh, None, h); // [N, 4 H]
        for (row, gates) in gates.chunks_exact_mut(4 * h).enumerate() {
            let place = row * steps + step;
            let (cell, y) = (&mut cell[row * h..][..h], &mut ys[place * h..][..h]);
            vectorized!({
                gates.iter_mut().zip(&from_inputs[place * 4 * h..]).for_each(|(gate, x)| *gate += x);
                advance(gates, cell, y);
            });
            hidden[row * h..][..h].copy_from_slice(y);
        }
    }
    Ok(Passed { ys, cell, history: None })
}

/// Moves the cells of a sample on, and writes its new hidden state.
#[inline(always)]
fn advance(gates: &[f32], cell: &mut [f32], hidden: &mut [f32]) {
    let h = cell.len();
    let [input, forget, candidate, output] = [0, 1, 2, 3].map(|gate| &gates[gate * h..][..h]);
    for (unit, (cell, hidden)) in cell.iter_mut().zip(hidden).enumerate() {
        *cell = sigmoid(forget[unit]) * *cell + sigmoid(input[unit]) * tanh(candidate[unit]);
        *hidden = sigmoid(output[unit]) * tanh(*cell);
    }
}
