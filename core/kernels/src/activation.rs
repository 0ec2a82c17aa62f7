//! Activations, alone or as the last step of another operation.

use super::blank::Blank;
use super::graph::record;
use super::math::{erfc, exp, sigmoid, tanh};
use super::simd::dispatch;
use super::trace::{Operation, traced};
use super::values::{Number, fill_as};
use super::{fast, with_stored};
use candle_core::{Result, Tensor};
use pulp::{Simd, WithSimd};
use rayon::prelude::*;
use std::f32::consts::{FRAC_1_SQRT_2, PI};
use std::f64::consts::FRAC_1_SQRT_2 as FRAC_1_SQRT_2_WIDE;

/// Values that one task works through.
const BLOCK: usize = 1 << 14;

/// An activation function, with PyTorch's name and formula.
///
/// ```
/// use candle_core::{Device, Tensor};
/// use tallow_kernels::{Activation, activate};
/// # fn main() -> candle_core::Result<()> {
/// let x = Tensor::new(&[1f32], &Device::Cpu)?;
/// let near = |activation, torch: f32| -> candle_core::Result<bool> {
///     Ok((activate(&x, activation)?.to_vec1::<f32>()?[0] - torch).abs() < 1e-5)
/// };
/// // PyTorch's `F.silu`, `F.gelu`, `F.gelu(approximate="tanh")` and `F.hardswish` at 1
/// assert!(near(Activation::Silu, 0.7310586)? && near(Activation::Gelu, 0.8413447)?);
/// assert!(near(Activation::GeluTanh, 0.8411920)? && near(Activation::HardSwish, 0.6666667)?);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Activation {
    /// `x`
    None,
    /// `max(x, 0)`; the gradient at 0 is 0.
    Relu,
    /// `min(max(x, 0), 6)`; the gradient at 0 and at 6 is 0.
    Relu6,
    /// `x` where positive, else `slope · x`.
    LeakyRelu(f32),
    /// `x · sigmoid(x)`, also called swish.
    Silu,
    /// `x · Φ(x)` with the distribution function `Φ` of the standard normal distribution (Hendrycks and Gimpel, 2016).
    Gelu,
    /// `x / 2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))`, which approximates [`Activation::Gelu`].
    GeluTanh,
    /// `1 / (1 + e⁻ˣ)`
    Sigmoid,
    /// `tanh(x)`
    Tanh,
    /// `x · relu6(x + 3) / 6`
    HardSwish,
    /// `relu6(x + 3) / 6`
    HardSigmoid,
}

/// Applies an activation to each value of a tensor of any shape.
///
/// # Errors
/// When the device does not support the tensor's type.
pub fn activate(xs: &Tensor, activation: Activation) -> Result<Tensor> {
    traced(
        || Operation::Activate { xs: xs.clone(), activation },
        || {
            if activation == Activation::None {
                return Ok(xs.clone());
            }
            if !fast(xs) {
                return activation.portable(xs);
            }
            let values = with_stored(xs, |xs| {
                let starts = (0..xs.len()).into_par_iter().step_by(BLOCK);
                Ok(fill_as(xs.dtype(), xs.len(), BLOCK, starts, |start, out| {
                    let n = out.len();
                    let out = out.copy(&xs.part(start..start + n));
                    dispatch(Apply(activation, out));
                    out
                }))
            })?;
            let input = if activation.needs_input() { Some(xs.clone()) } else { None };
            record(&[xs], values, xs.shape(), move |ys, grad, _| {
                Ok(vec![Some(gradient(activation, input.as_ref().unwrap_or(ys), ys, grad)?)])
            })
        },
    )
}

/// The gradient by an activation's input `xs`, from that by its result `ys`. Of the two only one is read: see
/// [`Activation::needs_input`].
pub(super) fn gradient(activation: Activation, xs: &Tensor, ys: &Tensor, grad: &Tensor) -> Result<Tensor> {
    let dx = with_stored(xs, |xs| {
        with_stored(ys, |ys| {
            with_stored(grad, |dy| {
                let starts = (0..dy.len()).into_par_iter().step_by(BLOCK);
                Ok(fill_as(dy.dtype(), dy.len(), BLOCK, starts, |start, dx| {
                    let range = start..start + dx.len();
                    let [xs, ys, dy] = [xs, ys, dy].map(|values| values.part(range.clone()));
                    dispatch(Back { activation, xs: &xs, ys: &ys, dy: &dy, dx })
                }))
            })
        })
    })?;
    dx.tensor(ys.shape())
}

/// The rectified linear unit, `max(x, 0)`, of each value. As in PyTorch, its gradient at 0 is 0.
///
/// # Errors
/// When the device cannot allocate the result.
pub fn relu(xs: &Tensor) -> Result<Tensor> {
    activate(xs, Activation::Relu)
}

struct Apply<'a>(Activation, &'a mut [f32]);

impl WithSimd for Apply<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.0.apply(self.1);
    }
}

struct Back<'a, 'o> {
    activation: Activation,
    xs: &'a [f32],
    ys: &'a [f32],
    dy: &'a [f32],
    dx: Blank<'o>,
}

impl<'o> WithSimd for Back<'_, 'o> {
    type Output = &'o mut [f32];

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> &'o mut [f32] {
        let dx = self.dx.copy(self.dy);
        self.activation.back(dx, self.xs, self.ys);
        dx
    }
}

/// A loop of its own for each function, so that each is vectorised.
macro_rules! each {
    ($values:expr, |$x:ident| $f:expr) => {
        for value in $values.iter_mut() {
            let $x = *value;
            *value = $f;
        }
    };
}

/// Multiplies gradients by a slope.
macro_rules! slope {
    ($grad:expr, $values:expr, |$x:ident| $f:expr) => {
        for (grad, value) in $grad.iter_mut().zip($values) {
            let $x = value.wide();
            *grad *= $f;
        }
    };
}

impl Activation {
    /// Whether the gradient needs the input. Else the result is enough.
    pub(super) fn needs_input(self) -> bool {
        use Activation::{Gelu, GeluTanh, HardSigmoid, HardSwish, LeakyRelu, None, Relu, Relu6, Sigmoid, Silu, Tanh};
        match self {
            None | Relu | Relu6 | Sigmoid | Tanh => false,
            LeakyRelu(_) | Silu | Gelu | GeluTanh | HardSwish | HardSigmoid => true,
        }
    }

    /// Replaces values by the function's. To be called where instructions are chosen already.
    #[inline(always)]
    pub(super) fn apply(self, values: &mut [f32]) {
        match self {
            Activation::None => {}
            // Written so that NaN stays NaN.
            Activation::Relu => each!(values, |x| if x <= 0.0 { 0.0 } else { x }),
            Activation::Relu6 => each!(values, |x| relu6(x)),
            Activation::LeakyRelu(slope) => each!(values, |x| if x > 0.0 { x } else { slope * x }),
            Activation::Silu => each!(values, |x| x / (1.0 + exp(-x))),
            Activation::Gelu => each!(values, |x| 0.5 * x * erfc(-x * FRAC_1_SQRT_2)),
            Activation::GeluTanh => each!(values, |x| x * sigmoid(2.0 * inner(x))),
            Activation::Sigmoid => each!(values, |x| sigmoid(x)),
            Activation::Tanh => each!(values, |x| tanh(x)),
            Activation::HardSwish => each!(values, |x| x * relu6(x + 3.0) / 6.0),
            Activation::HardSigmoid => each!(values, |x| relu6(x + 3.0) / 6.0),
        }
    }

    /// Whether [`Activation::of_registers`] has it.
    #[inline(always)]
    pub(super) fn in_registers(self) -> bool {
        matches!(self, Activation::None | Activation::Relu | Activation::Relu6 | Activation::HardSwish)
    }

    /// [`Activation::apply`] for values that are in registers, and stay there. Others than
    /// [`Activation::in_registers`] change nothing.
    #[inline(always)]
    pub(super) fn of_registers<S: Simd, const R: usize, const V: usize>(
        self,
        simd: S,
        mut values: [[S::f32s; V]; R],
    ) -> [[S::f32s; V]; R] {
        let (zero, three, six) = (simd.splat_f32s(0.0), simd.splat_f32s(3.0), simd.splat_f32s(6.0));
        // Not minimum and maximum, of which some make a number of NaN. Macros and loops, since a closure that is not
        // inlined would be compiled for other instructions.
        macro_rules! relu {
            ($x:expr) => {
                simd.select_f32s(simd.less_than_or_equal_f32s($x, zero), zero, $x)
            };
        }
        macro_rules! relu6 {
            ($x:expr) => {{
                let x = relu!($x);
                simd.select_f32s(simd.greater_than_or_equal_f32s(x, six), six, x)
            }};
        }
        macro_rules! each {
            (|$x:ident| $f:expr) => {
                for row in 0..R {
                    for v in 0..V {
                        let $x = values[row][v];
                        values[row][v] = $f;
                    }
                }
            };
        }
        match self {
            Activation::Relu => each!(|x| relu!(x)),
            Activation::Relu6 => each!(|x| relu6!(x)),
            Activation::HardSwish => each!(|x| {
                let shifted = simd.add_f32s(x, three);
                simd.div_f32s(simd.mul_f32s(x, relu6!(shifted)), six)
            }),
            _ => {}
        }
        values
    }

    /// Multiplies gradients by the slope at inputs `xs` with results `ys`, of which only one is read: see
    /// [`Activation::needs_input`].
    #[inline(always)]
    pub(super) fn back<N: Number, M: Number>(self, grad: &mut [f32], xs: &[M], ys: &[N]) {
        match self {
            Activation::None => {}
            Activation::Relu => {
                // Not a product, which would make NaN of 0 times infinity.
                for (grad, y) in grad.iter_mut().zip(ys) {
                    *grad = if y.wide() == 0.0 { 0.0 } else { *grad };
                }
            }
            Activation::Relu6 => {
                for (grad, y) in grad.iter_mut().zip(ys) {
                    let y = y.wide();
                    *grad = if y == 0.0 || y == 6.0 { 0.0 } else { *grad };
                }
            }
            Activation::LeakyRelu(slope) => slope!(grad, xs, |x| if x > 0.0 { 1.0 } else { slope }),
            Activation::Silu => slope!(grad, xs, |x| {
                let s = sigmoid(x);
                s * (1.0 + x * (1.0 - s))
            }),
            Activation::Gelu => slope!(grad, xs, |x| {
                let density = exp(-0.5 * x * x) * FRAC_1_SQRT_2 / PI.sqrt();
                0.5 * erfc(-x * FRAC_1_SQRT_2) + x * density
            }),
            Activation::GeluTanh => slope!(grad, xs, |x| {
                let s = sigmoid(2.0 * inner(x));
                s + 2.0 * x * s * (1.0 - s) * SQRT_2_OVER_PI * (1.0 + 3.0 * CUBIC * x * x)
            }),
            Activation::Sigmoid => slope!(grad, ys, |y| y * (1.0 - y)),
            Activation::Tanh => slope!(grad, ys, |y| 1.0 - y * y),
            Activation::HardSwish => slope!(grad, xs, |x| if x <= -3.0 {
                0.0
            } else if x < 3.0 {
                x / 3.0 + 0.5
            } else {
                1.0
            }),
            Activation::HardSigmoid => slope!(grad, xs, |x| if x > -3.0 && x < 3.0 { 1.0 / 6.0 } else { 0.0 }),
        }
    }

    /// Out of candle's operations, with masks for PyTorch's gradients at the corners.
    pub(super) fn portable(self, xs: &Tensor) -> Result<Tensor> {
        let relu6 = |xs: &Tensor| {
            let low = xs.le(0.0)?.where_cond(&xs.zeros_like()?, xs)?;
            low.ge(6.0)?.where_cond(&(xs.ones_like()? * 6.0)?, &low)
        };
        let sigmoid = |xs: &Tensor| ((xs.neg()?.exp()? + 1.0)?).recip();
        match self {
            Activation::None => Ok(xs.clone()),
            Activation::Relu => xs.le(0.0)?.where_cond(&xs.zeros_like()?, xs),
            Activation::Relu6 => relu6(xs),
            Activation::LeakyRelu(slope) => xs.gt(0.0)?.where_cond(xs, &(xs * f64::from(slope))?),
            Activation::Silu => xs * sigmoid(xs)?,
            // Not candle's `gelu_erf` and `gelu`, whose gradients have constants of six digits.
            Activation::Gelu => xs * (((xs * FRAC_1_SQRT_2_WIDE)?.erf()? + 1.0)? * 0.5)?,
            Activation::GeluTanh => {
                let inner = ((xs.sqr()? * f64::from(CUBIC))? + 1.0)?.mul(xs)?;
                xs * sigmoid(&(inner * f64::from(2.0 * SQRT_2_OVER_PI))?)?
            }
            Activation::Sigmoid => sigmoid(xs),
            Activation::Tanh => xs.tanh(),
            Activation::HardSwish => (xs * relu6(&(xs + 3.0)?)?)? / 6.0,
            Activation::HardSigmoid => relu6(&(xs + 3.0)?)? / 6.0,
        }
    }
}

const SQRT_2_OVER_PI: f32 = 0.797_884_6;
const CUBIC: f32 = 0.044_715;

/// What [`Activation::GeluTanh`] takes the tangent of. (1 + tanh(u)) / 2 = sigmoid(2u), which loses nothing where it is
/// small.
#[inline(always)]
fn inner(x: f32) -> f32 {
    SQRT_2_OVER_PI * (x + CUBIC * x * x * x)
}

#[inline(always)]
fn relu6(x: f32) -> f32 {
    let x = if x <= 0.0 { 0.0 } else { x };
    if x >= 6.0 { 6.0 } else { x }
}
