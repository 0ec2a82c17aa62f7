//! The settings and the result of a learning-rate search.

use serde::{Deserialize, Serialize};

/// The settings of [`crate::train::Learner::lr_find`], with fast.ai's defaults.
#[derive(Debug, Clone)]
pub struct LrFindConfig {
    /// The first learning rate; 1e-7 by default.
    pub start_lr: f64,
    /// The last learning rate; 10 by default.
    pub end_lr: f64,
    /// The number of batches; 100 by default.
    pub num_it: usize,
    /// Whether to stop once the smoothed loss exceeds four times its minimum; true by default.
    pub stop_div: bool,
}

impl Default for LrFindConfig {
    fn default() -> LrFindConfig {
        LrFindConfig { start_lr: 1e-7, end_lr: 10.0, num_it: 100, stop_div: true }
    }
}

/// The result of a learning-rate search, with fast.ai's four suggestions.
///
/// ```
/// use tallow::train::LrFind;
///
/// // 100 losses that fall from 2 to 0.5 between 1e-5 and 1e-2, and rise after.
/// let lrs: Vec<f64> = (0..100).map(|i| 10f64.powf(-7.0 + 8.0 * i as f64 / 99.0)).collect();
/// let loss = |lr: f64| 0.5 + 1.5 / (1.0 + (lr / 1e-3).powi(2)) + (lr / 0.5).powi(2);
/// let losses = lrs.iter().map(|&lr| loss(lr)).collect();
/// let found = LrFind { lrs, losses, num_it: 100 };
/// // Those of `fastai.callback.schedule` for the same points
/// let near = |lr: Option<f64>, fastai: f64| lr.is_some_and(|lr| (lr / fastai - 1.0).abs() < 1e-5);
/// assert!(near(found.valley(), 9.770099859451875e-05) && near(found.steep(), 0.0009111627587117255));
/// assert!(near(found.minimum(), 0.0025950241833925247) && near(found.slide(), 0.00029836472822353244));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LrFind {
    /// Learning rates, from low to high.
    pub lrs: Vec<f64>,
    /// The smoothed loss after a step with each learning rate.
    #[serde(with = "super::recorder::words")]
    pub losses: Vec<f64>,
    /// The requested number of batches. Suggestions leave out the first tenth.
    pub num_it: usize,
}

/// A finished search, and the words in which it was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Search {
    pub(super) request: String,
    pub(super) found: LrFind,
}

impl LrFind {
    /// The learning rate two thirds along the longest stretch of falling losses: fast.ai's default. `None` if there are
    /// too few points.
    pub fn valley(&self) -> Option<f64> {
        let (lrs, losses) = self.middle();
        let n = losses.len();
        if n < 2 {
            return None;
        }
        // Longest decreasing subsequence that ends at each point.
        let mut longest = vec![1usize; n];
        for i in 1..n {
            for j in 0..i {
                if losses[i] < losses[j] && longest[i] < longest[j] + 1 {
                    longest[i] = longest[j] + 1;
                }
            }
        }
        let end = (0..n).fold(0, |best, i| if longest[i] > longest[best] { i } else { best });
        let start = if end == 0 { 0.0 } else { end as f64 - longest[end] as f64 };
        let section = (end as f64 - start) / 3.0;
        let index = start as isize + section as isize + (section / 2.0) as isize;
        usize::try_from(index).ok().and_then(|i| lrs.get(i)).copied()
    }

    /// The learning rate at which the loss falls most steeply over the logarithm of the learning rate.
    pub fn steep(&self) -> Option<f64> {
        let (lrs, losses) = self.middle();
        let slope = |i: usize| (losses[i + 1] - losses[i]) / (lrs[i + 1].ln() - lrs[i].ln());
        (0..lrs.len().saturating_sub(1)).min_by(|&a, &b| slope(a).total_cmp(&slope(b))).map(|i| lrs[i])
    }

    /// A tenth of the learning rate with the lowest loss.
    pub fn minimum(&self) -> Option<f64> {
        let (lrs, losses) = self.middle();
        (0..lrs.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).map(|i| lrs[i] / 10.0)
    }

    /// fast.ai's `slide`: an interval of 15 points slides down from the last point while the slopes of the loss at its
    /// two ends differ by more than 0.005, and the result is the learning rate at its last lower end. `None` if there
    /// are too few points.
    pub fn slide(&self) -> Option<f64> {
        const WIDTH: usize = 15;
        let (lrs, losses) = self.middle();
        let last = losses.len().checked_sub(1)?;
        // Slopes as `numpy.gradient` takes them: over both neighbours, at the ends over the only one.
        let slope = |i: usize| {
            let (left, right) = (i.saturating_sub(1), (i + 1).min(last));
            (losses[right] - losses[left]) / (right - left) as f64
        };
        let first = last.checked_sub(WIDTH)?;
        let steep = |low: &usize| (slope(low + WIDTH) - slope(*low)).abs() > 0.005;
        (0..=first).rev().take_while(steep).last().or(Some(first)).map(|low| lrs[low])
    }

    /// All but the first tenth and the last five points, up to the first that is not a number, as fast.ai takes them.
    fn middle(&self) -> (&[f64], &[f64]) {
        let (n, skipped) = (self.losses.len(), self.num_it / 10);
        let (from, to) = if n > skipped + 5 { (skipped, n - 5) } else { (0, n) };
        let finite = self.losses[from..to].iter().take_while(|loss| loss.is_finite()).count();
        (&self.lrs[from..from + finite], &self.losses[from..from + finite])
    }
}
