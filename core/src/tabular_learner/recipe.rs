//! What an exported model of tables is built from.

use crate::data::{TableProcs, TableTarget};
use crate::error::{Error, Result};
use crate::fingerprint::Fingerprint;
use crate::models::TabularModelConfig;
use crate::train::export::Exported;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The kind of learner, in an exported folder.
pub(super) const KIND: &str = "tabular";

/// All that it takes to build the network again and to show it a row, as it stands in `learner.json`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TableRecipe {
    pub(super) columns: TableProcs,
    pub(super) target: TableTarget,
    pub(super) network: TabularModelConfig,
    /// Whether predicted numbers come out of the network in deviations from the mean.
    pub(super) in_deviations: bool,
}

impl TableRecipe {
    /// What shapes training besides the data.
    pub(super) fn fingerprint(&self) -> Result<Fingerprint> {
        let network = serde_json::to_string(&self.network)
            .map_err(|e| Error::Value(format!("the network cannot be described in JSON: {e}")))?;
        let units = if self.in_deviations { "deviations from the mean" } else { "their own" };
        Ok(Fingerprint::default().with("the network", network).with("the units of the targets", units))
    }

    pub(super) fn to_json(&self, folder: &Path) -> Result<serde_json::Value> {
        let not_in_json = |e| Error::file(folder, format!("the model cannot be described in JSON: {e}"));
        let json = serde_json::to_value(self).map_err(not_in_json)?;
        // JSON has no infinity: what could not be read again is not written.
        TableRecipe::deserialize(&json).map_err(not_in_json)?;
        Ok(json)
    }

    pub(super) fn from_exported(folder: &Path, exported: &Exported) -> Result<TableRecipe> {
        let useless = |why: String| crate::train::export::useless(folder, why);
        if exported.kind != KIND {
            return Err(useless(format!("holds a model of the kind `{}`, not a `{KIND}` one", exported.kind)));
        }
        let recipe: TableRecipe = serde_json::from_value(exported.recipe.clone())
            .map_err(|e| useless(format!("has a recipe (columns, target, network) that is not known here: {e}")))?;
        if recipe.target.classes() != exported.vocab {
            return Err(useless("has other classes in its recipe than in its vocabulary".into()));
        }
        Ok(recipe)
    }
}
