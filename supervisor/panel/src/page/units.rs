//! The units of a device that has several: a video wall from the front, and a table of what each unit says.

use super::readings::{figure, over, title};
use super::rows;
use super::sight::Sight;
use crate::drawing::{Wall, WallPanel, wall};
use crate::site::{DeviceState, SiteDevice, SiteReading};
use crate::voice::Voice;
use askama::Template;
use roundsman_core::device::{Class, Grid};
use roundsman_core::reading::Value;

/// Rows and columns of the largest wall that is drawn; a larger one has its table alone.
const MOST_DRAWN: u8 = 10;
/// Widths for which the wall is drawn, CSS pixels; the page shows the one that fits.
const WIDE: f64 = 720.0;
const NARROW: f64 = 320.0;
/// The same of a tile.
const SMALL: f64 = 144.0;

/// One cell of the table.
struct Cell {
    text: String,
    absent: bool,
    over: Option<&'static str>,
}

struct Row {
    label: String,
    state: &'static str,
    word: String,
    cells: Vec<Cell>,
}

/// The part of the device page.
#[derive(Template)]
#[template(path = "page/device-units.html")]
pub(super) struct Units<'a> {
    v: &'a Voice,
    title: String,
    well: String,
    age: String,
    /// Older than it should be.
    old: bool,
    wide: String,
    narrow: String,
    columns: Vec<String>,
    rows: Vec<Row>,
}

/// One unit, with what its readings say.
struct Unit<'a> {
    label: String,
    state: DeviceState,
    word: String,
    readings: Vec<&'a SiteReading>,
}

impl<'a> Unit<'a> {
    fn of(label: String, device: &SiteDevice, readings: &'a [SiteReading], sight: &Sight, v: &Voice) -> Self {
        let readings: Vec<&SiteReading> = readings.iter().filter(|r| *r.instance == *label).collect();
        let fault = sight.faults().iter().find(|f| f.key.device == device.id && *f.key.instance == *label);
        let mut unit = Unit { label, state: DeviceState::Ok, word: String::new(), readings };
        unit.state = match fault {
            Some(fault) => DeviceState::of(fault.severity),
            None if matches!(device.state, DeviceState::Hidden | DeviceState::OutOfService) => device.state,
            None if unit.readings.iter().all(|r| r.sample.is_err()) => match device.last_poll {
                Some(_) => DeviceState::NoData,
                None => DeviceState::Pending,
            },
            None if unit.says("panel.power") == Some("off") => DeviceState::OutOfService,
            None => DeviceState::Ok,
        };
        // What is wrong in the unit's own words, else how bad it is.
        let telling = [("panel.link", "silent"), ("panel.power", "off"), ("panel.signal", "no-signal")];
        let told = telling.into_iter().find(|(metric, word)| unit.says(metric) == Some(*word));
        unit.word = match (unit.state, told) {
            (DeviceState::Ok, _) => v.text(&DeviceState::Ok.name()),
            (_, Some((_, word))) => v.word(word),
            (state, None) => unit.beyond(v).unwrap_or_else(|| v.text(&state.name())),
        };
        unit
    }

    fn reading(&self, metric: &str) -> Option<&'a SiteReading> {
        self.readings.iter().copied().find(|r| &*r.metric == metric)
    }

    /// The word of a state.
    fn says(&self, metric: &str) -> Option<&'a str> {
        self.reading(metric)?.sample.as_ref().ok()?.word().map(|word| &**word)
    }

    /// What people read of a metric; empty where it has no value.
    fn shown(&self, metric: &str, v: &Voice) -> String {
        let reading = self.reading(metric).filter(|r| r.sample.is_ok());
        reading.map(|r| figure(r, v).line()).unwrap_or_default()
    }

    /// The first figure that is beyond a limit.
    fn beyond(&self, v: &Voice) -> Option<String> {
        let is_over = |r: &&&SiteReading| {
            let number = r.sample.as_ref().ok().and_then(Value::number);
            number.is_some_and(|x| over(x, &r.limits).is_some())
        };
        self.readings.iter().find(is_over).map(|r| figure(r, v).line())
    }

    /// The line below the input: what signal, or how warm.
    fn note(&self, v: &Voice) -> String {
        match self.says("panel.signal") {
            Some("ok") | None => self.shown("temperature.value", v),
            Some(word) => v.word(word),
        }
    }

    fn is_lit(&self) -> bool {
        self.says("panel.power") == Some("on") && self.says("panel.signal").is_none_or(|word| word == "ok")
    }
}

fn draw(device: &SiteDevice, grid: Grid, units: &[Unit<'_>], width: f64, v: &Voice) -> String {
    let told = |unit: &Unit<'_>| (unit.shown("panel.input", v), unit.note(v));
    let told: Vec<(String, String)> = units.iter().map(told).collect();
    let panels = units.iter().zip(&told).map(|(unit, (input, signal))| WallPanel {
        state: unit.state,
        word: &unit.word,
        input,
        signal,
        lit: unit.is_lit(),
    });
    let panels: Vec<WallPanel<'_>> = panels.collect();
    let (rows, columns) = (usize::from(grid.rows), usize::from(grid.columns));
    wall(&Wall { label: &device.name, rows, columns, panels: &panels, width })
}

fn is_drawn(device: &SiteDevice, grid: Grid) -> bool {
    device.class == Class::VideoWall && grid.rows <= MOST_DRAWN && grid.columns <= MOST_DRAWN
}

fn all<'a>(
    device: &SiteDevice,
    grid: Grid,
    readings: &'a [SiteReading],
    sight: &Sight,
    v: &Voice,
) -> Vec<Unit<'a>> {
    grid.labels().map(|label| Unit::of(label, device, readings, sight, v)).collect()
}

/// How many of them are well, of how many.
fn well(units: &[Unit<'_>]) -> String {
    let well = units.iter().filter(|unit| unit.state == DeviceState::Ok).count();
    format!("{well}/{}", units.len())
}

/// A video wall as it stands on a tile, and how many of its panels are well; `None` where it is not drawn.
pub(super) fn in_small(
    device: &SiteDevice,
    grid: Grid,
    readings: &[SiteReading],
    sight: &Sight,
    v: &Voice,
) -> Option<(String, String)> {
    let units = all(device, grid, readings, sight, v);
    is_drawn(device, grid).then(|| (draw(device, grid, &units, SMALL, v), well(&units)))
}

/// The part for a device that is a grid of units.
pub(super) fn units<'a>(
    device: &SiteDevice,
    grid: Grid,
    readings: &[SiteReading],
    sight: &Sight,
    v: &'a Voice,
) -> Units<'a> {
    let units = all(device, grid, readings, sight, v);
    let mut metrics: Vec<&SiteReading> = Vec::new();
    for reading in readings.iter().filter(|r| !r.instance.is_empty()) {
        if !metrics.iter().any(|known| known.metric == reading.metric) {
            metrics.push(reading);
        }
    }
    let cell = |unit: &Unit<'_>, metric: &SiteReading| {
        let Some(reading) = unit.reading(&metric.metric) else {
            return Cell { text: "—".to_owned(), absent: true, over: None };
        };
        let number = reading.sample.as_ref().ok().and_then(Value::number);
        Cell {
            text: figure(reading, v).line(),
            absent: reading.sample.is_err(),
            over: number.and_then(|x| over(x, &reading.limits)),
        }
    };
    let row = |unit: &Unit<'_>| Row {
        label: unit.label.clone(),
        state: unit.state.word(),
        word: unit.word.clone(),
        cells: metrics.iter().map(|metric| cell(unit, metric)).collect(),
    };
    let picture =
        |width| if is_drawn(device, grid) { draw(device, grid, &units, width, v) } else { String::new() };
    Units {
        v,
        title: v
            .t(if device.class == Class::VideoWall { "device.panels" } else { "device.units" })
            .into_owned(),
        well: well(&units),
        age: device.last_poll.map(|at| v.n("device.as-of", v.clock(at))).unwrap_or_default(),
        old: rows::overdue_ms(device, sight.now).is_some(),
        wide: picture(WIDE),
        narrow: picture(NARROW),
        columns: metrics.iter().map(|metric| title(metric, v)).collect(),
        rows: units.iter().map(row).collect(),
    }
}
