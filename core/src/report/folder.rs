//! The folder of a run: which of its files are ours, and how they are written.

use std::fs;
use std::path::{Component, Path, PathBuf};
use tallow_io::atomic;

use crate::error::{Error, Result};

/// The list of the files that a run wrote. The next run removes those, and nothing else: checkpoints stay, and so does
/// whatever a user keeps there.
const LIST: &str = ".tallow-files";

/// A folder whose files are listed as they are written.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    files: Vec<String>,
}

impl Folder {
    /// Makes the folder, proves that it can be written, and clears away what an earlier run of ours left.
    pub(crate) fn create(path: &Path) -> Result<Folder> {
        fs::create_dir_all(path).map_err(Error::io(path))?;
        for name in listed(path) {
            remove(path, &name)?;
        }
        let folder = Folder { path: path.to_path_buf(), files: Vec::new() };
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

/// The names of the files that a run wrote to a folder.
pub(super) fn listed(folder: &Path) -> impl Iterator<Item = String> {
    let list = fs::read_to_string(folder.join(LIST)).unwrap_or_default();
    list.lines().filter(|name| !name.is_empty()).map(String::from).collect::<Vec<_>>().into_iter()
}

/// Removes one listed file, if it is there. The list is a file like any other and may hold anything, so a name that
/// leads out of the folder is passed over.
fn remove(folder: &Path, name: &str) -> Result<()> {
    let inside = Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !inside {
        return Ok(());
    }
    let path = folder.join(name);
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
        Folder::create(path).unwrap();
        assert!(!path.join("plots").exists() && !path.join("model/learner.json").exists());
        assert!(path.join("model/own.txt").is_file());
        assert_eq!(listed(path).count(), 0);
    }
}
