//! `--multi-label`: photos that may show several classes, or none of them.

use crate::judgements::judgements;
use crate::one_class::PREDICTIONS;
use crate::photos::PhotoArgs;
use serde_json::json;
use std::path::{Path, PathBuf};
use tallow::cli::Session;
use tallow::data::LabelledImage;
use tallow::event::Event;
use tallow::interpret::MultiLabelInterpretation;
use tallow::train::{Metric, accuracy_multi, mean_average_precision};
use tallow::vision_learner::Predictor;
use tallow::{Error, Result};

/// The metric by which such a classifier is judged.
pub(crate) const MEASURE: &str = "mean_average_precision";

/// What is measured after each epoch, the measure first.
pub(crate) fn metrics() -> Vec<Metric> {
    vec![mean_average_precision(), accuracy_multi(0.5)]
}

/// All figures over the classes together, by name.
pub(crate) fn measures(judged: &MultiLabelInterpretation) -> [(&'static str, f64); 5] {
    let report = judged.report();
    [
        ("macro_f1", report.macro_f1),
        ("micro_f1", report.micro_f1),
        ("accuracy_multi", report.accuracy),
        ("subset_accuracy", report.subset_accuracy),
        (MEASURE, report.mean_average_precision),
    ]
}

/// The figures of each class, the worst photos, and the table of all.
pub(crate) fn report(s: &mut Session, judged: &MultiLabelInterpretation) -> Result<()> {
    let report = judged.report();
    s.run.say(format!("a class is predicted where its probability is {} or more", judged.threshold()));
    let (heads, rows) = judged.table();
    s.run.table(&heads, &rows);
    for (name, value) in measures(judged) {
        s.run.say(format!("{name} {value:.4}"));
        s.run.metric(name, value);
    }
    let caption = "Average precision: how far the photos of each class come before all others.";
    s.run.figure("average_precision", caption, &judged.plot_average_precision().into())?;
    let caption = "The photos with the largest losses.";
    s.run.figure("top_losses", caption, &judged.plot_top_losses(12)?.into())?;
    let by_class: serde_json::Map<String, serde_json::Value> = judged
        .vocab()
        .iter()
        .zip(&report.classes)
        .map(|(name, class)| {
            let scores = class.scores;
            let row = json!({
                "precision": scores.precision, "recall": scores.recall, "f1": scores.f1, "support": class.support,
                "predicted": class.predicted, "average_precision": class.average_precision,
            });
            (name.clone(), row)
        })
        .collect();
    s.run.detail("report", by_class)?;
    s.run.file(PREDICTIONS, judged.predictions_csv())?;
    Ok(())
}

/// Predicts photos, or reads what was predicted of them, and compares with the classes that they have.
pub(crate) fn evaluate(
    s: &mut Session,
    photos: &PhotoArgs,
    predictor: &Predictor,
    threshold: f64,
    images: Vec<LabelledImage>,
    table: Option<&Path>,
) -> Result<()> {
    let vocab = predictor.vocab();
    let files: Vec<PathBuf> = images.iter().map(|image| image.file.clone()).collect();
    let (mut seen, mut rows, mut actual) = (Vec::new(), Vec::new(), Vec::new());
    let listener = s.run.listener();
    for (image, prediction) in images.iter().zip(judgements(predictor, &files, table)?) {
        let mut has = vec![0u32; vocab.len()];
        for label in &image.labels {
            let place = vocab.iter().position(|name| name == label).ok_or_else(|| {
                let known = vocab.join(", ");
                Error::file(&image.file, format!("has the class `{label}`, which is not one of the model's ({known})"))
            })?;
            has[place] = 1;
        }
        match prediction {
            Ok(prediction) => {
                seen.push(image.file.clone());
                rows.push(prediction.probabilities);
                actual.push(has);
            }
            Err(error) => listener.tell(Event::Note(&format!("left out: {error}"))),
        }
    }
    if seen.is_empty() {
        return Err(Error::file(photos.folder(), "holds no photo that can be read"));
    }
    s.run.section("What it gets right, and what not");
    s.run.say(format!("{} photos, {} classes, of which a photo may show several", seen.len(), vocab.len()));
    let judged = MultiLabelInterpretation::new(&rows, &actual, vocab, threshold, seen)?;
    let left_out = files.len() - judged.n_items();
    s.run.detail("photos", json!({ "evaluated": judged.n_items(), "left_out": left_out }))?;
    report(s, &judged)
}
