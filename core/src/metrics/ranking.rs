//! Metrics of lists of recommendations.

use crate::error::{Error, Result};

/// The normalised discounted cumulative gain of the first `k` places of a list (Järvelin and Kekäläinen, 2002).
/// scikit-learn's `ndcg_score(k=k)` with relevances 0 and 1.
///
/// ```text
/// NDCG@k = Σ_{i ≤ k, relevant} 1 / log2(i + 1)  /  Σ_{i ≤ min(k, n_relevant)} 1 / log2(i + 1)
/// ```
///
/// `relevant` says for each entry of the list, from the first place on, whether it is relevant; it may be shorter than
/// `k`. `n_relevant` is the number of all relevant entries, on the list or not.
///
/// ```
/// // Of three relevant entries the list has two, in its first and third places.
/// let ndcg = tallow::metrics::ndcg_at(&[true, false, true, false], 3, 4)?;
/// assert!((ndcg - (1.0 + 0.5) / (1.0 + 1.0 / 3f64.log2() + 0.5)).abs() < 1e-12);
/// # Ok::<(), tallow::Error>(())
/// ```
///
/// # Errors
/// [`Error::Value`] where `n_relevant` or `k` is 0, so that the denominator is.
pub fn ndcg_at(relevant: &[bool], n_relevant: usize, k: usize) -> Result<f64> {
    check(n_relevant, k)?;
    let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
    let found: f64 = relevant.iter().take(k).enumerate().filter(|(_, relevant)| **relevant).map(|(i, _)| gain(i)).sum();
    let best: f64 = (0..k.min(n_relevant)).map(gain).sum();
    Ok(found / best)
}

/// 1 if one of the first `k` entries of a list is relevant, else 0. Its mean over users is the hit rate.
///
/// # Errors
/// [`Error::Value`] where `n_relevant` or `k` is 0.
pub fn hit_at(relevant: &[bool], n_relevant: usize, k: usize) -> Result<f64> {
    check(n_relevant, k)?;
    Ok(f64::from(u8::from(relevant.iter().take(k).any(|&relevant| relevant))))
}

fn check(n_relevant: usize, k: usize) -> Result<()> {
    if n_relevant == 0 || k == 0 {
        let what = format!("a list of {k} places for {n_relevant} relevant entries: expected at least 1 of both");
        return Err(Error::Value(what));
    }
    Ok(())
}
