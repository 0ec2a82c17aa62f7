//! One model for each class, against all others; and the model that needs no trick.

use crate::points::{TEST_POINTS, X, Y, class_name, line, plane, scatter};
use tallow::classic::{
    Classifier, Decision, Estimator, Grid, LogisticModel, LogisticRegression, Matrix, OneVsRest, OneVsRestModel,
    Probabilities, TrainTest,
};
use tallow::cli::Session;
use tallow::plot::{Figure, Plot};
use tallow::{Error, Result};

/// Cells of the pictures of the plane.
pub(crate) const CELLS: (usize, usize) = (180, 150);

// --- 2. One vs. rest -------------------------------------------------------------------------------------------------

pub(crate) fn one_vs_rest(s: &mut Session, points: &TrainTest) -> Result<OneVsRestModel<LogisticModel>> {
    s.section("One vs. rest");
    s.text(
        "
        Train a model for each class that tells it from **all others**: 0 or not, 1 or not, 2 or not. With K classes
        that makes K models, each trained on all points, so that a few points of its own class face many of the others.
        Logistic regression gives each of them a coefficient per feature and an intercept.
        ",
    );
    let ovr = OneVsRest::new(LogisticRegression::new()).fit(&points.train.xs, &points.train.ys)?;
    let models = binary_models(&ovr)?;
    let rows: Vec<Vec<String>> = models
        .iter()
        .enumerate()
        .map(|(k, model)| {
            let w = model.coef().row(0);
            vec![class_name(k as u32), four(w[0]), four(w[1]), four(model.intercept()[0])]
        })
        .collect();
    s.table(&["against the rest", "coef[0]", "coef[1]", "intercept"], &rows);

    let shape = [models.len() as f64, points.train.xs.columns() as f64];
    s.check("coefficient shape", shape)?;
    s.check("intercept shape", &shape[..1])?;
    let coef: Vec<f64> = models.iter().flat_map(|model| model.coef().row(0).to_vec()).collect();
    let intercept: Vec<f64> = models.iter().map(|model| model.intercept()[0]).collect();
    s.check("lr.coef_", &coef)?;
    s.check("lr.intercept_", &intercept)?;

    let plot = lines(scatter(plane("").x_range(X.0, X.1), &points.train, class_name), &models);
    let caption = "Three models, three lines: each is where its model is undecided. Colours are those of the classes.";
    s.figure("ovr_lines", caption, plot)?;
    Ok(ovr)
}

fn binary_models(ovr: &OneVsRestModel<LogisticModel>) -> Result<Vec<&LogisticModel>> {
    let models: Option<Vec<&LogisticModel>> = ovr.models().into_iter().collect();
    models.ok_or_else(|| Error::Value("a class of the points does not occur among them".into()))
}

fn lines(plot: Plot, models: &[&LogisticModel]) -> Plot {
    models.iter().enumerate().fold(plot, |plot, (k, model)| line(plot, "", model).colored(k))
}

pub(crate) fn four(value: f64) -> String {
    format!("{value:.4}")
}

// --- 3. Which line wins? ---------------------------------------------------------------------------------------------

pub(crate) fn which_line_wins(s: &mut Session, points: &TrainTest, ovr: &OneVsRestModel<LogisticModel>) -> Result<()> {
    s.section("Which class wins?");
    s.text(
        "
        Some places lie on the right side of one line, some of two, some of none. How would you classify the five ringed
        points? The answer: by the **highest raw score**, even if it is negative.
        ",
    );
    let models = binary_models(ovr)?;
    let test = Matrix::from_rows(&TEST_POINTS)?;
    let (scores, winners) = (ovr.decision(&test)?, ovr.predict(&test)?);
    let rows: Vec<Vec<String>> = TEST_POINTS
        .iter()
        .zip(scores.iter())
        .zip(&winners)
        .map(|((point, scores), winner)| {
            let mut row = vec![format!("[{}, {}]", point[0], point[1])];
            row.extend(scores.iter().map(|&score| four(score)));
            row.push(class_name(*winner));
            row
        })
        .collect();
    s.table(&["point", "score of 0", "score of 1", "score of 2", "wins"], &rows);

    let undecided = lines(scatter(plane("").x_range(X.0, X.1), &points.train, class_name), &models);
    s.figure("test_points", "Which class is theirs?", ringed(undecided, None))?;

    let regions = regions(ovr)?;
    let plot = lines(scatter(plane("").regions(X, Y, CELLS.0, &regions), &points.train, class_name), &models);
    let caption = "The winner of each place. The borders of the regions are none of the three lines: they lie where \
                   two scores are equal.";
    s.figure("ovr_regions", caption, ringed(plot, Some(&winners)))?;
    s.metric("ovr_train", ovr.score(&points.train.xs, &points.train.ys)?);
    s.metric("ovr_test", ovr.score(&points.test.xs, &points.test.ys)?);
    let (train, test) = (&points.train, &points.test);
    let (a, b) = (ovr.score(&train.xs, &train.ys)?, ovr.score(&test.xs, &test.ys)?);
    s.say(format!("accuracy: {a:.3} of the training points, {b:.3} of the test points"));
    Ok(())
}

/// The lecture's test points, grey, or in the colour of their class.
fn ringed(plot: Plot, classes: Option<&[u32]>) -> Plot {
    TEST_POINTS.iter().enumerate().fold(plot, |plot, (i, &[x, y])| {
        let color = classes.map_or(6, |classes| classes[i] as usize);
        plot.ringed("", &[x], &[y]).colored(color)
    })
}

/// What a model says of each cell of the plane.
pub(crate) fn regions(model: &impl Classifier) -> Result<Vec<u32>> {
    Grid::new(X, Y, CELLS.0, CELLS.1)?.predict(model)
}

// --- 4. A point by hand ----------------------------------------------------------------------------------------------

pub(crate) fn a_point_by_hand(s: &mut Session, ovr: &OneVsRestModel<LogisticModel>) -> Result<()> {
    s.section("The scores of a point, by hand");
    let point = TEST_POINTS[4];
    s.text(
        "
        The **raw score** of a class is a weighted sum: each feature times its coefficient, and the intercept.
        `test_points[4] @ coef.T + intercept` in NumPy; two lines by hand.
        ",
    );
    let score = |model: &&LogisticModel| {
        let w = model.coef().row(0);
        point[0] * w[0] + point[1] * w[1] + model.intercept()[0]
    };
    let scores: Vec<f64> = binary_models(ovr)?.iter().map(score).collect();
    let shown: Vec<String> = scores.iter().map(|&score| four(score)).collect();
    s.say(format!("test_points[4] = [{}, {}]: raw scores {}", point[0], point[1], shown.join("  ")));
    s.check("raw scores of [0, -7]", &scores)?;
    s.check("raw scores, all digits", &scores)?;

    // The sigmoid makes each score the probability of "this class, not the rest"; together they should sum to 1.
    let alone: Vec<f64> = scores.iter().map(|score| 1.0 / (1.0 + (-score).exp())).collect();
    let sum: f64 = alone.iter().sum();
    let probabilities: Vec<f64> = alone.iter().map(|p| p / sum).collect();
    s.say(format!("each model's own probability: {:.4}  {:.4}  {:.4}, sum {sum:.4}", alone[0], alone[1], alone[2]));
    let [p0, p1, p2] = [probabilities[0], probabilities[1], probabilities[2]];
    s.say(format!("divided by their sum:         {p0:.2e}  {p1:.4}  {p2:.4}"));
    s.check("predict_proba of [0, -7]", &probabilities)?;
    s.check("predict_proba, all digits", &probabilities)?;

    let library = ovr.probabilities(&Matrix::from_rows(&[point])?)?;
    let largest = probabilities.iter().zip(library.row(0)).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    s.say(format!("`probabilities` of the library differs by at most {largest:.0e}"));
    Ok(())
}

// --- 5. Probabilities ------------------------------------------------------------------------------------------------

pub(crate) fn probabilities(s: &mut Session, points: &TrainTest, ovr: &OneVsRestModel<LogisticModel>) -> Result<()> {
    s.section("Probabilities as maps");
    s.text(
        "
        The same computed for every point of the plane, one map per class: white where the class is out of the question,
        its colour where it is certain. Between classes 1 and 2 the maps fade into each other; a point there is a guess,
        and the probabilities say so.
        ",
    );
    let maps = Grid::new(X, Y, CELLS.0, CELLS.1)?.probabilities(ovr)?;
    let panel = |class: usize| {
        let plot = Plot::new(class_name(class as u32)).shades(X, Y, CELLS.0, class, &maps.column(class));
        scatter(plot, &points.train, |_| String::new()).size(340, 300)
    };
    let panels: Vec<Plot> = (0..3).map(panel).collect();
    s.figure("ovr_probabilities", "The probability of each class.", Figure::grid(&panels, 3))
}

// --- 8. Multinomial --------------------------------------------------------------------------------------------------

pub(crate) fn multinomial(s: &mut Session, points: &TrainTest) -> Result<()> {
    s.section("Without a trick: the multinomial model");
    s.text(
        "
        Logistic regression has a form of its own for many classes, **multinomial**, also called the maxent classifier.
        It too has a line for each class, but learns them together: the scores go through a softmax, and one loss
        measures all. No class has to be separated from *all the others at once* by its line, as one-vs.-rest asks of
        each model.
        ",
    );
    let train = &points.train;
    let multinomial = LogisticRegression::new().fit(&train.xs, &train.ys)?;
    let rows: Vec<Vec<String>> = (0..3)
        .map(|k| {
            let w = multinomial.coef().row(k);
            vec![class_name(k as u32), four(w[0]), four(w[1]), four(multinomial.intercept()[k])]
        })
        .collect();
    s.table(&["class", "coef[0]", "coef[1]", "intercept"], &rows);
    let proba = multinomial.probabilities(&Matrix::from_rows(&TEST_POINTS[4..])?)?;
    let shown: Vec<String> = proba.row(0).iter().map(|p| format!("{p:.4}")).collect();
    s.say(format!("the point [0, -7] again: {}", shown.join("  ")));
    let ovr = OneVsRest::new(LogisticRegression::new()).fit(&train.xs, &train.ys)?;
    let panel = |title: &str, classes: &[u32]| {
        let plot = Plot::new(title).regions(X, Y, CELLS.0, classes);
        scatter(plot, train, |_| String::new()).size(420, 340)
    };
    let panels = [panel("one-vs.-rest", &regions(&ovr)?), panel("multinomial", &regions(&multinomial)?)];
    let differ = regions(&ovr)?.iter().zip(regions(&multinomial)?).filter(|(a, b)| **a != *b).count();
    let part = 100.0 * differ as f64 / (CELLS.0 * CELLS.1) as f64;
    s.say(format!("the two disagree on {part:.1} % of the plane shown"));
    s.figure("multinomial", "Regions of the two models.", Figure::grid(&panels, 2))
}
