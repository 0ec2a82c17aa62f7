//! The other tasks as a user runs them: `run-all` on a workspace of two-line chapters, `embed-mnist` on the real MNIST
//! where this machine has it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn xtask(args: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    // The little workspaces have a target folder of their own, and no settings from the outside.
    command.args(args).env_remove("CARGO_TARGET_DIR").env_remove("RUSTFLAGS").env_remove("TALLOW_DATA_DIR");
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

/// A workspace whose chapters do as the name and the body of their `main` say.
fn workspace(chapters: &[(&str, &str)]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("Cargo.toml"), "[workspace]\nresolver = \"3\"\nmembers = [\"chapters/*\"]\n").unwrap();
    for (name, body) in chapters {
        let folder = root.path().join("chapters").join(name);
        fs::create_dir_all(folder.join("src")).unwrap();
        let package = format!("[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
        fs::write(folder.join("Cargo.toml"), package).unwrap();
        let main = format!(
            "fn main() {{ let args: Vec<String> = std::env::args().collect();\n\
             let out = std::path::Path::new(&args[2]);\n\
             std::fs::create_dir_all(out).unwrap(); println!(\"args {{:?}}\", &args[3..]);\n{body} }}"
        );
        fs::write(folder.join("src/main.rs"), main).unwrap();
    }
    root
}

const GOOD: &str = r##"std::fs::write(out.join("report.html"), "<p>").unwrap();
std::fs::write(out.join("metrics.json"), r#"{"version": 1, "title": "A good chapter", "data": ["MNIST"],
  "metrics": {"valid_accuracy": 0.98765}, "comparisons": [{"verdict": "better"}, {"verdict": "same"}]}"#).unwrap();"##;

fn run_all(root: &Path, args: &[&str]) -> (i32, String, String) {
    xtask(&[&["run-all", "--root", root.to_str().unwrap()], args].concat())
}

#[test]
fn run_all_goes_on_past_failures_and_reports_them() {
    let root = workspace(&[
        ("ch01_broken", "nonsense"),
        ("ch02_fails", "std::process::exit(3)"),
        ("ch03_misses", "std::process::exit(4)"),
        ("ch04_good", GOOD),
    ]);
    // What an earlier run left must not count.
    let stale = root.path().join("out/ch02_fails");
    fs::create_dir_all(&stale).unwrap();
    fs::write(stale.join("metrics.json"), r#"{"comparisons": [{"verdict": "better"}]}"#).unwrap();

    let (code, stdout, stderr) = run_all(root.path(), &["--quick", "--", "--seed", "1"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stdout.contains(r#"args ["--quick", "--seed", "1"]"#), "{stdout}");
    let line = |name: &str| stdout.lines().find(|line| line.starts_with(name)).unwrap().to_string();
    assert!(line("ch01_broken").contains("failed: exit code 101"), "{stdout}");
    assert!(line("ch02_fails").contains("failed: exit code 3") && !line("ch02_fails").contains("better"), "{stdout}");
    assert!(line("ch03_misses").contains("target missed"), "{stdout}");
    assert!(line("ch04_good").contains("1 better, 1 as good"), "{stdout}");

    let origin = fs::read_to_string(root.path().join("out/results.json")).unwrap();
    assert!(origin.contains("\"ch04_good\"") && origin.contains(" threads, "), "{origin}");
    let page = fs::read_to_string(root.path().join("out/index.html")).unwrap();
    for part in [
        "1 of 4 chapters ran well",
        "<h2>A good chapter</h2>",
        "<a href=\"ch04_good/report.html\">",
        "<dt>valid accuracy</dt><dd>0.9877</dd>",
        "2 printed figures: 1 better, 1 as good",
        "failed: exit code 3",
    ] {
        assert!(page.contains(part), "{part} is not in {page}");
    }
}

#[test]
fn run_all_tells_a_missed_target_from_a_failure() {
    let root = workspace(&[("ch03_misses", "std::process::exit(4)"), ("ch04_good", GOOD)]);
    let out = root.path().join("elsewhere");
    let out = out.to_str().unwrap();
    assert_eq!(run_all(root.path(), &["--out", out]).0, 4);
    assert_eq!(run_all(root.path(), &["--only", "ch04", "--out", out]).0, 0);
    assert!(Path::new(out).join("ch04_good/metrics.json").is_file());
    let (code, _, stderr) = run_all(root.path(), &["--only", "ch05"]);
    assert_eq!((code, &*stderr), (2, "error: there is no chapter `ch05`; there are ch03_misses, ch04_good\n"));
}

#[test]
fn without_a_task_the_tasks_are_listed() {
    let (code, stdout, _) = xtask(&[]);
    assert_eq!(code, 0);
    for task in ["fetch-data", "run-all", "embed-mnist", "embed-efficientnet", "package", "ci"] {
        assert!(stdout.contains(&format!("  {task} ")), "{stdout}");
    }
}

#[test]
fn the_embedded_files_are_what_the_full_mnist_gives() {
    let shared = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let data = std::env::var_os("TALLOW_DATA_DIR").map_or(shared, PathBuf::from);
    let mnist = data.join("mnist");
    if !mnist.is_dir() {
        println!("skipped: no MNIST in {}; set TALLOW_DATA_DIR", data.display());
        return;
    }
    let from = mnist.to_str().unwrap();
    let (code, stdout, stderr) = xtask(&["embed-mnist", "--check", "--from", from]);
    assert_eq!((code, stdout.matches("same ").count()), (0, 6), "{stdout}{stderr}");

    // Elsewhere, made, spoilt, and found out.
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().to_str().unwrap();
    assert_eq!(xtask(&["embed-mnist", "--from", from, "--to", to]).0, 0);
    fs::write(folder.path().join("t10k-labels-idx1-ubyte.gz"), "spoilt").unwrap();
    let (code, stdout, stderr) = xtask(&["embed-mnist", "--check", "--from", from, "--to", to]);
    assert_eq!((code, stdout.matches("DIFFERS").count()), (1, 1), "{stdout}");
    assert!(stderr.contains("1 embedded files are not what the full MNIST gives"), "{stderr}");
}

#[test]
fn embedding_without_mnist_says_how_to_get_it() {
    let folder = tempfile::tempdir().unwrap();
    let (code, _, stderr) = xtask(&["embed-mnist", "--from", folder.path().to_str().unwrap()]);
    assert_eq!(code, 3);
    assert!(stderr.contains("run `cargo xtask fetch-data --only mnist` (11.6 MB from "), "{stderr}");
}

#[test]
fn the_embedded_network_is_what_the_published_one_gives() {
    let shared = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
    let data = std::env::var_os("TALLOW_DATA_DIR").map_or(shared, PathBuf::from);
    let published = data.join("efficientnet_lite0.safetensors");
    if !published.is_file() {
        println!("skipped: no efficientnet_lite0.safetensors in {}; set TALLOW_DATA_DIR", data.display());
        return;
    }
    let from = published.to_str().unwrap();
    let (code, stdout, stderr) = xtask(&["embed-efficientnet", "--check", "--from", from]);
    assert_eq!((code, stdout.matches("same ").count()), (0, 1), "{stdout}{stderr}");

    // Elsewhere, made, spoilt, and found out.
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("network.safetensors");
    let to = to.to_str().unwrap();
    assert_eq!(xtask(&["embed-efficientnet", "--from", from, "--to", to]).0, 0);
    let mut bytes = fs::read(to).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(to, bytes).unwrap();
    let (code, stdout, stderr) = xtask(&["embed-efficientnet", "--check", "--from", from, "--to", to]);
    assert!(code == 1 && stdout.starts_with("DIFFERS") && stderr.contains("are not what"), "{stdout}{stderr}");
}

#[test]
fn other_weights_are_not_embedded() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("other.pth"), folder.path().join("network.safetensors"));
    fs::write(&from, "other weights").unwrap();
    let (code, _, stderr) =
        xtask(&["embed-efficientnet", "--from", from.to_str().unwrap(), "--to", to.to_str().unwrap()]);
    assert!(code == 1 && stderr.contains("expected 579344248a93"), "{stderr}");
    assert!(!to.exists());
}
