//! Predictions of many photos as a file: all of them, or the share of one process, resumed where a killed one stopped.

use crate::part::{Job, Journal, Rows};
use crate::predictions::ColumnArgs;
use crate::shard::Shard;
use crate::table_file;
use std::path::{Path, PathBuf};
use tallow::vision_learner::{Prediction, Predictor};
use tallow::{Error, Result};
use tallow_io::hash::Hasher;

/// What is to be computed, and where it is written.
pub(crate) struct Scoring<'a> {
    pub(crate) predictor: &'a Predictor,
    /// All photos of the job, in the order of the table.
    pub(crate) files: &'a [PathBuf],
    /// The share of this process; none for a table of all photos.
    pub(crate) shard: Option<Shard>,
    pub(crate) columns: ColumnArgs,
    pub(crate) out: &'a Path,
    pub(crate) overwrite: bool,
    /// What tells this job from others, besides the photos: the model and the settings.
    pub(crate) of: String,
}

impl Scoring<'_> {
    /// Computes what is not there yet. `finish` sees each prediction before it is written.
    ///
    /// # Errors
    /// [`Error::Usage`] when the file is there already, and is not this share of the job; other errors when it cannot
    /// be written, the network does not take the photos, or none of all can be read.
    pub(crate) fn run(&self, finish: impl Fn(&mut Prediction)) -> Result<()> {
        let (job, n) = (self.job(), self.files.len());
        let shard = self.shard.unwrap_or(Shard::WHOLE);
        let batches = shard.batches(n);
        let head = self.columns.head(self.predictor.vocab());
        let name = self.out.display();
        if self.out.exists() && !self.overwrite {
            let is_next = |row: Result<_>, item: Option<usize>| {
                row.is_ok_and(|row: crate::part::Row| row.job == job && Some(row.item) == item)
            };
            let is_ours = |mut rows: Rows| {
                let mut items = batches.iter().cloned().flatten();
                rows.head == head && rows.all(|row| is_next(row, items.next())) && items.next().is_none()
            };
            if self.shard.is_some() && Rows::open(self.out).is_ok_and(is_ours) {
                eprintln!("note: {name} is there already, with all photos of share {shard}");
                return Ok(());
            }
            let what = match self.shard {
                // A table of all photos does not tell which model wrote it.
                None => "is there already".to_string(),
                Some(_) => format!(
                    "is there already, and is not share {shard} of this job: other photos, another model or other \
                     settings wrote it, or it is damaged"
                ),
            };
            let remedy = "`--overwrite` replaces it, another name for `--out` keeps it";
            return Err(Error::Usage(format!("{name}: {what}; {remedy}")));
        }
        let (mut journal, first) = Journal::begin(self.out, &head, job, &batches)?;
        let kept: usize = batches.iter().take(first).map(|batch| batch.len()).sum();
        if kept > 0 {
            eprintln!("note: {kept} photos were scored before; the rest follows");
        }
        for batch in batches.iter().skip(first) {
            let rows = self.columns.rows(self.predictor, &self.files[batch.clone()], &finish)?;
            journal.add(batch.start, rows)?;
        }
        let error = head.iter().position(|name| name == "error").unwrap_or_default();
        let bad =
            journal.rows()?.flatten().filter(|row| row.cells.get(error).is_some_and(|why| !why.is_empty())).count();
        match self.shard {
            Some(_) => journal.into_part(self.out)?,
            None => journal.into_table(|rows| table_file::write(self.out, &head, rows.map(|row| Ok(row?.cells))))?,
        }
        let done: usize = batches.iter().map(|batch| batch.len()).sum();
        let of = self.shard.map_or_else(String::new, |shard| format!(", share {shard} of {n}"));
        eprintln!("{name}: {done} photos{of}");
        // One share may have bad luck; a job that reads nothing has failed.
        if bad == n && self.shard.is_none() {
            let what = format!("none of the {n} photos could be read; its column `error` says why");
            return Err(Error::file(self.out, what));
        }
        if bad > 0 {
            eprintln!("note: {bad} of them could not be read; the column `error` says why");
        }
        Ok(())
    }

    /// What tells the job from others: the model, the names of the photos, in order, and the settings.
    fn job(&self) -> Job {
        let mut hasher = Hasher::default();
        hasher.update(self.of.as_bytes());
        for file in self.files {
            hasher.update(b"\0");
            hasher.update(file.as_os_str().as_encoded_bytes());
        }
        Job { of: self.files.len(), hash: hasher.finish().sha256[..16].to_string() }
    }
}
