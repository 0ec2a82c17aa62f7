//! Where datasets live on this machine: one folder, in it one folder for each dataset.

use std::path::{Path, PathBuf};

use crate::error::Result;
use crate::layout::present;
use crate::manifest::{Dataset, Manifest};

/// The folder that holds the datasets, each in a folder of its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataFolder {
    root: PathBuf,
}

impl DataFolder {
    /// The data folder: `data_dir` (the `--data-dir` option) where it is given, else the environment variable
    /// `TALLOW_DATA_DIR`, else `datasets/downloads` in Tallow's source tree, or in the current folder where the source
    /// tree is not on this machine. It need not exist.
    pub fn resolve(data_dir: Option<&Path>) -> DataFolder {
        DataFolder::choose(data_dir, std::env::var_os("TALLOW_DATA_DIR").map(PathBuf::from))
    }

    fn choose(data_dir: Option<&Path>, variable: Option<PathBuf>) -> DataFolder {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = data_dir
            .map(Path::to_path_buf)
            .or(variable.filter(|folder| !folder.as_os_str().is_empty()))
            .or_else(|| package.join("manifest.toml").is_file().then(|| package.join("downloads")))
            .unwrap_or_else(|| Path::new("datasets").join("downloads"));
        DataFolder { root }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of `dataset`, whether it is there or not.
    pub fn path(&self, dataset: &Dataset) -> PathBuf {
        self.root.join(&dataset.name)
    }

    /// The folder of the dataset called `name`, once all its files are there. They are not opened: what reads them
    /// notices damage, and `cargo xtask fetch-data --verify` looks for it.
    ///
    /// # Errors
    /// [`Error::Missing`](crate::Error::Missing) with the command that fetches it, its size and its source;
    /// [`Error::UnknownDataset`](crate::Error::UnknownDataset).
    pub fn find(&self, name: &str) -> Result<PathBuf> {
        self.find_in(&Manifest::builtin()?, name)
    }

    /// As [`DataFolder::find`], with another manifest.
    ///
    /// # Errors
    /// As [`DataFolder::find`].
    pub fn find_in(&self, manifest: &Manifest, name: &str) -> Result<PathBuf> {
        let dataset = manifest.get(name)?;
        let folder = self.path(dataset);
        match dataset.files.iter().find(|entry| present(&folder, entry).is_none()) {
            Some(entry) => Err(dataset.missing(&folder, Some(entry))),
            None => Ok(folder),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn option_then_variable_then_the_source_tree() {
        let choose = |option: Option<&str>, variable: Option<&str>| {
            DataFolder::choose(option.map(Path::new), variable.map(PathBuf::from)).root
        };
        assert_eq!(choose(Some("a"), Some("b")), Path::new("a"));
        assert_eq!(choose(None, Some("b")), Path::new("b"));
        assert_eq!(choose(None, Some("")), Path::new(env!("CARGO_MANIFEST_DIR")).join("downloads"));
        assert_eq!(choose(None, None), Path::new(env!("CARGO_MANIFEST_DIR")).join("downloads"));
    }

    #[test]
    fn a_dataset_is_found_once_all_its_files_are_there_gzipped_or_plain() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = DataFolder::resolve(Some(temporary.path()));
        let error = folder.find("mnist").unwrap_err();
        let path = temporary.path().join("mnist");
        let expected = format!(
            "dataset `mnist` is not complete in {} (`train-images-idx3-ubyte.gz` is missing): run `cargo xtask \
             fetch-data --only mnist` (11.6 MB from \
             https://ossci-datasets.s3.amazonaws.com/mnist/train-images-idx3-ubyte.gz), or point --data-dir or \
             TALLOW_DATA_DIR at a folder that has it",
            path.display()
        );
        assert_eq!(error.to_string(), expected);
        assert_eq!(error.kind(), ErrorKind::Unavailable);

        std::fs::create_dir(&path).unwrap();
        for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte.gz", "t10k-images-idx3-ubyte.gz"] {
            std::fs::write(path.join(name), "").unwrap();
        }
        assert!(folder.find("mnist").unwrap_err().to_string().contains("(`t10k-labels-idx1-ubyte.gz` is missing)"));
        std::fs::write(path.join("t10k-labels-idx1-ubyte"), "").unwrap();
        assert_eq!(folder.find("mnist").unwrap(), path);
    }

    #[test]
    fn an_archive_counts_as_there_when_what_it_provides_is_there() {
        let temporary = tempfile::tempdir().unwrap();
        let folder = DataFolder::resolve(Some(temporary.path()));
        for part in ["train/3", "train/7", "valid/3"] {
            std::fs::create_dir_all(temporary.path().join("mnist_sample").join(part)).unwrap();
        }
        assert!(folder.find("mnist_sample").is_err());
        std::fs::create_dir_all(temporary.path().join("mnist_sample/valid/7")).unwrap();
        assert!(folder.find("mnist_sample").is_ok());
    }
}
