//! A share of the photos: what one of several processes that score the same photos does.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use tallow::vision_learner::Predictor;

/// Share `number` of `of`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shard {
    number: usize,
    of: usize,
}

impl Shard {
    /// All photos.
    pub(crate) const WHOLE: Shard = Shard { number: 1, of: 1 };

    /// The places of this share's photos among `n_photos`, batch by batch. Shares take turns with whole batches, as one
    /// process would make them: a photo is computed together with the same others then, and comes to the same bits.
    pub(crate) fn batches(self, n_photos: usize) -> Vec<Range<usize>> {
        let size = Predictor::BATCH;
        let starts = (0..n_photos).step_by(size).skip(self.number - 1).step_by(self.of);
        starts.map(|start| start..(start + size).min(n_photos)).collect()
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let numbers = text.split_once('/').and_then(|(number, of)| Some((number.parse().ok()?, of.parse().ok()?)));
        match numbers {
            Some((number, of)) if (1..=of).contains(&number) => Ok(Shard { number, of }),
            _ => Err("expected a share and the number of shares, such as 1/4, 2/4, 3/4 or 4/4".into()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_have_each_photo_once_in_the_batches_of_one_process() {
        for n in [0, 1, 31, 32, 33, 1200] {
            let whole = Shard::WHOLE.batches(n);
            assert_eq!(whole.iter().cloned().flatten().collect::<Vec<_>>(), (0..n).collect::<Vec<_>>());
            let mut shared: Vec<_> = (1..=4).flat_map(|number| Shard { number, of: 4 }.batches(n)).collect();
            shared.sort_by_key(|batch| batch.start);
            assert_eq!(shared, whole);
        }
        assert_eq!("2/4".parse(), Ok(Shard { number: 2, of: 4 }));
        for bad in ["0/4", "5/4", "4", "a/b", "1/0", "-1/2", ""] {
            assert!(bad.parse::<Shard>().unwrap_err().contains("such as 1/4"), "{bad}");
        }
    }
}
