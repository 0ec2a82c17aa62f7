//! Images that look alike to a network.

use super::predictor::Predictor;
use crate::data::find_images;
use crate::error::{Error, Result};
use crate::models::weights::Weights;
use crate::vision::Image;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
use tallow_io::safetensors::{self, Tensor};
use tallow_io::{Dtype, atomic, hash};

/// The hidden file in the folder that keeps the features of its images.
const FILE: &str = ".tallow-index.safetensors";

/// The features of all images of a folder, by which images like a given one are found. They are kept in a hidden file
/// of the folder, so that a second search computes those of new and changed images alone.
#[derive(Debug, Clone)]
pub struct ImageIndex {
    folder: PathBuf,
    images: Vec<Indexed>,
    /// A row for each image, made one long.
    rows: Vec<Vec<f32>>,
    computed: usize,
    left_out: Vec<(PathBuf, String)>,
    unsaved: Option<String>,
}

/// An image that has features.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Indexed {
    /// Its file, below the folder.
    file: PathBuf,
    bytes: u64,
    /// When it was changed, in nanoseconds since 1970.
    changed: u64,
}

/// What stands in the file beside the features.
#[derive(Serialize, Deserialize)]
struct Notes {
    /// The hash of what the network makes of one certain picture: features of another network are of no use.
    network: String,
    images: Vec<Indexed>,
}

impl ImageIndex {
    /// Brings the index of a folder up to date: features of new and changed images are computed, those of images that
    /// are gone are dropped, and all if they are of another network. Where the folder cannot be written, the index is
    /// made anew each time ([`ImageIndex::unsaved`]).
    ///
    /// # Errors
    /// When the folder has no images or cannot be read, or a stop is asked for.
    pub fn open(folder: impl AsRef<Path>, predictor: &Predictor) -> Result<ImageIndex> {
        let folder = folder.as_ref().to_path_buf();
        let network = network(predictor)?;
        let files = find_images(&folder)?.require_pictures(&folder)?.files;
        let known = read(&folder.join(FILE), &network).unwrap_or_default();
        let now: Vec<(PathBuf, Option<Indexed>)> =
            files.iter().map(|file| (file.clone(), indexed(&folder, file).ok())).collect();
        let is_new =
            |indexed: &Option<Indexed>| indexed.as_ref().is_none_or(|indexed| !known.contains_key(&key(indexed)));
        let missing: Vec<PathBuf> = now.iter().filter(|(_, i)| is_new(i)).map(|(file, _)| file.clone()).collect();
        let computed = predictor.features(&missing)?;
        let mut index = ImageIndex {
            folder,
            images: Vec::new(),
            rows: Vec::new(),
            computed: missing.len(),
            left_out: Vec::new(),
            unsaved: None,
        };
        let mut fresh: HashMap<&PathBuf, Result<Vec<f32>>> = missing.iter().zip(computed).collect();
        for (file, indexed) in &now {
            let row = match fresh.remove(file) {
                Some(row) => row.map(unit),
                None => indexed
                    .as_ref()
                    .and_then(|indexed| known.get(&key(indexed)).cloned())
                    .ok_or_else(|| Error::file(file, "cannot be read")),
            };
            match (row, indexed) {
                (Ok(row), Some(indexed)) => {
                    index.images.push(indexed.clone());
                    index.rows.push(row);
                }
                (Err(error), _) => index.left_out.push((file.clone(), error.to_string())),
                (Ok(_), None) => index.left_out.push((file.clone(), "cannot be read".into())),
            }
        }
        // Only a help for the next time.
        index.unsaved = index.save(&network).err().map(|error| error.to_string());
        Ok(index)
    }

    /// The number of images.
    pub fn len(&self) -> usize {
        self.images.len()
    }

    /// Whether no image could be read.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// The number of images whose features were computed this time.
    pub fn n_computed(&self) -> usize {
        self.computed
    }

    /// Why the features could not be kept in the folder for the next time, if they could not.
    pub fn unsaved(&self) -> Option<&str> {
        self.unsaved.as_deref()
    }

    /// Images that could not be read, with the reasons.
    pub fn left_out(&self) -> &[(PathBuf, String)] {
        &self.left_out
    }

    /// The `k` images that are most like the one with these features ([`Predictor::features`]), each with the cosine of
    /// the angle between their features: 1 for the same image, around 0 for images that have nothing in common.
    ///
    /// # Errors
    /// [`Error::Shape`] when there are fewer or more features than the index has.
    pub fn nearest(&self, features: &[f32], k: usize) -> Result<Vec<(PathBuf, f64)>> {
        let width = self.rows.first().map_or(features.len(), Vec::len);
        if features.len() != width {
            return Err(Error::shape(format!("expected {width} features, those of the index"), &[features.len()]));
        }
        let wanted = unit(features.to_vec());
        let cosine = |row: &Vec<f32>| row.iter().zip(&wanted).map(|(a, b)| f64::from(a * b)).sum::<f64>();
        let mut all: Vec<(usize, f64)> = self.rows.iter().map(cosine).enumerate().collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        all.truncate(k);
        Ok(all.into_iter().map(|(i, cosine)| (self.folder.join(&self.images[i].file), cosine)).collect())
    }

    fn save(&self, network: &str) -> Result<()> {
        let notes = Notes { network: network.into(), images: self.images.clone() };
        let notes = serde_json::to_string(&notes).map_err(|e| Error::Value(e.to_string()))?;
        let bytes = self.rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
        let shape = vec![self.rows.len(), self.rows.first().map_or(0, Vec::len)];
        let tensor = Tensor { name: "features".into(), dtype: Dtype::F32, shape, bytes };
        let metadata = BTreeMap::from([("index".to_string(), notes)]);
        Ok(atomic::write(self.folder.join(FILE), safetensors::to_bytes(&[tensor], &metadata))?)
    }
}

/// What was computed before, by file, size and time; nothing if it is of another network or damaged.
fn read(file: &Path, network: &str) -> Option<HashMap<(PathBuf, u64, u64), Vec<f32>>> {
    let weights = Weights::open(file).ok()?;
    let notes: Notes = serde_json::from_str(weights.metadata().get("index")?).ok()?;
    let rows = weights.tensor("features").ok()?.to_vec2::<f32>().ok()?;
    if notes.network != network || rows.len() != notes.images.len() {
        return None;
    }
    Some(notes.images.iter().map(key).zip(rows).collect())
}

fn key(indexed: &Indexed) -> (PathBuf, u64, u64) {
    (indexed.file.clone(), indexed.bytes, indexed.changed)
}

fn indexed(folder: &Path, file: &Path) -> Result<Indexed> {
    let about = file.metadata().map_err(Error::io(file))?;
    let changed = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Ok(Indexed {
        file: file.strip_prefix(folder).unwrap_or(file).to_path_buf(),
        bytes: about.len(),
        changed: changed.map_or(0, |time| time.as_nanos() as u64),
    })
}

/// What tells networks apart: the hash of the features of a picture of colours.
fn network(predictor: &Predictor) -> Result<String> {
    let picture = Image::from_fn(320, 320, |x, y| [(x * 4 % 256) as u8, (y * 4 % 256) as u8, ((x * y) % 256) as u8])?;
    let bytes: Vec<u8> = predictor.image_features(&picture)?.iter().flat_map(|value| value.to_le_bytes()).collect();
    Ok(hash::bytes(&bytes).sha256)
}

fn unit(mut row: Vec<f32>) -> Vec<f32> {
    let length = row.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    row.iter_mut().for_each(|v| *v = (f64::from(*v) / length) as f32);
    row
}
