//! A wall of nine panels on one line: each is a unit of its own.

use crate::bench::{Bench, unsigned};
use crate::frames::{mdc_plan, member};
use roundsman_core::reading::Absence;
use roundsman_wire::bus::plan::Target;

fn sum(frame: &[u8]) -> u8 {
    frame.iter().fold(0u8, |sum, octet| sum.wrapping_add(*octet))
}

/// A panel's answer to its question.
fn panel(request: &[u8]) -> Vec<u8> {
    let (command, id) = (request[1], request[2]);
    let data: &[u8] = match command {
        0x11 => &[1],
        0x0d => &[0, 0, 0, 0, 40, 0],
        _ => &[0x01, 0x00],
    };
    let mut frame = vec![0xaa, 0xff, id, data.len() as u8 + 2, 0x41, command];
    frame.extend_from_slice(data);
    frame.push(sum(&frame[1..]));
    frame
}

#[test]
fn nine_panels_one_dead() {
    let mut bench = Bench::serial(mdc_plan());
    let target = Target { members: (1..=9).map(|n| member(n.into(), n)).collect(), tries: 1 };
    let mut wall = |request: &[u8]| if request[2] == 5 { Vec::new() } else { panel(request) };
    let good = [unsigned(1), unsigned(0), unsigned(40), unsigned(256)];
    for poll in 0..6 {
        let sent = bench.sent.len();
        let before = bench.now;
        let answer = bench.poll(&target, &mut wall);
        assert_eq!(answer.units.len(), 9);
        for (at, said) in answer.units.iter().enumerate() {
            if at == 4 {
                assert_eq!((said.answered, &said.values), (false, &vec![Err(Absence::Timeout); 4]));
            } else {
                assert!(said.answered);
                assert_eq!(said.values, good);
            }
        }
        assert!(answer.answered());
        // Three silent polls, then the dead panel is left alone and costs nothing.
        let asked = bench.sent.len() - sent;
        assert_eq!(asked, if poll < 3 { 25 } else { 24 }, "poll {poll}");
        assert!(bench.now.since_ms(before) < 5_000);
    }
}
