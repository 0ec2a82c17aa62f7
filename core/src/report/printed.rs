//! The table of figures that a chapter's source prints, and what is measured for them.

use super::compare::{Comparison, Expect};
use crate::error::Result;
use candle_core::{DType, Device, Tensor};

/// A figure, or a series of figures, that a chapter's source prints, with a name by which the chapter finds it when it
/// has measured its own. A chapter keeps all of them in one table, [`crate::cli::Chapter::printed`].
///
/// ```
/// use tallow::report::{Expect, Printed};
///
/// const PRINTED: &[Printed] = &[
///     Printed::one("final accuracy", "0.9671", Expect::AtLeast).note("after ten epochs"),
///     Printed::series("xb.shape", &["256", "784"], Expect::Exact),
/// ];
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Printed {
    pub(crate) what: &'static str,
    figures: Figures,
    expect: Expect,
    note: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Figures {
    One(&'static str),
    Series(&'static [&'static str]),
}

impl Printed {
    /// One figure: what it is, how the source prints it, and what ours must do to count as good.
    pub const fn one(what: &'static str, figure: &'static str, expect: Expect) -> Printed {
        Printed { what, figures: Figures::One(figure), expect, note: "" }
    }

    /// A series, such as a shape or the accuracy of each epoch.
    pub const fn series(what: &'static str, figures: &'static [&'static str], expect: Expect) -> Printed {
        Printed { what, figures: Figures::Series(figures), expect, note: "" }
    }

    /// Adds a remark: other data, another split, why ours differs.
    #[must_use]
    pub const fn note(self, note: &'static str) -> Printed {
        Printed { note, ..self }
    }

    /// The row of the printed-versus-measured table, with a remark of this run besides its own.
    pub(crate) fn beside(&self, measured: &[f64], note: &str) -> Comparison {
        let comparison = match self.figures {
            Figures::One(figure) => {
                let measured = measured.first().copied().unwrap_or(f64::NAN);
                Comparison::new(self.what, figure, measured, self.expect)
            }
            Figures::Series(figures) => Comparison::series(self.what, figures, measured, self.expect),
        };
        let notes: Vec<&str> = [self.note, note].into_iter().filter(|note| !note.is_empty()).collect();
        comparison.note(notes.join("; "))
    }
}

/// What can be measured for a printed figure: a number, several, a shape, or a tensor's values in order.
pub trait Measured {
    /// The numbers.
    ///
    /// # Errors
    /// When a tensor's values cannot be read.
    fn numbers(self) -> Result<Vec<f64>>;
}

macro_rules! measured_numbers {
    ($($Number:ty),*) => {$(
        impl Measured for $Number {
            fn numbers(self) -> Result<Vec<f64>> {
                Ok(vec![self as f64])
            }
        }

        impl Measured for &[$Number] {
            fn numbers(self) -> Result<Vec<f64>> {
                Ok(self.iter().map(|&number| number as f64).collect())
            }
        }

        impl<const N: usize> Measured for &[$Number; N] {
            fn numbers(self) -> Result<Vec<f64>> {
                self.as_slice().numbers()
            }
        }

        impl Measured for &Vec<$Number> {
            fn numbers(self) -> Result<Vec<f64>> {
                self.as_slice().numbers()
            }
        }

        impl<const N: usize> Measured for [$Number; N] {
            fn numbers(self) -> Result<Vec<f64>> {
                self.as_slice().numbers()
            }
        }
    )*};
}
measured_numbers!(f64, f32, usize, u32, u64, i64);

impl Measured for &Tensor {
    fn numbers(self) -> Result<Vec<f64>> {
        Ok(self.flatten_all()?.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.to_vec1()?)
    }
}
