//! What many programs do with a session.

use super::session::{CHECKPOINTS, Session};
use crate::data::ImageDataLoaders;
use crate::error::Result;
use crate::train::{Checkpoints, EpochRow, Recorder};

impl Session {
    /// Checkpoints of one learner of this run, `checkpoints/<name>.safetensors` in its folder, as often as the user
    /// asked for; resumed from with `--resume`. Without it those of earlier runs are gone since the session was opened.
    pub fn checkpoints(&self, name: &str) -> Checkpoints {
        Checkpoints {
            file: self.run.folder().join(CHECKPOINTS).join(format!("{name}.safetensors")),
            every: self.checkpoint_every,
            resume: self.resume,
        }
    }

    /// Adds a learner's epochs to `history.csv`, under `name`: epoch, losses and metrics.
    ///
    /// # Errors
    /// When epochs have different numbers of metrics.
    #[track_caller]
    pub fn history(&mut self, name: &str, recorder: &Recorder) -> Result<()> {
        let row = |row: &EpochRow| [&[row.epoch as f64], &row.numbers()[..]].concat();
        let mut columns = recorder.columns();
        columns.pop(); // the time, by which no two runs are equal
        self.run.history(name, &columns, &recorder.rows.iter().map(row).collect::<Vec<_>>())
    }

    /// Prints the number of training and validation images of each class, and of test images where there are any.
    #[track_caller]
    pub fn class_table(&mut self, dls: &ImageDataLoaders) {
        let mut tests = vec![0; dls.n_classes()];
        let targets = dls.test.as_ref().map(|test| test.dataset().targets());
        for &class in targets.iter().flat_map(|targets| (0..targets.len()).flat_map(|item| targets.of(item))) {
            tests[class as usize] += 1;
        }
        let row = |((class, (train, valid)), test): ((&String, (usize, usize)), usize)| {
            let numbers = [train, valid, test].into_iter().take(if targets.is_some() { 3 } else { 2 });
            std::iter::once(class.clone()).chain(numbers.map(|n: usize| n.to_string())).collect()
        };
        let rows: Vec<Vec<String>> = dls.vocab().classes().iter().zip(dls.counts()).zip(tests).map(row).collect();
        let heads = ["class", "train", "valid", "test"];
        self.run.table(if targets.is_some() { &heads } else { &heads[..3] }, &rows);
    }
}
