//! What each fault of a line does to one exchange, as a table, and how often it does it.

use super::hex;
use crate::bus::Protocol;
use crate::bus::party::Heard;
use crate::bus::spoil::{Chances, Passed, Spoiler};
use crate::fault::Fault;
use roundsman_rtu::frame;
use std::time::Duration;

/// An octet at 9,600 baud.
const OCTET: Duration = Duration::from_micros(1_146);

fn heard() -> Heard {
    Heard { member: Some(0), address: 1, request: hex("010400010002200B"), answer: hex("010404013102222ACE") }
}

fn passes(fault: Option<&str>, count: usize) -> (Vec<Passed>, Spoiler) {
    let fault: Option<Fault> = fault.map(|text| text.parse().unwrap());
    let chances = Chances::of(fault.as_ref());
    let mut spoiler = Spoiler::new(Protocol::Modbus, false, OCTET, 1);
    let passed = (0..count).map(|_| spoiler.pass(&heard(), &chances)).collect();
    (passed, spoiler)
}

/// What arrives in which order, and when the last of it.
fn arrives(passed: &Passed) -> (Vec<u8>, Duration) {
    let mut deliveries = passed.deliveries.clone();
    deliveries.sort_by_key(|delivery| delivery.after);
    let last = deliveries.last().map_or(Duration::ZERO, |delivery| delivery.after);
    (deliveries.into_iter().flat_map(|delivery| delivery.octets).collect(), last)
}

#[test]
fn a_sound_line_takes_the_time_of_its_octets() {
    let (passed, _) = passes(None, 1);
    let (octets, last) = arrives(&passed[0]);
    assert_eq!(octets, heard().answer);
    let octets_ms = OCTET * (heard().request.len() + heard().answer.len()) as u32;
    assert!(last >= octets_ms && last < octets_ms + Duration::from_millis(20), "{last:?}");
}

/// What must be true of what arrives, and of when the last of it does.
type Holds<'a> = &'a dyn Fn(&[u8], Duration) -> bool;

#[test]
fn each_fault_at_100_percent() {
    let answer = heard().answer;
    let (request, len) = (heard().request, answer.len());
    let is_sound = |octets: &[u8]| frame::open(octets).is_some();
    let check: [(&str, Holds<'_>); 8] = [
        ("noise:100", &|octets, _| octets.len() > len && octets.len() <= len + 12),
        ("cut:100", &|octets, _| octets.len() < len && answer.starts_with(octets)),
        ("flip:100", &|octets, _| octets.len() == len && !is_sound(octets)),
        ("echo", &|octets, _| octets == [&request[..], &answer[..]].concat()),
        ("foreign:100", &|octets, _| octets.len() == len + 7),
        ("lossy:100", &|octets, _| octets.is_empty()),
        ("late:700", &|octets, last| octets == answer && last > Duration::from_millis(700)),
        ("silent", &|octets, _| octets == answer),
    ];
    for (fault, holds) in check {
        let (passed, _) = passes(Some(fault), 200);
        for passed in passed {
            let (octets, last) = arrives(&passed);
            assert!(holds(&octets, last), "{fault}: {octets:02X?} {last:?}");
            assert_eq!((passed.dead, passed.gone), (None, None));
        }
    }
}

#[test]
fn foreign_answers_are_sound_and_answer_nobody() {
    for (protocol, is_mbap) in [(Protocol::Modbus, false), (Protocol::Modbus, true), (Protocol::Mdc, false)] {
        let mut spoiler = Spoiler::new(protocol, is_mbap, Duration::ZERO, 7);
        let chances = Chances { foreign: 1.0, ..Chances::none() };
        let mute = Heard { answer: vec![], ..heard() };
        for _ in 0..200 {
            let (octets, _) = arrives(&spoiler.pass(&mute, &chances));
            match (protocol, is_mbap) {
                (Protocol::Modbus, false) => {
                    let (unit, pdu) = frame::open(&octets).unwrap();
                    assert!(unit != 1 || pdu[0] != 4, "{octets:02X?}");
                }
                (Protocol::Modbus, true) => assert_ne!(octets[..2], mute.request[..2]),
                _ => assert!(octets[2] > 100 && octets.len() == 8, "{octets:02X?}"),
            }
        }
    }
    let mut spoiler = Spoiler::new(Protocol::PjLink, false, Duration::ZERO, 7);
    let chances = Chances { foreign: 1.0, ..Chances::none() };
    assert_eq!(
        arrives(&spoiler.pass(&heard(), &chances)).0,
        heard().answer,
        "nobody else is on a connection"
    );
}

#[test]
fn a_rough_line_has_every_fault_at_its_share() {
    let (passed, spoiler) = passes(Some("rough-line:5"), 20_000);
    let happened = spoiler.happened;
    for (name, count) in [
        ("noise", happened.noise),
        ("cut", happened.cut),
        ("flip", happened.flip),
        ("echo", happened.echo),
        ("foreign", happened.foreign),
        ("late", happened.late),
        ("dead", happened.dead),
        ("gone", happened.gone),
    ] {
        assert!((850..1_150).contains(&count), "{name}: {count} of 20,000");
    }
    let gone = passed.iter().filter_map(|passed| passed.gone);
    assert!(gone.clone().count() as u64 == happened.gone);
    assert!(gone.into_iter().all(|by| (300..2_300).contains(&by.as_millis())));
    assert!(passed.iter().filter_map(|passed| passed.dead).all(|by| by >= Duration::from_secs(1)));
}
