//! `tallow predict --shard` and `tallow merge`: photos scored by several processes.

use crate::{fails, shoes, tallow};
use std::fs;

#[test]
fn four_shards_make_the_table_of_one_run_and_a_killed_one_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    shoes(&here.join("shoes"), 90);
    fs::write(here.join("shoes/Sneaker/text.png"), "text").unwrap();
    let trained = tallow(&["train", "shoes", "--out", "run", "--size", "32", "--head-epochs", "1"], here);
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let predict = |more: &[&str]| tallow(&[&["predict", "run", "shoes"], more].concat(), here);
    let read = |name: &str| fs::read_to_string(here.join(name)).unwrap();

    let whole = predict(&["--out", "whole.csv"]);
    assert_eq!((whole.code, whole.stdout.as_str()), (Some(0), ""), "{}", whole.stderr);
    assert!(whole.stderr.contains("1 of them could not be read"), "{}", whole.stderr);
    let table = predict(&["--csv"]);
    fails(&table, 3, &["text.png"]);
    assert_eq!(read("whole.csv"), table.stdout);

    let parts: Vec<String> = (1..=4).map(|i| format!("part-{i}.csv")).collect();
    for (i, part) in parts.iter().enumerate() {
        let scored = predict(&["--shard", &format!("{}/4", i + 1), "--out", part]);
        assert_eq!(scored.code, Some(0), "{}", scored.stderr);
    }
    let merge = |parts: &[&str]| tallow(&[&["merge", "--out", "all.csv", "--overwrite"], parts].concat(), here);
    let merged = merge(&["part-3.csv", "part-1.csv", "part-4.csv", "part-2.csv"]);
    assert_eq!(merged.code, Some(0), "{}", merged.stderr);
    assert_eq!(read("all.csv"), read("whole.csv"));
    fails(&tallow(&["merge", "--out", "all.csv", "part-1.csv"], here), 2, &["all.csv", "--overwrite"]);

    // What is missing, there twice, of another job, or no part.
    fails(&merge(&["part-1.csv", "part-2.csv", "part-4.csv"]), 1, &["32 of 181 photos are in no part", "65-96"]);
    fails(&merge(&["part-1.csv", "part-1.csv"]), 3, &["photo 1, shoes/Ankle boot/000.png, which part-1.csv has too"]);
    let other = predict(&["--shard", "2/4", "--out", "other.csv", "--unknown-below", "0.5"]);
    assert_eq!(other.code, Some(0), "{}", other.stderr);
    fails(&merge(&["part-1.csv", "other.csv"]), 3, &["other.csv: is a part of another job than part-1.csv"]);
    fails(&merge(&["whole.csv"]), 3, &["whole.csv: is not a part"]);

    // A share that is there is not computed again, and nothing else is replaced unasked.
    let again = predict(&["--shard", "2/4", "--out", "part-2.csv"]);
    assert!(again.code == Some(0) && again.stderr.contains("is there already"), "{}", again.stderr);
    fails(&predict(&["--shard", "3/4", "--out", "part-2.csv"]), 2, &["part-2.csv", "--overwrite"]);

    // A process that was killed in the middle of a row: what it had is kept, batch by batch.
    let share = read("part-1.csv");
    let line = share.lines().nth(40).unwrap();
    fs::write(here.join("part-1.csv.unfinished"), &share[..share.find(line).unwrap() + 9]).unwrap();
    fs::remove_file(here.join("part-1.csv")).unwrap();
    let resumed = predict(&["--shard", "1/4", "--out", "part-1.csv"]);
    assert!(resumed.stderr.contains("32 photos were scored before"), "{}", resumed.stderr);
    assert_eq!(read("part-1.csv"), share);
    assert!(!here.join("part-1.csv.unfinished").exists());
    fails(&predict(&["--shard", "5/4", "--out", "x.csv"]), 2, &["such as 1/4"]);
    fails(&predict(&["--shard", "1/4"]), 2, &["--out"]);
}
