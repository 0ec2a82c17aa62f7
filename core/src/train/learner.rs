//! The learner: what it is made of. [`Learner::fit`] and its siblings are in `fits`, the loop itself in `run`.

use super::callback::Callback;
use super::checkpoint::{Checkpoints, Keeper, Place};
use super::lr_find::Search;
use super::metric::Metric;
use super::recorder::Recorder;
use super::weights;
use crate::data::DataLoaders;
use crate::error::{Error, Result};
use crate::event::Listener;
use crate::nn::{Module, Params};
use crate::optim::{Adam, Optimizer};
use candle_core::{DType, Tensor};
use std::path::Path;

type Loss = dyn Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync;

/// Data, a network, a loss and an optimizer, and the loop that makes them work together. fast.ai's `Learner`.
pub struct Learner {
    pub(super) dls: DataLoaders,
    pub(super) model: Box<dyn Module>,
    pub(super) params: Params,
    pub(super) loss: Box<Loss>,
    pub(super) optimizer: Box<dyn Optimizer>,
    pub(super) listener: Listener,
    pub(super) metrics: Vec<Metric>,
    pub(super) callbacks: Vec<Box<dyn Callback>>,
    pub(super) recorder: Recorder,
    pub(super) keeper: Option<Keeper>,
    /// The fits that are done, in the words in which they were asked for.
    pub(super) done: Vec<String>,
    pub(super) epochs_done: usize,
    /// The searches for a learning rate so far, and what they found.
    pub(super) searches: Vec<Search>,
    /// What a resumed checkpoint found, until the fit that it belongs to comes along.
    pub(super) resumed: Option<Place>,
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
            searches: Vec::new(),
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

    /// Takes the metrics of the training batches too, as they go by: each batch as the network was before its step, with
    /// augmentation and dropout. fast.ai's `Recorder(train_metrics=True)`, and the `train Acc` of PyTorch's tutorials.
    #[must_use]
    pub fn train_metrics(mut self) -> Learner {
        self.recorder.with_train_metrics = true;
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

    /// Another batch size, other data, a smaller picture: the loaders are exchanged, and all else stays. fast.ai's
    /// `learn.dls = dls`.
    pub fn set_dls(&mut self, dls: DataLoaders) {
        self.dls = dls;
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

    /// Its loaders.
    pub fn dls(&self) -> &DataLoaders {
        &self.dls
    }

    /// The network's parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Writes the network's tensors to a safetensors file, by their PyTorch names.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        weights::save(path, &self.params.state_dict()?, None)
    }

    /// Reads the network's tensors from a safetensors file.
    ///
    /// # Errors
    /// When the file is damaged or its tensors are not those of this network; then nothing is changed.
    pub fn load(&mut self, path: &Path) -> Result<()> {
        let (tensors, _) = weights::load(path, "save the network again")?;
        self.params
            .load_state_dict(&tensors)
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
