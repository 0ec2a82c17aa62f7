//! One against the rest and one against one, around several classifiers.

use super::{TOLERANCE, blobs, expected, labels, matrix, near, numbers};
use tallow::classic::*;

#[test]
fn one_vs_rest_is_scikit_learns() {
    let train = blobs("blobs3").train;
    let model = OneVsRest::new(LogisticRegression::new()).fit(&train.xs, &train.ys).unwrap();
    let parts: Vec<&LogisticModel> = model.models().into_iter().flatten().collect();
    let coef: Vec<f64> = parts.iter().flat_map(|part| part.coef().values()).copied().collect();
    let intercept: Vec<f64> = parts.iter().flat_map(|part| part.intercept()).copied().collect();
    near("coef", &coef, &numbers("blobs3/ovr/coef"), TOLERANCE);
    near("intercept", &intercept, &numbers("blobs3/ovr/intercept"), TOLERANCE);
    let points = matrix("blobs3/points");
    near("decision", model.decision(&points).unwrap().values(), &numbers("blobs3/ovr/decision"), TOLERANCE);
    near("proba", model.probabilities(&points).unwrap().values(), &numbers("blobs3/ovr/proba"), TOLERANCE);
    assert_eq!(model.predict(&points).unwrap(), labels("blobs3/ovr/predict"));

    // What Lecture 18 prints, which scikit-learn's default tolerance made.
    let printed = [-0.65123329, 1.0536117, 1.35418019, -0.28647501, -0.63320669, -0.72513556];
    near("the lecture's coef_", &coef, &printed, TOLERANCE);
    near("the lecture's intercept_", &intercept, &[-5.42626721, 0.21616562, -2.46941346], TOLERANCE);
    let last = points.select(&[4]).unwrap();
    assert_eq!(last.row(0), [0.0, -7.0]);
    let decision = model.decision(&last).unwrap();
    near("the lecture's raw scores", decision.row(0), &[-12.8015491, 2.22149069, 2.60653543], TOLERANCE);
    let probabilities = model.probabilities(&last).unwrap();
    near("the lecture's predict_proba", probabilities.row(0), &[1.50344795e-06, 0.492058424, 0.507940073], 1e-5);
}

#[test]
fn one_vs_one_is_scikit_learns() {
    let train = blobs("blobs3").train;
    let model = OneVsOne::new(LogisticRegression::new()).fit(&train.xs, &train.ys).unwrap();
    let parts: Vec<&LogisticModel> = model.models().into_iter().flatten().collect();
    let coef: Vec<f64> = parts.iter().flat_map(|part| part.coef().values()).copied().collect();
    let intercept: Vec<f64> = parts.iter().flat_map(|part| part.intercept()).copied().collect();
    near("coef", &coef, &numbers("blobs3/ovo/coef"), TOLERANCE);
    near("intercept", &intercept, &numbers("blobs3/ovo/intercept"), TOLERANCE);
    let points = matrix("blobs3/points");
    near("decision", model.decision(&points).unwrap().values(), &numbers("blobs3/ovo/decision"), TOLERANCE);
    assert_eq!(model.predict(&points).unwrap(), labels("blobs3/ovo/predict"));
}

#[test]
fn twenty_classes() {
    fn check(name: &str, model: &impl Classifier) {
        let TrainTest { train, test } = blobs("blobs20");
        assert_eq!(model.predict(&test.xs).unwrap(), labels(&format!("blobs20/{name}/predict_test")));
        let printed = |part: &str| expected(&format!("blobs20/{name}/{part}")).as_f64();
        assert_eq!(Some(model.score(&train.xs, &train.ys).unwrap()), printed("train"));
        assert_eq!(Some(model.score(&test.xs, &test.ys).unwrap()), printed("test"));
    }
    let train = blobs("blobs20").train;
    check("ovr", &OneVsRest::new(LogisticRegression::new()).fit(&train.xs, &train.ys).unwrap());
    check("ovo", &OneVsOne::new(LogisticRegression::new()).fit(&train.xs, &train.ys).unwrap());
}

#[test]
fn any_classifier_of_two_classes_will_do() {
    let train = blobs("blobs3").train;
    let points = matrix("blobs3/points");
    let ovr = OneVsRest::new(KNeighbors::new(5)).fit(&train.xs, &train.ys).unwrap();
    near("OvR of neighbours", ovr.decision(&points).unwrap().values(), &numbers("more/ovr_knn/decision_points"), 1e-12);
    near("OvR of neighbours", ovr.probabilities(&points).unwrap().values(), &numbers("more/ovr_knn/proba"), 1e-12);
    let ovo = OneVsOne::new(KNeighbors::new(5)).fit(&train.xs, &train.ys).unwrap();
    near("OvO of neighbours", ovo.decision(&points).unwrap().values(), &numbers("more/ovo_knn"), 1e-12);
    // The machine of one class against the others, fitted by itself, is the wrapper's.
    let svm = OneVsRest::new(LinearSvm::new()).fit(&train.xs, &train.ys).unwrap();
    let second: Vec<u32> = train.ys.iter().map(|y| u32::from(*y == 1)).collect();
    let alone = LinearSvm::new().fit(&train.xs, &second).unwrap();
    assert_eq!(svm.decision(&points).unwrap().column(1), alone.decision(&points).unwrap().values());
    let pipeline = OneVsOne::new(Pipeline::new(StandardScaler, LinearSvm::new())).fit(&train.xs, &train.ys).unwrap();
    assert!(pipeline.score(&train.xs, &train.ys).unwrap() > 0.95);
}

#[test]
fn two_classes_have_one_model() {
    let all = blobs("blobs3").train;
    let pair: Vec<usize> = (0..all.ys.len()).filter(|&i| all.ys[i] != 2).collect();
    let train = all.select(&pair).unwrap();
    let points = matrix("blobs3/points");
    let ovr = OneVsRest::new(LogisticRegression::new()).fit(&train.xs, &train.ys).unwrap();
    assert_eq!(ovr.models().len(), 1);
    near("OvR", ovr.probabilities(&points).unwrap().values(), &numbers("more/ovr_two"), TOLERANCE);
    let ovo = OneVsOne::new(LogisticRegression::new()).fit(&train.xs, &train.ys).unwrap();
    near("OvO", ovo.decision(&points).unwrap().values(), &numbers("more/ovo_two"), TOLERANCE);
    let plain = LogisticRegression::new().fit(&train.xs, &train.ys).unwrap().predict(&points).unwrap();
    assert_eq!((ovr.predict(&points).unwrap(), ovo.predict(&points).unwrap()), (plain.clone(), plain));
}

#[test]
fn a_class_that_does_not_occur_never_wins() {
    let all = blobs("blobs3").train;
    let points = matrix("blobs3/points");
    // Class 1 is announced and absent; class 3 too.
    let present: Vec<usize> = (0..all.ys.len()).filter(|&i| all.ys[i] != 1).collect();
    let train = all.select(&present).unwrap();
    let plain = LogisticRegression::new().fit(&train.xs, &train.ys).unwrap().predict(&points).unwrap();
    let ovr = OneVsRest::new(LogisticRegression::new()).n_classes(4).fit(&train.xs, &train.ys).unwrap();
    assert_eq!(ovr.classes(), [0, 1, 2, 3]);
    assert_eq!(ovr.models().iter().map(Option::is_some).collect::<Vec<_>>(), [true, false, true, false]);
    assert_eq!(ovr.predict(&points).unwrap(), plain);
    assert!(ovr.decision(&points).unwrap().column(1).iter().all(|&v| v == f64::NEG_INFINITY));
    assert_eq!(ovr.probabilities(&points).unwrap().column(3), [0.0; 5]);
    let ovo = OneVsOne::new(LogisticRegression::new()).n_classes(4).fit(&train.xs, &train.ys).unwrap();
    assert_eq!(ovo.models().iter().filter(|model| model.is_some()).count(), 1);
    assert_eq!(ovo.predict(&points).unwrap(), plain);
    assert!(ovo.decision(&points).unwrap().values().iter().all(|v| v.is_finite()));
    // Only one class occurs.
    let only = train.select(&[0, 1]).unwrap();
    assert_eq!(only.ys, [2, 2]);
    let ovr = OneVsRest::new(LinearSvm::new()).n_classes(3).fit(&only.xs, &only.ys).unwrap();
    assert_eq!(ovr.predict(&points).unwrap(), [2; 5]);
    let ovo = OneVsOne::new(LinearSvm::new()).n_classes(3).fit(&only.xs, &only.ys).unwrap();
    assert_eq!(ovo.predict(&points).unwrap(), [2; 5]);
}

#[test]
fn equal_votes_are_decided_by_confidence_and_equal_confidence_by_the_lower_class() {
    // At the same distance from all, the earlier neighbour is nearer: each pair votes for its lower class, and the
    // probability of the second class, the confidence, is 0.
    let xs = Matrix::from_rows(&[[0.0, 2.0], [2.0, 0.0], [0.0, -2.0]]).unwrap();
    let model = OneVsOne::new(KNeighbors::new(1)).fit(&xs, &[0, 1, 2]).unwrap();
    let decision = model.decision(&Matrix::from_rows(&[[0.0, 0.0]]).unwrap()).unwrap();
    assert_eq!(decision.row(0), [2.0, 1.0, 0.0]);

    // Models that say what they are told: three of them, for the pairs 0 1, 0 2 and 1 2, by the feature of their
    // number.
    struct Told;
    struct Model(usize);
    impl Estimator for Told {
        type Model = Model;
        fn fit(&self, xs: &Matrix, _: &[u32]) -> tallow::Result<Model> {
            // Of the samples at 0, 1 and 2 a pair has the sum 1, 2 or 3.
            Ok(Model(xs.column(0).iter().sum::<f64>() as usize - 1))
        }
    }
    impl Classifier for Model {
        fn classes(&self) -> &[u32] {
            &[0, 1]
        }
        fn n_features(&self) -> usize {
            3
        }
        fn predict(&self, xs: &Matrix) -> tallow::Result<Vec<u32>> {
            Ok(self.confidence(xs)?.into_iter().map(|c| u32::from(c > 0.0)).collect())
        }
    }
    impl Binary for Model {
        fn confidence(&self, xs: &Matrix) -> tallow::Result<Vec<f64>> {
            Ok(xs.column(self.0))
        }
    }
    let samples = Matrix::from_rows(&[[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [2.0, 0.0, 0.0]]).unwrap();
    let model = OneVsOne::new(Told).fit(&samples, &[4, 7, 9]).unwrap();
    // 4 beats 7, 7 beats 9, 9 beats 4: a vote for each. sklearn.utils.multiclass._ovr_decision_function gives the
    // numbers: _ovr_decision_function(np.array([[0, 1, 0]]), np.array([[-1., 3., -0.5]]), 3)
    let round = Matrix::from_rows(&[[-1.0, 3.0, -0.5], [-1.0, 1.0, -1.0]]).unwrap();
    let decision = model.decision(&round).unwrap();
    near("votes and confidence", decision.row(0), &[0.7777777777777778, 0.8888888888888888, 1.2380952380952381], 1e-15);
    assert_eq!(decision.row(1), [1.0, 1.0, 1.0]);
    assert_eq!(model.predict(&round).unwrap(), [9, 4], "of equals the first");
}

#[test]
fn one_warning_speaks_for_all_models() {
    let train = blobs("blobs20").train;
    let model = OneVsOne::new(LogisticRegression::new().max_iter(1)).fit(&train.xs, &train.ys).unwrap();
    let warning = model.warning().unwrap();
    assert!(warning.starts_with("190 of 190 models have a warning, the first: logistic regression did not converge: "));
    assert!(warning.contains("after 1 steps the gradient's norm is ") && warning.ends_with("or raise max_iter"));
}
