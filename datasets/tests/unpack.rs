//! Archives, friendly and hostile, through the whole way: downloaded, checked, unpacked, verified.
#![cfg(feature = "fetch")]
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;

use tallow_datasets::{DataFolder, Error, ErrorKind, Fetcher, Manifest, Options, Result, State};
use test_support::archive::EntryType::{Char, Directory, Link, Regular, Symlink};
use test_support::archive::{tgz, zip};
use test_support::manifest::{self, file};
use test_support::{Reply, Server, tree};

struct Bench {
    temporary: tempfile::TempDir,
    list: Manifest,
}

impl Bench {
    fn new(archive: &[u8], more: &str) -> Bench {
        let served = archive.to_vec();
        let server = Server::start(move |_| Reply::file(&served));
        let table = file("demo.archive", &[format!("{}/demo", server.url)], archive, more);
        let list = Manifest::parse(&manifest::of(&[table]), "test.toml").unwrap();
        Bench { temporary: tempfile::tempdir().unwrap(), list }
    }

    fn folder(&self) -> DataFolder {
        DataFolder::resolve(Some(self.temporary.path()))
    }

    fn fetch(&self, offline: bool) -> Result<Vec<State>> {
        Fetcher::new(Options { offline, ..Options::default() }).fetch(
            &self.folder(),
            &self.list.datasets[0],
            &mut |_| {},
        )
    }

    /// Fetches what must be refused, and checks that nothing is left of it, inside the folder or outside.
    fn refused(archive: &[u8], more: &str) -> Error {
        let bench = Bench::new(archive, more);
        let error = bench.fetch(false).unwrap_err();
        assert_eq!(tree(bench.temporary.path()), [""; 0], "{error}");
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        error
    }
}

const TGZ: &str = "unpack = \"tgz\"\nprovides = [\"train\"]\nmax_unpacked_bytes = 2000\nmax_unpacked_files = 5";
const ZIP: &str = "unpack = \"zip\"\nprovides = [\"train\"]\nmax_unpacked_bytes = 2000\nmax_unpacked_files = 5";

#[test]
fn a_tgz_is_unpacked_stripped_and_verified_later() {
    let archive = tgz(&[
        ("./", Directory, b""),
        ("./demo/train/", Directory, b""),
        ("./demo/train/1.txt", Regular, b"one"),
        ("demo/train/2.txt", Regular, b"two"),
    ]);
    let bench = Bench::new(&archive, &format!("{TGZ}\nstrip = 1"));
    assert_eq!(bench.fetch(false).unwrap(), [State::Verified]);
    assert_eq!(tree(bench.temporary.path()), ["demo/demo.archive.sha256", "demo/train/1.txt", "demo/train/2.txt"]);
    let one = bench.temporary.path().join("demo/train/1.txt");
    assert_eq!(fs::read(&one).unwrap(), b"one");
    // It is here now, so no network is needed.
    assert_eq!(bench.fetch(true).unwrap(), [State::Verified]);

    fs::write(&one, "ONE").unwrap();
    let states = bench.folder().verify(&bench.list.datasets[0]).unwrap();
    assert!(states[0].to_string().contains("of train/1.txt, got sha256"), "{}", states[0]);
    fs::remove_file(&one).unwrap();
    let states = bench.folder().verify(&bench.list.datasets[0]).unwrap();
    assert_eq!(states[0].to_string(), "damaged: expected train/1.txt, got no such file");
    // And fetching mends it.
    assert_eq!(bench.fetch(false).unwrap(), [State::Verified]);
    assert_eq!(fs::read(&one).unwrap(), b"one");
}

#[test]
fn a_zip_is_unpacked() {
    let bench = Bench::new(&zip(&[("train/1.txt", b"one"), ("train/deep/2.txt", b"two")]), ZIP);
    assert_eq!(bench.fetch(false).unwrap(), [State::Verified]);
    assert_eq!(fs::read(bench.temporary.path().join("demo/train/deep/2.txt")).unwrap(), b"two");
}

#[test]
fn an_archive_that_was_unpacked_by_hand_is_good_enough() {
    let bench = Bench::new(&zip(&[("train/1.txt", b"one")]), ZIP);
    fs::create_dir_all(bench.temporary.path().join("demo/train")).unwrap();
    assert_eq!(bench.fetch(true).unwrap(), [State::Present]);
}

#[test]
fn an_archive_that_was_copied_to_its_place_is_unpacked_without_a_network() {
    let archive = zip(&[("train/1.txt", b"one")]);
    let bench = Bench::new(&archive, ZIP);
    let folder = bench.temporary.path().join("demo");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("demo.archive"), &archive[1..]).unwrap();
    assert!(matches!(bench.fetch(true).unwrap_err(), Error::Offline { .. }));
    fs::write(folder.join("demo.archive"), &archive).unwrap();
    assert_eq!(bench.fetch(true).unwrap(), [State::Verified]);
    assert_eq!(tree(&folder), ["demo.archive.sha256", "train/1.txt"]);
}

#[test]
fn being_killed_while_unpacking_does_no_harm() {
    let archive = zip(&[("train/1.txt", b"one")]);
    let bench = Bench::new(&archive, ZIP);
    let folder = bench.temporary.path().join("demo");
    // As it is left in the middle of moving files to their places.
    fs::create_dir_all(folder.join("train")).unwrap();
    fs::create_dir_all(folder.join(".demo.archive.unpacking/train")).unwrap();
    fs::write(folder.join(".demo.archive.unpacking/train/1.txt"), "on").unwrap();
    fs::write(folder.join("demo.archive.part"), &archive).unwrap();
    assert!(bench.folder().find_in(&bench.list, "demo").is_err());
    assert_eq!(bench.fetch(false).unwrap(), [State::Verified]);
    assert_eq!(tree(&folder), ["demo.archive.sha256", "train/1.txt"]);
}

#[test]
fn paths_that_leave_the_folder_are_refused() {
    for name in ["../evil.txt", "train/../../evil.txt", "/tmp/evil.txt", "..\\evil.txt", "C:\\evil.txt"] {
        for error in [
            Bench::refused(&zip(&[("train/1.txt", b"one"), (name, b"evil")]), ZIP),
            Bench::refused(&tgz(&[("train/1.txt", Regular, b"one"), (name, Regular, b"evil")]), TGZ),
        ] {
            assert!(matches!(&error, Error::UnsafeArchive { .. }), "{name}: {error}");
            assert!(error.to_string().contains("is not a plain path inside the folder"), "{error}");
        }
    }
}

#[test]
fn links_and_devices_are_refused() {
    for (kind, why) in [(Symlink, "is a link"), (Link, "is a link"), (Char, "is neither a file nor a folder")] {
        let error = Bench::refused(&tgz(&[("train/1.txt", Regular, b"one"), ("train/2.txt", kind, b"")]), TGZ);
        assert!(error.to_string().contains(&format!("`train/2.txt` {why}")), "{error}");
    }
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.add_symlink("train", "/etc", zip::write::SimpleFileOptions::default()).unwrap();
    let error = Bench::refused(&archive.finish().unwrap().into_inner(), ZIP);
    assert!(error.to_string().contains("`train` is a link"), "{error}");
}

#[test]
fn too_many_bytes_or_files_are_refused() {
    let bomb = vec![0; 100_000]; // packs to a few hundred bytes
    for error in [
        Bench::refused(&zip(&[("train/1.txt", &bomb)]), ZIP),
        Bench::refused(&tgz(&[("train/1.txt", Regular, &bomb)]), TGZ),
    ] {
        assert!(error.to_string().contains("beyond its limit of 2000 bytes"), "{error}");
    }
    let names = ["train/1", "train/2", "train/3", "train/4", "train/5", "train/6"];
    for error in [
        Bench::refused(&zip(&names.map(|name| (name, b"".as_slice()))), ZIP),
        Bench::refused(&tgz(&names.map(|name| (name, Regular, b"".as_slice()))), TGZ),
    ] {
        assert!(error.to_string().contains("`train/6` takes the archive beyond its limit of 5 entries"), "{error}");
    }
}

#[test]
fn an_archive_of_something_else_is_damaged() {
    let error = Bench::refused(b"not an archive at all", ZIP);
    assert!(error.to_string().contains("expected a readable archive"), "{error}");
    let error = Bench::refused(b"not an archive at all", TGZ);
    assert!(error.to_string().contains("expected a readable archive"), "{error}");
    let error = Bench::refused(&zip(&[("valid/1.txt", b"one")]), ZIP);
    assert!(error.to_string().contains("expected an archive that holds train, got one without it"), "{error}");
}
