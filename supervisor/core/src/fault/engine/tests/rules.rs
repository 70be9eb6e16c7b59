//! What rules say of values, and what operators may do.

use super::*;

#[test]
fn severity_follows_the_value() {
    let mut rig = Rig::new();
    rig.minutes(&hot(68.0), 1);
    assert_eq!(rig.open(), Vec::<String>::new());
    rig.minutes(&hot(68.0), 2);
    assert_eq!(rig.open(), ["hot:major"]);
    rig.minutes(&hot(78.0), 1);
    assert_eq!(rig.open(), ["hot:critical"], "30 s are confirmed by a poll of their own");
    rig.minutes(&hot(66.0), 3);
    assert_eq!(rig.open(), ["hot:major"]);
    rig.minutes(&hot(62.0), 3);
    assert_eq!(rig.open(), ["hot:major"], "between limit and deadband nothing clears");
    rig.minutes(&hot(50.0), 2);
    assert_eq!(rig.story(), ["hot raised", "hot major→critical", "hot critical→major", "hot ended"]);
    let fault = &rig.heard[0].fault;
    assert_eq!(fault.number.to_string(), "F-2026-0001");
    assert_eq!(&*fault.summary.zh, "规则 hot，当前 68℃");
    assert_eq!(&*fault.summary.en, "rule hot, now 68℃");
}

#[test]
fn guards_judge_only_what_applies() {
    let down = World { oper: Some("down"), ..World::default() };
    let shut = World { admin: "down", ..down.clone() };
    let mut rig = Rig::new();
    rig.minutes(&shut, 3);
    assert_eq!(rig.open(), Vec::<String>::new(), "shut on purpose; GE0/2 has no tag and no admin state");
    rig.minutes(&down, 1);
    assert_eq!(rig.open(), ["uplink-down[GE0/1]:critical"]);
    rig.minutes(&shut, 3);
    assert_eq!(rig.open(), Vec::<String>::new());
}

#[test]
fn missing_data_never_clear_a_fault() {
    let mut rig = Rig::new();
    rig.minutes(&hot(80.0), 2);
    let invalid = World { temperature: Err(Absence::Invalid), ..World::default() };
    rig.minutes(&invalid, 10);
    assert_eq!(rig.open(), ["hot:critical"]);
    assert!(rig.engine.faults().all(|fault| fault.stale));
    rig.minutes(&hot(80.0), 1);
    assert!(rig.engine.faults().all(|fault| !fault.stale));
    rig.minutes(&World { polls: false, reach: false, ..World::default() }, 1);
    assert_eq!(rig.open(), ["hot:critical", "unreachable:critical"]);
    assert!(rig.engine.faults().all(|fault| fault.stale == fault.key.is_by_readings()));
}

#[test]
fn an_instance_is_gone_after_three_complete_walks_only() {
    let mut rig = Rig::new();
    rig.minutes(&World { oper: Some("down"), ..World::default() }, 2);
    let cut = World { oper: None, complete: false, ..World::default() };
    rig.minutes(&cut, 10);
    assert_eq!(rig.open(), ["uplink-down[GE0/1]:critical"], "a partial walk removes nothing");
    let gone = World { oper: None, ..World::default() };
    rig.minutes(&gone, 2);
    assert_eq!(rig.open().len(), 1);
    rig.minutes(&gone, 1);
    assert_eq!(rig.heard.last().map(|t| t.fault.ending), Some(Some(Ending::Withdrawn)));
}

#[test]
fn the_same_condition_within_thirty_minutes_reopens_the_number() {
    let mut rig = Rig::new();
    rig.minutes(&hot(80.0), 2);
    rig.acknowledge(1);
    let confirmed = rig.heard[0].fault.confirmed;
    rig.minutes(&hot(40.0), 20);
    rig.minutes(&hot(80.0), 2);
    let again = &rig.heard.last().unwrap().fault;
    assert_eq!((again.id, again.confirmed, again.cleared), (FaultId(1), confirmed, None));
    assert!(again.acknowledged.is_some());
    rig.minutes(&hot(40.0), 40);
    rig.minutes(&hot(80.0), 2);
    let new = &rig.heard.last().unwrap().fault;
    assert_eq!((new.id, new.previous, &new.acknowledged), (FaultId(2), Some(FaultId(1)), &None));
    assert_eq!(
        rig.story(),
        ["hot raised", "hot acknowledged", "hot ended", "hot reopened", "hot ended", "hot raised"]
    );
}

#[test]
fn operators_are_answered() {
    let mut rig = Rig::new();
    rig.minutes(&hot(80.0), 2);
    rig.acknowledge(1);
    rig.acknowledge(1);
    rig.acknowledge(7);
    let close = Event::Act { request: RequestId(2), fault: FaultId(1), by: "李工".into(), act: Act::Close };
    rig.engine.handle(close, rig.now);
    rig.drain();
    assert_eq!(rig.refused, [Refusal::AlreadyAcknowledged, Refusal::NoSuchFault, Refusal::NotClosable]);
}

#[test]
fn a_latching_rule_waits_for_a_person() {
    let mut rig = Rig::new();
    rig.minutes(&hot(95.0), 1);
    rig.minutes(&hot(40.0), 3);
    assert_eq!(rig.open(), ["burnt:minor"]);
    rig.minutes(&hot(95.0), 1);
    rig.minutes(&hot(40.0), 3);
    let id = rig.engine.faults().next().map(|fault| fault.id).unwrap();
    rig.engine
        .handle(Event::Act { request: RequestId(2), fault: id, by: "李工".into(), act: Act::Close }, rig.now);
    rig.drain();
    assert_eq!(rig.open(), Vec::<String>::new());
    let burnt: Vec<String> = rig.story().into_iter().filter(|line| line.starts_with("burnt")).collect();
    assert_eq!(burnt, ["burnt raised", "burnt restored", "burnt reopened", "burnt restored", "burnt ended"]);
    assert_eq!(rig.heard.last().and_then(|t| t.fault.closed_by.clone()).as_deref(), Some("李工"));
    rig.minutes(&hot(40.0), 2);
    assert_eq!(rig.open(), Vec::<String>::new());
}

#[test]
fn a_changed_value_is_accepted_with_the_acknowledgement() {
    let mut rig = Rig::new();
    rig.minutes(&World::default(), 1);
    let other = World { serial: "B", ..World::default() };
    rig.minutes(&other, 5);
    assert_eq!(rig.open(), ["replaced:warning"]);
    rig.acknowledge(1);
    rig.minutes(&other, 2);
    assert_eq!(rig.story(), ["replaced raised", "replaced acknowledged", "replaced ended"]);
}

#[test]
fn a_replaced_agent_is_told_for_a_day_or_until_somebody_takes_note() {
    let replaced = |rig: &mut Rig| {
        let what = Bilingual::new("引擎标识变化", "another engine");
        rig.engine.handle(Event::Replaced { device: DeviceIx(0), what }, rig.now);
        rig.drain();
    };
    let day = 24 * 60;
    let mut rig = Rig::new();
    replaced(&mut rig);
    assert_eq!(rig.open(), ["board-replaced:warning"]);
    // Missing data say nothing of it.
    rig.minutes(&World { polls: false, ..World::default() }, 5);
    assert!(rig.engine.faults().all(|fault| !fault.stale));
    rig.minutes(&World::default(), day - 10);
    assert_eq!(rig.open(), ["board-replaced:warning"]);
    replaced(&mut rig);
    rig.minutes(&World::default(), day - 1);
    assert_eq!(rig.open(), ["board-replaced:warning"], "it changed again: the day begins anew");
    rig.minutes(&World::default(), 2);
    assert_eq!(rig.open(), Vec::<String>::new());

    rig.minutes(&World::default(), 60);
    replaced(&mut rig);
    let fault = rig.engine.faults().next().map(|fault| fault.id).unwrap();
    rig.engine
        .handle(Event::Act { request: RequestId(1), fault, by: "li".into(), act: Act::Acknowledge }, rig.now);
    rig.drain();
    assert_eq!(rig.open(), Vec::<String>::new());
    let last = rig.heard.last().map(|heard| heard.fault.clone()).unwrap();
    assert_eq!(last.acknowledged.map(|by| by.by), Some("li".into()), "who took note stays with it");
}
