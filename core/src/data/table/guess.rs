//! Guesses the kinds of a table's columns.

use super::date::Date;
use super::table::{Table, number};
use std::collections::HashSet;

/// What a column goes in as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Guess {
    Category,
    Number,
    Date,
    /// It cannot help, for this reason.
    Useless(String),
}

/// Whole numbers with at most so many distinct values are categories: the default of fast.ai's `cont_cat_split`.
const MOST_WHOLE: usize = 20;

/// Guesses a column. As in fast.ai numbers with a point are numbers, whole numbers are where they have more than twenty
/// distinct values, and so are whole numbers with blanks (which pandas reads as numbers with a point); all else are
/// categories. Besides, texts that all are dates are dates; and a column with one value only is useless, and a text
/// that is another one in more than half of the rows, such as a name.
pub(super) fn guess(table: &Table, column: usize) -> Guess {
    let cells: Vec<&str> = (0..table.n_rows()).filter_map(|row| table.cell(row, column)).collect();
    let distinct: HashSet<&str> = cells.iter().copied().collect();
    let (n, n_distinct, has_blanks) = (cells.len(), distinct.len(), cells.len() < table.n_rows());
    if n_distinct == 0 || (n_distinct == 1 && !has_blanks) {
        return Guess::Useless("it is the same in all rows".into());
    }
    if distinct.iter().all(|cell| number(cell).is_some()) {
        let whole = distinct.iter().all(|cell| cell.parse::<i64>().is_ok());
        return if whole && !has_blanks && n_distinct <= MOST_WHOLE { Guess::Category } else { Guess::Number };
    }
    if distinct.iter().all(|cell| Date::parse(cell).is_some()) {
        return Guess::Date;
    }
    if n_distinct > MOST_WHOLE && 2 * n_distinct > n {
        return Guess::Useless(format!("it is a text with {n_distinct} values in {n} rows"));
    }
    Guess::Category
}

/// Guesses whether a target is a class: a text is, and whole numbers of which there are two only. fast.ai takes any
/// number for a number.
pub(super) fn is_class(table: &Table, column: usize) -> bool {
    let cells: HashSet<&str> = (0..table.n_rows()).filter_map(|row| table.cell(row, column)).collect();
    cells.iter().any(|cell| number(cell).is_none())
        || (cells.len() <= 2 && cells.iter().all(|cell| cell.parse::<i64>().is_ok()))
}
