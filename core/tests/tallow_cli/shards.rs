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
    fails(&predict(&["--out", "whole.csv"]), 2, &["whole.csv: is there already; `--overwrite` replaces it"]);
    let unread = tallow(&["predict", "run", "shoes/Sneaker/text.png", "--out", "none.csv"], here);
    fails(&unread, 3, &["none.csv: none of the 1 photos could be read"]);
    assert!(read("none.csv").contains("is not a picture"));

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
    let other = predict(&["--shard", "3/4", "--out", "part-2.csv"]);
    fails(&other, 2, &["part-2.csv: is there already, and is not share 3/4 of this job", "--overwrite"]);

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

/// A name with a line end and one that turns the direction of writing are whole for programs, and harmless on a line.
#[cfg(unix)]
#[test]
fn odd_names_are_whole_in_tables_and_one_line_in_words() {
    use std::os::unix::ffi::OsStrExt;
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let files = shoes(&here.join("shoes"), 5);
    let trained = tallow(&["train", "shoes", "--out", "run", "--size", "32", "--head-epochs", "1"], here);
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    let names = ["odd/a\u{202e}gpj.png", "odd/b\nc.png"];
    fs::create_dir(here.join("odd")).unwrap();
    for name in names {
        fs::copy(&files[0], here.join(name)).unwrap();
    }
    let named = |table: &str, column: usize| -> Vec<String> {
        let rows = csv::Reader::from_reader(table.as_bytes()).into_records();
        rows.map(|row| row.unwrap()[column].to_string()).collect()
    };
    let predicted = tallow(&["predict", "run", "odd", "--csv"], here);
    assert_eq!((predicted.code, named(&predicted.stdout, 0)), (Some(0), names.map(String::from).to_vec()));
    let checked = tallow(&["check", "odd", "--csv"], here);
    let tiny = names.map(String::from).to_vec();
    assert!(named(&checked.stdout, 0).iter().collect::<std::collections::BTreeSet<_>>() == tiny.iter().collect());
    for command in [&["predict", "run", "odd"][..], &["check", "odd"], &["similar", "run", "odd/b\nc.png", "odd"]] {
        let words = tallow(command, here).stdout;
        assert!(words.contains("odd/b\\nc.png") && words.contains("a\\u{202e}gpj"), "{words}");
    }

    // Two names that are no UTF-8 would be one in every table.
    let strange = |byte: u8| here.join("odd").join(std::ffi::OsStr::from_bytes(&[byte, b'.', b'p', b'n', b'g']));
    if fs::copy(&files[0], strange(0xfe)).and_then(|_| fs::copy(&files[0], strange(0xff))).is_err() {
        return; // a file system that takes no such names
    }
    let csv = tallow(&["predict", "run", "odd", "--csv"], here);
    fails(&csv, 3, &["not valid UTF-8, which no table can hold; rename it", "2 of 4 photos"]);
    fails(&tallow(&["predict", "run", "odd", "--out", "t.csv"], here), 3, &["not valid UTF-8"]);
    assert!(!here.join("t.csv").exists());
    let words = tallow(&["predict", "run", "odd"], here);
    assert!(words.code == Some(0) && words.stderr.contains("names of 2 files are not valid UTF-8"), "{}", words.stderr);
}

#[test]
fn all_probabilities_and_features_go_into_every_form_and_an_evaluation_takes_them() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    shoes(&here.join("shoes"), 30);
    fs::write(here.join("shoes/Sneaker/text.png"), "text").unwrap();
    let trained = tallow(&["train", "shoes", "--out", "run", "--size", "32", "--head-epochs", "1"], here);
    assert_eq!(trained.code, Some(0), "{}", trained.stderr);
    fs::copy(here.join("shoes/Sneaker/000.png"), here.join("'=1.png")).unwrap();
    let named = tallow(&["predict", "run", "'=1.png", "--out", "named.jsonl"], here);
    let row: serde_json::Value = serde_json::from_slice(&fs::read(here.join("named.jsonl")).unwrap()).unwrap();
    assert_eq!((named.code, &row["file"]), (Some(0), &"'=1.png".into()), "a file's name is not marked");
    let succeeds = |args: &[&str]| {
        let run = tallow(args, here);
        assert_eq!(run.code, Some(0), "{args:?}: {}", run.stderr);
        run
    };
    let predict = |more: &[&str]| {
        let columns = ["predict", "run", "shoes", "--probabilities", "--embeddings"];
        succeeds(&[&columns[..], more].concat())
    };
    let read = |name: &str| fs::read(here.join(name)).unwrap();
    for name in ["whole.csv", "whole.jsonl"] {
        predict(&["--out", name]);
    }
    for i in ["1", "2"] {
        predict(&["--shard", &format!("{i}/2"), "--out", &format!("part-{i}.csv")]);
    }
    for name in ["all.csv", "all.jsonl"] {
        succeeds(&["merge", "--out", name, "part-2.csv", "part-1.csv"]);
        assert_eq!(read(name), read(&name.replace("all", "whole")), "{name}");
    }
    let rows: Vec<serde_json::Value> =
        String::from_utf8(read("all.jsonl")).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 61);
    for row in &rows {
        let class = row["class"].as_str().unwrap_or_default();
        let broken = row["file"] == "shoes/Sneaker/text.png";
        assert_eq!((row["error"].is_null(), row["embedding"].is_array()), (!broken, !broken), "{row}");
        let [boot, sneaker] = ["Ankle boot", "Sneaker"].map(|class| row[format!("probability of {class}")].as_f64());
        let likeliest = if boot > sneaker { "Ankle boot" } else { "Sneaker" };
        assert!(broken || class == likeliest && (boot.unwrap() + sneaker.unwrap() - 1.0).abs() < 1e-9, "{row}");
    }
    let lengths: Vec<usize> = rows.iter().filter_map(|row| Some(row["embedding"].as_array()?.len())).collect();
    assert!(lengths.len() == 60 && lengths.iter().all(|n| *n == lengths[0] && *n > 100), "{lengths:?}");

    // The report of an evaluation that computes, and of one that reads.
    succeeds(&["evaluate", "run", "shoes", "--out", "computed"]);
    succeeds(&["evaluate", "run", "shoes", "--out", "read", "--predictions", "all.csv"]);
    let figures = |run: &str| {
        let metrics: serde_json::Value = serde_json::from_slice(&read(&format!("{run}/metrics.json"))).unwrap();
        ["metrics", "confusion", "photos", "report"].map(|name| metrics[name].clone())
    };
    assert!(figures("computed").iter().all(serde_json::Value::is_object));
    assert_eq!(figures("read"), figures("computed"));
    assert_eq!(read("read/predictions.csv"), read("computed/predictions.csv"));
    let evaluate = |table: &str| {
        tallow(&["evaluate", "run", "shoes", "--out", "other", "--overwrite", "--predictions", table], here)
    };
    let table = String::from_utf8(read("all.csv")).unwrap();
    let lines: Vec<&str> = table.lines().collect();
    let row = lines.iter().find(|line| line.starts_with("shoes/Sneaker/000.png")).unwrap();
    let cells: Vec<&str> = row.split(',').collect();
    for (p, q, words) in [("5", "-4", "5 is no probability"), ("0", "0", "those of shoes/Sneaker/000.png make 0")] {
        let odd = [&cells[..5], &[p, q], &cells[7..]].concat().join(",");
        fs::write(here.join("odd.csv"), table.replace(row, &odd)).unwrap();
        fails(&evaluate("odd.csv"), 3, &["odd.csv: line 32:", words]);
    }
    fs::write(here.join("short.csv"), lines[..40].join("\n")).unwrap();
    fails(&evaluate("short.csv"), 3, &["short.csv", "has no row for shoes/"]);
    fs::write(here.join("twice.csv"), [&lines[..], &lines[1..2]].concat().join("\n")).unwrap();
    fails(&evaluate("twice.csv"), 3, &["line 63", "has a row before"]);
    succeeds(&["predict", "run", "shoes", "--out", "bare.csv"]);
    fails(&evaluate("bare.csv"), 3, &["bare.csv", "has no column `probability of Ankle boot`", "--probabilities"]);
    fails(&evaluate("none.csv"), 3, &["none.csv"]);
    fails(&evaluate("all.jsonl"), 2, &["all.jsonl", "read as CSV"]);

    let part = ["predict", "run", "shoes", "--shard", "1/2", "--out", "part.jsonl"];
    fails(&tallow(&part, here), 2, &["part.jsonl", "a share is written as CSV", "tallow merge"]);
    parquet_holds_the_same(here, &rows, &lengths);
}

#[cfg(not(feature = "parquet"))]
fn parquet_holds_the_same(here: &std::path::Path, _: &[serde_json::Value], _: &[usize]) {
    let merged = tallow(&["merge", "--out", "all.parquet", "part-2.csv", "part-1.csv"], here);
    fails(&merged, 2, &["all.parquet", "--features parquet"]);
    eprintln!("skipped: reading Parquet back, since this build has none");
}

#[cfg(feature = "parquet")]
fn parquet_holds_the_same(here: &std::path::Path, rows: &[serde_json::Value], lengths: &[usize]) {
    use parquet::file::reader::{FileReader, SerializedFileReader};
    let merged = tallow(&["merge", "--out", "all.parquet", "part-2.csv", "part-1.csv"], here);
    assert_eq!(merged.code, Some(0), "{}", merged.stderr);
    let file = SerializedFileReader::new(fs::File::open(here.join("all.parquet")).unwrap()).unwrap();
    let read: Vec<serde_json::Value> =
        file.get_row_iter(None).unwrap().map(|row| row.unwrap().to_json_value()).collect();
    assert_eq!(read.len(), rows.len());
    let mut lengths = lengths.iter();
    for (read, row) in read.iter().zip(rows) {
        for (name, value) in row.as_object().unwrap().iter().filter(|(name, _)| *name != "embedding") {
            assert_eq!(&read[name], value, "{name} of {row}");
        }
        let features = |row: &serde_json::Value| -> Option<Vec<f32>> {
            Some(row["embedding"].as_array()?.iter().map(|x| x.as_f64().unwrap() as f32).collect())
        };
        assert_eq!(features(read), features(row));
        assert_eq!(features(read).map(|features| features.len()), features(row).and(lengths.next().copied()));
    }
}
