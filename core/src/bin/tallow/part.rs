//! The table that one share of a job leaves, and what is written of it while the share is computed.
//!
//! A part is a table of predictions with three columns before it: the photo's number, how many photos the job has,
//! and which job it is. So parts can be put together by what stands in them, and by nothing else.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use tallow::{Error, Result};

/// The columns that tell a row's place.
const PLACE: [&str; 3] = ["item", "of", "job"];

/// One photo of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The photo's place among all, from 0.
    pub(crate) item: usize,
    /// The number of photos of the whole job.
    pub(crate) of: usize,
    /// What the job is: a hash of the model, the photos' names and the settings.
    pub(crate) job: String,
    /// The cells of the table of predictions.
    pub(crate) cells: Vec<String>,
}

impl Row {
    fn place(&self) -> [String; 3] {
        [(self.item + 1).to_string(), self.of.to_string(), self.job.clone()]
    }
}

/// A head and rows, as they stand in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// The columns of the table of predictions.
    pub(crate) head: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

impl Part {
    /// Reads a part.
    ///
    /// # Errors
    /// [`Error::File`] when it is none.
    pub(crate) fn read(file: &Path) -> Result<Part> {
        let text = tallow_io::read::text(file, tallow_io::read::DATA).map_err(Error::io(file))?;
        let (part, rest) = Part::parse(&text).ok_or_else(|| {
            Error::file(file, "is not a part of `tallow predict --shard`: its first columns are others")
        })?;
        match rest {
            None => Ok(part),
            Some(line) => Err(Error::file(file, format!("is damaged at row {line}: score this share again"))),
        }
    }

    /// The rows of a text up to the first that is none, and the number of that one. None if the head is another.
    fn parse(text: &str) -> Option<(Part, Option<usize>)> {
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
        let mut records = reader.records();
        let head = records.next()?.ok()?;
        let head: Vec<String> = head.iter().map(String::from).collect();
        let head = head.strip_prefix(&PLACE.map(String::from))?.to_vec();
        let mut rows = Vec::new();
        for record in records {
            let row = record.ok().and_then(|record| {
                let [item, of, job, cells @ ..] = &record.iter().collect::<Vec<_>>()[..] else { return None };
                let (item, of): (usize, usize) = (item.parse().ok()?, of.parse().ok()?);
                let whole = cells.len() == head.len() && (1..=of).contains(&item);
                let cells = cells.iter().map(|cell| cell.to_string()).collect();
                whole.then(|| Row { item: item - 1, of, job: job.to_string(), cells })
            });
            match row {
                Some(row) => rows.push(row),
                None => {
                    let line = rows.len() + 2;
                    return Some((Part { head, rows }, Some(line)));
                }
            }
        }
        // A line without an end was being written when the process was killed.
        let torn = !text.ends_with('\n') && rows.pop().is_some();
        let line = torn.then_some(rows.len() + 2);
        Some((Part { head, rows }, line))
    }

    /// The text of the part's file.
    pub(crate) fn to_text(&self) -> String {
        let head = PLACE.iter().map(|name| name.to_string()).chain(self.head.iter().cloned()).collect();
        let rows = self.rows.iter().map(|row| [&row.place()[..], &row.cells[..]].concat());
        tallow_io::csv::to_string(std::iter::once(head).chain(rows))
    }

    /// The text of the table of predictions, in the order of the rows.
    pub(crate) fn to_table(&self) -> String {
        tallow_io::csv::to_string(std::iter::once(&self.head).chain(self.rows.iter().map(|row| &row.cells)))
    }
}

/// What is written while a share is computed, under a name of its own, so that a process that is killed loses a batch
/// and no more.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    pub(crate) part: Part,
}

impl Journal {
    /// The rows that an earlier process has left for the file `out`, as far as they are whole.
    pub(crate) fn left(out: &Path, head: &[String]) -> Vec<Row> {
        let found = fs::read_to_string(Journal::path(out)).ok().and_then(|text| Part::parse(&text));
        found.filter(|(part, _)| part.head == head).map(|(part, _)| part.rows).unwrap_or_default()
    }

    /// Begins the journal for the file `out` with what is there already.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn begin(out: &Path, part: Part) -> Result<Journal> {
        let path = Journal::path(out);
        tallow_io::atomic::write(&path, part.to_text())?;
        let file = OpenOptions::new().append(true).open(&path).map_err(Error::io(&path))?;
        Ok(Journal { path, file, part })
    }

    /// Where the journal of a file is.
    fn path(out: &Path) -> PathBuf {
        let mut name = out.file_name().unwrap_or_default().to_os_string();
        name.push(".unfinished");
        out.with_file_name(name)
    }

    /// Adds the rows of a batch.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn add(&mut self, rows: Vec<Row>) -> Result<()> {
        let text = tallow_io::csv::to_string(rows.iter().map(|row| [&row.place()[..], &row.cells[..]].concat()));
        self.file.write_all(text.as_bytes()).map_err(Error::io(&self.path))?;
        self.part.rows.extend(rows);
        Ok(())
    }

    /// Writes the whole file and removes the journal.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub(crate) fn finish(self, out: &Path, text: impl FnOnce(&Part) -> String) -> Result<()> {
        tallow_io::atomic::write(out, text(&self.part))?;
        drop(self.file);
        fs::remove_file(&self.path).map_err(Error::io(&self.path))
    }
}
