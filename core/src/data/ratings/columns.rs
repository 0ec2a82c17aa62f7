//! Which columns of a table hold users, items and ratings.

use crate::data::table::Table;
use crate::error::{Error, Result};

/// What a row of ratings consists of.
const WHAT: [&str; 3] = ["user", "item", "rating"];

/// What such columns are usually called, in small letters and without `_`, `-` and blanks; the likeliest first.
const HEADS: [&[&str]; 3] = [
    &["user", "userid"],
    &["item", "itemid", "movie", "movieid", "film", "filmid", "title"],
    &["rating", "score", "stars"],
];

/// The places of the columns of user, item and rating.
pub(super) struct Places {
    pub(super) at: [usize; 3],
    /// Which columns were taken that nobody named.
    pub(super) note: Option<String>,
}

/// What tells that a column is the one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Why {
    Asked,
    Name,
    Place,
}

impl Places {
    /// The places of columns that are named, of others by what they are usually called, and then by their order.
    ///
    /// # Errors
    /// When there is no column of a name, one would be two things, or nothing tells which column one is.
    pub(super) fn of(table: &Table, named: &[Option<String>; 3]) -> Result<Places> {
        let mut found: [Option<(usize, Why)>; 3] = [None; 3];
        for (found, column) in found.iter_mut().zip(named) {
            *found = column.as_ref().map(|column| Ok::<_, Error>((table.place(column)?, Why::Asked))).transpose()?;
        }
        for what in 0..WHAT.len() {
            let is_free = |place: &usize| !found.iter().flatten().any(|(taken, _)| taken == place);
            let by_name = HEADS[what].iter().find_map(|head| named_so(table, head).filter(is_free));
            found[what] = found[what].or(by_name.map(|place| (place, Why::Name)));
        }
        let mut places = [(0, Why::Place); 3];
        for (what, place) in places.iter_mut().enumerate() {
            let by_place = (what < table.names().len()).then_some((what, Why::Place));
            *place = found[what].or(by_place).ok_or_else(|| unknown(table, what))?;
        }
        for (i, (place, why)) in places.iter().enumerate() {
            let Some(j) = places[..i].iter().position(|(other, _)| other == place) else { continue };
            // By its name a column is one of them, so its place makes it no other.
            let guessed = [(i, *why), (j, places[j].1)].into_iter().find(|(_, why)| *why == Why::Place);
            if let (Some((what, _)), false) = (guessed, *why == Why::Asked || places[j].1 == Why::Asked) {
                return Err(unknown(table, what));
            }
            let what = format!("the column `{}` cannot be both {} and {}", table.names()[*place], WHAT[j], WHAT[i]);
            let remedy = "name the columns of user, item and rating";
            return Err(Error::config("columns", format!("{what}: {remedy}")));
        }
        Ok(Places { at: places.map(|(place, _)| place), note: note(table, &places) })
    }
}

/// The column of such a head.
fn named_so(table: &Table, head: &str) -> Option<usize> {
    let plain = |name: &str| name.to_lowercase().replace(['_', '-', ' '], "");
    table.names().iter().position(|name| plain(name) == head)
}

/// The error that nothing tells which column one is.
fn unknown(table: &Table, what: usize) -> Error {
    let names = table.names().join(", ");
    let (what, heads) = (WHAT[what], HEADS[what].join("`, `"));
    table.refuse(format!(
        "has the columns {names}, and none of them tells that it is the column of the {what}, by its name (`{heads}`) \
         or by being among the first three: name the column of the {what}"
    ))
}

/// Which columns were taken unasked.
fn note(table: &Table, places: &[(usize, Why); 3]) -> Option<String> {
    let taken = |(what, (place, why)): (&&str, &(usize, Why))| {
        let by = match why {
            Why::Asked => return None,
            Why::Name => "its name",
            Why::Place => "its place",
        };
        Some(format!("`{}` as {what} (by {by})", table.names()[*place]))
    };
    let taken: Vec<String> = WHAT.iter().zip(places).filter_map(taken).collect();
    let file = table.file().map_or(String::new(), |file| format!("{}: ", file.display()));
    let others = if taken.len() == 1 { "if it is another" } else { "if they are others" };
    (!taken.is_empty()).then(|| format!("{file}takes the column {}; name them {others}", taken.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_first_and_places_where_they_tell_nothing() {
        let places = |heads: &[&str]| {
            let table = Table::from_rows(heads, [heads]).unwrap();
            Places::of(&table, &[None, None, None]).map(|places| (places.at, places.note.unwrap()))
        };
        let at = |heads: &[&str]| places(heads).unwrap().0;
        assert_eq!(at(&["u", "i", "r"]), [0, 1, 2]);
        assert_eq!(at(&["rating", "user", "item"]), [1, 2, 0]);
        assert_eq!(at(&["userId", "movieId", "timestamp", "rating"]), [0, 1, 3]);
        assert_eq!(at(&["user_id", "Title", "movie", "Stars"]), [0, 2, 3]);
        assert_eq!(at(&["user", "dish", "stars"]), [0, 1, 2]);
        let note = places(&["user", "dish", "stars"]).unwrap().1;
        assert!(note.contains("`dish` as item (by its place)") && note.contains("`stars` as rating (by its name)"));
        for heads in [&["when", "user", "dish", "rating"][..], &["user", "item"]] {
            let error = places(heads).err().unwrap().to_string();
            assert!(error.contains("name the column of the"), "{error}");
        }
    }
}
