//! Clocks of service levels on faults: what starts them, stops them, and what they say.

use super::*;
use crate::sla::calendar::Calendar;
use crate::sla::clock::{Downtime, Standing};
use crate::sla::policy::{Policy, Starts, Target};
use crate::time::Wall;

const MINUTE_MS: u64 = 60_000;

fn policy(id: &str, severities: &[Severity], minutes: [u64; 3]) -> Arc<Policy> {
    let limit = |minutes: u64| (minutes > 0).then_some(minutes * MINUTE_MS);
    Arc::new(Policy {
        id: id.into(),
        name: id.into(),
        severities: severities.to_vec(),
        tiers: vec![],
        classes: vec![],
        networks: vec![],
        response_ms: limit(minutes[0]),
        on_site_ms: limit(minutes[1]),
        restore_ms: limit(minutes[2]),
        starts: Starts::Confirmed,
        calendar: Calendar::always(),
        warn: 0.8,
    })
}

fn site(sla: Vec<Arc<Policy>>) -> Site {
    let devices = vec![SiteDevice { device: device("rt"), model: Arc::new(model()) }];
    Site { devices, sla, ..Site::default() }
}

/// Critical faults: 30 min, 60 min, 240 min; the others nothing.
fn rig() -> Rig {
    let mut rig = Rig::new();
    rig.engine.load(site(vec![policy("critical", &[Severity::Critical], [30, 60, 240])]), rig.now);
    rig.drain();
    rig
}

/// Lets time pass in the steps that the engine asks for, with a poll a minute.
fn pass(rig: &mut Rig, world: &World, minutes: u64) {
    let end = rig.now.plus_ms(minutes * MINUTE_MS);
    while rig.now.mono < end.mono {
        rig.minutes(world, 1);
        rig.engine.handle(Event::Tick, rig.now);
        rig.drain();
    }
}

fn act(rig: &mut Rig, act: Act) {
    let fault = rig.engine.faults().next().unwrap().id;
    rig.engine.handle(Event::Act { request: RequestId(3), fault, by: "李工".into(), act }, rig.now);
    rig.drain();
}

fn standing(fault: &Fault, target: Target) -> Option<Standing> {
    fault.service.as_ref()?.targets[target as usize].as_ref().map(|target| target.standing)
}

#[test]
fn it_warns_before_each_limit_and_says_each_breach_once() {
    let mut rig = rig();
    pass(&mut rig, &hot(80.0), 300);
    assert_eq!(
        rig.story(),
        [
            "hot raised",
            "hot response-warning",
            "hot response-breach",
            "hot on-site-warning",
            "hot on-site-breach",
            "hot restore-warning",
            "hot restore-breach",
        ]
    );
    let raised = rig.heard[0].at.0;
    let after_min: Vec<i64> = rig.heard[1..].iter().map(|t| (t.at.0 - raised) / 60_000).collect();
    assert_eq!(after_min, [24, 30, 48, 60, 192, 240]);
}

#[test]
fn what_people_do_in_time_stops_it() {
    let mut rig = rig();
    pass(&mut rig, &hot(80.0), 20);
    act(&mut rig, Act::Acknowledge);
    pass(&mut rig, &hot(80.0), 20);
    act(&mut rig, Act::Arrive);
    pass(&mut rig, &hot(80.0), 60);
    pass(&mut rig, &World::default(), 5);
    assert_eq!(rig.story(), ["hot raised", "hot acknowledged", "hot arrived", "hot ended"]);
    let over = &rig.heard.last().unwrap().fault;
    for target in [Target::Response, Target::OnSite, Target::Restore] {
        assert_eq!(standing(over, target), Some(Standing::Met), "{target:?}");
    }
    let service = over.service.as_ref().unwrap();
    let minutes: Vec<u64> =
        service.targets.iter().flatten().map(|target| target.elapsed_ms / MINUTE_MS).collect();
    assert_eq!((minutes[0], minutes[1]), (19, 39), "since it was confirmed");
}

#[test]
fn neither_a_shelf_nor_a_step_of_the_clock_stops_or_moves_it() {
    for step_ms in [0, 10 * 365 * 86_400_000_i64, -10 * 365 * 86_400_000] {
        let mut rig = rig();
        pass(&mut rig, &hot(80.0), 5);
        act(&mut rig, Act::Shelve { for_ms: 8 * 3_600_000, reason: "备件在途".into() });
        rig.now.wall.0 += step_ms;
        pass(&mut rig, &hot(80.0), 20);
        assert_eq!(rig.story(), ["hot raised", "hot shelved", "hot response-warning"], "{step_ms}");
        pass(&mut rig, &hot(80.0), 10);
        assert_eq!(rig.story().last().map(String::as_str), Some("hot response-breach"), "{step_ms}");
    }
}

#[test]
fn what_comes_back_goes_on_with_its_clock_and_a_worse_one_gets_another() {
    let mut rig = Rig::new();
    let levels = vec![
        policy("critical", &[Severity::Critical], [10, 0, 0]),
        policy("major", &[Severity::Major], [60, 0, 0]),
    ];
    rig.engine.load(site(levels), rig.now);
    pass(&mut rig, &hot(68.0), 15);
    assert_eq!(rig.story(), ["hot raised"]);
    pass(&mut rig, &World::default(), 5);
    pass(&mut rig, &hot(68.0), 5);
    assert_eq!(rig.story(), ["hot raised", "hot ended", "hot reopened"]);
    // It gets critical: what has elapsed is more than the ten minutes.
    pass(&mut rig, &hot(80.0), 2);
    assert_eq!(rig.story()[3..], ["hot major→critical", "hot response-breach"]);
}

#[test]
fn a_restart_goes_on_from_what_was_kept_and_unknown_time_is_said() {
    let known = |minutes: u64| Downtime::Known { until: Wall(0), length_ms: minutes * MINUTE_MS };
    type Case<'a> = (&'a str, Option<Vec<Downtime>>, &'a [&'a str], bool);
    let table: &[Case<'_>] = &[
        ("off for five minutes", Some(vec![known(5)]), &[], false),
        ("long enough for the warning", Some(vec![known(12), known(12)]), &["hot response-warning"], false),
        ("longer than the limit", Some(vec![known(31)]), &["hot response-breach"], false),
        ("nobody knows", None, &[], true),
    ];
    for (name, passed, said, uncertain) in table {
        let mut rig = rig();
        rig.minutes(&hot(80.0), 2);
        let before = rig.heard.len();
        let fault = rig.heard[0].fault.clone();
        let passed = passed.iter().map(|passed| (fault.id, passed.clone())).collect();
        let kept =
            Kept { next_transition: before as u64 + 1, faults: vec![fault], passed, ..Kept::default() };
        rig.engine = Engine::new(Settings::default());
        rig.engine.restore(kept, rig.now);
        rig.engine.load(site(vec![policy("critical", &[Severity::Critical], [30, 60, 240])]), rig.now);
        rig.engine.handle(Event::Tick, rig.now);
        rig.drain();
        assert_eq!(rig.story()[before..], **said, "{name}");
        rig.minutes(&hot(80.0), 1);
        act(&mut rig, Act::Acknowledge);
        let now = rig.heard.last().unwrap();
        assert_eq!(now.fault.service.as_ref().unwrap().kept.uncertain, *uncertain, "{name}");
    }
}
