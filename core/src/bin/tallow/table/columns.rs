//! What the columns of a table are, and which of its rows judge.

use crate::{settings, values};
use std::path::{Path, PathBuf};
use tallow::cli::Session;
use tallow::data::{TableBlock, TargetKind};

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(next_help_heading = "Columns")]
pub(crate) struct ColumnArgs {
    /// The table, CSV in UTF-8 with a line of column names
    #[arg(value_name = "FILE")]
    #[serde(serialize_with = "settings::path")]
    file: PathBuf,

    /// The column to predict, or several columns of numbers
    #[arg(long, required = true, value_name = "COLUMN,...", value_delimiter = ',')]
    target: Vec<String>,

    /// What the target is, where it could be either [default: a text is a class, and whole numbers of two values]
    #[arg(long, value_name = "KIND", value_enum)]
    kind: Option<Kind>,

    /// Columns of numbers [default: what looks like it]
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    numbers: Vec<String>,

    /// Columns of categories [default: what looks like it]
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    categories: Vec<String>,

    /// Columns of dates [default: what looks like it]
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    dates: Vec<String>,

    /// Columns to leave out
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    ignore: Vec<String>,

    /// Leave out all columns that are not named, instead of guessing what they are
    #[arg(long)]
    only_named: bool,

    /// More spellings of a missing cell than the empty one, NA, NaN, null and the like
    #[arg(long, value_name = "TEXT,...", value_delimiter = ',', allow_hyphen_values = true)]
    missing: Vec<String>,

    /// The part of the rows that is for validation
    #[arg(long, value_name = "PART", default_value_t = 0.2, value_parser = values::part, help_heading = "Validation")]
    valid: f64,

    /// Hold every N-th row back for validation, from the first on, instead of a random part
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..), conflicts_with = "valid_column",
          help_heading = "Validation")]
    valid_every: Option<u16>,

    /// The column that says which rows are for validation: train, valid or test, or true or false
    #[arg(long, value_name = "COLUMN", help_heading = "Validation")]
    valid_column: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Class,
    Number,
}

impl ColumnArgs {
    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    pub(crate) fn missing(&self) -> &[String] {
        &self.missing
    }

    pub(crate) fn block(&self, s: &Session) -> TableBlock {
        let block = TableBlock::csv(&self.file)
            .targets(&self.target)
            .categories(&self.categories)
            .numbers(&self.numbers)
            .dates(&self.dates)
            .ignore(&self.ignore)
            .missing(&self.missing)
            .seed(s.seed)
            .listener(s.run.listener());
        let block = if self.only_named { block.only_named() } else { block };
        let block = match self.kind {
            None => block,
            Some(Kind::Class) => block.target_kind(TargetKind::Class),
            Some(Kind::Number) => block.target_kind(TargetKind::Number),
        };
        match (&self.valid_column, self.valid_every) {
            (Some(column), _) => block.valid_column(column),
            (None, Some(every)) => block.valid_where(move |row| row % usize::from(every) == 0),
            (None, None) => block.valid_pct(self.valid),
        }
    }
}
