//! `cargo xtask fetch-data` as a user runs it, against a web server on this machine.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use test_support::archive::zip;
use test_support::manifest::{self, file};
use test_support::{Reply, Server, kills, payload, tree};

struct Bench {
    temporary: tempfile::TempDir,
}

impl Bench {
    /// A manifest of the given files, in a folder of its own.
    fn new(files: &[String]) -> Bench {
        let temporary = tempfile::tempdir().unwrap();
        fs::write(temporary.path().join("list.toml"), manifest::of(files)).unwrap();
        Bench { temporary }
    }

    fn data(&self) -> PathBuf {
        self.temporary.path().join("data")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
        command.arg("fetch-data").arg("--manifest").arg(self.temporary.path().join("list.toml")).args(args);
        command.env("TALLOW_DATA_DIR", self.data());
        command
    }

    fn run(&self, args: &[&str]) -> (i32, String, String) {
        let Output { status, stdout, stderr } = self.command(args).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }
}

#[test]
fn lists_fetches_and_verifies() {
    let data = payload(1000);
    let served = data.clone();
    let server = Server::start(move |_| Reply::file(&served));
    let bench = Bench::new(&[file("a.bin", &[format!("{}/a", server.url)], &data, "")]);
    let row = |state: &str| format!("demo     a.bin  1.0 kB  {state}  CC0-1.0\n");

    let (code, stdout, _) = bench.run(&["--list"]);
    assert_eq!(code, 0);
    assert!(stdout.contains(&row("missing")) && stdout.contains("by nobody; CC0-1.0, https://example.org"), "{stdout}");
    assert!(server.requests().is_empty());

    let (code, stdout, stderr) = bench.run(&[]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stdout.ends_with(&row("verified")), "{stdout}");
    // No terminal, so no bar: one line that says what is going on.
    assert_eq!(stderr, format!("demo/a.bin: fetching 1.0 kB from {}/a\n", server.url));
    assert_eq!(fs::read(bench.data().join("demo/a.bin")).unwrap(), data);

    let (code, stdout, stderr) = bench.run(&["--offline", "--only", "demo"]);
    assert_eq!((code, &*stderr), (0, ""));
    assert!(stdout.contains(&row("verified")), "{stdout}");
    assert_eq!(server.requests().len(), 1);

    assert_eq!(bench.run(&["--verify"]).0, 0);
    fs::write(bench.data().join("demo/a.bin"), [7; 1000]).unwrap();
    let (code, stdout, _) = bench.run(&["--verify"]);
    assert_eq!(code, 3);
    assert!(stdout.contains("damaged: expected sha256 "), "{stdout}");
    assert_eq!(fs::read(bench.data().join("demo/a.bin")).unwrap(), [7; 1000]); // verifying changes nothing
}

#[test]
fn a_data_dir_on_the_command_line_comes_first() {
    let data = payload(10);
    let served = data.clone();
    let server = Server::start(move |_| Reply::file(&served));
    let bench = Bench::new(&[file("a.bin", &[format!("{}/a", server.url)], &data, "")]);
    let other = bench.temporary.path().join("other");
    let (code, stdout, _) = bench.run(&["--data-dir", other.to_str().unwrap()]);
    assert_eq!(code, 0);
    assert!(stdout.starts_with(&format!("data folder: {}\n", other.display())), "{stdout}");
    assert_eq!(tree(&other), ["demo/a.bin"]);
}

#[test]
fn goes_on_past_a_failure_and_exits_with_3() {
    let data = payload(1000);
    let served = data.clone();
    let server =
        Server::start(move |request| if request.path == "/b" { Reply::file(&served) } else { Reply::status(404) });
    let files = ["a", "b"].map(|name| file(name, &[format!("{}/{name}", server.url)], &data, ""));
    let bench = Bench::new(&files);
    let (code, stdout, stderr) = bench.run(&[]);
    assert_eq!(code, 3);
    assert!(stdout.contains("unavailable") && stdout.contains("verified"), "{stdout}");
    assert!(stderr.contains("/a: 404 Not Found; this source is given up"), "{stderr}");
    assert!(stderr.contains("error: cannot fetch `a`: "), "{stderr}");
    assert_eq!(tree(&bench.data()), ["demo/b"]);
}

#[test]
fn offline_without_the_data_exits_with_3_and_asks_nobody() {
    let server = Server::start(|_| Reply::file(&payload(10)));
    let bench = Bench::new(&[file("a.bin", &[format!("{}/a", server.url)], &payload(10), "")]);
    let (code, _, stderr) = bench.run(&["--offline"]);
    assert_eq!(code, 3);
    assert!(stderr.contains("error: `a.bin` is not on this machine and --offline forbids fetching it"), "{stderr}");
    assert!(server.requests().is_empty());
}

#[test]
fn an_archive_that_leaves_its_folder_is_refused() {
    let archive = zip(&[("train/1.txt", b"one"), ("../../evil.txt", b"evil")]);
    let served = archive.clone();
    let server = Server::start(move |_| Reply::file(&served));
    let more = "unpack = \"zip\"\nprovides = [\"train\"]";
    let bench = Bench::new(&[file("a.zip", &[format!("{}/a", server.url)], &archive, more)]);
    let (code, _, stderr) = bench.run(&[]);
    assert_eq!(code, 3);
    assert!(stderr.contains("is not safe to unpack: `../../evil.txt` is not a plain path"), "{stderr}");
    assert_eq!(tree(bench.temporary.path()), ["list.toml"]);
}

#[test]
fn killed_half_way_it_leaves_only_a_part_and_resumes() {
    let data = payload(200_000);
    let served = data.clone();
    let server = Server::start(move |request| match request.nth {
        0 => Reply { cut: Some(120_000), hold: Duration::from_secs(60), ..Reply::file(&served) },
        _ => Reply::file(&served),
    });
    let bench = Bench::new(&[file("a.bin", &[format!("{}/a", server.url)], &data, "")]);
    let part = bench.data().join("demo/a.bin.part");
    let mut child = bench.command(&[]).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while fs::metadata(&part).map_or(0, |part| part.len()) < 120_000 {
        assert!(start.elapsed() < Duration::from_secs(30), "the download does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(tree(&bench.data()), ["demo/a.bin.part"]);
    assert!(bench.run(&["--list"]).1.contains("missing (120.0 kB so far)"));

    let (code, _, stderr) = bench.run(&[]);
    assert_eq!(code, 0, "{stderr}");
    assert!(stderr.contains("resumed at 120.0 kB"), "{stderr}");
    assert_eq!(fs::read(bench.data().join("demo/a.bin")).unwrap(), data);
    let last = server.requests().pop().unwrap();
    assert_eq!((last.range, last.sent), (Some((120_000, None)), 80_000));
}

#[test]
fn wrong_usage_exits_with_2() {
    let bench = Bench::new(&[file("a.bin", &["https://example.org/a".into()], b"a", "")]);
    let (code, _, stderr) = bench.run(&["--only", "dmeo"]);
    assert_eq!((code, &*stderr), (2, "error: there is no dataset `dmeo`; the manifest lists demo\n"));
    assert_eq!(bench.run(&["--list", "--verify"]).0, 2);
    assert_eq!(bench.run(&["--nonsense"]).0, 2);
}

#[test]
fn a_manifest_that_is_wrong_is_named_with_the_line() {
    let bench = Bench::new(&["[[dataset.file]]\nname = 3\n".into()]);
    let (code, _, stderr) = bench.run(&[]);
    assert_eq!(code, 1);
    assert!(stderr.contains("list.toml: TOML parse error at line 9, column 8"), "{stderr}");
}

/// By way of the proxy that the environment names, but for hosts that it excepts and for this machine.
#[test]
fn a_proxy_is_asked_for_what_is_elsewhere() {
    let proxy = Server::start(|_| Reply::status(502));
    let data = payload(10);
    let asked = |source: &str, variables: &[(&str, &str)]| {
        let bench = Bench::new(&[file("a.bin", &[source.into()], &data, "")]);
        let mut command = bench.command(&[]);
        for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"] {
            command.env_remove(name);
        }
        let before = proxy.requests().len();
        let ended = command.envs(variables.iter().copied()).output().unwrap();
        assert_eq!(ended.status.code(), Some(3));
        proxy.requests()[before..].iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    };
    let through: Vec<String> = asked("https://data.invalid/a", &[("HTTPS_PROXY", &proxy.url)]);
    assert!(!through.is_empty() && through.iter().all(|request| request == "CONNECT data.invalid:443"), "{through:?}");
    let around: Vec<String> =
        asked("https://data.invalid/a", &[("HTTPS_PROXY", &proxy.url), ("NO_PROXY", "data.invalid")]);
    assert_eq!(around, [""; 0]);
    let here: Vec<String> = asked("http://127.0.0.1:9/a", &[("HTTPS_PROXY", &proxy.url), ("HTTP_PROXY", &proxy.url)]);
    assert_eq!(here, [""; 0]);
}

/// The files below a folder with their contents, but for locks.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = if folder.is_dir() { tree(folder) } else { Vec::new() };
    files
        .into_iter()
        .filter(|file| !file.ends_with(".lock"))
        .map(|file| (file.clone(), fs::read(folder.join(file)).unwrap()))
        .collect()
}

/// Disks that fail and processes that are killed at every step of writing: afterwards each file is the old one, the new
/// one or under a name that no reader takes for it, `--verify` tells that the data are not whole, and the same command
/// finishes. What has come whole is not asked for again.
#[test]
fn fetching_can_be_finished_after_a_failure_at_any_step() {
    let (photo, archive) = (payload(70_000), zip(&[("train/1.txt", &payload(20_000)), ("train/2.txt", b"two")]));
    let served = [photo.clone(), archive.clone()];
    let server = Server::start(move |request| Reply::file(&served[usize::from(request.path == "/zip")]));
    let sources = ["bin", "zip"].map(|name| [format!("{}/{name}", server.url)]);
    let more = "unpack = \"zip\"\nprovides = [\"train\"]";
    let files = [file("a.bin", &sources[0], &photo, ""), file("b.zip", &sources[1], &archive, more)];
    let whole = Bench::new(&files);
    let fetched = whole.run(&[]);
    assert_eq!(fetched.0, 0, "{fetched:?}");
    let whole = contents(&whole.data());
    assert!(whole.contains_key("demo/train/2.txt"), "{:?}", whole.keys());
    for kind in ["fail", "kill"] {
        let mut tried = 0;
        for step in 1.. {
            let bench = Bench::new(&files);
            let ended = bench.command(&[]).env("TALLOW_FAULT", format!("{kind}:{step}")).output().unwrap();
            let words = String::from_utf8_lossy(&ended.stderr).into_owned();
            if !words.contains("TALLOW_FAULT: step") {
                assert_eq!(ended.status.code(), Some(0), "{words}");
                break;
            }
            tried = step;
            assert!(!ended.status.success() && !words.contains("panicked"), "{kind} {step}: {words}");
            let code = ended.status.code();
            assert_eq!(code.is_none(), kind == "kill", "{kind} {step}: {words}");
            let left = contents(&bench.data());
            // Files that a reader would take are whole ones.
            for (name, bytes) in left.iter().filter(|(name, _)| whole.contains_key(*name)) {
                assert!(whole[name] == *bytes, "{kind} {step}: half of {name}");
            }
            // Of the work that is left after a kill, it may be no more than cleaning up.
            let is_done = whole.iter().all(|(name, bytes)| left.get(name) == Some(bytes));
            let verified = bench.run(&["--verify"]);
            let tells = verified.0 == 3 || verified.1.contains("missing");
            assert!(is_done || tells, "{kind} {step}: {verified:?}");
            let asked = |of: &str| server.requests().iter().filter(|request| request.path == of).count();
            let before = ["/bin", "/zip"].map(asked);
            let again = bench.run(&[]);
            assert_eq!(again.0, 0, "{kind} {step}: {words} {again:?}");
            assert!(contents(&bench.data()) == whole, "{kind} {step}: {:?}", tree(&bench.data()));
            for (i, name) in ["demo/a.bin", "demo/b.zip"].into_iter().enumerate() {
                let has_come = [name, &format!("{name}.part")]
                    .iter()
                    .any(|name| left.get(*name).is_some_and(|bytes| bytes.len() == [photo.len(), archive.len()][i]));
                let asked = asked(["/bin", "/zip"][i]) - before[i];
                assert!(!has_come || asked == 0, "{kind} {step}: {name} had come");
            }
        }
        eprintln!("{kind}: {tried} steps of fetching");
        assert!(tried > 8, "{tried}");
    }
}

/// Killed again and again at any moment, of fetching, checking or unpacking: no file is half under its own name, and
/// the last run ends with all of them. `TALLOW_KILLS=200` asks for so many kills.
#[test]
fn fetching_that_is_killed_at_any_moment_can_be_finished() {
    let (wanted, mut random) = (kills::wanted(10), kills::random());
    let photo = payload(3_000_000);
    let archive = zip(&[("train/1.txt", &payload(900_000)), ("train/2.txt", b"two"), ("test/3.txt", &payload(70_000))]);
    let served = [photo.clone(), archive.clone()];
    let server = Server::start(move |request| Reply::file(&served[usize::from(request.path == "/zip")]));
    let sources = ["bin", "zip"].map(|name| [format!("{}/{name}", server.url)]);
    let more = "unpack = \"zip\"\nprovides = [\"train\", \"test\"]\nmax_unpacked_bytes = 2000000";
    let files = [file("a.bin", &sources[0], &photo, ""), file("b.zip", &sources[1], &archive, more)];
    let undisturbed = Bench::new(&files);
    let started = Instant::now();
    let fetched = undisturbed.run(&[]);
    assert_eq!(fetched.0, 0, "{fetched:?}");
    let (time, whole) = (started.elapsed(), contents(&undisturbed.data()));
    let (mut kills, mut runs) = (0, 0);
    while kills < wanted {
        let bench = Bench::new(&files);
        for _ in 0..4 {
            let mut process = bench.command(&[]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            std::thread::sleep(time.mul_f64(random()));
            process.kill().unwrap();
            kills += usize::from(process.wait().unwrap().code().is_none());
            for (name, bytes) in contents(&bench.data()).iter().filter(|(name, _)| whole.contains_key(*name)) {
                assert!(whole[name] == *bytes, "half of {name} after {kills} kills");
            }
        }
        let last = bench.run(&[]);
        assert_eq!(last.0, 0, "{last:?}");
        assert!(contents(&bench.data()) == whole, "after {kills} kills: {:?}", tree(&bench.data()));
        assert_eq!(bench.run(&["--verify"]).0, 0);
        runs += 1;
    }
    eprintln!("{kills} kills in {runs} fetchings");
}
