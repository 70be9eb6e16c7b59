//! `/styleguide`: every component in every state, in both languages and themes, for the people who build the panel.
//!
//! **Duty.** Shows what the drawings and the shared pieces of a page look like when well, empty, stale and failing.
//!
//! **Place in the flow.** A page of demo builds only (cargo feature `styleguide`). Its specimens are the goldens of
//! the drawings too, so what is tested is what is looked at.
//!
//! **Refuses.** No data of the site: a specimen is made up and the same every day.

mod specimens;

use crate::voice::Voice;
use axum::response::{Html, IntoResponse, Response};
use specimens::Specimen;

/// `/styleguide`
pub(crate) async fn styleguide(voice: Voice) -> Response {
    let mut html = String::from(
        "<!DOCTYPE html><meta charset=utf-8><link rel=stylesheet href=/assets/panel.css><link rel=stylesheet href=/assets/drawing.css><main>",
    );
    for (size, n) in
        [((1280.0, 800.0), 60), ((1024.0, 600.0), 1000), ((390.0, 844.0), 60), ((1920.0, 1080.0), 1000)]
    {
        for s in specimens::pictures(&voice, size, n).into_iter().skip(if size.0 == 1280.0 { 0 } else { 1 }) {
            html.push_str(&format!("<p>{} · {} · {}</p>{}", s.name, s.note, s.svg.len(), s.svg));
        }
    }
    for s in specimens::walls(&voice, 560.0)
        .into_iter()
        .chain(specimens::walls(&voice, 300.0))
        .chain(specimens::camera_grids(&voice, 900.0, 5))
        .chain(specimens::camera_grids(&voice, 320.0, 2))
    {
        html.push_str(&format!("<p>{} · {} · {}</p>{}", s.name, s.note, s.svg.len(), s.svg));
    }
    let mut all: Vec<Specimen> = specimens::sparklines(&voice);
    all.extend(specimens::mosaics(&voice));
    all.extend(specimens::strips(&voice, 860.0));
    all.extend(specimens::charts(&voice, 640.0));
    all.extend(specimens::strips(&voice, 320.0));
    all.extend(specimens::charts(&voice, 320.0));
    for s in all {
        html.push_str(&format!("<div class=card><p>{} · {}</p>{}</div>", s.name, s.note, s.svg));
    }
    Html(html).into_response()
}
