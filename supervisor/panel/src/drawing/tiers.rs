//! The whole network of four tiers as one picture for a wall: what is above the city, its core and its networks,
//! then the counties, each with its stations and the line it hangs on.

mod layout;

use super::mosaic::{place, size};
use super::shape::{self, Shapes};
use super::text::{fit, width as text_width};
use super::write::{Path, Svg, within};
use crate::site::DeviceState;
use layout::{Layout, Tile};

/// Networks and counties drawn; the largest city of the province has 17 counties. The rest is counted.
const MOST_NETWORKS: usize = 6;
pub(super) const MOST_COUNTIES: usize = 64;
/// Stations drawn in the whole picture; at some 12 octets each.
const MOST_STATIONS: usize = 6_000;

/// How a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineState {
    /// Up.
    Up,
    /// Up, and loses packets.
    Lossy,
    /// Down.
    Down,
    /// Nobody knows.
    Unknown,
}

/// The line from a node towards the core.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TierLine {
    /// How it stands.
    pub state: LineState,
    /// How much of its speed is used, 0 to 1, the busier direction.
    pub load: Option<f64>,
}

/// The province, the core, a network or a county with what hangs on it.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Its name.
    pub name: &'a str,
    /// How its own device stands.
    pub state: DeviceState,
    /// What is to be said of it, such as `故障 2`; empty when well.
    pub note: &'a str,
    /// What hangs on it, in the order of the site file, never by state.
    pub children: &'a [DeviceState],
    /// In place of the children where they are all behind a failed device, such as `受影响 12`.
    pub collapsed: Option<&'a str>,
    /// Its line towards the core; of the core itself it is not drawn.
    pub line: TierLine,
}

/// What the picture shows.
#[derive(Clone, Copy, Debug)]
pub struct Tiers<'a> {
    /// What it shows, in words.
    pub label: &'a str,
    /// What is above the city, if anything.
    pub province: Option<Node<'a>>,
    /// The city's core.
    pub core: Node<'a>,
    /// The city's own networks; the first 6 are drawn.
    pub networks: &'a [Node<'a>],
    /// The counties in the order of the site file; the first 64 are drawn, the rest is counted as `+n`.
    pub counties: &'a [Node<'a>],
    /// Width in CSS pixels, 320 to 7,680.
    pub width: f64,
    /// Height in CSS pixels, 320 to 4,320.
    pub height: f64,
}

/// A strip of province, core and networks, below it the counties in a grid found by arithmetic (17 are 6×3 on a
/// screen, 3×6 on a phone). Lines hang on one bus from the core: a drawn one is up and the thicker the busier, one with
/// a gap loses packets, a struck one is down, a dashed one is unknown.
#[must_use]
pub fn tiers(t: &Tiers<'_>) -> String {
    let (width, height) = (within(t.width, 320.0, 7_680.0), within(t.height, 320.0, 4_320.0));
    let networks = &t.networks[..t.networks.len().min(MOST_NETWORKS)];
    let counties = &t.counties[..t.counties.len().min(MOST_COUNTIES)];
    let more = t.counties.len() - counties.len();
    let heads = usize::from(t.province.is_some()) + 1;
    let layout = Layout::of(width, height, heads, networks.len(), counties.len());
    let mut svg = Svg::new("tiers", width, height, t.label);
    lines(&mut svg, t, &layout, networks, counties);
    let nodes: Vec<&Node<'_>> = t.province.iter().chain([&t.core]).chain(networks).chain(counties).collect();
    let (mut upper, mut lower) = (Vec::new(), Vec::new());
    let first_county = heads + networks.len();
    for (i, (node, mut tile)) in nodes.iter().zip(layout.tiles()).enumerate() {
        tile.note_below = !node.note.is_empty() && !beside(node, &layout, &tile);
        let drawn = Drawn { node, children: shown(node, nodes.len()), tile };
        if i < first_county { upper.push(drawn) } else { lower.push(drawn) }
    }
    for part in [upper, lower] {
        let cell = layout.cell(part.iter().map(|d| (d.children.len(), d.tile)));
        let mut shapes = Shapes::new(size(cell));
        for drawn in &part {
            draw(&mut svg, &mut shapes, drawn, &layout, cell);
        }
        shapes.draw(&mut svg);
    }
    if more > 0 {
        svg.text("t-more", width - layout.pad, height - 4.0, &format!("+{more}"));
    }
    svg.finish()
}

/// A node, what of it is drawn, and where.
struct Drawn<'a> {
    node: &'a Node<'a>,
    children: &'a [DeviceState],
    tile: Tile,
}

/// The children that are drawn: none behind a failed parent, never more than a fair share of the picture.
fn shown<'a>(node: &Node<'a>, nodes: usize) -> &'a [DeviceState] {
    let most = MOST_STATIONS / nodes.max(1);
    if node.collapsed.is_some() { &[] } else { &node.children[..node.children.len().min(most)] }
}

/// Whether name and note fit beside each other.
fn beside(node: &Node<'_>, layout: &Layout, tile: &Tile) -> bool {
    let words = text_width(node.name, layout.font) + text_width(node.note, layout.font);
    words + layout.font * 2.2 <= tile.width - 2.0 * layout.inset
}

fn draw(svg: &mut Svg, shapes: &mut Shapes, drawn: &Drawn<'_>, layout: &Layout, cell: f64) {
    let Drawn { node, children, tile } = drawn;
    svg.tag("rect")
        .word("class", &format!("t-tile {}", shape::edge(node.state)))
        .number("x", tile.x)
        .number("y", tile.y)
        .number("width", tile.width)
        .number("height", tile.height)
        .number("rx", 6.0)
        .close();
    let bare = node.children.is_empty() && node.collapsed.is_none() && !tile.note_below;
    heading(svg, node, layout, tile, bare);
    if bare {
        return;
    }
    let (font, field) = (layout.font, layout.field(tile));
    if let Some(words) = node.collapsed {
        let mut hatch = Path::default();
        hatch.hatch(field.x, field.y, field.width, field.height, 10.0);
        svg.path("d-gap", &hatch);
        let (x, y) = (field.x + field.width / 2.0, field.y + field.height / 2.0 + font * 0.35);
        sized(svg, "t-collapsed", (x, y), font, &fit(words, field.width, font));
        return;
    }
    let columns = ((field.width / cell) as usize).max(1);
    let fitting = columns * ((field.height / cell) as usize);
    let here = &children[..children.len().min(fitting)];
    place(shapes, here, columns, cell, (field.x, field.y));
    let left_out = node.children.len() - here.len();
    if left_out > 0 {
        let corner = (field.x + field.width, field.y + field.height);
        sized(svg, "t-more", corner, font, &format!("+{left_out}"));
    }
}

/// Shape, name and note; in the middle where nothing stands below.
fn heading(svg: &mut Svg, node: &Node<'_>, layout: &Layout, tile: &Tile, bare: bool) {
    let (font, inset) = (layout.font, layout.inset);
    let x = tile.x + inset;
    let top = if bare { tile.y + (tile.height - font) / 2.0 } else { tile.y + inset };
    let room = tile.width - 2.0 * inset;
    shape::draw(svg, node.state, x + font * 0.5, top + font * 0.5, font);
    let beside = !node.note.is_empty() && !tile.note_below;
    let noted = if beside { text_width(node.note, font) + font * 0.5 } else { 0.0 };
    sized(
        svg,
        "t-name",
        (x + font * 1.4, top + font * 0.88),
        font,
        &fit(node.name, room - font * 1.4 - noted, font),
    );
    if beside {
        sized(svg, "t-note", (x + room, top + font * 0.88), font, node.note);
    } else if tile.note_below {
        let y = tile.y + tile.height - inset * 0.8;
        sized(svg, "t-note", (x + room, y), font, &fit(node.note, room, font));
    }
}

fn sized(svg: &mut Svg, class: &str, (x, y): (f64, f64), size: f64, text: &str) {
    svg.tag("text").word("class", class).number("x", x).number("y", y).number("font-size", size).body(text);
}

/// The bus from the core and the lines that hang on it.
fn lines(svg: &mut Svg, t: &Tiers<'_>, layout: &Layout, networks: &[Node<'_>], counties: &[Node<'_>]) {
    if let (Some(province), Some(link)) = (&t.province, layout.province_link()) {
        draw_line(svg, &province.line, link, layout.thick);
    }
    for (node, drop) in
        networks.iter().zip(layout.network_drops()).chain(counties.iter().zip(layout.county_drops()))
    {
        draw_line(svg, &node.line, drop, layout.thick);
    }
    // The bus is drawn over the ends of the lines: what meets on both its sides does not run through.
    let mut bus = Path::default();
    for (from, to) in layout.bus() {
        bus.at(from.0, from.1).to(to.0, to.1);
    }
    bus.put(svg.tag("path").word("class", "t-bus").number("stroke-width", layout.thick * 1.5));
}

/// A broken line: two halves that do not meet, each ending in a bar across.
fn lossy(path: &mut Path, (from, to): layout::Link, thick: f64) {
    let (x, y) = (to.0 - from.0, to.1 - from.1);
    let length = x.hypot(y).max(1.0);
    let gap = (thick * 3.0 / length).min(0.4);
    let across = (-y / length * thick * 3.0, x / length * thick * 3.0);
    let along = |share: f64| (from.0 + x * share, from.1 + y * share);
    for (end, share) in [(from, 0.5 - gap / 2.0), (to, 0.5 + gap / 2.0)] {
        let at = along(share);
        path.at(end.0, end.1).to(at.0, at.1);
        path.at(at.0 - across.0, at.1 - across.1).to(at.0 + across.0, at.1 + across.1);
    }
}

fn draw_line(svg: &mut Svg, line: &TierLine, (from, to): layout::Link, thick: f64) {
    let class = match line.state {
        LineState::Up => "t-up",
        LineState::Lossy => "t-lossy",
        LineState::Down => "t-down",
        LineState::Unknown => "t-unknown",
    };
    let load = within(line.load.unwrap_or(0.0), 0.0, 1.0);
    let width = if matches!(line.state, LineState::Up | LineState::Lossy) {
        thick * (1.0 + 2.5 * load)
    } else {
        thick
    };
    let mut path = Path::default();
    if line.state == LineState::Lossy {
        lossy(&mut path, (from, to), thick);
    } else {
        path.at(from.0, from.1).to(to.0, to.1);
    }
    path.put(svg.tag("path").word("class", class).number("stroke-width", width));
    if line.state == LineState::Down {
        let (x, y, r) = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0, 2.5 + thick);
        let mut cross = Path::default();
        cross.at(x - r, y - r).to(x + r, y + r).at(x + r, y - r).to(x - r, y + r);
        cross.put(svg.tag("path").word("class", "t-cross").number("stroke-width", thick));
    }
}
