//! What a state was over time, as a strip.

use super::chart::axis::{axis_label, times};
use super::series::{broken, share};
use super::text::{fit, width};
use super::write::{Path, Svg, within};
use jiff::tz::TimeZone;
use roundsman_core::time::Wall;

/// Runs drawn, the newest ones: as many as history answers with.
const MOST: usize = 1_000;
/// Line for the times below.
const FOOT: f64 = 28.0;
/// Distance of the hatching lines where there was no value.
const HATCH: f64 = 8.0;
/// A change that lasted for a moment is still seen.
const NARROWEST: f64 = 2.0;

/// A time during which the state stayed the same.
#[derive(Clone, Debug)]
pub struct Run {
    /// From the first to the last poll that said so.
    pub span: (Wall, Wall),
    /// The state, or why there was none.
    pub word: String,
    /// It is the state that it has most of the time.
    pub usual: bool,
    /// There was no value.
    pub absent: bool,
}

/// What a strip shows.
#[derive(Clone, Copy, Debug)]
pub struct RunStrip<'a> {
    /// What it shows, in words.
    pub label: &'a str,
    /// From when to when.
    pub span: (Wall, Wall),
    /// Seconds between two polls; the strip has a gap where two are missing.
    pub interval_s: u32,
    /// Oldest first.
    pub runs: &'a [Run],
    /// The site's zone, for the times.
    pub zone: &'a TimeZone,
    /// Width in CSS pixels, 240 to 4,096.
    pub width: f64,
    /// Height in CSS pixels, 56 to 512.
    pub height: f64,
}

/// One block a run, with its word where there is room: the usual state calm, others bright, no value hatched, gaps
/// empty.
#[must_use]
pub fn run_strip(s: &RunStrip<'_>) -> String {
    let (wide, high) = (within(s.width, 240.0, 4_096.0), within(s.height, 56.0, 512.0));
    let span = if s.span.0 <= s.span.1 { s.span } else { (s.span.1, s.span.0) };
    let mut svg = Svg::new("runs", wide, high, s.label);
    let bottom = high - FOOT;
    let x = |at: Wall| share(Wall(at.0.clamp(span.0.0, span.1.0)), span).unwrap_or(0.0) * wide;
    let mut ground = Path::default();
    svg.path("d-gap-ground", ground.rect(0.0, 0.0, wide, bottom));
    let runs = &s.runs[s.runs.len().saturating_sub(MOST)..];
    for (at, run) in runs.iter().enumerate() {
        // A state goes on until the poll that says something else, unless polls are missing between.
        let next = runs.get(at + 1).map_or(span.1, |next| next.span.0);
        let until = if broken(run.span.1, next, s.interval_s) { run.span.1 } else { next };
        let (left, right) = (x(run.span.0), x(until));
        let wide = (right - left).max(NARROWEST);
        let class = match run {
            Run { absent: true, .. } => "r-absent",
            Run { usual: true, .. } => "r-usual",
            _ => "r-other",
        };
        svg.tag("g").word("class", class).open();
        svg.title(&run.word);
        let mut block = Path::default();
        svg.path("r-block", block.rect(left, 0.0, wide, bottom));
        if run.absent {
            let mut hatch = Path::default();
            svg.path("d-gap", hatch.hatch(left, 0.0, wide, bottom, HATCH));
        }
        if width(&run.word, 14.0) + 12.0 <= wide {
            svg.text("r-word", left + 6.0, bottom / 2.0 + 5.0, &fit(&run.word, wide - 12.0, 14.0));
        }
        svg.end("g");
    }
    let mut grid = Path::default();
    for at in times(span, wide, s.zone) {
        grid.at(x(at), bottom).to(x(at), bottom + 4.0);
        let text = axis_label(at, span, s.zone);
        let half = width(&text, 14.0) / 2.0;
        if x(at) - half >= 0.0 && x(at) + half <= wide {
            svg.text("d-time", x(at), bottom + 20.0, &text);
        }
    }
    svg.path("d-grid", &grid);
    svg.finish()
}
