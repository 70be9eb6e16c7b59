//! `/reports`: one row a week, the latest first.

use super::super::sight::Sight;
use super::super::{Page, Part, Parts, Place, link};
use crate::problem::Kind;
use crate::report::{aside, past};
use crate::router::Panel;
use crate::site::DeviceState;
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::Response;
use roundsman_core::figures::account::Period;
use roundsman_report::conclusion::Level;
use roundsman_report::{Brief, Week, brief, html};
use serde::Deserialize;

/// Weeks that are read at once: what the site's past gives.
const AT_ONCE: i32 = 5;
/// Times that is done for one page: a quarter of a year would be slow, a month too short.
const READS: i32 = 2;

/// One week.
struct Row {
    week: Week,
    state: &'static str,
    level: String,
    name: String,
    days: String,
    lead: String,
    is_running: bool,
    figures: Vec<(&'static str, String)>,
}

#[derive(Template)]
#[template(path = "page/report-list.html")]
struct List<'a> {
    v: &'a Voice,
    rows: Vec<Row>,
    unavailable: bool,
    earlier: Option<String>,
    /// Where the latest ones are, on a page of earlier ones.
    later: Option<&'static str>,
}

/// Where the list begins.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct From {
    /// Only weeks before this one.
    before: Option<String>,
}

/// The state whose shape and colour says the level.
fn state(level: Level) -> DeviceState {
    match level {
        Level::Calm => DeviceState::Ok,
        Level::Watch => DeviceState::Major,
        Level::Trouble => DeviceState::Critical,
        Level::Unknown => DeviceState::NoData,
    }
}

fn row(brief: &Brief, v: &Voice) -> Row {
    let health = brief.health.map_or_else(|| "—".to_owned(), |health| health.score.to_string());
    Row {
        week: brief.week,
        state: state(brief.conclusion.level).word(),
        level: v.text(&brief.conclusion.level.name()),
        name: html::week_name(brief.week, v.language),
        days: html::week_days(brief.week, v.language),
        lead: v.text(&brief.conclusion.lead),
        is_running: brief.is_running,
        figures: vec![
            ("report.availability", html::share(brief.availability)),
            ("report.health", health),
            ("report.new-faults", brief.new_faults.to_string()),
            ("report.open-faults", brief.open_faults.to_string()),
        ],
    }
}

/// The weeks up to `last` that have data, the latest first, and whether the oldest that was looked at has some.
async fn briefs(panel: &Panel, last: Week) -> Result<(Vec<Brief>, bool), Kind> {
    let zone = panel.site.about().zone;
    let now = panel.site.now();
    let (mut found, mut oldest_has_data) = (Vec::new(), false);
    for read in 0..READS {
        let weeks: Vec<Week> = (0..AT_ONCE).map(|n| last.plus(-(read * AT_ONCE + n))).collect();
        let (Some(first), Some(latest)) = (weeks.last(), weeks.first()) else { break };
        let span = Period::new(first.span(&zone).from(), latest.span(&zone).to());
        let (past, zone) = (past(panel, span).await?, zone.clone());
        let all =
            move || weeks.iter().filter_map(|week| brief(&past, &zone, *week, now).ok()).collect::<Vec<_>>();
        let briefs = aside(all).await?;
        oldest_has_data = briefs.last().is_some_and(|brief| brief.has_data);
        let any = briefs.iter().any(|brief| brief.has_data);
        found.extend(briefs.into_iter().filter(|brief| brief.has_data));
        // Before the first watch there is nothing; a box that was off for five weeks is found by its next page.
        if !any && read > 0 {
            break;
        }
    }
    Ok((found, oldest_has_data))
}

/// `/reports`
pub(crate) async fn reports(
    State(panel): State<Panel>,
    viewer: Viewer,
    from: Result<Query<From>, QueryRejection>,
) -> Response {
    let v = &viewer.voice;
    let running = Week::holding(panel.site.now(), &v.zone);
    let before = from.ok().and_then(|Query(from)| Week::parse(&from.before?).ok());
    let last = before.map_or(running, |before| before.previous().min(running));
    let found = briefs(&panel, last).await;
    let unavailable = found.is_err();
    let (briefs, more) = found.unwrap_or_default();
    let first = last.plus(1 - AT_ONCE * READS);
    let list = List {
        v,
        rows: briefs.iter().map(|brief| row(brief, v)).collect(),
        unavailable,
        earlier: more.then(|| link::query("/reports", &[("before", &first.to_string())])),
        later: before.is_some().then_some("/reports"),
    };
    let sight = Sight::of(&panel);
    let parts: Parts = Part::of("report-list", &list).map(|list| vec![list]);
    let title = v.t("report.title");
    Page::new(Place::Reports, &title, "reports").answer(&panel, &viewer, &sight, parts)
}
