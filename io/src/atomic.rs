//! Files that are either whole or not there. What the crate `tempfile` does for one file (`NamedTempFile::persist`),
//! also for a folder, and durable after a power cut.
//!
//! A program may be killed at any moment; what it leaves under a file's final name must never be half a file. So bytes
//! go to a temporary file in the same folder, reach the disk, and are then renamed, which the file system does in one
//! step.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, Result};
use crate::fault;

/// Writes `bytes` to `path`, replacing what was there, so that no reader ever sees a part of them. Missing folders on
/// the way are made.
///
/// # Errors
/// Where the folder cannot be made or written; what stood at `path` is then untouched.
pub fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> Result<()> {
    write_with(path, |file| file.write_all(bytes.as_ref()))
}

/// As [`write()`], for contents that are produced piece by piece.
///
/// # Errors
/// Where the folder cannot be written or where `fill` fails.
pub fn write_with(path: impl AsRef<Path>, fill: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<()> {
    let path = path.as_ref();
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fault::point().and_then(|()| fs::create_dir_all(folder)).map_err(Error::io("create", folder))?;
    }
    let temporary = sibling(path);
    let written = create(&temporary).and_then(|mut file| {
        fill(&mut file)?;
        fault::point()?;
        file.sync_all()
    });
    if let Err(source) = written.and_then(|()| persist(&temporary, path)) {
        // The first failure is the one to report; a left-over temporary file is only untidy.
        let _ = fs::remove_file(&temporary);
        return Err(Error::io("write", path)(source));
    }
    Ok(())
}

/// Writes several files into a folder, all of them or none. A new folder appears with all its files in one step. In a
/// folder that is there, other files stay; the new ones are written in full beside the old and then renamed one after
/// the other, in the order given. If the machine stops between two of these renames, files of both times stand side by
/// side: a file that holds the hash of another can tell.
///
/// # Errors
/// Where a file cannot be written.
pub fn write_folder(folder: impl AsRef<Path>, files: &[(&str, &[u8])]) -> Result<()> {
    let folder = folder.as_ref();
    if !folder.exists() {
        let staged = sibling(folder);
        let written = files.iter().try_for_each(|(name, bytes)| write(staged.join(name), bytes));
        let moved = written.and_then(|()| persist(&staged, folder).map_err(Error::io("create", folder)));
        if moved.is_err() {
            let _ = fs::remove_dir_all(&staged);
        }
        return moved;
    }
    let staged: Vec<(PathBuf, PathBuf)> =
        files.iter().map(|(name, _)| folder.join(name)).map(|path| (sibling(&path), path)).collect();
    let write_all = || {
        for ((temporary, path), (_, bytes)) in staged.iter().zip(files) {
            let written = create(temporary).and_then(|mut file| {
                file.write_all(bytes)?;
                fault::point()?;
                file.sync_all()
            });
            written.map_err(Error::io("write", path))?;
        }
        staged.iter().try_for_each(|(temporary, path)| rename(temporary, path))
    };
    let outcome = write_all();
    if outcome.is_err() {
        staged.iter().for_each(|(temporary, _)| drop(fs::remove_file(temporary)));
    }
    outcome
}

/// Renames a finished file or folder and makes the new name durable.
///
/// # Errors
/// Where the folder of the new name cannot be written.
pub fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<()> {
    let to = to.as_ref();
    persist(from.as_ref(), to).map_err(Error::io("write", to))
}

fn create(path: &Path) -> std::io::Result<File> {
    fault::point()?;
    File::create_new(path)
}

fn persist(from: &Path, to: &Path) -> std::io::Result<()> {
    fault::point()?;
    fs::rename(from, to)?;
    // Without this a power cut may lose the name although the contents are safe. Folders cannot be opened everywhere
    // (Windows), and there the rename is journalled anyway.
    if let Some(folder) = to.parent()
        && let Ok(folder) = File::open(folder)
    {
        let _ = folder.sync_all();
    }
    Ok(())
}

/// A hidden name in the same folder that no other process or thread uses.
fn sibling(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    path.with_file_name(format!(".{name}.{}-{count}.tmp", std::process::id()))
}

/// Removes temporary files that killed processes left in a folder, which must be in use by nobody else.
///
/// # Errors
/// Where one cannot be removed.
pub fn remove_left_over(folder: impl AsRef<Path>) -> Result<()> {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if !is_temporary(&entry.file_name().to_string_lossy()) {
            continue;
        }
        let path = entry.path();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        let removed = if is_folder { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        removed.map_err(Error::io("remove", &path))?;
    }
    Ok(())
}

/// Whether [`sibling`] makes such names.
fn is_temporary(name: &str) -> bool {
    let numbers =
        name.strip_prefix('.').and_then(|name| name.strip_suffix(".tmp")).and_then(|name| name.rsplit_once('.'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers
        .and_then(|(_, numbers)| numbers.split_once('-'))
        .is_some_and(|(id, count)| is_number(id) && is_number(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn replaces_the_file_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b.txt");
        write(&path, "one").unwrap();
        write(&path, "two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(path.parent().unwrap()), ["b.txt"]);
    }

    #[test]
    fn left_over_files_are_known_by_their_names() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path();
        for name in [".head.safetensors.12-0.tmp", ".model.7-31.tmp/x", "own.tmp", ".own.tmp", ".a.12-x.tmp", ".12-0"] {
            write(here.join(name), "").unwrap();
        }
        assert!(is_temporary(&sibling(Path::new("a/b")).file_name().unwrap().to_string_lossy()));
        remove_left_over(here).unwrap();
        let mut left = names(here);
        left.sort();
        assert_eq!(left, [".12-0", ".a.12-x.tmp", ".own.tmp", "own.tmp"]);
    }

    #[test]
    fn a_failure_keeps_the_old_file_and_names_the_path() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("b.txt");
        write(&path, "one").unwrap();
        let error = write_with(&path, |file| {
            file.write_all(b"half")?;
            Err(std::io::Error::other("disk full"))
        })
        .unwrap_err();
        assert_eq!(error.to_string(), format!("cannot write {}: disk full", path.display()));
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(folder.path()), ["b.txt"]);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        write(&file, "").unwrap();
        let error = write(file.join("below/b.txt"), "x").unwrap_err();
        assert!(error.to_string().starts_with("cannot create "), "{error}");
        assert_eq!(error.path, file.join("below"));
    }

    #[test]
    fn a_folder_gets_all_files_or_none() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("a/model");
        write_folder(&folder, &[("x", b"1"), ("y", b"2")]).unwrap();
        assert_eq!(
            (fs::read(folder.join("x")).unwrap(), fs::read(folder.join("y")).unwrap()),
            (b"1".into(), b"2".into())
        );
        fs::write(folder.join("notes"), "mine").unwrap();
        write_folder(&folder, &[("x", b"3"), ("y", b"4")]).unwrap();
        let mut found = names(&folder);
        found.sort();
        assert_eq!(found, ["notes", "x", "y"]);
        assert_eq!(fs::read(folder.join("y")).unwrap(), b"4");
        // The second file cannot be written: the first stays what it was, and nothing is left beside it.
        assert!(write_folder(&folder, &[("x", b"5"), ("no/such/folder", b"6")]).is_err());
        assert_eq!((fs::read(folder.join("x")).unwrap(), names(&folder).len()), (b"3".into(), 3));
        assert_eq!(names(&place.path().join("a")), ["model"]);
        // A name that is too long for any file system.
        let long = "n".repeat(5000);
        assert!(write_folder(place.path().join("b"), &[("x", b"7"), (&long, b"8")]).is_err());
        assert_eq!(names(place.path()), ["a"]);
    }
}
