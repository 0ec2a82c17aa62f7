//! Two-dimensional convolution on channels-last images.
//!
//! A pixel of the result is a sum over the pixels under the kernel, each a row of channels times a matrix: forward and
//! both gradients are products of matrices, whose rows are read in place ([`super::tiles`]). Where each channel is a
//! group of its own there is nothing to multiply but vectors ([`depthwise`]).

mod backward;
mod chain;
mod depthwise;
mod forward;
mod geometry;
mod params;
mod portable;
mod prepared;
mod weight_gradient;
mod winograd;

pub use chain::{ConvStep, conv_chain};
pub use params::ConvParams;
pub use prepared::PreparedConv;

use super::activation::{Activation, activate, gradient};
use super::graph::record;
use super::simd::multiplies_pairs;
use super::sums::sum_rows;
use super::tiles::{Epilogue, FEW, MOST_PADDING};
use super::trace::{Operation, traced};
use super::values::{Stored, Values, nearest, wide};
use super::{fast, with_optional, with_optional_stored, with_stored, with_values};
use candle_core::{DType, Device, Result, Tensor};
use depthwise::by_tap;
pub(super) use forward::{forward, pack};
pub(super) use geometry::Geometry;
use half::bf16;
use std::borrow::Cow;
use winograd::{F2x2, Way};

/// A two-dimensional convolution; as in PyTorch's `F.conv2d`, a cross-correlation: the kernel is not flipped.
///
/// # Shapes
/// `xs` `[N, H, W, C]`, `weight` `[O, C / groups, kh, kw]`, `bias` `[O]`, result `[N, H', W', O]` with
/// `H' = (H + padding - dilation·(kh - 1) - 1) / stride + 1`.
///
/// # Errors
/// When channels and groups do not fit, a stride, a dilation or a size is 0, or the kernel is larger than the padded
/// image.
pub fn conv2d(xs: &Tensor, weight: &Tensor, bias: Option<&Tensor>, conv: &ConvParams) -> Result<Tensor> {
    conv2d_with(xs, weight, bias, conv, None, Activation::None)
}

/// A convolution, a residual sum and an activation, `activation(conv2d(xs) + residual)`, in one pass if the
/// activation's gradient can be computed from its result.
///
/// # Errors
/// When channels and groups do not fit, a stride, a dilation or a size is 0, the kernel is larger than the padded
/// image, or `residual` does not have the result's shape.
pub fn conv2d_with(
    xs: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    conv: &ConvParams,
    residual: Option<&Tensor>,
    activation: Activation,
) -> Result<Tensor> {
    let operation = || Operation::Conv2d {
        xs: xs.clone(),
        weight: weight.clone(),
        bias: bias.cloned(),
        windows: *conv,
        residual: residual.cloned(),
        activation,
    };
    traced(operation, || {
        let g = Geometry::new(xs.dims(), weight.dims(), conv)?;
        check_bias(bias, g.outputs())?;
        let shape = [g.n, g.oh, g.ow, g.outputs()];
        check_residual(residual, &shape)?;
        let all_fast = fast(xs) && fast(weight) && bias.is_none_or(fast) && residual.is_none_or(fast);
        if !all_fast {
            let ys = portable::portable(xs, weight, conv)?;
            let ys = bias.map_or(Ok(ys.clone()), |bias| ys.broadcast_add(bias))?;
            let ys = residual.map_or(Ok(ys.clone()), |residual| ys + residual)?;
            return activation.portable(&ys);
        }
        let (end, after) =
            if activation.needs_input() { (Activation::None, activation) } else { (activation, Activation::None) };
        let values = with_stored(xs, |x| {
            with_values(weight, |w| {
                with_optional(bias, |bias| {
                    with_optional_stored(residual, |residual| Ok(g.product(x, w, bias, residual, end)))
                })
            })
        })?;
        let ys = Product { g, xs, weight, bias, residual, activation: end }.record(values, &shape)?;
        activate(&ys, after)
    })
}

/// A product that was computed, and what it was computed from. Input and weight may have any shapes that hold their
/// values in the order of the geometry, so that linear layers come here too.
pub(super) struct Product<'a> {
    pub(super) g: Geometry,
    pub(super) xs: &'a Tensor,
    pub(super) weight: &'a Tensor,
    pub(super) bias: Option<&'a Tensor>,
    /// What was added to it.
    pub(super) residual: Option<&'a Tensor>,
    /// What was applied last: one whose gradient can be told from its result.
    pub(super) activation: Activation,
}

impl Product<'_> {
    /// Puts the result into the graph.
    pub(super) fn record(self, values: Values, shape: &[usize]) -> Result<Tensor> {
        let Product { g, xs, weight, bias, residual, activation } = self;
        let inputs: Vec<&Tensor> = [xs, weight].into_iter().chain(bias).chain(residual).collect();
        let (x, w, has_bias) = (xs.clone(), weight.clone(), bias.is_some());
        let back = move |ys: &Tensor, grad: &Tensor, wanted: &[bool]| {
            let grad = match activation {
                Activation::None => grad.clone(),
                activation => gradient(activation, ys, ys, grad)?,
            };
            with_stored(&grad, |dy| {
                let tensor = |values: Vec<f32>, dims: &[usize]| Tensor::from_vec(values, dims, &Device::Cpu);
                let dx = wanted[0].then(|| with_values(&w, |w| g.by_input(dy, w, x.dtype()).tensor(x.dims())));
                let dw = wanted[1].then(|| with_stored(&x, |x| tensor(g.by_weight(dy, x), w.dims())));
                let mut grads = vec![dx.transpose()?, dw.transpose()?];
                if has_bias {
                    grads
                        .push(wanted[2].then(|| tensor(sum_rows(&dy.all(), g.outputs()), &[g.outputs()])).transpose()?);
                }
                // What is left is the residual's, if there is one.
                grads.extend(wanted[grads.len()..].iter().map(|wanted| wanted.then(|| grad.clone())));
                Ok(grads)
            })
        };
        record(&inputs, values, shape, back)
    }
}

fn check_residual(residual: Option<&Tensor>, shape: &[usize]) -> Result<()> {
    match residual.filter(|residual| residual.dims() != shape) {
        Some(residual) => {
            candle_core::bail!("conv2d: a residual of shape {:?} for a result of shape {shape:?}", residual.dims())
        }
        None => Ok(()),
    }
}

fn check_bias(bias: Option<&Tensor>, outputs: usize) -> Result<()> {
    match bias {
        Some(bias) if bias.dims() != [outputs] => {
            candle_core::bail!("conv2d: expected a bias of shape [{outputs}], got {:?}", bias.dims())
        }
        _ => Ok(()),
    }
}

/// The weights as products of `dtype` see them: of 16 bits, also where they are multiplied in `f32`, so that results
/// differ as little as can be from one processor to the other.
fn rounded_for(dtype: DType, w: &[f32]) -> Cow<'_, [f32]> {
    match dtype {
        DType::BF16 => Cow::Owned(w.iter().map(|&w| wide(nearest(w))).collect()),
        _ => Cow::Borrowed(w),
    }
}

impl Geometry {
    fn depthwise(&self) -> bool {
        self.ci == 1 && self.co == 1 && self.groups > 1
    }

    /// Whether values of `bf16` are multiplied as they are, in pieces of `len`: whole pairs.
    fn by_pairs(&self, len: usize) -> bool {
        multiplies_pairs() && !self.depthwise() && len.is_multiple_of(2) && len <= MOST_PADDING
    }

    /// Whether [`Geometry::by_pairs`] holds for the input.
    fn input_by_pairs(&self) -> bool {
        self.by_pairs(if self.by_rows() { self.kernel[1] * self.ci.next_multiple_of(2) } else { self.ci })
    }

    /// `activation(conv2d(x) + residual)`.
    pub(super) fn product(
        &self,
        x: Stored<'_>,
        w: &[f32],
        bias: Option<&[f32]>,
        residual: Option<Stored<'_>>,
        activation: Activation,
    ) -> Values {
        let plain = residual.is_none() && activation == Activation::None;
        if let (Stored::BF16(x), None | Some(Stored::BF16(_)), true) = (x, residual, self.input_by_pairs()) {
            let residual = residual.and_then(|residual| residual.bf16());
            let epilogue = Epilogue { residual, activation };
            return forward(self, x, &pack::<bf16>(self, w), bias, (!plain).then_some(&epilogue)).into();
        }
        let w = &*rounded_for(x.dtype(), w);
        let (x, residual) = (x.all(), residual.map(|residual| residual.all()));
        let epilogue = Epilogue { residual: residual.as_deref(), activation };
        let epilogue = (!plain).then_some(&epilogue);
        let values = if self.depthwise() {
            depthwise::forward(self, &x, &by_tap(w, self.channels(), self.taps()), bias, epilogue)
        } else if let Some(winograd) = F2x2::of(self) {
            winograd.run(&x, &winograd.pack(w, Way::Forward), bias, epilogue)
        } else {
            forward(self, &x, &pack::<f32>(self, w), bias, epilogue)
        };
        values.into()
    }

    /// The gradient by the input, of whose type results may be.
    fn by_input(&self, dy: Stored<'_>, w: &[f32], dtype: DType) -> Values {
        if dtype == DType::BF16 && self.by_pairs(self.co) {
            return backward::gradient_by_input(self, &dy.narrow(), w).into();
        }
        let w = &*rounded_for(dtype, w);
        let dy = dy.all();
        let values = if self.depthwise() {
            depthwise::gradient_by_input(self, &dy, w)
        } else if self.pointwise() && self.out_pixels() <= FEW {
            self.by_few_inputs(&dy, w)
        } else if let Some(winograd) = F2x2::back(self) {
            winograd.run(&dy, &winograd.pack(w, Way::Back), None, None)
        } else {
            backward::gradient_by_input(self, &dy, w)
        };
        values.into()
    }

    /// The gradient by few pixels of a pointwise convolution, without packing the weight: a sum over outputs, as the
    /// gradient by a weight is one over pixels.
    fn by_few_inputs(&self, dy: &[f32], w: &[f32]) -> Vec<f32> {
        let pixels = self.out_pixels();
        let turned: Vec<f32> = (0..self.co).flat_map(|output| dy[output..].iter().step_by(self.co).copied()).collect();
        let sum = Geometry { n: 1, h: self.co, w: 1, oh: self.co, ow: 1, co: pixels, ..*self };
        weight_gradient::gradient_by_weight::<f32>(&sum, &turned, w)
    }

    pub(super) fn by_weight(&self, dy: Stored<'_>, x: Stored<'_>) -> Vec<f32> {
        match x {
            Stored::BF16(x) if self.input_by_pairs() => weight_gradient::gradient_by_weight(self, &dy.narrow(), x),
            x if self.depthwise() => depthwise::gradient_by_weight(self, &dy.all(), &x.all()),
            x => weight_gradient::gradient_by_weight::<f32>(self, &dy.all(), &x.all()),
        }
    }
}
