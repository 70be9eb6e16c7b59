//! The page: four tiers, every device, open faults worst first. Rendered here, swapped part by part in the browser.

use crate::problem::Kind;
use crate::router::{Door, Panel};
use crate::site::{DeviceState, SiteDevice};
use crate::voice::Voice;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Response};
use roundsman_core::device::{Network, Tier};
use roundsman_core::fault::Fault;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

/// Fault cards on the page; the others are counted and stand in the API.
const MOST_CARDS: usize = 50;
/// Steps up the uplinks when a county is looked for: more is a circle.
const MOST_STEPS: usize = 16;

const STYLE: &str = include_str!("../assets/panel.css");
const SCRIPT: &str = include_str!("../assets/panel.js");
const ICON: &str = include_str!("../assets/icon.svg");

/// A device on the page.
#[derive(Clone)]
struct Tile {
    id: Arc<str>,
    name: Arc<str>,
    /// Network and place, else the class.
    about: String,
    state: &'static str,
    word: String,
}

/// A county with what hangs on it.
struct County {
    heads: Vec<Tile>,
    stations: Vec<Tile>,
}

struct Card {
    id: u64,
    number: String,
    state: &'static str,
    word: String,
    device: String,
    summary: String,
    advice: String,
    since: String,
    since_ms: i64,
    acknowledged: Option<String>,
    stale: bool,
}

struct Count {
    state: &'static str,
    word: String,
    number: usize,
}

#[derive(Template)]
#[template(path = "summary.html")]
struct Summary<'a> {
    voice: &'a Voice,
    /// Counts of every state but ok that some device has, worst first.
    counts: Vec<Count>,
    ok: usize,
    devices: usize,
}

#[derive(Template)]
#[template(path = "faults.html")]
struct FaultList<'a> {
    voice: &'a Voice,
    cards: Vec<Card>,
    /// Faults that are not shown.
    more: usize,
    devices: usize,
    pending: bool,
}

#[derive(Template)]
#[template(path = "strip.html")]
struct Strip<'a> {
    voice: &'a Voice,
    title: &'a str,
    tiles: Vec<Tile>,
}

#[derive(Template)]
#[template(path = "counties.html")]
struct Counties<'a> {
    voice: &'a Voice,
    counties: Vec<County>,
    others: Vec<Tile>,
    stations: usize,
}

/// One part of the page that is swapped when its hash changes.
struct Part {
    id: &'static str,
    hash: String,
    html: String,
}

impl Part {
    fn of(id: &'static str, template: &impl Template) -> Result<Part, askama::Error> {
        let html = template.render()?;
        let mut hasher = DefaultHasher::new();
        html.hash(&mut hasher);
        Ok(Part { id, hash: format!("{:016x}", hasher.finish()), html })
    }
}

#[derive(Template)]
#[template(path = "fragment.html")]
struct Fragment {
    summary: Part,
    faults: Part,
    tiers: Vec<Part>,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    voice: &'a Voice,
    site: &'a str,
    version: &'a str,
    now: String,
    needs_token: bool,
    fragment: String,
}

fn tile(device: &SiteDevice, voice: &Voice) -> Tile {
    let mut about = Vec::new();
    if device.network != Network::Business {
        about.push(voice.text(&device.network.name()));
    }
    if !device.location.is_empty() {
        about.push(device.location.to_string());
    }
    if about.is_empty() {
        about.push(voice.text(&device.class.name()));
    }
    let about = about.join(" · ");
    Tile {
        id: device.id.clone(),
        name: device.name.clone(),
        about,
        state: device.state.word(),
        word: voice.text(&device.state.name()),
    }
}

fn card(fault: &Fault, names: &HashMap<&str, &SiteDevice>, voice: &Voice) -> Card {
    let state = DeviceState::of(fault.severity);
    let device = names.get(&*fault.key.device).map_or(&fault.key.device, |d| &d.name);
    Card {
        id: fault.id.0,
        number: fault.number.to_string(),
        state: state.word(),
        word: voice.text(&fault.severity.name()),
        device: device.to_string(),
        summary: voice.text(&fault.summary),
        advice: voice.text(&fault.advice),
        since: voice.short(fault.first_bad),
        since_ms: fault.first_bad.0,
        acknowledged: fault.acknowledged.as_ref().map(|a| voice.clock(a.at)),
        stale: fault.stale,
    }
}

/// The county device that this device hangs on (itself, if nothing of its county is above it).
fn county_of<'a>(device: &'a SiteDevice, by_id: &HashMap<&str, &'a SiteDevice>) -> Option<&'a str> {
    let mut county = None;
    let mut at = Some(device);
    for _ in 0..MOST_STEPS {
        let Some(here) = at else { break };
        if here.tier == Tier::County {
            county = Some(&*here.id);
        }
        at = here.uplinks.first().and_then(|(id, _)| by_id.get(&**id).copied());
    }
    county
}

fn counties<'a>(
    devices: &[SiteDevice],
    by_id: &HashMap<&str, &SiteDevice>,
    voice: &'a Voice,
) -> Counties<'a> {
    let mut order: Vec<&str> = Vec::new();
    let mut found: HashMap<&str, County> = HashMap::new();
    let mut others = Vec::new();
    let mut stations = 0;
    for device in devices.iter().filter(|d| matches!(d.tier, Tier::County | Tier::Station)) {
        stations += usize::from(device.tier == Tier::Station);
        let Some(key) = county_of(device, by_id) else {
            others.push(tile(device, voice));
            continue;
        };
        let county = found.entry(key).or_insert_with(|| {
            order.push(key);
            County { heads: Vec::new(), stations: Vec::new() }
        });
        match device.tier {
            Tier::Station => county.stations.push(tile(device, voice)),
            _ => county.heads.push(tile(device, voice)),
        }
    }
    let counties = order.iter().filter_map(|key| found.remove(key)).collect();
    Counties { voice, counties, others, stations }
}

fn render(panel: &Panel, voice: &Voice) -> Result<String, askama::Error> {
    let devices = panel.site.devices();
    let by_id: HashMap<&str, &SiteDevice> = devices.iter().map(|d| (&*d.id, d)).collect();
    let count = |state: DeviceState| devices.iter().filter(|d| d.state == state).count();
    let counts = DeviceState::ALL.iter().filter(|s| **s != DeviceState::Ok).map(|s| Count {
        state: s.word(),
        word: voice.text(&s.name()),
        number: count(*s),
    });
    let summary = Summary {
        voice,
        counts: counts.filter(|c| c.number > 0).collect(),
        ok: count(DeviceState::Ok),
        devices: devices.len(),
    };
    let mut faults = panel.site.open_faults();
    // Worst first; inside a severity what nobody has taken on yet, then the newest.
    faults.sort_by_key(|f| (f.severity, f.acknowledged.is_some(), std::cmp::Reverse(f.first_bad), f.id));
    let list = FaultList {
        voice,
        cards: faults.iter().take(MOST_CARDS).map(|f| card(f, &by_id, voice)).collect(),
        more: faults.len().saturating_sub(MOST_CARDS),
        devices: devices.len(),
        pending: count(DeviceState::Pending) > 0,
    };
    let strip = |tier: Tier, title| Strip {
        voice,
        title,
        tiles: devices.iter().filter(|d| d.tier == tier).map(|d| tile(d, voice)).collect(),
    };
    let mut tiers = Vec::new();
    if !devices.is_empty() {
        tiers.push(Part::of("tier-province", &strip(Tier::Province, voice.say("省局", "Province")))?);
        tiers.push(Part::of("tier-city", &strip(Tier::City, voice.say("市局", "City")))?);
        tiers.push(Part::of("tier-county", &counties(&devices, &by_id, voice))?);
    }
    let fragment =
        Fragment { summary: Part::of("summary", &summary)?, faults: Part::of("faults", &list)?, tiers };
    fragment.render()
}

fn page(rendered: Result<String, askama::Error>) -> Response {
    match rendered {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            tracing::error!(%error, "the page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// `/`
pub(crate) async fn overview(State(panel): State<Panel>, voice: Voice) -> Response {
    let about = panel.site.about();
    let rendered = render(&panel, &voice).and_then(|fragment| {
        Page {
            voice: &voice,
            site: &about.name,
            version: &about.version,
            now: voice.clock(panel.site.now()),
            needs_token: matches!(panel.door, Door::Panel { .. }),
            fragment,
        }
        .render()
    });
    page(rendered)
}

/// `/fragment/overview`: the same without what does not change.
pub(crate) async fn fragment(State(panel): State<Panel>, voice: Voice) -> Response {
    page(render(&panel, &voice))
}

/// `/assets/{name}`
pub(crate) async fn asset(State(_): State<Panel>, voice: Voice, Path(name): Path<String>) -> Response {
    let (media, text) = match name.as_str() {
        "panel.css" => ("text/css; charset=utf-8", STYLE),
        "drawing.css" => ("text/css; charset=utf-8", crate::drawing::STYLE),
        "panel.js" => ("text/javascript; charset=utf-8", SCRIPT),
        "icon.svg" => ("image/svg+xml", ICON),
        _ => return Kind::NoSuchPath.answer(&voice),
    };
    // Asked for with ?v=version, so a new release has a new address.
    ([(CONTENT_TYPE, media), (axum::http::header::CACHE_CONTROL, "public, max-age=3600")], text)
        .into_response()
}
