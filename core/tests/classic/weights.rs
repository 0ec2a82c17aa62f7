//! Samples and classes that count more or less, and fits without a penalty, against scikit-learn
//! (`fixtures/make_weights.py`).

use super::near;
use serde_json::Value;
use tallow::Result;
use tallow::classic::*;

fn fixture() -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/classic/fixtures/weights.json");
    serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap()
}

fn floats(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(values) => values.iter().flat_map(floats).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}

/// Rows, labels and weights of the first classes.
fn samples(n_classes: u32) -> (Matrix, Vec<u32>, Vec<f64>) {
    let fixture = fixture();
    let ys: Vec<u32> = floats(&fixture["ys"]).into_iter().map(|y| y as u32).filter(|y| *y < n_classes).collect();
    let (xs, weights) = (floats(&fixture["xs"]), floats(&fixture["weights"]));
    let n = ys.len();
    (Matrix::new(n, 3, xs[..3 * n].to_vec()).unwrap(), ys, weights[..n].to_vec())
}

#[test]
fn classes_samples_and_no_penalty_are_scikit_learns() {
    for (name, n_classes) in [("two", 2), ("three", 3)] {
        let (xs, ys, weights) = samples(n_classes);
        let one = LogisticRegression::new;
        let unheld = || one().c(f64::INFINITY);
        let fits: [(&str, Result<LogisticModel>); 6] = [
            ("balanced", one().class_weight(ClassWeight::Balanced).fit(&xs, &ys)),
            ("each", one().class_weight(ClassWeight::Each(vec![(1, 4.0)])).fit(&xs, &ys)),
            ("samples", one().c(2.0).fit_weighted(&xs, &ys, &weights)),
            ("balanced_samples", one().class_weight(ClassWeight::Balanced).fit_weighted(&xs, &ys, &weights)),
            ("without_penalty", unheld().fit(&xs, &ys)),
            ("without_penalty_samples", unheld().fit_weighted(&xs, &ys, &weights)),
        ];
        for (case, model) in fits {
            let (model, want) = (model.unwrap(), &fixture()["cases"][name][case]);
            assert!(model.warning().is_none(), "{name}, {case}: {:?}", model.warning());
            near(&format!("{name}, {case}: coef"), model.coef().values(), &floats(&want["coef"]), 1e-5);
            near(&format!("{name}, {case}: intercept"), model.intercept(), &floats(&want["intercept"]), 1e-5);
        }
    }
}

#[test]
fn a_weight_of_two_is_the_row_twice() {
    let (xs, ys, _) = samples(2);
    let times: Vec<usize> = (0..ys.len()).map(|i| 1 + i % 3).collect();
    let weights: Vec<f64> = times.iter().map(|&n| n as f64).collect();
    let repeated: Vec<usize> = (0..ys.len()).flat_map(|i| vec![i; times[i]]).collect();
    let all = Samples { xs: xs.clone(), ys: ys.clone() }.select(&repeated).unwrap();
    let svm = LinearSvm::new();
    let (weighted, twice) = (svm.fit_weighted(&xs, &ys, &weights).unwrap(), svm.fit(&all.xs, &all.ys).unwrap());
    near("support vector machine", weighted.coef().values(), twice.coef().values(), 1e-8);
    near("its intercept", weighted.intercept(), twice.intercept(), 1e-8);
    // More features than rows: in the space of the rows.
    let wide: Vec<f64> = (0..6 * 40).map(|i| f64::from((i * i * 7 + 3) % 23) - 11.0).collect();
    let (wide, ys) = (Matrix::new(6, 40, wide).unwrap(), [0, 1, 0, 1, 2, 2]);
    let all = Samples { xs: wide.clone(), ys: ys.to_vec() }.select(&[0, 1, 1, 2, 3, 3, 3, 4, 5]).unwrap();
    let weighted = LogisticRegression::new().fit_weighted(&wide, &ys, &[1.0, 2.0, 1.0, 3.0, 1.0, 1.0]).unwrap();
    let twice = LogisticRegression::new().fit(&all.xs, &all.ys).unwrap();
    near("wide", weighted.coef().values(), twice.coef().values(), 1e-6);
    // Classes by their weights are samples by theirs.
    let each = LogisticRegression::new().class_weight(ClassWeight::Each(vec![(2, 3.0)])).fit(&wide, &ys).unwrap();
    let same = LogisticRegression::new().fit_weighted(&wide, &ys, &[1.0, 1.0, 1.0, 1.0, 3.0, 3.0]).unwrap();
    assert_eq!(each.coef().values(), same.coef().values());
}

#[test]
fn what_makes_no_sense_is_refused_and_what_has_no_optimum_is_said() {
    let (xs, ys, weights) = samples(2);
    let one = LogisticRegression::new();
    let refused = |weights: &[f64]| one.fit_weighted(&xs, &ys, weights).unwrap_err().to_string();
    assert!(refused(&weights[1..]).contains("54 weights and 55 labels"));
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let mut weights = weights.clone();
        weights[7] = bad;
        assert!(refused(&weights).contains("the weight of row 7 is"), "{}", refused(&weights));
    }
    let first_only: Vec<f64> = ys.iter().map(|y| f64::from(1 - y)).collect();
    assert!(refused(&first_only).contains("class 1 have a weight of 0"));
    let each = |class, weight| one.clone().class_weight(ClassWeight::Each(vec![(class, weight)])).fit(&xs, &ys);
    assert!(each(5, 1.0).unwrap_err().to_string().contains("class 5"));
    assert!(each(1, 0.0).unwrap_err().to_string().contains("above 0 for class 1"));
    // Classes that a line separates.
    let apart = Matrix::from_rows(&[[0.0], [1.0], [3.0], [4.0]]).unwrap();
    let model = one.clone().c(f64::INFINITY).fit(&apart, &[0, 0, 1, 1]).unwrap();
    assert!(model.warning().unwrap().contains("without a penalty"), "{:?}", model.warning());
    assert_eq!(model.predict(&apart).unwrap(), [0, 0, 1, 1]);
    for c in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
        assert!(one.clone().c(c).fit(&xs, &ys).is_err(), "{c}");
    }
}
