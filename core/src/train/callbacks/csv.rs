//! The recorder's table as a file.

use crate::error::Result;
use crate::train::{Callback, TrainState};
use std::path::{Path, PathBuf};
use tallow_io::{atomic, csv};

/// Writes the recorder's table to a CSV file after each epoch, one line for each epoch of each fit. fast.ai's
/// `CSVLogger`.
///
/// The file is replaced atomically, so that there is always a complete one. Numbers have enough digits to be read back
/// exactly. There is no column for the time, so that two runs with the same seed write the same bytes.
pub struct CsvLogger {
    path: PathBuf,
}

impl CsvLogger {
    /// A logger that writes to this file.
    pub fn new(path: impl AsRef<Path>) -> CsvLogger {
        CsvLogger { path: path.as_ref().to_path_buf() }
    }

    fn write(&self, state: &TrainState) -> Result<()> {
        let mut heads = state.recorder.columns();
        heads.insert(0, "fit".into());
        heads.pop(); // the time
        let rows = state.recorder.rows.iter().map(|row| {
            let numbers = row.numbers().into_iter().map(|v| v.to_string());
            [row.fit.to_string(), row.epoch.to_string()].into_iter().chain(numbers).collect()
        });
        let table = std::iter::once(heads).chain(rows);
        Ok(atomic::write(&self.path, csv::to_string(table))?)
    }
}

impl Callback for CsvLogger {
    fn after_epoch(&mut self, state: &mut TrainState) -> Result<()> {
        self.write(state)
    }
}
