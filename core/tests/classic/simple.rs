//! The simple models, and the linear support vector machine.

use super::{TOLERANCE, blobs, labels, matrix, near, numbers, real};
use tallow::classic::*;

#[test]
fn a_linear_svm_is_linear_svc_without_a_penalty_on_the_intercept() {
    let all = blobs("blobs3").train;
    let pair: Vec<usize> = (0..all.ys.len()).filter(|&i| all.ys[i] != 2).collect();
    let train = all.select(&pair).unwrap();
    let model = LinearSvm::new().fit(&train.xs, &train.ys).unwrap();
    // LinearSVC(intercept_scaling=1e4, dual=False, tol=1e-14): its intercept is all but free.
    near("coef", model.coef().values(), &numbers("more/svm/coef"), TOLERANCE);
    near("intercept", model.intercept(), &numbers("more/svm/intercept"), TOLERANCE);
    assert!(model.fit_report().converged && model.warning().is_none());
}

#[test]
fn a_linear_svm_of_wide_rows_has_no_gradient_left() {
    let (n, d) = (20, 300);
    let xs = Matrix::new(n, d, crate::common::formula("svm", n * d)).unwrap();
    let ys: Vec<u32> = (0..n).map(|i| 5 + (i % 2) as u32).collect();
    let model = LinearSvm::new().c(0.05).fit(&xs, &ys).unwrap();
    assert!(model.fit_report().gradient_norm < 1e-6, "{:?}", model.fit_report());
    let decision = model.decision(&xs).unwrap().column(0);
    let side = |i: usize| if ys[i] == 6 { 1.0 } else { -1.0 };
    let slope = |i: usize| -2.0 * 0.05 * side(i) * (1.0 - side(i) * decision[i]).max(0.0);
    assert!((0..n).map(slope).sum::<f64>().abs() < 1e-6);
    for feature in 0..d {
        let gradient: f64 = (0..n).map(|i| slope(i) * xs.row(i)[feature]).sum();
        assert!((gradient + model.coef().row(0)[feature]).abs() < 1e-6);
    }
}

#[test]
fn neighbours_are_scikit_learns() {
    let train = blobs("blobs3").train;
    let model = KNeighbors::default().fit(&train.xs, &train.ys).unwrap();
    let probabilities = model.probabilities(&matrix("blobs3/points")).unwrap();
    near("proba", probabilities.values(), &numbers("more/knn_proba"), 1e-12);
    for name in ["iris", "wine"] {
        let TrainTest { train, test } = real(name);
        let model = KNeighbors::default().fit(&train.xs, &train.ys).unwrap();
        assert_eq!(model.predict(&test.xs).unwrap(), labels(&format!("{name}/knn_predict")));
    }
}

#[test]
fn a_dummy_does_not_look() {
    let train = blobs("blobs3").train;
    let points = matrix("blobs3/points");
    let prior = DummyClassifier::default().fit(&train.xs, &train.ys).unwrap();
    near("prior", prior.probabilities(&points).unwrap().values(), &numbers("more/dummy_prior"), 1e-15);
    assert_eq!(prior.predict(&points).unwrap(), labels("more/dummy_predict"));
    let most = DummyClassifier::MostFrequent.fit(&train.xs, &train.ys).unwrap();
    assert_eq!(most.predict(&points).unwrap(), prior.predict(&points).unwrap());

    // 30 of class 2 and 10 of class 7; 4,000 draws have a deviation of 27 for the one and 32 for the other.
    let ys: Vec<u32> = (0..40).map(|i| if i % 4 == 0 { 7 } else { 2 }).collect();
    let (few, many) = (Matrix::new(40, 1, vec![0.0; 40]).unwrap(), Matrix::new(4000, 1, vec![0.0; 4000]).unwrap());
    let sevens = |dummy: DummyClassifier| {
        let model = dummy.fit(&few, &ys).unwrap();
        let drawn = model.predict(&many).unwrap();
        assert_eq!(drawn, model.predict(&many).unwrap(), "the same seed draws the same");
        drawn.iter().filter(|y| **y == 7).count()
    };
    assert!(sevens(DummyClassifier::Stratified { seed: 1 }).abs_diff(1000) < 5 * 27);
    assert!(sevens(DummyClassifier::Uniform { seed: 1 }).abs_diff(2000) < 5 * 32);
    let one = DummyClassifier::default().fit(&few, &[3; 40]).unwrap();
    assert_eq!(one.predict(&few).unwrap(), [3; 40], "a dummy may know one class");
}

#[test]
fn a_scaler_leaves_constant_features_in_peace() {
    let xs = Matrix::from_rows(&[[0.1, 1e9, 1.0], [0.1, 1e9 + 2.0, 2.0], [0.1, 1e9 + 4.0, 6.0]]).unwrap();
    let scaler = StandardScaler.fit(&xs).unwrap();
    // StandardScaler().fit([[.1, 1e9, 1], [.1, 1e9 + 2, 2], [.1, 1e9 + 4, 6]]).scale_
    near("scale", scaler.scale(), &[1.0, 1.632993161855452, 2.160246899469287], 1e-12);
    let scaled = scaler.transform(&xs).unwrap();
    for feature in 1..3 {
        let column = scaled.column(feature);
        assert!(column.iter().sum::<f64>().abs() < 1e-12);
        assert!((column.iter().map(|x| x * x).sum::<f64>() - 3.0).abs() < 1e-12);
    }
    assert!(scaled.column(0).iter().all(|x| x.abs() < 1e-15));
}
