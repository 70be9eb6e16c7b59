//! Faults of the line: what reach probes say stands beside what the device says, and never for it.

use super::*;
use crate::line::{self, Figure, Line, Quality};

const LOSS: MetricIx = MetricIx(1);

/// A temperature that the device gives, a loss that probes measure; lossy at once, so that nothing but the evidence
/// keeps the rule quiet.
fn lossy_model() -> Model {
    let metric = |name: &str| Metric {
        name: name.into(),
        title: Bilingual::new(name, name),
        kind: Kind::Gauge,
        unit: "%".into(),
        record: Record::Every,
        table: None,
    };
    let test = Test::Above { limit: 10.0, clear: 5.0 };
    Model {
        metrics: vec![metric("temperature.value"), metric("line.loss")],
        rules: vec![rule("line-lossy", LOSS, vec![level(Severity::Major, test, Some(0), 0)])],
        line: vec![(LOSS, Figure::Loss)],
        ..Model::default()
    }
}

fn lossy_rig(probe_s: Option<u32>) -> Rig {
    let mut rig = Rig::new();
    rig.engine.load(vec![site(probe_s)], rig.now);
    rig
}

fn site(probe_s: Option<u32>) -> SiteDevice {
    let line = Line { speed: None, probe_s };
    SiteDevice { device: Device { line, ..device("rt") }, model: Arc::new(lossy_model()) }
}

/// One poll: what the device gives, and what the probes say.
fn poll(rig: &mut Rig, own: Sample, answered: bool, loss: Result<f64, Absence>) {
    let mut readings = Readings::new(rig.now, answered);
    readings.add(TEMPERATURE, [(InstanceIx::SCALAR, own)]);
    let quality = loss.map(|loss| Quality {
        probes: 60,
        loss,
        latency_ms: Some(1.0),
        latency_p95_ms: Some(1.0),
        jitter_ms: Some(0.0),
    });
    line::add_to(&mut readings, &lossy_model(), &quality);
    let generation = rig.engine.generation(DeviceIx(0));
    let labels = Labels::default();
    let event = Event::Polled { device: DeviceIx(0), generation, readings: &readings, labels: &labels };
    rig.engine.handle(event, rig.now);
    rig.drain();
}

#[test]
fn a_lossy_line_is_a_fault_of_its_own() {
    let mut rig = lossy_rig(Some(10));
    let value = Ok(Value::Number(40.0));
    poll(&mut rig, value.clone(), true, Err(Absence::NotJudged));
    assert_eq!(rig.open(), Vec::<String>::new());
    poll(&mut rig, value.clone(), true, Ok(20.0));
    assert_eq!(rig.open(), ["line-lossy:major"]);
    // Down: the fault keeps its state, and nobody calls it healed.
    poll(&mut rig, value.clone(), true, Err(Absence::Unreachable));
    assert!(rig.engine.faults().all(|fault| fault.stale));
    poll(&mut rig, value.clone(), true, Ok(0.0));
    poll(&mut rig, value, true, Ok(0.0));
    assert_eq!(rig.story(), ["line-lossy raised", "line-lossy ended"]);
}

/// Answers to probes are no data: a device whose agent is mute or silent is that, however well its line does.
#[test]
fn what_probes_say_is_no_word_of_the_device() {
    for (own, answered) in [(Err(Absence::Denied), true), (Err(Absence::Timeout), false)] {
        let mut rig = lossy_rig(Some(10));
        for _ in 0..4 {
            poll(&mut rig, own.clone(), answered, Ok(20.0));
            let reached = World::default();
            let at = rig.now.plus_ms(5_000);
            while let Some(ask) = rig.asks.pop() {
                if ask.probe == Probe::Reach {
                    let (device, generation) = (ask.device, ask.generation);
                    let event = Event::Reached { device, generation, answered: reached.reach };
                    rig.engine.handle(event, rig.now);
                    rig.drain();
                }
            }
            rig.now = at;
        }
        assert_eq!(rig.story(), ["no-data raised"], "{own:?}: and a poll without data judges no line");
    }
}

#[test]
fn a_line_that_nobody_looks_at_any_more_has_no_faults() {
    let mut rig = lossy_rig(Some(10));
    poll(&mut rig, Ok(Value::Number(40.0)), true, Ok(20.0));
    rig.engine.load(vec![site(Some(5))], rig.now);
    rig.drain();
    assert_eq!(rig.open(), ["line-lossy:major"], "another pace");
    rig.engine.load(vec![site(None)], rig.now);
    rig.drain();
    let ended = rig.heard.last().map(|transition| transition.fault.ending);
    assert_eq!((rig.open(), ended), (vec![], Some(Some(Ending::Withdrawn))), "switched off");
}
