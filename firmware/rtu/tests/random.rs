//! Any octets: no panic. What one end writes the other reads. A flipped bit is never accepted.

use proptest::prelude::*;
use roundsman_rtu::MOST_FRAME;
use roundsman_rtu::answer::Answer;
use roundsman_rtu::exception::Exception;
use roundsman_rtu::frame::{Cut, Side, cut, cut_at_silence, open, write_request};
use roundsman_rtu::request::Request;
use roundsman_rtu::slave::{BitTable, Inbox, Registers, WordTable, serve};
use roundsman_rtu::values::{Bits, Words};

/// Answers everything with a value made of the address.
struct Mill;

fn word(address: u16) -> u16 {
    address.wrapping_mul(31) ^ 0x5a5a
}

impl Registers for Mill {
    fn bit(&mut self, _: BitTable, address: u16) -> Result<bool, Exception> {
        Ok(word(address) & 1 == 1)
    }

    fn word(&mut self, _: WordTable, address: u16) -> Result<u16, Exception> {
        Ok(word(address))
    }

    fn write_bits(&mut self, _: u16, _: Bits<'_>) -> Result<(), Exception> {
        Ok(())
    }

    fn write_words(&mut self, _: u16, _: Words<'_>) -> Result<(), Exception> {
        Ok(())
    }

    fn identification(&mut self, object: u8) -> Option<&[u8]> {
        [&b"maker"[..], b"product", b"1.0", b"https://example.invalid"].get(usize::from(object)).copied()
    }
}

/// A request as numbers; [`with`] makes it.
#[derive(Clone, Debug)]
struct Draft {
    kind: u8,
    address: u16,
    quantity: u16,
    octets: Vec<u8>,
}

fn drafts() -> impl Strategy<Value = Draft> {
    (0u8..11, any::<u16>(), 1u16..=121, proptest::collection::vec(any::<u8>(), 242)).prop_map(
        |(kind, address, quantity, octets)| {
            let address = address.min(u16::MAX - quantity);
            Draft { kind, address, quantity, octets }
        },
    )
}

fn with<T>(draft: &Draft, run: impl FnOnce(Request<'_>) -> T) -> T {
    let Draft { kind, address, quantity, ref octets } = *draft;
    let words = Words::of(&octets[..usize::from(quantity) * 2]).unwrap();
    let bits = Bits::of(&octets[..usize::from(quantity).div_ceil(8)], quantity).unwrap();
    let value = u16::from_be_bytes([octets[0], octets[1]]);
    run(match kind {
        0 => Request::ReadCoils { address, quantity },
        1 => Request::ReadDiscreteInputs { address, quantity },
        2 => Request::ReadHoldingRegisters { address, quantity },
        3 => Request::ReadInputRegisters { address, quantity },
        4 => Request::WriteSingleCoil { address, value: value & 1 == 1 },
        5 => Request::WriteSingleRegister { address, value },
        6 => Request::WriteMultipleCoils { address, values: bits },
        7 => Request::WriteMultipleRegisters { address, values: words },
        8 => Request::MaskWriteRegister { address, and: value, or: quantity },
        9 => Request::ReadWriteMultipleRegisters {
            read_address: address,
            read_quantity: quantity,
            write_address: address,
            values: words,
        },
        _ => Request::ReadDeviceIdentification { code: 1 + (value % 3) as u8, object: 0 },
    })
}

/// Request and answer frame of a draft.
fn frames(unit: u8, draft: &Draft) -> (Vec<u8>, Vec<u8>) {
    let mut tx = [0; MOST_FRAME];
    let tx_len = with(draft, |request| write_request(unit, &request, &mut tx)).unwrap();
    let mut rx = [0; MOST_FRAME];
    let rx_len = serve(unit, &tx[..tx_len], &mut Mill, &mut rx).unwrap();
    (tx[..tx_len].to_vec(), rx[..rx_len].to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_octets_are_survived(octets in proptest::collection::vec(any::<u8>(), 0..600), draft in drafts()) {
        for side in [Side::Request, Side::Answer] {
            for cut in [cut(side, &octets), cut_at_silence(side, &octets)] {
                match cut {
                    Cut::Frame(len) => prop_assert!(len > 0 && open(&octets[..len]).is_some()),
                    Cut::Noise(len) => prop_assert!((1..=octets.len()).contains(&len)),
                    Cut::More => prop_assert!(octets.len() < MOST_FRAME),
                }
            }
        }
        let _ = Request::read(&octets);
        let _ = with(&draft, |request| request.read_answer(&octets).is_ok());
        let _ = serve(1, &octets, &mut Mill, &mut [0; MOST_FRAME]);
        let mut inbox = Inbox::new();
        for octet in octets {
            if let Some(len) = inbox.push(octet) {
                prop_assert!(open(inbox.request(len)).is_some());
                inbox.clear(len);
            }
        }
    }

    #[test]
    fn what_one_end_writes_the_other_reads(unit in 1u8..=247, draft in drafts()) {
        let (tx, rx) = frames(unit, &draft);
        prop_assert_eq!(cut(Side::Request, &tx), Cut::Frame(tx.len()));
        prop_assert_eq!(cut(Side::Answer, &rx), Cut::Frame(rx.len()));
        for short in 1..tx.len() {
            prop_assert_eq!(cut(Side::Request, &tx[..short]), Cut::More);
        }
        for short in 1..rx.len() {
            prop_assert_eq!(cut(Side::Answer, &rx[..short]), Cut::More);
        }
        let back = Request::read(open(&tx).unwrap().1).unwrap();
        with(&draft, |request| {
            assert_eq!(back, request);
            let (from, pdu) = open(&rx).unwrap();
            assert_eq!(from, unit);
            match request.read_answer(pdu).unwrap() {
                Answer::Words(words) => {
                    let expected: Vec<u16> = (0..draft.quantity).map(|at| word(draft.address + at)).collect();
                    assert_eq!(words.iter().collect::<Vec<_>>(), expected);
                }
                Answer::Bits(bits) => {
                    let expected: Vec<bool> =
                        (0..draft.quantity).map(|at| word(draft.address + at) & 1 == 1).collect();
                    assert_eq!(bits.iter().collect::<Vec<_>>(), expected);
                }
                Answer::Written => assert!((4..=8).contains(&draft.kind)),
                Answer::Identification(who) => assert_eq!(who.objects().next(), Some((0, &b"maker"[..]))),
                other => panic!("{other:?}"),
            }
        });
    }

    /// One bit anywhere, the frame as long as the line says: the CRC refuses it. In a stream the length itself may be
    /// what flipped; then the frame cut there must not be the answer that was awaited.
    #[test]
    fn a_flipped_bit_is_never_accepted(unit in 1u8..=247, draft in drafts(), at in any::<proptest::sample::Index>()) {
        let (tx, rx) = frames(unit, &draft);
        for (side, frame) in [(Side::Request, tx), (Side::Answer, rx)] {
            let bit = at.index(frame.len() * 8);
            let mut flipped = frame.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(open(&flipped), None);
            prop_assert!(!matches!(cut(side, &flipped), Cut::Frame(len) if len == frame.len()));
            if let Cut::Frame(len) = cut(side, &flipped) {
                // Cut short by a flipped byte count or exception bit, and the CRC there is right by chance (2^-16).
                prop_assert!(len < frame.len());
            }
        }
    }

    /// Silence behind an answer finds it whatever came before.
    #[test]
    fn an_answer_cut_from_any_stream_is_one(octets in proptest::collection::vec(any::<u8>(), 0..60), draft in drafts()) {
        let (_, rx) = frames(9, &draft);
        let stream = [octets.as_slice(), &rx].concat();
        let mut at = 0;
        let mut found = false;
        while at < stream.len() && !found {
            match cut_at_silence(Side::Answer, &stream[at..]) {
                Cut::Frame(len) => {
                    // Noise and what follows it may have a right CRC by chance (2^-16 for each octet).
                    found = open(&stream[at..at + len]).is_some();
                    at += len;
                }
                Cut::Noise(len) => at += len,
                Cut::More => break,
            }
        }
        prop_assert!(found, "the answer behind {} octets of noise", octets.len());
    }
}
