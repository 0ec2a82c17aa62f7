//! The fully connected layer's product.

use super::activation::Activation;
use super::conv2d::{ConvParams, Geometry, Product};
use super::tiles::{are_few, few_rows};
use super::trace::{Operation, traced};
use super::{fast, with_optional, with_stored, with_values};
use candle_core::{Result, Tensor};

/// A fully connected layer, `xs · weightᵀ + bias`. PyTorch's `F.linear`.
///
/// # Shapes
/// `xs` `[.., in]`, `weight` `[out, in]`, `bias` `[out]` → `[.., out]`
///
/// # Errors
/// When the shapes do not fit together, or something is empty.
pub fn linear(xs: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
    traced(
        || Operation::Linear { xs: xs.clone(), weight: weight.clone(), bias: bias.cloned() },
        || {
            let (Some(&k), &[n, inputs]) = (xs.dims().last(), weight.dims()) else {
                candle_core::bail!(
                    "linear: an input {:?} and a weight {:?}: expected [out, in]",
                    xs.dims(),
                    weight.dims()
                )
            };
            if k != inputs || bias.is_some_and(|bias| bias.dims() != [n]) || xs.elem_count() * n == 0 {
                candle_core::bail!(
                    "linear: input {:?}, weight [out, in] {:?}, bias {:?} do not fit together",
                    xs.dims(),
                    weight.dims(),
                    bias.map(Tensor::dims)
                );
            }
            let rows = xs.elem_count() / k;
            let shape: Vec<usize> = xs.dims()[..xs.rank() - 1].iter().copied().chain([n]).collect();
            if !(fast(xs) && fast(weight) && bias.is_none_or(fast)) {
                let ys = xs.reshape((rows, k))?.matmul(&weight.t()?)?;
                let ys = bias.map_or(Ok(ys.clone()), |bias| ys.broadcast_add(bias))?;
                return ys.reshape(shape);
            }
            // A convolution of one tap over an image of one column.
            let g = Geometry::new(&[1, rows, 1, k], &[n, k, 1, 1], &ConvParams::new(1, 0))?;
            let values = with_stored(xs, |x| {
                with_values(weight, |w| {
                    with_optional(bias, |bias| {
                        let few = are_few(rows, n);
                        Ok(if few {
                            few_rows(&x.all(), w, bias, k).into()
                        } else {
                            g.product(x, w, bias, None, Activation::None)
                        })
                    })
                })
            })?;
            Product { g, xs, weight, bias, residual: None, activation: Activation::None }.record(values, &shape)
        },
    )
}
