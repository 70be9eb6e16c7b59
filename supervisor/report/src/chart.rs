//! The two pictures of a week as SVG: availability per day, new faults per day by severity.
//!
//! Attributes and classes only, no inline style: the panel's policy allows none. Texts are the days' names and
//! figures made here; nothing of a device comes in.

use crate::voice::{Voice, percent};
use crate::weekly::{Day, TARGET_BASIS_POINTS};
use roundsman_core::rule::Severity;
use std::fmt::Write;

/// Size of both, in units of the view box; text is 15 of them, more on a phone: the style says it.
const WIDTH: u32 = 400;
const HEIGHT: u32 = 164;
/// Where the plot is.
const LEFT: u32 = 60;
const RIGHT: u32 = 396;
const TOP: u32 = 16;
const BOTTOM: u32 = 128;
/// Width of a day.
const DAY: u32 = (RIGHT - LEFT) / 7;
/// Lower ends of the scale of availability, basis points: the highest that shows the worst day is taken, and it is
/// written at the axis.
const FLOORS: [u32; 9] = [9_980, 9_950, 9_900, 9_800, 9_500, 9_000, 8_000, 5_000, 0];

fn open(out: &mut String, title: &str) {
    let _ = write!(
        out,
        r#"<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{title}" xmlns="http://www.w3.org/2000/svg">"#
    );
}

fn names(out: &mut String, days: &[Day], v: &Voice) {
    for (n, day) in days.iter().enumerate() {
        let class = if day.has_begun { "axis" } else { "axis to-come" };
        let x = middle(n);
        let _ = write!(
            out,
            r#"<text class="{class}" x="{x}" y="{}" text-anchor="middle">{}</text>"#,
            HEIGHT - 5,
            v.weekday(n)
        );
    }
}

fn middle(day: usize) -> u32 {
    LEFT + DAY * day as u32 + DAY / 2
}

fn line(out: &mut String, class: &str, y: u32) {
    let _ = write!(out, r#"<path class="{class}" d="M{LEFT} {y}H{RIGHT}"/>"#);
}

fn label(out: &mut String, y: u32, text: &str) {
    let _ =
        write!(out, r#"<text class="axis" x="{}" y="{}" text-anchor="end">{text}</text>"#, LEFT - 6, y + 5);
}

/// Marks a day of which nothing is known.
fn unknown(out: &mut String, day: usize, v: &Voice) {
    let (x, y) = (LEFT + DAY * day as u32, (TOP + BOTTOM) / 2);
    let _ = write!(
        out,
        r#"<rect class="unknown" x="{}" y="{TOP}" width="{}" height="{}"/><text class="axis" x="{}" y="{y}" text-anchor="middle">{}</text><text class="axis" x="{}" y="{}" text-anchor="middle">{}</text>"#,
        x + 2,
        DAY - 4,
        BOTTOM - TOP,
        middle(day),
        v.say("无", "no"),
        middle(day),
        y + 17,
        v.say("数据", "data"),
    );
}

/// Availability of each day on a scale that is written beside it.
pub(crate) fn availability(days: &[Day], v: &Voice) -> String {
    let known = days.iter().filter_map(|day| day.availability);
    let worst = known.min().unwrap_or(10_000);
    let floor = FLOORS.into_iter().find(|floor| *floor <= worst).unwrap_or(0);
    let y = |points: u32| {
        let height =
            u64::from(BOTTOM - TOP) * u64::from(points.saturating_sub(floor)) / u64::from(10_000 - floor);
        BOTTOM - height as u32
    };
    let mut out = String::new();
    open(&mut out, v.say("每日可用率", "Availability per day"));
    for points in [10_000, floor.midpoint(10_000), floor] {
        line(&mut out, "grid", y(points));
        label(&mut out, y(points), &scale(points));
    }
    if TARGET_BASIS_POINTS > floor {
        line(&mut out, "target", y(TARGET_BASIS_POINTS));
    }
    let (mut path, mut is_joined) = (String::new(), false);
    for (n, day) in days.iter().enumerate() {
        match day.availability {
            Some(points) => {
                let _ = write!(path, "{}{} {}", if is_joined { 'L' } else { 'M' }, middle(n), y(points));
            }
            None if day.has_begun => unknown(&mut out, n, v),
            None => {}
        }
        is_joined = day.availability.is_some();
    }
    let _ = write!(out, r#"<path class="course" d="{path}"/>"#);
    let mut is_marked = false;
    for (n, points) in days.iter().enumerate().filter_map(|(n, day)| Some((n, day.availability?))) {
        let class = if points < TARGET_BASIS_POINTS { "missed" } else { "met" };
        let _ = write!(out, r#"<circle class="{class}" cx="{}" cy="{}" r="4.5"/>"#, middle(n), y(points));
        if points == worst && points < 10_000 && !is_marked {
            is_marked = true;
            // Below the point: the course comes from above on both sides.
            let at = y(points) + 19;
            let _ = write!(
                out,
                r#"<text class="value" x="{}" y="{at}" text-anchor="middle">{}</text>"#,
                middle(n).clamp(LEFT + 26, RIGHT - 26),
                percent(points)
            );
        }
    }
    names(&mut out, days, v);
    out.push_str("</svg>");
    out
}

/// A mark of the scale: no more digits than it has.
fn scale(points: u32) -> String {
    let text = format!("{}.{:02}", points / 100, points % 100);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// New faults of each day, stacked by severity, the worst at the bottom.
pub(crate) fn faults(days: &[Day], v: &Voice) -> String {
    let most = days.iter().map(Day::raised).max().unwrap_or(0).max(4);
    let height = |count: u32| (BOTTOM - TOP) * count / most;
    let mut out = String::new();
    open(&mut out, v.say("每日新增故障", "New faults per day"));
    line(&mut out, "grid", BOTTOM);
    line(&mut out, "grid", BOTTOM - height(most));
    label(&mut out, BOTTOM - height(most), &most.to_string());
    label(&mut out, BOTTOM, "0");
    for (n, day) in days.iter().enumerate() {
        let (x, mut y, mut below) = (middle(n) - 12, BOTTOM, 0);
        if day.has_begun && day.availability.is_none() && day.coverage.is_none_or(|coverage| coverage == 0) {
            unknown(&mut out, n, v);
            continue;
        }
        for (severity, count) in Severity::ALL.iter().zip(day.new).filter(|(_, count)| *count > 0) {
            below += count;
            let top = BOTTOM - height(below);
            let _ = write!(
                out,
                r#"<rect class="bar is-{}" x="{x}" y="{top}" width="24" height="{}"/>"#,
                severity.word(),
                y - top
            );
            y = top;
        }
        if day.raised() > 0 {
            let _ = write!(
                out,
                r#"<text class="value" x="{}" y="{}" text-anchor="middle">{}</text>"#,
                middle(n),
                y - 4,
                day.raised()
            );
        }
    }
    names(&mut out, days, v);
    out.push_str("</svg>");
    out
}
