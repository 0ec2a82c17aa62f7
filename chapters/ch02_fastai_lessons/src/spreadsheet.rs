//! Gradient descent in a spreadsheet: regression, a network of two units, and the same as a matrix product.

use crate::gradient_descent::gradient;
use crate::passengers::Sheet;
use crate::show::{number, numbers};
use candle_core::{D, DType, Device, Tensor, Var};
use tallow::Result;
use tallow::cli::Session;
use tallow::plot::Plot;
use tallow::rng::Rng;

/// Steps of gradient descent after which the linear loss no longer changes in the digits that the source prints.
const STEPS: usize = 12_000;

/// Random starts of the network.
const STARTS: usize = 40;

pub(crate) fn gradient_descent_in_a_spreadsheet(s: &mut Session) -> Result<()> {
    let sheet = Sheet::open(s)?;
    let linear = the_columns_and_a_regression(s, &sheet)?;
    learning_rates(s, &sheet)?;
    let one_unit = two_units(s, &sheet, &linear)?;
    forty_starts(s, &sheet, one_unit)
}

// --- Gradient descent in a spreadsheet -------------------------------------------------------------------------------

fn the_columns_and_a_regression(s: &mut Session, sheet: &Sheet) -> Result<Tensor> {
    s.section("Gradient descent in a spreadsheet");
    s.text(
        "
        A network needs no deep-learning library; a spreadsheet will do. The lesson takes the passengers of the Titanic
        and asks who survived. Every column has to become a number of moderate size. An age is divided by the largest
        age. A fare becomes the logarithm of the fare plus one, since most are small and a few are huge. What is not a
        number becomes columns of zeros and ones, one fewer than there are values: a passenger who travelled in neither
        first nor second class was in third. Rows with blanks are dropped. A last column holds only ones; its parameter
        is the constant of the model.
        ",
    );
    if !sheet.is_titanic {
        s.text(
            "
            The file of the passengers is not here, so penguins take their place: from their species, island and
            measures, which ones are male? The steps are the same, and only the figures are others.
            ",
        );
    }
    let n = sheet.len();
    s.say(format!("{n} {}, of whom {:.0} have {} = 1", sheet.rows, number(&sheet.ys.sum_all()?)?, sheet.target));
    show_rows(s, sheet)?;
    s.text(
        "
        The model is a sum of products, Excel's `SUMPRODUCT`: each column times its parameter. The parameters start at
        random between -0.5 and 0.5. The loss of a row is the squared difference between the sum and 1 or 0, and the
        loss of the model is the mean over all rows, the **mean squared error**. Excel's Solver then changes the
        parameters to make that cell small. Ours is gradient descent. For a linear model the loss is a bowl with one
        bottom, and both have to end there. The learning rate is half of the largest that works, of which more below.
        ",
    );
    let lr = 1.0 / largest_curvature(sheet)?;
    let rng = Rng::new(s.seed);
    let start = rng.stream("linear").rand((sheet.columns.len(), 1), -0.5, 0.5, &Device::Cpu)?;
    let w = Var::from_tensor(&start.to_dtype(DType::F64)?)?; // [10, 1]
    let loss = || mse(&sheet.xs.matmul(&w)?, &sheet.ys);
    let mut losses = vec![number(&loss()?)?];
    for _ in 0..STEPS {
        let grad = gradient(&loss()?, &w)?; // [10, 1]
        w.set(&(w.as_tensor() - (grad * lr)?)?)?;
        losses.push(number(&loss()?)?);
    }
    let slope = number(&gradient(&loss()?, &w)?.sqr()?.sum_all()?)?.sqrt();
    for step in [0, 1, 10, 100, 1000, STEPS] {
        s.say(format!("after {step:>5} steps: loss {:.8}", losses[step]));
    }
    s.say(format!("length of the gradient at the end: {slope:.1e}"));
    let correct = sheet.xs.matmul(&w)?.gt(0.5)?.eq(&sheet.ys.gt(0.5)?)?;
    let accuracy = number(&correct.to_dtype(DType::F64)?.mean_all()?)?;
    s.say(format!("{:.1} % of the {} are on the right side of one half", 100.0 * accuracy, sheet.rows));
    s.metric("linear_loss", losses[STEPS]);
    s.check(&sheet.figure("linear"), losses[STEPS])?;
    let rows = sheet.columns.iter().zip(numbers(&w)?).map(|(name, w)| vec![String::from(*name), format!("{w:.4}")]);
    s.table(&["column", "parameter"], &rows.collect::<Vec<_>>());

    s.text(
        "
        At the bottom of a bowl the gradient is zero, and here it is, as nearly as double precision allows. So this loss
        is not merely what a Solver happened to reach: no linear model of these columns has a smaller one. For the
        passengers it is the source's 0.14422715. The source is disappointed, because the lecture's spreadsheet shows
        about 0.10 for its linear model and 0.08 for its network. It need not be. With these columns, these 712 rows and
        this loss, no linear model reaches 0.10, so the lecture's spreadsheet must differ in one of the three.
        ",
    );
    Ok(w.as_tensor().clone())
}

/// The mean squared error.
fn mse(preds: &Tensor, ys: &Tensor) -> Result<Tensor> {
    Ok((preds - ys)?.sqr()?.mean_all()?)
}

/// The first rows of the sheet, as numbers.
fn show_rows(s: &mut Session, sheet: &Sheet) -> Result<()> {
    let heads: Vec<&str> = [sheet.target].into_iter().chain(sheet.columns.iter().copied()).collect();
    let rows = Tensor::cat(&[&sheet.ys, &sheet.xs], 1)?.narrow(0, 0, 5)?.to_vec2::<f64>()?;
    let cells =
        |row: Vec<f64>| row.iter().map(|v| if v.fract() == 0.0 { v.to_string() } else { format!("{v:.4}") }).collect();
    s.table(&heads, &rows.into_iter().map(cells).collect::<Vec<_>>());
    Ok(())
}

// --- Learning rates --------------------------------------------------------------------------------------------------

fn learning_rates(s: &mut Session, sheet: &Sheet) -> Result<()> {
    s.section("A learning rate that is too large");
    s.text(
        "
        The lecture says that training diverges if the learning rate is too large, and takes long if it is too small.
        On a bowl the border is sharp. It is two divided by the largest curvature of the loss. A hair above it
        each step lands higher on the other side than it came from.
        ",
    );
    let border = 2.0 / largest_curvature(sheet)?;
    s.say(format!("the border is {border:.6}"));
    let steps: Vec<f64> = (0..=60).map(f64::from).collect();
    let mut plot = Plot::new("").x_label("step").y_label("mean squared error").log_y();
    for (name, rate) in [("a hundredth of the border", 0.01), ("half of it", 0.5), ("5 % above it", 1.05)] {
        let w = Var::zeros((sheet.columns.len(), 1), sheet.xs.dtype(), &Device::Cpu)?;
        let loss = || mse(&sheet.xs.matmul(&w)?, &sheet.ys);
        let mut losses = vec![number(&loss()?)?];
        for _ in 1..steps.len() {
            let grad = gradient(&loss()?, &w)?;
            w.set(&(w.as_tensor() - (grad * (rate * border))?)?)?;
            losses.push(number(&loss()?)?);
        }
        s.say(format!("{name}: loss {:.4} after {} steps", losses[losses.len() - 1], steps.len() - 1));
        plot = plot.line(name, &steps, &losses);
    }
    s.figure("learning_rates", "The same start and three learning rates.", plot)
}

/// The largest eigenvalue of the loss's second derivative, 2/n X'X, by the power method.
fn largest_curvature(sheet: &Sheet) -> Result<f64> {
    let curvature = (sheet.xs.t()?.matmul(&sheet.xs)? * (2.0 / sheet.len() as f64))?; // [10, 10]
    let mut direction = Tensor::ones((sheet.columns.len(), 1), sheet.xs.dtype(), &Device::Cpu)?;
    let mut length = 0.0;
    for _ in 0..500 {
        let next = curvature.matmul(&direction)?;
        length = number(&next.sqr()?.sum_all()?)?.sqrt();
        direction = (next / length)?;
    }
    Ok(length)
}

// --- A network of two units ------------------------------------------------------------------------------------------

fn two_units(s: &mut Session, sheet: &Sheet, linear: &Tensor) -> Result<f64> {
    s.section("A network of two units");
    s.text(
        "
        Two linear models added together are one linear model. Put a ReLU behind each, and the sum can bend. In the
        spreadsheet that means two sets of parameters, two columns of sums, two columns of `IF(lin < 0, 0, lin)`, and
        the prediction is the sum of those two. The source's Solver gets from 0.14422715 down to 0.14385956, which is
        hardly anything for twice as many parameters.

        There is a reason. A unit whose sum is negative in *every* row outputs zero everywhere, so no parameter of it
        has any effect, and its gradient is zero. It is **dead**, and no optimizer will wake it. Let us make that
        network on purpose: the first unit starts from the linear model, the second with a constant of -1 and zeros,
        which is dead from the start.
        ",
    );
    let mut dead = vec![0.0; sheet.columns.len()];
    dead[sheet.columns.len() - 1] = -1.0;
    let dead = Tensor::new(dead, &Device::Cpu)?.unsqueeze(1)?; // [10, 1]
    let start = Tensor::cat(&[linear, &dead], 1)?; // [10, 2]
    let params = descend(sheet, &start, STEPS)?; // [10, 2]
    let losses = network_losses(sheet, &params)?; // [1]
    let nnet = number(&losses.get(0)?)?;
    let still = numbers(&(params.narrow(1, 1, 1)? - dead)?)?.iter().all(|&change| change == 0.0);
    s.say(format!("loss {nnet:.8}; the second unit's parameters have {}", if still { "not moved" } else { "moved" }));
    s.metric("one_relu_loss", nnet);
    s.check(&sheet.figure("nnet"), nnet)?;

    s.text(
        "
        On the passengers this is the source's figure to all eight digits. Its network had one live unit, and 0.14385956
        is the best that a **single** ReLU can do.

        The source then does the same with Excel's `MMULT`. A **matrix product** is nothing more than many
        `SUMPRODUCT`s: row i of the data times column j of the parameters is the sum in row i for unit j. So the loss is
        the same. What changes is that the whole network is a single operation, which graphics cards have circuits for.
        ",
    );
    let product = sheet.xs.matmul(&params)?; // [n, 10] x [10, 2] = [n, 2]
    let one_by_one = (0..2).map(|unit| {
        let parameters = params.narrow(1, unit, 1)?.t()?; // [1, 10]
        sheet.xs.broadcast_mul(&parameters)?.sum_keepdim(1) // SUMPRODUCT: [n, 1]
    });
    let sums = Tensor::cat(&one_by_one.collect::<candle_core::Result<Vec<_>>>()?, 1)?; // [n, 2]
    let apart = numbers(&(&product - sums)?.abs()?)?.into_iter().fold(0.0, f64::max);
    let mmult = number(&mse(&product.relu()?.sum_keepdim(1)?, &sheet.ys)?)?;
    s.say(format!("as a matrix product: loss {mmult:.8}; the sums differ by at most {apart:.0e}"));
    s.check(&sheet.figure("mmult"), mmult)?;
    Ok(nnet)
}

/// The loss of each network in `params`, `[10, 2 networks]`: a network is a pair of neighbouring columns.
fn network_losses(sheet: &Sheet, params: &Tensor) -> Result<Tensor> {
    let units = sheet.xs.matmul(params)?.relu()?; // [n, 2 networks]
    let preds = units.reshape((sheet.len(), (), 2))?.sum(D::Minus1)?; // [n, networks]
    Ok(preds.broadcast_sub(&sheet.ys)?.sqr()?.mean(0)?) // [networks]
}

/// Gradient descent on the losses of all networks in `start` at once, none of which sees the others.
fn descend(sheet: &Sheet, start: &Tensor, steps: usize) -> Result<Tensor> {
    let lr = 1.0 / largest_curvature(sheet)?;
    let params = Var::from_tensor(start)?;
    for _ in 0..steps {
        let grad = gradient(&network_losses(sheet, &params)?.sum_all()?, &params)?;
        params.set(&(params.as_tensor() - (grad * lr)?)?)?;
    }
    Ok(params.as_tensor().clone())
}

// --- Forty starts ----------------------------------------------------------------------------------------------------

fn forty_starts(s: &mut Session, sheet: &Sheet, one_unit: f64) -> Result<()> {
    s.section("Forty starts");
    s.text(
        "
        Two units that are both alive do better, if they start well. One start proves nothing either way, so here are
        forty, each with random parameters between -0.5 and 0.5. They train at the same time: 80 columns of parameters
        beside each other are still one matrix product.
        ",
    );
    let steps = if s.quick { 500 } else { 8000 };
    let shape = (sheet.columns.len(), 2 * STARTS);
    let start = Rng::new(s.seed).stream("forty starts").rand(shape, -0.5, 0.5, &Device::Cpu)?;
    let start = start.to_dtype(DType::F64)?; // [10, 80]
    let params = descend(sheet, &start, steps)?;
    let mut losses = numbers(&network_losses(sheet, &params)?)?; // 40
    let alive = numbers(&sheet.xs.matmul(&params)?.relu()?.max(0)?.gt(0.0)?)?; // 80
    let dead = alive.iter().filter(|&&alive| alive == 0.0).count();
    losses.sort_by(f64::total_cmp);

    let better = losses.iter().filter(|&&loss| loss < one_unit).count();
    s.say(format!("after {steps} steps: best {:.4}, median {:.4}, worst {:.4}", losses[0], losses[20], losses[39]));
    s.say(format!("{better} of {STARTS} are below {one_unit:.8}, the best of one unit; {dead} of 80 units are dead"));
    s.metric("best_of_forty", losses[0]);
    s.metric("starts_below_one_relu", better as f64);
    // A start that ends far above the others would press them into a line.
    let shown = losses.iter().filter(|&&loss| loss <= 2.0 * losses[20]).count();
    let ranks: Vec<f64> = (1..=shown).map(|rank| rank as f64).collect();
    let plot = Plot::new("").x_label("start, from the best to the worst").y_label("mean squared error");
    let plot = plot.scatter("two ReLUs", &ranks, &losses[..shown]).hline(one_unit, "the best of one ReLU");
    let left_out = match &losses[shown..] {
        [] => String::new(),
        [one] => format!(" One more ends at {one:.4}, far above this picture."),
        [first, .., last] => {
            format!(" {} more end between {first:.4} and {last:.4}, far above this picture.", STARTS - shown)
        }
    };
    let caption = format!("Where gradient descent ends from forty random starts.{left_out}");
    s.figure("forty_starts", caption, plot)?;
    s.text(
        "
        The result of training depends on where it starts, and a loss that looks final may only be a dead unit. On the
        passengers, an optimizer of another kind (SciPy's L-BFGS, from 40 starts of the same distribution) ended at or
        below the source's figure in 13 of the 40, with 0.1298 as its best; in 8 the network was left predicting zero.
        Networks with thousands of units hardly notice one that is dead. A network of two does.
        ",
    );
    Ok(())
}
