//! The stations of one county as small shapes in a fixed grid.

use super::shape::Shapes;
use super::write::{Svg, within};
use crate::site::DeviceState;

/// Most stations in one mosaic; a province's county has some dozens.
pub(super) const MOST_STATIONS: usize = 2_000;

/// What a mosaic shows.
#[derive(Clone, Copy, Debug)]
pub struct Mosaic<'a> {
    /// What it shows, in words.
    pub label: &'a str,
    /// The stations in the order of the site file, never by state; the first 2,000 are drawn.
    pub stations: &'a [DeviceState],
    /// How many stand in one row.
    pub columns: usize,
    /// Side of a station's place, in CSS pixels; 8 to 32.
    pub cell: f64,
}

/// One path per state, whatever the number of stations. Its size is `columns × cell` by the rows it takes.
#[must_use]
pub fn mosaic(m: &Mosaic<'_>) -> String {
    let stations = &m.stations[..m.stations.len().min(MOST_STATIONS)];
    let columns = m.columns.clamp(1, 256);
    let cell = within(m.cell, 8.0, 32.0);
    let rows = stations.len().div_ceil(columns).max(1);
    let mut svg = Svg::new("mosaic", columns as f64 * cell, rows as f64 * cell, m.label);
    let mut shapes = Shapes::new(size(cell));
    place(&mut shapes, stations, columns, cell, (0.0, 0.0));
    shapes.draw(&mut svg);
    svg.finish()
}

/// Size of a shape in a place of this side.
pub(super) fn size(cell: f64) -> f64 {
    (cell * 0.8).round()
}

/// Adds the stations row by row from a corner.
pub(super) fn place(
    shapes: &mut Shapes,
    stations: &[DeviceState],
    columns: usize,
    cell: f64,
    corner: (f64, f64),
) {
    for (i, state) in stations.iter().enumerate() {
        let x = corner.0 + ((i % columns) as f64 + 0.5) * cell;
        let y = corner.1 + ((i / columns) as f64 + 0.5) * cell;
        shapes.add(*state, x, y);
    }
}
