//! Predictions of many photos as a file: all of them, or the share of one process, resumed where a killed one stopped.

use crate::part::{Journal, Part, Row};
use crate::shard::Shard;
use std::ops::Range;
use std::path::{Path, PathBuf};
use tallow::vision_learner::{Prediction, Predictor, predictions_csv};
use tallow::{Error, Result};
use tallow_io::hash::Hasher;

/// What is to be computed, and where it is written.
pub(crate) struct Scoring<'a> {
    pub(crate) predictor: &'a Predictor,
    /// All photos of the job, in the order of the table.
    pub(crate) files: &'a [PathBuf],
    /// The share of this process; none for a table of all photos.
    pub(crate) shard: Option<Shard>,
    pub(crate) out: &'a Path,
    pub(crate) overwrite: bool,
    /// What tells this job from others, besides the photos: the model and the settings.
    pub(crate) of: String,
}

impl Scoring<'_> {
    /// Computes what is not there yet. `finish` sees each batch's predictions before they are written.
    ///
    /// # Errors
    /// [`Error::Usage`] when the file holds something else; other errors when it cannot be written, or the network does
    /// not take the photos.
    pub(crate) fn run(&self, finish: impl Fn(&mut [Result<Prediction>])) -> Result<()> {
        let (job, n) = (self.job(), self.files.len());
        let shard = self.shard.unwrap_or(Shard::WHOLE);
        let batches = shard.batches(n);
        let name = self.out.display();
        if self.out.exists() && !self.overwrite {
            let whole = batches.iter().cloned().flatten();
            let is_ours = |part: Part| {
                part.rows.iter().all(|row| row.of == n && row.job == job)
                    && part.rows.iter().map(|row| row.item).eq(whole)
            };
            if self.shard.is_some() && Part::read(self.out).is_ok_and(is_ours) {
                eprintln!("note: {name} is there already, with all photos of share {shard}");
                return Ok(());
            }
            let what = "is there, and is not what this command would write: `--overwrite` replaces it";
            return Err(Error::Usage(format!("{name}: {what}")));
        }
        let head = cells(&[], &[]).remove(0);
        // Of what a killed process has left, whole batches of this job, from the first on.
        let mut rows = Journal::left(self.out, &head);
        let mut kept = 0;
        let is_kept = |batch: &&Range<usize>| {
            let found = rows.get(kept..kept + batch.len()).unwrap_or_default();
            let mut places = found.iter().filter(|row| row.of == n && row.job == job).map(|row| row.item);
            let whole = (*batch).clone().all(|item| places.next() == Some(item));
            kept += if whole { batch.len() } else { 0 };
            whole
        };
        let first = batches.iter().take_while(is_kept).count();
        rows.truncate(kept);
        if kept > 0 {
            eprintln!("note: {kept} photos were scored before; the rest follows");
        }
        let mut journal = Journal::begin(self.out, Part { head, rows })?;
        for batch in batches.into_iter().skip(first) {
            let files = &self.files[batch.clone()];
            let mut predictions = self.predictor.predict(files)?;
            finish(&mut predictions);
            let rows = cells(files, &predictions).into_iter().skip(1).zip(batch);
            let rows: Vec<Row> = rows.map(|(cells, item)| Row { item, of: n, job: job.clone(), cells }).collect();
            journal.add(rows)?;
        }
        let Part { head, rows } = &journal.part;
        let error = head.iter().position(|name| name == "error").unwrap_or_default();
        let (done, bad) = (rows.len(), rows.iter().filter(|row| !row.cells[error].is_empty()).count());
        journal.finish(self.out, |part| if self.shard.is_some() { part.to_text() } else { part.to_table() })?;
        let of = self.shard.map_or_else(String::new, |shard| format!(", share {shard} of {n}"));
        eprintln!("{}: {done} photos{of}", self.out.display());
        if bad > 0 {
            eprintln!("note: {bad} of them could not be read; the column `error` says why");
        }
        Ok(())
    }

    /// What tells the job from others: the model, the names of the photos, in order, and the settings.
    fn job(&self) -> String {
        let mut hasher = Hasher::default();
        hasher.update(self.of.as_bytes());
        for file in self.files {
            hasher.update(b"\0");
            hasher.update(file.as_os_str().as_encoded_bytes());
        }
        hasher.finish().sha256[..16].to_string()
    }
}

/// The table of these predictions as cells, its head first.
fn cells(files: &[PathBuf], predictions: &[Result<Prediction>]) -> Vec<Vec<String>> {
    let text = predictions_csv(files, predictions);
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    reader.records().flatten().map(|record| record.iter().map(String::from).collect()).collect()
}
