//! A trained model as a folder: `model.safetensors` with the tensors and a readable `learner.json` with all else. It
//! contains no code.
#![warn(clippy::indexing_slicing)]

use super::weights;
use crate::error::{Error, Result};
use candle_core::Tensor;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The version of the folder's format. Programs read this one and those before it.
pub const FORMAT: u32 = 2;

const WEIGHTS: &str = "model.safetensors";
pub(crate) const NOTES: &str = "learner.json";

/// A trained network with all that another program needs to predict with it. `recipe` differs between the kinds of
/// learners; the rest is common to all.
#[derive(Debug, Clone)]
pub struct Exported {
    /// The kind of learner, such as `image_classifier`, which determines the form of the recipe.
    pub kind: String,
    /// The settings that build the network and convert an input to tensors.
    pub recipe: Value,
    /// The names of the classes in the order of the scores; empty for kinds that do not predict classes.
    pub vocab: Vec<String>,
    /// The validation loss and the metrics, by name.
    pub metrics: BTreeMap<String, f64>,
    /// All parameters and running statistics by name: [`crate::nn::Params::state_dict`].
    pub weights: BTreeMap<String, Tensor>,
}

/// `learner.json`.
#[derive(Serialize, Deserialize)]
struct Notes {
    format: u32,
    /// The version of the library that wrote it.
    tallow: String,
    kind: String,
    recipe: Value,
    vocab: Vec<String>,
    /// `null` where the number was not finite.
    metrics: BTreeMap<String, Option<f64>>,
    weights: WeightsNote,
}

/// `learner.json` of format 1, when there were classifiers of images only.
#[derive(Deserialize)]
struct FirstNotes {
    tallow: String,
    arch: String,
    build: Value,
    vocab: Vec<String>,
    transforms: Value,
    metrics: BTreeMap<String, Option<f64>>,
    weights: WeightsNote,
}

impl From<FirstNotes> for Notes {
    fn from(first: FirstNotes) -> Notes {
        let FirstNotes { tallow, arch, build, vocab, transforms, metrics, weights } = first;
        let head = build.get("head").cloned().unwrap_or_default();
        let recipe = serde_json::json!({ "arch": arch, "head": head, "transforms": transforms });
        Notes { format: 1, tallow, kind: "image_classifier".into(), recipe, vocab, metrics, weights }
    }
}

/// Ties the two files to each other.
#[derive(Serialize, Deserialize)]
struct WeightsNote {
    file: String,
    bytes: u64,
    sha256: String,
}

/// Writes the folder atomically; other files in it are kept. fast.ai's `export`, without pickled code.
///
/// # Errors
/// When a weight is not a finite number, or a file cannot be written.
pub fn export(folder: impl AsRef<Path>, exported: &Exported) -> Result<()> {
    let folder = folder.as_ref();
    if let Some((name, value)) = first_not_finite(&exported.weights)? {
        let message = format!(
            "the weight `{name}` is {value}, so that the network predicts nothing, and is not exported: training has \
             diverged; try a learning rate ten times smaller"
        );
        return Err(Error::network(name, message));
    }
    let tensors = weights::bytes(&folder.join(WEIGHTS), &exported.weights, None)?;
    let digest = tallow_io::hash::bytes(&tensors);
    let notes = Notes {
        format: FORMAT,
        tallow: env!("CARGO_PKG_VERSION").to_string(),
        kind: exported.kind.clone(),
        recipe: exported.recipe.clone(),
        vocab: exported.vocab.clone(),
        metrics: exported.metrics.iter().map(|(name, &v)| (name.clone(), v.is_finite().then_some(v))).collect(),
        weights: WeightsNote { file: WEIGHTS.into(), bytes: digest.bytes, sha256: digest.sha256 },
    };
    let notes = serde_json::to_string_pretty(&notes)
        .map_err(|e| Error::file(folder.join(NOTES), format!("cannot be written: {e}")))?;
    let notes = notes + "\n";
    Ok(tallow_io::atomic::write_folder(folder, &[(WEIGHTS, &tensors), (NOTES, notes.as_bytes())])?)
}

/// Reads a folder written by [`export`]. The tensors are on the CPU.
///
/// # Errors
/// [`Error::File`] when a file is missing or damaged, the two do not belong together, a newer version of the library
/// wrote them, or a weight is not a finite number.
pub fn load(folder: impl AsRef<Path>) -> Result<Exported> {
    let folder = folder.as_ref();
    const REMEDY: &str = "export the model again";
    let path = folder.join(NOTES);
    let text = read(&path)?;
    let useless = |why: String| Error::file(&path, format!("{why}; {REMEDY}"));
    let json: Value =
        super::strict_json::from_slice(&text).map_err(|e| useless(format!("is damaged: it is not JSON ({e})")))?;
    // First of all the version: what follows may have changed.
    match json.get("format").and_then(Value::as_u64) {
        Some(format) if format > u64::from(FORMAT) => {
            let by = json.get("tallow").and_then(Value::as_str).unwrap_or("a newer version");
            let what = format!(
                "has format {format}, written by Tallow {by}; this program, {}, reads formats up to {FORMAT}: update \
                 it, or export the model with this version",
                env!("CARGO_PKG_VERSION")
            );
            return Err(Error::file(&path, what));
        }
        Some(1) | Some(2) => {}
        _ => return Err(useless("is not the description of an exported model: it has no `format`".into())),
    }
    let is_first = json.get("format").and_then(Value::as_u64) == Some(1);
    let notes = if is_first {
        serde_json::from_value::<FirstNotes>(json).map(Notes::from)
    } else {
        serde_json::from_value(json)
    };
    let notes = notes.map_err(|e| useless(format!("is damaged: {e}")))?;

    if notes.weights.file != WEIGHTS {
        return Err(useless(format!("says that its tensors are in {:?}; they are in {WEIGHTS}", notes.weights.file)));
    }
    let mut classes: Vec<&String> = notes.vocab.iter().collect();
    classes.sort_unstable();
    if let Some(twice) = classes.windows(2).find_map(|pair| pair.first().filter(|class| Some(*class) == pair.last())) {
        return Err(useless(format!("has the class {:?} twice in its `vocab`", twice)));
    }
    if classes.first().is_some_and(|class| class.is_empty()) {
        return Err(useless("has a class without a name in its `vocab`".into()));
    }

    let path = folder.join(WEIGHTS);
    let bytes = read(&path)?;
    let digest = tallow_io::hash::bytes(&bytes);
    if (digest.bytes, &digest.sha256) != (notes.weights.bytes, &notes.weights.sha256) {
        let (found, expected) = (digest.bytes, notes.weights.bytes);
        let what = format!(
            "is not the file that {NOTES} describes ({found} bytes, expected {expected}, or other contents): it is \
             damaged, or of another model; {REMEDY}"
        );
        return Err(Error::file(&path, what));
    }
    let (weights, _) = weights::parse(&path, &bytes, REMEDY)?;
    if let Some((name, value)) = first_not_finite(&weights)? {
        let what = format!(
            "holds {value} in `{name}`: the network predicts nothing, since its training has diverged; train it again \
             with a smaller learning rate"
        );
        return Err(Error::file(&path, what));
    }
    let Notes { kind, recipe, vocab, metrics, .. } = notes;
    let metrics = metrics.into_iter().map(|(name, value)| (name, value.unwrap_or(f64::NAN))).collect();
    Ok(Exported { kind, recipe, vocab, metrics, weights })
}

/// What is wrong with the notes of an exported model.
pub(crate) fn useless(folder: &Path, why: impl std::fmt::Display) -> Error {
    Error::file(folder.join(NOTES), format!("{why}; export the model again, or update this program"))
}

/// A network that was built by the notes, whose `vocab` and recipe determine its size.
///
/// # Errors
/// With the file's name, when the tensors are not those of such a network.
pub(crate) fn fits<T>(folder: &Path, built: Result<T>) -> Result<T> {
    built.map_err(|e| {
        let what = format!("`vocab` and recipe describe another network than the tensors in {WEIGHTS} are of: {e}");
        useless(folder, what)
    })
}

fn first_not_finite(tensors: &BTreeMap<String, Tensor>) -> Result<Option<(&str, f64)>> {
    weights::not_finite(tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.clone())))
}

/// A file of the folder. That it is missing means that this is not an exported model.
fn read(path: &Path) -> Result<Vec<u8>> {
    if let Some(folder) = path.parent().filter(|folder| folder.is_file()) {
        let what = format!("is a file; expected an exported model, which is a folder with {WEIGHTS} and {NOTES}");
        return Err(Error::file(folder, what));
    }
    tallow_io::read::bytes(path, tallow_io::read::DATA).map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => Error::file(
            path,
            format!(
                "is missing: an exported model is a folder with {WEIGHTS} and {NOTES}; check the path, or export one"
            ),
        ),
        _ => Error::io(path)(e),
    })
}
