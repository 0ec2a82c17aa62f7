//! The settings of a learner for texts.

use crate::models::AwdLstmConfig;
use crate::train::{LearnerSettings, learner_settings};

/// The settings of a [`super::LanguageModelLearner`] or a [`super::TextClassifierLearner`] besides its data. The
/// default is fast.ai's: an AWD-LSTM of 400 and 1152 numbers and three layers, its dropouts times 1 for a language
/// model and times 0.5 for a classifier, penalties 2 and 1 on what it gives (AR, TAR), and Adam with momenta 0.8, 0.7,
/// 0.8; on the best device that this build and this machine have.
///
/// ```
/// use tallow::text_learner::TextConfig;
/// use tallow::train::accuracy;
///
/// let config = TextConfig::default().size(100, 256, 3).drop_mult(0.3).metrics([accuracy()]);
/// ```
pub struct TextConfig {
    pub(super) size: (usize, usize, usize),
    pub(super) network: Option<AwdLstmConfig>,
    pub(super) drop_mult: Option<f64>,
    pub(super) penalties: (f64, f64),
    pub(super) head_layers: Vec<usize>,
    pub(super) max_len: Option<usize>,
    pub(super) common: LearnerSettings,
}

impl Default for TextConfig {
    fn default() -> TextConfig {
        let AwdLstmConfig { emb_size, hidden, layers, .. } = AwdLstmConfig::language_model();
        TextConfig {
            size: (emb_size, hidden, layers),
            network: None,
            drop_mult: None,
            penalties: (2.0, 1.0),
            head_layers: vec![50],
            max_len: Some(20 * 72),
            common: LearnerSettings::default(),
        }
    }
}

impl TextConfig {
    /// Sets the lengths of words' vectors and of the layers' results, and the number of layers; 400, 1152 and 3 by
    /// default.
    #[must_use]
    pub fn size(self, emb_size: usize, hidden: usize, layers: usize) -> TextConfig {
        TextConfig { size: (emb_size, hidden, layers), ..self }
    }

    /// Sets all of the network's sizes and dropouts, instead of fast.ai's for the kind of learner.
    #[must_use]
    pub fn network(self, network: AwdLstmConfig) -> TextConfig {
        let size = (network.emb_size, network.hidden, network.layers);
        TextConfig { network: Some(network), size, ..self }
    }

    /// Sets by what all dropouts are multiplied; by default 1 for a language model and 0.5 for a classifier.
    #[must_use]
    pub fn drop_mult(self, drop_mult: f64) -> TextConfig {
        TextConfig { drop_mult: Some(drop_mult), ..self }
    }

    /// Sets the factors of the penalties on what the last layer gives and on its changes from word to word; 2 and 1 by
    /// default. fast.ai's `alpha` and `beta`.
    #[must_use]
    pub fn penalties(self, alpha: f64, beta: f64) -> TextConfig {
        TextConfig { penalties: (alpha, beta), ..self }
    }

    /// Sets the widths of a classifier's layers between encoder and classes; one of 50 by default. fast.ai's
    /// `lin_ftrs`.
    #[must_use]
    pub fn head_layers(self, widths: impl IntoIterator<Item = usize>) -> TextConfig {
        TextConfig { head_layers: widths.into_iter().collect(), ..self }
    }

    /// Sets how many of a text's last words a classifier uses; 1440 by default, all if `None`.
    #[must_use]
    pub fn max_len(self, max_len: Option<usize>) -> TextConfig {
        TextConfig { max_len, ..self }
    }

    /// The network that all this comes to, where the kind's own is `published` and its dropouts are multiplied by
    /// `drop_mult`.
    pub(super) fn of_kind(&self, published: AwdLstmConfig, drop_mult: f64) -> AwdLstmConfig {
        let (emb_size, hidden, layers) = self.size;
        let network = self.network.unwrap_or(published).size(emb_size, hidden, layers);
        network.drop_mult(self.drop_mult.unwrap_or(drop_mult))
    }
}

learner_settings!(TextConfig);
