//! Devices from their presence, and who stood behind whom.

use super::clocks::{Clocks, Scope};
use super::faults::{Episode, Life};
use super::{PastDevice, unknown, unreadable};
use crate::error::StoreError;
use roundsman_core::device::{Class, Network, Tier};
use roundsman_core::fault::{Ending, FaultId};
use roundsman_core::figures::account::Stretch;
use roundsman_core::figures::groups::Place;
use roundsman_core::figures::watch::{Moment, WatchNumber};
use roundsman_core::time::Wall;
use rusqlite::{Connection, Row};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of one answer: a thousand devices, each renamed or hidden a hundred times.
const MOST_ROWS: usize = 100_000;

/// How long before its root a fault may have been confirmed, and how long after it may last, to be one outage with it:
/// three polls of the usual interval and a verdict. The root and what hangs on it are not polled at once, and three polls
/// are what the engine takes to tell silence from a device without data.
const SAME_OUTAGE_MS: u64 = 200_000;

/// How far around a span it is looked for who stood behind whom: more than [`SAME_OUTAGE_MS`] and a day that the clock
/// is set by.
const MARGIN_MS: i64 = 2 * 86_400_000;

/// When and as what a device was in the site.
pub(super) struct Present {
    pub(super) place: Place,
    pub(super) called: PastDevice,
    pub(super) stretches: Vec<Stretch>,
}

/// A time that a device stood behind another.
pub(super) struct Hidden {
    pub(super) root: FaultId,
    from: Moment,
    to: Option<Moment>,
}

impl Hidden {
    pub(super) fn stretch(&self) -> Stretch {
        Stretch::Lived { from: self.from, to: self.to }
    }
}

/// From and to of a row, from the columns beginning at `first`.
fn ends(clocks: &Clocks, row: &Row<'_>, first: usize) -> Result<(Moment, Option<Moment>), StoreError> {
    let read = || -> rusqlite::Result<(u64, i64, Option<u64>, Option<i64>)> {
        Ok((row.get(first)?, row.get(first + 1)?, row.get(first + 2)?, row.get(first + 3)?))
    };
    let (from_watch, from, to_watch, to) = read().map_err(unreadable)?;
    let moment = |watch, wall| clocks.place(Moment { watch: WatchNumber(watch), wall: Wall(wall) });
    Ok((moment(from_watch, from), to_watch.zip(to).map(|(watch, wall)| moment(watch, wall))))
}

/// The parameters of a question for rows of the span.
fn bounds(scope: &Scope) -> [i64; 5] {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let (first, last) = scope.watches();
    [scope.from.0, scope.to.0, MOST_ROWS as i64 + 1, number(first), number(last)]
}

/// The devices that were in the site at some time of the span.
pub(super) fn present(
    conn: &Connection,
    clocks: &Clocks,
    scope: &Scope,
) -> Result<BTreeMap<Arc<str>, Present>, StoreError> {
    let sql = format!(
        "WITH doubtful AS MATERIALIZED ({})
         SELECT d.id, p.name, p.class, p.profile, p.tier, p.network, p.location, p.from_watch, p.from_wall,
           p.to_watch, p.to_wall
         FROM presence p JOIN device d ON d.row = p.device
         WHERE (p.from_wall < ?2 AND (p.to_watch IS NULL OR p.to_wall >= ?1))
           OR p.from_watch IN doubtful OR p.to_watch IN doubtful
         ORDER BY p.id LIMIT ?3",
        Scope::DOUBTFUL
    );
    let mut statement = conn.prepare_cached(&sql).map_err(unreadable)?;
    let mut found = statement.query(bounds(scope)).map_err(unreadable)?;
    let mut devices: BTreeMap<Arc<str>, Present> = BTreeMap::new();
    let mut count = 0;
    while let Some(row) = found.next().map_err(unreadable)? {
        count += 1;
        let ends = ends(clocks, row, 7)?;
        if !clocks.touches(scope, ends.0, ends.1) {
            continue;
        }
        let text = |at| row.get::<_, String>(at).map(Arc::<str>::from).map_err(unreadable);
        let (class, tier, network) = (text(2)?, text(4)?, text(5)?);
        let place = Place {
            class: Class::from_word(&class).ok_or_else(|| unknown(&class))?,
            tier: Tier::from_word(&tier).ok_or_else(|| unknown(&tier))?,
            network: Network::from_word(&network).ok_or_else(|| unknown(&network))?,
        };
        let called = PastDevice { name: text(1)?, profile: text(3)?, location: text(6)? };
        let stretch = Stretch::Lived { from: ends.0, to: ends.1 };
        let device = devices.entry(text(0)?).or_insert_with(|| Present {
            place,
            called: PastDevice::default(),
            stretches: Vec::new(),
        });
        device.stretches.push(stretch);
        (device.place, device.called) = (place, called);
    }
    if count > MOST_ROWS {
        return Err(StoreError::TooMuch { what: "changes of devices", limit: MOST_ROWS });
    }
    Ok(devices)
}

/// By device the stretches in which it stood behind another, oldest first: those of the span and [`MARGIN_MS`] around
/// it, where a fault of the span may have begun or ended.
pub(super) fn hidden(
    conn: &Connection,
    clocks: &Clocks,
    scope: &Scope,
) -> Result<BTreeMap<Arc<str>, Vec<Hidden>>, StoreError> {
    let scope = &scope.widened(MARGIN_MS);
    let sql = format!(
        "WITH doubtful AS MATERIALIZED ({})
         SELECT d.id, h.root, h.from_watch, h.from_wall, h.to_watch, h.to_wall
         FROM hidden h JOIN device d ON d.row = h.device
         WHERE (h.from_wall < ?2 AND (h.to_watch IS NULL OR h.to_wall >= ?1))
           OR h.from_watch IN doubtful OR h.to_watch IN doubtful
         ORDER BY h.id LIMIT ?3",
        Scope::DOUBTFUL
    );
    let mut statement = conn.prepare_cached(&sql).map_err(unreadable)?;
    let mut found = statement.query(bounds(scope)).map_err(unreadable)?;
    let mut devices: BTreeMap<Arc<str>, Vec<Hidden>> = BTreeMap::new();
    let mut count = 0;
    while let Some(row) = found.next().map_err(unreadable)? {
        count += 1;
        let ends = ends(clocks, row, 2)?;
        if clocks.touches(scope, ends.0, ends.1) {
            let device: String = row.get(0).map_err(unreadable)?;
            let root = FaultId(row.get(1).map_err(unreadable)?);
            devices.entry(device.into()).or_default().push(Hidden { root, from: ends.0, to: ends.1 });
        }
    }
    if count > MOST_ROWS {
        return Err(StoreError::TooMuch { what: "hidden devices", limit: MOST_ROWS });
    }
    Ok(devices)
}

/// The fault that a presence fault is one outage with, although it is another device's: each time that its condition
/// came, it was confirmed while its device stood behind that one, or shortly before, and did not outlast it by much.
/// What was broken before, or stays broken when the way is free again, stands for itself; so does what a value says,
/// for the value came through.
pub(super) fn behind(clocks: &Clocks, hidden: &[Hidden], life: &Life) -> Option<FaultId> {
    if !life.fault.key.is_presence() {
        return None;
    }
    let withdrawn = life.life.ended.filter(|(_, how)| *how == Ending::Withdrawn).map(|(at, _)| at);
    let mut roots = life.episodes.iter().map(|episode| {
        let is_withdrawn = episode.over.is_some() && episode.over == withdrawn;
        root(clocks, hidden, *episode, is_withdrawn)
    });
    let first = roots.next()??;
    roots.all(|root| root.is_some()).then_some(first)
}

fn root(clocks: &Clocks, hidden: &[Hidden], episode: Episode, is_withdrawn: bool) -> Option<FaultId> {
    let watches = clocks.placed();
    let soon = |from, to| from >= to || watches.between_ms(from, to).is_some_and(|ms| ms <= SAME_OUTAGE_MS);
    let confirmed = episode.confirmed;
    let at = hidden.iter().position(|hidden| {
        let is_after = hidden.to.is_some_and(|to| confirmed >= to);
        let was_over = episode.over.is_some_and(|over| over <= hidden.from);
        !is_after && !was_over && soon(confirmed, hidden.from)
    })?;
    let (first, later) = hidden.get(at..)?.split_first()?;
    // One that is passed on from root to root is hidden all the time.
    let mut end = first.to;
    for next in later {
        match end {
            Some(to) if soon(to, next.from) => end = next.to,
            _ => break,
        }
    }
    let is_one_with_it = match (end, episode.over) {
        (None, _) => true,
        (Some(end), Some(over)) => over <= end || (!is_withdrawn && soon(end, over)),
        // The way is free and it is still there: shown as its own, and counted so until it ends.
        (Some(_), None) => false,
    };
    is_one_with_it.then_some(first.root)
}
