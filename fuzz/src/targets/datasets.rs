//! Lists of datasets, archives, and the arrays of MNIST.

use super::{Target, words};
use std::path::{Path, PathBuf};
use tallow_datasets::idx::{self, Idx};
use tallow_datasets::{Entry, Manifest, unpack};
use test_support::archive;

pub(super) const IDX: Target = Target {
    name: "idx",
    seeds: |_| {
        let array =
            |shape: Vec<usize>| Idx { data: (0..shape.iter().product::<usize>()).map(|i| i as u8).collect(), shape };
        let bytes = |shape| idx::to_bytes("a", &array(shape)).unwrap_or_default();
        vec![bytes(vec![10]), bytes(vec![3, 5, 4]), bytes(vec![0, 28, 28])]
    },
    tokens: &[b"\0\0\x08\x01", b"\0\0\x08\x03", b"\0\0\x0d\x02"],
    structure: None,
    run: |input, _| {
        let read = idx::from_bytes::<u8>("a.idx", input);
        if let Ok(read) = &read
            && read.data.len() != read.shape.iter().product::<usize>()
        {
            return Err("an array that is not as large as its shape".into());
        }
        words(read)
    },
};

pub(super) const MANIFEST: Target = Target {
    name: "manifest",
    seeds: |_| {
        let file = list(&"0".repeat(64), 12, "unpack = \"tgz\"\nprovides = [\"a/b\"]\nstrip = 1");
        let builtin = include_str!("../../../datasets/manifest.toml");
        let parts = builtin.split("\n[[dataset]]").map(|part| format!("[[dataset]]{part}").into_bytes());
        parts.chain([file.into_bytes(), builtin.as_bytes().to_vec()]).collect()
    },
    tokens: &[
        b"[[dataset]]",
        b"[[dataset.file]]",
        b"unpack = \"zip\"",
        b"../",
        b"http://",
        b"a:b@",
        b".part",
        b"bytes = ",
    ],
    structure: None,
    run: |input, folder| {
        let list = Manifest::parse(&String::from_utf8_lossy(input), "list.toml");
        for dataset in list.iter().flat_map(|list| &list.datasets) {
            let told = dataset.missing(folder, None).to_string();
            if !told.contains(&dataset.name) || dataset.files.iter().any(|entry| entry.unpacked_limit() == 0) {
                return Err(format!("`{}` is missing so: {told}", dataset.name));
            }
        }
        words(list)
    },
};

pub(super) const ZIP: Target = Target {
    name: "zip",
    seeds: |_| {
        let folders = archive::zip(&[("x/", b""), ("x/a/", b""), ("x/a/b.txt", b"some text"), ("./", b"")]);
        vec![archive::zip(&[("a/b.txt", b"some text"), ("c", &[7; 300])]), archive::zip(&[]), folders]
    },
    tokens: &[b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"../", b"a.sha256", b"a.zip"],
    structure: None,
    run: |input, folder| unpacked(input, folder, "zip"),
};

pub(super) const TGZ: Target = Target {
    name: "tgz",
    seeds: |_| {
        use archive::EntryType::{Directory, Regular, Symlink};
        let plain =
            archive::tgz(&[("a", Directory, b""), ("a/b.txt", Regular, b"some text"), ("c", Regular, &[7; 300])]);
        vec![plain, archive::tgz(&[("l", Symlink, b"a"), ("a", Regular, b"x")])]
    },
    tokens: &[b"ustar", b"../", b"\x1f\x8b\x08"],
    structure: None,
    run: |input, folder| unpacked(input, folder, "tgz"),
};

/// A list of one dataset of one file, about which there is more to say.
fn list(sha256: &str, bytes: usize, more: &str) -> String {
    format!(
        "[[dataset]]\nname = \"a\"\ntitle = \"A\"\nlicence = \"L\"\nlicence_url = \"https://a.org\"\ncredit = \"C\"\n\
         layout = \"files\"\n[[dataset.file]]\nname = \"a.archive\"\nbytes = {bytes}\nsha256 = \"{sha256}\"\n\
         sources = [\"https://a.org/a.archive\"]\n{more}\n"
    )
}

/// Unpacks an archive beside a file that must be there afterwards, below which nothing else may be.
fn unpacked(input: &[u8], folder: &Path, kind: &str) -> Result<String, String> {
    let outside = folder.join("outside");
    let inside = outside.join("data");
    let prepare = || -> std::io::Result<PathBuf> {
        if outside.exists() {
            std::fs::remove_dir_all(&outside)?;
        }
        std::fs::create_dir_all(&inside)?;
        let file = inside.join("a.archive");
        std::fs::write(&file, input)?;
        Ok(file)
    };
    let file = prepare().map_err(|e| e.to_string())?;
    let strip = input.len() % 2;
    let more = format!("unpack = \"{kind}\"\nmax_unpacked_bytes = 100000\nprovides = [\"a\"]\nstrip = {strip}");
    let list = list(&"0".repeat(64), input.len().max(1), &more);
    let manifest = Manifest::parse(&list, "list.toml").map_err(|e| format!("the target's own list: {e}"))?;
    let entry: Entry = manifest.datasets[0].files[0].clone();
    let result = unpack::unpack(&file, &inside, &entry, &mut |_| {});
    let here = |folder: &Path| {
        let mut names: Vec<_> =
            std::fs::read_dir(folder).into_iter().flatten().flatten().map(|e| e.file_name()).collect();
        names.sort();
        names
    };
    if here(&outside) != ["data"] {
        return Err(format!("files outside of the folder: {:?}", here(&outside)));
    }
    if std::fs::read(&file).ok().as_deref() != Some(input) {
        return Err("the archive was written over".into());
    }
    if result.is_err() && here(&inside) != ["a.archive"] {
        return Err(format!("an error that leaves {:?}", here(&inside)));
    }
    words(result)
}
