//! A trained classifier with its words and classes: texts in, classes out.

use super::piece_dataset::in_batches;
use super::recipe::{self, ClassifierRecipe, TEXT_CLASSIFIER, TRANSFORMER_CLASSIFIER, TransformerRecipe};
use super::shared;
use crate::data::{TextLoader, TextProcs, pad_chunks};
use crate::device;
use crate::error::{Error, Result};
use crate::kernels;
use crate::models::{BertClassifier, TextClassifier};
use crate::nn::Module;
use crate::train::export::{self, Exported};
use crate::words::WordPiece;
use candle_core::{D, DType, Device};
use std::path::Path;
use std::sync::Arc;

/// The class of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct TextPrediction {
    /// The class.
    pub class: String,
    /// Its place among the classes.
    pub index: usize,
    /// Its probability.
    pub probability: f64,
    /// Those of all classes, in their order.
    pub probabilities: Vec<f64>,
}

impl std::fmt::Display for TextPrediction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:.4}", self.class, self.probability)
    }
}

/// A trained classifier with its words and classes.
pub struct TextPredictor {
    reader: Reader,
    classes: Vec<String>,
    device: Device,
}

/// How texts are read.
enum Reader {
    /// By an AWD-LSTM, word by word.
    Words(Arc<TextClassifier>, Box<ClassifierRecipe>),
    /// By a transformer, in pieces of words.
    Pieces(Arc<BertClassifier>, Box<WordPiece>),
}

/// Reads a folder that [`super::TextClassifierLearner::export`] or [`super::TransformerLearner::export`] wrote, and
/// predicts on the best device that this build and this machine have. fast.ai's `load_learner`.
///
/// # Errors
/// As [`load_text_classifier_on`].
pub fn load_text_classifier(folder: impl AsRef<Path>) -> Result<TextPredictor> {
    load_text_classifier_on(folder, &device::best())
}

/// [`load_text_classifier`] on a certain device.
///
/// # Errors
/// Those of [`export::load`]; and [`crate::error::Error::File`] when the folder holds another kind of learner, or its
/// tensors do not fit its network.
pub fn load_text_classifier_on(folder: impl AsRef<Path>, device: &Device) -> Result<TextPredictor> {
    let folder = folder.as_ref();
    let exported = export::load(folder)?;
    if exported.kind == TRANSFORMER_CLASSIFIER {
        return load_transformer(folder, exported, device);
    }
    let recipe: ClassifierRecipe = recipe::from_exported(folder, &exported, TEXT_CLASSIFIER)?;
    let params = shared::params(0, device).expecting(&exported.weights);
    let (n_words, n_classes) = (recipe.text.vocab.len(), exported.vocab.len());
    let network = TextClassifier::new(n_words, n_classes, &recipe.network, &recipe.options(), &params);
    let network = export::fits(folder, network)?;
    shared::load_weights(folder, &params, &exported)?;
    Ok(TextPredictor::new(Arc::new(network), recipe, exported.vocab, device))
}

fn load_transformer(folder: &Path, exported: Exported, device: &Device) -> Result<TextPredictor> {
    let recipe: TransformerRecipe = recipe::from_exported(folder, &exported, TRANSFORMER_CLASSIFIER)?;
    let useless = |e: Error| export::useless(folder, e);
    let pieces = WordPiece::from_json(&recipe.tokenizer).and_then(|pieces| pieces.max_tokens(recipe.max_tokens));
    let params = shared::params(0, device).expecting(&exported.weights);
    let network = BertClassifier::new(&recipe.network, exported.vocab.len(), recipe.normalize, &params);
    let (pieces, network) = (pieces.map_err(useless)?, export::fits(folder, network)?);
    shared::load_weights(folder, &params, &exported)?;
    Ok(TextPredictor::of_pieces(Arc::new(network), pieces, exported.vocab, device))
}

impl TextPredictor {
    pub(super) fn new(
        network: Arc<TextClassifier>,
        recipe: ClassifierRecipe,
        classes: Vec<String>,
        device: &Device,
    ) -> TextPredictor {
        TextPredictor { reader: Reader::Words(network, Box::new(recipe)), classes, device: device.clone() }
    }

    pub(super) fn of_pieces(
        network: Arc<BertClassifier>,
        pieces: WordPiece,
        classes: Vec<String>,
        device: &Device,
    ) -> TextPredictor {
        TextPredictor { reader: Reader::Pieces(network, Box::new(pieces)), classes, device: device.clone() }
    }

    /// The network that reads pieces of words, with what makes them, if it is one.
    pub(super) fn transformer(&self) -> Option<(&BertClassifier, &WordPiece)> {
        match &self.reader {
            Reader::Pieces(network, pieces) => Some((network, pieces)),
            Reader::Words(..) => None,
        }
    }

    pub(super) fn device(&self) -> &Device {
        &self.device
    }

    /// The names of the classes.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// How texts become numbers of words; none where a network reads pieces of words.
    pub fn procs(&self) -> Option<&TextProcs> {
        match &self.reader {
            Reader::Words(_, recipe) => Some(&recipe.text),
            Reader::Pieces(..) => None,
        }
    }

    /// The class of a text. One without any words is judged by its beginning alone, as in fast.ai.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn predict(&self, text: &str) -> Result<TextPrediction> {
        let mut one = self.predict_texts(&[text])?;
        one.pop().ok_or_else(|| Error::Value("a text has no prediction".into()))
    }

    /// The classes of texts, in their order.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn predict_texts(&self, texts: &[impl AsRef<str> + Sync]) -> Result<Vec<TextPrediction>> {
        match &self.reader {
            Reader::Words(_, recipe) => self.predict_ids(&recipe.text.ids_of(texts)),
            Reader::Pieces(network, pieces) => {
                let pieces = pieces.encode_each(texts)?;
                let scores = in_batches(&pieces, &self.device, |ids, _| {
                    let scores = network.forward(ids, false)?.to_dtype(DType::F64)?;
                    Ok(candle_nn::ops::softmax(&scores, D::Minus1)?)
                })?;
                Ok(scores.into_iter().map(|probabilities| self.prediction(probabilities)).collect())
            }
        }
    }

    /// The classes of the texts behind a loader, in the order of its dataset.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn predict_loader(&self, loader: &TextLoader) -> Result<Vec<TextPrediction>> {
        match &self.reader {
            Reader::Words(..) => self.predict_ids(loader.dataset().ids()),
            Reader::Pieces(..) => self.predict_texts(loader.dataset().texts()),
        }
    }

    /// The classes of texts that are numbers of words already, in their order.
    ///
    /// # Errors
    /// When a text is empty, a number is not one of the vocabulary, or the network reads pieces of words.
    pub fn predict_ids(&self, texts: &[Vec<u32>]) -> Result<Vec<TextPrediction>> {
        let Reader::Words(network, recipe) = &self.reader else {
            return Err(Error::Value("a network that reads pieces of words takes texts, not numbers of words".into()));
        };
        /// Texts at once. They are of about one length.
        const BATCH: usize = 64;
        // The longest first, as the network wants them.
        let mut order: Vec<usize> = (0..texts.len()).collect();
        order.sort_by_key(|&i| std::cmp::Reverse(texts[i].len()));
        let mut predictions: Vec<Option<TextPrediction>> = vec![None; texts.len()];
        for indices in order.chunks(BATCH) {
            let ids: Vec<&[u32]> = indices.iter().map(|&i| texts[i].as_slice()).collect();
            let ids = pad_chunks(&ids, recipe.text.seq_len)?.to_device(&self.device)?;
            let scores = kernels::no_grad(|| network.forward(&ids, false))?.to_dtype(DType::F64)?;
            let all = candle_nn::ops::softmax(&scores, D::Minus1)?.to_vec2::<f64>()?;
            for (&i, probabilities) in indices.iter().zip(all) {
                predictions[i] = Some(self.prediction(probabilities));
            }
        }
        Ok(predictions.into_iter().flatten().collect())
    }

    fn prediction(&self, probabilities: Vec<f64>) -> TextPrediction {
        let best = probabilities
            .iter()
            .enumerate()
            .fold((0, f64::NEG_INFINITY), |best, (i, &p)| if p > best.1 { (i, p) } else { best });
        let class = self.classes.get(best.0).cloned().unwrap_or_default();
        TextPrediction { class, index: best.0, probability: best.1, probabilities }
    }
}
