//! `tallow train` and `tallow evaluate` can be trusted: nothing is replaced, resumed or exported that should not be.

use crate::Ran;
use serde_json::Value;
use std::fs;
use std::path::Path;
use tallow::vision::Image;

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

/// Ten pictures each of stripes across and down.
fn stripes(here: &Path) {
    for i in 0..10 {
        let stripe = |at: usize| [if (at / (2 + i % 3)).is_multiple_of(2) { 20 + 9 * i as u8 } else { 230 }; 3];
        Image::from_fn(40, 36, |_, y| stripe(y)).unwrap().save(here.join(format!("photos/across/{i}.png"))).unwrap();
        Image::from_fn(36, 40, |x, _| stripe(x)).unwrap().save(here.join(format!("photos/down/{i}.png"))).unwrap();
    }
}

const TRAIN: &str = "train photos --size 32 --batch-size 4 --head-epochs 2";

fn metrics(run: &Path) -> Value {
    serde_json::from_str::<Value>(&fs::read_to_string(run.join("metrics.json")).unwrap()).unwrap()["metrics"].clone()
}

#[test]
fn training_that_diverges_fails_with_the_remedy_and_leaves_no_model() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    stripes(here);
    // One batch an epoch: the only training loss is finite.
    for more in
        ["--head-epochs 1 --batch-size 32", "--head-epochs 3", "--head-epochs 1 --batch-size 32 --best accuracy"]
    {
        let args = format!("train photos --size 32 --out run --lr 1e20 {more}");
        fails(here, &args, 1, &["training has diverged", "a learning rate ten times smaller"]);
        assert!(!here.join("run/model").exists() && !here.join("run/metrics.json").exists());
    }
    // What it left is no obstacle.
    fine(here, &format!("{TRAIN} --out run"));
    assert!(here.join("run/model/learner.json").is_file());
}

#[test]
fn a_finished_run_is_not_replaced_without_being_asked() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    stripes(here);
    fine(here, &format!("{TRAIN} --out run"));
    let model = || fs::read(here.join("run/model/model.safetensors")).unwrap();
    let report = || fs::read(here.join("run/report.html")).unwrap();
    let before = (model(), report());
    let remedies = ["run: holds a finished run", "`--overwrite` replaces it", "`--out` with another folder keeps it"];
    fails(here, &format!("{TRAIN} --out run --seed 7"), 2, &remedies);
    fails(here, &format!("{TRAIN} --out run --resume"), 2, &["nothing to resume", "--overwrite", "--out"]);
    fails(here, &format!("{TRAIN} --out run --resume --overwrite"), 2, &["cannot be used with"]);
    fails(here, "evaluate run photos --out run", 2, &["run: holds a model", "--out"]);
    fails(here, "evaluate run photos --out run --overwrite", 2, &["run: holds a model", "--out"]);
    fails(here, "train fotos --out run --overwrite", 3, &["fotos", "expected a folder of photos"]);
    for file in ["--class-weights", "--labels", "--weights"] {
        fails(here, &format!("{TRAIN} --out run --overwrite {file} nowhere.file"), 3, &["nowhere.file: is not there"]);
    }
    assert!(before == (model(), report()));

    fine(here, &format!("{TRAIN} --out run --seed 7 --overwrite"));
    assert!(before.0 != model());
    // One that fails half way has taken the old model with it, and the next one needs no flag.
    fails(here, &format!("{TRAIN} --out run --overwrite --lr 1e20"), 1, &["diverged"]);
    assert!(!here.join("run/model").exists());
    fine(here, &format!("{TRAIN} --out run"));
    // A model that no run wrote is the user's.
    fs::create_dir(here.join("own")).unwrap();
    fs::rename(here.join("run/model"), here.join("own/model")).unwrap();
    fails(here, &format!("{TRAIN} --out own"), 2, &["own: holds a model", "--overwrite"]);

    fine(here, "evaluate own photos --out judged");
    fails(here, "evaluate own photos --out judged", 2, &["judged: holds a finished run", "--overwrite"]);
    fine(here, "evaluate own photos --out judged --overwrite");
}

#[test]
fn a_run_resumes_as_itself_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    stripes(here);
    let run = here.join("run");
    let anew = fine(here, &format!("{TRAIN} --out run --resume"));
    assert!(anew.stderr.contains("run/checkpoints/head.safetensors: training begins anew"), "{}", anew.stderr);
    let (want, model) =
        (fs::read(run.join("history.csv")).unwrap(), fs::read(run.join("model/model.safetensors")).unwrap());
    // As if it had been killed before its end.
    let unfinished = || fs::remove_file(run.join("metrics.json")).unwrap();
    unfinished();
    fails(here, &format!("{TRAIN} --out run --resume --seed 43"), 3, &["the seed was 42, now it is 43"]);
    fails(
        here,
        "train photos --size 40 --batch-size 4 --head-epochs 2 --out run --resume",
        3,
        &["list of transforms was"],
    );
    fails(here, &format!("{TRAIN} --out run --resume --valid 0.3"), 3, &["number of items was 16, now it is 14"]);
    fails(here, &format!("{TRAIN} --out run --resume --best accuracy"), 3, &["now it is SaveBest, highest accuracy"]);
    fs::rename(here.join("photos/across"), here.join("photos/x")).unwrap();
    fs::rename(here.join("photos/down"), here.join("photos/across")).unwrap();
    fs::rename(here.join("photos/x"), here.join("photos/down")).unwrap();
    fails(here, &format!("{TRAIN} --out run --resume"), 3, &["photo across/", "was across, ", "more; remove it"]);
    fs::rename(here.join("photos"), here.join("photos_swapped")).unwrap();
    stripes(here);
    fine(here, &format!("{TRAIN} --out run --resume"));
    assert_eq!(fs::read(run.join("history.csv")).unwrap(), want);
    assert!(fs::read(run.join("model/model.safetensors")).unwrap() == model);
    // A fresh run that fails before its first epoch leaves no checkpoint of the one before.
    unfinished();
    fs::write(here.join("photos/down/cut.png"), "cut").unwrap();
    fails(here, &format!("{TRAIN} --out run --strict"), 3, &["cut.png"]);
    assert!(!run.join("checkpoints/head.safetensors").exists());
}

#[test]
fn the_best_epoch_is_kept_and_said_and_patience_ends_training() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    stripes(here);
    let args = "train photos --size 32 --batch-size 4 --head-epochs 12 --epochs 3 --patience 1 --out run";
    let ran = fine(here, args);
    let history = fs::read_to_string(here.join("run/history.csv")).unwrap();
    let metrics = metrics(&here.join("run"));
    for (phase, asked) in [("head", 12), ("network", 3)] {
        // fit,epoch,train_loss,valid_loss,accuracy
        let rows = history.lines().filter(|line| line.starts_with(phase));
        let losses: Vec<f64> = rows.map(|row| row.split(',').nth(3).unwrap().parse().unwrap()).collect();
        let best = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap();
        assert_eq!(metrics[format!("{phase}_kept_epoch")].as_f64(), Some(best as f64), "{phase}: {losses:?}");
        let said = format!("{phase}, {asked} epochs");
        let line = ran.stdout.lines().find(|line| line.contains(&said)).unwrap_or_else(|| panic!("{}", ran.stdout));
        assert!(
            line.contains(&format!("kept is epoch {best}, the best by valid_loss ({:.4})", losses[best])),
            "{line}"
        );
        let ended = format!("ended after {} since 1 in a row brought nothing better", losses.len());
        assert_eq!(line.contains(&ended), losses.len() < asked, "{line}");
        // Once worse, it ends.
        assert!(losses.windows(2).rev().skip(1).all(|pair| pair[1] < pair[0]), "{losses:?}");
    }
    assert!(fs::read_to_string(here.join("run/report.html")).unwrap().contains("the best by valid_loss"));
    let ran = fine(here, &format!("{TRAIN} --best f1_score --out other"));
    assert!(ran.stdout.contains("the best by f1_score"), "{}", ran.stdout);
    fails(here, &format!("{TRAIN} --best luck --out third"), 2, &["luck", "valid_loss", "f1_score"]);
    fails(here, &format!("{TRAIN} --patience 0 --out third"), 2, &["patience"]);
}
