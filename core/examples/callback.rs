//! A callback of one's own: `cargo run -p tallow --example callback`.
//!
//! Callbacks see and change the state of training between its steps. This one watches the length of the gradient, and
//! ends training when it has become small.
#![allow(clippy::print_stdout)] // a program: its results are for stdout

use tallow::Result;
use tallow::candle::Device;
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::nn::{Params, Sequential, losses};
use tallow::optim::Sgd;
use tallow::rng::Rng;
use tallow::train::{Callback, Learner, TrainState};

struct StopAtSmallGradient {
    below: f64,
}

impl Callback for StopAtSmallGradient {
    fn after_backward(&mut self, state: &mut TrainState) -> Result<()> {
        let mut sum = 0.0;
        for param in state.params.trainable() {
            if let Some(grad) = state.grads.as_ref().and_then(|grads| grads.get(param.var())) {
                sum += f64::from(grad.sqr()?.sum_all()?.to_vec0::<f32>()?);
            }
        }
        if sum.sqrt() < self.below {
            println!("epoch {}, batch {}: the gradient is {:.5} long", state.epoch, state.batch, sum.sqrt());
            state.stop = true;
        }
        Ok(())
    }
}

fn main() -> Result<()> {
    let (rng, device) = (Rng::new(42), Device::Cpu);
    let xs = rng.stream("xs").randn((128, 3), 1.0, &device)?;
    let ys = xs.sum_keepdim(1)?; // [128, 1]
    let loader = DataLoader::new(TensorDataset::new(&xs, &ys)?, 32)?;
    let dls = DataLoaders { train: loader.clone().shuffle(&rng.stream("shuffle")), valid: loader };

    let params = Params::new(&rng.stream("init"), &device);
    let model = Sequential::new(&params).linear(3, 1)?;
    let mut learner = Learner::new(dls, model, &params, losses::mse)
        .opt(Sgd::new())
        .callback(StopAtSmallGradient { below: 1e-3 })
        .listener(tallow::cli::console());
    learner.fit(50, 0.1)
}
