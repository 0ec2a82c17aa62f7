//! Disks that fail and processes that are killed, at every step of reading and writing files: afterwards there is the
//! old state or the new one, and the work can be done again to the same result.
//!
//! A process makes some hundred such steps. Each of these tests tries a few of them, in CI always the same; with
//! `TALLOW_EVERY_FAULT=1` all of them.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![cfg(feature = "efficientnet-lite0")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tallow::vision::Image;

fn tallow(args: &[&str], folder: &Path, fault: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallow"));
    command.args(args).current_dir(folder).env_remove("TALLOW_DEVICE").env("HF_HUB_OFFLINE", "1");
    command.env("HF_HUB_CACHE", folder.join("hub")).envs(fault.map(|fault| ("TALLOW_FAULT", fault)));
    command.output().unwrap()
}

/// Whether the failure that was asked for came. Programs that are built without debug assertions never fail on demand.
fn failed_on_demand(words: &str, step: u64) -> bool {
    let failed = words.contains("TALLOW_FAULT: step");
    if !failed && step == 1 {
        assert!(!env!("CARGO_BIN_EXE_tallow").contains("debug"), "{words}");
        eprintln!("skipped: this build cannot fail on demand");
    }
    failed
}

/// What a process said on stderr.
fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn photos(folder: &Path, n: usize) {
    for (class, base) in [("dark", 40), ("light", 190)] {
        for i in 0..n {
            let picture = Image::from_fn(24, 24, |x, y| [base + ((x * y + 7 * i) % 50) as u8; 3]).unwrap();
            picture.save(folder.join(class).join(format!("{i}.png"))).unwrap();
        }
    }
}

/// The steps to try: all, or the first of each quarter of an octave.
fn steps() -> impl Iterator<Item = u64> {
    let all = std::env::var_os("TALLOW_EVERY_FAULT").is_some();
    let next = move |&step: &u64| Some(if all { step + 1 } else { step + 1 + step / 3 });
    std::iter::successors(Some(1), next)
}

/// All files below a folder, by their paths there.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(folder).unwrap().to_path_buf(), fs::read(&path).unwrap());
            }
        }
    }
    found
}

/// Whether there is no model, or a whole one: its description holds the hash of its weights.
fn model_is_whole(run: &Path) -> bool {
    let Ok(text) = fs::read_to_string(run.join("model/learner.json")) else {
        return !run.join("model/model.safetensors").exists();
    };
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let hash = tallow_io::hash::file(run.join("model/model.safetensors")).unwrap().sha256;
    json["weights"]["sha256"] == serde_json::json!(hash)
}

fn train(kind: &str) {
    const TRAIN: [&str; 9] = ["train", "photos", "--out", "run", "--size", "32", "--head-epochs", "1", "--resume"];
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    photos(&here.join("photos"), 8);
    let undisturbed = tallow(&TRAIN, here, None);
    assert_eq!(undisturbed.status.code(), Some(0), "{}", said(&undisturbed));
    let weights = || fs::read(here.join("run/model/model.safetensors")).unwrap();
    let expected = weights();
    let mut tried = 0;
    for step in steps() {
        fs::remove_dir_all(here.join("run")).unwrap();
        let ended = tallow(&TRAIN, here, Some(&format!("{kind}:{step}")));
        let words = said(&ended);
        if !failed_on_demand(&words, step) {
            break;
        }
        tried += 1;
        assert!(!words.contains("panicked"), "step {step}: {words}");
        assert!(model_is_whole(&here.join("run")), "step {step}: half a model; {words}");
        if kind == "fail" {
            // What has no consequence need not be said: a file that could not be compared with others, say.
            let told = !ended.status.success() || words.contains("asked for by TALLOW_FAULT");
            assert!(told || weights() == expected, "step {step}: nothing was said: {words}");
            let left: Vec<_> =
                contents(&here.join("run")).into_keys().filter(|f| f.extension().is_some_and(|e| e == "tmp")).collect();
            assert!(left.is_empty(), "step {step}: {left:?}");
        } else {
            assert_eq!(ended.status.code(), None, "step {step}: {words}");
        }
        let mut again = tallow(&TRAIN, here, None);
        if words.contains("left out: photos/") && said(&again).contains("is of another run") {
            // Without the photo that could not be read it was another run, which is not resumed with it.
            fs::remove_dir_all(here.join("run")).unwrap();
            again = tallow(&TRAIN, here, None);
        }
        // A failure may have come when the model was already there.
        let was_finished = said(&again).contains("holds a finished run");
        assert!(again.status.success() || was_finished, "step {step}: {words}; {}", said(&again));
        // A photo that could not be read is left out, which is said: another run, finished with another model.
        let left_out = was_finished && words.contains("left out: photos/");
        assert!(left_out || weights() == expected, "step {step}: another model; {words}; {}", said(&again));
        let hidden: Vec<_> =
            contents(&here.join("run")).into_keys().filter(|f| f.to_string_lossy().ends_with(".tmp")).collect();
        assert!(hidden.is_empty(), "step {step}: {hidden:?}");
    }
    eprintln!("{kind}: {tried} steps of a training");
    assert!(tried > 8 || tried == 0, "{tried}");
}

#[test]
fn a_training_whose_disk_fails_leaves_no_half_model() {
    train("fail");
}

#[test]
fn a_training_that_is_killed_can_be_finished() {
    train("kill");
}

#[test]
fn cleaning_that_fails_or_is_killed_can_be_undone() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let plan = "file,change,class\ndark/0.png,delete,\ndark/1.png,relabel,light\nlight/3.png,delete,\n\
                light/2.png,relabel,dark\n";
    for kind in ["fail", "kill"] {
        let mut tried = 0;
        for step in steps() {
            let _ = fs::remove_dir_all(here.join("photos"));
            photos(&here.join("photos"), 4);
            let before = contents(&here.join("photos"));
            fs::write(here.join("plan.csv"), plan).unwrap();
            let ended =
                tallow(&["clean", "photos", "--apply", "plan.csv", "--yes"], here, Some(&format!("{kind}:{step}")));
            let words = said(&ended);
            if !failed_on_demand(&words, step) {
                assert_eq!(ended.status.code(), Some(0), "{words}");
                break;
            }
            tried += 1;
            assert!(ended.status.code() != Some(0) && !words.contains("panicked"), "{kind} {step}: {words}");
            // No photo is lost, wherever it is.
            let mut all: Vec<_> = contents(&here.join("photos")).into_values().collect();
            all.retain(|bytes| bytes.starts_with(b"\x89PNG"));
            assert_eq!(all.len(), before.len(), "{kind} {step}: {words}");
            let undone = tallow(&["clean", "photos", "--undo"], here, None);
            let mut after = contents(&here.join("photos"));
            after.retain(|path, _| !path.starts_with(".tallow-trash"));
            assert!(after == before, "{kind} {step}: {words}; {}", said(&undone));
        }
        eprintln!("{kind}: {tried} steps of a cleaning");
        assert!(tried > 4 || tried == 0, "{tried}");
    }
}

#[test]
fn a_second_run_into_one_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    photos(&here.join("photos"), 8);
    fs::create_dir(here.join("run")).unwrap();
    let held = fs::File::create(here.join("run/.tallow-lock")).unwrap();
    fs::write(here.join("run/.tallow-lock"), "process 12\n").unwrap();
    held.lock().unwrap();
    let args = ["train", "photos", "--out", "run", "--size", "32", "--head-epochs", "1"];
    let refused = tallow(&args, here, None);
    assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
    assert!(said(&refused).contains("another run (process 12)"), "{}", said(&refused));
    drop(held);
    let goes = tallow(&args, here, None);
    assert_eq!(goes.status.code(), Some(0), "{}", said(&goes));
    assert!(!here.join("run/.tallow-lock").exists());
}
