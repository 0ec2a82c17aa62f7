//! Stops and checkpoints of several processes.

use crate::{End, among, each, noise, small_learner};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tallow::Error;
use tallow::collective::{BatchStatistics, World};
use tallow::event::{Interrupter, Listener};
use tallow::train::{Callback, Checkpoints, Learner, TrainState};

fn checkpoints(file: &Path, resume: bool) -> Checkpoints {
    Checkpoints { file: file.to_path_buf(), every: Duration::ZERO, resume }
}

/// Asks for a stop in one process, after the second batch.
struct AskIn(usize, usize, Interrupter);

impl Callback for AskIn {
    fn after_batch(&mut self, state: &mut TrainState) -> tallow::Result<()> {
        if self.0 == self.1 && state.batch == 1 {
            self.2.interrupt();
        }
        Ok(())
    }
}

fn learner(world: &Option<World>, folder: &Path, resume: bool) -> Learner {
    let rank = world.as_ref().map_or(0, World::rank);
    // Only process 0 has the file: the others are on other machines.
    let file = folder.join(format!("{rank}/checkpoint.safetensors"));
    let learner = among(small_learner(noise(40, 4, 8)), world, BatchStatistics::Synchronised);
    learner.checkpoints(checkpoints(&file, resume))
}

#[test]
fn a_stop_that_one_is_asked_for_all_take_and_other_numbers_of_processes_resume() {
    let folder = tempfile::tempdir().unwrap();
    let here: PathBuf = folder.path().to_path_buf();
    let mut alone = small_learner(noise(40, 4, 8));
    alone.fit(2, 0.05).unwrap();
    let alone = End::of(&alone);

    let place = here.clone();
    let stopped = each(3, move |world| {
        let stop = Interrupter::default();
        let rank = world.as_ref().unwrap().rank();
        let learner = learner(&world, &place, false).listener(Listener::default().interrupter(&stop));
        let error = learner.callback(AskIn(rank, 2, stop)).fit(2, 0.05).unwrap_err();
        (matches!(error, Error::Interrupted(_)), error.to_string())
    });
    assert!(stopped.iter().all(|(interrupted, _)| *interrupted), "{stopped:?}");
    assert!(here.join("0/checkpoint.safetensors").is_file());
    assert!(!here.join("1").exists() && !here.join("2").exists(), "process 0 writes");

    // It goes on with two processes, and from the same checkpoint with one.
    for size in [2, 1] {
        let place = here.join(size.to_string());
        std::fs::create_dir_all(place.join("0")).unwrap();
        std::fs::copy(here.join("0/checkpoint.safetensors"), place.join("0/checkpoint.safetensors")).unwrap();
        let ends = each(size, move |world| {
            let stop = Interrupter::default();
            let mut learner = learner(&world, &place, true).callback(AskIn(0, 9, stop));
            learner.fit(2, 0.05).unwrap();
            End::of(&learner)
        });
        ends.iter().for_each(|end| end.is_near(&alone, 1e-5));
    }
}

#[test]
fn a_process_that_fails_is_an_error_of_all() {
    struct Fails(bool);
    impl Callback for Fails {
        fn before_batch(&mut self, state: &mut TrainState) -> tallow::Result<()> {
            if self.0 && state.batch == 2 { Err(Error::Value("the disk is gone".into())) } else { Ok(()) }
        }
    }
    let work = |rank: tallow::collective::ThreadRank| {
        std::thread::spawn(move || {
            let world = World::start(move || Ok(rank)).unwrap();
            let fails = Fails(world.rank() == 1);
            let mut learner = small_learner(noise(40, 4, 8)).distributed(&world).callback(fails);
            learner.fit(1, 0.01).unwrap_err().to_string()
        })
    };
    let started: Vec<_> = tallow::collective::threads(3).into_iter().map(work).collect();
    let errors: Vec<String> = started.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(errors[1], "the disk is gone");
    for error in [&errors[0], &errors[2]] {
        assert!(error.contains("has ended before its work was done"), "{error}");
    }
}
