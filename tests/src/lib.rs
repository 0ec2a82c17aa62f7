//! How the tests run a chapter: as the program that a user would start.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A chapter's program, built once for each test program.
pub struct Chapter {
    program: PathBuf,
}

impl Chapter {
    /// Builds the chapters, if that is still to be done, and finds the program of one.
    ///
    /// # Panics
    /// When a chapter does not build.
    pub fn build(name: &str) -> Chapter {
        static BUILT: OnceLock<PathBuf> = OnceLock::new();
        // All packages of the workspace are selected, as they are by `cargo test --workspace`. A chapter by itself has
        // fewer features, for which candle and the library would be compiled once more.
        // This test is target/<profile>/deps/<test>; programs are two levels up.
        let folder = BUILT.get_or_init(|| {
            let test = std::env::current_exe().unwrap();
            let folder = test.parent().and_then(Path::parent).unwrap().to_path_buf();
            let target = folder.parent().unwrap();
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["build", "--quiet", "--workspace", "--bins", "--target-dir"]).arg(target);
            if folder.ends_with("release") {
                cargo.arg("--release");
            }
            assert!(cargo.status().unwrap().success(), "the chapters do not build");
            folder
        });
        Chapter { program: folder.join(name).with_extension(std::env::consts::EXE_EXTENSION) }
    }

    /// The program with arguments, away from the settings and data of whoever runs the tests.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(args).stdin(Stdio::null());
        for name in ["TALLOW_DEVICE", "TALLOW_DATA_DIR", "RAYON_NUM_THREADS", "CANDLE_NUM_THREADS"] {
            command.env_remove(name);
        }
        command
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn run(&self, args: &[&str]) -> Finished {
        Finished::from(self.command(args).output().unwrap())
    }

    /// Starts the program and waits until `is_ready`, which is while it is still at work.
    ///
    /// # Panics
    /// When it ends before, or is not ready within two minutes.
    pub fn start_and_wait(&self, args: &[&str], is_ready: impl Fn() -> bool) -> Child {
        let mut child = self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let start = Instant::now();
        while !is_ready() {
            assert!(child.try_wait().unwrap().is_none(), "the run ended too early");
            assert!(start.elapsed() < Duration::from_secs(120), "the run is not ready after two minutes");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert!(child.try_wait().unwrap().is_none(), "the run ended too early");
        child
    }
}

/// A run that has ended.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said on the side.
    pub stderr: String,
}

impl From<Output> for Finished {
    fn from(output: Output) -> Finished {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Finished { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Finished {
    /// Checks the exit code and that stderr has all of `words`.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn assert_fails(&self, code: i32, words: &[&str]) {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        for word in words {
            assert!(self.stderr.contains(word), "no `{word}` in:\n{}", self.stderr);
        }
    }
}
