//! What a device says of its own accord: raised at once, held, cleared by its sign, its time, or polls that see it.

use super::restarts::restart;
use super::*;
use crate::fault::Sign;

/// The usual rules, and one that signs alone raise; a sign of "hot" stays ten minutes.
fn site() -> Vec<SiteDevice> {
    let mut model = model();
    model.rules[0].stays_ms = Some(600_000);
    model.rules.push(Rule { stays_ms: Some(600_000), ..rule("unit-lost", TEMPERATURE, vec![]) });
    model.rules.push(rule("door", TEMPERATURE, vec![]));
    model.rules.push(Rule { latch: true, ..rule("tamper", TEMPERATURE, vec![]) });
    vec![SiteDevice { device: device("rt"), model: Arc::new(model) }]
}

fn rig() -> Rig {
    let mut rig = Rig::new();
    rig.engine.load(site(), rig.now);
    rig.minutes(&World::default(), 1);
    rig
}

impl Rig {
    fn say(&mut self, rule: &str, instance: &str, sign: Sign) {
        let event = Event::Said { device: DeviceIx(0), rule, instance: instance.into(), sign };
        self.engine.handle(event, self.now);
        self.drain();
    }

    fn wait(&mut self, ms: u64) {
        self.now = self.now.plus_ms(ms);
        self.engine.handle(Event::Tick, self.now);
        self.drain();
    }
}

const BAD: Sign = Sign::Bad(None);

#[test]
fn a_sign_raises_at_once_and_its_opposite_clears() {
    let mut rig = rig();
    rig.say("door", "2", BAD);
    rig.say("door", "3", Sign::Bad(Some(Severity::Critical)));
    rig.say("door", "2", BAD);
    rig.say("nothing-like-this", "", BAD);
    assert_eq!(rig.open(), ["door[2]:minor", "door[3]:critical"]);
    let fault = rig.engine.faults().next().unwrap();
    assert_eq!(&*fault.summary.zh, "规则 door（2），设备主动上报");
    rig.minutes(&World::default(), 60);
    assert_eq!(rig.open().len(), 2, "polls say nothing of it");
    rig.say("door", "2", Sign::Good);
    rig.say("door", "7", Sign::Good);
    assert_eq!(rig.story(), ["door raised", "door raised"]);
    rig.wait(2_000);
    assert_eq!(rig.story(), ["door raised", "door raised", "door ended"]);
}

#[test]
fn without_another_sign_it_ends_by_itself() {
    let mut rig = rig();
    rig.say("unit-lost", "212", BAD);
    rig.wait(400_000);
    rig.say("unit-lost", "212", BAD);
    assert!(rig.engine.poll_timeout().is_some_and(|at| at <= rig.now.mono.plus_ms(600_000)));
    rig.wait(599_999);
    assert_eq!(rig.open(), ["unit-lost[212]:minor"], "the second one gave it its time anew");
    rig.wait(1);
    assert_eq!(rig.story(), ["unit-lost raised", "unit-lost ended"]);
    assert_eq!(rig.engine.poll_timeout(), None);
}

#[test]
fn polls_that_see_it_take_over() {
    let mut rig = rig();
    rig.say("hot", "", BAD);
    assert_eq!(rig.open(), ["hot:critical"], "its first level");
    rig.minutes(&hot(80.0), 3);
    rig.say("hot", "", Sign::Good);
    assert_eq!(rig.asks.len(), 1, "polls judge it: one is asked for");
    rig.answer_asks(&hot(80.0), rig.now.mono);
    assert_eq!(rig.open(), ["hot:critical"], "and they still see it");
    rig.wait(700_000);
    assert_eq!(rig.open(), ["hot:critical"], "its time is not what ends it");
    rig.minutes(&World::default(), 2);
    assert_eq!(rig.story(), ["hot raised", "hot ended"]);
    // And where polls see nothing of it, the sign was wrong or is over.
    rig.say("hot", "", BAD);
    rig.minutes(&World::default(), 3);
    assert_eq!(rig.open(), Vec::<String>::new());
}

#[test]
fn silence_makes_it_stale_and_an_answer_fresh_again() {
    let mut rig = rig();
    rig.say("door", "2", BAD);
    rig.poll(&World { polls: false, reach: true, ..World::default() });
    assert!(rig.engine.faults().any(|fault| &*fault.key.rule == "door" && fault.stale));
    rig.asks.clear();
    rig.minutes(&World::default(), 1);
    assert!(rig.engine.faults().all(|fault| !fault.stale));
}

#[test]
fn it_outlives_a_restart_and_has_its_time_anew() {
    let mut rig = rig();
    rig.say("unit-lost", "212", BAD);
    rig.say("door", "2", BAD);
    rig.say("door", "9", BAD);
    rig.wait(500_000);
    restart(&mut rig);
    rig.engine.load(site(), rig.now);
    rig.minutes(&World::default(), 5);
    assert_eq!(rig.open().len(), 3, "{:?}", rig.story());
    rig.say("door", "2", Sign::Good);
    rig.wait(600_000);
    assert_eq!(rig.open(), ["door[9]:minor"]);
    rig.engine.load(vec![SiteDevice { device: device("rt"), model: Arc::new(model()) }], rig.now);
    rig.drain();
    assert_eq!(rig.open(), Vec::<String>::new(), "the rule is gone");
}

#[test]
fn one_that_latches_rests_until_a_person_closes_it() {
    let mut rig = rig();
    for _ in 0..2 {
        rig.say("tamper", "", BAD);
        rig.say("tamper", "", Sign::Good);
        rig.wait(2_000);
    }
    assert_eq!(rig.story(), ["tamper raised", "tamper restored", "tamper reopened", "tamper restored"]);
    let id = rig.engine.faults().next().unwrap().id;
    rig.engine
        .handle(Event::Act { request: RequestId(9), fault: id, by: "李工".into(), act: Act::Close }, rig.now);
    rig.drain();
    rig.say("tamper", "", BAD);
    assert_eq!(rig.open(), ["tamper:minor"], "a new one");
}

#[test]
fn a_device_that_makes_up_instances_is_bounded() {
    let mut rig = rig();
    (0..1_000).for_each(|n| rig.say("door", &n.to_string(), BAD));
    assert_eq!(rig.open().len(), 256);
    (0..10).for_each(|n| rig.say("door", &n.to_string(), Sign::Good));
    rig.wait(2_000);
    (2_000..3_000).for_each(|n| rig.say("door", &n.to_string(), BAD));
    assert_eq!(rig.open().len(), 256, "room that became free is used");
}

/// A loose plug, or somebody who means harm: what comes of it is bounded, in the record, in polls and in memory.
#[test]
fn chatter_is_one_fault_and_one_poll() {
    let mut rig = rig();
    for at in 0..10_000 {
        rig.say("unit-lost", "212", if at % 2 == 0 { BAD } else { Sign::Good });
        rig.wait(1);
    }
    assert_eq!(rig.story(), ["unit-lost raised"]);
    assert!(rig.engine.deadlines.len() < 10, "{} deadlines", rig.engine.deadlines.len());
    rig.wait(2_000);
    assert_eq!(rig.story(), ["unit-lost raised", "unit-lost ended"]);
    rig.minutes(&hot(80.0), 3);
    rig.asks.clear();
    (0..1_000).for_each(|_| rig.say("hot", "", Sign::Good));
    assert_eq!(rig.asks.len(), 1);
}
