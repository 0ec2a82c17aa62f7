//! What images show, by number: one class each, or any number of classes.

use crate::error::{Error, Result};
use candle_core::{Device, Tensor};

/// The targets of images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Targets {
    /// One class each.
    Classes(Vec<u32>),
    /// Any number of classes each, none included. fast.ai's `MultiCategory`.
    Sets {
        /// The number of classes there are.
        n_classes: usize,
        /// The classes of each image.
        sets: Vec<Vec<u32>>,
    },
}

impl Targets {
    /// The number of items.
    pub fn len(&self) -> usize {
        match self {
            Targets::Classes(labels) => labels.len(),
            Targets::Sets { sets, .. } => sets.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The classes of item `index`; none if there is no such item.
    pub fn of(&self, index: usize) -> &[u32] {
        match self {
            Targets::Classes(labels) => labels.get(index).map(std::slice::from_ref).unwrap_or_default(),
            Targets::Sets { sets, .. } => sets.get(index).map(Vec::as_slice).unwrap_or_default(),
        }
    }

    /// The targets of these items as a tensor: labels `[N]` as `u32`, or `[N, C]` as `f32`, 1 for the classes that an
    /// item has and 0 for the others.
    ///
    /// # Errors
    /// When an item is not there, or a class is not below the number of classes.
    pub fn tensor(&self, indices: &[usize]) -> Result<Tensor> {
        if let Some(i) = indices.iter().find(|&&i| i >= self.len()) {
            return Err(Error::Value(format!("there is no item {i} among {}", self.len())));
        }
        match self {
            Targets::Classes(labels) => {
                Ok(Tensor::new(indices.iter().map(|&i| labels[i]).collect::<Vec<u32>>(), &Device::Cpu)?)
            }
            Targets::Sets { n_classes, .. } => {
                let mut rows = vec![0f32; indices.len() * n_classes];
                for (row, &i) in rows.chunks_exact_mut((*n_classes).max(1)).zip(indices) {
                    for &class in self.of(i) {
                        let place = row.get_mut(class as usize).ok_or_else(|| {
                            let message = format!("class {class} is not below the number of classes, {n_classes}");
                            Error::label(class, *n_classes, message)
                        })?;
                        *place = 1.0;
                    }
                }
                Ok(Tensor::from_vec(rows, (indices.len(), *n_classes), &Device::Cpu)?)
            }
        }
    }
}

impl From<Vec<u32>> for Targets {
    fn from(labels: Vec<u32>) -> Targets {
        Targets::Classes(labels)
    }
}
