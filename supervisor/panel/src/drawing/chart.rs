//! A value over time: line, band, limits, axes, and the value under the finger.

pub(super) mod axis;

use super::quantity::{Scale, figure, quantity};
use super::series::{Column, bounded, broken, m4, runs};
use super::shape;
use super::text::{fit, width};
use super::write::{Path, Svg, within};
use crate::site::{DeviceState, Limit};
use axis::{Frame, frame, time_label};
use jiff::tz::TimeZone;
use roundsman_core::time::Wall;

/// Limits drawn; a metric has four severities on two sides at most.
const MOST_LIMITS: usize = 8;
/// Pixels of one column that shows its value under the finger, and how many there are at most.
const UNDER_FINGER: f64 = 12.0;
const MOST_READOUTS: usize = 80;
/// Height of a limit's label.
const LABEL: f64 = 18.0;
/// Distance of the hatching lines of a gap.
const HATCH: f64 = 8.0;

/// Mean of a time step with its extremes; a single reading is all three.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The smallest value.
    pub low: f64,
    /// The mean.
    pub mean: f64,
    /// The largest value.
    pub high: f64,
}

/// A limit and the words beside its line.
#[derive(Clone, Copy, Debug)]
pub struct Threshold<'a> {
    /// The limit, in the unit of the chart.
    pub limit: Limit,
    /// Such as `重要 > 65 °C`.
    pub label: &'a str,
}

/// What a chart shows.
#[derive(Clone, Copy, Debug)]
pub struct Chart<'a> {
    /// What it shows, in words.
    pub label: &'a str,
    /// From when to when.
    pub span: (Wall, Wall),
    /// Seconds between two points; the line breaks where two are missing.
    pub interval_s: u32,
    /// When, and the value where there is one; the newest 100,000 are looked at.
    pub points: &'a [(Wall, Option<Spread>)],
    /// UCUM unit of the values; scaled for people.
    pub unit: &'a str,
    /// The first 8 are drawn.
    pub limits: &'a [Threshold<'a>],
    /// The site's zone, for the times.
    pub zone: &'a TimeZone,
    /// Width in CSS pixels, 240 to 4,096.
    pub width: f64,
    /// Height in CSS pixels, 120 to 2,048.
    pub height: f64,
}

/// Line of the means by M4, band from the smallest to the largest values, gaps hatched and never bridged, limits as
/// lines, the latest value written out. A finger or pointer on the plot shows time and value of its place at the
/// upper edge, by style alone.
#[must_use]
pub fn chart(c: &Chart<'_>) -> String {
    let (wide, high) = (within(c.width, 240.0, 4_096.0), within(c.height, 120.0, 2_048.0));
    let span = if c.span.0 <= c.span.1 { c.span } else { (c.span.1, c.span.0) };
    let points: Vec<_> = bounded(c.points).iter().map(|(at, v)| (*at, v.map(|v| v.mean))).collect();
    let columns = m4(&points, span, wide as usize);
    let band = band_of(c.points, span, wide as usize);
    let frame = frame(c, (wide, high), span, &columns, &band);
    let mut svg = Svg::new("chart", wide, high, c.label);
    axis::draw(&mut svg, &frame, c.zone);
    gaps(&mut svg, c, &frame, &columns);
    draw_band(&mut svg, c, &frame, &band);
    for threshold in c.limits.iter().take(MOST_LIMITS) {
        limit_line(&mut svg, &frame, threshold);
    }
    svg.path("d-line", &line(&columns, c.interval_s, |at| frame.x(at), |value| frame.y(value)));
    limit_labels(&mut svg, &frame, c.limits, &columns);
    latest(&mut svg, c, &frame, &columns);
    readouts(&mut svg, c, &frame, &columns);
    svg.finish()
}

/// The line through the columns, broken where values are missing; a value alone is a dot.
fn line(columns: &[Column], interval_s: u32, x: impl Fn(Wall) -> f64, y: impl Fn(f64) -> f64) -> Path {
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

/// Extremes of each pixel column.
fn band_of(points: &[(Wall, Option<Spread>)], span: (Wall, Wall), width: usize) -> Vec<Column> {
    let flat = |pick: fn(&Spread) -> f64| -> Vec<Column> {
        let values: Vec<_> = bounded(points).iter().map(|(at, v)| (*at, v.as_ref().map(pick))).collect();
        m4(&values, span, width)
    };
    if !points.iter().filter_map(|(_, v)| v.as_ref()).any(|v| v.low < v.mean || v.high > v.mean) {
        return Vec::new();
    }
    let (mut lows, highs) = (flat(|v| v.low), flat(|v| v.high));
    for column in &mut lows {
        if let Ok(at) = highs.binary_search_by_key(&column.index, |h| h.index) {
            column.high = highs[at].high;
        }
    }
    lows
}

/// Hatched ground wherever two or more values are missing: before, between and after.
fn gaps(svg: &mut Svg, c: &Chart<'_>, frame: &Frame, columns: &[Column]) {
    let mut hatch = Path::default();
    let mut ground = Path::default();
    let mut fill = |from: Wall, to: Wall| {
        let (left, right) = (frame.x(from), frame.x(to));
        if broken(from, to, c.interval_s) && right - left >= 1.0 {
            ground.rect(left, frame.top, right - left, frame.bottom - frame.top);
            hatch.hatch(left, frame.top, right - left, frame.bottom - frame.top, HATCH);
        }
    };
    let mut before = frame.span.0;
    for run in runs(columns, c.interval_s) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
        fill(before, first.first.0);
        before = last.last.0;
    }
    fill(before, frame.span.1);
    svg.path("d-gap-ground", &ground);
    svg.path("d-gap", &hatch);
}

fn draw_band(svg: &mut Svg, c: &Chart<'_>, frame: &Frame, band: &[Column]) {
    let mut path = Path::default();
    for run in runs(band, c.interval_s) {
        let Some(first) = run.first() else { continue };
        path.at(frame.x(first.first.0), frame.y(first.high.1));
        for column in &run[1..] {
            path.to(frame.x(column.first.0), frame.y(column.high.1));
        }
        for column in run.iter().rev() {
            path.to(frame.x(column.first.0), frame.y(column.low.1));
        }
        path.loop_by(&[]);
    }
    svg.path("d-band", &path);
}

fn limit_line(svg: &mut Svg, frame: &Frame, threshold: &Threshold<'_>) {
    let Some(y) = frame.y_inside(threshold.limit.at) else { return };
    let mut path = Path::default();
    path.at(frame.left, y).to(frame.right, y);
    svg.path(&format!("d-limit {}", shape::class(DeviceState::of(threshold.limit.severity))), &path);
}

/// Labels stand by their line on the side where the series is farther from it; above it, below it where another
/// line or the edge is near.
fn limit_labels(svg: &mut Svg, frame: &Frame, limits: &[Threshold<'_>], columns: &[Column]) {
    let limits = &limits[..limits.len().min(MOST_LIMITS)];
    let mut taken: Vec<f64> = Vec::new();
    for threshold in limits {
        let limit = threshold.limit;
        if !limit.at.is_finite() {
            continue;
        }
        // One beyond the plot is named at the edge behind which it lies.
        let (y, beyond) = match frame.y_inside(limit.at) {
            Some(y) => (y, ""),
            None if limit.at > frame.high => (frame.top, " ↑"),
            None => (frame.bottom, " ↓"),
        };
        let crowded =
            limits.iter().filter_map(|t| frame.y_inside(t.limit.at)).any(|o| o < y && y - o < LABEL + 4.0);
        let below = beyond == " ↑" || (beyond.is_empty() && (crowded || y - LABEL < frame.top));
        let mut base = if below { y + 15.0 } else { y - 5.0 };
        // At most as many steps as there are labels: each moves past one of them.
        for _ in 0..taken.len() {
            if taken.iter().any(|other| (other - base).abs() < LABEL) {
                base += LABEL;
            }
        }
        taken.push(base);
        let text = fit(&format!("{}{beyond}", threshold.label), frame.right - frame.left - 24.0, 14.0);
        let distance = |column: Option<&Column>| column.map_or(0.0, |c| (frame.y(c.last.1) - base).abs());
        let right = distance(columns.last()) >= distance(columns.first());
        let x = if right { frame.right - width(&text, 14.0) - 2.0 } else { frame.left + 20.0 };
        shape::draw(svg, DeviceState::of(limit.severity), x - 10.0, base - 5.0, 10.0);
        svg.text("d-limit-label", x, base, &text);
    }
}

/// The latest value: a dot in the plot, the figure above it; with its time where it is old.
fn latest(svg: &mut Svg, c: &Chart<'_>, frame: &Frame, columns: &[Column]) {
    let Some((at, value)) = columns.last().map(|c| c.last) else { return };
    let mut dot = Path::default();
    svg.path("d-dot", dot.dot(frame.x(at), frame.y(value)));
    let old = broken(at, frame.span.1, c.interval_s);
    let time = if old { format!("{}  ", time_label(at, frame.span, c.zone)) } else { String::new() };
    let text = format!("{time}{}", quantity(value, c.unit).together());
    svg.text(if old { "d-now d-old" } else { "d-now" }, frame.right, 18.0, &text);
}

/// Invisible columns that show time and value while a finger or pointer is on them.
fn readouts(svg: &mut Svg, c: &Chart<'_>, frame: &Frame, columns: &[Column]) {
    let plot = frame.right - frame.left;
    let count = ((plot / UNDER_FINGER) as usize).clamp(1, MOST_READOUTS);
    let places = m4(
        &columns.iter().flat_map(Column::path).map(|(at, v)| (at, Some(v))).collect::<Vec<_>>(),
        frame.span,
        count,
    );
    let wide = plot / count as f64;
    for place in &places {
        let (at, value) = place.last;
        let left = frame.left + place.index as f64 * wide;
        let mut text =
            format!("{}  {}", time_label(at, frame.span, c.zone), quantity(value, c.unit).together());
        if place.high.1 > place.low.1 {
            let scale = Scale::of(place.high.1.abs().max(place.low.1.abs()), c.unit);
            let (low, high) = (figure(place.low.1 / scale.divisor), figure(place.high.1 / scale.divisor));
            if low != high {
                text = format!("{text} ({low}–{high})");
            }
        }
        svg.tag("g").word("class", "d-read").open();
        svg.tag("rect")
            .number("x", left)
            .number("y", frame.top)
            .number("width", wide)
            .number("height", frame.bottom - frame.top)
            .close();
        svg.tag("circle").number("cx", frame.x(at)).number("cy", frame.y(value)).number("r", 4.0).close();
        svg.tag("text").number("x", frame.right).number("y", 18.0).body(&text);
        svg.end("g");
    }
}
