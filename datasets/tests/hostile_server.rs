//! Downloads against a web server on this machine that means harm, and by way of a proxy.
#![cfg(feature = "fetch")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use flate2::{Compression, write::GzEncoder};
use std::fs;
use std::io::Write;
use std::time::{Duration, Instant};
use tallow_datasets::{DataFolder, Error, Fetcher, Manifest, Options, Result, State};
use test_support::manifest::{self, file};
use test_support::{Reply, Server, payload, tree};

const BYTES: usize = 50_000;

/// How long a source may be silent, and how long it may be slower than is borne.
const PATIENCE: Duration = Duration::from_millis(400);

/// Fetches one file from these addresses into a folder.
fn fetch(folder: &std::path::Path, sources: &[String]) -> Result<Vec<State>> {
    fetch_of(BYTES, folder, sources)
}

fn fetch_of(bytes: usize, folder: &std::path::Path, sources: &[String]) -> Result<Vec<State>> {
    let options = Options {
        attempts: 2,
        backoff: Duration::from_millis(1),
        connect_timeout: Duration::from_secs(5),
        read_timeout: PATIENCE,
        ..Options::default()
    };
    let list = manifest::of(&[file("a.bin", sources, &payload(bytes), "")]);
    let list = Manifest::parse(&list, "test.toml").unwrap();
    let data = DataFolder::resolve(Some(folder));
    Fetcher::new(options).fetch(&data, list.get("demo").unwrap(), &mut |_| ())
}

/// What a hostile server at `/a` costs, and that the next source is asked then.
#[track_caller]
fn survives(reply: impl Fn(&str, usize) -> Reply + Send + Sync + 'static, most_requests: usize) -> String {
    let server = Server::start(move |request| match request.path.as_str() {
        "/good" => Reply::file(&payload(BYTES)),
        _ => reply(&request.path, request.nth),
    });
    let [bad, good] = ["/a", "/good"].map(|path| format!("{}{path}", server.url));
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    let error = fetch(folder.path(), std::slice::from_ref(&bad)).unwrap_err();
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    let left = tree(folder.path());
    let part = fs::metadata(folder.path().join("demo/a.bin.part")).map_or(0, |part| part.len());
    assert!(left.iter().all(|file| !file.ends_with("a.bin")) && part <= BYTES as u64, "{left:?}, {part} bytes");
    assert!(server.requests().len() <= most_requests, "{} requests", server.requests().len());
    fetch(folder.path(), &[bad, good]).unwrap();
    assert_eq!(fs::read(folder.path().join("demo/a.bin")).unwrap(), payload(BYTES));
    assert_eq!(tree(folder.path()), ["demo/a.bin"]);
    error.to_string()
}

#[test]
fn a_byte_now_and_then_is_given_up() {
    let drip = |_: &str, _| Reply { drip: Some(Duration::from_millis(20)), ..Reply::file(&payload(BYTES)) };
    let said = survives(drip, 2);
    assert!(said.contains("less than 1000 bytes a second"), "{said}");
}

/// Some thousands of bytes a second, each by itself: slow, but all arrive, in more time than may pass in silence.
#[test]
fn a_slow_source_that_goes_on_is_waited_for() {
    const SMALL: usize = 5_000;
    let drip = Duration::from_micros(100);
    let server = Server::start(move |_| Reply { drip: Some(drip), ..Reply::file(&payload(SMALL)) });
    let folder = tempfile::tempdir().unwrap();
    let start = Instant::now();
    fetch_of(SMALL, folder.path(), &[format!("{}/a", server.url)]).unwrap();
    assert!(start.elapsed() > PATIENCE, "{:?}", start.elapsed());
    assert_eq!(fs::read(folder.path().join("demo/a.bin")).unwrap(), payload(SMALL));
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn redirects_that_lead_in_a_circle_end() {
    let said = survives(|path, _| Reply::status(302).header("Location", if path == "/a" { "/b" } else { "/a" }), 24);
    assert!(said.contains("redirect"), "{said}");
}

#[test]
fn a_redirect_to_where_no_file_is_fetched_from_is_refused() {
    for elsewhere in ["file:///etc/passwd", "ftp://127.0.0.1/a", "http://", "http://[::1", "//"] {
        survives(move |_, _| Reply::status(302).header("Location", elsewhere), 24);
    }
}

/// A megabyte of zeros packs to a kilobyte. What a server packs unasked is not the file, packed or unpacked.
#[test]
fn what_unpacks_to_more_is_not_unpacked() {
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&vec![0; 100 << 20]).unwrap();
    let packed = packed.finish().unwrap();
    assert!(packed.len() > BYTES);
    let whole = packed.clone();
    survives(move |_, _| Reply::file(&whole).header("Content-Encoding", "gzip"), 2);
    survives(move |_, _| Reply::file(&packed[..BYTES]).header("Content-Encoding", "gzip"), 4);
}

#[test]
fn a_head_of_a_megabyte_is_not_read() {
    survives(|_, _| Reply::file(&payload(BYTES)).header("X-Long", &"x".repeat(1 << 20)), 4);
    let many =
        |_: &str, _| (0..20_000).fold(Reply::file(&payload(BYTES)), |reply, i| reply.header(&format!("X-{i}"), "x"));
    survives(many, 4);
}

#[test]
fn pages_numbers_and_ranges_that_lie_are_refused() {
    survives(|_, _| Reply::file(b"<html>sign in</html>").header("Content-Type", "text/html"), 2);
    survives(|_, _| Reply::file(&payload(BYTES)).header("Content-Length", "-1"), 4);
    survives(|_, _| Reply { cut: Some(0), ..Reply::file(&payload(BYTES)) }, 4);
    // A part of the file that was asked for as a whole.
    let part = |_: &str, _| Reply { status: 206, ..Reply::file(&payload(BYTES)) };
    survives(move |path, nth| part(path, nth).header("Content-Range", "bytes 7-50006/50007"), 4);
    survives(move |path, nth| part(path, nth).header("Content-Range", "bytes 99999999999999999999-1/*"), 4);
}

/// A server that is asked again as often as it wants to be.
#[test]
fn who_asks_for_patience_gets_little() {
    survives(|_, _| Reply::status(503).header("Retry-After", "99999999999999999999"), 3);
    survives(|_, _| Reply::status(429).header("Retry-After", "86400"), 3);
}

#[test]
fn nothing_that_a_server_says_reaches_the_terminal_raw() {
    let said = survives(|_, _| Reply::status(302).header("Location", "http://\u{1b}[31m/\u{7}"), 4);
    assert!(!said.chars().any(char::is_control), "{said:?}");
    assert!(matches!(
        fetch(tempfile::tempdir().unwrap().path(), &["http://127.0.0.1:9/a".into()]),
        Err(Error::Network { .. })
    ));
}
