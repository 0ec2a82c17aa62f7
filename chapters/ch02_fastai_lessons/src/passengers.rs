//! The table of the spreadsheet: the passengers of the Titanic, or penguins in their place.

use candle_core::{Device, Tensor};
use tallow::cli::Session;
use tallow::data::Table;
use tallow::{Error, Result};

/// Numbers made of a table, as one makes them in a spreadsheet.
pub(crate) struct Sheet {
    /// What a row is, in the plural.
    pub(crate) rows: &'static str,
    /// What is predicted: 1 if it is so, else 0.
    pub(crate) target: &'static str,
    pub(crate) columns: &'static [&'static str],
    /// `[n, columns]`
    pub(crate) xs: Tensor,
    /// `[n, 1]`
    pub(crate) ys: Tensor,
    /// Whether these are the source's own data.
    pub(crate) is_titanic: bool,
}

/// The columns of the source's spreadsheet.
const TITANIC: [&str; 10] =
    ["SibSp", "Parch", "Age_N", "Log_Fare", "Male", "Pclass_1", "Pclass_2", "Embark_S", "Embark_C", "Ones"];

/// Columns of the same kinds, of penguins.
const PENGUINS: [&str; 9] =
    ["Bill_N", "Depth_N", "Flipper_N", "Mass_N", "Adelie", "Chinstrap", "Biscoe", "Dream", "Ones"];

impl Sheet {
    /// The passengers if their file was fetched, else the penguins.
    pub(crate) fn open(s: &mut Session) -> Result<Sheet> {
        match s.data.find("titanic") {
            Ok(folder) => {
                s.data("the passengers of the Titanic, Kaggle's training file");
                Sheet::titanic(&Table::read(folder.join("titanic.csv"))?)
            }
            Err(tallow_datasets::Error::Missing { .. }) => {
                s.data(
                    "penguins of the Palmer Archipelago (CC0), in place of the Titanic's passengers, whose table we \
                     may not redistribute: `cargo xtask fetch-data --only titanic` gets them",
                );
                Sheet::penguins(&Table::from_csv("penguins.csv", tallow_datasets::tables::penguins())?)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Rows with a blank age or port are left out; the age is divided by the largest; the fare becomes its logarithm,
    /// since most fares are small and a few are huge; and what is not a number becomes columns of zeros and ones.
    fn titanic(table: &Table) -> Result<Sheet> {
        let kept: Vec<usize> = with(table, &["Age", "Embarked"])?;
        let (_, oldest) = range(table, "Age", &kept)?;
        let row = |row: usize| -> Result<Vec<f64>> {
            let fare = number(table, "Fare", row)?;
            Ok(vec![
                number(table, "SibSp", row)?,
                number(table, "Parch", row)?,
                number(table, "Age", row)? / oldest,
                (fare + 1.0).log10(),
                one_if(table, "Sex", row, "male")?,
                one_if(table, "Pclass", row, "1")?,
                one_if(table, "Pclass", row, "2")?,
                one_if(table, "Embarked", row, "S")?,
                one_if(table, "Embarked", row, "C")?,
                1.0,
            ])
        };
        let (xs, ys) = tensors(&kept, row, |row| one_if(table, "Survived", row, "1"))?;
        Ok(Sheet { rows: "passengers", target: "Survived", columns: &TITANIC, xs, ys, is_titanic: true })
    }

    /// Penguins without a sex are left out; each measure goes from 0 for the smallest to 1 for the largest, since all
    /// of them are close to the largest.
    fn penguins(table: &Table) -> Result<Sheet> {
        let kept: Vec<usize> = with(table, &["bill_length_mm", "sex"])?;
        let measures = ["bill_length_mm", "bill_depth_mm", "flipper_length_mm", "body_mass_g"];
        let ranges = measures.iter().map(|name| range(table, name, &kept)).collect::<Result<Vec<_>>>()?;
        let row = |row: usize| -> Result<Vec<f64>> {
            let mut cells = Vec::new();
            for (name, (low, high)) in measures.iter().zip(&ranges) {
                cells.push((number(table, name, row)? - low) / (high - low));
            }
            for (name, value) in [("species", "Adelie"), ("species", "Chinstrap"), ("island", "Biscoe")] {
                cells.push(one_if(table, name, row, value)?);
            }
            cells.extend([one_if(table, "island", row, "Dream")?, 1.0]);
            Ok(cells)
        };
        let (xs, ys) = tensors(&kept, row, |row| one_if(table, "sex", row, "male"))?;
        Ok(Sheet { rows: "penguins", target: "Male", columns: &PENGUINS, xs, ys, is_titanic: false })
    }

    /// The name of a printed figure in the chapter's table, which has each for either sheet.
    pub(crate) fn figure(&self, what: &str) -> String {
        if self.is_titanic { String::from(what) } else { format!("{what}, on penguins") }
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.xs.dims()[0]
    }
}

/// The rows in which none of these columns is blank.
fn with(table: &Table, columns: &[&str]) -> Result<Vec<usize>> {
    let places = columns.iter().map(|name| table.place(name)).collect::<Result<Vec<_>>>()?;
    Ok((0..table.n_rows()).filter(|&row| places.iter().all(|&place| table.cell(row, place).is_some())).collect())
}

fn tensors(
    kept: &[usize],
    row: impl Fn(usize) -> Result<Vec<f64>>,
    target: impl Fn(usize) -> Result<f64>,
) -> Result<(Tensor, Tensor)> {
    let rows = kept.iter().map(|&i| row(i)).collect::<Result<Vec<_>>>()?;
    let targets = kept.iter().map(|&i| target(i)).collect::<Result<Vec<_>>>()?;
    if rows.is_empty() {
        return Err(Error::Value(String::from("every row of the table has a blank: nothing is left to learn from")));
    }
    Ok((Tensor::new(rows, &Device::Cpu)?, Tensor::new(targets, &Device::Cpu)?.unsqueeze(1)?))
}

fn number(table: &Table, name: &str, row: usize) -> Result<f64> {
    let place = table.place(name)?;
    table.number(row, place)?.ok_or_else(|| table.error(row, place, "a number is missing"))
}

/// The smallest and the largest number of a column.
fn range(table: &Table, name: &str, rows: &[usize]) -> Result<(f64, f64)> {
    let none = (f64::INFINITY, f64::NEG_INFINITY);
    rows.iter().try_fold(none, |(low, high), &row| {
        let value = number(table, name, row)?;
        Ok((low.min(value), high.max(value)))
    })
}

fn one_if(table: &Table, name: &str, row: usize, value: &str) -> Result<f64> {
    Ok(f64::from(u8::from(table.cell(row, table.place(name)?) == Some(value))))
}
