//! Metrics of masks: classes of pixels, predicted and true.

use super::checks;
use super::confusion::ratio;
use crate::error::{Error, Result};

/// How many pixels are of each class, were taken for it, and both: all that metrics of masks follow from. Counts of
/// many pictures add up, so that a metric is one of all their pixels together, whatever the batches: fast.ai averages
/// its `foreground_acc` and the accuracies of its lessons over batches, which gives other digits where these differ.
///
/// Pixels of the void class do not count, and it has no part in the means over classes.
///
/// ```
/// use tallow::metrics::PixelCounts;
///
/// let mut counts = PixelCounts::new(3, Some(2))?;
/// counts.add(&[0, 1, 1, 0], &[0, 1, 0, 2])?; // one picture: predicted, true
/// assert_eq!(counts.accuracy(), Some(2.0 / 3.0));
/// assert_eq!(counts.jaccard(0), Some(0.5));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PixelCounts {
    void: Option<u32>,
    classes: Vec<ClassCounts>,
}

/// Those of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Pixels that are of the class.
    pub actual: u64,
    /// Pixels taken for it.
    pub predicted: u64,
    /// Pixels that are and were.
    pub both: u64,
}

impl PixelCounts {
    /// Nothing counted yet.
    ///
    /// # Errors
    /// [`Error::Label`] where the void class is none of the classes.
    pub fn new(n_classes: usize, void: Option<u32>) -> Result<PixelCounts> {
        if let Some(void) = void {
            checks::class(void, n_classes)?;
        }
        Ok(PixelCounts { void, classes: vec![ClassCounts::default(); n_classes] })
    }

    /// Counts the pixels of a picture, or of several.
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

    /// Counts what another has counted, too.
    ///
    /// # Errors
    /// [`Error::Shape`] where the classes are not the same.
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

    /// The class that does not count, if there is one.
    pub fn void(&self) -> Option<u32> {
        self.void
    }

    /// The counts of each class.
    pub fn classes(&self) -> &[ClassCounts] {
        &self.classes
    }

    /// The share of pixels whose class is right; none where there are none but void ones. The accuracy of fast.ai's
    /// lessons on CamVid, `acc_camvid`.
    pub fn accuracy(&self) -> Option<f64> {
        share(self.sum(|class| class.both), self.sum(|class| class.actual))
    }

    /// The share of pixels whose class is right, of those that are not of the class `background`. fast.ai's
    /// `foreground_acc`.
    pub fn foreground_accuracy(&self, background: u32) -> Option<f64> {
        let behind = self.classes.get(background as usize).copied().unwrap_or_default();
        share(self.sum(|class| class.both) - behind.both, self.sum(|class| class.actual) - behind.actual)
    }

    /// Twice the pixels that are and were taken for the class, by those that are plus those that were; none where the
    /// class neither is nor was. With two classes, that of class 1 is fast.ai's `Dice`.
    pub fn dice(&self, class: u32) -> Option<f64> {
        let ClassCounts { actual, predicted, both } = self.classes.get(class as usize).copied()?;
        share(2 * both, actual + predicted)
    }

    /// The pixels that are and were taken for the class, by those that are or were: intersection over union. With two
    /// classes, that of class 1 is fast.ai's `JaccardCoeff`.
    pub fn jaccard(&self, class: u32) -> Option<f64> {
        let ClassCounts { actual, predicted, both } = self.classes.get(class as usize).copied()?;
        share(both, actual + predicted - both)
    }

    /// The mean of the classes' Dice coefficients, of those that have one. fast.ai's `DiceMulti`.
    pub fn mean_dice(&self) -> Option<f64> {
        self.mean(|class| self.dice(class))
    }

    /// The mean of the classes' intersections over unions, of those that have one. fast.ai's `JaccardCoeffMulti`.
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

/// A share of something; none of nothing.
fn share(part: u64, whole: u64) -> Option<f64> {
    (whole > 0).then(|| ratio(part, whole))
}
