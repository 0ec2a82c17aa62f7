//! The learner's methods that train: which parts, for how long, by which schedule.

use super::learner::Learner;
use crate::error::{Error, Result};
use crate::optim::{Constant, FlatCos, Lrs, OneCycle, OptimState, Schedule};

/// How [`Learner::fine_tune`] trains; the defaults are fast.ai's. A plain number is the base learning rate.
#[derive(Debug, Clone, PartialEq)]
pub struct FineTune {
    /// The peak learning rate of the new head while the body is frozen; half of it after.
    pub base_lr: f64,
    /// Epochs with a frozen body.
    pub freeze_epochs: usize,
    /// In the second part the first layers learn this many times more slowly than the last.
    pub lr_mult: f64,
    /// The share of the second part that warms up.
    pub pct_start: f64,
    /// The second part begins at the peak learning rate divided by this.
    pub div: f64,
}

impl Default for FineTune {
    fn default() -> FineTune {
        FineTune { base_lr: 2e-3, freeze_epochs: 1, lr_mult: 100.0, pct_start: 0.3, div: 5.0 }
    }
}

impl From<f64> for FineTune {
    fn from(base_lr: f64) -> FineTune {
        FineTune { base_lr, ..FineTune::default() }
    }
}

impl Learner {
    /// Trains for `n_epochs` at constant learning rates: a number, or [`crate::optim::slice`].
    ///
    /// # Errors
    /// When shapes do not fit; the loss stops being a finite number ([`Error::Diverged`]), or, after an epoch, the
    /// validation loss, a metric or a weight ([`Error::NotFinite`]); a checkpoint is of another run or cannot be
    /// written; or a stop is asked for.
    pub fn fit(&mut self, n_epochs: usize, lr: impl Into<Lrs>) -> Result<()> {
        let lr = lr.into();
        self.run_fit(n_epochs, &format!("fit({n_epochs}, {lr})"), &Constant(lr))
    }

    /// Trains for `n_epochs` by the one-cycle policy with these peak learning rates. fast.ai's `fit_one_cycle`.
    ///
    /// # Errors
    /// As [`Learner::fit`].
    pub fn fit_one_cycle(&mut self, n_epochs: usize, lr_max: impl Into<Lrs>) -> Result<()> {
        let schedule = self.one_cycle(lr_max);
        let moms = self.moms.map_or_else(String::new, |(start, peak, end)| format!(", moms {start} {peak} {end}"));
        self.run_fit(n_epochs, &format!("fit_one_cycle({n_epochs}, {}{moms})", schedule.lr_max), &schedule)
    }

    /// Trains for `n_epochs` at constant learning rates, of which the last quarter falls to almost nothing. fast.ai's
    /// `fit_flat_cos`.
    ///
    /// # Errors
    /// As [`Learner::fit`].
    pub fn fit_flat_cos(&mut self, n_epochs: usize, lr: impl Into<Lrs>) -> Result<()> {
        let schedule = FlatCos::new(lr);
        self.run_fit(n_epochs, &format!("fit_flat_cos({n_epochs}, {})", schedule.lr), &schedule)
    }

    /// Trains for `n_epochs` by any schedule: [`crate::optim::StepLr`], [`crate::optim::CosineAnnealing`], an
    /// [`OneCycle`] with other numbers, or one of your own.
    ///
    /// # Errors
    /// As [`Learner::fit`].
    pub fn fit_schedule(&mut self, n_epochs: usize, schedule: &dyn Schedule) -> Result<()> {
        self.run_fit(n_epochs, &format!("fit_schedule({n_epochs}, {})", schedule.describe()), schedule)
    }

    /// Transfer learning in one call: trains the new head while the body is frozen, and then the whole network, the
    /// first layers more slowly than the last. The network must be split into groups
    /// ([`crate::models::Network::split_groups`]); without groups there is nothing to freeze. fast.ai's `fine_tune`.
    ///
    /// # Errors
    /// As [`Learner::fit`].
    pub fn fine_tune(&mut self, n_epochs: usize, config: impl Into<FineTune>) -> Result<()> {
        let FineTune { base_lr, freeze_epochs, lr_mult, pct_start, div } = config.into();
        self.freeze()?;
        self.fit_schedule(freeze_epochs, &OneCycle { pct_start: 0.99, ..self.one_cycle(Lrs::Last(base_lr)) })?;
        self.unfreeze()?;
        let lr = base_lr / 2.0;
        self.fit_schedule(n_epochs, &OneCycle { pct_start, div, ..self.one_cycle(Lrs::Spread(lr / lr_mult, lr)) })
    }

    /// One cycle with this learner's momenta.
    fn one_cycle(&self, lr_max: impl Into<Lrs>) -> OneCycle {
        let schedule = OneCycle::new(lr_max);
        OneCycle { moms: self.moms.unwrap_or(schedule.moms), ..schedule }
    }

    /// Freezes all groups of parameters but the last. Normalisation layers go on training in frozen groups, and the
    /// optimizer forgets its averages. fast.ai's `freeze`.
    ///
    /// # Errors
    /// As [`Learner::freeze_to`].
    pub fn freeze(&mut self) -> Result<()> {
        self.freeze_to(-1)
    }

    /// Freezes the groups before number `group` and trains the others; a negative number counts from the end. For the
    /// rest as [`Learner::freeze`].
    ///
    /// # Errors
    /// When there is no such group.
    pub fn freeze_to(&mut self, group: isize) -> Result<()> {
        let n = self.params().n_groups();
        let from_start = if group < 0 { n.checked_sub(group.unsigned_abs()) } else { Some(group.unsigned_abs()) };
        match from_start.filter(|&group| group < n) {
            Some(group) => self.params().freeze_to(group),
            None => {
                let what =
                    format!("cannot freeze to group {group}: the parameters are in {n} groups, from 0 or from -{n}");
                return Err(Error::config("group", what));
            }
        }
        self.forget()
    }

    /// Trains all groups. fast.ai's `unfreeze`.
    ///
    /// # Errors
    /// When the optimizer cannot be emptied.
    pub fn unfreeze(&mut self) -> Result<()> {
        self.freeze_to(0)
    }

    /// Trains the named parts of the network, such as `["layer3", "layer4", "fc"]`, and freezes all else, normalisation
    /// layers included: PyTorch's way of unfreezing. [`crate::nn::Params::children`] gives the names. The optimizer
    /// forgets its averages.
    ///
    /// # Errors
    /// When there is no such part.
    pub fn train_only(&mut self, parts: &[&str]) -> Result<()> {
        self.params().train_only(parts)?;
        self.forget()
    }

    /// Empties the optimizer's memory, unless it is a checkpoint's that belongs to a later point of the program.
    fn forget(&mut self) -> Result<()> {
        if self.is_catching_up() { Ok(()) } else { self.optimizer.set_state(OptimState::default()) }
    }
}
