//! Chapter 4, as a reader runs it: what it leaves, and that its figures are the printed ones.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod refuses;
mod resume;

use chapter_tests::{Chapter, Finished};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// A quick run with the default seed, threads and workers, that nobody disturbed: shared by all tests.
fn quick() -> &'static (tempfile::TempDir, Finished) {
    static RUN: OnceLock<(tempfile::TempDir, Finished)> = OnceLock::new();
    RUN.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("out").display().to_string();
        let none = folder.path().join("no data").display().to_string();
        let run = Chapter::build("ch04_mnist").run(&["--quick", "--out", &out, "--data-dir", &none]);
        assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
        (folder, run)
    })
}

fn read(name: &str) -> String {
    let file = quick().0.path().join("out").join(name);
    fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

fn metrics() -> Value {
    serde_json::from_str(&read("metrics.json")).unwrap()
}

/// The measured figure of the row `what`.
fn measured(metrics: &Value, what: &str) -> f64 {
    let rows = metrics["comparisons"].as_array().unwrap();
    let row = rows.iter().find(|row| row["what"] == what).unwrap_or_else(|| panic!("no row `{what}`"));
    row["measured"].as_f64().unwrap()
}

#[test]
fn deterministic_figures_agree_in_every_printed_digit() {
    let metrics = metrics();
    let printed = [
        ("len(threes)", "6131"),
        ("len(sevens)", "6265"),
        ("dist_3_abs", "0.1114"),
        ("dist_3_sqr", "0.2021"),
        ("dist_7_abs", "0.1586"),
        ("dist_7_sqr", "0.3021"),
        ("accuracy_3s", "0.9168"),
        ("accuracy_7s", "0.9854"),
        ("(accuracy_3s + accuracy_7s) / 2", "0.9511"),
        ("xt.grad at 3", "6.0000"),
        ("mnist_loss(prds, trgts)", "0.4333"),
    ];
    for (what, digits) in printed {
        let decimals = digits.split_once('.').map_or(0, |(_, decimals)| decimals.len());
        assert_eq!(format!("{:.decimals$}", measured(&metrics, what)), digits, "{what}");
    }
    for (i, figure) in [6.0, 8.0, 20.0].into_iter().enumerate() {
        assert_eq!(measured(&metrics, &format!("xt.grad at [3, 4, 10] ({} of 3)", i + 1)), figure);
    }
    let row = |row: usize| -> Vec<f64> {
        let at = |i: usize| format!("array(im3)[4:10, 4:10] ({} of 36)", 6 * (row - 4) + i);
        (1..=6).map(|i| measured(&metrics, &at(i))).collect()
    };
    assert_eq!(row(6), [0.0, 0.0, 0.0, 48.0, 166.0, 224.0]);
    assert_eq!(row(7), [0.0, 93.0, 244.0, 249.0, 253.0, 187.0]);
}

#[test]
fn every_figure_that_can_be_judged_is_good_and_every_section_has_rows() {
    let metrics = metrics();
    let rows = metrics["comparisons"].as_array().unwrap();
    let bad: Vec<&Value> = rows.iter().filter(|row| row["verdict"] == "worse").collect();
    assert!(bad.is_empty(), "{bad:#?}");
    let exact = |row: &&Value| row["expect"] == "exact" || row["expect"].as_str().unwrap().starts_with("within");
    let judged = rows.iter().filter(exact).filter(|row| row["verdict"] != "not judged").count();
    assert_eq!(judged, rows.iter().filter(exact).count());
    assert!(judged > 100, "{judged}");
    // Twenty epochs by hand, twenty with each optimizer, three columns of ten and of forty epochs.
    for (what, n) in [
        ("accuracy by hand, epochs 2 to 21", 20),
        ("accuracy with BasicOptim, epochs 1 to 20", 20),
        ("accuracy with SGD, epochs 1 to 20", 20),
        ("Learner.fit(10): valid_loss", 10),
        ("simple_net: batch_accuracy", 40),
        ("losses of apply_step", 10),
    ] {
        assert_eq!(rows.iter().filter(|row| row["series"] == what).count(), n, "{what}");
    }
    assert_eq!(metrics["version"], 1);
    assert_eq!((&metrics["chapter"], &metrics["quick"]), (&Value::from("ch04_mnist"), &Value::from(true)));
    for target in metrics["targets"].as_array().unwrap() {
        assert_eq!(target["met"], true, "{target}");
    }
}

#[test]
fn the_run_folder_is_complete_and_its_page_stands_alone() {
    let out = quick().0.path().join("out");
    for name in ["config.json", "transcript.txt", "history.csv", "simple_net.safetensors"] {
        assert!(fs::metadata(out.join(name)).unwrap().len() > 0, "{name}");
        assert!(tallow::report::Run::wrote(&out, name), "the next run would leave {name}");
    }
    let plots = [
        "pixels_of_a_three",
        "a_three",
        "ideal_digits",
        "a_3",
        "threes_taken_for_sevens",
        "slope",
        "learning_rates",
        "roller_coaster",
        "first_guess",
        "after_one_step",
        "roller_coaster_steps",
        "sigmoid",
        "by_hand",
        "weights_by_hand",
        "optimizers",
        "weights",
        "relu",
        "simple_net",
        "top_losses",
        "first_layer",
        "resnet18_training",
        "resnet18_confusion",
    ];
    for plot in plots {
        let png = fs::read(out.join(format!("plots/{plot}.png"))).unwrap();
        assert!(png.starts_with(b"\x89PNG") && png.len() > 1000, "{plot}.png");
        let svg = read(&format!("plots/{plot}.svg"));
        assert!(svg.contains("<svg") && svg.trim_end().ends_with("</svg>"), "{plot}.svg");
    }
    let page = read("report.html");
    assert_eq!(page.matches("<figure").count(), plots.len());
    for outside in ["src=\"http", "href=\"http", "url(http", "<script src", "<link"] {
        assert!(!page.contains(outside), "the page is not self-contained: {outside}");
    }
    chapter_tests::check_code(&page, 60);
    let history = read("history.csv");
    assert_eq!(history.lines().next(), Some("fit,epoch,train_loss,valid_loss,batch_accuracy,accuracy"));
    assert_eq!(history.lines().count(), 1 + 10 + 10 + 1);
    let config: Value = serde_json::from_str(&read("config.json")).unwrap();
    assert_eq!(config["seed"], 42);
    let partial = |folder: &Path| {
        fs::read_dir(folder).unwrap().any(|e| e.unwrap().path().extension().is_some_and(|x| x == "tmp"))
    };
    assert!(!partial(&out) && !partial(&out.join("plots")));
}

#[test]
fn results_go_to_stdout_without_bars_and_the_missing_data_are_named_with_their_command() {
    let run = &quick().1;
    for words in ["0.9511", "Printed and measured", "epoch  train_loss", "cargo xtask fetch-data --only mnist"] {
        assert!(run.stdout.contains(words), "no `{words}`");
    }
    assert!(!run.stdout.contains('\u{1b}') && !run.stdout.contains('\r'));
    assert!(!run.stderr.contains('\u{1b}') && run.stderr.contains("device: cpu"), "{}", run.stderr);
}

#[test]
fn another_seed_is_another_run_and_json_is_one_object() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let run =
        Chapter::build("ch04_mnist").run(&["--quick", "--json", "--seed", "7", "--out", &out, "--data-dir", &out]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let json: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(json["chapter"], "ch04_mnist");
    assert_eq!(measured(&json, "dist_3_abs"), measured(&metrics(), "dist_3_abs"));
    assert_ne!(fs::read_to_string(folder.path().join("history.csv")).unwrap(), read("history.csv"));
}

/// With the real data and time to spare: the goals of the full chapter.
#[test]
fn the_full_chapter_reaches_its_goals() {
    let data = std::env::var_os("TALLOW_DATA_DIR").map_or("../../shared/data".into(), std::path::PathBuf::from);
    if std::env::var_os("TALLOW_SLOW").is_none() || !data.join("mnist").is_dir() {
        println!(
            "skipped: the full chapter takes minutes and wants all of MNIST; set TALLOW_SLOW=1 and TALLOW_DATA_DIR"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (out, data) = (folder.path().display().to_string(), data.display().to_string());
    let run = Chapter::build("ch04_mnist").run(&["--require-target", "--out", &out, "--data-dir", &data]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    let metrics: Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("metrics.json")).unwrap()).unwrap();
    assert_eq!(metrics["targets"].as_array().unwrap().len(), 3);
}
