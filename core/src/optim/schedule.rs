//! Learning rates and momenta as pure functions of how far training has come.

use super::Hypers;

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

/// The one-cycle policy of Leslie Smith, with fast.ai's defaults: `fit_one_cycle`.
#[derive(Debug, Clone)]
pub struct OneCycle {
    /// Peak learning rate of each parameter group.
    pub lr_max: Vec<f64>,
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
    /// One peak learning rate for all groups, and fast.ai's defaults for the rest.
    pub fn new(lr_max: f64) -> OneCycle {
        OneCycle { lr_max: vec![lr_max], pct_start: 0.25, div: 25.0, div_final: 1e5, moms: (0.95, 0.85, 0.95) }
    }

    /// Learning rates and momentum at `pos`, from 0 (before the first batch) to 1.
    pub fn at(&self, pos: f64) -> Hypers {
        let lr = |&max: &f64| combined_cos(self.pct_start, max / self.div, max, max / self.div_final, pos);
        let (start, peak, end) = self.moms;
        Hypers {
            lr: self.lr_max.iter().map(lr).collect(),
            mom: Some(combined_cos(self.pct_start, start, peak, end, pos)),
        }
    }
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
pub fn torch_one_cycle(max_lr: f64, total_steps: usize, step: usize) -> f64 {
    let initial = max_lr / 25.0;
    let (peak, last) = (0.3 * total_steps as f64 - 1.0, total_steps as f64 - 1.0);
    let step = step as f64;
    if step <= peak {
        sched_cos(initial, max_lr, step / peak)
    } else {
        sched_cos(max_lr, initial / 1e4, (step - peak) / (last - peak))
    }
}
