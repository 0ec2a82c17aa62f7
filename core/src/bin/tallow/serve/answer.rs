//! What comes back: JSON, pictures, and errors in both.

use crate::web;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tallow::Result;
use tallow::vision::Image;
use tallow::vision_learner::{GradCam, Prediction};

/// A prediction: the likeliest classes first, `top` of them.
pub(super) fn prediction(model: &str, found: &Prediction, vocab: &[String], top: usize) -> Value {
    let mut order: Vec<usize> = (0..vocab.len()).collect();
    order.sort_by(|&a, &b| found.probabilities[b].total_cmp(&found.probabilities[a]));
    let class = |&i: &usize| json!({ "class": vocab[i], "probability": found.probabilities[i] });
    let mut json = json!({
        "model": model,
        "class": found.class,
        "probability": found.probability,
        "labels": found.labels,
        "classes": order.iter().take(top).map(class).collect::<Vec<_>>(),
    });
    if let Some(strangeness) = found.strangeness {
        json["strangeness"] = strangeness.into();
        json["is_stranger"] = found.is_stranger().into();
    }
    json
}

/// The image as the network sees it, with what speaks for the class in colour, as a PNG.
pub(super) fn heat(seen: &Image, cam: &GradCam) -> Result<Response> {
    let picture = cam.drawn_on(seen)?;
    Ok(([(header::CONTENT_TYPE, "image/png")], web::png(&picture)?).into_response())
}
