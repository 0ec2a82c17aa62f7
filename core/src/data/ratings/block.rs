//! From a CSV file to loaders.

use super::dataset::{Rating, RatingsDataset};
use super::ids::IdVocab;
use super::loaders::{CollabDataLoaders, RatingLoader};
use crate::data::table::{Sides, Splitting, Table};
use crate::data::{DataLoader, Splitter};
use crate::error::{Error, Result};
use crate::event::{Event, Listener};
use crate::rng::Rng;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Describes how a table of ratings becomes loaders: a row for each rating, with a user, an item and a number. By
/// default these are the first three columns, a random fifth of the rows is for validation, and the seed is 42.
/// fast.ai's `CollabDataLoaders.from_csv`.
///
/// As there, users and items that no training row has are `#na#`: a network has learnt nothing of them.
///
/// ```no_run
/// use tallow::data::RatingsBlock;
///
/// # fn main() -> tallow::Result<()> {
/// let dls = RatingsBlock::csv("ratings.csv").titles("movies.csv").y_range(0.5, 5.5).dataloaders(64)?;
/// println!("{}", dls.train.decoded(5));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RatingsBlock {
    source: Source,
    /// User, item and rating.
    columns: [Option<String>; 3],
    titles: Option<PathBuf>,
    title_column: Option<String>,
    y_range: Option<(f64, f64)>,
    splitting: Splitting,
    seed: u64,
    listener: Listener,
}

#[derive(Clone)]
enum Source {
    File(PathBuf),
    Table(Arc<Table>),
}

const WHAT: [&str; 3] = ["user", "item", "rating"];

impl RatingsBlock {
    /// The ratings in a CSV file ([`Table::read`]).
    pub fn csv(file: impl AsRef<Path>) -> RatingsBlock {
        RatingsBlock::new(Source::File(file.as_ref().to_path_buf()))
    }

    /// Ratings that were read already.
    pub fn table(table: Table) -> RatingsBlock {
        RatingsBlock::new(Source::Table(Arc::new(table)))
    }

    fn new(source: Source) -> RatingsBlock {
        RatingsBlock {
            source,
            columns: [None, None, None],
            titles: None,
            title_column: None,
            y_range: None,
            splitting: Splitting::Random(0.2),
            seed: 42,
            listener: Listener::default(),
        }
    }

    /// Sets the column of those who rate; the first one by default. fast.ai's `user_name`.
    #[must_use]
    pub fn user(mut self, column: impl Into<String>) -> RatingsBlock {
        self.columns[0] = Some(column.into());
        self
    }

    /// Sets the column of what is rated; the second one by default. fast.ai's `item_name`.
    #[must_use]
    pub fn item(mut self, column: impl Into<String>) -> RatingsBlock {
        self.columns[1] = Some(column.into());
        self
    }

    /// Sets the column of the ratings; the third one by default. fast.ai's `rating_name`.
    #[must_use]
    pub fn rating(mut self, column: impl Into<String>) -> RatingsBlock {
        self.columns[2] = Some(column.into());
        self
    }

    /// Sets a second CSV file with the items' titles. It has a column of the items' name (or else its first one has
    /// their ids), and one called `title` or `name` (or else the second one).
    #[must_use]
    pub fn titles(self, file: impl AsRef<Path>) -> RatingsBlock {
        RatingsBlock { titles: Some(file.as_ref().to_path_buf()), ..self }
    }

    /// Sets the column of the titles in their file.
    #[must_use]
    pub fn title_column(self, column: impl Into<String>) -> RatingsBlock {
        RatingsBlock { title_column: Some(column.into()), ..self }
    }

    /// Sets the range of what a network predicts, and with it of what ratings may be: one outside is an error that
    /// names its line. Somewhat more than the largest rating is a good upper end, since a sigmoid never reaches its
    /// ends.
    #[must_use]
    pub fn y_range(self, low: f64, high: f64) -> RatingsBlock {
        RatingsBlock { y_range: Some((low, high)), ..self }
    }

    /// Sets which rows are for validation, by any splitter: a row's "file" is its number in the table, from 0, and its
    /// label the rating.
    #[must_use]
    pub fn split(self, splitter: impl Splitter + 'static) -> RatingsBlock {
        RatingsBlock { splitting: Splitting::Splitter(Arc::new(splitter)), ..self }
    }

    /// Sets which rows are for validation, by their number in the table, from 0: `|row| row % 5 == 0`.
    #[must_use]
    pub fn valid_where(self, judges: impl Fn(usize) -> bool + Send + Sync + 'static) -> RatingsBlock {
        RatingsBlock { splitting: Splitting::Rows(Arc::new(judges)), ..self }
    }

    /// Sets the column that splits the rows: `train`, `valid` and the like, or whether a row is for validation.
    #[must_use]
    pub fn valid_column(self, column: impl Into<String>) -> RatingsBlock {
        RatingsBlock { splitting: Splitting::Column(column.into()), ..self }
    }

    /// Sets the random share of the rows that is for validation; 0.2 by default. fast.ai's `valid_pct`.
    #[must_use]
    pub fn valid_pct(self, valid: f64) -> RatingsBlock {
        RatingsBlock { splitting: Splitting::Random(valid), ..self }
    }

    /// Sets the one seed of the random split, of shuffling, and of a learner that is made from the loaders; 42 by
    /// default.
    #[must_use]
    pub fn seed(self, seed: u64) -> RatingsBlock {
        RatingsBlock { seed, ..self }
    }

    /// Sets the receiver of notes on what was found.
    #[must_use]
    pub fn listener(self, listener: Listener) -> RatingsBlock {
        RatingsBlock { listener, ..self }
    }

    /// Loaders in batches of `batch_size`.
    ///
    /// # Errors
    /// When a file is not a table or has no such column, a user or an item is missing, a rating is not a number or
    /// outside of the range (line, column and text are named), or one side of the split is empty.
    pub fn dataloaders(&self, batch_size: usize) -> Result<CollabDataLoaders> {
        let table = match &self.source {
            Source::File(file) => Table::read(file)?,
            Source::Table(table) => Table::clone(table),
        };
        let [user_at, item_at, rating_at] = self.places(&table)?;
        let ratings = self.ratings(&table, rating_at)?;
        let ids = |place: usize, what: &str| -> Result<Vec<&str>> {
            let id = |row| {
                let missing = || table.error(row, place, format!("the {what} is missing; every rating has one"));
                table.cell(row, place).ok_or_else(missing)
            };
            (0..table.n_rows()).map(id).collect()
        };
        let (user_ids, item_ids) = (ids(user_at, "user")?, ids(item_at, "item")?);
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        let Sides { train, valid, test } = self.splitting.sides(&table, &rows, rating_at, self.seed)?;
        let vocab = |place: usize, ids: &[&str]| {
            let of_training = train.iter().map(|&row| ids[row]);
            IdVocab::fit(&table.names()[place], ids.iter().copied(), of_training)
        };
        let users = Arc::new(vocab(user_at, &user_ids));
        let mut notes = Vec::new();
        let items = Arc::new(self.titled(vocab(item_at, &item_ids), &mut notes)?);
        notes.extend(twice(&table, &users, &items, &user_ids, &item_ids));
        if !test.is_empty() {
            notes.push(format!("{} rows of the test set are left out", test.len()));
        }
        let dataset = |rows: &[usize]| {
            let code = |&row: &usize| {
                let (user, item) = (users.code(user_ids[row]), items.code(item_ids[row]));
                Rating { user, item, rating: ratings[row] as f32 }
            };
            RatingsDataset::new(users.clone(), items.clone(), rows.iter().map(code).collect(), rows.to_vec())
        };
        let (train, valid) = (dataset(&train), dataset(&valid));
        notes.extend(unknown(&valid));
        notes.iter().for_each(|note| self.listener.tell(Event::Note(note)));
        let loader = DataLoader::new(train.clone(), batch_size)?;
        let loader = loader.shuffle(&Rng::new(self.seed).stream("data")).drop_last();
        let train = RatingLoader::new(train, loader);
        let valid = RatingLoader::new(valid.clone(), DataLoader::new(valid, batch_size)?);
        Ok(CollabDataLoaders { train, valid, seed: self.seed, y_range: self.y_range })
    }

    /// Where the columns are.
    fn places(&self, table: &Table) -> Result<[usize; 3]> {
        let mut places = [0; 3];
        for (i, (column, what)) in self.columns.iter().zip(WHAT).enumerate() {
            places[i] = match column {
                Some(column) => table.place(column)?,
                None if i < table.names().len() => i,
                None => {
                    let names = table.names().join(", ");
                    return Err(table.refuse(format!(
                        "has the columns {names}, and by default the first three are user, item and rating: name the \
                         column of the {what}"
                    )));
                }
            };
        }
        for (i, place) in places.iter().enumerate() {
            if let Some(j) = places[..i].iter().position(|other| other == place) {
                let what = format!("the column `{}` cannot be both {} and {}", table.names()[*place], WHAT[j], WHAT[i]);
                return Err(Error::config("columns", what));
            }
        }
        Ok(places)
    }

    fn ratings(&self, table: &Table, place: usize) -> Result<Vec<f64>> {
        if let Some((low, high)) = self.y_range {
            check_range(low, high)?;
        }
        let rating = |row| {
            let Some(rating) = table.number(row, place)? else {
                return Err(table.error(row, place, "the rating is missing; expected a number"));
            };
            match self.y_range {
                Some((low, high)) if !(low..=high).contains(&rating) => {
                    let what = format!("the rating {rating} is outside of the range from {low} to {high}");
                    Err(table.error(row, place, what))
                }
                _ => Ok(rating),
            }
        };
        (0..table.n_rows()).map(rating).collect()
    }

    /// The items with their titles, if there is a file of them.
    fn titled(&self, items: IdVocab, notes: &mut Vec<String>) -> Result<IdVocab> {
        let Some(file) = &self.titles else { return Ok(items) };
        let table = Table::read(file)?;
        let id_at = table.find(items.column()).unwrap_or(0);
        let title_at = match &self.title_column {
            Some(column) => table.place(column)?,
            None => {
                let known = |name: &&str| table.names().iter().position(|head| head.eq_ignore_ascii_case(name));
                let other = (0..table.names().len()).find(|&place| place != id_at);
                ["title", "name"].iter().find_map(known).or(other).ok_or_else(|| {
                    table.refuse(format!("has the column `{}` alone, and none of titles", table.names()[0]))
                })?
            }
        };
        let mut titles = vec![String::new(); items.len()];
        for row in 0..table.n_rows() {
            if let (Some(id), Some(title)) = (table.cell(row, id_at), table.cell(row, title_at)) {
                match items.code(id) {
                    0 => {}
                    code => titles[code as usize] = title.to_string(),
                }
            }
        }
        let without = titles.iter().skip(1).filter(|title| title.is_empty()).count();
        if without > 0 {
            let (n, file) = (items.len() - 1, file.display());
            notes.push(format!("{without} of {n} items have no title in {file}, and are called by their ids"));
        }
        Ok(items.with_names(titles))
    }
}

impl CollabDataLoaders {
    /// The ratings in a CSV file: user, item and rating in its first three columns, a random fifth for validation.
    /// [`RatingsBlock`] has all choices.
    ///
    /// # Errors
    /// As [`RatingsBlock::dataloaders`].
    pub fn from_csv(file: impl AsRef<Path>, batch_size: usize) -> Result<CollabDataLoaders> {
        RatingsBlock::csv(file).dataloaders(batch_size)
    }
}

/// An error unless this is a range.
pub(crate) fn check_range(low: f64, high: f64) -> Result<()> {
    if low.is_finite() && high.is_finite() && low < high {
        return Ok(());
    }
    Err(Error::config("y_range", format!("a range is from a smaller number to a larger one, not {low} to {high}")))
}

/// Notes on pairs of user and item that occur more than once.
fn twice(table: &Table, users: &IdVocab, items: &IdVocab, user_ids: &[&str], item_ids: &[&str]) -> Option<String> {
    let (mut first, mut n, mut example) = (HashMap::new(), 0, None);
    for (row, (user, item)) in user_ids.iter().zip(item_ids).enumerate() {
        if let Some(before) = first.insert((users.spelt(user), items.spelt(item)), row) {
            n += 1;
            example.get_or_insert((before, row));
        }
    }
    let (before, row) = example?;
    let (user, item, lines) = (user_ids[row], item_ids[row], [before, row].map(|row| table.line(row)));
    Some(format!(
        "{n} rows rate again what their user has rated before, such as user {user} the item {item} in lines {} and {}; \
         all of them count",
        lines[0], lines[1]
    ))
}

/// What is to be told of users and items that occur in the validation set only.
fn unknown(valid: &RatingsDataset) -> Option<String> {
    let of = |code: fn(&Rating) -> u32| valid.ratings().iter().filter(|rating| code(rating) == 0).count();
    let (users, items) = (of(|rating| rating.user), of(|rating| rating.item));
    (users + items > 0).then(|| {
        format!(
            "of {} ratings for validation {users} are by users and {items} of items that no training row has",
            valid.ratings().len()
        )
    })
}
