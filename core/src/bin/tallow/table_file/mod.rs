//! Tables of predictions as files: CSV, JSON lines or Parquet, by the ending of their names.

mod kind;
#[cfg(feature = "parquet")]
mod parquet;

pub(crate) use kind::{EMBEDDING, PROBABILITY_OF};

use kind::Kind;
use std::cell::RefCell;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use tallow::text::visible_json;
use tallow::{Error, Result};
use tallow_io::csv::unmarked;

/// What a file of that name cannot be, told before anything is computed.
///
/// # Errors
/// [`Error::Usage`] for Parquet in a program without it.
pub(crate) fn check(out: &Path) -> Result<()> {
    if Form::of(out) == Form::Parquet && cfg!(not(feature = "parquet")) {
        let what =
            "this program was built without Parquet: build it with `--features parquet`, or write .csv or .jsonl";
        return Err(Error::Usage(format!("{}: {what}", out.display())));
    }
    Ok(())
}

/// Whether a file of that name is CSV.
pub(crate) fn is_csv(out: &Path) -> bool {
    Form::of(out) == Form::Csv
}

/// Writes the table, row by row.
///
/// # Errors
/// Those of the rows, and when the file cannot be written; what stood there is then as it was.
pub(crate) fn write(out: &Path, head: &[String], rows: impl Iterator<Item = Result<Vec<String>>>) -> Result<()> {
    check(out)?;
    // The writer of files knows the system's errors alone: one of the rows waits here.
    let failed = RefCell::new(None);
    let mut sound = rows.map_while(|row| row.map_err(|error| *failed.borrow_mut() = Some(error)).ok());
    let written = tallow_io::atomic::write_with(out, |file| {
        match Form::of(out) {
            Form::Csv => as_csv(file, head, &mut sound)?,
            Form::JsonLines => as_json_lines(file, head, &mut sound)?,
            Form::Parquet => as_parquet(file, head, &mut sound)?,
        }
        match failed.borrow().is_some() {
            true => Err(std::io::Error::other("a row could not be read")),
            false => Ok(()),
        }
    });
    match failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(written?),
    }
}

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Csv,
    JsonLines,
    Parquet,
}

impl Form {
    fn of(out: &Path) -> Form {
        let ending = out.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("jsonl" | "ndjson") => Form::JsonLines,
            Some("parquet") => Form::Parquet,
            _ => Form::Csv,
        }
    }
}

fn as_csv(file: &mut File, head: &[String], rows: impl Iterator<Item = Vec<String>>) -> std::io::Result<()> {
    let mut file = BufWriter::new(file);
    for row in std::iter::once(head.to_vec()).chain(rows) {
        file.write_all(tallow_io::csv::to_string([row]).as_bytes())?;
    }
    file.flush()
}

/// An object for each row; an empty cell is null.
fn as_json_lines(file: &mut File, head: &[String], rows: impl Iterator<Item = Vec<String>>) -> std::io::Result<()> {
    let mut file = BufWriter::new(file);
    let names: Vec<(String, Kind)> = head.iter().map(|name| (quoted(name), Kind::of(name))).collect();
    for row in rows {
        let members = names.iter().zip(&row).map(|((name, kind), cell)| match (cell.as_str(), kind) {
            ("", _) => format!("{name}:null"),
            // Numbers were written as JSON has them, but for those that it has not.
            (cell, Kind::Number) if cell.parse().is_ok_and(|number: f64| !number.is_finite()) => format!("{name}:null"),
            (cell, Kind::Number | Kind::Numbers) => format!("{name}:{cell}"),
            (cell, Kind::Path) => format!("{name}:{}", quoted(cell)),
            (cell, Kind::Text) => format!("{name}:{}", quoted(unmarked(cell))),
        });
        let line = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        writeln!(file, "{}", visible_json(&line))?;
    }
    file.flush()
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(feature = "parquet")]
use parquet::write as as_parquet;

#[cfg(not(feature = "parquet"))]
fn as_parquet(_: &mut File, _: &[String], _: impl Iterator<Item = Vec<String>>) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
