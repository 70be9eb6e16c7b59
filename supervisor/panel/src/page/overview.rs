//! `/`: the four tiers, open faults worst first, environment, every class of device.

use super::rows::{Card, Count};
use super::sight::Sight;
use super::{Page, Part, Parts, Place, link, pictures, units};
use crate::figure::Figure;
use crate::router::Panel;
use crate::site::{DeviceState, SiteDevice, Trunk};
use crate::viewer::Viewer;
use crate::voice::Voice;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use roundsman_core::device::{Class, Network, Tier};
use std::collections::HashMap;
use std::sync::Arc;

/// Fault cards beside the tiers; all stand on their own page.
const MOST_CARDS: usize = 6;
/// Places of the environment strip.
const MOST_PLACES: usize = 12;
/// Tiles from which on a video wall stands among its class: every class, and a few walls.
const MOST_TILES: usize = 32;
/// Figures of such a place.
const MOST_FIGURES: usize = 4;
/// From so many counties on, what all their names have in common is left out.
const ENOUGH_TO_COMPARE: usize = 4;

#[derive(Template)]
#[template(path = "page/overview-summary.html")]
struct Summary<'a> {
    v: &'a Voice,
    /// Every state but ok that some device has, worst first.
    counts: Vec<Count>,
    ok: usize,
    devices: usize,
}

/// How a line to the upper tier stands, as a bar.
struct TrunkBar {
    class: &'static str,
    label: String,
    percent: u8,
    /// What it loses, in words, where that is a fault.
    lossy: Option<String>,
}

/// Several devices as one.
struct Tile {
    href: String,
    name: String,
    state: &'static str,
    word: String,
    count: String,
    mosaic: String,
    trunk: Option<TrunkBar>,
}

#[derive(Template)]
#[template(path = "page/overview-tiles.html")]
struct Tiles<'a> {
    v: &'a Voice,
    title: String,
    note: String,
    kind: &'static str,
    tiles: Vec<Tile>,
}

#[derive(Template)]
#[template(path = "page/overview-faults.html")]
struct FaultList<'a> {
    v: &'a Voice,
    cards: Vec<Card>,
    /// Open faults that are no consequence of another.
    total: usize,
    hidden: usize,
    devices: usize,
    pending: bool,
}

struct EnvironmentPlace {
    path: String,
    name: String,
    state: &'static str,
    word: String,
    figures: Vec<(String, Figure)>,
}

#[derive(Template)]
#[template(path = "page/overview-environment.html")]
struct Environment<'a> {
    v: &'a Voice,
    places: Vec<EnvironmentPlace>,
}

/// What a group of devices comes to: its worst state, and how many are well.
pub(super) fn standing(devices: &[&SiteDevice], v: &Voice) -> (DeviceState, String, String) {
    let worst = devices.iter().map(|d| d.state).min().unwrap_or(DeviceState::Ok);
    let ok = devices.iter().filter(|d| d.state == DeviceState::Ok).count();
    let hidden = devices.iter().filter(|d| d.state == DeviceState::Hidden).count();
    let bad = devices.iter().filter(|d| d.state < DeviceState::Hidden).count();
    let word = match (bad, hidden) {
        (0, 0) => v.text(&worst.name()),
        (bad, 0) => v.n("tile.faulty", bad),
        // What failed is told by the shape; how many it drags along is told here.
        (_, hidden) => v.n("tile.affected", hidden),
    };
    (worst, word, format!("{ok}/{}", devices.len()))
}

fn tile(name: String, href: String, devices: &[&SiteDevice], shown: &[&SiteDevice], v: &Voice) -> Tile {
    let (worst, word, count) = standing(devices, v);
    let states: Vec<DeviceState> = shown.iter().map(|d| d.state).collect();
    Tile { href, name, state: worst.word(), word, count, mosaic: pictures::mosaic(&states, v), trunk: None }
}

/// What the line to a device loses, in words, where that is a fault. Of one that is down, or that does not answer, it
/// is no longer said: its fault stands beside, as last known.
pub(super) fn lossy(device: &SiteDevice, sight: &Sight, v: &Voice) -> Option<String> {
    let loss = device.headlines.line_loss?;
    let is_down = device.headlines.trunk.is_some_and(|trunk| trunk.up == Some(false));
    (!is_down && sight.is_lossy(device)).then(|| v.n("trunk.lossy", format!("{loss:.0}%")))
}

impl Tile {
    /// The line to the group is that of this device. What it loses says more than how many are in trouble; that it is
    /// down says all.
    fn hang_on(&mut self, device: &SiteDevice, sight: &Sight, v: &Voice) {
        self.trunk = trunk_bar(device, sight, v);
        if let Some(lossy) = self.trunk.as_ref().and_then(|trunk| trunk.lossy.as_ref()) {
            self.word.clone_from(lossy);
        }
    }
}

fn trunk_bar(device: &SiteDevice, sight: &Sight, v: &Voice) -> Option<TrunkBar> {
    let Trunk { up, in_rate, out_rate, speed } = device.headlines.trunk?;
    let busiest = in_rate.unwrap_or(0.0).max(out_rate.unwrap_or(0.0));
    let percent =
        speed.filter(|s| *s > 0.0).map_or(0.0, |speed| (busiest / speed * 100.0).clamp(0.0, 100.0)) as u8;
    let lossy = lossy(device, sight, v).filter(|_| up == Some(true));
    let (class, label) = match (up, &lossy) {
        (Some(true), Some(lossy)) => ("is-lossy", format!("{} · {lossy}", v.n("trunk.up", percent))),
        (Some(true), None) => ("is-up", v.n("trunk.up", percent)),
        (Some(false), _) => ("is-down", v.t("trunk.down").into_owned()),
        (None, _) => ("is-unknown", v.t("trunk.unknown").into_owned()),
    };
    Some(TrunkBar { class, label, percent: if up == Some(true) { percent } else { 0 }, lossy })
}

/// Province, then the city's networks.
fn networks<'a>(sight: &Sight, v: &'a Voice) -> Tiles<'a> {
    let mut tiles = Vec::new();
    let province: Vec<&SiteDevice> = sight.devices().iter().filter(|d| d.tier == Tier::Province).collect();
    if !province.is_empty() {
        let name = v.t("tier.province").into_owned();
        let mut tile = tile(name, "/devices?tier=province".to_owned(), &province, &province, v);
        // The province's line ends in the city: its lower end has the figures, where the province itself has none.
        if let Some(router) = province.iter().find(|d| d.headlines.trunk.is_some()) {
            tile.hang_on(router, sight, v);
        }
        tiles.push(tile);
    }
    for network in Network::ALL {
        let members: Vec<&SiteDevice> =
            sight.devices().iter().filter(|d| d.tier == Tier::City && d.network == *network).collect();
        if members.is_empty() {
            continue;
        }
        let name = match network {
            Network::Business => v.t("tier.city-core").into_owned(),
            other => v.text(&other.name()),
        };
        let href = format!("/devices?tier=city&network={}", network.word());
        let mut tile = tile(name, href, &members, &members, v);
        let router = members.iter().find(|d| d.class == Class::Router && d.headlines.trunk.is_some());
        if let Some(router) = router {
            tile.hang_on(router, sight, v);
        }
        tiles.push(tile);
    }
    Tiles { v, title: v.t("overview.networks").into_owned(), note: String::new(), kind: "networks", tiles }
}

pub(super) struct County<'a> {
    pub(super) head: &'a SiteDevice,
    pub(super) members: Vec<&'a SiteDevice>,
}

impl<'a> County<'a> {
    /// All but the head, in the order of the site file.
    pub(super) fn stations(&self) -> impl Iterator<Item = &'a SiteDevice> {
        self.members.iter().copied().filter(|d| d.id != self.head.id)
    }
}

/// Counties in the order of the site file, with all that hangs on each; then what hangs on none.
pub(super) fn counties_of(sight: &Sight) -> (Vec<County<'_>>, Vec<&SiteDevice>) {
    let mut counties: Vec<County<'_>> = Vec::new();
    let mut at: HashMap<&Arc<str>, usize> = HashMap::new();
    let mut others = Vec::new();
    for device in sight.devices().iter().filter(|d| matches!(d.tier, Tier::County | Tier::Station)) {
        match sight.county_of(device) {
            Some(head) => {
                let at = *at.entry(&head.id).or_insert_with(|| {
                    counties.push(County { head, members: Vec::new() });
                    counties.len() - 1
                });
                counties[at].members.push(device);
            }
            None => others.push(device),
        }
    }
    (counties, others)
}

/// The names without what all of them begin or end with: 尧都区 for 尧都区局路由器.
pub(super) fn telling(names: &[&str]) -> Vec<String> {
    let all: Vec<Vec<char>> = names.iter().map(|name| name.chars().collect()).collect();
    let shortest = all.iter().map(Vec::len).min().unwrap_or(0);
    let same = |at: &dyn Fn(&Vec<char>) -> Option<char>| all.windows(2).all(|two| at(&two[0]) == at(&two[1]));
    let (mut before, mut behind) = (0, 0);
    if names.len() >= ENOUGH_TO_COMPARE {
        while before < shortest && same(&|name| name.get(before).copied()) {
            before += 1;
        }
        while before + behind < shortest && same(&|name| name.iter().rev().nth(behind).copied()) {
            behind += 1;
        }
        // Something of every name must be left.
        if shortest - before - behind < 2 {
            (before, behind) = (0, 0);
        }
    }
    let cut =
        |name: &Vec<char>| name[before..name.len() - behind].iter().collect::<String>().trim().to_owned();
    all.iter().map(cut).collect()
}

fn counties<'a>(sight: &Sight, v: &'a Voice) -> Tiles<'a> {
    let (counties, others) = counties_of(sight);
    let names: Vec<&str> = counties.iter().map(|county| &*county.head.name).collect();
    let mut tiles: Vec<Tile> = telling(&names)
        .into_iter()
        .zip(&counties)
        .map(|(name, county)| {
            let stations: Vec<&SiteDevice> = county.stations().collect();
            let href = link::query("/devices", &[("under", &*county.head.id)]);
            let mut tile = tile(name, href, &county.members, &stations, v);
            tile.hang_on(county.head, sight, v);
            tile
        })
        .collect();
    if !others.is_empty() {
        let name = v.t("tier.others").into_owned();
        tiles.push(tile(name, "/devices?tier=station".to_owned(), &others, &others, v));
    }
    let stations = sight.devices().iter().filter(|d| d.tier == Tier::Station).count();
    let note = if tiles.is_empty() {
        String::new()
    } else {
        format!(
            "{} · {}",
            v.n("overview.county-count", counties.len()),
            v.n("overview.station-count", stations)
        )
    };
    Tiles { v, title: v.t("overview.counties").into_owned(), note, kind: "counties", tiles }
}

/// A video wall as a tile, panel by panel; `None` for what is not one wall of several panels.
fn wall_tile(device: &SiteDevice, panel: &Panel, sight: &Sight, v: &Voice) -> Option<Tile> {
    let grid = panel.site.detail(&device.id)?.grid?;
    let readings = panel.site.readings(&device.id)?;
    let (mosaic, count) = units::in_small(device, grid, &readings, sight, v)?;
    let (worst, word, _) = standing(&[device], v);
    let href = format!("/devices/{}", link::encoded(&device.id));
    Some(Tile { href, name: device.name.to_string(), state: worst.word(), word, count, mosaic, trunk: None })
}

/// One tile a class: switches, servers, cameras. Of video walls each has one of its own.
fn classes<'a>(panel: &Panel, sight: &Sight, v: &'a Voice) -> Tiles<'a> {
    let mut tiles = Vec::new();
    for class in Class::ALL {
        let mut members: Vec<&SiteDevice> = sight.devices().iter().filter(|d| d.class == *class).collect();
        if *class == Class::VideoWall {
            members.retain(|device| {
                let drawn = tiles.len() < MOST_TILES;
                let wall = if drawn { wall_tile(device, panel, sight, v) } else { None };
                wall.map(|wall| tiles.push(wall)).is_none()
            });
        }
        if !members.is_empty() {
            let href = match class {
                Class::Camera | Class::Recorder => "/cameras".to_owned(),
                _ => format!("/devices?class={}", class.word()),
            };
            tiles.push(tile(v.text(&class.name()), href, &members, &members, v));
        }
    }
    Tiles { v, title: v.t("overview.classes").into_owned(), note: String::new(), kind: "classes", tiles }
}

fn faults<'a>(sight: &Sight, v: &'a Voice) -> FaultList<'a> {
    let own: Vec<_> = sight.faults().iter().filter(|fault| !fault.is_suppressed()).collect();
    FaultList {
        v,
        cards: own.iter().take(MOST_CARDS).map(|fault| Card::of(fault, sight, v)).collect(),
        total: own.len(),
        hidden: sight.faults().iter().filter(|fault| fault.hidden_by.is_some()).count(),
        devices: sight.devices().len(),
        pending: sight.devices().iter().any(|d| d.state == DeviceState::Pending),
    }
}

fn environment<'a>(panel: &Panel, sight: &Sight, v: &'a Voice) -> Environment<'a> {
    let wanted = |d: &&SiteDevice| matches!(d.class, Class::Environment | Class::Ups | Class::Power);
    let places = sight.devices().iter().filter(wanted).take(MOST_PLACES).map(|device| {
        let readings = panel.site.readings(&device.id).unwrap_or_default();
        EnvironmentPlace {
            path: link::encoded(&device.id),
            name: device.name.to_string(),
            state: device.state.word(),
            word: v.text(&device.state.name()),
            figures: super::readings::telling(&readings, MOST_FIGURES, v),
        }
    });
    Environment { v, places: places.collect() }
}

fn parts(panel: &Panel, sight: &Sight, v: &Voice) -> Parts {
    if sight.devices().is_empty() {
        return Ok(vec![Part::of("faults", &faults(sight, v))?]);
    }
    let summary =
        Summary { v, counts: Count::all(sight, v), ok: sight.well(), devices: sight.devices().len() };
    Ok(vec![
        Part::of("summary", &summary)?,
        Part::of("networks", &networks(sight, v))?,
        Part::of("faults", &faults(sight, v))?,
        Part::of("counties", &counties(sight, v))?,
        Part::of("environment", &environment(panel, sight, v))?,
        Part::of("classes", &classes(panel, sight, v))?,
    ])
}

/// `/`
pub(crate) async fn overview(State(panel): State<Panel>, viewer: Viewer) -> Response {
    let sight = Sight::of(&panel);
    let title = viewer.voice.t("place.overview");
    let layout = if sight.devices().is_empty() { "plain" } else { "overview" };
    let parts = parts(&panel, &sight, &viewer.voice);
    Page::new(Place::Overview, &title, layout).answer(&panel, &viewer, &sight, parts)
}

#[cfg(test)]
mod tests {
    use super::telling;

    #[test]
    fn names_lose_what_all_have_in_common() {
        let chinese = ["尧都区局路由器", "曲沃县局路由器", "古县局路由器", "侯马市局路由器"];
        assert_eq!(telling(&chinese), ["尧都区", "曲沃县", "古县", "侯马市"]);
        let english = ["Router Yaodu", "Router Quwo", "Router Guxian", "Router Houma"];
        assert_eq!(telling(&english), ["Yaodu", "Quwo", "Guxian", "Houma"]);
        let few = ["甲局", "乙局"];
        assert_eq!(telling(&few), few);
        assert_eq!(telling(&["同", "同", "同", "同"]), ["同", "同", "同", "同"]);
        assert!(telling(&[]).is_empty());
    }
}
