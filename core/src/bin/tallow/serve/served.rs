//! A model behind a web address, whatever it is a model of.

use axum::body::Bytes;
use axum::http::StatusCode;
use serde_json::{Value, json};
use std::fmt::Display;
use tallow::Error;
use tallow::vision::{Image, Limits};

/// What a request holds.
pub(super) struct Body {
    /// Its type, such as `image/png`, in small letters and without parameters; empty if it names none.
    pub(super) kind: String,
    pub(super) bytes: Bytes,
}

/// A question to a model.
pub(super) struct Asked {
    pub(super) body: Body,
    /// How many classes or items to tell.
    pub(super) top: Option<usize>,
}

/// What comes back.
pub(super) enum Answer {
    Json(Value),
    Picture(Image),
    /// The bytes of a PNG.
    Png(Vec<u8>),
}

/// A refusal: its code and its reason.
pub(super) type Refused = (StatusCode, String);

pub(super) type Answered = std::result::Result<Answer, Refused>;

/// What a request must hold.
pub(super) enum Takes {
    /// An image within limits.
    Image(Limits),
    /// A text, or texts in JSON.
    Text,
    /// JSON, of which these words tell more.
    Json(&'static str),
}

impl Takes {
    pub(super) fn words(&self) -> &'static str {
        match self {
            Takes::Image(_) => "an image as the body, or as the field `image` of a form",
            Takes::Text => "a text as text/plain, or JSON: {\"text\": ...} or {\"texts\": [...]}",
            Takes::Json(words) => words,
        }
    }

    /// Whether a request may hold something of this type. One that says nothing of it always may.
    pub(super) fn is_taken(&self, kind: &str) -> bool {
        match self {
            Takes::Image(_) => kind.starts_with("image/") || kind == "multipart/form-data",
            Takes::Text => kind == "text/plain" || kind == "application/json",
            Takes::Json(_) => kind == "application/json",
        }
    }

    /// Looks at a request before it enters the queue: an image's head tells how large it is.
    pub(super) fn check(&self, body: &Body) -> std::result::Result<(), Refused> {
        let Takes::Image(limits) = self else { return Ok(()) };
        let (width, height) = Image::size_of_bytes(&body.bytes).map_err(unreadable)?;
        if width as u64 * height as u64 <= limits.max_pixels {
            return Ok(());
        }
        let what = format!("the image has {width} x {height} pixels; at most {} are allowed", limits.max_pixels);
        Err((StatusCode::PAYLOAD_TOO_LARGE, what))
    }
}

/// A model that can be asked.
pub(super) trait Served: Send + Sync {
    /// What the page and programs need to know: the kind, and how to ask.
    fn about(&self) -> Value;

    /// What a request must hold.
    fn takes(&self) -> Takes;

    /// Answers several questions together, in their order. One that cannot be read fails alone.
    fn predict(&self, asked: &[Asked]) -> Vec<Answered>;

    /// Tells what an answer comes from.
    fn explain(&self, _: &Asked) -> Answered {
        Err((StatusCode::NOT_FOUND, "a model of this kind does not tell what its answers come from".into()))
    }

    /// The classes of all pixels, as a picture whose numbers are the classes'.
    fn mask(&self, _: &Asked) -> Answered {
        Err((StatusCode::NOT_FOUND, "only models of `tallow segment` make masks".into()))
    }

    /// The photos of a folder that look most like one.
    fn similar(&self, _: &Asked) -> Answered {
        Err(no_folder())
    }

    /// The items whose name has a text in it.
    fn find(&self, _: &str) -> Answered {
        Err((StatusCode::NOT_FOUND, "only models of `tallow ratings` have items".into()))
    }
}

/// The likeliest classes first, `top` of them.
pub(super) fn classes(vocab: &[String], probabilities: &[f64], top: Option<usize>) -> Value {
    let mut order: Vec<usize> = (0..vocab.len()).collect();
    order.sort_by(|&a, &b| probabilities[b].total_cmp(&probabilities[a]));
    let class = |&i: &usize| json!({ "class": vocab[i], "probability": probabilities[i] });
    order.iter().take(top.unwrap_or(usize::MAX).max(1)).map(class).collect()
}

/// One answer where one thing was asked for, or a list where there was a list.
pub(super) fn one_or_all(answers: Vec<Value>, is_list: bool) -> Answer {
    match (is_list, answers.len()) {
        (false, 1) => Answer::Json(answers.into_iter().next().unwrap_or_default()),
        _ => Answer::Json(json!({ "predictions": answers })),
    }
}

/// The request holds something that cannot be read or does not fit.
pub(super) fn unreadable(error: Error) -> Refused {
    (StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
}

/// The request was right, and the computation went wrong.
pub(super) fn failed(error: impl Display) -> Refused {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
}

/// The JSON in a body.
pub(super) fn json_of(body: &Body) -> std::result::Result<Value, Refused> {
    serde_json::from_slice(&body.bytes).map_err(|error| (StatusCode::BAD_REQUEST, format!("no JSON: {error}")))
}

/// There is no folder with similar photos.
pub(super) fn no_folder() -> Refused {
    (StatusCode::NOT_FOUND, "`--similar FOLDER` gives the first model of photos a folder to look in".into())
}
