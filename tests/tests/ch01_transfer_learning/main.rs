//! Chapter 1, run as a reader runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod resume;

use chapter_tests::Chapter;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tallow::report::Run;

fn chapter() -> Chapter {
    Chapter::build("ch01_transfer_learning")
}

fn metrics(out: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(out.join("metrics.json")).unwrap()).unwrap()
}

#[test]
fn a_quick_run_trains_in_three_ways_and_leaves_a_model() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let run = chapter().run(&["--quick", "--out", &out]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    for words in ["_conv_stem", "the new final layer", "has been unfrozen", "best val Acc", "vehicle"] {
        assert!(run.stdout.to_lowercase().contains(&words.to_lowercase()), "no `{words}` in {}", run.stdout);
    }
    for name in ["training_images", "predictions", "ways", "accuracy", "confusion", "top_losses"] {
        let png = fs::read(folder.path().join(format!("plots/{name}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG") && png.len() > 1000, "{name}.png");
    }
    for name in ["model/learner.json", "model/model.safetensors", "report.html", "history.csv"] {
        assert!(fs::metadata(folder.path().join(name)).unwrap().len() > 0, "{name}");
        assert!(Run::wrote(folder.path(), name), "the next run would leave {name}");
    }
    chapter_tests::check_code(&fs::read_to_string(folder.path().join("report.html")).unwrap(), 10);
    let metrics = metrics(folder.path());
    assert!(metrics["comparisons"].as_array().unwrap().len() >= 4);
}

#[test]
fn missing_weights_and_photos_are_exit_code_3_with_the_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let run = chapter().run(&["--arch", "resnet34", "--offline", "--data-dir", &out, "--out", &out]);
    run.assert_fails(3, &["resnet34", "weights/resnet34.safetensors"]);
    let empty = folder.path().join("empty").display().to_string();
    fs::create_dir(&empty).unwrap();
    chapter().run(&["--data", &empty, "--out", &out]).assert_fails(3, &["empty"]);
    let none = folder.path().join("none").display().to_string();
    let run = chapter().run(&["--data", &none, "--out", &out]);
    assert!(run.code != Some(0) && run.stderr.contains("none"), "{}", run.stderr);
    chapter().run(&["--arch", "mynet", "--out", &out]).assert_fails(2, &["mynet", "efficientnet_lite0"]);
}

/// The goal of the fast way: 600 cats and 600 dogs.
#[test]
fn cats_and_dogs_with_a_frozen_body_reach_98_per_cent() {
    let photos = Path::new("../../shared/data/cats_dogs");
    if !photos.is_dir() {
        println!("skipped: ../shared/data/cats_dogs is not there");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (out, photos) = (folder.path().display().to_string(), photos.display().to_string());
    let run = chapter().run(&["--data", &photos, "--only", "features", "--out", &out]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    let metrics = metrics(folder.path());
    let accuracy = metrics["metrics"]["last_layer_accuracy"].as_f64().unwrap();
    assert!(accuracy >= 0.98, "{accuracy}");
}

/// The source's network, from a file that a user has put where weights are looked for. Its numbers are drawn at
/// random here, so nothing is said of its accuracy.
#[test]
fn resnet34_is_used_as_soon_as_its_weights_are_on_this_machine() {
    use tallow::models::{Arch, weights::save};
    use tallow::{nn::Params, rng::Rng};
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data/weights/resnet34.safetensors");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    let params = Params::new(&Rng::new(1), &candle_core::Device::Cpu);
    Arch::ResNet34.build(1000, &params).unwrap();
    save(&params, &file, &Default::default()).unwrap();
    let (data, out) =
        (folder.path().join("data").display().to_string(), folder.path().join("out").display().to_string());
    let run = chapter().run(&[
        "--arch",
        "resnet34",
        "--quick",
        "--size",
        "64",
        "--data-dir",
        &data,
        "--offline",
        "--out",
        &out,
    ]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    for words in ["resnet34: ", "conv1", "layer4", "fc", "layer3 has been unfrozen.", "layer4 has been unfrozen."] {
        assert!(run.stdout.contains(words), "no `{words}` in {}", run.stdout);
    }
}
