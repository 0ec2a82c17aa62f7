//! Learning rates of parameter groups: one for all, or lower ones for the first layers.

use super::schedule::even_mults;
use std::fmt;

/// Learning rates for any number of parameter groups. A plain `f64` converts to one rate for all groups; [`slice()`]
/// and [`slice_to`] are fast.ai's discriminative learning rates (Howard and Ruder, 2018).
#[derive(Debug, Clone, PartialEq)]
pub enum Lrs {
    /// The same for all groups.
    All(f64),
    /// This rate for the last group and a tenth of it for all others: fast.ai's `slice(lr)`.
    Last(f64),
    /// Rates from the first group to the last in equal factors: fast.ai's `slice(first, last)`.
    Spread(f64, f64),
    /// One rate for each group; the last one also applies to all further groups.
    Each(Vec<f64>),
}

/// Learning rates from `first`, for the first parameter group, to `last` in equal factors: fast.ai's `slice(first,
/// last)`.
///
/// ```
/// assert_eq!(tallow::optim::slice(1e-4, 1e-2).of_groups(3), [1e-4, 1e-3, 1e-2]);
/// ```
pub fn slice(first: f64, last: f64) -> Lrs {
    Lrs::Spread(first, last)
}

/// The learning rate `last` for the last parameter group and a tenth of it for all others: fast.ai's `slice(last)`.
///
/// ```
/// assert_eq!(tallow::optim::slice_to(0.1).of_groups(3), [0.01, 0.01, 0.1]);
/// ```
pub fn slice_to(last: f64) -> Lrs {
    Lrs::Last(last)
}

impl Lrs {
    /// The learning rate of each of `n` groups.
    pub fn of_groups(&self, n: usize) -> Vec<f64> {
        match self {
            Lrs::All(lr) => vec![*lr; n],
            Lrs::Last(lr) => (0..n).map(|group| if group + 1 == n { *lr } else { lr / 10.0 }).collect(),
            Lrs::Spread(first, last) => even_mults(*first, *last, n),
            Lrs::Each(lrs) => (0..n).map(|group| lrs.get(group).or(lrs.last()).copied().unwrap_or_default()).collect(),
        }
    }
}

impl From<f64> for Lrs {
    fn from(lr: f64) -> Lrs {
        Lrs::All(lr)
    }
}

impl From<Vec<f64>> for Lrs {
    fn from(lrs: Vec<f64>) -> Lrs {
        Lrs::Each(lrs)
    }
}

impl fmt::Display for Lrs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Lrs::All(lr) => write!(f, "{lr}"),
            Lrs::Last(lr) => write!(f, "slice({lr})"),
            Lrs::Spread(first, last) => write!(f, "slice({first}, {last})"),
            Lrs::Each(lrs) => write!(f, "{lrs:?}"),
        }
    }
}
