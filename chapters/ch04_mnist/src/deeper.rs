//! Going deeper: an 18-layer network, trained from scratch.

use crate::digits::Digits;
use crate::learner::connected;
use crate::similarity::stacked;
use candle_core::{D, Tensor};
use tallow::Result;
use tallow::cli::Session;
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::metrics::Confusion;
use tallow::models::{Arch, vision_head};
use tallow::nn::{Params, Sequential, losses};
use tallow::optim::Adam;
use tallow::plot::{Figure, HeatMap, Plot};
use tallow::rng::Rng;
use tallow::train::{Learner, accuracy};

// --- 16. Going deeper ------------------------------------------------------------------------------------------------

pub(crate) fn going_deeper(s: &mut Session, digits: &Digits, epochs: usize) -> Result<()> {
    s.section("Going deeper");
    let lr_max = if s.quick { 0.01 } else { 0.1 };
    let duration = if epochs == 1 { "one epoch".to_string() } else { format!("{epochs} epochs") };
    s.text(format!(
        "One bend is enough in theory. In practice more layers with fewer weights each learn more, and learn it \
         faster. Here is an 18-layer **residual network** with random weights: the body of ResNet-18 and fast.ai's \
         head, {duration}, learning rates that rise to {lr_max} and fall again (the *one-cycle policy*). From here on \
         the labels are class numbers, 0 for a three and 1 for a seven, and the loss is *cross entropy*, which serves \
         any number of classes."
    ));
    let rng = Rng::new(s.seed).stream("going deeper");
    let (mut train, mut valid) =
        (pictures(&digits.threes, &digits.sevens)?, pictures(&digits.valid_threes, &digits.valid_sevens)?);
    if s.quick {
        (train, valid) = (some(&train, 2048, &rng)?, some(&valid, 512, &rng)?);
        s.say("quick: 2,048 pictures for training, 512 for validation, and a tenth of the learning rate");
    }
    let train_dl = DataLoader::new(TensorDataset::new(&train.0, &train.1)?, 64)?;
    let train_dl = train_dl.shuffle(&rng.stream("shuffle")).drop_last().workers(s.workers).device(&s.device);
    let valid_dl = DataLoader::new(TensorDataset::new(&valid.0, &valid.1)?, 64)?.device(&s.device);

    let params = Params::new(&rng.stream("init"), &s.device);
    let resnet18 = Sequential::new(&params)
        .add(|p| Arch::ResNet18.body(p))? // [N, 3, 28, 28] to [N, 512, 1, 1]
        .add(|p| vision_head(Arch::ResNet18.facts().channels, 2, p))?; // to [N, 2]
    s.say(format!("resnet18: {} parameters", params.num_parameters()));
    let dls = DataLoaders { train: train_dl, valid: valid_dl.clone() };
    let learner = Learner::new(dls, resnet18, &params, losses::cross_entropy).opt(Adam::fastai()).metrics([accuracy()]);
    let mut learner = connected(s, learner, "resnet18");
    learner.fit_one_cycle(epochs, lr_max)?;
    s.history("resnet18", learner.recorder())?;
    let Some(last) = learner.recorder().rows.last().cloned() else { return Ok(()) };
    let accuracy = last.metrics[0];
    s.check("resnet18: train_loss", last.train_loss)?;
    s.check("resnet18: valid_loss", last.valid_loss)?;
    s.check("resnet18: accuracy", accuracy)?;
    s.check("resnet18: seconds of the epoch", last.seconds)?;
    s.metric("resnet18_accuracy", accuracy);
    s.target("resnet18 accuracy", accuracy, if s.quick { 0.9 } else { 0.99 });

    let recorder = learner.recorder();
    let batches: Vec<f64> = (0..).take(recorder.losses.len()).map(f64::from).collect();
    let loss = Plot::new("Training loss").x_label("batch").y_label("cross entropy").size(480, 340);
    let loss = loss.line("each batch", &batches, &recorder.losses).line("smoothed", &batches, &recorder.smooth_losses);
    let rate = Plot::new("One-cycle policy").x_label("batch").y_label("learning rate").size(480, 340);
    let rate = rate.line("", &batches, &recorder.lrs);
    s.figure("resnet18_training", format!("The 18-layer network: {duration}."), Figure::grid(&[loss, rate], 2))?;

    let (preds, ys) = learner.get_preds(&valid_dl)?;
    let (predicted, actual) = (preds.argmax(D::Minus1)?.to_vec1::<u32>()?, ys.to_vec1::<u32>()?);
    confusion(s, "resnet18_confusion", &["3", "7"], &predicted, &actual)
}

/// The table of actual against predicted classes.
pub(crate) fn confusion(
    s: &mut Session,
    name: &str,
    classes: &[&str],
    predicted: &[u32],
    actual: &[u32],
) -> Result<()> {
    let confusion = Confusion::new(classes.len(), predicted, actual)?;
    let counts: Vec<f64> = confusion.rows().concat().iter().map(|&count| count as f64).collect();
    let map =
        HeatMap::new("Confusion matrix", classes.len(), classes.len(), &counts).row_labels(classes).col_labels(classes);
    let map = map.numbers(true).x_label("predicted").y_label("actual");
    s.figure(name, "How many of each digit were taken for what.", map)
}

/// Pictures `[N, 3, 28, 28]` and labels `[N]`, 0 for a three and 1 for a seven. The grey value goes into all three
/// channels, since a network made for photographs expects colour.
fn pictures(threes: &[Tensor], sevens: &[Tensor]) -> Result<(Tensor, Tensor)> {
    let grey = Tensor::cat(&[stacked(threes)?, stacked(sevens)?], 0)?.unsqueeze(1)?;
    let labels = [vec![0u32; threes.len()], vec![1u32; sevens.len()]].concat();
    let labels = Tensor::new(labels, grey.device())?;
    Ok((grey.repeat((1, 3, 1, 1))?, labels))
}

/// A random choice of `n` pairs.
fn some((xs, ys): &(Tensor, Tensor), n: usize, rng: &Rng) -> Result<(Tensor, Tensor)> {
    let chosen = rng.stream("some").permutation(ys.elem_count())[..n.min(ys.elem_count())].to_vec();
    let chosen = Tensor::new(chosen.iter().map(|&i| i as u32).collect::<Vec<_>>(), xs.device())?;
    Ok((xs.index_select(&chosen, 0)?, ys.index_select(&chosen, 0)?))
}
