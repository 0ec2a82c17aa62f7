//! Twenty noisy measurements of a quadratic.

use crate::show::{linspace, numbers};
use candle_core::{Device, Tensor};
use tallow::Result;

/// What the source's `add_noise(f(x), 0.15, 1.5)` makes of the quadratic: NumPy's random numbers for the seed 42, which
/// no other library draws. The first 20 are a part of each value, the next 20 are added.
const NOISY: [f64; 20] = [
    11.869037259947495,
    6.543283960265782,
    5.939606528480622,
    2.6303701892230347,
    1.7947410943093,
    1.9010285901476076,
    -0.29773769826737095,
    1.431545333123475,
    -0.28038047514245645,
    0.4521298791201126,
    0.25474977995267456,
    4.574284134174139,
    2.968071076300784,
    1.3385436489803968,
    5.375440768608999,
    4.887778632420995,
    8.24667578023167,
    9.246154161941,
    10.261186277633676,
    13.693917415398694,
];

/// What this section fits: x `[20, 1]` in single precision and y `[20, 1]` in double, as in the source.
pub(crate) struct Measurements {
    pub(crate) x: Tensor,
    pub(crate) y: Tensor,
}

impl Measurements {
    pub(crate) fn new() -> Result<Measurements> {
        let x = linspace(-2.0, 2.0, 20)?.unsqueeze(1)?; // [20, 1]
        let y = Tensor::new(&NOISY, &Device::Cpu)?.unsqueeze(1)?; // [20, 1]
        Ok(Measurements { x, y })
    }

    /// Both as plain numbers, for plots.
    pub(crate) fn points(&self) -> Result<(Vec<f64>, Vec<f64>)> {
        Ok((numbers(&self.x)?, numbers(&self.y)?))
    }
}
