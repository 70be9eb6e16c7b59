//! `/wall`: the whole site in one look, from across the room. A touch leads back to the overview, unless it is pinned.

use super::rows::{Card, Count};
use super::sight::Sight;
use super::{Page, Part, Parts, Place, pictures};
use crate::router::Panel;
use crate::site::DeviceState;
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;

/// Faults named on it.
const MOST_FAULTS: usize = 4;

/// What the address asks for.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    /// `1`: a touch does not leave it.
    pinned: String,
}

#[derive(Template)]
#[template(path = "page/wall.html")]
struct Wall<'a> {
    v: &'a Voice,
    counts: Vec<Count>,
    worst: Vec<Card>,
}

#[derive(Template)]
#[template(
    source = "<div class=\"lying\">{{ lying|safe }}</div><div class=\"standing\">{{ standing|safe }}</div>",
    ext = "html"
)]
struct Picture {
    lying: String,
    standing: String,
}

#[derive(Template)]
#[template(path = "page/wall-shield.html")]
struct Shield<'a> {
    v: &'a Voice,
    pinned: bool,
}

fn parts(sight: &Sight, pinned: bool, v: &Voice) -> Parts {
    let own = sight.faults().iter().filter(|fault| !fault.is_suppressed());
    let mut counts = Count::all(sight, v);
    let ok = v.text(&DeviceState::Ok.name());
    counts.push(Count { state: DeviceState::Ok.word(), word: ok, number: sight.well() });
    let worst = own.take(MOST_FAULTS).map(|fault| Card::of(fault, sight, v)).collect();
    let [lying, standing] = pictures::tiers(sight, v);
    Ok(vec![
        Part::of("wall", &Wall { v, counts, worst })?,
        Part::of("wall-picture", &Picture { lying, standing })?,
        Part::of("shield", &Shield { v, pinned })?,
    ])
}

/// `/wall`
pub(crate) async fn wall(
    State(panel): State<Panel>,
    viewer: Viewer,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let pinned = wanted.is_ok_and(|Query(wanted)| wanted.pinned == "1");
    let sight = Sight::of(&panel);
    let title = viewer.voice.t("wall.title");
    let parts = parts(&sight, pinned, &viewer.voice);
    Page::new(Place::Overview, &title, "wall").answer(&panel, &viewer, &sight, parts)
}
