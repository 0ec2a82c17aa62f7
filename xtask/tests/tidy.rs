//! The rules of this repository, as tests: how long files and lines are, and where `unsafe`, printing and sockets
//! may stand.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

#[allow(unreachable_pub)]
mod sources;

use std::fs;

use sources::{assert_none, code_lines, files, root, rust_files};

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
fn lines_are_at_most_120_characters() {
    // rustfmt leaves comments and strings as they are.
    let mut problems = Vec::new();
    for (file, source) in rust_files("") {
        let widths = source.lines().map(|line| line.chars().count()).enumerate();
        let wide = widths.filter(|(_, width)| *width > 120);
        problems.extend(wide.map(|(i, width)| format!("{file}:{}: {width} characters", i + 1)));
    }
    assert_none(problems);
}

#[test]
fn loops_of_kernels_are_inlined_into_code_for_the_vector_instructions() {
    let mut problems = Vec::new();
    for (file, source) in rust_files("core/kernels/src") {
        let closures = code_lines(&source).filter(|(_, line)| line.contains(concat!("dispatch", "(|")));
        problems.extend(closures.map(|(number, _)| format!("{file}:{number}: a closure; use `vectorized!`")));
    }
    assert_none(problems);
}

#[test]
fn the_pages_of_chapters_have_all_of_their_sources() {
    let files = rust_files("chapters");
    let mut problems = Vec::new();
    for (file, _) in files.iter().filter(|(file, _)| !file.ends_with("/main.rs")) {
        let (folder, name) = file.rsplit_once('/').unwrap();
        let lib = files.iter().find(|(lib, _)| *lib == format!("{folder}/lib.rs")).map(|(_, source)| source);
        if !lib.is_some_and(|lib| lib.contains(&format!("\"{name}\""))) {
            problems.push(format!("{file}: `sources!` in {folder}/lib.rs does not name it, so its code is on no page"));
        }
    }
    assert!(files.len() > 40);
    assert_none(problems);
}

#[test]
fn prose_uses_the_words_of_the_field() {
    // The worst cases of CONTRIBUTING's glossary, split so that this file does not hold them.
    let phrases = [
        concat!("to judge", " by"),
        concat!(" in", " hand"),
        concat!("what becomes", " of"),
        concat!("It can", " what"),
        concat!("As", " above."),
        concat!("As", " there."),
        concat!("some", "body"),
        concat!("Some", "body"),
        concat!("who", "ever"),
        concat!("Who", "ever"),
        concat!(" is no", " picture"),
        concat!(" is no", " number"),
        concat!(" are no", " numbers"),
        concat!("thousand", " million"),
    ];
    let mut problems = Vec::new();
    for (file, source) in rust_files("") {
        for (number, line) in source.lines().enumerate() {
            for phrase in phrases.iter().filter(|phrase| line.contains(**phrase)) {
                problems.push(format!("{file}:{}: `{phrase}`; see the glossary in CONTRIBUTING.md", number + 1));
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
        if text.contains("[workspace]") {
            continue; // cargo-fuzz wants a workspace of its own
        }
        for line in ["edition.workspace = true", "[lints]\nworkspace = true"] {
            if !text.contains(line) {
                problems.push(format!("{name}: lacks `{}`", line.replace('\n', " ")));
            }
        }
        // Packages with data or tables of others have these licences too.
        if !text.contains("license.workspace = true") && !text.contains("\nlicense = \"") {
            problems.push(format!("{name}: has no licence"));
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
    let weights = files(&root().join("datasets"), &["safetensors"]);
    let weights: Vec<_> = weights.iter().filter(|file| !file.to_string_lossy().contains("downloads")).collect();
    let bytes: u64 = weights.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert!(weights.len() == 1 && bytes <= 10 << 20, "{bytes} bytes of embedded weights; one network of 10 MB at most");
}
