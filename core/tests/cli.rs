//! The arguments that chapters share, and how a chapter's program ends.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use clap::{CommandFactory, Parser};
use tallow::cli::{self, Chapter, CommonArgs, Seed, Session};
use tallow::report::Expect;
use tallow::{Error, Result};

const CHAPTER: Chapter = Chapter::new("ch00_test", "A test");

/// A chapter for tests.
#[derive(Debug, Parser)]
#[command(name = "ch00_test")]
struct Args {
    #[command(flatten)]
    common: CommonArgs,

    /// How to end
    #[arg(long, default_value = "well")]
    end: String,
}

impl AsRef<CommonArgs> for Args {
    fn as_ref(&self) -> &CommonArgs {
        &self.common
    }
}

fn chapter(args: &Args, session: &mut Session) -> Result<()> {
    session.run.section("1. Only");
    session.run.say(format!("seed {}", session.seed));
    session.run.compare("half", "0.5", 0.5, Expect::Exact);
    match args.end.as_str() {
        "usage" => Err(Error::Usage(String::from("no such thing"))),
        "file" => Err(Error::file("weights.bin", "cut short")),
        "value" => Err(Error::Value(String::from("bad shape"))),
        "interrupt" => Err(Error::Interrupted(String::from(" at epoch 3"))),
        "miss" => {
            session.run.target("accuracy", 0.5, 0.9);
            Ok(())
        }
        "panic" => panic!("a defect"),
        _ => Ok(()),
    }
}

fn parse(arguments: &[&str]) -> std::result::Result<CommonArgs, clap::Error> {
    Args::try_parse_from([&["ch00_test"], arguments].concat()).map(|args| args.common)
}

#[test]
fn the_command_line_is_sound() {
    Args::command().debug_assert();
}

#[test]
fn an_empty_command_line_means_the_defaults() {
    // The environment may say otherwise on the machine that runs this.
    if std::env::var_os("TALLOW_DEVICE").is_none() && std::env::var_os("TALLOW_DATA_DIR").is_none() {
        assert_eq!(parse(&[]).unwrap(), CommonArgs::default());
    }
    assert!(CommonArgs::default().worker_count() >= 1);
}

#[test]
fn arguments_are_read() {
    let line = "--device cuda:1 --seed 7 --data-dir d --out o --workers 3 --quick --offline --json -q --resume \
                --checkpoint-every 0.5 --require-target";
    let args = parse(&line.split_whitespace().collect::<Vec<_>>()).unwrap();
    let expected = CommonArgs {
        device: String::from("cuda:1"),
        cpu: false,
        seed: Seed::Fixed(7),
        data_dir: Some(PathBuf::from("d")),
        out: Some(PathBuf::from("o")),
        workers: Some(3),
        quick: true,
        offline: true,
        json: true,
        quiet: true,
        resume: true,
        checkpoint_every: Duration::from_millis(500),
        require_target: true,
    };
    assert_eq!(args, expected);
    assert_eq!(args.out_folder("ch00_test"), Path::new("o"));
    assert_eq!(parse(&["--cpu"]).unwrap().device_name(), "cpu");
    assert_eq!(parse(&["--seed", "random"]).unwrap().seed, Seed::Random);
    assert_ne!(Seed::Random.draw().unwrap(), Seed::Random.draw().unwrap());
}

#[test]
fn nonsense_is_wrong_usage() {
    for line in [
        "--seed x",
        "--seed -1",
        "--workers 0",
        "--checkpoint-every -1",
        "--checkpoint-every soon",
        "--cpu --device cpu",
        "--nonsense",
        "--out",
    ] {
        let error = parse(&line.split_whitespace().collect::<Vec<_>>()).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn help_names_the_variables_and_the_defaults() {
    let help = Args::command().render_long_help().to_string();
    for words in
        ["TALLOW_DEVICE", "TALLOW_DATA_DIR", "[default: 42]", "out/CHAPTER", "[default: 30]", "auto, cpu, cuda"]
    {
        assert!(help.contains(words), "{words} in\n{help}");
    }
}

#[test]
fn the_output_folder_is_below_the_workspace_when_cargo_runs_the_program() {
    // Cargo runs tests in the package's folder, with CARGO_MANIFEST_DIR set, as `cargo run` has it.
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let out = CommonArgs::default().out_folder("ch00_test");
    assert_eq!(out.canonicalize().unwrap_or(out), workspace.join("out/ch00_test"));
}

#[test]
fn a_session_opens_with_what_was_asked() {
    let folder = tempfile::tempdir().unwrap();
    let common = CommonArgs {
        device: String::from("cpu"),
        out: Some(folder.path().to_path_buf()),
        data_dir: Some(PathBuf::from("d")),
        seed: Seed::Fixed(7),
        quiet: true,
        quick: true,
        ..CommonArgs::default()
    };
    let session = Session::open(&CHAPTER, &common).unwrap();
    assert!(session.device.is_cpu() && session.quick && !session.resume && !session.offline);
    assert_eq!((session.seed, session.checkpoint_every), (7, Duration::from_secs(30)));
    assert_eq!(session.data.root(), Path::new("d"));
    let config = std::fs::read_to_string(folder.path().join("config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    assert_eq!((&config["seed"], &config["quick"]), (&7.into(), &true.into()));

    let nowhere = CommonArgs { device: String::from("tpu"), ..common };
    assert_eq!(cli::exit_code(&Session::open(&CHAPTER, &nowhere).map(drop).unwrap_err()), 2);
}

#[test]
fn the_version_of_candle_is_the_one_in_the_lock_file() {
    let folder = tempfile::tempdir().unwrap();
    let out = Some(folder.path().to_path_buf());
    let common = CommonArgs { device: String::from("cpu"), out, quiet: true, ..CommonArgs::default() };
    drop(Session::open(&CHAPTER, &common).unwrap());
    let config = std::fs::read_to_string(folder.path().join("config.json")).unwrap();
    let config: serde_json::Value = serde_json::from_str(&config).unwrap();
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock")).unwrap();
    let expected = format!("name = \"candle-core\"\nversion = {}\n", config["versions"]["candle"]);
    assert!(lock.contains(&expected), "{expected}");
}

#[test]
fn an_error_is_told_once_with_its_causes() {
    let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
    let text = cli::report_error(&Error::io("a.txt")(missing()));
    assert_eq!(text, "error: a.txt: entity not found");
    // A folder's name must not colour the terminal.
    let text = cli::report_error(&Error::file("cats\u{1b}[31m", "is not a photo"));
    assert_eq!(text, "error: cats\\u{1b}[31m: is not a photo");
    let text = cli::report_error(&Error::Interrupted(String::from(" at epoch 3")));
    assert_eq!(text, "error: interrupted at epoch 3");
}

/// Not a test of its own: the program that the tests below start, which is this test binary once more.
#[test]
fn program() {
    let Some(line) = std::env::var_os("TALLOW_TEST_PROGRAM") else { return };
    let line = line.into_string().unwrap();
    // `cli::main` reads the process's own arguments, which belong to the test harness here.
    let args = match Args::try_parse_from(std::iter::once("ch00_test").chain(line.split_whitespace())) {
        Ok(args) => args,
        Err(error) => error.exit(),
    };
    let code = i32::from(cli::run_to_exit_code(&CHAPTER, &args, chapter));
    std::process::exit(code);
}

fn start(line: &str, out: &Path) -> Output {
    let line = format!("{line} --device cpu --out {}", out.display());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "program", "--nocapture"]).env("TALLOW_TEST_PROGRAM", line).output().unwrap()
}

#[test]
fn the_exit_code_says_how_it_went() {
    let folder = tempfile::tempdir().unwrap();
    for (line, code, words) in [
        ("", 0, ""),
        ("--end value", 1, "error: bad shape\n"),
        ("--end usage", 2, "error: no such thing\n"),
        ("--nonsense", 2, "unexpected argument '--nonsense'"),
        ("--end file", 3, "error: weights.bin: cut short\n"),
        ("--end miss", 0, ""),
        ("--end miss --require-target", 4, "error: target missed: accuracy: 0.5, goal 0.9: missed\n"),
        ("--end interrupt", 130, "error: interrupted at epoch 3\n"),
        ("--end panic", 101, "a defect"),
    ] {
        let output = start(line, folder.path());
        let told = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{line}: {told}");
        assert!(told.contains(words), "{line}: {told}");
        let complete = code == 0 || code == 4;
        assert!(folder.path().join("report.html").exists() == complete || line == "--nonsense", "{line}");
    }
}
