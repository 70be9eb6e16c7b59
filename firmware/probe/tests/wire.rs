//! The line at its worst.

mod bench;

use bench::{Bench, GOOD};
use proptest::prelude::*;
use roundsman_registers::INPUTS;
use roundsman_rtu::MOST_FRAME;
use roundsman_rtu::answer::Answer;
use roundsman_rtu::crc::crc16;
use roundsman_rtu::frame::{Cut, Side, cut_at_silence, open, seal, write_request};
use roundsman_rtu::request::Request;

/// A small generator, so that a run repeats.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn tenth(&mut self) -> bool {
        self.roll().is_multiple_of(10)
    }

    fn below(&mut self, most: usize) -> usize {
        (self.roll() % most as u64) as usize
    }
}

proptest! {
    /// Any octets: no panic, and every answer is to a frame whose CRC is right and whose unit is ours.
    #[test]
    fn nothing_is_answered_but_a_right_frame_for_this_unit(octets in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut bench = Bench::new();
        for answer in bench.line(&octets) {
            prop_assert_eq!(answer[0], 1);
            let asked = (4..=MOST_FRAME.min(octets.len()))
                .any(|len| octets.windows(len).any(|part| open(part).is_some_and(|(unit, _)| unit == 1)));
            prop_assert!(asked);
        }
        bench.slave.turn(bench.now + 100, &mut bench.probe);
    }

    /// Any PDU behind a right CRC: no panic; foreign units and broadcasts stay silent.
    #[test]
    fn any_pdu_to_any_unit(unit in 0_u8..4, pdu in prop::collection::vec(any::<u8>(), 1..254)) {
        let mut bench = Bench::new();
        let mut frame = [0; MOST_FRAME];
        frame[0] = unit;
        frame[1..=pdu.len()].copy_from_slice(&pdu);
        let len = seal(1 + pdu.len(), &mut frame).unwrap();
        let mut answers = bench.line(&frame[..len]);
        bench.now += 100;
        answers.extend(bench.slave.turn(bench.now, &mut bench.probe).map(<[u8]>::to_vec));
        for answer in answers {
            // Inside a foreign frame a shorter one may stand by chance, whose CRC is right as well.
            let inside = (4..len).any(|part| frame[..len].windows(part).any(|part| open(part).is_some_and(|it| it.0 == 1)));
            prop_assert!(unit == 1 || inside);
            prop_assert!(open(&answer).is_some());
        }
        bench.run(20);
        prop_assert_eq!(bench.inputs(0, 1), vec![0x524d]);
    }
}

#[test]
fn two_million_octets_of_noise_and_then_an_answer() {
    let mut bench = Bench::new();
    let mut dice = Dice(0x5eed);
    let mut answers = 0;
    for at in 0..2_000_000_u32 {
        let octet = dice.roll() as u8;
        answers += usize::from(bench.slave.octet(bench.now, octet, &mut bench.probe).is_some());
        if at % 997 == 0 {
            bench.now = bench.now.wrapping_add(20);
            bench.probe.tick(bench.now, bench.levels);
            answers += usize::from(bench.slave.turn(bench.now, &mut bench.probe).is_some());
        }
    }
    // A CRC of 16 bits is right by chance once in 65,536, for our unit once in 256 of these.
    assert!(answers <= 8, "{answers} answers to noise");
    bench.now = bench.now.wrapping_add(100);
    bench.probe.tick(bench.now, bench.levels);
    bench.slave.turn(bench.now, &mut bench.probe);
    assert_eq!(bench.input(0), 0x524d);
}

/// What the line does to a frame: noise before it, an end cut off, a bit flipped.
fn damage(frame: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut octets = Vec::new();
    if dice.tenth() {
        octets.extend((0..1 + dice.below(12)).map(|_| dice.roll() as u8));
    }
    octets.extend(frame);
    if dice.tenth() {
        let keep = dice.below(octets.len());
        octets.truncate(keep);
    }
    if dice.tenth() && !octets.is_empty() {
        let at = dice.below(octets.len());
        octets[at] ^= 1 << dice.below(8);
    }
    octets
}

/// 10,000 requests, each fault at 10 % each way: noise, cut, flip; foreign units, unknown functions, duplicates, late
/// answers. The master repeats what got no right answer, after a silence.
#[test]
fn ten_thousand_requests_on_a_faulty_wire() {
    let mut bench = Bench::new();
    bench.run(20_000);
    let mut dice = Dice(0xfa017);
    let (mut right, mut tries) = (0, 0);
    let mut late: Vec<u8> = Vec::new();
    while right < 10_000 {
        tries += 1;
        assert!(tries < 60_000, "{right} answers only");
        // What comes late comes while nobody asks: the master listens until the line is silent.
        late.clear();
        bench.run(20);
        let first = dice.below(14) as u16;
        let request = Request::ReadInputRegisters {
            address: 20 + first,
            quantity: 1 + dice.below(14 - usize::from(first)) as u16,
        };
        let mut frame = [0; MOST_FRAME];
        let len = write_request(1, &request, &mut frame).unwrap();
        let mut sent = Vec::new();
        if dice.tenth() {
            let mut foreign = [0; MOST_FRAME];
            let len = write_request(9, &request, &mut foreign).unwrap();
            sent.extend(&foreign[..len]);
        }
        if dice.tenth() {
            let unknown = [1, 0x55, dice.roll() as u8];
            sent.extend(unknown);
            sent.extend(crc16(&unknown).to_le_bytes());
        }
        sent.extend(damage(&frame[..len], &mut dice));
        if dice.tenth() {
            sent.extend_from_within(..);
        }
        let mut answers = bench.line(&sent);
        bench.now = bench.now.wrapping_add(20);
        bench.probe.tick(bench.now, bench.levels);
        answers.extend(bench.slave.turn(bench.now, &mut bench.probe).map(<[u8]>::to_vec));
        let heard: Vec<u8> = answers.iter().flat_map(|answer| damage(answer, &mut dice)).collect();
        if dice.tenth() {
            late.extend(heard);
            continue;
        }
        let mut rest = &heard[..];
        while let Cut::Frame(len) | Cut::Noise(len) = cut_at_silence(Side::Answer, rest) {
            let (part, behind) = rest.split_at(len);
            rest = behind;
            let Some((1, pdu)) = open(part) else { continue };
            if let (Ok(Answer::Words(words)), Request::ReadInputRegisters { address, quantity }) =
                (request.read_answer(pdu), request)
            {
                let expected = GOOD.iter().map(|value| *value as u16).skip(usize::from(address - 20));
                assert!(words.iter().eq(expected.take(usize::from(quantity))), "a wrong answer: {words:?}");
                right += 1;
                break;
            }
        }
    }
    assert_eq!(bench.inputs(0, INPUTS).len(), usize::from(INPUTS));
}
