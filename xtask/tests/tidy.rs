//! The rules of this repository, as tests: which module may use which, how long files are, where `unsafe`, printing and
//! sockets may stand.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fs;
use std::path::{Path, PathBuf};

/// For each module of core, the modules that it may use, besides itself. The ground is open to all.
const MAY_USE: [(&str, &[&str]); 13] = [
    ("vision", &[]),
    ("data", &["vision"]),
    ("autograd", &["kernels"]),
    ("nn", &["kernels"]),
    ("models", &["kernels", "nn"]),
    ("optim", &["kernels", "nn"]),
    ("metrics", &[]),
    ("classic", &["metrics"]),
    ("train", &["data", "vision", "kernels", "nn", "models", "optim", "metrics"]),
    ("interpret", &["data", "vision", "nn", "train", "metrics", "plot"]),
    ("plot", &[]),
    ("report", &["metrics", "plot"]),
    ("cli", &["report", "kernels"]),
];

const GROUND: [&str; 4] = ["error", "event", "device", "rng"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// All files under a folder with one of the extensions, outside of build output and hidden folders.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
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

fn rust_files(folder: &str) -> Vec<(String, String)> {
    let root = root();
    let relative = |p: &Path| p.strip_prefix(&root).unwrap().display().to_string().replace('\\', "/");
    files(&root.join(folder), &["rs"]).iter().map(|p| (relative(p), fs::read_to_string(p).unwrap())).collect()
}

/// The lines of a source that are neither comments nor unit tests, with their numbers. Unit tests stand at a file's end.
fn code_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    let lines = source.lines().take_while(|line| !line.starts_with("#[cfg(test)]"));
    lines.enumerate().map(|(i, line)| (i + 1, line)).filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Every module that a source names by `crate::`.
fn uses(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in code_lines(source) {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            // `crate::{a, b::c}` names several.
            let names = match rest.strip_prefix('{') {
                Some(list) => list.split(',').collect(),
                None => vec![rest],
            };
            for name in names {
                let word: String = name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                found.push((number, word));
            }
        }
    }
    found
}

fn forbidden_edges(module: &str, file: &str, source: &str) -> Vec<String> {
    let Some((_, allowed)) = MAY_USE.iter().find(|(name, _)| *name == module) else {
        return vec![format!("{file}: module `{module}` has no place in the order of dependencies")];
    };
    let is_fine = |used: &str| used == module || GROUND.contains(&used) || allowed.contains(&used);
    let wrong = uses(source).into_iter().filter(|(_, used)| !is_fine(used));
    wrong.map(|(line, used)| format!("{file}:{line}: `{module}` may use {allowed:?}, not `{used}`")).collect()
}

fn assert_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn dependencies_of_core_point_one_way() {
    let mut problems = Vec::new();
    for (file, source) in rust_files("core/src") {
        let inside = file.strip_prefix("core/src/").unwrap();
        let module = inside.split('/').next().unwrap().trim_end_matches(".rs");
        if module == "lib" || module == "bin" {
            continue; // the whole, and a program that uses it as others do
        }
        if GROUND.contains(&module) {
            let wrong = uses(&source).into_iter().filter(|(_, used)| !GROUND.contains(&used.as_str()));
            problems.extend(wrong.map(|(line, used)| format!("{file}:{line}: the ground may not use `{used}`")));
        } else {
            problems.extend(forbidden_edges(module, &file, &source));
        }
    }
    assert_none(problems);
}

#[test]
fn a_forbidden_dependency_would_be_found() {
    let source = "use crate::error::Result;\nuse crate::{kernels, train::Learner};\nfn f() { crate::report::g() }\n";
    let found = forbidden_edges("nn", "x.rs", source);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].contains("x.rs:2") && found[0].contains("`train`") && found[1].contains("x.rs:3"));
    assert!(forbidden_edges("nn", "x.rs", "// crate::train\n#[cfg(test)]\nuse crate::train;\n").is_empty());
    assert_eq!(forbidden_edges("newcomer", "x.rs", "").len(), 1);
}

#[test]
fn files_are_short_documented_and_clean() {
    let mut problems = Vec::new();
    let path_of_this_machine = root().parent().unwrap().display().to_string() + "/";
    // Split, so that this file does not hold the words that it looks for.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("#[ig", "nore"), concat!("db", "g!(")];
    for (file, source) in rust_files("") {
        let lines = source.lines().count();
        if lines > 500 {
            problems.push(format!("{file}: {lines} lines; a file holds one concept, in 500 lines at most"));
        }
        if !source.starts_with("//!") {
            problems.push(format!("{file}: begins without a `//!` line that says what it is for"));
        }
        if !source.ends_with('\n') || source.ends_with("\n\n") {
            problems.push(format!("{file}: should end with one newline"));
        }
        for (number, line) in source.lines().enumerate() {
            if line.ends_with([' ', '\t']) {
                problems.push(format!("{file}:{}: white space at the end", number + 1));
            }
            if marks.iter().any(|mark| line.contains(mark))
                || (path_of_this_machine.len() > 3 && line.contains(&path_of_this_machine))
            {
                problems.push(format!("{file}:{}: a mark that should not stay: {}", number + 1, line.trim()));
            }
        }
    }
    assert_none(problems);
}

#[test]
fn unsafe_code_is_in_kernels_and_says_why_it_is_sound() {
    let mut problems = Vec::new();
    for (file, source) in rust_files("") {
        if file == "xtask/tests/tidy.rs" {
            continue;
        }
        let lines: Vec<&str> = source.lines().collect();
        for (number, line) in code_lines(&source) {
            let word = line.contains("unsafe {") || line.contains("unsafe fn") || line.contains("unsafe impl");
            if !word && !line.contains("allow(unsafe_code)") {
                continue;
            }
            if !file.starts_with("core/kernels/src/") {
                problems.push(format!("{file}:{number}: `unsafe` outside of kernels"));
            }
            let reason = if line.contains("unsafe fn") { "# Safety" } else { "SAFETY:" };
            let above = &lines[number.saturating_sub(6)..number - 1];
            if word && !above.iter().any(|line| line.contains(reason)) {
                problems.push(format!("{file}:{number}: `unsafe` without a `{reason}` comment above it"));
            }
        }
    }
    assert_none(problems);
}

#[test]
fn core_prints_only_in_report_and_cli_and_only_datasets_and_the_hub_open_sockets() {
    let mut problems = Vec::new();
    for (file, source) in rust_files("core/src").into_iter().chain(rust_files("core/kernels/src")) {
        let may_print = ["report", "cli", "bin"].iter().any(|name| file.starts_with(&format!("core/src/{name}/")));
        for (number, line) in code_lines(&source) {
            if !may_print && ["println!(", "print!(", "eprintln!(", "eprint!("].iter().any(|word| line.contains(word)) {
                problems.push(format!("{file}:{number}: core prints nothing; send an event"));
            }
        }
    }
    for folder in ["core/src", "chapters", "datasets/src", "io/src", "xtask/src"] {
        for (file, source) in rust_files(folder) {
            let hub = file == "core/src/models/hub/client.rs";
            let may_connect = hub
                || ["download", "download_images", "http"].iter().any(|name| file == format!("datasets/src/{name}.rs"));
            for (number, line) in code_lines(&source) {
                if !may_connect && ["ureq::", "TcpStream", "reqwest", "hf_hub"].iter().any(|word| line.contains(word)) {
                    problems.push(format!("{file}:{number}: opens a socket"));
                }
            }
        }
    }
    assert_none(problems);
}

#[test]
fn packages_share_their_settings_and_chapters_stand_alone() {
    let mut problems = Vec::new();
    for manifest in files(&root(), &["toml"]) {
        let name = manifest.strip_prefix(root()).unwrap().display().to_string().replace('\\', "/");
        if !name.ends_with("/Cargo.toml") {
            continue;
        }
        let text = fs::read_to_string(&manifest).unwrap();
        for line in ["edition.workspace = true", "license.workspace = true", "[lints]\nworkspace = true"] {
            if !text.contains(line) {
                problems.push(format!("{name}: lacks `{}`", line.replace('\n', " ")));
            }
        }
        let others = text.lines().filter(|line| line.starts_with("ch0"));
        if name.starts_with("chapters/") {
            problems.extend(others.map(|line| format!("{name}: a chapter uses another chapter: {line}")));
        }
    }
    assert_none(problems);
}

#[test]
fn embedded_data_are_small() {
    let embedded = files(&root().join("datasets/embedded"), &["gz"]);
    let bytes: u64 = embedded.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(!embedded.is_empty() && bytes <= 3 << 20, "{bytes} bytes of embedded data; 3 MB at most");
    let weights = files(&root().join("datasets/embedded"), &["safetensors"]);
    let bytes: u64 = weights.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(weights.len() == 1 && bytes <= 10 << 20, "{bytes} bytes of embedded weights; one network of 10 MB at most");
}
