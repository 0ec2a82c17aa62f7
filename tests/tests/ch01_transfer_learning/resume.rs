//! Chapter 1, stopped and resumed: the same seed gives the same `history.csv`, whatever happens in between.

use chapter_tests::Chapter;
use std::fs;
use std::path::Path;

fn args<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    // The folder has no data, so the run is the same on every machine.
    [&["--quick", "--size", "64", "--out", out, "--data-dir", out], more].concat()
}

fn history(out: &Path) -> String {
    fs::read_to_string(out.join("history.csv")).unwrap()
}

#[test]
fn a_run_that_is_killed_in_each_way_and_resumed_ends_with_the_same_history() {
    let chapter = Chapter::build("ch01_transfer_learning");
    let undisturbed = tempfile::tempdir().unwrap();
    let out = undisturbed.path().display().to_string();
    // Another number of loader workers must change nothing either.
    let run = chapter.run(&args(&out, &["--workers", "1"]));
    assert_eq!(run.code, Some(0), "{}", run.stderr);

    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().display().to_string();
    for (way, more) in
        [("everything", &["--checkpoint-every", "0"][..]), ("last_stages", &["--checkpoint-every", "0", "--resume"])]
    {
        let checkpoint = folder.path().join(format!("checkpoints/{way}.safetensors"));
        let mut child = chapter.start_and_wait(&args(&out, more), || checkpoint.is_file());
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(!folder.path().join("report.html").exists());
    }
    let run = chapter.run(&args(&out, &["--resume"]));
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(history(folder.path()), history(undisturbed.path()));
    assert!(history(folder.path()).starts_with("fit,epoch,train_loss,train_accuracy,"), "{}", history(folder.path()));
}
