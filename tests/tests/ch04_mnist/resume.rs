//! Chapter 4, stopped and resumed: the same seed gives the same `history.csv`, whatever happens in between.

use chapter_tests::{Chapter, Finished};
use std::fs;
use std::path::Path;
use std::time::SystemTime;

fn args<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    // The folder has no data, so the run is the same on every machine.
    [&["--quick", "--out", out, "--data-dir", out], more].concat()
}

fn history(out: &Path) -> String {
    fs::read_to_string(out.join("history.csv")).unwrap()
}

fn written(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|meta| meta.modified()).ok()
}

#[test]
fn the_number_of_threads_and_of_workers_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let chapter = Chapter::build("ch04_mnist");
    let mut command = chapter.command(&args(&out, &["--workers", "1", "--quiet"]));
    let run = Finished::from(command.env("RAYON_NUM_THREADS", "1").output().unwrap());
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{}", run.stderr);
    assert_eq!(history(folder.path()), super::read("history.csv"));
}

#[test]
fn a_run_that_is_killed_twice_in_mid_epoch_and_resumed_ends_with_the_same_history() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let checkpoint = folder.path().join("checkpoints/resnet18.safetensors");
    let chapter = Chapter::build("ch04_mnist");
    // ResNet's only epoch: once in it, and once more after it has gone on.
    for more in [&["--checkpoint-every", "0.5"][..], &["--checkpoint-every", "0.5", "--resume"]] {
        let before = written(&checkpoint);
        let mut child = chapter.start_and_wait(&args(&out, more), || written(&checkpoint) != before);
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().code(), None);
        assert!(!folder.path().join("report.html").exists());
    }
    let run = chapter.run(&args(&out, &["--resume"]));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(history(folder.path()), super::read("history.csv"));
}

#[cfg(unix)]
#[test]
fn ctrl_c_keeps_a_checkpoint_and_resuming_ends_with_the_same_history() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    let checkpoint = folder.path().join("checkpoints/simple_net.safetensors");
    let chapter = Chapter::build("ch04_mnist");
    let child = chapter.start_and_wait(&args(&out, &["--checkpoint-every", "0"]), || checkpoint.exists());
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let stopped = Finished::from(child.wait_with_output().unwrap());
    stopped.assert_fails(130, &["stopping at the next safe point", "interrupted"]);
    assert!(!folder.path().join("report.html").exists());
    let other = chapter.run(&args(&out, &["--resume", "--seed", "43"]));
    other.assert_fails(3, &["linear.safetensors", "is of another run", "seed was 42, now it is 43"]);
    let run = chapter.run(&args(&out, &["--resume"]));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(history(folder.path()), super::read("history.csv"));
    assert!(run.stdout.contains("epoch  train_loss"));
}
