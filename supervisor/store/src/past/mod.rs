//! What happened in a span of time, as the figures of a week and its report need it.
//!
//! **Duty.** From rows to the past that [`roundsman_core::figures`] reckons with: each moment in its watch
//! ([`clocks`]), each fault's life from its transitions ([`faults`]), each device's from its presence, its presence faults
//! and the stretches in which it stood behind another ([`devices`]).
//!
//! **Refuses.** It computes no figure and knows no calendar. It reads nothing from the site file: a past week looks the
//! same after the site has changed. What was not recorded stays unknown, and what is too much is an error, never a
//! part of the answer.

mod clocks;
mod devices;
mod faults;

use crate::error::StoreError;
use crate::reader::Reader;
use clocks::Clocks;
pub(crate) use clocks::passed_since;
use roundsman_core::fault::{Fault, FaultId};
use roundsman_core::figures::availability::DeviceLife;
use roundsman_core::figures::faults::FaultLife;
use roundsman_core::figures::watch::Watches;
use roundsman_core::time::Wall;
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How long it may take to read: five weeks with as many faults as one answer may have, on a small box. It holds one of
/// the two connections meanwhile, the panel has the other.
const LIMIT: Duration = Duration::from_secs(20);

/// What happened in a span of time, as far as figures and reports need it.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// When the box watched: all watches that touch the span, and those before and after them.
    pub watches: Watches,
    /// Every device that was in the site at some time of the span, in the order of their ids.
    pub devices: Vec<DeviceLife>,
    /// Every fault that was open at some time of the span, and the roots of the hidden ones, in the order of their
    /// ids.
    pub faults: Vec<FaultLife>,
    /// What people call these devices, by id.
    pub names: BTreeMap<Arc<str>, PastDevice>,
    /// These faults as they stand now: summary, advice, who acknowledged. Their times are what the clock showed; the
    /// moments in [`Past::faults`] are what it was found to be later.
    pub details: BTreeMap<FaultId, Fault>,
}

/// What people call a device: as the site file had it last in the span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastDevice {
    /// Name shown to people.
    pub name: Arc<str>,
    /// Where it stands, for people; may be empty.
    pub location: Arc<str>,
    /// Id of its profile.
    pub profile: Arc<str>,
}

impl Reader {
    /// What happened between two wall times, `to` not included; five weeks of a large site are fine.
    ///
    /// # Errors
    /// [`StoreError::TooMuch`] where an answer would have to leave something out; see [`StoreError`].
    pub async fn past(&self, from: Wall, to: Wall) -> Result<Past, StoreError> {
        self.with_limit(LIMIT)
            .ask("read the past", move |conn| {
                // One moment of the database for all the questions.
                let snapshot =
                    conn.unchecked_transaction().map_err(|e| StoreError::sqlite("read the past", &e))?;
                read(&snapshot, from, to)
            })
            .await
    }
}

fn read(conn: &Connection, from: Wall, to: Wall) -> Result<Past, StoreError> {
    let clocks = Clocks::read(conn, from)?;
    let scope = clocks.scope(from, to);
    let mut lives = faults::of(conn, &clocks, &scope)?;
    let present = devices::present(conn, &clocks, &scope)?;
    let hidden = devices::hidden(conn, &clocks, &scope)?;
    attribute(conn, &clocks, &hidden, &mut lives)?;
    let mut past = Past::default();
    let mut by_device: BTreeMap<Arc<str>, Vec<&faults::Life>> = BTreeMap::new();
    for life in lives.values() {
        by_device.entry(life.fault.key.device.clone()).or_default().push(life);
    }
    for (id, present) in present {
        let own = by_device.get(&id).map_or(&[][..], Vec::as_slice);
        past.devices.push(DeviceLife {
            id: id.clone(),
            place: present.place,
            present: present.stretches,
            unwatched: own.iter().flat_map(|life| life.unwatched()).collect(),
            excluded: Vec::new(),
            hidden: hidden.get(&id).into_iter().flatten().map(|hidden| hidden.stretch()).collect(),
            down: own.iter().flat_map(|life| life.down()).collect(),
        });
        past.names.insert(id, present.called);
    }
    for (id, life) in lives {
        past.faults.push(life.life);
        past.details.insert(id, life.fault);
    }
    past.watches = clocks.into_placed();
    Ok(past)
}

/// Says of each fault behind which other it stands, and adds the roots that are missing.
fn attribute(
    conn: &Connection,
    clocks: &Clocks,
    hidden: &BTreeMap<Arc<str>, Vec<devices::Hidden>>,
    lives: &mut BTreeMap<FaultId, faults::Life>,
) -> Result<(), StoreError> {
    let mut due: Vec<FaultId> = lives.keys().copied().collect();
    while let Some(id) = due.pop() {
        let Some(life) = lives.get_mut(&id) else { continue };
        let hidden = hidden.get(&life.fault.key.device).map_or(&[][..], Vec::as_slice);
        life.life.behind = devices::behind(clocks, hidden, life);
        if let Some(root) = life.life.behind.filter(|root| !lives.contains_key(root)) {
            lives.extend(faults::one(conn, clocks, root)?.map(|life| (root, life)));
            due.push(root);
        }
    }
    Ok(())
}

fn unreadable(error: rusqlite::Error) -> StoreError {
    StoreError::Unreadable { what: "past", reason: error.to_string() }
}

fn unknown(word: &str) -> StoreError {
    StoreError::Unreadable { what: "past", reason: format!("unknown word {word:?}") }
}
