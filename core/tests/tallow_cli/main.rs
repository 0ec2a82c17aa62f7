//! The program `tallow`, used as its users use it: train on a folder, predict, evaluate, explain, and what goes wrong.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]
#![cfg(feature = "efficientnet-lite0")]

mod clean;
mod copies;
#[path = "../common/encoder.rs"]
mod encoder;
mod export;
mod folders;
mod multi_label;
mod ratings;
mod runs;
mod segment;
mod serve;
mod serve_kinds;
mod serve_mutations;
mod shards;
mod similar;
mod table;
mod text;

use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tallow::vision::Image;
use tallow_datasets::fashion_mnist::{self, SIDE};

struct Ran {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

fn tallow(args: &[&str], folder: &Path) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallow"));
    command.args(args).current_dir(folder).env_remove("TALLOW_DEVICE").env("HF_HUB_OFFLINE", "1");
    // What this machine's user has fetched makes no difference.
    command.env("HF_HUB_CACHE", folder.join("hub"));
    Ran::from(command.output().unwrap())
}

#[track_caller]
fn fails(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, Some(code), "{}\n{}", ran.stdout, ran.stderr);
    for word in words {
        assert!(ran.stderr.contains(word), "no `{word}` in {}", ran.stderr);
    }
}

/// Sneakers and ankle boots, `n` of each, as files below `folder`.
fn shoes(folder: &Path, n: usize) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for class in ["Sneaker", "Ankle boot"] {
        let all = fashion_mnist::sample().unwrap();
        for (i, product) in all.iter().filter(|product| product.class == class).take(n).enumerate() {
            let picture = Image::from_fn(SIDE, SIDE, |x, y| [255 - product.pixels[y * SIDE + x]; 3]).unwrap();
            files.push(folder.join(class).join(format!("{i:03}.png")));
            picture.save(files.last().unwrap()).unwrap();
        }
    }
    files
}

#[test]
fn from_a_folder_of_photos_to_predictions() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let files = shoes(&here.join("shoes"), 40);
    // What a collection of photos has in it: a damaged file, an empty one, and one that is not a photo.
    let whole = fs::read(&files[0]).unwrap();
    fs::write(here.join("shoes/Sneaker/cut.png"), &whole[..whole.len() / 2]).unwrap();
    fs::write(here.join("shoes/Sneaker/empty.jpg"), "").unwrap();
    fs::write(here.join("shoes/Ankle boot/text.jpg"), "shoes").unwrap();
    fs::create_dir(here.join("shoes/Slipper")).unwrap();

    let checked = tallow(&["check", "shoes"], here);
    fails(&checked, 3, &["3 files that cannot be read"]);
    for words in ["cut.png", "empty.jpg", "text.jpg", "80 of 83 files can be read", "Slipper: the folder is empty"] {
        assert!(checked.stdout.contains(words), "no `{words}` in {}", checked.stdout);
    }
    fails(&tallow(&["train", "shoes", "--out", "o", "--strict", "--size", "64"], here), 3, &["cut.png", "remove it"]);

    let trained = tallow(&["train", "shoes", "--out", "run", "--size", "64", "--epochs", "1"], here);
    assert_eq!(trained.code, Some(0), "{}\n{}", trained.stdout, trained.stderr);
    for words in ["cut.png", "empty.jpg", "text.jpg", "Slipper"] {
        assert!(trained.stderr.contains(words), "no `{words}` in {}", trained.stderr);
    }
    for file in ["model/learner.json", "report.html", "history.csv", "plots/confusion.png", "plots/top_losses.png"] {
        assert!(here.join("run").join(file).is_file(), "{file}");
    }
    let metrics: Value = serde_json::from_str(&fs::read_to_string(here.join("run/metrics.json")).unwrap()).unwrap();
    // Half of the photos are sneakers.
    assert!(metrics["metrics"]["accuracy"].as_f64().unwrap() > 0.75, "{metrics}");

    assert_eq!(metrics["photos"], serde_json::json!({ "train": 64, "valid": 16, "test": 0, "left_out": 3 }));
    assert_eq!(metrics["confusion"]["classes"], serde_json::json!(["Ankle boot", "Sneaker"]));
    let support = |class: &str| metrics["report"][class]["support"].as_u64().unwrap();
    assert_eq!(support("Sneaker") + support("Ankle boot"), 16);
    for name in ["accuracy", "balanced_accuracy", "f1_score", "log_loss", "roc_auc"] {
        assert!(metrics["metrics"][name].is_number(), "{name}: {metrics}");
    }
    let csv = fs::read_to_string(here.join("run/predictions.csv")).unwrap();
    assert!(csv.starts_with("file,class,predicted,loss,Ankle boot,Sneaker\nshoes/"), "{csv}");
    assert_eq!(csv.lines().count(), 17);
    // Every option of the command is in config.json.
    let config: Value = serde_json::from_str(&fs::read_to_string(here.join("run/config.json")).unwrap()).unwrap();
    let help = tallow(&["train", "--help"], here).stdout;
    let words = help.split_whitespace().filter_map(|word| word.strip_prefix("--"));
    let options: Vec<String> = words.filter(|word| !word.contains('`')).map(|word| word.replace('-', "_")).collect();
    assert!(options.iter().any(|option| option == "lr") && options.len() > 15, "{help}");
    // How the program talks and where it writes shapes no result.
    let others = ["json", "quiet", "out", "cpu", "require_target", "help", "quick", "overwrite"];
    for option in options.iter().filter(|option| !others.contains(&option.as_str())) {
        assert!(config.get(option).is_some(), "`{option}` is not in {config}");
    }
    assert_eq!((&config["lr"], &config["arch"]), (&0.002.into(), &"efficientnet_lite0".into()));

    let predicted = tallow(&["predict", "run", "shoes/Sneaker/001.png", "--top", "2"], here);
    assert!(predicted.code == Some(0) && predicted.stdout.contains("shoes/Sneaker/001.png: "), "{}", predicted.stdout);
    assert!(predicted.stdout.contains("Sneaker") && predicted.stdout.contains("Ankle boot"), "{}", predicted.stdout);
    let json = tallow(&["predict", "run/model", "--json", "shoes/Sneaker/001.png", "shoes/Sneaker/empty.jpg"], here);
    fails(&json, 3, &["empty.jpg", "1 of 2 photos"]);
    let lines: Vec<Value> = json.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(lines[0]["classes"][0]["probability"].as_f64().unwrap() > 0.5 && lines[1]["error"].is_string());
    let csv = tallow(&["predict", "run", "--csv", "shoes/Sneaker"], here);
    assert!(csv.stdout.starts_with("file,class,probability,error,strangeness\n") && csv.stdout.lines().count() == 43);

    let evaluated = tallow(&["evaluate", "run", "shoes", "--out", "judged"], here);
    assert_eq!(evaluated.code, Some(0), "{}\n{}", evaluated.stdout, evaluated.stderr);
    assert!(evaluated.stdout.contains("80 photos, 2 classes") && evaluated.stderr.contains("text.jpg"));
    let explained = tallow(&["explain", "run", "shoes/Sneaker/001.png", "--parts", "3"], here);
    assert!(explained.code == Some(0) && here.join("explained.png").is_file(), "{}", explained.stderr);

    // A panorama and a line of pixels: what can be predicted can be explained.
    for (width, height) in [(12_000, 1), (1, 12_000), (9_000, 30)] {
        let photo = Image::from_fn(width, height, |x, y| [(x % 256) as u8, (y % 256) as u8, 128]).unwrap();
        photo.save(here.join("odd.png")).unwrap();
        let predicted = tallow(&["predict", "run", "odd.png"], here);
        assert_eq!(predicted.code, Some(0), "{width} x {height}: {}", predicted.stderr);
        let explained = tallow(&["explain", "run", "odd.png", "--parts", "2", "--out", "odd_explained.png"], here);
        assert_eq!(explained.code, Some(0), "{width} x {height}: {}", explained.stderr);
        assert!(Image::open(here.join("odd_explained.png")).is_ok());
        fs::remove_file(here.join("odd_explained.png")).unwrap();
    }

    // A folder without photos does not keep the others from being predicted.
    fs::create_dir(here.join("empty")).unwrap();
    let some = tallow(&["predict", "run", "shoes/Sneaker/001.png", "empty"], here);
    fails(&some, 3, &["empty: holds no picture", "1 of 2 photos or folders"]);
    assert!(some.stdout.contains("shoes/Sneaker/001.png: "), "{}", some.stdout);
    let json = tallow(&["predict", "run", "--json", "empty", "shoes/Sneaker/001.png"], here);
    assert!(json.code == Some(3) && json.stdout.lines().count() == 2, "{}", json.stdout);
}

#[test]
fn classes_of_different_sizes_are_balanced() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let files = shoes(&here.join("shoes"), 20);
    for file in &files[24..] {
        fs::remove_file(file).unwrap();
    }
    let train = |options: &[&str], out: &str| {
        let args = ["train", "shoes", "--out", out, "--size", "32", "--head-epochs", "2", "--batch-size", "8"];
        tallow(&[&args[..], options].concat(), here)
    };
    let history = |out: &str| fs::read_to_string(here.join(out).join("history.csv")).unwrap();
    fs::write(here.join("weights.csv"), "class,weight\nSneaker,1\nAnkle boot,5\n").unwrap();
    let options: [(&str, &[&str]); 4] = [
        ("plain", &[]),
        ("balanced", &["--class-weights", "balanced"]),
        ("file", &["--class-weights", "weights.csv", "--epochs", "1"]),
        ("drawn", &["--sampler", "weighted", "--epochs", "1"]),
    ];
    for (out, options) in options {
        let ran = train(options, out);
        assert_eq!(ran.code, Some(0), "{out}: {}", ran.stderr);
        assert!(ran.stdout.contains("balanced_accuracy") && ran.stdout.contains("f1_score"), "{}", ran.stdout);
        assert!(out == "plain" || history(out) != history("plain"), "{out} changes nothing");
    }
    // The same seed draws the same photos.
    assert_eq!(train(&["--sampler", "weighted", "--epochs", "1", "--workers", "1"], "again").code, Some(0));
    assert_eq!(history("again"), history("drawn"));
    fs::write(here.join("weights.csv"), "Sneaker,1\nBoot,5\n").unwrap();
    fails(&train(&["--class-weights", "weights.csv"], "o"), 3, &["weights.csv", "`Boot`", "Ankle boot, Sneaker"]);
    fails(&train(&["--class-weights", "nowhere.csv"], "o"), 3, &["nowhere.csv"]);
    fails(&train(&["--sampler", "heavy"], "o"), 2, &["heavy", "weighted"]);
}

#[test]
fn the_line_to_type_is_quoted_for_the_shell() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    shoes(&here.join("shoes"), 4);
    let args = ["train", "shoes", "--out", "it's; mine", "--size", "32", "--head-epochs", "1"];
    let trained = tallow(&args, here);
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let line = trained.stdout.split('`').find(|part| part.starts_with("tallow predict")).unwrap();
    // As a POSIX shell splits it.
    let words = shlex::split(line).unwrap();
    assert_eq!(words, ["tallow", "predict", "it's; mine", "PHOTO..."]);
}

#[test]
fn what_cannot_be_done_is_said_with_the_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    shoes(&here.join("shoes"), 5);
    fails(&tallow(&["train", "nowhere", "--out", "o"], here), 3, &["nowhere"]);
    fails(&tallow(&["train", "shoes/Sneaker", "--out", "o"], here), 3, &["one class only", "Sneaker"]);
    fails(&tallow(&["train", "shoes", "--out", "o", "--lr=-1"], here), 2, &["a number above 0"]);
    fails(&tallow(&["train", "shoes", "--out", "o", "--arch", "resnet35"], here), 2, &["resnet35"]);
    let absent = tallow(&["train", "shoes", "--out", "o", "--arch", "resnet34", "--data-dir", "d", "--offline"], here);
    fails(&absent, 3, &["resnet34"]);
    fails(&tallow(&["predict", "nowhere", "a.jpg"], here), 3, &["learner.json", "is missing"]);
    let photo = "shoes/Sneaker/000.png";
    fails(&tallow(&["predict", "model", photo], here), 3, &["model/learner.json", "is missing"]);
    for command in
        [&["predict", photo, photo][..], &["text", "predict", photo, "text"], &["similar", photo, photo, "."]]
    {
        fails(&tallow(command, here), 3, &["shoes/Sneaker/000.png: is a file; expected an exported model"]);
    }
    fs::create_dir(here.join("model")).unwrap();
    fs::write(here.join("model/learner.json"), "{").unwrap();
    fails(&tallow(&["predict", "model", "a.jpg"], here), 3, &["learner.json"]);
    assert_eq!(tallow(&["fly"], here).code, Some(2));
}

#[test]
fn training_that_is_killed_and_resumed_ends_as_if_nothing_had_been() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    shoes(&here.join("shoes"), 40);
    let args = ["train", "shoes", "--size", "64", "--epochs", "2", "--batch-size", "8", "--checkpoint-every", "0"];
    let undisturbed = tallow(&[&args[..], &["--out", "a"]].concat(), here);
    assert_eq!(undisturbed.code, Some(0), "{}", undisturbed.stderr);

    let checkpoint = here.join("b/checkpoints/network.safetensors");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tallow"));
    command.args(args).args(["--out", "b", "--quiet"]).current_dir(here);
    let mut child = command.spawn().unwrap();
    while !checkpoint.is_file() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended too early");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!here.join("b/metrics.json").exists());
    let resumed = tallow(&[&args[..], &["--out", "b", "--resume"]].concat(), here);
    assert_eq!(resumed.code, Some(0), "{}", resumed.stderr);
    let history = |run: &str| fs::read_to_string(here.join(run).join("history.csv")).unwrap();
    assert_eq!(history("a"), history("b"));
    assert_eq!(
        fs::read(here.join("a/model/model.safetensors")).unwrap(),
        fs::read(here.join("b/model/model.safetensors")).unwrap()
    );
}
