//! What the pages draw: the site's values handed to [`crate::drawing`].

use super::interfaces::Interface;
use super::overview;
use super::sight::Sight;
use crate::drawing::{
    Chart, InterfaceStrip, Mosaic, Port, PortState, Sparkline, Spread, Threshold, chart as draw_chart,
    interface_strip, mosaic as draw_mosaic, sparkline as draw_sparkline,
};
use crate::figure::number;
use crate::site::{DeviceState, Recent};
use crate::voice::Voice;
use roundsman_core::time::Wall;

/// Side of a device's place in a mosaic, CSS pixels, and how many stand in a row.
const CELL: f64 = 16.0;
const COLUMNS: usize = 6;
/// Many devices are drawn smaller.
const MANY: usize = 24;
const SMALL_CELL: f64 = 10.0;
const SMALL_COLUMNS: usize = 10;

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

/// Seconds between the points: the middle one of their distances.
fn interval_s(points: &[(Wall, Option<f64>)]) -> u32 {
    let mut distances: Vec<i64> = points.windows(2).map(|two| two[1].0.0 - two[0].0.0).collect();
    distances.sort_unstable();
    let middle = distances.get(distances.len() / 2).copied().unwrap_or(60_000);
    u32::try_from(middle.max(1_000) / 1_000).unwrap_or(u32::MAX)
}

pub(super) fn sparkline(recent: &Recent, label: &str) -> String {
    draw_sparkline(&Sparkline {
        label,
        points: &recent.points,
        interval_s: interval_s(&recent.points),
        limit: recent.limits.first().copied(),
        width: 168.0,
        height: 40.0,
    })
}

pub(super) fn chart(recent: &Recent, label: &str, v: &Voice) -> String {
    let (Some(first), Some(last)) = (recent.points.first(), recent.points.last()) else {
        return String::new();
    };
    let points: Vec<_> = recent.points.iter().map(|(at, x)| (*at, x.map(Spread::from))).collect();
    let words: Vec<String> = recent
        .limits
        .iter()
        .map(|limit| {
            let severity = v.text(&limit.severity.name());
            let sign = if limit.above { '>' } else { '<' };
            format!("{severity} {sign} {}", number(limit.at, &recent.unit).line())
        })
        .collect();
    let limits: Vec<_> =
        recent.limits.iter().zip(&words).map(|(limit, label)| Threshold { limit: *limit, label }).collect();
    draw_chart(&Chart {
        label,
        span: (first.0, last.0),
        interval_s: interval_s(&recent.points),
        points: &points,
        unit: &recent.unit,
        limits: &limits,
        zone: &v.zone,
        width: 640.0,
        height: 240.0,
    })
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

/// The four tiers as one picture.
pub(super) fn tiers(sight: &Sight, v: &Voice) -> String {
    let _ = (sight, v, overview::telling);
    String::new()
}
