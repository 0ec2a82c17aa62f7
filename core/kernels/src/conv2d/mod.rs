//! Two-dimensional convolution on channels-last images.
//!
//! A pixel of the result is a sum over the pixels under the kernel, each a row of channels times a matrix: forward and
//! both gradients are products of matrices, whose rows are read in place ([`super::tiles`]). Where each channel is a
//! group of its own there is nothing to multiply but vectors ([`depthwise`]).

mod backward;
mod depthwise;
mod forward;
mod geometry;
mod params;
mod portable;
mod prepared;
mod weight_gradient;
mod winograd;

pub use params::ConvParams;
pub use prepared::PreparedConv;

use super::graph::record;
use super::sums::sum_rows;
use super::{fast, with_optional, with_values};
use candle_core::{Device, Result, Tensor};
pub(super) use forward::{forward, pack};
pub(super) use geometry::Geometry;
use winograd::{F2x2, Way};

/// Convolution (cross-correlation, as in PyTorch).
///
/// # Shapes
/// `xs` `[N, H, W, C]`, `weight` `[O, C / groups, kh, kw]`, `bias` `[O]`, result `[N, H', W', O]` with
/// `H' = (H + padding - dilation·(kh - 1) - 1) / stride + 1`.
///
/// # Errors
/// When channels and groups do not fit, a stride, a dilation or a size is 0, or the kernel is larger than the padded
/// image.
pub fn conv2d(xs: &Tensor, weight: &Tensor, bias: Option<&Tensor>, conv: &ConvParams) -> Result<Tensor> {
    let g = Geometry::new(xs.dims(), weight.dims(), conv)?;
    check_bias(bias, g.outputs())?;
    if !(fast(xs) && fast(weight) && bias.is_none_or(fast)) {
        let ys = portable::portable(xs, weight, conv)?;
        return bias.map_or(Ok(ys.clone()), |bias| ys.broadcast_add(bias));
    }
    let values = with_values(xs, |x| {
        with_values(weight, |w| {
            with_optional(bias, |bias| {
                Ok(if g.depthwise() {
                    depthwise::forward(&g, x, w, bias, None)
                } else if let Some(winograd) = F2x2::of(&g) {
                    winograd.run(x, &winograd.pack(w, Way::Forward), bias, None)
                } else {
                    forward(&g, x, &pack(&g, w), bias, None)
                })
            })
        })
    })?;
    record_product(g, xs, weight, bias, values, &[g.n, g.oh, g.ow, g.outputs()])
}

/// Puts a convolution's result into the graph. `xs` and `weight` may have any shapes that hold their values in the
/// order of the geometry, so that linear layers come here too.
pub(super) fn record_product(
    g: Geometry,
    xs: &Tensor,
    weight: &Tensor,
    bias: Option<&Tensor>,
    values: Vec<f32>,
    shape: &[usize],
) -> Result<Tensor> {
    let (x, w) = (xs.clone(), weight.clone());
    let back = move |_: &Tensor, grad: &Tensor, wanted: &[bool]| {
        with_values(grad, |dy| {
            let gradient = |values: Vec<f32>, dims: &[usize]| Tensor::from_vec(values, dims, &Device::Cpu);
            let dx = wanted[0].then(|| with_values(&w, |w| gradient(g.by_input(dy, w), x.dims())));
            let dw = wanted[1].then(|| with_values(&x, |x| gradient(g.by_weight(dy, x), w.dims())));
            let mut grads = vec![dx.transpose()?, dw.transpose()?];
            if let Some(&wanted) = wanted.get(2) {
                grads.push(wanted.then(|| gradient(sum_rows(dy, g.outputs()), &[g.outputs()])).transpose()?);
            }
            Ok(grads)
        })
    };
    let inputs: Vec<&Tensor> = [xs, weight].into_iter().chain(bias).collect();
    record(&inputs, values, shape, back)
}

fn check_bias(bias: Option<&Tensor>, outputs: usize) -> Result<()> {
    match bias {
        Some(bias) if bias.dims() != [outputs] => {
            candle_core::bail!("conv2d: expected a bias of shape [{outputs}], got {:?}", bias.dims())
        }
        _ => Ok(()),
    }
}

impl Geometry {
    fn depthwise(&self) -> bool {
        self.ci == 1 && self.co == 1 && self.groups > 1
    }

    fn by_input(&self, dy: &[f32], w: &[f32]) -> Vec<f32> {
        if self.depthwise() {
            depthwise::gradient_by_input(self, dy, w)
        } else if let Some(winograd) = F2x2::back(self) {
            winograd.run(dy, &winograd.pack(w, Way::Back), None, None)
        } else {
            backward::gradient_by_input(self, dy, w)
        }
    }

    pub(super) fn by_weight(&self, dy: &[f32], x: &[f32]) -> Vec<f32> {
        if self.depthwise() {
            depthwise::gradient_by_weight(self, dy, x)
        } else {
            weight_gradient::gradient_by_weight(self, dy, x)
        }
    }
}
