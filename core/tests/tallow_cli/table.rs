//! `tallow table`: from a CSV file to a model that another command uses.

use crate::Ran;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tallow::rng::Rng;

fn tallow(here: &Path, args: &str) -> Ran {
    crate::tallow(&args.split(' ').collect::<Vec<_>>(), here)
}

#[track_caller]
fn fine(here: &Path, args: &str) -> Ran {
    let ran = tallow(here, args);
    assert_eq!(ran.code, Some(0), "{args}: {}\n{}", ran.stdout, ran.stderr);
    ran
}

#[track_caller]
fn fails(here: &Path, args: &str, code: i32, words: &[&str]) {
    crate::fails(&tallow(here, args), code, words);
}

/// Loans that are paid back by those who earn enough for their size; some incomes are blank.
fn loans(here: &Path) {
    let mut rng = Rng::new(9).stream("loans");
    let mut text = String::from("id, job, income, since, sum, paid\n");
    for i in 0..300 {
        let job = ["clerk", "cook", "judge"][rng.below(3)];
        let (income, sum) = (rng.uniform(1000.0, 5000.0).round(), rng.uniform(500.0, 9000.0).round());
        let since = format!("20{:02}-0{}-11", 10 + rng.below(9), 1 + rng.below(9));
        let paid = if income * 2.0 > sum || job == "judge" { "yes" } else { "no" };
        let income = if i % 20 == 7 { "?".into() } else { income.to_string() };
        text += &format!("{i}, {job}, {income}, {since}, {sum}, {paid}\n");
    }
    fs::write(here.join("loans.csv"), text).unwrap();
}

fn metrics(run: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(run.join("metrics.json")).unwrap()).unwrap()
}

const TRAIN: &str = "table loans.csv --target paid --missing ? --ignore id --layers 32,16 --batch-size 32 --lr 0.01";

#[test]
fn from_a_table_to_predictions() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    loans(here);
    let trained = fine(here, &format!("{TRAIN} --epochs 12 --embed-numbers --valid-every 4 --out run"));
    for words in ["taken for a class", "categories: job", "numbers: income, sum", "dates: since", "left out: id"] {
        assert!(trained.stderr.contains(words), "no `{words}` in {}", trained.stderr);
    }
    for file in [
        "model/learner.json",
        "report.html",
        "history.csv",
        "plots/training_rows.png",
        "plots/importance.png",
        "plots/vectors.png",
        "plots/results.png",
        "plots/confusion.png",
    ] {
        assert!(here.join("run").join(file).is_file(), "{file}");
    }
    let metrics = metrics(&here.join("run"));
    assert!(metrics["metrics"]["accuracy"].as_f64().unwrap() > 0.85, "{metrics}");
    assert_eq!(metrics["rows"], serde_json::json!({ "train": 225, "valid": 75, "test": 0 }));
    let names: Vec<&str> =
        metrics["baselines"].as_array().unwrap().iter().map(|b| b["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["the most frequent class", "logistic regression", "gradient boosting"]);
    assert_eq!(metrics["importance"]["columns"].as_array().unwrap().len(), 4);
    let csv = fs::read_to_string(here.join("run/predictions.csv")).unwrap();
    let heads = "id,job,income,since,sum,paid,predicted,probability of no,probability of yes,notes\n";
    assert!(csv.starts_with(heads) && csv.lines().count() == 76, "{csv}");
    // Every option of the command is in config.json.
    let config: Value = serde_json::from_str(&fs::read_to_string(here.join("run/config.json")).unwrap()).unwrap();
    let help = tallow(here, "table train --help").stdout;
    let words = help.split_whitespace().filter_map(|word| word.strip_prefix("--"));
    let options: Vec<String> = words.filter(|word| !word.contains('`')).map(|word| word.replace('-', "_")).collect();
    assert!(options.len() > 25, "{help}");
    let others = ["json", "quiet", "out", "cpu", "require_target", "help", "quick", "overwrite"];
    for option in options.iter().filter(|option| !others.contains(&option.as_str())) {
        assert!(config.get(option).is_some(), "`{option}` is not in {config}");
    }

    // Another command uses the model: a row, and a file.
    let one = fine(here, "table predict run --set job=judge --set income=4800 --set sum=600 --set since=2015-03-11");
    assert!(one.stdout.starts_with("yes 0."), "{}", one.stdout);
    #[cfg(feature = "serve")]
    crate::serve_kinds::rows(here, &one.stdout);
    fails(here, "table predict run --set jop=judge", 1, &["no column `jop` (`job`?)"]);
    fails(here, "table predict run --set job", 2, &["COLUMN=VALUE"]);
    fails(here, "table predict run --set job=judge --set job=nurse", 2, &["names the column `job` twice"]);
    fs::write(here.join("new.csv"), "job,income,sum,since\npilot,?,700,2016-04-11\ncook,4000,800,2017-01-11\n")
        .unwrap();
    let said = fine(here, "table predict run new.csv --out guessed.csv");
    assert!(said.stderr.contains("1 of 2 rows have cells that are missing or unknown"), "{}", said.stderr);
    let guessed = fs::read_to_string(here.join("guessed.csv")).unwrap();
    assert!(
        guessed.contains("`job` is `pilot`, unknown in training") && guessed.contains("cook,4000,800"),
        "{guessed}"
    );
    fails(here, "table predict run new.csv --out guessed.csv", 2, &["--overwrite"]);
    assert_eq!(fine(here, "table predict run/model new.csv").stdout, guessed);
    fs::write(here.join("bad.csv"), "job,income,sum,since\ncook,much,700,2016-04-11\n").unwrap();
    fails(here, "table predict run bad.csv", 3, &["bad.csv: line 2, column `income`: `much` is not a number"]);
    fails(here, &format!("{TRAIN} --out run"), 2, &["holds a finished run", "--overwrite"]);
}

#[test]
fn a_run_that_was_killed_ends_as_if_it_had_not_been() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    loans(here);
    let train = format!("{TRAIN} --epochs 3 --dropout 0.1 --importance 0 --checkpoint-every 0");
    fine(here, &format!("{train} --out whole"));
    fine(here, &format!("{train} --out killed"));
    // Checkpoints of a run that is not finished.
    fs::remove_file(here.join("killed/metrics.json")).unwrap();
    fs::remove_dir_all(here.join("killed/model")).unwrap();
    fine(here, &format!("{train} --out killed --resume"));
    let read = |file: &str| fs::read(here.join(file)).unwrap();
    for file in ["history.csv", "model/model.safetensors", "predictions.csv"] {
        assert!(read(&format!("whole/{file}")) == read(&format!("killed/{file}")), "{file}");
    }
}

#[test]
fn what_cannot_be_trained_on_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    loans(here);
    let train = "table loans.csv --out run";
    fails(here, train, 2, &["--target"]);
    fails(here, "table nowhere.csv --target paid", 3, &["nowhere.csv: is not there"]);
    fails(here, &format!("{train} --target payd"), 3, &["no column `payd` (`paid`?)", "id, job, income"]);
    fails(
        here,
        &format!("{train} --target paid --numbers job"),
        3,
        &["loans.csv: line 2, column `job`: `", "is not a number"],
    );
    fails(here, &format!("{train} --target paid --y-range 0,1"), 2, &["and the target is a class"]);
    fs::write(here.join("empty.csv"), "").unwrap();
    fails(here, "table empty.csv --target paid --out run", 3, &["empty.csv: is empty"]);
    fs::write(here.join("same.csv"), "a,b\n1,x\n2,x\n3,x\n4,x\n5,x\n").unwrap();
    fails(here, "table same.csv --target b --out run", 3, &["one value only, `x`"]);
    assert!(!here.join("run/model").exists());
}

#[test]
fn numbers_are_predicted_too() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    loans(here);
    let ran = fine(here, "table loans.csv --target sum --missing ? --ignore id,since --epochs 2 --out run --seed 1");
    assert!(ran.stdout.contains("rmse") && ran.stdout.contains("gradient boosting"), "{}", ran.stdout);
    let csv = fs::read_to_string(here.join("run/predictions.csv")).unwrap();
    assert!(csv.starts_with("id,job,income,since,sum,paid,predicted sum,notes\n"), "{csv}");
    fails(here, "table loans.csv --target sum --best accuracy --out other", 2, &["`--best` knows `valid_loss` only"]);
}
