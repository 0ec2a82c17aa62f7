//! Exported models in Python: the programs of `docs/python.md`, run as they stand there.

use crate::{config, files, stripes};
use std::path::Path;
use std::process::Command;
use tallow::models::Arch;
use tallow::train::accuracy;
use tallow::vision_learner::{HeadKind, Pretrained, load_learner, vision_learner};

/// A block of Python on the page.
fn program(number: usize) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/python.md");
    let page = std::fs::read_to_string(page).unwrap();
    page.split("```python\n").nth(number).unwrap().split("```").next().unwrap().to_string()
}

/// Python, if it has these modules; a word about it where it has not.
fn python(modules: &str) -> Option<String> {
    let python = std::env::var("TALLOW_PYTHON").unwrap_or_else(|_| "python3".into());
    let there = Command::new(&python).args(["-c", &format!("import {modules}")]).output();
    if there.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!("skipped: {python} has not all of {modules}; TALLOW_PYTHON names one that has");
    None
}

fn run(python: &str, program: &str, arguments: &[&Path]) -> String {
    let output = Command::new(python).args(["-c", program]).args(arguments).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    said
}

#[test]
fn pytorch_reads_an_exported_model_and_says_the_same() {
    let Some(python) = python("torch, torchvision, safetensors, PIL") else { return };
    let with_timm = self::python("timm").is_some();
    let scratch = tempfile::tempdir().unwrap();
    let weights = scratch.path().join("model/model.safetensors");
    // From scratch, without normalisation; then from these weights, with ImageNet's.
    let runs = [(HeadKind::Published, Pretrained::None), (HeadKind::FastAi, Pretrained::File(weights))];
    for (number, (head, pretrained)) in runs.into_iter().enumerate() {
        let folder = scratch.path().join(["", "further"][number]);
        let dls = stripes(&folder.join("photos"));
        let config = config().pretrained(pretrained).head(head).seed(3).metrics([accuracy()]);
        let mut learner = vision_learner(&dls, Arch::ResNet18, config).unwrap();
        learner.unfreeze().unwrap();
        learner.fit_one_cycle(1, 1e-3).unwrap(); // statistics and weights that are not those of the beginning
        let model = folder.join("model");
        learner.export(&model).unwrap();

        let photos = files(&dls);
        let ours = load_learner(&model).unwrap().predict(&photos).unwrap();
        let arguments: Vec<&Path> =
            std::iter::once(model.as_path()).chain(photos.iter().map(|p| p.as_path())).collect();
        let theirs = run(&python, &program(1), &arguments);
        assert_eq!(theirs.lines().count(), ours.len());
        for (line, ours) in theirs.lines().zip(ours) {
            let theirs: serde_json::Map<String, serde_json::Value> = serde_json::from_str(line).unwrap();
            for (class, ours) in ["across", "down"].into_iter().zip(ours.unwrap().probabilities) {
                let theirs = theirs[class].as_f64().unwrap();
                assert!((theirs - ours).abs() < 1e-4, "{head:?}, {class}: {theirs} in Python, {ours} here");
            }
        }
        if with_timm && head == HeadKind::Published {
            assert_eq!(run(&python, &program(2), &[&model]).trim(), "torch.Size([1, 2])");
        }
    }
}
