//! Metrics of a [`super::Learner`], computed on the validation set.

use crate::error::{Error, Result};
use crate::metrics::{self, Averaging, Confusion, MultiLabelReport, PixelCounts};
use crate::nn::losses;
use candle_core::{D, DType, Tensor};

type Measure = dyn Fn(&Tensor, &Tensor) -> Result<f64> + Send + Sync;
type Count = dyn Fn(&Tensor, &Tensor) -> Result<PixelCounts> + Send + Sync;
type OfCounts = dyn Fn(&PixelCounts) -> f64 + Send + Sync;

/// A named metric of predictions and targets. fast.ai's `Metric`.
pub struct Metric {
    name: String,
    kind: Kind,
    may_be_undefined: bool,
}

/// How a metric goes through the batches.
enum Kind {
    /// As a mean of theirs, of which the function is taken.
    Mean(Box<Measure>, fn(f64) -> f64),
    /// Of all predictions and targets at once.
    OfAll(Box<Measure>),
    /// Of counts, which add up: predictions of pixels are too many to be kept.
    OfCounts(Box<Count>, Box<OfCounts>),
}

impl Metric {
    /// A metric that is computed for each batch and averaged, weighted by the number of items. fast.ai's `AvgMetric`.
    pub fn new(
        name: impl Into<String>,
        measure: impl Fn(&Tensor, &Tensor) -> Result<f64> + Send + Sync + 'static,
    ) -> Metric {
        Metric::of_kind(name, Kind::Mean(Box::new(measure), std::convert::identity))
    }

    /// A metric that is not a mean over items, such as F1, computed from all predictions and targets at once. fast.ai's
    /// `AccumMetric`.
    pub fn of_all(
        name: impl Into<String>,
        measure: impl Fn(&Tensor, &Tensor) -> Result<f64> + Send + Sync + 'static,
    ) -> Metric {
        Metric::of_kind(name, Kind::OfAll(Box::new(measure)))
    }

    /// A metric of pixel counts, which are added up over the batches, such as fast.ai's `Dice`.
    pub fn of_counts(
        name: impl Into<String>,
        count: impl Fn(&Tensor, &Tensor) -> Result<PixelCounts> + Send + Sync + 'static,
        value: impl Fn(&PixelCounts) -> f64 + Send + Sync + 'static,
    ) -> Metric {
        Metric::of_kind(name, Kind::OfCounts(Box::new(count), Box::new(value)))
    }

    fn of_kind(name: impl Into<String>, kind: Kind) -> Metric {
        Metric { name: name.into(), kind, may_be_undefined: false }
    }

    /// Allows values that are not finite, such as a correlation where all predictions are equal. For any other metric
    /// such a value after an epoch is an error, since it usually means that training has diverged. The library's own
    /// metrics always have a value, or fail.
    #[must_use]
    pub fn may_be_undefined(self) -> Metric {
        Metric { may_be_undefined: true, ..self }
    }

    /// Whether this is not a value that it may have.
    pub(super) fn refuses(&self, value: f64) -> bool {
        !value.is_finite() && !self.may_be_undefined
    }

    /// The metric's name, the heading of its column.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The metric of one batch, or of all predictions in one tensor.
    ///
    /// # Errors
    /// When shapes do not fit.
    pub fn of(&self, preds: &Tensor, ys: &Tensor) -> Result<f64> {
        match &self.kind {
            Kind::Mean(measure, of_mean) => Ok(of_mean(measure(preds, ys)?)),
            Kind::OfAll(measure) => measure(preds, ys),
            Kind::OfCounts(count, value) => Ok(value(&count(preds, ys)?)),
        }
    }

    pub(super) fn tally(&self) -> Tally<'_> {
        Tally { metric: self, sum: 0.0, n: 0.0, seen: Vec::new(), counts: None }
    }
}

/// A metric on its way through the batches.
pub(super) struct Tally<'a> {
    metric: &'a Metric,
    sum: f64,
    n: f64,
    /// Predictions and targets, if it takes them all at once.
    seen: Vec<(Tensor, Tensor)>,
    /// Counts so far, if it is of such.
    counts: Option<PixelCounts>,
}

impl Tally<'_> {
    pub(super) fn add(&mut self, preds: &Tensor, ys: &Tensor) -> Result<()> {
        match &self.metric.kind {
            Kind::Mean(measure, _) => {
                let size = ys.dims().first().copied().unwrap_or(1) as f64;
                self.sum += size * measure(preds, ys)?;
                self.n += size;
            }
            Kind::OfAll(_) => self.seen.push((preds.clone(), ys.clone())),
            Kind::OfCounts(count, _) => {
                let more = count(preds, ys)?;
                match &mut self.counts {
                    Some(counts) => counts.merge(&more)?,
                    None => self.counts = Some(more),
                }
            }
        }
        Ok(())
    }

    pub(super) fn value(&self) -> Result<f64> {
        match &self.metric.kind {
            Kind::Mean(_, of_mean) => Ok(of_mean(self.sum / self.n)),
            Kind::OfAll(measure) => {
                let (preds, ys): (Vec<&Tensor>, Vec<&Tensor>) = self.seen.iter().map(|(preds, ys)| (preds, ys)).unzip();
                measure(&Tensor::cat(&preds, 0)?, &Tensor::cat(&ys, 0)?)
            }
            Kind::OfCounts(_, value) => Ok(self.counts.as_ref().map_or(f64::NAN, value)),
        }
    }
}

/// The fraction of items whose highest score is that of their label; scores `[N, C]`, labels `[N]`. fast.ai's
/// `accuracy`.
pub fn accuracy() -> Metric {
    Metric::new("accuracy", share_correct)
}

/// The mean recall of the classes that have items; scores `[N, C]`, labels `[N]`. fast.ai's `BalancedAccuracy`.
pub fn balanced_accuracy() -> Metric {
    Metric::of_all("balanced_accuracy", |preds, ys| metrics::balanced_accuracy(&predicted(preds)?, &labels(ys)?))
}

/// The fraction of items that are misclassified, `1 - accuracy`; scores `[N, C]`, labels `[N]`. fast.ai's `error_rate`.
pub fn error_rate() -> Metric {
    Metric::new("error_rate", |preds, ys| Ok(1.0 - share_correct(preds, ys)?))
}

/// The fraction of items whose label is among the `k` highest scores; scores `[N, C]`, labels `[N]`. fast.ai's
/// `top_k_accuracy`.
pub fn top_k_accuracy(k: usize) -> Metric {
    Metric::new(format!("top_{k}_accuracy"), move |preds, ys| {
        metrics::top_k_accuracy(&scores(preds)?, preds.dim(D::Minus1)?, &labels(ys)?, k)
    })
}

/// Perplexity, the exponential of the cross entropy of the next word: the number of equally likely words with the same
/// cross entropy. Scores `[N, T, V]`, words `[N, T]`. fast.ai's `Perplexity`.
pub fn perplexity() -> Metric {
    let loss = |preds: &Tensor, ys: &Tensor| {
        let words = losses::cross_entropy_of_each(preds, ys)?;
        Ok(words.to_dtype(DType::F64)?.to_scalar::<f64>()?)
    };
    Metric::of_kind("perplexity", Kind::Mean(Box::new(loss), f64::exp))
}

/// The mean precision of the classes that occur or are predicted. fast.ai's `Precision(average="macro")`.
pub fn precision() -> Metric {
    Metric::of_all("precision", |preds, ys| Ok(confusion(preds, ys)?.average(Averaging::MacroPresent).precision))
}

/// The mean recall of the classes that occur or are predicted. fast.ai's `Recall(average="macro")`.
pub fn recall() -> Metric {
    Metric::of_all("recall", |preds, ys| Ok(confusion(preds, ys)?.average(Averaging::MacroPresent).recall))
}

/// The mean F1 score of the classes that occur or are predicted. fast.ai's `F1Score(average="macro")`.
pub fn f1_score() -> Metric {
    Metric::of_all("f1_score", |preds, ys| Ok(confusion(preds, ys)?.average(Averaging::MacroPresent).f1))
}

/// The area under the ROC curve; with more than two classes, the mean of each class against all others. fast.ai's
/// `RocAucBinary` and `RocAuc`. It fails if the validation set lacks a class.
pub fn roc_auc() -> Metric {
    Metric::of_all("roc_auc", |preds, ys| {
        let probabilities = candle_nn::ops::softmax(&preds.to_dtype(DType::F64)?, D::Minus1)?;
        let (values, n_classes, ys) = (scores(&probabilities)?, preds.dim(D::Minus1)?, labels(ys)?);
        match n_classes {
            2 => metrics::roc_auc(&values.iter().skip(1).step_by(2).copied().collect::<Vec<_>>(), &ys),
            n => metrics::roc_auc_ovr(&values, n, &ys),
        }
    })
}

/// The fraction of right answers in multi-label classification, with one yes or no for each item and class. A class is
/// predicted where its probability is at least `threshold`. Scores and targets `[N, C]`. fast.ai's `accuracy_multi`.
pub fn accuracy_multi(threshold: f64) -> Metric {
    Metric::of_all("accuracy_multi", move |preds, ys| Ok(multi_label(preds, ys, threshold)?.accuracy))
}

/// The mean F1 score of the classes in multi-label classification. Scores and targets `[N, C]`. fast.ai's
/// `F1ScoreMulti`.
pub fn f1_score_multi(threshold: f64) -> Metric {
    Metric::of_all("f1_score_multi", move |preds, ys| Ok(multi_label(preds, ys, threshold)?.macro_f1))
}

/// The mean average precision of the classes in multi-label classification. Scores and targets `[N, C]`. fast.ai's
/// `APScoreMulti`.
pub fn mean_average_precision() -> Metric {
    Metric::of_all("mean_average_precision", |preds, ys| Ok(multi_label(preds, ys, 0.5)?.mean_average_precision))
}

/// The root mean squared error; predictions and targets of one shape. fast.ai's `rmse`.
pub fn rmse() -> Metric {
    Metric::of_all("rmse", |preds, ys| metrics::rmse(&scores(preds)?, &scores(ys)?))
}

/// The mean absolute error; predictions and targets of one shape. fast.ai's `mae`.
pub fn mae() -> Metric {
    Metric::new("mae", |preds, ys| metrics::mae(&scores(preds)?, &scores(ys)?))
}

fn multi_label(preds: &Tensor, ys: &Tensor, threshold: f64) -> Result<MultiLabelReport> {
    let n_classes = preds.dim(D::Minus1)?;
    if preds.dims() != ys.dims() {
        let message =
            format!("scores {:?} for targets {:?}: expected one target for each class", preds.dims(), ys.dims());
        return Err(Error::shape(message, ys.dims()));
    }
    let probabilities = scores(&candle_nn::ops::sigmoid(&preds.to_dtype(DType::F64)?)?)?;
    let actual: Vec<u32> = scores(ys)?.into_iter().map(|y| u32::from(y > 0.5)).collect();
    MultiLabelReport::new(&probabilities, &actual, n_classes, threshold)
}

fn share_correct(preds: &Tensor, ys: &Tensor) -> Result<f64> {
    metrics::accuracy(&predicted(preds)?, &labels(ys)?)
}

fn confusion(preds: &Tensor, ys: &Tensor) -> Result<Confusion> {
    Confusion::new(preds.dim(D::Minus1)?, &predicted(preds)?, &labels(ys)?)
}

/// The class with the highest score of each item. NaN has no order and is an error.
fn predicted(preds: &Tensor) -> Result<Vec<u32>> {
    if let Some(i) = scores(preds)?.iter().position(|score| score.is_nan()) {
        let classes = preds.dim(D::Minus1)?.max(1);
        return Err(Error::Value(format!("the score of item {} for class {} is NaN", i / classes, i % classes)));
    }
    Ok(preds.argmax(D::Minus1)?.flatten_all()?.to_vec1::<u32>()?)
}

fn scores(preds: &Tensor) -> Result<Vec<f64>> {
    Ok(preds.flatten_all()?.to_dtype(DType::F64)?.to_vec1::<f64>()?)
}

fn labels(ys: &Tensor) -> Result<Vec<u32>> {
    Ok(losses::labels(ys)?.flatten_all()?.to_vec1::<u32>()?)
}
