//! The same figures from `tests/simulation/figures.py`, which counts seconds.

use crate::python::{differences, found, python, s};
use crate::random::World;
use roundsman_core::figures::account::Stretch;
use roundsman_core::figures::availability::{DeviceLife, Durations};
use roundsman_core::figures::faults::{FaultLife, Tally};
use roundsman_core::figures::watch::{Moment, Watch};
use serde_json::{Value, json};
use std::path::PathBuf;

const CASES: u64 = 20;
fn moment(moment: Moment) -> Value {
    json!([moment.watch.0, moment.wall.0 / 1000])
}

fn stretch(stretch: &Stretch) -> Value {
    match *stretch {
        Stretch::Lived { from, to } => json!({ "from": moment(from), "to": to.map(moment) }),
        Stretch::Agreed { from, to } => json!({ "agreed": [from.0 / 1000, to.0 / 1000] }),
    }
}

fn device(life: &DeviceLife) -> Value {
    let list = |stretches: &[Stretch]| stretches.iter().map(stretch).collect::<Value>();
    json!({
        "id": &*life.id, "class": life.place.class.word(), "tier": life.place.tier.word(),
        "network": life.place.network.word(), "present": list(&life.present), "unwatched": list(&life.unwatched),
        "excluded": list(&life.excluded), "hidden": list(&life.hidden), "down": list(&life.down),
    })
}

fn fault(life: &FaultLife) -> Value {
    json!({
        "id": life.id.0, "number": life.number.to_string(), "device": &*life.key.device, "rule": &*life.key.rule,
        "severity": life.severity.word(), "first_bad": moment(life.first_bad), "raised": moment(life.raised),
        "acknowledged": life.acknowledged.map(moment), "cleared": life.cleared.map(moment),
        "ended": life.ended.map(|(at, _)| moment(at)), "ending": life.ended.map(|(_, how)| how.word()),
        "behind": life.behind.map(|id| id.0),
    })
}

fn watch(watch: &Watch) -> Value {
    json!({
        "number": watch.number.0, "from": watch.from.0 / 1000, "length": s(watch.length_ms),
        "after": watch.after_ms.map(s), "dated": watch.dated,
    })
}

fn past(world: &World) -> Value {
    json!({
        "period": { "from": world.period.from().0 / 1000, "to": world.period.to().0 / 1000 },
        "watches": world.watches.as_slice().iter().map(watch).collect::<Value>(),
        "devices": world.devices.iter().map(device).collect::<Value>(),
        "faults": world.faults.iter().map(fault).collect::<Value>(),
    })
}

#[test]
fn python_finds_the_same_figures() {
    for seed in 0..CASES {
        let world = World::from_seed(seed);
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("past-{seed}.json"));
        std::fs::write(&file, past(&world).to_string()).expect("the past is written");
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
