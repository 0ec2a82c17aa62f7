//! The settings of a learner for ratings.

use crate::train::{LearnerSettings, learner_settings};

/// The settings of a [`super::CollabLearner`] besides its data. The default is fast.ai's: 50 factors, their product,
/// and Adam; on the best device that this build and this machine have.
///
/// ```
/// use tallow::collab_learner::CollabConfig;
///
/// let config = CollabConfig::default().n_factors(20).y_range(0.5, 5.5).wd(0.1);
/// ```
pub struct CollabConfig {
    pub(super) n_factors: usize,
    pub(super) layers: Option<Vec<usize>>,
    pub(super) y_range: Option<(f64, f64)>,
    pub(super) begin_with_biases: bool,
    pub(super) common: LearnerSettings,
}

impl Default for CollabConfig {
    fn default() -> CollabConfig {
        CollabConfig {
            n_factors: 50,
            layers: None,
            y_range: None,
            begin_with_biases: false,
            common: LearnerSettings::default(),
        }
    }
}

impl CollabConfig {
    /// Sets the number of factors of each user and item; 50 by default. A network of layers has numbers of its own, by
    /// fast.ai's rule.
    #[must_use]
    pub fn n_factors(self, n_factors: usize) -> CollabConfig {
        CollabConfig { n_factors, ..self }
    }

    /// Predicts by a network of layers of these widths on top of the users' and items' vectors, instead of by the
    /// product of factors. fast.ai's `use_nn=True`, whose layers are `[50]`.
    #[must_use]
    pub fn layers(self, layers: impl IntoIterator<Item = usize>) -> CollabConfig {
        CollabConfig { layers: Some(layers.into_iter().collect()), ..self }
    }

    /// Sets the range of predictions, a little more than that of the ratings; by default that of the loaders
    /// ([`crate::data::RatingsBlock::y_range`]), and where they have none predictions are any numbers.
    #[must_use]
    pub fn y_range(self, low: f64, high: f64) -> CollabConfig {
        CollabConfig { y_range: Some((low, high)), ..self }
    }

    /// Begins with the biases of the model of biases alone ([`super::BiasModel`]) instead of with random ones, so that
    /// the factors learn what is left. It needs the product of factors; fast.ai has no such thing.
    #[must_use]
    pub fn begin_with_biases(self) -> CollabConfig {
        CollabConfig { begin_with_biases: true, ..self }
    }
}

learner_settings!(CollabConfig);
