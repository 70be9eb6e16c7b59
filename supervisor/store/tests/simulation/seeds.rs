//! Random worlds: what is reckoned from the store is what happened.

use crate::dice::Dice;
use crate::log::Log;
use crate::product::Product;
use crate::python::{differences, found, python};
use crate::world::{Event, Physics, TICK, script};
use roundsman_core::figures::account::Period;
use roundsman_core::figures::availability::Durations;
use roundsman_core::figures::faults::Tally;
use roundsman_core::figures::{self, Figures, figures};
use roundsman_core::time::Wall;
use serde_json::Value;
use std::path::PathBuf;

const CASES: u64 = 20;
/// Three hours and a half, of which the two in the middle are reckoned.
const TICKS: u64 = 210;
/// 2026-11-16 00:00 in Asia/Shanghai.
const BASE_S: i64 = 1_794_758_400;
const FROM_S: i64 = BASE_S + 2_700;
const TO_S: i64 = FROM_S + 7_200;

/// Lives a world through: what the product says of it, and what the world says itself.
fn live(seed: u64) -> (Figures, Value) {
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
        for second in [0, 1, 2, 3, 7] {
            log.second(at + second, &physics);
            product.second(at + second, &physics);
        }
        for id in notes {
            log.acknowledge(at + 30, id);
            product.acknowledge(at + 30, id, &physics);
        }
    }
    let past = product.past(FROM_S * 1000, TO_S * 1000);
    let period = Period::new(Wall(FROM_S * 1000), Wall(TO_S * 1000));
    let of = figures::Past { watches: &past.watches, devices: &past.devices, faults: &past.faults };
    let mut figures = figures(period, of);
    // In the order of their ids both; the world hands in also those that were not there.
    let mut devices = figures.devices.into_iter();
    figures.devices = (0..crate::world::DEVICES)
        .map(|id| {
            let is_told = past.devices.iter().any(|life| *life.id == *crate::product::name(id));
            let absent = Durations { absent_ms: period.length_ms() + figures.repeated_ms, ..Durations::default() };
            if is_told { devices.next().expect("a time for each") } else { absent }
        })
        .collect();
    (figures, log.told(FROM_S, TO_S))
}

fn agree(seed: u64) -> Option<Figures> {
    let (figures, told) = live(seed);
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("world-{seed}.json"));
    std::fs::write(&file, told.to_string()).expect("the log is written");
    let theirs = python(&file)?;
    let mut differing = Vec::new();
    differences("", &found(&figures), &theirs, &mut differing);
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
    let counts =
        [carried_in, new, hidden, withdrawn, open, tally.repair.count, tally.repair.unknown, tally.acknowledgement.count];
    assert!(counts.iter().all(|&count| count > 5), "{counts:?}");
    assert!(repeats > 5, "{repeats}");
}
