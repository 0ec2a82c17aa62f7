//! `tallow clean --browse`: photos, decisions and their application in the browser.

use crate::say;
use crate::web::{self, Guard};
use axum::extract::{DefaultBodyLimit, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tallow::clean::{Change, Cleaner, Photo, undo};
use tallow::vision::{Image, Resize};
use tallow::{Error, Result};

/// The longer side of a photo on the page, in pixels.
const SIDE: usize = 320;

/// What the page works on.
struct Work {
    root: PathBuf,
    guard: Guard,
    /// All requests that change something take turns.
    state: Mutex<Desk>,
}

/// The photos and the decisions, and what was found at the beginning.
struct Desk {
    cleaner: Cleaner,
    judged: Cleaner,
}

type Shared = State<Arc<Work>>;

/// Why something was not done.
struct Refused(StatusCode, String);

impl From<Error> for Refused {
    fn from(error: Error) -> Refused {
        Refused(StatusCode::UNPROCESSABLE_ENTITY, error.to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        web::refusal(self.0, self.1)
    }
}

/// Shows a page with the photos until the process is asked to stop. The address has a token that is made for this run.
pub(super) fn browse(cleaner: Cleaner, port: u16) -> Result<()> {
    let mut secret = [0; 16];
    getrandom::fill(&mut secret).map_err(|error| Error::Value(format!("no random numbers for a token: {error}")))?;
    let token: String = secret.iter().map(|byte| format!("{byte:02x}")).collect();
    let root = cleaner.root().to_path_buf();
    let judged = {
        let mut judged = Cleaner::open(&root)?;
        judged.take_judgements(&cleaner);
        judged
    };
    let state = Mutex::new(Desk { cleaner, judged });
    let work = Work { root, guard: Guard::new(Some(&token), &[]), state };
    let listening = |address| say(format!("open http://{address}/#token={token} in a browser; Ctrl-C ends"));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let runtime = web::runtime()?;
    runtime.block_on(web::listen(routes(Arc::new(work)), address, 64, Duration::from_secs(20), listening))?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

fn routes(work: Arc<Work>) -> Router {
    let text =
        |kind: &'static str, text: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], text) });
    Router::new()
        .route("/", text("text/html; charset=utf-8", include_str!("page.html")))
        .route("/page.css", text("text/css; charset=utf-8", include_str!("page.css")))
        .route("/page.js", text("text/javascript; charset=utf-8", include_str!("page.js")))
        .route("/api/photos", get(photos))
        .route("/api/photo", get(photo))
        .route("/api/decide", post(decide))
        .route("/api/apply", post(apply))
        .route("/api/undo", post(take_back))
        .fallback(|| async { web::refusal(StatusCode::NOT_FOUND, "there is nothing here") })
        .layer(DefaultBodyLimit::max(1 << 20))
        .layer(middleware::from_fn_with_state(work.clone(), guarded))
        .with_state(work)
}

async fn guarded(State(work): Shared, request: Request, next: Next) -> Response {
    let is_open = |path: &str| !path.starts_with("/api/");
    web::guarded(&work.guard, is_open, request, next).await
}

/// Does `work` where waiting for a disk harms nobody.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> std::result::Result<T, Refused> {
    let failed = |_| Refused(StatusCode::INTERNAL_SERVER_ERROR, "it failed; the terminal says more".into());
    Ok(tokio::task::spawn_blocking(work).await.map_err(failed)??)
}

impl Work {
    fn desk(&self) -> std::sync::MutexGuard<'_, Desk> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn name(&self, file: &Path) -> String {
        file.strip_prefix(&self.root).unwrap_or(file).display().to_string()
    }
}

async fn photos(State(work): Shared) -> Json<Value> {
    let desk = work.desk();
    let cleaner = &desk.cleaner;
    let photo = |photo: &&Photo| {
        let judged = photo.judged.as_ref();
        let change = match cleaner.changes().get(&photo.file) {
            None => Value::Null,
            Some(Change::Delete) => json!({ "delete": true }),
            Some(Change::Relabel(class)) => json!({ "class": class }),
        };
        json!({
            "file": work.name(&photo.file),
            "class": photo.class,
            "side": photo.side.map(|side| format!("{side:?}").to_lowercase()),
            "looks_like": judged.map(|judged| &judged.class),
            "loss": judged.map(|judged| judged.loss),
            "change": change,
        })
    };
    let finding = |finding: &tallow::clean::Finding| {
        json!({
            "file": work.name(&finding.file),
            "problem": finding.problem.name(),
            "suggested": finding.suggested,
            "other": finding.other.as_ref().map(|other| work.name(other)),
        })
    };
    Json(json!({
        "folder": work.root.display().to_string(),
        "classes": cleaner.classes(),
        "photos": cleaner.by_loss(None, None).iter().map(photo).collect::<Vec<_>>(),
        "findings": cleaner.findings().iter().map(finding).collect::<Vec<_>>(),
    }))
}

/// Which photo is wanted.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    file: String,
}

/// A photo, made small. It is asked for by its name, which means the same before and after files were moved; the
/// cleaner knows no file outside of its folder.
async fn photo(State(work): Shared, Query(wanted): Query<Wanted>) -> std::result::Result<Response, Refused> {
    let file = work.desk().cleaner.photo(&work.root.join(wanted.file)).map(|photo| photo.file.clone());
    let file = file.ok_or_else(|| Refused(StatusCode::NOT_FOUND, "there is no such photo".into()))?;
    let bytes = aside(move || {
        let image = Image::open(file)?;
        let times = (SIDE as f64 / image.width().max(image.height()) as f64).min(1.0);
        let side = |side: usize| ((side as f64 * times).round() as usize).max(1);
        let small = image.resize(Resize::squish(1).size(side(image.width()), side(image.height())))?;
        web::png(&small)
    });
    Ok(([(header::CONTENT_TYPE, "image/png")], bytes.await?).into_response())
}

/// A decision: the photo's file as it was told, and what is to be done.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decision {
    file: String,
    #[serde(default)]
    delete: bool,
    class: Option<String>,
}

/// Notes a decision, and keeps it in the photos' folder for another run.
async fn decide(State(work): Shared, Json(decision): Json<Decision>) -> std::result::Result<Json<Value>, Refused> {
    aside(move || {
        let mut desk = work.desk();
        // Only files that the cleaner knows are touched: it refuses all others.
        let file = work.root.join(&decision.file);
        match (decision.delete, &decision.class) {
            (true, _) => desk.cleaner.delete(&file)?,
            (false, Some(class)) => desk.cleaner.relabel(&file, class)?,
            (false, None) => desk.cleaner.keep(&file)?,
        }
        desk.cleaner.save_plan()?;
        Ok(Json(json!({ "waiting": desk.cleaner.changes().len() })))
    })
    .await
}

/// What the browser has shown before it was confirmed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirmed {
    changes: usize,
}

/// Applies the decisions, if they are as many as were confirmed: another window may have added some.
async fn apply(State(work): Shared, Json(confirmed): Json<Confirmed>) -> std::result::Result<Json<Value>, Refused> {
    let desk = work.clone();
    if desk.desk().cleaner.changes().len() != confirmed.changes {
        let what = "the list has changed since it was shown, perhaps in another window; look at it again";
        return Err(Refused(StatusCode::CONFLICT, what.into()));
    }
    aside(move || {
        let mut desk = work.desk();
        let cleaner = Cleaner::open(&work.root)?;
        let moved = std::mem::replace(&mut desk.cleaner, cleaner).apply();
        reopen(&work.root, &mut desk)?;
        Ok(Json(json!({ "moved": moved? })))
    })
    .await
}

/// Takes the last application back.
async fn take_back(State(work): Shared) -> std::result::Result<Json<Value>, Refused> {
    aside(move || {
        let mut desk = work.desk();
        let restored = undo(&work.root);
        reopen(&work.root, &mut desk)?;
        Ok(Json(json!({ "restored": restored? })))
    })
    .await
}

fn reopen(root: &Path, desk: &mut Desk) -> Result<()> {
    desk.cleaner = Cleaner::open(root)?;
    desk.cleaner.resume()?;
    let Desk { cleaner, judged } = desk;
    cleaner.take_judgements(judged);
    Ok(())
}
