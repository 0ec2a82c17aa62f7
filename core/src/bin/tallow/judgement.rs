//! What `train` and `evaluate` leave about their predictions, for programs and spreadsheets: the numbers of
//! `metrics.json`, and `predictions.csv`.

use serde_json::{Map, Value, json};
use tallow::Result;
use tallow::cli::Session;
use tallow::interpret::Interpretation;

/// The file with a row for every judged photo.
pub(crate) const PREDICTIONS: &str = "predictions.csv";

/// Writes every metric, the scores of each class, the confusion matrix and all predictions.
pub(crate) fn write(s: &mut Session, interpretation: &Interpretation) -> Result<()> {
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
