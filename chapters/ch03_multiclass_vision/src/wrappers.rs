//! Both tricks as wrappers around any model of two classes, and what they cost.

use crate::points::{scatter, twenty_blobs};
use std::time::Instant;
use tallow::Result;
use tallow::classic::{Classifier, Estimator, LinearSvm, LogisticRegression, OneVsOne, OneVsRest, TrainTest};
use tallow::cli::Session;
use tallow::plot::{Bars, Figure, Plot};

/// What became of one model.
struct Fitted {
    name: &'static str,
    models: usize,
    milliseconds: f64,
    train: f64,
    test: f64,
}

// --- 7. The wrappers -------------------------------------------------------------------------------------------------

pub(crate) fn wrappers(s: &mut Session) -> Result<()> {
    s.section("Both as wrappers");
    s.text(
        "
        Neither trick cares what the models are, so both can be wrapped around **any** binary classifier:
        `OneVsRest::new(...)`, `OneVsOne::new(...)`. You will seldom need them, until the day on which you write a
        binary classifier of your own. What do they cost? 1,000 points of 20 classes: 20 models on all training points,
        or 190 models on a tenth of them each. Here the wrappers go around logistic regression and around a linear
        support vector machine.
        ",
    );
    let points = twenty_blobs()?;
    let plot = Plot::new("").x_label("Feature 0").y_label("Feature 1").size(560, 420);
    let plot = scatter(plot, &points.train, |_| String::new());
    s.figure("twenty_classes", "Twenty classes, some on top of others.", plot)?;

    let repeats = if s.quick { 1 } else { 7 };
    let ovo = fit("one-vs.-one", 190, &OneVsOne::new(LogisticRegression::new()), &points, repeats)?;
    let ovr = fit("one-vs.-rest", 20, &OneVsRest::new(LogisticRegression::new()), &points, repeats)?;
    let multinomial = fit("multinomial", 1, &LogisticRegression::new(), &points, repeats)?;
    let svm_ovo = fit("one-vs.-one, linear SVM", 190, &OneVsOne::new(LinearSvm::new()), &points, 1)?;
    let svm_ovr = fit("one-vs.-rest, linear SVM", 20, &OneVsRest::new(LinearSvm::new()), &points, 1)?;

    let all = [&ovo, &ovr, &multinomial, &svm_ovo, &svm_ovr];
    let row = |f: &&Fitted| {
        let Fitted { name, models, milliseconds, train, test } = f;
        let (train, test) = (format!("{train:.3}"), format!("{test:.3}"));
        vec![name.to_string(), models.to_string(), format!("{milliseconds:.1}"), train, test]
    };
    s.table(&["model", "models", "ms per fit", "train", "test"], &all.iter().map(row).collect::<Vec<_>>());
    let names: Vec<&str> = all.iter().map(|f| f.name).collect();
    let bars = |title: &str, values: Vec<f64>| Bars::new(title, &names, &values).horizontal().size(440, 240);
    let panels = [
        bars("milliseconds per fit", all.iter().map(|f| f.milliseconds).collect()),
        bars("accuracy on test points", all.iter().map(|f| f.test).collect()),
    ];
    s.figure("wrappers", "What the wrappers cost, and what they bring.", Figure::grid(&panels, 2))?;

    s.check("OneVsOne train", ovo.train)?;
    s.check("OneVsOne test", ovo.test)?;
    s.check("OneVsRest train", ovr.train)?;
    s.check("OneVsRest test", ovr.test)?;
    s.check("OneVsOne, ms per fit", ovo.milliseconds)?;
    s.check("OneVsRest, ms per fit", ovr.milliseconds)?;
    s.say(format!("as expected, one-vs.-one takes longer: {:.1} times", ovo.milliseconds / ovr.milliseconds));
    Ok(())
}

/// The median time of some fits, as `%timeit` takes it, and the accuracy.
fn fit<E: Estimator>(
    name: &'static str,
    models: usize,
    estimator: &E,
    points: &TrainTest,
    repeats: usize,
) -> Result<Fitted> {
    let TrainTest { train, test } = points;
    let model = estimator.fit(&train.xs, &train.ys)?;
    let mut times = Vec::new();
    for _ in 0..repeats {
        let start = Instant::now();
        estimator.fit(&train.xs, &train.ys)?;
        times.push(1000.0 * start.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    let (train, test) = (model.score(&train.xs, &train.ys)?, model.score(&test.xs, &test.ys)?);
    Ok(Fitted { name, models, milliseconds: times[times.len() / 2], train, test })
}
