//! Learning rates and momenta as pure functions of how far training has come.

use super::{Hypers, Lrs};
use crate::error::{Error, Result};

/// Where in a fit a step stands, and for how many parameter groups it needs learning rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The epoch, from 0.
    pub epoch: usize,
    /// How many there will be.
    pub n_epochs: usize,
    /// The batch within the epoch, from 0.
    pub batch: usize,
    /// How many there are in an epoch.
    pub n_batches: usize,
    /// The number of parameter groups.
    pub n_groups: usize,
}

impl Progress {
    /// From 0, before the first batch, to just below 1.
    pub fn position(&self) -> f64 {
        (self.epoch * self.n_batches + self.batch) as f64 / (self.n_epochs * self.n_batches).max(1) as f64
    }
}

/// Learning rates and momenta over a fit.
pub trait Schedule {
    /// What the optimizer uses for the current step.
    fn hypers(&self, progress: &Progress) -> Hypers;

    /// The schedule and all of its settings in words, the same for equal schedules. A checkpoint keeps them, so that
    /// training goes on by the schedule that it began with or not at all; keep the words stable from version to
    /// version.
    fn describe(&self) -> String;
}

/// The same learning rates from beginning to end.
#[derive(Debug, Clone)]
pub struct Constant(pub Lrs);

impl Schedule for Constant {
    fn hypers(&self, progress: &Progress) -> Hypers {
        Hypers { lr: self.0.of_groups(progress.n_groups), mom: None }
    }

    fn describe(&self) -> String {
        format!("constant, lr {}", self.0)
    }
}

/// The one-cycle policy of Leslie Smith, with fast.ai's defaults: `fit_one_cycle`.
#[derive(Debug, Clone)]
pub struct OneCycle {
    /// Peak learning rates.
    pub lr_max: Lrs,
    /// Share of training that warms up.
    pub pct_start: f64,
    /// The first learning rate is `lr_max / div`.
    pub div: f64,
    /// The last one is `lr_max / div_final`.
    pub div_final: f64,
    /// Momentum at the start, at the peak and at the end.
    pub moms: (f64, f64, f64),
}

impl OneCycle {
    /// These peak learning rates, and fast.ai's defaults for the rest.
    pub fn new(lr_max: impl Into<Lrs>) -> OneCycle {
        OneCycle { lr_max: lr_max.into(), pct_start: 0.25, div: 25.0, div_final: 1e5, moms: (0.95, 0.85, 0.95) }
    }

    /// Learning rates of `n_groups` groups and momentum at `pos`, from 0 (before the first batch) to 1.
    pub fn at(&self, pos: f64, n_groups: usize) -> Hypers {
        let lr = |max: f64| combined_cos(self.pct_start, max / self.div, max, max / self.div_final, pos);
        let (start, peak, end) = self.moms;
        Hypers {
            lr: self.lr_max.of_groups(n_groups).into_iter().map(lr).collect(),
            mom: Some(combined_cos(self.pct_start, start, peak, end, pos)),
        }
    }
}

impl Schedule for OneCycle {
    fn hypers(&self, progress: &Progress) -> Hypers {
        self.at(progress.position(), progress.n_groups)
    }

    fn describe(&self) -> String {
        let OneCycle { lr_max, pct_start, div, div_final, moms: (start, peak, end) } = self;
        format!(
            "one cycle, lr_max {lr_max}, pct_start {pct_start}, div {div}, div_final {div_final}, moms {start} {peak} \
             {end}"
        )
    }
}

/// Flat for most of training, then half a cosine down: fast.ai's `fit_flat_cos`.
#[derive(Debug, Clone)]
pub struct FlatCos {
    /// The learning rates of the flat part.
    pub lr: Lrs,
    /// Its share of training.
    pub pct_start: f64,
    /// The last learning rate is `lr / div_final`.
    pub div_final: f64,
}

impl FlatCos {
    /// These learning rates, and fast.ai's defaults for the rest.
    pub fn new(lr: impl Into<Lrs>) -> FlatCos {
        FlatCos { lr: lr.into(), pct_start: 0.75, div_final: 1e5 }
    }
}

impl Schedule for FlatCos {
    fn hypers(&self, progress: &Progress) -> Hypers {
        let at = |lr: f64| combined_cos(self.pct_start, lr, lr, lr / self.div_final, progress.position());
        Hypers { lr: self.lr.of_groups(progress.n_groups).into_iter().map(at).collect(), mom: None }
    }

    fn describe(&self) -> String {
        let FlatCos { lr, pct_start, div_final } = self;
        format!("flat, then cosine, lr {lr}, pct_start {pct_start}, div_final {div_final}")
    }
}

/// PyTorch's `StepLR`, stepped once an epoch: the learning rates are multiplied by `gamma` after every `step_size`
/// epochs.
#[derive(Debug, Clone)]
pub struct StepLr {
    /// The learning rates of the first epochs.
    pub lr: Lrs,
    /// The number of epochs between two steps.
    pub step_size: usize,
    /// The factor.
    pub gamma: f64,
}

impl StepLr {
    /// These learning rates, a tenth of them after `step_size` epochs, and so on.
    pub fn new(lr: impl Into<Lrs>, step_size: usize) -> StepLr {
        StepLr { lr: lr.into(), step_size, gamma: 0.1 }
    }
}

impl Schedule for StepLr {
    fn hypers(&self, progress: &Progress) -> Hypers {
        let at = |lr: f64| step_lr(lr, self.step_size, self.gamma, progress.epoch);
        Hypers { lr: self.lr.of_groups(progress.n_groups).into_iter().map(at).collect(), mom: None }
    }

    fn describe(&self) -> String {
        let StepLr { lr, step_size, gamma } = self;
        format!("steps, lr {lr}, step_size {step_size}, gamma {gamma}")
    }
}

/// PyTorch's `CosineAnnealingLR(T_max=n_epochs)`, stepped once an epoch: half a cosine from the learning rates down to
/// `eta_min`.
#[derive(Debug, Clone)]
pub struct CosineAnnealing {
    /// The learning rates of the first epoch.
    pub lr: Lrs,
    /// What they would be after the last epoch.
    pub eta_min: f64,
}

impl CosineAnnealing {
    /// From these learning rates towards 0.
    pub fn new(lr: impl Into<Lrs>) -> CosineAnnealing {
        CosineAnnealing { lr: lr.into(), eta_min: 0.0 }
    }
}

impl Schedule for CosineAnnealing {
    fn hypers(&self, progress: &Progress) -> Hypers {
        let (t_max, floor) = (progress.n_epochs, self.eta_min);
        let at = |lr: f64| floor + cosine_annealing(lr - floor, t_max, progress.epoch);
        Hypers { lr: self.lr.of_groups(progress.n_groups).into_iter().map(at).collect(), mom: None }
    }

    fn describe(&self) -> String {
        format!("cosine, lr {}, eta_min {}", self.lr, self.eta_min)
    }
}

/// From `start` to `end` along a straight line; `pos` in 0..=1.
pub fn sched_lin(start: f64, end: f64, pos: f64) -> f64 {
    start + pos * (end - start)
}

/// From `start` to `end` along half a cosine: fast.ai's `SchedCos`.
pub fn sched_cos(start: f64, end: f64, pos: f64) -> f64 {
    start + (1.0 + (std::f64::consts::PI * (1.0 - pos)).cos()) * (end - start) / 2.0
}

/// From `start` to `end` in equal factors: fast.ai's `SchedExp`.
pub fn sched_exp(start: f64, end: f64, pos: f64) -> f64 {
    start * (end / start).powf(pos)
}

/// A cosine from `start` to `middle` during the share `pct` of training, then one from `middle` to `end`.
pub fn combined_cos(pct: f64, start: f64, middle: f64, end: f64, pos: f64) -> f64 {
    if pos < pct || pct >= 1.0 {
        sched_cos(start, middle, pos / pct)
    } else {
        sched_cos(middle, end, (pos - pct) / (1.0 - pct))
    }
}

/// `n` learning rates from `start` to `end`, each the same multiple of the one before: fast.ai's `slice(start, end)`.
pub fn even_mults(start: f64, end: f64, n: usize) -> Vec<f64> {
    if n <= 1 {
        return vec![end; n];
    }
    (0..n).map(|i| start * (end / start).powf(i as f64 / (n - 1) as f64)).collect()
}

/// PyTorch's `StepLR`: `lr` times `gamma` once every `step_size` epochs.
pub fn step_lr(lr: f64, step_size: usize, gamma: f64, epoch: usize) -> f64 {
    lr * gamma.powi((epoch / step_size.max(1)) as i32)
}

/// PyTorch's `CosineAnnealingLR`: from `lr` to 0 in `t_max` steps.
pub fn cosine_annealing(lr: f64, t_max: usize, step: usize) -> f64 {
    lr * (1.0 + (std::f64::consts::PI * step as f64 / t_max.max(1) as f64).cos()) / 2.0
}

/// PyTorch's `OneCycleLR` with its defaults (`pct_start` 0.3, `div_factor` 25, `final_div_factor` 1e4).
///
/// # Errors
/// [`Error::Config`] when there is no such step: `step` counts from 0 and is below `total_steps`.
pub fn torch_one_cycle(max_lr: f64, total_steps: usize, step: usize) -> Result<f64> {
    if step >= total_steps {
        let message = format!("a one-cycle schedule of {total_steps} steps has no step {step}: they count from 0");
        return Err(Error::config("step", message));
    }
    let initial = max_lr / 25.0;
    let (peak, last) = (0.3 * total_steps as f64 - 1.0, total_steps as f64 - 1.0);
    let step = step as f64;
    if step <= peak {
        return Ok(sched_cos(initial, max_lr, step / peak));
    }
    Ok(sched_cos(max_lr, initial / 1e4, (step - peak) / (last - peak)))
}
