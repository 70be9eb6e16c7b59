//! History over HTTP: the past of one series, made as narrow as asked for.

use crate::problem::{Kind, Problem};
use crate::router::Panel;
use crate::voice::Voice;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use roundsman_core::time::Wall;
use roundsman_store::{History, HistoryColumn, MOST_COLUMNS, Run, RunState, SeriesName, Span};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Columns of an answer unless another number is asked for.
const POINTS: usize = 500;
/// How far back an answer goes unless another time is asked for, ms.
const DAY_MS: i64 = 24 * 3_600_000;

/// Which series, when, and how fine.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// Metric name; `poll.outcome` is how the polls of the device went.
    metric: String,
    /// Instance label; left out for a scalar.
    #[serde(default)]
    instance: String,
    /// RFC 3339; 24 hours before `to` by default.
    from: Option<String>,
    /// RFC 3339, not included; now by default.
    to: Option<String>,
    /// Columns, 1 to 2000, 500 by default. States and texts come whole, at most the newest 1000 runs.
    points: Option<usize>,
}

/// An equal part of the time asked for in which at least one poll ended.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Column {
    /// Its begin.
    #[schema(format = "date-time")]
    from: String,
    /// Null where no sample was good.
    first: Option<f64>,
    min: Option<f64>,
    mean: Option<f64>,
    max: Option<f64>,
    last: Option<f64>,
    /// Samples with a value.
    count: u32,
    /// Samples without one, in polls that were answered.
    bad: u32,
    /// Polls that failed.
    failed: u32,
    /// Values are missing before this column: draw no line across.
    broken: bool,
}

/// A time during which a state or text stayed the same in every poll.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Stretch {
    /// The first poll that said so.
    #[schema(format = "date-time")]
    from: String,
    /// The last one.
    #[schema(format = "date-time")]
    to: String,
    /// Null unless the quality is good.
    value: Option<String>,
    /// good, or why there is no value.
    quality: &'static str,
}

/// The past of a series: columns of numbers, or runs of words.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Series {
    device: String,
    metric: String,
    /// Empty for a scalar.
    instance: String,
    /// UCUM; empty where there is none or the latest poll does not have it.
    unit: String,
    #[schema(format = "date-time")]
    from: String,
    #[schema(format = "date-time")]
    to: String,
    /// Width of a column, ms; null for words.
    width_ms: Option<i64>,
    /// Oldest first; times without any poll have none. Null for words.
    columns: Option<Vec<Column>>,
    /// Oldest first. Null for numbers.
    runs: Option<Vec<Stretch>>,
    /// Older runs were left out.
    truncated: bool,
}

impl Column {
    fn of(column: &HistoryColumn, v: &Voice) -> Column {
        let band = column.band;
        Column {
            from: v.rfc3339(column.from),
            first: band.map(|band| band.first),
            min: band.map(|band| band.min),
            mean: band.map(|band| band.mean),
            max: band.map(|band| band.max),
            last: band.map(|band| band.last),
            count: column.count,
            bad: column.bad,
            failed: column.failed,
            broken: column.broken,
        }
    }
}

impl Stretch {
    fn of(run: &Run, v: &Voice) -> Stretch {
        let (value, quality) = match &run.state {
            RunState::Word(word) => (Some(word.to_string()), "good"),
            RunState::Bad(absence) => (None, absence.word()),
        };
        Stretch { from: v.rfc3339(run.from), to: v.rfc3339(run.to), value, quality }
    }
}

impl HistoryQuery {
    /// The time asked for; `None` where it makes no sense.
    fn span(&self, now: Wall, interval_s: u32) -> Option<Span> {
        let time = |text: &Option<String>| match text {
            None => Some(None),
            Some(text) => text.parse::<Timestamp>().ok().map(|at| Some(Wall(at.as_millisecond()))),
        };
        let to = time(&self.to)?.unwrap_or(now);
        let from = time(&self.from)?.unwrap_or(Wall(to.0.saturating_sub(DAY_MS)));
        let points = self.points.unwrap_or(POINTS);
        let good = from < to && (1..=MOST_COLUMNS).contains(&points) && !self.metric.is_empty();
        good.then_some(Span { from, to, points, interval_ms: u64::from(interval_s) * 1_000 })
    }
}

/// The past of a series.
#[utoipa::path(get, path = "/api/v1/devices/{id}/history", tag = "devices",
    params(("id" = String, Path,), HistoryQuery),
    responses((status = 200, body = Series),
        (status = 400, body = Problem, content_type = "application/problem+json"),
        (status = 404, body = Problem, content_type = "application/problem+json"),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn history(
    State(panel): State<Panel>,
    v: Voice,
    Path(id): Path<String>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Response {
    let Ok(Query(query)) = query else {
        return Kind::BadHistoryQuery.answer(&v);
    };
    let Some(device) = panel.site.device(&id) else {
        return Kind::NoSuchDevice.answer(&v);
    };
    let Some(span) = query.span(panel.site.now(), device.interval_s) else {
        return Kind::BadHistoryQuery.answer(&v);
    };
    let name = SeriesName {
        device: device.id.clone(),
        metric: query.metric.as_str().into(),
        instance: query.instance.as_str().into(),
    };
    let readings = panel.site.readings(&id).unwrap_or_default();
    let reading = readings.iter().find(|r| r.metric == name.metric && r.instance == name.instance);
    let mut series = Series {
        unit: reading.map(|reading| reading.unit.to_string()).unwrap_or_default(),
        device: id,
        metric: query.metric,
        instance: query.instance,
        from: v.rfc3339(span.from),
        to: v.rfc3339(span.to),
        width_ms: None,
        columns: None,
        runs: None,
        truncated: false,
    };
    match panel.site.history(name, span).await {
        Ok(Some(History::Numbers { width_ms, columns })) => {
            series.width_ms = Some(width_ms);
            series.columns = Some(columns.iter().map(|column| Column::of(column, &v)).collect());
        }
        Ok(Some(History::Words { runs, truncated })) => {
            series.runs = Some(runs.iter().map(|run| Stretch::of(run, &v)).collect());
            series.truncated = truncated;
        }
        Ok(None) => return Kind::NoSuchSeries.answer(&v),
        Err(why) => return Kind::unavailable(&why).answer(&v),
    }
    Json(series).into_response()
}
