//! What `tests/simulation` found, each as small as it gets.

use super::cause::Net;
use super::restarts::restart;
use super::*;
use crate::fault::Sign;

/// 0 with the box, then one behind the other.
const CHAIN: &[&[u32]] = &[&[], &[0], &[1], &[2]];

fn times(net: &mut Net, device: u32, polls: u32) {
    for _ in 0..polls {
        net.poll(DeviceIx(device));
        let later = net.now.plus_ms(60_000);
        net.pass(later);
    }
}

#[test]
fn who_answers_is_free_at_once_also_where_it_was_not_asked_while_the_way_was_lost() {
    let mut net = Net::new(CHAIN);
    net.minutes(2);
    net.alive[1] = false;
    times(&mut net, 1, 1);
    assert_eq!(net.hidden(), ["d2", "d3"]);
    net.alive[1] = true;
    net.poll(DeviceIx(2));
    assert_eq!(net.hidden(), Vec::<&str>::new());
}

#[test]
fn a_ring_whose_other_side_is_out_already_makes_nobody_speak_when_it_breaks() {
    // 3 and 4 and what is behind them hang on 2 and, the long way round, on 1.
    let mut net = Net::new(&[&[], &[0], &[0], &[1], &[2, 3], &[4], &[5], &[4]]);
    net.minutes(2);
    net.alive[2] = false;
    net.minutes(30);
    let before = net.told();
    assert_eq!(before, ["d2 unreachable raised", "d4 redundancy-lost raised"]);
    net.alive[1] = false;
    times(&mut net, 7, 1);
    assert_eq!(net.told()[2..], ["d1 unreachable raised"]);
    assert_eq!(net.hidden(), ["d3", "d4", "d5", "d6", "d7"]);
}

#[test]
fn one_that_is_out_but_lets_polls_through_hides_nobody_until_another_fails_behind_it() {
    // 1 answers nobody, and passes all on; 3 replies to probes alone.
    let mut net = Net::new(CHAIN);
    net.minutes(2);
    net.alive[1] = false;
    times(&mut net, 1, 1);
    (net.alive[1], net.deaf[1], net.deaf[3]) = (true, true, true);
    times(&mut net, 2, 2);
    times(&mut net, 3, 2);
    assert_eq!(net.open(), ["d1 unreachable", "d3 no-data"]);
    net.alive[2] = false;
    times(&mut net, 2, 1);
    assert_eq!((net.open(), net.hidden()), (vec!["d1 unreachable".to_owned()], vec!["d2", "d3"]));
}

#[test]
fn a_device_without_data_that_dies_speaks_for_those_behind_it() {
    let mut net = Net::new(CHAIN);
    net.minutes(2);
    net.deaf[1] = true;
    net.minutes(2);
    assert_eq!(net.told(), ["d1 no-data raised"]);
    net.alive[1] = false;
    net.minutes(4);
    assert_eq!(net.told()[1..], ["d1 no-data ended", "d1 unreachable raised"]);
    assert_eq!(net.hidden(), ["d2", "d3"]);
}

#[test]
fn a_poll_from_before_the_way_was_free_lets_nothing_speak() {
    let mut net = Net::new(CHAIN);
    net.degrees[2] = 80.0;
    net.minutes(3);
    assert_eq!(net.open(), ["d2 hot"]);
    net.alive[1] = false;
    times(&mut net, 1, 1);
    assert_eq!(net.open(), ["d1 unreachable"]);
    let before = net.engine.generation(DeviceIx(2));
    net.alive[1] = true;
    net.poll(DeviceIx(1));
    let later = net.now.plus_ms(1_999);
    net.pass(later);
    net.poll(DeviceIx(1));
    let mut readings = Readings::new(net.now, true);
    readings.add(TEMPERATURE, [(InstanceIx::SCALAR, Ok(Value::Number(80.0)))]);
    let labels = Labels::default();
    let event =
        Event::Polled { device: DeviceIx(2), generation: before, readings: &readings, labels: &labels };
    net.engine.handle(event, net.now);
    net.drain();
    assert_eq!(net.open(), Vec::<String>::new());
    times(&mut net, 2, 1);
    assert_eq!(net.open(), ["d2 hot"]);
}

#[test]
fn what_was_hidden_by_one_that_is_over_speaks_after_a_start_too() {
    let mut net = Net::new(CHAIN);
    net.degrees[2] = 80.0;
    net.minutes(3);
    net.alive[1] = false;
    net.minutes(2);
    let faults = net.engine.faults().filter(|fault| &*fault.key.rule == "hot").cloned().collect();
    net.engine = Engine::new(Settings::default());
    net.engine.restore(Kept { faults, next_transition: 100, ..Kept::default() }, net.now);
    (net.alive[1], net.asks) = (true, vec![]);
    net.load();
    net.minutes(2);
    assert_eq!(net.open(), ["d2 hot"]);
}

#[test]
fn a_verdict_that_waits_is_void_once_the_device_replies() {
    let mut net = Net::new(CHAIN);
    net.minutes(2);
    net.alive[2] = false;
    net.poll(DeviceIx(2));
    // The one nearer is asked, and its answer takes its time.
    while let Some(next) = net.asks.iter().filter(|ask| ask.device == DeviceIx(2)).map(|ask| ask.at).min() {
        net.asks.retain(|ask| ask.device == DeviceIx(2));
        let later = net.now.plus_ms(next.since_ms(net.now.mono));
        net.pass(later);
    }
    assert_eq!(net.engine.suspects(), 1, "its verdict waits");
    let generation = net.engine.generation(DeviceIx(2));
    net.engine.handle(Event::Reached { device: DeviceIx(2), generation, answered: true }, net.now);
    net.drain();
    net.alive[2] = true;
    let later = net.now.plus_ms(120_000);
    net.pass(later);
    assert_eq!(net.told(), Vec::<String>::new());
}

#[test]
fn a_change_that_nobody_has_taken_note_of_outlives_a_start() {
    let other = World { serial: "B", ..World::default() };
    let mut rig = Rig::new();
    rig.minutes(&World::default(), 1);
    rig.minutes(&other, 2);
    assert_eq!(rig.open(), ["replaced:warning"]);
    restart(&mut rig);
    rig.engine.load(vec![SiteDevice { device: device("rt"), model: Arc::new(model()) }], rig.now);
    rig.minutes(&other, 4);
    assert_eq!(rig.open(), ["replaced:warning"]);
    rig.acknowledge(1);
    rig.minutes(&other, 2);
    assert_eq!(rig.open(), Vec::<String>::new());
}

#[test]
fn a_sign_as_bad_as_no_level_is_not_ended_by_a_bad_value() {
    let mut rig = Rig::new();
    let sign = Sign::Bad(Some(Severity::Minor));
    let event = Event::Said { device: DeviceIx(0), rule: "hot", instance: "".into(), sign };
    rig.engine.handle(event, rig.now);
    rig.minutes(&hot(80.0), 1);
    assert_eq!(rig.open().len(), 1);
    rig.minutes(&World::default(), 1);
    assert_eq!(rig.open().len(), 1, "one good poll ends nothing");
    rig.minutes(&World::default(), 1);
    assert_eq!(rig.story(), ["hot raised", "hot minor→major", "hot major→critical", "hot ended"]);
}

#[test]
fn a_reload_after_a_step_of_the_clock_does_not_end_what_stays_a_day() {
    let mut rig = Rig::new();
    let what = Bilingual::new("换板", "another board");
    rig.engine.handle(Event::Replaced { device: DeviceIx(0), what }, rig.now);
    rig.now.wall.0 += 10 * 365 * 86_400_000;
    rig.engine.load(vec![SiteDevice { device: device("rt"), model: Arc::new(model()) }], rig.now);
    rig.now = rig.now.plus_ms(23 * 3_600_000);
    rig.engine.handle(Event::Tick, rig.now);
    assert_eq!(rig.open(), ["board-replaced:warning"]);
    rig.now = rig.now.plus_ms(3_600_000);
    rig.engine.handle(Event::Tick, rig.now);
    assert_eq!(rig.open(), Vec::<String>::new());
}
