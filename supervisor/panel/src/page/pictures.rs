//! What the pages draw: the site's values handed to [`crate::drawing`].

use super::interfaces::Interface;
use super::overview;
use super::sight::Sight;
use crate::drawing::{
    InterfaceStrip, LineState, Mosaic, Node, Port, PortState, TierLine, Tiers, interface_strip,
    mosaic as draw_mosaic, tiers as draw_tiers,
};
use crate::figure::number;
use crate::site::{DeviceState, SiteDevice, Trunk};
use crate::voice::Voice;
use roundsman_core::device::{Class, Network, Tier};

/// Side of a device's place in a mosaic, CSS pixels, and how many stand in a row.
const CELL: f64 = 16.0;
const COLUMNS: usize = 6;
/// Many devices are drawn smaller.
const MANY: usize = 24;
const SMALL_CELL: f64 = 10.0;
const SMALL_COLUMNS: usize = 10;
/// Size for which the picture of the tiers is drawn; the page scales it to what it has, text and all.
const LYING: (f64, f64) = (1_024.0, 380.0);
const STANDING: (f64, f64) = (340.0, 560.0);

/// Some devices as small shapes; nothing for none.
pub(super) fn mosaic(states: &[DeviceState], v: &Voice) -> String {
    if states.is_empty() {
        return String::new();
    }
    let ok = states.iter().filter(|state| **state == DeviceState::Ok).count();
    let label = v.n("tile.well", format!("{ok}/{}", states.len()));
    let (columns, cell) = if states.len() > MANY { (SMALL_COLUMNS, SMALL_CELL) } else { (COLUMNS, CELL) };
    draw_mosaic(&Mosaic { label: &label, stations: states, columns: columns.min(states.len()), cell })
}

/// The ports of a device as on its faceplate.
pub(super) fn interfaces(interfaces: &[Interface<'_>], v: &Voice) -> String {
    let titles: Vec<String> = interfaces
        .iter()
        .map(|i| {
            let word = i.oper.map_or_else(|| v.word("unknown"), |oper| v.word(oper));
            let used = i.used().map(|x| number(x, "%").line()).unwrap_or_default();
            format!("{} {word} {used}", i.name).trim_end().to_owned()
        })
        .collect();
    let ports: Vec<Port<'_>> = interfaces
        .iter()
        .zip(&titles)
        .map(|(i, title)| Port {
            name: i.name,
            title,
            state: match (i.admin, i.oper) {
                (Some("down"), _) => PortState::Off,
                (_, Some("up")) => PortState::Up,
                (_, Some("unknown") | None) => PortState::Unknown,
                (_, Some(_)) => PortState::Down,
            },
            uplink: i.tag == "uplink",
            load: i.used().map(|x| x / 100.0),
        })
        .collect();
    interface_strip(&InterfaceStrip { label: &v.t("device.interfaces"), ports: &ports, width: 760.0 })
}

/// The line of a device towards the core, as its lower end sees it.
fn line_of(device: Option<&SiteDevice>, is_lossy: bool) -> TierLine {
    let trunk = device.and_then(|d| d.headlines.trunk);
    let state = match trunk.and_then(|t| t.up) {
        Some(true) => LineState::Up,
        Some(false) => LineState::Down,
        // A device that answers has a line, whether it tells of it or not.
        None if device.is_some_and(|d| d.state != DeviceState::Pending && d.last_poll.is_some()) => {
            match device.is_some_and(|d| d.state == DeviceState::Hidden || d.state == DeviceState::Critical) {
                true => LineState::Unknown,
                false => LineState::Up,
            }
        }
        None => LineState::Unknown,
    };
    let state = if state == LineState::Up && is_lossy { LineState::Lossy } else { state };
    let busiest = |t: Trunk| t.in_rate.into_iter().chain(t.out_rate).reduce(f64::max);
    let load = trunk.and_then(|t| Some(busiest(t)? / t.speed.filter(|speed| *speed > 0.0)?));
    TierLine { state, load: load.map(|load| load.clamp(0.0, 1.0)) }
}

/// What the picture needs of one node, owned.
struct Place {
    name: String,
    state: DeviceState,
    note: String,
    children: Vec<DeviceState>,
    collapsed: Option<String>,
    line: TierLine,
}

impl Place {
    fn of(
        name: String,
        head: Option<&SiteDevice>,
        members: &[&SiteDevice],
        sight: &Sight,
        v: &Voice,
    ) -> Place {
        let head = head.or_else(|| members.first().copied());
        let lossy = head.and_then(|head| overview::lossy(head, sight, v));
        let state = head.map_or(DeviceState::Pending, |d| d.state);
        let children: Vec<&SiteDevice> =
            members.iter().copied().filter(|d| head.is_none_or(|head| d.id != head.id)).collect();
        let hidden = children.iter().filter(|d| d.state == DeviceState::Hidden).count();
        let bad = members.iter().filter(|d| d.state < DeviceState::Hidden).count();
        Place {
            name,
            state,
            line: line_of(head, lossy.is_some()),
            note: lossy.unwrap_or_else(|| if bad > 0 { v.n("tile.faulty", bad) } else { String::new() }),
            collapsed: (hidden > 0 && hidden == children.len()).then(|| v.n("tile.affected", hidden)),
            children: children.iter().map(|d| d.state).collect(),
        }
    }

    /// Whether the site has nothing there.
    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.state == DeviceState::Pending
    }

    fn node(&self) -> Node<'_> {
        Node {
            name: &self.name,
            state: self.state,
            note: &self.note,
            children: &self.children,
            collapsed: self.collapsed.as_deref(),
            line: self.line,
        }
    }
}

/// The four tiers as one picture, for a screen that lies and for one that stands; the page shows the one that fits.
pub(super) fn tiers(sight: &Sight, v: &Voice) -> [String; 2] {
    let of_tier = |tier| sight.devices().iter().filter(move |d| d.tier == tier);
    let router = |members: &[&'_ SiteDevice]| -> Option<usize> {
        let is_router = |d: &&SiteDevice| d.class == Class::Router;
        members
            .iter()
            .position(|d| is_router(d) && d.headlines.trunk.is_some())
            .or(members.iter().position(is_router))
    };
    let province: Vec<&SiteDevice> = of_tier(Tier::Province).collect();
    let province = (!province.is_empty())
        .then(|| Place::of(v.t("tier.province").into_owned(), None, &province, sight, v));
    let networks: Vec<Place> = Network::ALL
        .iter()
        .map(|network| {
            let members: Vec<&SiteDevice> = of_tier(Tier::City).filter(|d| d.network == *network).collect();
            let name = match network {
                Network::Business => v.t("tier.city-core").into_owned(),
                other => v.text(&other.name()),
            };
            Place::of(name, router(&members).map(|at| members[at]), &members, sight, v)
        })
        .collect();
    let (counties, _) = overview::counties_of(sight);
    let names: Vec<&str> = counties.iter().map(|county| &*county.head.name).collect();
    let counties: Vec<Place> = overview::telling(&names)
        .into_iter()
        .zip(&counties)
        .map(|(name, county)| Place::of(name, Some(county.head), &county.members, sight, v))
        .collect();
    let Some((core, others)) = networks.split_first() else {
        return Default::default();
    };
    let others: Vec<Node<'_>> = others.iter().filter(|p| !p.is_empty()).map(Place::node).collect();
    let counties: Vec<Node<'_>> = counties.iter().map(Place::node).collect();
    let label = v.t("wall.title");
    let picture = Tiers {
        label: &label,
        province: province.as_ref().map(Place::node),
        core: core.node(),
        networks: &others,
        counties: &counties,
        width: LYING.0,
        height: LYING.1,
    };
    [draw_tiers(&picture), draw_tiers(&Tiers { width: STANDING.0, height: STANDING.1, ..picture })]
}
