//! The learner, and a nonlinearity.

use crate::by_hand::loaders;
use crate::loss::{Data, batch_accuracy, mnist_loss};
use crate::printed;
use candle_core::Tensor;
use tallow::Result;
use tallow::cli::Session;
use tallow::data::DataLoaders;
use tallow::nn::{Params, Sequential};
use tallow::optim::Sgd;
use tallow::plot::{ImageGrid, Plot};
use tallow::train::{Learner, Metric};

/// A learner that reports to this run and keeps a checkpoint of its own.
pub(crate) fn connected(s: &Session, learner: Learner, name: &str) -> Learner {
    learner.listener(s.listener()).checkpoints(s.checkpoints(name))
}

/// Sets a learner's table beside the source's, column by column.
fn check_table(s: &mut Session, name: &str, learner: &Learner) -> Result<()> {
    let recorder = learner.recorder();
    s.check(&format!("{name}: train_loss"), &recorder.train_losses())?;
    s.check(&format!("{name}: valid_loss"), &recorder.valid_losses())?;
    s.check(&format!("{name}: batch_accuracy"), &recorder.metric(0))
}

// --- 14. The learner -------------------------------------------------------------------------------------------------

pub(crate) fn the_learner(s: &mut Session, data: &Data) -> Result<()> {
    s.section("The learner");
    s.text(
        "
        One step further, the loop itself goes into the library. A `Learner` takes data, a model, a loss, an optimizer
        and metrics: all that we have built. It predicts, differentiates and steps as we did, and prints a row for each
        epoch.
        ",
    );
    let (train, valid) = loaders(data)?;
    let params = Params::new(&data.rng.stream("learner"), &s.device);
    let model = Sequential::new(&params).linear(28 * 28, 1)?;
    let learner = Learner::new(DataLoaders { train, valid }, model, &params, mnist_loss)
        .opt(Sgd::new())
        .metrics([Metric::new("batch_accuracy", batch_accuracy)]);
    let mut learner = connected(s, learner, "linear");
    learner.fit(10, 1.0)?;
    s.history("linear", learner.recorder())?;
    check_table(s, "Learner.fit(10)", &learner)?;
    let last = learner.recorder().metric(0).last().copied().unwrap_or_default();
    s.check("final accuracy of Learner.fit(10)", last)?;
    s.metric("learner_accuracy", last);
    Ok(())
}

// --- 15. A nonlinearity ----------------------------------------------------------------------------------------------

pub(crate) fn adding_a_nonlinearity(s: &mut Session, data: &Data) -> Result<()> {
    s.section("Adding a nonlinearity");
    s.text(
        "
        Two linear functions in a row are one linear function. Put something bent between them and they are a **neural
        network**. The bend can be as plain as `max(x, 0)`, the **rectified linear unit** or ReLU. With enough of them
        any continuous function on a bounded region can be approximated as closely as one likes. Ours has 30: each
        learns its own mixture of pixels, and the last layer weighs them.
        ",
    );
    let relu = Plot::new("ReLU").x_label("x").function("", -2.0, 2.0, |x| x.max(0.0));
    s.figure("relu", "Negative numbers become 0, the others stay.", relu)?;

    let (train, valid) = loaders(data)?;
    let valid_dl = valid.clone();
    let params = Params::new(&data.rng.stream("simple_net"), &s.device);
    let simple_net = Sequential::new(&params).linear(28 * 28, 30)?.relu().linear(30, 1)?;
    s.say(format!("simple_net: 784-30-1, {} parameters", params.num_parameters()));
    let learner = Learner::new(DataLoaders { train, valid }, simple_net, &params, mnist_loss)
        .opt(Sgd::new())
        .metrics([Metric::new("batch_accuracy", batch_accuracy)]);
    let mut learner = connected(s, learner, "simple_net");
    learner.fit(if s.quick { 10 } else { 40 }, 0.1)?;
    s.history("simple_net", learner.recorder())?;
    check_table(s, "simple_net", &learner)?;
    let accuracies = learner.recorder().metric(0);
    let last = accuracies.last().copied().unwrap_or_default();
    s.check("learn.recorder.values[-1][2]", last)?;
    s.metric("simple_net_accuracy", last);
    s.target("simple_net accuracy", last, if s.quick { 0.96 } else { 0.98 });

    let epochs: Vec<f64> = (0..).take(accuracies.len()).map(f64::from).collect();
    let theirs: Vec<f64> = printed::SIMPLE_NET.iter().filter_map(|row| row[2].parse().ok()).collect();
    let curve =
        Plot::new("simple_net").x_label("epoch").y_label("batch_accuracy").line("this run", &epochs, &accuracies);
    let curve = curve.dashed("the source", &epochs, &theirs[..accuracies.len()]);
    s.figure("simple_net", "Accuracy of the small network over the epochs.", curve)?;
    learner.save(s.run.claim("simple_net.safetensors")?)?;
    mistakes(s, &learner, &learner.get_preds(&valid_dl)?, data)
}

/// The pictures that cost the most.
fn mistakes(s: &mut Session, learner: &Learner, (preds, ys): &(Tensor, Tensor), data: &Data) -> Result<()> {
    let preds = candle_nn::ops::sigmoid(preds)?.flatten_all()?.to_vec1::<f32>()?;
    let ys = ys.flatten_all()?.to_vec1::<f32>()?;
    let mut worst: Vec<usize> = (0..ys.len()).collect();
    worst.sort_by(|&a, &b| (preds[b] - ys[b]).abs().total_cmp(&(preds[a] - ys[a]).abs()));
    let mut grid = ImageGrid::new("", 8).ink();
    for &i in &worst[..16] {
        let (p, label) = (preds[i], if ys[i] == 1.0 { "three" } else { "seven" });
        let picture = data.valid_x.get(i)?.to_device(&candle_core::Device::Cpu)?.to_vec1::<f32>()?;
        let verdict = if p > 0.5 { format!("{label}: {p:.2} three") } else { format!("{label}: {:.2} seven", 1.0 - p) };
        grid = grid.grey_f32(28, 28, &picture).caption(verdict).correct((p > 0.5) == (ys[i] == 1.0));
    }
    s.figure("top_losses", "The sixteen pictures that the network is most wrong about, and how sure it is.", grid)?;

    let first_layer = learner.params().get("0.weight")?.var().to_device(&candle_core::Device::Cpu)?; // [30, 784]
    let mut grid = ImageGrid::new("", 10);
    for unit in first_layer.to_vec2::<f32>()? {
        let reach = unit.iter().fold(1e-9f32, |reach, w| reach.max(w.abs()));
        grid = grid.grey_f32(28, 28, &unit.iter().map(|w| 0.5 + 0.5 * w / reach).collect::<Vec<f32>>());
    }
    let caption = "What each of the 30 hidden units looks for: light pixels speak for it, dark ones against.";
    s.figure("first_layer", caption, grid)
}
