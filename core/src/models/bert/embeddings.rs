//! What a piece of a word is before anything is known of the others.

use super::config::BertConfig;
use crate::error::{Error, Result};
use crate::kernels;
use crate::kernels::trace::{Operation, traced};
use crate::nn::init::Init;
use crate::nn::{Dropout, Embedding, LayerNorm, Module, Params};
use candle_core::Tensor;

/// The vectors of a piece, of its place and of the kind of its text, added up and normalised. transformers'
/// `BertEmbeddings`.
pub(super) struct Embeddings {
    word: Embedding,
    position: Embedding,
    token_type: Embedding,
    norm: LayerNorm,
    dropout: Dropout,
    places: usize,
}

impl Embeddings {
    pub(super) fn new(config: &BertConfig, params: &Params) -> Result<Embeddings> {
        let width = config.hidden_size;
        let table = |rows, name| Embedding::with_init(rows, width, Init::Normal(0.02), &params.pp(name));
        Ok(Embeddings {
            word: table(config.vocab_size, "word_embeddings")?.with_padding(0),
            position: table(config.max_position_embeddings, "position_embeddings")?,
            token_type: table(config.type_vocab_size, "token_type_embeddings")?,
            norm: LayerNorm::new(width, config.layer_norm_eps, &params.pp("LayerNorm"))?,
            dropout: Dropout::new(config.hidden_dropout_prob, params)?,
            places: config.max_position_embeddings,
        })
    }

    /// `[N, T]` to `[N, T, hidden]`.
    pub(super) fn forward(&self, ids: &Tensor, train: bool) -> Result<Tensor> {
        let (texts, places) = ids.dims2()?;
        if places > self.places {
            let message = format!("a text of {places} pieces for a network that knows {} places", self.places);
            return Err(Error::shape(message, ids.dims()));
        }
        let positions: Vec<u32> = (0..texts).flat_map(|_| 0..places as u32).collect();
        let positions = Tensor::from_vec(positions, (texts, places), ids.device())?;
        let words = self.word.forward(ids)?;
        let (table, of) = (self.token_type.weight().tensor(), ids.clone());
        let first = || Operation::FirstEmbedding { table, ids: of };
        let types = traced(first, || self.token_type.forward(&ids.zeros_like()?))?;
        let (table, of) = (self.position.weight().tensor(), ids.clone());
        let by_place = || Operation::PositionEmbedding { table, ids: of };
        let places = traced(by_place, || self.position.forward(&positions))?;
        let sum = kernels::add(&kernels::add(&words, &types)?, &places)?;
        self.dropout.forward(&self.norm.forward(&sum, train)?, train)
    }
}
