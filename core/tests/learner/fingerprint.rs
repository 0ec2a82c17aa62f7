//! A checkpoint serves the run that it is of and no other, and says what differs.

use crate::common::assert_same_bits;
use crate::{dataset, images, learner, loaders, network, weights, written};
use candle_core::Tensor;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tallow::data::{DataLoader, DataLoaders, TensorDataset};
use tallow::event::{Event, Listener};
use tallow::fingerprint::Fingerprint;
use tallow::nn::losses::{cross_entropy, mse};
use tallow::optim::{Adam, Sgd};
use tallow::rng::Rng;
use tallow::train::{Checkpoints, GradientClip, Learner};
use tallow::{Error, Result};

fn checkpoints(file: &Path, resume: bool) -> Checkpoints {
    Checkpoints { file: file.into(), every: Duration::ZERO, resume }
}

/// A checkpoint of `learner(1, 0)` after one epoch.
fn written_checkpoint(folder: &Path) -> PathBuf {
    let file = folder.join("checkpoint.safetensors");
    learner(1, 0).checkpoints(checkpoints(&file, false)).fit(1, 0.01).unwrap();
    file
}

#[track_caller]
fn refuses(learner: Learner, words: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let file = written_checkpoint(folder.path());
    let (params, bytes) = (learner.params().clone(), std::fs::read(&file).unwrap());
    let before = weights(&params);
    let error = learner.checkpoints(checkpoints(&file, true)).fit(1, 0.01).unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, Error::File { ref path, .. } if *path == file), "{message}");
    assert!(words.iter().all(|word| message.contains(word)), "{message} does not say {words:?}");
    assert!(message.ends_with("remove it, or run without resuming, to start anew"), "{message}");
    assert_same_bits("weights", &weights(&params), &before);
    assert!(std::fs::read(&file).unwrap() == bytes, "the file has changed");
}

fn with(dls: DataLoaders) -> Learner {
    let (network, params) = network(1);
    Learner::new(dls, network, &params, cross_entropy).metrics([tallow::train::accuracy()])
}

#[test]
fn what_differs_is_named_with_both_values() {
    refuses(learner(2, 0), &["the seed was 1, now it is 2", "the training set's seed was 1, now it is 2"]);
    let (xs, ys) = images();
    let other = TensorDataset::new(&(&xs * 1.01).unwrap(), &ys).unwrap();
    let train = DataLoader::new(other, 8).unwrap().shuffle(&Rng::new(1).stream("data"));
    refuses(
        with(DataLoaders { train, ..loaders(1, 0) }),
        &["the training set's tensors was [37, 1, 6, 6] and [37], sha256"],
    );
    let valid = DataLoader::new(dataset(), 8).unwrap();
    refuses(with(DataLoaders { valid, ..loaders(1, 0) }), &["the validation set's batch size was 16, now it is 8"]);
    let train = DataLoader::new(dataset(), 8).unwrap().rng(&Rng::new(1));
    refuses(
        with(DataLoaders { train, ..loaders(1, 0) }),
        &["the training set's order was shuffled, now it is the dataset's"],
    );
    let mut gentle = Adam::fastai();
    gentle.wd = 0.1;
    refuses(learner(1, 0).opt(gentle), &["the optimizer was Adam", "wd 0.01,", "wd 0.1,"]);
    refuses(learner(1, 0).to_bf16(), &["there was none of mixed precision, which now is bf16"]);
    refuses(learner(1, 0).opt(Sgd::torch(0.9, 0.0)), &["now it is SGD, mom 0.9"]);
    let clip = GradientClip { max_norm: 0.5 };
    refuses(learner(1, 0).callback(clip), &["the list of callbacks was none, now it is GradientClip, max_norm 0.5"]);
    let (network, params) = network(1);
    let other_loss = Learner::new(loaders(1, 0), network, &params, |preds: &Tensor, ys: &Tensor| mse(preds, ys));
    refuses(other_loss.metrics([tallow::train::accuracy()]), &["the loss was tallow::nn::losses::cross_entropy"]);
    let told = learner(1, 0).fingerprint(Fingerprint::default().with("the dropout", 0.3));
    refuses(told, &["there was none of the dropout, which now is 0.3"]);
    let frozen = learner(1, 0);
    frozen.params().train_only(&["6"]).unwrap();
    refuses(frozen, &["6 tensors trained", "2 tensors trained"]);
    let kept = learner(1, 0);
    kept.params().freeze_batch_norm(true);
    refuses(kept, &["6 tensors trained`", "2 statistics kept`"]);
}

/// The head of a network trains first, by a learner of its own: what that was asked for shapes what comes after.
#[test]
fn what_trained_the_network_before_is_part_of_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("whole");
    let story = |epochs_before: usize, resume: bool| -> Result<Vec<f64>> {
        let (network, params) = network(1);
        let network = Arc::new(network);
        let mut before = Learner::new(loaders(1, 0), network.clone(), &params, cross_entropy);
        before.fit(epochs_before, 0.01)?;
        let mut learner = Learner::new(loaders(1, 0), network, &params, cross_entropy);
        learner = learner.checkpoints(checkpoints(&file, resume));
        learner.fit(1, 0.01)?;
        Ok(written(learner.recorder()))
    };
    let want = story(1, false).unwrap();
    assert_same_bits("the same before", &story(1, true).unwrap(), &want);
    let message = story(2, true).unwrap_err().to_string();
    assert!(message.contains("the training before was fit(1, 0.01)") && message.contains("fit(2, 0.01)"), "{message}");
}

/// Larger images for the second fit, as in progressive resizing: each fit's own data count.
#[test]
fn loaders_that_are_replaced_between_fits_are_compared_fit_by_fit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("two");
    let story = |second_batch: usize, resume: bool| -> Result<Vec<f64>> {
        let mut learner = learner(1, 0).checkpoints(checkpoints(&file, resume));
        learner.fit(1, 0.01)?;
        let train = DataLoader::new(dataset(), second_batch)?.shuffle(&Rng::new(1).stream("data"));
        learner.set_dls(DataLoaders { train, ..loaders(1, 0) });
        learner.fit(1, 0.01)?;
        Ok(written(learner.recorder()))
    };
    let want = story(12, false).unwrap();
    assert_same_bits("the same", &story(12, true).unwrap(), &want);
    let message = story(13, true).unwrap_err().to_string();
    assert!(message.contains("the training set's batch size was 12, now it is 13"), "{message}");
}

#[test]
fn who_begins_anew_removes_the_old_checkpoint_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = written_checkpoint(folder.path());
    // It fails at its first batch, and leaves nothing that another could take.
    let bad = with(DataLoaders { train: DataLoader::new(dataset(), 8).unwrap(), ..loaders(1, 0) });
    let seldom = Checkpoints { every: Duration::from_secs(3600), ..checkpoints(&file, false) };
    assert!(bad.checkpoints(seldom).fit(1, f64::NAN).is_err());
    assert!(!file.exists());
}

#[test]
fn it_is_said_that_there_is_nothing_to_resume() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("none.safetensors");
    let told = Arc::new(Mutex::new(Vec::new()));
    let notes = told.clone();
    let listener = Listener::new(move |event| {
        if let Event::Note(note) = event {
            notes.lock().unwrap().push(note.to_string());
        }
    });
    let start = || learner(1, 0).listener(listener.clone()).checkpoints(checkpoints(&file, true));
    start().fit(1, 0.01).unwrap();
    let want = format!("there is no checkpoint {}: training begins anew", file.display());
    start().fit(1, 0.01).unwrap();
    // Once: the second had something to resume.
    assert_eq!(*told.lock().unwrap(), [want]);
}

#[test]
fn checkpoints_of_older_versions_are_refused_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let file = written_checkpoint(folder.path());
    let bytes = std::fs::read(&file).unwrap();
    let length = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let header = String::from_utf8(bytes[8..8 + length].to_vec()).unwrap();
    // They had no checksum either.
    let older = header.replace(r#"{\"version\":5"#, r#"{\"version\":4"#).replace(r#""sha256""#, r#""no_sum""#);
    assert_ne!(older, header);
    std::fs::write(&file, [&bytes[..8], older.as_bytes(), &bytes[8 + length..]].concat()).unwrap();
    let error = learner(1, 0).checkpoints(checkpoints(&file, true)).fit(1, 0.01).unwrap_err().to_string();
    assert!(error.contains("older version") && error.contains("run without resuming"), "{error}");
}

#[test]
fn a_damaged_checkpoint_is_refused_wherever_the_damage_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = written_checkpoint(folder.path());
    let whole = std::fs::read(&file).unwrap();
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    // A bit of the notes, of the names and shapes, and of the tensors, here and there.
    let places = (8..8 + length).step_by(97).chain((8 + length..whole.len()).step_by(331));
    for place in places {
        let mut damaged = whole.clone();
        damaged[place] ^= 1;
        std::fs::write(&file, &damaged).unwrap();
        // A header ends in blanks, of which it may have one more or less.
        let is_blank = whole[place] == b' ';
        let refused = learner(1, 0).checkpoints(checkpoints(&file, true)).fit(1, 0.01);
        let message = refused.err().map(|e| e.to_string()).unwrap_or_default();
        assert!(is_blank || message.contains("run without resuming"), "byte {place}: {message}");
    }
}
