//! Bad input is refused in words that name it.

use super::{blobs, near};
use tallow::Error;
use tallow::classic::*;
use tallow::metrics::{Confusion, classification_report};

#[track_caller]
fn refused<T>(result: tallow::Result<T>, words: &str) {
    let Err(error) = result else { panic!("accepted; expected: {words}") };
    let kinds = matches!(error, Error::Value(_) | Error::Shape { .. } | Error::Config { .. } | Error::Label { .. });
    assert!(kinds, "{error:?}");
    assert_eq!(error.to_string(), words);
}

fn rows(values: &[[f64; 2]]) -> Matrix {
    Matrix::from_rows(values).unwrap()
}

#[test]
fn samples_that_nothing_can_be_fitted_to() {
    let xs = rows(&[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]);
    let logistic = LogisticRegression::new();
    refused(logistic.fit(&xs, &[0, 1]), "3 rows and 2 labels: expected one label for each row");
    refused(logistic.fit(&xs, &[4, 4, 4]), "all 3 labels are class 4: a classifier needs samples of two classes");
    let none = Matrix::new(0, 2, vec![]).unwrap();
    refused(logistic.fit(&none, &[]), "0 samples: there is nothing to fit to");
    refused(StandardScaler.fit(&none), "0 samples: there is nothing to fit to");
    let nan = rows(&[[0.0, 1.0], [2.0, f64::NAN]]);
    let words = "row 1, column 1 is NaN: remove or replace values that are not finite";
    refused(logistic.fit(&nan, &[0, 1]), words);
    refused(LinearSvm::new().fit(&nan, &[0, 1]), words);
    refused(KNeighbors::new(1).fit(&nan, &[0, 1]), words);
    refused(DummyClassifier::Prior.fit(&nan, &[0, 1]), words);
    refused(OneVsRest::new(logistic.clone()).fit(&nan, &[0, 1]), words);
    refused(OneVsOne::new(logistic.clone()).n_classes(3).fit(&nan, &[0, 1]), words);
    refused(Pipeline::new(StandardScaler, logistic.clone()).fit(&nan, &[0, 1]), words);
    let infinite = rows(&[[f64::INFINITY, 1.0], [2.0, 0.0]]);
    let words = "row 0, column 0 is inf: remove or replace values that are not finite";
    refused(logistic.fit(&infinite, &[0, 1]), words);
    let huge = rows(&[[1e200, 1.0], [-1e200, 0.0]]);
    let words = "sums overflow while fitting: the features are too large, put a StandardScaler before the model";
    refused(logistic.fit(&huge, &[0, 1]), words);
}

#[test]
fn settings_that_make_no_sense() {
    let xs = rows(&[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]);
    refused(LogisticRegression::new().c(0.0).fit(&xs, &[0, 1, 1]), "C must be a positive number, got 0");
    refused(LinearSvm::new().c(f64::NAN).fit(&xs, &[0, 1, 1]), "C must be a positive number, got NaN");
    refused(LogisticRegression::new().tol(-1.0).fit(&xs, &[0, 1, 1]), "tol must be a positive number, got -1");
    refused(KNeighbors::new(4).fit(&xs, &[0, 1, 1]), "4 neighbours of 3 samples: expected 1 to 3");
    let words = "LinearSvm tells two classes, and there are 3: put it into OneVsRest or OneVsOne";
    refused(LinearSvm::new().fit(&xs, &[0, 1, 2]), words);
    let ovr = OneVsRest::new(LinearSvm::new());
    let words = "label 2 is class 5, out of range for 3 classes (0 to n - 1)";
    refused(ovr.clone().n_classes(3).fit(&xs, &[0, 1, 5]), words);
    refused(OneVsOne::new(LinearSvm::new()).n_classes(3).fit(&xs, &[0, 1, 5]), words);
    refused(ovr.n_classes(1).fit(&xs, &[0, 0, 0]), "1 classes: expected at least 2");
}

#[test]
fn rows_of_another_width() {
    let train = blobs("blobs3").train;
    let three = Matrix::from_rows(&[[0.0, 1.0, 2.0]]).unwrap();
    let words = "rows of 3 features for a model that was fitted to 2";
    let logistic = LogisticRegression::new().fit(&train.xs, &train.ys).unwrap();
    refused(logistic.predict(&three), words);
    refused(logistic.probabilities(&three), words);
    refused(KNeighbors::default().fit(&train.xs, &train.ys).unwrap().predict(&three), words);
    refused(DummyClassifier::Prior.fit(&train.xs, &train.ys).unwrap().predict(&three), words);
    refused(OneVsRest::new(LinearSvm::new()).fit(&train.xs, &train.ys).unwrap().predict(&three), words);
    refused(OneVsOne::new(LinearSvm::new()).fit(&train.xs, &train.ys).unwrap().decision(&three), words);
    let pipeline = Pipeline::new(StandardScaler, LogisticRegression::new()).fit(&train.xs, &train.ys).unwrap();
    refused(pipeline.predict(&three), words);
    refused(
        pipeline.predict(&rows(&[[0.0, f64::NAN]])),
        "row 0, column 1 is NaN: remove or replace values that are not finite",
    );
    refused(logistic.confidence(&train.xs), "the model has 3 classes: only one of two has a single confidence");
    refused(logistic.score(&train.xs, &[1]), "96 predictions for 1 labels: expected one for each");
    assert!(logistic.predict(&Matrix::new(0, 2, vec![]).unwrap()).unwrap().is_empty());
}

#[test]
fn matrices_splits_folds_blobs_and_grids() {
    refused(Matrix::new(2, 2, vec![1.0; 3]), "3 values cannot fill 2 rows of 2 columns");
    refused(Matrix::from_f32(2, &[1.0; 3]), "3 values cannot fill 1 rows of 2 columns");
    refused(Matrix::from_f32(0, &[]), "a matrix needs at least one column, got 0");
    refused(Matrix::from_rows(&[vec![1.0], vec![]]), "row 1 has 0 values, row 0 has 1: all rows need one length");
    refused(rows(&[[1.0, 2.0]]).select(&[1]), "row 1 is out of range for 1 rows");

    let share = |test| TrainTestSplit { test, ..TrainTestSplit::default() };
    refused(share(1.0).indices(&[0, 1]), "the share that tests must be above 0 and below 1, got 1");
    refused(share(0.9).indices(&[0, 1]), "0.9 of 2 samples would leave none to train with");
    let stratified = TrainTestSplit { stratified: true, ..share(0.5) };
    let words = "class 1 has one sample: a stratified split needs two of each";
    refused(stratified.indices(&[0, 0, 1]), words);
    let words = "5 and 1 samples cannot have all 3 classes on both sides";
    refused(TrainTestSplit { test: 0.1, ..stratified }.indices(&[0, 0, 1, 1, 2, 2]), words);
    refused(stratified_folds(&[0, 1], 1), "1 folds: expected at least 2");
    refused(stratified_folds(&[0, 0, 8], 2), "class 8 has 1 samples: 2 folds need at least 2 of each");
    refused(stratified_folds(&[], 2), "0 samples: there is nothing to fit to");
    let words = "0 samples, 3 centres and 2 features: expected at least 1 of each";
    refused(Blobs { samples: 0, ..Blobs::default() }.make(), words);
    refused(Blobs { std: -1.0, ..Blobs::default() }.make(), "the standard deviation must be 0 or more, got -1");
    refused(Grid::new((1.0, 1.0), (0.0, 1.0), 2, 2), "the range of x must ascend, got 1 to 1");
    refused(Grid::new((0.0, 1.0), (0.0, 1.0), 0, 2), "a grid of 0 by 2 cells has no points");
    let confusion = Confusion::new(2, &[0, 1], &[0, 1]).unwrap();
    refused(classification_report(&confusion, &["one"], 2), "1 names for 2 classes: expected one for each");
}

#[test]
fn errors_hold_what_they_are_about() {
    let xs = rows(&[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]);
    let error = LogisticRegression::new().c(0.0).fit(&xs, &[0, 1, 1]).unwrap_err();
    assert!(matches!(error, Error::Config { setting: "C", .. }), "{error:?}");
    let error = OneVsRest::new(LinearSvm::new()).n_classes(3).fit(&xs, &[0, 1, 5]).unwrap_err();
    assert!(matches!(&error, Error::Label { label, n_classes: 3, .. } if label == "5"), "{error:?}");
    let model = LinearSvm::new().fit(&xs, &[0, 1, 1]).unwrap();
    let error = model.predict(&Matrix::from_rows(&[[0.0, 1.0, 2.0]]).unwrap()).unwrap_err();
    assert!(matches!(&error, Error::Shape { got, .. } if got == &[1, 3]), "{error:?}");
    let error = LinearSvm::new().fit(&xs, &[0, 1, 2]).unwrap_err();
    assert!(matches!(error, Error::Value(_)), "{error:?}");
}

#[test]
fn labels_may_be_any_numbers() {
    let train = blobs("blobs3").train;
    let strange: Vec<u32> = train.ys.iter().map(|y| [7, u32::MAX, 100][*y as usize]).collect();
    let (plain, model) = (
        LogisticRegression::new().fit(&train.xs, &train.ys).unwrap(),
        LogisticRegression::new().fit(&train.xs, &strange).unwrap(),
    );
    assert_eq!(model.classes(), [7, 100, u32::MAX]);
    assert_eq!(model.score(&train.xs, &strange).unwrap(), plain.score(&train.xs, &train.ys).unwrap());
    near("the same weights in another order", model.coef().row(1), plain.coef().row(2), 1e-6);
}
