//! What one way of training led to, and how it is reported.

use std::time::Instant;
use tallow::Result;
use tallow::cli::Session;
use tallow::plot::ImageGrid;
use tallow::train::{EpochRow, Learner};
use tallow::vision_learner::VisionLearner;

/// What one way led to.
pub(crate) struct Outcome {
    pub(crate) name: &'static str,
    pub(crate) learner: VisionLearner,
    pub(crate) trained: usize,
    pub(crate) rows: Vec<EpochRow>,
    pub(crate) best: f64,
    /// From the first batch to the last, features included.
    pub(crate) seconds: f64,
}

/// The best epoch, and all of them into the report.
pub(crate) fn finish(
    s: &mut Session,
    name: &'static str,
    learner: VisionLearner,
    trained: usize,
    head: Option<&Learner>,
    start: Instant,
) -> Result<Outcome> {
    let seconds = start.elapsed().as_secs_f64();
    let recorder = head.map_or(learner.recorder(), Learner::recorder);
    let rows = recorder.rows.clone();
    let best = rows.iter().map(|row| row.metrics[0]).fold(0.0, f64::max);
    s.say(format!("{name}: complete in {seconds:.0} s, best val Acc {best:.4}, {trained} parameters trained"));
    s.history(name, recorder)?;
    s.metric(format!("{}_accuracy", name.replace(' ', "_")), best);
    s.metric(format!("{}_seconds", name.replace(' ', "_")), seconds);
    Ok(Outcome { name, learner, trained, rows, best, seconds })
}

/// The source's `visualize_model`: six validation photos, with what the network predicts.
pub(crate) fn predictions(s: &mut Session, outcome: &Outcome) -> Result<()> {
    let dls = outcome.learner.image_dls();
    // Files that cannot be read were left out in validation.
    let files: Vec<_> = dls.valid.kept_files().into_iter().take(6).collect();
    let mut grid = ImageGrid::new("", 3);
    let predictions = outcome.learner.predictor().predict(&files)?;
    for (shown, prediction) in dls.valid.captioned(6)?.into_iter().zip(predictions) {
        let prediction = prediction?;
        grid = grid
            .rgb(shown.image.width(), shown.image.height(), shown.image.bytes())
            .caption(format!("predicted: {}", prediction.class))
            .correct(prediction.class == shown.caption);
    }
    s.figure("predictions", "Images that the network did not train on, and what it says.", grid)
}
