//! The table that one share of a job leaves, and what is written of it while the share is computed.
//!
//! A part is a table of predictions with three columns before it: the photo's number, how many photos the job has,
//! and which job it is. So parts can be put together by what stands in them, and by nothing else. Rows are read and
//! written one after another: with the features of its photos, a part may be larger than the memory.

use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use tallow::{Error, Result};

/// The columns that tell a row's place.
const PLACE: [&str; 3] = ["item", "of", "job"];

/// A job, as every row of its parts tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    /// The number of photos.
    pub(crate) of: usize,
    /// A hash of the model, the photos' names and the settings.
    pub(crate) hash: String,
}

/// One photo of a part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    /// The photo's place among all, from 0.
    pub(crate) item: usize,
    pub(crate) job: Job,
    /// The cells of the table of predictions.
    pub(crate) cells: Vec<String>,
}

/// The rows of a part's file, in their order. The last one is damaged when the process that wrote it was killed.
pub(crate) struct Rows {
    /// The columns of the table of predictions.
    pub(crate) head: Vec<String>,
    path: PathBuf,
    reader: csv::Reader<BufReader<File>>,
    length: u64,
    /// Whether the last line has an end: one without was being written.
    is_whole: bool,
    n: usize,
}

impl Rows {
    /// Opens a part.
    ///
    /// # Errors
    /// [`Error::File`] when it is none.
    pub(crate) fn open(path: &Path) -> Result<Rows> {
        let mut file = tallow_io::read::open(path).map_err(Error::io(path))?;
        let (length, is_whole) = length_and_end(&mut file).map_err(Error::io(path))?;
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(BufReader::new(file));
        let mut record = csv::StringRecord::new();
        let is_there = reader.read_record(&mut record).unwrap_or(false);
        let head: Vec<String> = record.iter().map(String::from).collect();
        match head.strip_prefix(&PLACE.map(String::from)) {
            Some(head) if is_there => {
                Ok(Rows { head: head.to_vec(), path: path.into(), reader, length, is_whole, n: 0 })
            }
            _ => Err(Error::file(path, "is not a part of `tallow predict --shard`: its first columns are others")),
        }
    }

    /// Where the next row begins, in bytes.
    pub(crate) fn position(&self) -> u64 {
        self.reader.position().byte()
    }

    /// Goes to a row that begins there.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn seek(&mut self, byte: u64) -> Result<()> {
        let mut position = csv::Position::new();
        position.set_byte(byte);
        self.reader.seek(position).map_err(|e| Error::file(&self.path, e.to_string()))
    }

    fn parsed(&self, record: &csv::StringRecord) -> Option<Row> {
        let [item, of, hash, cells @ ..] = &record.iter().collect::<Vec<_>>()[..] else { return None };
        let (item, of): (usize, usize) = (item.parse().ok()?, of.parse().ok()?);
        let torn = !self.is_whole && self.position() >= self.length;
        let fits = !torn && cells.len() == self.head.len() && (1..=of).contains(&item);
        let cells = cells.iter().map(|cell| cell.to_string()).collect();
        fits.then(|| Row { item: item - 1, job: Job { of, hash: hash.to_string() }, cells })
    }
}

impl Iterator for Rows {
    type Item = Result<Row>;

    fn next(&mut self) -> Option<Result<Row>> {
        let mut record = csv::StringRecord::new();
        self.n += 1;
        let row = match self.reader.read_record(&mut record) {
            Ok(false) => return None,
            Ok(true) => self.parsed(&record),
            Err(_) => None,
        };
        let damaged = || Error::file(&self.path, format!("is damaged at row {}: score this share again", self.n + 1));
        Some(row.ok_or_else(damaged))
    }
}

/// The length of a file, and whether it ends with the end of a line.
fn length_and_end(file: &mut File) -> std::io::Result<(u64, bool)> {
    let length = file.metadata()?.len();
    let mut last = [0];
    if length > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        file.rewind()?;
    }
    Ok((length, last == *b"\n"))
}

/// What is written while a share is computed, under a name of its own, so that a process that is killed loses a batch
/// and no more.
pub(crate) struct Journal {
    path: PathBuf,
    file: File,
    job: Job,
}

impl Journal {
    /// Begins the journal for the file `out`, or goes on with the one that a killed process has left: of that stay
    /// whole batches of this job, from the first on. Returns their number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn begin(out: &Path, head: &[String], job: Job, batches: &[Range<usize>]) -> Result<(Journal, usize)> {
        let mut name = out.file_name().unwrap_or_default().to_os_string();
        name.push(".unfinished");
        let path = out.with_file_name(name);
        let left = Rows::open(&path).ok().filter(|rows| rows.head == head);
        let (batches, end) = left.map(|rows| kept(rows, &job, batches)).unwrap_or_default();
        if batches == 0 {
            let head = PLACE.iter().map(|name| name.to_string()).chain(head.iter().cloned()).collect::<Vec<_>>();
            tallow_io::atomic::write(&path, tallow_io::csv::to_string([head]))?;
        }
        let open = || {
            let mut file = OpenOptions::new().write(true).open(&path)?;
            if batches > 0 {
                file.set_len(end)?;
            }
            file.seek(SeekFrom::End(0))?;
            Ok(file)
        };
        let file = open().map_err(Error::io(&path))?;
        Ok((Journal { path, file, job }, batches))
    }

    /// Adds a batch of rows: the cells of the photos from `first` on.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn add(&mut self, first: usize, rows: Vec<Vec<String>>) -> Result<()> {
        let Job { of, hash } = &self.job;
        let placed = rows.into_iter().enumerate().map(|(i, cells)| {
            let place = [(first + i + 1).to_string(), of.to_string(), hash.clone()];
            place.into_iter().chain(cells).collect::<Vec<_>>()
        });
        let text = tallow_io::csv::to_string(placed);
        tallow_io::fault::point().and_then(|()| self.file.write_all(text.as_bytes())).map_err(Error::io(&self.path))
    }

    /// The rows that are there.
    ///
    /// # Errors
    /// When they cannot be read.
    pub(crate) fn rows(&self) -> Result<Rows> {
        Rows::open(&self.path)
    }

    /// Makes the journal the part `out`.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub(crate) fn into_part(self, out: &Path) -> Result<()> {
        self.file.sync_all().map_err(Error::io(&self.path))?;
        Ok(tallow_io::atomic::rename(&self.path, out)?)
    }

    /// Hands the rows to `write`, and removes the journal.
    ///
    /// # Errors
    /// Those of `write`, which leave the journal.
    pub(crate) fn into_table(self, write: impl FnOnce(Rows) -> Result<()>) -> Result<()> {
        write(self.rows()?)?;
        drop(self.file);
        fs::remove_file(&self.path).map_err(Error::io(&self.path))
    }
}

/// How many of the batches are there as a whole, from the first on, and where they end in the file.
fn kept(mut rows: Rows, job: &Job, batches: &[Range<usize>]) -> (usize, u64) {
    let mut end = rows.position();
    for (i, batch) in batches.iter().enumerate() {
        let is_next = |item: usize| matches!(rows.next(), Some(Ok(row)) if row.item == item && row.job == *job);
        if !batch.clone().all(is_next) {
            return (i, end);
        }
        end = rows.position();
    }
    (batches.len(), end)
}
