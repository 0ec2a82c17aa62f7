//! One tree: splits of samples by features, and a value in each leaf.

use super::bins::Bins;
use super::settings::GradientBoosting;
use rayon::prelude::*;

/// A tree that was grown; its first node is the root.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tree(Vec<Node>);

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Leaf(f64),
    /// Samples whose feature is at most `end` go to node `left`, the others to `right`.
    Split {
        feature: usize,
        end: f64,
        left: usize,
        right: usize,
    },
}

/// Gradient, hessian and number of samples.
type Sums = [f64; 3];

/// The first and the second derivative of the loss by the score of each sample.
pub(super) struct Slopes {
    pub(super) gradients: Vec<f64>,
    pub(super) hessians: Vec<f64>,
}

/// Samples that end in one node, with the best that can be done about them.
struct Open {
    node: usize,
    samples: Vec<u32>,
    sums: Sums,
    histograms: Vec<Vec<Sums>>,
    best: Option<Split>,
}

#[derive(Clone, Copy)]
struct Split {
    gain: f64,
    feature: usize,
    bin: u8,
}

/// The least hessian of a leaf, as scikit-learn has it.
const LEAST_HESSIAN: f64 = 1e-3;

impl Tree {
    /// Grows a tree, always at the leaf where a split brings most. Gives the leaf value of each sample besides.
    pub(super) fn grow(
        binned: &[Vec<u8>],
        bins: &Bins,
        slopes: &Slopes,
        settings: &GradientBoosting,
    ) -> (Tree, Vec<f64>) {
        let grower = Grower { binned, bins, slopes, settings };
        let all: Vec<u32> = (0..slopes.gradients.len() as u32).collect();
        let histograms = grower.histograms(&all);
        let mut nodes = vec![Node::Leaf(0.0)];
        let mut open = vec![grower.open(0, all, histograms)];
        while open.len() < settings.max_leaf_nodes {
            let gain = |i: &usize| open[*i].best.map_or(0.0, |split| split.gain);
            // Of equal ones the first.
            let widest = (0..open.len()).rev().max_by(|a, b| gain(a).total_cmp(&gain(b)));
            let Some((at, Some(split))) = widest.map(|at| (at, open[at].best)) else { break };
            let parent = open.swap_remove(at);
            let (left, right): (Vec<u32>, Vec<u32>) =
                parent.samples.iter().partition(|&&i| binned[split.feature][i as usize] <= split.bin);
            let end = bins.end(split.feature, split.bin);
            nodes[parent.node] = Node::Split { feature: split.feature, end, left: nodes.len(), right: nodes.len() + 1 };
            // The smaller side is counted, the larger is the rest.
            let left_is_smaller = left.len() <= right.len();
            let smaller = grower.histograms(if left_is_smaller { &left } else { &right });
            let larger = subtracted(parent.histograms, &smaller);
            let (of_left, of_right) = if left_is_smaller { (smaller, larger) } else { (larger, smaller) };
            for (samples, histograms) in [(left, of_left), (right, of_right)] {
                open.push(grower.open(nodes.len(), samples, histograms));
                nodes.push(Node::Leaf(0.0));
            }
        }
        let mut values = vec![0.0; slopes.gradients.len()];
        for leaf in open {
            let value = -settings.learning_rate * leaf.sums[0] / (leaf.sums[1] + settings.l2).max(LEAST_HESSIAN);
            nodes[leaf.node] = Node::Leaf(value);
            leaf.samples.iter().for_each(|&i| values[i as usize] = value);
        }
        (Tree(nodes), values)
    }

    /// The value of the leaf in which a sample ends.
    pub(super) fn value(&self, row: &[f64]) -> f64 {
        let mut at = 0;
        loop {
            match self.0[at] {
                Node::Leaf(value) => return value,
                Node::Split { feature, end, left, right } => at = if row[feature] <= end { left } else { right },
            }
        }
    }
}

struct Grower<'a> {
    binned: &'a [Vec<u8>],
    bins: &'a Bins,
    slopes: &'a Slopes,
    settings: &'a GradientBoosting,
}

impl Grower<'_> {
    /// The sums of samples by feature and interval, each in the samples' order, whatever the number of threads.
    fn histograms(&self, samples: &[u32]) -> Vec<Vec<Sums>> {
        let of = |(feature, binned): (usize, &Vec<u8>)| {
            let mut sums = vec![[0.0; 3]; self.bins.count(feature)];
            for &i in samples {
                let (i, sum) = (i as usize, &mut sums[usize::from(binned[i as usize])]);
                sum[0] += self.slopes.gradients[i];
                sum[1] += self.slopes.hessians[i];
                sum[2] += 1.0;
            }
            sums
        };
        self.binned.par_iter().enumerate().map(of).collect()
    }

    fn open(&self, node: usize, samples: Vec<u32>, histograms: Vec<Vec<Sums>>) -> Open {
        let sums = samples
            .iter()
            .map(|&i| i as usize)
            .fold([0.0; 3], |[g, h, n], i| [g + self.slopes.gradients[i], h + self.slopes.hessians[i], n + 1.0]);
        let best = self.best(&sums, &histograms);
        Open { node, samples, sums, histograms, best }
    }

    /// The split that takes most from the loss, if one does.
    fn best(&self, &[g, h, n]: &Sums, histograms: &[Vec<Sums>]) -> Option<Split> {
        let (l2, least) = (self.settings.l2, self.settings.min_samples_leaf as f64);
        let worth = |g: f64, h: f64| g * g / (h + l2);
        let mut best: Option<Split> = None;
        for (feature, bins) in histograms.iter().enumerate() {
            let (mut left_g, mut left_h, mut left_n) = (0.0, 0.0, 0.0);
            for (bin, [bin_g, bin_h, bin_n]) in bins.iter().enumerate().take(bins.len().saturating_sub(1)) {
                (left_g, left_h, left_n) = (left_g + bin_g, left_h + bin_h, left_n + bin_n);
                let (right_g, right_h, right_n) = (g - left_g, h - left_h, n - left_n);
                if left_n < least || left_h < LEAST_HESSIAN {
                    continue;
                }
                if right_n < least || right_h < LEAST_HESSIAN {
                    break;
                }
                let gain = worth(left_g, left_h) + worth(right_g, right_h) - worth(g, h);
                if gain > best.map_or(0.0, |best| best.gain) {
                    best = Some(Split { gain, feature, bin: bin as u8 });
                }
            }
        }
        best
    }
}

fn subtracted(mut all: Vec<Vec<Sums>>, part: &[Vec<Sums>]) -> Vec<Vec<Sums>> {
    for (all, part) in all.iter_mut().flatten().zip(part.iter().flatten()) {
        all.iter_mut().zip(part).for_each(|(all, part)| *all -= part);
    }
    all
}
