//! What a fingerprint says of files.

use crate::error::Result;
use crate::event::Listener;
use crate::fingerprint::Fingerprint;
use rayon::prelude::*;
use std::path::{Path, PathBuf};
use tallow_io::hash;

/// The size and the hash of each file, in words.
///
/// A hash and not the time of the last change: the same photos have other times on the machine that they are copied to,
/// and a photo that was put in another's place may have the older one's time. Reading a photo once costs little beside
/// decoding it once an epoch. A file that cannot be read is said to be so; whether that matters is not decided here.
///
/// # Errors
/// When a stop is asked for.
pub(super) fn digests(files: &[PathBuf], listener: &Listener) -> Result<Vec<String>> {
    const CHUNK: usize = 256;
    let digest = |file: &PathBuf| match hash::file(file) {
        Ok(digest) => format!("{} bytes, sha256 {}", digest.bytes, &digest.sha256[..16]),
        Err(_) => "not readable".into(),
    };
    let task = listener.task("hashing photos", files.len());
    let mut all = Vec::with_capacity(files.len());
    for chunk in files.chunks(CHUNK) {
        listener.stop_if_interrupted()?;
        all.par_extend(chunk.par_iter().map(digest));
        task.progress(all.len(), "");
    }
    Ok(all)
}

/// An entry for each file, in order: its name as counted from `root`, its class and its digest.
pub(super) fn entries(root: &Path, files: &[PathBuf], classes: &[String], digests: &[String]) -> Fingerprint {
    let all = files.iter().zip(classes).zip(digests);
    all.fold(Fingerprint::default(), |entries, ((file, class), digest)| {
        let name = file.strip_prefix(root).unwrap_or(file);
        // The same name on every system.
        let parts: Vec<_> = name.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        entries.with(format!("photo {}", parts.join("/")), format!("{class}, {digest}"))
    })
}

/// The deepest folder that all files are in.
pub(super) fn common_folder(files: &[PathBuf]) -> PathBuf {
    let mut folders = files.iter().filter_map(|file| file.parent());
    let Some(first) = folders.next() else { return PathBuf::new() };
    let shared =
        |common: &'_ Path, folder: &Path| common.ancestors().find(|a| folder.starts_with(a)).map(PathBuf::from);
    folders.fold(first.into(), |common: PathBuf, folder| shared(&common, folder).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_from_the_folder_that_all_files_are_in() {
        let files: Vec<PathBuf> = ["d/train/cat/1.png", "d/train/dog/1.png", "d/valid/x.png"].map(PathBuf::from).into();
        assert_eq!(common_folder(&files), Path::new("d"));
        assert_eq!(common_folder(&files[..1]), Path::new("d/train/cat"));
        assert_eq!(common_folder(&[]), Path::new(""));
        let (classes, digests) = (["cat", "dog", "x"].map(String::from), ["1", "2", "3"].map(String::from));
        let got = entries(Path::new("d"), &files, &classes, &digests);
        let got: Vec<_> = got.entries().collect();
        assert_eq!(got[1..], [("photo train/dog/1.png", "dog, 2"), ("photo valid/x.png", "x, 3")]);
    }
}
