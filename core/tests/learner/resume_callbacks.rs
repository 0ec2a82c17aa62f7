//! Resuming with every callback that has a memory, through freezing and searches for a learning rate.

use crate::common::assert_same_bits;
use crate::{learner, loaders, network, weights, written};
use std::path::Path;
use std::time::Duration;
use tallow::nn::losses::cross_entropy;
use tallow::optim::{StepLr, slice};
use tallow::rng::Rng;
use tallow::train::{
    Callback, Checkpoints, CsvLogger, CutMix, GradientAccumulation, GradientClip, Learner, LrFindConfig, Mixup,
    Monitor, PlateauConfig, ReduceLrOnPlateau, SaveBest, TerminateOnNaN, TrainState, WeightAverage, f1_score,
};
use tallow::{Error, Result};

/// Dies before a batch, counted over all epochs of this process.
struct Die {
    at: Option<usize>,
    seen: usize,
}

impl Callback for Die {
    fn before_batch(&mut self, _: &mut TrainState) -> Result<()> {
        if self.at == Some(self.seen) {
            return Err(Error::Value("killed".into()));
        }
        self.seen += 1;
        Ok(())
    }
}

struct Story<'a> {
    make: &'a dyn Fn() -> Learner,
    tell: &'a dyn Fn(&mut Learner) -> Result<()>,
    /// The batches of all its fits.
    batches: usize,
}

impl Story<'_> {
    /// Tells the story in this process, until it dies.
    fn told(&self, file: &Path, die_at: Option<usize>) -> Result<Learner> {
        let learner = (self.make)().callback(Die { at: die_at, seen: 0 });
        if file.exists() {
            // All must come from the checkpoint.
            for param in learner.params().all() {
                param.var().set(&param.var().ones_like()?)?;
            }
        }
        let config = Checkpoints { file: file.into(), every: Duration::ZERO, resume: true };
        let mut learner = learner.checkpoints(config);
        (self.tell)(&mut learner)?;
        Ok(learner)
    }

    /// Killed before any of its batches, and often, the story ends as if it had not been.
    #[track_caller]
    fn survives(&self, what: &str) {
        let folder = tempfile::tempdir().unwrap();
        let want = self.told(&folder.path().join("whole"), None).unwrap();
        assert_eq!(want.recorder().losses.len(), self.batches, "{what}: batches");
        let kill = |batches: &[usize]| {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("checkpoint");
            for &batch in batches {
                assert_eq!(self.told(&file, Some(batch)).err().unwrap().to_string(), "killed");
            }
            let got = self.told(&file, None).unwrap();
            let when = format!("{what}, killed before {batches:?}");
            assert_same_bits(&format!("history, {when}"), &written(got.recorder()), &written(want.recorder()));
            assert_eq!(got.recorder().iters, want.recorder().iters, "{when}");
            assert_same_bits(&format!("weights, {when}"), &weights(got.params()), &weights(want.params()));
        };
        (1..self.batches).for_each(|batch| kill(&[batch]));
        kill(&[3, 1, 4]);
    }
}

fn two_fits(learner: &mut Learner) -> Result<()> {
    learner.fit_one_cycle(2, 0.05)?;
    learner.fit_schedule(2, &StepLr::new(0.02, 1))
}

#[track_caller]
fn with(what: &str, make: &dyn Fn() -> Learner) {
    Story { make, tell: &two_fits, batches: 20 }.survives(what);
}

#[test]
fn accumulated_and_clipped_gradients() {
    // 20 items are reached in the middle of epochs.
    with("accumulation", &|| learner(1, 0).callback(GradientAccumulation::new(20)));
    let both = || learner(1, 0).callback(GradientAccumulation::new(11)).callback(GradientClip { max_norm: 0.5 });
    with("accumulation and clipping", &both);
}

#[test]
fn averaged_weights() {
    with("average", &|| learner(1, 0).callback(WeightAverage::new(0.8)));
    let best = || learner(1, 0).callback(WeightAverage::new(0.8)).callback(SaveBest::new(Monitor::valid_loss()));
    with("average and best", &best);
    let accumulated = || learner(1, 0).callback(GradientAccumulation::new(20)).callback(WeightAverage::new(0.8));
    with("average and accumulation", &accumulated);
}

#[test]
fn mixed_images() {
    let mixing = || {
        let (network, params) = network(1);
        Learner::new(loaders(1, 0), network, &params, cross_entropy).metrics([f1_score()])
    };
    with("mixup", &|| mixing().callback(Mixup::new(3, &Rng::new(3))));
    with("cutmix", &|| mixing().callback(CutMix::new(3, &Rng::new(3))));
}

/// Climbs instead of descending, so that nothing gets better.
struct Climb;

impl Callback for Climb {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        state.hypers.lr.iter_mut().for_each(|lr| *lr = -*lr);
        Ok(())
    }
}

#[test]
fn plateaus() {
    let make = || {
        let config = PlateauConfig { patience: 0, cooldown: 1, factor: 0.5, ..PlateauConfig::default() };
        learner(1, 0).callback(ReduceLrOnPlateau::new(Monitor::valid_loss(), config)).callback(Climb)
    };
    let tell = |learner: &mut Learner| learner.fit(5, 0.01);
    let story = Story { make: &make, tell: &tell, batches: 25 };
    story.survives("plateau");
    let folder = tempfile::tempdir().unwrap();
    let lrs = story.told(&folder.path().join("a"), None).unwrap().recorder().lrs.clone();
    assert_eq!([lrs[0], lrs[10], lrs[15], lrs[24]], [-0.01, -0.005, -0.005, -0.0025], "{lrs:?}");
}

/// From a batch on, the loss is not a number.
struct Explode;

impl Callback for Explode {
    fn before_batch(&mut self, state: &mut TrainState) -> Result<()> {
        if state.n_epochs == 3 && (state.epoch, state.batch) == (1, 3) {
            state.xs = state.xs.as_ref().map(|xs| xs * f64::NAN).transpose()?;
        }
        Ok(())
    }
}

#[test]
fn fits_that_ended_at_a_loss_that_is_no_number() {
    let make = || learner(1, 0).callback(Explode).callback(TerminateOnNaN).callback(WeightAverage::new(0.8));
    let tell = |learner: &mut Learner| {
        learner.fit(3, 0.01)?;
        learner.fit(2, 0.01)
    };
    Story { make: &make, tell: &tell, batches: 18 }.survives("terminated");
}

#[test]
fn the_table_as_csv() {
    let folder = tempfile::tempdir().unwrap();
    let csv = folder.path().join("history.csv");
    let make = || learner(1, 0).callback(CsvLogger::new(&csv));
    let story = Story { make: &make, tell: &two_fits, batches: 20 };
    story.told(&folder.path().join("whole"), None).unwrap();
    let want = std::fs::read(&csv).unwrap();
    std::fs::remove_file(&csv).unwrap();
    let file = folder.path().join("killed");
    assert!(story.told(&file, Some(13)).is_err());
    assert_ne!(std::fs::read(&csv).unwrap(), want);
    story.told(&file, None).unwrap();
    assert!(std::fs::read(&csv).unwrap() == want);
}

/// Searches a learning rate, fine-tunes with what it found, and goes on with other parts frozen. The searches of a
/// resumed run would find something else with the weights of later, and freezing would empty the optimizer that was
/// just resumed.
#[test]
fn searches_freezing_and_fine_tuning() {
    let make = || {
        let learner = learner(1, 0);
        learner.params().split_groups(&[&["0", "1"], &["6"]]).unwrap();
        learner
    };
    let config = LrFindConfig { num_it: 30, ..LrFindConfig::default() };
    let tell = |learner: &mut Learner| {
        let lr = learner.lr_find(&config)?.valley().unwrap();
        learner.fine_tune(2, lr)?;
        let lr = learner.lr_find(&config)?.steep().unwrap().min(0.1);
        learner.train_only(&["1", "6"])?;
        learner.fit_one_cycle(1, slice(lr / 10.0, lr))
    };
    Story { make: &make, tell: &tell, batches: 20 }.survives("fine-tuning");
}
