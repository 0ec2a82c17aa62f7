//! Checkpoints, from which a killed run resumes and ends with exactly the result of an uninterrupted one.
//!
//! A checkpoint holds the run's [`Fingerprint`], and no other run can resume from it.
#![warn(clippy::indexing_slicing)]

use super::callback::{Callback, CallbackState};
use super::checkpoint_check;
use super::position::Position;
use super::recorder::Recorder;
use super::state::TrainState;
use super::weights;
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::optim::{OptimState, Optimizer};
use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The settings of a learner's checkpoints.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    /// A safetensors file with the network, the optimizer's state, the history, the random streams, the position in the
    /// epoch and the run's fingerprint ([`super::Learner::fingerprint`]). It is replaced atomically, so that there is
    /// always a complete one.
    pub file: PathBuf,
    /// The shortest time between two checkpoints. The one at the end of a fit is always written.
    pub every: Duration,
    /// Whether to resume from the file. If there is none, the listener is notified and training starts from the
    /// beginning; a file of a run with other data or settings is an error. If false, the file of an earlier run is
    /// removed when training starts.
    pub resume: bool,
}

#[derive(Serialize, Deserialize)]
struct Note {
    version: u32,
    position: Position,
    recorder: Recorder,
    optimizer_steps: BTreeMap<String, u64>,
    streams: BTreeMap<String, u64>,
    /// Words, since JSON has numbers for neither NaN nor infinity.
    callbacks: Vec<BTreeMap<String, String>>,
}

/// The version of a checkpoint, known before the rest is.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// The tensor of bytes that holds the fingerprints in JSON. A file's header, where notes stand, has a limited size, and
/// there may be a million photos.
const FINGERPRINTS: &str = "fingerprints";

const VERSION: u32 = 5;

pub(super) const REMEDY: &str = "remove it, or run without resuming, to start anew";

/// Writes checkpoints while training runs, and reads the last one.
pub(super) struct CheckpointWriter {
    config: Checkpoints,
    last: Instant,
}

impl CheckpointWriter {
    pub(super) fn new(config: Checkpoints) -> CheckpointWriter {
        CheckpointWriter { config, last: Instant::now() }
    }

    pub(super) fn is_due(&self) -> bool {
        self.last.elapsed() >= self.config.every
    }

    pub(super) fn file(&self) -> &PathBuf {
        &self.config.file
    }

    pub(super) fn save(
        &mut self,
        position: &Position,
        fingerprints: &[Fingerprint],
        state: &TrainState,
        optimizer: &dyn Optimizer,
        callbacks: &[Box<dyn Callback>],
    ) -> Result<()> {
        if let Some(folder) = self.config.file.parent() {
            std::fs::create_dir_all(folder).map_err(Error::io(folder))?;
        }
        let mut tensors = BTreeMap::new();
        for param in state.params.all() {
            tensors.insert(format!("model/{}", param.name()), param.var().as_detached_tensor());
        }
        let optimizer = optimizer.state();
        tensors.extend(optimizer.tensors.into_iter().map(|(name, t)| (format!("optimizer/{name}"), t)));
        let mut numbers = Vec::new();
        for (i, callback) in callbacks.iter().enumerate() {
            let state = callback.state();
            tensors.extend(state.tensors.into_iter().map(|(name, t)| (format!("callback/{i}/{name}"), t)));
            numbers.push(state.numbers.into_iter().map(|(name, value)| (name, format!("{value:?}"))).collect());
        }
        let note = Note {
            version: VERSION,
            position: position.clone(),
            recorder: state.recorder.clone(),
            optimizer_steps: optimizer.steps,
            streams: state.params.stream_positions(),
            callbacks: numbers,
        };
        let unwritable = |e| Error::file(&self.config.file, format!("cannot write the checkpoint's note: {e}"));
        let note = serde_json::to_string(&note).map_err(unwritable)?;
        let fingerprints = serde_json::to_vec(fingerprints).map_err(unwritable)?;
        tensors.insert(FINGERPRINTS.into(), Tensor::new(fingerprints, &Device::Cpu)?);
        weights::save(&self.config.file, &tensors, Some(note))?;
        self.last = Instant::now();
        Ok(())
    }

    /// Whether to go on from the file, if it is there.
    pub(super) fn resumes(&self) -> bool {
        self.config.resume
    }

    /// The contents of the file, if there is one.
    pub(super) fn contents(&self) -> Result<Option<Vec<u8>>> {
        let file = &self.config.file;
        if !file.exists() {
            return Ok(None);
        }
        Ok(Some(tallow_io::read::bytes(file, tallow_io::read::DATA).map_err(Error::io(file))?))
    }

    /// What the file says. Nothing is changed yet.
    pub(super) fn parse(&self, contents: &[u8]) -> Result<Found> {
        let file = &self.config.file;
        let (mut tensors, note) = weights::parse(file, contents, REMEDY)?;
        let (note, has_checksum) = note.ok_or_else(|| self.useless("is not a checkpoint"))?;
        let damaged = |e| self.useless(format!("is not a checkpoint of this version: {e}"));
        let Version { version } = serde_json::from_str(&note).map_err(damaged)?;
        if version < VERSION {
            let what = "was written by an older version of this library, which kept too little of what shaped the run";
            return Err(self.useless(what));
        }
        if !has_checksum {
            return Err(self.useless("is damaged: it has no checksum"));
        }
        let note: Note = serde_json::from_str(&note).map_err(damaged)?;
        let bytes = tensors.remove(FINGERPRINTS);
        let bytes = bytes.ok_or_else(|| self.useless("does not say what shaped the run"))?.to_vec1::<u8>()?;
        let fingerprints = serde_json::from_slice(&bytes).map_err(damaged)?;
        Ok(Found { tensors, note, fingerprints })
    }

    /// Removes what an earlier run left.
    pub(super) fn remove(&self) -> Result<()> {
        match std::fs::remove_file(&self.config.file) {
            Err(e) if e.kind() != ErrorKind::NotFound => Err(Error::io(&self.config.file)(e)),
            _ => Ok(()),
        }
    }

    /// Puts what was found into network, optimizer, callbacks and recorder, and returns the position in the program. If
    /// it does not fit, nothing is changed.
    pub(super) fn restore(
        &self,
        Found { mut tensors, note, .. }: Found,
        state: &mut TrainState,
        optimizer: &mut dyn Optimizer,
        callbacks: &mut [Box<dyn Callback>],
    ) -> Result<Position> {
        self.check_recorder(&note, &state.recorder, callbacks.len())?;
        let useless = |why: String| self.useless(why);
        let Position { epochs_before, epoch, .. } = note.position;
        checkpoint_check::history(&note.recorder, epochs_before, epoch).map_err(useless)?;
        checkpoint_check::streams(&note.streams, &state.params).map_err(useless)?;
        let parse = |(name, value): (&String, &String)| match value.parse::<f64>() {
            Ok(value) => Ok((name.clone(), value)),
            Err(_) => Err(self.useless(format!("is damaged: the number {name} of a callback is `{value}`"))),
        };
        let numbers = note.callbacks.iter().map(|numbers| numbers.iter().map(parse).collect());
        let numbers: Vec<BTreeMap<String, f64>> = numbers.collect::<Result<_>>()?;
        let mut take = |prefix: &str| -> BTreeMap<String, Tensor> {
            let names: Vec<String> = tensors.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
            names.iter().filter_map(|n| tensors.remove(n).map(|t| (n[prefix.len()..].to_string(), t))).collect()
        };
        let params = &state.params;
        let mut take_to_device = |prefix: &str| -> Result<BTreeMap<String, Tensor>> {
            take(prefix).into_iter().map(|(name, t)| Ok((name, t.to_device(params.device())?))).collect()
        };
        let memory = take_to_device("optimizer/")?;
        let callbacks_memory: Vec<_> =
            (0..callbacks.len()).map(|i| take_to_device(&format!("callback/{i}/"))).collect::<Result<_>>()?;
        let model = take("model/");
        checkpoint_check::network(&model, params)?.map_err(useless)?;
        let n_batches = note.recorder.losses.len();
        checkpoint_check::memory(&memory, &note.optimizer_steps, params, n_batches)?.map_err(useless)?;
        let before = optimizer.state();
        optimizer
            .set_state(OptimState { tensors: memory, steps: note.optimizer_steps })
            .map_err(|e| self.useless(format!("does not fit the optimizer: {e}")))?;
        if let Err(e) = params.load_state_dict(&model) {
            optimizer.set_state(before)?;
            return Err(self.useless(format!("does not fit the network: {e}")));
        }
        params.seek_streams(&note.streams);
        for ((callback, numbers), tensors) in callbacks.iter_mut().zip(numbers).zip(callbacks_memory) {
            callback.set_state(CallbackState { numbers, tensors });
        }
        state.recorder = note.recorder;
        Ok(note.position)
    }

    fn check_recorder(&self, note: &Note, recorder: &Recorder, n_callbacks: usize) -> Result<()> {
        if note.version != VERSION || note.callbacks.len() != n_callbacks {
            return Err(self.useless("is the checkpoint of another learner or version"));
        }
        if note.recorder.with_train_metrics != recorder.with_train_metrics {
            return Err(self.useless("is the checkpoint of a learner with other metrics of its training batches"));
        }
        let (theirs, ours) = (&note.recorder.metric_names, &recorder.metric_names);
        if theirs != ours {
            return Err(
                self.useless(format!("is the checkpoint of a learner with the metrics {theirs:?}, not {ours:?}"))
            );
        }
        Ok(())
    }

    pub(super) fn useless(&self, why: impl std::fmt::Display) -> Error {
        Error::file(&self.config.file, format!("{why}; {REMEDY}"))
    }
}

/// A checkpoint as it was read.
pub(super) struct Found {
    tensors: BTreeMap<String, Tensor>,
    note: Note,
    /// What shaped the run, one for each time that its data changed.
    pub(super) fingerprints: Vec<Fingerprint>,
}

impl Found {
    pub(super) fn position(&self) -> &Position {
        &self.note.position
    }

    pub(super) fn recorder(&self) -> &Recorder {
        &self.note.recorder
    }
}
