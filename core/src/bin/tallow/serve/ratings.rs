//! Models of who likes what.

use super::served::{Answer, Answered, Asked, Refused, Served, Takes, json_of, unreadable};
use crate::ratings::predict::the_item;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use std::path::Path;
use tallow::collab_learner::{RatingPredictor, Recommended, load_collab_on};

/// Items that a list has unless a request asks for another number.
const TOP: usize = 10;

/// Items that are found by a part of their names.
const FOUND: usize = 20;

pub(super) struct Ratings(RatingPredictor);

/// What may be asked for: a user alone gets a list, with an item a rating; `similar` is an item.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    user: Option<Id>,
    item: Option<Id>,
    similar: Option<Id>,
}

/// Ids are texts, and often look like numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(serde_json::Number),
}

impl Id {
    fn text(self) -> String {
        match self {
            Id::Text(text) => text.trim().to_string(),
            Id::Number(number) => number.to_string(),
        }
    }
}

impl Ratings {
    pub(super) fn open(folder: &Path, device: &candle_core::Device) -> tallow::Result<Ratings> {
        load_collab_on(folder, device).map(Ratings)
    }

    fn answer(&self, asked: &Asked) -> Answered {
        let bad = |what: String| (StatusCode::UNPROCESSABLE_ENTITY, what);
        let wish: Wish = serde_json::from_value(json_of(&asked.body)?).map_err(|error| bad(error.to_string()))?;
        let (ratings, top) = (&self.0, asked.top.unwrap_or(TOP).max(1));
        match (wish.user.map(Id::text), wish.item.map(Id::text), wish.similar.map(Id::text)) {
            (Some(user), None, None) => {
                let items = ratings.top_n(&user, top).map_err(unreadable)?;
                Ok(Answer::Json(json!({ "user": user, "items": list(&items, "rating") })))
            }
            (Some(user), Some(item), None) => {
                // An unknown id is answered and told; a title must be one.
                let id = match ratings.items().find(&item).as_slice() {
                    [] => item,
                    _ => self.item(&item)?,
                };
                let found = ratings.predict(&user, &id).map_err(unreadable)?;
                Ok(Answer::Json(json!({
                    "user": found.user, "item": found.item, "name": found.name, "rating": found.rating,
                    "unknown_user": found.unknown_user, "unknown_item": found.unknown_item,
                })))
            }
            (None, None, Some(item)) => {
                let id = self.item(&item)?;
                let items = ratings.nearest_items(&id, top).map_err(unreadable)?;
                Ok(Answer::Json(json!({ "similar": id, "items": list(&items, "similarity") })))
            }
            _ => Err(bad(format!("expected {}", self.takes().words()))),
        }
    }

    /// The id of the one item that a text names.
    fn item(&self, text: &str) -> Result<String, Refused> {
        let code = the_item(self.0.items(), text).map_err(unreadable)?;
        Ok(self.0.items().id(code).to_string())
    }
}

impl Served for Ratings {
    fn about(&self) -> Value {
        let (users, items) = (self.0.users(), self.0.items());
        json!({
            "kind": "ratings", "user": users.column(), "item": items.column(),
            "users": users.len().saturating_sub(1), "items": items.len().saturating_sub(1),
        })
    }

    fn takes(&self) -> Takes {
        Takes::Json(
            "JSON: {\"user\": ...}, {\"user\": ..., \"item\": ...} or {\"similar\": an item}; items by id or title",
        )
    }

    fn predict(&self, asked: &[Asked]) -> Vec<Answered> {
        asked.iter().map(|asked| self.answer(asked)).collect()
    }

    fn find(&self, text: &str) -> Answered {
        let items = self.0.items();
        let found = items.find(text);
        let item = |&code: &u32| json!({ "item": items.id(code), "name": items.name(code) });
        Ok(Answer::Json(
            json!({ "items": found.iter().take(FOUND).map(item).collect::<Vec<_>>(), "found": found.len() }),
        ))
    }
}

fn list(items: &[Recommended], what: &str) -> Value {
    items.iter().map(|item| json!({ "item": item.item, "name": item.name, (what): item.score })).collect()
}
