//! Layer normalisation (Ba, Kiros and Hinton, 2016) over the last axis. candle's has no gradient.

use super::blank::{Blank, fill};
use super::graph::{record, tracked};
use super::simd::dispatch;
use super::sums::sum_rows;
use super::trace::{Operation, traced};
use super::{fast, with_all, with_values};
use candle_core::{Device, Result, Tensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Rows that one task works through.
const BLOCK: usize = 64;

/// Layer normalisation over the last axis, with the biased variance. PyTorch's `F.layer_norm`.
///
/// ```text
/// ys = (xs - mean) / √(var + eps) · weight + bias
/// ```
///
/// # Shapes
/// `xs` `[.., C]`, `weight` and `bias` `[C]` → `[.., C]`
///
/// # Errors
/// When a length differs from the number of channels, or `xs` is empty.
pub fn layer_norm(xs: &Tensor, weight: &Tensor, bias: &Tensor, eps: f64) -> Result<Tensor> {
    traced(
        || Operation::LayerNorm { xs: xs.clone(), weight: weight.clone(), bias: bias.clone(), eps },
        || {
            let c = xs.dims().last().copied().unwrap_or(0);
            if xs.elem_count() == 0 || weight.dims() != [c] || bias.dims() != [c] {
                candle_core::bail!(
                    "layer_norm: input {:?}, weight {:?}, bias {:?}",
                    xs.dims(),
                    weight.dims(),
                    bias.dims()
                );
            }
            if !(fast(xs) && fast(weight) && fast(bias)) {
                let last = xs.rank() - 1;
                let centred = xs.broadcast_sub(&xs.mean_keepdim(last)?)?;
                let var = centred.sqr()?.mean_keepdim(last)?;
                return centred.broadcast_div(&(var + eps)?.sqrt()?)?.broadcast_mul(weight)?.broadcast_add(bias);
            }
            if !tracked(&[xs, weight, bias]) {
                let out = with_all(&[xs, weight, bias], |values| {
                    let &[x, weight, bias] = values else { candle_core::bail!("layer_norm: expected three inputs") };
                    Ok(fill(x.len(), BLOCK * c, x.par_chunks(BLOCK * c), |x, out| {
                        dispatch(InOnePass { x, weight, bias, eps, out })
                    }))
                })?;
                return Tensor::from_vec(out, xs.shape(), &Device::Cpu);
            }
            // What came out before scale and shift, and what it was divided by, are all that the way back needs.
            let mut inv_std = vec![0.0; xs.elem_count() / c];
            let normal = with_values(xs, |x| {
                let blocks = inv_std.par_chunks_mut(BLOCK).zip(x.par_chunks(BLOCK * c));
                Ok(fill(x.len(), BLOCK * c, blocks, |(inv_std, x), normal| {
                    dispatch(Normalise { x, eps, normal, inv_std })
                }))
            })?;
            let out = with_values(weight, |weight| {
                with_values(bias, |bias| {
                    let blocks = normal.par_chunks(BLOCK * c);
                    Ok(fill(normal.len(), BLOCK * c, blocks, |normal, out| {
                        dispatch(Affine { normal, weight, bias, out })
                    }))
                })
            })?;
            let w = weight.clone();
            record(&[xs, weight, bias], out, xs.shape(), move |ys, grad, wanted| {
                with_values(grad, |dy| {
                    let tensor = |values: Vec<f32>, dims: &[usize]| Tensor::from_vec(values, dims, &Device::Cpu);
                    let dx = wanted[0].then(|| {
                        let dx = with_values(&w, |weight| {
                            let blocks = normal.par_chunks(BLOCK * c).zip(inv_std.par_chunks(BLOCK));
                            let blocks = dy.par_chunks(BLOCK * c).zip(blocks);
                            Ok(fill(dy.len(), BLOCK * c, blocks, |(dy, (normal, inv_std)), dx| {
                                dispatch(Back { dy, normal, inv_std, weight, dx })
                            }))
                        })?;
                        tensor(dx, ys.dims())
                    });
                    let dweight = wanted[1].then(|| {
                        let products: Vec<f32> = dy.par_iter().zip(&normal).map(|(dy, normal)| dy * normal).collect();
                        tensor(sum_rows(&products, c), &[c])
                    });
                    let dbias = wanted[2].then(|| tensor(sum_rows(dy, c), &[c]));
                    Ok(vec![dx.transpose()?, dweight.transpose()?, dbias.transpose()?])
                })
            })
        },
    )
}

struct Normalise<'a, 'o> {
    x: &'a [f32],
    eps: f64,
    normal: Blank<'o>,
    inv_std: &'a mut [f32],
}

impl<'o> WithSimd for Normalise<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> &'o mut [f32] {
        let c = self.x.len() / self.inv_std.len();
        self.normal.chunks(c, self.x.chunks_exact(c).zip(self.inv_std), |(x, inv_std), normal| {
            let (mean, inv) = moments(x, self.eps);
            *inv_std = inv;
            normal.write(x.iter().map(|x| (x - mean) * inv))
        })
    }
}

/// Mean and `1 / √(variance + eps)`.
#[inline(always)]
fn moments(x: &[f32], eps: f64) -> (f32, f32) {
    let mean = sum(x, |x| x) / x.len() as f32;
    let var = sum(x, |x| (x - mean) * (x - mean)) / x.len() as f32;
    (mean, (1.0 / (f64::from(var) + eps).sqrt()) as f32)
}

/// [`Normalise`] and [`Affine`] without anything for a way back, to the same digits.
struct InOnePass<'a, 'o> {
    x: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    eps: f64,
    out: Blank<'o>,
}

impl<'o> WithSimd for InOnePass<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> &'o mut [f32] {
        let c = self.weight.len();
        self.out.chunks(c, self.x.chunks_exact(c), |x, out| {
            let (mean, inv) = moments(x, self.eps);
            let inputs = x.iter().zip(self.weight).zip(self.bias);
            out.write(inputs.map(|((x, weight), bias)| (x - mean) * inv * weight + bias))
        })
    }
}

/// A sum in sixteen lanes, which vectorises and loses less than one after the other.
#[inline(always)]
fn sum(xs: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = xs.as_chunks::<16>();
    let mut lanes = [0.0; 16];
    for chunk in chunks {
        for (lane, &x) in lanes.iter_mut().zip(chunk) {
            *lane += term(x);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&x| term(x)).sum::<f32>()
}

struct Affine<'a, 'o> {
    normal: &'a [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    out: Blank<'o>,
}

impl<'o> WithSimd for Affine<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> &'o mut [f32] {
        let c = self.weight.len();
        self.out.chunks(c, self.normal.chunks_exact(c), |normal, out| {
            let inputs = normal.iter().zip(self.weight).zip(self.bias);
            out.write(inputs.map(|((normal, weight), bias)| normal * weight + bias))
        })
    }
}

struct Back<'a, 'o> {
    dy: &'a [f32],
    normal: &'a [f32],
    inv_std: &'a [f32],
    weight: &'a [f32],
    dx: Blank<'o>,
}

impl<'o> WithSimd for Back<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> &'o mut [f32] {
        let c = self.weight.len();
        let rows = self.dy.chunks_exact(c).zip(self.normal.chunks_exact(c)).zip(self.inv_std);
        self.dx.chunks(c, rows, |((dy, normal), inv_std), dx| {
            let dx = dx.write(dy.iter().zip(self.weight).map(|(dy, weight)| dy * weight));
            let mean = sum(dx, |x| x) / c as f32;
            let mut products = [0.0; 16];
            for (lane, (dx, normal)) in dx.iter().zip(normal).enumerate() {
                products[lane % 16] += dx * normal;
            }
            let along = products.iter().sum::<f32>() / c as f32;
            dx.iter_mut().zip(normal).for_each(|(dx, normal)| *dx = inv_std * (*dx - mean - normal * along));
            dx
        })
    }
}
