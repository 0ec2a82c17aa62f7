//! How much the probabilities of a network can be believed, and what it does not know.

use serde_json::json;
use tallow::Result;
use tallow::cli::Session;
use tallow::interpret::Interpretation;
use tallow::vision_learner::{Predictor, VisionLearner};

/// Calibrates the probabilities on the validation set, where that makes them better, and says what it brings.
pub(crate) fn calibrate(s: &mut Session, learner: &mut VisionLearner, judged: &Interpretation) -> Result<()> {
    s.run.section("How much its probabilities can be believed");
    let n = judged.actual().len();
    if n < 4 {
        s.run.say(format!("{n} validation photos are too few to tell: the probabilities stay as they are"));
        return Ok(());
    }
    let calibration = judged.calibration()?;
    let temperature = if calibration.helps() { calibration.temperature } else { 1.0 };
    s.run.text(
        "Of the photos of which the network is 80 per cent sure, 80 in 100 should be right. A temperature, by which \
         its scores are divided, sets that right without changing a class. The errors after it are those of unseen \
         photos: the temperature for each half of the validation photos is fitted on the other half. The tables and \
         files above show what the network says by itself.",
    );
    let errors = |name: &str, before: f64, after: f64| vec![name.into(), format!("{before:.4}"), format!("{after:.4}")];
    s.run.table(
        &["", "before", "after"],
        &[
            errors("expected calibration error", calibration.ece_before, calibration.ece_after),
            errors("log loss", calibration.log_loss_before, calibration.log_loss_after),
        ],
    );
    s.run.say(match (calibration.is_informed(), calibration.helps()) {
        (false, _) => format!(
            "{} mistakes among {n} validation photos are too few to learn from: the probabilities stay as they are",
            calibration.n_mistakes
        ),
        (true, false) => "that would make the probabilities of unseen photos no better: they stay as they are".into(),
        (true, true) => format!("the model divides its scores by {temperature:.3}"),
    });
    s.run.detail(
        "calibration",
        json!({
            "temperature": temperature, "is_applied": calibration.helps(),
            "photos": n, "mistakes": calibration.n_mistakes,
            "ece_before": calibration.ece_before, "ece_after": calibration.ece_after,
            "log_loss_before": calibration.log_loss_before, "log_loss_after": calibration.log_loss_after,
        }),
    )?;
    let caption = "Predictions by how sure they are: on the diagonal probabilities are right, below it too high.";
    s.run.figure("reliability", caption, &judged.plot_reliability(&calibration)?.into())?;
    if calibration.helps() {
        learner.set_temperature(temperature)?;
    }
    Ok(())
}

/// Says how good the probabilities of a model are on these photos, and what they were before calibration.
pub(crate) fn report_calibration(s: &mut Session, predictor: &Predictor, judged: &Interpretation) -> Result<()> {
    let error = judged.expected_calibration_error()?;
    s.run.metric("expected_calibration_error", error);
    match predictor.temperature() {
        None => s.run.say(format!("expected calibration error {error:.4} (the model is not calibrated)")),
        Some(temperature) => {
            let before = judged.at_temperature(1.0 / temperature)?.expected_calibration_error()?;
            s.run.metric("expected_calibration_error_uncalibrated", before);
            s.run.say(format!("expected calibration error {error:.4}, without the model's calibration {before:.4}"));
        }
    }
    Ok(())
}
