//! Long short-term memory.

use super::Dropout;
use crate::error::{Error, Result};
use crate::kernels::{self, LstmWeights};
use crate::nn::init::Init;
use crate::nn::observe::report;
use crate::nn::{Param, ParamKind, Params};
use candle_core::Tensor;

/// One layer of long short-term memory over sequences `[N, T, in]`, to `[N, T, hidden]`. PyTorch's `nn.LSTM(in, hidden,
/// batch_first=True)`, under its names; or fast.ai's `WeightDropout` around one, under its names.
pub struct Lstm {
    weight_hh: Param,
    weight_ih: Param,
    bias_ih: Param,
    bias_hh: Param,
    weight_drop: Option<Dropout>,
}

/// The state of a layer between two steps: hidden and cell, `[N, hidden]` each.
#[derive(Debug, Clone)]
pub struct LstmState {
    /// What the layer gave last.
    pub hidden: Tensor,
    /// What it keeps for itself.
    pub cell: Tensor,
}

impl Lstm {
    /// A layer with PyTorch's initial values, uniform in ±1/√`hidden`.
    ///
    /// # Errors
    /// When the device cannot hold its parameters.
    pub fn new(inputs: usize, hidden: usize, params: &Params) -> Result<Lstm> {
        let weight_ih = parameter("weight_ih_l0", &[4 * hidden, inputs], hidden, params)?;
        let weight_hh = parameter("weight_hh_l0", &[4 * hidden, hidden], hidden, params)?;
        Lstm::with_biases(weight_ih, weight_hh, hidden, None, params)
    }

    /// A layer whose weights from state to gates are dropped with probability `p` while training. The parameters are
    /// called `weight_hh_l0_raw`, `module.weight_ih_l0`, `module.bias_ih_l0` and `module.bias_hh_l0`. fast.ai's
    /// `WeightDropout(nn.LSTM(...), p)`.
    ///
    /// # Errors
    /// When `p` is not a probability, or the device cannot hold the parameters.
    pub fn with_weight_drop(inputs: usize, hidden: usize, p: f64, params: &Params) -> Result<Lstm> {
        let weight_hh = parameter("weight_hh_l0_raw", &[4 * hidden, hidden], hidden, params)?;
        let module = params.pp("module");
        let weight_ih = parameter("weight_ih_l0", &[4 * hidden, inputs], hidden, &module)?;
        Lstm::with_biases(weight_ih, weight_hh, hidden, Some(Dropout::new(p, params)?), &module)
    }

    fn with_biases(
        weight_ih: Param,
        weight_hh: Param,
        hidden: usize,
        weight_drop: Option<Dropout>,
        params: &Params,
    ) -> Result<Lstm> {
        let bias_ih = parameter("bias_ih_l0", &[4 * hidden], hidden, params)?;
        let bias_hh = parameter("bias_hh_l0", &[4 * hidden], hidden, params)?;
        Ok(Lstm { weight_hh, weight_ih, bias_ih, bias_hh, weight_drop })
    }

    /// The length of its results.
    pub fn hidden(&self) -> usize {
        self.weight_hh.dims()[1]
    }

    /// The state before the first step of `batch` sequences: zeros.
    ///
    /// # Errors
    /// When the device cannot hold it.
    pub fn zero_state(&self, batch: usize) -> Result<LstmState> {
        let weight = self.weight_hh.tensor();
        let zeros = Tensor::zeros((batch, self.hidden()), weight.dtype(), weight.device())?;
        Ok(LstmState { hidden: zeros.clone(), cell: zeros })
    }

    /// A mask for the weights from state to gates, if this is a layer that drops some.
    ///
    /// # Errors
    /// When the device cannot hold it.
    pub fn weight_mask(&self) -> Result<Option<Tensor>> {
        let weight = self.weight_hh.tensor();
        let mask = |drop: &Dropout| drop.mask(weight.shape(), weight.dtype(), weight.device());
        Ok(self.weight_drop.as_ref().map(mask).transpose()?.flatten())
    }

    /// The hidden state after each step of `xs` `[N, T, in]`, from `state` on, `[N, T, hidden]`; and the state after
    /// the last one. With a mask, the weights from state to gates are multiplied by it.
    ///
    /// # Errors
    /// When the shapes do not suit the layer.
    pub fn forward(&self, xs: &Tensor, state: &LstmState, mask: Option<&Tensor>) -> Result<(Tensor, LstmState)> {
        let weight = self.weight_ih.tensor();
        if xs.rank() != 3 || xs.dims()[2] != weight.dims()[1] {
            let message = format!(
                "LSTM layer `{}` {:?} takes sequences [N, T, {}], not an input of shape {:?}",
                self.weight_ih.name(),
                weight.dims(),
                weight.dims()[1],
                xs.dims()
            );
            return Err(Error::shape(message, xs.dims()));
        }
        let weight_hh = self.weight_hh.tensor();
        let weight_hh = mask.map_or(Ok(weight_hh.clone()), |mask| kernels::dropout(&weight_hh, mask))?;
        let (bias_ih, bias_hh) = (self.bias_ih.tensor(), self.bias_hh.tensor());
        let weights = LstmWeights { weight_ih: &weight, weight_hh: &weight_hh, bias_ih: &bias_ih, bias_hh: &bias_hh };
        let out = kernels::lstm(xs, &state.hidden, &state.cell, weights)?;
        let params = [&self.weight_ih, &self.weight_hh, &self.bias_ih, &self.bias_hh];
        report("Lstm", &params, &out.ys, weight.dims()[1] + self.hidden());
        Ok((out.ys, LstmState { hidden: out.hidden, cell: out.cell }))
    }
}

/// Biases count as weights here: fast.ai's optimizers let those of an LSTM decay.
fn parameter(name: &str, dims: &[usize], hidden: usize, params: &Params) -> Result<Param> {
    params.add(name, ParamKind::Weight, |rng, device| Init::Default.draw(dims, [hidden, hidden], rng, device))
}
