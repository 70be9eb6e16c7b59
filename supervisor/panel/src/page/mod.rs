//! Pages: rendered here, swapped part by part in the browser.
//!
//! Every page is a frame around parts. The browser asks for the page's own address again with the hashes of the parts
//! it has, and gets those that differ. One file a page; what several of them show stands in [`sight`] and [`rows`].

pub(crate) mod about;
mod around;
mod assets;
mod camera;
pub(crate) mod cameras;
pub(crate) mod commands;
pub(crate) mod device;
pub(crate) mod devices;
pub(crate) mod fault;
pub(crate) mod faults;
pub(crate) mod history;
mod interfaces;
mod link;
mod notice;
pub(crate) mod overview;
mod pictures;
mod polling;
mod readings;
pub(crate) mod record;
pub(crate) mod report;
mod rows;
mod service;
mod sight;
#[cfg(any(test, feature = "styleguide"))]
pub(crate) mod styleguide;
mod units;
pub(crate) mod wall;

pub(crate) use assets::{asset, style};

use crate::problem::Kind;
use crate::router::{Door, Panel};
use crate::site::DeviceState;
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::State;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use sight::Sight;
use std::hash::{DefaultHasher, Hash, Hasher};

/// One part of a page, swapped when its hash changes.
pub(crate) struct Part {
    id: &'static str,
    html: String,
    hash: u64,
}

impl Part {
    fn of(id: &'static str, template: &impl Template) -> Result<Part, askama::Error> {
        let html = template.render()?;
        let mut hasher = DefaultHasher::new();
        (id, &html).hash(&mut hasher);
        Ok(Part { id, html, hash: hasher.finish() })
    }

    fn stamp(&self) -> String {
        format!("{:016x}", self.hash)
    }

    fn section(&self) -> String {
        format!("<section id=\"{0}\" data-hash=\"{1}\">{2}</section>", self.id, self.stamp(), self.html)
    }
}

/// The parts of a page, or why they could not be rendered.
type Parts = Result<Vec<Part>, askama::Error>;

/// The places of the rail, in its order. That of rounds comes with its pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Overview,
    Devices,
    Faults,
    Records,
    Reports,
    About,
}

impl Place {
    const ALL: [Place; 6] =
        [Place::Overview, Place::Devices, Place::Faults, Place::Records, Place::Reports, Place::About];

    fn key(self) -> &'static str {
        match self {
            Place::Overview => "place.overview",
            Place::Devices => "place.devices",
            Place::Faults => "place.faults",
            Place::Records => "place.records",
            Place::Reports => "place.reports",
            Place::About => "place.about",
        }
    }

    fn href(self) -> &'static str {
        match self {
            Place::Overview => "/",
            Place::Devices => "/devices",
            Place::Faults => "/faults",
            Place::Records => "/records",
            Place::Reports => "/reports",
            Place::About => "/about",
        }
    }

    /// Its sign in a square of 24.
    fn glyph(self) -> &'static str {
        match self {
            Place::Overview => "M3 3h8v8H3zM13 3h8v5h-8zM13 10h8v11h-8zM3 13h8v8H3z",
            Place::Devices => {
                "M3 4h18v6H3zM3 14h18v6H3zM6 6.2v1.6h1.6V6.2zM6 16.2v1.6h1.6v-1.6zM10 6.4v1.2h8V6.4zM10 16.4v1.2h8v-1.2z"
            }
            Place::Faults => "M12 2 23 21H1zM11 9v6h2V9zM11 16.5v2h2v-2z",
            Place::Records => "M5 3h4V1h6v2h4v20H5zM8 8v1.8h8V8zM8 12v1.8h8V12zM8 16v1.8h5V16z",
            Place::Reports => "M3 2h13l5 5v15H3zM7 12v6h2v-6zM11 9v9h2V9zM15 14v4h2v-4z",
            Place::About => "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zM11 10v7h2v-7zM11 6.5v2h2v-2z",
        }
    }
}

struct Entry {
    key: &'static str,
    href: &'static str,
    glyph: &'static str,
    here: bool,
    /// Number of open faults that are no consequence of another.
    badge: usize,
    worst: &'static str,
}

#[derive(Template)]
#[template(path = "page/places.html")]
struct Places<'a> {
    v: &'a Voice,
    places: Vec<Entry>,
}

impl<'a> Places<'a> {
    fn of(here: Option<Place>, sight: &Sight, v: &'a Voice) -> Places<'a> {
        let own = || sight.faults().iter().filter(|fault| !fault.is_suppressed());
        let worst = own().map(|f| DeviceState::of(f.severity)).min().unwrap_or(DeviceState::Ok);
        let badge = |place| if place == Place::Faults { own().count() } else { 0 };
        let entry = |place: Place| Entry {
            key: place.key(),
            href: place.href(),
            glyph: place.glyph(),
            here: here == Some(place),
            badge: badge(place),
            worst: worst.word(),
        };
        Places { v, places: Place::ALL.into_iter().map(entry).collect() }
    }
}

#[derive(Template)]
#[template(path = "frame.html")]
struct Frame<'a> {
    v: &'a Voice,
    viewer: &'a Viewer,
    title: &'a str,
    site: &'a str,
    /// Changes with every release: assets are cached under it.
    stamp: &'a str,
    now: String,
    needs_token: bool,
    /// Name of the arrangement in the style sheet.
    layout: &'static str,
    parts: &'a [Part],
}

/// What is around the parts of one page.
struct Page<'a> {
    place: Option<Place>,
    title: &'a str,
    layout: &'static str,
    status: StatusCode,
}

impl<'a> Page<'a> {
    fn new(place: Place, title: &'a str, layout: &'static str) -> Page<'a> {
        Page { place: Some(place), title, layout, status: StatusCode::OK }
    }

    /// The whole page, or the parts that the browser does not have yet.
    fn answer(&self, panel: &Panel, viewer: &Viewer, sight: &Sight, parts: Parts) -> Response {
        let mut ids = String::new();
        let rendered = parts.and_then(|mut parts| {
            parts.push(notice::notice(panel, &viewer.voice)?);
            if self.layout != "wall" {
                parts.push(Part::of("places", &Places::of(self.place, sight, &viewer.voice))?);
            }
            ids = parts.iter().map(|part| part.id).collect::<Vec<_>>().join(",");
            match &viewer.held {
                Some(held) => {
                    Ok(parts.iter().filter(|p| !held.contains(&p.hash)).map(Part::section).collect())
                }
                None => self.framed(panel, viewer, &parts),
            }
        });
        match rendered {
            Ok(html) => {
                let mut response = (self.status, Html(html)).into_response();
                if viewer.held.is_some() {
                    let headers = response.headers_mut();
                    headers.insert("x-stamp", HeaderValue::from_static(assets::stamp()));
                    headers.extend(
                        HeaderValue::from_str(&ids).map(|ids| (HeaderName::from_static("x-parts"), ids)),
                    );
                }
                if let Some(cookie) = viewer.cookie.as_deref().and_then(|c| HeaderValue::from_str(c).ok()) {
                    response.headers_mut().insert(header::SET_COOKIE, cookie);
                }
                response
            }
            Err(error) => {
                tracing::error!(%error, "the page could not be rendered");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }

    fn framed(&self, panel: &Panel, viewer: &Viewer, parts: &[Part]) -> Result<String, askama::Error> {
        let about = panel.site.about();
        Frame {
            v: &viewer.voice,
            viewer,
            title: self.title,
            site: &about.name,
            stamp: assets::stamp(),
            now: viewer.voice.clock(panel.site.now()),
            needs_token: matches!(panel.door, Door::Panel { .. }),
            layout: self.layout,
            parts,
        }
        .render()
    }
}

#[derive(Template)]
#[template(path = "page/problem.html")]
struct ProblemPart<'a> {
    v: &'a Voice,
    title: String,
    detail: String,
}

/// A refusal as a page: what, and what to do next.
fn problem(panel: &Panel, viewer: &Viewer, kind: Kind) -> Response {
    let body = kind.body(&viewer.voice);
    let part = ProblemPart { v: &viewer.voice, title: body.title.clone(), detail: body.detail };
    let status = StatusCode::from_u16(body.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let page = Page { place: None, title: &body.title, layout: "problem", status };
    let sight = Sight::of(panel);
    page.answer(panel, viewer, &sight, Part::of("problem", &part).map(|part| vec![part]))
}

/// A path that is no page, asked for by a browser.
pub(crate) async fn unknown(State(panel): State<Panel>, viewer: Viewer) -> Response {
    problem(&panel, &viewer, Kind::NoSuchPath)
}
