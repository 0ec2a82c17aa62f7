//! Gradients, and steps against them.

use crate::show::number;
use candle_core::backprop::GradStore;
use candle_core::{Device, Tensor, Var};
use tallow::cli::Session;
use tallow::plot::{Figure, Plot};
use tallow::{Error, Result};

/// The simple quadratic loss of the source.
fn f(x: f64) -> f64 {
    x * x
}

// --- 6. Stochastic gradient descent ----------------------------------------------------------------------------------

pub(crate) fn the_seven_steps(s: &mut Session) -> Result<()> {
    s.section("Stochastic gradient descent");
    s.text(
        "
        Arthur Samuel said in 1962 what machine learning needs: *weights* that decide how a program behaves, a way to
        *test* how well it does with them, and a *mechanism* that changes them so that it does better. For digits that
        could be one weight per pixel, and `pr_eight(x, w) = (x * w).sum()`: large where an eight has ink, small where
        it has none. Seven steps turn such a function into something that learns:

        1. initialise the weights;
        2. predict;
        3. compute the loss;
        4. compute its gradient, which tells for each weight how the loss would change;
        5. step: change all weights by it;
        6. go back to 2;
        7. stop, when the model is good enough or time is up.
        ",
    );
    Ok(())
}

// --- 7. Calculating gradients ----------------------------------------------------------------------------------------

pub(crate) fn calculating_gradients(s: &mut Session) -> Result<()> {
    s.section("Calculating gradients");
    s.text(
        "
        How would the loss change if a weight grew a little? Take a loss that is simply f(x) = x². At a point the curve
        has a slope, and the slope says which way is down, and how steep it is. The function that gives the slope at
        each point is the **derivative**, here 2x.
        ",
    );
    // The tangent at x: through (x, f(x)) with slope 2x.
    let at = -1.5;
    let tangent = |x: f64| f(at) + 2.0 * at * (x - at);
    let slope = Plot::new("f(x) = x², and its slope at one point").x_label("x").y_label("f(x)");
    let slope = slope.function("f(x) = x²", -2.0, 2.0, f).dashed(
        "slope at x = -1.5",
        &[-2.0, -1.0],
        &[tangent(-2.0), tangent(-1.0)],
    );
    let slope = slope.point("here", at, f(at)).size(480, 360);
    let downhill =
        Plot::new("Downhill, step by step").x_label("x").y_label("f(x)").function("", -2.0, 2.0, f).size(480, 360);
    let downhill = walk(at, 0.2, 4).windows(2).fold(downhill, |p, w| p.arrow((w[0], f(w[0])), (w[1], f(w[1]))));
    let caption = "Left: the slope at x = -1.5. Right: against the slope, again and again, to the bottom.";
    s.figure("slope", caption, Figure::grid(&[slope, downhill], 2))?;

    // A `Var` is a tensor that wants a gradient: PyTorch's `requires_grad_()`.
    let xt = Var::new(3f64, &Device::Cpu)?;
    let yt = xt.sqr()?;
    // `backward` goes back through the computation and returns the gradients.
    let grads = yt.backward()?;
    let grad = number(gradient(&grads, &xt)?)?;
    s.say(format!("f(3) = {}, gradient {grad}", number(&yt)?));
    s.check("f(3.)", &yt)?;
    s.check("xt.grad at 3", grad)?;

    // With many weights each has a derivative of its own, the others held fast. Summing makes the result one number.
    let xt = Var::new(&[3f64, 4., 10.], &Device::Cpu)?;
    let yt = xt.sqr()?.sum_all()?;
    let grads = yt.backward()?;
    let grad = gradient(&grads, &xt)?.to_vec1::<f64>()?;
    s.say(format!("f([3, 4, 10]) = {}, gradient {grad:?}", number(&yt)?));
    s.check("f([3., 4., 10.])", &yt)?;
    s.check("xt.grad at [3, 4, 10]", &grad)?;
    s.text(
        "
        Candle's `backward` *returns* the gradients. PyTorch *adds* them to what each tensor has in `.grad`, and so
        every PyTorch loop has to set them to zero. Here there is nothing to forget.
        ",
    );
    Ok(())
}

/// The gradient by a variable.
fn gradient<'a>(grads: &'a GradStore, variable: &Var) -> Result<&'a Tensor> {
    grads.get(variable).ok_or_else(|| Error::Value("the result does not depend on the variable".into()))
}

/// Positions of plain gradient descent on f from `x`.
fn walk(mut x: f64, lr: f64, steps: usize) -> Vec<f64> {
    let mut positions = vec![x];
    for _ in 0..steps {
        x -= lr * 2.0 * x;
        positions.push(x);
    }
    positions
}

// --- 8. Stepping with a learning rate -------------------------------------------------------------------------------

pub(crate) fn stepping_with_a_learning_rate(s: &mut Session) -> Result<()> {
    s.section("Stepping with a learning rate");
    s.text(
        "
        The gradient gives a direction and a steepness, not a distance. The distance is ours to choose: `w -=
        gradient(w) * lr`, with a small number, the **learning rate**, usually between 0.001 and 0.1. Too small, and it
        takes forever. Too large, and it jumps from one side of the valley to the other. Larger still, and each step
        lands higher than the one before.
        ",
    );
    let rates = [
        ("Too small: 0.02", 0.02, 8),
        ("Right: 0.3", 0.3, 8),
        ("Bouncing: 0.93", 0.93, 8),
        ("Diverging: 1.05", 1.05, 6),
    ];
    let mut plots = Vec::new();
    for (title, lr, steps) in rates {
        let positions = walk(-1.5, lr, steps);
        let reach = positions.iter().fold(2.0, |reach: f64, x| reach.max(x.abs() + 0.1));
        let plot = Plot::new(title).function("", -reach, reach, f).size(300, 260);
        plots.push(positions.windows(2).fold(plot, |p, w| p.arrow((w[0], f(w[0])), (w[1], f(w[1])))));
        let last = positions.last().copied().unwrap_or_default();
        s.say(format!("learning rate {lr:<4} after {steps} steps: x = {last:>7.4}, f(x) = {:.4}", f(last)));
    }
    let caption = "The same start and four learning rates: too small, right, too large, and larger still.";
    s.figure("learning_rates", caption, Figure::grid(&plots, 4))
}
