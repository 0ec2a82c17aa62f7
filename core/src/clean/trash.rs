//! Moves of files that can be undone.

use crate::error::{Error, Result};
use std::fs;
use std::path::{Component, Path, PathBuf};
use tallow_io::atomic;

/// The hidden folder inside of the photos' folder.
pub(super) const FOLDER: &str = ".tallow-clean";

/// The list of moves, written before the first of them.
const MOVES: &str = "moves.json";

/// A file's place before and after, below the photos' folder.
pub(super) type Move = (PathBuf, PathBuf);

/// Moves files below `root` and returns how many. `moves` gets the folder for what is deleted, below `root`.
///
/// The moves are listed on disk before the first is made; a run that is killed in the middle leaves each file in one of
/// its two places, and [`undo`] knows both.
pub(super) fn apply(root: &Path, moves: impl FnOnce(&Path) -> Result<Vec<Move>>) -> Result<usize> {
    let number = applied(root)?.last().map_or(1, |(number, _)| number + 1);
    let inside = Path::new(FOLDER).join(format!("{number:04}"));
    let moves = moves(&inside.join("deleted"))?;
    for (from, to) in &moves {
        checked(root, from)?;
        checked(root, to)?;
        if fs::symlink_metadata(root.join(to)).is_ok() {
            return Err(Error::file(root.join(to), "is there already, and would be overwritten: move it away first"));
        }
    }
    let folder = root.join(&inside);
    let text =
        serde_json::to_vec_pretty(&moves).map_err(|e| Error::Value(format!("the moves cannot be listed: {e}")))?;
    // The folder must be new, so that two runs at once do not share it.
    fs::create_dir_all(root.join(FOLDER)).map_err(Error::io(root.join(FOLDER)))?;
    fs::create_dir(&folder).map_err(Error::io(&folder))?;
    atomic::write(folder.join(MOVES), text)?;
    for (n, (from, to)) in moves.iter().enumerate() {
        rename(&root.join(from), &root.join(to)).map_err(|error| {
            let left = moves.len() - n;
            Error::file(
                root.join(from),
                format!("cannot be moved: {error}; {n} files were moved, {left} were not; undo restores those"),
            )
        })?;
    }
    Ok(moves.len())
}

/// Takes back the last [`Cleaner::apply`](super::Cleaner::apply) under a folder, and says how many files it moved back;
/// 0 if there is nothing to undo. May be called again after it was interrupted.
///
/// # Errors
/// [`Error::File`] where a file has been put into the place of one that is to come back, or a file is in neither place;
/// all others are restored, and another call tries again. [`Error::Io`] where a file cannot be moved.
pub fn undo(root: impl AsRef<Path>) -> Result<usize> {
    let root = root.as_ref();
    let Some((_, folder)) = applied(root)?.pop() else { return Ok(0) };
    let list = folder.join(MOVES);
    // Killed before the first move.
    let moves = if list.exists() { read(root, &list)? } else { Vec::new() };
    let mut restored = 0;
    let mut failed = Vec::new();
    for (from, to) in moves.iter().rev() {
        let (from, to) = (root.join(from), root.join(to));
        match (fs::symlink_metadata(&from).is_ok(), fs::symlink_metadata(&to).is_ok()) {
            (false, true) => {
                rename(&to, &from).map_err(Error::io(&to))?;
                restored += 1;
            }
            // Never moved, or moved back already.
            (true, false) => {}
            (true, true) => failed.push(Error::file(
                &from,
                format!("is there, and so is {}, which would come back to its place: move one away", to.display()),
            )),
            (false, false) => failed.push(Error::file(
                &from,
                format!("is gone, and {} is too; to give it up, delete {}", to.display(), folder.display()),
            )),
        }
    }
    match failed.into_iter().next() {
        Some(first) => Err(first),
        None => {
            fs::remove_dir_all(&folder).map_err(Error::io(&folder))?;
            // Empty now, unless a plan or earlier moves are left.
            let _ = fs::remove_dir(root.join(FOLDER));
            Ok(restored)
        }
    }
}

/// The numbered folders of earlier moves, in order.
fn applied(root: &Path) -> Result<Vec<(u32, PathBuf)>> {
    let folder = root.join(FOLDER);
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io(&folder)(error)),
    };
    let mut all = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Error::io(&folder))?;
        if let Some(number) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
            all.push((number, entry.path()));
        }
    }
    all.sort();
    Ok(all)
}

fn read(root: &Path, list: &Path) -> Result<Vec<Move>> {
    let bytes = tallow_io::read::bytes(list, tallow_io::read::NOTES).map_err(Error::io(list))?;
    let moves: Vec<Move> =
        serde_json::from_slice(&bytes).map_err(|e| Error::file(list, format!("is not a list of moves: {e}")))?;
    for place in moves.iter().flat_map(|(from, to)| [from, to]) {
        checked(root, place)?;
    }
    Ok(moves)
}

/// An error unless `place` leads to somewhere below `root`, also through the links on its way.
fn checked(root: &Path, place: &Path) -> Result<()> {
    let outside = || Error::file(root.join(place), format!("is not below {}", root.display()));
    if place.as_os_str().is_empty() || place.components().any(|part| !matches!(part, Component::Normal(_))) {
        return Err(outside());
    }
    let real_root = root.canonicalize().map_err(Error::io(root))?;
    let full = root.join(place);
    let known = full.parent().into_iter().flat_map(Path::ancestors).find(|folder| folder.exists());
    let real = known.unwrap_or(root).canonicalize().map_err(Error::io(&full))?;
    if real.starts_with(real_root) { Ok(()) } else { Err(outside()) }
}

/// Renames, with the folders that are missing on the way.
fn rename(from: &Path, to: &Path) -> std::io::Result<()> {
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    tallow_io::fault::point()?;
    fs::rename(from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> Result<tempfile::TempDir> {
        let dir = tempfile::tempdir().map_err(Error::io("a temporary folder"))?;
        files.iter().try_for_each(|file| atomic::write(dir.path().join(file), file.as_bytes()))?;
        Ok(dir)
    }

    fn delete<'a>(files: &'a [&'a str]) -> impl FnOnce(&Path) -> Result<Vec<Move>> + 'a {
        move |deleted| Ok(files.iter().map(|file| (PathBuf::from(file), deleted.join(file))).collect())
    }

    #[test]
    fn killed_after_any_move_all_files_come_back() -> Result<()> {
        let files = ["cat/1.jpg", "cat/2.jpg", "dog/1.jpg"];
        for moved in 0..=files.len() {
            let dir = folder(&files)?;
            let root = dir.path();
            assert_eq!(apply(root, delete(&files))?, 3);
            // As if the run had ended before the last moves.
            for file in &files[moved..] {
                let deleted = root.join(FOLDER).join("0001/deleted").join(file);
                rename(&deleted, &root.join(file)).map_err(Error::io(root))?;
            }
            assert_eq!(undo(root)?, moved);
            for file in files {
                assert_eq!(fs::read(root.join(file)).map_err(Error::io(root))?, file.as_bytes());
            }
            assert!(!root.join(FOLDER).exists());
            assert_eq!(undo(root)?, 0);
        }
        Ok(())
    }

    #[test]
    fn nothing_is_overwritten_and_the_rest_comes_back() -> Result<()> {
        let files = ["cat/1.jpg", "cat/2.jpg"];
        let dir = folder(&files)?;
        let root = dir.path();
        apply(root, delete(&files))?;
        atomic::write(root.join("cat/2.jpg"), b"new")?;
        let refused = undo(root).map_err(|error| error.to_string());
        assert!(refused.is_err_and(|text| text.contains("2.jpg") && text.contains("move one away")));
        assert_eq!(fs::read(root.join("cat/1.jpg")).map_err(Error::io(root))?, b"cat/1.jpg");
        assert_eq!(fs::read(root.join("cat/2.jpg")).map_err(Error::io(root))?, b"new");
        fs::remove_file(root.join("cat/2.jpg")).map_err(Error::io(root))?;
        assert_eq!(undo(root)?, 1);
        assert_eq!(fs::read(root.join("cat/2.jpg")).map_err(Error::io(root))?, b"cat/2.jpg");
        Ok(())
    }

    #[test]
    fn places_outside_are_refused() -> Result<()> {
        let dir = folder(&["in/cat/1.jpg", "out/2.jpg"])?;
        let root = dir.path().join("in");
        for place in ["../out/2.jpg", "/etc/passwd", "", "cat/../../out/2.jpg"] {
            assert!(apply(&root, |_| Ok(vec![(place.into(), "cat/3.jpg".into())])).is_err(), "{place}");
            assert!(apply(&root, |_| Ok(vec![("cat/1.jpg".into(), place.into())])).is_err(), "{place}");
        }
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(dir.path().join("out"), root.join("link")).map_err(Error::io(&root))?;
            assert!(apply(&root, |_| Ok(vec![("link/2.jpg".into(), "cat/3.jpg".into())])).is_err());
        }
        assert!(!root.join(FOLDER).exists(), "a refusal leaves nothing behind");
        Ok(())
    }
}
