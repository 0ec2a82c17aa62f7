//! From a CSV file to loaders.

use super::columns::Places;
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
/// default their columns are those that are called so (`user`, `userId`; `item`, `movie`, `movieId`, `title`;
/// `rating`, `score`, `stars`), and where names tell nothing the first three; which are taken is noted. A random fifth
/// of the rows is for validation, and the seed is 42. fast.ai's `CollabDataLoaders.from_csv`, which goes by places
/// alone.
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
    y_range: Option<Range>,
    splitting: Splitting,
    seed: u64,
    listener: Listener,
}

#[derive(Clone)]
enum Source {
    File(PathBuf),
    Table(Arc<Table>),
}

/// What predictions may be.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Range {
    Of(f64, f64),
    /// From the smallest rating to somewhat more than the largest.
    Around,
}

/// The largest rating, or the smallest below 0: the squares of larger ones overflow in 32 bits.
const LARGEST: f64 = 1e15;

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

    /// Sets the column of those who rate; by default one that is called so, or the first. fast.ai's `user_name`.
    #[must_use]
    pub fn user(mut self, column: impl Into<String>) -> RatingsBlock {
        self.columns[0] = Some(column.into());
        self
    }

    /// Sets the column of what is rated; by default one that is called so, or the second. fast.ai's `item_name`.
    #[must_use]
    pub fn item(mut self, column: impl Into<String>) -> RatingsBlock {
        self.columns[1] = Some(column.into());
        self
    }

    /// Sets the column of the ratings; by default one that is called so, or the third. fast.ai's `rating_name`.
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
        RatingsBlock { y_range: Some(Range::Of(low, high)), ..self }
    }

    /// Sets the range of what a network predicts from the smallest rating to a tenth of the range above the largest.
    #[must_use]
    pub fn y_range_around(self) -> RatingsBlock {
        RatingsBlock { y_range: Some(Range::Around), ..self }
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
    /// When a file is not a table or has no such column, a user or an item is missing, a rating is not a number, too
    /// large or outside of the range (line, column and text are named), all ratings are one number, or one side of the
    /// split is empty.
    pub fn dataloaders(&self, batch_size: usize) -> Result<CollabDataLoaders> {
        let table = match &self.source {
            Source::File(file) => Table::read(file)?,
            Source::Table(table) => Table::clone(table),
        };
        let Places { at: [user_at, item_at, rating_at], note } = Places::of(&table, &self.columns)?;
        let ratings = self.ratings(&table, rating_at)?;
        let ids = |place: usize, what: &str| -> Result<Vec<&str>> {
            let id = |row| {
                let missing = || table.error(row, place, format!("the {what} is missing; every rating has one"));
                table.cell(row, place).ok_or_else(missing)
            };
            (0..table.n_rows()).map(id).collect()
        };
        let (user_ids, item_ids) = (ids(user_at, "user")?, ids(item_at, "item")?);
        let y_range = self.range(&table, rating_at, &ratings)?;
        let rows: Vec<usize> = (0..table.n_rows()).collect();
        let Sides { train, valid, test } = self.splitting.sides(&table, &rows, rating_at, self.seed)?;
        let vocab = |place: usize, ids: &[&str]| {
            let of_training = train.iter().map(|&row| ids[row]);
            IdVocab::fit(&table.names()[place], ids.iter().copied(), of_training)
        };
        let users = Arc::new(vocab(user_at, &user_ids));
        let mut notes: Vec<String> = note.into_iter().collect();
        let items = Arc::new(self.titled(vocab(item_at, &item_ids), &mut notes)?);
        notes.extend(twice(&table, &users, &items, &user_ids, &item_ids));
        if !test.is_empty() {
            notes.push(format!("{} rows of the test set are left out", test.len()));
        }
        let dataset = |rows: &[usize]| {
            let code = |&row: &usize| {
                let (user, item) = (users.code(user_ids[row]), items.code(item_ids[row]));
                Rating { user, item, rating: ratings[row] }
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
        Ok(CollabDataLoaders { train, valid, seed: self.seed, y_range })
    }

    /// The ratings, each a number and in the range.
    fn ratings(&self, table: &Table, place: usize) -> Result<Vec<f32>> {
        if let Some(Range::Of(low, high)) = self.y_range {
            check_range(low, high)?;
        }
        let rating = |row| {
            let Some(rating) = table.number(row, place)? else {
                return Err(table.error(row, place, "the rating is missing; expected a number"));
            };
            let text = table.cell(row, place).unwrap_or_default();
            if rating.abs() > LARGEST {
                let what = format!("the rating {text} is too large; expected one between -{LARGEST:e} and {LARGEST:e}");
                return Err(table.error(row, place, what));
            }
            match self.y_range {
                Some(Range::Of(low, high)) if !(low..=high).contains(&rating) => {
                    let what = format!(
                        "the rating {text} is outside of the range from {low} to {high}; correct it, or choose a range \
                         that holds all ratings"
                    );
                    Err(table.error(row, place, what))
                }
                // A network computes with so many bits.
                _ => Ok(rating as f32),
            }
        };
        (0..table.n_rows()).map(rating).collect()
    }

    /// The range of predictions, if there is one.
    fn range(&self, table: &Table, place: usize, ratings: &[f32]) -> Result<Option<(f64, f64)>> {
        let (low, high) = ratings.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &r| (l.min(r), h.max(r)));
        if low >= high {
            let (value, column) = (table.cell(0, place).unwrap_or_default(), &table.names()[place]);
            let what = format!("has one value only, {value}, in its ratings `{column}`: there is nothing to learn");
            return Err(table.refuse(what));
        }
        let (low, high) = (f64::from(low), f64::from(high));
        Ok(self.y_range.map(|range| match range {
            // Rounded to 32 bits, a rating at an end may be beyond it.
            Range::Of(from, to) => (from.min(low), to.max(high)),
            Range::Around => (low, high + 0.1 * (high - low)),
        }))
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
        // The row of each title.
        let mut rows: Vec<Option<usize>> = vec![None; items.len()];
        let (mut n_others, mut other) = (0, None);
        let title_of = |row: usize| table.cell(row, title_at);
        for row in 0..table.n_rows() {
            let code = table.cell(row, id_at).map_or(0, |id| items.code(id)) as usize;
            if code == 0 || title_of(row).is_none() {
                continue;
            }
            if let Some(first) = rows[code].filter(|&first| title_of(first) != title_of(row)) {
                n_others += 1;
                other.get_or_insert((code, first, row));
            }
            rows[code] = Some(row);
        }
        if let Some((code, first, row)) = other {
            let (id, of) = (items.id(code as u32), if n_others == 1 { "row gives" } else { "rows give" });
            let [one, two] = [first, row].map(|row| title_of(row).unwrap_or_default());
            let [line, other_line] = [first, row].map(|row| table.line(row));
            let (name, file) = (items.column(), file.display());
            notes.push(format!(
                "{file}: {n_others} {of} an item another title, such as {name} {id} `{one}` in line {line} and `{two}` \
                 in line {other_line}; the last one of each counts"
            ));
        }
        let title = |row: Option<usize>| row.and_then(title_of).unwrap_or_default().to_string();
        let titles: Vec<String> = rows.into_iter().map(title).collect();
        let without = titles.iter().skip(1).filter(|title| title.is_empty()).count();
        if without > 0 {
            let (n, file) = (items.len() - 1, file.display());
            notes.push(format!("{without} of {n} items have no title in {file}, and are called by their ids"));
        }
        Ok(items.with_names(titles))
    }
}

impl CollabDataLoaders {
    /// The ratings in a CSV file: a user, an item and a rating in each row, a random fifth for validation.
    /// [`RatingsBlock`] has all choices, and says which columns are taken.
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
