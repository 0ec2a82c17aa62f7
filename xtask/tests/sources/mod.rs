//! The sources of this repository, as the tests of its rules read them.

use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// All files under a folder with one of the extensions, outside of build output and hidden folders.
pub fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && !["target", "out", "downloads"].contains(&name.as_str()) {
            found.extend(files(&path, extensions));
        } else if path.extension().is_some_and(|e| extensions.iter().any(|x| e == *x)) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The Rust files under a folder of the repository: each path, as seen from the root, and its text.
pub fn rust_files(folder: &str) -> Vec<(String, String)> {
    let root = root();
    let relative = |p: &Path| p.strip_prefix(&root).unwrap().display().to_string().replace('\\', "/");
    files(&root.join(folder), &["rs"]).iter().map(|p| (relative(p), fs::read_to_string(p).unwrap())).collect()
}

/// The lines of a source that are neither comments nor unit tests, with their numbers. Unit tests stand at a file's
/// end.
pub fn code_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = source.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    lines.enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

pub fn assert_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}
