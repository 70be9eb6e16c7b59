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
/// screen, 3×6 on a phone). Lines hang on one bus from the core: a drawn one is up and the thicker the busier, a
/// struck one is down, a dashed one is unknown.
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
    let nodes = t.province.iter().chain([&t.core]).chain(networks).chain(counties);
    let placed: Vec<(&Node<'_>, Tile)> = nodes.zip(layout.tiles()).collect();
    let cell = layout.cell(placed.iter().map(|(node, tile)| (shown(node, placed.len()).len(), *tile)));
    let mut shapes = Shapes::new(size(cell));
    for (node, tile) in &placed {
        let all = shown(node, placed.len());
        draw(&mut svg, &mut shapes, node, all, &layout, tile, cell);
    }
    shapes.draw(&mut svg);
    if more > 0 {
        svg.text("t-more", width - layout.pad, height - 4.0, &format!("+{more}"));
    }
    svg.finish()
}

/// The children that are drawn: none behind a failed parent, never more than a fair share of the picture.
fn shown<'a>(node: &Node<'a>, nodes: usize) -> &'a [DeviceState] {
    let most = MOST_STATIONS / nodes.max(1);
    if node.collapsed.is_some() { &[] } else { &node.children[..node.children.len().min(most)] }
}

fn draw(
    svg: &mut Svg,
    shapes: &mut Shapes,
    node: &Node<'_>,
    children: &[DeviceState],
    layout: &Layout,
    tile: &Tile,
    cell: f64,
) {
    let font = layout.font;
    let (x, y) = (tile.x + layout.inset, tile.y + layout.inset);
    let room = tile.width - 2.0 * layout.inset;
    svg.tag("rect")
        .word("class", &format!("t-tile {}", shape::edge(node.state)))
        .number("x", tile.x)
        .number("y", tile.y)
        .number("width", tile.width)
        .number("height", tile.height)
        .number("rx", 6.0)
        .close();
    shape::draw(svg, node.state, x + font * 0.5, y + font * 0.5, font);
    // The note stands at the right of the name where both fit, else the name gives way down to a few characters.
    let note = fit(node.note, room * 0.55, font);
    let noted = if note.is_empty() { 0.0 } else { text_width(&note, font) + 6.0 };
    let name = fit(node.name, room - font * 1.4 - noted, font);
    sized(svg, "t-name", x + font * 1.4, y + font * 0.88, font, &name);
    if !note.is_empty() {
        sized(svg, "t-note", tile.x + tile.width - layout.inset, y + font * 0.88, font, &note);
    }
    let field = layout.field(tile);
    if let Some(words) = node.collapsed {
        let mut hatch = Path::default();
        hatch.hatch(field.x, field.y, field.width, field.height, 10.0);
        svg.path("d-gap", &hatch);
        let words = fit(words, field.width, font);
        sized(
            svg,
            "t-collapsed",
            field.x + field.width / 2.0,
            field.y + field.height / 2.0 + font * 0.35,
            font,
            &words,
        );
        return;
    }
    let columns = ((field.width / cell) as usize).max(1);
    let fitting = columns * ((field.height / cell) as usize);
    let here = &children[..children.len().min(fitting)];
    place(shapes, here, columns, cell, (field.x, field.y));
    let left_out = node.children.len() - here.len();
    if left_out > 0 {
        let text = format!("+{left_out}");
        sized(
            svg,
            "t-more",
            field.x + field.width,
            field.y + field.height,
            font.min(field.height.max(14.0)),
            &text,
        );
    }
}

fn sized(svg: &mut Svg, class: &str, x: f64, y: f64, size: f64, text: &str) {
    svg.tag("text").word("class", class).number("x", x).number("y", y).number("font-size", size).body(text);
}

/// The bus from the core and the lines that hang on it.
fn lines(svg: &mut Svg, t: &Tiers<'_>, layout: &Layout, networks: &[Node<'_>], counties: &[Node<'_>]) {
    let mut bus = Path::default();
    for (from, to) in layout.bus() {
        bus.at(from.0, from.1).to(to.0, to.1);
    }
    svg.path("t-bus", &bus);
    if let (Some(province), Some(link)) = (&t.province, layout.province_link()) {
        draw_line(svg, &province.line, link, layout.thick);
    }
    for (node, drop) in
        networks.iter().zip(layout.network_drops()).chain(counties.iter().zip(layout.county_drops()))
    {
        draw_line(svg, &node.line, drop, layout.thick);
    }
}

fn draw_line(svg: &mut Svg, line: &TierLine, (from, to): layout::Link, thick: f64) {
    let class = match line.state {
        LineState::Up => "t-up",
        LineState::Down => "t-down",
        LineState::Unknown => "t-unknown",
    };
    let load = within(line.load.unwrap_or(0.0), 0.0, 1.0);
    let width = if line.state == LineState::Up { thick * (1.0 + 2.5 * load) } else { thick };
    let mut path = Path::default();
    path.at(from.0, from.1).to(to.0, to.1);
    path.put(svg.tag("path").word("class", class).number("stroke-width", width));
    if line.state == LineState::Down {
        let (x, y, r) = ((from.0 + to.0) / 2.0, (from.1 + to.1) / 2.0, 2.5 + thick);
        let mut cross = Path::default();
        cross.at(x - r, y - r).to(x + r, y + r).at(x + r, y - r).to(x - r, y + r);
        cross.put(svg.tag("path").word("class", "t-cross").number("stroke-width", thick));
    }
}
