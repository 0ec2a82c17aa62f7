//! The loop: epochs of training and validation, with callbacks and checkpoints.

use super::callback::Callback;
use super::learner::Learner;
use super::loss::loss_value;
use super::recorder::{EpochRow, Recorder};
use super::state::TrainState;
use super::weights;
use crate::collective::with_share;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::kernels;
use crate::nn::{Param, on_computing_threads};
use crate::optim::Schedule;
use candle_core::{DType, Tensor};
use std::time::Instant;

impl Learner {
    /// Trains for `n_epochs`. `request` describes what is asked for, so that a checkpoint can tell whether it is asked
    /// for the same.
    pub(super) fn run_fit(&mut self, n_epochs: usize, request: &str, schedule: &dyn Schedule) -> Result<()> {
        let (n_items, n_batches) = (self.dls.train.n_items(), self.dls.train.n_batches());
        let params = self.params().all();
        let (n_trained, n_fixed) =
            (params.iter().filter(|p| p.trainable()).count(), params.iter().filter(|p| p.fixed()).count());
        let request = format!("{request} with {n_items} items in {n_batches} batches, {n_trained} tensors trained");
        let request = if n_fixed > 0 { format!("{request}, {n_fixed} statistics kept") } else { request };
        self.load_checkpoint(Some((&request, n_epochs)))?;
        let start = self.starting_point(&request, n_epochs)?;
        self.params().note_training(request.clone());
        let Some(start) = start else { return Ok(()) };
        if let Some(others) = &self.others {
            others.agree(&request)?;
        }
        self.position.request = request;
        self.state.begin_fit(n_epochs, n_batches, start);
        let outcome = self.all_epochs(schedule);
        self.state.forget_batch();
        outcome
    }

    fn all_epochs(&mut self, schedule: &dyn Schedule) -> Result<()> {
        self.report_table();
        self.hook(<dyn Callback>::before_fit)?;
        while self.state.epoch < self.state.n_epochs && !self.state.stop && !self.state.cancel {
            let start = Instant::now();
            self.one_epoch(schedule)?;
            if !self.state.cancel {
                self.end_epoch(start)?;
            }
        }
        if self.state.cancel {
            self.hook(<dyn Callback>::after_cancel_fit)?;
        }
        self.hook(<dyn Callback>::after_fit)?;
        self.position.end_fit(self.state.epoch);
        (self.state.epoch, self.state.batch) = (0, 0);
        self.write_checkpoint()
    }

    fn one_epoch(&mut self, schedule: &dyn Schedule) -> Result<()> {
        self.hook(<dyn Callback>::before_epoch)?;
        if let Some(others) = &self.others {
            others.align(self.params())?;
        }
        let name = format!("epoch {}/{}", self.state.epoch + 1, self.state.n_epochs);
        let task = self.listener.task(&name, self.state.n_batches);
        let trainable = self.params().trainable();
        // Epochs are numbered over all fits, so that no two have the same order.
        let epoch = self.position.epochs_before.saturating_add(self.state.epoch);
        for batch in self.shared(&self.dls.train).epoch_from(epoch, self.state.batch) {
            let share = self.share(&self.dls.train, self.state.batch);
            self.state.begin_batch(batch?, share);
            self.state.hypers = schedule.hypers(&self.state.progress());
            self.one_batch(&trainable)?;
            if self.state.cancel {
                let TrainState { epoch, batch, loss, .. } = self.state;
                let note = format!("training ends at epoch {epoch}, batch {batch}: loss {loss}");
                drop(task);
                self.listener.tell(Event::Note(&note));
                return Ok(());
            }
            self.state.batch += 1;
            task.progress(self.state.batch, &format!("loss {:.4}", self.recorder().smooth_loss()));
            self.stop_or_keep()?;
        }
        Ok(())
    }

    fn one_batch(&mut self, trainable: &[Param]) -> Result<()> {
        match (&self.others, trainable.first().map(|param| param.var().device().clone())) {
            (None, Some(device)) => on_computing_threads(&device, || self.one_step(trainable)),
            // Who computes with others talks to them from this thread.
            _ => self.one_step(trainable),
        }
    }

    fn one_step(&mut self, trainable: &[Param]) -> Result<()> {
        let labels = self.state.ys.clone();
        self.hook(<dyn Callback>::before_batch)?;
        self.forward()?;
        self.hook(<dyn Callback>::after_loss)?;
        if self.state.cancel {
            return Ok(());
        }
        self.backward(trainable)?;
        self.hook(<dyn Callback>::after_backward)?;
        self.step(trainable)?;
        if let Some(others) = &self.others {
            others.average_statistics(self.params())?;
        }
        self.record(labels)?;
        self.hook(<dyn Callback>::after_batch)
    }

    /// Predictions and loss of the current batch.
    fn forward(&mut self) -> Result<()> {
        let (Some(xs), Some(ys)) = (&self.state.xs, &self.state.ys) else {
            return Err(Error::Value("a callback took the batch away".into()));
        };
        let share = self.state.share.clone();
        let xs = &self.in_precision(xs)?;
        let preds = with_share(share, || self.model.forward_inputs(xs, &self.state.more_xs, true))?;
        let preds = if self.bf16 { kernels::to_dtype(&preds, DType::F32)? } else { preds };
        let loss = (self.loss)(&preds, ys)?;
        self.state.loss = loss_value(&loss)?;
        if let (Some(others), Some(share)) = (&mut self.others, &self.state.share) {
            let weight = if share.counts { (self.loss_weight)(ys)? } else { 0.0 };
            self.state.loss = others.whole_loss(self.state.loss, weight, &self.listener)?;
        }
        (self.state.preds, self.state.loss_tensor) = (Some(preds), Some(loss));
        Ok(())
    }

    /// The inputs, rounded if the network trains in mixed precision.
    fn in_precision(&self, xs: &Tensor) -> Result<Tensor> {
        if !self.bf16 {
            return Ok(xs.clone());
        }
        if xs.dtype() != DType::F32 || !xs.device().is_cpu() {
            return Err(Error::Value(format!(
                "mixed precision (to_bf16) is for networks on the CPU whose input is of F32, such as images; this \
                 input is of {:?} on {:?}: train without it",
                xs.dtype(),
                xs.device().location()
            )));
        }
        Ok(kernels::to_dtype(xs, DType::BF16)?)
    }

    /// The gradients of the loss. The graph, and with it the activations, are freed here.
    fn backward(&mut self, trainable: &[Param]) -> Result<()> {
        let TrainState { loss, epoch, batch, .. } = self.state;
        if !loss.is_finite() {
            return Err(Error::Diverged { loss, epoch, batch });
        }
        let Some(loss) = self.state.loss_tensor.take() else {
            return Err(Error::Value("a callback took the loss away".into()));
        };
        self.state.grads = Some(match &self.others {
            None => kernels::backward(&loss)?,
            Some(others) => others.backward(&loss, trainable)?,
        });
        self.state.preds = self.state.preds.take().map(|preds| preds.detach());
        Ok(())
    }

    /// Moves the parameters, unless a callback has taken the gradients.
    fn step(&mut self, trainable: &[Param]) -> Result<()> {
        let grads = self.state.grads.take();
        self.state.stepped = grads.is_some();
        let Some(grads) = grads else { return Ok(()) };
        if !trainable.is_empty() && !trainable.iter().any(|param| grads.get(param.var()).is_some()) {
            let message = "no parameter has a gradient: the loss does not depend on them; give the learner the \
                           parameters that its model was made with";
            return Err(Error::network(trainable[0].name(), message));
        }
        self.optimizer.step(trainable, &grads, &self.state.hypers)
    }

    /// Writes down the current batch. `labels` are its targets before callbacks mixed them.
    fn record(&mut self, labels: Option<Tensor>) -> Result<()> {
        let state = &mut self.state;
        if let (true, Some(preds), Some(labels)) = (state.recorder.with_train_metrics, &state.preds, labels) {
            let (preds, labels) = match &state.share {
                None => (preds.clone(), labels),
                Some(share) => {
                    let n = if share.counts { labels.dims().first().copied().unwrap_or(1) } else { 0 };
                    (share.world.gather_rows(preds, n)?, share.world.gather_rows(&labels, n)?)
                }
            };
            let (preds, labels) = (&preds, &labels);
            let values: Result<Vec<f64>> = self.metrics.iter().map(|metric| metric.of(preds, labels)).collect();
            state.recorder.push_train_metrics(&values?, labels.dims().first().copied().unwrap_or(1) as f64);
        }
        state.recorder.push_batch(state.loss, &state.hypers);
        Ok(())
    }

    /// Validates, and adds the epoch's row to the table.
    fn end_epoch(&mut self, start: Instant) -> Result<()> {
        self.hook(<dyn Callback>::before_validate)?;
        let (valid_loss, metrics) = self.validate()?;
        let recorder = &mut self.state.recorder;
        let row = EpochRow {
            fit: self.position.done.len(),
            epoch: self.state.epoch,
            train_loss: recorder.smooth_loss(),
            valid_loss,
            metrics,
            train_metrics: recorder.take_train_metrics(),
            seconds: start.elapsed().as_secs_f64(),
        };
        self.listener.tell(Event::Row(&Recorder::cells(&row)));
        recorder.push_row(row);
        self.hook(<dyn Callback>::after_epoch)?;
        match self.diverged()? {
            Some((what, value)) if self.state.cancel => {
                let note = format!("training ends after epoch {}: {what} is {value}", self.state.epoch);
                self.listener.tell(Event::Note(&note));
            }
            Some((what, value)) => return Err(Error::NotFinite { what, value, epoch: self.state.epoch }),
            None => {}
        }
        (self.state.epoch, self.state.batch) = (self.state.epoch + 1, 0);
        if !self.state.stop && !self.state.cancel && self.state.epoch < self.state.n_epochs {
            self.write_checkpoint_if_due()?;
        }
        Ok(())
    }

    /// What is not a finite number after an epoch, and its value: the validation loss, or else a metric, or else a
    /// weight.
    fn diverged(&self) -> Result<Option<(String, f64)>> {
        let Some(row) = self.recorder().rows.last() else { return Ok(None) };
        if !row.valid_loss.is_finite() {
            return Ok(Some(("the validation loss".into(), row.valid_loss)));
        }
        if let Some((metric, &value)) = self.metrics.iter().zip(&row.metrics).find(|(metric, v)| metric.refuses(**v)) {
            return Ok(Some((format!("the metric `{}`", metric.name()), value)));
        }
        let params = self.params().all();
        let tensors = kernels::no_grad(|| params.iter().map(|p| (p.name(), p.tensor())).collect::<Vec<_>>());
        Ok(weights::not_finite(tensors)?.map(|(name, value)| (format!("the weight `{name}`"), value)))
    }

    /// Calls one hook of all callbacks, in their order.
    fn hook(&mut self, hook: fn(&mut (dyn Callback + 'static), &mut TrainState) -> Result<()>) -> Result<()> {
        self.callbacks.iter_mut().try_for_each(|callback| hook(&mut **callback, &mut self.state))
    }

    /// Sends the head of the table, and the rows that this fit has already: those of an earlier process, if it resumes.
    pub(super) fn report_table(&self) {
        self.listener.tell(Event::Columns(&self.recorder().columns()));
        for row in self.recorder().rows.iter().filter(|row| row.fit == self.position.done.len()) {
            self.listener.tell(Event::Row(&Recorder::cells(row)));
        }
    }
}
