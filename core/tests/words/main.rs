//! Texts become fast.ai's tokens and numbers: against fastai 2.8.12 and spaCy 3.8.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod batches;
#[path = "../common/polarity.rs"]
mod polarity;
mod reviews;
mod rules;
mod sources;
mod split;
mod vocab;

use serde_json::Value;

/// What fastai and spaCy made of strings.
fn reference() -> Value {
    serde_json::from_str(include_str!("reference.json")).unwrap()
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|string| string.as_str().unwrap()).collect()
}
