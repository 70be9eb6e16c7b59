//! Transitions on their way to the store: in order, one batch at a time, tried again with a pause. Whom they hide goes
//! with them into the same transaction.

use super::Event;
use super::marks::Marker;
use anyhow::{Result, bail};
use roundsman_core::device::{Device, DeviceIx};
use roundsman_core::fault::{RequestId, Transition};
use roundsman_core::hidden::{Hidden, Hiding};
use roundsman_core::time::{Mono, Now};
use roundsman_driver::clock::Clock;
use roundsman_store::{Batch, Restored, Step, Store, StoreError};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Transitions that may wait for a store that does not take them. Past that the service ends: started again, it
/// judges from what is durable. A whole site failing at once makes a few for each device.
pub(crate) const MOST_WAITING: usize = 50_000;

/// Transitions of one batch: one transaction stays short.
const MOST_IN_A_BATCH: usize = 1_000;

/// First pause after a refusal, in ms; doubled up to [`LONGEST_PAUSE_MS`].
const FIRST_PAUSE_MS: u64 = 1_000;

/// Longest pause between two tries, in ms.
const LONGEST_PAUSE_MS: u64 = 30_000;

/// Who is hidden is worked out once for the transitions of so many ms: it costs a walk through the site, and a storm
/// has a transition for each device.
const SETTLE_EVERY_MS: u64 = 1_000;

/// What is not durable yet.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// When it was judged, the transition, and whom it hid.
    pub step: Step,
    /// The operator's request it fulfils.
    pub request: Option<RequestId>,
    /// Whom it hid has been worked out.
    settled: bool,
}

/// Hands transitions to the store.
pub(super) struct Committer {
    store: Arc<Store>,
    marker: Marker,
    /// As of the last transition that went to the store.
    hidden: Hidden,
    waiting: VecDeque<Waiting>,
    under_way: bool,
    pause_ms: u64,
    retry_at: Option<Mono>,
}

impl Committer {
    pub(super) fn new(store: Arc<Store>, marker: Marker, restored: &Restored) -> Committer {
        let mut hidden = Hidden::default();
        hidden.restore(&restored.hidden, restored.open.iter());
        Committer {
            store,
            marker,
            hidden,
            waiting: VecDeque::new(),
            under_way: false,
            pause_ms: FIRST_PAUSE_MS,
            retry_at: None,
        }
    }

    /// Takes a transition over.
    pub(super) fn take(&mut self, transition: Transition, request: Option<RequestId>, now: Now) {
        let step = Step { now, transition: Some(transition), hidden: Vec::new() };
        self.waiting.push_back(Waiting { step, request, settled: false });
    }

    /// The site after a start or reload; `answering` says whose latest poll brought a reply.
    pub(super) fn load<'a>(
        &mut self,
        devices: impl Iterator<Item = &'a Device>,
        answering: impl Fn(DeviceIx) -> bool,
        attached_to: Option<DeviceIx>,
    ) {
        self.hidden.load(devices, answering, attached_to);
    }

    /// A poll of a device ended.
    pub(super) fn answered(&mut self, device: DeviceIx, answers: bool) {
        self.hidden.answered(device, answers);
    }

    /// Has it stored whom those hide or reveal that began or ceased to answer since the last transition.
    pub(super) fn settle(&mut self, now: Now) {
        if self.waiting.is_empty() {
            let hidden = self.hidden.settle();
            if !hidden.is_empty() {
                let step = Step { now, transition: None, hidden };
                self.waiting.push_back(Waiting { step, request: None, settled: true });
            }
        }
    }

    /// Starts the next batch, if none is under way and no pause runs.
    pub(super) fn go_on(&mut self, events: &mpsc::Sender<Event>, now: Now) {
        let paused = self.retry_at.is_some_and(|at| at > now.mono);
        if self.under_way || paused || self.waiting.is_empty() {
            return;
        }
        self.retry_at = None;
        self.under_way = true;
        let count = self.waiting.len().min(MOST_IN_A_BATCH);
        let mut batch: Vec<Waiting> = self.waiting.drain(..count).collect();
        hide(&mut self.hidden, &mut batch);
        let began = Clock::new().micros();
        let mark = Some(self.marker.mark(now));
        let steps = batch.iter().map(|waiting| waiting.step.clone()).collect();
        let committed = self.store.commit(Batch { mark, steps });
        let events = events.clone();
        tokio::spawn(async move {
            let result = committed.await;
            let took = Duration::from_micros(Clock::new().micros().saturating_sub(began));
            let _ = events.send(Event::Committed(batch, result, took)).await;
        });
    }

    /// The batch is durable.
    pub(super) fn succeeded(&mut self) {
        self.under_way = false;
        self.pause_ms = FIRST_PAUSE_MS;
    }

    /// The batch was refused: it is tried again, unless that cannot help.
    pub(super) fn failed(&mut self, batch: Vec<Waiting>, error: StoreError, now: Mono) -> Result<()> {
        self.under_way = false;
        if !error.is_passing() {
            bail!("the store refuses transitions for good: {error}");
        }
        for waiting in batch.into_iter().rev() {
            self.waiting.push_front(waiting);
        }
        if self.waiting.len() > MOST_WAITING {
            bail!("{} transitions wait for the store, it still refuses: {error}", self.waiting.len());
        }
        tracing::error!(%error, waiting = self.waiting.len(), "transitions are not stored yet, nobody hears of them");
        self.retry_at = Some(now.plus_ms(self.pause_ms));
        self.pause_ms = (self.pause_ms * 2).min(LONGEST_PAUSE_MS);
        Ok(())
    }

    /// When a refused batch is tried again.
    pub(super) fn retry_at(&self) -> Option<Mono> {
        self.retry_at
    }

    /// Transitions that wait for their batch.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether anything is not durable yet.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way || !self.waiting.is_empty()
    }
}

/// Works out whom the transitions of a batch hide: after the last of them, and after each that stands alone for
/// [`SETTLE_EVERY_MS`]. A batch that was refused comes again with what it had.
fn hide(hidden: &mut Hidden, batch: &mut [Waiting]) {
    let mut since: Option<Mono> = None;
    for at in 0..batch.len() {
        let next = batch.get(at + 1).map(|next| next.step.now.mono);
        let Some(waiting) = batch.get_mut(at).filter(|waiting| !waiting.settled) else { continue };
        waiting.settled = true;
        waiting.step.transition.iter().for_each(|transition| hidden.take(&transition.fault));
        let since_then = *since.get_or_insert(waiting.step.now.mono);
        if next.is_none_or(|next| next.since_ms(since_then) >= SETTLE_EVERY_MS) {
            let changes: Vec<Hiding> = hidden.settle();
            waiting.step.hidden.extend(changes);
            since = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use roundsman_core::device::{Class, Network, Tier, Uplink};
    use roundsman_core::fault::{Change, Condition, Fault, FaultId, FaultKey, FaultNumber, UNREACHABLE};
    use roundsman_core::rule::Severity;
    use roundsman_core::text::Bilingual;
    use roundsman_core::time::Wall;

    /// A switch with the box, a trunk on it, and so many stations on the trunk.
    fn site(stations: u32) -> Vec<Device> {
        let device = |at: u32| Device {
            id: format!("d{at}").into(),
            name: "".into(),
            class: Class::Router,
            profile: "snmp-generic".into(),
            tier: Tier::County,
            network: Network::Business,
            location: "".into(),
            address: "".into(),
            uplinks: at
                .checked_sub(1)
                .map(|up| Uplink { device: DeviceIx(up.min(1)), port: None })
                .into_iter()
                .collect(),
            interval_s: 60,
            tags: vec![],
            line: Default::default(),
        };
        (0..stations + 2).map(device).collect()
    }

    fn out(at: u32, ms: u64) -> Waiting {
        let now = Now::at(ms, 0);
        let fault = Fault {
            id: FaultId(u64::from(at)),
            number: FaultNumber { year: 2026, sequence: at },
            key: FaultKey { device: format!("d{at}").into(), rule: UNREACHABLE.into(), instance: "".into() },
            severity: Severity::Critical,
            condition: Condition::Active,
            acknowledged: None,
            stale: false,
            first_bad: Wall(0),
            confirmed: Wall(0),
            cleared: None,
            ending: None,
            closed_by: None,
            value: None,
            cause: "".into(),
            summary: Bilingual::default(),
            advice: Bilingual::default(),
            previous: None,
        };
        let transition = Transition { id: u64::from(at), at: Wall(0), change: Change::Raised, fault };
        Waiting {
            step: Step { now, transition: Some(transition), hidden: vec![] },
            request: None,
            settled: false,
        }
    }

    fn hidden_at(batch: &[Waiting]) -> Vec<(usize, usize)> {
        let counts = batch.iter().map(|waiting| waiting.step.hidden.len()).enumerate();
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// The trunk fails, and a thousand stations with it: one walk through the site for all that came in a second.
    #[test]
    fn a_storm_is_settled_once_a_second() {
        let mut hidden = Hidden::default();
        hidden.load(site(1_000).iter(), |_| false, Some(DeviceIx(0)));
        let mut batch: Vec<Waiting> = (1..=1_000).map(|at| out(at, u64::from(at) * 3)).collect();
        hide(&mut hidden, &mut batch);
        // The trunk is the first; those whose own fault comes later are hidden already.
        assert_eq!(hidden_at(&batch), [(333, 1_000)]);
        // A batch that was refused comes again as it was, with what has come since.
        let before = batch.clone();
        hide(&mut hidden, &mut batch);
        assert!(batch.iter().zip(&before).all(|(now, then)| now.step == then.step));
    }

    /// A store that refused for an hour does not blur who was hidden when.
    #[test]
    fn what_lies_apart_is_settled_apart() {
        let mut hidden = Hidden::default();
        hidden.load(site(2).iter(), |_| false, Some(DeviceIx(0)));
        let back = |mut waiting: Waiting| {
            if let Some(transition) = &mut waiting.step.transition {
                transition.fault.condition = Condition::Cleared;
                transition.fault.ending = Some(roundsman_core::fault::Ending::Cleared);
            }
            waiting
        };
        let mut batch = vec![out(1, 0), back(out(1, 60_000)), out(1, 120_000)];
        hide(&mut hidden, &mut batch);
        assert_eq!(hidden_at(&batch), [(0, 2), (1, 2), (2, 2)]);
    }
}
