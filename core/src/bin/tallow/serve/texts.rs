//! Models that tell the class of a text.

use super::served::{Answer, Answered, Asked, Body, Refused, Served, Takes, classes, failed, json_of, one_or_all};
use crate::text::predict::unknown_words;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::path::Path;
use tallow::interpret::Occlusion;
use tallow::text_learner::{TextPrediction, TextPredictor, load_text_classifier_on};

/// Texts of one request.
const MOST: usize = 256;

/// Bytes of one text. A long review has five thousand.
const LONGEST: usize = 100_000;

/// Bytes of a text whose words are told: each takes a prediction.
const EXPLAINED: usize = 10_000;

pub(super) struct Texts(TextPredictor);

impl Texts {
    pub(super) fn open(folder: &Path, device: &candle_core::Device) -> tallow::Result<Texts> {
        load_text_classifier_on(folder, device).map(Texts)
    }

    fn json(&self, text: &str, found: &TextPrediction, top: Option<usize>) -> Value {
        json!({
            "class": found.class,
            "probability": found.probability,
            "classes": classes(self.0.classes(), &found.probabilities, top),
            "notes": unknown_words(&self.0, text).into_iter().collect::<Vec<String>>(),
        })
    }
}

impl Served for Texts {
    fn about(&self) -> Value {
        json!({ "kind": "texts", "classes": self.0.classes() })
    }

    fn takes(&self) -> Takes {
        Takes::Text
    }

    fn predict(&self, asked: &[Asked]) -> Vec<Answered> {
        let read: Vec<Result<(Vec<String>, bool), Refused>> = asked.iter().map(|asked| texts_of(&asked.body)).collect();
        let all: Vec<&String> = read.iter().flatten().flat_map(|(texts, _)| texts).collect();
        let mut found = self.0.predict_texts(&all).map(Vec::into_iter);
        let answer = |(read, asked): (Result<(Vec<String>, bool), Refused>, &Asked)| {
            let (texts, is_list) = read?;
            let found = found.as_mut().map_err(|error| failed(&*error))?;
            let json = |(text, found): (&String, TextPrediction)| self.json(text, &found, asked.top);
            Ok(one_or_all(texts.iter().zip(found.by_ref().take(texts.len())).map(json).collect(), is_list))
        };
        read.into_iter().zip(asked).map(answer).collect()
    }

    /// By how much the class gets less probable without each word.
    fn explain(&self, asked: &Asked) -> Answered {
        let (texts, _) = texts_of(&asked.body)?;
        let [text] = texts.as_slice() else {
            return Err((StatusCode::BAD_REQUEST, "one text at a time is explained".into()));
        };
        if text.len() > EXPLAINED {
            let what = format!("a text of {} bytes; the words of at most {EXPLAINED} are told", text.len());
            return Err((StatusCode::PAYLOAD_TOO_LARGE, what));
        }
        let occlusion = Occlusion::of(&self.0, text, None).map_err(failed)?;
        let words: Value = occlusion
            .words
            .iter()
            .map(|word| json!({ "text": word.text, "fall": word.fall, "is_known": word.is_known }))
            .collect();
        Ok(Answer::Json(json!({ "class": occlusion.prediction.class, "words": words, "stretch": occlusion.stretch })))
    }
}

/// The texts of a request, and whether they are a list.
fn texts_of(body: &Body) -> Result<(Vec<String>, bool), Refused> {
    let (texts, is_list) = if body.kind == "application/json" {
        let what = "expected {\"text\": \"...\"} or {\"texts\": [\"...\", ...]}";
        let bad = || (StatusCode::UNPROCESSABLE_ENTITY, String::from(what));
        let json = json_of(body)?;
        match (&json["text"], &json["texts"]) {
            (Value::String(text), Value::Null) => (vec![text.clone()], false),
            (Value::Null, Value::Array(texts)) => {
                let texts: Option<Vec<String>> = texts.iter().map(|text| text.as_str().map(String::from)).collect();
                (texts.ok_or_else(bad)?, true)
            }
            _ => return Err(bad()),
        }
    } else {
        let bad = |_| (StatusCode::UNPROCESSABLE_ENTITY, String::from("the text is not UTF-8; save it as UTF-8"));
        (vec![String::from_utf8(body.bytes.to_vec()).map_err(bad)?], false)
    };
    let large = |what: String| Err((StatusCode::PAYLOAD_TOO_LARGE, what));
    if texts.len() > MOST {
        return large(format!("{} texts; at most {MOST} are answered at once", texts.len()));
    }
    match texts.iter().find(|text| text.len() > LONGEST) {
        Some(text) => large(format!("a text has {} bytes; at most {LONGEST} are read", text.len())),
        None => Ok((texts, is_list)),
    }
}
