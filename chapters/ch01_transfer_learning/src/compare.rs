//! What came of it: the ways side by side, and the model in use.

use crate::outcome::Outcome;
use tallow::Result;
use tallow::cli::Session;
use tallow::interpret::Interpretation;
use tallow::plot::{Bars, Figure, Plot};
use tallow::vision_learner::load_learner_on;

// --- 8. The ways compared --------------------------------------------------------------------------------------------

pub(crate) fn the_ways_compared(s: &mut Session, results: &[Outcome]) -> Result<()> {
    s.section("The ways compared");
    s.text(
        "
        The source leaves the comparison to its reader. Which way is best depends on how many photos there are and how
        much they resemble those that the network knows: the fewer and the more alike, the less should train.
        ",
    );
    let row = |outcome: &Outcome| {
        let epochs = outcome.rows.len();
        let best = format!("{:.4}", outcome.best);
        let per_epoch = outcome.rows.iter().map(|row| row.seconds).sum::<f64>() / epochs as f64;
        let (trained, total) = (outcome.trained.to_string(), format!("{:.1}", outcome.seconds));
        vec![outcome.name.to_string(), best, trained, epochs.to_string(), format!("{per_epoch:.2}"), total]
    };
    let heads = ["what trains", "best val Acc", "parameters", "epochs", "seconds per epoch", "seconds in all"];
    s.table(&heads, &results.iter().map(row).collect::<Vec<_>>());
    let names: Vec<&str> = results.iter().map(|outcome| outcome.name).collect();
    let bars = |title: &str, values: Vec<f64>| Bars::new(title, &names, &values).horizontal().size(400, 220);
    let panels = [
        bars("best valid accuracy", results.iter().map(|outcome| outcome.best).collect()),
        bars("seconds in all", results.iter().map(|outcome| outcome.seconds).collect()),
    ];
    let caption = "Accuracy and time of each way; the last layer's time includes that of the features.";
    s.figure("ways", caption, Figure::grid(&panels, 2))?;
    let mut plot = Plot::new("Validation accuracy").x_label("epoch").y_label("accuracy");
    for outcome in results {
        let epochs: Vec<f64> = outcome.rows.iter().map(|row| row.epoch as f64).collect();
        let accuracies: Vec<f64> = outcome.rows.iter().map(|row| row.metrics[0]).collect();
        plot = if epochs.len() == 1 {
            plot.scatter(outcome.name, &epochs, &accuracies)
        } else {
            plot.line(outcome.name, &epochs, &accuracies)
        };
    }
    let plot = plot.hline(0.8889, "the source");
    s.figure("accuracy", "Accuracy after each epoch of each way.", plot)
}

// --- 9. Using it -----------------------------------------------------------------------------------------------------

pub(crate) fn using_it(s: &mut Session, results: &[Outcome]) -> Result<()> {
    s.section("Using it");
    let best = results.iter().reduce(|best, other| if other.best > best.best { other } else { best });
    let Some(Outcome { learner, name, best, .. }) = best else { return Ok(()) };
    s.text(format!(
        "The best of them, `{name}`, is written to a folder: the weights, and a page of JSON with the architecture, \
         the classes and the transforms. Another program reads it and predicts."
    ));
    let folder = s.run.folder().join("model");
    // Claimed before they are there, so that the next run does not keep the model of this one.
    for file in ["model/model.safetensors", "model/learner.json"] {
        s.run.claim(file)?;
    }
    learner.export_with(&folder, [("accuracy".to_string(), *best)].into())?;
    let valid = &learner.image_dls().valid;
    let kept = valid.kept_files();
    let Some(file) = kept.first() else { return Ok(()) };
    let prediction = load_learner_on(&folder, &s.device)?.predict_file(file)?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    s.say(format!("{name}: {} with probability {:.4}", prediction.class, prediction.probability));

    let interpretation = Interpretation::from_learner(learner)?;
    s.figure(
        "confusion",
        "How many images of each class were taken for which class.",
        interpretation.plot_confusion_matrix(),
    )?;
    s.say(interpretation.classification_report()?);
    s.figure("top_losses", "The images with the largest losses.", interpretation.plot_top_losses(6)?)
}
