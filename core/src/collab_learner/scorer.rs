//! Ratings of many pairs, and lists of the best.

use crate::error::Result;
use crate::kernels;
use crate::nn::Module;
use candle_core::{Device, Tensor};

/// Pairs that a network sees at once.
const PAIRS: usize = 1 << 14;

/// The ratings of pairs of numbers of users and items, in their order.
pub(super) fn ratings(network: &dyn Module, pairs: &[[u32; 2]], device: &Device) -> Result<Vec<f32>> {
    let mut all = Vec::with_capacity(pairs.len());
    for pairs in pairs.chunks(PAIRS) {
        let xs = Tensor::from_vec(pairs.concat(), (pairs.len(), 2), &Device::Cpu)?.to_device(device)?;
        let ratings = kernels::no_grad(|| network.forward(&xs, false))?;
        all.extend(ratings.to_device(&Device::Cpu)?.to_vec1::<f32>()?);
    }
    Ok(all)
}

/// The numbers of the `n` items with the highest scores and those scores, the best first, without `#na#` and what is in
/// `without`, which rises. Of equal ones the first comes first.
pub(super) fn best(scores: &[f32], without: &[u32], n: usize) -> Vec<(u32, f32)> {
    let mut all: Vec<(u32, f32)> =
        (1u32..).zip(scores.iter().skip(1).copied()).filter(|(item, _)| without.binary_search(item).is_err()).collect();
    let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if n > 0 && n < all.len() {
        all.select_nth_unstable_by(n - 1, order);
    }
    all.truncate(n);
    all.sort_by(order);
    all
}

/// The ratings of all of `n_items` items by one user.
pub(super) fn of_user(network: &dyn Module, user: u32, n_items: usize, device: &Device) -> Result<Vec<f32>> {
    let pairs: Vec<[u32; 2]> = (0..n_items as u32).map(|item| [user, item]).collect();
    ratings(network, &pairs, device)
}

#[cfg(test)]
mod tests {
    use super::best;

    #[test]
    fn the_best_of_all_that_is_left() {
        let scores = [9.0, 1.0, 5.0, 3.0, 5.0, 2.0];
        assert_eq!(best(&scores, &[], 3), [(2, 5.0), (4, 5.0), (3, 3.0)]);
        assert_eq!(best(&scores, &[2, 3], 2), [(4, 5.0), (5, 2.0)]);
        assert_eq!((best(&scores, &[], 0), best(&scores, &[1, 2, 3, 4], 9)), (vec![], vec![(5, 2.0)]));
    }
}
