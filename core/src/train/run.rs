//! The loop: epochs of training and validation, with callbacks and checkpoints.

use super::callback::Callback;
use super::checkpoint::Place;
use super::fit::Fit;
use super::learner::{Learner, scalar};
use super::recorder::{EpochRow, Recorder};
use crate::error::{Error, Result};
use crate::event::{self, Event};
use crate::kernels;
use crate::optim::{Hypers, Schedule};
use std::time::Instant;

impl Learner {
    /// Trains for `n_epochs`; `request` says in words what is asked for, so that a checkpoint can tell whether it is asked
    /// for the same.
    pub(super) fn run_fit(&mut self, n_epochs: usize, request: &str, schedule: &dyn Schedule) -> Result<()> {
        let train = &self.dls.train;
        let request = format!("{request} with {} items in {} batches", train.n_items(), train.n_batches());
        let Some(mut place) = self.starting_place(&request)? else { return Ok(()) };
        let mut fit = Fit {
            params: self.params.clone(),
            recorder: std::mem::take(&mut self.recorder),
            epoch: place.epoch,
            n_epochs,
            batch: place.batch,
            n_batches: self.dls.train.n_batches(),
            hypers: Hypers::lr(0.0),
            xs: None,
            ys: None,
            loss: f64::NAN,
            grads: None,
            stepped: false,
            stop: false,
            cancel: false,
        };
        let mut callbacks = std::mem::take(&mut self.callbacks);
        let outcome = self.run(&mut fit, &mut callbacks, &mut place, schedule);
        self.recorder = fit.recorder;
        self.callbacks = callbacks;
        outcome?;
        (self.done, self.epochs_done) = (place.done, place.epochs_before);
        Ok(())
    }

    /// Whether a resumed run has not yet come to where its checkpoint was written.
    pub(super) fn is_catching_up(&self) -> bool {
        let ahead = |place: &Place| self.done.len() < place.done.len() || place.epoch + place.batch > 0;
        self.resumed.as_ref().is_some_and(ahead)
    }

    /// Where this fit begins: at the start, in the middle if a checkpoint says so, nowhere if it is already done.
    fn starting_place(&mut self, request: &str) -> Result<Option<Place>> {
        if let Some(place) = &self.resumed {
            let under_way = (place.epoch + place.batch > 0).then_some(&place.request);
            if let Some(earlier) = place.done.get(self.done.len()).or(under_way).filter(|earlier| *earlier != request) {
                let file = self.keeper.as_ref().map(|k| k.file().clone()).unwrap_or_default();
                let what =
                    format!("was made by `{earlier}`, but now `{request}` is asked for; remove it to start anew");
                return Err(Error::file(file, what));
            }
            if self.done.len() < place.done.len() {
                // An earlier process has done this fit; its rows are in the recorder.
                self.epochs_done = place.epochs_before;
                self.tell_rows(&self.recorder, self.done.len());
                self.done.push(request.to_string());
                return Ok(None);
            }
            if under_way.is_some() {
                self.searches.clone_from(&place.searches);
                return Ok(self.resumed.take());
            }
            self.resumed = None;
        }
        self.recorder.begin_fit();
        Ok(Some(Place {
            done: self.done.clone(),
            request: request.to_string(),
            epoch: 0,
            batch: 0,
            epochs_before: self.epochs_done,
            searches: self.searches.clone(),
        }))
    }

    fn run(
        &mut self,
        fit: &mut Fit,
        callbacks: &mut [Box<dyn Callback>],
        place: &mut Place,
        schedule: &dyn Schedule,
    ) -> Result<()> {
        self.tell_rows(&fit.recorder, place.done.len());
        callbacks.iter_mut().try_for_each(|c| c.before_fit(fit))?;
        while fit.epoch < fit.n_epochs && !fit.stop {
            let start = Instant::now();
            callbacks.iter_mut().try_for_each(|c| c.before_epoch(fit))?;
            self.train_epoch(fit, callbacks, place, schedule)?;
            if fit.cancel {
                break;
            }
            callbacks.iter_mut().try_for_each(|c| c.before_validate(fit))?;
            let (valid_loss, metrics) = self.validate()?;
            let train_loss = fit.recorder.smooth_loss();
            let seconds = start.elapsed().as_secs_f64();
            let (number, epoch) = (place.done.len(), fit.epoch);
            let train_metrics = fit.recorder.take_train_metrics();
            fit.recorder.rows.push(EpochRow {
                fit: number,
                epoch,
                train_loss,
                valid_loss,
                metrics,
                train_metrics,
                seconds,
            });
            fit.recorder.iters.push(fit.recorder.losses.len());
            if let Some(row) = fit.recorder.rows.last() {
                self.listener.tell(Event::Row(&Recorder::cells(row)));
            }
            callbacks.iter_mut().try_for_each(|c| c.after_epoch(fit))?;
            (fit.epoch, fit.batch) = (fit.epoch + 1, 0);
            if !fit.stop && fit.epoch < fit.n_epochs {
                self.keep(fit, callbacks, place, false)?;
            }
        }
        callbacks.iter_mut().try_for_each(|c| c.after_fit(fit))?;
        place.epochs_before += fit.epoch;
        place.done.push(place.request.clone());
        (fit.epoch, fit.batch) = (0, 0);
        self.keep(fit, callbacks, place, true)
    }

    /// The head of the table, and the rows that fit number `number` has so far: those of an earlier process, if it resumes.
    fn tell_rows(&self, recorder: &Recorder, number: usize) {
        self.listener.tell(Event::Columns(&recorder.columns()));
        for row in recorder.rows.iter().filter(|row| row.fit == number) {
            self.listener.tell(Event::Row(&Recorder::cells(row)));
        }
    }

    fn train_epoch(
        &mut self,
        fit: &mut Fit,
        callbacks: &mut [Box<dyn Callback>],
        place: &mut Place,
        schedule: &dyn Schedule,
    ) -> Result<()> {
        let task = format!("epoch {}/{}", fit.epoch + 1, fit.n_epochs);
        self.listener.tell(Event::Begin { task: &task, total: fit.n_batches });
        let trainable = self.params.trainable();
        for batch in self.dls.train.epoch_from(place.epochs_before + fit.epoch, fit.batch) {
            let batch = batch?;
            let labels = batch.ys.clone();
            (fit.xs, fit.ys) = (Some(batch.xs), Some(batch.ys));
            fit.hypers = schedule.hypers(&fit.progress());
            callbacks.iter_mut().try_for_each(|c| c.before_batch(fit))?;
            let (Some(xs), Some(ys)) = (&fit.xs, &fit.ys) else {
                return Err(Error::Value("a callback took the batch away".into()));
            };
            let preds = self.model.forward(xs, true)?;
            let loss = (self.loss)(&preds, ys)?;
            fit.loss = scalar(&loss)?;
            callbacks.iter_mut().try_for_each(|c| c.after_loss(fit))?;
            if fit.cancel || !fit.loss.is_finite() {
                let diverged = Error::Diverged { loss: fit.loss, epoch: fit.epoch, batch: fit.batch };
                self.listener.tell(Event::End);
                if !fit.cancel {
                    return Err(diverged);
                }
                let note = format!("training ends at epoch {}, batch {}: loss {}", fit.epoch, fit.batch, fit.loss);
                self.listener.tell(Event::Note(&note));
                return Ok(());
            }
            fit.grads = Some(kernels::backward(&loss)?);
            callbacks.iter_mut().try_for_each(|c| c.after_backward(fit))?;
            let grads = fit.grads.take();
            fit.stepped = grads.is_some();
            if let Some(grads) = grads {
                self.optimizer.step(&trainable, &grads, &fit.hypers)?;
            }
            if fit.recorder.with_train_metrics {
                let preds = preds.detach();
                let values: Result<Vec<f64>> = self.metrics.iter().map(|metric| metric.of(&preds, &labels)).collect();
                fit.recorder.push_train_metrics(&values?, labels.dims().first().copied().unwrap_or(1) as f64);
            }
            fit.recorder.push_loss(fit.loss);
            fit.recorder.lrs.push(fit.hypers.lr.last().copied().unwrap_or_default());
            fit.recorder.moms.extend(fit.hypers.mom);
            callbacks.iter_mut().try_for_each(|c| c.after_batch(fit))?;
            fit.batch += 1;
            let note = format!("loss {:.4}", fit.recorder.smooth_loss());
            self.listener.tell(Event::Progress { done: fit.batch, note: &note });
            let interrupted = event::interrupted();
            if interrupted || fit.batch < fit.n_batches {
                self.keep(fit, callbacks, place, interrupted)?;
            }
            if interrupted {
                self.listener.tell(Event::End);
                let kept =
                    self.keeper.as_ref().map(|k| format!("; the checkpoint {} is up to date", k.file().display()));
                return Err(Error::Interrupted(kept.unwrap_or_default()));
            }
        }
        self.listener.tell(Event::End);
        Ok(())
    }

    /// Writes a checkpoint if one is due, or in any case.
    fn keep(&mut self, fit: &Fit, callbacks: &[Box<dyn Callback>], place: &mut Place, in_any_case: bool) -> Result<()> {
        (place.epoch, place.batch) = (fit.epoch, fit.batch);
        match &mut self.keeper {
            Some(keeper) if in_any_case || keeper.is_due() => {
                keeper.save(place, &fit.recorder, &self.params, &*self.optimizer, callbacks)
            }
            _ => Ok(()),
        }
    }
}
