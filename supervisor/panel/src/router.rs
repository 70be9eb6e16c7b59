//! The routes, what stands before all of them, and their description.

use crate::problem::{Kind, PROBLEM_JSON};
use crate::site::Site;
use crate::viewer::Viewer;
use crate::voice::Voice;
use crate::{actions, api, command, events, history, metrics, page, record, report};
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, HeaderName};
use axum::http::{HeaderValue, Method, Uri};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, Semaphore, watch};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// Longest body.
pub(crate) const LARGEST_BODY: u64 = 64 * 1_024;
/// Longest path with query.
const LONGEST_URL: usize = 2_048;
/// From the request's head to the answer's head. Longer than the store's own limit of 2 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// The same for commands: a device shows only after a while that it obeyed, at most four minutes by its profile.
const OBEY_WITHIN: Duration = Duration::from_secs(300);

/// Where a request comes in, and what makes its sender the operator.
#[derive(Clone, Debug)]
pub enum Door {
    /// The panel's address: acting needs this bearer token; reading is free (loopback only).
    Panel {
        /// At least 128 random bits, printed at start.
        token: Arc<str>,
    },
    /// The control socket: the peer's uid is the operator.
    Control,
}

/// What every handler gets.
#[derive(Clone)]
pub(crate) struct Panel {
    pub(crate) site: Arc<dyn Site>,
    pub(crate) door: Door,
    pub(crate) watchers: Arc<Semaphore>,
    /// Turn of keyed actions.
    pub(crate) actions: Arc<Mutex<()>>,
    /// Turn of claiming a command's key.
    pub(crate) commands: Arc<Mutex<()>>,
    pub(crate) stopping: watch::Receiver<bool>,
    description: Arc<utoipa::openapi::OpenApi>,
}

#[derive(OpenApi)]
#[openapi(
    info(title = "Roundsman", description = "Devices, readings and faults of one site. Times are RFC 3339 with \
        the site's offset; texts follow ?lang= or Accept-Language (zh-CN, en). Errors are problem details (RFC 9457)."),
    components(schemas(crate::problem::Problem)),
    modifiers(&Token)
)]
struct Description;

struct Token;

impl utoipa::Modify for Token {
    fn modify(&self, api: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
        let components = api.components.get_or_insert_default();
        components.add_security_scheme("token", SecurityScheme::Http(scheme));
    }
}

/// Media type of a page.
pub(crate) const HTML: &str = "text/html; charset=utf-8";

/// Whether the process answers.
#[utoipa::path(get, path = "/healthz", tag = "operation", responses((status = 200, body = String)))]
async fn healthz() -> &'static str {
    "ok\n"
}

/// This description.
#[utoipa::path(get, path = "/api/openapi.json", tag = "operation", responses((status = 200)))]
async fn description(State(panel): State<Panel>) -> Response {
    Json(&*panel.description).into_response()
}

fn described() -> (Router<Panel>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(api::devices))
        .routes(routes!(api::device))
        .routes(routes!(api::readings))
        .routes(routes!(history::history))
        .routes(routes!(api::faults))
        .routes(routes!(api::fault))
        .routes(routes!(actions::act))
        .routes(routes!(command::list::commands))
        .routes(routes!(command::command))
        .routes(routes!(record::records, record::add))
        .routes(routes!(record::csv::csv))
        .routes(routes!(record::record))
        .routes(routes!(record::amend))
        .routes(routes!(report::weekly))
        .routes(routes!(events::events))
        .routes(routes!(metrics::metrics))
        .routes(routes!(healthz))
        .routes(routes!(description))
        .split_for_parts()
}

/// The whole panel for one door. Streams end when `stopping` turns true.
pub(crate) fn router(site: Arc<dyn Site>, door: Door, stopping: watch::Receiver<bool>) -> Router {
    let (routes, description) = described();
    let panel = Panel {
        site,
        door,
        watchers: Arc::new(Semaphore::new(events::MOST_WATCHERS)),
        actions: Arc::default(),
        commands: Arc::default(),
        stopping,
        description: Arc::new(description),
    };
    #[cfg(any(test, feature = "styleguide"))]
    let routes = routes
        .route("/styleguide", get(page::styleguide::styleguide))
        .route("/styleguide/style.css", get(page::styleguide::style))
        .route("/styleguide/still.svg", get(page::styleguide::still));
    routes
        .route("/", get(page::overview::overview))
        .route("/cameras", get(page::cameras::cameras))
        .route("/devices", get(page::devices::devices))
        .route("/devices/{id}", get(page::device::device))
        .route("/devices/{id}/commands", get(page::commands::commands))
        .route("/devices/{id}/history", get(page::history::list::history))
        .route("/faults", get(page::faults::faults))
        .route("/faults/{id}", get(page::fault::fault))
        .route("/records", get(page::record::records))
        .route("/records/new", get(page::record::new))
        .route("/records/{number}", get(page::record::sheet))
        .route("/records/{number}/amend", get(page::record::amend))
        .route("/reports", get(page::report::reports))
        .route("/reports/weekly/{week}", get(page::report::weekly))
        .route("/about", get(page::about::about))
        .route("/wall", get(page::wall::wall))
        .route("/assets/{name}", get(page::asset))
        .fallback(unknown)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn_with_state(panel.clone(), guard))
        .with_state(panel)
}

/// A browser that asks for a page gets one; programs get a problem.
async fn unknown(State(panel): State<Panel>, voice: Voice, viewer: Viewer, request: Request) -> Response {
    let accepted = request.headers().get(ACCEPT).and_then(|v| v.to_str().ok()).unwrap_or("");
    match accepted.contains("text/html") && !request.uri().path().starts_with("/api/") {
        true => page::unknown(State(panel), viewer).await,
        false => Kind::NoSuchPath.answer(&voice),
    }
}

async fn wrong_method(State(_): State<Panel>, voice: Voice) -> Response {
    Kind::WrongMethod.answer(&voice)
}

/// What every answer tells the browser to keep to.
pub(crate) fn fixed_headers(response: &mut Response) {
    let fixed = [
        (
            "content-security-policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    let headers = response.headers_mut();
    for (name, value) in fixed {
        // A document that brings its own style has a policy of its own, see `report`.
        headers.entry(HeaderName::from_static(name)).or_insert(HeaderValue::from_static(value));
    }
}

/// Limits before every route, headers after it.
async fn guard(State(_): State<Panel>, voice: Voice, request: Request, next: Next) -> Response {
    let uri: &Uri = request.uri();
    let url_length = uri.path_and_query().map_or(0, |p| p.as_str().len());
    let is_asset = uri.path().starts_with("/assets/");
    let length = request.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    let mut response = if url_length > LONGEST_URL {
        Kind::TooLong.answer(&voice)
    } else if length.is_some_and(|length| length > LARGEST_BODY) {
        Kind::TooLarge.answer(&voice)
    } else {
        let is_command = request.method() == Method::POST && request.uri().path().contains("/commands/");
        let within = if is_command { OBEY_WITHIN } else { ANSWER_WITHIN };
        match tokio::time::timeout(within, next.run(request)).await {
            Ok(response) => response,
            Err(_) => Kind::TooSlow.answer(&voice),
        }
    };
    fixed_headers(&mut response);
    let headers = response.headers_mut();
    if !is_asset {
        headers.insert("cache-control", HeaderValue::from_static("no-store"));
        headers.insert("vary", HeaderValue::from_static("accept-language, cookie, x-held"));
    }
    debug_assert!(
        !response.status().is_client_error()
            || response.headers().get(CONTENT_TYPE).is_some_and(|v| v == PROBLEM_JSON || v == HTML),
        "every refusal is a problem or a page"
    );
    response
}
