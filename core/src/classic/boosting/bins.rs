//! Features as small whole numbers: which of up to 255 intervals a value lies in.

use crate::classic::Matrix;
use rayon::prelude::*;

/// The most intervals of a feature.
const MOST: usize = 255;

/// Where the intervals of each feature end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bins {
    /// Ascending; a value lies in the first interval whose end is not below it, or after all of them.
    ends: Vec<Vec<f64>>,
}

impl Bins {
    /// Intervals that hold equally many samples, or one for each distinct value where these are few.
    pub(super) fn fit(xs: &Matrix) -> Bins {
        let ends = (0..xs.columns()).into_par_iter().map(|feature| {
            let mut values = xs.column(feature);
            values.sort_by(f64::total_cmp);
            let mut distinct = values.clone();
            distinct.dedup();
            let between = |pair: &[f64]| pair[0] + (pair[1] - pair[0]) / 2.0;
            if distinct.len() <= MOST {
                return distinct.windows(2).map(between).collect();
            }
            let n = values.len();
            let mut ends: Vec<f64> = (1..MOST).map(|i| values[i * n / MOST]).collect();
            ends.dedup();
            ends
        });
        Bins { ends: ends.collect() }
    }

    /// The intervals of all values, feature by feature.
    pub(super) fn binned(&self, xs: &Matrix) -> Vec<Vec<u8>> {
        let of = |(feature, ends): (usize, &Vec<f64>)| {
            (0..xs.rows()).map(|row| ends.partition_point(|&end| end < xs.row(row)[feature]) as u8).collect()
        };
        self.ends.par_iter().enumerate().map(of).collect()
    }

    /// The number of intervals of a feature.
    pub(super) fn count(&self, feature: usize) -> usize {
        self.ends[feature].len() + 1
    }

    /// The largest value of an interval that is not the last one.
    pub(super) fn end(&self, feature: usize, bin: u8) -> f64 {
        self.ends[feature].get(usize::from(bin)).copied().unwrap_or(f64::INFINITY)
    }
}
