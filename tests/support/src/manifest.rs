//! Small manifests of datasets, as `datasets/manifest.toml` is one.

use crate::sha256;

/// A manifest of one dataset `demo` with the given `[[dataset.file]]` tables.
pub fn of(files: &[String]) -> String {
    let head = "[[dataset]]\nname = \"demo\"\ntitle = \"a demonstration\"\nlicence = \"CC0-1.0\"\n\
                licence_url = \"https://example.org\"\ncredit = \"nobody\"\nlayout = \"flat\"\n";
    format!("{head}{}", files.concat())
}

/// A `[[dataset.file]]` table; `more` are further lines of it.
pub fn file(name: &str, sources: &[String], contents: &[u8], more: &str) -> String {
    let (bytes, sha256) = (contents.len(), sha256(contents));
    let table = format!("[[dataset.file]]\nname = \"{name}\"\nsources = {sources:?}\nbytes = {bytes}\n");
    format!("{table}sha256 = \"{sha256}\"\n{more}\n")
}
