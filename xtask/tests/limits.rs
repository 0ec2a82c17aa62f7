//! The table of limits in `docs/limits.md` is what the code has, and has all of it.
#![allow(clippy::unwrap_used, missing_docs)]

#[allow(dead_code, unreachable_pub)] // `tidy` uses the rest of it
mod sources;

use std::fs;

use sources::{assert_none, code_lines, root, rust_files};

/// A row: what is limited, the limit, and a file with the piece of code that says it.
struct Row {
    what: String,
    limit: String,
    place: Option<(String, String)>,
}

fn rows(document: &str) -> Vec<Row> {
    let lines = document.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| what |"));
    let cells = lines.map(|line| line.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect::<Vec<&str>>());
    let row = |cells: Vec<&str>| {
        let mut words = cells[2].split('`').skip(1).step_by(2).map(String::from);
        let place = words.next().zip(words.next());
        Row { what: cells[0].into(), limit: cells[1].into(), place }
    };
    cells.map(row).collect()
}

/// The number that the document writes as `178,956,970`, `512 MiB` or `30 s`.
fn written(limit: &str) -> Option<u64> {
    let (number, unit) = limit.split_once(' ').unwrap_or((limit, ""));
    let unit = match unit {
        "" | "s" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "MB" => 1_000_000,
        _ => return None,
    };
    Some(number.replace(',', "").parse::<u64>().ok()? * unit)
}

/// The number at the end of a piece of code: `1 << 29`, `100_000`, `from_secs(60)`.
fn in_code(code: &str) -> Option<u64> {
    let number = |text: &str| {
        let digits = text.trim_end_matches([')', '(', ',', ' ']);
        let start = digits.rfind(|c: char| !c.is_ascii_digit() && c != '_').map_or(0, |at| at + 1);
        digits[start..].replace('_', "").parse::<u64>().ok()
    };
    match code.rsplit_once("<<") {
        Some((left, right)) => Some(number(left)? << number(right)?),
        None => number(code),
    }
}

#[test]
fn the_table_says_what_the_code_has() {
    let document = fs::read_to_string(root().join("docs/limits.md")).unwrap();
    let rows = rows(&document);
    assert!(rows.len() > 40, "{} rows", rows.len());
    let mut problems = Vec::new();
    for Row { what, limit, place } in &rows {
        let Some((file, code)) = place else { continue };
        let source = fs::read_to_string(root().join(file)).unwrap_or_default();
        if !source.contains(code.as_str()) {
            problems.push(format!("docs/limits.md: {what}: `{code}` is not in {file}"));
        }
        if written(limit).is_none() || written(limit) != in_code(code) {
            problems.push(format!("docs/limits.md: {what}: says {limit}, and the code `{code}`"));
        }
    }
    assert_none(problems);
}

#[test]
fn every_limit_of_the_code_is_in_the_table() {
    let document = fs::read_to_string(root().join("docs/limits.md")).unwrap();
    let places: Vec<(String, String)> = rows(&document).into_iter().filter_map(|row| row.place).collect();
    // Choices of how something is shown, guessed or computed, not of what is taken.
    let shown = [
        "/plot/",
        "/report/",
        "/interpret/ratings",
        "/classic/",
        "/bin/tallow/text/",
        "/data/texts/warnings",
        "/words/english",
    ];
    // The last is in the table, but its number has thirty digits.
    let inner = ["MOST_SHOWN", "MOST_WHOLE", "MOST_DEVIATIONS"];
    let mut problems = Vec::new();
    for folder in ["core/src", "io/src", "datasets/src"] {
        let files = rust_files(folder).into_iter();
        for (file, source) in files.filter(|(file, _)| !shown.iter().any(|part| file.contains(part))) {
            for (number, line) in code_lines(&source) {
                let Some((_, rest)) = line.split_once("const ") else { continue };
                let name = rest.split(':').next().unwrap_or_default();
                let limit = name.starts_with("MAX_") || name.starts_with("MOST") || name.starts_with("LONGEST");
                let listed = places.iter().any(|(place, code)| *place == file && code.starts_with(name));
                if limit && !listed && !inner.contains(&name) {
                    problems.push(format!("{file}:{number}: {name} is not in docs/limits.md"));
                }
            }
        }
    }
    assert_none(problems);
}

#[test]
fn numbers_are_read_as_they_are_written() {
    for (limit, code) in [
        ("178,956,970", "max_pixels: 178_956_970"),
        ("512 MiB", "PICTURE: u64 = 1 << 29"),
        ("16 MiB", "MAX_PICKLE: usize = 16 << 20"),
        ("60 s", "timeout_global(Some(Duration::from_secs(60)"),
        ("20 MB", "max_bytes: 20_000_000"),
        ("10", "saturating_mul(10)"),
    ] {
        assert!(written(limit).is_some() && written(limit) == in_code(code), "{limit} {code}");
    }
    assert_ne!(written("1 MiB"), in_code("1_000_000"));
    assert_eq!((written("1 MeB"), in_code("none")), (None, None));
}
