//! Guesses the kinds of a table's columns.

use super::date::Date;
use super::table::{Table, number};
use crate::error::Result;
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
        let why = odd_among_numbers(table, column).unwrap_or_else(|| {
            let example = cells.first().copied().unwrap_or_default();
            format!("it is a text with {n_distinct} values in {n} rows, such as `{example}`")
        });
        return Guess::Useless(why);
    }
    Guess::Category
}

/// Guesses whether a target is a class: a text is, and whole numbers of which there are two only. fast.ai takes any
/// number for a number.
///
/// # Errors
/// Where it could be meant as a number: it is one in most rows, or nearly every row has another text.
pub(super) fn is_class(table: &Table, column: usize) -> Result<bool> {
    let all: Vec<&str> = (0..table.n_rows()).filter_map(|row| table.cell(row, column)).collect();
    let cells: HashSet<&str> = all.iter().copied().collect();
    if cells.iter().all(|cell| number(cell).is_some()) {
        return Ok(cells.len() <= 2 && cells.iter().all(|cell| cell.parse::<i64>().is_ok()));
    }
    if cells.len() > MOST_WHOLE {
        let name = &table.names()[column];
        if let Some(odd) = odd_among_numbers(table, column) {
            return Err(table.refuse(format!("has a target `{name}` that is neither a number nor a class: {odd}")));
        }
        if 2 * cells.len() > all.len() {
            let (n_distinct, n, example) = (cells.len(), all.len(), all[0]);
            let what = format!(
                "has {n_distinct} different texts in {n} rows of its target `{name}`, such as `{example}`: numbers are \
                 written as 1234.5, and classes come again; name the kind if it is a class all the same"
            );
            return Err(table.refuse(what));
        }
    }
    Ok(true)
}

/// Says which cell of a column is not a number where most are, and there are too many different ones for categories.
pub(super) fn odd_among_numbers(table: &Table, column: usize) -> Option<String> {
    let cells = || (0..table.n_rows()).filter_map(|row| Some((row, table.cell(row, column)?)));
    let (n, numbers) = (cells().count(), cells().filter_map(|(_, cell)| number(cell)).count());
    let distinct: HashSet<&str> = cells().map(|(_, cell)| cell).filter(|cell| number(cell).is_some()).collect();
    if 2 * numbers <= n || distinct.len() <= MOST_WHOLE {
        return None;
    }
    let (row, odd) = cells().find(|(_, cell)| number(cell).is_none())?;
    let line = table.line_of(row);
    Some(format!(
        "{numbers} of {n} cells are numbers, and `{odd}` in {line} is not; correct it, or if it stands for a \
         missing cell say so (missing)"
    ))
}
