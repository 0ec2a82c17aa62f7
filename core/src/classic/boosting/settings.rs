//! Gradient boosting: many small trees, each of which corrects those before it.

/// Gradient boosting of trees on histograms, the usual winner on tables: the algorithm of scikit-learn's
/// `HistGradientBoostingClassifier` and `-Regressor` and of LightGBM, with their defaults, without early stopping.
///
/// Categories go in as numbers of classes.
///
/// ```
/// use tallow::classic::*;
/// let blobs = Blobs { samples: 300, centers: 4, ..Blobs::default() }.make()?;
/// let trees = GradientBoosting { max_iter: 20, ..GradientBoosting::default() }.fit(&blobs.xs, &blobs.ys)?;
/// assert!(trees.score(&blobs.xs, &blobs.ys)? > 0.9);
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientBoosting {
    /// How many trees grow; of more than two classes so many for each.
    pub max_iter: usize,
    /// The part of a tree's correction that is taken.
    pub learning_rate: f64,
    /// The most leaves of a tree.
    pub max_leaf_nodes: usize,
    /// The least samples in a leaf.
    pub min_samples_leaf: usize,
    /// What is added to the hessian of a leaf.
    pub l2: f64,
}

impl Default for GradientBoosting {
    fn default() -> GradientBoosting {
        GradientBoosting { max_iter: 100, learning_rate: 0.1, max_leaf_nodes: 31, min_samples_leaf: 20, l2: 0.0 }
    }
}
