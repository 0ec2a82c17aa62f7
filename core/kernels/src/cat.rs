//! Concatenation of channels, as in DenseNet, SqueezeNet and Inception.

use super::blank::fill;
use super::graph::record;
use super::trace::{Operation, traced};
use super::{fast, with_all, with_values};
use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

/// Rows that one task copies.
const BLOCK: usize = 256;

/// Concatenates tensors along their last axis. PyTorch's `torch.cat(dim=-1)`.
///
/// # Shapes
/// `xs` `[.., C₁]`, `[.., C₂]`, … → `[.., C₁ + C₂ + …]`
///
/// # Errors
/// When there is nothing to join, or the other axes differ.
pub fn cat(xs: &[&Tensor]) -> Result<Tensor> {
    traced(
        || Operation::Cat { xs: xs.iter().map(|&xs| xs.clone()).collect() },
        || {
            let Some(first) = xs.first().filter(|first| first.rank() > 0) else {
                candle_core::bail!("cat: nothing to join")
            };
            let leading = &first.dims()[..first.rank() - 1];
            let widths: Vec<usize> = xs.iter().filter_map(|xs| xs.dims().last().copied()).collect();
            if xs
                .iter()
                .any(|xs| xs.rank() != first.rank() || xs.dims()[..xs.rank() - 1] != *leading || xs.elem_count() == 0)
            {
                let shapes: Vec<&[usize]> = xs.iter().map(|xs| xs.dims()).collect();
                candle_core::bail!("cat: tensors of shapes {shapes:?} differ in more than their last axis");
            }
            if !xs.iter().all(|xs| fast(xs)) {
                return Tensor::cat(xs, leading.len());
            }
            let width: usize = widths.iter().sum();
            let rows: usize = leading.iter().product();
            let out = with_all(xs, |xs| {
                let parts: Vec<(&[f32], usize)> = xs.iter().copied().zip(widths.iter().copied()).collect();
                let blocks = (0..rows).into_par_iter().step_by(BLOCK);
                Ok(fill(rows * width, BLOCK * width, blocks, |first, out| {
                    out.chunks(width, first.., |row, out| out.join(parts.iter().map(|(xs, c)| &xs[row * c..][..*c])))
                }))
            })?;
            let shapes: Vec<Vec<usize>> = xs.iter().map(|xs| xs.dims().to_vec()).collect();
            let shape: Vec<usize> = leading.iter().copied().chain([width]).collect();
            record(xs, out, shape, move |_, grad, wanted| {
                with_values(grad, |dy| {
                    let mut from = 0;
                    let part = |(shape, wanted): (&Vec<usize>, &bool)| {
                        let (c, start) = (shape[shape.len() - 1], from);
                        from += c;
                        if !wanted {
                            return Ok(None);
                        }
                        let dx = fill(rows * c, BLOCK * c, dy.par_chunks(BLOCK * width), |dy, dx| {
                            dx.chunks(c, dy.chunks_exact(width), |dy, dx| dx.copy(&dy[start..start + c]))
                        });
                        Tensor::from_vec(dx, shape.as_slice(), &Device::Cpu).map(Some)
                    };
                    shapes.iter().zip(wanted).map(part).collect()
                })
            })
        },
    )
}
