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
        // All packages of the workspace are selected, and their tests, as they are by `cargo test --workspace`. A
        // chapter by itself, and a workspace without what its tests need, have fewer features, for which candle and
        // the library would be compiled once more.
        // This test is target/<profile>/deps/<test>; programs are two levels up.
        let folder = BUILT.get_or_init(|| {
            let test = std::env::current_exe().unwrap();
            let folder = test.parent().and_then(Path::parent).unwrap().to_path_buf();
            let target = folder.parent().unwrap();
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["build", "--quiet", "--workspace", "--bins", "--tests", "--target-dir"]).arg(target);
            // `cargo xtask ci` tests with more features than the default ones.
            if let Some(features) = std::env::var_os("TALLOW_TEST_FEATURES") {
                cargo.arg("--features").arg(features);
            }
            // What cargo says of this test's package is no setting of a build: crates whose build scripts look at it,
            // and all that stands on them, would be compiled anew by each side in turn.
            for (name, _) in std::env::vars_os() {
                let of_package = |prefix: &&str| name.to_string_lossy().starts_with(*prefix);
                if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_"].iter().any(of_package) {
                    cargo.env_remove(&name);
                }
            }
            if folder.ends_with("release") {
                cargo.arg("--release");
            }
            assert!(cargo.status().unwrap().success(), "the chapters do not build");
            folder
        });
        Chapter { program: folder.join(name).with_extension(std::env::consts::EXE_EXTENSION) }
    }

    /// The program with arguments, away from the settings and data of the one who runs the tests.
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

/// Checks the code on a chapter's page against the sources as they are on disk: each listing begins on the line that it
/// names, all of its lines are the file's, in their order, and every section that computes has some.
///
/// # Panics
/// When the two differ, or the page has fewer than `least` listings.
pub fn check_code(page: &str, least: usize) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut listings = 0;
    for part in page.split("class=\"place\"").skip(1) {
        let place = &part[part.find('>').unwrap() + 1..part.find('<').unwrap()];
        let (path, line) = place.rsplit_once(':').unwrap();
        let source = std::fs::read_to_string(root.join(path)).unwrap();
        let mut source = source.lines().skip(line.parse::<usize>().unwrap() - 1);
        let code = &part[part.find("<code>").unwrap() + 6..part.find("</code>").unwrap()];
        for (i, line) in plain(code).lines().enumerate() {
            let reports = ["text", "section", "say", "check", "figure", "table", "metric", "run.compare", "run.add"];
            let reports = reports.iter().any(|call| line.starts_with(&format!("s.{call}(")));
            assert!(!reports, "a call that only reports is on the page: {line}");
            let found = match i {
                0 => source.next().is_some_and(|source| source.trim() == line.trim()),
                _ => source.any(|source| source.trim() == line.trim()),
            };
            assert!(found, "{place}: `{line}` is not where the page says");
        }
        listings += 1;
    }
    assert!(listings >= least, "{listings} listings");
}

/// The text of some HTML.
fn plain(html: &str) -> String {
    let text: String = html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect();
    let entities = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    entities.iter().fold(text, |text, (entity, character)| text.replace(entity, character))
}
