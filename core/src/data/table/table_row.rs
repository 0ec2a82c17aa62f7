//! One row, by the names of its columns.

use std::collections::BTreeMap;
use std::fmt::Display;

/// One row of a table, to predict something of.
///
/// ```
/// use tallow::data::TableRow;
///
/// let row = TableRow::new().with("age", 39).with("workclass", "State-gov");
/// assert_eq!(row.get("age"), Some("39"));
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableRow(BTreeMap<String, String>);

impl TableRow {
    /// A row without cells.
    pub fn new() -> TableRow {
        TableRow::default()
    }

    /// One cell more; an empty text is a missing one.
    #[must_use]
    pub fn with(mut self, column: impl Into<String>, value: impl Display) -> TableRow {
        self.0.insert(column.into(), value.to_string());
        self
    }

    /// The cell of a column.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(String::as_str)
    }

    /// The columns that it has cells of.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
}
