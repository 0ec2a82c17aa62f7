//! Creating an optimizer.

use crate::by_hand::{loaders, validate_epoch};
use crate::loss::{Data, mnist_loss};
use crate::show::{listed, numbers};
use candle_core::Tensor;
use candle_core::backprop::GradStore;
use tallow::Result;
use tallow::cli::Session;
use tallow::data::{Batch, DataLoader};
use tallow::nn::{Linear, Module, Param, Params, linear};
use tallow::optim::{Hypers, Optimizer, Sgd};
use tallow::plot::{HeatMap, Plot};

/// The simplest optimizer there is.
struct BasicOptim {
    params: Vec<Param>,
    lr: f64,
}

impl BasicOptim {
    fn step(&self, grads: &GradStore) -> Result<()> {
        for p in &self.params {
            if let Some(grad) = grads.get(p.var()) {
                p.var().set(&(p.var().as_tensor() - (grad * self.lr)?)?)?;
            }
        }
        Ok(())
    }
}

/// One epoch with whatever makes a step.
fn train_epoch(
    model: &Linear,
    dl: &DataLoader,
    epoch: usize,
    step: &mut dyn FnMut(&GradStore) -> Result<()>,
) -> Result<()> {
    tallow::cli::stop_if_interrupted()?;
    for batch in dl.epoch(epoch) {
        let Batch { xs, ys, .. } = batch?;
        step(&mnist_loss(&model.forward(&xs, true)?, &ys)?.backward()?)?;
    }
    Ok(())
}

// --- 13. An optimizer ------------------------------------------------------------------------------------------------

pub(crate) fn creating_an_optimizer(s: &mut Session, data: &Data) -> Result<()> {
    s.section("Creating an optimizer");
    s.text(
        "
        Everybody needs the same few pieces, so libraries have them. A linear layer holds weights and bias and does what
        `init_params` and `linear1` did. An **optimizer** steps the parameters. Ours is four lines of code; the
        library's `Sgd`, with its defaults, does the same.
        ",
    );
    let (dl, valid_dl) = loaders(data)?;
    let validate = |model: &Linear| validate_epoch(&|xb: &Tensor| model.forward(xb, false), &valid_dl);
    let epochs = if s.quick { 5 } else { 20 };
    let lr = 1.0;

    let params = Params::new(&data.rng.stream("linear_model"), &s.device);
    let linear_model = linear(28 * 28, 1, &params)?;
    let shapes: Vec<f64> = params.all().iter().flat_map(|p| p.var().dims().to_vec()).map(|d| d as f64).collect();
    s.check("w.shape, b.shape", &shapes)?;
    let before = validate(&linear_model)?;
    s.check("accuracy before training with nn.Linear", before)?;
    let opt = BasicOptim { params: params.all(), lr };
    let mut basic = Vec::new();
    for epoch in 0..epochs {
        train_epoch(&linear_model, &dl, epoch, &mut |grads| opt.step(grads))?;
        basic.push(validate(&linear_model)?);
    }
    s.say(format!("BasicOptim:\n{}", listed(&basic)));
    s.check("accuracy with BasicOptim, epochs 1 to 20", &basic)?;
    let last = basic.last().copied().unwrap_or_default();
    s.check("final accuracy with BasicOptim", last)?;

    let params = Params::new(&data.rng.stream("linear_model again"), &s.device);
    let linear_model = linear(28 * 28, 1, &params)?;
    let mut opt = Sgd::new();
    let mut sgd = Vec::new();
    for epoch in 0..epochs {
        train_epoch(&linear_model, &dl, epoch, &mut |grads| opt.step(&params.all(), grads, &Hypers::lr(lr)))?;
        sgd.push(validate(&linear_model)?);
    }
    s.say(format!("Sgd:\n{}", listed(&sgd)));
    s.check("accuracy with SGD, epochs 1 to 20", &sgd)?;
    let last = sgd.last().copied().unwrap_or_default();
    s.check("final accuracy with SGD", last)?;
    s.metric("linear_sgd_accuracy", last);

    let epochs: Vec<f64> = (1..).take(sgd.len()).map(f64::from).collect();
    let curve = Plot::new("The same with an optimizer").x_label("epoch").y_label("valid accuracy");
    let curve = curve.line("BasicOptim", &epochs, &basic).line("Sgd", &epochs, &sgd);
    s.figure("optimizers", "Our optimizer and the library's, from two random starts.", curve)?;
    let map = HeatMap::new("Weights", 28, 28, &numbers(params.get("weight")?.var())?).diverging();
    let caption = "Started near zero the weights show what they have learnt: ink at blue pixels speaks for a three, at \
                   red ones for a seven.";
    s.figure("weights", caption, map)
}
