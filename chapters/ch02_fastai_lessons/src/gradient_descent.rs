//! The loss falls by itself: gradients, steps, and what happens when gradients add up.

use crate::measurements::Measurements;
use crate::show::{listed, number, numbers};
use candle_core::{DType, Device, Tensor, Var};
use tallow::cli::Session;
use tallow::plot::Plot;
use tallow::{Error, Result};

/// Mean absolute error, in the precision of `acts`.
pub(crate) fn mae(preds: &Tensor, acts: &Tensor) -> Result<Tensor> {
    Ok((preds.to_dtype(acts.dtype())? - acts)?.abs()?.mean_all()?)
}

/// The loss of the quadratic whose three parameters are in `abc`, `[3]`.
fn quad_mae(abc: &Tensor, data: &Measurements) -> Result<Tensor> {
    let [a, b, c] = [abc.get(0)?, abc.get(1)?, abc.get(2)?];
    let preds = (data.x.sqr()?.broadcast_mul(&a)? + data.x.broadcast_mul(&b)?)?.broadcast_add(&c)?; // [20, 1]
    mae(&preds, &data.y)
}

/// The gradient of a loss by some parameters.
pub(crate) fn gradient(loss: &Tensor, parameters: &Var) -> Result<Tensor> {
    let gradients = loss.backward()?;
    let gradient = gradients.get(parameters).cloned();
    gradient.ok_or_else(|| Error::Value(String::from("the loss does not depend on the parameters")))
}

/// The source's starting point, which is arbitrary.
fn start() -> Result<Var> {
    Ok(Var::new(&[1.1f32, 1.1, 1.1], &Device::Cpu)?)
}

// --- Gradients instead of sliders ------------------------------------------------------------------------------------

pub(crate) fn the_gradient(s: &mut Session) -> Result<()> {
    s.section("Gradients instead of sliders");
    s.text(
        "
        Nobody can move the sliders of a network with millions of parameters. But for each slider we only need to know
        one thing: does the loss fall if we move it up a little, and by how much? That is the **derivative** of the loss
        by this parameter. All of them together are the **gradient**, and `backward` computes it.
        ",
    );
    let data = Measurements::new()?;
    let abc = start()?; // [3]
    let loss = quad_mae(&abc, &data)?;
    let grad = gradient(&loss, &abc)?; // [3]
    s.say(format!("loss {:.4}, gradient {}", number(&loss)?, listed(&numbers(&grad)?)));
    s.check("quad_mae([1.1, 1.1, 1.1])", &loss)?;
    s.check("abc.grad", &grad)?;

    s.text(
        "
        All three are negative, so the loss falls when a, b and c grow; a matters most. The gradient has a unit: the
        loss would change by -1.35 for each unit that a grows if the slope stayed the same. It does not, so we take a
        small step: a hundredth of the gradient, in the other direction. The hundredth is the **learning rate**, and
        nothing that you set by hand matters more.
        ",
    );
    abc.set(&(abc.as_tensor() - (grad * 0.01)?)?)?;
    let loss = quad_mae(&abc, &data)?;
    s.say(format!("loss={:.2}", number(&loss)?));
    s.check("loss after one step", &loss)
}

// --- A loop ----------------------------------------------------------------------------------------------------------

pub(crate) fn the_loop(s: &mut Session) -> Result<()> {
    s.section("Ten steps, and a surprise");
    s.text(
        "
        A loop does the same ten times. PyTorch *adds* each new gradient to what `abc.grad` holds, unless you set
        it to zero, and the source's loop does not. To get its figures, ours has to add them up on purpose.
        ",
    );
    let data = Measurements::new()?;
    let abc = start()?;
    let mut grad = gradient(&quad_mae(&abc, &data)?, &abc)?;
    abc.set(&(abc.as_tensor() - (&grad * 0.01)?)?)?;
    let mut losses = Vec::new();
    for i in 0..10 {
        let loss = quad_mae(&abc, &data)?;
        grad = (grad + gradient(&loss, &abc)?)?;
        abc.set(&(abc.as_tensor() - (&grad * 0.01)?)?)?;
        losses.push(number(&loss)?);
        s.say(format!("step={i}; loss={:.2}", losses[i]));
    }
    s.say(format!("abc = {}, abc.grad = {}", listed(&numbers(&abc)?), listed(&numbers(&grad)?)));
    s.check("loss of each step", &losses)?;
    s.check("abc after ten steps", &*abc)?;
    s.check("abc.grad after ten steps", &grad)?;

    s.text(
        "
        Look at the gradient: -13.4 for a, ten times what it was. The slope did not become steeper; eleven gradients
        were added up. That looks like a bug, and in a network it usually is one. Here it makes the loss fall faster,
        because the slope hardly changes along the way and each step is longer than the one before. It is a crude form
        of **momentum**: a ball that rolls without friction. The honest loop, with a fresh gradient for each step, gets
        from 2.40 to 2.21 in the same ten steps.

        Let both run on and the difference shows. Added gradients overshoot the bottom and swing back, again and again.
        Fresh ones arrive slowly and stay.
        ",
    );
    let (added, fresh) = (descend(&data, true, 300)?, descend(&data, false, 300)?);
    s.say(format!("after 10 steps: added {:.2}, fresh {:.2}", added[10], fresh[10]));
    s.say(format!("after 300 steps: added {:.2}, fresh {:.2}", added[300], fresh[300]));
    let steps: Vec<f64> = (0..added.len()).map(|step| step as f64).collect();
    let plot = Plot::new("").x_label("step").y_label("mean absolute error");
    let plot = plot.line("gradients added up", &steps, &added).line("a fresh gradient each step", &steps, &fresh);
    s.figure("accumulated", "The source's loop and the loop that was meant, both run on.", plot)
}

/// The losses of gradient descent from the usual start: before each step, and after the last.
fn descend(data: &Measurements, adds_up: bool, steps: usize) -> Result<Vec<f64>> {
    let abc = start()?;
    let mut sum = Tensor::zeros(3, DType::F32, &Device::Cpu)?;
    let mut losses = Vec::new();
    for _ in 0..steps {
        let loss = quad_mae(&abc, data)?;
        let grad = gradient(&loss, &abc)?;
        sum = if adds_up { (sum + grad)? } else { grad };
        abc.set(&(abc.as_tensor() - (&sum * 0.01)?)?)?;
        losses.push(number(&loss)?);
    }
    losses.push(number(&quad_mae(&abc, data)?)?);
    Ok(losses)
}
