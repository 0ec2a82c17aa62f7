//! How does a neural net really work? A quadratic, noisy measurements of it, and sliders.

use crate::gradient_descent::{the_gradient, the_loop};
use crate::measurements::Measurements;
use crate::relus::{rectified_linear_units, the_owl};
use crate::show::{linspace, listed, numbers, plot_function};
use tallow::Result;
use tallow::cli::Session;
use tallow::plot::{Curve, Explorer, Figure, Plot};

/// The function that we measure, and want to find again from the measurements.
fn f(x: f64) -> f64 {
    3.0 * x.powi(2) + 2.0 * x + 1.0
}

/// Any quadratic.
fn quad(a: f64, b: f64, c: f64, x: f64) -> f64 {
    a * x.powi(2) + b * x + c
}

/// One quadratic: `quad` with its first three arguments filled in.
fn mk_quad(a: f64, b: f64, c: f64) -> impl Fn(f64) -> f64 {
    move |x| quad(a, b, c, x)
}

pub(crate) fn how_a_neural_net_really_works(s: &mut Session) -> Result<()> {
    a_function_and_its_measurements(s)?;
    the_gradient(s)?;
    the_loop(s)?;
    rectified_linear_units(s)?;
    the_owl(s)
}

// --- How does a neural net really work? ------------------------------------------------------------------------------

fn a_function_and_its_measurements(s: &mut Session) -> Result<()> {
    s.section("How does a neural net really work?");
    s.text(
        "
        A layer of a neural network does three things. It multiplies each input by a number of values, its
        **parameters**; it adds the products up; and it replaces the negative sums by zeros. All the rest is finding
        good parameters. We begin with a function that has only three of them.
        ",
    );
    s.say(format!("f(x) = 3x² + 2x + 1: f(-2) = {}, f(0) = {}, f(2) = {}", f(-2.0), f(0.0), f(2.0)));

    s.text(
        "
        Suppose we did not know 3, 2 and 1. A *general* quadratic has three open places, and filling them in makes a
        function of x. In Python that is `partial`; in Rust it is a closure that keeps a, b and c. Filled in with 3, 2
        and 1 it is our function again.
        ",
    );
    let f2 = mk_quad(3.0, 2.0, 1.0);
    let plots = [plot_function("f", f), plot_function("f2 = mk_quad(3, 2, 1)", f2)];
    s.figure("quadratic", "The same quadratic, written down and filled in.", Figure::grid(&plots, 2))?;

    s.text(
        "
        The values of x stand in a column rather than in a list: `unsqueeze(1)`, PyTorch's `[:, None]`, gives a tensor a
        second axis. Each row is then one item with one number, the shape that every later layer expects.
        ",
    );
    let ten = linspace(-1.0, 1.0, 10)?; // [10]
    let column = ten.unsqueeze(1)?; // [10, 1]
    s.say(format!("{}, shape {:?}", listed(&numbers(&ten)?), ten.dims()));
    s.say(format!("as a column: shape {:?}", column.dims()));
    s.check("torch.linspace(-1, 1, 10)", &ten)?;
    s.check("torch.linspace(-1, 1, 10)[:,None].shape", column.dims())?;

    s.text(
        "
        Real data are measured, and measurements are noisy. The source multiplies each value by a random number near 1,
        and adds another one near 0. We take its own 20 measurements, digit for digit, so that every figure that
        follows can be compared with the printed one.
        ",
    );
    let data = Measurements::new()?;
    let (xs, ys) = data.points()?;
    s.say(format!("x[:5] = {}\ny[:5] = {}", listed(&xs[..5]), listed(&ys[..5])));
    s.check("x[:5]", &xs[..5])?;
    s.check("y[:5]", &ys[..5])?;
    let scatter = Plot::new("").x_label("x").y_label("y").scatter("", &xs, &ys);
    s.figure("measurements", "Twenty noisy measurements of the quadratic.", scatter)?;

    s.text(
        "
        Now fit the quadratic by hand: move the sliders until the curve goes through the dots. Something happens here
        that is true of much larger models. You set a, then b, then c, and once b and c are right you see that a has to
        change again. No parameter can be set by itself.

        By eye it is hard to say which of two curves is better, so we need a number. The **mean absolute error** is the
        mean distance between the curve and the dots, measured straight up or down. A number like this, which is small
        when the model is good, is a **loss**. With the loss in view, fitting becomes a game with a score.
        ",
    );
    let caption = "Move a slider, and move it back if the error grew: that is gradient descent, done by hand.";
    let explorer = Explorer::new("a x² + b x + c", Curve::Polynomial).points(&xs, &ys).range((-2.1, 2.1), (-3.0, 15.0));
    let explorer = ["a", "b", "c"].into_iter().fold(explorer, |e, name| e.slider(name, 1.1, -1.0, 5.0));
    s.explorer(caption, &explorer);
    Ok(())
}
