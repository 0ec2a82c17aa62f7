//! `history.csv`: what every fit of a run recorded, epoch by epoch.
//!
//! Numbers are written with as many digits as it takes to read the same number back, and times are left out, so that
//! two runs with one seed write the same bytes.

use crate::error::{Error, Result};
use tallow_io::csv;

/// The fits of a run, each with its own columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct History {
    fits: Vec<Fit>,
}

#[derive(Debug, Clone, PartialEq)]
struct Fit {
    name: String,
    columns: Vec<String>,
    rows: Vec<Vec<f64>>,
}

impl History {
    /// Adds a fit.
    pub(crate) fn push(&mut self, name: &str, columns: &[impl AsRef<str>], rows: &[Vec<f64>]) -> Result<()> {
        if let Some((i, row)) = rows.iter().enumerate().find(|(_, row)| row.len() != columns.len()) {
            let (n, expected) = (row.len(), columns.len());
            return Err(Error::shape(format!("history `{name}`: row {i} has {n} values for {expected} columns"), &[n]));
        }
        let columns = columns.iter().map(|c| String::from(c.as_ref())).collect();
        self.fits.push(Fit { name: String::from(name), columns, rows: rows.to_vec() });
        Ok(())
    }

    /// The file: one line for each row, its first column the fit, then every column that any fit has, in the order in
    /// which they first came. A fit's cell is blank where it has no such column.
    pub(crate) fn csv(&self) -> String {
        let mut columns: Vec<&str> = Vec::new();
        for column in self.fits.iter().flat_map(|fit| &fit.columns) {
            if !columns.contains(&column.as_str()) {
                columns.push(column);
            }
        }
        // Rust prints the shortest digits that read back as the same number.
        let cell = |row: &[f64], place: Option<usize>| place.and_then(|i| row.get(i)).map(f64::to_string);
        let mut table = vec![["fit"].into_iter().chain(columns.iter().copied()).map(String::from).collect()];
        for fit in &self.fits {
            let places: Vec<_> = columns.iter().map(|name| fit.columns.iter().position(|c| c == name)).collect();
            table.extend(fit.rows.iter().map(|row| {
                let cells = places.iter().map(|&place| cell(row, place).unwrap_or_default());
                [fit.name.clone()].into_iter().chain(cells).collect::<Vec<_>>()
            }));
        }
        csv::to_string(table)
    }
}
