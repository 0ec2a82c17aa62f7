//! The learner for a language model.

use super::config::TextConfig;
use super::encoder_file::{self, load_matched};
use super::pretrained::PretrainedText;
use super::reading::ReadingCheck;
use super::recipe::{self, LANGUAGE_MODEL, LanguageModelRecipe};
use super::rnn::{ModelResetter, RnnRegularizer};
use super::shared;
use super::writing::{Writing, write};
use crate::data::{DataLoader, LanguageModelDataLoaders, TextProcs};
use crate::device;
use crate::error::Result;
use crate::models::weights::Weights;
use crate::models::{AwdLstmConfig, LanguageModel};
use crate::nn::losses;
use crate::train::Learner;
use crate::train::export::{self, Exported};
use candle_core::Device;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::Arc;

/// A [`Learner`] whose network tells the next word. fast.ai's `language_model_learner` makes the same. It dereferences
/// to a plain learner, so it can do all that one can.
pub struct LanguageModelLearner {
    learner: Learner,
    network: Arc<LanguageModel>,
    dls: LanguageModelDataLoaders,
    recipe: LanguageModelRecipe,
    device: Device,
}

/// A learner for a language model of these texts, an AWD-LSTM. fast.ai's `language_model_learner`.
///
/// # Errors
/// When a setting contradicts another, or the device cannot hold the network.
pub fn language_model_learner(dls: &LanguageModelDataLoaders, config: TextConfig) -> Result<LanguageModelLearner> {
    let network_config = config.of_kind(AwdLstmConfig::language_model(), 1.0);
    let TextConfig { penalties, common, .. } = config;
    let (device, seed) = common.device_and_seed(dls.seed());
    let dls = dls.device(&device);
    let recipe = LanguageModelRecipe { network: network_config, text: TextProcs::clone(dls.procs()) };
    let params = shared::params(seed, &device);
    let network = Arc::new(LanguageModel::new(recipe.text.vocab.len(), &network_config, &params)?);
    network.split_groups(&params)?;
    let fingerprint = shared::fingerprint(LANGUAGE_MODEL, &network_config);
    let learner = Learner::new(dls.loaders(), network.clone(), &params, losses::cross_entropy_of_each);
    let outputs = network.clone();
    let regularizer = RnnRegularizer::new(penalties.0, penalties.1, move || outputs.take_outputs());
    let check = ReadingCheck { by_frequency: dls.perplexity_by_frequency(), listener: common.listener.clone() };
    let learner = common
        .configure(learner.moms(0.8, 0.7, 0.8), fingerprint)
        .callback(ModelResetter(network.clone()))
        .callback(regularizer)
        .callback(check);
    Ok(LanguageModelLearner { learner, network, dls, recipe, device })
}

impl Deref for LanguageModelLearner {
    type Target = Learner;

    fn deref(&self) -> &Learner {
        &self.learner
    }
}

impl DerefMut for LanguageModelLearner {
    fn deref_mut(&mut self) -> &mut Learner {
        &mut self.learner
    }
}

impl LanguageModelLearner {
    /// The loaders, which know the words.
    pub fn text_dls(&self) -> &LanguageModelDataLoaders {
        &self.dls
    }

    /// The network.
    pub fn network(&self) -> &LanguageModel {
        &self.network
    }

    /// Goes on with a text, and gives all of it to read. fast.ai's `predict`.
    ///
    /// # Errors
    /// When the temperature is not above 0.
    pub fn predict(&self, text: &str, how: Writing) -> Result<String> {
        write(&self.network, &self.recipe.text, &self.device, text, how)
    }

    /// [`Learner::validate`], from the stream's beginning: the network forgets what it has read before and after.
    ///
    /// # Errors
    /// Those of [`Learner::validate`].
    pub fn validate(&self) -> Result<(f64, Vec<f64>)> {
        self.validate_on(self.dls.valid.loader())
    }

    /// [`Learner::validate_on`], from the stream's beginning.
    ///
    /// # Errors
    /// Those of [`Learner::validate_on`].
    pub fn validate_on(&self, loader: &DataLoader) -> Result<(f64, Vec<f64>)> {
        self.network.reset();
        let result = self.learner.validate_on(loader);
        self.network.reset();
        result
    }

    /// Writes the encoder, which a classifier can go on with, and its words to a safetensors file. fast.ai's
    /// `save_encoder`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_encoder(&self, path: impl AsRef<Path>) -> Result<()> {
        encoder_file::save(path.as_ref(), self.params(), &self.recipe.text.vocab)
    }

    /// Begins with the encoder that [`LanguageModelLearner::save_encoder`] wrote, and freezes all but the last group.
    /// Returns how many words of the vocabulary the file does not know: they begin with the mean of the others.
    ///
    /// # Errors
    /// When the file does not hold an encoder, or holds one of another size.
    pub fn load_encoder(&mut self, path: impl AsRef<Path>) -> Result<usize> {
        let unknown = encoder_file::load(path.as_ref(), self.params(), &self.recipe.text.vocab)?;
        self.freeze()?;
        Ok(unknown)
    }

    /// Begins with a whole published language model and freezes all but the last group. Returns how many words of the
    /// vocabulary are not in it: they begin with the mean of its words. fast.ai's `load_pretrained`.
    ///
    /// # Errors
    /// When the weights are not those of a language model, or of one of another size.
    pub fn load_pretrained(&mut self, published: &PretrainedText) -> Result<usize> {
        let path = published.weights();
        let (weights, vocab) = (Weights::open(path)?, &self.recipe.text.vocab);
        let unknown = load_matched(path, &weights, published.words(), self.params(), vocab)?;
        self.freeze()?;
        Ok(unknown)
    }

    /// Writes the trained network and its words to a folder for [`load_language_model`], with the validation loss of
    /// the epoch that its weights are of. fast.ai's `export`.
    ///
    /// # Errors
    /// When a weight is not a finite number, or a file cannot be written.
    pub fn export(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        let exported = Exported {
            kind: LANGUAGE_MODEL.to_string(),
            recipe: recipe::to_json(folder, &self.recipe)?,
            vocab: Vec::new(),
            metrics: shared::metrics(self.recorder()),
            weights: self.params().state_dict()?,
        };
        export::export(folder, &exported)
    }

    /// A writer that shares the network with this learner, now and later.
    pub fn writer(&self) -> TextWriter {
        TextWriter { network: self.network.clone(), recipe: self.recipe.clone(), device: self.device.clone() }
    }
}

/// A trained language model with its words: it goes on with texts.
pub struct TextWriter {
    network: Arc<LanguageModel>,
    recipe: LanguageModelRecipe,
    device: Device,
}

/// Reads a folder that [`LanguageModelLearner::export`] wrote, for the best device that this build and this machine
/// have. fast.ai's `load_learner`.
///
/// # Errors
/// As [`load_language_model_on`].
pub fn load_language_model(folder: impl AsRef<Path>) -> Result<TextWriter> {
    load_language_model_on(folder, &device::best())
}

/// [`load_language_model`] for a certain device.
///
/// # Errors
/// Those of [`export::load`]; and [`crate::Error::File`] when the folder holds another kind of learner, or its tensors
/// do not fit its network.
pub fn load_language_model_on(folder: impl AsRef<Path>, device: &Device) -> Result<TextWriter> {
    let folder = folder.as_ref();
    let exported = export::load(folder)?;
    let recipe: LanguageModelRecipe = recipe::from_exported(folder, &exported, LANGUAGE_MODEL)?;
    let params = shared::params(0, device).expecting(&exported.weights);
    let network = LanguageModel::new(recipe.text.vocab.len(), &recipe.network, &params);
    let network = export::fits(folder, network)?;
    shared::load_weights(folder, &params, &exported)?;
    Ok(TextWriter { network: Arc::new(network), recipe, device: device.clone() })
}

impl TextWriter {
    /// How texts become numbers.
    pub fn procs(&self) -> &TextProcs {
        &self.recipe.text
    }

    /// Goes on with a text, and gives all of it to read. fast.ai's `predict`.
    ///
    /// # Errors
    /// When the temperature is not above 0.
    pub fn predict(&self, text: &str, how: Writing) -> Result<String> {
        write(&self.network, &self.recipe.text, &self.device, text, how)
    }
}
