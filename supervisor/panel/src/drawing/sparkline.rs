//! The last hour of a value as a small line.

use super::series::{self, Column, bounded, extent, m4, runs};
use super::shape;
use super::write::{Path, Svg, within};
use crate::site::{DeviceState, Limit};
use roundsman_core::time::Wall;

/// Room around the line for its own width and the dot.
const PAD: f64 = 4.0;
/// Widest and highest sparkline; more is a chart.
const LARGEST: f64 = 1_024.0;

/// What a sparkline shows.
#[derive(Clone, Copy, Debug)]
pub struct Sparkline<'a> {
    /// What it shows, in words.
    pub label: &'a str,
    /// When, and the value where there is one; the newest 100,000 are looked at.
    pub points: &'a [(Wall, Option<f64>)],
    /// Seconds between two points; the line breaks where two are missing.
    pub interval_s: u32,
    /// The limit drawn with it, where its rules have one.
    pub limit: Option<Limit>,
    /// Width in CSS pixels; 120 is usual.
    pub width: f64,
    /// Height in CSS pixels; 32 is usual.
    pub height: f64,
}

/// A line with gaps as gaps, its limit, and a dot at the latest value; the dot takes the limit's colour and shape
/// where the value is beyond it. Without a value only the hatched ground is drawn.
#[must_use]
pub fn sparkline(s: &Sparkline<'_>) -> String {
    let (width, height) = (within(s.width, 24.0, LARGEST), within(s.height, 16.0, LARGEST));
    let mut svg = Svg::new("spark", width, height, s.label);
    let span = span(s.points);
    let columns = m4(s.points, span, (width - 2.0 * PAD) as usize);
    let Some((low, high)) = extent(&columns) else {
        let mut ground = Path::default();
        ground.hatch(1.0, 1.0, width - 2.0, height - 2.0, 6.0);
        svg.path("d-gap", &ground);
        return svg.finish();
    };
    let limit = s.limit.filter(|l| l.at.is_finite() && near(l.at, low, high));
    let (bottom, top) = limit.map_or((low, high), |l| (low.min(l.at), high.max(l.at)));
    let x = |at: Wall| PAD + series::share(at, span).unwrap_or(0.0) * (width - 2.0 * PAD);
    let y = |value: f64| {
        let share = if top > bottom { (value - bottom) / (top - bottom) } else { 0.5 };
        height - PAD - share * (height - 2.0 * PAD)
    };
    if let Some(limit) = limit {
        let class = format!("d-limit {}", shape::class(DeviceState::of(limit.severity)));
        let mut line = Path::default();
        line.at(PAD, y(limit.at)).to(width - PAD, y(limit.at));
        svg.path(&class, &line);
    }
    svg.path("d-line", &line(&columns, s.interval_s, x, y));
    if let Some(last) = columns.last().map(|c| c.last) {
        let beyond = s.limit.filter(|l| if l.above { last.1 > l.at } else { last.1 < l.at });
        match beyond {
            Some(limit) => shape::draw(&mut svg, DeviceState::of(limit.severity), x(last.0), y(last.1), 8.0),
            None => {
                let mut dot = Path::default();
                svg.path("d-dot", dot.dot(x(last.0), y(last.1)));
            }
        }
    }
    svg.finish()
}

/// Earliest and latest time of the points, with a value or not.
fn span(points: &[(Wall, Option<f64>)]) -> (Wall, Wall) {
    let times = || bounded(points).iter().map(|(at, _)| *at);
    (times().min().unwrap_or(Wall(0)), times().max().unwrap_or(Wall(0)))
}

/// A limit so far off that the line would become flat is left out.
fn near(limit: f64, low: f64, high: f64) -> bool {
    let range = (high - low).max(high.abs() * 0.1).max(f64::EPSILON);
    limit <= high + 2.0 * range && limit >= low - 2.0 * range
}

/// The line through the columns, broken where values are missing; a value alone is a dot.
pub(super) fn line(
    columns: &[Column],
    interval_s: u32,
    x: impl Fn(Wall) -> f64,
    y: impl Fn(f64) -> f64,
) -> Path {
    let mut path = Path::default();
    for run in runs(columns, interval_s) {
        let mut points = run.iter().flat_map(Column::path);
        let Some((at, value)) = points.next() else { continue };
        path.at(x(at), y(value));
        let mut alone = true;
        for (at, value) in points {
            path.to(x(at), y(value));
            alone = false;
        }
        if alone {
            path.dot(x(at), y(value));
        }
    }
    path
}
