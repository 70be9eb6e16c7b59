//! What the store is given to do: several lives, each noted as it is answered.

use crate::T0;
use crate::ledger::{Ledger, METRICS};
use crate::made::{block_on, raised};
use roundsman_core::fault::{Acknowledgement, Change, Condition, Ending, FaultId, Transition};
use roundsman_core::reading::Value;
use roundsman_core::record::{Content, Correction, Field};
use roundsman_core::time::{Mono, Now};
use roundsman_disk::{Dice, Recorder};
use roundsman_store::{ClockMark, LatestDevice, LatestReading, Named, NewAmendment, NewRecord, Poll, Store};
use std::path::Path;

/// Lives, each ended in order.
const LIVES: usize = 4;

/// Rounds of a life; between two of them ten minutes pass, so that together they are two days and more.
const ROUNDS: usize = 80;

const MINUTE: i64 = 60_000;

/// Works through all lives.
pub(crate) fn lives(folder: &Path, recorder: &Recorder, dice: &mut Dice) -> Ledger {
    let mut ledger = Ledger::default();
    let mut now = Now::at(1_000_000, T0);
    for _ in 0..LIVES {
        let (store, restored) = Store::open(folder, now.wall).expect("the store opens");
        assert_eq!(restored.next_transition, ledger.sent.len() as u64 + 1);
        for _ in 0..ROUNDS {
            now = now.plus_ms(10 * MINUTE as u64);
            block_on(round(&store, &mut ledger, recorder, dice, now));
        }
        while !block_on(store.is_settled()).expect("an answer") {}
        store.close();
    }
    ledger
}

async fn round(store: &Store, ledger: &mut Ledger, recorder: &Recorder, dice: &mut Dice, now: Now) {
    // Asked together, they share a transaction; answered one after the other.
    let batches: Vec<Vec<Transition>> =
        (0..1 + dice.below(3)).map(|_| ledger.send(|l| transitions(l, dice, now))).collect();
    let commits: Vec<_> = batches.iter().map(|batch| store.commit(batch.clone())).collect();
    let polls = ledger.polls_sent as f64;
    let mark = ClockMark { boot: "boot".into(), now, synchronised: true };
    let recorded = store.record(mark, move || poll(polls, now).into_iter());
    ledger.polls_sent += 1;
    for (batch, commit) in batches.iter().zip(commits) {
        commit.await.expect("the transitions are stored");
        ledger.answered(recorder, |noted| noted.transitions += batch.len());
    }
    recorded.await.expect("the polls are stored");
    ledger.answered(recorder, |noted| noted.polls += 1);
    match dice.below(4) {
        0 => {
            let text = format!("第 {} 条 {}", ledger.records.len(), "长".repeat(dice.below(900) as usize));
            let new = NewRecord {
                at: now.wall,
                year: 2026,
                by: "panel".into(),
                content: content(&text),
                key: Some(format!("record-{}", ledger.records.len()).into()),
            };
            let record = store.add_record(new).await.expect("stored").expect("it fits");
            ledger.records.push(record);
            ledger.answered(recorder, |noted| noted.amendments.push(0));
        }
        1 if !ledger.records.is_empty() => {
            let at = dice.below(ledger.records.len() as u64) as usize;
            let value = format!("原因 {}", dice.roll());
            let correction = Correction::new(Field::Cause, &value, "补记", "李工").expect("it fits");
            let number = ledger.records[at].number;
            let new = NewAmendment { number, at: now.wall, by: "panel".into(), correction, key: None };
            ledger.records[at] = store.amend_record(new).await.expect("stored").expect("it fits");
            ledger.answered(recorder, |noted| noted.amendments[at] += 1);
        }
        _ => {}
    }
}

fn content(symptom: &str) -> Content {
    let fields = [
        (Field::Kind, "corrective"),
        (Field::Devices, "rt-1\t核心路由器\t华为 VRP\t1F 机房"),
        (Field::Symptom, symptom),
        (Field::Process, "更换风扇"),
        (Field::Engineer, "王工"),
    ];
    Content::read(fields).expect("a whole form")
}

/// One to four transitions that belong together: a fault raised, or one that was, acknowledged or ended.
fn transitions(ledger: &Ledger, dice: &mut Dice, now: Now) -> Vec<Transition> {
    let mut faults = ledger.faults();
    let first = ledger.sent.len() as u64 + 1;
    let next = |id| {
        let open: Vec<FaultId> = faults.values().filter(|f| f.ending.is_none()).map(|f| f.id).collect();
        let (change, fault) = match open.get(dice.below(12) as usize) {
            None => (Change::Raised, raised(faults.len() as u64 + 1, now.wall)),
            Some(id) => {
                let mut fault = faults[id].clone();
                if fault.acknowledged.is_none() {
                    fault.acknowledged = Some(Acknowledgement { by: "王工".into(), at: now.wall });
                    (Change::Acknowledged, fault)
                } else {
                    fault.condition = Condition::Cleared;
                    fault.cleared = Some(now.wall);
                    fault.ending = Some(Ending::Cleared);
                    (Change::Ended, fault)
                }
            }
        };
        faults.insert(fault.id, fault.clone());
        Transition { id, at: now.wall, change, fault }
    };
    let count = 1 + first % 4;
    (first..first + count).map(next).collect()
}

/// A poll of one device: every metric has the number of the poll.
fn poll(number: f64, now: Now) -> Vec<Poll> {
    let reading = |metric: &&str| LatestReading {
        metric: (*metric).into(),
        instance: "".into(),
        sample: Ok(Value::Number(number)),
    };
    let poll = LatestDevice {
        device: "rt-1".into(),
        profile: "p".into(),
        taken_at: now.wall,
        answered: true,
        readings: METRICS.iter().map(reading).collect(),
    };
    vec![Named::default().poll(Mono(now.mono.0), &poll)]
}
