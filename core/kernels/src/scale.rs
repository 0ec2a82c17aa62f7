//! Products of channels or samples with factors, as in squeeze-and-excitation, layer scale and stochastic depth.

use super::blank::{Blank, fill};
use super::graph::record;
use super::simd::dispatch;
use super::sums::sum_rows;
use super::trace::{Operation, traced};
use super::{fast, with_values};
use candle_core::{Device, Result, Tensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Multiplies each channel by a factor.
///
/// # Shapes
/// `xs` `[N, .., C]`, `factors` `[C]`, or `[N, C]` for each sample its own → `[N, .., C]`
///
/// # Errors
/// When the shapes do not fit together, or `xs` is empty.
pub fn scale(xs: &Tensor, factors: &Tensor) -> Result<Tensor> {
    traced(
        || Operation::Scale { xs: xs.clone(), factors: factors.clone() },
        || {
            let (Some(&n), Some(&c)) = (xs.dims().first(), xs.dims().last()) else {
                candle_core::bail!("scale: a scalar has no channels")
            };
            if xs.elem_count() == 0 || !(factors.dims() == [c] || (factors.dims() == [n, c] && xs.rank() > 1)) {
                candle_core::bail!(
                    "scale: input {:?} and factors {:?}: expected [C] or [N, C]",
                    xs.dims(),
                    factors.dims()
                );
            }
            if !(fast(xs) && fast(factors)) {
                let mut dims = vec![1; xs.rank()];
                (dims[0], dims[xs.rank() - 1]) = (if factors.rank() == 2 { n } else { 1 }, c);
                return xs.broadcast_mul(&factors.reshape(dims)?);
            }
            let values = with_values(xs, |x| with_values(factors, |factors| Ok(products(x, factors, n, c))))?;
            let (x, f) = (xs.clone(), factors.clone());
            record(&[xs, factors], values, xs.shape(), move |ys, grad, wanted| {
                with_values(grad, |dy| {
                    let dx = wanted[0].then(|| {
                        Tensor::from_vec(with_values(&f, |f| Ok(products(dy, f, n, c)))?, ys.shape(), &Device::Cpu)
                    });
                    let dfactors = wanted[1].then(|| {
                        let sums = with_values(&x, |x| {
                            let terms: Vec<f32> = dy.par_iter().zip(x).map(|(dy, x)| dy * x).collect();
                            let each = terms.len() / f.elem_count() * c;
                            Ok(terms.chunks(each).flat_map(|sample| sum_rows(sample, c)).collect::<Vec<f32>>())
                        })?;
                        Tensor::from_vec(sums, f.shape(), &Device::Cpu)
                    });
                    Ok(vec![dx.transpose()?, dfactors.transpose()?])
                })
            })
        },
    )
}

/// Multiplies each sample by a factor that has no gradient, as in stochastic depth. With `N·T` factors it multiplies
/// each step of sequences `[N, T, C]`.
///
/// # Shapes
/// `xs` `[N, ..]` → `[N, ..]`
///
/// # Errors
/// When there are not as many factors as samples, or `xs` is empty.
pub fn scale_samples(xs: &Tensor, factors: &[f32]) -> Result<Tensor> {
    /// Values that one task works through, at least.
    const BLOCK: usize = 1 << 13;
    let leading = (1..=xs.rank()).find(|&axes| xs.dims()[..axes].iter().product::<usize>() == factors.len());
    let Some(leading) = leading.filter(|_| xs.elem_count() > 0) else {
        candle_core::bail!("scale_samples: {} factors for input {:?}", factors.len(), xs.dims())
    };
    if !fast(xs) {
        let mut dims = xs.dims().to_vec();
        dims[leading..].fill(1);
        let factors = Tensor::new(factors, xs.device())?.to_dtype(xs.dtype())?;
        return xs.broadcast_mul(&factors.reshape(dims)?);
    }
    let factors = factors.to_vec();
    let times = move |xs: &Tensor| {
        with_values(xs, |x| {
            let each = x.len() / factors.len();
            let samples = (BLOCK / each).max(1);
            let blocks = x.par_chunks(samples * each).zip(factors.par_chunks(samples));
            Ok(fill(x.len(), samples * each, blocks, |(x, factors), out| {
                out.chunks(each, x.chunks_exact(each).zip(factors), |(x, factor), out| {
                    out.write(x.iter().map(|x| x * factor))
                })
            }))
        })
    };
    record(&[xs], times(xs)?, xs.shape(), move |ys, grad, _| {
        Ok(vec![Some(Tensor::from_vec(times(grad)?, ys.shape(), &Device::Cpu)?)])
    })
}

fn products(xs: &[f32], factors: &[f32], n: usize, c: usize) -> Vec<f32> {
    /// Rows that one task works through.
    const BLOCK: usize = 64;
    let sample = xs.len() / n;
    fill(xs.len(), sample, xs.par_chunks(sample).enumerate(), |(i, xs), out| {
        let factors = if factors.len() == c { factors } else { &factors[i * c..][..c] };
        out.par_chunks(BLOCK * c, xs.par_chunks(BLOCK * c), |xs, out| dispatch(Times { xs, factors, out }))
    })
}

struct Times<'a, 'o> {
    xs: &'a [f32],
    factors: &'a [f32],
    out: Blank<'o>,
}

impl<'o> WithSimd for Times<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> &'o mut [f32] {
        let c = self.factors.len();
        self.out.chunks(c, self.xs.chunks_exact(c), |xs, out| {
            out.write(xs.iter().zip(self.factors).map(|(x, factor)| x * factor))
        })
    }
}
