//! The encoder with a layer for classes.

use super::{BertConfig, BertModel};
use crate::error::Result;
use crate::kernels;
use crate::kernels::trace::{Operation, traced};
use crate::models::weights::Weights;
use crate::nn::init::Init;
use crate::nn::{Dropout, Linear, Module, Params};
use candle_core::{DType, Tensor};

/// The mean of a text's vectors, dropout, and a linear layer for the classes: `[N, T]` numbers of pieces, of which 0 is
/// padding, to scores `[N, n_classes]`. transformers' `BertForSequenceClassification`, with sentence-transformers' mean
/// in place of the first piece's vector.
pub struct BertClassifier {
    bert: BertModel,
    dropout: Dropout,
    head: Linear,
    normalize: bool,
    params: Params,
}

impl BertClassifier {
    /// A network with transformers' initial values. With `normalize`, the layer sees vectors of length 1.
    ///
    /// # Errors
    /// As [`BertModel::new`].
    pub fn new(config: &BertConfig, n_classes: usize, normalize: bool, params: &Params) -> Result<BertClassifier> {
        let bert = BertModel::new(config, &params.pp("bert"))?;
        let dropout = Dropout::new(config.hidden_dropout_prob, &params.pp("dropout"))?;
        let weight = Init::Normal(0.02);
        let head = params.pp("classifier");
        let head = Linear::with_init(config.hidden_size, n_classes, weight, Some(Init::Zeros), &head)?;
        Ok(BertClassifier { bert, dropout, head, normalize, params: params.clone() })
    }

    /// Gives the encoder published weights.
    ///
    /// # Errors
    /// As [`BertModel::load`].
    pub fn load_encoder(&self, weights: &Weights) -> Result<()> {
        self.bert.load(weights, &self.params.pp("bert"))
    }

    /// Makes two groups of the parameters: the encoder, and the layer for the classes.
    ///
    /// # Errors
    /// When they belong to another network.
    pub fn split_groups(&self) -> Result<()> {
        self.params.split_groups(&[&["bert"], &["classifier"]])
    }

    /// What the layer for the classes sees of texts `[N, T]`: `[N, hidden_size]`.
    ///
    /// # Errors
    /// As [`BertModel::forward`].
    pub fn features(&self, ids: &Tensor, train: bool) -> Result<Tensor> {
        let mask: Vec<bool> = ids.flatten_all()?.to_vec1::<u32>()?.into_iter().map(|id| id != 0).collect();
        let means = self.bert.pooled(ids, &mask, train)?;
        if !self.normalize {
            return Ok(means);
        }
        traced(
            || Operation::Normalize { xs: means.clone() },
            || {
                let lengths = means.sqr()?.sum_keepdim(1)?.sqrt()?.clamp(1e-12, f64::INFINITY)?;
                Ok(means.broadcast_div(&lengths)?)
            },
        )
    }
}

impl Module for BertClassifier {
    fn forward(&self, xs: &Tensor, train: bool) -> Result<Tensor> {
        kernels::recorded(|| {
            let features = self.features(&xs.to_dtype(DType::U32)?, train)?;
            self.head.forward(&self.dropout.forward(&features, train)?, train)
        })
    }
}
