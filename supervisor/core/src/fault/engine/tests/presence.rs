//! Silence, and who is asked before the verdict.

use super::*;

#[test]
fn silence_is_asked_again_three_times_before_the_verdict() {
    let mut rig = Rig::new();
    rig.minutes(&World::default(), 1);
    let dead = World { polls: false, reach: false, ..World::default() };
    let begun = rig.now;
    let polls = rig.polls;
    rig.minutes(&dead, 1);
    assert_eq!(rig.polls - polls, 4, "the regular one and three retries");
    assert_eq!(rig.open(), ["unreachable:critical"]);
    let fault = &rig.heard[0].fault;
    assert_eq!(fault.first_bad, begun.wall);
    assert_eq!(fault.confirmed, begun.plus_ms(7_000).wall, "after 1, 2 and 4 s");
    rig.minutes(&World::default(), 1);
    assert_eq!(rig.open(), Vec::<String>::new(), "two good polls, the second asked for at once");
    assert_eq!(rig.story(), ["unreachable raised", "unreachable ended"]);
}

#[test]
fn presence_tells_unreachable_from_no_data() {
    let dead = World { polls: false, reach: false, ..World::default() };
    let deaf = World { polls: false, reach: true, ..World::default() };
    let mute = World { mute: true, reach: false, ..World::default() };
    type Case<'a> = (&'a str, &'a [(&'a World, u32)], &'a [&'a str]);
    let table: &[Case] = &[
        ("reach answers, protocol silent", &[(&deaf, 1)], &["no-data raised"]),
        ("valid replies without a good value", &[(&mute, 1)], &["no-data raised"]),
        (
            "no data, then gone altogether",
            &[(&deaf, 1), (&dead, 4)],
            &["no-data raised", "no-data ended", "unreachable raised"],
        ),
        (
            "gone, then back without data",
            &[(&dead, 1), (&deaf, 4)],
            &["unreachable raised", "unreachable ended", "no-data raised"],
        ),
        (
            "one word from a dead device is not enough",
            &[(&dead, 1), (&deaf, 1), (&dead, 1), (&deaf, 1)],
            &["unreachable raised"],
        ),
    ];
    for (name, worlds, expected) in table {
        let mut rig = Rig::new();
        for (world, minutes) in *worlds {
            rig.minutes(world, *minutes);
        }
        assert_eq!(rig.story(), *expected, "{name}");
    }
}

/// Its time must not be counted as the other's too.
#[test]
fn what_turns_is_bad_since_the_turn() {
    let dead = World { polls: false, reach: false, ..World::default() };
    let deaf = World { polls: false, reach: true, ..World::default() };
    for (first, then) in [(&dead, &deaf), (&deaf, &dead)] {
        let mut rig = Rig::new();
        rig.minutes(first, 1);
        rig.minutes(then, 4);
        let [_, ended, raised] = &rig.heard[..] else { panic!("{:?}", rig.story()) };
        assert_eq!((raised.fault.first_bad, ended.fault.cleared), (raised.at, Some(raised.at)));
        assert!(raised.at > ended.fault.first_bad);
    }
}

#[test]
fn one_answer_in_the_episode_ends_it() {
    let mut rig = Rig::new();
    let dead = World { polls: false, reach: false, ..World::default() };
    for _ in 0..50 {
        rig.poll(&dead);
        let at = rig.now.plus_ms(5_000);
        rig.answer_asks(&dead, at.mono);
        rig.now = at;
        rig.minutes(&World::default(), 1);
    }
    assert_eq!(rig.story(), Vec::<String>::new());
}

#[test]
fn answers_of_an_older_generation_are_dropped() {
    let mut rig = Rig::new();
    rig.minutes(&World::default(), 1);
    let old = rig.engine.generation(DeviceIx(0));
    rig.poll(&World { polls: false, reach: false, ..World::default() });
    assert_ne!(rig.engine.generation(DeviceIx(0)), old);
    rig.poll_as(&World::default(), old);
    assert_eq!(rig.engine.suspects(), 1, "an old answer does not end the episode");
}

#[test]
fn an_ask_without_an_answer_is_silence() {
    let mut rig = Rig::new();
    rig.poll(&World { polls: false, ..World::default() });
    for _ in 0..8 {
        rig.asks.clear();
        let Some(at) = rig.engine.poll_timeout() else {
            break;
        };
        rig.now = rig.now.plus_ms(at.since_ms(rig.now.mono));
        rig.engine.handle(Event::Tick, rig.now);
        rig.drain();
    }
    assert_eq!(rig.open(), ["unreachable:critical"]);
}
