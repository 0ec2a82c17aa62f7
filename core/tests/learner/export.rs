//! Exported models: written whole, read whole, refused in words.

use crate::common::{assert_same_bits, values};
use crate::{learner, weights};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use tallow::Error;
use tallow::train::export::{Exported, export, load};

fn exported(seed: u64) -> Exported {
    Exported {
        kind: "image_classifier".into(),
        recipe: json!({
            "arch": "resnet18", "head": "fastai", "transforms": [{ "resize": 224 }, { "normalize": [0.485, 0.229] }]
        }),
        vocab: vec!["ant".into(), "bee".into(), "wäsp \"x\"".into()],
        metrics: BTreeMap::from([("accuracy".into(), 0.1 + 0.2), ("odd".into(), f64::NAN)]),
        weights: learner(seed, 0).params().state_dict().unwrap(),
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_is_exported_is_loaded() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("models/mine");
    export(&folder, &exported(1)).unwrap();
    assert_eq!(names(&folder), ["learner.json", "model.safetensors"]);
    assert_eq!(names(&place.path().join("models")), ["mine"]);
    let (back, want) = (load(&folder).unwrap(), exported(1));
    assert_eq!((back.kind, back.recipe, back.vocab), (want.kind, want.recipe, want.vocab));
    assert_eq!(back.metrics["accuracy"], 0.1 + 0.2);
    assert!(back.metrics["odd"].is_nan());
    let fresh = learner(2, 0);
    fresh.params().load_state_dict(&back.weights).unwrap();
    assert_same_bits("weights", &weights(fresh.params()), &weights(learner(1, 0).params()));

    // The notes are for people too, and any safetensors reader reads the weights.
    let notes = std::fs::read_to_string(folder.join("learner.json")).unwrap();
    let json: Value = serde_json::from_str(&notes).unwrap();
    assert!(notes.lines().count() > 10 && notes.contains("wäsp"));
    assert_eq!((&json["format"], &json["tallow"]), (&json!(2), &json!(env!("CARGO_PKG_VERSION"))));
    let file = folder.join("model.safetensors");
    let tensors = candle_core::safetensors::load(&file, &candle_core::Device::Cpu).unwrap();
    assert!(want.weights.iter().all(|(name, tensor)| values(&tensors[name]) == values(tensor)));
}

#[test]
fn an_export_replaces_an_older_one_and_nothing_else() {
    let place = tempfile::tempdir().unwrap();
    export(place.path(), &exported(1)).unwrap();
    std::fs::write(place.path().join("README.md"), "mine").unwrap();
    export(place.path(), &exported(2)).unwrap();
    assert_eq!(names(place.path()), ["README.md", "learner.json", "model.safetensors"]);
    let back = load(place.path()).unwrap();
    let fresh = learner(3, 0);
    fresh.params().load_state_dict(&back.weights).unwrap();
    assert_same_bits("weights", &weights(fresh.params()), &weights(learner(2, 0).params()));
    // Where nothing can be written the old export stays.
    let file = place.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    assert!(export(&file, &exported(1)).is_err());
    assert_eq!(std::fs::read(&file).unwrap(), b"not a folder");
}

#[track_caller]
fn refuses(folder: &Path, file: &str, words: &[&str]) {
    let error = load(folder).unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, Error::File { .. }) && tallow::cli::exit_code(&error) == 3, "{message}");
    assert!(message.starts_with(&folder.join(file).display().to_string()), "{message}");
    assert!(words.iter().all(|word| message.contains(word)), "{message} does not say {words:?}");
}

#[test]
fn damaged_and_newer_folders_are_refused() {
    let place = tempfile::tempdir().unwrap();
    let (folder, other) = (place.path().join("a"), place.path().join("b"));
    refuses(&folder, "learner.json", &["is missing", "export"]);
    export(&folder, &exported(1)).unwrap();
    export(&other, &exported(2)).unwrap();
    let (model, notes) = (folder.join("model.safetensors"), folder.join("learner.json"));
    let (whole, text) = (std::fs::read(&model).unwrap(), std::fs::read_to_string(&notes).unwrap());

    std::fs::remove_file(&model).unwrap();
    refuses(&folder, "model.safetensors", &["is missing"]);
    std::fs::write(&model, &whole[..whole.len() - 1]).unwrap();
    refuses(&folder, "model.safetensors", &["is not the file that learner.json describes", "export the model again"]);
    let mut flipped = whole.clone();
    *flipped.last_mut().unwrap() ^= 1;
    std::fs::write(&model, flipped).unwrap();
    refuses(&folder, "model.safetensors", &["other contents"]);
    // Another model's weights, of the same size: a machine that stopped between two renames would leave this.
    std::fs::copy(other.join("model.safetensors"), &model).unwrap();
    refuses(&folder, "model.safetensors", &["of another model"]);
    std::fs::write(&model, &whole).unwrap();

    let with = |from: &str, to: &str| {
        assert!(text.contains(from));
        std::fs::write(&notes, text.replace(from, to)).unwrap();
    };
    std::fs::write(&notes, &text[..text.len() / 2]).unwrap();
    refuses(&folder, "learner.json", &["damaged", "not JSON"]);
    with("\"vocab\"", "\"words\"");
    refuses(&folder, "learner.json", &["damaged", "vocab"]);
    with("\"format\": 2", "\"format\": 3");
    refuses(&folder, "learner.json", &["format 3", "reads formats up to 2", "update"]);
    for odd in ["\"format\": 0", "\"format\": \"2\"", "\"shape\": 2"] {
        with("\"format\": 2", odd);
        refuses(&folder, "learner.json", &["not the description of an exported model"]);
    }
    // Weights that the hash vouches for, but that are not safetensors file.
    let garbage = b"garbage";
    let digest = tallow_io::hash::bytes(garbage);
    let mut json: Value = serde_json::from_str(&text).unwrap();
    json["weights"] = json!({ "file": "model.safetensors", "bytes": digest.bytes, "sha256": digest.sha256 });
    std::fs::write(&notes, json.to_string()).unwrap();
    std::fs::write(&model, garbage).unwrap();
    refuses(&folder, "model.safetensors", &["not a whole safetensors file", "export the model again"]);
    // People may mend what they can read.
    std::fs::write(&model, &whole).unwrap();
    with("\"ant\"", "\"emmet\"");
    assert_eq!(load(&folder).unwrap().vocab[0], "emmet");
}

#[test]
fn folders_of_the_first_format_still_load() {
    let place = tempfile::tempdir().unwrap();
    export(place.path(), &exported(1)).unwrap();
    let notes = place.path().join("learner.json");
    let mut json: Value = serde_json::from_str(&std::fs::read_to_string(&notes).unwrap()).unwrap();
    let recipe = json["recipe"].take();
    // As Tallow wrote it before learners had kinds.
    let first = json!({
        "format": 1, "tallow": "0.1.0", "arch": recipe["arch"], "build": { "head": recipe["head"] },
        "vocab": json["vocab"], "transforms": recipe["transforms"],
        "metrics": json["metrics"], "weights": json["weights"],
    });
    std::fs::write(&notes, first.to_string()).unwrap();
    let back = load(place.path()).unwrap();
    assert_eq!((back.kind.as_str(), back.recipe), ("image_classifier", recipe));
    assert_eq!(back.vocab, exported(1).vocab);
}
