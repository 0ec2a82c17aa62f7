//! fast.ai's pooling over sequences.

use super::blank::fill;
use super::graph::record;
use super::{fast, with_values};
use candle_core::{D, Device, Result, Tensor};
use rayon::prelude::*;

/// Concatenates, for each channel, the last value, the maximum and the mean over the steps that are not padding.
/// fast.ai's `masked_concat_pool` (Howard and Ruder, 2018).
///
/// The last value is that of the last step that is not padding. fast.ai computes that step from `bptt`: it goes back
/// from the end by the number of padding steps among the last `bptt`. If some of these lie in front of a short
/// sequence, it gets an earlier step, which depends on the longest sequence of the batch. With a `bptt` the result is
/// fast.ai's.
///
/// # Shapes
/// `xs` `[N, T, C]`, `padding` `N·T` flags → `[N, 3·C]`
///
/// # Errors
/// When the shapes do not fit together, or all steps of a sequence are padding.
pub fn masked_concat_pool(xs: &Tensor, padding: &[bool], bptt: Option<usize>) -> Result<Tensor> {
    let (n, t, c) = xs.dims3()?;
    if padding.len() != n * t || xs.elem_count() == 0 {
        candle_core::bail!("masked_concat_pool: {} marks of padding for sequences {:?}", padding.len(), xs.dims());
    }
    if let Some(row) = padding.chunks_exact(t).position(|padding| padding.iter().all(|&padding| padding)) {
        candle_core::bail!("masked_concat_pool: sequence number {row} is nothing but padding");
    }
    let last = |padding: &[bool]| match bptt {
        Some(bptt) => t - 1 - padding[t - bptt.min(t)..].iter().filter(|&&padding| padding).count().min(t - 1),
        None => padding.iter().rposition(|&padding| !padding).unwrap_or(0),
    };
    let last: Vec<usize> = padding.chunks_exact(t).map(last).collect();
    if !fast(xs) {
        return portable(xs, padding, &last);
    }
    let mut largest = vec![0u32; n * c];
    let values = with_values(xs, |xs| {
        let sequences = xs.par_chunks_exact(t * c).zip(padding.par_chunks_exact(t)).zip(&last);
        Ok(fill(n * 3 * c, 3 * c, sequences.zip(largest.par_chunks_mut(c)), |(((xs, padding), last), largest), out| {
            let mut max = vec![f32::NEG_INFINITY; c];
            let mut sums = vec![0.0; c];
            let mut count = 0.0;
            for (step, xs) in xs.chunks_exact(c).enumerate().filter(|(step, _)| !padding[*step]) {
                count += 1.0;
                for (((x, max), largest), sum) in xs.iter().zip(&mut max).zip(largest.iter_mut()).zip(&mut sums) {
                    if x > max {
                        (*max, *largest) = (*x, step as u32);
                    }
                    *sum += x;
                }
            }
            sums.iter_mut().for_each(|sum| *sum /= count);
            out.join([&xs[last * c..][..c], &max, &sums])
        }))
    })?;
    let padding = padding.to_vec();
    record(&[xs], values, (n, 3 * c), move |_, grad, _| {
        let mut dxs = vec![0.0; n * t * c];
        with_values(grad, |grad| {
            let sequences = grad.par_chunks_exact(3 * c).zip(padding.par_chunks_exact(t)).zip(&last);
            let sequences = dxs.par_chunks_exact_mut(t * c).zip(sequences.zip(largest.par_chunks_exact(c)));
            sequences.for_each(|(dxs, (((grad, padding), last), largest))| {
                let count = padding.iter().filter(|&&padding| !padding).count() as f32;
                for (dxs, _) in dxs.chunks_exact_mut(c).zip(padding).filter(|(_, padding)| !**padding) {
                    dxs.iter_mut().zip(&grad[2 * c..]).for_each(|(dx, mean)| *dx = mean / count);
                }
                for (channel, &step) in largest.iter().enumerate() {
                    dxs[step as usize * c + channel] += grad[c + channel];
                }
                dxs[last * c..][..c].iter_mut().zip(grad).for_each(|(dx, last)| *dx += last);
            });
            Ok(())
        })?;
        Ok(vec![Some(Tensor::from_vec(dxs, (n, t, c), &Device::Cpu)?)])
    })
}

/// Out of candle's operations.
fn portable(xs: &Tensor, padding: &[bool], last: &[usize]) -> Result<Tensor> {
    let (n, t, c) = xs.dims3()?;
    let number = |values: Vec<f64>, dims: &[usize]| Tensor::from_vec(values, dims, xs.device())?.to_dtype(xs.dtype());
    let rows: Vec<u32> = last.iter().enumerate().map(|(row, last)| (row * t + last) as u32).collect();
    let last = xs.reshape((n * t, c))?.index_select(&Tensor::new(rows, xs.device())?, 0)?;
    let marks: Vec<u8> = padding.iter().map(|&padding| u8::from(padding)).collect();
    let marks = Tensor::from_vec(marks, (n, t, 1), xs.device())?.broadcast_as(xs.shape())?.contiguous()?;
    let lowest = (xs.ones_like()? * f64::NEG_INFINITY)?;
    let largest = marks.where_cond(&lowest, xs)?.argmax_keepdim(1)?;
    let max = xs.contiguous()?.gather(&largest, 1)?.squeeze(1)?;
    let shares = padding.chunks_exact(t).flat_map(|padding| {
        let count = padding.iter().filter(|&&padding| !padding).count() as f64;
        padding.iter().map(move |&padding| if padding { 0.0 } else { 1.0 / count })
    });
    let mean = xs.broadcast_mul(&number(shares.collect(), &[n, t, 1])?)?.sum(1)?;
    Tensor::cat(&[last, max, mean], D::Minus1)
}
