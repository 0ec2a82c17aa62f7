//! What `train` and `evaluate` leave about photos of one class each: pictures for people, and for programs and
//! spreadsheets the numbers of `metrics.json` and `predictions.csv`.

use serde_json::{Map, Value, json};
use tallow::Result;
use tallow::cli::Session;
use tallow::interpret::Interpretation;

/// The file with a row for every judged photo.
pub(crate) const PREDICTIONS: &str = "predictions.csv";

/// The report, the confusion matrix and the worst mistakes.
pub(crate) fn report(s: &mut Session, interpretation: &Interpretation) -> Result<()> {
    s.run.say(interpretation.classification_report()?);
    let caption = "How many photos of each class were taken for what.";
    s.run.figure("confusion", caption, &interpretation.plot_confusion_matrix().into())?;
    let rows: Vec<Vec<String>> = interpretation
        .most_confused(1)
        .into_iter()
        .take(10)
        .map(|c| vec![c.actual, c.predicted, c.count.to_string()])
        .collect();
    if !rows.is_empty() {
        s.run.table(&["class", "taken for", "photos"], &rows);
    }
    let caption =
        "The photos with the largest losses: file, class, what it was taken for, how sure the network was, loss.";
    s.run.figure("top_losses", caption, &interpretation.plot_top_losses(12)?.into())?;
    write(s, interpretation)
}

/// Writes every metric, the scores of each class, the confusion matrix and all predictions.
fn write(s: &mut Session, interpretation: &Interpretation) -> Result<()> {
    for (name, value) in interpretation.metrics()? {
        s.run.metric(name, value);
    }
    let report: Map<String, Value> = interpretation
        .class_scores()
        .into_iter()
        .map(|class| {
            let scores = class.scores;
            let row = json!({
                "precision": scores.precision, "recall": scores.recall, "f1": scores.f1, "support": class.support,
            });
            (class.class, row)
        })
        .collect();
    s.run.detail("report", report)?;
    let (classes, rows) = (interpretation.vocab(), interpretation.confusion().rows());
    s.run.detail("confusion", json!({ "classes": classes, "rows_are_actual": rows }))?;
    s.run.file(PREDICTIONS, interpretation.predictions_csv()?)?;
    Ok(())
}
