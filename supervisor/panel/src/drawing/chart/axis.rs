//! Where the plot lies, its scales and its axes.

use super::{Chart, MOST_LIMITS, Threshold};
use crate::drawing::quantity::{Scale, ticks};
use crate::drawing::series::{Column, drawable, extent, share};
use crate::drawing::text::width as text_width;
use crate::drawing::write::{Path, Svg};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use roundsman_core::time::Wall;

/// Line for the unit and the latest value, and for the times below.
const HEAD: f64 = 28.0;
const FOOT: f64 = 24.0;
/// Pixels from one label of an axis to the next.
const ROW: f64 = 30.0;
const TIME: f64 = 58.0;
/// A limit is brought into view while the values keep at least this share of the height.
const LEAST_SHARE: f64 = 0.25;
/// A percentage whose limits lie below this is shown up to it, or up to its largest value.
const SMALL_SHARE: f64 = 20.0;
/// An axis begins at zero where the smallest value is below this share of the largest.
const NEAR_ZERO: f64 = 0.4;
/// Labels of the time axis at most, whatever the span.
const MOST_TIMES: usize = 64;
/// Steps of the time axis in seconds: minutes, hours, days, weeks, years.
const STEPS: [i64; 16] = [
    60, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800, 2_592_000,
    7_776_000, 31_536_000,
];
/// A span longer than this is labelled with days.
const DAYS_FROM_S: f64 = 20.0 * 3_600.0;

/// The plot and its scales.
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) span: (Wall, Wall),
    pub(super) low: f64,
    pub(super) high: f64,
    scale: Scale,
    ticks: Vec<(f64, String)>,
}

impl Frame {
    /// Horizontal place of a time.
    pub(super) fn x(&self, at: Wall) -> f64 {
        let at = Wall(at.0.clamp(self.span.0.0, self.span.1.0));
        self.left + share(at, self.span).unwrap_or(0.0) * (self.right - self.left)
    }

    /// Vertical place of a value.
    pub(super) fn y(&self, value: f64) -> f64 {
        let share = ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        self.bottom - share * (self.bottom - self.top)
    }

    /// The same, where the value lies in the plot.
    pub(super) fn y_inside(&self, value: f64) -> Option<f64> {
        (value >= self.low && value <= self.high).then(|| self.y(value))
    }
}

/// Whether a percentage is one that should be next to nothing, as a share of lost packets: all its limits say so. On a
/// scale to 100 nobody would see it move.
fn is_small_share(c: &Chart<'_>) -> bool {
    let is_small = |t: &Threshold<'_>| t.limit.above && t.limit.at < SMALL_SHARE;
    !c.limits.is_empty() && c.limits.iter().all(is_small)
}

/// The values shown: all of the series, 0 to 100 for most percentages, zero where it is near, limits where they leave the
/// line readable.
fn reach(c: &Chart<'_>, columns: &[Column], band: &[Column]) -> (f64, f64) {
    let (mut low, mut high) = extent(columns).unwrap_or((0.0, 1.0));
    if let Some((l, h)) = extent(band) {
        (low, high) = (low.min(l), high.max(h));
    }
    if c.unit == "%" && low >= 0.0 && high <= 100.0 {
        return (0.0, if is_small_share(c) { high.max(SMALL_SHARE) } else { 100.0 });
    }
    // Zero means nothing on a scale of degrees.
    if c.unit != "Cel" && low >= 0.0 && low < NEAR_ZERO * high {
        low = 0.0;
    }
    if high <= low {
        let room = if low == 0.0 { 1.0 } else { low.abs() * 0.1 };
        (low, high) = (low - room, high + room);
    }
    let range = high - low;
    for limit in c.limits.iter().take(MOST_LIMITS).filter_map(|t| drawable(Some(t.limit.at))) {
        let (l, h) = (low.min(limit), high.max(limit));
        if range >= LEAST_SHARE * (h - l) {
            (low, high) = (l, h);
        }
    }
    (low, high)
}

/// Lays the plot out.
pub(super) fn frame(
    c: &Chart<'_>,
    (width, height): (f64, f64),
    span: (Wall, Wall),
    columns: &[Column],
    band: &[Column],
) -> Frame {
    let (low, high) = reach(c, columns, band);
    let scale = Scale::of(low.abs().max(high.abs()), c.unit);
    let rows = ((height - HEAD - FOOT) / ROW) as usize;
    let ticks = ticks(low / scale.divisor, high / scale.divisor, rows);
    let ends = (
        ticks.first().map_or(low, |t| t.0 * scale.divisor),
        ticks.last().map_or(high, |t| t.0 * scale.divisor),
    );
    let labels = ticks.iter().map(|t| text_width(&t.1, 14.0)).fold(0.0, f64::max);
    Frame {
        left: (labels + 10.0).min(width / 3.0),
        right: width - 8.0,
        top: HEAD,
        bottom: height - FOOT,
        span,
        low: ends.0,
        high: if ends.1 > ends.0 { ends.1 } else { ends.0 + 1.0 },
        scale,
        ticks,
    }
}

/// Unit, grid lines with their values, times.
pub(super) fn draw(svg: &mut Svg, frame: &Frame, zone: &TimeZone) {
    svg.text("d-unit", 0.0, 17.0, &frame.scale.unit);
    let mut grid = Path::default();
    for (value, _) in &frame.ticks {
        let y = frame.y(value * frame.scale.divisor);
        grid.at(frame.left, y).to(frame.right, y);
    }
    let times = times(frame.span, frame.right - frame.left, zone);
    for at in &times {
        grid.at(frame.x(*at), frame.bottom).to(frame.x(*at), frame.bottom + 4.0);
    }
    svg.path("d-grid", &grid);
    for (value, text) in &frame.ticks {
        svg.text("d-value", frame.left - 6.0, frame.y(value * frame.scale.divisor) + 5.0, text);
    }
    for at in times {
        let text = axis_label(at, frame.span, zone);
        let half = text_width(&text, 14.0) / 2.0;
        let x = frame.x(at);
        if x - half >= frame.left - 8.0 && x + half <= frame.right + 8.0 {
            svg.text("d-time", x, frame.bottom + 20.0, &text);
        }
    }
}

/// Round times of the site's day inside the span, as many as have room.
pub(in crate::drawing) fn times(span: (Wall, Wall), room: f64, zone: &TimeZone) -> Vec<Wall> {
    let (from, to) = (span.0.0, span.1.0);
    let length_s = (to as f64 - from as f64) / 1_000.0;
    let most = (room / TIME).clamp(1.0, MOST_TIMES as f64);
    let Some(step) = STEPS.into_iter().find(|s| *s as f64 >= length_s / most) else {
        return Vec::new();
    };
    // A change of summer time inside the span moves the later labels by its hour; they still tell the right time.
    let offset_s = moment(span.0, zone).offset().seconds();
    // Weeks begin on Monday; the epoch was a Thursday.
    let offset_s = if step == 604_800 { i64::from(offset_s) + 3 * 86_400 } else { i64::from(offset_s) };
    let (step, offset) = (step * 1_000, offset_s * 1_000);
    let Some(local) = from.checked_add(offset) else { return Vec::new() };
    let first = from.saturating_add((step - local.rem_euclid(step)) % step);
    (0..MOST_TIMES as i64).map(|i| Wall(first.saturating_add(i * step))).take_while(|at| at.0 <= to).collect()
}

fn moment(at: Wall, zone: &TimeZone) -> jiff::Zoned {
    Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH).to_zoned(zone.clone())
}

fn has_days(span: (Wall, Wall)) -> bool {
    span.1.0 as f64 - span.0.0 as f64 > DAYS_FROM_S * 1_000.0
}

/// A time on the axis: of day, or the date at midnight and in long spans.
pub(in crate::drawing) fn axis_label(at: Wall, span: (Wall, Wall), zone: &TimeZone) -> String {
    let at = moment(at, zone);
    let midnight = at.hour() == 0 && at.minute() == 0;
    at.strftime(if has_days(span) && midnight { "%m-%d" } else { "%H:%M" }).to_string()
}

/// A time beside a value.
pub(super) fn time_label(at: Wall, span: (Wall, Wall), zone: &TimeZone) -> String {
    moment(at, zone).strftime(if has_days(span) { "%m-%d %H:%M" } else { "%H:%M" }).to_string()
}
