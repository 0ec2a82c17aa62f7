//! An end-to-end SGD example: how fast was the roller coaster?

use crate::show::listed;
use candle_core::{Device, Tensor, Var};
use tallow::cli::Session;
use tallow::plot::{Figure, Plot};
use tallow::{Error, Result};

/// The speeds that the source measured (it drew the noise at random and prints the outcome), one a second.
const SPEED: [f64; 20] = [
    72.1328, 55.1778, 39.8417, 33.9289, 21.9506, 18.0992, 11.3346, 0.3637, 7.3242, 4.0297, 3.9236, 4.1486, 1.9496,
    6.1447, 12.7890, 23.8966, 30.6053, 45.6052, 53.5180, 71.2243,
];

/// The parameters that the source began with (likewise drawn, and printed).
const PARAMS: [f64; 3] = [-0.5364, 0.6043, 0.4822];

/// The speeds and the seconds at which they were measured.
struct Ride {
    time: Tensor,
    speed: Tensor,
}

impl Ride {
    /// A quadratic, as a function of time with parameters a, b, c.
    fn f(&self, params: &Tensor) -> Result<Tensor> {
        let (a, b, c) = (params.get(0)?, params.get(1)?, params.get(2)?);
        let quadratic = self.time.sqr()?.broadcast_mul(&a)?;
        Ok((quadratic + self.time.broadcast_mul(&b)?)?.broadcast_add(&c)?) // [20]
    }

    fn mse(&self, preds: &Tensor) -> Result<Tensor> {
        Ok((preds - &self.speed)?.sqr()?.mean_all()?)
    }

    fn show_preds(&self, title: &str, preds: &Tensor) -> Result<Plot> {
        let (time, speed) = (self.time.to_vec1::<f64>()?, self.speed.to_vec1::<f64>()?);
        let plot = Plot::new(title).x_label("time (s)").y_label("speed").y_range(-300.0, 100.0).size(320, 300);
        Ok(plot.scatter("measured", &time, &speed).scatter("predicted", &time, &preds.to_vec1::<f64>()?))
    }

    /// Steps 2 to 5 of the seven: predict, compute the loss, differentiate, step. Returns the loss and the predictions
    /// before it.
    fn apply_step(&self, params: &Var, lr: f64) -> Result<(f64, Tensor)> {
        let preds = self.f(params)?;
        let loss = self.mse(&preds)?;
        let gradient = gradient(&loss, params)?;
        params.set(&(params.as_tensor() - (gradient * lr)?)?)?;
        Ok((loss.to_scalar()?, preds))
    }
}

fn gradient(loss: &Tensor, params: &Var) -> Result<Tensor> {
    let grads = loss.backward()?;
    grads.get(params).cloned().ok_or_else(|| Error::Value("the loss does not depend on the parameters".into()))
}

// --- 9. An end-to-end SGD example -----------------------------------------------------------------------------------

pub(crate) fn an_end_to_end_example(s: &mut Session) -> Result<()> {
    s.section("An end-to-end SGD example");
    s.text(
        "
        A roller coaster goes over a hump: fast at first, slow at the top, fast again. Its speed was measured by
        hand, once a second, with some error. What was its speed? We guess that it is a quadratic in time, `a*t² + b*t +
        c`, and let gradient descent find a, b and c. The twenty speeds are those that the source prints.
        ",
    );
    let ride = Ride { time: Tensor::arange(0f64, 20.0, &Device::Cpu)?, speed: Tensor::new(&SPEED, &Device::Cpu)? };
    let (time, speed) = (ride.time.to_vec1::<f64>()?, SPEED.to_vec());
    let measured = Plot::new("The measured speeds").x_label("time (s)").y_label("speed").scatter("", &time, &speed);
    s.figure("roller_coaster", "Speed of a roller coaster as it goes over the hump.", measured)?;

    // Step 1: initialise. The source drew these at random.
    let params = Var::new(&PARAMS, &Device::Cpu)?;
    // Step 2: predict.
    let preds = ride.f(&params)?;
    s.figure(
        "first_guess",
        "Step 2: random parameters know nothing of roller coasters.",
        ride.show_preds("Before training", &preds)?,
    )?;
    // Step 3: the loss.
    let loss = ride.mse(&preds)?;
    s.check("first loss", &loss)?;
    // Step 4: the gradients.
    let grad = gradient(&loss, &params)?.to_vec1::<f64>()?;
    s.say(format!("loss {:.4}, gradient {grad:.4?}", loss.to_scalar::<f64>()?));
    s.check("params.grad", &grad)?;
    // Step 5: a step against them.
    let lr = 1e-5;
    ride.apply_step(&params, lr)?;
    let preds = ride.f(&params)?;
    let after = ride.mse(&preds)?.to_scalar::<f64>()?;
    s.check("loss after one step", after)?;
    s.figure("after_one_step", "After one step.", ride.show_preds("After one step", &preds)?)?;

    // Step 6: repeat.
    let mut losses = Vec::new();
    for _ in 0..10 {
        let (loss, _) = ride.apply_step(&params, lr)?;
        losses.push(loss);
    }
    s.say(format!("losses of ten more steps:\n{}", listed(&losses)));
    s.check("losses of apply_step", &losses)?;
    let mut plots = Vec::new();
    for step in 11..15 {
        let (_, preds) = ride.apply_step(&params, lr)?;
        plots.push(ride.show_preds(&format!("Step {step}"), &preds)?);
    }
    s.figure("roller_coaster_steps", "Step 6, four times more: the curve settles.", Figure::grid(&plots, 4))?;
    s.text(
        "
        Step 7, stop: after ten rounds, by decision. The loss barely moves any more, though the curve is still far from
        the points: `a` settled long before `b` and `c` do, since their gradients were 16 and 200 times smaller. One
        learning rate for parameters of such different scale is a poor fit, and a reason for the optimizers to come.

        **In short**: weights begin at random or come from another model. The loss says how wrong the predictions are,
        the gradient which way the loss grows. Go a little the other way; repeat; stop.
        ",
    );
    Ok(())
}
