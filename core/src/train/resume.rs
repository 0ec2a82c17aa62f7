//! Where a fit begins, and when its checkpoints are written.

use super::checkpoint::REMEDY;
use super::learner::Learner;
use super::position::Position;
use super::recorder::Recorder;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::fingerprint::Fingerprint;

impl Learner {
    /// Reads the checkpoint, the first time that training needs it. `fit` is what is asked for and its number of
    /// epochs, if it is a fit; a checkpoint of another program is refused before anything is changed.
    pub(super) fn load_checkpoint(&mut self, fit: Option<(&str, usize)>) -> Result<()> {
        self.take_fingerprint()?;
        let Some(checkpoints) = self.checkpoints.as_ref().filter(|_| self.must_load) else { return Ok(()) };
        let writes = self.writes();
        let contents = if writes && checkpoints.resumes() { checkpoints.contents()? } else { None };
        let contents = match self.world().filter(|_| checkpoints.resumes()) {
            // Nothing, or a mark and the file.
            Some(world) => {
                let told = contents.map_or_else(Vec::new, |bytes| [&b"+"[..], &bytes].concat());
                world.broadcast(told)?.strip_prefix(b"+").map(<[u8]>::to_vec)
            }
            None => contents,
        };
        if !checkpoints.resumes() {
            if writes {
                checkpoints.remove()?;
            }
        } else if let Some(contents) = contents {
            let mut found = checkpoints.parse(&contents)?;
            self.earlier = std::mem::take(&mut found.fingerprints);
            self.check_fingerprint()?;
            if let Some((request, n_epochs)) = fit {
                self.check_request(found.position(), request)?;
                if found.position().done.len() == self.position.done.len() {
                    self.check_place(found.position(), found.recorder(), n_epochs)?;
                }
            }
            let position = checkpoints.restore(found, &mut self.state, &mut *self.optimizer, &mut self.callbacks)?;
            self.resumed = Some(position);
        } else {
            let note = format!("there is no checkpoint {}: training begins anew", checkpoints.file().display());
            self.listener.tell(Event::Note(&note));
        }
        self.must_load = false;
        Ok(())
    }

    /// Writes down what shapes the fit that begins, for its checkpoints.
    fn take_fingerprint(&mut self) -> Result<()> {
        if self.checkpoints.is_none() || !self.must_describe || !self.writes() {
            return Ok(());
        }
        let callbacks: Vec<String> = self.callbacks.iter().filter_map(|callback| callback.describe()).collect();
        let earlier = self.params().trainings();
        let params: Vec<String> = self.params().all().iter().map(|p| format!("{} {:?}", p.name(), p.dims())).collect();
        let settings = Fingerprint::default().with("the seed", self.params().seed()).and("", self.described.clone());
        let settings = settings
            .with("the list of parameters", params.join(", "))
            .with("the optimizer", self.optimizer.describe())
            .with("the loss", self.loss_name)
            .with("the list of callbacks", if callbacks.is_empty() { "none".into() } else { callbacks.join("; ") })
            .with("the training before", if earlier.is_empty() { "none".into() } else { earlier.join("; ") });
        // Runs in f32 say nothing, as those from before there was a choice.
        let settings = if self.bf16 { settings.with("mixed precision", "bf16") } else { settings };
        self.fingerprints.push(settings.and("", self.dls.fingerprint()?));
        self.must_describe = false;
        Ok(())
    }

    /// An error if the checkpoint that is there is of a run that something else shaped than what shapes the coming fit.
    fn check_fingerprint(&self) -> Result<()> {
        let (Some(checkpoints), Some(now)) = (&self.checkpoints, self.fingerprints.last()) else { return Ok(()) };
        if !self.writes() {
            return Ok(()); // process 0 judges for all
        }
        let then = self.earlier.get(self.fingerprints.len() - 1).or(self.earlier.last());
        match then.map(|then| then.difference(now)) {
            Some(Some(difference)) => Err(checkpoints.useless(format!("is of another run: {difference}"))),
            Some(None) => Ok(()),
            None => Err(checkpoints.useless("does not say what shaped the run")),
        }
    }

    /// An error if the checkpoint that is there was made by other requests than this program's.
    fn check_request(&self, at: &Position, request: &str) -> Result<()> {
        let current = at.is_within_fit().then_some(&at.request);
        match at.done.get(self.position.done.len()).or(current) {
            Some(earlier) if earlier != request => {
                let file = self.checkpoints.as_ref().map(|c| c.file().clone()).unwrap_or_default();
                let what = format!("was made by `{earlier}`, but now `{request}` is asked for; {REMEDY}");
                Err(Error::file(file, what))
            }
            _ => Ok(()),
        }
    }

    /// An error if a fit of so many epochs cannot stand there after the batches that the recorder has of it.
    fn check_place(&self, at: &Position, recorder: &Recorder, n_epochs: usize) -> Result<()> {
        let Position { epoch, batch, .. } = *at;
        if !at.is_within_fit() {
            return Ok(());
        }
        let (n_batches, trained) = (self.dls.train.n_batches(), recorder.n_batches_of_fit());
        let place = epoch.checked_mul(n_batches).and_then(|n| n.checked_add(batch));
        if epoch >= n_epochs || batch > n_batches || place != Some(trained) {
            let what = format!("stands at epoch {epoch} of {n_epochs}, batch {batch} of {n_batches}");
            return Err(self.useless(format!("{what}, after {trained} batches")));
        }
        Ok(())
    }

    /// The error of a checkpoint that is no good.
    fn useless(&self, why: String) -> Error {
        match &self.checkpoints {
            Some(checkpoints) => checkpoints.useless(why),
            None => Error::Value(why),
        }
    }

    /// Whether a resumed run has not yet come to where its checkpoint was written.
    pub(super) fn is_catching_up(&self) -> bool {
        self.resumed.as_ref().is_some_and(|at| self.position.done.len() < at.done.len() || at.is_within_fit())
    }

    /// The epoch and batch at which this fit begins: the first ones, or those of a checkpoint; `None` if an earlier
    /// process has done the whole fit.
    pub(super) fn starting_point(&mut self, request: &str, n_epochs: usize) -> Result<Option<(usize, usize)>> {
        if let Some(at) = &self.resumed {
            self.check_fingerprint()?;
            self.check_request(at, request)?;
            if self.position.done.len() < at.done.len() {
                self.position.epochs_before = at.epochs_before;
                self.report_table();
                self.position.done.push(request.to_string());
                return Ok(None);
            }
            if at.is_within_fit() {
                self.position.searches.clone_from(&at.searches);
                self.position.epochs_before = at.epochs_before;
                self.check_place(at, self.recorder(), n_epochs)?;
                let start = (at.epoch, at.batch);
                self.resumed = None;
                return Ok(Some(start));
            }
            self.resumed = None;
        }
        self.state.recorder.begin_fit();
        Ok(Some((0, 0)))
    }

    /// Ends the fit, with a checkpoint, if a stop has been asked for; else writes one if it is due in the middle of an
    /// epoch.
    pub(super) fn stop_or_keep(&mut self) -> Result<()> {
        let stop = match &mut self.others {
            Some(others) => others.take_stop(),
            None => self.listener.take_interrupt(),
        };
        if stop {
            self.write_checkpoint()?;
            // Who ends before the checkpoint is written would end the process that writes it.
            if let Some(others) = &self.others {
                others.world().barrier()?;
            }
            let kept =
                self.checkpoints.as_ref().map(|c| format!("; the checkpoint {} is up to date", c.file().display()));
            return Err(Error::Interrupted(kept.unwrap_or_default()));
        }
        if self.state.batch < self.state.n_batches { self.write_checkpoint_if_due() } else { Ok(()) }
    }

    pub(super) fn write_checkpoint_if_due(&mut self) -> Result<()> {
        if self.checkpoints.as_ref().is_some_and(|c| c.is_due()) { self.write_checkpoint() } else { Ok(()) }
    }

    pub(super) fn write_checkpoint(&mut self) -> Result<()> {
        (self.position.epoch, self.position.batch) = (self.state.epoch, self.state.batch);
        let writes = self.writes();
        match self.checkpoints.as_mut().filter(|_| writes) {
            Some(checkpoints) => {
                let (position, fingerprints) = (&self.position, &self.fingerprints);
                checkpoints.save(position, fingerprints, &self.state, &*self.optimizer, &self.callbacks)
            }
            None => Ok(()),
        }
    }
}
