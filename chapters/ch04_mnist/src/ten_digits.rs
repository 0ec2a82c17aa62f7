//! The full problem: all ten digits, with a small convolutional network.

use crate::deeper::confusion;
use crate::learner::connected;
use candle_core::{D, Tensor};
use tallow::Result;
use tallow::cli::Session;
use tallow::data::mnist::{self, Mnist};
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::nn::{Params, Sequential, losses};
use tallow::plot::ImageGrid;
use tallow::rng::Rng;
use tallow::train::{Learner, accuracy};

// --- 17. All ten digits ----------------------------------------------------------------------------------------------

/// All of MNIST, if it is there. Asked for before the training begins, so that damaged files are found out early.
pub(crate) fn full_mnist(s: &Session) -> Result<Option<Mnist>> {
    match s.data.find("mnist") {
        Ok(folder) => Ok(Some(Mnist::load(&folder)?)),
        // Nothing is wrong: the rest of MNIST is not part of the program.
        Err(tallow_datasets::Error::Missing { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

pub(crate) fn all_ten_digits(s: &mut Session, digits: Option<Mnist>) -> Result<()> {
    s.section("Further research: all ten digits");
    let Some(digits) = digits else {
        // The error names the command that fetches the data.
        let why = s.data.find("mnist").err().map(|missing| missing.to_string()).unwrap_or_default();
        s.say(format!("left out: {why}"));
        return Ok(());
    };
    if s.quick {
        s.say("left out of a quick run");
        return Ok(());
    }
    s.text(
        "
        The book ends with a task: do it for all of MNIST, 60,000 pictures of ten digits. A linear layer sees every
        pixel in its own place; a **convolution** slides one small pattern over the whole picture, and so knows a stroke
        wherever it is. Four of them, each halving the picture, and a linear layer at the end make a small network.
        ",
    );
    s.data("MNIST: all ten digits, fetched (CC BY-SA 3.0)");
    let rng = Rng::new(s.seed).stream("ten digits");
    let dataset = |digits: &mnist::Digits| -> Result<TensorDataset> {
        let xs = mnist::images(digits, &candle_core::Device::Cpu)?.unsqueeze(1)?; // [N, 1, 28, 28]
        TensorDataset::new(&xs, &mnist::labels(digits, &candle_core::Device::Cpu)?)
    };
    let train = DataLoader::new(dataset(&digits.train)?, 128)?;
    let train = train.shuffle(&rng.stream("shuffle")).drop_last().workers(s.workers).device(&s.device);
    let valid = DataLoader::new(dataset(&digits.valid)?, 500)?.device(&s.device);

    let params = Params::new(&rng.stream("init"), &s.device);
    let conv = |net: Sequential, from, to, kernel| -> Result<Sequential> {
        Ok(net.conv2d(from, to, kernel, 2, false)?.batch_norm(to)?.relu())
    };
    let net = conv(Sequential::new(&params), 1, 16, 5)?; // [N, 16, 14, 14]
    let net = conv(net, 16, 32, 3)?; // [N, 32, 7, 7]
    let net = conv(net, 32, 64, 3)?; // [N, 64, 4, 4]
    let net = conv(net, 64, 128, 3)?; // [N, 128, 2, 2]
    let net = net.flatten().linear(512, 10)?; // [N, 10]
    s.say(format!("a small CNN: {} parameters", params.num_parameters()));
    let dls = DataLoaders { train, valid: valid.clone() };
    let learner = Learner::new(dls, net, &params, losses::cross_entropy).metrics([accuracy()]);
    let mut learner = connected(s, learner, "ten_digits");
    learner.fit_one_cycle(4, 0.01)?;
    s.history("ten_digits", learner.recorder())?;
    let last = learner.recorder().metric(0).last().copied().unwrap_or_default();
    s.metric("ten_digits_accuracy", last);
    s.target("ten digits accuracy", last, 0.99);

    let (preds, ys) = learner.get_preds(&valid)?;
    let (predicted, actual) = (preds.argmax(D::Minus1)?.to_vec1::<u32>()?, ys.to_vec1::<u32>()?);
    confusion(s, "ten_digits_confusion", &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], &predicted, &actual)?;
    top_losses(s, &digits.valid, &losses::nll_per_item(&preds, &ys)?, &predicted)
}

fn top_losses(s: &mut Session, digits: &mnist::Digits, losses: &Tensor, predicted: &[u32]) -> Result<()> {
    let losses = losses.to_vec1::<f32>()?;
    let mut worst: Vec<usize> = (0..losses.len()).collect();
    worst.sort_by(|&a, &b| losses[b].total_cmp(&losses[a]));
    let mut grid = ImageGrid::new("", 8).ink();
    for &i in worst.iter().take(24) {
        let right = predicted[i] == u32::from(digits.labels[i]);
        let caption = format!("{} as {}", digits.labels[i], predicted[i]);
        grid = grid.grey(28, 28, digits.image(i)).caption(caption).correct(right);
    }
    s.figure("ten_digits_top_losses", "The digits that cost the most, and what they were taken for.", grid)
}
