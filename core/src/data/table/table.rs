//! A table as a CSV file has it: named columns of text.

use super::cells::Cells;
use super::near::near;
use crate::data::csv_text::CsvText;
use crate::data::encoding::Encoding;
use crate::error::{Error, Result};
use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Named columns of text, of which cells may be missing. What of it is a number, a category or a date is decided later
/// ([`super::TableBlock`]).
///
/// ```
/// use tallow::data::Table;
///
/// let table = Table::from_rows(&["age", "job"], [["39", "clerk"], ["NA", "clerk"]])?;
/// assert_eq!((table.cell(0, 0), table.cell(1, 0)), (Some("39"), None));
/// # Ok::<(), tallow::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    file: Option<PathBuf>,
    names: Vec<String>,
    columns: Vec<Cells>,
    /// The line in the file at which each row begins.
    lines: Vec<u64>,
}

/// What stands for a cell that is missing: pandas' `na_values`.
const MISSING: [&str; 19] = [
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA",
    "NULL", "NaN", "None", "n/a", "nan", "null",
];

impl Table {
    /// Reads a CSV file in UTF-8 with a line of heads; the separator may be a comma, a semicolon or a tab. Blanks
    /// around cells do not count, and empty lines are not rows. A cell is missing where pandas says so: if it is empty,
    /// or one of `NA`, `N/A`, `NaN`, `null`, `None` and the like.
    ///
    /// # Errors
    /// When the file cannot be read, is not UTF-8, has no rows, two columns of one name, or a row with more or fewer
    /// cells than there are heads; the line is named.
    pub fn read(file: impl AsRef<Path>) -> Result<Table> {
        Table::read_with(file, &[] as &[&str])
    }

    /// [`Table::read`], with more spellings of what is missing, such as `?`.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn read_with(file: impl AsRef<Path>, missing: &[impl AsRef<str>]) -> Result<Table> {
        Table::read_in(file, missing, Encoding::Utf8)
    }

    /// [`Table::read_with`], in another encoding.
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn read_in(file: impl AsRef<Path>, missing: &[impl AsRef<str>], encoding: Encoding) -> Result<Table> {
        let file = file.as_ref();
        let CsvText { text, separator } = CsvText::read(file, encoding)?;
        Table::parse(file, &text, separator, missing)
    }

    /// A table in the text of a CSV file that the program has in itself, separated by commas; errors call it `name`.
    /// What a cell is and when it is missing is as in [`Table::read`].
    ///
    /// # Errors
    /// As [`Table::read`].
    pub fn from_csv(name: &str, text: &str) -> Result<Table> {
        Table::parse(Path::new(name), text, b',', &[] as &[&str])
    }

    fn parse(file: &Path, text: &str, separator: u8, missing: &[impl AsRef<str>]) -> Result<Table> {
        let text = without_blanks_before_quotes(text, separator);
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(separator)
            .trim(csv::Trim::All)
            .flexible(true)
            .from_reader(text.as_bytes());
        let useless = |e: csv::Error| Error::file(file, format!("is not a table that can be read: {e}"));
        let heads = reader.headers().map_err(useless)?.clone();
        if heads.is_empty() {
            return Err(Error::file(file, "is empty; expected a line of column names, and rows below it"));
        }
        let names: Vec<String> = heads.iter().enumerate().map(|(i, name)| named(name, i)).collect();
        unique(&names).map_err(|what| Error::file(file, what))?;
        let missing: HashSet<&str> = MISSING.into_iter().chain(missing.iter().map(AsRef::as_ref)).collect();
        let (mut columns, mut lines) = (vec![Cells::default(); names.len()], Vec::new());
        let (mut record, mut is_open) = (csv::StringRecord::new(), false);
        while reader.read_record(&mut record).map_err(useless)? {
            let line = line_of(&record, &text);
            if record.len() != names.len() {
                let (found, expected) = (record.len(), names.len());
                let why = match record.iter().any(|cell| cell.contains('\n')) {
                    true => "a quotation mark before it may not be closed",
                    false => "a cell with a separator in it must be quoted",
                };
                let what = format!("line {line} has {found} cells, and there are {expected} columns; {why}");
                return Err(Error::file(file, what));
            }
            for (column, cell) in columns.iter_mut().zip(&record) {
                column.push((!missing.contains(cell)).then_some(cell));
            }
            lines.push(line);
            is_open = record.iter().next_back().is_some_and(|cell| cell.contains('\n'));
        }
        // The last cell swallowed the rest of the file.
        if is_open && !text.trim_end().ends_with('"') {
            let line = lines.last().copied().unwrap_or_default();
            return Err(Error::file(file, format!("line {line}: a quotation mark is not closed")));
        }
        if lines.is_empty() {
            return Err(Error::file(file, "has no rows below its column names"));
        }
        Ok(Table { file: Some(file.to_path_buf()), names, columns, lines })
    }

    /// A table that is in memory; cells that are missing are spelt as in a file.
    ///
    /// # Errors
    /// When two columns have one name, or a row has more or fewer cells than there are columns.
    pub fn from_rows<R>(names: &[impl AsRef<str>], rows: impl IntoIterator<Item = R>) -> Result<Table>
    where
        R: IntoIterator<Item: AsRef<str>>,
    {
        let names: Vec<String> = names.iter().map(|name| name.as_ref().trim().to_string()).collect();
        unique(&names).map_err(Error::Value)?;
        let (mut columns, mut lines) = (vec![Cells::default(); names.len()], Vec::new());
        for (i, row) in rows.into_iter().enumerate() {
            let row: Vec<_> = row.into_iter().collect();
            if row.len() != names.len() {
                let (found, expected) = (row.len(), names.len());
                return Err(Error::Value(format!("row {i} has {found} cells, and there are {expected} columns")));
            }
            for (column, cell) in columns.iter_mut().zip(&row) {
                let cell = cell.as_ref().trim();
                column.push((!MISSING.contains(&cell)).then_some(cell));
            }
            lines.push(i as u64);
        }
        Ok(Table { file: None, names, columns, lines })
    }

    /// The file that it was read from.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The number of rows.
    pub fn n_rows(&self) -> usize {
        self.lines.len()
    }

    /// The place of a column.
    ///
    /// # Errors
    /// When there is none of this name; the message lists those that there are, and those that may be meant.
    pub fn place(&self, name: &str) -> Result<usize> {
        self.find(name).ok_or_else(|| {
            let near = near(name, self.names.iter().map(String::as_str));
            let meant = if near.is_empty() { String::new() } else { format!(" (`{}`?)", near.join("` or `")) };
            let all = self.names.join(", ");
            self.refuse(format!("has no column `{name}`{meant}; its columns are {all}"))
        })
    }

    /// The place of a column, if there is one of this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|known| known == name)
    }

    /// These rows, in this order; numbers of rows that are not there are passed over.
    #[must_use]
    pub fn select(&self, rows: &[usize]) -> Table {
        let rows: Vec<usize> = rows.iter().copied().filter(|&row| row < self.n_rows()).collect();
        let cells = |cells: &Cells| rows.iter().map(|&row| cells.get(row)).collect();
        let columns = self.columns.iter().map(cells).collect();
        let lines = rows.iter().map(|&row| self.lines[row]).collect();
        Table { file: self.file.clone(), names: self.names.clone(), columns, lines }
    }

    /// A cell; none where it is missing, or there is no such row or column.
    pub fn cell(&self, row: usize, column: usize) -> Option<&str> {
        self.columns.get(column)?.get(row)
    }

    /// A cell that is a number.
    ///
    /// # Errors
    /// When it is something else; line, column and text are named.
    pub fn number(&self, row: usize, column: usize) -> Result<Option<f64>> {
        let Some(cell) = self.cell(row, column) else { return Ok(None) };
        match number(cell) {
            Some(number) => Ok(Some(number)),
            None => Err(self.error(row, column, format!("`{cell}` is not a number"))),
        }
    }

    /// The line in the file at which a row begins, from 1; of a table in memory the row's number.
    pub fn line(&self, row: usize) -> u64 {
        self.lines.get(row).copied().unwrap_or_default()
    }

    /// An error about one cell: `what` says what is wrong with it.
    pub fn error(&self, row: usize, column: usize, what: impl std::fmt::Display) -> Error {
        let name = self.names.get(column).map_or("", String::as_str);
        self.refuse(format!("{}, column `{name}`: {what}", self.line_of(row)))
    }

    /// Where a row stands, in words: its line in the file, or its number in a table in memory.
    pub(super) fn line_of(&self, row: usize) -> String {
        format!("{} {}", if self.file.is_some() { "line" } else { "row" }, self.line(row))
    }

    /// An error about the cell of these rows that is furthest from 0, which is too large to compute with.
    pub(super) fn too_large(&self, rows: &[usize], column: usize) -> Error {
        let size = |&&row: &&usize| self.cell(row, column).and_then(number).map_or(0.0, f64::abs);
        let row = rows.iter().max_by(|a, b| size(a).total_cmp(&size(b))).copied().unwrap_or_default();
        let cell = self.cell(row, column).unwrap_or_default();
        self.error(row, column, format!("`{cell}` is too large to compute with; is it a slip, or a missing cell?"))
    }

    /// An error about the table.
    pub(in crate::data) fn refuse(&self, what: String) -> Error {
        match &self.file {
            Some(file) => Error::file(file, what),
            None => Error::Value(format!("the table {what}")),
        }
    }

    /// The same table with column number `place` replaced by others.
    pub(super) fn replaced(mut self, place: usize, by: Vec<(String, Cells)>) -> Result<Table> {
        let (names, cells): (Vec<String>, Vec<Cells>) = by.into_iter().unzip();
        self.names.splice(place..=place, names);
        self.columns.splice(place..=place, cells);
        unique(&self.names).map_err(|what| self.refuse(what))?;
        Ok(self)
    }
}

/// The number that a text says, if it is a finite one.
pub(super) fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

/// The name of a column; one without a name is called as pandas does it.
fn named(name: &str, place: usize) -> String {
    if name.is_empty() { format!("Unnamed: {place}") } else { name.to_string() }
}

fn unique(names: &[String]) -> Result<(), String> {
    let mut seen = HashSet::new();
    match names.iter().find(|name| !seen.insert(*name)) {
        None => Ok(()),
        Some(name) => Err(format!("has two columns `{name}`; rename one of them")),
    }
}

/// The line at which a record begins. The reader's position is before the empty lines that it passes over.
fn line_of(record: &csv::StringRecord, text: &str) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let rest = &text.as_bytes()[(position.byte() as usize).min(text.len())..];
    let empty = rest.iter().take_while(|byte| b"\r\n".contains(byte)).filter(|&&byte| byte == b'\n').count();
    position.line() + empty as u64
}

/// Leaves out blanks between a separator and a quotation mark, which the reader would take for a part of the cell:
/// pandas' `skipinitialspace`.
fn without_blanks_before_quotes(text: &str, separator: u8) -> Cow<'_, str> {
    if !text.contains(" \"") {
        return Cow::Borrowed(text);
    }
    let (mut out, mut blanks) = (String::with_capacity(text.len()), String::new());
    let (mut is_quoted, mut begins) = (false, true);
    for c in text.chars() {
        match c {
            ' ' if begins && !is_quoted => blanks.push(c),
            '"' => {
                (is_quoted, begins) = (!is_quoted, false);
                blanks.clear();
                out.push(c);
            }
            _ => {
                out.push_str(&blanks);
                blanks.clear();
                begins = !is_quoted && (c == '\n' || c == char::from(separator));
                out.push(c);
            }
        }
    }
    Cow::Owned(out + &blanks)
}
