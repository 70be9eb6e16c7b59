//! From polls to `hot` rows: which series they belong to, what changed, when a device is written in whole.

use super::chunk::SeriesKind;
use super::clock::{self, Stretch};
use super::hot::{self, Outcome, Point};
use super::series;
use crate::latest::{self, LatestDevice, LatestReading};
use crate::records::device_row;
use crate::{ClockMark, records};
use roundsman_core::reading::{Absence, Value};
use roundsman_core::time::Mono;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// How often a device is written in whole: bounds what a start must read to know the latest readings. Each device at
/// a minute of its own, so that no minute has them all.
const SNAPSHOT_EVERY_MS: u64 = 3_600_000;

/// Series of one device that are kept: 1,200 interfaces with 8 columns twice over. What comes later is polled and judged
/// as any other, but has no history: an agent that thinks up names for ever must not fill the disk.
#[cfg(not(test))]
const MOST_SERIES: usize = 20_000;
#[cfg(test)]
pub(super) const MOST_SERIES: usize = 40;

/// A poll that ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Poll {
    /// When it ended, on the steady clock: its wall time is worked out from the cycle's mark, so that a step between
    /// the two does not tear it from its neighbours.
    pub taken_at: Mono,
    /// What it brought: the readings that history keeps (`record` is not `none`). Without an answer the quality
    /// of the readings says why; they are not stored one by one.
    pub poll: LatestDevice,
}

impl Poll {
    fn outcome(&self) -> Outcome {
        if self.poll.answered {
            return Ok(());
        }
        let mut counts = BTreeMap::<Absence, usize>::new();
        for absence in self.poll.readings.iter().filter_map(|reading| reading.sample.as_ref().err()) {
            *counts.entry(*absence).or_default() += 1;
        }
        Err(counts.into_iter().max_by_key(|(_, n)| *n).map_or(Absence::Timeout, |(absence, _)| absence))
    }
}

/// What a point was when it was last written.
mod state {
    pub(super) const NEVER: u8 = 0;
    pub(super) const GONE: u8 = 1;
    pub(super) const VALUE: u8 = 2;
    pub(super) const FIRST_BAD: u8 = 3;
}

/// One point of a device. Names are remembered as 64 bits with a random key: 226 points of a thousand devices take
/// 8 MB this way, and two names of one device fall together once in 10¹⁵ devices.
struct Slot {
    name: u64,
    /// The value that was written last: the bits of a number, a hash of a word.
    last: u64,
    series: u32,
    /// The poll that saw it last, by [`Recorder::serial`].
    seen: u32,
    kind: SeriesKind,
    state: u8,
}

struct Known {
    row: i64,
    /// Sorted by name.
    slots: Vec<Slot>,
    /// Stretch and window of its latest answered poll.
    window: Option<(i64, i64)>,
    profile: Arc<str>,
    snapshot_due: Option<Mono>,
    /// It was said that there are too many series.
    is_full: bool,
}

/// Writes cycles.
pub(crate) struct Recorder {
    devices: HashMap<Arc<str>, Known>,
    names: RandomState,
    next_cycle: i64,
    /// Counts polls, to tell what one of them did not have.
    serial: u32,
    stretch: Option<Stretch>,
}

impl Recorder {
    /// Goes on where the store stopped.
    pub(crate) fn start(conn: &Connection) -> rusqlite::Result<Recorder> {
        let newest: Option<i64> = conn
            .query_row("SELECT id >> 16 FROM hot ORDER BY id DESC LIMIT 1", [], |row| row.get(0))
            .optional()?;
        let covered: i64 = conn.query_row("SELECT cycle FROM covered", [], |row| row.get(0))?;
        Ok(Recorder {
            devices: HashMap::new(),
            names: RandomState::new(),
            next_cycle: newest.unwrap_or(0).max(covered) + 1,
            serial: 0,
            stretch: clock::last(conn)?,
        })
    }

    /// The stretch that goes on.
    pub(crate) fn stretch(&self) -> Option<&Stretch> {
        self.stretch.as_ref()
    }

    /// Writes a cycle, inside the caller's transaction. If that is taken back the recorder must be started anew.
    pub(crate) fn append(
        &mut self,
        conn: &Connection,
        mark: &ClockMark,
        polls: &mut dyn Iterator<Item = Poll>,
    ) -> rusqlite::Result<()> {
        let stretch = clock::advance(conn, self.stretch.as_ref(), mark)?;
        let window = (stretch.id, stretch.window());
        self.stretch = Some(stretch);
        let mut parts: BTreeMap<i64, Vec<u8>> = BTreeMap::new();
        for poll in polls {
            let (device, points) = self.points(conn, &poll, window)?;
            let before_ms = mark.now.mono.0.cast_signed().saturating_sub_unsigned(poll.taken_at.0);
            let part = parts.entry(hot::part_of(device)).or_insert_with(hot::begin);
            hot::add(part, device, before_ms, poll.outcome(), &points);
        }
        let mut insert = conn
            .prepare_cached("INSERT INTO hot (id, stretch, mono, wall, body) VALUES (?1, ?2, ?3, ?4, ?5)")?;
        let mono = records::integer(mark.now.mono.0)?;
        for (part, body) in parts {
            let id = hot::row_of(self.next_cycle, part);
            insert.execute(params![id, window.0, mono, mark.now.wall.0, body])?;
        }
        self.next_cycle += 1;
        Ok(())
    }

    /// The device's row and what is to be written of a poll, in the order of the series.
    fn points(
        &mut self,
        conn: &Connection,
        poll: &Poll,
        window: (i64, i64),
    ) -> rusqlite::Result<(i64, Vec<(u32, Point)>)> {
        let cycle = self.next_cycle;
        let names = &self.names;
        let known = match self.devices.entry(poll.poll.device.clone()) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(load(conn, &poll.poll.device, names)?)
            }
        };
        if !poll.poll.answered {
            return Ok((known.row, Vec::new()));
        }
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let in_whole = known.window != Some(window);
        known.window = Some(window);
        let mut points = Vec::with_capacity(poll.poll.readings.len());
        for reading in &poll.poll.readings {
            known.read(conn, names, reading, serial, in_whole, &mut points)?;
        }
        // Growing doubles; of a thousand devices that would be several MB for nothing.
        known.slots.shrink_to_fit();
        for slot in &mut known.slots {
            // Also what an earlier process wrote and what was gone before this one looked.
            if slot.seen != serial && slot.state != state::GONE {
                slot.state = state::GONE;
                points.push((slot.series, Point::Gone));
            }
        }
        points.sort_by_key(|(series, _)| *series);
        points.dedup_by_key(|(series, _)| *series);
        let due = known.snapshot_due.is_none_or(|due| due <= poll.taken_at);
        if due || known.profile != poll.poll.profile {
            let body = latest::encode(std::iter::once(poll.poll.clone()));
            conn.prepare_cached("INSERT OR REPLACE INTO snapshot (device, cycle, body) VALUES (?1, ?2, ?3)")?
                .execute(params![known.row, cycle, body])?;
            let first = known.snapshot_due.is_none();
            let spread = if first { known.row.rem_euclid(60).cast_unsigned() * 60_000 } else { 0 };
            known.snapshot_due = Some(poll.taken_at.plus_ms(SNAPSHOT_EVERY_MS - spread));
            known.profile = poll.poll.profile.clone();
        }
        Ok((known.row, points))
    }
}

/// What the store knows of a device from before.
fn load(conn: &Connection, device: &str, names: &RandomState) -> rusqlite::Result<Known> {
    let row = device_row(conn, device)?;
    series::intern(conn, row, series::POLLS, "", SeriesKind::Polls)?;
    let mut slots: Vec<Slot> = Vec::new();
    // A later kind of the same name stands behind the earlier one and takes its place.
    for known in series::of_device(conn, row)?.into_iter().rev() {
        let name = names.hash_one((&*known.metric, &*known.instance));
        if known.kind != SeriesKind::Polls && slots.iter().all(|slot| slot.name != name) {
            slots.push(Slot::new(name, known.id, known.kind));
        }
    }
    slots.sort_by_key(|slot| slot.name);
    Ok(Known { row, slots, window: None, profile: "".into(), snapshot_due: None, is_full: false })
}

impl Slot {
    fn new(name: u64, series: u32, kind: SeriesKind) -> Slot {
        Slot { name, last: 0, series, seen: 0, kind, state: state::NEVER }
    }
}

impl Known {
    fn read(
        &mut self,
        conn: &Connection,
        names: &RandomState,
        reading: &LatestReading,
        serial: u32,
        in_whole: bool,
        points: &mut Vec<(u32, Point)>,
    ) -> rusqlite::Result<()> {
        let name = names.hash_one((&*reading.metric, &*reading.instance));
        let kind = reading.sample.as_ref().ok().map(|value| match value {
            Value::Number(_) => SeriesKind::Number,
            Value::Counter32(_) | Value::Counter64(_) => SeriesKind::Counter,
            Value::State(_) => SeriesKind::State,
            Value::Text(_) => SeriesKind::Text,
        });
        let at = match (self.slots.binary_search_by_key(&name, |slot| slot.name), kind) {
            (Ok(at), Some(kind)) if self.slots[at].kind != kind => {
                let old = &mut self.slots[at];
                points.push((old.series, Point::Gone));
                old.series = series::intern(conn, self.row, &reading.metric, &reading.instance, kind)?;
                (old.kind, old.state) = (kind, state::NEVER);
                at
            }
            (Ok(at), _) => at,
            // What never had a value is no series: most devices lack some metrics of their profile for ever.
            (Err(_), None) => return Ok(()),
            (Err(_), _) if self.slots.len() >= MOST_SERIES => {
                if !std::mem::replace(&mut self.is_full, true) {
                    tracing::error!(
                        device = self.row,
                        metric = &*reading.metric,
                        instance = &*reading.instance,
                        "the device has {MOST_SERIES} series, further ones have no history"
                    );
                }
                return Ok(());
            }
            (Err(at), Some(kind)) => {
                let series = series::intern(conn, self.row, &reading.metric, &reading.instance, kind)?;
                self.slots.insert(at, Slot::new(name, series, kind));
                at
            }
        };
        let slot = &mut self.slots[at];
        slot.seen = serial;
        let now = match &reading.sample {
            Ok(Value::Number(x)) => (state::VALUE, x.to_bits()),
            Ok(Value::Counter32(n)) => (state::VALUE, u64::from(*n)),
            Ok(Value::Counter64(n)) => (state::VALUE, *n),
            Ok(Value::State(word) | Value::Text(word)) => (state::VALUE, names.hash_one(&**word)),
            Err(absence) => (state::FIRST_BAD + hot::number_of(*absence), 0),
        };
        if (slot.state, slot.last) == now && !in_whole {
            return Ok(());
        }
        (slot.state, slot.last) = now;
        points.push((slot.series, Point::of(&reading.sample)));
        Ok(())
    }
}
