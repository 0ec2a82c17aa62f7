//! The options of `tallow train` for classes of very different sizes.

use serde::{Serialize, Serializer};
use std::path::{Path, PathBuf};
use tallow::data::{ImageDataLoaders, class_weights, read_class_weights, sample_weights};
use tallow::nn::losses::CrossEntropy;
use tallow::{Error, Result};

#[derive(Debug, Clone, clap::Args, Serialize)]
#[command(next_help_heading = "Classes of different sizes")]
pub(crate) struct BalanceArgs {
    /// How much a mistake in each class costs: `balanced` makes rare classes count as much as common ones; or a CSV
    /// file with a row `class,weight` for each class [default: every photo counts the same]
    #[arg(long, value_name = "balanced|FILE")]
    class_weights: Option<ClassWeights>,

    /// How the photos of an epoch are chosen: each once, or drawn so that all classes come equally often
    #[arg(long, value_name = "KIND", default_value = "shuffled")]
    sampler: Sampler,
}

#[derive(Debug, Clone)]
enum ClassWeights {
    Balanced,
    File(PathBuf),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
enum Sampler {
    /// Each photo once, in a new order in each epoch
    Shuffled,
    /// With replacement, so that rare classes come as often as common ones
    Weighted,
}

impl std::str::FromStr for ClassWeights {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<ClassWeights, Self::Err> {
        Ok(if text == "balanced" { ClassWeights::Balanced } else { ClassWeights::File(text.into()) })
    }
}

impl Serialize for ClassWeights {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            ClassWeights::Balanced => serializer.serialize_str("balanced"),
            ClassWeights::File(file) => serializer.serialize_str(&file.display().to_string()),
        }
    }
}

impl BalanceArgs {
    /// Whether anything is to be balanced.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.class_weights.is_some() || self.sampler != Sampler::Shuffled
    }

    /// The file of class weights, if there is one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.class_weights {
            Some(ClassWeights::File(file)) => Some(file),
            _ => None,
        }
    }

    /// The loss, with the weights that are asked for.
    pub(crate) fn loss(&self, dls: &ImageDataLoaders) -> Result<CrossEntropy> {
        let weights = match &self.class_weights {
            None => None,
            Some(ClassWeights::Balanced) => {
                every_class_has_photos(dls, "--class-weights")?;
                Some(class_weights(dls.train.labels(), dls.n_classes())?)
            }
            Some(ClassWeights::File(file)) => Some(read_class_weights(file, dls.vocab())?),
        };
        Ok(CrossEntropy { weights, ..CrossEntropy::default() })
    }

    /// The loaders, with the photos to train with drawn as asked for.
    pub(crate) fn drawn(&self, dls: ImageDataLoaders) -> Result<ImageDataLoaders> {
        if self.sampler == Sampler::Shuffled {
            return Ok(dls);
        }
        every_class_has_photos(&dls, "--sampler")?;
        dls.weighted(&sample_weights(dls.train.labels(), dls.n_classes())?)
    }
}

fn every_class_has_photos(dls: &ImageDataLoaders, option: &str) -> Result<()> {
    let empty = dls.vocab().classes().iter().zip(dls.counts()).find(|(_, (train, _))| *train == 0);
    let Some((class, _)) = empty else { return Ok(()) };
    let n_classes = dls.n_classes();
    let message = format!(
        "class `{class}` has no photo to train with, so `{option}` cannot balance it: add some, or leave the class out"
    );
    Err(Error::label(class, n_classes, message))
}
