//! The layer out of candle's operations, step by step, for all types and devices.

use super::{LstmOutput, LstmWeights};
use crate::activation::Activation::Sigmoid;
use candle_core::{Result, Tensor};

pub(super) fn portable(xs: &Tensor, hidden: &Tensor, cell: &Tensor, weights: LstmWeights<'_>) -> Result<LstmOutput> {
    let (batch, steps, features) = xs.dims3()?;
    let from_inputs = xs
        .reshape((batch * steps, features))?
        .matmul(&weights.weight_ih.t()?)?
        .broadcast_add(weights.bias_ih)?
        .broadcast_add(weights.bias_hh)?
        .reshape((batch, steps, weights.bias_ih.elem_count()))?;
    let weight_hh = weights.weight_hh.t()?;
    let (mut hidden, mut cell) = (hidden.clone(), cell.clone());
    let mut ys = Vec::with_capacity(steps);
    for step in 0..steps {
        let gates = (from_inputs.narrow(1, step, 1)?.squeeze(1)? + hidden.matmul(&weight_hh)?)?.chunk(4, 1)?;
        let kept = (Sigmoid.portable(&gates[1])? * &cell)?;
        cell = (kept + (Sigmoid.portable(&gates[0])? * gates[2].tanh()?)?)?;
        hidden = (Sigmoid.portable(&gates[3])? * cell.tanh()?)?;
        ys.push(hidden.clone());
    }
    Ok(LstmOutput { ys: Tensor::stack(&ys, 1)?, hidden, cell })
}
