//! How long a training step through three LSTM layers takes, with this crate's operation and out of candle's:
//! `cargo run --release -p tallow-kernels --example lstm [BATCH STEPS IN HIDDEN [REPEATS]]`.
#![allow(clippy::print_stdout)]

use candle_core::{DType, Device, Result, Tensor, Var};
use std::time::Instant;
use tallow_kernels::{LstmWeights, backward, keep_freed_memory, lstm, recorded};

fn main() -> Result<()> {
    keep_freed_memory();
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|number| number.parse().ok()).collect();
    let [batch, steps, features, hidden, repeats] = match numbers[..] {
        [batch, steps, features, hidden] => [batch, steps, features, hidden, 3],
        [batch, steps, features, hidden, repeats] => [batch, steps, features, hidden, repeats],
        _ => [8, 16, 20, 48, 3],
    };
    let layers = [(features, hidden), (hidden, hidden), (hidden, features)];
    let layers = layers.map(|(features, hidden)| Layer::new(batch, features, hidden));
    let layers = layers.into_iter().collect::<Result<Vec<Layer>>>()?;
    let xs = Tensor::randn(0f32, 1.0, (batch, steps, features), &Device::Cpu)?;
    let step = |xs: &Tensor| {
        let out = recorded(|| layers.iter().try_fold(xs.clone(), |xs, layer| layer.forward(&xs)))?;
        let forward = Instant::now();
        backward(&out.sqr()?.mean_all()?)?;
        Ok(forward)
    };
    let mut times = Vec::new();
    for _ in 0..repeats.max(1) {
        let start = Instant::now();
        let forward: Result<Instant> = step(&xs);
        let forward = forward?;
        times.push(((forward - start).as_secs_f64(), start.elapsed().as_secs_f64()));
    }
    times.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (forward, all) = times[times.len() / 2];
    println!("{batch} x {steps}, {features} -> {hidden} -> {hidden} -> {features}, median of {}:", times.len());
    println!("forward {:.1} ms, forward and backward {:.1} ms", forward * 1e3, all * 1e3);
    Ok(())
}

struct Layer {
    weight_ih: Var,
    weight_hh: Var,
    bias: Var,
    state: Tensor,
}

impl Layer {
    fn new(batch: usize, features: usize, hidden: usize) -> Result<Layer> {
        let weight = |columns| Var::randn(0f32, 0.05, (4 * hidden, columns), &Device::Cpu);
        Ok(Layer {
            weight_ih: weight(features)?,
            weight_hh: weight(hidden)?,
            bias: Var::zeros(4 * hidden, DType::F32, &Device::Cpu)?,
            state: Tensor::zeros((batch, hidden), DType::F32, &Device::Cpu)?,
        })
    }

    fn forward(&self, xs: &Tensor) -> Result<Tensor> {
        let Layer { weight_ih, weight_hh, bias, state } = self;
        Ok(lstm(xs, state, state, LstmWeights { weight_ih, weight_hh, bias_ih: bias, bias_hh: bias })?.ys)
    }
}
