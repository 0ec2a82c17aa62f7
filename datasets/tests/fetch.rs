//! Downloads against a web server on this machine that misbehaves in each way that real ones do.
#![cfg(feature = "fetch")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use tallow_datasets::{DataFolder, Error, ErrorKind, Fetcher, Manifest, Options, Result, State};
use test_support::manifest::{self, file};
use test_support::{Reply, Request, Server, payload, sha256, tree};

/// A data folder of its own, and what was said while fetching into it.
struct Bench {
    temporary: tempfile::TempDir,
    heard: Vec<String>,
}

impl Bench {
    fn new() -> Bench {
        Bench { temporary: tempfile::tempdir().unwrap(), heard: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.temporary.path().join("demo").join(name)
    }

    fn fetch_with(&mut self, options: Options, files: &[String]) -> Result<Vec<State>> {
        let list = Manifest::parse(&manifest::of(files), "test.toml").unwrap();
        let folder = DataFolder::resolve(Some(self.temporary.path()));
        Fetcher::new(options)
            .fetch(&folder, list.get("demo").unwrap(), &mut |progress| self.heard.push(format!("{progress:?}")))
    }

    fn fetch(&mut self, files: &[String]) -> Result<Vec<State>> {
        self.fetch_with(quick(), files)
    }

    fn heard(&self, what: &str) -> usize {
        self.heard.iter().filter(|line| line.starts_with(what)).count()
    }
}

fn quick() -> Options {
    Options { backoff: Duration::from_millis(1), ..Options::default() }
}

fn sources(server: &Server, paths: &[&str]) -> Vec<String> {
    paths.iter().map(|path| format!("{}{path}", server.url)).collect()
}

/// What was asked for, and how many bytes were sent for it.
fn ranges(server: &Server) -> Vec<(Option<usize>, usize)> {
    server.requests().iter().map(|request| (request.range.map(|(from, _)| from), request.sent)).collect()
}

#[test]
fn fetches_checks_and_then_leaves_the_network_alone() {
    let data = payload(300_000);
    let served = data.clone();
    let server = Server::start(move |_| Reply::file(&served));
    let files = [file("deep/a.bin", &sources(&server, &["/a"]), &data, "")];
    let mut bench = Bench::new();
    assert_eq!(bench.fetch(&files).unwrap(), [State::Verified]);
    assert_eq!(fs::read(bench.path("deep/a.bin")).unwrap(), data);
    assert_eq!(tree(bench.temporary.path()), ["demo/deep/a.bin"]);
    assert!(bench.heard("Received") >= 2, "{:?}", bench.heard);

    assert_eq!(bench.fetch(&files).unwrap(), [State::Verified]);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn resumes_where_the_connection_was_cut() {
    let data = payload(200_000);
    let served = data.clone();
    let server =
        Server::start(move |request| Reply { cut: (request.nth == 0).then_some(150_000), ..Reply::file(&served) });
    let mut bench = Bench::new();
    bench.fetch(&[file("a.bin", &sources(&server, &["/a"]), &data, "")]).unwrap();
    assert_eq!(fs::read(bench.path("a.bin")).unwrap(), data);
    assert_eq!(ranges(&server), [(None, 150_000), (Some(150_000), 50_000)]);
    assert_eq!(bench.heard("Retrying"), 1);
}

#[test]
fn resumes_what_a_killed_process_left() {
    let data = payload(1000);
    let served = data.clone();
    let server = Server::start(move |_| Reply::file(&served));
    let files = [file("a.bin", &sources(&server, &["/a"]), &data, "")];
    let mut bench = Bench::new();
    fs::create_dir(bench.path("")).unwrap();
    fs::write(bench.path("a.bin.part"), &data[..400]).unwrap();
    let list = Manifest::parse(&manifest::of(&files), "test.toml").unwrap();
    let folder = DataFolder::resolve(Some(bench.temporary.path()));
    assert_eq!(folder.status(&list.datasets[0]), [State::Partial(400)]);
    assert!(folder.find_in(&list, "demo").is_err());

    bench.fetch(&files).unwrap();
    assert_eq!(fs::read(bench.path("a.bin")).unwrap(), data);
    assert_eq!(ranges(&server), [(Some(400), 600)]);
    assert_eq!(folder.find_in(&list, "demo").unwrap(), bench.temporary.path().join("demo"));
}

#[test]
fn a_server_that_ignores_ranges_starts_over() {
    let data = payload(1000);
    let served = data.clone();
    let server = Server::start(move |_| Reply { ignore_range: true, ..Reply::file(&served) });
    let mut bench = Bench::new();
    fs::create_dir(bench.path("")).unwrap();
    fs::write(bench.path("a.bin.part"), &data[..400]).unwrap();
    bench.fetch(&[file("a.bin", &sources(&server, &["/a"]), &data, "")]).unwrap();
    assert_eq!(fs::read(bench.path("a.bin")).unwrap(), data);
    assert_eq!(ranges(&server), [(Some(400), 1000)]);
}

#[test]
fn a_server_that_has_nothing_to_resume_is_asked_from_the_start() {
    let data = payload(1000);
    let served = data.clone();
    // 416 for every range, as a server answers whose file is shorter than what we have.
    let server = Server::start(move |request| match request.range {
        Some(_) => Reply::status(416),
        None => Reply::file(&served),
    });
    let mut bench = Bench::new();
    fs::create_dir(bench.path("")).unwrap();
    fs::write(bench.path("a.bin.part"), &data[..400]).unwrap();
    bench.fetch(&[file("a.bin", &sources(&server, &["/a"]), &data, "")]).unwrap();
    assert_eq!(ranges(&server), [(Some(400), 5), (None, 1000)]);
}

#[test]
fn a_part_of_some_other_file_is_dropped_and_the_source_asked_again() {
    let data = payload(1000);
    let served = data.clone();
    let server = Server::start(move |_| Reply::file(&served));
    let mut bench = Bench::new();
    fs::create_dir(bench.path("")).unwrap();
    fs::write(bench.path("a.bin.part"), [7; 400]).unwrap();
    bench.fetch(&[file("a.bin", &sources(&server, &["/a"]), &data, "")]).unwrap();
    assert_eq!(fs::read(bench.path("a.bin")).unwrap(), data);
    assert_eq!(ranges(&server), [(Some(400), 600), (None, 1000)]);
}

#[test]
fn goes_on_to_the_next_mirror_and_says_so() {
    let data = payload(1000);
    let served = data.clone();
    let server = Server::start(move |request| match &*request.path {
        "/gone" => Reply::status(404),
        _ => Reply::file(&served),
    });
    let mut bench = Bench::new();
    bench.fetch(&[file("a.bin", &sources(&server, &["/gone", "/a"]), &data, "")]).unwrap();
    let paths: Vec<String> = server.requests().into_iter().map(|request| request.path).collect();
    assert_eq!(paths, ["/gone", "/a"]); // 404 is final: not asked twice
    let failed: Vec<&String> = bench.heard.iter().filter(|line| line.starts_with("SourceFailed")).collect();
    assert!(failed.len() == 1 && failed[0].contains("404 Not Found"), "{failed:?}");
}

#[test]
fn a_busy_server_is_asked_again_but_not_for_ever() {
    let data = payload(1000);
    let served = data.clone();
    let answer = move |request: &Request| match (&*request.path, request.nth) {
        ("/a", 0) => Reply::status(429).header("Retry-After", "0"),
        ("/a", 1) => Reply::status(503),
        ("/a", _) => Reply::file(&served),
        _ => Reply::status(500),
    };
    let server = Server::start(answer);
    let mut bench = Bench::new();
    bench.fetch(&[file("a.bin", &sources(&server, &["/a"]), &data, "")]).unwrap();
    assert_eq!((server.requests().len(), bench.heard("Retrying")), (3, 2));

    let error = bench.fetch(&[file("b.bin", &sources(&server, &["/b"]), &data, "")]).unwrap_err();
    assert!(error.to_string().contains("500 Internal Server Error; check the connection"), "{error}");
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(server.requests().len(), 3 + 4);
}

#[test]
fn an_address_where_nobody_listens_is_given_up_at_once() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut bench = Bench::new();
    let error = bench.fetch(&[file("a.bin", &[format!("http://127.0.0.1:{port}/a")], b"abc", "")]).unwrap_err();
    assert!(matches!(error, Error::Network { .. }), "{error}");
    assert_eq!((bench.heard("Retrying"), bench.heard("SourceFailed")), (0, 1), "{:?}", bench.heard);
}

#[test]
fn a_server_that_falls_silent_is_not_waited_for_for_ever() {
    let data = payload(1000);
    let served = data.clone();
    let server = Server::start(move |request| match request.nth {
        0 => Reply { cut: Some(600), hold: Duration::from_secs(60), ..Reply::file(&served) },
        _ => Reply::file(&served),
    });
    let mut bench = Bench::new();
    let options = Options { read_timeout: Duration::from_millis(200), ..quick() };
    bench.fetch_with(options, &[file("a.bin", &sources(&server, &["/a"]), &data, "")]).unwrap();
    assert_eq!(ranges(&server), [(None, 600), (Some(600), 400)]);
}

#[test]
fn a_wrong_hash_is_thrown_away_and_the_next_mirror_asked() {
    let (data, forged) = (payload(1000), vec![7; 1000]);
    let (served, fake) = (data.clone(), forged.clone());
    let server = Server::start(move |request| Reply::file(if request.path == "/a" { &served } else { &fake }));
    let mut bench = Bench::new();
    bench.fetch(&[file("a.bin", &sources(&server, &["/forged", "/a"]), &data, "")]).unwrap();
    assert_eq!(fs::read(bench.path("a.bin")).unwrap(), data);

    let error = bench.fetch(&[file("b.bin", &sources(&server, &["/forged"]), &data, "")]).unwrap_err();
    let Error::WrongDownload { expected, got, .. } = &error else { panic!("{error}") };
    assert_eq!((&**expected, &**got), (&*format!("sha256 {}", sha256(&data)), &*format!("sha256 {}", sha256(&forged))));
    assert!(error.to_string().contains(expected) && error.to_string().contains(got));
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert_eq!(tree(bench.temporary.path()), ["demo/a.bin"]);
}

#[test]
fn a_wrong_size_is_refused_before_it_is_downloaded() {
    let data = payload(1000);
    let server = Server::start(|_| Reply::file(&payload(1001)));
    let mut bench = Bench::new();
    let error = bench.fetch(&[file("a.bin", &sources(&server, &["/a"]), &data, "")]).unwrap_err();
    assert!(error.to_string().contains("expected 1000 bytes, got 1001 bytes"), "{error}");
    assert_eq!(bench.heard("Received"), 0);
    assert_eq!(tree(bench.temporary.path()), [""; 0]);
}

#[test]
fn more_than_the_promised_bytes_are_never_written() {
    let data = payload(1000);
    let server = Server::start(|_| Reply {
        // Without a length the only limit is ours. A reader takes the last length given, or the chunks.
        status: 200,
        headers: "Transfer-Encoding: chunked\r\n".into(),
        body: [b"fa0\r\n".as_slice(), &[7; 4000], b"\r\n0\r\n\r\n"].concat(),
        ..Reply::default()
    });
    let mut bench = Bench::new();
    let error = bench.fetch(&[file("a.bin", &sources(&server, &["/a"]), &data, "")]).unwrap_err();
    assert!(error.to_string().contains("expected 1000 bytes, got "), "{error}");
    assert!(fs::metadata(bench.path("a.bin.part")).map_or(0, |part| part.len()) <= 1000);
    assert!(!bench.path("a.bin").exists());
}

#[test]
fn offline_opens_no_socket() {
    let data = payload(1000);
    let server = Server::start(|_| Reply::status(404));
    let files = [file("a.bin", &sources(&server, &["/a"]), &data, "")];
    let offline = || Options { offline: true, ..quick() };
    let mut bench = Bench::new();
    let error = bench.fetch_with(offline(), &files).unwrap_err();
    assert!(matches!(error, Error::Offline { .. }) && error.kind() == ErrorKind::Unavailable);
    assert!(error.to_string().contains("--offline forbids fetching it (1.0 kB from http://"), "{error}");

    // What is here already is good enough, and what is here and damaged is named.
    fs::create_dir(bench.path("")).unwrap();
    fs::write(bench.path("a.bin"), &data).unwrap();
    assert_eq!(bench.fetch_with(offline(), &files).unwrap(), [State::Verified]);
    fs::write(bench.path("a.bin"), &data[..10]).unwrap();
    let error = bench.fetch_with(offline(), &files).unwrap_err();
    assert!(error.to_string().contains("is damaged: expected 1000 bytes, got 10 bytes"), "{error}");
    assert!(server.requests().is_empty());
}

#[test]
fn a_damaged_file_is_replaced() {
    let data = payload(1000);
    let served = data.clone();
    let server = Server::start(move |_| Reply::file(&served));
    let mut bench = Bench::new();
    fs::create_dir(bench.path("")).unwrap();
    fs::write(bench.path("a.bin"), [7; 1000]).unwrap();
    assert_eq!(bench.fetch(&[file("a.bin", &sources(&server, &["/a"]), &data, "")]).unwrap(), [State::Verified]);
    assert_eq!(fs::read(bench.path("a.bin")).unwrap(), data);
}

#[test]
fn one_bad_file_does_not_keep_the_others_away() {
    let data = payload(1000);
    let served = data.clone();
    let server =
        Server::start(move |request| if request.path == "/a" { Reply::status(404) } else { Reply::file(&served) });
    let files = ["a", "b"].map(|name| file(name, &sources(&server, &[&format!("/{name}")]), &data, ""));
    let mut bench = Bench::new();
    assert!(bench.fetch(&files).is_err());
    assert_eq!(tree(bench.temporary.path()), ["demo/b"]);
}

#[test]
fn two_at_once_download_once() {
    let data = payload(100_000);
    let served = data.clone();
    let server = Server::start(move |_| {
        std::thread::sleep(Duration::from_millis(100));
        Reply::file(&served)
    });
    let temporary = tempfile::tempdir().unwrap();
    let list = manifest::of(&[file("a.bin", &sources(&server, &["/a"]), &data, "")]);
    let list = Manifest::parse(&list, "test.toml").unwrap();
    let folder = DataFolder::resolve(Some(temporary.path()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| Fetcher::new(quick()).fetch(&folder, &list.datasets[0], &mut |_| {}).unwrap());
        }
    });
    assert_eq!(server.requests().len(), 1);
    assert_eq!(fs::read(temporary.path().join("demo/a.bin")).unwrap(), data);
}

#[test]
fn an_unknown_hash_is_said_to_be_unchecked() {
    let data = payload(1000);
    let served = data.clone();
    let server = Server::start(move |_| Reply::file(&served));
    let table = file("a.bin", &sources(&server, &["/a"]), &data, "");
    let table: String =
        table.lines().filter(|line| !line.starts_with("sha256")).map(|line| format!("{line}\n")).collect();
    let mut bench = Bench::new();
    let states = bench.fetch(&[table]).unwrap();
    assert_eq!(states, [State::Unhashed]);
    assert_eq!(states[0].to_string(), "present, unchecked hash");
}

#[test]
fn a_folder_that_cannot_be_written_is_named_and_no_server_is_blamed() {
    let server = Server::start(|_| Reply::file(&payload(10)));
    let mut bench = Bench::new();
    fs::write(bench.temporary.path().join("demo"), "a file where the folder should be").unwrap();
    let error = bench.fetch(&[file("a.bin", &sources(&server, &["/a"]), &payload(10), "")]).unwrap_err();
    assert!(error.to_string().starts_with("cannot create "), "{error}");
    assert_eq!(error.kind(), ErrorKind::Failed);
    assert!(server.requests().is_empty());
}
