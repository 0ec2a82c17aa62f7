//! Pixel shuffle (Shi et al., 2016) and its inverse.

use super::blank::fill;
use super::graph::record;
use super::simd::vectorized;
use super::trace::{Operation, traced};
use super::{fast, with_values};
use candle_core::{Device, Result, Tensor};
use rayon::prelude::*;

/// Rearranges `r²` channels into blocks of `r` x `r` pixels. PyTorch's `F.pixel_shuffle`, with its order of channels.
///
/// # Shapes
/// `xs` `[N, H, W, C·r²]` → `[N, H·r, W·r, C]`
///
/// # Errors
/// When the channels are not a multiple of `r²`, or something is empty.
pub fn pixel_shuffle(xs: &Tensor, r: usize) -> Result<Tensor> {
    traced(
        || Operation::PixelShuffle { xs: xs.clone(), r },
        || {
            let (n, h, w, channels) = xs.dims4()?;
            if r == 0 || xs.elem_count() == 0 || channels % (r * r) != 0 {
                candle_core::bail!(
                    "pixel_shuffle: channels of input [N, H, W, C] {:?} into {r} x {r} pixels",
                    xs.dims()
                );
            }
            let c = channels / (r * r);
            if !fast(xs) {
                let parts = xs.reshape(&[n, h, w, c, r, r][..])?.permute([0, 1, 4, 2, 5, 3])?;
                return parts.reshape((n, h * r, w * r, c));
            }
            record(&[xs], with_values(xs, |xs| Ok(shuffle(xs, w, c, r)))?, (n, h * r, w * r, c), move |_, grad, _| {
                let dx = with_values(grad, |dy| Ok(unshuffle(dy, w, c, r)))?;
                Ok(vec![Some(Tensor::from_vec(dx, (n, h, w, channels), &Device::Cpu)?)])
            })
        },
    )
}

/// Rearranges blocks of `r` x `r` pixels into `r²` channels. PyTorch's `F.pixel_unshuffle`.
///
/// # Shapes
/// `xs` `[N, H·r, W·r, C]` → `[N, H, W, C·r²]`
///
/// # Errors
/// When a side is not a multiple of `r`, or something is empty.
pub fn pixel_unshuffle(xs: &Tensor, r: usize) -> Result<Tensor> {
    let (n, height, width, c) = xs.dims4()?;
    if r == 0 || xs.elem_count() == 0 || height % r != 0 || width % r != 0 {
        candle_core::bail!("pixel_unshuffle: input [N, H, W, C] {:?} in blocks of {r} x {r} pixels", xs.dims());
    }
    let (h, w) = (height / r, width / r);
    if !fast(xs) {
        let parts = xs.reshape(&[n, h, r, w, r, c][..])?.permute([0, 1, 3, 5, 2, 4])?;
        return parts.reshape((n, h, w, c * r * r));
    }
    record(&[xs], with_values(xs, |xs| Ok(unshuffle(xs, w, c, r)))?, (n, h, w, c * r * r), move |_, grad, _| {
        let dx = with_values(grad, |dy| Ok(shuffle(dy, w, c, r)))?;
        Ok(vec![Some(Tensor::from_vec(dx, (n, height, width, c), &Device::Cpu)?)])
    })
}

/// Row by row of the coarse image, which become `r` rows of the fine one.
fn shuffle(coarse: &[f32], w: usize, c: usize, r: usize) -> Vec<f32> {
    let row = w * c * r * r;
    fill(coarse.len(), row, coarse.par_chunks_exact(row), |coarse, fine| {
        let pixels = (0..w * r * r).map(|at| (at / (w * r), at % (w * r)));
        vectorized!({
            fine.chunks(c, pixels, |(i, x), fine| {
                let part = i * r + x % r;
                let coarse = &coarse[x / r * c * r * r..][..c * r * r];
                match r {
                    // A constant step, which can be vectorised.
                    2 => fine.write(coarse.chunks_exact(4).map(|parts| parts[part])),
                    _ => fine.write(coarse.chunks_exact(r * r).map(|parts| parts[part])),
                }
            })
        })
    })
}

fn unshuffle(fine: &[f32], w: usize, c: usize, r: usize) -> Vec<f32> {
    let row = w * c * r * r;
    fill(fine.len(), row, fine.par_chunks_exact(row), |fine, coarse| {
        vectorized!({
            coarse.chunks(c * r * r, 0..w, |x, coarse| {
                let coarse = coarse.fill(0.0);
                let pixel = |i: usize, j: usize| &fine[((i * w + x) * r + j) * c..][..c];
                if r == 2 {
                    let [a, b, d, e] = [pixel(0, 0), pixel(0, 1), pixel(1, 0), pixel(1, 1)];
                    for (parts, (((a, b), d), e)) in coarse.chunks_exact_mut(4).zip(a.iter().zip(b).zip(d).zip(e)) {
                        parts.copy_from_slice(&[*a, *b, *d, *e]);
                    }
                    return coarse;
                }
                for part in 0..r * r {
                    let parts = coarse.iter_mut().skip(part).step_by(r * r);
                    parts.zip(pixel(part / r, part % r)).for_each(|(to, from)| *to = *from);
                }
                coarse
            })
        })
    })
}
