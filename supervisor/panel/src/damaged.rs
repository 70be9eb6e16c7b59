//! The panel's address while the database is damaged: what is wrong, the newest whole backup, and the button for it.
//!
//! Nothing else is served then: there is no site without its store. Both languages stand side by side, since whoever
//! comes at night should not have to look for a switch.

use crate::page::style;
use crate::router::{HTML, LARGEST_BODY, fixed_headers};
use crate::serve::{Listener, serve_routes};
use crate::voice::Voice;
use askama::Template;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::tz::TimeZone;
use roundsman_core::text::Language;
use roundsman_core::time::Wall;
use std::sync::Arc;
use subtle::ConstantTimeEq;
use tokio::sync::{mpsc, oneshot, watch};

/// Answers to the button that wait at once: one restores, others are told to look again.
const MOST_WAITING: usize = 4;

/// What is wrong and what there is to go on with.
#[derive(Clone, Debug)]
pub struct Damage {
    /// Name of the site.
    pub site: Arc<str>,
    /// Zone of the times shown.
    pub zone: TimeZone,
    /// The damaged file and what the check said.
    pub what: String,
    /// The newest whole backup: where it is, when it was made, its rows of all tables.
    pub backup: Option<(String, Wall, u64)>,
    /// The command that does the same as the button.
    pub command: String,
    /// When the damage was found.
    pub found: Wall,
    /// What lets its holder press the button.
    pub token: Arc<str>,
}

/// Somebody with the token wants the backup; what came of it goes back to the page.
pub type RestoreRequest = oneshot::Sender<Result<(), String>>;

struct Shown {
    damage: Damage,
    requests: mpsc::Sender<RestoreRequest>,
}

#[derive(Template)]
#[template(path = "damaged.html")]
struct Page<'a> {
    damage: &'a Damage,
    /// When the backup was made.
    made: String,
    /// How old it is, in Chinese and English.
    age: [String; 2],
    found: String,
    rows: u64,
    file: &'a str,
    /// What came of the button, in Chinese and English.
    outcome: Option<[String; 2]>,
    is_restored: bool,
}

/// Serves the page on the panel's socket until `shutdown` is ready. Requests to restore come out of the receiver.
pub fn serve_damaged(
    listener: impl Into<Listener>,
    damage: Damage,
    shutdown: impl Future<Output = ()> + Send,
) -> (impl Future<Output = ()> + Send, mpsc::Receiver<RestoreRequest>) {
    let (requests, wanted) = mpsc::channel(MOST_WAITING);
    let (stop, stopping) = watch::channel(false);
    let routes = Router::new()
        .route("/restore", post(restore))
        .route("/assets/panel.css", get(style))
        .route("/healthz", get(health))
        .fallback(page)
        .layer(DefaultBodyLimit::max(LARGEST_BODY as usize))
        .layer(middleware::from_fn(guard))
        .with_state(Arc::new(Shown { damage, requests }));
    (serve_routes(listener.into(), routes, (stop, stopping), shutdown), wanted)
}

async fn guard(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    fixed_headers(&mut response);
    response
}

async fn health() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "the database is damaged\n").into_response()
}

async fn page(State(shown): State<Arc<Shown>>, request: Request) -> Response {
    if request.uri().path().starts_with("/api/") {
        let body = serde_json::json!({
            "type": "urn:roundsman:problem:store-damaged", "title": "The database is damaged", "status": 503,
            "detail": format!("{} {}", shown.damage.what, shown.damage.command),
        });
        let kind = [(CONTENT_TYPE, crate::problem::PROBLEM_JSON)];
        return (StatusCode::SERVICE_UNAVAILABLE, kind, body.to_string()).into_response();
    }
    shown.answer(StatusCode::SERVICE_UNAVAILABLE, None)
}

/// The button: a form with the token.
async fn restore(State(shown): State<Arc<Shown>>, body: Bytes) -> Response {
    let token = shown.damage.token.as_bytes();
    let given = body.strip_prefix(b"token=").unwrap_or_default();
    if token.is_empty() || !bool::from(given.ct_eq(token)) {
        let why = ["令牌不正确，未作任何改动。", "Wrong token; nothing was changed."];
        return shown.answer(StatusCode::FORBIDDEN, Some(why.map(str::to_owned)));
    }
    let (reply, answer) = oneshot::channel();
    let outcome = match shown.requests.try_send(reply) {
        Ok(()) => answer.await.unwrap_or_else(|_| Err("the service is ending".to_owned())),
        Err(_) => Err("another restore is under way".to_owned()),
    };
    match outcome {
        Ok(()) => shown.answer(
            StatusCode::OK,
            Some(
                ["已恢复，正在启动，请稍候。", "Restored; the service starts, a moment please."]
                    .map(str::to_owned),
            ),
        ),
        Err(why) => {
            let words = [format!("未能恢复：{why}"), format!("Not restored: {why}")];
            shown.answer(StatusCode::INTERNAL_SERVER_ERROR, Some(words))
        }
    }
}

impl Shown {
    fn answer(&self, status: StatusCode, outcome: Option<[String; 2]>) -> Response {
        let voices = [Language::Chinese, Language::English]
            .map(|language| Voice { language, zone: self.damage.zone.clone() });
        let (file, at, rows) = match &self.damage.backup {
            Some((file, at, rows)) => (&**file, *at, *rows),
            None => ("", self.damage.found, 0),
        };
        let age_ms = u64::try_from(self.damage.found.0.saturating_sub(at.0)).unwrap_or(0);
        let page = Page {
            damage: &self.damage,
            made: voices[0].minute(at),
            age: [voices[0].duration(age_ms), voices[1].duration(age_ms)],
            found: voices[0].long(self.damage.found),
            rows,
            file,
            outcome,
            is_restored: status == StatusCode::OK,
        };
        match page.render() {
            Ok(html) => (status, [(CONTENT_TYPE, HTML), (RETRY_AFTER, "10")], html).into_response(),
            Err(error) => {
                tracing::error!(%error, "the page could not be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}
