//! The same figures from `tests/simulation/figures.py`, which counts seconds.

use crate::python::{differences, found, python, told};
use crate::random::World;
use roundsman_core::figures::availability::Durations;
use roundsman_core::figures::faults::Tally;
use std::path::PathBuf;

const CASES: u64 = 20;
#[test]
fn python_finds_the_same_figures() {
    for seed in 0..CASES {
        let world = World::from_seed(seed);
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("past-{seed}.json"));
        std::fs::write(&file, told(world.period, world.past()).to_string()).expect("the past is written");
        let Some(theirs) = python(&file) else { return };
        let mut differing = Vec::new();
        differences("", &found(&world.figures()), &theirs, &mut differing);
        assert!(differing.is_empty(), "seed {seed}, {}:\n{}", file.display(), differing.join("\n"));
    }
}

/// Twenty pasts prove little if nothing happens in them.
#[test]
fn the_pasts_have_something_of_everything() {
    let mut all = Durations::default();
    let (mut tally, mut repeated_ms, mut repeats, mut scores) = (Tally::default(), 0, 0, 0);
    for seed in 0..CASES {
        let figures = World::from_seed(seed).figures();
        all += figures.time.all.time;
        let of_case = figures.faults.groups.all;
        tally.carried_in += of_case.carried_in;
        tally.hidden += of_case.hidden;
        tally.withdrawn += of_case.withdrawn;
        tally.open += of_case.open;
        tally.repair.count += of_case.repair.count;
        tally.repair.unknown += of_case.repair.unknown;
        repeated_ms += figures.repeated_ms;
        repeats += figures.faults.repeats.len();
        scores += usize::from(figures.health.all.is_some());
    }
    let Durations { absent_ms, unknown_ms, excluded_ms, hidden_ms, down_ms, up_ms } = all;
    let times = [absent_ms, unknown_ms, excluded_ms, hidden_ms, down_ms, up_ms, repeated_ms];
    assert!(times.iter().all(|&ms| ms > 600_000), "{times:?}");
    let counts = [
        tally.carried_in,
        tally.hidden,
        tally.withdrawn,
        tally.open,
        tally.repair.count,
        tally.repair.unknown,
    ];
    assert!(counts.iter().all(|&count| count > 5), "{counts:?}");
    assert!(repeats > 5 && scores > 5, "{repeats} repeats, {scores} scores");
}
