//! Baselines for texts: whether the network was worth it.

use crate::classic::{Classifier, LogisticRegression, Matrix, Tfidf};
use crate::data::{TextDataLoaders, TextLoader};
use crate::error::Result;
use crate::metrics;

/// The score of a baseline on the validation texts.
#[derive(Debug, Clone, PartialEq)]
pub struct TextBaseline {
    /// The method.
    pub name: &'static str,
    /// The accuracy of its predictions.
    pub accuracy: f64,
    /// The log loss of its probabilities.
    pub log_loss: f64,
}

/// Fits methods to the training texts and evaluates them on the validation texts: the most frequent class, and logistic
/// regression on the weights of words and pairs of words ([`Tfidf`]), with scikit-learn's defaults and with settings
/// that suit texts better (sublinear counts, `C` = 10).
///
/// # Errors
/// When a fit fails, such as where the training texts are of one class.
pub fn text_baselines(dls: &TextDataLoaders) -> Result<Vec<TextBaseline>> {
    let ((texts, ys), (valid_texts, valid_ys)) = (texts(&dls.train), texts(&dls.valid));
    let n_classes = dls.classes().n_classes();
    let judged = |name, classes: &[u32], known: &Matrix| -> Result<TextBaseline> {
        // A class that training lacks has no probability.
        let mut probabilities = vec![0.0; valid_ys.len() * n_classes];
        for (row, known) in probabilities.chunks_exact_mut(n_classes.max(1)).zip(known.iter()) {
            classes.iter().zip(known).for_each(|(&class, &p)| row[class as usize] = p);
        }
        let most_likely =
            |row: &[f64]| (0..row.len()).rev().max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0) as u32;
        let predicted: Vec<u32> = probabilities.chunks_exact(n_classes.max(1)).map(most_likely).collect();
        let log_loss = metrics::log_loss(&probabilities, n_classes, &valid_ys)?;
        Ok(TextBaseline { name, accuracy: metrics::accuracy(&predicted, &valid_ys)?, log_loss })
    };
    let share = |class: u32| ys.iter().filter(|&&y| y == class).count() as f64 / ys.len().max(1) as f64;
    let all: Vec<u32> = (0..n_classes as u32).collect();
    let shares: Vec<f64> = all.iter().map(|&class| share(class)).collect();
    let mut baselines =
        vec![judged("the most frequent class", &all, &Matrix::from_rows(&vec![shares; valid_ys.len()])?)?];
    for (name, tfidf, c) in [
        ("tf-idf and logistic regression", Tfidf::new(), 1.0),
        ("tf-idf and logistic regression (sublinear, C = 10)", Tfidf::new().sublinear(), 10.0),
    ] {
        let tfidf = tfidf.ngrams(1, 2).fit(texts)?;
        let model = LogisticRegression::new().c(c).fit_sparse(&tfidf.transform(texts), &ys)?;
        let known = model.probabilities_sparse(&tfidf.transform(valid_texts))?;
        baselines.push(judged(name, model.classes(), &known)?);
    }
    Ok(baselines)
}

fn texts(loader: &TextLoader) -> (&[String], Vec<u32>) {
    let dataset = loader.dataset();
    let class = |i: usize| dataset.targets().of(i).first().copied().unwrap_or_default();
    (dataset.texts(), (0..loader.n_items()).map(class).collect())
}
