//! Where the texts are, how they become numbers, and which of them are for validation.

use crate::{settings, values};
use std::path::{Path, PathBuf};
use tallow::cli::Session;
use tallow::data::{Encoding, Table, TextBlock};
use tallow::{Error, Result};

#[derive(Debug, clap::Args, serde::Serialize)]
#[command(next_help_heading = "Texts")]
pub(crate) struct SourceArgs {
    /// A table (CSV with a line of column names), or a folder with a folder of .txt files for each class
    #[arg(value_name = "FILE|FOLDER")]
    #[serde(serialize_with = "settings::path")]
    source: PathBuf,

    /// The column of the table that has the text, or several that make it together
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    text: Vec<String>,

    /// The column of the table that has the class
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,

    /// How the bytes of the files stand for characters
    #[arg(long, value_name = "NAME", value_enum, default_value = "utf-8")]
    encoding: EncodingName,

    /// How often a word must occur to be known to the network
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..))]
    min_freq: u16,

    /// How many words are known at most
    #[arg(long, value_name = "N", default_value_t = 60_000, value_parser = clap::value_parser!(u32).range(16..))]
    max_vocab: u32,

    /// How many words of a text are read at most, the last ones: what is longer takes time and memory
    #[arg(long, value_name = "N", default_value_t = 1440, value_parser = clap::value_parser!(u32).range(1..))]
    max_tokens: u32,

    /// Read texts from the end to the beginning
    #[arg(long)]
    backwards: bool,

    /// The part of the texts that is for validation
    #[arg(long, value_name = "PART", default_value_t = 0.2, value_parser = values::part, help_heading = "Validation")]
    valid: f64,

    /// Hold every N-th text back for validation, from the first on, instead of a random part
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(2..), conflicts_with = "valid_column",
          help_heading = "Validation")]
    valid_every: Option<u16>,

    /// The column that says which rows are for validation: train, valid or test, or true or false
    #[arg(long, value_name = "COLUMN", help_heading = "Validation")]
    valid_column: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum EncodingName {
    /// UTF-8
    #[value(name = "utf-8")]
    Utf8,
    /// Latin-1 (ISO 8859-1)
    #[value(name = "latin-1")]
    Latin1,
}

impl From<EncodingName> for Encoding {
    fn from(name: EncodingName) -> Encoding {
        match name {
            EncodingName::Utf8 => Encoding::Utf8,
            EncodingName::Latin1 => Encoding::Latin1,
        }
    }
}

impl SourceArgs {
    pub(crate) fn source(&self) -> &Path {
        &self.source
    }

    pub(crate) fn is_backwards(&self) -> bool {
        self.backwards
    }

    /// An error for a source that is not there, and for a table whose columns are not named.
    pub(crate) fn check(&self) -> Result<()> {
        let named = !self.text.is_empty() || self.target.is_some() || self.valid_column.is_some();
        if self.source.is_dir() {
            return match named {
                true => Err(Error::Usage("columns are of a table, and the texts are in a folder of files".into())),
                false => Ok(()),
            };
        }
        if !self.source.is_file() {
            return Err(Error::file(&self.source, "is not there; expected a table, CSV, or a folder of texts"));
        }
        if self.text.is_empty() || self.target.is_none() {
            let table = Table::read_in(&self.source, &[] as &[&str], self.encoding.into())?;
            let columns = table.names().join(", ");
            let what = format!("name the columns by `--text` and `--target`; those of the table are {columns}");
            return Err(Error::Usage(what));
        }
        Ok(())
    }

    pub(crate) fn block(&self, s: &Session) -> TextBlock {
        let block = match (self.source.is_dir(), &self.target) {
            (true, _) | (_, None) => TextBlock::folder(&self.source),
            (false, Some(target)) => TextBlock::csv(&self.source).text_columns(&self.text).target(target),
        };
        let block = block
            .encoding(self.encoding.into())
            .min_freq(self.min_freq.into())
            .max_vocab(self.max_vocab as usize)
            .max_tokens(self.max_tokens as usize)
            .seed(s.seed)
            .listener(s.run.listener());
        let block = if self.backwards { block.backwards() } else { block };
        match (&self.valid_column, self.valid_every) {
            (Some(column), _) => block.valid_column(column),
            (None, Some(every)) => block.valid_where(move |i| i % usize::from(every) == 0),
            // The folders may say which texts judge.
            (None, None) if self.source.is_dir() && self.valid == 0.2 => block,
            (None, None) => block.valid_pct(self.valid),
        }
    }
}
