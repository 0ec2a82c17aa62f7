//! What `tallow table train` reports of a network: its metrics, baselines, and the importance of columns.

use super::columns::ColumnArgs;
use serde_json::json;
use tallow::Result;
use tallow::cli::Session;
use tallow::data::{NA, Table, TableLoader};
use tallow::interpret::{Importance, Interpretation, plot_vectors, table_baselines, table_figure};
use tallow::plot::{Figure, Plot};
use tallow::tabular_learner::TabularLearner;
use tallow::train::{mae, rmse};

/// Judges by the validation rows and, looked at once, the test rows. Gives the measure that the model is known by.
pub(crate) fn judge(s: &mut Session, learner: &TabularLearner, columns: &ColumnArgs) -> Result<(&'static str, f64)> {
    let dls = learner.table_dls();
    s.run.section("What it gets right, and what not");
    let measure = figures(s, learner, &dls.valid, "")?;
    let caption = "Rows of validation with what is predicted of them, and the probability of a class.";
    s.run.figure("results", caption, &table_figure(&learner.show_results(8)?))?;
    let table = Table::read_with(columns.file(), columns.missing())?;
    let rows = table.select(dls.valid.dataset().places());
    let predictor = learner.predictor();
    s.run.file("predictions.csv", predictor.predictions_csv(&rows, &predictor.predict_table(&rows)?))?;
    beside(s, learner, measure)?;
    if let Some(test) = &dls.test {
        s.run.section("The test rows, looked at once");
        figures(s, learner, test, "test_")?;
    }
    Ok(measure)
}

/// Every metric, and of classes the report and the confusion matrix.
fn figures(
    s: &mut Session,
    learner: &TabularLearner,
    loader: &TableLoader,
    prefix: &str,
) -> Result<(&'static str, f64)> {
    let classes = loader.dataset().target().classes();
    let (preds, ys) = learner.preds_of(loader)?;
    if classes.is_empty() {
        let (root, absolute) = (rmse().of(&preds, &ys)?, mae().of(&preds, &ys)?);
        for (name, value) in [("rmse", root), ("mae", absolute)] {
            s.run.say(format!("{name} {value:.4}"));
            s.run.metric(format!("{prefix}{name}"), value);
        }
        return Ok(("rmse", root));
    }
    let judged = Interpretation::new(&preds, &ys, classes)?;
    for (name, value) in judged.metrics()? {
        s.run.metric(format!("{prefix}{name}"), value);
    }
    s.run.say(judged.classification_report()?);
    let caption = "How many rows of each class were taken for what.";
    s.run.figure(&format!("{prefix}confusion"), caption, &judged.plot_confusion_matrix().into())?;
    Ok(("accuracy", judged.confusion().accuracy()))
}

/// The network beside simpler methods, and who wins.
fn beside(s: &mut Session, learner: &TabularLearner, (measure, reached): (&str, f64)) -> Result<()> {
    s.run.section("Beside simpler methods");
    let baselines = table_baselines(learner.table_dls())?;
    let mut rows: Vec<Vec<String>> = vec![vec!["this network".into(), format!("{reached:.4}")]];
    rows.extend(baselines.iter().map(|b| vec![b.name.to_string(), format!("{:.4}", b.score)]));
    s.run.table(&["method", measure], &rows);
    let detail: Vec<_> = baselines.iter().map(|b| json!({ "name": b.name, measure: b.score })).collect();
    s.run.detail("baselines", detail)?;
    let is_better = |a: f64, b: f64| if measure == "accuracy" { a > b } else { a < b };
    let best = baselines.iter().fold(&baselines[0], |best, b| if is_better(b.score, best.score) { b } else { best });
    s.run.say(match is_better(best.score, reached) {
        true => format!("{} is better by {:.4}: on this table it wins", best.name, (best.score - reached).abs()),
        false => format!("the network is better than {} by {:.4}", best.name, (best.score - reached).abs()),
    });
    s.run.text(
        "All methods were trained on the same rows and validated on the same others. Gradient boosting grows 100 small \
         trees, with scikit-learn's defaults; it is the method to beat on tables. A difference of a few rows in a \
         thousand may be chance.",
    );
    Ok(())
}

/// What columns are worth, and where classes lie.
pub(crate) fn explain(s: &mut Session, learner: &TabularLearner, repeats: usize) -> Result<()> {
    s.run.section("What it goes by");
    let importance = Importance::of(learner, repeats, s.seed)?;
    let rows = importance.columns.iter();
    let rows: Vec<Vec<String>> =
        rows.map(|c| vec![c.column.clone(), format!("{:.4}", c.worth), format!("{:.4}", c.deviation)]).collect();
    let lost = if importance.measure == "accuracy" { "accuracy lost" } else { "rmse added" };
    s.run.table(&["column", lost, "deviation"], &rows);
    let caption = "How much worse the validation rows are predicted when one column is shuffled among them. Of columns \
                   that say the same, each seems to be worth little.";
    s.run.figure("importance", caption, &importance.plot().into())?;
    let worth: Vec<_> = importance
        .columns
        .iter()
        .map(|c| json!({ "column": c.column, "worth": c.worth, "deviation": c.deviation }))
        .collect();
    s.run.detail("importance", json!({ "measure": importance.measure, "columns": worth }))?;

    let places = importance.columns.iter().filter_map(|c| learner.vectors(&c.column).ok());
    // Of two classes there is nothing to see.
    let shown = places.filter(|vectors| vectors.classes.len() > 3 && vectors.classes[0] == NA).take(4);
    let plots = shown.map(|vectors| plot_vectors(&vectors)).collect::<Result<Vec<Plot>>>()?;
    if !plots.is_empty() {
        let caption = "Where the network has put the classes of its most important columns: near each other what means \
                       the same to it. The plane is the one in which they differ most.";
        s.run.figure("vectors", caption, &Figure::grid(&plots, 2))?;
    }
    Ok(())
}
