//! Which epoch's weights training ends with, and when it ends.

use tallow::cli::Session;
use tallow::train::{
    Callback, EarlyStopping, Metric, Monitor, Recorder, SaveBest, error_rate, f1_score, precision, recall,
};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::Args, serde::Serialize)]
#[command(next_help_heading = "Which epoch")]
pub(crate) struct BestArgs {
    /// Keep the weights of the epoch that is best by this, in each phase of training by itself [default: those of the
    /// last epoch, where the learning rate has come down; with `--patience`: by valid_loss]
    #[arg(long, value_name = "METRIC", value_enum)]
    best: Option<Watched>,

    /// Stop a phase after N epochs in a row that were no better than the best one, and keep that one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    patience: Option<u16>,
}

/// A column of the table of epochs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
enum Watched {
    #[default]
    ValidLoss,
    Accuracy,
    ErrorRate,
    Precision,
    Recall,
    #[value(name = "f1_score")]
    #[serde(rename = "f1_score")]
    F1Score,
}

impl Watched {
    fn name(self) -> &'static str {
        match self {
            Watched::ValidLoss => "valid_loss",
            Watched::Accuracy => "accuracy",
            Watched::ErrorRate => "error_rate",
            Watched::Precision => "precision",
            Watched::Recall => "recall",
            Watched::F1Score => "f1_score",
        }
    }

    fn monitor(self) -> Monitor {
        match self {
            Watched::ValidLoss | Watched::ErrorRate => Monitor::lowest(self.name()),
            _ => Monitor::highest(self.name()),
        }
    }
}

impl BestArgs {
    /// Whether it watches a metric that is for photos of one class each.
    pub(crate) fn watches_one_class(self) -> bool {
        self.watched().is_some_and(|watched| watched != Watched::ValidLoss)
    }

    fn watched(self) -> Option<Watched> {
        self.best.or(self.patience.map(|_| Watched::default()))
    }

    /// The metrics that it takes beside the accuracy, which is always measured.
    pub(crate) fn metrics(self) -> Vec<Metric> {
        match self.watched() {
            Some(Watched::ErrorRate) => vec![error_rate()],
            Some(Watched::Precision) => vec![precision()],
            Some(Watched::Recall) => vec![recall()],
            Some(Watched::F1Score) => vec![f1_score()],
            Some(Watched::ValidLoss | Watched::Accuracy) | None => vec![],
        }
    }

    /// What makes a learner keep the best epoch, and stop.
    pub(crate) fn callbacks(self) -> Vec<Box<dyn Callback>> {
        let Some(watched) = self.watched() else { return Vec::new() };
        let mut callbacks: Vec<Box<dyn Callback>> = vec![Box::new(SaveBest::new(watched.monitor()))];
        if let Some(patience) = self.patience {
            callbacks.push(Box::new(EarlyStopping::new(watched.monitor(), patience.into())));
        }
        callbacks
    }

    /// Says which epoch of a phase was kept, by what, and whether training ended early. `asked` is the number of epochs
    /// that it was to have.
    pub(crate) fn say_kept(self, s: &mut Session, phase: &str, recorder: &Recorder, asked: usize) {
        let (Some(watched), Some(row)) = (self.watched(), recorder.kept_row()) else { return };
        let (name, fit) = (watched.name(), row.fit);
        let place = recorder.metric_names.iter().position(|metric| metric == name);
        let value = place.and_then(|i| row.metrics.get(i)).copied().unwrap_or(row.valid_loss);
        let done = recorder.rows.iter().filter(|row| row.fit == fit).count();
        let early = match self.patience {
            Some(n) if done < asked => format!(", ended after {done} since {n} in a row brought nothing better"),
            _ => String::new(),
        };
        let epochs = if asked == 1 { "epoch" } else { "epochs" };
        s.run.say(format!(
            "{phase}, {asked} {epochs}{early}: kept is epoch {}, the best by {name} ({value:.4})",
            row.epoch
        ));
        s.run.metric(format!("{phase}_kept_epoch"), row.epoch as f64);
    }
}
