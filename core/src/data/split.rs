//! Which items train, and which judge.

use crate::error::{Error, Result};
use crate::rng::Rng;
use std::path::Path;

/// Indices of the items to train with and of those to judge by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// To train with.
    pub train: Vec<usize>,
    /// To judge by.
    pub valid: Vec<usize>,
}

/// A random share of the items judges. fast.ai's `RandomSplitter`.
#[derive(Debug, Clone)]
pub struct RandomSplitter {
    /// The share, between 0 and 1.
    pub valid: f64,
    /// Another seed gives another split.
    pub seed: u64,
}

impl RandomSplitter {
    /// Splits `n` items: the first `⌊valid·n⌋` of a random permutation judge, as in fast.ai.
    ///
    /// # Errors
    /// When the share is outside 0..1.
    pub fn split(&self, n: usize) -> Result<Split> {
        if !(0.0..1.0).contains(&self.valid) {
            return Err(Error::Value(format!("the share of validation items must be in 0..1, got {}", self.valid)));
        }
        let order = Rng::new(self.seed).stream("split").permutation(n);
        let (valid, train) = order.split_at((self.valid * n as f64) as usize);
        Ok(Split { train: train.to_vec(), valid: valid.to_vec() })
    }
}

/// The folder above a file's own folder decides, as in `train/7/10.png`. fast.ai's `GrandparentSplitter`.
#[derive(Debug, Clone)]
pub struct GrandparentSplitter {
    /// Name of the folder to train with.
    pub train: String,
    /// Name of the folder to judge by.
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
