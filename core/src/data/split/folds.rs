//! Cross-validation: each item is for validation once.

use super::grouped::{Tallies, std_dev};
use super::{Split, by_class};
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Splits items into `k` folds, of which each in turn is for validation while the others train.
#[derive(Debug, Clone)]
pub struct KFold {
    /// The number of folds, at least 2.
    pub k: usize,
    /// Another seed gives other folds.
    pub seed: u64,
}

impl KFold {
    /// The `k` splits, with each class spread evenly over the folds. scikit-learn's `StratifiedKFold(shuffle=True)`.
    ///
    /// # Errors
    /// When `k` is below 2, or no class has `k` items.
    pub fn split(&self, labels: &[String]) -> Result<Vec<Split>> {
        let classes = by_class(labels);
        self.check(classes.values().map(Vec::len).max().unwrap_or(0), "items of the largest class")?;
        // As in scikit-learn: items sorted by class are dealt to the folds one by one, which says how many of each
        // class each fold gets; which ones, chance.
        let mut fold_of = vec![0; labels.len()];
        let (rng, mut dealt) = (Rng::new(self.seed).stream("folds"), 0);
        for (class, items) in classes {
            let mut folds: Vec<usize> = (0..items.len()).map(|i| (dealt + i) % self.k).collect();
            dealt += items.len();
            rng.stream(class).shuffle(&mut folds);
            items.into_iter().zip(folds).for_each(|(item, fold)| fold_of[item] = fold);
        }
        Ok(self.splits(&fold_of))
    }

    /// The `k` splits of whole groups, each class spread as evenly as they allow. scikit-learn's
    /// `StratifiedGroupKFold(shuffle=True)`.
    ///
    /// # Errors
    /// When `k` is below 2, or there are fewer groups.
    pub fn split_groups(&self, labels: &[String], groups: &[String]) -> Result<Vec<Split>> {
        let tallies = Tallies::new(groups, labels);
        self.check(tallies.groups.len(), "groups")?;
        let mut folds = vec![vec![0.0; tallies.of_class.len()]; self.k];
        let mut fold_of_group = vec![0; tallies.groups.len()];
        for group in tallies.order(&mut Rng::new(self.seed).stream("folds")) {
            let add =
                |fold: &[f64]| -> Vec<f64> { fold.iter().zip(&tallies.groups[group].1).map(|(a, b)| a + b).collect() };
            // How unevenly classes would be spread, on average over them; of equal ones the smallest fold.
            let cost = |fold: usize| {
                let uneven: f64 = (0..tallies.of_class.len())
                    .map(|class| {
                        let share = |f: usize| {
                            let n = if f == fold { add(&folds[f])[class] } else { folds[f][class] };
                            n / tallies.of_class[class]
                        };
                        std_dev(&(0..self.k).map(share).collect::<Vec<_>>())
                    })
                    .sum();
                (uneven, folds[fold].iter().sum::<f64>())
            };
            let costs: Vec<(f64, f64)> = (0..self.k).map(cost).collect();
            let better = |a: &usize, b: &usize| {
                costs[*a].0.total_cmp(&costs[*b].0).then(costs[*a].1.total_cmp(&costs[*b].1)).then(a.cmp(b))
            };
            let fold = (0..self.k).min_by(better).unwrap_or(0);
            folds[fold] = add(&folds[fold]);
            fold_of_group[group] = fold;
        }
        let fold_of: Vec<usize> = tallies.group_of.iter().map(|&group| fold_of_group[group]).collect();
        Ok(self.splits(&fold_of))
    }

    fn check(&self, most: usize, what: &str) -> Result<()> {
        if self.k < 2 {
            return Err(Error::config("k", format!("cross-validation needs 2 folds or more, got {}", self.k)));
        }
        if most < self.k {
            let message = format!("{} folds cannot be made of {most} {what}; choose {most} folds or fewer", self.k);
            return Err(Error::config("k", message));
        }
        Ok(())
    }

    fn splits(&self, fold_of: &[usize]) -> Vec<Split> {
        let side = |fold: usize, wanted: bool| (0..fold_of.len()).filter(|&i| (fold_of[i] == fold) == wanted).collect();
        (0..self.k).map(|fold| Split { train: side(fold, false), valid: side(fold, true) }).collect()
    }
}
