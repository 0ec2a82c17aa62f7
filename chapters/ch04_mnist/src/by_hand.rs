//! Putting it all together: a linear model, trained by hand.

use crate::loss::{Data, batch_accuracy, init_params, mnist_loss};
use crate::printed;
use crate::show::{listed, number, numbers, sizes};
use candle_core::{Tensor, Var};
use tallow::cli::Session;
use tallow::data::{Batch, DataLoader, TensorDataset};
use tallow::plot::{HeatMap, Plot};
use tallow::report::Expect;
use tallow::{Error, Result};

/// y = w·x + b with parameters that we hold in our own hands.
struct Linear1 {
    weights: Var,
    bias: Var,
}

impl Linear1 {
    fn forward(&self, xb: &Tensor) -> Result<Tensor> {
        Ok(xb.matmul(&self.weights)?.broadcast_add(&self.bias)?) // [N, 1]
    }

    /// Gradients of the loss of one batch by weights and bias.
    fn calc_grad(&self, xb: &Tensor, yb: &Tensor) -> Result<[Tensor; 2]> {
        let grads = mnist_loss(&self.forward(xb)?, yb)?.backward()?;
        match (grads.get(&self.weights), grads.get(&self.bias)) {
            (Some(weights), Some(bias)) => Ok([weights.clone(), bias.clone()]),
            _ => Err(Error::Value("the loss does not depend on the parameters".into())),
        }
    }

    fn train_epoch(&self, dl: &DataLoader, epoch: usize, lr: f64) -> Result<()> {
        tallow::cli::stop_if_interrupted()?;
        for batch in dl.epoch(epoch) {
            let Batch { xs, ys, .. } = batch?;
            let grads = self.calc_grad(&xs, &ys)?;
            for (p, grad) in [&self.weights, &self.bias].into_iter().zip(grads) {
                p.set(&(p.as_tensor() - (grad * lr)?)?)?;
            }
        }
        Ok(())
    }
}

/// The mean of the batches' accuracies, as the source rounds it: to four digits.
pub(crate) fn validate_epoch(model: &dyn Fn(&Tensor) -> Result<Tensor>, valid_dl: &DataLoader) -> Result<f64> {
    let mut accuracies = Vec::new();
    for batch in valid_dl.epoch(0) {
        let Batch { xs, ys, .. } = batch?;
        accuracies.push(batch_accuracy(&model(&xs)?, &ys)?);
    }
    Ok((accuracies.iter().sum::<f64>() / accuracies.len() as f64 * 1e4).round() / 1e4)
}

/// The source's loaders: batches of 256, in order. It does not shuffle here, and so neither do we.
pub(crate) fn loaders(data: &Data) -> Result<(DataLoader, DataLoader)> {
    let dl = DataLoader::new(TensorDataset::new(&data.train_x, &data.train_y)?, 256)?;
    let valid_dl = DataLoader::new(TensorDataset::new(&data.valid_x, &data.valid_y)?, 256)?;
    Ok((dl, valid_dl))
}

// --- 12. Training by hand --------------------------------------------------------------------------------------------

pub(crate) fn putting_it_all_together(s: &mut Session, data: &Data) -> Result<()> {
    s.run.section("Putting it all together");
    s.run.text(
        "Now the seven steps on real digits: for each batch predict, compute the loss, differentiate, step. All of it \
         is in view: there is no library between us and the arithmetic.",
    );
    // Step 1: initialise.
    let weights = init_params(&mut data.rng.stream("weights"), (28 * 28, 1), &s.device)?;
    let bias = init_params(&mut data.rng.stream("bias"), (1, 1), &s.device)?;
    let linear1 = Linear1 { weights, bias };
    let (dl, valid_dl) = loaders(data)?;
    let first = dl.one_batch()?;
    let shapes = sizes(&[&first.xs, &first.ys]);
    s.run.compare_series("xb.shape, yb.shape", &["256", "784", "256", "1"], &shapes, Expect::Exact);

    // Steps 2 to 4 on four pictures.
    let (batch, labels) = (data.train_x.narrow(0, 0, 4)?, data.train_y.narrow(0, 0, 4)?);
    let preds = linear1.forward(&batch)?; // [4, 1]
    let printed = ["10.4546", "9.4603", "-0.2426", "6.7868"];
    s.run.compare_series("linear1(batch)", &printed, &numbers(&preds)?, Expect::Draw);
    s.run.compare("mnist_loss(preds, train_y[:4])", "0.1404", number(&mnist_loss(&preds, &labels)?)?, Expect::Draw);
    s.run.compare("batch_accuracy of four", "0.7500", batch_accuracy(&preds, &labels)?, Expect::Draw);
    accumulating(s, &linear1, &batch, &labels)?;

    // Steps 5 and 6: one epoch, then twenty more.
    let validate = |model: &Linear1| validate_epoch(&|xb| model.forward(xb), &valid_dl);
    let before = validate(&linear1)?;
    linear1.train_epoch(&dl, 0, 1.0)?;
    let first = validate(&linear1)?;
    s.run.say(format!("accuracy before training {before:.4}, after one epoch {first:.4}"));
    s.run.compare("accuracy before training", "0.5703", before, Expect::Draw);
    s.run.compare_with_note("accuracy after one epoch", "0.6928", first, Expect::Draw, "depends on the random start");
    let epochs = if s.quick { 5 } else { 20 };
    let mut accuracies = Vec::new();
    for epoch in 1..=epochs {
        linear1.train_epoch(&dl, epoch, 1.0)?;
        accuracies.push(validate(&linear1)?);
    }
    s.run.say(format!("after each of {epochs} more:\n{}", listed(&accuracies)));
    let last = accuracies.last().copied().unwrap_or_default();
    s.run.compare_series("accuracy by hand, epochs 2 to 21", &printed::BY_HAND, &accuracies, Expect::Draw);
    s.run.compare("final accuracy by hand", "0.9696", last, Expect::AtLeastGoal(0.96));
    s.run.metric("linear_by_hand_accuracy", last);
    let epochs: Vec<f64> = (2..).take(accuracies.len()).map(f64::from).collect();
    let theirs: Vec<f64> = printed::BY_HAND.iter().filter_map(|v| v.parse().ok()).collect();
    let theirs = &theirs[..accuracies.len()];
    let curve = Plot::new("A linear model, trained by hand").x_label("epoch").y_label("valid accuracy");
    let curve = curve.line("this run", &epochs, &accuracies).dashed("the source", &epochs, theirs);
    let curve = curve.hline(0.9511, "pixel similarity");
    s.run.figure("by_hand", "Past the baseline after a few epochs.", &curve.into())?;

    let map = HeatMap::new("Weights", 28, 28, &numbers(&linear1.weights)?).diverging();
    let caption = "What ink at each pixel says: blue for a three, red for a seven. Most of it is still the random \
                   start, since where there is never any ink there is never a gradient.";
    s.run.figure("weights_by_hand", caption, &map.into())
}

/// PyTorch adds new gradients to old ones until somebody sets them to zero. Candle does not; adding them up ourselves
/// shows what PyTorch's reader sees.
fn accumulating(s: &mut Session, linear1: &Linear1, batch: &Tensor, labels: &Tensor) -> Result<()> {
    let [weights_grad, bias_grad] = linear1.calc_grad(batch, labels)?; // [784, 1], [1, 1]
    s.run.compare("weights.grad.shape[0]", "784", weights_grad.dims()[0] as f64, Expect::Exact);
    let (mean, bias) = (number(&weights_grad.mean_all()?)?, number(&bias_grad.mean_all()?)?);
    s.run.compare_series("weights.grad.mean(), bias.grad", &["-0.0089", "-0.0619"], &[mean, bias], Expect::Draw);
    let (mut weights_sum, mut bias_sum) = (weights_grad, bias_grad);
    for (calls, printed) in [(2, ["-0.0178", "-0.1238"]), (3, ["-0.0267", "-0.1857"])] {
        let [weights_grad, bias_grad] = linear1.calc_grad(batch, labels)?;
        (weights_sum, bias_sum) = ((weights_sum + weights_grad)?, (bias_sum + bias_grad)?);
        let sums = [number(&weights_sum.mean_all()?)?, number(&bias_sum.mean_all()?)?];
        s.run.compare_series(format!("the same, added up over {calls} calls"), &printed, &sums, Expect::Draw);
        let ratio = sums[1] / bias;
        let note = "-0.1238 and -0.1857 are two and three times -0.0619";
        s.run.compare_with_note(format!("growth after {calls} calls"), &format!("{calls}"), ratio, Expect::Exact, note);
    }
    Ok(())
}
