//! Chapter 3, run as a reader runs it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use chapter_tests::{Chapter, Finished};
use serde_json::Value;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

fn chapter() -> Chapter {
    Chapter::build("ch03_multiclass_vision")
}

fn metrics(out: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(out.join("metrics.json")).unwrap()).unwrap()
}

/// The verdicts on all figures of a row of the table.
fn verdicts(metrics: &Value, what: &str) -> Vec<String> {
    let rows = metrics["comparisons"].as_array().unwrap().iter();
    let mine = rows.filter(|row| row["what"].as_str().unwrap().starts_with(what));
    mine.map(|row| row["verdict"].as_str().unwrap().to_string()).collect()
}

fn number(metrics: &Value, name: &str) -> f64 {
    metrics["metrics"][name].as_f64().unwrap_or_else(|| panic!("no metric `{name}`: {}", metrics["metrics"]))
}

#[test]
fn a_quick_run_shows_the_lectures_figures_and_classify_reads_files_folders_and_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let run = chapter().run(&["--quick", "--out", &out]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    let metrics = metrics(folder.path());

    // scikit-learn's printed figures, digit for digit.
    for row in ["raw scores of [0, -7]", "predict_proba of [0, -7]", "coefficient shape", "intercept shape"] {
        let verdicts = verdicts(&metrics, row);
        assert!(!verdicts.is_empty() && verdicts.iter().all(|verdict| verdict == "same"), "{row}: {verdicts:?}");
    }
    for row in ["lr.coef_", "lr.intercept_", "raw scores, all digits", "predict_proba, all digits"] {
        let verdicts = verdicts(&metrics, row);
        assert!(!verdicts.is_empty() && verdicts.iter().all(|v| v == "same" || v == "as good"), "{row}: {verdicts:?}");
    }
    assert!(number(&metrics, "corners_network") > 0.9 && number(&metrics, "corners_line") < 0.7);
    // To logistic regression, pixels in another order are the same pixels.
    assert_eq!(number(&metrics, "flattened_valid"), number(&metrics, "shuffled_valid"));
    assert!(number(&metrics, "features_valid") > number(&metrics, "dummy_valid"));

    let plots = "points ovr_lines test_points ovr_regions ovr_probabilities ovo_lines ovo_regions twenty_classes \
                 wrappers multinomial graph_logistic graph_one_hidden_layer graph_two_hidden_layers corners \
                 training_images flattened coefficients out_of_the_box training_images_in_colour doing_it_right \
                 confusion top_losses zoo";
    for name in plots.split_whitespace() {
        let png = fs::read(folder.path().join(format!("plots/{name}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG") && png.len() > 1000, "{name}.png");
    }
    for words in ["stands in", "18.2 B", "evaluation mode"] {
        let report = fs::read_to_string(folder.path().join("report.html")).unwrap();
        assert!(report.contains(words), "no `{words}` in the report");
    }

    chapter_tests::check_code(&fs::read_to_string(folder.path().join("report.html")).unwrap(), 40);

    // The photos that the run has written.
    let coats = folder.path().join("photos/valid/Coat");
    let coat = fs::read_dir(&coats).unwrap().next().unwrap().unwrap().path();
    let run = chapter().run(&["classify", "--top", "3", &coat.display().to_string()]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 4), "{}\n{}", run.stdout, run.stderr);
    let run = chapter().run(&["classify", "--json", &coats.display().to_string()]);
    let lines: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((run.code, lines.len(), lines[0]["classes"].as_array().unwrap().len()), (Some(0), 50, 4));

    let mut command = chapter().command(&["classify", "--json", "-"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(&coat).unwrap()).unwrap();
    let piped = Finished::from(child.wait_with_output().unwrap());
    let piped: Value = serde_json::from_str(piped.stdout.trim()).unwrap();
    let same = lines.iter().find(|line| line["file"].as_str() == coat.to_str()).unwrap();
    assert_eq!(piped["classes"], same["classes"]);

    // One bad photo does not keep the others from being judged.
    let bad = folder.path().join("bad.jpg");
    fs::write(&bad, "no picture").unwrap();
    let run = chapter().run(&["classify", &bad.display().to_string(), &coat.display().to_string()]);
    run.assert_fails(3, &["bad.jpg", "is not a picture", "1 of 2 photos"]);
    assert!(run.stdout.contains("Coat"), "{}", run.stdout);
    chapter().run(&["classify"]).assert_fails(2, &["PHOTO"]);
    chapter().run(&["classify", "--arch", "mynet", "x.jpg"]).assert_fails(2, &["mynet"]);
}

#[test]
fn folders_that_are_no_photos_are_exit_code_3_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out").display().to_string();
    let refuses = |data: &Path, words: &[&str]| {
        let data = data.display().to_string();
        chapter().run(&["--quick", "--data", &data, "--out", &out]).assert_fails(3, words);
    };
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    refuses(&data, &["data", "holds no picture"]);
    fs::create_dir_all(data.join("train/cat")).unwrap();
    refuses(&data, &["train", "no picture"]);
    // A grey PNG of one pixel, from Pillow.
    let png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\0\0\0\0:~\x9bU\0\0\0\n\
        IDATx\x9cch\0\0\0\x82\0\x81w\xcdr\xb6\0\0\0\0IEND\xaeB`\x82";
    fs::write(data.join("train/cat/a.png"), png).unwrap();
    refuses(&data, &["has no folder `valid`"]);
    fs::create_dir_all(data.join("valid/cow")).unwrap();
    fs::write(data.join("valid/cow/a.png"), png).unwrap();
    refuses(&data, &["1 class"]);
    fs::create_dir_all(data.join("train/dog")).unwrap();
    fs::write(data.join("train/dog/a.png"), png).unwrap();
    let run = chapter().run(&["--quick", "--data", &data.display().to_string(), "--out", &out]);
    run.assert_fails(3, &["valid/cow/a.png", "no class to train with (cat, dog)"]);
    chapter()
        .run(&["--arch", "resnet18", "--offline", "--out", &out, "--data-dir", &out])
        .assert_fails(3, &["resnet18"]);
}

/// The lecture's own photos: pixels as scikit-learn has them on the same files, and what EfficientNet-Lite0 makes of
/// them.
#[test]
fn animal_faces_give_the_lectures_figures_and_all_mistakes_are_big_cats() {
    let photos = Path::new("../../shared/data/animal_faces");
    let demo = Path::new("../../shared/data/vgg_demo");
    if !photos.is_dir() || !demo.is_dir() {
        println!("skipped: ../shared/data/animal_faces or vgg_demo is not there");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (out, photos, demo) =
        (folder.path().display().to_string(), photos.display().to_string(), demo.display().to_string());
    let run = chapter().run(&["--data", &photos, "--photos", &demo, "--out", &out]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    let metrics = metrics(folder.path());
    assert_eq!(number(&metrics, "dummy_valid"), 1.0 / 3.0);
    assert_eq!((number(&metrics, "flattened_train"), number(&metrics, "flattened_valid")), (1.0, 2.0 / 3.0));
    // PyTorch's same network: 0.8733, every cat and dog right, 19 of 50 wild ones wrong.
    assert!(number(&metrics, "features_valid") >= 0.873, "{}", metrics["metrics"]);
    assert_eq!((number(&metrics, "valid_cat"), number(&metrics, "valid_dog")), (1.0, 1.0));
    assert!(number(&metrics, "worst_class_mistakes") <= 19.0);
    assert_eq!(number(&metrics, "worst_class_mistakes"), number(&metrics, "mistakes_of_unseen_kinds"));
    for words in ["cheetah", "tiger cat", "Walker hound", "snow leopard"] {
        assert!(run.stdout.contains(words), "no `{words}` in {}", run.stdout);
    }
}
