//! In which order an epoch goes through its items.

use super::sampler::WeightedSampler;
use crate::error::{Error, Result};
use crate::rng::Rng;
use std::cmp::Reverse;
use std::sync::Arc;

/// The order of an epoch's items. Batches are cut from it in sequence.
#[derive(Debug, Clone)]
pub(super) enum Order {
    /// The dataset's.
    Plain,
    /// A new random one in each epoch.
    Shuffled,
    /// Drawn with replacement.
    Weighted(WeightedSampler),
    /// The longest first, so that a batch holds items of about one length.
    Sorted(Lengths),
    /// Random, but with items of about one length together.
    NearlySorted(Lengths),
}

impl Order {
    /// The items of one epoch; `rng` is the epoch's own.
    pub(super) fn indices(&self, n: usize, batch_size: usize, rng: &mut Rng) -> Vec<usize> {
        match self {
            Order::Plain => (0..n).collect(),
            Order::Shuffled => rng.permutation(n),
            Order::Weighted(sampler) => sampler.order(rng),
            Order::Sorted(lengths) => lengths.sorted(),
            Order::NearlySorted(lengths) => lengths.nearly_sorted(batch_size, |n| rng.permutation(n)),
        }
    }

    /// The order in words, for a fingerprint.
    pub(super) fn describe(&self) -> String {
        match self {
            Order::Plain => "the dataset's".into(),
            Order::Shuffled => "shuffled".into(),
            Order::Weighted(sampler) => {
                let weights: Vec<u8> = sampler.weights().iter().flat_map(|weight| weight.to_le_bytes()).collect();
                format!("drawn by weights, sha256 {}", &tallow_io::hash::bytes(&weights).sha256[..16])
            }
            Order::Sorted(_) => "the longest first".into(),
            Order::NearlySorted(_) => "shuffled, with items of about one length together".into(),
        }
    }
}

/// The lengths of all items.
#[derive(Debug, Clone)]
pub(super) struct Lengths(Arc<[usize]>);

impl Lengths {
    /// One length for each of `n` items.
    pub(super) fn new(lengths: &[usize], n: usize) -> Result<Lengths> {
        if lengths.len() != n {
            let found = lengths.len();
            return Err(Error::shape(format!("{found} lengths for {n} items: expected one for each"), &[found]));
        }
        Ok(Lengths(lengths.into()))
    }

    /// The longest first, of equally long ones the first. fast.ai's `SortedDL`.
    fn sorted(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.0.len()).collect();
        order.sort_by_key(|&i| Reverse(self.0[i]));
        order
    }

    /// fast.ai's `SortedDL` in training: a random order, of which each 50 batches are sorted, the longest first; then
    /// the batches in random order, but the first, which has the longest item of all, so that memory runs out there or
    /// nowhere, and the last, which may be smaller. `permutation` gives the numbers below a number in random order.
    fn nearly_sorted(&self, batch_size: usize, mut permutation: impl FnMut(usize) -> Vec<usize>) -> Vec<usize> {
        const SORTED_BATCHES: usize = 50;
        let mut order = permutation(self.0.len());
        let longest = (0..self.0.len()).max_by_key(|&i| (self.0[i], Reverse(i)));
        if let Some(place) = order.iter().position(|&i| Some(i) == longest) {
            order.swap(0, place);
        }
        for part in order.chunks_mut(batch_size * SORTED_BATCHES) {
            part.sort_by_key(|&i| Reverse(self.0[i]));
        }
        let batches: Vec<&[usize]> = order.chunks(batch_size).collect();
        match &batches[..] {
            [first, between @ .., last] if !between.is_empty() => {
                let between = permutation(between.len()).into_iter().map(|i| between[i]);
                std::iter::once(*first).chain(between).chain([*last]).flatten().copied().collect()
            }
            _ => order,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The formula that stands for random numbers in the references, as numbers of 32 bits.
    fn formula(name: &str, n: usize) -> Vec<u32> {
        let start = name.bytes().fold(0x811c_9dc5u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
        let mix = |i: u32| {
            let mut z = start.wrapping_add(i.wrapping_mul(0x9e37_79b9));
            z = (z ^ (z >> 16)).wrapping_mul(0x85eb_ca6b);
            z = (z ^ (z >> 13)).wrapping_mul(0xc2b2_ae35);
            z ^ (z >> 16)
        };
        (0..n as u32).map(mix).collect()
    }

    fn permutation(n: usize) -> Vec<usize> {
        let values = formula(&format!("perm{n}"), n);
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|&i| values[i]);
        order
    }

    /// fastai 2.8.12: `SortedDL.get_idxs` for lengths `2 + int((v + 1) / 2 * (longest - 2))`, with `shuffle` under a
    /// permutation that is the order of the formula's numbers.
    #[test]
    fn orders_by_length_are_fastais() {
        let lengths = |name: &str, n: usize, longest: usize| -> Vec<usize> {
            let share = |value: u32| (f64::from(value) / f64::from(1u32 << 31)) / 2.0;
            formula(name, n).into_iter().map(|v| 2 + (share(v) * (longest - 2) as f64) as usize).collect()
        };
        let a = lengths("lena", 10, 60);
        assert_eq!(a, [58, 9, 19, 58, 45, 45, 5, 49, 7, 45]);
        let orders = |lengths: &[usize], batch_size: usize| {
            let lengths = Lengths::new(lengths, lengths.len()).unwrap();
            (lengths.sorted(), lengths.nearly_sorted(batch_size, permutation))
        };
        assert_eq!(
            orders(&lengths("lena", 10, 60), 4),
            (vec![0, 3, 7, 4, 5, 9, 2, 1, 8, 6], vec![0, 3, 7, 5, 9, 4, 2, 1, 8, 6])
        );
        assert_eq!(
            orders(&lengths("lenb", 23, 60), 4),
            (
                vec![10, 7, 2, 16, 3, 19, 0, 12, 1, 8, 6, 11, 14, 21, 20, 9, 5, 15, 4, 13, 18, 17, 22],
                vec![10, 7, 2, 16, 5, 15, 4, 13, 14, 21, 20, 9, 1, 8, 6, 11, 3, 19, 0, 12, 18, 17, 22]
            )
        );
        assert_eq!(orders(&lengths("lenc", 3, 60), 4), (vec![2, 0, 1], vec![2, 0, 1]));
        assert_eq!(orders(&lengths("lend", 8, 60), 4), (vec![2, 4, 6, 0, 1, 7, 3, 5], vec![2, 4, 6, 0, 1, 7, 3, 5]));
        // Of 230 items in batches of two: the sum h = 31 h + i of both orders.
        let (sorted, nearly) = orders(&lengths("lene", 230, 40), 2);
        let sum = sorted.iter().chain(&nearly).fold(0u32, |h, &i| h.wrapping_mul(31).wrapping_add(i as u32));
        assert_eq!((&nearly[..6], sum), (&[6, 174, 162, 62, 217, 116][..], 1516075916));
    }

    #[test]
    fn a_batch_holds_items_of_about_one_length() {
        let mut rng = Rng::new(1);
        let lengths: Vec<usize> = (0..10_000).map(|_| 1 + rng.below(100)).collect();
        let order = Lengths::new(&lengths, 10_000).unwrap().nearly_sorted(32, |n| rng.permutation(n));
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..10_000));
        let spread = |batch: &[usize]| {
            let of = |i: &usize| lengths[*i];
            batch.iter().map(of).max().unwrap() - batch.iter().map(of).min().unwrap()
        };
        let mean = order.chunks(32).map(spread).sum::<usize>() as f64 / 313.0;
        assert!(mean < 5.0, "{mean}");
        assert_eq!(lengths[order[0]], *lengths.iter().max().unwrap());
        assert!(Lengths::new(&[1, 2], 3).is_err());
    }
}
