//! Classical machine learning with scikit-learn's definitions: classifiers of rows of numbers, transforms and
//! cross-validation.
//!
//! In reading order: a [`Matrix`] holds the samples. An [`Estimator`] holds settings; fitting it returns a model, which
//! is a [`Classifier`] and may have a [`Decision`] function or [`Probabilities`]. [`LogisticRegression`],
//! [`LinearSvm`], [`KNeighbors`], [`GradientBoosting`] and [`DummyClassifier`] are estimators; so are [`OneVsRest`] and
//! [`OneVsOne`], which make many classes of two, and a [`Pipeline`] with a [`StandardScaler`] before.
//! [`TrainTestSplit`], [`cross_val_score`] and [`Blobs`] serve to try them out, and a [`Grid`] to draw their decisions.
//! [`crate::metrics`] evaluates predictions. A [`Tfidf`] converts texts to rows, a [`SparseMatrix`], for a logistic
//! regression.
//!
//! All sums are computed in `f64`, and the results are the same for any number of threads.
//!
//! ```
//! use tallow::classic::*;
//! let blobs = Blobs { samples: 300, centers: 4, ..Blobs::default() }.make()?;
//! let TrainTest { train, test } = TrainTestSplit::default().split(&blobs.xs, &blobs.ys)?;
//! let model = Pipeline::new(StandardScaler, OneVsOne::new(LogisticRegression::new())).fit(&train.xs, &train.ys)?;
//! let dummy = DummyClassifier::Prior.fit(&train.xs, &train.ys)?;
//! assert!(model.score(&test.xs, &test.ys)? > dummy.score(&test.xs, &test.ys)?);
//!
//! // scikit-learn's `LogisticRegression().fit(xs, ys).predict_proba([[1.0]])`
//! let xs = Matrix::from_rows(&[[0.0], [1.0], [2.0], [4.0]])?;
//! let model = LogisticRegression::new().fit(&xs, &[0, 0, 1, 1])?;
//! let probabilities = model.probabilities(&Matrix::from_rows(&[[1.0]])?)?;
//! assert!((probabilities.row(0)[1] - 0.3514939980928047).abs() < 1e-5);
//! # Ok::<(), tallow::Error>(())
//! ```

mod checks;
mod cholesky;
mod loss;
mod newton;
mod products;
mod row_space;
mod rows;

mod class_weight;
mod linear;
mod matrix;
mod sparse;
mod wrapper;

mod estimator;
mod linear_model;
mod linear_svm;
mod logistic;

mod one_vs_one;
mod one_vs_rest;

mod pca;
mod pipeline;
mod scaler;
mod tfidf;

mod boosting;
mod dummy;
mod neighbours;

mod blobs;
mod cross_validation;
mod grid;
mod split;

pub use blobs::Blobs;
pub use boosting::{BoostedClassifier, BoostedRegressor, GradientBoosting};
pub use class_weight::ClassWeight;
pub use cross_validation::{cross_val_predict_proba, cross_val_score, stratified_folds};
pub use dummy::{DummyClassifier, DummyModel};
pub use estimator::{Binary, Classifier, Decision, Estimator, Probabilities};
pub use grid::Grid;
pub use linear_model::LinearModel;
pub use linear_svm::{LinearSvm, LinearSvmModel};
pub use logistic::{LogisticModel, LogisticRegression};
pub use matrix::Matrix;
pub use neighbours::{KNeighbors, KNeighborsModel};
pub use newton::FitReport;
pub use one_vs_one::{OneVsOne, OneVsOneModel};
pub use one_vs_rest::{OneVsRest, OneVsRestModel};
pub use pca::Pca;
pub use pipeline::{Pipeline, PipelineModel, Transform, Transformer};
pub use scaler::{FittedScaler, StandardScaler};
pub use sparse::SparseMatrix;
pub use split::{Samples, TrainTest, TrainTestSplit};
pub use tfidf::{FittedTfidf, Tfidf};
