//! Rectified linear units: a bent line, sums of bent lines, and what they can be fitted to.

use crate::gradient_descent::{gradient, mae};
use crate::measurements::Measurements;
use crate::show::{number, numbers, plot_function};
use candle_core::{Device, Tensor, Var};
use tallow::Result;
use tallow::cli::Session;
use tallow::plot::{Curve, Explorer, Figure, Plot};

/// The line m x + b, with zero wherever it is negative.
fn rectified_linear(m: f64, b: f64, x: f64) -> f64 {
    (m * x + b).max(0.0)
}

/// Where the sliders of one, two and three units stand in the source: m and b of each.
const STARTS: [&[f32]; 3] = [&[1.5, 1.5], &[-1.5, -1.5, 1.5, 1.5], &[-1.5, -1.5, 0.5, 0.5, 1.5, 1.5]];

// --- Rectified linear units ------------------------------------------------------------------------------------------

pub(crate) fn rectified_linear_units(s: &mut Session) -> Result<()> {
    s.section("Rectified linear units");
    s.text(
        "
        A quadratic fits a quadratic. What fits anything? A network needs only two operations: sums of products, and
        `max(x, 0)`, which replaces negative numbers by zero. A line that is cut off like this is a **rectified linear
        unit**, or ReLU. Written by hand or called from the library, it is the same bent line.
        ",
    );
    let by_hand = plot_function("max(x + 1, 0)", |x| rectified_linear(1.0, 1.0, x));
    let x = Tensor::arange_step(-2.1, 2.1, 0.1, &Device::Cpu)?; // [42]
    let relu = x.affine(1.0, 1.0)?.relu()?; // [42]
    let library = Plot::new("(x + 1).relu()").line("", &numbers(&x)?, &numbers(&relu)?).colored(1).size(460, 320);
    s.figure("relu", "A rectified linear unit, by hand and by the library.", Figure::grid(&[by_hand, library], 2))?;

    s.text("Here m sets the slope and b moves the corner (which is at x = -b/m, so m moves it too).");
    s.explorer("One unit: max(0, m x + b).", &sliders("One ReLU", 0).range((-2.1, 2.1), (-1.0, 4.0)));

    s.text("Two units added together have two corners, and with one slope down and one slope up they make a valley.");
    s.explorer("Two units, added.", &sliders("Two ReLUs", 1).range((-2.1, 2.1), (-1.0, 6.0)));

    s.text(
        "
        Three have three corners. Put the dots behind them and try to fit, as before. Six sliders are already tedious,
        and the loss says when you are better.
        ",
    );
    let data = Measurements::new()?;
    let (xs, ys) = data.points()?;
    let three = sliders("Three ReLUs", 2).points(&xs, &ys).range((-2.1, 2.1), (-3.0, 15.0));
    s.say(format!("three ReLUs as the sliders begin: mean absolute error {:.4}", three.mean_absolute_error()));
    s.explorer("Three units over the measurements.", &three);
    Ok(())
}

/// A sum of rectified lines with its sliders at the source's start.
fn sliders(title: &str, which: usize) -> Explorer {
    let explorer = Explorer::new(title, Curve::Relus);
    STARTS[which].chunks_exact(2).enumerate().fold(explorer, |explorer, (i, line)| {
        let number = if STARTS[which].len() > 2 { (i + 1).to_string() } else { String::new() };
        let explorer = explorer.slider(format!("m{number}"), f64::from(line[0]), -8.0, 8.0);
        explorer.slider(format!("b{number}"), f64::from(line[1]), -8.0, 8.0)
    })
}

// --- Drawing the owl -------------------------------------------------------------------------------------------------

pub(crate) fn the_owl(s: &mut Session) -> Result<()> {
    s.section("Drawing the owl");
    s.text(
        "
        Gradient descent moves six sliders as easily as three. Starting where the source's sliders stand, each sum of
        ReLUs is now fitted to the measurements. One unit cannot do it: it is flat on one side. Two make a valley. Three
        have a corner to spare.
        ",
    );
    let data = Measurements::new()?;
    let (xs, ys) = data.points()?;
    let steps = if s.quick { 300 } else { 3000 };
    let mut plot = Plot::new("").x_label("x").y_label("y").scatter("measurements", &xs, &ys);
    for (name, start) in ["one ReLU", "two ReLUs", "three ReLUs"].into_iter().zip(STARTS) {
        let (parameters, first, last) = fit(&data, start, steps)?;
        s.say(format!("{name:<11} mean absolute error {first:.4}, after {steps} steps {last:.4}"));
        s.metric(format!("mae_{}", name.replace(' ', "_")), last);
        plot = plot.function(name, -2.1, 2.1, |x| Curve::Relus.value(&parameters, x));
    }
    let caption = "Sums of one, two and three ReLUs, fitted by gradient descent.";
    s.figure("fitted_relus", caption, plot)?;

    s.text(
        "
        That is the whole idea. With enough units the corners come so close that the sum follows any curve; with
        more inputs, lines become planes, and the same holds for surfaces. Everything else makes this faster: a graphics
        card does thousands of sums at once, a convolution needs fewer of them, and transfer learning starts from
        parameters that are good at something similar. The course likes to compare it with the drawing of an owl:
        *draw two circles, then draw the rest of the owl*. Here are the two circles, and this is the rest.
        ",
    );
    Ok(())
}

/// Fits a sum of ReLUs by gradient descent on the mean absolute error: its parameters, and the loss before and after.
fn fit(data: &Measurements, start: &[f32], steps: usize) -> Result<(Vec<f64>, f64, f64)> {
    let parameters = Var::new(start, &Device::Cpu)?; // [2 units]
    let loss = || -> Result<Tensor> {
        let lines = parameters.reshape(((), 2))?; // [units, 2]
        let [m, b] = [lines.narrow(1, 0, 1)?.t()?, lines.narrow(1, 1, 1)?.t()?]; // [1, units]
        let preds = data.x.matmul(&m.contiguous()?)?.broadcast_add(&b)?.relu()?.sum_keepdim(1)?; // [20, 1]
        mae(&preds, &data.y)
    };
    let first = number(&loss()?)?;
    for _ in 0..steps {
        let grad = gradient(&loss()?, &parameters)?;
        parameters.set(&(parameters.as_tensor() - (grad * 0.01)?)?)?;
    }
    Ok((numbers(&parameters)?, first, number(&loss()?)?))
}
