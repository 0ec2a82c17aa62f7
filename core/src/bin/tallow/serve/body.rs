//! What a request brings.

use super::served::{Body, Refused, Served};
use axum::body::Bytes;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::{StatusCode, header};

/// Reads the body of a request, or the field `image` of a form: `most` bytes, and of a type that the model takes.
pub(super) async fn read(request: Request, model: &dyn Served, most: usize) -> Result<Body, Refused> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let says_nothing = ["", "application/octet-stream", "application/x-www-form-urlencoded"].contains(&kind.as_str());
    let takes = model.takes();
    if !says_nothing && !takes.is_taken(&kind) {
        let what = format!("the request is `{kind}`; this model needs {}", takes.words());
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, what));
    }
    let large = || (StatusCode::PAYLOAD_TOO_LARGE, format!("the request has more than {} MB", most >> 20));
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|n| n.to_str().ok()?.parse::<usize>().ok());
    // A form's own lines come to a few hundred bytes.
    if declared.is_some_and(|n| n > most + 4096) {
        return Err(large());
    }
    let bytes = match kind.as_str() {
        "multipart/form-data" => field(request, most, large).await?,
        _ => axum::body::to_bytes(request.into_body(), most).await.map_err(|_| large())?,
    };
    match bytes.is_empty() {
        true => Err((StatusCode::BAD_REQUEST, format!("the request is empty; this model needs {}", takes.words()))),
        false => Ok(Body { kind, bytes }),
    }
}

/// The image in a form.
async fn field(request: Request, most: usize, large: impl Fn() -> Refused) -> Result<Bytes, Refused> {
    let bad = |what: String| (StatusCode::BAD_REQUEST, what);
    let mut form = Multipart::from_request(request, &()).await.map_err(|e| bad(e.body_text()))?;
    let mut field = loop {
        match form.next_field().await.map_err(|e| bad(e.body_text()))? {
            Some(field) if field.name() == Some("image") => break field,
            Some(_) => {}
            None => return Err(bad("the form has no field `image`".into())),
        }
    };
    let mut bytes = Vec::new();
    while let Some(chunk) = field.chunk().await.map_err(|e| bad(e.body_text()))? {
        if bytes.len() + chunk.len() > most {
            return Err(large());
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Bytes::from(bytes))
}
