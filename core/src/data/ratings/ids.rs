//! The users, or the items, that a network has a row for.

use crate::data::table::NA;
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// Ids and their numbers: `#na#`, which is 0 and stands for all that is unknown, and then all ids of the training rows
/// in order, whole numbers by their size and texts as they sort. fast.ai's `dls.classes`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct IdVocab {
    column: String,
    /// All ids, `#na#` first.
    ids: Vec<String>,
    /// What people call them: titles, or the ids.
    names: Option<Vec<String>>,
    are_whole: bool,
    codes: HashMap<String, u32>,
}

/// An [`IdVocab`] as it stands in an exported model.
#[derive(Clone, Serialize, Deserialize)]
struct Written {
    column: String,
    ids: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    names: Option<Vec<String>>,
    are_whole: bool,
}

impl From<IdVocab> for Written {
    fn from(IdVocab { column, ids, names, are_whole, .. }: IdVocab) -> Written {
        Written { column, ids, names, are_whole }
    }
}

impl TryFrom<Written> for IdVocab {
    type Error = String;

    fn try_from(Written { column, ids, names, are_whole }: Written) -> Result<IdVocab, String> {
        if ids.first().map(String::as_str) != Some(NA) || names.as_ref().is_some_and(|names| names.len() != ids.len()) {
            return Err(format!("the ids of `{column}` do not begin with {NA}, or have more or fewer names"));
        }
        let codes: HashMap<String, u32> = ids.iter().enumerate().map(|(i, id)| (id.clone(), i as u32)).collect();
        if codes.len() != ids.len() {
            return Err(format!("the ids of `{column}` are not each there once"));
        }
        Ok(IdVocab { column, ids, names, are_whole, codes })
    }
}

impl IdVocab {
    /// The ids of a column: of all that occur (`all`, which decides whether they are whole numbers) those of the
    /// training rows.
    pub(super) fn fit<'a>(
        column: &str,
        all: impl IntoIterator<Item = &'a str>,
        train: impl IntoIterator<Item = &'a str>,
    ) -> IdVocab {
        let are_whole = all.into_iter().all(|id| whole(id).is_some());
        let ids: Vec<String> = if are_whole {
            let ids: BTreeSet<i64> = train.into_iter().filter_map(whole).collect();
            ids.iter().map(i64::to_string).collect()
        } else {
            let ids: BTreeSet<&str> = train.into_iter().filter(|&id| id != NA).collect();
            ids.into_iter().map(str::to_string).collect()
        };
        let ids: Vec<String> = std::iter::once(NA.to_string()).chain(ids).collect();
        let codes = ids.iter().enumerate().map(|(i, id)| (id.clone(), i as u32)).collect();
        IdVocab { column: column.to_string(), ids, names: None, are_whole, codes }
    }

    /// The same ids under names that people know, one for each, that of `#na#` first.
    pub(super) fn with_names(self, names: Vec<String>) -> IdVocab {
        IdVocab { names: Some(names), ..self }
    }

    /// The column of the table that they are from.
    pub fn column(&self) -> &str {
        &self.column
    }

    /// The number of ids, `#na#` included: the rows of a table of vectors.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there is none but `#na#`.
    pub fn is_empty(&self) -> bool {
        self.ids.len() <= 1
    }

    /// All ids, `#na#` first.
    pub fn ids(&self) -> &[String] {
        &self.ids
    }

    /// The number of an id; 0 if it is unknown.
    pub fn code(&self, id: &str) -> u32 {
        self.codes.get(self.spelt(id.trim()).as_ref()).copied().unwrap_or(0)
    }

    /// An id as this vocabulary spells it: `7` for `07` or `7.0` where ids are whole numbers.
    pub(crate) fn spelt<'a>(&self, id: &'a str) -> Cow<'a, str> {
        match whole(id) {
            Some(number) if self.are_whole => Cow::Owned(number.to_string()),
            _ => Cow::Borrowed(id),
        }
    }

    /// The id of a number; `#na#` if there is none.
    pub fn id(&self, code: u32) -> &str {
        self.ids.get(code as usize).map_or(NA, String::as_str)
    }

    /// What people call the id of a number: its title, or else the id itself.
    pub fn name(&self, code: u32) -> &str {
        let name = self.names.as_ref().and_then(|names| names.get(code as usize));
        name.filter(|name| !name.is_empty()).map_or_else(|| self.id(code), String::as_str)
    }

    /// The numbers of all ids whose id is `text`, or whose name is, or else contains it, in any case: how a film is
    /// found by its title.
    pub fn find(&self, text: &str) -> Vec<u32> {
        let all = || 1..self.len() as u32;
        match self.code(text) {
            0 => {}
            code => return vec![code],
        }
        let text = text.trim().to_lowercase();
        let equal: Vec<u32> = all().filter(|&code| self.name(code).to_lowercase() == text).collect();
        if !equal.is_empty() || text.is_empty() {
            return equal;
        }
        all().filter(|&code| self.name(code).to_lowercase().contains(&text)).collect()
    }

    /// The number of a known id.
    ///
    /// # Errors
    /// [`Error::Value`] when it is unknown.
    pub fn known(&self, id: &str) -> Result<u32> {
        match self.code(id) {
            0 => Err(Error::Value(format!(
                "`{id}` is none of the {} ids in `{}` of the training rows",
                self.len() - 1,
                self.column
            ))),
            code => Ok(code),
        }
    }
}

/// The whole number that a text says; 7 for `7.0` too, as tables write whole numbers that had blanks among them.
fn whole(id: &str) -> Option<i64> {
    let by_parts = || id.strip_suffix(".0").and_then(|id| id.parse().ok());
    id.parse().ok().or_else(by_parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_sort_by_size_and_texts_as_texts() {
        let numbers = IdVocab::fit("user", ["10", "9", "2.0", "7"], ["10", "9", "2.0"]);
        assert_eq!(numbers.ids(), ["#na#", "2", "9", "10"]);
        assert_eq!((numbers.code("2"), numbers.code("02"), numbers.code("7"), numbers.code("x")), (1, 1, 0, 0));
        let texts = IdVocab::fit("user", ["b10", "b9", "a", "10"], ["b9", "b10", "10"]);
        assert_eq!(texts.ids(), ["#na#", "10", "b10", "b9"]);
        assert_eq!((texts.code("b9"), texts.code("a"), texts.id(3), texts.id(9)), (3, 0, "b9", "#na#"));
        assert!(texts.known("a").is_err() && texts.known(" b9 ").is_ok());
    }

    #[test]
    fn names_are_found_and_written() {
        let vocab = IdVocab::fit("film", ["1", "2", "3"], ["1", "2", "3"]);
        let named = vocab.with_names(["", "Toy Story (1995)", "Jumanji (1995)", ""].map(String::from).to_vec());
        assert_eq!((named.name(1), named.name(3), named.find("3")), ("Toy Story (1995)", "3", vec![3]));
        assert_eq!((named.find("toy"), named.find("(1995)"), named.find("")), (vec![1], vec![1, 2], vec![]));
        let json = serde_json::to_string(&named).unwrap();
        assert_eq!(serde_json::from_str::<IdVocab>(&json).unwrap(), named);
        assert!(serde_json::from_str::<IdVocab>(&json.replace("#na#", "na")).is_err());
        assert!(serde_json::from_str::<IdVocab>(&json.replace("\"2\"", "\"1\"")).is_err());
    }
}
