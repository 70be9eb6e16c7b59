//! From polls to `hot` rows: which series they belong to, what changed, when a device is written in whole.
//!
//! A device's polls mostly have the same points in the same order. [`Known::layout`] holds that order with the series
//! of each point, so that no name is looked at; only where a poll differs are its points found by their names.

use super::chunk::SeriesKind;
use super::clock::{self, Stretch};
use super::hot::{self, Point};
use super::poll::Poll;
use super::series;
use crate::records::device_row;
use crate::{ClockMark, latest, records};
use roundsman_core::model::{InstanceIx, MetricIx, Model};
use roundsman_core::reading::{Sample, Value};
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

/// What a point was when it was last written.
mod state {
    pub(super) const NEVER: u8 = 0;
    pub(super) const GONE: u8 = 1;
    pub(super) const VALUE: u8 = 2;
    pub(super) const FIRST_BAD: u8 = 3;
}

/// One series of a device. Names are remembered as 64 bits with a random key: two names of one device fall together
/// once in 10¹⁵ devices.
struct Slot {
    name: u64,
    /// The value that was written last: the bits of a number, a hash of a word.
    last: u64,
    series: u32,
    kind: SeriesKind,
    state: u8,
}

/// Labels of instances, by their index.
type Labels = Arc<[Arc<str>]>;

/// Where the points of a poll go.
#[derive(Default)]
struct Layout {
    /// What the indices below mean.
    names: Option<(Arc<Model>, Labels)>,
    points: Vec<Place>,
}

/// One point of a poll that history keeps.
struct Place {
    metric: MetricIx,
    instance: InstanceIx,
    /// Position of its slot, or [`NO_SLOT`].
    slot: u32,
}

/// A point that never had a value is no series: most devices lack some metrics of their profile for ever.
const NO_SLOT: u32 = u32::MAX;

impl Layout {
    /// Whether it is that of this poll, and every point with a value has its series.
    fn fits(&self, poll: &Poll, slots: &[Slot], is_full: bool) -> bool {
        let same_names = self
            .names
            .as_ref()
            .is_some_and(|(model, names)| Arc::ptr_eq(model, &poll.model) && Arc::ptr_eq(names, &poll.names));
        let mut places = self.points.iter();
        same_names
            && poll.points().all(|(metric, instance, sample)| {
                places.next().is_some_and(|place| {
                    let kind = kind(sample);
                    let known = slots.get(place.slot as usize).map(|slot| slot.kind);
                    (place.metric, place.instance) == (metric, instance)
                        && (kind.is_none() || kind == known || is_full && place.slot == NO_SLOT)
                })
            })
            && places.next().is_none()
    }
}

struct Known {
    row: i64,
    /// In the order in which they were met.
    slots: Vec<Slot>,
    layout: Layout,
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
    /// Room for the points of one poll.
    points: Vec<(u32, Point)>,
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
            points: Vec::new(),
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
            let device = self.points(conn, &poll, window)?;
            let before_ms = mark.now.mono.0.cast_signed().saturating_sub_unsigned(poll.taken_at().0);
            let part = parts.entry(hot::part_of(device)).or_insert_with(hot::begin);
            hot::add(part, device, before_ms, poll.outcome(), &self.points);
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

    /// The device's row; what is to be written of the poll is left in `self.points`, in the order of the series.
    fn points(&mut self, conn: &Connection, poll: &Poll, window: (i64, i64)) -> rusqlite::Result<i64> {
        let (cycle, names, points) = (self.next_cycle, &self.names, &mut self.points);
        points.clear();
        let known = match self.devices.entry(poll.device.clone()) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(load(conn, &poll.device, names)?)
            }
        };
        if !poll.readings.answered {
            return Ok(known.row);
        }
        let in_whole = known.window != Some(window);
        known.window = Some(window);
        if !known.layout.fits(poll, &known.slots, known.is_full) {
            known.lay_out(conn, names, poll, points)?;
        }
        for (place, (.., sample)) in known.layout.points.iter().zip(poll.points()) {
            if let Some(slot) = known.slots.get_mut(place.slot as usize) {
                slot.take(names, sample, in_whole, points);
            }
        }
        if !points.is_sorted_by_key(|(series, _)| *series) {
            points.sort_by_key(|(series, _)| *series);
        }
        points.dedup_by_key(|(series, _)| *series);
        let due = known.snapshot_due.is_none_or(|due| due <= poll.taken_at());
        if due || known.profile != poll.profile {
            let body = latest::encode(std::iter::once(poll.latest()));
            conn.prepare_cached("INSERT OR REPLACE INTO snapshot (device, cycle, body) VALUES (?1, ?2, ?3)")?
                .execute(params![known.row, cycle, body])?;
            let first = known.snapshot_due.is_none();
            let spread = if first { known.row.rem_euclid(60).cast_unsigned() * 60_000 } else { 0 };
            known.snapshot_due = Some(poll.taken_at().plus_ms(SNAPSHOT_EVERY_MS - spread));
            known.profile = poll.profile.clone();
        }
        Ok(known.row)
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
    Ok(Known {
        row,
        slots,
        layout: Layout::default(),
        window: None,
        profile: "".into(),
        snapshot_due: None,
        is_full: false,
    })
}

/// The kind of series a value belongs to; `None` without a value.
fn kind(sample: &Sample) -> Option<SeriesKind> {
    sample.as_ref().ok().map(|value| match value {
        Value::Number(_) => SeriesKind::Number,
        Value::Counter32(_) | Value::Counter64(_) => SeriesKind::Counter,
        Value::State(_) => SeriesKind::State,
        Value::Text(_) => SeriesKind::Text,
    })
}

impl Slot {
    fn new(name: u64, series: u32, kind: SeriesKind) -> Slot {
        Slot { name, last: 0, series, kind, state: state::NEVER }
    }

    /// Takes what a poll brought; it is written where it changed.
    fn take(&mut self, names: &RandomState, sample: &Sample, in_whole: bool, points: &mut Vec<(u32, Point)>) {
        let now = match sample {
            Ok(Value::Number(x)) => (state::VALUE, x.to_bits()),
            Ok(Value::Counter32(n)) => (state::VALUE, u64::from(*n)),
            Ok(Value::Counter64(n)) => (state::VALUE, *n),
            Ok(Value::State(word) | Value::Text(word)) => (state::VALUE, names.hash_one(&**word)),
            Err(absence) => (state::FIRST_BAD + hot::number_of(*absence), 0),
        };
        if (self.state, self.last) != now || in_whole {
            (self.state, self.last) = now;
            points.push((self.series, Point::of(sample)));
        }
    }

    /// It is no longer there.
    fn end(&mut self, points: &mut Vec<(u32, Point)>) {
        if self.state != state::GONE {
            self.state = state::GONE;
            points.push((self.series, Point::Gone));
        }
    }
}

impl Known {
    /// Finds the series of a poll's points by their names, makes those that are new, and ends those that it no longer
    /// has: also what an earlier process wrote and what was gone before this one looked.
    fn lay_out(
        &mut self,
        conn: &Connection,
        names: &RandomState,
        poll: &Poll,
        points: &mut Vec<(u32, Point)>,
    ) -> rusqlite::Result<()> {
        let mut by_name: HashMap<u64, u32> =
            self.slots.iter().zip(0..).map(|(slot, at)| (slot.name, at)).collect();
        let mut places = Vec::new();
        let mut present = vec![false; self.slots.len()];
        for (metric, instance, sample) in poll.points() {
            let (group, label) = poll.names(metric, instance);
            let name = names.hash_one((group, label));
            let slot = match (by_name.get(&name).copied(), kind(sample)) {
                (Some(at), Some(kind)) if self.slots[at as usize].kind != kind => {
                    let slot = &mut self.slots[at as usize];
                    points.push((slot.series, Point::Gone));
                    slot.series = series::intern(conn, self.row, group, label, kind)?;
                    (slot.kind, slot.state) = (kind, state::NEVER);
                    at
                }
                (Some(at), _) => at,
                (None, None) => NO_SLOT,
                (None, Some(_)) if self.slots.len() >= MOST_SERIES => {
                    if !std::mem::replace(&mut self.is_full, true) {
                        tracing::error!(
                            device = self.row,
                            metric = group,
                            instance = label,
                            "the device has {MOST_SERIES} series, further ones have no history"
                        );
                    }
                    NO_SLOT
                }
                (None, Some(kind)) => {
                    let series = series::intern(conn, self.row, group, label, kind)?;
                    let at = self.slots.len() as u32;
                    self.slots.push(Slot::new(name, series, kind));
                    present.push(false);
                    by_name.insert(name, at);
                    at
                }
            };
            if let Some(present) = present.get_mut(slot as usize) {
                *present = true;
            }
            places.push(Place { metric, instance, slot });
        }
        for (slot, _) in self.slots.iter_mut().zip(present).filter(|(_, present)| !present) {
            slot.end(points);
        }
        // Growing doubles; of a thousand devices that would be several MB for nothing.
        self.slots.shrink_to_fit();
        places.shrink_to_fit();
        self.layout = Layout { names: Some((poll.model.clone(), poll.names.clone())), points: places };
        Ok(())
    }
}
