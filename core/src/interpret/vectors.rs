//! Embeddings as pictures.

use crate::classic::{Matrix, Pca};
use crate::error::Result;
use crate::plot::Plot;
use crate::tabular_learner::CategoryVectors;

/// The classes of a column where their vectors lie in the plane in which they differ most: classes that mean the same
/// to the network are near each other. What is missing or unknown is left out.
///
/// # Errors
/// When there are fewer than two classes.
pub fn plot_vectors(vectors: &CategoryVectors) -> Result<Plot> {
    let known: Vec<Vec<f64>> =
        vectors.vectors.iter().skip(1).map(|vector| vector.iter().map(|&v| f64::from(v)).collect()).collect();
    let pca = Pca::fit(&Matrix::from_rows(&known)?, 2)?;
    let place = |vector: &Vec<f64>, axis: usize| -> f64 {
        let direction = pca.components.row(axis);
        vector.iter().zip(&pca.mean).zip(direction).map(|((v, mean), d)| (v - mean) * d).sum()
    };
    let shares: Vec<String> = pca.shares.iter().map(|share| format!("{:.0} %", 100.0 * share)).collect();
    let plot = Plot::new(&vectors.column)
        .x_label(format!("first component, {}", shares[0]))
        .y_label(format!("second component, {}", shares[1]));
    Ok(known
        .iter()
        .zip(&vectors.classes[1..])
        .fold(plot, |plot, (vector, class)| plot.point(class, place(vector, 0), place(vector, 1))))
}
