//! Metrics for segmentation.

use super::checks;
use super::confusion::ratio;
use crate::error::{Error, Result};

/// Counts of actual and predicted pixels of each class, from which all metrics of masks follow.
///
/// Counts of several images add up, so that a metric is that of all pixels together and does not depend on the batches.
/// fast.ai averages `foreground_acc` and the accuracies of its lessons over batches, which gives other digits if
/// batches differ in size. Pixels of the void class are ignored, and means over classes leave it out.
///
/// ```
/// use tallow::metrics::PixelCounts;
///
/// let mut counts = PixelCounts::new(3, Some(2))?;
/// counts.add(&[0, 1, 1, 0], &[0, 1, 0, 2])?; // one image: predicted, actual
/// assert_eq!(counts.accuracy(), Some(2.0 / 3.0));
/// assert_eq!(counts.jaccard(0), Some(0.5));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelCounts {
    void: Option<u32>,
    classes: Vec<ClassCounts>,
}

/// The pixel counts of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// The number of pixels of the class.
    pub actual: u64,
    /// The number of pixels predicted to be of the class.
    pub predicted: u64,
    /// The number of pixels that are of the class and predicted to be.
    pub both: u64,
}

impl PixelCounts {
    /// Counts of no pixels yet.
    ///
    /// # Errors
    /// [`Error::Label`] where the void class is not one of the classes.
    pub fn new(n_classes: usize, void: Option<u32>) -> Result<PixelCounts> {
        if let Some(void) = void {
            checks::class(void, n_classes)?;
        }
        Ok(PixelCounts { void, classes: vec![ClassCounts::default(); n_classes] })
    }

    /// Adds the pixels of one image, or of several.
    ///
    /// # Errors
    /// [`Error::Shape`] where the lengths differ or are 0, [`Error::Label`] where a class is out of range.
    pub fn add(&mut self, predicted: &[u32], actual: &[u32]) -> Result<()> {
        checks::same_length(predicted.len(), actual.len())?;
        let n_classes = self.classes.len();
        for (&p, &a) in predicted.iter().zip(actual).filter(|&(_, a)| self.void != Some(*a)) {
            let (p, a) = (checks::class(p, n_classes)?, checks::class(a, n_classes)?);
            self.classes[p].predicted += 1;
            self.classes[a].actual += 1;
            self.classes[a].both += u64::from(p == a);
        }
        Ok(())
    }

    /// Adds the counts of `other`.
    ///
    /// # Errors
    /// [`Error::Shape`] where the number of classes or the void class differs.
    pub fn merge(&mut self, other: &PixelCounts) -> Result<()> {
        if (self.void, self.classes.len()) != (other.void, other.classes.len()) {
            let n = other.classes.len();
            let message = format!("pixels of {n} classes cannot be added to those of {}", self.classes.len());
            return Err(Error::shape(message, &[n]));
        }
        for (mine, theirs) in self.classes.iter_mut().zip(&other.classes) {
            mine.actual += theirs.actual;
            mine.predicted += theirs.predicted;
            mine.both += theirs.both;
        }
        Ok(())
    }

    /// The void class, if there is one.
    pub fn void(&self) -> Option<u32> {
        self.void
    }

    /// The counts of each class.
    pub fn classes(&self) -> &[ClassCounts] {
        &self.classes
    }

    /// The fraction of pixels whose class is right; `None` if all are void. `acc_camvid` of fast.ai's lessons.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.sum(|class| class.both), self.sum(|class| class.actual))
    }

    /// The fraction of right pixels among those that are not of the class `background`; `None` if there are none.
    /// fast.ai's `foreground_acc`.
    pub fn foreground_accuracy(&self, background: u32) -> Option<f64> {
        let behind = self.classes.get(background as usize).copied().unwrap_or_default();
        share(self.sum(|class| class.both) - behind.both, self.sum(|class| class.actual) - behind.actual)
    }

    /// The Dice coefficient of a class, `2·|A ∩ P| / (|A| + |P|)` for its actual pixels `A` and its predicted pixels
    /// `P`; `None` if there are neither. With two classes, that of class 1 is fast.ai's `Dice`.
    pub fn dice(&self, class: u32) -> Option<f64> {
        let ClassCounts { actual, predicted, both } = self.classes.get(class as usize).copied()?;
        share(2 * both, actual + predicted)
    }

    /// The Jaccard coefficient of a class, intersection over union: `|A ∩ P| / |A ∪ P|` for its actual pixels `A` and
    /// its predicted pixels `P`; `None` if there are neither. With two classes, that of class 1 is fast.ai's
    /// `JaccardCoeff`.
    pub fn jaccard(&self, class: u32) -> Option<f64> {
        let ClassCounts { actual, predicted, both } = self.classes.get(class as usize).copied()?;
        share(both, actual + predicted - both)
    }

    /// The mean of all defined Dice coefficients. fast.ai's `DiceMulti`.
    pub fn mean_dice(&self) -> Option<f64> {
        self.mean(|class| self.dice(class))
    }

    /// The mean of all defined Jaccard coefficients. fast.ai's `JaccardCoeffMulti`.
    pub fn mean_jaccard(&self) -> Option<f64> {
        self.mean(|class| self.jaccard(class))
    }

    fn mean(&self, of: impl Fn(u32) -> Option<f64>) -> Option<f64> {
        let classes = (0..self.classes.len() as u32).filter(|&class| self.void != Some(class));
        let values: Vec<f64> = classes.filter_map(of).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    fn sum(&self, of: impl Fn(&ClassCounts) -> u64) -> u64 {
        self.classes.iter().map(of).sum()
    }
}

/// A fraction; `None` if the denominator is 0.
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| ratio(part, whole))
}
