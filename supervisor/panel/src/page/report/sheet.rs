//! `/reports/weekly/{week}`: the summary of one week, with what is done with it: print, take along, leaf.

use super::super::sight::Sight;
use super::super::{Page, Part, Place, link, problem};
use crate::problem::Kind;
use crate::report::{Refused, of_week};
use crate::router::Panel;
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use roundsman_report::{Week, Weekly, html};

#[derive(Template)]
#[template(path = "page/report-head.html")]
struct Head<'a> {
    v: &'a Voice,
    week: Week,
    html: String,
    json: String,
    before: String,
    /// `None` of the running week.
    after: Option<String>,
}

#[derive(Template)]
#[template(path = "page/report-sheet.html")]
struct Sheet {
    sheet: String,
}

fn head<'a>(made: &Weekly, v: &'a Voice) -> Head<'a> {
    let week = made.week.to_string();
    let file = |format| {
        link::query("/api/v1/reports/weekly", &[("week", &week), ("language", v.tag()), ("format", format)])
    };
    let page = |week: Week| format!("/reports/weekly/{week}");
    Head {
        v,
        week: made.week,
        html: file("html"),
        json: file("json"),
        before: page(made.week.previous()),
        after: (!made.is_running).then(|| page(made.week.next())),
    }
}

/// `/reports/weekly/{week}`
pub(crate) async fn weekly(State(panel): State<Panel>, viewer: Viewer, Path(week): Path<String>) -> Response {
    let Ok(week) = Week::parse(&week) else {
        return problem(&panel, &viewer, Kind::NoSuchWeek);
    };
    let mut made = match of_week(&panel, week).await {
        Ok(made) => made,
        Err(Refused::Week(_)) => return problem(&panel, &viewer, Kind::NoSuchWeek),
        Err(Refused::Kind(kind)) => return problem(&panel, &viewer, kind),
    };
    let v = &viewer.voice;
    // To the minute: it stands on the page, and a page that changes each second is fetched each time.
    made.made_at.0 -= made.made_at.0.rem_euclid(60_000);
    let sight = Sight::of(&panel);
    let parts = html::sheet(&made, v.language).and_then(|sheet| {
        Ok(vec![Part::of("report-head", &head(&made, v))?, Part::of("weekly", &Sheet { sheet })?])
    });
    let title = html::week_name(week, v.language);
    Page::new(Place::Reports, &title, "report").answer(&panel, &viewer, &sight, parts)
}
