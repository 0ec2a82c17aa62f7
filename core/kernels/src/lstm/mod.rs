//! Long short-term memory (Hochreiter and Schmidhuber, 1997): one layer, all time steps in one operation.
//!
//! What the inputs contribute is one product for all time steps. What the state contributes has to wait for the step
//! before, and is one product for each step, followed by the gates and the new state of its units. As long as the
//! weights stay in a thread's cache, each thread takes some rows of the batch through all steps; larger weights are
//! shared out instead, and the threads meet after each step. On the way back it is the same, and the gradients by the
//! weights are two products for all time steps at the end. A few words that ask for no way back go by a path of their
//! own (`few`).

mod backward;
mod few;
mod forward;
mod portable;
mod units;

use super::graph::{record, tracked};
use super::tiles::FEW;
use super::{fast, with_all, with_values};
use candle_core::{Device, Result, Tensor};
use std::sync::{Arc, Mutex, PoisonError};
use units::Units;

/// The weights of an LSTM layer, with PyTorch's names. Rows are in four groups of `H`: input gate, forget gate, cell,
/// output gate.
#[derive(Debug, Clone, Copy)]
pub struct LstmWeights<'a> {
    /// `[4·H, in]`
    pub weight_ih: &'a Tensor,
    /// `[4·H, H]`
    pub weight_hh: &'a Tensor,
    /// `[4·H]`
    pub bias_ih: &'a Tensor,
    /// `[4·H]`
    pub bias_hh: &'a Tensor,
}

/// The result of [`lstm`].
#[derive(Debug, Clone)]
pub struct LstmOutput {
    /// The hidden state after each step, `[N, T, H]`.
    pub ys: Tensor,
    /// The hidden state after the last step, `[N, H]`.
    pub hidden: Tensor,
    /// The cell state after the last step, `[N, H]`.
    pub cell: Tensor,
}

/// A layer of PyTorch's `nn.LSTM(in, H, batch_first=True)`, from the state before the first step:
///
/// ```text
/// i, f, g, o = σ, σ, tanh, σ of weight_ih · x + bias_ih + weight_hh · hidden + bias_hh
/// cell = f · cell + i · g
/// hidden = o · tanh(cell)
/// ```
///
/// # Shapes
/// `xs` `[N, T, in]`, `hidden` and `cell` `[N, H]`; see [`LstmWeights`] and [`LstmOutput`]. All of them, the first
/// state included, get gradients.
///
/// # Errors
/// When the shapes do not fit together, or something is empty.
pub fn lstm(xs: &Tensor, hidden: &Tensor, cell: &Tensor, weights: LstmWeights<'_>) -> Result<LstmOutput> {
    let LstmWeights { weight_ih, weight_hh, bias_ih, bias_hh } = weights;
    let inputs = [xs, hidden, cell, weight_ih, weight_hh, bias_ih, bias_hh];
    let units = sizes(&inputs)?;
    if !inputs.iter().all(|tensor| fast(tensor)) {
        return portable::portable(xs, hidden, cell, weights);
    }
    let keep = tracked(&inputs);
    let Units { batch, steps, hidden: h, .. } = units;
    let few = !keep && batch * steps <= FEW;
    let passed =
        with_all(
            &inputs,
            |values| {
                if few { few::forward(&units, values) } else { forward::forward(&units, values, keep) }
            },
        )?;
    let last = passed.cell;
    let kept: Vec<Tensor> = inputs.into_iter().cloned().collect();
    let history = passed.history;
    let by_cell: Arc<Mutex<Option<Tensor>>> = Arc::default();
    let slot = by_cell.clone();
    let ys = record(&inputs, passed.ys, (batch, steps, h), move |_, dy, wanted| {
        let Some(history) = &history else { candle_core::bail!("lstm: no history of a passage without gradients") };
        let dcell = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        let dcell = dcell.map(|dcell| with_values(&dcell, |values| Ok(values.to_vec()))).transpose()?;
        let grads = with_values(dy, |dy| {
            with_all(&kept.iter().collect::<Vec<_>>(), |values| {
                backward::backward(&units, values, history, dy, dcell, wanted)
            })
        })?;
        let tensors = grads.into_iter().zip(&kept);
        tensors.map(|(grad, of)| grad.map(|grad| Tensor::from_vec(grad, of.dims(), &Device::Cpu)).transpose()).collect()
    })?;
    let hidden = ys.narrow(1, steps - 1, 1)?.squeeze(1)?;
    // The last cell state's gradient has to reach the operation above: it waits for it, and a gradient of zeros sees to
    // it that the operation's way back is gone.
    let cell = record(&[&ys], last, (batch, h), move |_, grad, _| {
        *by_cell.lock().unwrap_or_else(PoisonError::into_inner) = Some(grad.clone());
        Ok(vec![Some(Tensor::zeros((batch, steps, h), grad.dtype(), grad.device())?)])
    })?;
    Ok(LstmOutput { ys, hidden, cell })
}

/// The sizes, once it is clear that they fit together.
fn sizes(inputs: &[&Tensor; 7]) -> Result<Units> {
    let names = ["input [N, T, in]", "hidden [N, H]", "cell", "weight_ih [4 H, in]", "weight_hh", "bias_ih", "bias_hh"];
    let shapes = || {
        let each = names.iter().zip(inputs).map(|(name, tensor)| format!("{name} {:?}", tensor.dims()));
        each.collect::<Vec<_>>().join(", ")
    };
    let (&[batch, steps, features], &[_, hidden]) = (inputs[0].dims(), inputs[1].dims()) else {
        candle_core::bail!("lstm: expected an input [N, T, in] and a state [N, H], got {}", shapes())
    };
    if [batch, steps, features, hidden].contains(&0) {
        candle_core::bail!("lstm: a size of 0: {}", shapes());
    }
    let gates = 4 * hidden;
    let expected: [&[usize]; 6] =
        [&[batch, hidden], &[batch, hidden], &[gates, features], &[gates, hidden], &[gates], &[gates]];
    if inputs[1..].iter().zip(expected).any(|(tensor, dims)| tensor.dims() != dims) {
        candle_core::bail!("lstm: shapes do not fit together: {}", shapes());
    }
    Ok(Units::new(batch, steps, features, hidden))
}
