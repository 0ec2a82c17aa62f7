//! Periodic embeddings of numbers.

use crate::error::{Error, Result};
use crate::kernels::trace::{Operation, traced};
use crate::nn::init::Init;
use crate::nn::{Module, Param, ParamKind, Params};
use candle_core::{D, Tensor};
use serde::{Deserialize, Serialize};
use std::f64::consts::TAU;

/// The settings of [`EmbeddedNumbers`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PeriodicConfig {
    /// The number of frequencies of each column.
    pub frequencies: usize,
    /// The standard deviation of the initial frequencies, in periods per standard deviation of the column. Larger ones
    /// separate nearby numbers, and overfit sooner: 0.3 suits columns on which the target depends smoothly, 10 columns
    /// whose single values matter, as sums of money often do.
    pub sigma: f64,
    /// The width of a number's vector.
    pub width: usize,
}

impl Default for PeriodicConfig {
    fn default() -> PeriodicConfig {
        PeriodicConfig { frequencies: 16, sigma: 0.3, width: 8 }
    }
}

/// Embeddings of numbers by sines and cosines of learned frequencies: "PLR" of *On Embeddings for Numerical Features in
/// Tabular Deep Learning* (Gorishniy et al., 2022).
///
/// ```text
/// y = relu(W · [sin 2πcx, cos 2πcx] + b)
/// ```
///
/// Each column has its own frequencies `c`, matrix `W` and bias `b`, all learned. The next layer can then respond to
/// ranges of a number, as a tree does by its splits, and not only to its size.
///
/// # Shapes
/// `xs` `[N, columns]` → `[N, columns·width]`
pub struct EmbeddedNumbers {
    frequencies: Param,
    weight: Param,
    bias: Param,
}

impl EmbeddedNumbers {
    /// A layer for this number of columns.
    ///
    /// # Errors
    /// When there is no frequency, no width, or the deviation is not above 0.
    pub fn new(columns: usize, config: &PeriodicConfig, params: &Params) -> Result<EmbeddedNumbers> {
        let PeriodicConfig { frequencies: k, sigma, width } = *config;
        if k == 0 || width == 0 || !(sigma > 0.0 && sigma.is_finite()) {
            let message = format!(
                "embedded numbers need frequencies and a width of at least 1 and a sigma above 0, got {k}, {width} and \
                 {sigma}"
            );
            return Err(Error::config("embedded_numbers", message));
        }
        let fans = [k.saturating_mul(2), width];
        Ok(EmbeddedNumbers {
            frequencies: params.add("frequencies", ParamKind::Weight, |rng, dev| {
                Init::Normal(sigma).draw((columns, k), fans, rng, dev)
            })?,
            weight: params.add("weight", ParamKind::Weight, |rng, dev| {
                Init::Default.draw((columns, k.saturating_mul(2), width), fans, rng, dev)
            })?,
            bias: params
                .add("bias", ParamKind::Bias, |rng, dev| Init::Default.draw((columns, width), fans, rng, dev))?,
        })
    }
}

impl Module for EmbeddedNumbers {
    fn forward(&self, xs: &Tensor, _train: bool) -> Result<Tensor> {
        let [frequencies, weight, bias] = [&self.frequencies, &self.weight, &self.bias].map(Param::tensor);
        let frequencies = (frequencies.unsqueeze(1)? * TAU)?; // [C, 1, k]
        let bias = bias.unsqueeze(1)?; // [C, 1, width]
        let operation = || Operation::EmbeddedNumbers {
            xs: xs.clone(),
            frequencies: frequencies.clone(),
            weight: weight.clone(),
            bias: bias.clone(),
        };
        Ok(traced(operation, || {
            let angles = xs.t()?.unsqueeze(2)?.broadcast_mul(&frequencies)?; // [C, N, k]
            let waves = Tensor::cat(&[angles.sin()?, angles.cos()?], D::Minus1)?; // [C, N, 2k]
            let vectors = waves.matmul(&weight)?.broadcast_add(&bias)?; // [C, N, width]
            vectors.relu()?.transpose(0, 1)?.flatten_from(1)
        })?)
    }
}
