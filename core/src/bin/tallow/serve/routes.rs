//! Addresses, and what is answered at each.

use super::queue::{Job, Question};
use super::served::{Answer, Asked, Refused, Served, failed};
use super::{Server, body};
use crate::web;
use axum::extract::rejection::QueryRejection;
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;
use std::time::Instant;
use tokio::sync::oneshot;

type Shared = State<Arc<Server>>;

/// What stands behind the question mark of an address, or why it cannot be read.
type Wished = Result<Query<Wish>, QueryRejection>;

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
        .route("/api/mask", post(mask))
        .route("/api/similar", post(similar))
        .route("/api/find", get(find))
        .fallback(|| async { web::refusal(StatusCode::NOT_FOUND, "there is nothing here; see /openapi.json") })
        .method_not_allowed_fallback(|| async {
            web::refusal(StatusCode::METHOD_NOT_ALLOWED, "predictions are asked for by POST; see /openapi.json")
        })
        // `body::read` has the limits.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(server.clone(), guarded))
        .with_state(server)
}

/// Every request passes here: those from elsewhere are refused, and questions to models are counted with their answers.
async fn guarded(State(server): Shared, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let is_open = |path: &str| !path.starts_with("/api/") && path != "/metrics";
    let is_question = ["/api/predict", "/api/explain", "/api/mask", "/api/similar"].contains(&request.uri().path());
    let response = web::guarded(&server.guard, is_open, request, next).await;
    if is_question {
        server.metrics.answered(response.status().as_u16(), started.elapsed());
    }
    response
}

async fn metrics(State(server): Shared) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], server.metrics.text())
}

async fn models(State(server): Shared) -> impl IntoResponse {
    let model = |(name, model): (&String, &Arc<dyn Served>)| {
        let mut about = model.about();
        about["name"] = name.clone().into();
        about["is_first"] = (*name == server.first).into();
        about
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
    /// How many classes or items to tell.
    top: Option<usize>,
}

async fn predict(State(server): Shared, wish: Wished, request: Request) -> Response {
    asked(&server, wish, request, Question::Predict).await.unwrap_or_else(refused)
}

async fn explain(State(server): Shared, wish: Wished, request: Request) -> Response {
    asked(&server, wish, request, Question::Explain).await.unwrap_or_else(refused)
}

async fn mask(State(server): Shared, wish: Wished, request: Request) -> Response {
    asked(&server, wish, request, Question::Mask).await.unwrap_or_else(refused)
}

async fn similar(State(server): Shared, wish: Wished, request: Request) -> Response {
    asked(&server, wish, request, Question::Similar).await.unwrap_or_else(refused)
}

fn refused((code, what): Refused) -> Response {
    web::refusal(code, what)
}

/// Reads a request, puts it into the queue, and waits for what is found.
async fn asked(server: &Server, wish: Wished, request: Request, question: Question) -> Result<Response, Refused> {
    let Query(wish) = wish.map_err(|error| (StatusCode::BAD_REQUEST, error.body_text()))?;
    let (name, model) = server.model(wish.model)?;
    let slow = |_| (StatusCode::REQUEST_TIMEOUT, format!("the request did not arrive within {:?}", server.timeout));
    let body = body::read(request, &**model, server.max_bytes);
    let body = tokio::time::timeout(server.timeout, body).await.map_err(slow)??;
    model.takes().check(&body)?;
    let (answer, found) = oneshot::channel();
    let job = Job { model: model.clone(), question, asked: Asked { body, top: wish.top }, answer };
    let full = |_| (StatusCode::TOO_MANY_REQUESTS, String::from("too many requests wait; come again in a second"));
    server.queue.put(job).map_err(full)?;
    let gone = |_| failed("the computation ended without an answer");
    let png = |bytes: Vec<u8>| ([(header::CONTENT_TYPE, "image/png")], bytes).into_response();
    Ok(match found.await.map_err(gone)?? {
        Answer::Json(mut json) => {
            json["model"] = name.into();
            Json(json).into_response()
        }
        Answer::Picture(picture) => png(web::png(&picture).map_err(failed)?),
        Answer::Png(bytes) => png(bytes),
    })
}

/// What may stand behind the question mark of a search.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Search {
    /// The model's name.
    model: Option<String>,
    /// A part of a name.
    text: String,
}

/// The items whose names have a text in them: the page offers them while one types.
async fn find(State(server): Shared, search: Result<Query<Search>, QueryRejection>) -> Response {
    let found = || {
        let Query(search) = search.map_err(|error| (StatusCode::BAD_REQUEST, error.body_text()))?;
        let (_, model) = server.model(search.model)?;
        model.find(&search.text)
    };
    match found() {
        Ok(Answer::Json(json)) => Json(json).into_response(),
        Ok(_) => refused(failed("a search finds names alone")),
        Err(refusal) => refused(refusal),
    }
}

impl Server {
    /// The model that is asked for, or the first.
    fn model(&self, name: Option<String>) -> Result<(String, &Arc<dyn Served>), Refused> {
        let name = name.unwrap_or_else(|| self.first.clone());
        match self.models.get(&name) {
            Some(model) => Ok((name, model)),
            None => {
                let known: Vec<&str> = self.models.keys().map(String::as_str).collect();
                Err((StatusCode::NOT_FOUND, format!("no such model; there are: {}", known.join(", "))))
            }
        }
    }
}
