//! The targets, one for each kind of file.

mod datasets;
mod json;
mod models;
mod pictures;
mod text;

use std::path::Path;
use tallow::rng::Rng;

/// Makes another input of one, if it can.
pub type Change = fn(&[u8], &mut Rng) -> Option<Vec<u8>>;

/// A reader of Tallow's, and what to give it.
pub struct Target {
    /// By which it is asked for.
    pub name: &'static str,
    /// Inputs that are right; the folder is for files that they need.
    pub seeds: fn(&Path) -> Vec<Vec<u8>>,
    /// Words of the format, which mutations put in.
    pub tokens: &'static [&'static [u8]],
    /// Changes a seed within its structure, where bytes at random would rarely be read any further.
    pub structure: Option<Change>,
    /// Reads an input: an answer in words, or what is wrong with the reader.
    pub run: fn(&[u8], &Path) -> Result<String, String>,
}

/// All targets.
pub const TARGETS: &[Target] = &[
    pictures::PICTURES,
    pictures::JPEGS,
    datasets::IDX,
    datasets::MANIFEST,
    datasets::ZIP,
    datasets::TGZ,
    models::SAFETENSORS,
    models::PTH,
    models::LEARNER,
    models::CHECKPOINT,
    text::TABLE,
    text::LABELS,
    text::WORDS,
    text::PIECES,
];

/// The words of a success or of an error, which must have some.
fn words<T, E: std::fmt::Display>(result: Result<T, E>) -> Result<String, String> {
    let words = result.map_or_else(|error| error.to_string(), |_| "read".into());
    if words.trim().is_empty() { Err("a message without words".into()) } else { Ok(words) }
}

/// The contents of the files in a folder of the repository.
fn files(folder: &str, endings: &[&str]) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
    let mut paths: Vec<_> = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path()).collect();
    paths.retain(|path| endings.iter().any(|ending| path.to_string_lossy().ends_with(ending)));
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read(path).ok()).collect()
}
