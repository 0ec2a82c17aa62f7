//! A layer of the encoder.

use super::config::BertConfig;
use crate::error::Result;
use crate::kernels::trace::{Operation, traced};
use crate::kernels::{self, Activation};
use crate::nn::init::Init;
use crate::nn::{Dropout, LayerNorm, Linear, Module, Params};
use candle_core::Tensor;

/// Attention, then a product, an activation and a product; after both, what came in is added, and the sum normalised.
/// transformers' `BertLayer`.
pub(super) struct Layer {
    query: Linear,
    key: Linear,
    value: Linear,
    heads: usize,
    attention_dropout: Dropout,
    after_attention: Output,
    intermediate: Linear,
    output: Output,
}

impl Layer {
    pub(super) fn new(config: &BertConfig, params: &Params) -> Result<Layer> {
        let width = config.hidden_size;
        let attention = params.pp("attention");
        let inside = attention.pp("self");
        Ok(Layer {
            query: linear(width, width, &inside.pp("query"))?,
            key: linear(width, width, &inside.pp("key"))?,
            value: linear(width, width, &inside.pp("value"))?,
            heads: config.num_attention_heads,
            attention_dropout: Dropout::new(config.attention_probs_dropout_prob, &inside)?,
            after_attention: Output::new(width, config, &attention.pp("output"))?,
            intermediate: linear(width, config.intermediate_size, &params.pp("intermediate").pp("dense"))?,
            output: Output::new(config.intermediate_size, config, &params.pp("output"))?,
        })
    }

    /// `[N, T, hidden]`, of the pieces `ids`; `keys` `[N · T]` tells which of them are pieces, the others are padding.
    pub(super) fn forward(&self, xs: &Tensor, (ids, keys): (&Tensor, &[bool]), train: bool) -> Result<Tensor> {
        let (texts, places, _) = xs.dims3()?;
        let [q, k, v] = [&self.query, &self.key, &self.value].map(|layer| layer.forward(xs, train));
        let (q, k, v) = (q?, k?, v?);
        let shape = (texts, self.heads, places, places);
        let factors = if train { self.attention_dropout.mask(shape, xs.dtype(), xs.device())? } else { None };
        let traced_as =
            || Operation::Attention { q: q.clone(), k: k.clone(), v: v.clone(), heads: self.heads, ids: ids.clone() };
        let attended = traced(traced_as, || kernels::attention(&q, &k, &v, self.heads, keys, factors.as_ref()))?;
        let attended = self.after_attention.forward(&attended, xs, train)?;
        let wide = self.intermediate.forward_with(&attended, train, Activation::Gelu)?;
        self.output.forward(&wide, &attended, train)
    }
}

/// A product, a dropout, and the sum with what came in before, normalised. transformers' `BertOutput`.
struct Output {
    dense: Linear,
    dropout: Dropout,
    norm: LayerNorm,
}

impl Output {
    fn new(inputs: usize, config: &BertConfig, params: &Params) -> Result<Output> {
        let width = config.hidden_size;
        Ok(Output {
            dense: linear(inputs, width, &params.pp("dense"))?,
            dropout: Dropout::new(config.hidden_dropout_prob, params)?,
            norm: LayerNorm::new(width, config.layer_norm_eps, &params.pp("LayerNorm"))?,
        })
    }

    fn forward(&self, xs: &Tensor, before: &Tensor, train: bool) -> Result<Tensor> {
        let sum = match train {
            true => kernels::add(&self.dropout.forward(&self.dense.forward(xs, train)?, train)?, before)?,
            false => self.dense.forward_onto(xs, before)?,
        };
        self.norm.forward(&sum, train)
    }
}

fn linear(inputs: usize, outputs: usize, params: &Params) -> Result<Linear> {
    Linear::with_init(inputs, outputs, Init::Normal(0.02), Some(Init::Zeros), params)
}
