//! Splits, folds, blobs, grids, matrices.

use super::{blobs, labels, matrix, near, numbers};
use tallow::classic::*;

#[test]
fn a_split_is_a_partition_that_the_seed_fixes() {
    let ys: Vec<u32> = (0..101).map(|i| i % 3).collect();
    let split = TrainTestSplit { test: 0.2, ..TrainTestSplit::default() };
    let (train, test) = split.indices(&ys).unwrap();
    // train_test_split(range(101), test_size=.2) has 80 and 21
    assert_eq!((train.len(), test.len()), (80, 21));
    let mut all = [train.clone(), test].concat();
    all.sort_unstable();
    assert_eq!(all, (0..101).collect::<Vec<_>>());
    assert_eq!(split.indices(&ys).unwrap().0, train);
    assert_ne!(TrainTestSplit { seed: 43, ..split.clone() }.indices(&ys).unwrap().0, train);
    let xs = Matrix::new(101, 1, (0..101).map(f64::from).collect()).unwrap();
    let parts = split.split(&xs, &ys).unwrap();
    assert!(parts.train.ys.iter().zip(parts.train.xs.values()).all(|(y, x)| *y == *x as u32 % 3));
}

#[test]
fn a_stratified_split_keeps_the_proportions() {
    // 60, 30 and 10 samples of three classes; a quarter of them is 15, 7.5 and 2.5.
    let ys: Vec<u32> = (0..100)
        .map(|i| {
            if i < 60 {
                0
            } else if i < 90 {
                4
            } else {
                9
            }
        })
        .collect();
    let split = TrainTestSplit { stratified: true, ..TrainTestSplit::default() };
    let (train, test) = split.indices(&ys).unwrap();
    let count = |part: &[usize], class: u32| part.iter().filter(|i| ys[**i] == class).count();
    assert_eq!([0, 4, 9].map(|class| count(&test, class)), [15, 8, 2]);
    assert_eq!([0, 4, 9].map(|class| count(&train, class)), [45, 22, 8]);
    let mut all = [train, test].concat();
    all.sort_unstable();
    assert_eq!(all, (0..100).collect::<Vec<_>>());
}

#[test]
fn folds_and_their_scores_are_scikit_learns() {
    assert_eq!(
        stratified_folds(&labels("more/folds7/y"), 6).unwrap(),
        numbers("more/folds7/folds").iter().map(|f| *f as usize).collect::<Vec<_>>()
    );
    for name in ["iris", "wine"] {
        let (xs, ys) = (matrix(&format!("{name}/X")), labels(&format!("{name}/y")));
        let folds: Vec<f64> = stratified_folds(&ys, 5).unwrap().into_iter().map(|fold| fold as f64).collect();
        assert_eq!(folds, numbers(&format!("{name}/folds")));
        let pipeline = Pipeline::new(StandardScaler, LogisticRegression::new());
        let scores = cross_val_score(&pipeline, &xs, &ys, 5).unwrap();
        near(name, &scores, &numbers(&format!("{name}/cross_val")), 1e-15);
    }
}

#[test]
fn blobs_lie_around_their_centres() {
    let all = Blobs { samples: 3000, centers: 3, features: 2, std: 0.5, seed: 1 }.make().unwrap();
    assert_eq!(all, Blobs { samples: 3000, centers: 3, features: 2, std: 0.5, seed: 1 }.make().unwrap());
    for class in 0..3 {
        let members: Vec<usize> = (0..3000).filter(|&i| all.ys[i] == class).collect();
        assert_eq!(members.len(), 1000);
        let points = all.select(&members).unwrap();
        for feature in 0..2 {
            let column = points.xs.column(feature);
            let mean = column.iter().sum::<f64>() / 1000.0;
            let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 1000.0;
            // Five standard errors: std / sqrt(n) of the mean, std² · sqrt(2 / n) of the variance.
            assert!(mean.abs() < 10.0 + 5.0 * 0.5 / 1000.0_f64.sqrt());
            assert!((variance - 0.25).abs() < 5.0 * 0.25 * (2.0 / 1000.0_f64).sqrt());
        }
    }
    assert_ne!(all.ys[..6], [0, 1, 2, 0, 1, 2], "in random order");
}

#[test]
fn a_grid_sees_what_the_model_says_of_its_points() {
    let train = blobs("blobs3").train;
    let model = OneVsRest::new(LogisticRegression::new()).fit(&train.xs, &train.ys).unwrap();
    let grid = Grid::new((-10.0, 8.0), (-10.0, 15.0), 9, 5).unwrap();
    let points = grid.points();
    assert_eq!((points.rows(), grid.columns(), grid.rows()), (45, 9, 5));
    assert_eq!((points.row(0), points.row(44)), (&[-9.0, 12.5][..], &[7.0, -7.5][..]));
    assert_eq!(points.row(9), [-9.0, 7.5], "the second row is below the first");
    assert_eq!(grid.predict(&model).unwrap(), model.predict(&points).unwrap());
    assert_eq!(grid.probabilities(&model).unwrap(), model.probabilities(&points).unwrap());
    assert_eq!(grid.decision(&model).unwrap(), model.decision(&points).unwrap());
}

#[test]
fn a_matrix_is_its_rows() {
    let xs = Matrix::from_f32(2, &[0.5, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
    assert_eq!((xs.rows(), xs.columns()), (3, 2));
    assert_eq!(xs.to_f32(), [0.5, 1.0, 2.0, 3.0, 4.0, 5.0]);
    assert_eq!(xs.iter().map(|row| row[1]).collect::<Vec<_>>(), [1.0, 3.0, 5.0]);
    assert_eq!((xs.row(2), xs.column(0)), (&[4.0, 5.0][..], vec![0.5, 2.0, 4.0]));
    assert_eq!(xs.select(&[2, 0, 2]).unwrap().values(), [4.0, 5.0, 0.5, 1.0, 4.0, 5.0]);
    assert!(xs.row(3).is_empty() && xs.column(2).is_empty());
}
