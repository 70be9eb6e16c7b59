//! What was sent to the store, what it answered and when, and whether a store still has it.

use crate::T0;
use roundsman_core::fault::{Fault, FaultId, Transition};
use roundsman_core::record::{Record, RecordNumber};
use roundsman_core::time::Wall;
use roundsman_disk::Recorder;
use roundsman_store::{History, Restored, SeriesName, Span, Store};
use std::collections::{BTreeMap, BTreeSet};

/// Metrics of the one polled device.
pub(crate) const METRICS: [&str; 3] = ["cpu.load", "memory.used", "temperature.value"];

/// How much was answered at a moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Noted {
    pub(crate) transitions: usize,
    pub(crate) polls: usize,
    /// Per record, in the order of their numbers, its amendments.
    pub(crate) amendments: Vec<usize>,
}

/// Everything that was sent, and what was answered at each mark of the disk's log.
pub(crate) struct Ledger {
    pub(crate) sent: Vec<Transition>,
    /// Numbers of transitions after which a call ended: anything else is half a call.
    ends: BTreeSet<usize>,
    /// As the latest answer showed them.
    pub(crate) records: Vec<Record>,
    pub(crate) polls_sent: usize,
    /// By the number of the mark.
    pub(crate) noted: Vec<Noted>,
}

impl Default for Ledger {
    fn default() -> Ledger {
        Ledger {
            sent: Vec::new(),
            ends: [0].into(),
            records: Vec::new(),
            polls_sent: 0,
            noted: vec![Noted::default()],
        }
    }
}

impl Ledger {
    /// Takes up the transitions of one call.
    pub(crate) fn send(&mut self, make: impl FnOnce(&Ledger) -> Vec<Transition>) -> Vec<Transition> {
        let batch = make(self);
        self.sent.extend(batch.iter().cloned());
        self.ends.insert(self.sent.len());
        batch
    }

    /// Notes an answer, here and in the log.
    pub(crate) fn answered(&mut self, recorder: &Recorder, change: impl FnOnce(&mut Noted)) {
        let mut noted = self.noted.last().cloned().unwrap_or_default();
        change(&mut noted);
        recorder.mark(self.noted.len() as u64);
        self.noted.push(noted);
    }

    /// The faults after everything that was sent.
    pub(crate) fn faults(&self) -> BTreeMap<FaultId, Fault> {
        faults(&self.sent)
    }

    /// Compares a store that was opened after a cut with what had been answered before it.
    pub(crate) async fn compare(&self, store: &Store, restored: &Restored, noted: &Noted, place: &str) {
        let stored = restored.next_transition as usize - 1;
        assert!(stored >= noted.transitions, "{place}: {stored} of {} transitions", noted.transitions);
        assert!(self.ends.contains(&stored), "{place}: half a call, {stored} transitions");
        let mut found: Vec<Transition> = Vec::new();
        while found.len() < stored {
            let more =
                store.reader().transitions_after(found.len() as u64, 1_000).await.expect("transitions");
            assert!(!more.is_empty(), "{place}: transition {} is missing", found.len() + 1);
            found.extend(more);
        }
        assert!(found == self.sent[..stored], "{place}: transitions are not what was sent");
        let open: Vec<Fault> = faults(&found).into_values().filter(|fault| fault.ending.is_none()).collect();
        assert_eq!(restored.open, open, "{place}: open faults");
        self.compare_records(store, noted, place).await;
        for metric in METRICS {
            self.compare_history(store, metric, noted, place).await;
        }
    }

    async fn compare_records(&self, store: &Store, noted: &Noted, place: &str) {
        for (at, record) in self.records.iter().enumerate() {
            let number = RecordNumber { year: 2026, sequence: at as u32 + 1 };
            assert_eq!(record.number, number);
            let found = store.reader().record(number).await.expect("an answer");
            let Some(found) = found else {
                assert!(at >= noted.amendments.len(), "{place}: record {number} is lost");
                continue;
            };
            let least = noted.amendments.get(at).copied().unwrap_or(0);
            let kept = found.amendments.len();
            assert!(kept >= least, "{place}: {kept} of {least} amendments of {number}");
            assert_eq!(found.amendments, record.amendments[..kept], "{place}: {number}");
            assert_eq!(found.original, record.original, "{place}: {number}");
        }
    }

    /// Every poll has its own number as value, from 0 on: their count and the largest tell whether one is missing.
    async fn compare_history(&self, store: &Store, metric: &str, noted: &Noted, place: &str) {
        let name = SeriesName { device: "rt-1".into(), metric: metric.into(), instance: "".into() };
        let day = 24 * 3_600_000;
        let span = Span { from: Wall(T0 - day), to: Wall(T0 + 9 * day), points: 10, interval_ms: 600_000 };
        let found = store.reader().history(name, span).await.expect("an answer");
        let columns = match found {
            Some(History::Numbers { columns, .. }) => columns,
            Some(History::Words { .. }) => panic!("{place}: {metric} is a number"),
            None => Vec::new(),
        };
        let count: usize = columns.iter().map(|column| column.count as usize).sum();
        assert!(
            count >= noted.polls && count <= self.polls_sent,
            "{place}: {count} of {} polls",
            noted.polls
        );
        let largest = columns.iter().filter_map(|column| column.band).map(|band| band.max).reduce(f64::max);
        assert_eq!(largest, count.checked_sub(1).map(|n| n as f64), "{place}: {metric} has holes");
    }

    /// The store takes the next transition.
    pub(crate) async fn goes_on(&self, store: &Store) {
        let newest = store.reader().transitions_after(0, 1).await.expect("an answer");
        let Some(mut next) = newest.into_iter().next() else { return };
        let mut id = 0;
        while let Some(last) = store.reader().transitions_after(id, 1_000).await.expect("an answer").last() {
            id = last.id;
        }
        next.id = id + 1;
        store.commit(vec![next]).await.expect("it goes on");
    }
}

fn faults(transitions: &[Transition]) -> BTreeMap<FaultId, Fault> {
    transitions.iter().map(|transition| (transition.fault.id, transition.fault.clone())).collect()
}
