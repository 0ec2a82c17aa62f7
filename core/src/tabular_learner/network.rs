//! The network of a tabular learner, whose predictions are in the target's units, without its offset.

use super::recipe::TableRecipe;
use crate::data::TableTarget;
use crate::error::{Error, Result};
use crate::kernels;
use crate::models::{TabularModel, TabularModelConfig, embedding_width};
use crate::nn::Params;
use crate::nn::losses::{cross_entropy, mse};
use crate::rng::Rng;
use crate::train::Model;
use candle_core::{Device, Tensor};
use std::sync::Arc;

/// A [`TabularModel`] that a learner and a predictor share.
#[derive(Clone)]
pub(super) struct TableNetwork {
    model: Arc<TabularModel>,
    /// Means and deviations `[1, n]` of predicted numbers, where they come out of the network in deviations.
    units: Option<(Tensor, Tensor)>,
}

impl TableNetwork {
    /// The network that a recipe describes.
    pub(super) fn new(recipe: &TableRecipe, params: &Params) -> Result<TableNetwork> {
        let sizes = recipe.columns.categories().iter().map(|column| column.classes.len());
        let sizes: Vec<(usize, usize)> = sizes.map(|n| (n, embedding_width(n))).collect();
        let (n_numbers, n_outputs) = (recipe.columns.numbers().len(), recipe.target.n_outputs());
        let network = TabularModelConfig { y_range: y_range(recipe)?, ..recipe.network.clone() };
        let model = Arc::new(TabularModel::new(&sizes, n_numbers, n_outputs, &network, params)?);
        let units = match &recipe.target {
            TableTarget::Numbers(targets) if recipe.in_deviations => {
                let row = |of: Vec<f64>| -> Result<Tensor> {
                    let of: Vec<f32> = of.into_iter().map(|value| value as f32).collect();
                    Ok(Tensor::from_vec(of, n_outputs, params.device())?)
                };
                let (means, stds) = targets.iter().map(|target| (target.mean - target.offset, target.std)).unzip();
                Some((row(means)?, row(stds)?))
            }
            _ => None,
        };
        Ok(TableNetwork { model, units })
    }

    /// The loss of predictions: cross entropy of scores, or the squared error of numbers, in deviations if the network
    /// has them.
    pub(super) fn loss(
        &self,
        target: &TableTarget,
    ) -> impl Fn(&Tensor, &Tensor) -> Result<Tensor> + Send + Sync + 'static {
        let (is_class, units) = (!target.classes().is_empty(), self.units.clone());
        move |preds, ys| match &units {
            _ if is_class => cross_entropy(preds, ys),
            None => mse(preds, ys),
            Some((_, stds)) => mse(&preds.broadcast_div(stds)?, &ys.broadcast_div(stds)?),
        }
    }

    pub(super) fn model(&self) -> &TabularModel {
        &self.model
    }
}

impl Model for TableNetwork {
    fn forward_inputs(&self, xs: &Tensor, more_xs: &[Tensor], train: bool) -> Result<Tensor> {
        let [numbers] = more_xs else {
            let n = more_xs.len();
            return Err(Error::shape(format!("{n} inputs beside the categories: expected the numbers"), &[n]));
        };
        let outputs = self.model.forward(xs, numbers, train)?;
        match &self.units {
            None => Ok(outputs),
            Some((means, stds)) => Ok(kernels::trace::scale_shift(&outputs, stds, means)?),
        }
    }
}

/// The range of predicted numbers without their offset, as targets are.
fn y_range(recipe: &TableRecipe) -> Result<Option<(f64, f64)>> {
    let (Some((low, high)), TableTarget::Numbers(targets)) = (recipe.network.y_range, &recipe.target) else {
        return Ok(recipe.network.y_range);
    };
    let offset = targets.first().map_or(0.0, |target| target.offset);
    if targets.iter().any(|target| target.offset != offset) {
        let what = "one range cannot be for targets that are far from 0 and differ little, each elsewhere";
        return Err(Error::config("y_range", what));
    }
    Ok(Some((low - offset, high - offset)))
}

/// Parameters for a new network.
pub(super) fn params(seed: u64, device: &Device) -> Params {
    Params::new(&Rng::new(seed).stream("network"), device)
}
