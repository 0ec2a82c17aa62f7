//! Metrics against scikit-learn 1.9.1. Each expectation comes from the Python line above it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use tallow::Error;
use tallow::metrics::*;

#[track_caller]
fn close(ours: f64, theirs: f64) {
    assert!((ours - theirs).abs() <= 1e-12 * theirs.abs().max(1.0), "ours {ours}, scikit-learn's {theirs}");
}

// y = [0,0,0,0,1,1,1,2,2,2,2,2]; p = [0,0,1,2,1,1,0,2,2,2,0,1]
const ACTUAL: [u32; 12] = [0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2, 2];
const PREDICTED: [u32; 12] = [0, 0, 1, 2, 1, 1, 0, 2, 2, 2, 0, 1];

#[test]
fn accuracy_and_error_rate() {
    // accuracy_score(y, p)
    close(accuracy(&PREDICTED, &ACTUAL).unwrap(), 0.5833333333333334);
    close(error_rate(&PREDICTED, &ACTUAL).unwrap(), 1.0 - 0.5833333333333334);
}

#[test]
fn balanced_accuracy_counts_every_class_that_occurs_the_same() {
    // balanced_accuracy_score(y, p)
    close(balanced_accuracy(&PREDICTED, &ACTUAL).unwrap(), 0.5888888888888889);
    // A class that is predicted and never occurs: balanced_accuracy_score([0,0,1,2], [0,2,2,2]), with a warning;
    // [0,0,1], [3,0,1]
    close(balanced_accuracy(&[0, 2, 2, 2], &[0, 0, 1, 2]).unwrap(), 0.5);
    close(balanced_accuracy(&[3, 0, 1], &[0, 0, 1]).unwrap(), 0.75);
    assert!(balanced_accuracy(&[], &[]).is_err() && balanced_accuracy(&[0], &[0, 1]).is_err());
}

#[test]
fn the_confusion_matrix_has_actual_rows_and_predicted_columns() {
    let confusion = Confusion::new(3, &PREDICTED, &ACTUAL).unwrap();
    // confusion_matrix(y, p).tolist()
    assert_eq!(confusion.rows(), [[2, 1, 1], [1, 2, 0], [1, 1, 3]]);
    assert_eq!(confusion.support(), [4, 3, 5]);
    assert_eq!((confusion.n_classes(), confusion.total()), (3, 12));
    assert_eq!((confusion.get(0, 2), confusion.get(2, 0), confusion.get(3, 0), confusion.get(0, 3)), (1, 1, 0, 0));
    close(confusion.accuracy(), 0.5833333333333334);
}

#[test]
fn precision_recall_and_f1() {
    let confusion = Confusion::new(3, &PREDICTED, &ACTUAL).unwrap();
    // classification_report(y, p, output_dict=True)
    let expected = [(0.5, 0.5, 0.5), (0.5, 0.6666666666666666, 0.5714285714285714), (0.75, 0.6, 0.6666666666666666)];
    for (scores, (precision, recall, f1)) in confusion.per_class().iter().zip(expected) {
        close(scores.precision, precision);
        close(scores.recall, recall);
        close(scores.f1, f1);
    }
    // precision_recall_fscore_support(y, p, average=...)
    for (averaging, (precision, recall, f1)) in [
        (Averaging::Macro, (0.5833333333333334, 0.5888888888888889, 0.5793650793650794)),
        (Averaging::Micro, (0.5833333333333333, 0.5833333333333333, 0.5833333333333333)),
        (Averaging::Weighted, (0.6041666666666666, 0.5833333333333333, 0.5873015873015873)),
    ] {
        let scores = confusion.average(averaging);
        close(scores.precision, precision);
        close(scores.recall, recall);
        close(scores.f1, f1);
    }
}

#[test]
fn a_division_by_zero_is_zero() {
    let confusion = Confusion::new(4, &[0, 2, 2, 2], &[0, 0, 1, 2]).unwrap();
    // precision_recall_fscore_support([0,0,1,2], [0,2,2,2], labels=[0,1,2,3], average=..., zero_division=0)
    let expected = [(1.0, 0.5, 2.0 / 3.0), (0.0, 0.0, 0.0), (1.0 / 3.0, 1.0, 0.5), (0.0, 0.0, 0.0)];
    for (scores, (precision, recall, f1)) in confusion.per_class().iter().zip(expected) {
        close(scores.precision, precision);
        close(scores.recall, recall);
        close(scores.f1, f1);
    }
    let scores = confusion.average(Averaging::Macro);
    close(scores.precision, 0.3333333333333333);
    close(scores.recall, 0.375);
    close(scores.f1, 0.29166666666666663);
    // precision_recall_fscore_support([0,0,1,2], [0,2,2,2], average="macro", zero_division=0): class 3 does not count
    let scores = confusion.average(Averaging::MacroPresent);
    close(scores.precision, 0.4444444444444444);
    close(scores.recall, 0.5);
    close(scores.f1, 0.38888888888888884);
    let scores = confusion.average(Averaging::Weighted);
    close(scores.precision, 0.5833333333333334);
    close(scores.recall, 0.5);
    close(scores.f1, 0.4583333333333333);
}

#[test]
fn the_most_confused_come_first_and_ties_in_the_order_of_their_classes() {
    let confusion = Confusion::new(3, &[1, 1, 2, 0, 0, 0, 2], &[0, 0, 0, 2, 2, 1, 2]).unwrap();
    let pairs = |min| confusion.most_confused(min).iter().map(|c| (c.actual, c.predicted, c.count)).collect::<Vec<_>>();
    assert_eq!(pairs(1), [(0, 1, 2), (2, 0, 2), (0, 2, 1), (1, 0, 1)]);
    assert_eq!(pairs(2), [(0, 1, 2), (2, 0, 2)]);
    assert_eq!(pairs(0), pairs(1), "pairs that were never confused are not confused");
    assert_eq!(pairs(3), []);
}

#[test]
fn top_k() {
    // top_k_accuracy_score([0,1,2,2], [[.5,.2,.2],[.3,.4,.2],[.2,.4,.3],[.7,.2,.1]], k=2, labels=[0,1,2])
    let scores = [0.5_f32, 0.2, 0.2, 0.3, 0.4, 0.2, 0.2, 0.4, 0.3, 0.7, 0.2, 0.1];
    close(top_k_accuracy(&scores, 3, &[0, 1, 2, 2], 2).unwrap(), 0.75);
    close(top_k_accuracy(&scores, 3, &[0, 1, 2, 2], 3).unwrap(), 1.0);
    // top_k_accuracy_score([0,1,2,0], [[.5,.5,0],[.5,.5,0],[.2,.2,.2],[.2,.2,.2]], k=..., labels=[0,1,2])
    let ties = [0.5, 0.5, 0.0, 0.5, 0.5, 0.0, 0.2, 0.2, 0.2, 0.2, 0.2, 0.2];
    close(top_k_accuracy(&ties, 3, &[0, 1, 2, 0], 1).unwrap(), 0.5);
    close(top_k_accuracy(&ties, 3, &[0, 1, 2, 0], 2).unwrap(), 0.75);
}

#[test]
fn errors_of_numbers() {
    let (actual, predicted) = ([3.0_f32, -0.5, 2.0, 7.0], [2.5_f32, 0.0, 2.0, 8.0]);
    // mean_squared_error(a, p), root_mean_squared_error(a, p), mean_absolute_error(a, p)
    close(mse(&predicted, &actual).unwrap(), 0.375);
    close(rmse(&predicted, &actual).unwrap(), 0.6123724356957945);
    close(mae(&predicted, &actual).unwrap(), 0.5);
}

// P = np.array([[.2,.5,.3],[.0,1.,.0],[.1,.1,.8],[1.,0.,0.]])
const PROBABILITIES: [f64; 12] = [0.2, 0.5, 0.3, 0.0, 1.0, 0.0, 0.1, 0.1, 0.8, 1.0, 0.0, 0.0];

#[test]
fn log_loss_keeps_one_epsilon_away_from_certainty() {
    // log_loss([1,0,2,0], P, labels=[0,1,2])
    close(log_loss(&PROBABILITIES, 3, &[1, 0, 2, 0]).unwrap(), 9.239986030247827);
    // log_loss([1,0,2,0], P.astype(np.float32), labels=[0,1,2])
    let single = PROBABILITIES.map(|p| p as f32);
    assert!((log_loss(&single, 3, &[1, 0, 2, 0]).unwrap() - 4.2146687507629395).abs() < 1e-6);
}

#[test]
fn the_area_under_the_curve_counts_ties_half() {
    // roc_auc_score([0,0,1,1,0,1], [.1,.4,.4,.8,.4,.1])
    close(roc_auc(&[0.1, 0.4, 0.4, 0.8, 0.4, 0.1], &[0, 0, 1, 1, 0, 1]).unwrap(), 0.6111111111111112);
    close(roc_auc(&[0.0_f32, -0.0], &[0, 1]).unwrap(), 0.5);
    close(roc_auc(&[f64::NEG_INFINITY, f64::INFINITY], &[0, 1]).unwrap(), 1.0);
    // roc_auc_score([1,0,2,0], P, multi_class="ovr")
    close(roc_auc_ovr(&PROBABILITIES, 3, &[1, 0, 2, 0]).unwrap(), 0.7222222222222223);
}

#[test]
fn what_cannot_be_measured_is_said_with_its_numbers() {
    #[track_caller]
    fn refused<T: std::fmt::Debug>(result: tallow::Result<T>, words: &str) {
        let error = result.unwrap_err();
        let kinds = matches!(error, Error::Value(_) | Error::Shape { .. } | Error::Config { .. } | Error::Label { .. });
        assert!(kinds, "{error:?}");
        assert_eq!(error.to_string(), words);
    }
    assert!(matches!(accuracy(&[1], &[1, 2]), Err(Error::Shape { got, .. }) if got == [1]));
    assert!(
        matches!(Confusion::new(2, &[0, 2], &[0, 1]), Err(Error::Label { label, n_classes: 2, .. }) if label == "2")
    );
    refused(accuracy(&[1], &[1, 2]), "1 predictions for 2 labels: expected one for each");
    refused(mse::<f64>(&[], &[]), "0 predictions for 0 labels: there is nothing to measure");
    refused(Confusion::new(2, &[0, 2], &[0, 1]), "class 2 is out of range for 2 classes (0 to n - 1)");
    refused(top_k_accuracy(&[0.5, 0.5], 2, &[2], 1), "class 2 is out of range for 2 classes (0 to n - 1)");
    refused(top_k_accuracy(&[0.5, 0.5, 0.1], 2, &[0], 1), "3 scores for 1 labels: expected 2 scores for each");
    refused(top_k_accuracy(&[f32::NAN, 0.5], 2, &[0], 1), "score 0 of 2 is NaN");
    refused(log_loss(&[0.5, 1.5], 2, &[0]), "1.5 is not a probability: expected 0 to 1; apply softmax first");
    refused(log_loss(&[0.5], 1, &[0]), "1 classes: expected at least 2");
    refused(roc_auc(&[0.5, 0.6], &[1, 1]), "0 samples of class 0 and 2 of class 1: the area needs both classes");
    refused(roc_auc(&[0.5, 0.6], &[1, 3]), "class 3 is out of range for 2 classes (0 to n - 1)");
    refused(roc_auc_ovr(&[0.5, 0.5, 0.6, 0.4], 2, &[0, 5]), "class 5 is out of range for 2 classes (0 to n - 1)");
}

#[test]
fn the_classification_report_is_scikit_learns_to_the_letter() {
    // classification_report(y, p, labels=range(3), target_names=["a", "b", "c"])
    let want = "              precision    recall  f1-score   support

           a       0.50      0.50      0.50         4
           b       0.50      0.67      0.57         3
           c       0.75      0.60      0.67         5

    accuracy                           0.58        12
   macro avg       0.58      0.59      0.58        12
weighted avg       0.60      0.58      0.59        12
";
    let confusion = Confusion::new(3, &PREDICTED, &ACTUAL).unwrap();
    assert_eq!(classification_report(&confusion, &["a", "b", "c"], 2).unwrap(), want);
    // classification_report(y, p, labels=range(4), target_names=names, digits=3, zero_division=0)
    let want = "                  precision    recall  f1-score   support

             ant      0.500     0.500     0.500         4
honey bee (Apis)      0.500     0.667     0.571         3
            wasp      0.750     0.600     0.667         5
       not there      0.000     0.000     0.000         0

        accuracy                          0.583        12
       macro avg      0.438     0.442     0.435        12
    weighted avg      0.604     0.583     0.587        12
";
    let confusion = Confusion::new(4, &PREDICTED, &ACTUAL).unwrap();
    let names = ["ant", "honey bee (Apis)", "wasp", "not there"];
    assert_eq!(classification_report(&confusion, &names, 3).unwrap(), want);
    assert!(matches!(classification_report(&confusion, &["a"], 2), Err(Error::Shape { got, .. }) if got == [1]));
}

#[test]
fn several_classes_are_judged_as_scikit_learn_judges_them() {
    // y and p of 12 samples and 3 classes from np.random.RandomState(0), p rounded to one digit so that scores are
    // equal.
    let y = [
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
        [1, 0, 0],
        [0, 0, 1],
        [1, 1, 0],
        [0, 0, 0],
        [0, 0, 0],
        [1, 0, 1],
        [0, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
    ];
    let p = [
        [0.6, 0.6, 0.9],
        [0.7, 0.4, 0.4],
        [0.7, 0.1, 0.7],
        [0.7, 0.2, 0.1],
        [0.3, 0.4, 0.6],
        [0.4, 1.0, 0.1],
        [0.2, 0.2, 0.7],
        [0.3, 0.5, 0.2],
        [0.2, 0.1, 0.7],
        [0.1, 0.2, 0.4],
        [0.8, 0.1, 0.8],
        [0.1, 1.0, 0.5],
    ];
    let report = MultiLabelReport::new(&p.concat(), &y.concat(), 3, 0.5).unwrap();
    let close = |got: f64, want: f64| assert!((got - want).abs() < 1e-14, "{got} {want}");
    // average_precision_score(y[:, i], p[:, i]); precision, recall and f1_score(y, p >= .5, average=None)
    let want = [
        (0.6, 0.4, 0.5, 0.4444444444444444),
        (1.0, 0.5, 1.0, 0.6666666666666666),
        (0.26666666666666666, 0.2857142857142857, 1.0, 0.4444444444444444),
    ];
    for (class, (ap, precision, recall, f1)) in report.classes.iter().zip(want) {
        close(class.average_precision, ap);
        close(class.scores.precision, precision);
        close(class.scores.recall, recall);
        close(class.scores.f1, f1);
    }
    close(report.mean_average_precision, 0.6222222222222222);
    // f1_score(average="macro"), average="micro", accuracy_score(y, q), (y == q).mean()
    close(report.macro_f1, 0.5185185185185185);
    close(report.micro_f1, 0.5);
    close(report.subset_accuracy, 0.25);
    close(report.accuracy, 0.6666666666666666);
    assert_eq!(average_precision(&[0.5, 0.1], &[0, 0]).unwrap(), 0.0);
    assert!(average_precision(&[f64::NAN], &[1]).is_err() && average_precision(&[0.1], &[2]).is_err());
    assert!(
        MultiLabelReport::new(&[0.1; 4], &[0; 4], 3, 0.5).unwrap_err().to_string().contains("whole number of rows")
    );
}

#[test]
fn a_temperature_is_the_one_that_scipy_finds() {
    // i = np.arange(180).reshape(60, 3); z = 3 * np.sin(1.7 * i + 0.3) + 0.5 * np.cos(0.9 * i)
    // y = [argmax(z[r]) if r % 4 else r // 4 % 3 for r in range(60)]
    let (n, n_classes) = (60, 3);
    let z: Vec<f64> = (0..180).map(f64::from).map(|i| 3.0 * (1.7 * i + 0.3).sin() + 0.5 * (0.9 * i).cos()).collect();
    let largest = |row: &[f64]| (0..3).fold(0, |best, i| if row[i] > row[best] { i } else { best }) as u32;
    let y: Vec<u32> =
        z.chunks(3).enumerate().map(|(r, row)| if r % 4 != 0 { largest(row) } else { r as u32 / 4 % 3 }).collect();
    let softmax = |row: &[f64]| {
        let exps: Vec<f64> = row.iter().map(|score| score.exp()).collect();
        let sum: f64 = exps.iter().sum();
        exps.into_iter().map(move |e| e / sum).collect::<Vec<f64>>()
    };
    let p: Vec<f64> = z.chunks(3).flat_map(softmax).collect();
    // scipy.optimize.minimize_scalar(lambda u: -log_softmax(z / exp(u))[arange(n), y].mean(), bounds=(-4, 4),
    // method="bounded")
    let temperature = fit_temperature(&p, n_classes, &y).unwrap();
    assert!((temperature - 1.6864102616733905).abs() < 1e-6, "{temperature}");
    let after = at_temperature(&p, n_classes, temperature).unwrap();
    close(log_loss(&p, n_classes, &y).unwrap(), 0.73599181553717);
    close(log_loss(&after, n_classes, &y).unwrap(), 0.6505384124422412);
    // The paper's error in 15 bins, open below and closed above.
    close(expected_calibration_error(&p, n_classes, &y, 15).unwrap(), 0.1704733946433309);
    assert!((expected_calibration_error(&after, n_classes, &y, 15).unwrap() - 0.11140256421462946).abs() < 1e-6);
    let bins = reliability(&p, n_classes, &y, 10).unwrap();
    assert_eq!(bins.iter().map(|bin| bin.n).sum::<u64>(), n);
    assert!(bins.iter().all(|bin| (0.0..=1.0).contains(&bin.accuracy) && bin.confidence > 1.0 / 3.0));
    // The same scores at temperature 1, and all alike when it is hot.
    at_temperature(&p, n_classes, 1.0).unwrap().iter().zip(&p).for_each(|(a, b)| close(*a, *b));
    assert!(at_temperature(&p, n_classes, 1e9).unwrap().iter().all(|p| (p - 1.0 / 3.0).abs() < 1e-6));
    assert!(at_temperature(&p, n_classes, 0.0).is_err());
    assert!(
        reliability(&p, n_classes, &y, 0).is_err() && expected_calibration_error(&p, n_classes, &y[1..], 5).is_err()
    );
    // Samples that are all recognised make a network as sure as can be.
    let right: Vec<u32> = p.chunks(3).map(largest).collect();
    assert!(fit_temperature(&p, n_classes, &right).unwrap() < 0.05);
}

/// By hand: the gains of the first four places are 1, 1/log2(3), 1/2 and 1/log2(5).
#[test]
fn lists_gain_by_their_places() {
    let [second, fourth] = [1.0 / 3f64.log2(), 1.0 / 5f64.log2()];
    for (list, n_relevant, k, want) in [
        (&[false, true, false, true][..], 2, 4, (second + fourth) / (1.0 + second)),
        (&[true, true], 2, 10, 1.0),
        (&[false, true], 5, 2, second / (1.0 + second)),
        (&[false, false, true], 1, 2, 0.0),
        (&[], 3, 10, 0.0),
    ] {
        let got = ndcg_at(list, n_relevant, k).unwrap();
        assert!((got - want).abs() < 1e-15, "{list:?}: {got} instead of {want}");
        assert_eq!(hit_at(list, n_relevant, k).unwrap(), f64::from(u8::from(want > 0.0)));
    }
    assert!(ndcg_at(&[true], 0, 10).is_err() && hit_at(&[true], 1, 0).is_err());
}

/// `fixtures/label_errors.py` changed labels and counted what cleanlab's `find_label_issues` finds of them. Where the
/// joint's cells have equal fractions the two round others up.
#[test]
fn label_errors_finds_as_much_as_cleanlab_as_precisely() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/label_errors.json");
    let fixture: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    let numbers = |value: &serde_json::Value| -> Vec<u32> { serde_json::from_value(value.clone()).unwrap() };
    let mut sums = std::collections::BTreeMap::<String, [f64; 4]>::new();
    for case in fixture["cases"].as_array().unwrap() {
        let probabilities: Vec<f64> = numbers(&case["thousandths"]).iter().map(|p| f64::from(*p) / 1000.0).collect();
        let classes = case["classes"].as_u64().unwrap() as usize;
        let found = label_errors(&probabilities, classes, &numbers(&case["labels"])).unwrap();
        let wrong = numbers(&case["wrong"]);
        let correct = found.iter().filter(|error| wrong.contains(&(error.sample as u32))).count();
        let share = |correct: f64, flagged: f64| [correct / flagged, correct / wrong.len() as f64];
        let [precision, recall] = share(correct as f64, found.len() as f64);
        let theirs = share(case["correct"].as_f64().unwrap(), case["flagged"].as_f64().unwrap());
        let sum = sums.entry(format!("{} {}", case["name"], case["rate"])).or_default();
        [precision, recall, theirs[0], theirs[1]].iter().zip(sum).for_each(|(value, sum)| *sum += value / 3.0);
    }
    for (case, [precision, recall, their_precision, their_recall]) in &sums {
        let said = format!("{case}: {precision:.3} {recall:.3}, cleanlab's {their_precision:.3} {their_recall:.3}");
        eprintln!("{said}");
        assert!(*precision > their_precision - 0.01 && *recall > their_recall - 0.01, "{said}");
    }
    let mean = |place: usize| sums.values().map(|sum| sum[place]).sum::<f64>() / sums.len() as f64;
    let means = [mean(0), mean(1), mean(2), mean(3)];
    assert!(mean(0) >= mean(2) && mean(1) >= mean(3), "{means:?}");
}
