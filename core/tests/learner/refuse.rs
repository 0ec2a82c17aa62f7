//! What a learner refuses, and that it changes nothing then.

use crate::common::assert_same_bits;
use crate::{learner, loaders, weights};
use std::path::Path;
use std::time::Duration;
use tallow::nn::losses::cross_entropy;
use tallow::nn::{Params, Sequential};
use tallow::optim::Sgd;
use tallow::train::{Checkpoints, Learner, Monitor, SaveBest, error_rate};
use tallow::{Error, Result};

fn checkpoints(file: &Path) -> Checkpoints {
    Checkpoints { file: file.into(), every: Duration::ZERO, resume: true }
}

/// A checkpoint after `fit(1, 0.01)`.
fn written_checkpoint(folder: &Path) -> std::path::PathBuf {
    let file = folder.join("checkpoint.safetensors");
    learner(1, 0).checkpoints(checkpoints(&file)).fit(1, 0.01).unwrap();
    file
}

/// The error names the file, says what to do, ends a program with code 3, and left file and weights alone.
#[track_caller]
fn assert_refused(file: &Path, params: &Params, before: &[f64], bytes: &[u8], result: Result<()>, words: &[&str]) {
    let error = result.unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, Error::File { .. }), "{message}");
    assert_eq!(tallow::cli::exit_code(&error), 3);
    assert!(message.starts_with(&file.display().to_string()), "{message}");
    assert!(words.iter().all(|word| message.contains(word)), "{message} does not say {words:?}");
    assert_same_bits("weights", &weights(params), before);
    assert!(std::fs::read(file).unwrap() == bytes, "the file has changed");
}

#[track_caller]
fn refuses(file: &Path, learner: Learner, words: &[&str]) {
    let (params, bytes) = (learner.params().clone(), std::fs::read(file).unwrap());
    let before = weights(&params);
    let result = learner.checkpoints(checkpoints(file)).fit(1, 0.01);
    assert_refused(file, &params, &before, &bytes, result, words);
}

fn other_network() -> Learner {
    let params = crate::common::params(1);
    let network = Sequential::new(&params).flatten().linear(36, 3).unwrap();
    Learner::new(loaders(1, 0), network, &params, cross_entropy).metrics([tallow::train::accuracy()])
}

#[test]
fn checkpoints_of_other_learners() {
    let folder = tempfile::tempdir().unwrap();
    let file = written_checkpoint(folder.path());
    refuses(
        &file,
        other_network(),
        &[
            "is of another run",
            "list of parameters was 0.weight [4, 1, 3, 3]",
            "now it is 1.weight [3, 36]",
            "remove it",
        ],
    );
    refuses(&file, learner(1, 0).metrics([error_rate()]), &["accuracy", "error_rate", "remove it"]);
    refuses(
        &file,
        learner(1, 0).opt(Sgd::torch(0.9, 0.0)),
        &["the optimizer was Adam, mom 0.9", "now it is SGD, mom 0.9"],
    );
    let best = SaveBest::new(Monitor::valid_loss());
    refuses(&file, learner(1, 0).callback(best), &["was none, now it is SaveBest, lowest valid_loss", "remove it"]);
}

#[test]
fn damaged_checkpoints() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(written_checkpoint(folder.path())).unwrap();
    let file = folder.path().join("damaged.safetensors");
    for length in [0, 1, 7, 8, 100, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&file, &whole[..length]).unwrap();
        refuses(&file, learner(1, 0), &["not a whole safetensors file", "remove it"]);
    }
    let longer = [&whole[..], b"more"].concat();
    for garbage in [b"hello, this is not a checkpoint".to_vec(), vec![0xff; 5000], vec![0; 5000], longer] {
        std::fs::write(&file, garbage).unwrap();
        refuses(&file, learner(1, 0), &["not a whole safetensors file", "remove it"]);
    }
    // A whole safetensors file that is not a checkpoint.
    learner(1, 0).save(&file).unwrap();
    refuses(&file, learner(1, 0), &["not a checkpoint", "remove it"]);
}

/// The same checkpoint after a change of its note, with the checksum of what it holds then.
fn rewritten(whole: &[u8], change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    let (length, rest) = whole.split_at(8);
    let (header, data) = rest.split_at(u64::from_le_bytes(length.try_into().unwrap()) as usize);
    let mut header: serde_json::Value = serde_json::from_slice(header).unwrap();
    let mut note = serde_json::from_str(header["__metadata__"]["tallow"].as_str().unwrap()).unwrap();
    change(&mut note);
    let note = note.to_string();
    let mut hasher = tallow_io::hash::Hasher::default();
    let mut put = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    put(note.as_bytes());
    // A map of JSON is sorted by name.
    for (name, tensor) in header.as_object().unwrap().iter().filter(|(name, _)| *name != "__metadata__") {
        let [from, to] = [0, 1].map(|end| tensor["data_offsets"][end].as_u64().unwrap() as usize);
        let shape: Vec<usize> = serde_json::from_value(tensor["shape"].clone()).unwrap();
        put(name.as_bytes());
        put(format!("{} {shape:?}", tensor["dtype"].as_str().unwrap()).as_bytes());
        put(&data[from..to]);
    }
    header["__metadata__"] = serde_json::json!({ "tallow": note, "sha256": hasher.finish().sha256 });
    let mut header = header.to_string().into_bytes();
    header.resize(header.len().next_multiple_of(8), b' ');
    [&(header.len() as u64).to_le_bytes(), &header[..], data].concat()
}

/// A checksum may be right where a number is not.
#[test]
fn numbers_that_no_run_has_written() {
    struct Stop;
    impl tallow::train::Callback for Stop {
        fn after_batch(&mut self, state: &mut tallow::train::TrainState) -> Result<()> {
            if state.batch == 2 { Err(Error::Value("killed".into())) } else { Ok(()) }
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("checkpoint.safetensors");
    let begun = learner(1, 0).callback(Stop).checkpoints(checkpoints(&file)).fit(1, 0.01);
    assert_eq!(begun.unwrap_err().to_string(), "killed");
    let whole = std::fs::read(&file).unwrap();
    std::fs::write(&file, rewritten(&whole, |_| ())).unwrap();
    learner(1, 0).callback(Stop).checkpoints(checkpoints(&file)).fit(1, 0.01).unwrap_err();
    for (change, words) in [
        (("/position/batch", 4), "stands at epoch 0 of 1, batch 4 of 5, after 2 batches"),
        (("/position/batch", 1000), "batch 1000 of 5"),
        (("/recorder/smooth/average", 7), "has 7 for an average of its losses"),
        (("/recorder/smooth/count", 1), "batch 2 of 5, after 1 batches"),
        (("/recorder/losses/0", 7), "for an average of its losses"),
    ] {
        let changed = rewritten(&whole, |note| *note.pointer_mut(change.0).unwrap() = change.1.into());
        std::fs::write(&file, changed).unwrap();
        refuses(&file, learner(1, 0).callback(Stop), &[words]);
    }
}

#[test]
fn other_requests() {
    let folder = tempfile::tempdir().unwrap();
    let file = written_checkpoint(folder.path());
    let bytes = std::fs::read(&file).unwrap();
    let refuses = |make: &dyn Fn() -> Learner, fit: &dyn Fn(&mut Learner) -> Result<()>, words: &[&str]| {
        let mut learner = make().checkpoints(checkpoints(&file));
        let (params, before) = (learner.params().clone(), weights(learner.params()));
        let result = fit(&mut learner);
        assert_refused(&file, &params, &before, &bytes, result, words);
    };
    let same = || learner(1, 0);
    // Even a fit that is done must be the one that was asked for: three epochs are not one.
    refuses(&same, &|l| l.fit(3, 0.01), &["fit(1, 0.01)", "fit(3, 0.01)", "remove it"]);
    refuses(&same, &|l| l.fit(1, 0.02), &["fit(1, 0.01)", "fit(1, 0.02)"]);
    refuses(&same, &|l| l.fit_one_cycle(1, 0.01), &["fit(1, 0.01)", "fit_one_cycle(1"]);
    let other_batches = || {
        let (network, params) = crate::network(1);
        let mut dls = loaders(1, 0);
        dls.train = dls.train.drop_last();
        Learner::new(dls, network, &params, cross_entropy).metrics([tallow::train::accuracy()])
    };
    refuses(&other_batches, &|l| l.fit(1, 0.01), &["training set's smaller last batch was kept", "left out"]);
}

#[test]
fn weights_are_saved_and_loaded_and_other_networks_refuse_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("new/folder/weights.safetensors");
    let mut trained = learner(1, 0);
    trained.fit(1, 0.01).unwrap();
    trained.save(&file).unwrap();
    let mut fresh = learner(2, 0);
    fresh.load(&file).unwrap();
    assert_same_bits("weights", &weights(fresh.params()), &weights(trained.params()));
    let names: Vec<String> = fresh.params().all().iter().map(|p| p.name().to_string()).collect();
    let tensors = candle_core::safetensors::load(&file, &candle_core::Device::Cpu).unwrap();
    assert!(names.len() == tensors.len() && names.iter().all(|name| tensors.contains_key(name)));

    let bytes = std::fs::read(&file).unwrap();
    let mut other = other_network();
    let (params, before) = (other.params().clone(), weights(other.params()));
    let words =
        ["weights of another network", "`1.weight` has shape [4], expected [3, 36]", "load it into the network"];
    assert_refused(&file, &params, &before, &bytes, other.load(&file), &words);
    std::fs::write(&file, &bytes[..bytes.len() - 3]).unwrap();
    let words = ["not a whole safetensors file", "save the network again"];
    assert_refused(&file, &params, &before, &bytes[..bytes.len() - 3], other.load(&file), &words);
    assert!(matches!(other.load(Path::new("no/such/file")), Err(Error::Io { .. })));
}

#[test]
fn parameters_of_another_network_are_noticed_at_the_first_step() {
    let (network, _) = crate::network(1);
    let (_, others) = crate::network(2);
    let before = weights(&others);
    let mut learner = Learner::new(loaders(1, 0), network, &others, cross_entropy);
    let error = learner.fit(1, 0.01).unwrap_err();
    assert!(matches!(error, Error::Network { .. }) && error.to_string().contains("was made with"), "{error}");
    assert_same_bits("weights", &weights(&others), &before);
}
