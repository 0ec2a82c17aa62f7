//! Addresses, and what is answered at each.

use super::queue::{Found, Job, Question};
use super::{Server, answer};
use crate::web;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use tallow::vision::Image;
use tallow::vision_learner::Predictor;
use tokio::sync::oneshot;

type Shared = State<Arc<Server>>;

/// What stands behind the question mark of an address, or why it cannot be read.
type Wished = Result<Query<Wish>, QueryRejection>;

/// A refusal: its code and its reason.
type Refused = (StatusCode, String);

pub(super) fn routes(server: Arc<Server>) -> Router {
    let text =
        |kind: &'static str, text: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], text) });
    Router::new()
        .route("/", text("text/html; charset=utf-8", include_str!("page.html")))
        .route("/page.css", text("text/css; charset=utf-8", include_str!("page.css")))
        .route("/page.js", text("text/javascript; charset=utf-8", include_str!("page.js")))
        .route("/openapi.json", text("application/json", include_str!("openapi.json")))
        .route("/healthz", text("text/plain; charset=utf-8", "ok\n"))
        .route("/metrics", get(metrics))
        .route("/api/models", get(models))
        .route("/api/examples/{number}", get(example))
        .route("/api/predict", post(predict))
        .route("/api/explain", post(explain))
        .fallback(|| async { web::refusal(StatusCode::NOT_FOUND, "there is nothing here; see /openapi.json") })
        .method_not_allowed_fallback(|| async {
            web::refusal(StatusCode::METHOD_NOT_ALLOWED, "predictions are asked for by POST; see /openapi.json")
        })
        // `image_of` has the limits.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(server.clone(), guarded))
        .with_state(server)
}

async fn guarded(State(server): Shared, request: Request, next: Next) -> Response {
    let is_open = |path: &str| !path.starts_with("/api/") && path != "/metrics";
    web::guarded(&server.guard, is_open, request, next).await
}

async fn metrics(State(server): Shared) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], server.metrics.text())
}

async fn models(State(server): Shared) -> impl IntoResponse {
    let model = |(name, model): (&String, &Arc<Predictor>)| {
        let is_first = *name == server.first;
        json!({ "name": name, "network": model.arch().name(), "classes": model.vocab(), "is_first": is_first })
    };
    let examples: Vec<&str> = server.examples.iter().map(|example| example.name.as_str()).collect();
    Json(json!({ "models": server.models.iter().map(model).collect::<Vec<_>>(), "examples": examples }))
}

async fn example(State(server): Shared, Path(number): Path<usize>) -> Response {
    match server.examples.get(number) {
        Some(example) => ([(header::CONTENT_TYPE, "image/png")], example.png.clone()).into_response(),
        None => web::refusal(StatusCode::NOT_FOUND, "there is no such example"),
    }
}

/// What may stand behind the question mark.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The model's name.
    model: Option<String>,
    /// How many classes to tell.
    top: Option<usize>,
}

async fn predict(State(server): Shared, wish: Wished, request: Request) -> Response {
    counted(&server.clone(), async {
        let (name, found, top) = asked(&server, wish, request, Question::Predict).await?;
        let vocab = server.models[&name].vocab();
        Ok(Json(answer::prediction(&name, &found.prediction, vocab, top)).into_response())
    })
    .await
}

async fn explain(State(server): Shared, wish: Wished, request: Request) -> Response {
    counted(&server.clone(), async {
        let (_, found, _) = asked(&server, wish, request, Question::Explain).await?;
        let nothing = (StatusCode::INTERNAL_SERVER_ERROR, String::from("the network has no view of it"));
        let (seen, cam) = found.place.ok_or(nothing)?;
        answer::heat(&seen, &cam).map_err(|error| (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
    })
    .await
}

/// An answer, counted by its code and its time.
async fn counted(server: &Server, work: impl Future<Output = Result<Response, Refused>>) -> Response {
    let started = Instant::now();
    let response = work.await.unwrap_or_else(|(code, what)| web::refusal(code, what));
    server.metrics.answered(response.status().as_u16(), started.elapsed());
    response
}

/// Reads a request, puts it into the queue, and waits for what is found.
async fn asked(
    server: &Server,
    wish: Wished,
    request: Request,
    question: Question,
) -> Result<(String, Found, usize), Refused> {
    let Query(wish) = wish.map_err(|error| (StatusCode::BAD_REQUEST, error.body_text()))?;
    let name = wish.model.unwrap_or_else(|| server.first.clone());
    let Some(model) = server.models.get(&name) else {
        let known: Vec<&str> = server.models.keys().map(String::as_str).collect();
        return Err((StatusCode::NOT_FOUND, format!("no such model; there are: {}", known.join(", "))));
    };
    let slow = |_| (StatusCode::REQUEST_TIMEOUT, format!("the image did not arrive within {:?}", server.timeout));
    let bytes = tokio::time::timeout(server.timeout, image_of(request, server.max_bytes)).await.map_err(slow)??;
    // The header tells the size; what is too large does not enter the queue.
    let limits = server.limits;
    let unreadable = |error: tallow::Error| (StatusCode::UNPROCESSABLE_ENTITY, error.to_string());
    let (width, height) = Image::size_of_bytes(&bytes).map_err(unreadable)?;
    let pixels = width as u64 * height as u64;
    if pixels > limits.max_pixels {
        let what = format!("the image has {width} x {height} pixels; at most {} are allowed", limits.max_pixels);
        return Err((StatusCode::PAYLOAD_TOO_LARGE, what));
    }
    let (answer, found) = oneshot::channel();
    let job = Job { model: model.clone(), question, bytes: bytes.into(), limits, answer };
    let full = |_| (StatusCode::TOO_MANY_REQUESTS, String::from("too many requests wait; come again in a second"));
    server.queue.put(job).map_err(full)?;
    let gone = |_| (StatusCode::INTERNAL_SERVER_ERROR, String::from("the computation ended without an answer"));
    match found.await.map_err(gone)? {
        Ok(found) => Ok((name, found, wish.top.unwrap_or(usize::MAX).max(1))),
        Err(error) => Err(unreadable(error)),
    }
}

/// The bytes of the image in a request: of its body, or of the first file in a form.
async fn image_of(request: Request, most: usize) -> Result<Bytes, Refused> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let large = || (StatusCode::PAYLOAD_TOO_LARGE, format!("the image has more than {} MB", most >> 20));
    let declared = request.headers().get(header::CONTENT_LENGTH).and_then(|n| n.to_str().ok()?.parse::<usize>().ok());
    // A form's own lines come to a few hundred bytes.
    if declared.is_some_and(|n| n > most + 4096) {
        return Err(large());
    }
    let bytes = match kind.as_str() {
        "multipart/form-data" => {
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
            Bytes::from(bytes)
        }
        "" | "application/octet-stream" | "application/x-www-form-urlencoded" => whole(request, most, large).await?,
        kind if kind.starts_with("image/") => whole(request, most, large).await?,
        kind => {
            let what = format!("`{kind}` is no image: send one as the body, or as the field `image` of a form");
            return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, what));
        }
    };
    match bytes.is_empty() {
        true => Err((StatusCode::BAD_REQUEST, "there is no image in the request".into())),
        false => Ok(bytes),
    }
}

async fn whole(request: Request, most: usize, large: impl Fn() -> Refused) -> Result<Bytes, Refused> {
    axum::body::to_bytes(request.into_body(), most).await.map_err(|_| large())
}
