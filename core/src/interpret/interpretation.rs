//! Predictions of one class for each item, beside the targets.

use crate::data::{DataLoader, ImageLoader};
use crate::error::{Error, Result};
use crate::metrics::{self, Confusion};
use crate::nn::losses;
use crate::plot::{Bars, HeatMap, ImageGrid, shorten};
use crate::train::Learner;
use crate::vision::{Image, Resize};
use crate::vision_learner::VisionLearner;
use candle_core::{D, DType, Tensor};
use std::path::{Path, PathBuf};

/// Predictions, targets and losses of a set of items. fast.ai's `ClassificationInterpretation`.
#[derive(Debug, Clone)]
pub struct Interpretation {
    vocab: Vec<String>,
    /// `[N, classes]`, row-major.
    probabilities: Vec<f64>,
    predicted: Vec<u32>,
    actual: Vec<u32>,
    losses: Vec<f64>,
    confusion: Confusion,
    /// The files of the items, if they come from files.
    files: Option<Vec<PathBuf>>,
}

/// An item with a large loss.
#[derive(Debug, Clone, PartialEq)]
pub struct TopLoss {
    /// The item's index, from 0.
    pub index: usize,
    /// Its file, if the items come from files.
    pub file: Option<PathBuf>,
    /// Its loss.
    pub loss: f64,
    /// The predicted class.
    pub predicted: String,
    /// The actual class.
    pub actual: String,
    /// The predicted probability of `predicted`.
    pub probability: f64,
    /// The predicted probability of `actual`.
    pub probability_of_actual: f64,
}

impl TopLoss {
    /// Whether the prediction is right.
    pub fn is_right(&self) -> bool {
        self.actual == self.predicted
    }

    pub(super) fn known_file(&self) -> Result<&Path> {
        let what = "the files of the items are not known: give them by `with_files`, or use `from_learner`";
        self.file.as_deref().ok_or_else(|| Error::Value(what.into()))
    }
}

/// A pair of classes that were confused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MostConfused {
    /// The actual class.
    pub actual: String,
    /// The predicted class.
    pub predicted: String,
    /// The number of items.
    pub count: u64,
}

/// The accuracy on the items of one class.
#[derive(Debug, Clone, PartialEq)]
pub struct ClassAccuracy {
    /// The class.
    pub class: String,
    /// The fraction of its items that are predicted right; `None` if there are none.
    pub accuracy: Option<f64>,
    /// The number of its items.
    pub n_items: u64,
}

impl Interpretation {
    /// Evaluates logits `[N, C]` against labels `[N]`; `vocab` names the classes.
    ///
    /// # Errors
    /// When shapes do not fit, a label is not a class, or there is not one name for each class.
    pub fn new(scores: &Tensor, labels: &Tensor, vocab: &[impl AsRef<str>]) -> Result<Interpretation> {
        let (_, n_classes) = scores.dims2()?;
        if vocab.len() != n_classes {
            let n = vocab.len();
            let message = format!("{n} names for {n_classes} classes: expected one for each");
            return Err(Error::shape(message, scores.dims()));
        }
        let scores = scores.detach().to_dtype(DType::F64)?;
        let losses = losses::nll_per_item(&scores, labels)?.to_vec1::<f64>()?;
        // Rounding can leave a loss of zero just below it.
        let losses = losses.into_iter().map(|loss| if loss <= 0.0 { 0.0 } else { loss }).collect();
        let probabilities = candle_nn::ops::softmax(&scores, D::Minus1)?.flatten_all()?.to_vec1::<f64>()?;
        let predicted = scores.argmax(D::Minus1)?.to_vec1::<u32>()?;
        let actual = labels.flatten_all()?.to_dtype(DType::U32)?.to_vec1::<u32>()?;
        let confusion = Confusion::new(n_classes, &predicted, &actual)?;
        let vocab = vocab.iter().map(|name| name.as_ref().to_string()).collect();
        Ok(Interpretation { vocab, probabilities, predicted, actual, losses, confusion, files: None })
    }

    /// From the probabilities of each item's classes, such as those of [`crate::vision_learner::Prediction`], and
    /// labels; the losses are cross entropies.
    ///
    /// # Errors
    /// When there is not one row for each label and one name for each class, or a label is not a class.
    pub fn from_probabilities(rows: &[Vec<f64>], labels: &[u32], vocab: &[impl AsRef<str>]) -> Result<Interpretation> {
        let n_classes = vocab.len();
        if rows.len() != labels.len() {
            let (rows, labels) = (rows.len(), labels.len());
            return Err(Error::shape(format!("{rows} rows of probabilities for {labels} labels"), &[rows, labels]));
        }
        if let Some(row) = rows.iter().find(|row| row.len() != n_classes) {
            let message = format!("{n_classes} names for {} classes: expected one for each", row.len());
            return Err(Error::shape(message, &[rows.len(), row.len()]));
        }
        let highest = |row: &Vec<f64>| (0..n_classes).fold(0, |best, i| if row[i] > row[best] { i } else { best });
        let predicted: Vec<u32> = rows.iter().map(|row| highest(row) as u32).collect();
        let confusion = Confusion::new(n_classes, &predicted, labels)?;
        Ok(Interpretation {
            vocab: vocab.iter().map(|name| name.as_ref().to_string()).collect(),
            probabilities: rows.concat(),
            predicted,
            actual: labels.to_vec(),
            losses: rows.iter().zip(labels).map(|(row, &label)| row[label as usize].recip().ln()).collect(),
            confusion,
            files: None,
        })
    }

    /// Evaluates an image learner's predictions for its validation set; each item knows its file. fast.ai's
    /// `from_learner`.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn from_learner(learner: &VisionLearner) -> Result<Interpretation> {
        Interpretation::from_loader(learner, &learner.image_dls().valid)
    }

    /// [`Interpretation::from_learner`] for all images of another loader, in the dataset's order, whatever order the
    /// loader has.
    ///
    /// # Errors
    /// When an image cannot be read.
    pub fn from_loader(learner: &VisionLearner, loader: &ImageLoader) -> Result<Interpretation> {
        let (scores, labels) = learner.learner().get_preds(&loader.loader().clone().in_order())?;
        Interpretation::new(&scores, &labels, learner.vocab())?.with_files(loader.kept_files())
    }

    /// The same predictions, with the files that they are about, in the same order.
    ///
    /// # Errors
    /// When there is not one file for each item.
    pub fn with_files(self, files: Vec<PathBuf>) -> Result<Interpretation> {
        if files.len() != self.actual.len() {
            let (n, items) = (files.len(), self.actual.len());
            return Err(Error::shape(format!("{n} files for {items} items: expected one for each"), &[n]));
        }
        Ok(Interpretation { files: Some(files), ..self })
    }

    /// Several of them as one, such as those of the folds of a cross-validation.
    ///
    /// # Errors
    /// When there is none, their classes differ, or only some know their files.
    pub fn concat(all: &[&Interpretation]) -> Result<Interpretation> {
        let vocab = all.first().map(|one| one.vocab.clone()).unwrap_or_default();
        if all.iter().any(|one| one.vocab != vocab) {
            return Err(Error::Value("predictions of other classes do not go together".into()));
        }
        let n_classes = vocab.len().max(1);
        let rows = |one: &&Interpretation| one.probabilities.chunks(n_classes).map(<[f64]>::to_vec).collect::<Vec<_>>();
        let rows: Vec<Vec<f64>> = all.iter().flat_map(rows).collect();
        let labels: Vec<u32> = all.iter().flat_map(|one| one.actual.clone()).collect();
        let together = Interpretation::from_probabilities(&rows, &labels, &vocab)?;
        let files: Option<Vec<Vec<PathBuf>>> = all.iter().map(|one| one.files.clone()).collect();
        let known = all.iter().filter(|one| one.files.is_some()).count();
        match files {
            Some(files) => together.with_files(files.concat()),
            None if known == 0 => Ok(together),
            None => Err(Error::Value(format!("{known} of {} sets of predictions know their files", all.len()))),
        }
    }

    /// Evaluates what any learner that was trained with cross entropy predicts for all items of a loader.
    ///
    /// # Errors
    /// Those of [`Learner::get_preds`] and [`Interpretation::new`].
    pub fn from_preds(learner: &Learner, loader: &DataLoader, vocab: &[impl AsRef<str>]) -> Result<Interpretation> {
        let (scores, labels) = learner.get_preds(loader)?;
        Interpretation::new(&scores, &labels, vocab)
    }

    /// The classes' names.
    pub fn vocab(&self) -> &[String] {
        &self.vocab
    }

    /// The predicted class of each item.
    pub fn predicted(&self) -> &[u32] {
        &self.predicted
    }

    /// The actual class of each item.
    pub fn actual(&self) -> &[u32] {
        &self.actual
    }

    /// The cross entropy of each item.
    pub fn losses(&self) -> &[f64] {
        &self.losses
    }

    /// The probabilities of each item's classes; empty if there is no such item.
    pub fn probabilities(&self, index: usize) -> &[f64] {
        self.probabilities.chunks_exact(self.vocab.len()).nth(index).unwrap_or(&[])
    }

    /// Those of all items, row-major.
    pub(super) fn all_probabilities(&self) -> &[f64] {
        &self.probabilities
    }

    /// The files of the items, in their order, if they are known.
    pub fn files(&self) -> Option<&[PathBuf]> {
        self.files.as_deref()
    }

    /// How often each class was taken for which.
    pub fn confusion(&self) -> &Confusion {
        &self.confusion
    }

    /// The confusion matrix as a table: heads, and a row for each actual class.
    pub fn confusion_table(&self) -> (Vec<String>, Vec<Vec<String>>) {
        let heads = std::iter::once("actual \\ predicted".to_string()).chain(self.vocab.iter().cloned()).collect();
        let row = |(name, counts): (&String, Vec<u64>)| {
            std::iter::once(name.clone()).chain(counts.iter().map(u64::to_string)).collect()
        };
        (heads, self.vocab.iter().zip(self.confusion.rows()).map(row).collect())
    }

    /// The pairs of classes that were confused at least `min` times, the most frequent first. fast.ai's
    /// `most_confused`.
    pub fn most_confused(&self, min: u64) -> Vec<MostConfused> {
        let name = |class: usize| self.vocab.get(class).cloned().unwrap_or_default();
        let pairs = self.confusion.most_confused(min).into_iter();
        pairs
            .map(|pair| MostConfused { actual: name(pair.actual), predicted: name(pair.predicted), count: pair.count })
            .collect()
    }

    /// The `k` items with the largest losses, the largest first; of equal ones the first in order. fast.ai's
    /// `top_losses`.
    pub fn top_losses(&self, k: usize) -> Vec<TopLoss> {
        let mut order = top_first(&self.losses);
        order.truncate(k);
        order.into_iter().map(|index| self.item(index)).collect()
    }

    fn item(&self, index: usize) -> TopLoss {
        let (predicted, actual) = (self.predicted[index] as usize, self.actual[index] as usize);
        let probabilities = self.probabilities(index);
        TopLoss {
            index,
            file: self.files.as_ref().and_then(|files| files.get(index)).cloned(),
            loss: self.losses[index],
            predicted: self.vocab[predicted].clone(),
            actual: self.vocab[actual].clone(),
            probability: probabilities[predicted],
            probability_of_actual: probabilities[actual],
        }
    }

    /// The images of the `k` largest losses, each with its file's name, its class, what it was taken for, the
    /// probability of that, and the loss. fast.ai's `plot_top_losses`.
    ///
    /// # Errors
    /// When the items do not come from files ([`Interpretation::with_files`]), or a file cannot be read.
    pub fn plot_top_losses(&self, k: usize) -> Result<ImageGrid> {
        // Beside the words "taken for" under a picture.
        const NAME_WIDTH: f64 = 100.0;
        let names = shorten(&self.vocab, NAME_WIDTH);
        self.top_losses(k).iter().try_fold(ImageGrid::new("", 4), |grid, top| {
            let file = top.known_file()?;
            let image = Image::open(file)?.resize(Resize::crop(150))?;
            let name = |class: &[u32]| names[class[top.index] as usize].as_str();
            let (actual, predicted) = (name(&self.actual), name(&self.predicted));
            let verdict = if top.is_right() { "recognised".to_string() } else { format!("taken for {predicted}") };
            let file = file.file_name().unwrap_or_default().to_string_lossy();
            let caption = format!("{file}\n{actual}\n{verdict}\n{:.2}, loss {:.2}", top.probability, top.loss);
            let grid = grid.rgb(image.width(), image.height(), image.bytes()).caption(caption);
            Ok(grid.correct(top.is_right()))
        })
    }

    /// How many of each class's items were recognised.
    pub fn per_class_accuracy(&self) -> Vec<ClassAccuracy> {
        let of_class = |(class, name): (usize, &String)| {
            let n_items: u64 = self.confusion.row(class).iter().sum();
            let accuracy = (n_items > 0).then(|| self.confusion.get(class, class) as f64 / n_items as f64);
            ClassAccuracy { class: name.clone(), accuracy, n_items }
        };
        self.vocab.iter().enumerate().map(of_class).collect()
    }

    /// Precision, recall, F1 and support as scikit-learn prints them. fast.ai's `print_classification_report`.
    ///
    /// # Errors
    /// Never, since there is a name for each class.
    pub fn classification_report(&self) -> Result<String> {
        metrics::classification_report(&self.confusion, &self.vocab, 2)
    }

    /// The confusion matrix as a picture, with its counts.
    pub fn plot_confusion_matrix(&self) -> HeatMap {
        let counts: Vec<f64> = self.confusion.rows().concat().into_iter().map(|n| n as f64).collect();
        self.matrix("Confusion matrix", &counts)
    }

    /// The same with each row in per cent of its class, which shows more where classes differ in size.
    pub fn plot_confusion_matrix_normalized(&self) -> HeatMap {
        let share = |row: Vec<u64>| {
            let n = row.iter().sum::<u64>().max(1) as f64;
            row.into_iter().map(move |count| (100.0 * count as f64 / n).round())
        };
        let shares: Vec<f64> = self.confusion.rows().into_iter().flat_map(share).collect();
        self.matrix("Confusion matrix, per cent of each actual class", &shares)
    }

    fn matrix(&self, title: &str, values: &[f64]) -> HeatMap {
        let n = self.vocab.len();
        let map = HeatMap::new(title, n, n, values).row_labels(&self.vocab).col_labels(&self.vocab);
        map.x_label("Predicted").y_label("Actual").numbers(true)
    }

    /// The accuracy of each class as bars, the worst on top; classes without items are left out.
    pub fn plot_per_class_accuracy(&self) -> Bars {
        let classes = self.per_class_accuracy().into_iter();
        let mut classes: Vec<(String, f64)> = classes.filter_map(|c| Some((c.class, c.accuracy?))).collect();
        classes.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (names, shares): (Vec<String>, Vec<f64>) = classes.into_iter().unzip();
        Bars::new("Accuracy of each class", &names, &shares).horizontal()
    }
}

/// The indices of losses, the largest first; of equal ones the first in order.
pub(super) fn top_first(losses: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..losses.len()).collect();
    // NaN is the worst of all.
    let badness = |i: usize| if losses[i].is_nan() { f64::INFINITY } else { losses[i] };
    order.sort_by(|&a, &b| badness(b).total_cmp(&badness(a)));
    order
}
