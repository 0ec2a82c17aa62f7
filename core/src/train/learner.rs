//! The learner.

use super::callback::Callback;
use super::checkpoint::{Checkpoints, Keeper, Place};
use super::fit::Fit;
use super::metric::Metric;
use super::recorder::{EpochRow, Recorder};
use super::weights;
use crate::data::{DataLoader, DataLoaders};
use crate::error::{Error, Result};
use crate::event::{self, Event, Listener};
use crate::kernels;
use crate::nn::{Module, Params};
use crate::optim::{Adam, Hypers, OneCycle, Optimizer};
use candle_core::{DType, Tensor};
use std::path::Path;
use std::time::Instant;

type Loss = dyn Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync;

/// Data, a network, a loss and an optimizer, and the loop that makes them work together. fast.ai's `Learner`.
pub struct Learner {
    pub(super) dls: DataLoaders,
    pub(super) model: Box<dyn Module>,
    pub(super) params: Params,
    pub(super) loss: Box<Loss>,
    pub(super) optimizer: Box<dyn Optimizer>,
    pub(super) listener: Listener,
    metrics: Vec<Metric>,
    callbacks: Vec<Box<dyn Callback>>,
    recorder: Recorder,
    keeper: Option<Keeper>,
    /// The fits that are done, in the words in which they were asked for.
    done: Vec<String>,
    epochs_done: usize,
    /// What a resumed checkpoint found, until the fit that it belongs to comes along.
    resumed: Option<Place>,
}

impl Learner {
    /// A learner with fast.ai's default optimizer, Adam. `params` are those that `model` was made with.
    pub fn new(
        dls: DataLoaders,
        model: impl Module + 'static,
        params: &Params,
        loss: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync + 'static,
    ) -> Learner {
        Learner {
            dls,
            model: Box::new(model),
            params: params.clone(),
            loss: Box::new(loss),
            optimizer: Box::new(Adam::fastai()),
            listener: Listener::default(),
            metrics: Vec::new(),
            callbacks: Vec::new(),
            recorder: Recorder::default(),
            keeper: None,
            done: Vec::new(),
            epochs_done: 0,
            resumed: None,
        }
    }

    /// Another optimizer.
    #[must_use]
    pub fn opt(self, optimizer: impl Optimizer + 'static) -> Learner {
        Learner { optimizer: Box::new(optimizer), ..self }
    }

    /// Numbers to judge by after each epoch: `metrics([accuracy])`.
    #[must_use]
    pub fn metrics(mut self, metrics: impl IntoIterator<Item = impl Into<Metric>>) -> Learner {
        self.metrics = metrics.into_iter().map(Into::into).collect();
        self.recorder.metric_names = self.metrics.iter().map(|m| m.name().to_string()).collect();
        self
    }

    /// Adds a callback.
    #[must_use]
    pub fn callback(mut self, callback: impl Callback + 'static) -> Learner {
        self.callbacks.push(Box::new(callback));
        self
    }

    /// Who is told of the progress.
    #[must_use]
    pub fn listener(self, listener: Listener) -> Learner {
        Learner { listener, ..self }
    }

    /// Keeps checkpoints, and goes on from one if asked to. Set this last: the network, the optimizer and the callbacks
    /// take their state from the checkpoint here.
    ///
    /// # Errors
    /// When there is a checkpoint to resume from and it is damaged or of another learner.
    pub fn checkpoints(mut self, config: Checkpoints) -> Result<Learner> {
        let keeper = Keeper::new(config);
        let Learner { params, optimizer, callbacks, recorder, .. } = &mut self;
        self.resumed = keeper.load(params, &mut **optimizer, callbacks, recorder)?;
        self.keeper = Some(keeper);
        Ok(self)
    }

    /// What training wrote down.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The network's parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Trains for `n_epochs` at a constant learning rate.
    ///
    /// # Errors
    /// When shapes do not fit, the loss stops being a number, a checkpoint cannot be written, or somebody interrupts.
    pub fn fit(&mut self, n_epochs: usize, lr: f64) -> Result<()> {
        self.fit_with(n_epochs, &format!("fit({n_epochs}, {lr})"), &|_| Hypers::lr(lr))
    }

    /// Trains for `n_epochs` by the one-cycle policy with this peak learning rate. fast.ai's `fit_one_cycle`.
    ///
    /// # Errors
    /// As [`Learner::fit`].
    pub fn fit_one_cycle(&mut self, n_epochs: usize, lr_max: f64) -> Result<()> {
        self.fit_schedule(n_epochs, &OneCycle::new(lr_max))
    }

    /// [`Learner::fit_one_cycle`] with a schedule of one's own making.
    ///
    /// # Errors
    /// As [`Learner::fit`].
    pub fn fit_schedule(&mut self, n_epochs: usize, schedule: &OneCycle) -> Result<()> {
        self.fit_with(n_epochs, &format!("fit_one_cycle({n_epochs}, {schedule:?})"), &|pos| schedule.at(pos))
    }

    /// Trains for `n_epochs`; `schedule` gives the learning rates at a position between 0 and 1, and `request` says in
    /// words what is asked for, so that a checkpoint can tell whether it is asked for the same.
    ///
    /// # Errors
    /// As [`Learner::fit`].
    pub fn fit_with(&mut self, n_epochs: usize, request: &str, schedule: &dyn Fn(f64) -> Hypers) -> Result<()> {
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
            hypers: schedule(0.0),
            xs: None,
            ys: None,
            grads: None,
            stop: false,
        };
        let mut callbacks = std::mem::take(&mut self.callbacks);
        let outcome = self.run(&mut fit, &mut callbacks, &mut place, schedule);
        self.recorder = fit.recorder;
        self.callbacks = callbacks;
        outcome?;
        (self.done, self.epochs_done) = (place.done, place.epochs_before);
        Ok(())
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
        }))
    }

    fn run(
        &mut self,
        fit: &mut Fit,
        callbacks: &mut [Box<dyn Callback>],
        place: &mut Place,
        schedule: &dyn Fn(f64) -> Hypers,
    ) -> Result<()> {
        self.tell_rows(&fit.recorder, place.done.len());
        callbacks.iter_mut().try_for_each(|c| c.before_fit(fit))?;
        while fit.epoch < fit.n_epochs && !fit.stop {
            let start = Instant::now();
            self.train_epoch(fit, callbacks, place, schedule)?;
            let (valid_loss, metrics) = self.judge(&self.dls.valid)?;
            let train_loss = fit.recorder.smooth_loss();
            let seconds = start.elapsed().as_secs_f64();
            let (number, epoch) = (place.done.len(), fit.epoch);
            fit.recorder.rows.push(EpochRow { fit: number, epoch, train_loss, valid_loss, metrics, seconds });
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
        schedule: &dyn Fn(f64) -> Hypers,
    ) -> Result<()> {
        let task = format!("epoch {}/{}", fit.epoch + 1, fit.n_epochs);
        self.listener.tell(Event::Begin { task: &task, total: fit.n_batches });
        let trainable = self.params.trainable();
        for batch in self.dls.train.epoch_from(place.epochs_before + fit.epoch, fit.batch) {
            let batch = batch?;
            (fit.xs, fit.ys) = (Some(batch.xs), Some(batch.ys));
            fit.hypers = schedule(fit.position());
            callbacks.iter_mut().try_for_each(|c| c.before_batch(fit))?;
            let (Some(xs), Some(ys)) = (&fit.xs, &fit.ys) else {
                return Err(Error::Value("a callback took the batch away".into()));
            };
            let preds = self.model.forward(xs, true)?;
            let loss = (self.loss)(&preds, ys)?;
            let value = scalar(&loss)?;
            if !value.is_finite() {
                self.listener.tell(Event::End);
                return Err(Error::Diverged { loss: value, epoch: fit.epoch, batch: fit.batch });
            }
            fit.grads = Some(kernels::backward(&loss)?);
            callbacks.iter_mut().try_for_each(|c| c.after_backward(fit))?;
            if let Some(grads) = fit.grads.take() {
                self.optimizer.step(&trainable, &grads, &fit.hypers)?;
            }
            fit.recorder.push_loss(value);
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

    /// Mean loss over the validation set, and the metrics. fast.ai's `validate`.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn validate(&self) -> Result<(f64, Vec<f64>)> {
        self.judge(&self.dls.valid)
    }

    fn judge(&self, loader: &DataLoader) -> Result<(f64, Vec<f64>)> {
        let (mut n, mut loss, mut metrics) = (0.0, 0.0, vec![0.0; self.metrics.len()]);
        for batch in loader.epoch(0) {
            let batch = batch?;
            let size = batch.len() as f64;
            let preds = self.model.forward(&batch.xs, false)?;
            loss += size * scalar(&(self.loss)(&preds, &batch.ys)?)?;
            for (sum, metric) in metrics.iter_mut().zip(&self.metrics) {
                *sum += size * metric.of(&preds, &batch.ys)?;
            }
            n += size;
        }
        Ok((loss / n, metrics.iter().map(|sum| sum / n).collect()))
    }

    /// What the network makes of a batch, in eval mode and outside any gradient's graph.
    ///
    /// # Errors
    /// When the shape does not fit.
    pub fn predict(&self, xs: &Tensor) -> Result<Tensor> {
        Ok(self.model.forward(xs, false)?.detach())
    }

    /// Predictions and targets of all items of a loader, in its order. fast.ai's `get_preds`.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn get_preds(&self, loader: &DataLoader) -> Result<(Tensor, Tensor)> {
        let (mut preds, mut ys) = (Vec::new(), Vec::new());
        for batch in loader.epoch(0) {
            let batch = batch?;
            preds.push(self.predict(&batch.xs)?);
            ys.push(batch.ys);
        }
        Ok((Tensor::cat(&preds, 0)?, Tensor::cat(&ys, 0)?))
    }

    /// Writes the network's tensors to a safetensors file, by their PyTorch names.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        weights::save(path, &self.params.snapshot()?, None)
    }

    /// Reads the network's tensors from a safetensors file.
    ///
    /// # Errors
    /// When the file is damaged or its tensors are not those of this network; then nothing is changed.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        let (tensors, _) = weights::load(path, "save the network again")?;
        self.params
            .restore(&tensors)
            .map_err(|e| Error::file(path, format!("{e}; load it into the network that it was saved from")))
    }
}

/// The value of a loss.
pub(super) fn scalar(loss: &Tensor) -> Result<f64> {
    if loss.elem_count() != 1 {
        return Err(Error::Value(format!("a loss must be one number, got shape {:?}; take its mean", loss.dims())));
    }
    Ok(loss.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?[0])
}
