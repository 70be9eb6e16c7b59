//! The shapes of the states. Every state differs by shape as well as by colour, down to 8 pixels.

use super::write::{Path, Svg};
use crate::site::DeviceState;

/// Class that colours a state's shape.
pub(super) fn class(state: DeviceState) -> &'static str {
    match state {
        DeviceState::Critical => "s-critical",
        DeviceState::Major => "s-major",
        DeviceState::Minor => "s-minor",
        DeviceState::Warning => "s-warning",
        DeviceState::NoData => "s-no-data",
        DeviceState::Hidden => "s-hidden",
        DeviceState::Pending => "s-pending",
        DeviceState::OutOfService => "s-out-of-service",
        DeviceState::Ok => "s-ok",
    }
}

/// Class that colours the edge of what has this state.
pub(super) fn edge(state: DeviceState) -> &'static str {
    match state {
        DeviceState::Critical => "e-critical",
        DeviceState::Major => "e-major",
        DeviceState::Minor => "e-minor",
        DeviceState::Warning => "e-warning",
        DeviceState::NoData => "e-no-data",
        DeviceState::Hidden => "e-hidden",
        DeviceState::Pending | DeviceState::OutOfService | DeviceState::Ok => "e-none",
    }
}

/// Adds the shape of a state around a centre; `size` is the side of the square it fills.
pub(super) fn add(path: &mut Path, state: DeviceState, x: f64, y: f64, size: f64) {
    let r = size / 2.0;
    match state {
        DeviceState::Critical => {
            // A regular octagon: its side is 0.414 of its width.
            let (s, c) = (size * 0.414, size * 0.293);
            path.at(x - s / 2.0, y - r).loop_by(&[
                (s, 0.0),
                (c, c),
                (0.0, s),
                (-c, c),
                (-s, 0.0),
                (-c, -c),
                (0.0, -s),
            ]);
        }
        DeviceState::Major => {
            path.at(x, y - r).loop_by(&[(r, size * 0.92), (-size, 0.0)]);
        }
        DeviceState::Minor => {
            path.at(x, y - r).loop_by(&[(r, r), (-r, r), (-r, -r)]);
        }
        DeviceState::Warning => {
            path.circle(x, y, r * 0.74);
        }
        DeviceState::NoData => {
            let side = size * 0.84;
            let (left, top) = (x - side / 2.0, y - side / 2.0);
            path.rect(left, top, side, side).hatch(left, top, side, side, (side / 2.0).max(3.0));
        }
        DeviceState::Hidden => {
            path.circle(x, y, r * 0.84);
        }
        DeviceState::Pending => {
            path.circle(x, y, r * 0.8).at(x, y - r * 0.5).to(x, y).to(x + r * 0.42, y + r * 0.22);
        }
        DeviceState::OutOfService => {
            path.rect(x - r * 0.86, y - r * 0.26, size * 0.86, r * 0.52);
        }
        DeviceState::Ok => {
            path.dot(x, y);
        }
    }
}

/// Width of the line that draws a state's shape; 0 where it is filled.
fn stroke(state: DeviceState, size: f64) -> f64 {
    match state {
        DeviceState::Ok => size * 0.46,
        DeviceState::Warning => size * 0.22,
        DeviceState::NoData | DeviceState::Pending | DeviceState::Hidden => (size * 0.1).max(1.2),
        _ => 0.0,
    }
}

/// Shapes of many devices, gathered into one path per state.
#[derive(Debug)]
pub(super) struct Shapes {
    size: f64,
    paths: [Path; DeviceState::ALL.len()],
}

impl Shapes {
    /// Shapes of this size.
    pub(super) fn new(size: f64) -> Shapes {
        Shapes { size, paths: Default::default() }
    }

    /// Adds one around a centre.
    pub(super) fn add(&mut self, state: DeviceState, x: f64, y: f64) {
        add(&mut self.paths[index(state)], state, x, y, self.size);
    }

    /// Writes them.
    pub(super) fn draw(&self, svg: &mut Svg) {
        for state in DeviceState::ALL {
            let path = &self.paths[index(state)];
            if path.is_empty() {
                continue;
            }
            path_of(svg, state, path, self.size);
        }
    }
}

fn index(state: DeviceState) -> usize {
    DeviceState::ALL.iter().position(|s| *s == state).unwrap_or_default()
}

fn path_of(svg: &mut Svg, state: DeviceState, path: &Path, size: f64) {
    let tag = svg.tag("path").word("class", class(state));
    let width = stroke(state, size);
    let tag = if width > 0.0 { tag.number("stroke-width", width) } else { tag };
    path.put(tag);
}

/// Writes one shape by itself.
pub(super) fn draw(svg: &mut Svg, state: DeviceState, x: f64, y: f64, size: f64) {
    let mut path = Path::default();
    add(&mut path, state, x, y, size);
    path_of(svg, state, &path, size);
}
