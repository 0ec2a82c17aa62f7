//! Models of tables.

use super::served::{Answered, Asked, Refused, Served, Takes, classes, json_of, one_or_all, unreadable};
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use std::path::Path;
use tallow::data::{TableRow, TableTarget};
use tallow::tabular_learner::{Outcome, TablePrediction, TabularPredictor, load_tabular_on};

/// Rows of one request.
const MOST: usize = 1_000;

/// Categories that the page offers to choose from; where there are more, the category is typed.
const OFFERED: usize = 500;

pub(super) struct Rows(TabularPredictor);

impl Rows {
    pub(super) fn open(folder: &Path, device: &candle_core::Device) -> tallow::Result<Rows> {
        load_tabular_on(folder, device).map(Rows)
    }

    fn answer(&self, asked: &Asked) -> Answered {
        let (rows, is_list) = match json_of(&asked.body)? {
            Value::Array(rows) => (rows, true),
            row => (vec![row], false),
        };
        if rows.len() > MOST {
            let what = format!("{} rows; at most {MOST} are answered at once", rows.len());
            return Err((StatusCode::PAYLOAD_TOO_LARGE, what));
        }
        let mut answers = Vec::with_capacity(rows.len());
        for (i, row) in rows.iter().enumerate() {
            let at = |(code, what): Refused| (code, if is_list { format!("row {i}: {what}") } else { what });
            let found = row_of(row).and_then(|row| self.0.predict(&row).map_err(unreadable)).map_err(at)?;
            answers.push(self.json(&found, asked.top));
        }
        Ok(one_or_all(answers, is_list))
    }

    fn json(&self, found: &TablePrediction, top: Option<usize>) -> Value {
        let mut json = match (&found.outcome, self.0.target()) {
            (Outcome::Class { class, probability, probabilities, .. }, TableTarget::Class { classes: vocab, .. }) => {
                let classes = classes(vocab, probabilities, top);
                json!({ "class": class, "probability": probability, "classes": classes })
            }
            (Outcome::Class { class, probability, .. }, _) => json!({ "class": class, "probability": probability }),
            (Outcome::Numbers(numbers), _) => {
                let number = |(column, number): &(String, f64)| (column.clone(), (*number).into());
                json!({ "numbers": numbers.iter().map(number).collect::<Map<String, Value>>() })
            }
        };
        json["notes"] = found.notes.clone().into();
        json
    }
}

impl Served for Rows {
    fn about(&self) -> Value {
        let procs = self.0.encoding();
        let (categories, numbers) = (procs.categories(), procs.numbers());
        let column = |name: String| {
            if let Some(number) = numbers.iter().find(|number| number.name == name) {
                return json!({ "name": name, "kind": "number", "median": number.fill });
            }
            match categories.iter().find(|category| category.name == name) {
                // The first is what is missing.
                Some(category) if category.classes.len() <= OFFERED => {
                    json!({ "name": name, "kind": "category", "values": category.classes.get(1..) })
                }
                Some(_) => json!({ "name": name, "kind": "category" }),
                None => json!({ "name": name, "kind": "date" }),
            }
        };
        let columns: Vec<Value> = self.0.columns().into_iter().map(column).collect();
        json!({ "kind": "table", "target": self.0.target().columns(), "columns": columns })
    }

    fn takes(&self) -> Takes {
        Takes::Json("JSON: an object with a value for each column that is known, or a list of such")
    }

    fn predict(&self, asked: &[Asked]) -> Vec<Answered> {
        asked.iter().map(|asked| self.answer(asked)).collect()
    }
}

/// The cells of a row; `null` is a missing one.
fn row_of(row: &Value) -> Result<TableRow, Refused> {
    let bad = |what: String| (StatusCode::UNPROCESSABLE_ENTITY, what);
    let Value::Object(cells) = row else {
        return Err(bad("expected an object of columns and values, such as {\"age\": 39}".into()));
    };
    cells.iter().try_fold(TableRow::new(), |row, (column, value)| match value {
        Value::Null => Ok(row),
        Value::String(text) => Ok(row.with(column, text.trim())),
        // Tables are read from text, where a truth is spelt as Python and pandas spell it.
        Value::Bool(truth) => Ok(row.with(column, if *truth { "True" } else { "False" })),
        Value::Number(number) => Ok(row.with(column, number)),
        _ => Err(bad(format!("`{column}`: expected a number, a text, true, false or null"))),
    })
}
