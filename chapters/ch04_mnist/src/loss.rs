//! The MNIST loss function.

use crate::digits::Digits;
use crate::show::{number, numbers, sizes};
use crate::similarity::stacked;
use candle_core::{DType, Device, Tensor, Var};
use tallow::Result;
use tallow::cli::Session;
use tallow::plot::Plot;
use tallow::rng::Rng;

/// The digits as rows of numbers with labels, on the device that trains.
pub(crate) struct Data {
    /// `[12396, 784]`
    pub(crate) train_x: Tensor,
    /// `[12396, 1]`: 1 for a three, 0 for a seven.
    pub(crate) train_y: Tensor,
    /// `[2038, 784]`
    pub(crate) valid_x: Tensor,
    /// `[2038, 1]`
    pub(crate) valid_y: Tensor,
    /// The root of all random numbers of this chapter.
    pub(crate) rng: Rng,
}

// --- 10. The MNIST loss function ------------------------------------------------------------------------------------

pub(crate) fn the_data_of_the_digits(s: &mut Session, digits: &Digits) -> Result<Data> {
    s.section("The MNIST loss function");
    s.text(
        "
        Back to the digits. A linear model wants each picture as one long row: `reshape` changes a tensor's shape and
        leaves its contents alone. Threes get the label 1, sevens 0.
        ",
    );
    let rows = |threes: &[Tensor], sevens: &[Tensor]| -> Result<(Tensor, Tensor)> {
        let xs = Tensor::cat(&[stacked(threes)?, stacked(sevens)?], 0)?.reshape(((), 28 * 28))?;
        let ys = [vec![1f32; threes.len()], vec![0f32; sevens.len()]].concat();
        let n = ys.len();
        Ok((xs.to_device(&s.device)?, Tensor::from_vec(ys, (n, 1), &s.device)?))
    };
    let (train_x, train_y) = rows(&digits.threes, &digits.sevens)?;
    let (valid_x, valid_y) = rows(&digits.valid_threes, &digits.valid_sevens)?;
    s.say(format!("train_x {:?}, train_y {:?}", train_x.dims(), train_y.dims()));
    let shapes = sizes(&[&train_x, &train_y]);
    s.check("train_x.shape, train_y.shape", &shapes)?;
    let (x, y) = (train_x.get(0)?, train_y.get(0)?);
    s.check("x.shape of dset[0]", x.dims()[0])?;
    s.check("y of dset[0]", &y.get(0)?)?;
    Ok(Data { train_x, train_y, valid_x, valid_y, rng: Rng::new(s.seed) })
}

/// Random weights: `torch.randn(size) * std`, with a gradient.
pub(crate) fn init_params(rng: &mut Rng, shape: (usize, usize), device: &Device) -> Result<Var> {
    Ok(Var::from_tensor(&rng.randn(shape, 1.0, device)?)?)
}

// --- 10, continued: why accuracy is not a loss
// -------------------------------------------------------------------------

pub(crate) fn why_accuracy_is_no_loss(s: &mut Session, data: &Data) -> Result<()> {
    // Step 1: a random weight for each pixel, and a bias: y = w·x + b.
    let weights = init_params(&mut data.rng.stream("first weights"), (28 * 28, 1), &s.device)?; // [784, 1]
    let bias = init_params(&mut data.rng.stream("first bias"), (1, 1), &s.device)?; // [1, 1]
    s.check("weights.shape[0]", weights.dims()[0])?;
    s.check("bias", &bias.get(0)?.get(0)?)?;

    // Step 2: predict, for one picture and then for all of them.
    let one = (data.train_x.get(0)? * weights.flatten_all()?)?.sum_all()?.broadcast_add(&bias.flatten_all()?)?;
    s.check("prediction for the first picture", &one.get(0)?)?;
    let linear1 = |xb: &Tensor| -> Result<Tensor> { Ok(xb.matmul(&weights)?.broadcast_add(&bias)?) }; // [N, 1]
    let preds = linear1(&data.train_x)?; // [12396, 1]
    s.say(format!("preds =\n{preds}"));
    let ours = numbers(&preds)?;
    let ends = [&ours[..3], &ours[ours.len() - 3..]].concat();
    s.check("preds, first and last three", &ends)?;

    // A prediction over 0 says three.
    let share = |preds: &Tensor| -> Result<f64> {
        number(&preds.gt(0.0)?.to_dtype(DType::F32)?.eq(&data.train_y)?.to_dtype(DType::F32)?.mean_all()?)
    };
    let before = share(&preds)?;
    s.check("corrects.float().mean()", before)?;

    s.text(
        "
        Step 3 is the loss, and accuracy will not do. Move one weight by a ten-thousandth: no prediction crosses zero,
        and the accuracy stays what it was. Its gradient is 0 almost everywhere, and with a gradient of 0 there is
        nothing to learn from. A loss has to respond to the smallest change: it must fall a little when a three scores a
        little higher.
        ",
    );
    let mut nudged = weights.flatten_all()?.to_vec1::<f32>()?;
    nudged[300] += 1e-4;
    let nudged = Tensor::from_vec(nudged, (28 * 28, 1), &s.device)?;
    let after = share(&data.train_x.matmul(&nudged)?.broadcast_add(&bias)?)?;
    s.say(format!("accuracy {before:.6}; with one weight moved by 0.0001: {after:.6}"));

    // The distance of each prediction from what it should be: 1 for a three, 0 for a seven.
    let targets = Tensor::new(&[1f32, 0., 1.], &s.device)?;
    let predictions = Tensor::new(&[0.9f32, 0.4, 0.2], &s.device)?;
    let distances = targets.eq(1.0)?.where_cond(&predictions.affine(-1.0, 1.0)?, &predictions)?;
    let each = numbers(&distances)?;
    s.check("torch.where(trgts==1, 1-prds, prds)", &each)?;
    s.check("mnist_loss(prds, trgts)", &distances.mean_all()?)?;

    s.text(
        "
        That needs predictions between 0 and 1, and ours can be any number. The **sigmoid**, 1/(1 + e^-x), squeezes them
        in, smoothly and always rising, so that there is a gradient everywhere. The loss is for the machine to learn by,
        the metric for people.
        ",
    );
    let sigmoid = Plot::new("Sigmoid").x_label("x").function("", -4.0, 4.0, |x| 1.0 / (1.0 + (-x).exp()));
    s.figure("sigmoid", "Any number in, a number between 0 and 1 out.", sigmoid)
}

/// The loss of this chapter: the mean distance of sigmoid(prediction) from its label.
pub(crate) fn mnist_loss(predictions: &Tensor, targets: &Tensor) -> Result<Tensor> {
    let predictions = candle_nn::ops::sigmoid(predictions)?;
    Ok(targets.eq(1.0)?.where_cond(&predictions.affine(-1.0, 1.0)?, &predictions)?.mean_all()?)
}

/// The share of predictions on the right side of one half.
pub(crate) fn batch_accuracy(predictions: &Tensor, targets: &Tensor) -> Result<f64> {
    let correct = candle_nn::ops::sigmoid(predictions)?.gt(0.5)?.to_dtype(DType::F32)?.eq(targets)?;
    number(&correct.to_dtype(DType::F32)?.mean_all()?)
}
