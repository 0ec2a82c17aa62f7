//! The learning-rate range test (Smith, *Cyclical Learning Rates*, 2015).

use super::learner::Learner;
use super::loss::loss_value;
use super::lr_search::{LrFind, LrFindConfig, Search};
use crate::error::{Error, Result};
use crate::kernels;
use crate::optim::{Hypers, OptimState, sched_exp};

impl Learner {
    /// Trains for some batches with exponentially growing learning rates and without callbacks, and then restores the
    /// network and the optimizer. fast.ai's `lr_find`. A resumed run gets the result of its earlier search, since the
    /// weights have changed since.
    ///
    /// # Errors
    /// When shapes do not fit, or a stop is requested.
    pub fn lr_find(&mut self, config: &LrFindConfig) -> Result<LrFind> {
        let request = format!("{config:?}");
        self.load_checkpoint(None)?;
        let known = self.resumed.as_ref().and_then(|at| at.searches.get(self.position.searches.len()));
        let found = match known.filter(|search| search.request == request) {
            Some(search) => search.found.clone(),
            None => self.search(config)?,
        };
        // Each process has searched by itself; machines of different kinds round differently.
        let found = match self.world() {
            Some(world) => {
                let unreadable = |e: serde_json::Error| Error::Value(format!("cannot tell what was found: {e}"));
                let told = world.broadcast(serde_json::to_vec(&found).map_err(unreadable)?)?;
                serde_json::from_slice(&told).map_err(unreadable)?
            }
            None => found,
        };
        self.position.searches.push(Search { request, found: found.clone() });
        Ok(found)
    }

    fn search(&mut self, config: &LrFindConfig) -> Result<LrFind> {
        let params = self.params().clone();
        let (weights, optimizer) = (params.state_dict()?, self.optimizer.state());
        let mut memory = OptimState { steps: optimizer.steps, ..Default::default() };
        for (name, tensor) in optimizer.tensors {
            memory.tensors.insert(name, tensor.copy()?);
        }
        let streams = params.stream_positions();
        let found = self.try_rates(config);
        params.load_state_dict(&weights)?;
        self.optimizer.set_state(memory)?;
        params.seek_streams(&streams);
        found
    }

    fn try_rates(&mut self, config: &LrFindConfig) -> Result<LrFind> {
        let mut found = LrFind { num_it: config.num_it, ..LrFind::default() };
        let (mut average, mut best) = (0.0, f64::INFINITY);
        let trainable = self.params().trainable();
        let n_batches = self.dls.train.n_batches();
        let task = self.listener.task("lr_find", config.num_it);
        for it in 0..config.num_it {
            let mut batches = self.dls.train.epoch_from(it / n_batches, it % n_batches);
            let Some(batch) = batches.next().transpose()? else { break };
            let lr = sched_exp(config.start_lr, config.end_lr, it as f64 / config.num_it as f64);
            let preds = self.model.forward_inputs(&batch.xs, &batch.more_xs, true)?;
            let loss = (self.loss)(&preds, &batch.ys)?;
            let value = loss_value(&loss)?;
            average = value + 0.98 * (average - value);
            let smooth = average / (1.0 - 0.98f64.powf((it + 1) as f64));
            found.lrs.push(lr);
            found.losses.push(smooth);
            best = f64::min(best, smooth);
            task.progress(it + 1, &format!("lr {lr:.1e}"));
            self.listener.stop_if_interrupted()?;
            if !smooth.is_finite() || (config.stop_div && smooth > 4.0 * best) {
                break;
            }
            self.optimizer.step(&trainable, &kernels::backward(&loss)?, &Hypers::lr(lr))?;
        }
        Ok(found)
    }
}
