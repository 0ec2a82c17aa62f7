//! Photos that may show several classes, from the command line.

use crate::{Ran, fails, tallow};
use serde_json::Value;
use std::fs;
use std::path::Path;
use tallow::vision::Image;

/// Forty pictures with stripes across, stripes down, both or neither, and a table that says so; the last ten are the
/// test set.
fn pictures(here: &Path) {
    let mut table = String::from("file,shows,split\n");
    for i in 0..40 {
        let (across, down) = (i % 2 == 1, i / 2 % 2 == 1);
        let picture = Image::from_fn(64, 64, |x, y| {
            let dark = (across && y < 32 && y / 4 % 2 == 0) || (down && y >= 32 && x / 4 % 2 == 0);
            [if dark { 20 + i as u8 } else { 210 - i as u8 }; 3]
        });
        picture.unwrap().save(here.join(format!("photos/{i:02}.png"))).unwrap();
        let names: Vec<&str> = [(across, "stripes across"), (down, "stripes down")]
            .iter()
            .filter(|(is, _)| *is)
            .map(|(_, n)| *n)
            .collect();
        table += &format!("{i:02}.png,{},{}\n", names.join(";"), if i < 30 { "train" } else { "test" });
    }
    fs::write(here.join("labels.csv"), table).unwrap();
}

fn ran(here: &Path, args: &[&str]) -> Ran {
    let labels = ["photos", "--labels", "labels.csv", "--label-column", "shows", "--multi-label", ";"];
    tallow(&[args, &labels].concat(), here)
}

#[test]
fn photos_with_several_classes_are_trained_on_evaluated_and_predicted() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    pictures(here);
    let trained = ran(here, &["train", "--out", "run", "--size", "64", "--head-epochs", "20"]);
    assert_eq!(trained.code, Some(0), "{}\n{}", trained.stdout, trained.stderr);
    let metrics: Value = serde_json::from_str(&fs::read_to_string(here.join("run/metrics.json")).unwrap()).unwrap();
    for name in ["mean_average_precision", "macro_f1", "subset_accuracy", "test_mean_average_precision"] {
        let value = metrics["metrics"][name].as_f64().unwrap();
        assert!((0.5..=1.0).contains(&value), "{name} {value}");
    }
    let tests = fs::read_to_string(here.join("run/test_predictions.csv")).unwrap();
    assert!(tests.lines().count() == 11 && tests.contains("photos/39.png"), "{tests}");
    assert!(here.join("run/plots/average_precision.png").is_file() && here.join("run/model/learner.json").is_file());

    // Judged by the test set, as the table says.
    let judged = ran(here, &["evaluate", "run", "--out", "judged"]);
    assert!(judged.stdout.contains("10 photos, 2 classes, of which a photo may show several"), "{}", judged.stdout);
    let test = |run: &str, name: &str| -> f64 {
        let text = fs::read_to_string(here.join(run).join("metrics.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["metrics"][name].as_f64().unwrap()
    };
    let (one, other) = (test("run", "test_mean_average_precision"), test("judged", "mean_average_precision"));
    assert!((one - other).abs() < 1e-12, "{one} {other}");

    let predicted = tallow(&["predict", "run", "photos", "--json"], here);
    assert_eq!(predicted.code, Some(0), "{}", predicted.stderr);
    let numbers: Vec<usize> = predicted
        .stdout
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["classes"].as_array().unwrap().len())
        .collect();
    assert!(numbers.len() == 40 && numbers.contains(&0) && numbers.contains(&2), "{numbers:?}");
    let text = tallow(&["predict", "run", "photos/00.png", "photos/03.png"], here);
    assert!(text.stdout.contains("03.png: stripes "), "{}", text.stdout);
    assert!(tallow(&["explain", "run", "photos/03.png", "--parts", "2"], here).code == Some(0));

    let folds = ran(here, &["train", "--out", "folds", "--size", "32", "--head-epochs", "1", "--folds", "2"]);
    assert!(folds.stdout.contains("mean_average_precision 0."), "{}\n{}", folds.stdout, folds.stderr);
    fails(&tallow(&["train", "photos", "--multi-label", "--out", "o"], here), 2, &["--labels"]);
}
