//! A layer of one's own: `cargo run -p tallow --example custom_module`.
//!
//! A module takes its parameters from `Params`, under names of its own, and computes in `forward`. Everything else
//! follows from that: initial values, freezing, checkpoints, export.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use tallow::Result;
use tallow::candle::{Device, Tensor};
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::nn::{Linear, Module, ParamKind, Params, Sequential, losses};
use tallow::rng::Rng;
use tallow::train::Learner;

/// `x + g · relu(W x + b)`: a residual block with a learned gain, which begins at 0, so that the block begins as
/// nothing.
struct GatedBlock {
    linear: Linear,
    gain: tallow::nn::Param,
}

impl GatedBlock {
    fn new(features: usize, params: &Params) -> Result<GatedBlock> {
        let linear = Linear::new(features, features, true, &params.pp("linear"))?;
        Ok(GatedBlock { linear, gain: params.constant("gain", ParamKind::Weight, features, 0.0)? })
    }
}

impl Module for GatedBlock {
    /// `[N, features]` to `[N, features]`.
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        let branch = tallow::kernels::relu(&self.linear.forward(xs, train)?)?;
        Ok((xs + branch.broadcast_mul(&self.gain.tensor())?)?)
    }
}

fn main() -> Result<()> {
    let (rng, device) = (Rng::new(42), Device::Cpu);
    let xs = rng.stream("xs").randn((256, 8), 1.0, &device)?;
    let ys = xs.abs()?.sum_keepdim(1)?; // [256, 1]
    let loader = DataLoader::new(TensorDataset::new(&xs, &ys)?, 32)?;
    let dls = DataLoaders { train: loader.clone().shuffle(&rng.stream("shuffle")), valid: loader };

    let params = Params::new(&rng.stream("init"), &device);
    let block = |params: &Params| GatedBlock::new(8, params);
    let model = Sequential::new(&params).add(block)?.add(block)?.linear(8, 1)?;
    for param in params.all() {
        println!("{:16} {:?}", param.name(), param.dims());
    }
    let mut learner = Learner::new(dls, model, &params, losses::mse).listener(tallow::cli::console());
    learner.fit_one_cycle(20, 3e-2)
}
