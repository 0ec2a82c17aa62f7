//! The learner for classes of texts.

use super::config::TextConfig;
use super::encoder_file;
use super::predictor::{TextPrediction, TextPredictor};
use super::pretrained::PretrainedText;
use super::recipe::{self, ClassifierRecipe, TEXT_CLASSIFIER};
use super::rnn::RnnRegularizer;
use super::shared;
use crate::data::{ShownTable, TextDataLoaders, TextProcs};
use crate::error::Result;
use crate::models::awd_lstm::encoder_params;
use crate::models::weights::Weights;
use crate::models::{AwdLstmConfig, TextClassifier};
use crate::nn::losses;
use crate::optim::slice;
use crate::train::Learner;
use crate::train::export::{self, Exported};
use crate::words::readable;
use candle_core::Device;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;

/// A [`Learner`] that knows what it learns from: texts and their classes. fast.ai's `text_classifier_learner` makes the
/// same. It dereferences to a plain learner, so it can do all that one can.
pub struct TextClassifierLearner {
    learner: Learner,
    network: Arc<TextClassifier>,
    dls: TextDataLoaders,
    recipe: ClassifierRecipe,
    device: Device,
}

/// A learner for these texts: an AWD-LSTM that reads them, and a head that classifies what it made of them; cross
/// entropy as the loss. fast.ai's `text_classifier_learner`.
///
/// ```no_run
/// use tallow::data::TextBlock;
/// use tallow::text_learner::{TextConfig, load_text_classifier, text_classifier_learner};
/// use tallow::train::accuracy;
///
/// # fn main() -> tallow::Result<()> {
/// let dls = TextBlock::csv("reviews.csv").text("text").target("label").dataloaders(64)?;
/// let config = TextConfig::default().metrics([accuracy()]).listener(tallow::cli::console());
/// let mut learner = text_classifier_learner(&dls, config)?;
/// learner.fit_one_cycle(3, 1e-2)?;
/// println!("{}", learner.predict("What a film!")?);
/// learner.export("model")?;
/// println!("{}", load_text_classifier("model")?.predict("What a film!")?);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// When a setting contradicts another, or the device cannot hold the network.
pub fn text_classifier_learner(dls: &TextDataLoaders, config: TextConfig) -> Result<TextClassifierLearner> {
    let network_config = config.of_kind(AwdLstmConfig::classifier(), 0.5);
    let TextConfig { penalties, head_layers, max_len, common, .. } = config;
    let (device, seed) = common.device_and_seed(dls.seed());
    let dls = dls.device(&device);
    let text = TextProcs::clone(dls.procs());
    let recipe = ClassifierRecipe { network: network_config, max_len, head_layers, text };
    let params = shared::params(seed, &device);
    let (n_words, n_classes) = (recipe.text.vocab.len(), dls.classes().n_classes());
    let network = Arc::new(TextClassifier::new(n_words, n_classes, &network_config, &recipe.options(), &params)?);
    network.split_groups(&params)?;
    let fingerprint = shared::fingerprint(TEXT_CLASSIFIER, &network_config)
        .with("the head", format!("{:?}, of the last {max_len:?} words", recipe.head_layers));
    let learner = Learner::new(dls.loaders(), network.clone(), &params, losses::cross_entropy);
    let outputs = network.clone();
    let regularizer = RnnRegularizer::new(penalties.0, penalties.1, move || outputs.take_outputs());
    let learner = common.configure(learner.moms(0.8, 0.7, 0.8), fingerprint).callback(regularizer);
    Ok(TextClassifierLearner { learner, network, dls, recipe, device })
}

impl Deref for TextClassifierLearner {
    type Target = Learner;

    fn deref(&self) -> &Learner {
        &self.learner
    }
}

impl DerefMut for TextClassifierLearner {
    fn deref_mut(&mut self) -> &mut Learner {
        &mut self.learner
    }
}

impl TextClassifierLearner {
    /// The loaders, which know words and classes.
    pub fn text_dls(&self) -> &TextDataLoaders {
        &self.dls
    }

    /// The network.
    pub fn network(&self) -> &TextClassifier {
        &self.network
    }

    /// Begins with the encoder of a language model, which [`super::LanguageModelLearner::save_encoder`] wrote, and
    /// freezes it. Returns how many words of the vocabulary the file does not know: they begin with the mean of the
    /// others. fast.ai's `load_encoder`, which wants the same vocabulary.
    ///
    /// # Errors
    /// When the file does not hold an encoder, or holds one of another size.
    pub fn load_encoder(&mut self, path: impl AsRef<Path>) -> Result<usize> {
        let unknown = encoder_file::load(path.as_ref(), self.params(), &self.recipe.text.vocab)?;
        self.freeze()?;
        Ok(unknown)
    }

    /// Begins with the encoder of a published language model, and freezes it. Returns how many words of the vocabulary
    /// are not in it: they begin with the mean of its words. fast.ai's `text_classifier_learner(pretrained=True)`.
    ///
    /// # Errors
    /// When the weights are not those of a language model, or of one of another size.
    pub fn load_pretrained(&mut self, published: &PretrainedText) -> Result<usize> {
        let path = published.weights();
        let weights = Weights::open(path)?;
        let encoder = encoder_params(self.params());
        let vocab = &self.recipe.text.vocab;
        let unknown = encoder_file::load_matched(path, &weights, published.words(), &encoder, vocab)?;
        self.freeze()?;
        Ok(unknown)
    }

    /// Writes the encoder and its words to a safetensors file. fast.ai's `save_encoder`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_encoder(&self, path: impl AsRef<Path>) -> Result<()> {
        encoder_file::save(path.as_ref(), self.params(), &self.recipe.text.vocab)
    }

    /// Trains an encoder from [`TextClassifierLearner::load_encoder`] by and by, as ULMFiT does (Howard and Ruder,
    /// 2018): an epoch of the head alone at twice `lr`, one of the last two groups at `lr`, one of the last three at
    /// half of it, and `n_epochs` of all at a tenth; each group learns 2.6 times more slowly than the one after it.
    ///
    /// These rates are for an encoder that has read a large corpus. One that has read only the texts of a small data
    /// set hardly moves at them: train all of it at once, as from scratch, with `unfreeze` and `fit_one_cycle`. And one
    /// that has not begun to read harms either way: see
    /// [`perplexity_by_frequency`](crate::data::LanguageModelDataLoaders::perplexity_by_frequency), and
    /// `docs/language_models.md` for what was measured.
    ///
    /// # Errors
    /// As [`Learner::fit`].
    pub fn fit_gradually(&mut self, n_epochs: usize, lr: f64) -> Result<()> {
        let rates = |lr: f64| slice(lr / 2.6f64.powi(4), lr);
        self.freeze()?;
        self.fit_one_cycle(1, 2.0 * lr)?;
        self.freeze_to(-2)?;
        self.fit_one_cycle(1, rates(lr))?;
        if self.params().n_groups() > 2 {
            self.freeze_to(-3)?;
            self.fit_one_cycle(1, rates(lr / 2.0))?;
        }
        self.unfreeze()?;
        self.fit_one_cycle(n_epochs, rates(lr / 10.0))
    }

    /// The class of a text.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn predict(&self, text: &str) -> Result<TextPrediction> {
        self.predictor().predict(text)
    }

    /// The classes of texts, in their order.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn predict_texts(&self, texts: &[String]) -> Result<Vec<TextPrediction>> {
        self.predictor().predict_texts(texts)
    }

    /// The first `n` validation texts, their classes, and what is predicted. fast.ai's `show_results`.
    ///
    /// # Errors
    /// When a tensor operation fails.
    pub fn show_results(&self, n: usize) -> Result<ShownTable> {
        let valid = &self.dls.valid;
        let n = n.min(valid.n_items());
        let ids = &valid.dataset().ids()[..n];
        let predictions = self.predictor().predict_ids(ids)?;
        let row = |(index, prediction): (usize, TextPrediction)| {
            let text = readable(&self.recipe.text.tokens(&ids[index]));
            let chance = format!("{:.4}", prediction.probability);
            vec![text, valid.class_of(index).to_string(), prediction.class, chance]
        };
        let columns = ["text", "class", "predicted", "probability"].map(String::from).to_vec();
        Ok(ShownTable { columns, rows: predictions.into_iter().enumerate().map(row).collect() })
    }

    /// A predictor for texts. It shares the network with this learner, now and later.
    pub fn predictor(&self) -> TextPredictor {
        let classes = self.dls.classes().classes().to_vec();
        TextPredictor::new(self.network.clone(), self.recipe.clone(), classes, &self.device)
    }

    /// Writes the trained network, its words and classes to a folder for [`super::load_text_classifier`], with the
    /// validation loss and the metrics of the epoch that its weights are of. fast.ai's `export`.
    ///
    /// # Errors
    /// When a weight is not a finite number, or a file cannot be written.
    pub fn export(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        let exported = Exported {
            kind: TEXT_CLASSIFIER.to_string(),
            recipe: recipe::to_json(folder, &self.recipe)?,
            vocab: self.dls.classes().classes().to_vec(),
            metrics: shared::metrics(self.recorder()),
            weights: self.params().state_dict()?,
        };
        export::export(folder, &exported)
    }
}
