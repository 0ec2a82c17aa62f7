//! candle's `loss.backward()` and `backward` give the same gradients; the second, in less time.
#![allow(clippy::print_stdout)]

use candle_core::backprop::GradStore;
use candle_core::{Device, Result, Tensor, Var};
use std::time::{Duration, Instant};
use tallow_kernels::{Activation, ConvParams, activate, add, backward, conv2d, recorded};

/// Residual blocks on images `[8, 32, 32, 16]`.
fn network(xs: &Tensor, weights: &[Var]) -> Result<Tensor> {
    weights.iter().try_fold(xs.clone(), |xs, weight| {
        let ys = conv2d(&xs, weight, None, &ConvParams::new(1, 1))?;
        activate(&add(&xs, &ys)?, Activation::Silu)
    })
}

/// The largest difference between two gradients of a weight, and how long candle's way and ours took.
pub(crate) fn compare(runs: usize) -> Result<(f32, [Duration; 2])> {
    let wave =
        |n: usize, step: f32, scale: f32| -> Vec<f32> { (0..n).map(|i| scale * (i as f32 * step).sin()).collect() };
    let xs = Tensor::from_vec(wave(8 * 32 * 32 * 16, 0.7, 1.0), (8, 32, 32, 16), &Device::Cpu)?;
    let weight = |i: usize| Var::from_vec(wave(16 * 16 * 9, 1.3 + i as f32, 0.1), (16, 16, 3, 3), &Device::Cpu);
    let weights: Vec<Var> = (0..8).map(weight).collect::<Result<_>>()?;

    let candles = || network(&xs, &weights)?.sqr()?.mean_all()?.backward();
    let ours = || backward(&recorded(|| network(&xs, &weights))?.sqr()?.mean_all()?);
    let ways: [&dyn Fn() -> Result<GradStore>; 2] = [&candles, &ours];

    let (mut best, mut difference) = ([Duration::MAX; 2], 0.0f32);
    for _ in 0..runs {
        let [a, b] = [0, 1].map(|way| {
            let start = Instant::now();
            let grads = ways[way]();
            best[way] = best[way].min(start.elapsed());
            grads
        });
        let (a, b) = (a?, b?);
        for weight in &weights {
            let (Some(a), Some(b)) = (a.get(weight), b.get(weight)) else {
                candle_core::bail!("a weight without a gradient")
            };
            difference = difference.max((a - b)?.abs()?.max_all()?.to_scalar()?);
        }
    }
    Ok((difference, best))
}

#[allow(dead_code)] // the test runs `compare`
fn main() -> Result<()> {
    let (difference, [candles, ours]) = compare(20)?;
    println!("largest difference {difference}; loss.backward() {candles:.1?}, backward(&loss) {ours:.1?}");
    Ok(())
}
