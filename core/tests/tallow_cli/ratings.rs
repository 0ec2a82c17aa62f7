//! Ratings, from a table to recommendations.

use super::{fails, tallow};
use serde_json::Value;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Ratings from 1 to 5 whose truth is known: users like the films of their number's parity.
fn films(folder: &Path) {
    let mut ratings = String::from("user,film,stars\n");
    for pair in 0..50 * 30 {
        let (user, film) = (pair / 30, pair % 30);
        if (pair * 7919 / 8) % 10 < 7 {
            let taste = if (user + film) % 2 == 0 { 4.0 } else { 2.0 };
            writeln!(ratings, "{user},{film},{:.1}", taste + f64::from(film % 2)).unwrap();
        }
    }
    fs::write(folder.join("ratings.csv"), ratings).unwrap();
    let titles = (0..30).fold(String::from("film,title\n"), |text, film| format!("{text}{film},Part {film}\n"));
    fs::write(folder.join("films.csv"), titles).unwrap();
}

const SMALL: [&str; 10] = ["--factors", "4", "--epochs", "6", "--lr", "0.03", "--batch-size", "16", "--wd", "0.01"];

#[test]
fn from_ratings_to_recommendations() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    films(here);
    let train = ["ratings", "ratings.csv", "--titles", "films.csv", "--out", "run"];
    let trained = tallow(&[&train[..], &SMALL].concat(), here);
    assert_eq!(trained.code, Some(0), "{}\n{}", trained.stdout, trained.stderr);
    assert!(trained.stdout.contains("better than biases alone") && trained.stdout.contains("NDCG@10"));
    let files = ["model/learner.json", "report.html", "history.csv", "predictions.csv", "config.json"];
    let plots = ["plots/batch.png", "plots/losses.png", "plots/biases.png", "plots/items.png"];
    for file in files.iter().chain(&plots) {
        assert!(here.join("run").join(file).is_file(), "{file}");
    }
    let json =
        |file: &str| -> Value { serde_json::from_slice(&fs::read(here.join("run").join(file)).unwrap()).unwrap() };
    let (metrics, config) = (json("metrics.json"), json("config.json"));
    let metric = |name: &str| metrics["metrics"][name].as_f64().unwrap();
    assert!(metric("valid_mse") < 0.3 * metric("baseline_mse"), "{metrics}");
    assert!(metric("baseline_mse") < metric("constant_mse"), "{metrics}");
    assert!(metric("ndcg_at_10") > metric("baseline_ndcg_at_10"), "{metrics}");
    assert_eq!(metrics["ratings"]["users"], 50);
    // Every option of the command is in config.json.
    let help = tallow(&["ratings", "train", "--help"], here).stdout;
    let words = help.split_whitespace().filter_map(|word| word.strip_prefix("--"));
    let options = words.filter(|word| !word.contains('`')).map(|word| word.replace('-', "_"));
    let others = ["json", "quiet", "out", "cpu", "require_target", "help", "quick", "overwrite"];
    for option in options.filter(|option| !others.contains(&option.as_str())) {
        assert!(config.get(&option).is_some(), "`{option}` is not in {config}");
    }
    let csv = fs::read_to_string(here.join("run/predictions.csv")).unwrap();
    assert!(csv.starts_with("row,user,film,name,rating,predicted\n"), "{csv}");

    let top = tallow(&["ratings", "predict", "run", "--user", "3", "--top", "4"], here);
    assert!(top.code == Some(0) && top.stdout.lines().count() == 4 && top.stdout.contains("Part "), "{}", top.stdout);
    let json = tallow(&["ratings", "predict", "run/model", "--user", "3", "--top", "2", "--json"], here);
    let first: Value = serde_json::from_str(json.stdout.lines().next().unwrap()).unwrap();
    assert!(first["rating"].is_number() && first["name"].as_str().unwrap().starts_with("Part "), "{first}");
    #[cfg(feature = "serve")]
    crate::serve_kinds::ratings(here, &first);
    let one = tallow(&["ratings", "predict", "run", "--user", "4", "--item", "Part 7"], here);
    assert!(one.stdout.contains("Part 7 (7)"), "{}{}", one.stdout, one.stderr);
    let unknown = tallow(&["ratings", "predict", "run", "--user", "99", "--item", "777"], here);
    assert!(unknown.stdout.contains("user 99 is unknown") && unknown.stdout.contains("film 777 is unknown"));
    let similar = tallow(&["ratings", "predict", "run", "--similar", "12", "--top", "3"], here);
    assert_eq!(similar.stdout.lines().count(), 3, "{}", similar.stderr);
    fails(&tallow(&["ratings", "predict", "run", "--user", "99"], here), 1, &["`99`"]);
    fails(&tallow(&["ratings", "predict", "run", "--similar", "Part"], here), 1, &["30 titles", "Part 0 (0)"]);
    fails(&tallow(&["ratings", "predict", "run"], here), 2, &["--user"]);

    fs::write(here.join("pairs.csv"), "film,user\n3,4\n5,99\n").unwrap();
    let printed = tallow(&["ratings", "predict", "run", "pairs.csv"], here);
    assert!(printed.stdout.starts_with("user,film,name,rating,unknown\n4,3,Part 3,"), "{}", printed.stdout);
    let written = tallow(&["ratings", "predict", "run", "pairs.csv", "--out", "out.csv"], here);
    assert_eq!((written.code, fs::read_to_string(here.join("out.csv")).unwrap()), (Some(0), printed.stdout));
    fs::write(here.join("pairs.csv"), "item,user\n3,4\n").unwrap();
    fails(&tallow(&["ratings", "predict", "run", "pairs.csv"], here), 3, &["pairs.csv", "no column `film`"]);

    // A finished run stays, unless one says otherwise.
    fails(&tallow(&[&train[..], &SMALL].concat(), here), 2, &["holds a finished run", "--overwrite"]);
    let again =
        tallow(&[&["ratings", "train"], &train[1..], &SMALL, &["--overwrite", "--layers", "10"]].concat(), here);
    assert_eq!(again.code, Some(0), "{}\n{}", again.stdout, again.stderr);
    for other in [
        &["predict", "run", "pairs.csv"][..],
        &["table", "predict", "run", "pairs.csv"],
        &["text", "predict", "run", "x"],
        &["segment", "predict", "run", "x"],
    ] {
        fails(&tallow(other, here), 3, &["run/model: is not a model of ", "`tallow ratings predict` uses it"]);
    }
}

#[test]
fn what_cannot_be_trained_on_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    films(here);
    let run = |args: &[&str]| tallow(&[&["ratings", "ratings.csv", "--out", "o"], args].concat(), here);
    fails(&tallow(&["ratings", "none.csv"], here), 3, &["none.csv", "is not there"]);
    fails(&run(&["--titles", "none.csv"]), 3, &["none.csv"]);
    fails(&run(&["--rating", "star"]), 3, &["no column `star`", "`stars`?"]);
    fails(&run(&["--y-range", "0.5,4"]), 3, &["line 9", "column `stars`", "outside of the range from 0.5 to 4"]);
    fails(&run(&["--y-range", "5,1"]), 2, &["two rising numbers"]);
    fails(&run(&["--factors", "0"]), 2, &["--factors"]);
    fs::write(here.join("ratings.csv"), "user,film,stars\n1,2,3\n1,3,lots\n").unwrap();
    fails(&run(&[]), 3, &["ratings.csv", "line 3", "column `stars`", "`lots`"]);
    fs::write(here.join("ratings.csv"), "").unwrap();
    fails(&run(&[]), 3, &["ratings.csv", "empty"]);
}

#[test]
fn a_killed_run_ends_as_the_undisturbed_one() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    films(here);
    let train =
        ["ratings", "ratings.csv", "--epochs", "20", "--checkpoint-every", "0.02", "--batch-size", "8", "--out"];
    let whole = tallow(&[&train[..], &["whole"]].concat(), here);
    assert_eq!(whole.code, Some(0), "{}\n{}", whole.stdout, whole.stderr);
    let mut program = Command::new(env!("CARGO_BIN_EXE_tallow"));
    let mut killed = program.args(train).arg("killed").current_dir(here).env_remove("TALLOW_DEVICE");
    killed = killed.stdout(Stdio::null()).stderr(Stdio::null());
    let mut killed = killed.spawn().unwrap();
    let begun = Instant::now();
    while !here.join("killed/checkpoints/ratings.safetensors").is_file() && begun.elapsed() < Duration::from_secs(60) {
        sleep(Duration::from_millis(2));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let resumed = tallow(&[&train[..], &["killed", "--resume"]].concat(), here);
    assert_eq!(resumed.code, Some(0), "{}\n{}", resumed.stdout, resumed.stderr);
    for file in ["history.csv", "predictions.csv", "model/model.safetensors"] {
        let of = |run: &str| fs::read(here.join(run).join(file)).unwrap();
        assert!(of("whole") == of("killed"), "{file} differs");
    }
}
