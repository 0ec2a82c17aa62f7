//! What the other photos of a folder say of each.

use crate::classic::{LogisticRegression, Matrix, Pipeline, StandardScaler, cross_val_predict_proba};
use crate::error::{Error, Result};
use candle_core::{D, Device, Tensor};
use rayon::prelude::*;

/// In how many parts the photos are cut, each of which is judged by a model of the others.
const FOLDS: usize = 5;

/// How strongly the models are held back (scikit-learn's `C`). Features are many and photos few; and a model that can
/// learn a wrong label by heart does not doubt it.
const C: f64 = 0.002;

/// Probabilities of each class for each photo, by models that have not seen the photo: logistic regressions on
/// standardised features.
///
/// # Shapes
/// - features: `[n, features]`; labels: `[n]`, each class at least twice
/// - result: `[n, n_classes]`
pub(super) fn out_of_sample(features: &[Vec<f32>], labels: &[u32]) -> Result<Matrix> {
    let width = features.first().map_or(0, Vec::len);
    let xs = Matrix::from_f32(width, &features.concat())?;
    let estimator = Pipeline::new(StandardScaler, LogisticRegression::new().c(C));
    cross_val_predict_proba(&estimator, &xs, labels, &folds(labels))
}

/// The part of each photo. Each class is cut in order, so that photos whose names follow each other, which are often of
/// one scene, are in one part.
fn folds(labels: &[u32]) -> Vec<usize> {
    let n_classes = labels.iter().max().map_or(0, |last| *last as usize + 1);
    let mut counts = vec![0; n_classes];
    labels.iter().for_each(|&label| counts[label as usize] += 1);
    let mut seen = vec![0; n_classes];
    let fold = |&label: &u32| {
        let class = label as usize;
        seen[class] += 1;
        (seen[class] - 1) * FOLDS / counts[class]
    };
    labels.iter().map(fold).collect()
}

/// For each row of features its nearest other row and the distance between them, both rows made one long: 0 to 2.
///
/// # Errors
/// [`Error::Shape`] with fewer than two rows, or rows of different lengths.
pub fn nearest(features: &[Vec<f32>]) -> Result<Vec<(usize, f64)>> {
    const ROWS: usize = 256;
    let (n, width) = (features.len(), features.first().map_or(0, Vec::len));
    if n < 2 || features.iter().any(|row| row.len() != width) {
        return Err(Error::shape("expected two or more rows of one length", &[n, width]));
    }
    let all = Tensor::from_vec(features.concat(), (n, width), &Device::Cpu)?;
    let lengths = all.sqr()?.sum_keepdim(D::Minus1)?.sqrt()?.clamp(f32::MIN_POSITIVE, f32::MAX)?;
    let all = all.broadcast_div(&lengths)?;
    let transposed = all.t()?.contiguous()?;
    let mut found = Vec::with_capacity(n);
    for start in (0..n).step_by(ROWS) {
        let rows = ROWS.min(n - start);
        let products = all.narrow(0, start, rows)?.matmul(&transposed)?.flatten_all()?.to_vec1::<f32>()?; // [rows, n]
        let best = |(i, row): (usize, &[f32])| {
            let others = row.iter().copied().enumerate().filter(|(j, _)| *j != start + i);
            let (j, cosine) = others.fold((0, f32::MIN), |best, other| if other.1 > best.1 { other } else { best });
            (j, (2.0 - 2.0 * f64::from(cosine)).max(0.0).sqrt())
        };
        found.par_extend(products.par_chunks(n).enumerate().map(best));
    }
    Ok(found)
}

/// Of the distances to the nearest neighbours: those up to which two photos are nearly the same, a quarter of the
/// median; and those from which on one is unlike all others, Tukey's far fence `Q3 + 3 (Q3 - Q1)` (*Exploratory Data
/// Analysis*, 1977).
pub(super) fn alike(distances: &[f64]) -> (f64, f64) {
    let mut sorted = distances.to_vec();
    sorted.sort_by(f64::total_cmp);
    let quantile = |share: f64| sorted.get((share * (sorted.len().max(1) - 1) as f64).round() as usize).copied();
    let [q1, median, q3] = [0.25, 0.5, 0.75].map(|share| quantile(share).unwrap_or_default());
    (0.25 * median, q3 + 3.0 * (q3 - q1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_by_hand() -> Result<()> {
        // Angles 0, 90, 100 and 350 degrees, whatever the lengths.
        let row = |degrees: f32, length: f32| {
            let angle = degrees.to_radians();
            vec![length * angle.cos(), length * angle.sin()]
        };
        let rows = [row(0., 1.), row(90., 5.), row(100., 0.1), row(350., 2.)];
        let found = nearest(&rows)?;
        assert_eq!(found.iter().map(|(j, _)| *j).collect::<Vec<_>>(), [3, 2, 1, 0]);
        let expected = 2.0 * 5f64.to_radians().sin();
        assert!(found.iter().all(|(_, distance)| (distance - expected).abs() < 1e-4), "{found:?}");
        Ok(())
    }

    #[test]
    fn each_part_has_its_share_of_each_class() {
        let labels: Vec<u32> = (0..25).map(|i| u32::from(i % 5 == 0)).collect();
        let folds = folds(&labels);
        for class in 0..2 {
            let count = |fold| labels.iter().zip(&folds).filter(|&(&l, &f)| l == class && f == fold).count();
            assert_eq!((0..FOLDS).map(count).collect::<Vec<_>>(), [if class == 0 { 4 } else { 1 }; 5]);
        }
        assert_eq!(super::folds(&[0, 0, 0, 1, 1]), [0, 1, 3, 0, 2]);
    }
}
