//! What a model of ratings has learnt of its items.

use crate::classic::{Matrix, Pca};
use crate::collab_learner::RatingPredictor;
use crate::error::Result;
use crate::plot::{Bars, Figure, Plot, shorten};

/// The width of a title in the picture; longer ones are cut.
const LONGEST: f64 = 130.0;

/// The items with the largest and those with the smallest biases, `n` of each: what everybody likes, or nobody, once
/// taste is accounted for.
///
/// # Errors
/// As [`RatingPredictor::biased_items`].
pub fn plot_biased_items(predictor: &RatingPredictor, n: usize) -> Result<Bars> {
    let mut items = predictor.biased_items(n, false)?;
    let mut lowest = predictor.biased_items(n, true)?;
    lowest.retain(|item| !items.iter().any(|other| other.code == item.code));
    items.extend(lowest.into_iter().rev());
    let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
    let biases: Vec<f64> = items.iter().map(|item| item.score).collect();
    Ok(Bars::new("The items' biases, largest and smallest", &names, &biases))
}

/// The `n` items that were rated most, where the first two principal components of their factors put them: near ones
/// are liked by the same users. The lesson's picture of films.
///
/// # Errors
/// When there are fewer than two items or two factors.
pub fn plot_items(predictor: &RatingPredictor, n: usize) -> Result<Figure> {
    let (factors, width) = predictor.item_factors()?;
    let items = predictor.most_rated(n);
    let rows: Vec<Vec<f64>> = items
        .iter()
        .map(|item| factors[item.code as usize * width..][..width].iter().map(|&x| f64::from(x)).collect())
        .collect();
    let rows = Matrix::from_rows(&rows)?;
    let pca = Pca::fit(&rows, 2)?;
    let along = pca.transform(&rows)?;
    let axis = |i: usize, name: &str| format!("{name} component, {:.0} % of the variance", 100.0 * pca.shares[i]);
    let plot = Plot::new(format!("The {} items that were rated most", items.len()))
        .x_label(axis(0, "first"))
        .y_label(axis(1, "second"))
        .size(1000, 800);
    let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
    let names = shorten(&names, LONGEST);
    let plot = names.into_iter().zip(along.iter()).fold(plot, |plot, (name, at)| plot.point(name, at[0], at[1]));
    Ok(plot.into())
}
