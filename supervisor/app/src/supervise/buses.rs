//! The buses of a running supervisor: one owner each, kept over a reload that leaves the bus as it is.

use crate::site::BusEntry;
use roundsman_driver::bus::{Bus, Busy, MOST_OUTCOMES, Outcome, Request, Standing};
use roundsman_driver::clock::Clock;
use std::collections::HashMap;
use std::sync::Arc;
use tokio::sync::mpsc;

/// All buses, as the loop holds them.
pub(super) struct Buses {
    clock: Clock,
    outcomes: mpsc::Sender<Outcome>,
    owned: HashMap<Arc<str>, (BusEntry, Bus)>,
}

impl Buses {
    /// None yet; what comes of them comes from the receiver.
    pub(super) fn new(clock: Clock) -> (Buses, mpsc::Receiver<Outcome>) {
        let (outcomes, receiver) = mpsc::channel(MOST_OUTCOMES);
        (Buses { clock, outcomes, owned: HashMap::new() }, receiver)
    }

    /// Owns these from now on, and no others.
    pub(super) fn load(&mut self, entries: &[BusEntry]) {
        let mut before = std::mem::take(&mut self.owned);
        for entry in entries {
            let kept = before.remove(&entry.id).filter(|(old, _)| old.is_same(entry));
            let bus = match kept {
                Some((_, bus)) => bus,
                None => {
                    let Some(settings) = entry.settings() else { continue };
                    Bus::start(self.clock, settings, self.outcomes.clone())
                }
            };
            self.owned.insert(Arc::clone(&entry.id), (entry.clone(), bus));
        }
    }

    pub(super) fn poll(&self, bus: &str, request: Request) -> Result<(), Busy> {
        self.owned.get(bus).map_or(Err(Busy::Ended), |(_, bus)| bus.poll(request))
    }

    /// The owner of a bus, for whoever gives a command.
    pub(super) fn owner(&self, bus: &str) -> Option<Bus> {
        self.owned.get(bus).map(|(_, bus)| bus.clone())
    }

    /// Forgets a device everywhere: a reload may have hung it on another bus.
    pub(super) async fn forget(&self, key: u32) {
        for (_, bus) in self.owned.values() {
            let _ = bus.forget(key).await;
        }
    }

    /// Whether the way to the units of a bus is there: its port is open, or was closed in peace and is opened when it
    /// is needed. `None` before the first attempt.
    pub(super) fn is_reached(&self, bus: &str) -> Option<bool> {
        match self.owned.get(bus)?.1.counters().standing {
            Standing::Unopened => None,
            Standing::Open | Standing::Resting => Some(true),
            Standing::Gone(_) => Some(false),
        }
    }
}
