//! Refusals and pictures.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use std::io::Cursor;
use tallow::vision::{Image, Resize};
use tallow::{Error, Result};

/// An error as JSON: what is wrong, in a sentence.
pub(crate) fn refusal(code: StatusCode, what: impl AsRef<str>) -> Response {
    let mut response = (code, Json(json!({ "error": what.as_ref() }))).into_response();
    if code == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    response
}

/// A picture whose sides have `side` pixels at most.
pub(crate) fn no_larger(picture: &Image, side: usize) -> Result<Image> {
    let times = (side as f64 / picture.width().max(picture.height()) as f64).min(1.0);
    let side = |side: usize| ((side as f64 * times).round() as usize).max(1);
    picture.resize(Resize::squish(1).size(side(picture.width()), side(picture.height())))
}

/// A picture as the bytes of a PNG.
pub(crate) fn png(picture: &Image) -> Result<Vec<u8>> {
    let failed = |e: image::ImageError| Error::Value(format!("the picture cannot be written: {e}"));
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    let mut bytes = Cursor::new(Vec::new());
    let pixels = picture.bytes();
    image::write_buffer_with_format(&mut bytes, pixels, width, height, image::ColorType::Rgb8, image::ImageFormat::Png)
        .map_err(failed)?;
    Ok(bytes.into_inner())
}
