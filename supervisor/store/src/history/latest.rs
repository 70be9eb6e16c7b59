//! The latest readings at a start: the snapshot of each device, and what the cycles after it changed.

use super::chunk::SeriesKind;
use super::clock::RowClock;
use super::hot::{self, Outcome, Point};
use super::series;
use crate::error::StoreError;
use crate::latest::{self, LatestDevice, LatestReading};
use roundsman_core::reading::{Sample, Value};
use roundsman_core::time::Wall;
use rusqlite::Connection;
use std::collections::BTreeMap;

struct Device {
    cycle: i64,
    known: LatestDevice,
    outcome: Outcome,
    /// What it has, by series; each stays until it changes.
    samples: BTreeMap<u32, Sample>,
    series: BTreeMap<u32, series::Row>,
}

/// The latest readings of every device that ever answered. A device without cycles after its snapshot has that; one
/// whose snapshot cannot be read has none until its next poll.
pub(crate) fn readings(conn: &Connection) -> Result<Vec<LatestDevice>, StoreError> {
    let failed = |e: rusqlite::Error| StoreError::sqlite("restore the latest readings", &e);
    let mut devices = snapshots(conn).map_err(failed)?;
    replay(conn, &mut devices).map_err(failed)?;
    Ok(devices.into_values().map(Device::into_latest).collect())
}

fn snapshots(conn: &Connection) -> rusqlite::Result<BTreeMap<i64, Device>> {
    let mut select = conn.prepare("SELECT device, cycle, body FROM snapshot ORDER BY device")?;
    let mut rows = select.query([])?;
    let mut devices = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let mut decoded = match latest::decode(row.get_ref(2)?.as_blob()?) {
            Ok(decoded) => decoded,
            Err(reason) => {
                tracing::warn!(device = id, reason, "a device's saved readings cannot be read");
                continue;
            }
        };
        let Some(known) = decoded.pop() else { continue };
        let series: BTreeMap<u32, series::Row> =
            series::of_device(conn, id)?.into_iter().map(|series| (series.id, series)).collect();
        let by_name: BTreeMap<(&str, &str), u32> =
            series.values().map(|series| ((&*series.metric, &*series.instance), series.id)).collect();
        let mut samples = BTreeMap::new();
        for reading in &known.readings {
            if let Some(id) = by_name.get(&(&*reading.metric, &*reading.instance)) {
                samples.insert(*id, reading.sample.clone());
            }
        }
        devices.insert(id, Device { cycle: row.get(1)?, outcome: Ok(()), known, samples, series });
    }
    Ok(devices)
}

fn replay(conn: &Connection, devices: &mut BTreeMap<i64, Device>) -> rusqlite::Result<()> {
    let Some(first) = devices.values().map(|device| device.cycle).min() else { return Ok(()) };
    let select = format!(
        "SELECT h.id >> 16, h.body, {} FROM hot h JOIN stretch s ON s.id = h.stretch WHERE h.id >= ?1 ORDER BY h.id",
        RowClock::COLUMNS
    );
    let mut rows = conn.prepare(&select)?;
    let mut rows = rows.query([hot::row_of(first, 0)])?;
    while let Some(row) = rows.next()? {
        let (cycle, clock): (i64, _) = (row.get(0)?, RowClock::read(row, 2)?);
        let result =
            hot::sections(row.get_ref(1)?.as_blob()?, |section| match devices.get_mut(&section.device) {
                Some(device) if device.cycle <= cycle => device.take(&section, clock),
                _ => Ok(()),
            });
        if let Err(reason) = result {
            tracing::warn!(reason, "a cycle cannot be read; waiting for the first polls instead");
        }
    }
    Ok(())
}

impl Device {
    fn take(&mut self, section: &hot::Section<'_>, clock: RowClock) -> crate::bytes::Decoded<()> {
        if let Some(wall) = clock.wall() {
            self.known.taken_at = Wall(wall.saturating_sub(section.before_ms));
        }
        self.outcome = section.outcome;
        if section.outcome.is_err() {
            return Ok(());
        }
        let (series, samples) = (&self.series, &mut self.samples);
        section.points(|id, point| {
            let Some(kind) = series.get(&id).map(|series| series.kind) else { return };
            let sample = match point {
                Point::Number(x) => Ok(Value::Number(x)),
                Point::Counter(n) => Ok(Value::Counter64(n)),
                Point::Word(word) if kind == SeriesKind::Text => Ok(Value::Text(word)),
                Point::Word(word) => Ok(Value::State(word)),
                Point::Bad(absence) => Err(absence),
                Point::Gone => {
                    samples.remove(&id);
                    return;
                }
            };
            samples.insert(id, sample);
        })
    }

    fn into_latest(self) -> LatestDevice {
        let Device { known, outcome, samples, series, .. } = self;
        let readings = samples.into_iter().filter_map(|(id, sample)| {
            let series = series.get(&id)?;
            Some(LatestReading {
                metric: series.metric.as_str().into(),
                instance: series.instance.as_str().into(),
                sample: outcome.map_or_else(Err, |()| sample),
            })
        });
        LatestDevice { answered: outcome.is_ok(), readings: readings.collect(), ..known }
    }
}
