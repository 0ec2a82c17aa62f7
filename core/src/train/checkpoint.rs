//! Checkpoints: all that a killed run needs to end as if it had not been killed.

use super::callback::{Callback, CallbackState};
use super::lr_find::Search;
use super::recorder::Recorder;
use super::weights;
use crate::error::{Error, Result};
use crate::nn::Params;
use crate::optim::{OptimState, Optimizer};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Where a learner keeps its checkpoint, and how often.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    /// A safetensors file. It holds the network, the optimizer, the history, the random streams and the place in the
    /// epoch, and is replaced in one step, so that there is always a whole one.
    pub file: PathBuf,
    /// The least time between two checkpoints. The last one, at the end of a fit, is always written.
    pub every: Duration,
    /// Whether to go on from the file, if it is there.
    pub resume: bool,
}

/// Where training stands.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub(super) struct Place {
    /// What the fits that are done were asked to do; a checkpoint only serves the same requests.
    pub(super) done: Vec<String>,
    /// What the fit in hand was asked to do.
    pub(super) request: String,
    pub(super) epoch: usize,
    pub(super) batch: usize,
    /// Epochs that earlier fits went through.
    pub(super) epochs_before: usize,
    /// The searches for a learning rate before this fit. Their results cannot be found again with the weights of later.
    pub(super) searches: Vec<Search>,
}

#[derive(Serialize, Deserialize)]
struct Note {
    version: u32,
    place: Place,
    recorder: Recorder,
    optimizer_steps: BTreeMap<String, u64>,
    streams: BTreeMap<String, u64>,
    callbacks: Vec<BTreeMap<String, f64>>,
}

const VERSION: u32 = 2;

/// A [`Checkpoints`] at work.
pub(super) struct Keeper {
    config: Checkpoints,
    last: Instant,
}

impl Keeper {
    pub(super) fn new(config: Checkpoints) -> Keeper {
        Keeper { config, last: Instant::now() }
    }

    pub(super) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.config.every
    }

    pub(super) fn file(&self) -> &PathBuf {
        &self.config.file
    }

    pub(super) fn save(
        &mut self,
        place: &Place,
        recorder: &Recorder,
        params: &Params,
        optimizer: &dyn Optimizer,
        callbacks: &[Box<dyn Callback>],
    ) -> Result<()> {
        if let Some(folder) = self.config.file.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        let mut tensors = BTreeMap::new();
        for param in params.all() {
            tensors.insert(format!("model/{}", param.name()), param.var().as_detached_tensor());
        }
        let optimizer = optimizer.state();
        tensors.extend(optimizer.tensors.into_iter().map(|(name, t)| (format!("optimizer/{name}"), t)));
        let mut numbers = Vec::new();
        for (i, callback) in callbacks.iter().enumerate() {
            let state = callback.state();
            tensors.extend(state.tensors.into_iter().map(|(name, t)| (format!("callback/{i}/{name}"), t)));
            numbers.push(state.numbers);
        }
        let note = Note {
            version: VERSION,
            place: place.clone(),
            recorder: recorder.clone(),
            optimizer_steps: optimizer.steps,
            streams: params.stream_positions(),
            callbacks: numbers,
        };
        let note = serde_json::to_string(&note)
            .map_err(|e| Error::file(&self.config.file, format!("cannot write the checkpoint's note: {e}")))?;
        weights::save(&self.config.file, &tensors, Some(note))?;
        self.last = Instant::now();
        Ok(())
    }

    /// Goes on from the file, if that is wanted and there is one. If it does not fit, nothing is changed.
    pub(super) fn load(
        &self,
        params: &Params,
        optimizer: &mut dyn Optimizer,
        callbacks: &mut [Box<dyn Callback>],
        recorder: &mut Recorder,
    ) -> Result<Option<Place>> {
        let file = &self.config.file;
        if !self.config.resume || !file.exists() {
            return Ok(None);
        }
        let remedy = "remove it, or run without resuming, to start anew";
        let (mut tensors, note) = weights::load(file, remedy)?;
        let useless = |why: String| Error::file(file, format!("{why}; {remedy}"));
        let note = note.ok_or_else(|| useless("is not a checkpoint".into()))?;
        let note: Note =
            serde_json::from_str(&note).map_err(|e| useless(format!("is not a checkpoint of this version: {e}")))?;
        if note.version != VERSION || note.callbacks.len() != callbacks.len() {
            return Err(useless("is the checkpoint of another learner or version".into()));
        }
        if note.recorder.with_train_metrics != recorder.with_train_metrics {
            return Err(useless("is the checkpoint of a learner with other metrics of its training batches".into()));
        }
        if note.recorder.metric_names != recorder.metric_names {
            let (theirs, ours) = (&note.recorder.metric_names, &recorder.metric_names);
            return Err(useless(format!("is the checkpoint of a learner with the metrics {theirs:?}, not {ours:?}")));
        }
        let mut take = |prefix: &str| -> BTreeMap<String, candle_core::Tensor> {
            let names: Vec<String> = tensors.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
            names.iter().filter_map(|n| tensors.remove(n).map(|t| (n[prefix.len()..].to_string(), t))).collect()
        };
        let device = params.device();
        let mut take_there = |prefix: &str| -> Result<BTreeMap<String, candle_core::Tensor>> {
            take(prefix).into_iter().map(|(name, t)| Ok((name, t.to_device(device)?))).collect()
        };
        let memory = take_there("optimizer/")?;
        let callbacks_memory: Result<Vec<_>> =
            (0..callbacks.len()).map(|i| take_there(&format!("callback/{i}/"))).collect();
        let callbacks_memory = callbacks_memory?;
        let before = optimizer.state();
        optimizer
            .set_state(OptimState { tensors: memory, steps: note.optimizer_steps })
            .map_err(|e| useless(format!("does not fit the optimizer: {e}")))?;
        if let Err(e) = params.load_state_dict(&take("model/")) {
            optimizer.set_state(before)?;
            return Err(useless(format!("does not fit the network: {e}")));
        }
        params.seek_streams(&note.streams);
        for ((callback, numbers), tensors) in callbacks.iter_mut().zip(note.callbacks).zip(callbacks_memory) {
            callback.set_state(CallbackState { numbers, tensors });
        }
        *recorder = note.recorder;
        Ok(Some(note.place))
    }
}
