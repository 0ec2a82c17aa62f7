//! Items that belong together stay together.

use super::{Split, Splitter, check_share};
use crate::error::{Error, Result};
use crate::rng::Rng;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Takes whole groups for validation, so that photos of one animal, one patient or one day never are on both sides:
/// what is learnt by heart would look like success. Of the random orders of the groups it takes those that bring each
/// class nearest to the share. In the spirit of scikit-learn's `GroupShuffleSplit` and `StratifiedGroupKFold`.
pub struct GroupSplitter<F> {
    /// The share of each class, between 0 and 1, as near as whole groups allow.
    pub valid: f64,
    /// Another seed gives another split.
    pub seed: u64,
    /// The group of a file.
    pub group: F,
}

impl<F: Fn(&Path) -> Result<String> + Send + Sync> Splitter for GroupSplitter<F> {
    /// # Errors
    /// When a file tells no group, or there is one group only.
    fn split_items(&self, files: &[PathBuf], labels: &[String]) -> Result<Split> {
        check_share(self.valid)?;
        let groups = files.iter().map(|file| (self.group)(file)).collect::<Result<Vec<String>>>()?;
        split_groups(&groups, labels, self.valid, self.seed)
    }
}

/// Splits by the group of each item.
pub(in crate::data) fn split_groups(groups: &[String], labels: &[String], valid: f64, seed: u64) -> Result<Split> {
    let tallies = Tallies::new(groups, labels);
    if tallies.groups.len() < 2 {
        let n = labels.len();
        let message =
            format!("all {n} items are of one group, which cannot be on both sides; check how groups are told");
        return Err(Error::config("group", message));
    }
    let order = tallies.order(&mut Rng::new(seed).stream("split"));
    let mut taken = vec![0.0; tallies.of_class.len()];
    let mut is_valid = vec![false; tallies.groups.len()];
    // How far each class is from its share.
    let cost = |taken: &[f64]| -> f64 {
        taken.iter().zip(&tallies.of_class).map(|(taken, n)| (taken / n - valid).powi(2)).sum()
    };
    let with = |taken: &[f64], group: usize| -> Vec<f64> {
        taken.iter().zip(&tallies.groups[group].1).map(|(taken, n)| taken + n).collect()
    };
    for &group in &order {
        let more = with(&taken, group);
        if cost(&more) < cost(&taken) {
            (taken, is_valid[group]) = (more, true);
        }
    }
    if !is_valid.contains(&true) {
        // Each group is more than the share: the least of them.
        let nearest = |a: &&usize, b: &&usize| cost(&with(&taken, **a)).total_cmp(&cost(&with(&taken, **b)));
        if let Some(&group) = order.iter().min_by(nearest) {
            is_valid[group] = true;
        }
    }
    if let (false, Some(&last)) = (is_valid.contains(&false), order.last()) {
        is_valid[last] = false;
    }
    let side = |wanted: bool| (0..groups.len()).filter(|&i| is_valid[tallies.group_of[i]] == wanted).collect();
    Ok(Split { train: side(false), valid: side(true) })
}

/// How many items of each class each group has.
pub(super) struct Tallies {
    /// Name and items of each class, by group.
    pub(super) groups: Vec<(String, Vec<f64>)>,
    /// The group of each item.
    pub(super) group_of: Vec<usize>,
    /// Items of each class.
    pub(super) of_class: Vec<f64>,
}

impl Tallies {
    pub(super) fn new(groups: &[String], labels: &[String]) -> Tallies {
        let number = |names: &[String]| -> BTreeMap<String, usize> {
            let sorted: std::collections::BTreeSet<&String> = names.iter().collect();
            sorted.into_iter().enumerate().map(|(i, name)| (name.clone(), i)).collect()
        };
        let (group_numbers, class_numbers) = (number(groups), number(labels));
        let mut tallies = Tallies {
            groups: group_numbers.keys().map(|name| (name.clone(), vec![0.0; class_numbers.len()])).collect(),
            group_of: groups.iter().map(|group| group_numbers[group]).collect(),
            of_class: vec![0.0; class_numbers.len()],
        };
        for (i, label) in labels.iter().enumerate() {
            let class = class_numbers[label];
            tallies.groups[tallies.group_of[i]].1[class] += 1.0;
            tallies.of_class[class] += 1.0;
        }
        tallies
    }

    /// The groups in random order, those first that are hardest to place: large ones, of few classes.
    pub(super) fn order(&self, rng: &mut Rng) -> Vec<usize> {
        let mut order = rng.permutation(self.groups.len());
        let spread = |group: usize| std_dev(&self.groups[group].1);
        order.sort_by(|&a, &b| {
            let size = |group: usize| self.groups[group].1.iter().sum::<f64>();
            spread(b).total_cmp(&spread(a)).then(size(b).total_cmp(&size(a)))
        });
        order
    }
}

/// The standard deviation, with `n` in the denominator as in NumPy.
pub(super) fn std_dev(values: &[f64]) -> f64 {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt()
}
