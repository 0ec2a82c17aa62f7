//! Networks with published weights: which file, from where, and into which network.

use super::fetch::{Cached, cached, fetch_or_name};
use super::{HubConfig, HubFile};
use crate::error::{Error, Result};
use crate::event::{Event, Listener};
use crate::models::weights::{LoadOptions, LoadReport, Recipe, Weights};
use crate::models::zoo::WeightFile;
use crate::models::{Arch, Network, NetworkOptions};
use crate::nn::Params;
use std::path::{Path, PathBuf};
use tallow_io::hash::{self, Mismatch};

/// Where torchvision's weights are on the web.
const TORCHVISION: &str = "https://download.pytorch.org/models";

/// Where weights are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WeightsSource {
    /// In this file.
    File(PathBuf),
    /// In this program.
    Embedded,
}

/// Weights for an architecture, and what one has to know to use them.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedWeights {
    /// The architecture.
    pub arch: Arch,
    /// Where they are.
    pub source: WeightsSource,
    /// What has to be known to use them. [`PublishedWeights::open`] hands it on with the tensors.
    pub recipe: Recipe,
    /// Their licence.
    pub licence: &'static str,
    /// Their accuracy in per cent on ImageNet's validation images, where it is known.
    pub top1: Option<f64>,
}

/// A network with published weights.
pub struct PretrainedNetwork {
    /// The network, its parameters in the `Params` that it was built with.
    pub network: Network,
    /// Where its weights came from, and which images it wants.
    pub weights: PublishedWeights,
    /// What became of the file's tensors: those of a new head have another shape.
    pub report: LoadReport,
}

/// A network that has learnt ImageNet, for `n_classes`: torchvision's `resnet34(weights="DEFAULT")`, fast.ai's
/// `create_vision_model`. With 1000 classes it classifies as published; with another number its last layer is a new
/// one, which has learnt nothing yet.
///
/// # Errors
/// As [`weights`] and [`PublishedWeights::network`].
pub fn pretrained(
    arch: Arch,
    n_classes: usize,
    params: &Params,
    config: &HubConfig,
    listener: &Listener,
) -> Result<PretrainedNetwork> {
    weights(arch, config, listener)?.network(n_classes, params)
}

/// The published weights of an architecture, from the first place that has them (see [`crate::models::hub`]).
///
/// # Errors
/// [`Error::Hub`], with what to put where, if no place has them; [`Error::Interrupted`].
pub fn weights(arch: Arch, config: &HubConfig, listener: &Listener) -> Result<PublishedWeights> {
    let facts = arch.facts();
    let torchvision = facts.published.file;
    let name = |extension: &str| format!("{}.{extension}", facts.name);

    let hub_file = config.by_hand(name("safetensors"));
    if hub_file.is_file() {
        if let Some(file) = facts.files.first() {
            remark_on(&hub_file, file, listener)?;
        }
        return Ok(found(arch, WeightsSource::File(hub_file), facts.files.first()));
    }
    for file in [config.by_hand(name("pth")), config.by_hand(torchvision)] {
        if file.is_file() {
            check_name(&file)?;
            return Ok(found(arch, WeightsSource::File(file), None));
        }
    }
    if embedded(arch).is_some() {
        return Ok(found(arch, WeightsSource::Embedded, None));
    }
    for file in facts.files {
        if let Cached::Whole(path) = cached(&file.into(), config)? {
            return Ok(found(arch, WeightsSource::File(path), Some(file)));
        }
    }
    let file = config.torch.join(torchvision);
    if file.is_file() && check_name(&file).is_ok() {
        return Ok(found(arch, WeightsSource::File(file), None));
    }
    match facts.files.first() {
        Some(file) => {
            let path = fetch_or_name(&file.into(), config, listener, &hub_file)?;
            Ok(found(arch, WeightsSource::File(path), Some(file)))
        }
        None => Err(nowhere(arch, config)),
    }
}

impl PublishedWeights {
    /// Opens the weights.
    ///
    /// # Errors
    /// As [`Weights::open`].
    pub fn open(&self) -> Result<Weights> {
        Ok(self.file()?.with_recipe(self.recipe))
    }

    fn file(&self) -> Result<Weights> {
        match (&self.source, embedded(self.arch)) {
            (WeightsSource::File(path), _) => Weights::open(path),
            (WeightsSource::Embedded, Some(bytes)) => Weights::from_bytes(self.arch.name(), bytes),
            (WeightsSource::Embedded, None) => {
                let what = format!("this program has no weights of {} in it", self.arch);
                Err(Error::network(self.arch.name(), what))
            }
        }
    }

    /// A network with these weights, for `n_classes`; its last layer is new if theirs has another number.
    ///
    /// # Errors
    /// [`Error::File`] where the file does not fit the architecture, those of [`PublishedWeights::open`] and
    /// [`Arch::build`].
    pub fn network(&self, n_classes: usize, params: &Params) -> Result<PretrainedNetwork> {
        let weights = self.open()?;
        let Recipe { norm_eps, n_classes: published, .. } = self.recipe;
        let network = self.arch.build_with(&NetworkOptions { norm_eps, ..NetworkOptions::new(n_classes) }, params)?;
        let new_heads = if n_classes == published { &[] } else { network.head_prefixes() };
        let options = new_heads.iter().fold(LoadOptions::strict(), |options, head| options.and_new_head(head));
        let report = weights.load_into(params, &options)?;
        Ok(PretrainedNetwork { network, weights: self.clone(), report })
    }
}

/// The weights at `source`: those of a file on the Hub, or those that torchvision publishes.
fn found(arch: Arch, source: WeightsSource, file: Option<&WeightFile>) -> PublishedWeights {
    let published = Recipe::published(arch);
    match file {
        Some(&WeightFile { norm_eps, preprocess, licence, top1, .. }) => {
            PublishedWeights { arch, source, recipe: Recipe { norm_eps, preprocess, ..published }, licence, top1 }
        }
        None => {
            let facts = arch.facts().published;
            PublishedWeights { arch, source, recipe: published, licence: facts.licence, top1: Some(facts.top1) }
        }
    }
}

#[cfg(feature = "efficientnet-lite0")]
fn embedded(arch: Arch) -> Option<&'static [u8]> {
    (arch == Arch::EfficientNetLite0).then(tallow_datasets::efficientnet_lite0::weights)
}

#[cfg(not(feature = "efficientnet-lite0"))]
fn embedded(_: Arch) -> Option<&'static [u8]> {
    None
}

/// A file that a user put there is used as it is, since there are other good ones than the published. That it differs
/// is worth a remark: it may have been cut short.
fn remark_on(path: &Path, published: &WeightFile, listener: &Listener) -> Result<()> {
    if let Some(Mismatch { expected, got }) = HubFile::from(published).expected().differs_from_file(path)? {
        let (path, repo) = (path.display(), published.repo);
        let what = format!("{path} is not the file of {repo} ({got}, not {expected}); it is used as it is");
        listener.tell(Event::Note(&what));
    }
    Ok(())
}

/// torchvision's names end in the first eight digits of the file's sha256: `resnet34-b627a593.pth`.
fn check_name(path: &Path) -> Result<()> {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let Some((_, start)) = stem.rsplit_once('-') else { return Ok(()) };
    if start.len() != 8 || !start.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    let got = hash::file(path)?.sha256;
    if got.starts_with(start) {
        return Ok(());
    }
    let what = format!("is damaged: expected a sha256 that begins with {start}, got {got}; delete it and get it again");
    Err(Error::file(path, what))
}

/// Weights of which no file on the Hub is known.
fn nowhere(arch: Arch, config: &HubConfig) -> Error {
    let file = arch.facts().published.file;
    let remedy = if arch == Arch::EfficientNetLite0 {
        "rebuild with `--features efficientnet-lite0`, which puts them into the program".to_string()
    } else {
        format!("download {TORCHVISION}/{file} and put it at {}", config.by_hand(file).display())
    };
    let what = format!("the weights of {arch} are not on this machine, and no file with them is known on the Hub");
    Error::Hub { file: file.into(), what, remedy }
}
