//! What a network says of photos whose classes are known, of one class each or of several.

use crate::{multi_label, one_class};
use tallow::Result;
use tallow::cli::Session;
use tallow::data::ImageLoader;
use tallow::interpret::{Interpretation, MultiLabelInterpretation};
use tallow::vision_learner::VisionLearner;

/// The file with a row for every photo of the test set.
const TEST_PREDICTIONS: &str = "test_predictions.csv";

/// Predictions beside the truth.
pub(crate) enum Judged {
    OneClass(Interpretation),
    Several(MultiLabelInterpretation),
}

impl Judged {
    /// What a learner says of all photos of a loader.
    pub(crate) fn of(learner: &VisionLearner, loader: &ImageLoader) -> Result<Judged> {
        Ok(match learner.threshold() {
            None => Judged::OneClass(Interpretation::from_loader(learner, loader)?),
            Some(_) => Judged::Several(MultiLabelInterpretation::from_loader(learner, loader)?),
        })
    }

    /// Those of several networks on one set of photos each, as one.
    pub(crate) fn together(all: &[Judged]) -> Result<Judged> {
        let (mut one, mut several) = (Vec::new(), Vec::new());
        for judged in all {
            match judged {
                Judged::OneClass(judged) => one.push(judged),
                Judged::Several(judged) => several.push(judged),
            }
        }
        match one.is_empty() {
            false => Ok(Judged::OneClass(Interpretation::concat(&one)?)),
            true => Ok(Judged::Several(MultiLabelInterpretation::concat(&several)?)),
        }
    }

    pub(crate) fn n_items(&self) -> usize {
        match self {
            Judged::OneClass(judged) => judged.actual().len(),
            Judged::Several(judged) => judged.n_items(),
        }
    }

    /// The figure that a model is known by, and its name.
    pub(crate) fn measure(&self) -> (&'static str, f64) {
        match self {
            Judged::OneClass(judged) => ("accuracy", judged.confusion().accuracy()),
            Judged::Several(judged) => (multi_label::MEASURE, judged.report().mean_average_precision),
        }
    }

    /// Figures, pictures and files.
    pub(crate) fn report(&self, s: &mut Session) -> Result<()> {
        match self {
            Judged::OneClass(judged) => one_class::report(s, judged),
            Judged::Several(judged) => multi_label::report(s, judged),
        }
    }

    /// The figures of the test set, its confusion matrix and its predictions.
    pub(crate) fn report_test(&self, s: &mut Session) -> Result<()> {
        let (name, value) = self.measure();
        s.run.say(format!("{} photos: {name} {value:.4}", self.n_items()));
        s.run.metric(format!("test_{name}"), value);
        match self {
            Judged::OneClass(judged) => {
                for (name, value) in judged.metrics()? {
                    s.run.metric(format!("test_{name}"), value);
                }
                s.run.say(judged.classification_report()?);
                let caption = "How many photos of each class of the test set were taken for what.";
                s.run.figure("test_confusion", caption, &judged.plot_confusion_matrix().into())?;
                s.run.file(TEST_PREDICTIONS, judged.predictions_csv()?)?;
            }
            Judged::Several(judged) => {
                let (heads, rows) = judged.table();
                s.run.table(&heads, &rows);
                for (name, value) in multi_label::measures(judged) {
                    s.run.metric(format!("test_{name}"), value);
                }
                s.run.file(TEST_PREDICTIONS, judged.predictions_csv())?;
            }
        }
        Ok(())
    }
}
