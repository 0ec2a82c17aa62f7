//! The learner's methods that train.

use super::learner::Learner;
use crate::error::{Error, Result};
use crate::optim::{Constant, FlatCos, Lrs, OneCycle, OptimState, Schedule};

/// The settings of [`Learner::fine_tune`], with fast.ai's defaults. A plain `f64` converts to a base learning rate.
#[derive(Debug, Clone, PartialEq)]
pub struct FineTune {
    /// The peak learning rate while the body is frozen, and twice that of the second part; 2e-3 by default.
    pub base_lr: f64,
    /// The number of epochs with a frozen body; 1 by default.
    pub freeze_epochs: usize,
    /// The factor between the learning rates of the last and the first group in the second part; 100 by default.
    pub lr_mult: f64,
    /// The fraction of the second part in which the learning rate rises; 0.3 by default.
    pub pct_start: f64,
    /// The second part starts at the peak learning rate divided by this; 5 by default.
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
    /// [`Error::Diverged`] when the loss of a batch is no longer finite; [`Error::NotFinite`] when the validation loss,
    /// a metric or a weight is not finite after an epoch; [`Error::Interrupted`] when a stop is requested; other errors
    /// when shapes do not fit, or a checkpoint belongs to another run or cannot be written.
    pub fn fit(&mut self, n_epochs: usize, lr: impl Into<Lrs>) -> Result<()> {
        let lr = lr.into();
        self.run_fit(n_epochs, &format!("fit({n_epochs}, {lr})"), &Constant(lr))
    }

    /// Trains for `n_epochs` by the one-cycle policy ([`OneCycle`]) with these peak learning rates. fast.ai's
    /// `fit_one_cycle`.
    ///
    /// # Errors
    /// The errors of [`Learner::fit`].
    pub fn fit_one_cycle(&mut self, n_epochs: usize, lr_max: impl Into<Lrs>) -> Result<()> {
        let schedule = self.one_cycle(lr_max);
        let moms = self.moms.map_or_else(String::new, |(start, peak, end)| format!(", moms {start} {peak} {end}"));
        self.run_fit(n_epochs, &format!("fit_one_cycle({n_epochs}, {}{moms})", schedule.lr_max), &schedule)
    }

    /// Trains for `n_epochs` at learning rates that are constant for three quarters and then fall along a cosine
    /// ([`FlatCos`]). fast.ai's `fit_flat_cos`.
    ///
    /// # Errors
    /// The errors of [`Learner::fit`].
    pub fn fit_flat_cos(&mut self, n_epochs: usize, lr: impl Into<Lrs>) -> Result<()> {
        let schedule = FlatCos::new(lr);
        self.run_fit(n_epochs, &format!("fit_flat_cos({n_epochs}, {})", schedule.lr), &schedule)
    }

    /// Trains for `n_epochs` by any schedule: [`crate::optim::StepLr`], [`crate::optim::CosineAnnealing`], an
    /// [`OneCycle`] with other numbers, or one of your own.
    ///
    /// # Errors
    /// The errors of [`Learner::fit`].
    pub fn fit_schedule(&mut self, n_epochs: usize, schedule: &dyn Schedule) -> Result<()> {
        self.run_fit(n_epochs, &format!("fit_schedule({n_epochs}, {})", schedule.describe()), schedule)
    }

    /// Transfer learning in one call: trains the new head with a frozen body for `freeze_epochs`, and then the whole
    /// network for `n_epochs`, with lower learning rates for the first layers. fast.ai's `fine_tune`. The network must
    /// be split into groups ([`crate::models::Network::split_groups`]); without groups nothing is frozen.
    ///
    /// # Errors
    /// The errors of [`Learner::fit`].
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

    /// Freezes all parameter groups but the last, and resets the optimizer's state. Normalisation layers keep training
    /// in frozen groups. fast.ai's `freeze`.
    ///
    /// # Errors
    /// When the optimizer's state cannot be reset.
    pub fn freeze(&mut self) -> Result<()> {
        self.freeze_to(-1)
    }

    /// Freezes the parameter groups before `group`, unfreezes the others, and resets the optimizer's state; a negative
    /// number counts from the end. Normalisation layers keep training in frozen groups. fast.ai's `freeze_to`.
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

    /// Unfreezes all parameter groups, and resets the optimizer's state. fast.ai's `unfreeze`.
    ///
    /// # Errors
    /// When the optimizer's state cannot be reset.
    pub fn unfreeze(&mut self) -> Result<()> {
        self.freeze_to(0)
    }

    /// Unfreezes the named parts of the network, such as `["layer3", "layer4", "fc"]`, freezes all others,
    /// normalisation layers included, and resets the optimizer's state: PyTorch's `requires_grad`, child by child.
    /// [`crate::nn::Params::children`] lists the names.
    ///
    /// # Errors
    /// [`Error::Network`] when there is no such part.
    pub fn train_only(&mut self, parts: &[&str]) -> Result<()> {
        self.params().train_only(parts)?;
        self.forget()
    }

    /// Empties the optimizer's memory, unless it is a checkpoint's that belongs to a later point of the program.
    fn forget(&mut self) -> Result<()> {
        if self.is_catching_up() { Ok(()) } else { self.optimizer.set_state(OptimState::default()) }
    }
}
