//! `/cameras`: every camera and recorder with its state, in the order of the site file, so that each stays in its place.

use super::rows::{Card, overdue_ms};
use super::sight::Sight;
use super::{Page, Part, Parts, Place, camera, link};
use crate::figure::Figure;
use crate::router::Panel;
use crate::site::{DeviceState, SiteDevice};
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use roundsman_core::device::Class;

/// Tiles of one page; above it the list of devices has the rest.
const MOST: usize = 128;

/// How many of a group are in a state.
struct Count {
    state: &'static str,
    word: String,
    number: usize,
}

/// One camera or recorder.
struct Tile {
    path: String,
    name: String,
    location: String,
    state: &'static str,
    word: String,
    /// What is wrong in a few words.
    trouble: Option<String>,
    /// What its stream or its recordings say.
    figure: Option<Figure>,
    age: Option<String>,
}

struct Group {
    title: String,
    total: usize,
    counts: Vec<Count>,
    tiles: Vec<Tile>,
    more: usize,
}

#[derive(Template)]
#[template(path = "page/cameras.html")]
struct Cameras<'a> {
    v: &'a Voice,
    groups: Vec<Group>,
}

fn tile(device: &SiteDevice, panel: &Panel, sight: &Sight, v: &Voice) -> Tile {
    let readings = panel.site.readings(&device.id).unwrap_or_default();
    let faults = sight.faults().iter().filter(|fault| fault.key.device == device.id);
    let worst = faults.min_by_key(|fault| DeviceState::of(fault.severity));
    Tile {
        path: link::encoded(&device.id),
        name: device.name.to_string(),
        location: device.location.to_string(),
        state: device.state.word(),
        word: v.text(&device.state.name()),
        trouble: worst.map(|fault| Card::of(fault, sight, v).summary),
        figure: camera::telling(&readings, v),
        age: overdue_ms(device, sight.now).map(|ms| v.n("time.ago", v.duration(ms))),
    }
}

fn group(class: Class, panel: &Panel, sight: &Sight, v: &Voice) -> Option<Group> {
    let members: Vec<&SiteDevice> = sight.devices().iter().filter(|device| device.class == class).collect();
    if members.is_empty() {
        return None;
    }
    let count = |state: &DeviceState| Count {
        state: state.word(),
        word: v.text(&state.name()),
        number: members.iter().filter(|device| device.state == *state).count(),
    };
    Some(Group {
        title: v.text(&class.name()),
        total: members.len(),
        counts: DeviceState::ALL.iter().map(count).filter(|count| count.number > 0).collect(),
        tiles: members.iter().take(MOST).map(|device| tile(device, panel, sight, v)).collect(),
        more: members.len().saturating_sub(MOST),
    })
}

fn parts(panel: &Panel, sight: &Sight, v: &Voice) -> Parts {
    let groups =
        [Class::Camera, Class::Recorder].into_iter().filter_map(|class| group(class, panel, sight, v));
    Ok(vec![Part::of("cameras", &Cameras { v, groups: groups.collect() })?])
}

/// `/cameras`
pub(crate) async fn cameras(State(panel): State<Panel>, viewer: Viewer) -> Response {
    let sight = Sight::of(&panel);
    let title = viewer.voice.t("cameras.title");
    let parts = parts(&panel, &sight, &viewer.voice);
    Page::new(Place::Devices, &title, "cameras").answer(&panel, &viewer, &sight, parts)
}
