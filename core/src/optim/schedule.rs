//! Learning rates and momenta as pure functions of the position in training.

use super::{Hypers, Lrs};
use crate::error::{Error, Result};

/// The position of a step in a fit, and the number of parameter groups that need learning rates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// The epoch, from 0.
    pub epoch: usize,
    /// The number of epochs of the fit.
    pub n_epochs: usize,
    /// The batch within the epoch, from 0.
    pub batch: usize,
    /// The number of batches of an epoch.
    pub n_batches: usize,
    /// The number of parameter groups.
    pub n_groups: usize,
}

impl Progress {
    /// The fraction of the fit's batches before this one: from 0 to just below 1.
    pub fn position(&self) -> f64 {
        (self.epoch * self.n_batches + self.batch) as f64 / (self.n_epochs * self.n_batches).max(1) as f64
    }
}

/// Learning rates and momenta over a fit.
pub trait Schedule {
    /// The learning rates and the momentum of the current step.
    fn hypers(&self, progress: &Progress) -> Hypers;

    /// Describes the schedule and all of its settings; equal schedules have equal descriptions. A checkpoint saves the
    /// description, and only a run with the same one may resume from it, so it should not change between versions.
    fn describe(&self) -> String;
}

/// Constant learning rates. fast.ai's `fit`.
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

/// The one-cycle policy (Smith, *A disciplined approach to neural network hyper-parameters*, 2018) in fast.ai's form,
/// `fit_one_cycle`: a cosine up from `lr_max / div` to `lr_max`, then a cosine down to `lr_max / div_final`, while the
/// momentum goes the other way. PyTorch's `OneCycleLR` ([`torch_one_cycle`]) has other defaults.
///
/// ```
/// use tallow::optim::OneCycle;
///
/// let cycle = OneCycle::new(1.0);
/// let near = |pos: f64, lr: f64, mom: f64| {
///     let hypers = cycle.at(pos, 1);
///     (hypers.lr[0] - lr).abs() < 1e-7 && hypers.mom.is_some_and(|m| (m - mom).abs() < 1e-6)
/// };
/// // fast.ai's `combined_cos(0.25, 1/25, 1, 1e-5)` and `combined_cos(0.25, 0.95, 0.85, 0.95)`
/// assert!(near(0.0, 0.04, 0.95) && near(0.1, 0.37167185124828167, 0.9154508) && near(0.25, 1.0, 0.85));
/// assert!(near(0.5, 0.7500024864862765, 0.875) && near(0.75, 0.250007472972554, 0.925));
/// ```
#[derive(Debug, Clone)]
pub struct OneCycle {
    /// Peak learning rates.
    pub lr_max: Lrs,
    /// The fraction of training in which the learning rate rises; 0.25 by default.
    pub pct_start: f64,
    /// The first learning rate is `lr_max / div`; 25 by default.
    pub div: f64,
    /// The last learning rate is `lr_max / div_final`; 1e5 by default.
    pub div_final: f64,
    /// Momentum at the start, at the peak and at the end; 0.95, 0.85 and 0.95 by default.
    pub moms: (f64, f64, f64),
}

impl OneCycle {
    /// One cycle with these peak learning rates and fast.ai's other defaults.
    pub fn new(lr_max: impl Into<Lrs>) -> OneCycle {
        OneCycle { lr_max: lr_max.into(), pct_start: 0.25, div: 25.0, div_final: 1e5, moms: (0.95, 0.85, 0.95) }
    }

    /// The learning rates of `n_groups` groups and the momentum at `pos`, from 0 (before the first batch) to 1.
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

/// Constant learning rates for most of training, then half a cosine down to `lr / div_final`. fast.ai's `fit_flat_cos`.
#[derive(Debug, Clone)]
pub struct FlatCos {
    /// The learning rates of the constant part.
    pub lr: Lrs,
    /// The fraction of training in which they are constant; 0.75 by default.
    pub pct_start: f64,
    /// The last learning rate is `lr / div_final`; 1e5 by default.
    pub div_final: f64,
}

impl FlatCos {
    /// A schedule with these learning rates and fast.ai's other defaults.
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
    /// The factor of each step; 0.1 by default, as in PyTorch.
    pub gamma: f64,
}

impl StepLr {
    /// A schedule that starts from these learning rates and divides them by 10 after every `step_size` epochs.
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
    /// The learning rate that would follow the last epoch; 0 by default.
    pub eta_min: f64,
}

impl CosineAnnealing {
    /// A schedule from these learning rates down to 0.
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

/// The value at `pos`, from 0 to 1, on a straight line from `start` to `end`: `start + pos·(end - start)`. fast.ai's
/// `SchedLin`.
pub fn sched_lin(start: f64, end: f64, pos: f64) -> f64 {
    start + pos * (end - start)
}

/// The value at `pos`, from 0 to 1, on half a cosine from `start` to `end`. fast.ai's `SchedCos`.
///
/// ```text
/// start + (1 + cos(π·(1 - pos)))·(end - start) / 2
/// ```
///
/// ```
/// assert!((tallow::optim::sched_cos(1.0, 2.0, 0.25) - 1.1464466094067263).abs() < 1e-12);
/// ```
pub fn sched_cos(start: f64, end: f64, pos: f64) -> f64 {
    start + (1.0 + (std::f64::consts::PI * (1.0 - pos)).cos()) * (end - start) / 2.0
}

/// The value at `pos`, from 0 to 1, on an exponential from `start` to `end`: `start·(end / start)^pos`. fast.ai's
/// `SchedExp`.
///
/// ```
/// assert!((tallow::optim::sched_exp(1.0, 0.01, 0.25) - 0.31622776601683794).abs() < 1e-12);
/// ```
pub fn sched_exp(start: f64, end: f64, pos: f64) -> f64 {
    start * (end / start).powf(pos)
}

/// The value at `pos`, from 0 to 1: half a cosine from `start` to `middle` up to `pct`, then one from `middle` to
/// `end`. fast.ai's `combined_cos`.
pub fn combined_cos(pct: f64, start: f64, middle: f64, end: f64, pos: f64) -> f64 {
    if pos < pct || pct >= 1.0 {
        sched_cos(start, middle, pos / pct)
    } else {
        sched_cos(middle, end, (pos - pct) / (1.0 - pct))
    }
}

/// `n` numbers from `start` to `end` in equal factors. fast.ai's `even_mults`, which expands `slice(start, end)`.
pub fn even_mults(start: f64, end: f64, n: usize) -> Vec<f64> {
    if n <= 1 {
        return vec![end; n];
    }
    (0..n).map(|i| start * (end / start).powf(i as f64 / (n - 1) as f64)).collect()
}

/// The learning rate of an epoch by PyTorch's `StepLR`: `lr·gamma^⌊epoch / step_size⌋`.
///
/// ```
/// let lrs = [0, 1, 2, 3, 4].map(|epoch| tallow::optim::step_lr(0.1, 2, 0.1, epoch));
/// let torch = [0.1, 0.1, 0.01, 0.01, 0.001];
/// assert!(lrs.iter().zip(torch).all(|(lr, torch)| (lr - torch).abs() < 1e-12));
/// ```
pub fn step_lr(lr: f64, step_size: usize, gamma: f64, epoch: usize) -> f64 {
    lr * gamma.powi((epoch / step_size.max(1)) as i32)
}

/// The learning rate of a step by PyTorch's `CosineAnnealingLR(T_max=t_max)`: `lr·(1 + cos(π·step / t_max)) / 2`
/// (Loshchilov and Hutter, *SGDR*, 2017).
///
/// ```
/// assert!((tallow::optim::cosine_annealing(0.1, 4, 1) - 0.08535533905932738).abs() < 1e-12);
/// ```
pub fn cosine_annealing(lr: f64, t_max: usize, step: usize) -> f64 {
    lr * (1.0 + (std::f64::consts::PI * step as f64 / t_max.max(1) as f64).cos()) / 2.0
}

/// The learning rate of a step by PyTorch's `OneCycleLR` with its defaults: `pct_start` 0.3, `div_factor` 25,
/// `final_div_factor` 1e4, cosines.
///
/// ```
/// let lr = |step| tallow::optim::torch_one_cycle(0.1, 10, step);
/// for (step, torch) in [(0, 0.004), (2, 0.1), (5, 0.06112620219362893)] {
///     assert!((lr(step)? - torch).abs() < 1e-12);
/// }
/// # Ok::<(), tallow::Error>(())
/// ```
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
