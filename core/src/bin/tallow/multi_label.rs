//! `--multi-label`: photos that may show several classes, or none of them.

use crate::photos::PhotoArgs;
use std::path::PathBuf;
use tallow::cli::Session;
use tallow::data::{ImageDataLoaders, LabelledImage};
use tallow::event::Event;
use tallow::interpret::MultiLabelInterpretation;
use tallow::train::{Metric, accuracy_multi, mean_average_precision};
use tallow::vision_learner::Predictor;
use tallow::{Error, Result};

/// The metric by which such a classifier is judged.
pub(crate) const MEASURE: &str = "mean_average_precision";

/// What is measured after each epoch, the measure first.
pub(crate) fn metrics(threshold: f64) -> Vec<Metric> {
    vec![mean_average_precision(), accuracy_multi(threshold)]
}

/// The figures of each class, the worst photos, and `predictions.csv`; a prefix tells the test set's figures from
/// others.
pub(crate) fn report(s: &mut Session, judged: &MultiLabelInterpretation, prefix: &str) -> Result<()> {
    let report = judged.report().clone();
    let (heads, rows) = judged.table();
    s.run.table(&heads, &rows);
    let figures = [
        (MEASURE, report.mean_average_precision),
        ("macro_f1", report.macro_f1),
        ("micro_f1", report.micro_f1),
        ("accuracy_multi", report.accuracy),
        ("subset_accuracy", report.subset_accuracy),
    ];
    for (name, value) in figures {
        s.run.say(format!("{name} {value:.4}"));
        s.run.metric(format!("{prefix}{name}"), value);
    }
    let caption = "How well the photos of each class come before all others.";
    s.run.figure(&format!("{prefix}average_precision"), caption, &judged.plot_average_precision().into())?;
    let caption = "The photos with the largest losses.";
    s.run.figure(&format!("{prefix}top_losses"), caption, &judged.plot_top_losses(12)?.into())
}

/// Predicts photos and compares with the classes that they have.
pub(crate) fn evaluate(
    s: &mut Session,
    photos: &PhotoArgs,
    predictor: &Predictor,
    threshold: f64,
    images: Vec<LabelledImage>,
) -> Result<()> {
    let vocab = predictor.vocab();
    let files: Vec<PathBuf> = images.iter().map(|image| image.file.clone()).collect();
    let (mut seen, mut rows, mut actual) = (Vec::new(), Vec::new(), Vec::new());
    let listener = s.run.listener();
    for (image, prediction) in images.iter().zip(predictor.predict(&files)?) {
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
    s.run.say(format!("{} photos, {} classes, of which a photo may show several", seen.len(), vocab.len()));
    let judged = MultiLabelInterpretation::new(&rows, &actual, vocab, threshold, seen)?;
    report(s, &judged, "")?;
    s.run.file("predictions.csv", judged.predictions_csv())?;
    Ok(())
}

/// An error if no photo shows a class that another one does not: then there is nothing to learn.
pub(crate) fn check_classes(photos: &PhotoArgs, dls: &ImageDataLoaders) -> Result<()> {
    if dls.n_classes() == 0 {
        return Err(Error::file(photos.folder(), "has no photo with a class to train with"));
    }
    Ok(())
}
