//! Attention (Vaswani et al., 2017), all heads in one operation.
//!
//! A task is a text. Sums run over places and channels in their order and vectors run across them, so that neither the
//! number of threads nor the width of vectors changes a result.

mod backward;
mod forward;
mod portable;

use super::graph::{record, tracked};
use super::{fast, with_all, with_optional};
use candle_core::{DType, Device, Result, Tensor};

/// `softmax(q · kᵀ / sqrt(d)) · v` in each of `heads` heads, whose `d` channels stand beside each other in `q`, `k` and
/// `v`. PyTorch's `scaled_dot_product_attention` between `nn.Linear` layers, without the transposes around it.
///
/// # Shapes
/// `q`, `k`, `v` and the result `[N, T, heads · d]`. `keys` has `N · T` values: false is padding, to which nothing
/// attends (its own results are of no use, but finite). `dropout` `[N, heads, T, T]` are factors of the
/// probabilities, such as [`dropout_mask`](super::dropout_mask) makes; they have no gradient.
///
/// # Errors
/// When shapes do not fit together, something is empty, the heads do not divide the channels, or a text is padding
/// alone.
pub fn attention(
    q: &Tensor,
    k: &Tensor,
    v: &Tensor,
    heads: usize,
    keys: &[bool],
    dropout: Option<&Tensor>,
) -> Result<Tensor> {
    let heads = Heads::of(q, k, v, heads, keys, dropout)?;
    let factors = dropout.map(|factors| factors.detach().to_dtype(q.dtype())).transpose()?;
    if ![q, k, v].iter().all(|xs| fast(xs)) {
        return portable::portable(&heads, [q, k, v], keys, factors.as_ref());
    }
    let keep = tracked(&[q, k, v]);
    let (out, probabilities) = with_all(&[q, k, v], |qkv| {
        with_optional(factors.as_ref(), |factors| Ok(forward::forward(&heads, qkv, keys, factors, keep)))
    })?;
    let inputs = [q.clone(), k.clone(), v.clone()];
    record(&[q, k, v], out, q.shape(), move |ys, grad, _| {
        let grads = with_all(&[&inputs[0], &inputs[1], &inputs[2], grad], |values| {
            with_optional(factors.as_ref(), |factors| Ok(backward::backward(&heads, values, &probabilities, factors)))
        })?;
        grads.into_iter().map(|grad| Tensor::from_vec(grad, ys.shape(), &Device::Cpu).map(Some)).collect()
    })
}

/// The sizes.
#[derive(Debug, Clone, Copy)]
struct Heads {
    texts: usize,
    places: usize,
    heads: usize,
    width: usize,
}

impl Heads {
    /// The sizes, once it is clear that they fit together.
    fn of(q: &Tensor, k: &Tensor, v: &Tensor, heads: usize, keys: &[bool], dropout: Option<&Tensor>) -> Result<Heads> {
        let (texts, places, channels) = q.dims3()?;
        let same = k.shape() == q.shape() && v.shape() == q.shape();
        let factors = dropout.is_none_or(|factors| factors.dims() == [texts, heads, places, places]);
        if q.elem_count() == 0 || heads == 0 || channels % heads != 0 || !same || !factors {
            candle_core::bail!(
                "attention: q {:?}, k {:?}, v {:?} and dropout {:?} with {heads} heads: expected three times \
                 [N, T, heads * d] and [N, heads, T, T], nothing empty",
                q.dims(),
                k.dims(),
                v.dims(),
                dropout.map(Tensor::dims)
            );
        }
        if q.dtype() != k.dtype() || q.dtype() != v.dtype() || q.dtype() == DType::U32 {
            candle_core::bail!("attention: q {:?}, k {:?}, v {:?} are of two types", q.dtype(), k.dtype(), v.dtype());
        }
        if keys.len() != texts * places {
            candle_core::bail!("attention: {} keys for {texts} texts of {places} places", keys.len());
        }
        if let Some(text) = keys.chunks(places).position(|keys| !keys.contains(&true)) {
            candle_core::bail!("attention: text {text} of the batch is padding alone; there must be one key at least");
        }
        Ok(Heads { texts, places, heads, width: channels / heads })
    }

    /// Channels of all heads.
    fn channels(&self) -> usize {
        self.heads * self.width
    }

    /// What a score is multiplied with.
    fn scale(&self) -> f32 {
        (1.0 / (self.width as f64).sqrt()) as f32
    }

    /// The channels of a head at a place of a text.
    #[inline(always)]
    fn at<'a>(&self, text: &'a [f32], head: usize, place: usize) -> &'a [f32] {
        &text[place * self.channels() + head * self.width..][..self.width]
    }

    #[inline(always)]
    fn at_mut<'a>(&self, text: &'a mut [f32], head: usize, place: usize) -> &'a mut [f32] {
        &mut text[place * self.channels() + head * self.width..][..self.width]
    }

    /// Places, and so many more that they fill whole blocks.
    fn padded(&self) -> usize {
        self.places.next_multiple_of(BLOCK)
    }

    /// A head's channels of all places of a text, `[width, padded places]`.
    #[inline(always)]
    fn transpose(&self, text: &[f32], head: usize, out: &mut [f32]) {
        let padded = self.padded();
        for place in 0..self.places {
            for (channel, &x) in self.at(text, head, place).iter().enumerate() {
                out[channel * padded + place] = x;
            }
        }
    }

    /// The products of some vectors with those of all places, which are transposed; `out` has a row of padded places
    /// for each.
    #[inline(always)]
    fn products<const R: usize>(&self, vectors: [&[f32]; R], transposed: &[f32], out: &mut [f32]) {
        let padded = self.padded();
        for start in (0..padded).step_by(BLOCK) {
            // Sums that stay in registers.
            let mut sums = [[0.0; BLOCK]; R];
            for (channel, row) in transposed.chunks_exact(padded).enumerate() {
                let row = &row[start..start + BLOCK];
                for (sums, vector) in sums.iter_mut().zip(vectors) {
                    let x = vector[channel];
                    sums.iter_mut().zip(row).for_each(|(sum, &value)| *sum += x * value);
                }
            }
            let rows = out.chunks_exact_mut(padded);
            rows.zip(sums).for_each(|(row, sums)| row[start..start + BLOCK].copy_from_slice(&sums));
        }
    }

    /// Sums of a head's vectors of all places: place `first + i` of `out` gets them times the factors in row `i`, of
    /// padded places. There are `R` rows of factors, perhaps more than places.
    #[inline(always)]
    fn weighted<const R: usize>(&self, factors: &[f32], text: &[f32], head: usize, out: &mut [f32], first: usize) {
        let padded = self.padded();
        let rows = R.min(self.places - first);
        let whole = self.width / BLOCK * BLOCK;
        for start in (0..whole).step_by(BLOCK) {
            let mut sums = [[0.0; BLOCK]; R];
            for place in 0..self.places {
                let values = &self.at(text, head, place)[start..start + BLOCK];
                for (row, sums) in sums.iter_mut().enumerate() {
                    let factor = factors[row * padded + place];
                    sums.iter_mut().zip(values).for_each(|(sum, &value)| *sum += factor * value);
                }
            }
            for (row, sums) in sums.iter().enumerate().take(rows) {
                self.at_mut(out, head, first + row)[start..start + BLOCK].copy_from_slice(sums);
            }
        }
        for row in 0..rows {
            let rest = &mut self.at_mut(out, head, first + row)[whole..];
            rest.fill(0.0);
            for (place, &factor) in factors[row * padded..][..self.places].iter().enumerate() {
                add_scaled(rest, factor, &self.at(text, head, place)[whole..]);
            }
        }
    }
}

/// Values that are computed side by side.
const BLOCK: usize = 16;

/// `sum += factor · xs`.
#[inline(always)]
fn add_scaled(sum: &mut [f32], factor: f32, xs: &[f32]) {
    sum.iter_mut().zip(xs).for_each(|(sum, x)| *sum += factor * x);
}
