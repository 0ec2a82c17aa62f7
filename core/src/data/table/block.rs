//! From a CSV file to loaders.

use super::dataset::TableDataset;
use super::date::{part_names, with_date_parts};
use super::guess::{Guess, guess, is_class, odd_among_numbers};
use super::loaders::{TableLoader, TabularDataLoaders};
use super::procs::{Inputs, TableProcs};
use super::sides::{Sides, Splitting};
use super::table::Table;
use super::target::{TableTarget, TargetKind};
use crate::data::{DataLoader, Splitter};
use crate::error::{Error, Result};
use crate::event::{Event, Listener};
use crate::rng::Rng;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Describes how a table becomes loaders: the columns of the input, the target, and the split into training and
/// validation rows. fast.ai's `TabularDataLoaders.from_csv`, with `Categorify`, `FillMissing` and `Normalize` as its
/// `procs` ([`TableProcs`]).
///
/// Columns that are not named are guessed by their contents, and the listener is notified of each guess.
///
/// ```no_run
/// use tallow::data::TableBlock;
///
/// # fn main() -> tallow::Result<()> {
/// let dls = TableBlock::csv("adult.csv")
///     .target("salary")
///     .categories(["workclass", "education", "occupation", "relationship", "race"])
///     .numbers(["age", "fnlwgt", "education-num"])
///     .only_named()
///     .dataloaders(64)?;
/// println!("{}", dls.train.decoded(5));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct TableBlock {
    source: Source,
    missing: Vec<String>,
    target: Vec<String>,
    target_kind: Option<TargetKind>,
    categories: Vec<String>,
    numbers: Vec<String>,
    dates: Vec<String>,
    ignored: Vec<String>,
    only_named: bool,
    splitting: Splitting,
    seed: u64,
    listener: Listener,
}

#[derive(Clone)]
enum Source {
    File(PathBuf),
    Table(Arc<Table>),
}

impl TableBlock {
    /// The table in a CSV file ([`Table::read`]). By default a random fifth of the rows is for validation, and the seed
    /// is 42.
    pub fn csv(file: impl AsRef<Path>) -> TableBlock {
        TableBlock::new(Source::File(file.as_ref().to_path_buf()))
    }

    /// A table that was read already.
    pub fn table(table: Table) -> TableBlock {
        TableBlock::new(Source::Table(Arc::new(table)))
    }

    fn new(source: Source) -> TableBlock {
        TableBlock {
            source,
            missing: Vec::new(),
            target: Vec::new(),
            target_kind: None,
            categories: Vec::new(),
            numbers: Vec::new(),
            dates: Vec::new(),
            ignored: Vec::new(),
            only_named: false,
            splitting: Splitting::Random(0.2),
            seed: 42,
            listener: Listener::default(),
        }
    }

    /// Sets the column that is predicted. A text is a class, and so are whole numbers of which there are two only;
    /// other numbers are numbers. fast.ai's `y_names`.
    #[must_use]
    pub fn target(self, column: impl Into<String>) -> TableBlock {
        self.targets([column])
    }

    /// Sets several columns of numbers that are predicted together.
    #[must_use]
    pub fn targets(self, columns: impl IntoIterator<Item = impl Into<String>>) -> TableBlock {
        TableBlock { target: columns.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets whether the target is a class or a number, where it could be either. fast.ai's `y_block`.
    #[must_use]
    pub fn target_kind(self, kind: TargetKind) -> TableBlock {
        TableBlock { target_kind: Some(kind), ..self }
    }

    /// Sets columns of categories, in the order of the network's inputs. fast.ai's `cat_names`.
    #[must_use]
    pub fn categories(self, columns: impl IntoIterator<Item = impl Into<String>>) -> TableBlock {
        TableBlock { categories: columns.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets columns of numbers, in the order of the network's inputs. fast.ai's `cont_names`.
    #[must_use]
    pub fn numbers(self, columns: impl IntoIterator<Item = impl Into<String>>) -> TableBlock {
        TableBlock { numbers: columns.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets columns of dates, which become year, month, week, day and so on: fast.ai's `add_datepart`. Of the parts the
    /// kinds are guessed.
    #[must_use]
    pub fn dates(self, columns: impl IntoIterator<Item = impl Into<String>>) -> TableBlock {
        TableBlock { dates: columns.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets columns that are left out.
    #[must_use]
    pub fn ignore(self, columns: impl IntoIterator<Item = impl Into<String>>) -> TableBlock {
        TableBlock { ignored: columns.into_iter().map(Into::into).collect(), ..self }
    }

    /// Leaves out all columns that are not named, as fast.ai does, instead of guessing what they are.
    #[must_use]
    pub fn only_named(self) -> TableBlock {
        TableBlock { only_named: true, ..self }
    }

    /// Sets more spellings of what is missing than [`Table::read`] knows, such as `?`.
    #[must_use]
    pub fn missing(self, spellings: impl IntoIterator<Item = impl Into<String>>) -> TableBlock {
        TableBlock { missing: spellings.into_iter().map(Into::into).collect(), ..self }
    }

    /// Sets which rows are for validation, by any splitter: a row's "file" is its number in the table, from 0, and its
    /// label is the target.
    #[must_use]
    pub fn split(self, splitter: impl Splitter + 'static) -> TableBlock {
        TableBlock { splitting: Splitting::Splitter(Arc::new(splitter)), ..self }
    }

    /// Sets which rows are for validation, by their number in the table, from 0: `|row| row % 5 == 0`. fast.ai's
    /// `IndexSplitter`.
    #[must_use]
    pub fn valid_where(self, judges: impl Fn(usize) -> bool + Send + Sync + 'static) -> TableBlock {
        TableBlock { splitting: Splitting::Rows(Arc::new(judges)), ..self }
    }

    /// Sets the column that splits the rows: `train`, `valid`, `test` and the like, or whether a row is for
    /// validation. The column is not an input. fast.ai's `ColSplitter`.
    #[must_use]
    pub fn valid_column(self, column: impl Into<String>) -> TableBlock {
        TableBlock { splitting: Splitting::Column(column.into()), ..self }
    }

    /// Sets the random share of the rows that is for validation; 0.2 by default. fast.ai's `valid_pct`.
    #[must_use]
    pub fn valid_pct(self, valid: f64) -> TableBlock {
        TableBlock { splitting: Splitting::Random(valid), ..self }
    }

    /// Sets the one seed of the random split, of shuffling, and of a learner that is made from the loaders; 42 by
    /// default.
    #[must_use]
    pub fn seed(self, seed: u64) -> TableBlock {
        TableBlock { seed, ..self }
    }

    /// Sets the receiver of notes on how columns were taken, and on what is left out.
    #[must_use]
    pub fn listener(self, listener: Listener) -> TableBlock {
        TableBlock { listener, ..self }
    }

    /// Loaders in batches of `batch_size`.
    ///
    /// # Errors
    /// When the file is not a table, a column is not there or no target is named, a number or a date cannot be read
    /// (line, column and text are named), the target has one value only, or one side of the split is empty.
    pub fn dataloaders(&self, batch_size: usize) -> Result<TabularDataLoaders> {
        let mut notes = Vec::new();
        let (table, inputs, kind) = self.columns(&mut notes)?;
        let Sides { train, valid, test } = self.sides(&table, &mut notes)?;
        let target = Arc::new(TableTarget::fit(&table, &self.target, kind, [&train, &valid])?);
        let procs = Arc::new(TableProcs::fit(&table, &inputs, &train, &valid)?);
        if procs.categories().is_empty() && procs.numbers().is_empty() {
            return Err(table.refuse("has no column beside its target that could tell anything".into()));
        }
        notes.extend(procs.lone_numbers(&table, &train)?);
        notes.iter().for_each(|note| self.listener.tell(Event::Note(note)));

        let encoded = procs.encode_parts(&table)?;
        let dataset = |rows: &[usize]| -> Result<TableDataset> {
            let inputs = encoded.select(rows, procs.categories().len(), procs.numbers().len());
            TableDataset::new(procs.clone(), target.clone(), inputs, target.encode(&table, rows)?, rows.to_vec())
        };
        let in_order = |rows: &[usize]| -> Result<TableLoader> {
            let dataset = dataset(rows)?;
            Ok(TableLoader::new(dataset.clone(), DataLoader::new(dataset, batch_size)?))
        };
        let train = dataset(&train)?;
        let loader =
            DataLoader::new(train.clone(), batch_size)?.shuffle(&Rng::new(self.seed).stream("data")).drop_last();
        let test = if test.is_empty() { None } else { Some(in_order(&test)?) };
        let train = TableLoader::new(train, loader);
        Ok(TabularDataLoaders { train, valid: in_order(&valid)?, test, seed: self.seed })
    }

    /// The table with dates as parts, what goes in, and what kind the target is.
    fn columns(&self, notes: &mut Vec<String>) -> Result<(Table, Inputs, TargetKind)> {
        let table = match &self.source {
            Source::File(file) => Table::read_with(file, &self.missing)?,
            Source::Table(table) => Table::clone(table),
        };
        let [first, ..] = &self.target[..] else {
            let what = format!("name the column that is to be predicted, one of {}", table.names().join(", "));
            return Err(Error::config("target", what));
        };
        let named = [&self.target, &self.categories, &self.numbers, &self.dates, &self.ignored];
        let split = match &self.splitting {
            Splitting::Column(column) => Some(column),
            _ => None,
        };
        named.into_iter().flatten().chain(split).try_for_each(|name| table.place(name).map(drop))?;
        self.refuse_twice(split)?;
        let place = table.place(first)?;
        let kind = match self.target_kind {
            Some(kind) => kind,
            None if self.target.len() == 1 && is_class(&table, place)? => {
                notes.push(format!("the target `{first}` is taken for a class"));
                TargetKind::Class
            }
            None => {
                notes.push(format!("the target is taken for a number: {}", self.target.join(", ")));
                TargetKind::Number
            }
        };
        let mut inputs = Inputs {
            missing: self.missing.clone(),
            dates: self.dates.clone(),
            categories: self.categories.clone(),
            numbers: self.numbers.clone(),
        };
        let is_named = |name: &String| named.into_iter().any(|names| names.contains(name)) || split == Some(name);
        let others: Vec<usize> = (0..table.names().len()).filter(|&i| !is_named(&table.names()[i])).collect();
        let mut left_out = self.ignored.clone();
        if self.only_named {
            left_out.extend(others.iter().map(|&i| table.names()[i].clone()));
        } else {
            guess_into(&mut inputs, &table, &others, notes);
        }
        if !left_out.is_empty() {
            notes.push(format!("columns that are left out: {}", left_out.join(", ")));
        }
        let dates = inputs.dates.clone();
        let table = with_date_parts(table, &dates)?;
        let parts = dates.iter().flat_map(|date| part_names(date)).map(|name| table.place(&name));
        guess_into(&mut inputs, &table, &parts.collect::<Result<Vec<_>>>()?, notes);
        Ok((table, inputs, kind))
    }

    /// Which rows are on which side, without those that have no target.
    fn sides(&self, table: &Table, notes: &mut Vec<String>) -> Result<Sides> {
        let places = self.target.iter().map(|name| table.place(name)).collect::<Result<Vec<_>>>()?;
        let has_target = |&row: &usize| places.iter().all(|&place| table.cell(row, place).is_some());
        let rows: Vec<usize> = (0..table.n_rows()).filter(has_target).collect();
        let without = table.n_rows() - rows.len();
        if without > 0 {
            notes.push(format!("{without} rows have no target and are left out"));
        }
        self.splitting.sides(table, &rows, places[0], self.seed)
    }

    fn refuse_twice(&self, split: Option<&String>) -> Result<()> {
        let named = [&self.target, &self.categories, &self.numbers, &self.dates, &self.ignored];
        let mut all: Vec<&String> = named.into_iter().flatten().chain(split).collect();
        all.sort();
        match all.windows(2).find(|pair| pair[0] == pair[1]) {
            None => Ok(()),
            Some(pair) => {
                let what = format!("the column `{}` is named twice: a column is one thing only", pair[0]);
                Err(Error::config("columns", what))
            }
        }
    }
}

/// Puts columns where they seem to belong, and says so.
fn guess_into(inputs: &mut Inputs, table: &Table, places: &[usize], notes: &mut Vec<String>) {
    let (mut categories, mut numbers, mut dates) = (Vec::new(), Vec::new(), Vec::new());
    for &place in places {
        let name = table.names()[place].clone();
        match guess(table, place) {
            Guess::Category => {
                if let Some(odd) = odd_among_numbers(table, place) {
                    notes.push(format!("the column `{name}` is taken for categories, not for numbers: {odd}"));
                }
                categories.push(name);
            }
            Guess::Number => numbers.push(name),
            Guess::Date => dates.push(name),
            Guess::Useless(why) => notes.push(format!("the column `{name}` is left out: {why}")),
        }
    }
    for (kind, guessed, into) in [
        ("categories", categories, &mut inputs.categories),
        ("numbers", numbers, &mut inputs.numbers),
        ("dates", dates, &mut inputs.dates),
    ] {
        if !guessed.is_empty() {
            notes.push(format!("columns that are taken for {kind}: {}", guessed.join(", ")));
        }
        into.extend(guessed);
    }
}
