//! The folder of a run: which of its files are ours, and how they are written.

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use tallow_io::atomic;

use crate::error::{Error, Result};

/// The list of the files that a run wrote. The next run removes those, and nothing else: checkpoints stay, and so does
/// whatever a user keeps there.
const LIST: &str = ".tallow-files";

/// Files in the folders of a run, in none of which it may write through a link.
const PLOTS: &str = "plots/file";
const MODEL: &str = "model/file";
const CHECKPOINTS: &str = "checkpoints/file";

/// The file that a run keeps locked, with its process in it, so that no other writes to the same folder.
const LOCK: &str = ".tallow-lock";

/// A folder whose files are listed as they are written.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    files: Vec<String>,
    _lock: Lock,
}

impl Folder {
    /// Makes the folder, proves that it can be written, and clears away what an earlier run of ours left.
    pub(crate) fn create(path: &Path) -> Result<Folder> {
        fs::create_dir_all(path).map_err(|error| {
            let what = format!("the folder of the run cannot be made: {error}; `--out` names another");
            Error::io(path)(io::Error::new(error.kind(), what))
        })?;
        for name in [LIST, LOCK, PLOTS, MODEL, CHECKPOINTS] {
            check_place(path, name)?;
        }
        let lock = Lock::take(path)?;
        for name in [LIST, PLOTS, MODEL, CHECKPOINTS] {
            // What a killed run was writing when it was killed.
            path.join(name).parent().map_or(Ok(()), atomic::remove_left_over)?;
        }
        for name in listed(path) {
            remove(path, &name)?;
        }
        let folder = Folder { path: path.to_path_buf(), files: Vec::new(), _lock: lock };
        folder.save_list()?;
        Ok(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the files written so far, relative to the folder, in order.
    pub(crate) fn files(&self) -> &[String] {
        &self.files
    }

    /// Notes that a file is ours, before it is there: a file that is not listed would never be cleared away.
    pub(crate) fn claim(&mut self, name: &str) -> Result<PathBuf> {
        if !self.files.iter().any(|file| file == name) {
            self.files.push(String::from(name));
            self.save_list()?;
        }
        check_place(&self.path, name)?;
        Ok(self.path.join(name))
    }

    /// Writes a file of the run whole, or not at all.
    pub(crate) fn write(&mut self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.claim(name)?;
        atomic::write(&path, bytes)?;
        Ok(path)
    }

    fn save_list(&self) -> Result<()> {
        Ok(atomic::write(self.path.join(LIST), self.files.join("\n") + "\n")?)
    }
}

/// The lock of a folder, which goes with the process that holds it, however that ends.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    /// None where the file system has no locks.
    file: Option<File>,
}

impl Lock {
    fn take(folder: &Path) -> Result<Lock> {
        let path = folder.join(LOCK);
        loop {
            let opened = File::options().read(true).write(true).create(true).truncate(false).open(&path);
            let mut file = opened.map_err(Error::io(&path))?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::Error(_)) => return Ok(Lock { path, file: None }),
                Err(TryLockError::WouldBlock) => {
                    let holder = fs::read_to_string(&path).unwrap_or_default();
                    let what = format!(
                        "is being written by another run ({}); wait for its end, or choose another folder by --out",
                        holder.trim()
                    );
                    return Err(Error::Usage(format!("{} {what}", folder.display())));
                }
            }
            // The holder before us removes its file when it ends, perhaps after we have opened it.
            if !path.exists() {
                continue;
            }
            let holder = format!("process {}\n", std::process::id());
            let written = file.set_len(0).and_then(|()| file.write_all(holder.as_bytes()));
            written.map_err(Error::io(&path))?;
            return Ok(Lock { path, file: Some(file) });
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// The names of the files that a run wrote to a folder.
pub(super) fn listed(folder: &Path) -> impl Iterator<Item = String> {
    let list = tallow_io::read::text(folder.join(LIST), tallow_io::read::NOTES).unwrap_or_default();
    list.lines().filter(|name| !name.is_empty()).map(String::from).collect::<Vec<_>>().into_iter()
}

/// Checks that what is written or removed there is in this folder, and in a regular file: a folder may have been
/// prepared by others. A link in the place of a file goes, since the file would be written through it.
fn check_place(folder: &Path, name: &str) -> Result<()> {
    if let Some(link) = tallow_io::inside::link_on_the_way(folder, name) {
        let what = "is a link to a folder elsewhere, where nothing is written or removed: put a folder in its place";
        return Err(Error::file(link, what));
    }
    let path = folder.join(name);
    let Ok(found) = fs::symlink_metadata(&path) else { return Ok(()) };
    if found.is_symlink() {
        return fs::remove_file(&path).map_err(Error::io(&path));
    }
    if !(found.is_file() || found.is_dir()) {
        return Err(Error::file(path, "is a pipe, a socket or a device, where a file is to be: remove it"));
    }
    Ok(())
}

/// Removes one listed file, if it is there. The list is a file like any other and may hold anything, so a name that
/// leads out of the folder is passed over.
fn remove(folder: &Path, name: &str) -> Result<()> {
    let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !inside {
        return Ok(());
    }
    check_place(folder, name).map_err(|e| match e {
        Error::File { path, what } => {
            Error::file(path, format!("{what} (it is listed in {})", folder.join(LIST).display()))
        }
        other => other,
    })?;
    let path = folder.join(name);
    if path.is_dir() {
        return Ok(()); // it is not a file that a run wrote
    }
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Error::io(&path)(error)),
        _ => {}
    }
    // A folder of ours that is empty now goes too; one that is not stays, and `remove_dir` refuses it.
    if let Some(parent) = path.parent().filter(|parent| *parent != folder) {
        let _ = fs::remove_dir(parent);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_wrote_or_was_about_to_write_the_next_one_removes_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path();
        let mut folder = Folder::create(path).unwrap();
        folder.write("plots/a.png", b"a").unwrap();
        fs::create_dir(path.join("model")).unwrap();
        fs::write(folder.claim("model/learner.json").unwrap(), "{}").unwrap();
        fs::write(path.join("model/own.txt"), "").unwrap();
        assert_eq!(listed(path).collect::<Vec<_>>(), ["plots/a.png", "model/learner.json"]);
        let held = Folder::create(path).err().unwrap().to_string();
        assert!(held.contains("is being written by another run"), "{held}");
        assert!(path.join("plots/a.png").is_file(), "nothing goes while the first run still writes");
        drop(folder);
        Folder::create(path).unwrap();
        assert!(!path.join("plots").exists() && !path.join("model/learner.json").exists());
        assert!(path.join("model/own.txt").is_file());
        assert_eq!(listed(path).count(), 0);
    }
}
