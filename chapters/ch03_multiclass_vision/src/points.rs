//! The lecture's points, and how they are drawn.

use tallow::classic::{LogisticModel, Matrix, Samples, TrainTest};
use tallow::cli::Session;
use tallow::plot::Plot;
use tallow::{Error, Result};

/// What the lecture's plots show of the plane.
pub(crate) const X: (f64, f64) = (-10.0, 8.0);
/// The same of the other feature.
pub(crate) const Y: (f64, f64) = (-10.0, 15.0);

/// The lecture's test points.
pub(crate) const TEST_POINTS: [[f64; 2]; 5] = [[-4.0, 12.0], [-2.0, 0.0], [-8.0, 3.0], [4.0, 8.5], [0.0, -7.0]];

/// `make_blobs(centers=3, n_samples=120, random_state=42)` and `train_test_split(test_size=0.2, random_state=123)`: the
/// lecture's own points, since another library's random numbers would give others.
pub(crate) fn three_blobs() -> Result<TrainTest> {
    read("three_blobs.csv", include_str!("../data/three_blobs.csv"))
}

/// `make_blobs(n_samples=1000, centers=20, random_state=300)`, split by `random_state=0` (the lecture gives none).
pub(crate) fn twenty_blobs() -> Result<TrainTest> {
    read("twenty_blobs.csv", include_str!("../data/twenty_blobs.csv"))
}

fn read(name: &str, csv: &str) -> Result<TrainTest> {
    let part = |wanted: &str| -> Result<Samples> {
        let (mut values, mut ys) = (Vec::new(), Vec::new());
        for line in csv.lines().skip(1).filter(|line| line.starts_with(wanted)) {
            let wrong = || Error::Value(format!("{name}: `{line}` is not a part, two numbers and a class"));
            let cells: Vec<&str> = line.split(',').collect();
            let [_, x0, x1, class] = cells[..] else { return Err(wrong()) };
            for x in [x0, x1] {
                values.push(x.parse().map_err(|_| wrong())?);
            }
            ys.push(class.parse().map_err(|_| wrong())?);
        }
        Ok(Samples { xs: Matrix::new(ys.len(), 2, values)?, ys })
    };
    Ok(TrainTest { train: part("train")?, test: part("test")? })
}

/// Dots in the colour of their class.
pub(crate) fn scatter(plot: Plot, samples: &Samples, names: impl Fn(u32) -> String) -> Plot {
    let mut classes = samples.ys.clone();
    classes.sort_unstable();
    classes.dedup();
    classes.into_iter().fold(plot, |plot, class| {
        let (xs, ys) = of_class(samples, class);
        plot.scatter(names(class), &xs, &ys).colored(class as usize)
    })
}

fn of_class(samples: &Samples, class: u32) -> (Vec<f64>, Vec<f64>) {
    let rows = samples.xs.iter().zip(&samples.ys).filter(|(_, y)| **y == class);
    rows.map(|(row, _)| (row[0], row[1])).unzip()
}

/// `Class 0`, as in the lecture's legend.
pub(crate) fn class_name(class: u32) -> String {
    format!("Class {class}")
}

/// A plot of the plane as the lecture shows it.
pub(crate) fn plane(title: &str) -> Plot {
    Plot::new(title).x_label("Feature 0").y_label("Feature 1").x_range(X.0, X.1).y_range(Y.0, Y.1).size(560, 420)
}

/// Where a model of two classes cannot decide: the line on which its score is 0.
pub(crate) fn line(plot: Plot, name: &str, model: &LogisticModel) -> Plot {
    let (w, b) = (model.coef().row(0), model.intercept()[0]);
    let [w0, w1] = [w[0], w[1]];
    if w1.abs() > w0.abs() * 1e-6 {
        return plot.line(name, &[X.0, X.1], &[-(w0 * X.0 + b) / w1, -(w0 * X.1 + b) / w1]);
    }
    plot.line(name, &[-b / w0, -b / w0], &[Y.0, Y.1])
}

// --- 1. Three classes of points --------------------------------------------------------------------------------------

pub(crate) fn three_classes(s: &mut Session, points: &TrainTest) -> Result<()> {
    s.section("Many classes, out of two");
    s.text(
        "
        Decision trees and nearest neighbours take any number of classes as they come. Many **linear** models do not: a
        line has two sides. Two simple tricks turn a question with many answers into questions with two,
        **one-vs.-rest** and **one-vs.-one**. Points in a plane show how they work: two features, three classes, 120
        points. A fifth of them, 24, are put aside as test points.
        ",
    );
    s.data("the lecture's points, embedded");
    let Samples { xs, ys } = &points.train;
    s.say(format!("train: {} x {}, test: {} x {}", xs.rows(), xs.columns(), points.test.xs.rows(), xs.columns()));
    let counts: Vec<String> = (0..3).map(|k| ys.iter().filter(|y| **y == k).count().to_string()).collect();
    s.say(format!("training points of each class: {}", counts.join(", ")));
    s.figure("points", "The training points.", scatter(plane(""), &points.train, class_name))
}
