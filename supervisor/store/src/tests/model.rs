//! Random lives of faults against a model in memory.

use super::*;
use proptest::prelude::*;
use roundsman_core::fault::Acknowledgement;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
struct Step {
    key: usize,
    action: u8,
    severity: usize,
    minutes: i64,
    with_the_last: bool,
}

fn step() -> impl Strategy<Value = Step> {
    (0..4_usize, 0..5_u8, 0..Severity::ALL.len(), 0..12_i64, any::<bool>()).prop_map(
        |(key, action, severity, minutes, with_the_last)| Step {
            key,
            action,
            severity,
            minutes,
            with_the_last,
        },
    )
}

/// The transition that this step means for the newest fault of its key, if it means any.
fn next(step: &Step, faults: &BTreeMap<u64, Fault>, at: i64) -> Option<(Change, Fault)> {
    let device = format!("d{}", step.key);
    let newest = faults.values().rev().find(|f| *f.key.device == *device);
    let Some(known) = newest.filter(|f| f.is_open() || step.action == 0) else {
        let mut new = fault(faults.len() as u64 + 1, &device);
        new.number.year = 2026 + step.severity as u16 % 2;
        new.previous = newest.map(|f| f.id);
        new.first_bad = Wall(at);
        return Some((Change::Raised, new));
    };
    let mut f = known.clone();
    let change = match (f.is_open(), step.action) {
        (false, _) => {
            f.ending = None;
            f.cleared = None;
            f.condition = Condition::Active;
            Change::Reopened
        }
        (true, 1) if f.acknowledged.is_none() => {
            f.acknowledged = Some(Acknowledgement { by: "ops".into(), at: Wall(at) });
            Change::Acknowledged
        }
        (true, 2 | 3) => {
            f.ending = Some([Ending::Cleared, Ending::Closed, Ending::Withdrawn][step.severity % 3]);
            f.cleared = Some(Wall(at));
            f.condition = Condition::Cleared;
            Change::Ended
        }
        _ if f.severity != Severity::ALL[step.severity] => {
            let from = std::mem::replace(&mut f.severity, Severity::ALL[step.severity]);
            f.stale = !f.stale;
            Change::Severity { from }
        }
        _ => return None,
    };
    Some((change, f))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_finds_what_a_model_in_memory_holds(steps in prop::collection::vec(step(), 1..60)) {
        let dir = tempfile::tempdir().unwrap();
        let (mut store, _) = open(dir.path());
        let mut faults: BTreeMap<u64, Fault> = BTreeMap::new();
        let mut ended_at: BTreeMap<u64, i64> = BTreeMap::new();
        let mut calls: Vec<Vec<Transition>> = Vec::new();
        let (mut now, mut id) = (T0, 0);
        for step in &steps {
            now += step.minutes * 60_000;
            let Some((change, fault)) = next(step, &faults, now) else { continue };
            id += 1;
            ended_at.insert(fault.id.0, now);
            faults.insert(fault.id.0, fault.clone());
            let transition = Transition { id, at: Wall(now), change, fault };
            match calls.last_mut() {
                Some(call) if step.with_the_last => call.push(transition),
                _ => calls.push(vec![transition]),
            }
        }
        let all: Vec<Transition> = calls.iter().flatten().cloned().collect();
        let half = calls.len() / 2;
        let rest = calls.split_off(half);
        for part in [calls, rest] {
            let waiting: Vec<_> = part.into_iter().map(|call| store.commit(call)).collect();
            for answer in waiting {
                block_on(answer).unwrap();
            }
            store.close();
            store = open(dir.path()).0;
        }
        store.close();
        let (store, restored) = Store::open(dir.path(), Wall(now)).unwrap();
        let open: Vec<Fault> = faults.values().filter(|f| f.is_open()).cloned().collect();
        let fresh = |f: &&Fault| !f.is_open() && ended_at[&f.id.0] >= now - 30 * 60_000;
        let recent: Vec<Fault> = faults.values().filter(fresh).cloned().collect();
        let mut numbers: BTreeMap<u16, u32> = BTreeMap::new();
        for f in faults.values() {
            numbers.entry(f.number.year).and_modify(|n| *n = (*n).max(f.number.sequence)).or_insert(f.number.sequence);
        }
        prop_assert_eq!(restored.open, open);
        prop_assert_eq!(restored.recent, recent);
        prop_assert_eq!(restored.numbers, numbers.into_iter().collect::<Vec<_>>());
        prop_assert_eq!(restored.next_fault, FaultId(faults.len() as u64 + 1));
        prop_assert_eq!(restored.next_transition, id + 1);
        prop_assert_eq!(block_on(store.reader().transitions_after(0, 1_000)).unwrap(), all);
    }
}
