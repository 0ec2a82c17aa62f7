//! Splitting items into a training set and a validation set.

mod folds;
mod grouped;
mod stratified;

pub use folds::KFold;
pub use grouped::GroupSplitter;
pub(super) use grouped::split_groups;
pub use stratified::{EveryClassSplitter, StratifiedSplitter};

use crate::error::{Error, Result};
use crate::rng::Rng;
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

/// Chooses the validation set by the items' files and labels.
pub trait Splitter: Send + Sync {
    /// Splits the items `0..files.len()`; `labels` are as many as `files`.
    ///
    /// # Errors
    /// When a setting is out of its range or one side would be empty that must not be.
    fn split_items(&self, files: &[PathBuf], labels: &[String]) -> Result<Split>;
}

/// Indices of the training and of the validation items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// The training set.
    pub train: Vec<usize>,
    /// The validation set.
    pub valid: Vec<usize>,
}

/// Holds out a random fraction of the items for validation. fast.ai's `RandomSplitter`.
#[derive(Debug, Clone)]
pub struct RandomSplitter {
    /// The fraction of items for validation, between 0 and 1.
    pub valid: f64,
    /// The seed of the random permutation.
    pub seed: u64,
}

impl RandomSplitter {
    /// Splits `n` items: the first `⌊valid·n⌋` of a random permutation are for validation, as in fast.ai.
    ///
    /// # Errors
    /// [`Error::Config`] when the fraction is not between 0 and 1.
    pub fn split(&self, n: usize) -> Result<Split> {
        check_share(self.valid)?;
        let order = Rng::new(self.seed).stream("split").permutation(n);
        let (valid, train) = order.split_at((self.valid * n as f64) as usize);
        Ok(Split { train: train.to_vec(), valid: valid.to_vec() })
    }
}

impl Splitter for RandomSplitter {
    fn split_items(&self, files: &[PathBuf], _labels: &[String]) -> Result<Split> {
        self.split(files.len())
    }
}

/// Validates on the files of a list, and trains on all others: names as in `photo.jpg`, or ends of paths as in
/// `cat/photo.jpg`. fast.ai's `FileSplitter`.
#[derive(Debug, Clone)]
pub struct FileNameSplitter {
    /// The files of the validation set.
    pub valid: Vec<PathBuf>,
}

impl FileNameSplitter {
    /// The names in a text file, one a line.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(list: impl AsRef<Path>) -> Result<FileNameSplitter> {
        let list = list.as_ref();
        let text = tallow_io::read::text(list, tallow_io::read::NOTES).map_err(Error::io(list))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Ok(FileNameSplitter { valid: lines.map(PathBuf::from).collect() })
    }
}

impl Splitter for FileNameSplitter {
    fn split_items(&self, files: &[PathBuf], _labels: &[String]) -> Result<Split> {
        let wanted: HashSet<&Path> = self.valid.iter().map(PathBuf::as_path).collect();
        let depths: HashSet<usize> = self.valid.iter().map(|path| path.components().count()).collect();
        let end = |file: &Path, depth: usize| -> Option<PathBuf> {
            let n = file.components().count();
            (depth <= n).then(|| file.components().skip(n - depth).collect())
        };
        let judges = |file: &Path| depths.iter().any(|&d| end(file, d).is_some_and(|e| wanted.contains(e.as_path())));
        let (valid, train) = (0..files.len()).partition(|&i| judges(&files[i]));
        Ok(Split { train, valid })
    }
}

/// Validates on the files for which a function is true. fast.ai's `FuncSplitter`.
pub struct FnSplitter<F>(pub F);

impl<F: Fn(&Path) -> bool + Send + Sync> Splitter for FnSplitter<F> {
    fn split_items(&self, files: &[PathBuf], _labels: &[String]) -> Result<Split> {
        let (valid, train) = (0..files.len()).partition(|&i| (self.0)(&files[i]));
        Ok(Split { train, valid })
    }
}

/// The items of each class, in order.
fn by_class(labels: &[String]) -> BTreeMap<&str, Vec<usize>> {
    let mut classes: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (i, label) in labels.iter().enumerate() {
        classes.entry(label).or_default().push(i);
    }
    classes
}

fn check_share(valid: f64) -> Result<()> {
    if (0.0..1.0).contains(&valid) {
        return Ok(());
    }
    Err(Error::config("valid", format!("the share of validation items must be in 0..1, got {valid}")))
}

/// The folder above a file's own folder decides, as in `train/7/10.png`. fast.ai's `GrandparentSplitter`.
#[derive(Debug, Clone)]
pub struct GrandparentSplitter {
    /// The name of the training folder.
    pub train: String,
    /// Name of the folder with the validation set.
    pub valid: String,
}

impl Default for GrandparentSplitter {
    fn default() -> GrandparentSplitter {
        GrandparentSplitter { train: "train".into(), valid: "valid".into() }
    }
}

impl GrandparentSplitter {
    /// Splits files by their grandparents' names; files under other folders belong to neither side.
    ///
    /// # Errors
    /// When one side would be empty.
    pub fn split(&self, files: &[impl AsRef<Path>]) -> Result<Split> {
        let under = |name: &str| -> Result<Vec<usize>> {
            let grandparent =
                |file: &Path| file.parent().and_then(Path::parent).and_then(Path::file_name).map(|n| n == name);
            let found: Vec<usize> =
                (0..files.len()).filter(|&i| grandparent(files[i].as_ref()).unwrap_or(false)).collect();
            if found.is_empty() {
                let n = files.len();
                return Err(Error::Value(format!("none of the {n} files has a grandparent folder called `{name}`")));
            }
            Ok(found)
        };
        Ok(Split { train: under(&self.train)?, valid: under(&self.valid)? })
    }
}

impl Splitter for GrandparentSplitter {
    fn split_items(&self, files: &[PathBuf], _labels: &[String]) -> Result<Split> {
        self.split(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_split_is_a_partition_that_the_seed_fixes() {
        let split = RandomSplitter { valid: 0.2, seed: 42 }.split(101).unwrap();
        assert_eq!((split.train.len(), split.valid.len()), (81, 20));
        let mut all = [split.train.clone(), split.valid.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..101).collect::<Vec<_>>());
        assert_eq!(RandomSplitter { valid: 0.2, seed: 42 }.split(101).unwrap(), split);
        assert_ne!(RandomSplitter { valid: 0.2, seed: 43 }.split(101).unwrap(), split);
        assert!(RandomSplitter { valid: 1.0, seed: 1 }.split(10).is_err());
    }

    #[test]
    fn grandparents_decide() {
        let files = ["d/train/3/a.png", "d/valid/3/b.png", "d/train/7/c.png", "d/test/7/e.png", "x.png"];
        let split = GrandparentSplitter::default().split(&files).unwrap();
        assert_eq!(split, Split { train: vec![0, 2], valid: vec![1] });
        let error = GrandparentSplitter { valid: "val".into(), ..Default::default() }.split(&files).unwrap_err();
        assert!(error.to_string().contains("`val`"), "{error}");
    }
}
