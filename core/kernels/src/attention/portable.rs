//! Attention out of candle's operations, for all types and devices.

use super::Heads;
use candle_core::{D, Result, Tensor};

pub(super) fn portable(heads: &Heads, qkv: [&Tensor; 3], keys: &[bool], factors: Option<&Tensor>) -> Result<Tensor> {
    let &Heads { texts, places, heads, width } = heads;
    let split = |xs: &Tensor| xs.reshape((texts, places, heads, width))?.transpose(1, 2)?.contiguous();
    let [q, k, v] = qkv;
    let scores = (split(q)?.matmul(&split(k)?.t()?.contiguous()?)? / (width as f64).sqrt())?; // [N, heads, T, T]
    let absent: Vec<f32> = keys.iter().map(|&key| if key { 0.0 } else { f32::NEG_INFINITY }).collect();
    let absent = Tensor::from_vec(absent, (texts, 1, 1, places), q.device())?.to_dtype(q.dtype())?;
    let scores = scores.broadcast_add(&absent)?;
    // The largest is a constant: what it is does not change the result.
    let exps = scores.broadcast_sub(&scores.detach().max_keepdim(D::Minus1)?)?.exp()?;
    let probabilities = exps.broadcast_div(&exps.sum_keepdim(D::Minus1)?)?;
    let probabilities = match factors {
        Some(factors) => (probabilities * factors.to_device(q.device())?)?,
        None => probabilities,
    };
    probabilities.matmul(&split(v)?)?.transpose(1, 2)?.reshape((texts, places, heads * width))
}
