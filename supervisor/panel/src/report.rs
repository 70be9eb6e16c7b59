//! The weekly summary over HTTP, and how a page gets one: the past from the site, computed off the panel's thread.

use crate::problem::{Kind, PROBLEM_JSON, Problem};
use crate::router::Panel;
use crate::voice::{Voice, from_tag};
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use roundsman_core::figures::account::Period;
use roundsman_core::text::Language;
use roundsman_report::{About, Past, Week, WeekError, Weekly, html, json, weekly as summary};
use serde::Deserialize;
use utoipa::IntoParams;

/// The report is a document of its own: it brings its style, and nothing else may run or be fetched.
const DOCUMENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; sandbox allow-modals";

/// Why there is no summary.
pub(crate) enum Refused {
    /// There is no such week.
    Week(WeekError),
    /// The store is out, or the computation ended early.
    Kind(Kind),
}

impl Refused {
    fn answer(self, voice: &Voice) -> Response {
        match self {
            Refused::Week(error) => {
                let why = voice.text(&error.text());
                Kind::BadReportQuery.naming(vec![("week".to_owned(), why)], voice).into_response()
            }
            Refused::Kind(kind) => kind.answer(voice),
        }
    }
}

/// Computes on a thread where it stops nobody: a thousand devices take some ten milliseconds.
pub(crate) async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Kind> {
    tokio::task::spawn_blocking(work).await.map_err(|error| {
        tracing::error!(%error, "a report could not be computed");
        Kind::StoreUnavailable
    })
}

/// The past of a span.
pub(crate) async fn past(panel: &Panel, span: Period) -> Result<Past, Kind> {
    panel.site.past(span.from(), span.to()).await.map_err(|why| Kind::unavailable(&why))
}

/// The summary of a week as it stands now.
pub(crate) async fn of_week(panel: &Panel, week: Week) -> Result<Weekly, Refused> {
    let about = panel.site.about();
    let now = panel.site.now();
    let running = Week::holding(now, &about.zone);
    if week > running {
        return Err(Refused::Week(WeekError::NotYet { week, running }));
    }
    let past = past(panel, week.reach(&about.zone)).await.map_err(Refused::Kind)?;
    let about = About { site: about.name, zone: about.zone };
    let made = aside(move || summary(&past, &about, week, now)).await.map_err(Refused::Kind)?;
    made.map_err(Refused::Week)
}

/// Which summary, in which language and form.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ReportQuery {
    /// ISO week; the last whole one unless given.
    #[param(example = "2026-W47")]
    week: Option<String>,
    /// zh-CN or en; what ?lang= or Accept-Language says unless given.
    language: Option<String>,
    /// json (default) or html.
    format: Option<String>,
}

/// The weekly equipment health summary.
#[utoipa::path(get, path = "/api/v1/reports/weekly", tag = "reports", params(ReportQuery),
    responses((status = 200, description = "The summary: JSON, or one self-contained page made for A4",
            content((json::Report = "application/json"), (String = "text/html"))),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn weekly(
    State(panel): State<Panel>,
    voice: Voice,
    query: Result<Query<ReportQuery>, QueryRejection>,
) -> Response {
    let Ok(Query(query)) = query else {
        return Kind::BadReportQuery.answer(&voice);
    };
    let language = match query.language.as_deref().map(from_tag) {
        None => voice.language,
        Some(Some(language)) => language,
        Some(None) => return Kind::BadReportQuery.answer(&voice),
    };
    let as_html = match query.format.as_deref() {
        None | Some("json") => false,
        Some("html") => true,
        Some(_) => return Kind::BadReportQuery.answer(&voice),
    };
    let zone = panel.site.about().zone;
    let last = || Week::holding(panel.site.now(), &zone).previous();
    let week = match query.week.as_deref().map_or_else(|| Ok(last()), Week::parse) {
        Ok(week) => week,
        Err(error) => return Refused::Week(error).answer(&voice),
    };
    match of_week(&panel, week).await {
        Ok(made) if as_html => document(&made, language),
        Ok(made) => Json(json::report(&made, language)).into_response(),
        Err(refused) => refused.answer(&voice),
    }
}

fn document(made: &Weekly, language: Language) -> Response {
    match html::page(made, language) {
        Ok(page) => {
            let name = format!("inline; filename=\"{}-{}.html\"", made.week, language.tag());
            let mut response = page.into_response();
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(DOCUMENT_POLICY));
            headers.extend(HeaderValue::from_str(&name).map(|name| (CONTENT_DISPOSITION, name)));
            response
        }
        Err(error) => {
            tracing::error!(%error, "the summary could not be rendered");
            (StatusCode::INTERNAL_SERVER_ERROR, [(CONTENT_TYPE, PROBLEM_JSON)]).into_response()
        }
    }
}
