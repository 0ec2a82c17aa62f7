//! Putting it all together: a linear model, trained by hand.

use crate::loss::{Data, batch_accuracy, init_params, mnist_loss};
use crate::printed;
use crate::show::{listed, number, numbers, sizes};
use candle_core::{Tensor, Var};
use tallow::cli::Session;
use tallow::data::{Batch, DataLoader, TensorDataset};
use tallow::plot::{HeatMap, Plot};
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
    s.section("Putting it all together");
    s.text(
        "
        Now the seven steps on real digits: for each batch predict, compute the loss, differentiate, step. All of it is
        in view: there is no library between us and the arithmetic.
        ",
    );
    // Step 1: initialise.
    let weights = init_params(&mut data.rng.stream("weights"), (28 * 28, 1), &s.device)?;
    let bias = init_params(&mut data.rng.stream("bias"), (1, 1), &s.device)?;
    let linear1 = Linear1 { weights, bias };
    let (dl, valid_dl) = loaders(data)?;
    let first = dl.one_batch()?;
    let shapes = sizes(&[&first.xs, &first.ys]);
    s.check("xb.shape, yb.shape", &shapes)?;

    // Steps 2 to 4 on four pictures.
    let (batch, labels) = (data.train_x.narrow(0, 0, 4)?, data.train_y.narrow(0, 0, 4)?);
    let preds = linear1.forward(&batch)?; // [4, 1]
    s.check("linear1(batch)", &preds)?;
    s.check("mnist_loss(preds, train_y[:4])", &mnist_loss(&preds, &labels)?)?;
    s.check("batch_accuracy of four", batch_accuracy(&preds, &labels)?)?;
    accumulating(s, &linear1, &batch, &labels)?;

    // Steps 5 and 6: one epoch, then twenty more.
    let validate = |model: &Linear1| validate_epoch(&|xb| model.forward(xb), &valid_dl);
    let before = validate(&linear1)?;
    linear1.train_epoch(&dl, 0, 1.0)?;
    let first = validate(&linear1)?;
    s.say(format!("accuracy before training {before:.4}, after one epoch {first:.4}"));
    s.check("accuracy before training", before)?;
    s.check("accuracy after one epoch", first)?;
    let epochs = if s.quick { 5 } else { 20 };
    let mut accuracies = Vec::new();
    for epoch in 1..=epochs {
        linear1.train_epoch(&dl, epoch, 1.0)?;
        accuracies.push(validate(&linear1)?);
    }
    s.say(format!("after each of {epochs} more:\n{}", listed(&accuracies)));
    let last = accuracies.last().copied().unwrap_or_default();
    s.check("accuracy by hand, epochs 2 to 21", &accuracies)?;
    s.check("final accuracy by hand", last)?;
    s.metric("linear_by_hand_accuracy", last);
    let epochs: Vec<f64> = (2..).take(accuracies.len()).map(f64::from).collect();
    let theirs: Vec<f64> = printed::BY_HAND.iter().filter_map(|v| v.parse().ok()).collect();
    let theirs = &theirs[..accuracies.len()];
    let curve = Plot::new("A linear model, trained by hand").x_label("epoch").y_label("valid accuracy");
    let curve = curve.line("this run", &epochs, &accuracies).dashed("the source", &epochs, theirs);
    let curve = curve.hline(0.9511, "pixel similarity");
    s.figure("by_hand", "Past the baseline after a few epochs.", curve)?;

    let map = HeatMap::new("Weights", 28, 28, &numbers(&linear1.weights)?).diverging();
    let caption = "What ink at each pixel says: blue for a three, red for a seven. Most of it is still the random \
                   start, since where there is never any ink there is never a gradient.";
    s.figure("weights_by_hand", caption, map)
}

/// PyTorch adds new gradients to old ones until the loop sets them to zero. Candle does not; adding them up ourselves
/// shows what PyTorch's reader sees.
fn accumulating(s: &mut Session, linear1: &Linear1, batch: &Tensor, labels: &Tensor) -> Result<()> {
    let [weights_grad, bias_grad] = linear1.calc_grad(batch, labels)?; // [784, 1], [1, 1]
    s.check("weights.grad.shape[0]", weights_grad.dims()[0])?;
    let (mean, bias) = (number(&weights_grad.mean_all()?)?, number(&bias_grad.mean_all()?)?);
    s.check("weights.grad.mean(), bias.grad", [mean, bias])?;
    let (mut weights_sum, mut bias_sum) = (weights_grad, bias_grad);
    for calls in [2, 3] {
        let [weights_grad, bias_grad] = linear1.calc_grad(batch, labels)?;
        (weights_sum, bias_sum) = ((weights_sum + weights_grad)?, (bias_sum + bias_grad)?);
        let sums = [number(&weights_sum.mean_all()?)?, number(&bias_sum.mean_all()?)?];
        s.check(&format!("the same, added up over {calls} calls"), sums)?;
        s.check(&format!("growth after {calls} calls"), sums[1] / bias)?;
    }
    Ok(())
}
