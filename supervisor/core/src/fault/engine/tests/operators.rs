//! What people do to a fault: the second axis, and the shelf.

use super::*;
use crate::fault::{MOST_SHELF_MS, Operator};

const HOUR_MS: u64 = 3_600_000;

fn act(rig: &mut Rig, fault: FaultId, act: Act) {
    rig.engine.handle(Event::Act { request: RequestId(3), fault, by: "李工".into(), act }, rig.now);
    rig.drain();
}

fn broken() -> (Rig, FaultId) {
    let mut rig = Rig::new();
    rig.minutes(&hot(80.0), 2);
    let fault = rig.engine.faults().next().unwrap().id;
    (rig, fault)
}

fn shelve(for_ms: u64) -> Act {
    Act::Shelve { for_ms, reason: "备件在途".into() }
}

#[test]
fn people_take_note_are_sent_and_arrive() {
    let assign = |to: &str| Act::Assign { to: to.into() };
    type Case<'a> = (&'a str, &'a [Act], Operator, &'a [&'a str], &'a [Refusal]);
    let (wang, zhao) = (assign("王工"), assign("赵工"));
    let table: &[Case] = &[
        ("note", &[Act::Acknowledge], Operator::Acknowledged, &["hot acknowledged"], &[]),
        (
            "twice",
            &[Act::Acknowledge, Act::Acknowledge],
            Operator::Acknowledged,
            &["hot acknowledged"],
            &[Refusal::AlreadyAcknowledged],
        ),
        ("sent", std::slice::from_ref(&wang), Operator::Assigned, &["hot assigned"], &[]),
        (
            "another one is sent",
            &[wang.clone(), zhao.clone()],
            Operator::Assigned,
            &["hot assigned", "hot assigned"],
            &[],
        ),
        (
            "sent and there",
            &[Act::Acknowledge, wang.clone(), Act::Arrive],
            Operator::OnSite,
            &["hot acknowledged", "hot assigned", "hot arrived"],
            &[],
        ),
        (
            "there at once, and once",
            &[Act::Arrive, Act::Arrive],
            Operator::OnSite,
            &["hot arrived"],
            &[Refusal::AlreadyOnSite],
        ),
    ];
    for (name, acts, operator, story, refused) in table {
        let (mut rig, fault) = broken();
        acts.iter().for_each(|one| act(&mut rig, fault, one.clone()));
        assert_eq!(rig.story()[1..], **story, "{name}");
        assert_eq!(rig.refused, *refused, "{name}");
        let open = rig.engine.fault(fault).unwrap();
        assert_eq!(open.operator(), *operator, "{name}");
        assert!(open.acknowledged.is_some(), "{name}: whoever acts has taken note");
    }
    let (mut rig, _) = broken();
    act(&mut rig, FaultId(99), Act::Arrive);
    assert_eq!(rig.refused, [Refusal::NoSuchFault]);
}

#[test]
fn a_shelf_ends_by_itself_or_by_a_person_and_hides_nothing_else() {
    let (mut rig, fault) = broken();
    act(&mut rig, fault, shelve(HOUR_MS));
    let open = rig.engine.fault(fault).unwrap();
    assert!(open.is_suppressed() && open.condition == Condition::Active && open.acknowledged.is_none());
    assert_eq!(rig.engine.poll_timeout(), Some(rig.now.plus_ms(HOUR_MS).mono));
    rig.minutes(&hot(80.0), 59);
    assert_eq!(rig.story().last().map(String::as_str), Some("hot shelved"));
    rig.minutes(&hot(80.0), 2);
    assert_eq!(rig.story().last().map(String::as_str), Some("hot unshelved"));
    assert!(!rig.engine.fault(fault).unwrap().is_suppressed());

    act(&mut rig, fault, shelve(HOUR_MS));
    act(&mut rig, fault, Act::Unshelve);
    act(&mut rig, fault, Act::Unshelve);
    assert_eq!(rig.refused, [Refusal::NotShelved]);
    for for_ms in [0, MOST_SHELF_MS + 1, u64::MAX] {
        act(&mut rig, fault, shelve(for_ms));
    }
    assert_eq!(rig.refused[1..], [Refusal::ShelfTooLong; 3]);
    act(&mut rig, fault, shelve(MOST_SHELF_MS));
    assert!(rig.engine.fault(fault).unwrap().is_suppressed());
}

#[test]
fn what_comes_back_while_it_is_shelved_stays_shelved() {
    let (mut rig, fault) = broken();
    act(&mut rig, fault, shelve(HOUR_MS));
    rig.minutes(&World::default(), 5);
    assert_eq!(rig.open(), Vec::<String>::new());
    rig.minutes(&hot(80.0), 3);
    assert_eq!(rig.story().last().map(String::as_str), Some("hot reopened"));
    assert!(rig.engine.fault(fault).unwrap().is_suppressed());
    rig.minutes(&World::default(), 5);
    rig.minutes(&World::default(), 55);
    rig.minutes(&hot(80.0), 3);
    let open = rig.engine.faults().next().unwrap();
    assert!(!open.is_suppressed(), "its time was over while nothing was wrong");
}

/// Steps of the wall clock and restarts neither lengthen nor shorten a shelf beyond its own length.
#[test]
fn a_shelf_outlives_a_restart_but_never_its_length() {
    for step_ms in [0, 10 * 365 * 86_400_000_i64, -10 * 365 * 86_400_000] {
        let (mut rig, fault) = broken();
        act(&mut rig, fault, shelve(2 * HOUR_MS));
        rig.now = rig.now.plus_ms(HOUR_MS);
        rig.now.wall.0 += step_ms;
        restarts::restart(&mut rig);
        rig.engine.load(vec![SiteDevice { device: device("rt"), model: Arc::new(model()) }], rig.now);
        let left_ms = rig.engine.poll_timeout().unwrap().since_ms(rig.now.mono);
        let expected = match step_ms {
            0 => HOUR_MS,
            later if later > 0 => 0,
            _ => 2 * HOUR_MS,
        };
        assert_eq!(left_ms, expected, "{step_ms}");
    }
}
