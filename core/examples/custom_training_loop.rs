//! The training loop by hand, for what a `Learner` does not do: `cargo run -p tallow --example custom_training_loop`.
//!
//! Layers, loaders, losses, schedules and optimizers work without a learner. Here they fit a small network to a
//! parabola.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use tallow::autograd::{backward, no_grad};
use tallow::candle::Device;
use tallow::data::{DataLoader, TensorDataset};
use tallow::nn::{Module, Params, Sequential, losses};
use tallow::optim::{Adam, Hypers, Optimizer, sched_cos};
use tallow::rng::Rng;

fn main() -> tallow::Result<()> {
    let (rng, device) = (Rng::new(42), Device::Cpu);
    let xs = rng.stream("xs").rand((512, 1), -1.0, 1.0, &device)?;
    let ys = xs.sqr()?; // [512, 1]
    let loader = DataLoader::new(TensorDataset::new(&xs, &ys)?, 32)?.shuffle(&rng.stream("shuffle"));

    let params = Params::new(&rng.stream("init"), &device);
    let model = Sequential::new(&params).linear(1, 16)?.relu().linear(16, 1)?;
    let mut optimizer = Adam::fastai();

    let epochs = 20;
    for epoch in 0..epochs {
        let lr = sched_cos(2e-2, 1e-4, epoch as f64 / epochs as f64);
        for batch in loader.epoch(epoch) {
            let batch = batch?;
            let preds = model.forward(&batch.xs, true)?; // [32, 1]
            let loss = losses::mse(&preds, &batch.ys)?;
            let grads = backward(&loss)?;
            optimizer.step(&params.trainable(), &grads, &Hypers::lr(lr))?;
        }
        let preds = no_grad(|| model.forward(&xs, false))?;
        println!("epoch {epoch:2}: lr {lr:.4}, loss {:.6}", losses::mse(&preds, &ys)?.to_vec0::<f32>()?);
    }
    Ok(())
}
