//! Random worlds: what is reckoned from the store is what happened.

use crate::dice::Dice;
use crate::log::Log;
use crate::product::{Product, name};
use crate::python::{self, differences};
use crate::world::{DEVICES, Event, Physics, TICK, script};
use roundsman_core::figures::account::Period;
use roundsman_core::figures::availability::Durations;
use roundsman_core::figures::faults::Tally;
use roundsman_core::figures::{self, Figures, figures};
use roundsman_core::time::Wall;
use roundsman_store::Past;
use serde_json::Value;
use std::collections::VecDeque;
use std::path::PathBuf;

const CASES: u64 = 20;
/// Three hours and a half, of which the two in the middle are reckoned.
const TICKS: u64 = 210;
/// 2026-11-16 00:00 in Asia/Shanghai.
const BASE_S: i64 = 1_794_758_400;
const FROM_S: i64 = BASE_S + 2_700;
const TO_S: i64 = FROM_S + 7_200;

/// Lives a world through: what the store says of it, and what the world says itself.
fn live(seed: u64) -> (Past, Value) {
    let dir = tempfile::tempdir().expect("a folder");
    let script = script(&mut Dice::new(seed), TICKS);
    let (mut physics, mut log) = (Physics::new(), Log::new(BASE_S));
    let mut product = Product::new(dir.path(), BASE_S * 1000);
    let mut coming = script.iter().peekable();
    for tick in 0..TICKS {
        let at = tick * TICK;
        let mut notes = Vec::new();
        while let Some((_, event)) = coming.next_if(|(when, _)| *when == at) {
            physics.apply(*event);
            log.happens(at, *event, &physics);
            product.happens(at, *event, &physics);
            notes.extend(match event {
                Event::Acknowledge(id) => Some(*id),
                _ => None,
            });
        }
        for second in 0..=9 {
            log.second(at + second, &physics);
            product.second(at + second, &physics);
        }
        for id in notes {
            log.acknowledge(at + 30, id);
            product.acknowledge(at + 30, id, &physics);
        }
    }
    (product.past(FROM_S * 1000, TO_S * 1000), log.told(FROM_S, TO_S))
}

/// Devices and faults by their ids; of the faults and devices of the world those that the store has in the period.
fn by_id(told: &Value, list: &str, of: Option<&Value>) -> Value {
    let all = told[list].as_array().expect("a list").iter();
    let kept = all.filter(|entry| of.is_none_or(|of| !of[entry["id"].to_string()].is_null()));
    kept.map(|entry| (entry["id"].to_string(), entry.clone())).collect::<serde_json::Map<_, _>>().into()
}

fn agree(seed: u64) -> Option<Figures> {
    let (past, told) = live(seed);
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("world-{seed}.json"));
    std::fs::write(&file, told.to_string()).expect("the log is written");
    let period = Period::new(Wall(FROM_S * 1000), Wall(TO_S * 1000));
    let past = figures::Past { watches: &past.watches, devices: &past.devices, faults: &past.faults };
    let ours = python::told(period, past);
    let theirs = python::python(&file)?;
    let mut figures = figures(period, past);
    // In the order of their ids both; the world also hands in those that were not there.
    let mut times = figures.devices.iter().copied().collect::<VecDeque<_>>();
    let absent = Durations { absent_ms: period.length_ms() + figures.repeated_ms, ..Durations::default() };
    let is_told = |id: usize| past.devices.iter().any(|life| *life.id == *name(id));
    figures.devices = (0..DEVICES)
        .map(|id| if is_told(id) { times.pop_front().expect("a time for each") } else { absent })
        .collect();
    let mut differing = Vec::new();
    differences("", &python::found(&figures), &theirs, &mut differing);
    if !differing.is_empty() {
        // What happened says where to look; the store leaves out what lies outside of the period.
        differences("watches", &ours["watches"], &told["watches"], &mut differing);
        for list in ["devices", "faults"] {
            let ours = by_id(&ours, list, None);
            differences(list, &ours, &by_id(&told, list, Some(&ours)), &mut differing);
        }
    }
    assert!(differing.is_empty(), "seed {seed}, {}:\n{}", file.display(), differing.join("\n"));
    Some(figures)
}

/// Exactly, to the second: everything happens at the poll that sees it.
#[test]
fn the_store_says_what_the_world_did() {
    let halves = std::thread::scope(|scope| {
        let half = |odd: u64| {
            scope.spawn(move || (0..CASES).filter(|seed| seed % 2 == odd).map(agree).collect::<Vec<_>>())
        };
        [half(0), half(1)].map(|half| half.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    });
    let all: Vec<Figures> = halves.into_iter().flatten().flatten().collect();
    if all.is_empty() {
        return;
    }
    // Twenty worlds prove little if nothing happens in them.
    let (mut time, mut tally, mut repeated_ms, mut repeats) = (Durations::default(), Tally::default(), 0, 0);
    for figures in &all {
        time += figures.time.all.time;
        let of = figures.faults.groups.all;
        tally.carried_in += of.carried_in;
        tally.new += of.new;
        tally.hidden += of.hidden;
        tally.withdrawn += of.withdrawn;
        tally.open += of.open;
        tally.repair.count += of.repair.count;
        tally.repair.unknown += of.repair.unknown;
        tally.acknowledgement.count += of.acknowledgement.count;
        repeated_ms += figures.repeated_ms;
        repeats += figures.faults.repeats.len();
    }
    let Durations { absent_ms, unknown_ms, hidden_ms, down_ms, up_ms, .. } = time;
    let times = [absent_ms, unknown_ms, hidden_ms, down_ms, up_ms, repeated_ms];
    assert!(times.iter().all(|&ms| ms > 600_000), "{times:?}");
    let Tally { carried_in, new, hidden, withdrawn, open, .. } = tally;
    let counts = [carried_in, new, hidden, withdrawn, open, tally.repair.count, tally.acknowledgement.count];
    assert!(counts.iter().all(|&count| count > 5), "{counts:?}");
    assert!(tally.repair.unknown > 0, "an outage of which nobody knows how long it was");
    assert!(repeats > 5, "{repeats}");
}
