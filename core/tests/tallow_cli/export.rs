//! `tallow export`: a file for other programs, and its card.

use crate::{fails, shoes, tallow};
use std::fs;

#[test]
fn a_model_becomes_a_file_and_a_card() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    shoes(&here.join("shoes"), 12);
    let trained = tallow(&["train", "shoes", "--out", "run", "--size", "64", "--head-epochs", "1"], here);
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let export = |more: &[&str]| tallow(&[&["export", "run", "--onnx", "shoes.onnx"], more].concat(), here);
    let done = export(&[]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    for words in ["images float32 [batch, 3, 64, 64]", "probabilities float32 [batch, 2]", "differs from the model by"]
    {
        assert!(done.stdout.contains(words), "no `{words}` in {}", done.stdout);
    }
    let file = fs::read(here.join("shoes.onnx")).unwrap();
    let text = String::from_utf8_lossy(&file);
    for words in ["[\"Ankle boot\",\"Sneaker\"]", "center_crop", "apply the EXIF orientation", "Conv"] {
        assert!(text.contains(words), "no `{words}` in the file");
    }
    let card = fs::read_to_string(here.join("shoes.md")).unwrap();
    for words in ["1. `Sneaker`", "photos in shoes", "| accuracy |", "Apache License 2.0", "onnxruntime", "Seed 42."] {
        assert!(card.contains(words), "no `{words}` in {card}");
    }

    // Nothing is replaced unasked; half the bytes, if asked for; another size.
    fails(&export(&["--half"]), 2, &["shoes.onnx", "--overwrite"]);
    assert_eq!(fs::read(here.join("shoes.onnx")).unwrap(), file);
    let small = export(&["--half", "--pixels", "--size", "96x128", "--overwrite"]);
    assert!(small.stdout.contains("pixels uint8 [batch, 96, 128, 3]"), "{}{}", small.stdout, small.stderr);
    assert!(fs::metadata(here.join("shoes.onnx")).unwrap().len() < file.len() as u64 * 11 / 20);
    fails(&export(&["--size", "0", "--overwrite"]), 2, &["pixels"]);
    fails(&tallow(&["export", "gone", "--onnx", "gone.onnx"], here), 3, &["gone"]);
    assert!(!here.join("gone.onnx").exists() && !here.join("gone.md").exists());
}
