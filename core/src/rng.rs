//! One seed, many named streams of random numbers, the same on every machine.
//!
//! A stream is ChaCha8, keyed by the seed and the stream's name, so the use of one stream never shifts another: adding
//! a layer does not change how the data are shuffled. ChaCha is a specification, and the logarithm and cosine of the
//! normal distribution come from `libm` and not from the system, so the numbers do not depend on the platform.
//!
//! ```
//! use tallow::rng::Rng;
//!
//! let root = Rng::new(42);
//! let mut shuffle = root.stream("shuffle");
//! let order = shuffle.permutation(5);
//! root.stream("dropout").normal(); // another stream, which changes nothing
//! assert_eq!(root.stream("shuffle").permutation(5), order);
//!
//! // 10,000 numbers have the moments of the standard normal distribution, to four standard errors.
//! let mut rng = root.stream("init");
//! let values: Vec<f64> = (0..10_000).map(|_| rng.normal()).collect();
//! let mean = values.iter().sum::<f64>() / 1e4;
//! let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / 1e4;
//! assert!(mean.abs() < 0.04 && (variance - 1.0).abs() < 0.06);
//! ```

use crate::error::Result;
use candle_core::{DType, Device, Shape, Tensor};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use rayon::prelude::*;

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Rng {
    seed: u64,
    path: u64,
    chacha: ChaCha8Rng,
    /// Whether tensors are zeros, for values that are replaced before they are read.
    blank: bool,
}

/// Words of ChaCha's stream in a number between 0 and 1.
const WORDS: u64 = 2;

impl Rng {
    /// The root stream of a seed.
    pub fn new(seed: u64) -> Rng {
        Rng::keyed(seed, 0xcbf2_9ce4_8422_2325)
    }

    /// An independent stream with a name within this one. It does not depend on the numbers already drawn from `self`.
    pub fn stream(&self, name: &str) -> Rng {
        // FNV-1a over the names, with a separator so that ("ab", "c") and ("a", "bc") differ.
        let path = name
            .bytes()
            .chain([0xff])
            .fold(self.path, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Rng::keyed(self.seed, path)
    }

    /// An independent stream with a number for a name, such as that of an epoch or of a sample.
    pub fn substream(&self, index: u64) -> Rng {
        self.stream(&index.to_string())
    }

    fn keyed(seed: u64, path: u64) -> Rng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&seed.to_le_bytes());
        key[8..16].copy_from_slice(&path.to_le_bytes());
        Rng { seed, path, chacha: ChaCha8Rng::from_seed(key), blank: false }
    }

    /// The seed of the root stream.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The position in the stream, in 32-bit words: what a checkpoint saves.
    pub fn position(&self) -> u64 {
        self.chacha.get_word_pos() as u64
    }

    /// Moves to a position from [`Rng::position`].
    pub fn seek(&mut self, position: u64) {
        self.chacha.set_word_pos(u128::from(position));
    }

    /// A uniformly distributed integer in `0..n`; 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        // Lemire's multiplication method with rejection, so that no number is favoured.
        let n = n as u64;
        if n == 0 {
            return 0;
        }
        let threshold = n.wrapping_neg() % n;
        loop {
            let wide = u128::from(self.chacha.next_u64()) * u128::from(n);
            if wide as u64 >= threshold {
                return (wide >> 64) as usize;
            }
        }
    }

    /// A uniformly distributed number in `low..high`.
    pub fn uniform(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// `f` of `n` uniformly distributed numbers in `0..1`, drawn by several threads: the same as drawn one by one.
    pub(crate) fn uniforms<T: Copy + Default + Send>(&mut self, n: usize, f: impl Fn(f64) -> T + Sync) -> Vec<T> {
        /// Numbers of a task.
        const BLOCK: usize = 1 << 13;
        /// Numbers whose bytes are drawn at once.
        const DRAWN: usize = 128;
        let start = self.position();
        let mut values = vec![T::default(); n];
        values.par_chunks_mut(BLOCK).enumerate().for_each(|(block, values)| {
            let mut rng = self.clone();
            rng.seek(start + WORDS * (block * BLOCK) as u64);
            let mut bytes = [0; 8 * DRAWN];
            for values in values.chunks_mut(DRAWN) {
                let bytes = &mut bytes[..8 * values.len()];
                rng.chacha.fill_bytes(bytes);
                let numbers = bytes.as_chunks::<8>().0.iter().map(|&bytes| unit(u64::from_le_bytes(bytes)));
                values.iter_mut().zip(numbers).for_each(|(value, number)| *value = f(number));
            }
        });
        self.seek(start + WORDS * n as u64);
        values
    }

    /// Of `total` numbers as [`Rng::uniforms`] draws them, `n` from number `first` on. The stream goes on behind all.
    pub(crate) fn uniforms_among<T: Copy + Default + Send>(
        &mut self,
        (first, total): (usize, usize),
        n: usize,
        f: impl Fn(f64) -> T + Sync,
    ) -> Vec<T> {
        let mut rest = self.clone();
        // Passing over numbers is a change of position; drawing none of them.
        rest.pass(first);
        let values = rest.uniforms(n, f);
        self.pass(total);
        values
    }

    /// Passes over `n` numbers of [`Rng::uniforms`].
    fn pass(&mut self, n: usize) {
        self.seek(self.position() + WORDS * n as u64);
    }

    /// A normally distributed number with mean 0 and standard deviation 1 (Box and Muller, 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// A gamma-distributed number with this shape and scale 1 (Marsaglia and Tsang, 2000); 0 if the shape is not
    /// positive and finite.
    pub fn gamma(&mut self, shape: f64) -> f64 {
        if shape.is_nan() || shape <= 0.0 || shape.is_infinite() {
            return 0.0;
        }
        if shape < 1.0 {
            // G(shape) is distributed as G(shape + 1)·U^(1/shape).
            return self.gamma(shape + 1.0) * libm::pow(1.0 - self.unit(), 1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / libm::sqrt(9.0 * d);
        loop {
            let x = self.normal();
            let root = 1.0 + c * x;
            let v = root * root * root;
            if v > 0.0 && libm::log(1.0 - self.unit()) < 0.5 * x * x + d - d * v + d * libm::log(v) {
                return d * v;
            }
        }
    }

    /// A beta-distributed number, in `0..=1`, with mean `a / (a + b)`.
    pub fn beta(&mut self, a: f64, b: f64) -> f64 {
        let (x, y) = (self.gamma(a), self.gamma(b));
        // Both can underflow to 0 if the parameters are tiny; the distribution is then concentrated at its two ends.
        if x + y > 0.0 { x / (x + y) } else { f64::from(u8::from(self.unit() < a / (a + b))) }
    }

    /// A number in `0..1` with 53 random bits.
    fn unit(&mut self) -> f64 {
        unit(self.chacha.next_u64())
    }

    /// Shuffles the items (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// The numbers `0..n` in random order. PyTorch's `torch.randperm`.
    pub fn permutation(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }

    /// Whether this is a stream of [`Rng::blank`].
    pub(crate) fn is_blank(&self) -> bool {
        self.blank
    }

    /// A stream whose tensors are zeros: to draw millions of numbers that are replaced at once takes time.
    pub(crate) fn blank(self) -> Rng {
        Rng { blank: true, ..self }
    }

    /// A tensor of normally distributed numbers (`f32`) with mean 0 and standard deviation `std`: `torch.randn(shape) *
    /// std`.
    ///
    /// # Errors
    /// When the device cannot allocate the tensor.
    pub fn randn(&mut self, shape: impl Into<Shape>, std: f64, device: &Device) -> Result<Tensor> {
        let shape = shape.into();
        if self.blank {
            return blank_tensor(shape, device);
        }
        let values: Vec<f32> = (0..shape.elem_count()).map(|_| (std * self.normal()) as f32).collect();
        Ok(Tensor::from_vec(values, shape, device)?)
    }

    /// A tensor of uniformly distributed numbers (`f32`) in `low..high`: `torch.empty(shape).uniform_(low, high)`.
    ///
    /// # Errors
    /// When the device cannot allocate the tensor.
    pub fn rand(&mut self, shape: impl Into<Shape>, low: f64, high: f64, device: &Device) -> Result<Tensor> {
        let shape = shape.into();
        if self.blank {
            return blank_tensor(shape, device);
        }
        let values: Vec<f32> = self.uniforms(shape.elem_count(), |x| (low + (high - low) * x) as f32);
        Ok(Tensor::from_vec(values, shape, device)?)
    }
}

/// A number in `0..1` of 53 of these bits.
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1u64 << 53) as f64
}

/// Zeros of a shape, which take no memory: it may be one that no tensor could have.
pub(crate) fn blank_tensor(shape: impl Into<Shape>, device: &Device) -> Result<Tensor> {
    Ok(Tensor::zeros((), DType::F32, device)?.broadcast_as(shape.into())?)
}

/// Divides `total` in proportion to `counts`, by the method of largest remainders; of equal remainders the first wins.
/// A stratified split draws this many items from each class.
pub(crate) fn shares(counts: &[usize], total: usize) -> Vec<usize> {
    let all: usize = counts.iter().sum::<usize>().max(1);
    let mut shares: Vec<usize> = counts.iter().map(|n| n * total / all).collect();
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by_key(|&k| std::cmp::Reverse(counts[k] * total % all));
    let left = total.saturating_sub(shares.iter().sum());
    order.into_iter().take(left).for_each(|k| shares[k] += 1);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_chacha8_as_specified() {
        // First block of ChaCha8 for an all-zero 256-bit key and nonce (draft-strombergson-chacha-test-vectors, TC1).
        let mut chacha = ChaCha8Rng::from_seed([0; 32]);
        let words: Vec<u32> = (0..2).map(|_| chacha.next_u32()).collect();
        assert_eq!(words, [u32::from_le_bytes([0x3e, 0x00, 0xef, 0x2f]), u32::from_le_bytes([0x89, 0x5f, 0x40, 0xd6])]);
    }

    #[test]
    fn many_at_once_are_the_same_as_one_after_the_other() {
        let (mut one, mut other) = (Rng::new(42), Rng::new(42));
        other.unit();
        one.unit();
        let each: Vec<f64> = (0..20_000).map(|_| one.unit()).collect();
        let mut third = other.clone();
        assert_eq!(other.uniforms(20_000, |x| x), each);
        assert_eq!(third.uniforms_among((9_000, 20_000), 500, |x| x), each[9_000..9_500]);
        assert_eq!(third.position(), other.position());
        assert_eq!(other.unit(), one.unit());
    }

    #[test]
    fn streams_are_independent_of_order_and_of_each_other() {
        let root = Rng::new(42);
        let mut used = root.stream("a");
        used.normal();
        assert_eq!(root.stream("b").normal(), used.stream("x").clone().seed_stream("b").normal());
        assert_ne!(root.stream("a").uniform(0., 1.), root.stream("b").uniform(0., 1.));
        assert_ne!(Rng::new(1).uniform(0., 1.), Rng::new(2).uniform(0., 1.));
        assert_ne!(root.stream("ab").stream("c").unit(), root.stream("a").stream("bc").unit());
    }

    impl Rng {
        fn seed_stream(&self, name: &str) -> Rng {
            Rng::new(self.seed).stream(name)
        }
    }

    #[test]
    fn a_position_can_be_saved_and_found_again() {
        let mut rng = Rng::new(7);
        for _ in 0..5 {
            rng.normal();
        }
        let position = rng.position();
        let expected = [rng.normal(), rng.uniform(0., 1.)];
        let mut again = Rng::new(7);
        again.seek(position);
        assert_eq!([again.normal(), again.uniform(0., 1.)], expected);
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        let mut rng = Rng::new(3);
        let n = 100_000;
        let normal: Vec<f64> = (0..n).map(|_| rng.normal()).collect();
        let mean = normal.iter().sum::<f64>() / n as f64;
        let var = normal.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n as f64;
        // Five standard errors: 1/sqrt(n) of the mean, sqrt(2/n) of the variance.
        assert!(mean.abs() < 5.0 / (n as f64).sqrt() && (var - 1.0).abs() < 5.0 * (2.0 / n as f64).sqrt());
        let mut counts = [0; 7];
        (0..n).for_each(|_| counts[rng.below(7)] += 1);
        assert!(counts.iter().all(|&c| (f64::from(c) - n as f64 / 7.0).abs() < 5.0 * (n as f64 / 7.0).sqrt()));
    }

    #[test]
    fn beta_numbers_have_the_moments_of_their_distribution() {
        let (mut rng, n) = (Rng::new(4), 100_000);
        for (a, b) in [(0.4, 0.4), (1.0, 1.0), (0.2, 3.0), (5.0, 2.0)] {
            let drawn: Vec<f64> = (0..n).map(|_| rng.beta(a, b)).collect();
            let mean = drawn.iter().sum::<f64>() / f64::from(n);
            let var = drawn.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / f64::from(n);
            let want = a * b / ((a + b) * (a + b) * (a + b + 1.0));
            let deviation = want.sqrt() / f64::from(n).sqrt();
            assert!((mean - a / (a + b)).abs() < 5.0 * deviation, "mean {mean} of beta({a}, {b})");
            // The fourth central moment of a number in 0..1 is at most its variance.
            assert!((var - want).abs() < 5.0 * want.sqrt() / f64::from(n).sqrt(), "variance {var} of beta({a}, {b})");
            assert!(drawn.iter().all(|x| (0.0..=1.0).contains(x)));
        }
        // A tiny parameter gives ends, not NaN.
        assert!((0..1000).all(|_| rng.beta(1e-4, 1e-4).is_finite()));
    }

    #[test]
    fn a_permutation_holds_each_number_once() {
        let mut order = Rng::new(1).permutation(1000);
        assert_ne!(order[..10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        order.sort_unstable();
        assert!(order.iter().enumerate().all(|(i, &v)| i == v));
        assert_eq!(Rng::new(1).below(0), 0);
    }
}
