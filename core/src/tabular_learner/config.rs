//! The settings of a tabular learner.

use crate::models::{PeriodicConfig, TabularModelConfig};
use crate::train::{LearnerSettings, learner_settings};

/// The settings of a [`super::TabularLearner`] besides its data. The default is fast.ai's: hidden layers of 200 and
/// 100, no dropout, numbers as they are, Adam.
///
/// ```
/// use tallow::tabular_learner::{PeriodicConfig, TabularConfig};
/// use tallow::train::accuracy;
///
/// let config = TabularConfig::default().metrics([accuracy()]).embedded_numbers(PeriodicConfig::default());
/// ```
#[derive(Default)]
pub struct TabularConfig {
    pub(super) model: TabularModelConfig,
    pub(super) plain_targets: bool,
    pub(super) common: LearnerSettings,
}

impl TabularConfig {
    /// Sets the widths of the hidden layers; `[200, 100]` by default.
    #[must_use]
    pub fn layers(mut self, widths: impl Into<Vec<usize>>) -> TabularConfig {
        self.model.layers = widths.into();
        self
    }

    /// Sets the dropout after each hidden layer, one for each; none by default. fast.ai's `ps`.
    #[must_use]
    pub fn dropouts(mut self, ps: impl Into<Vec<f64>>) -> TabularConfig {
        self.model.dropouts = ps.into();
        self
    }

    /// Sets the dropout of the embedded categories; 0 by default. fast.ai's `embed_p`.
    #[must_use]
    pub fn embedding_dropout(mut self, p: f64) -> TabularConfig {
        self.model.embedding_dropout = p;
        self
    }

    /// Sets whether hidden layers are normalised over the batch; they are by default. fast.ai's `use_bn`.
    #[must_use]
    pub fn batch_norm(mut self, batch_norm: bool) -> TabularConfig {
        self.model.batch_norm = batch_norm;
        self
    }

    /// Embeds numbers too, by sines and cosines of learned frequencies ([`crate::models::EmbeddedNumbers`]). By default
    /// they go in as they are, as in fast.ai.
    #[must_use]
    pub fn embedded_numbers(mut self, config: PeriodicConfig) -> TabularConfig {
        self.model.embedded_numbers = Some(config);
        self
    }

    /// Keeps predicted numbers between `low` and `high`, by a sigmoid. Where the target's range is known this is worth
    /// it; a sigmoid never reaches its ends, so leave some room. fast.ai's `y_range`.
    #[must_use]
    pub fn y_range(mut self, low: f64, high: f64) -> TabularConfig {
        self.model.y_range = Some((low, high));
        self
    }

    /// Lets the network predict numbers in their own units, with the squared error as the loss, as fast.ai does.
    ///
    /// By default, where no range is set, the network predicts how many standard deviations of the training rows a
    /// number is from their mean, and the loss is the squared error in these units: 1 for a model that predicts the
    /// mean. Otherwise prices in thousands would be out of reach for steps of 0.001, and of several targets the one
    /// with the largest numbers alone would count. What is predicted and measured is in the target's own units in any
    /// case.
    #[must_use]
    pub fn plain_targets(self) -> TabularConfig {
        TabularConfig { plain_targets: true, ..self }
    }
}

learner_settings!(TabularConfig);
