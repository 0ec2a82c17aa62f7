//! Photos unlike any in training: how far their features are from those of the photos that a network has learnt from.

use crate::error::{Error, Result};
use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most training photos that are kept to compare with.
pub(super) const KEPT: usize = 256;

/// The share of training and of validation photos that are within the threshold.
const WITHIN: f64 = 0.99;

const TENSOR: &str = "strangers.features";

/// Features of some training photos, and how far photos like them are from these. The distance of a photo is that of
/// its features, made one long, to their `k`-th nearest (Sun et al., *Out-of-Distribution Detection with Deep Nearest
/// Neighbors*, 2022, who found that a small part of the training set is enough).
#[derive(Debug, Clone)]
pub(super) struct Strangers {
    /// `[n, features]`, each row of length 1.
    features: Vec<Vec<f32>>,
    notes: Notes,
}

/// What stands in `learner.json` of it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Notes {
    k: usize,
    threshold: f64,
}

impl Strangers {
    /// From features `[n, features]` of training photos and of validation photos. The threshold is the larger one of
    /// two: where nearly all training photos are, each seen from the others, and where nearly all validation photos
    /// are, since a network that was trained in full knows its training photos better than any other.
    pub(super) fn new(train: &Tensor, valid: &Tensor) -> Result<Strangers> {
        let (features, valid) = (unit_rows(train)?, unit_rows(valid)?);
        if features.len() < 2 {
            return Err(Error::shape(
                "one photo is nothing to compare others with: expected two or more",
                train.dims(),
            ));
        }
        let k = (features.len() / 25).clamp(1, 10);
        let mut strangers = Strangers { features, notes: Notes { k, threshold: 0.0 } };
        let among_others = |i: usize| strangers.distance(&strangers.features[i], Some(i));
        let own: Vec<f64> = (0..strangers.features.len()).map(among_others).collect();
        let others: Vec<f64> = valid.iter().map(|row| strangers.distance(row, None)).collect();
        strangers.notes.threshold = quantile(own, WITHIN).max(quantile(others, WITHIN));
        Ok(strangers)
    }

    /// How far photos of these features, `[N, features]`, are, as a multiple of the threshold: above 1 they are unlike
    /// any in training.
    pub(super) fn strangeness(&self, features: &Tensor) -> Result<Vec<f64>> {
        let distance = |row: &Vec<f32>| self.distance(row, None) / self.notes.threshold.max(f64::MIN_POSITIVE);
        Ok(unit_rows(features)?.iter().map(distance).collect())
    }

    /// The Euclidean distance to the `k`-th nearest kept photo, without number `own`.
    fn distance(&self, row: &[f32], own: Option<usize>) -> f64 {
        let others = self.features.iter().enumerate().filter(|(i, _)| Some(*i) != own);
        let squared = |(_, other): (usize, &Vec<f32>)| -> f64 {
            row.iter().zip(other).map(|(a, b)| f64::from(a - b).powi(2)).sum()
        };
        let mut squares: Vec<f64> = others.map(squared).collect();
        squares.sort_by(f64::total_cmp);
        squares.get(self.notes.k - 1).or(squares.last()).copied().unwrap_or_default().sqrt()
    }

    pub(super) fn notes(&self) -> Notes {
        self.notes
    }

    /// The tensor to be exported, by its name.
    pub(super) fn tensor(&self) -> Result<(String, Tensor)> {
        let width = self.features.first().map_or(0, Vec::len);
        let tensor = Tensor::from_vec(self.features.concat(), (self.features.len(), width), &Device::Cpu)?;
        Ok((TENSOR.to_string(), tensor))
    }

    /// Takes it out of exported tensors, if notes say that it is among them.
    pub(super) fn take(
        notes: Option<Notes>,
        tensors: &mut BTreeMap<String, Tensor>,
    ) -> Result<Option<Strangers>, String> {
        let (Some(notes), Some(tensor)) = (notes, tensors.remove(TENSOR)) else {
            return match notes {
                None => Ok(None),
                Some(_) => Err(format!("has no tensor `{TENSOR}`, of which its notes speak")),
            };
        };
        let features = tensor.to_dtype(DType::F32).and_then(|tensor| tensor.to_vec2::<f32>());
        let features = features.map_err(|e| format!("has an odd tensor `{TENSOR}`: {e}"))?;
        let fits = (1..features.len().max(2)).contains(&notes.k) && notes.threshold.is_finite() && features.len() > 1;
        if !fits {
            return Err(format!("has odd notes on `{TENSOR}`: {notes:?} for {} photos", features.len()));
        }
        Ok(Some(Strangers { features, notes }))
    }
}

/// Features of a network as rows, `[N, features]`: where they are maps, their means.
pub(super) fn pooled(features: &Tensor) -> Result<Tensor> {
    let features = features.to_dtype(DType::F32)?;
    Ok(match features.rank() {
        4 => features.flatten_from(2)?.mean(2)?,
        _ => features.flatten_from(1)?,
    })
}

/// The rows, each of length 1; one of nothing but zeros stays so.
fn unit_rows(features: &Tensor) -> Result<Vec<Vec<f32>>> {
    let mut rows = features.to_device(&Device::Cpu)?.to_vec2::<f32>()?;
    for row in &mut rows {
        let length = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        row.iter_mut().for_each(|v| *v = (f64::from(*v) / length) as f32);
    }
    Ok(rows)
}

/// The smallest value that at least this share of the values does not exceed; 0 of none.
fn quantile(mut values: Vec<f64>, share: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let place = (share * values.len() as f64).ceil() as usize;
    values.get(place.saturating_sub(1)).copied().unwrap_or_default()
}
