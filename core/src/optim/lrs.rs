//! Learning rates for the parts of a network: one for all, or lower ones for the layers near the pixels.

use super::schedule::even_mults;
use std::fmt;

/// Learning rates of all parameter groups, before one knows how many there are. A plain number serves all of them;
/// [`slice()`] and [`slice_to`] are fast.ai's discriminative learning rates (Howard and Ruder, 2018).
#[derive(Debug, Clone, PartialEq)]
pub enum Lrs {
    /// The same for all groups.
    All(f64),
    /// This one for the last group, a tenth of it for all others: fast.ai's `slice(lr)`.
    Last(f64),
    /// From the first group to the last, each the same multiple of the one before: fast.ai's `slice(first, last)`.
    Spread(f64, f64),
    /// One for each group; the last one serves the groups beyond.
    Each(Vec<f64>),
}

/// Learning rates from `first`, for the first parameter group, to `last`, each the same multiple of the one before.
///
/// ```
/// assert_eq!(tallow::optim::slice(1e-4, 1e-2).of_groups(3), [1e-4, 1e-3, 1e-2]);
/// ```
pub fn slice(first: f64, last: f64) -> Lrs {
    Lrs::Spread(first, last)
}

/// The learning rate `last` for the last parameter group and a tenth of it for all others: fast.ai's `slice(last)`.
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
