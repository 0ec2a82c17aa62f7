//! What an exported model of ratings is built from.

use super::baseline::BiasModel;
use crate::data::IdVocab;
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::train::export::Exported;
use candle_core::{DType, Device, Tensor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The kind of learner, in an exported folder.
pub(super) const KIND: &str = "collab";

/// The tensor of pairs of user and item that were rated, in an exported folder.
const SEEN: &str = "seen";

/// What it takes to build the network again, and to name users and items.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CollabRecipe {
    pub(super) n_factors: usize,
    /// The widths of hidden layers; none where the product of factors predicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) layers: Option<Vec<usize>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) y_range: Option<(f64, f64)>,
    pub(super) users: IdVocab,
    pub(super) items: IdVocab,
}

impl CollabRecipe {
    /// What shapes training besides the data.
    pub(super) fn fingerprint(&self, first: Option<&BiasModel>) -> Fingerprint {
        let network = match &self.layers {
            None => format!("the product of {} factors", self.n_factors),
            Some(layers) => format!("layers of {layers:?}"),
        };
        let first = first.map_or("random".into(), |b| format!("shrunk by {} and {}", b.shrink_users, b.shrink_items));
        Fingerprint::default()
            .with("the network", network)
            .with("the range of predictions", format!("{:?}", self.y_range))
            .with("the biases at first", first)
    }

    pub(super) fn to_json(&self, folder: &Path) -> Result<serde_json::Value> {
        serde_json::to_value(self)
            .map_err(|e| Error::file(folder, format!("the model cannot be described in JSON: {e}")))
    }

    /// Reads what [`CollabRecipe::to_json`] wrote.
    pub(super) fn from_exported(folder: &Path, exported: &Exported) -> Result<CollabRecipe> {
        let useless = |why: String| crate::train::export::useless(folder, why);
        if exported.kind != KIND {
            return Err(useless(format!("holds a model of the kind `{}`, not one of ratings", exported.kind)));
        }
        serde_json::from_value(exported.recipe.clone())
            .map_err(|e| useless(format!("has a recipe (network, users, items) that is not known here: {e}")))
    }
}

/// Which items each user has rated, by number: what is not recommended.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Seen(Vec<Vec<u32>>);

impl Seen {
    /// Pairs of user and item, for so many users; what is unknown is left out.
    pub(super) fn new(n_users: usize, pairs: impl IntoIterator<Item = (u32, u32)>) -> Seen {
        let mut seen = vec![Vec::new(); n_users];
        for (user, item) in pairs {
            if let (Some(items), true) = (seen.get_mut(user as usize), user != 0 && item != 0) {
                items.push(item);
            }
        }
        for items in &mut seen {
            items.sort_unstable();
            items.dedup();
        }
        Seen(seen)
    }

    /// The items that a user has rated, rising.
    pub(super) fn of(&self, user: u32) -> &[u32] {
        self.0.get(user as usize).map_or(&[], Vec::as_slice)
    }

    /// How many users have rated each of so many items.
    pub(super) fn counts(&self, n_items: usize) -> Vec<usize> {
        let mut counts = vec![0; n_items];
        for &item in self.0.iter().flatten() {
            if let Some(count) = counts.get_mut(item as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// As a tensor `[pairs, 2]` for an exported folder.
    pub(super) fn tensor(&self) -> Result<(String, Tensor)> {
        let pairs: Vec<i64> = self
            .0
            .iter()
            .enumerate()
            .flat_map(|(user, items)| items.iter().flat_map(move |&item| [user as i64, i64::from(item)]))
            .collect();
        let n = pairs.len() / 2;
        Ok((SEEN.to_string(), Tensor::from_vec(pairs, (n, 2), &Device::Cpu)?))
    }

    /// Takes what [`Seen::tensor`] made out of a folder's tensors.
    pub(super) fn take(weights: &mut BTreeMap<String, Tensor>, n_users: usize, folder: &Path) -> Result<Seen> {
        let useless = || Error::file(folder, "does not say who has rated what; export the model again");
        let tensor = weights.remove(SEEN).ok_or_else(useless)?;
        if tensor.dtype() != DType::I64 || !matches!(tensor.dims(), &[_, 2]) {
            return Err(useless());
        }
        let pairs = tensor.to_vec2::<i64>()?;
        let code = |code: i64| u32::try_from(code).unwrap_or(0);
        Ok(Seen::new(n_users, pairs.iter().map(|pair| (code(pair[0]), code(pair[1])))))
    }
}
