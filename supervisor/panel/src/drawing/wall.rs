//! A video wall in its true geometry: rows and columns of panels with the frames between them.

use super::shape;
use super::text::fit;
use super::write::{Svg, within};
use crate::site::DeviceState;

/// Rows and columns of the largest wall.
const MOST: usize = 10;
/// The frame around the wall and between two panels, in CSS pixels.
const FRAME: f64 = 6.0;
const BEZEL: f64 = 4.0;
/// Height of a panel by its width.
const ASPECT: f64 = 9.0 / 16.0;
/// A panel narrower than this shows shape and label, one narrower than the second the shape alone.
const WITH_WORDS: f64 = 136.0;
const WITH_LABEL: f64 = 76.0;

/// One panel.
#[derive(Clone, Copy, Debug)]
pub struct WallPanel<'a> {
    /// How it stands; out of service where it is switched off.
    pub state: DeviceState,
    /// The state in words.
    pub word: &'a str,
    /// The input it shows, such as `HDMI 1`; may be empty.
    pub input: &'a str,
    /// The signal there, such as `1080p 60`, or that there is none.
    pub signal: &'a str,
    /// It shows a picture.
    pub lit: bool,
}

/// What a wall drawing shows.
#[derive(Clone, Copy, Debug)]
pub struct Wall<'a> {
    /// What it shows, in words.
    pub label: &'a str,
    /// Rows, 1 to 10.
    pub rows: usize,
    /// Columns, 1 to 10.
    pub columns: usize,
    /// The panels row by row from the upper left; one that is missing is drawn as never heard of.
    pub panels: &'a [WallPanel<'a>],
    /// Width in CSS pixels; the height follows.
    pub width: f64,
}

/// The wall from the front. Each panel has its place (`r1c1`), its state by shape, edge and word, its input and
/// signal; one with a picture is lit.
#[must_use]
pub fn wall(w: &Wall<'_>) -> String {
    let (rows, columns) = (w.rows.clamp(1, MOST), w.columns.clamp(1, MOST));
    let width = within(w.width, 120.0, 4_096.0);
    let wide = (width - 2.0 * FRAME - (columns - 1) as f64 * BEZEL) / columns as f64;
    let high = wide * ASPECT;
    let height = 2.0 * FRAME + rows as f64 * (high + BEZEL) - BEZEL;
    let mut svg = Svg::new("wall", width, height, w.label);
    svg.tag("rect")
        .word("class", "w-frame")
        .number("width", width)
        .number("height", height)
        .number("rx", 4.0)
        .close();
    for row in 0..rows {
        for column in 0..columns {
            let x = FRAME + column as f64 * (wide + BEZEL);
            let y = FRAME + row as f64 * (high + BEZEL);
            let place = format!("r{}c{}", row + 1, column + 1);
            panel(&mut svg, w.panels.get(row * columns + column), &place, (x, y, wide, high));
        }
    }
    svg.finish()
}

fn panel(
    svg: &mut Svg,
    panel: Option<&WallPanel<'_>>,
    place: &str,
    (x, y, wide, high): (f64, f64, f64, f64),
) {
    let state = panel.map_or(DeviceState::NoData, |p| p.state);
    svg.tag("g").open();
    if let Some(p) = panel {
        let told: Vec<&str> =
            [place, p.word, p.input, p.signal].into_iter().filter(|t| !t.is_empty()).collect();
        svg.title(&told.join(" · "));
    }
    let lit = if panel.is_some_and(|p| p.lit) { "w-lit" } else { "w-dark" };
    // The edge is drawn inside the panel, so that two neighbours never share it.
    svg.tag("rect")
        .word("class", &format!("{lit} {}", shape::edge(state)))
        .number("x", x + 1.0)
        .number("y", y + 1.0)
        .number("width", wide - 2.0)
        .number("height", high - 2.0)
        .close();
    if wide < WITH_LABEL {
        shape::draw(svg, state, x + wide / 2.0, y + high / 2.0, (high * 0.5).clamp(8.0, 16.0));
        svg.end("g");
        return;
    }
    shape::draw(svg, state, x + wide - 15.0, y + 15.0, 16.0);
    svg.text("d-label", x + 8.0, y + 20.0, place);
    if let Some(p) = panel.filter(|_| wide >= WITH_WORDS) {
        let room = wide - 16.0;
        svg.text("w-input", x + 8.0, y + high - 28.0, &fit(p.input, room, 16.0));
        let below = if p.state == DeviceState::Ok { p.signal } else { p.word };
        let class = if p.state == DeviceState::Ok { "d-label" } else { "w-word" };
        svg.text(class, x + 8.0, y + high - 9.0, &fit(below, room, 14.0));
    }
    svg.end("g");
}
