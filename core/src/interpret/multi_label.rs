//! Predictions of several classes for each item, beside the targets.

use super::interpretation::top_first;
use crate::data::ImageLoader;
use crate::error::{Error, Result};
use crate::metrics::MultiLabelReport;
use crate::plot::{Bars, ImageGrid};
use crate::vision::{Image, Resize};
use crate::vision_learner::VisionLearner;
use candle_core::DType;
use std::path::PathBuf;
use tallow_io::csv;

/// Probabilities, true classes and losses of items that may be of several classes, or of none.
#[derive(Debug, Clone)]
pub struct MultiLabelInterpretation {
    vocab: Vec<String>,
    threshold: f64,
    /// `[N, classes]`, row-major.
    probabilities: Vec<f64>,
    /// 0 or 1, of the same shape.
    actual: Vec<u32>,
    losses: Vec<f64>,
    files: Vec<PathBuf>,
    report: MultiLabelReport,
}

impl MultiLabelInterpretation {
    /// Evaluates a learner's predictions for its validation set.
    ///
    /// # Errors
    /// When an image cannot be read, or the learner's images have one class each.
    pub fn from_learner(learner: &VisionLearner) -> Result<MultiLabelInterpretation> {
        MultiLabelInterpretation::from_loader(learner, &learner.image_dls().valid)
    }

    /// Evaluates a learner's predictions for all images of a loader, in the dataset's order.
    ///
    /// # Errors
    /// When an image cannot be read, or the learner's images have one class each.
    pub fn from_loader(learner: &VisionLearner, loader: &ImageLoader) -> Result<MultiLabelInterpretation> {
        let Some(threshold) = learner.threshold() else {
            let message = "the learner's images have one class each: see `Interpretation`";
            return Err(Error::config("dls", message));
        };
        let (scores, targets) = learner.learner().get_preds(&loader.loader().clone().in_order())?;
        let probabilities = candle_nn::ops::sigmoid(&scores.to_dtype(DType::F64)?)?.to_vec2::<f64>()?;
        let actual = targets.to_dtype(DType::F64)?.to_vec2::<f64>()?;
        let actual: Vec<Vec<u32>> =
            actual.into_iter().map(|row| row.into_iter().map(|y| u32::from(y > 0.5)).collect()).collect();
        MultiLabelInterpretation::new(&probabilities, &actual, learner.vocab(), threshold, loader.kept_files())
    }

    /// Evaluates rows of probabilities against what is true (0 or 1), with a column for each class of `vocab`; `files`
    /// are those of the rows.
    ///
    /// # Errors
    /// When the numbers of rows, columns and files do not fit, or what is true is neither 0 nor 1.
    pub fn new(
        probabilities: &[Vec<f64>],
        actual: &[Vec<u32>],
        vocab: &[String],
        threshold: f64,
        files: Vec<PathBuf>,
    ) -> Result<MultiLabelInterpretation> {
        let n = vocab.len();
        let fits = |rows: usize, files: usize| rows == actual.len() && files == rows;
        let rectangular = probabilities.iter().all(|row| row.len() == n) && actual.iter().all(|row| row.len() == n);
        if !fits(probabilities.len(), files.len()) || !rectangular {
            let (p, y, f) = (probabilities.len(), actual.len(), files.len());
            let message = format!("{p} rows of probabilities, {y} of targets and {f} files for {n} classes do not fit");
            return Err(Error::shape(message, &[p, y, f]));
        }
        let report = MultiLabelReport::new(&probabilities.concat(), &actual.concat(), n, threshold)?;
        // Binary cross entropy, the mean over the classes: what the learner was trained with.
        let loss = |(p, y): (&Vec<f64>, &Vec<u32>)| {
            let of = |(&p, &y): (&f64, &u32)| -(if y == 1 { p } else { 1.0 - p }).ln();
            p.iter().zip(y).map(of).sum::<f64>() / n.max(1) as f64
        };
        Ok(MultiLabelInterpretation {
            vocab: vocab.to_vec(),
            threshold,
            losses: probabilities.iter().zip(actual).map(loss).collect(),
            probabilities: probabilities.concat(),
            actual: actual.concat(),
            files,
            report,
        })
    }

    /// Several of them as one, such as those of the folds of a cross-validation.
    ///
    /// # Errors
    /// When there is none, or their classes or thresholds differ.
    pub fn concat(all: &[&MultiLabelInterpretation]) -> Result<MultiLabelInterpretation> {
        let first = *all
            .first()
            .ok_or_else(|| Error::shape("0 sets of predictions: there is nothing to put together", &[0]))?;
        if all.iter().any(|one| one.vocab != first.vocab || one.threshold != first.threshold) {
            return Err(Error::Value(
                "predictions of other classes, or with another threshold, do not go together".into(),
            ));
        }
        let n = first.vocab.len().max(1);
        let rows =
            |one: &&MultiLabelInterpretation| one.probabilities.chunks(n).map(<[f64]>::to_vec).collect::<Vec<_>>();
        let truth = |one: &&MultiLabelInterpretation| one.actual.chunks(n).map(<[u32]>::to_vec).collect::<Vec<_>>();
        let (rows, truth): (Vec<_>, Vec<_>) =
            (all.iter().flat_map(rows).collect(), all.iter().flat_map(truth).collect());
        let files = all.iter().flat_map(|one| one.files.clone()).collect();
        MultiLabelInterpretation::new(&rows, &truth, &first.vocab, first.threshold, files)
    }

    /// The classes' names.
    pub fn vocab(&self) -> &[String] {
        &self.vocab
    }

    /// The probability from which a class is predicted.
    pub fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The number of items.
    pub fn n_items(&self) -> usize {
        self.losses.len()
    }

    /// The scores as a whole and for each class.
    pub fn report(&self) -> &MultiLabelReport {
        &self.report
    }

    /// The report as a table: heads, and a row for each class.
    pub fn table(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let heads = ["class", "photos", "predicted", "precision", "recall", "f1", "average precision"];
        let row = |(name, class): (&String, &crate::metrics::MultiLabelClass)| {
            let scores = [class.scores.precision, class.scores.recall, class.scores.f1, class.average_precision];
            let counts = [class.support.to_string(), class.predicted.to_string()];
            std::iter::once(name.clone()).chain(counts).chain(scores.map(|score| format!("{score:.4}"))).collect()
        };
        (heads.map(String::from).to_vec(), self.vocab.iter().zip(&self.report.classes).map(row).collect())
    }

    /// The names of the classes of item `index`: those that are predicted, and those that it has.
    pub fn classes_of(&self, index: usize) -> (Vec<&str>, Vec<&str>) {
        let n = self.vocab.len();
        let names = |is: &dyn Fn(usize) -> bool| -> Vec<&str> {
            (0..n).filter(|&class| is(index * n + class)).map(|class| self.vocab[class].as_str()).collect()
        };
        if index >= self.losses.len() {
            return (Vec::new(), Vec::new());
        }
        (names(&|at| self.probabilities[at] >= self.threshold), names(&|at| self.actual[at] == 1))
    }

    /// The indices of the `k` items with the largest losses, the largest first.
    pub fn top_losses(&self, k: usize) -> Vec<usize> {
        let mut order = top_first(&self.losses);
        order.truncate(k);
        order
    }

    /// The images of the `k` largest losses, each with its file's name, its classes, those that were missed or
    /// predicted wrongly, and the loss.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn plot_top_losses(&self, k: usize) -> Result<ImageGrid> {
        self.top_losses(k).into_iter().try_fold(ImageGrid::new("", 4), |grid, index| {
            let image = Image::open(&self.files[index])?.resize(Resize::crop(150))?;
            let (predicted, actual) = self.classes_of(index);
            let is_right = predicted == actual;
            let without = |all: &[&str], others: &[&str]| {
                let rest: Vec<&str> = all.iter().filter(|name| !others.contains(name)).copied().collect();
                rest.join(", ")
            };
            let (missed, wrong) = (without(&actual, &predicted), without(&predicted, &actual));
            let verdict = match (missed.as_str(), wrong.as_str()) {
                ("", "") => "recognised".to_string(),
                (missed, "") => format!("misses {missed}"),
                ("", wrong) => format!("sees {wrong} too"),
                (missed, wrong) => format!("misses {missed}\nsees {wrong}"),
            };
            let actual = some_or_none(&actual);
            let file = self.files[index].file_name().unwrap_or_default().to_string_lossy();
            let caption = format!("{file}\n{actual}\n{verdict}\nloss {:.2}", self.losses[index]);
            Ok(grid.rgb(image.width(), image.height(), image.bytes()).caption(caption).correct(is_right))
        })
    }

    /// A bar for the average precision of each class that has items, the worst on top.
    pub fn plot_average_precision(&self) -> Bars {
        let classes = self.vocab.iter().zip(&self.report.classes).filter(|(_, class)| class.support > 0);
        let mut classes: Vec<(&String, f64)> = classes.map(|(name, class)| (name, class.average_precision)).collect();
        classes.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (names, values): (Vec<&String>, Vec<f64>) = classes.into_iter().unzip();
        Bars::new("Average precision of each class", &names, &values).horizontal()
    }

    /// All items as the text of a CSV file, the worst first: file, true classes, predicted classes, loss, and the
    /// probability of each class. Several classes stand with ` | ` between them; names that a spreadsheet would take
    /// for formulas are marked as text.
    pub fn predictions_csv(&self) -> String {
        let heads = ["file", "classes", "predicted", "loss"].into_iter().map(String::from);
        let text = |name: &str| csv::text(name).into_owned();
        let heads: Vec<String> = heads.chain(self.vocab.iter().map(|name| text(name))).collect();
        let n = self.vocab.len();
        let rows = top_first(&self.losses).into_iter().map(|i| {
            let (predicted, actual) = self.classes_of(i);
            let first = [csv::path(&self.files[i]), text(&actual.join(" | ")), text(&predicted.join(" | "))];
            let numbers = std::iter::once(self.losses[i]).chain(self.probabilities[i * n..(i + 1) * n].iter().copied());
            first.into_iter().chain(numbers.map(|v| format!("{v:.6}"))).collect::<Vec<String>>()
        });
        csv::to_string(std::iter::once(heads).chain(rows))
    }
}

fn some_or_none(names: &[&str]) -> String {
    if names.is_empty() { "nothing".to_string() } else { names.join(" and ") }
}
