//! Long short-term memory.

use super::Dropout;
use crate::error::{Error, Result};
use crate::kernels::{self, LstmWeights};
use crate::nn::init::Init;
use crate::nn::observe::report;
use crate::nn::{Param, ParamKind, Params};
use candle_core::Tensor;

/// One layer of long short-term memory (Hochreiter and Schmidhuber, 1997). PyTorch's `nn.LSTM(inputs, hidden,
/// batch_first=True)` with its parameters' names, or fast.ai's `WeightDropout` around one with those.
///
/// ```text
/// i, f, g, o = split(weight_ih · x + bias_ih + weight_hh · h + bias_hh)
/// c ← sigmoid(f) · c + sigmoid(i) · tanh(g)
/// h ← sigmoid(o) · tanh(c)
/// ```
///
/// # Shapes
/// - `xs` `[N, T, inputs]` → `[N, T, hidden]`, the `h` of each step
/// - `weight_ih` `[4·hidden, inputs]`, `weight_hh` `[4·hidden, hidden]`, both biases `[4·hidden]`
///
/// # Examples
/// ```
/// use tallow::candle::{Device, Tensor};
/// use tallow::nn::{Lstm, Params};
/// use tallow::rng::Rng;
/// # fn main() -> tallow::Result<()> {
/// let params = Params::new(&Rng::new(42), &Device::Cpu);
/// let layer = Lstm::new(1, 1, &params)?;
/// for param in params.all() {
///     param.var().set(&param.tensor().ones_like()?.affine(0.5, 0.0)?)?;
/// }
/// let xs = Tensor::new(&[[[1f32], [2.]]], &Device::Cpu)?; // [1, 2, 1]
/// let (ys, state) = layer.forward(&xs, &layer.zero_state(1)?, None)?;
/// let ys = ys.flatten_all()?.to_vec1::<f32>()?;
/// assert!((ys[0] - 0.5143859).abs() < 1e-5 && (ys[1] - 0.8280512).abs() < 1e-5); // PyTorch's
/// assert!((state.cell.to_vec2::<f32>()?[0][0] - 1.5555809).abs() < 1e-5);
/// # Ok(())
/// # }
/// ```
pub struct Lstm {
    weight_hh: Param,
    weight_ih: Param,
    bias_ih: Param,
    bias_hh: Param,
    weight_drop: Option<Dropout>,
}

/// The state of an [`Lstm`] between two steps.
#[derive(Debug, Clone)]
pub struct LstmState {
    /// The hidden state `h`, `[N, hidden]`: the result of the last step.
    pub hidden: Tensor,
    /// The cell state `c`, `[N, hidden]`.
    pub cell: Tensor,
}

impl Lstm {
    /// A layer with PyTorch's initial values, uniform in ±1/√`hidden`.
    ///
    /// # Errors
    /// When the device cannot allocate its parameters.
    pub fn new(inputs: usize, hidden: usize, params: &Params) -> Result<Lstm> {
        let weight_ih = parameter("weight_ih_l0", &[4 * hidden, inputs], hidden, params)?;
        let weight_hh = parameter("weight_hh_l0", &[4 * hidden, hidden], hidden, params)?;
        Lstm::with_biases(weight_ih, weight_hh, hidden, None, params)
    }

    /// A layer whose hidden-to-hidden weights are dropped with probability `p` while training (Merity et al., 2017).
    /// fast.ai's `WeightDropout(nn.LSTM(...), p)`, with its parameters' names: `weight_hh_l0_raw`,
    /// `module.weight_ih_l0`, `module.bias_ih_l0` and `module.bias_hh_l0`.
    ///
    /// # Errors
    /// [`Error::Config`] when `p` is not in 0..=1.
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

    /// The number of hidden units.
    pub fn hidden(&self) -> usize {
        self.weight_hh.dims()[1]
    }

    /// The state before the first step of `batch` sequences: zeros.
    ///
    /// # Errors
    /// When the device cannot allocate it.
    pub fn zero_state(&self, batch: usize) -> Result<LstmState> {
        let weight = self.weight_hh.tensor();
        let zeros = Tensor::zeros((batch, self.hidden()), weight.dtype(), weight.device())?;
        Ok(LstmState { hidden: zeros.clone(), cell: zeros })
    }

    /// Draws a dropout mask for the hidden-to-hidden weights, `[4·hidden, hidden]`; `None` for a layer without weight
    /// dropout.
    ///
    /// # Errors
    /// When the device cannot allocate it.
    pub fn weight_mask(&self) -> Result<Option<Tensor>> {
        let weight = self.weight_hh.tensor();
        let mask = |drop: &Dropout| drop.mask(weight.shape(), weight.dtype(), weight.device());
        Ok(self.weight_drop.as_ref().map(mask).transpose()?.flatten())
    }

    /// Runs over sequences from a state, and returns the hidden state of each step and the state after the last one.
    /// `mask`, if there is one, multiplies the hidden-to-hidden weights.
    ///
    /// # Shapes
    /// `xs` `[N, T, inputs]` → `[N, T, hidden]`
    ///
    /// # Errors
    /// [`Error::Shape`] when `xs` is not `[N, T, inputs]`; an error when the state or the mask has another shape.
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

/// Biases count as weights here, since fast.ai's optimizers apply weight decay to those of an LSTM.
fn parameter(name: &str, dims: &[usize], hidden: usize, params: &Params) -> Result<Param> {
    params.add(name, ParamKind::Weight, |rng, device| Init::Default.draw(dims, [hidden, hidden], rng, device))
}
