//! Folders as people have them, from the command line: what each becomes, and that nothing is left out silently.

use crate::{Ran, fails, tallow};
use serde_json::Value;
use std::fs;
use std::path::Path;
use tallow::vision::Image;

/// Writes `n` pictures to a folder, from number `start` on; two classes differ in the direction of their stripes.
fn pictures(folder: &Path, down: bool, start: usize, n: usize) {
    for i in start..start + n {
        let picture = Image::from_fn(40, 36, |x, y| {
            let at = if down { y } else { x };
            [(at * 37 + i * 5) as u8, ((at / 3 % 2) * 200) as u8, (x * y / 7 + i) as u8]
        });
        picture.unwrap().save(folder.join(format!("{i:03}.png"))).unwrap();
    }
}

/// Trains as shortly as can be on `photos`, with more arguments.
fn train(here: &Path, more: &[&str]) -> Ran {
    tallow(
        &[&["train", "photos", "--out", "run", "--size", "32", "--head-epochs", "1", "--overwrite"], more].concat(),
        here,
    )
}

/// The classes of the exported model, and the numbers of photos to train with and for validation, as the run printed
/// them.
fn learnt(here: &Path, ran: &Ran) -> (Vec<String>, usize, usize) {
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    let model: Value = serde_json::from_str(&fs::read_to_string(here.join("run/model/learner.json")).unwrap()).unwrap();
    let vocab = model["vocab"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_string()).collect();
    let mut table = ran.stdout.lines().skip_while(|line| !line.contains("train  valid"));
    let n_others = usize::from(table.next().unwrap().trim_end().ends_with("test"));
    let (mut n_train, mut n_valid) = (0, 0);
    for line in table.skip(1) {
        let cells: Vec<&str> = line.split_whitespace().rev().skip(n_others).take(2).collect();
        let [valid, train] = cells[..] else { break };
        let (Ok(train), Ok(valid)) = (train.parse::<usize>(), valid.parse::<usize>()) else { break };
        (n_train, n_valid) = (n_train + train, n_valid + valid);
    }
    (vocab, n_train, n_valid)
}

#[track_caller]
fn tells(ran: &Ran, words: &[&str]) {
    for word in words {
        assert!(ran.stderr.contains(word) || ran.stdout.contains(word), "no `{word}` in\n{}{}", ran.stdout, ran.stderr);
    }
}

/// A folder named `photos` in a new one.
fn empty() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn any_number_of_photos_trains_also_one_more_than_a_batch() {
    let dir = empty();
    let photos = dir.path().join("photos");
    pictures(&photos.join("cat"), false, 0, 21);
    pictures(&photos.join("dog"), true, 0, 20);
    let ran = train(dir.path(), &["--epochs", "1"]);
    let (vocab, n_train, n_valid) = learnt(dir.path(), &ran);
    // Of 41 photos a fifth, rounded down, is for validation; of 33 a batch of 32 leaves one.
    assert_eq!((vocab, n_train, n_valid), (vec!["cat".into(), "dog".into()], 33, 8));
}

#[test]
fn few_photos_and_odd_batches_end_in_a_model_or_in_what_to_do() {
    // Numbers of cats and of dogs, the size of a batch, and whether that can be trained.
    for (cats, dogs, batch, is_enough) in
        [(1, 1, "32", false), (2, 1, "32", true), (2, 2, "2", true), (3, 3, "3", true), (5, 6, "4", true)]
    {
        let dir = empty();
        pictures(&dir.path().join("photos/cat"), false, 0, cats);
        pictures(&dir.path().join("photos/dog"), true, 0, dogs);
        let ran = train(dir.path(), &["--batch-size", batch, "--epochs", "1"]);
        if is_enough {
            assert_eq!(learnt(dir.path(), &ran).0, ["cat", "dog"]);
        } else {
            fails(&ran, 3, &["of its 2 items", "two of a class or more"]);
        }
    }
    let dir = empty();
    pictures(&dir.path().join("photos/cat"), false, 0, 4);
    fails(&train(dir.path(), &["--batch-size", "1"]), 2, &["batch normalisation", "2 or more"]);
}

#[test]
fn sides_are_taken_from_folders_and_the_test_set_is_looked_at_once() {
    let dir = empty();
    let photos = dir.path().join("photos");
    for (class, down) in [("cat", false), ("dog", true)] {
        pictures(&photos.join("Train").join(class), down, 0, 12);
        pictures(&photos.join("val").join(class).join("deeper"), down, 12, 4);
        pictures(&photos.join("test").join(class), down, 20, 3);
    }
    pictures(&photos.join("Train"), true, 50, 2);
    let ran = train(dir.path(), &[]);
    assert_eq!(learnt(dir.path(), &ran), (vec!["cat".into(), "dog".into()], 24, 8));
    tells(
        &ran,
        &["The test set, looked at once", "6 photos: accuracy", "2 pictures are left out", "lie in folders below"],
    );
    let metrics: Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("run/metrics.json")).unwrap()).unwrap();
    assert!(metrics["metrics"]["test_accuracy"].is_number(), "{metrics}");
    assert_eq!(metrics["photos"], serde_json::json!({ "train": 24, "valid": 8, "test": 6, "left_out": 2 }));
    // The same folder, evaluated: by its test set.
    let judged = tallow(&["evaluate", "run", "photos", "--out", "judged"], dir.path());
    tells(&judged, &["6 photos, 2 classes", "evaluated on the 6 photos of the test set", "32 of other sides"]);

    // Without labels it is not a class.
    fs::remove_dir_all(photos.join("test")).unwrap();
    pictures(&photos.join("test"), true, 30, 5);
    let ran = train(dir.path(), &[]);
    assert_eq!(learnt(dir.path(), &ran), (vec!["cat".into(), "dog".into()], 24, 8));
    tells(&ran, &["5 pictures are left out: they lie in no class folder"]);
}

#[test]
fn what_is_not_read_is_named_by_check_and_by_train() {
    let dir = empty();
    let photos = dir.path().join("photos");
    pictures(&photos.join("cat"), false, 0, 10);
    pictures(&photos.join("dog"), true, 0, 10);
    fs::create_dir(photos.join("bird")).unwrap();
    for i in 0..4 {
        fs::write(photos.join(format!("bird/{i}.jxl")), "no picture of ours").unwrap();
    }
    for name in ["a.HEIC", "b.avif"] {
        fs::write(photos.join("cat").join(name), b"\0\0\0\x18ftypheic\0\0\0\0").unwrap();
    }
    let whole = fs::read(photos.join("cat/000.png")).unwrap();
    fs::create_dir(photos.join("fish")).unwrap();
    for i in 0..3 {
        fs::write(photos.join(format!("fish/{i}.png")), &whole[..whole.len() / 2]).unwrap();
    }
    let words = [
        "bird: passed over 4 files of the kind JPEG XL (.jxl)",
        "1 file of the kind HEIC (.heic)",
        "1 file of the kind AVIF (.avif)",
    ];
    let checked = tallow(&["check", "photos"], dir.path());
    fails(&checked, 3, &["9 files that cannot be read"]);
    tells(&checked, &words);
    tells(&checked, &["20 of 29 files can be read"]);
    let ran = train(dir.path(), &[]);
    assert_eq!(learnt(dir.path(), &ran), (vec!["cat".into(), "dog".into()], 16, 4));
    tells(&ran, &words);
    tells(&ran, &["fish/0.png", "fish/1.png", "fish/2.png", "class `fish`: none of its 3 pictures can be read"]);
    tells(&ran, &["bird: no picture in it is read, so it makes no class"]);
    let metrics: Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("run/metrics.json")).unwrap()).unwrap();
    assert_eq!(metrics["photos"]["left_out"], 9);
    fails(&tallow(&["train", "photos", "--out", "o", "--strict", "--size", "32"], dir.path()), 3, &["fish/"]);
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_pipes_and_a_runs_own_plots_change_nothing() {
    let dir = empty();
    let photos = dir.path().join("photos");
    pictures(&photos.join("cat"), false, 0, 10);
    pictures(&photos.join("dog"), true, 0, 10);
    std::os::unix::fs::symlink("..", photos.join("cat/up")).unwrap();
    let pipe = photos.join("cat/x.jpg");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let out = photos.join("results");
    for _ in 0..2 {
        let args = ["train", "photos", "--out", "photos/results", "--size", "32", "--head-epochs", "1", "--overwrite"];
        let ran = tallow(&args, dir.path());
        assert_eq!(ran.code, Some(0), "{}", ran.stderr);
        tells(
            &ran,
            &["x.jpg: no regular file", "up: a link to what is read", "cat        8      2", "dog        8      2"],
        );
        // A second run finds the plots of the first one.
        assert!(out.join("plots/confusion.png").is_file());
    }
    let checked = tallow(&["check", "photos"], dir.path());
    assert_eq!(checked.code, Some(3), "{}", checked.stderr);
    tells(&checked, &["20 of 21 files can be read", "x.jpg: no regular file", "results of a run"]);
    // Predicted: a pipe in a folder is passed over aloud, and one that is named is an error; neither is waited for.
    let predicted = tallow(&["predict", "photos/results", "photos/cat"], dir.path());
    assert_eq!((predicted.code, predicted.stdout.lines().count()), (Some(0), 10), "{}", predicted.stderr);
    tells(&predicted, &["note: photos/cat: passed over x.jpg: no regular file"]);
    fails(
        &tallow(&["predict", "photos/results", "photos/cat/x.jpg"], dir.path()),
        3,
        &["x.jpg: is not a regular file"],
    );
}

#[test]
fn classes_come_from_a_table_or_from_names_and_groups_stay_together() {
    let dir = empty();
    let photos = dir.path().join("photos");
    pictures(&photos, false, 0, 12);
    pictures(&photos, true, 100, 12);
    let rows: String = (0..12)
        .flat_map(|i| [(i, "cat"), (i + 100, "dog")])
        .map(|(i, class)| format!("{i:03}.png,{class},a{}\n", i / 3))
        .collect();
    fs::write(dir.path().join("labels.csv"), format!("image,species,animal\n{rows}")).unwrap();
    let table = ["--labels", "labels.csv", "--group-column", "animal"];
    let ran = train(dir.path(), &table);
    let (vocab, n_train, n_valid) = learnt(dir.path(), &ran);
    assert_eq!((vocab, n_train + n_valid), (vec!["cat".into(), "dog".into()], 24));
    assert!(n_valid % 3 == 0 && n_valid > 0, "groups of three stay together: {n_valid}");
    let judged = tallow(&[&["evaluate", "run", "photos", "--out", "judged"][..], &table].concat(), dir.path());
    tells(&judged, &["24 photos, 2 classes"]);
    let ran = train(dir.path(), &["--label-regex", r"^(\d)\d\d\.png$"]);
    assert_eq!(learnt(dir.path(), &ran).0, ["0", "1"]);

    fails(&train(dir.path(), &["--label-regex", r"\d"]), 2, &["--label-regex", "no group in parentheses"]);
    fails(&train(dir.path(), &["--labels", "nowhere.csv"]), 3, &["nowhere.csv"]);
    fails(&train(dir.path(), &["--labels", "labels.csv", "--label-column", "kind"]), 3, &["no column `kind`"]);
}

#[test]
fn folders_of_days_and_animals_are_groups_and_one_that_folders_tear_apart_is_told() {
    let dir = empty();
    let photos = dir.path().join("photos");
    for animal in 0..6 {
        pictures(&photos.join(format!("cat/tom{animal}")), false, 3 * animal, 3);
        pictures(&photos.join(format!("dog/rex{animal}")), true, 3 * animal, 3);
    }
    let ran = train(dir.path(), &["--group", r"^[^/]+/([^/]+)/"]);
    let (_, n_train, n_valid) = learnt(dir.path(), &ran);
    assert_eq!(n_train + n_valid, 36);
    // 36 / 5 is 7.2; of groups of three no class can have less than one.
    assert_eq!(n_valid, 6);
    tells(&ran, &["2 of 12 groups are for validation (rex", "tom"]);
    fails(&train(dir.path(), &["--group", r"^(\d+)/"]), 3, &["`cat/tom0/000.png`", "finds nothing"]);

    // Sides that folders name stay as they are.
    pictures(&photos.join("train/cat"), false, 0, 6);
    pictures(&photos.join("train/dog"), true, 0, 6);
    pictures(&photos.join("val/cat"), false, 5, 3);
    pictures(&photos.join("val/dog"), true, 5, 3);
    pictures(&photos.join("test/cat"), false, 20, 2);
    for folder in ["cat", "dog"] {
        fs::remove_dir_all(photos.join(folder)).unwrap();
    }
    let ran = train(dir.path(), &["--group", r"(\d+)\.png$"]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    tells(&ran, &["1 of 10 groups is on more than one side", "(005)"]);
    let cat = ran.stdout.lines().find(|line| line.starts_with("cat ")).unwrap();
    assert_eq!(cat.split_whitespace().collect::<Vec<_>>(), ["cat", "6", "3", "2"]);
    let tests = fs::read_to_string(dir.path().join("run/test_predictions.csv")).unwrap();
    assert!(tests.lines().count() == 3 && tests.contains("test/cat/020.png"), "{tests}");
}

#[test]
fn help_has_a_heading_for_each_kind_of_option_and_an_evaluation_names_none_that_it_does_not_need() {
    let dir = empty();
    let help = tallow(&["train", "-h"], dir.path()).stdout;
    let heading = |option: &str| {
        let (before, _) = help.split_once(&format!(" {option} ")).unwrap_or_else(|| panic!("no {option} in {help}"));
        before.lines().rev().find(|line| line.ends_with(':') && !line.starts_with(' ')).unwrap().to_string()
    };
    for (option, of) in [
        ("--arch", "Training:"),
        ("--epochs", "Training:"),
        ("--strict", "Training:"),
        ("--labels", "Classes and sides:"),
        ("--valid", "Validation:"),
        ("--folds", "Validation:"),
        ("--group", "Validation:"),
        ("--resize", "The photos:"),
        ("--seed", "Common options:"),
        ("--overwrite", "Common options:"),
    ] {
        assert_eq!(heading(option), of, "{option}");
    }
    assert!(help.contains("out/tallow_train") && !help.contains("--require-target"));
    let help = tallow(&["evaluate", "-h"], dir.path()).stdout;
    for option in ["--resume", "--quick", "--group", "--checkpoint-every"] {
        assert!(!help.contains(option), "{option} in {help}");
    }
}

#[test]
fn cross_validation_tells_mean_and_spread_and_leaves_no_model() {
    let dir = empty();
    let photos = dir.path().join("photos");
    pictures(&photos.join("cat"), false, 0, 9);
    pictures(&photos.join("dog"), true, 0, 9);
    let ran = train(dir.path(), &["--folds", "3"]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.stdout, ran.stderr);
    tells(&ran, &["Fold 3 of 3", "mean and standard deviation of 3 folds", "leaves no model"]);
    assert!(!dir.path().join("run/model").exists());
    let metrics: Value =
        serde_json::from_str(&fs::read_to_string(dir.path().join("run/metrics.json")).unwrap()).unwrap();
    assert!(metrics["metrics"]["accuracy_mean"].is_number() && metrics["metrics"]["accuracy_std"].is_number());
    // Every photo was judged once: nine of each class stand in the report.
    assert!(
        ran.stdout.lines().any(|line| line.trim_start().starts_with("cat") && line.ends_with(" 9")),
        "{}",
        ran.stdout
    );
    fails(&train(dir.path(), &["--folds", "20"]), 1, &["9 folds or fewer"]);
}
