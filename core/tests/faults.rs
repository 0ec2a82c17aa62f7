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
use std::process::{Command, Output, Stdio};
use std::time::Instant;
use tallow::vision::Image;
use test_support::kills;

fn command(args: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallow"));
    command.args(args).current_dir(folder).env_remove("TALLOW_DEVICE").env("HF_HUB_OFFLINE", "1");
    command.env("HF_HUB_CACHE", folder.join("hub"));
    command
}

fn tallow(args: &[&str], folder: &Path, fault: Option<&str>) -> Output {
    command(args, folder).envs(fault.map(|fault| ("TALLOW_FAULT", fault))).output().unwrap()
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

fn every_step() -> bool {
    std::env::var_os("TALLOW_EVERY_FAULT").is_some()
}

/// The steps to try: all, or the first of each quarter of an octave.
fn steps() -> impl Iterator<Item = u64> {
    let all = every_step();
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

/// A training from the command line.
struct Training {
    /// Without `--out run --resume`.
    command: &'static str,
    /// Writes its data into a folder.
    data: fn(&Path),
}

const PHOTOS: Training =
    Training { command: "train photos --size 32 --head-epochs 1", data: |here| photos(&here.join("photos"), 8) };

const TABLE: Training = Training {
    command: "table train rows.csv --target kind --epochs 2 --layers 8 --importance 0 --batch-size 32",
    data: |here| {
        let row = |i: usize| format!("{},{},{}\n", i * 37 % 101, ["red", "blue"][i % 2], ["a", "b"][i * 37 % 101 / 51]);
        fs::write(here.join("rows.csv"), format!("size,colour,kind\n{}", (0..120).map(row).collect::<String>()))
            .unwrap();
    },
};

const RATINGS: Training = Training {
    command: "ratings train ratings.csv --factors 4 --epochs 2",
    data: |here| {
        let row = |i: usize| format!("{},{},{}\n", i % 17, i * 7 % 23, 1 + (i % 17 + i * 7 % 23) % 5);
        fs::write(here.join("ratings.csv"), format!("user,item,rating\n{}", (0..300).map(row).collect::<String>()))
            .unwrap();
    },
};

const TEXTS: Training = Training {
    command: "text train texts.csv --text text --target mood --size 8,12,2 --epochs 2 --language-model 1 --words 0 \
              --min-freq 1 --batch-size 16",
    data: |here| {
        let row = |i: usize| match i % 2 {
            0 => format!("a fine and lively film number {},good\n", i * 31 % 47),
            _ => format!("what a dull story number {},bad\n", i * 29 % 43),
        };
        fs::write(here.join("texts.csv"), format!("text,mood\n{}", (0..120).map(row).collect::<String>())).unwrap();
    },
};

const MASKS: Training = Training {
    command: "segment train photos masks --codes codes.txt --size 32x32 --batch-size 4 --freeze-epochs 1 --epochs 1",
    data: |here| {
        for i in 0..10 {
            let is_square = |x: usize, y: usize| (4 + i..16 + i).contains(&x) && (8..20).contains(&y);
            let pixel = |x, y| if is_square(x, y) { [200, 60, 40] } else { [30 + i as u8; 3] };
            Image::from_fn(32, 32, pixel).unwrap().save(here.join(format!("photos/{i}.png"))).unwrap();
            let mask = tallow::vision::Mask::from_fn(32, 32, |x, y| u16::from(is_square(x, y))).unwrap();
            mask.save(here.join(format!("masks/{i}.png")), None).unwrap();
        }
        fs::write(here.join("codes.txt"), "ground\nsquare\n").unwrap();
    },
};

impl Training {
    fn args(&self) -> Vec<&str> {
        self.command.split_whitespace().chain(["--out", "run", "--resume", "--checkpoint-every", "0"]).collect()
    }

    /// Runs it undisturbed, and returns the model's weights and the history.
    fn undisturbed(&self, here: &Path) -> [Vec<u8>; 2] {
        (self.data)(here);
        let ended = tallow(&self.args(), here, None);
        assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
        results(here)
    }
}

fn results(here: &Path) -> [Vec<u8>; 2] {
    ["model/model.safetensors", "history.csv"].map(|file| fs::read(here.join("run").join(file)).unwrap())
}

fn temporary(folder: &Path) -> Vec<PathBuf> {
    contents(folder).into_keys().filter(|file| file.to_string_lossy().ends_with(".tmp")).collect()
}

/// Lets the training fail, or kills it, at its steps. Run again, it ends as if it had not been disturbed.
fn disturb(training: &Training, kind: &str) {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let expected = training.undisturbed(here);
    let train = training.args();
    let mut tried = 0;
    for step in steps() {
        fs::remove_dir_all(here.join("run")).unwrap();
        let ended = tallow(&train, here, Some(&format!("{kind}:{step}")));
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
            assert!(told || results(here) == expected, "step {step}: nothing was said: {words}");
            assert_eq!(temporary(&here.join("run")), Vec::<PathBuf>::new(), "step {step}");
        } else {
            assert_eq!(ended.status.code(), None, "step {step}: {words}");
        }
        let mut again = tallow(&train, here, None);
        if words.contains("left out: photos/") && said(&again).contains("is of another run") {
            // Without the photo that could not be read it was another run, which is not resumed with it.
            fs::remove_dir_all(here.join("run")).unwrap();
            again = tallow(&train, here, None);
        }
        // A failure may have come when the model was already there.
        let was_finished = said(&again).contains("holds a finished run");
        assert!(again.status.success() || was_finished, "step {step}: {words}; {}", said(&again));
        // A photo that could not be read is left out, which is said: another run, finished with another model.
        let left_out = was_finished && words.contains("left out: photos/");
        let same = left_out || results(here) == expected;
        assert!(same, "step {step}: another model or history; {words}; {}", said(&again));
        assert_eq!(temporary(&here.join("run")), Vec::<PathBuf>::new(), "step {step}");
    }
    eprintln!("{kind}: {tried} steps of {}", training.command);
    assert!(tried > 8 || tried == 0, "{tried}");
}

#[test]
fn a_training_whose_disk_fails_leaves_no_half_model() {
    disturb(&PHOTOS, "fail");
}

#[test]
fn a_training_that_is_killed_can_be_finished() {
    disturb(&PHOTOS, "kill");
}

#[test]
fn so_can_one_of_rows() {
    disturb(&TABLE, "kill");
}

#[test]
fn so_can_one_of_ratings() {
    disturb(&RATINGS, "kill");
}

#[test]
fn so_can_one_of_texts() {
    disturb(&TEXTS, "kill");
}

#[test]
fn so_can_one_of_masks() {
    if every_step() {
        disturb(&MASKS, "kill");
    } else {
        eprintln!("skipped: half a minute; TALLOW_EVERY_FAULT=1 asks for it");
    }
}

/// Whether a step of reading or writing or a step of computing is under way: killed and resumed again and again, until
/// it ends, each kind of training comes to the weights and the history of an undisturbed one. `TALLOW_KILLS=200` asks
/// for so many kills of each kind.
#[test]
fn trainings_that_are_killed_at_any_moment_end_as_if_they_had_not_been() {
    let (wanted, mut random) = (kills::wanted(2), kills::random());
    for training in [PHOTOS, TABLE, RATINGS, TEXTS, MASKS] {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        let started = Instant::now();
        let expected = training.undisturbed(here);
        let whole = started.elapsed();
        let (mut kills, mut runs) = (0, 0);
        while kills < wanted {
            fs::remove_dir_all(here.join("run")).unwrap();
            runs += 1;
            // The last of these is not disturbed.
            for left in (0..6).rev() {
                let mut command = command(&training.args(), here);
                let mut process = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
                if left > 0 {
                    std::thread::sleep(whole.mul_f64(random()));
                    process.kill().unwrap();
                }
                let ended = process.wait().unwrap();
                if ended.success() {
                    break;
                }
                if ended.code().is_some() {
                    // The one before was killed when all was written.
                    let words = said(&tallow(&training.args(), here, None));
                    assert!(words.contains("holds a finished run"), "{}: {ended} {words}", training.command);
                    break;
                }
                kills += 1;
            }
            assert!(results(here) == expected, "{}: another model or history after {kills} kills", training.command);
            assert_eq!(temporary(&here.join("run")), Vec::<PathBuf>::new());
        }
        eprintln!("{kills} kills in {runs} runs of {}", training.command);
    }
}

const CLEAN: [&str; 5] = ["clean", "photos", "--apply", "plan.csv", "--yes"];

/// Photos and a plan to move and delete some: what is in the folder.
fn photos_to_clean(here: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let plan = "file,change,class\ndark/0.png,delete,\ndark/1.png,relabel,light\nlight/3.png,delete,\n\
                light/2.png,relabel,dark\n";
    let _ = fs::remove_dir_all(here.join("photos"));
    photos(&here.join("photos"), 4);
    fs::write(here.join("plan.csv"), plan).unwrap();
    contents(&here.join("photos"))
}

/// No photo is lost, wherever it is, and `--undo` brings each back to its place.
fn assert_undone(here: &Path, before: &BTreeMap<PathBuf, Vec<u8>>, when: &str) {
    let mut all: Vec<_> = contents(&here.join("photos")).into_values().collect();
    all.retain(|bytes| bytes.starts_with(b"\x89PNG"));
    assert_eq!(all.len(), before.len(), "{when}");
    let undone = tallow(&["clean", "photos", "--undo"], here, None);
    let mut after = contents(&here.join("photos"));
    after.retain(|path, _| !path.starts_with(".tallow-trash"));
    assert!(after == *before, "{when}; {}", said(&undone));
}

/// Killed at any moment, of the cleaning or of the undoing, and then undone. `TALLOW_KILLS=200` asks for so many.
#[test]
fn cleaning_that_is_killed_at_any_moment_can_be_undone() {
    let (wanted, mut random) = (kills::wanted(6), kills::random());
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    photos_to_clean(here);
    let started = Instant::now();
    let ended = tallow(&CLEAN, here, None);
    assert_eq!(ended.status.code(), Some(0), "{}", said(&ended));
    let (whole, mut kills, mut runs) = (started.elapsed(), 0, 0);
    let mut killed = |args: &[&str]| {
        let mut process = command(args, here).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(whole.mul_f64(random()));
        process.kill().unwrap();
        usize::from(process.wait().unwrap().code().is_none())
    };
    while kills < wanted {
        let before = photos_to_clean(here);
        kills += killed(&CLEAN);
        kills += killed(&["clean", "photos", "--undo"]);
        runs += 1;
        assert_undone(here, &before, &format!("after {kills} kills"));
    }
    eprintln!("{kills} kills in {runs} cleanings");
}

#[test]
fn cleaning_that_fails_or_is_killed_can_be_undone() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    for kind in ["fail", "kill"] {
        let mut tried = 0;
        for step in steps() {
            let before = photos_to_clean(here);
            let ended = tallow(&CLEAN, here, Some(&format!("{kind}:{step}")));
            let words = said(&ended);
            if !failed_on_demand(&words, step) {
                assert_eq!(ended.status.code(), Some(0), "{words}");
                break;
            }
            tried += 1;
            assert!(ended.status.code() != Some(0) && !words.contains("panicked"), "{kind} {step}: {words}");
            assert_undone(here, &before, &format!("{kind} {step}: {words}"));
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
