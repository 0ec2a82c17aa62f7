//! Logistic regression against the optimum.

use super::{TOLERANCE, blobs, expected, labels, matrix, near, numbers, real};
use crate::common::{assert_same_bits, formula};
use tallow::classic::*;
use tallow::metrics::{Confusion, classification_report, log_loss, roc_auc_ovr};

#[test]
fn three_blobs_multinomial() {
    let train = blobs("blobs3").train;
    let model = LogisticRegression::new().fit(&train.xs, &train.ys).unwrap();
    near("coef", model.coef().values(), &numbers("blobs3/multinomial/coef"), TOLERANCE);
    near("intercept", model.intercept(), &numbers("blobs3/multinomial/intercept"), TOLERANCE);
    let probabilities = model.probabilities(&matrix("blobs3/points")).unwrap();
    near("proba", probabilities.values(), &numbers("blobs3/multinomial/proba"), TOLERANCE);
    assert!(model.fit_report().converged && model.fit_report().gradient_norm <= 1e-6 && model.warning().is_none());
}

#[test]
fn twenty_blobs_multinomial() {
    let TrainTest { train, test } = blobs("blobs20");
    let model = LogisticRegression::new().fit(&train.xs, &train.ys).unwrap();
    assert_eq!(model.predict(&test.xs).unwrap(), labels("blobs20/multinomial/predict_test"));
    assert_eq!(Some(model.score(&train.xs, &train.ys).unwrap()), expected("blobs20/multinomial/train").as_f64());
    assert_eq!(Some(model.score(&test.xs, &test.ys).unwrap()), expected("blobs20/multinomial/test").as_f64());
}

#[test]
fn c_weighs_the_data() {
    let train = blobs("blobs3").train;
    for (name, c, tolerance) in [("C0.01", 0.01, TOLERANCE), ("C1000", 1000.0, TOLERANCE)] {
        let model = LogisticRegression::new().c(c).fit(&train.xs, &train.ys).unwrap();
        near(name, model.coef().values(), &numbers(&format!("more/{name}/coef")), tolerance);
        near(name, model.intercept(), &numbers(&format!("more/{name}/intercept")), tolerance);
    }
}

#[test]
fn iris_wine_and_digits_through_a_scaler() {
    for name in ["iris", "wine", "digits"] {
        let TrainTest { train, test } = real(name);
        let model = Pipeline::new(StandardScaler, LogisticRegression::new()).fit(&train.xs, &train.ys).unwrap();
        let at = |what: &str| format!("{name}/{what}");
        let close = |what: &str, got: &[f64], tolerance| near(&at(what), got, &numbers(&at(what)), tolerance);
        close("scaler_mean", model.first().mean(), 1e-8);
        close("scaler_scale", model.first().scale(), 1e-8);
        close("coef", model.model().coef().values(), TOLERANCE);
        close("intercept", model.model().intercept(), TOLERANCE);
        let predicted = model.predict(&test.xs).unwrap();
        assert_eq!(predicted, labels(&at("predict")));
        assert_eq!(Some(model.score(&train.xs, &train.ys).unwrap()), expected(&at("train")).as_f64());
        assert_eq!(Some(model.score(&test.xs, &test.ys).unwrap()), expected(&at("test")).as_f64());

        let probabilities = model.probabilities(&test.xs).unwrap();
        let n = probabilities.columns();
        close("log_loss", &[log_loss(probabilities.values(), n, &test.ys).unwrap()], TOLERANCE);
        close("auc_ovr_macro", &[roc_auc_ovr(probabilities.values(), n, &test.ys).unwrap()], TOLERANCE);
        let confusion = Confusion::new(n, &predicted, &test.ys).unwrap();
        let rows: Vec<f64> = confusion.rows().concat().into_iter().map(|count| count as f64).collect();
        assert_eq!(rows, numbers(&at("confusion")));
        let names: Vec<String> = (0..n).map(|class| class.to_string()).collect();
        assert_eq!(
            Some(classification_report(&confusion, &names, 2).unwrap().as_str()),
            expected(&at("report_text")).as_str()
        );
    }
}

/// Rows of the formula in `k` classes, which the first 200 features tell apart; as in make.py.
fn wide(n: usize, d: usize, k: usize) -> (Matrix, Vec<u32>) {
    let ys: Vec<u32> = (0..n).map(|i| (i * 7 % k) as u32).collect();
    let mut values = formula(&format!("wide {n} {d}"), n * d);
    for (row, y) in values.chunks_exact_mut(d).zip(&ys) {
        row[..200].iter_mut().for_each(|x| *x += 0.15 * f64::from(*y));
    }
    (Matrix::new(n, d, values).unwrap(), ys)
}

#[test]
fn more_features_than_rows() {
    for case in 0..4 {
        let at = |what: &str| format!("wide/{case}/{what}");
        let size = |what: &str| expected(&at(what)).as_u64().unwrap() as usize;
        let (n, d, k) = (size("n"), size("d"), size("k"));
        let (xs, ys) = wide(n, d, k);
        let model = LogisticRegression::new().fit(&xs, &ys).unwrap();
        let fit = model.fit_report();
        assert!(fit.converged && fit.gradient_norm <= 2e-6, "{n} x {d}: {fit:?}");
        let first: Vec<f64> = model.coef().iter().flat_map(|row| &row[..50]).copied().collect();
        near(&at("coef"), &first, &numbers(&at("coef")), 1e-5);
        near(&at("intercept"), model.intercept(), &numbers(&at("intercept")), 1e-5);
        let norms: Vec<f64> = model.coef().iter().map(|row| row.iter().map(|w| w * w).sum::<f64>().sqrt()).collect();
        near(&at("norm"), &norms, &numbers(&at("norm")), 1e-5);
        let mut test = formula(&format!("test {d}"), 5 * d);
        for (i, row) in test.chunks_exact_mut(d).enumerate() {
            row[..200].iter_mut().for_each(|x| *x += 0.15 * i as f64);
        }
        let decision = model.decision(&Matrix::new(5, d, test).unwrap()).unwrap();
        near(&at("decision"), decision.values(), &numbers(&at("decision")), 1e-4);
    }
}

#[test]
fn rows_that_repeat_each_other_make_no_difference_in_the_smaller_space() {
    // Twelve rows of forty features, each of them twice: the space has eleven dimensions once the scaler has centred
    // it.
    let (xs, ys) = wide(12, 400, 2);
    let twice: Vec<usize> = (0..12).chain(0..12).collect();
    let all = Samples { xs, ys }.select(&twice).unwrap();
    let xs = StandardScaler.fit(&all.xs).unwrap().transform(&all.xs).unwrap();
    let doubled = LogisticRegression::new().fit(&xs, &all.ys).unwrap();
    let half: Vec<usize> = (0..12).collect();
    let once = LogisticRegression::new().c(2.0).fit(&xs.select(&half).unwrap(), &all.ys[..12]).unwrap();
    assert!(doubled.fit_report().gradient_norm < 2e-6);
    near("every sample twice is C twice", doubled.coef().values(), once.coef().values(), 1e-6);
}

#[test]
fn many_unknowns_are_found_by_conjugate_gradients_at_the_same_place() {
    // 12 classes of 90 features and an intercept are 1,092 unknowns, more than are solved for at once. The optimum has
    // a gradient of zero, which is measured here with plain loops.
    let (n, d, k) = (400, 90, 12);
    let xs = Matrix::new(n, d, formula("many", n * d)).unwrap();
    let ys: Vec<u32> = (0..n).map(|i| (i * i % k) as u32).collect();
    let model = LogisticRegression::new().fit(&xs, &ys).unwrap();
    let classes = model.classes().to_vec();
    let dense = LogisticRegression::new().c(0.3).fit(&xs, &ys).unwrap();
    for (model, c) in [(&model, 1.0), (&dense, 0.3)] {
        let probabilities = model.probabilities(&xs).unwrap();
        for (place, class) in classes.iter().enumerate() {
            let wrong = |i: usize| probabilities.row(i)[place] - f64::from(ys[i] == *class);
            let intercept: f64 = (0..n).map(|i| c * wrong(i)).sum();
            assert!(intercept.abs() < 1e-6);
            for feature in 0..d {
                let slope: f64 = (0..n).map(|i| c * wrong(i) * xs.row(i)[feature]).sum();
                assert!((slope + model.coef().row(place)[feature]).abs() < 1e-6);
            }
        }
    }
}

#[test]
fn features_of_very_different_sizes_are_no_obstacle() {
    let TrainTest { train, .. } = real("wine");
    let model = LogisticRegression::new().fit(&train.xs, &train.ys).unwrap();
    assert!(model.fit_report().converged && model.fit_report().iterations < 30, "{:?}", model.fit_report());
    // Intercepts sum to zero, as scikit-learn's do, which start there and stay.
    assert!(model.intercept().iter().sum::<f64>().abs() < 1e-6);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let (xs, ys) = wide(70, 3000, 3);
            let TrainTest { train, .. } = real("digits");
            let mut all = LogisticRegression::new().fit(&xs, &ys).unwrap().coef().values().to_vec();
            all.extend(LogisticRegression::new().max_iter(3).fit(&train.xs, &train.ys).unwrap().coef().values());
            let ovr = OneVsRest::new(LogisticRegression::new().max_iter(3)).fit(&train.xs, &train.ys).unwrap();
            all.extend(ovr.decision(&train.xs).unwrap().values());
            all
        })
    };
    assert_same_bits("1 and 3 threads", &with(1), &with(3));
}
