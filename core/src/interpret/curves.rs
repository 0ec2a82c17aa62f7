//! Plots of a training run.

use crate::plot::{Figure, Plot};
use crate::train::{LrFind, Recorder};

/// The smoothed training loss at each batch, and the validation loss at the end of each epoch. fast.ai's
/// `recorder.plot_loss`.
pub fn plot_losses(recorder: &Recorder) -> Plot {
    let batches = numbers(1..=recorder.smooth_losses.len());
    let valid = recorder.valid_losses();
    let plot = Plot::new("Losses").x_label("batch").y_label("loss").line("training", &batches, &recorder.smooth_losses);
    let ends = numbers(recorder.iters.iter().copied()); // the batch at which each epoch ended
    over_epochs(plot, "validation", &ends, &valid)
}

/// A line over the epochs; of a single one a point.
fn over_epochs(plot: Plot, name: &str, at: &[f64], values: &[f64]) -> Plot {
    if values.len() == 1 { plot.scatter(name, at, values) } else { plot.line(name, at, values) }
}

/// The learning rate (of the last group) at each batch, and beside it the momentum, where a schedule set one for each
/// batch. fast.ai's `recorder.plot_sched`.
pub fn plot_schedule(recorder: &Recorder) -> Figure {
    let panel =
        |name: &str, values: &[f64]| Plot::new(name).x_label("batch").line("", &numbers(1..=values.len()), values);
    let mut panels = vec![panel("Learning rate", &recorder.lrs)];
    if !recorder.moms.is_empty() && recorder.moms.len() == recorder.lrs.len() {
        panels.push(panel("Momentum", &recorder.moms));
    }
    Figure::grid(&panels, 2)
}

/// A panel for each metric, over the epochs.
pub fn plot_metrics(recorder: &Recorder) -> Figure {
    let epochs = numbers(1..=recorder.rows.len());
    let panel =
        |(i, name): (usize, &String)| over_epochs(Plot::new(name).x_label("epoch"), "", &epochs, &recorder.metric(i));
    let panels: Vec<Plot> = recorder.metric_names.iter().enumerate().map(panel).collect();
    Figure::grid(&panels, 2)
}

/// The losses of a learning-rate search, with its suggestions. fast.ai's `plot_lr_find`. As there, the last five points
/// are not drawn.
pub fn plot_lr_find(found: &LrFind) -> Plot {
    let shown = if found.losses.len() > 10 { found.losses.len() - 5 } else { found.losses.len() };
    let (lrs, losses) = (&found.lrs[..shown.min(found.lrs.len())], &found.losses[..shown]);
    let plot = Plot::new("Learning-rate finder").x_label("learning rate").y_label("loss").log_x().line("", lrs, losses);
    let suggestions = [
        ("valley", found.valley()),
        ("slide", found.slide()),
        ("steep", found.steep()),
        ("minimum/10", found.minimum()),
    ];
    suggestions.into_iter().filter_map(|(name, lr)| Some((name, lr?))).fold(plot, |plot, (name, lr)| {
        let distance = |i: &usize| (lrs[*i].ln() - lr.ln()).abs();
        let nearest = (0..lrs.len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        match nearest {
            Some(i) => plot.point(format!("{name}: {lr:.1e}"), lr, losses[i]),
            None => plot,
        }
    })
}

fn numbers(counts: impl IntoIterator<Item = usize>) -> Vec<f64> {
    counts.into_iter().map(|n| n as f64).collect()
}
