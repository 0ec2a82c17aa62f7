//! Downloads from sources that fail in each way, without a socket.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;
use tallow_io::download::{ByteSource, Cut, Download, Failure, Observer, Part, Patience, Progress, Retry, lock};
use tallow_io::hash;

/// What a source does at one attempt.
enum Step {
    Bring(&'static [u8]),
    BringAndFail(&'static [u8]),
    Fail(fn() -> Cut),
}

/// A source that goes through its steps, and notes where it was asked to begin.
struct Script {
    steps: Vec<Step>,
    asked: Vec<u64>,
}

impl Script {
    fn new(steps: impl IntoIterator<Item = Step>) -> Script {
        let mut steps: Vec<Step> = steps.into_iter().collect();
        steps.reverse();
        Script { steps, asked: Vec::new() }
    }
}

impl ByteSource for Script {
    fn bring(&mut self, part: &mut Part) -> Result<(), Cut> {
        self.asked.push(part.len());
        match self.steps.pop().expect("one attempt more than expected") {
            Step::Bring(bytes) => part.append(bytes),
            Step::BringAndFail(bytes) => part.append(bytes).and(Err(Cut::again("cut"))),
            Step::Fail(cut) => Err(cut()),
        }
    }
}

const PATIENCE: Patience =
    Patience { attempts: 3, backoff: Duration::from_millis(1), longest_wait: Duration::from_secs(1) };

struct Bench {
    folder: tempfile::TempDir,
    heard: Vec<String>,
}

impl Bench {
    fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap(), heard: Vec::new() }
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("a.part")
    }

    fn run(&mut self, source: &mut Script) -> Result<hash::Digest, Failure> {
        let (part, sha256) = (self.part(), hash::bytes(b"abcdef").sha256);
        let download = Download { part: &part, bytes: 6, sha256: Some(&sha256) };
        let mut hear = |progress: Progress| self.heard.push(format!("{progress:?}"));
        download.run(source, &mut Retry::new(&PATIENCE), &mut hear)
    }

    fn kept(&self) -> Option<Vec<u8>> {
        fs::read(self.part()).ok()
    }
}

#[test]
fn a_file_that_comes_in_pieces_is_whole() {
    let (mut bench, mut source) = (Bench::new(), Script::new([Step::Bring(b"abcd"), Step::Bring(b"ef")]));
    assert_eq!(bench.run(&mut source).unwrap(), hash::bytes(b"abcdef"));
    assert_eq!((source.asked, bench.kept().unwrap()), (vec![0, 4], b"abcdef".to_vec()));
    assert_eq!(bench.heard, ["Received { done: 4, bytes: 6 }", "Received { done: 6, bytes: 6 }"]);
}

#[test]
fn what_is_here_is_not_asked_for_again() {
    let (mut bench, mut source) = (Bench::new(), Script::new([Step::BringAndFail(b"c"), Step::Bring(b"def")]));
    fs::write(bench.part(), "ab").unwrap();
    bench.run(&mut source).unwrap();
    assert_eq!(source.asked, [2, 3]);
    assert!(bench.heard[1].starts_with("Retrying { what: \"cut\""), "{:?}", bench.heard);
    // All of it is here: nobody is asked.
    bench.run(&mut Script::new([])).unwrap();
}

#[test]
fn a_wrong_beginning_that_was_here_is_dropped_and_one_that_came_is_the_sources_fault() {
    let (mut bench, mut source) = (Bench::new(), Script::new([Step::Bring(b"cdef"), Step::Bring(b"abcdef")]));
    fs::write(bench.part(), "xx").unwrap();
    bench.run(&mut source).unwrap();
    assert_eq!(source.asked, [2, 0]);

    let (mut bench, mut source) = (Bench::new(), Script::new([Step::Bring(b"xxcdef")]));
    let Err(Failure::Wrong(mismatch)) = bench.run(&mut source) else { panic!() };
    assert_eq!(mismatch.got, format!("sha256 {}", hash::bytes(b"xxcdef").sha256));
    assert_eq!(bench.kept(), None);
}

#[test]
fn more_bytes_than_promised_are_not_kept() {
    let (mut bench, mut source) = (Bench::new(), Script::new([Step::Bring(b"abcdefg")]));
    let Err(Failure::Wrong(mismatch)) = bench.run(&mut source) else { panic!() };
    assert_eq!((&*mismatch.expected, &*mismatch.got), ("6 bytes", "more than 6 bytes"));
    assert_eq!(bench.kept().unwrap(), b"");
}

#[test]
fn failures_count_in_a_row_and_a_piece_ends_the_row() {
    let fail = || Step::Fail(|| Cut::again("busy"));
    let (mut bench, mut source) =
        (Bench::new(), Script::new([fail(), fail(), Step::Bring(b"abc"), fail(), fail(), fail()]));
    let Err(Failure::GivenUp { what, attempts }) = bench.run(&mut source) else { panic!() };
    assert_eq!((&*what, attempts), ("busy", 3));
    assert_eq!((source.asked, bench.kept().unwrap()), (vec![0, 0, 0, 3, 3, 3], b"abc".to_vec()));
}

#[test]
fn an_address_where_nobody_answers_is_given_up_at_once_unless_it_answered_before() {
    let nobody = || Step::Fail(|| Cut::Unreachable("nobody".into()));
    let (mut bench, mut source) = (Bench::new(), Script::new([nobody()]));
    assert!(matches!(bench.run(&mut source), Err(Failure::GivenUp { attempts: 1, .. })));
    let (mut bench, mut source) =
        (Bench::new(), Script::new([Step::BringAndFail(b"a"), nobody(), Step::Bring(b"bcdef")]));
    bench.run(&mut source).unwrap();
}

#[test]
fn a_source_that_wants_an_hour_or_refuses_is_not_asked_again() {
    let (mut bench, mut source) =
        (Bench::new(), Script::new([Step::Fail(|| Cut::Again("busy".into(), Duration::from_secs(3600)))]));
    let Err(Failure::GivenUp { what, .. }) = bench.run(&mut source) else { panic!() };
    assert_eq!(what, "busy, and asks to wait for 3600 s");
    let (mut bench, mut source) = (Bench::new(), Script::new([Step::Fail(|| Cut::refused("gone"))]));
    assert!(matches!(bench.run(&mut source), Err(Failure::Refused { .. })));
    assert!(bench.heard.is_empty());
}

#[test]
fn a_part_that_cannot_be_written_is_this_machines_fault() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let part = folder.path().join("file/a.part");
    let (mut source, download) =
        (Script::new([Step::Bring(b"abcdef")]), Download { part: &part, bytes: 6, sha256: None });
    let outcome = download.run(&mut source, &mut Retry::new(&PATIENCE), &mut |_: Progress| {});
    assert!(matches!(outcome, Err(Failure::Ours(error)) if error.path == part));
}

/// An observer that wants to stop.
struct Impatient;

impl Observer for Impatient {
    fn tell(&mut self, _: Progress) {}

    fn is_interrupted(&self) -> bool {
        true
    }
}

#[test]
fn pauses_and_locks_end_when_the_user_wants_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let part = folder.path().join("a.part");
    let (mut source, download) =
        (Script::new([Step::Fail(|| Cut::again("busy"))]), Download { part: &part, bytes: 6, sha256: None });
    assert!(matches!(download.run(&mut source, &mut Retry::new(&PATIENCE), &mut Impatient), Err(Failure::Interrupted)));

    let path = folder.path().join(".lock");
    let held = lock(&path, &mut Impatient).unwrap();
    assert!(held.is_none() || matches!(lock(&path, &mut Impatient), Err(Failure::Interrupted)));
}
