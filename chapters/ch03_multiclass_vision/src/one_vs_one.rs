//! One model for each pair of classes.

use crate::one_vs_rest::{CELLS, four, regions};
use crate::points::{TEST_POINTS, X, Y, class_name, line, plane, scatter};
use tallow::Result;
use tallow::classic::{Classifier, Decision, Estimator, LogisticRegression, Matrix, OneVsOne, Samples, TrainTest};
use tallow::cli::Session;
use tallow::plot::{Figure, Plot};

/// The pairs of three classes.
const PAIRS: [(u32, u32); 3] = [(0, 1), (0, 2), (1, 2)];

// --- 6. One vs. one --------------------------------------------------------------------------------------------------

pub(crate) fn one_vs_one(s: &mut Session, points: &TrainTest) -> Result<()> {
    s.section("One vs. one");
    s.text(
        "
        The other trick: a model for each **pair** of classes, trained on the points of these two alone. K classes make
        K (K - 1) / 2 pairs: three here, 499,500 for ImageNet. Each model sees few points, about as many of one class as
        of the other. Asked about a new point, each casts a vote for one of its two classes, and the class with the most
        votes wins; where votes are equal, the sum of the scores decides: squashed to less than a third of a vote, it is
        added to the votes.
        ",
    );
    let Samples { xs, ys } = &points.train;
    let ovo = OneVsOne::new(LogisticRegression::new()).fit(xs, ys)?;
    let models: Vec<_> = ovo.models().into_iter().flatten().collect();
    let rows: Vec<Vec<String>> = PAIRS
        .iter()
        .zip(&models)
        .map(|((a, b), model)| {
            let n = ys.iter().filter(|y| *y == a || *y == b).count();
            let (w, intercept) = (model.coef().row(0), model.intercept()[0]);
            vec![format!("{a} vs. {b}"), n.to_string(), four(w[0]), four(w[1]), four(intercept)]
        })
        .collect();
    s.table(&["pair", "training points", "coef[0]", "coef[1]", "intercept"], &rows);

    let panel = |(i, (a, b)): (usize, &(u32, u32))| {
        let mine: Vec<usize> = (0..ys.len()).filter(|&i| ys[i] == *a || ys[i] == *b).collect();
        let plot = plane(&format!("{a} vs. {b}")).size(340, 300);
        let plot = scatter(plot, &points.train.select(&mine)?, |_| String::new());
        Ok(line(plot, "", models[i]).colored(6))
    };
    let panels: Result<Vec<Plot>> = PAIRS.iter().enumerate().map(panel).collect();
    s.figure("ovo_lines", "Three pairs, three lines, each between two classes.", Figure::grid(&panels?, 3))?;

    // Votes, counted by hand.
    let test = Matrix::from_rows(&TEST_POINTS)?;
    let says: Vec<Vec<u32>> = models.iter().map(|model| model.predict(&test)).collect::<Result<_>>()?;
    let (sums, winners) = (ovo.decision(&test)?, ovo.predict(&test)?);
    let rows: Vec<Vec<String>> = TEST_POINTS
        .iter()
        .enumerate()
        .map(|(i, point)| {
            let mut votes = [0; 3];
            for ((a, b), says) in PAIRS.iter().zip(&says) {
                votes[if says[i] == 1 { *b } else { *a } as usize] += 1;
            }
            let scores: Vec<String> = sums.row(i).iter().map(|score| format!("{score:.2}")).collect();
            let votes = votes.map(|n| n.to_string()).join(" ");
            vec![format!("[{}, {}]", point[0], point[1]), votes, scores.join("  "), class_name(winners[i])]
        })
        .collect();
    s.table(&["point", "votes", "votes plus squashed scores", "wins"], &rows);
    let plot = scatter(plane("").regions(X, Y, CELLS.0, &regions(&ovo)?), &points.train, class_name);
    let plot = models.iter().fold(plot, |plot, model| line(plot, "", model).colored(6));
    s.figure("ovo_regions", "The winners. Here the borders are parts of the pairs' lines.", plot)?;
    let accuracy = ovo.score(&points.test.xs, &points.test.ys)?;
    s.say(format!("accuracy: {accuracy:.3} of the test points"));
    s.metric("ovo_test", accuracy);
    Ok(())
}
