//! What the service confirmed, kept beside it by those who asked.

use crate::virtual_site::SILENT;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A request whose answer never came: it is asked again under its key.
#[derive(Clone, Debug)]
pub(super) struct Unsure {
    pub(super) path: String,
    pub(super) key: String,
    pub(super) body: String,
}

/// Everything that was confirmed.
#[derive(Default)]
pub(super) struct Account {
    /// Per sequence of its number the record as the latest answer showed it.
    pub(super) records: BTreeMap<u64, Value>,
    /// Records of the current life and the one before: looked at after each kill.
    pub(super) recent: Vec<u64>,
    pub(super) amendments: u64,
    /// Per id of an acknowledged fault its number.
    pub(super) acknowledged: BTreeMap<u64, String>,
    /// Every transition that was heard, by its number.
    pub(super) transitions: BTreeMap<u64, Value>,
    /// At most one per client.
    pub(super) unsure: Vec<Unsure>,
    /// Requests asked again after a kill, and those of them that had been stored.
    pub(super) asked_again: u64,
    /// Keys used so far.
    pub(super) keys: u64,
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Account { records, amendments, acknowledged, transitions, asked_again, .. } = self;
        write!(
            f,
            "{} transitions, {} acknowledgements, {} records, {amendments} amendments; {asked_again} asked again",
            transitions.len(),
            acknowledged.len(),
            records.len()
        )
    }
}

/// The number of a record.
pub(super) fn number(record: &Value) -> &str {
    record["number"].as_str().expect("a number")
}

impl Account {
    /// A key nobody has used.
    pub(super) fn key(&mut self) -> String {
        self.keys += 1;
        format!("key-{}", self.keys)
    }

    /// Number of the newest transition that was heard.
    pub(super) fn newest(&self) -> u64 {
        self.transitions.keys().next_back().copied().unwrap_or(0)
    }

    /// A record was answered.
    pub(super) fn note(&mut self, record: Value) {
        let sequence = number(&record).rsplit('-').next().and_then(|text| text.parse().ok());
        let sequence = sequence.expect("a number such as M-2026-0042");
        self.recent.push(sequence);
        self.records.insert(sequence, record);
    }

    /// A transition was heard: the next one, or one that was heard before.
    pub(super) fn hear(&mut self, id: u64, transition: Value) {
        let newest = self.newest();
        match self.transitions.get(&id) {
            Some(heard) => assert_eq!(*heard, transition, "transition {id} was heard otherwise before"),
            None => {
                assert_eq!(id, newest + 1, "a transition is missing");
                self.transitions.insert(id, transition);
            }
        }
    }

    /// Whether the outages that go on through every kill have their faults.
    pub(super) fn has_all_silent(&self) -> bool {
        SILENT.iter().all(|device| self.transitions.values().any(|t| t["fault"]["device"] == *device))
    }

    /// What must hold over all lives together. The whole run is shorter than the 30 minutes within which a condition
    /// reopens its fault: one key, one number.
    pub(super) fn is_in_order(&self, kills: u64) {
        let mut numbers: BTreeMap<String, BTreeSet<(u64, String)>> = BTreeMap::new();
        let mut raised: Vec<u64> = Vec::new();
        for (id, transition) in &self.transitions {
            assert_eq!(transition["id"], *id);
            let fault = &transition["fault"];
            let fault_id = fault["id"].as_u64().expect("an id");
            let key = format!("{} {} {}", fault["device"], fault["rule"], fault["instance"]);
            let name = fault["number"].as_str().expect("a number").to_owned();
            numbers.entry(key).or_default().insert((fault_id, name));
            match transition["change"] == "raised" {
                true => raised.push(fault_id),
                false => assert!(raised.contains(&fault_id), "changed before it was raised: {transition}"),
            }
        }
        assert!(raised.is_sorted_by(|a, b| a < b), "a fault was raised twice: {raised:?}");
        for (key, of_key) in &numbers {
            assert_eq!(of_key.len(), 1, "{key} has several numbers: {of_key:?}");
        }
        for device in SILENT {
            assert_eq!(numbers.keys().filter(|key| key.contains(device)).count(), 1, "{device}");
        }
        for (due, (sequence, record)) in (1..).zip(&self.records) {
            let number = number(record);
            assert_eq!(*sequence, due, "a number was left out before {number}");
            assert_eq!(record["original"]["symptom"], record["original"]["reporter"], "{number}");
        }
        let symptoms: BTreeSet<String> =
            self.records.values().map(|r| r["original"]["symptom"].to_string()).collect();
        assert_eq!(symptoms.len(), self.records.len(), "a record was written twice");
        // Otherwise the kills hit nothing.
        assert!(self.transitions.len() as u64 > 5 * kills, "{self}");
        assert!(self.records.len() as u64 > 5 * kills && self.amendments > kills, "{self}");
        assert!(self.acknowledged.len() > 10, "{self}");
    }
}
