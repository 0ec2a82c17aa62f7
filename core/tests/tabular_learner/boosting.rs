//! Gradient boosting, and the census of 1994 by it.

use std::path::Path;
use tallow::classic::{Blobs, Classifier, Estimator, GradientBoosting, Matrix, Probabilities};
use tallow::data::TableBlock;
use tallow::interpret::table_baselines;

#[test]
fn trees_fit_what_lines_do_not() {
    // Exclusive or, and a step.
    let point = |i: usize| [((i * 7) % 40) as f64, ((i * 11) % 60) as f64];
    let rows: Vec<[f64; 2]> = (0..600).map(point).collect();
    let xs = Matrix::from_rows(&rows).unwrap();
    let ys: Vec<u32> = rows.iter().map(|[a, b]| u32::from((*a < 20.0) != (*b < 30.0))).collect();
    let settings = GradientBoosting { max_iter: 30, ..GradientBoosting::default() };
    let model = settings.fit(&xs, &ys).unwrap();
    assert_eq!(model.score(&xs, &ys).unwrap(), 1.0);
    let probabilities = model.probabilities(&xs).unwrap();
    assert!(probabilities.iter().all(|row| (row.iter().sum::<f64>() - 1.0).abs() < 1e-12));
    let steps: Vec<f64> = rows.iter().map(|[a, b]| if *a < 20.0 { 1.0 } else { b / 10.0 }).collect();
    let fitted = GradientBoosting::default().fit_numbers(&xs, &steps).unwrap().predict(&xs).unwrap();
    let worst = fitted.iter().zip(&steps).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    // A leaf of 20 samples holds four steps of 0.1, and says their mean.
    assert!(worst < 0.16, "{worst}");
    let blobs = Blobs { samples: 300, centers: 5, ..Blobs::default() }.make().unwrap();
    assert!(settings.fit(&blobs.xs, &blobs.ys).unwrap().score(&blobs.xs, &blobs.ys).unwrap() > 0.95);
    assert!(settings.fit(&xs, &vec![1; 600]).is_err() && settings.fit_numbers(&xs, &[1.0]).is_err());
    assert!(GradientBoosting { learning_rate: 0.0, ..settings }.fit(&xs, &ys).is_err());
}

/// A tree of two leaves, by hand: the split between 2 and 3, leaves of minus the mean slope, a tenth of it each time.
#[test]
fn one_stump_is_what_the_formula_says() {
    let xs = Matrix::from_rows(&[[1.0], [2.0], [3.0], [4.0]]).unwrap();
    let settings =
        GradientBoosting { max_iter: 1, max_leaf_nodes: 2, min_samples_leaf: 1, ..GradientBoosting::default() };
    let fitted = settings.fit_numbers(&xs, &[0.0, 2.0, 10.0, 12.0]).unwrap();
    let near = |got: Vec<f64>, want: [f64; 4]| got.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-12);
    assert!(near(fitted.predict(&xs).unwrap(), [5.5, 5.5, 6.5, 6.5]));
    // Of classes: slopes of ±1/2 with hessians of 1/4 make steps of ±2.
    let model = settings.fit(&xs, &[0, 0, 1, 1]).unwrap();
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let got = model.probabilities(&xs).unwrap().column(1);
    assert!(near(got, [sigmoid(-0.2), sigmoid(-0.2), sigmoid(0.2), sigmoid(0.2)]));
}

/// scikit-learn's histogram boosting reaches .842 and .8716, and the most frequent class .7503.
#[test]
fn adult_is_as_hard_for_our_trees_as_for_scikit_learns() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/adult/adult.csv");
    if !file.is_file() {
        eprintln!("skipped: ../shared/data/adult is not here");
        return;
    }
    let all = TableBlock::csv(file).target("classification").valid_where(|row| row % 5 == 0);
    let nine = all
        .clone()
        .categories(["workclass", "education", "marital-status", "occupation", "relationship", "race"])
        .numbers(["age", "fnlwgt", "education-num"])
        .only_named();
    for (block, reached) in [(nine, 0.842), (all, 0.8716)] {
        let baselines = table_baselines(&block.dataloaders(64).unwrap()).unwrap();
        eprintln!("{baselines:?}");
        assert!((baselines[0].score - 0.7503).abs() < 5e-4, "{baselines:?}");
        let trees = baselines.last().unwrap();
        assert!((trees.score - reached).abs() < 5e-3, "{trees:?}");
    }
}
