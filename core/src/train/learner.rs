//! The learner: data, a network, a loss and an optimizer. The methods that train are in `fit`, the loop in
//! `train_loop`.

use super::callback::Callback;
use super::checkpoint::{CheckpointWriter, Checkpoints};
use super::loss::{Loss, LossWeight, n_items};
use super::metric::Metric;
use super::model::Model;
use super::others::Others;
use super::position::Position;
use super::recorder::Recorder;
use super::state::TrainState;
use super::weights;
use crate::data::DataLoaders;
use crate::error::{Error, Result};
use crate::event::Listener;
use crate::fingerprint::Fingerprint;
#[cfg(doc)]
use crate::kernels;
use crate::nn::Params;
use crate::optim::{Adam, Optimizer};
use candle_core::Tensor;
use std::path::Path;

/// Data, a network, a loss and an optimizer, with the loop that trains. fast.ai's `Learner`.
///
/// Methods that take the learner by value configure it; methods that borrow it train and predict.
pub struct Learner {
    pub(super) dls: DataLoaders,
    pub(super) model: Box<dyn Model>,
    pub(super) loss: Box<Loss>,
    pub(super) loss_weight: Box<LossWeight>,
    pub(super) optimizer: Box<dyn Optimizer>,
    /// Momentum of one cycle, if it is not fast.ai's for images.
    pub(super) moms: Option<(f64, f64, f64)>,
    /// Whether the network trains in mixed precision.
    pub(super) bf16: bool,
    pub(super) listener: Listener,
    pub(super) metrics: Vec<Metric>,
    pub(super) callbacks: Vec<Box<dyn Callback>>,
    pub(super) state: TrainState,
    pub(super) position: Position,
    pub(super) checkpoints: Option<CheckpointWriter>,
    /// The name of the loss's type.
    pub(super) loss_name: &'static str,
    /// What the program says of the run that the learner does not know.
    pub(super) described: Fingerprint,
    /// What shaped the fits so far: one, and another for each time that the loaders were replaced.
    pub(super) fingerprints: Vec<Fingerprint>,
    /// The same of the run that is resumed.
    pub(super) earlier: Vec<Fingerprint>,
    /// Whether that of the coming fit is still to be written down.
    pub(super) must_describe: bool,
    /// Whether the checkpoint to resume from, if there is one, is still to be read.
    pub(super) must_load: bool,
    /// The position of a resumed checkpoint, until the fit that it belongs to comes along.
    pub(super) resumed: Option<Position>,
    /// The other processes, if there are any.
    pub(super) others: Option<Others>,
}

impl Learner {
    /// A learner with fast.ai's default optimizer, [`Adam::fastai`]. `params` are the ones that `model` was made with;
    /// `loss` takes predictions and targets and returns a tensor of one element.
    pub fn new(
        dls: DataLoaders,
        model: impl Model + 'static,
        params: &Params,
        loss: impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync + 'static,
    ) -> Learner {
        Learner {
            dls,
            model: Box::new(model),
            loss_name: std::any::type_name_of_val(&loss),
            loss: Box::new(loss),
            loss_weight: Box::new(n_items),
            optimizer: Box::new(Adam::fastai()),
            moms: None,
            bf16: false,
            listener: Listener::default(),
            metrics: Vec::new(),
            callbacks: Vec::new(),
            state: TrainState::new(params),
            position: Position::default(),
            checkpoints: None,
            described: Fingerprint::default(),
            fingerprints: Vec::new(),
            earlier: Vec::new(),
            must_describe: true,
            must_load: false,
            resumed: None,
            others: None,
        }
    }

    /// Sets the optimizer; [`Adam::fastai`] by default.
    #[must_use]
    pub fn opt(self, optimizer: impl Optimizer + 'static) -> Learner {
        self.boxed_opt(Box::new(optimizer))
    }

    /// Sets a boxed optimizer.
    #[must_use]
    pub fn boxed_opt(self, optimizer: Box<dyn Optimizer>) -> Learner {
        Learner { optimizer, ..self }
    }

    /// Sets the momentum of [`Learner::fit_one_cycle`] and [`Learner::fine_tune`] at the start, the peak and the end;
    /// 0.95, 0.85, 0.95 by default. fast.ai's `moms`, which are 0.8, 0.7, 0.8 for texts.
    #[must_use]
    pub fn moms(self, start: f64, peak: f64, end: f64) -> Learner {
        Learner { moms: Some((start, peak, end)), ..self }
    }

    /// Trains in mixed precision, as fast.ai's `to_fp16` and PyTorch's `torch.autocast("cpu", torch.bfloat16)`: images,
    /// activations and their gradients have 16 bits ([`kernels::to_dtype`]), while sums, parameters, their gradients,
    /// the optimizer and the loss keep 32. It takes half the memory for activations, and much less time on processors
    /// that multiply such numbers: see [`kernels::simd_level`]. `bf16` has the range of `f32`, so losses need no
    /// scaling.
    ///
    /// Validation and predictions compute in `f32`, as the model does wherever it is used afterwards.
    ///
    /// Training fails if the network's first input is not of `f32` (the words of a text are not), or is not on the CPU.
    #[must_use]
    pub fn to_bf16(self) -> Learner {
        Learner { bf16: true, ..self }
    }

    /// Sets the weight of a batch, by its targets, in the validation loss; by default the number of its items. A loss
    /// with class weights needs [`CrossEntropy::weight_of`](crate::nn::losses::CrossEntropy::weight_of), so that the
    /// validation loss does not depend on the batches.
    #[must_use]
    pub fn loss_weight(self, weight: impl Fn(&Tensor) -> Result<f64> + Send + Sync + 'static) -> Learner {
        Learner { loss_weight: Box::new(weight), ..self }
    }

    /// Adds metrics on the validation set, computed after each epoch: `metrics([accuracy(), top_k_accuracy(5)])`.
    #[must_use]
    pub fn metrics(mut self, metrics: impl IntoIterator<Item = Metric>) -> Learner {
        self.metrics = metrics.into_iter().collect();
        self.state.recorder.metric_names = self.metrics.iter().map(|m| m.name().to_string()).collect();
        self
    }

    /// Computes the metrics of the training batches too, each before its own step, with augmentation and dropout.
    /// fast.ai's `Recorder(train_metrics=True)`, and the `train Acc` of PyTorch's tutorials.
    #[must_use]
    pub fn train_metrics(mut self) -> Learner {
        self.state.recorder.with_train_metrics = true;
        self
    }

    /// Adds a callback.
    #[must_use]
    pub fn callback(self, callback: impl Callback + 'static) -> Learner {
        self.boxed_callback(Box::new(callback))
    }

    /// Adds a boxed callback.
    #[must_use]
    pub fn boxed_callback(mut self, callback: Box<dyn Callback>) -> Learner {
        self.callbacks.push(callback);
        self
    }

    /// Sets the listener, which receives progress and may request a stop.
    #[must_use]
    pub fn listener(self, listener: Listener) -> Learner {
        Learner { listener, ..self }
    }

    /// Adds to the run's fingerprint; only a run with the same one may resume from a checkpoint. The learner itself
    /// adds the seed, the items of both sets with their order and batches, the optimizer, callbacks, metrics, the
    /// requested fits and the name of the loss's type. It does not know settings inside a network or a loss, such as a
    /// dropout's rate or class weights.
    #[must_use]
    pub fn fingerprint(mut self, more: Fingerprint) -> Learner {
        self.described = self.described.and("", more);
        self
    }

    /// Writes checkpoints, and resumes from the last one if `config.resume` is set. It is read when training starts, so
    /// the order of configuration does not matter.
    #[must_use]
    pub fn checkpoints(mut self, config: Checkpoints) -> Learner {
        self.checkpoints = Some(CheckpointWriter::new(config));
        self.must_load = true;
        self
    }

    /// Replaces the loaders, for another batch size, other data or another image size. fast.ai's `learn.dls = dls`.
    pub fn set_dls(&mut self, dls: DataLoaders) {
        (self.dls, self.must_describe) = (dls, true);
    }

    /// Losses, learning rates and metrics so far.
    pub fn recorder(&self) -> &Recorder {
        &self.state.recorder
    }

    /// The loaders.
    pub fn dls(&self) -> &DataLoaders {
        &self.dls
    }

    /// The network's parameters.
    pub fn params(&self) -> &Params {
        &self.state.params
    }

    /// Writes the network's tensors, with their PyTorch names, to a safetensors file. fast.ai's `save`, without the
    /// optimizer.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        weights::save(path.as_ref(), &self.params().state_dict()?, None)
    }

    /// Reads the network's tensors from a safetensors file. fast.ai's `load`.
    ///
    /// # Errors
    /// When the file is damaged, or its tensors do not belong to this network; then nothing is changed.
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let (tensors, _) = weights::load(path, "save the network again")?;
        self.params()
            .load_state_dict(&tensors)
            .map_err(|e| Error::file(path, format!("{e}; load it into the network that it was saved from")))
    }
}
