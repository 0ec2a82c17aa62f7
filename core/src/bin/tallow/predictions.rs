//! The columns of a table of predictions.

use crate::table_file::{EMBEDDING, PROBABILITY_OF};
use std::path::PathBuf;
use tallow::Result;
use tallow::vision_learner::{Prediction, Predictor, predictions_csv};

/// What a table has besides files, classes, probabilities, errors and strangeness.
#[derive(Debug, Clone, Copy, Default, clap::Args)]
pub(crate) struct ColumnArgs {
    /// Add a column for every class, with its probability in full: `tallow evaluate --predictions` reads them
    #[arg(long, requires = "out")]
    probabilities: bool,

    /// Add the column `embedding`: what the network's head sees of the photo, for a search or a model of one's own
    #[arg(long, requires = "out")]
    embeddings: bool,
}

impl ColumnArgs {
    /// A predictor that predicts what these columns need.
    pub(crate) fn prepare(self, predictor: Predictor) -> Predictor {
        if self.embeddings { predictor.keep_features() } else { predictor }
    }

    /// The names of the columns.
    pub(crate) fn head(self, vocab: &[String]) -> Vec<String> {
        let mut head = cells_of(&[], &[]);
        if self.probabilities {
            head.extend(vocab.iter().map(|class| format!("{PROBABILITY_OF}{class}")));
        }
        if self.embeddings {
            head.push(EMBEDDING.into());
        }
        head
    }

    /// Predicts photos and makes a row of each. `finish` sees the predictions before.
    ///
    /// # Errors
    /// Those of [`Predictor::predict`].
    pub(crate) fn rows(
        self,
        predictor: &Predictor,
        files: &[PathBuf],
        finish: impl Fn(&mut Prediction),
    ) -> Result<Vec<Vec<String>>> {
        let n_classes = predictor.vocab().len();
        let row = |(file, judged): (&PathBuf, Result<Prediction>)| {
            let judged = judged.map(|mut prediction| {
                finish(&mut prediction);
                prediction
            });
            let mut cells = cells_of(std::slice::from_ref(file), std::slice::from_ref(&judged));
            if self.probabilities {
                match &judged {
                    Ok(prediction) => cells.extend(prediction.probabilities.iter().map(f64::to_string)),
                    Err(_) => cells.extend(std::iter::repeat_n(String::new(), n_classes)),
                }
            }
            if self.embeddings {
                let features = judged.ok().and_then(|prediction| prediction.features);
                cells.push(features.map_or_else(String::new, |features| as_json(&features)));
            }
            cells
        };
        Ok(files.iter().zip(predictor.predict(files)?).map(row).collect())
    }
}

/// The last row of the table of these predictions.
fn cells_of(files: &[PathBuf], predictions: &[Result<Prediction>]) -> Vec<String> {
    let text = predictions_csv(files, predictions);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().flatten().last().unwrap_or_default().iter().map(String::from).collect()
}

fn as_json(numbers: &[f32]) -> String {
    let numbers: Vec<String> = numbers.iter().map(f32::to_string).collect();
    format!("[{}]", numbers.join(","))
}
