//! Fits whatever the features' scale, their offset, their number and `C`: what must not change does not.

use tallow::classic::{
    Classifier, Decision, Estimator, KNeighbors, LinearSvm, LogisticRegression, Matrix, Probabilities,
};
use tallow::rng::Rng;

/// Two clouds that overlap, a tenth of the points in the second.
fn points(n: usize, d: usize, seed: u64) -> (Matrix, Vec<u32>) {
    let mut rng = Rng::new(seed);
    let ys: Vec<u32> = (0..n).map(|i| u32::from(i % 10 == 3)).collect();
    // Multiples of a quarter, which stay exact beside large numbers.
    let row = |y: &u32| (0..d).map(|_| ((rng.normal() + f64::from(*y)) * 4.0).round() / 4.0).collect::<Vec<f64>>();
    let rows: Vec<Vec<f64>> = ys.iter().map(row).collect();
    (Matrix::from_rows(&rows).unwrap(), ys)
}

fn changed(xs: &Matrix, change: impl Fn(usize, f64) -> f64) -> Matrix {
    let rows: Vec<Vec<f64>> =
        xs.iter().map(|row| row.iter().enumerate().map(|(column, &x)| change(column, x)).collect()).collect();
    Matrix::from_rows(&rows).unwrap()
}

fn furthest(a: &Matrix, b: &Matrix) -> f64 {
    let largest = a.values().iter().map(|x| x.abs()).fold(1e-300, f64::max);
    a.values().iter().zip(b.values()).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max) / largest
}

#[test]
fn the_mean_probability_is_the_share_of_the_class_for_every_c() {
    // Where the gradient by the intercept is 0, whatever the penalty.
    for (n, d) in [(100, 3), (40, 80)] {
        let (xs, ys) = points(n, d, 1);
        let share = ys.iter().sum::<u32>() as f64 / n as f64;
        for exponent in -12..=12 {
            let model = LogisticRegression::new().c(10f64.powi(exponent)).fit(&xs, &ys).unwrap();
            let mean = model.probabilities(&xs).unwrap().column(1).iter().sum::<f64>() / n as f64;
            assert!((mean - share).abs() < 1e-6, "{n} x {d}, C = 1e{exponent}: {mean}, {:?}", model.fit_report());
            assert!(model.fit_report().converged, "{n} x {d}, C = 1e{exponent}: {:?}", model.fit_report());
        }
    }
}

#[test]
fn a_scale_is_made_up_for_by_c_and_an_offset_by_the_intercept() {
    for (n, d) in [(60, 4), (30, 50)] {
        let (xs, ys) = points(n, d, 2);
        let logistic = |xs: &Matrix, c: f64| {
            let model = LogisticRegression::new().c(c).fit(xs, &ys).unwrap();
            assert!(model.fit_report().converged, "{:?}", model.fit_report());
            model.decision(xs).unwrap()
        };
        let svm = |xs: &Matrix, c: f64| LinearSvm::new().c(c).fit(xs, &ys).unwrap().decision(xs).unwrap();
        let (plain, plain_svm) = (logistic(&xs, 0.5), svm(&xs, 0.5));
        for exponent in [-8, -5, -2, 2, 5, 8] {
            let scale = 10f64.powi(exponent);
            let scaled = changed(&xs, |_, x| x * scale);
            let off = furthest(&plain, &logistic(&scaled, 0.5 / (scale * scale)));
            assert!(off < 1e-5, "{n} x {d}, scale 1e{exponent}: {off}");
            let off = furthest(&plain_svm, &svm(&scaled, 0.5 / (scale * scale)));
            assert!(off < 1e-5, "{n} x {d}, scale 1e{exponent}: {off}");
        }
        for offset in [1e3, 1e8, -1e8, 1e12] {
            let shifted = changed(&xs, |column, x| if column == 1 { x + offset } else { x });
            let off = furthest(&plain, &logistic(&shifted, 0.5));
            // The decision is a difference of products with numbers of the offset's size.
            assert!(off < 1e-6 + offset.abs() * 1e-15, "{n} x {d}, offset {offset:e}: {off}");
        }
    }
}

#[test]
fn a_row_far_longer_than_the_others_does_not_hide_them() {
    // The optimum by scikit-learn's four solvers.
    let xs = Matrix::from_rows(&[[1e8, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]).unwrap();
    let model = LogisticRegression::new().fit(&xs, &[0, 0, 1]).unwrap();
    let weights = model.coef().values();
    assert!((weights[1] + 0.40106).abs() < 1e-5 && (weights[2] - 0.40106).abs() < 1e-5, "{weights:?}");
    assert_eq!(model.predict(&xs).unwrap(), [0, 0, 1]);
    assert!(model.fit_report().converged && model.fit_report().gradient_norm < 1e-5, "{:?}", model.fit_report());
    let svm = LinearSvm::new().fit(&xs, &[0, 0, 1]).unwrap();
    let weights = svm.coef().values();
    assert!((weights[1] + 2.0 / 3.0).abs() < 1e-5 && (weights[2] - 2.0 / 3.0).abs() < 1e-5, "{weights:?}");
}

#[test]
fn neighbours_of_one_class_make_a_probability_of_1() {
    let xs = Matrix::from_rows(&(0..20).map(|i| [f64::from(i)]).collect::<Vec<_>>()).unwrap();
    let ys: Vec<u32> = (0..20).map(|i| u32::from(i >= 12)).collect();
    for k in 1..=10 {
        let model = KNeighbors::new(k).fit(&xs, &ys).unwrap();
        let probabilities = model.probabilities(&Matrix::from_rows(&[[0.0]]).unwrap()).unwrap();
        assert_eq!(probabilities.row(0), [1.0, 0.0], "{k}");
    }
}

#[test]
fn a_column_of_times_does_not_hide_the_others() {
    let (xs, ys) = points(20, 40, 3);
    let dated = Matrix::from_rows(
        &xs.iter()
            .enumerate()
            .map(|(i, row)| row.iter().copied().chain([1.7e9 + 86_400.0 * i as f64]).collect::<Vec<f64>>())
            .collect::<Vec<_>>(),
    )
    .unwrap();
    let model = LogisticRegression::new().fit(&dated, &ys).unwrap();
    assert_eq!(model.predict(&dated).unwrap(), ys);
    assert!(model.fit_report().converged, "{:?}", model.fit_report());
}
