//! Calibration of predicted probabilities.

use super::Interpretation;
use crate::error::{Error, Result};
use crate::metrics::{at_temperature, expected_calibration_error, fit_temperature, log_loss, reliability};
use crate::plot::Plot;

/// The bins of the calibration error, as in Guo et al., 2017.
const BINS: usize = 15;

/// The most bins of the picture, and the items that each should have: few of them are right by chance.
const PLOT_BINS: usize = 10;
const ITEMS_IN_A_BIN: usize = 12;

/// The effect of temperature scaling (Guo et al., 2017). Errors after scaling are measured by cross-fitting: the
/// temperature for each half of the items is fitted on the other half, so that no item is evaluated with a temperature
/// that was fitted on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Calibration {
    /// The temperature fitted on all items, by which scores are divided before the softmax.
    pub temperature: f64,
    /// The number of items.
    pub n_items: usize,
    /// The number of wrong predictions.
    pub n_mistakes: usize,
    /// The expected calibration error before scaling.
    pub ece_before: f64,
    /// That at the temperature, cross-fitted.
    pub ece_after: f64,
    /// The log loss before scaling.
    pub log_loss_before: f64,
    /// That at the temperature, cross-fitted.
    pub log_loss_after: f64,
    /// The cross-fitted probabilities, `[N, classes]`.
    after: Vec<f64>,
}

/// The least number of mistakes to learn from. With fewer, how many there are is chance more than anything else.
const MISTAKES: usize = 5;

impl Calibration {
    /// Whether there are enough wrong predictions to fit a temperature: five or more.
    pub fn is_informed(&self) -> bool {
        self.n_mistakes >= MISTAKES
    }

    /// Whether the temperature makes the probabilities of items that it has not seen better, by their log loss and by
    /// their calibration error, and there are mistakes enough to tell. Mistakes of which a network is as sure as of
    /// anything else are more than one number can set right.
    pub fn helps(&self) -> bool {
        let is_better = self.log_loss_after < self.log_loss_before && self.ece_after < self.ece_before;
        self.is_informed() && is_better
    }
}

impl Interpretation {
    /// Fits a temperature to these predictions (Guo et al., *On Calibration of Modern Neural Networks*, 2017), and
    /// measures what it brings. It changes no predicted class.
    ///
    /// # Errors
    /// When there are fewer than four items, or a probability is not a number.
    pub fn calibration(&self) -> Result<Calibration> {
        let (n_classes, n_items) = (self.vocab().len(), self.actual().len());
        if n_items < 4 {
            let message = format!("{n_items} items are too few to calibrate probabilities by: expected 4 or more");
            return Err(Error::shape(message, &[n_items]));
        }
        let (all, labels) = (self.all_probabilities(), self.actual());
        // Every other item of each class is in the same half, so that both halves have all classes.
        let mut seen = vec![0usize; n_classes];
        let half: Vec<bool> = labels
            .iter()
            .map(|&label| {
                let count = &mut seen[label as usize];
                *count += 1;
                count.is_multiple_of(2)
            })
            .collect();
        let rows = |wanted: bool| -> (Vec<f64>, Vec<u32>) {
            let items: Vec<usize> = (0..n_items).filter(|&i| half[i] == wanted).collect();
            (
                items.iter().flat_map(|&i| self.probabilities(i).to_vec()).collect(),
                items.iter().map(|&i| labels[i]).collect(),
            )
        };
        let fitted = |wanted: bool| -> Result<f64> {
            let (rows, labels) = rows(wanted);
            if labels.is_empty() { Ok(1.0) } else { fit_temperature(&rows, n_classes, &labels) }
        };
        let temperatures = [fitted(true)?, fitted(false)?];
        let mut after = Vec::with_capacity(all.len());
        for (i, &half) in half.iter().enumerate() {
            after.extend(at_temperature(self.probabilities(i), n_classes, temperatures[usize::from(half)])?);
        }
        Ok(Calibration {
            temperature: fit_temperature(all, n_classes, labels)?,
            n_items,
            n_mistakes: labels.iter().zip(self.predicted()).filter(|(a, b)| a != b).count(),
            ece_before: expected_calibration_error(all, n_classes, labels, BINS)?,
            ece_after: expected_calibration_error(&after, n_classes, labels, BINS)?,
            log_loss_before: log_loss(all, n_classes, labels)?,
            log_loss_after: log_loss(&after, n_classes, labels)?,
            after,
        })
    }

    /// The expected calibration error of these probabilities, in 15 bins.
    ///
    /// # Errors
    /// When a probability is not a number.
    pub fn expected_calibration_error(&self) -> Result<f64> {
        expected_calibration_error(self.all_probabilities(), self.vocab().len(), self.actual(), BINS)
    }

    /// The same predictions at another temperature: the same classes, other probabilities and losses.
    ///
    /// # Errors
    /// When the temperature is not above 0.
    pub fn at_temperature(&self, temperature: f64) -> Result<Interpretation> {
        let n_classes = self.vocab().len();
        let rows: Vec<Vec<f64>> = at_temperature(self.all_probabilities(), n_classes, temperature)?
            .chunks_exact(n_classes.max(1))
            .map(<[f64]>::to_vec)
            .collect();
        let scaled = Interpretation::from_probabilities(&rows, self.actual(), self.vocab())?;
        match self.files() {
            Some(files) => scaled.with_files(files.to_vec()),
            None => Ok(scaled),
        }
    }

    /// The reliability diagram: how many predictions of each confidence are right, before and after calibration. Points
    /// under the diagonal are too sure of themselves. [`crate::metrics::reliability`].
    ///
    /// # Errors
    /// When a probability is not a number.
    pub fn plot_reliability(&self, calibration: &Calibration) -> Result<Plot> {
        let n_classes = self.vocab().len();
        let n_bins = (self.actual().len() / ITEMS_IN_A_BIN).clamp(3, PLOT_BINS);
        let points = |probabilities: &[f64]| -> Result<(Vec<f64>, Vec<f64>)> {
            let bins = reliability(probabilities, n_classes, self.actual(), n_bins)?;
            Ok(bins.into_iter().map(|bin| (bin.confidence, bin.accuracy)).unzip())
        };
        let (before, after) = (points(self.all_probabilities())?, points(&calibration.after)?);
        let curve = |plot: Plot, name: &str, (sure, right): &(Vec<f64>, Vec<f64>), color: usize| {
            plot.line(name, sure, right).colored(color).scatter("", sure, right).colored(color)
        };
        let plot = Plot::new("Are probabilities right?").x_label("how sure the network is");
        let plot = curve(plot.y_label("share that is right"), "as the network says", &before, 0);
        let plot = curve(plot, "calibrated, of unseen items", &after, 1);
        let plot = plot.dashed("as it should be", &[0.0, 1.0], &[0.0, 1.0]).colored(2);
        Ok(plot.x_range(0.0, 1.0).y_range(0.0, 1.0))
    }
}
