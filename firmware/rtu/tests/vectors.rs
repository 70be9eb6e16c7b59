//! Octets that stand in manuals, both ends, and octets of each function as this crate wrote them first: neither is
//! ever changed to please the code.

use roundsman_rtu::MOST_FRAME;
use roundsman_rtu::answer::{Answer, Mismatch};
use roundsman_rtu::exception::Exception;
use roundsman_rtu::frame::{Cut, Side, cut, cut_at_silence, open, write_request};
use roundsman_rtu::request::{Request, Unwritable};
use roundsman_rtu::slave::{BitTable, Inbox, Registers, WordTable, serve};
use roundsman_rtu::values::{Bits, Words};

fn octets(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}

/// A slave whose registers are written down.
#[derive(Default)]
struct Device {
    holding: Vec<u16>,
    /// From `input_at` on.
    input: Vec<u16>,
    input_at: u16,
    coils: Vec<bool>,
    failing: Option<Exception>,
    resets: usize,
}

impl Registers for Device {
    fn bit(&mut self, _: BitTable, address: u16) -> Result<bool, Exception> {
        self.coils.get(usize::from(address)).copied().ok_or(Exception::IllegalAddress)
    }

    fn word(&mut self, table: WordTable, address: u16) -> Result<u16, Exception> {
        if let Some(failing) = self.failing {
            return Err(failing);
        }
        let word = match table {
            WordTable::Holding => self.holding.get(usize::from(address)),
            WordTable::Input => self.input.get(usize::from(address.wrapping_sub(self.input_at))),
        };
        word.copied().ok_or(Exception::IllegalAddress)
    }

    fn write_bits(&mut self, address: u16, values: Bits<'_>) -> Result<(), Exception> {
        let from = usize::from(address);
        let to = from + usize::from(values.count());
        let room = self.coils.get_mut(from..to).ok_or(Exception::IllegalAddress)?;
        room.iter_mut().zip(values.iter()).for_each(|(coil, value)| *coil = value);
        Ok(())
    }

    fn write_words(&mut self, address: u16, values: Words<'_>) -> Result<(), Exception> {
        let from = usize::from(address);
        let to = from + usize::from(values.count());
        let room = self.holding.get_mut(from..to).ok_or(Exception::IllegalAddress)?;
        room.iter_mut().zip(values.iter()).for_each(|(register, value)| *register = value);
        Ok(())
    }

    fn identification(&mut self, object: u8) -> Option<&[u8]> {
        [&b"Acme"[..], b"RB-8", b"V1.2"].get(usize::from(object)).copied()
    }

    fn other(&mut self, function: u8, data: &[u8], _: &mut [u8]) -> Result<usize, Exception> {
        if function != 0x42 || !data.is_empty() {
            return Err(Exception::IllegalFunction);
        }
        self.resets += 1;
        Ok(0)
    }
}

/// Writes the request as the master, serves it as the slave, reads the answer as the master: the octets on the line
/// must be these.
fn exchange(unit: u8, request: Request<'_>, device: &mut Device, tx: &str, rx: &str) {
    let mut frame = [0; MOST_FRAME];
    let len = write_request(unit, &request, &mut frame).unwrap();
    assert_eq!(hex(&frame[..len]), tx);
    let mut out = [0; MOST_FRAME];
    let got = serve(unit, &octets(tx), device, &mut out).map(|len| hex(&out[..len]));
    assert_eq!(got.as_deref(), Some(rx));
    assert_eq!(Request::read(open(&octets(tx)).unwrap().1), Ok(request));
    if !matches!(request, Request::Other { .. }) {
        assert_eq!(cut(Side::Request, &octets(tx)), Cut::Frame(tx.len() / 2));
        assert_eq!(cut(Side::Answer, &octets(rx)), Cut::Frame(rx.len() / 2));
    }
    assert_eq!(cut_at_silence(Side::Request, &octets(tx)), Cut::Frame(tx.len() / 2));
    assert_eq!(cut_at_silence(Side::Answer, &octets(rx)), Cut::Frame(rx.len() / 2));
}

fn words_of(request: Request<'_>, rx: &str) -> Vec<u16> {
    let rx = octets(rx);
    match request.read_answer(open(&rx).unwrap().1) {
        Ok(Answer::Words(words)) => words.iter().collect(),
        other => panic!("{other:?}"),
    }
}

/// XY-MD02: 30.5 °C, 54.6 %; −20.5 °C.
#[test]
fn thermometer() {
    let request = Request::ReadInputRegisters { address: 1, quantity: 2 };
    let rx = "010404013102222ACE";
    let mut device = Device { input: vec![305, 546], input_at: 1, ..Device::default() };
    exchange(1, request, &mut device, "010400010002200B", rx);
    assert_eq!(words_of(request, rx), [305, 546]);
    let cold = words_of(request, "010404FF330222BAE6");
    assert_eq!((cold[0] as i16, cold[1]), (-205, 546));
}

/// The thermometer's exception: function 4 there, the page's vector is one of read discrete inputs' code 82.
#[test]
fn exceptions_are_values() {
    let rx = octets("018402C2C1");
    let request = Request::ReadInputRegisters { address: 9, quantity: 1 };
    let answer = request.read_answer(open(&rx).unwrap().1);
    assert_eq!(answer, Ok(Answer::Exception(Exception::IllegalAddress)));
    let mut device = Device { input: vec![0], input_at: 1, ..Device::default() };
    let mut frame = [0; MOST_FRAME];
    let len = write_request(1, &request, &mut frame).unwrap();
    let mut out = [0; MOST_FRAME];
    let len = serve(1, &frame[..len], &mut device, &mut out).unwrap();
    assert_eq!(out[..len], rx);
    assert_eq!(cut(Side::Answer, &rx), Cut::Frame(5));
    for (failing, code) in [
        (Exception::DeviceFailure, 4),
        (Exception::Acknowledge, 5),
        (Exception::Busy, 6),
        (Exception::MemoryParity, 8),
        (Exception::GatewayPath, 10),
        (Exception::GatewayTarget, 11),
        (Exception::Other(200), 200),
    ] {
        device.failing = Some(failing);
        let len = serve(1, &frame[..8], &mut device, &mut out).unwrap();
        assert_eq!((out[1], out[2], len), (0x84, code, 5));
        assert_eq!(request.read_answer(open(&out[..len]).unwrap().1), Ok(Answer::Exception(failing)));
    }
}

/// PZEM-004T: 220.0 V, 1.000 A, 220.0 W, 0 Wh, 50.0 Hz, power factor 1.00; 32-bit values low word first. Its energy is
/// reset by a function of the maker's own.
#[test]
fn meter() {
    let request = Request::ReadInputRegisters { address: 0, quantity: 10 };
    let rx = "010414089803E80000089800000000000001F40064000063CE";
    let registers = vec![2200, 1000, 0, 2200, 0, 0, 0, 500, 100, 0];
    let mut device = Device { input: registers.clone(), ..Device::default() };
    exchange(1, request, &mut device, "01040000000A700D", rx);
    assert_eq!(words_of(request, rx), registers);
    let reset = Request::Other { function: 0x42, data: &[] };
    exchange(1, reset, &mut device, "01428011", "01428011");
    assert_eq!(device.resets, 1);
    assert_eq!(reset.read_answer(&[0x42]), Ok(Answer::Other(&[])));
}

/// DTSU666: the request of phase A's voltage.
#[test]
fn three_phase_meter() {
    let request = Request::ReadHoldingRegisters { address: 0x2006, quantity: 2 };
    let mut frame = [0; MOST_FRAME];
    let len = write_request(1, &request, &mut frame).unwrap();
    assert_eq!(hex(&frame[..len]), "0103200600022FCA");
}

/// Relay boards: first relay on; relays 1 and 3 of eight are on.
#[test]
fn relays() {
    let on = Request::WriteSingleCoil { address: 0, value: true };
    let mut device = Device { coils: vec![false; 8], ..Device::default() };
    exchange(1, on, &mut device, "01050000FF008C3A", "01050000FF008C3A");
    device.coils[2] = true;
    let read = Request::ReadCoils { address: 0, quantity: 8 };
    exchange(1, read, &mut device, "0101000000083DCC", "01010105918B");
    let rx = octets("01010105918B");
    let Ok(Answer::Bits(bits)) = read.read_answer(open(&rx).unwrap().1) else { panic!() };
    assert_eq!(bits.iter().collect::<Vec<_>>(), [true, false, true, false, false, false, false, false]);
}

/// Octets of every function, frozen; the CRCs were reckoned bit by bit by another program.
#[test]
fn every_function_is_frozen() {
    let mut device = Device {
        holding: (0..16).map(|n| 0x1100 + n).collect(),
        coils: (0..16).map(|n| n % 3 == 0).collect(),
        ..Device::default()
    };
    let (two, four) = ([0b0000_0110], [0x12, 0x34, 0x56, 0x78]);
    let bits = Bits::of(&two, 3).unwrap();
    let words = Words::of(&four).unwrap();
    for (request, tx, rx) in [
        (Request::ReadCoils { address: 0, quantity: 10 }, "11010000000ABE9D", "1101024902CE6E"),
        (Request::ReadDiscreteInputs { address: 3, quantity: 4 }, "1102000300048B59", "11020109654E"),
        (Request::ReadHoldingRegisters { address: 1, quantity: 2 }, "110300010002975B", "11030411011102329F"),
        (Request::WriteSingleCoil { address: 2, value: false }, "1105000200006E9A", "1105000200006E9A"),
        (Request::WriteSingleRegister { address: 4, value: 0xbeef }, "11060004BEEFFAB7", "11060004BEEFFAB7"),
        (
            Request::WriteMultipleCoils { address: 1, values: bits },
            "110F0001000301063399",
            "110F00010003469A",
        ),
        (
            Request::WriteMultipleRegisters { address: 5, values: words },
            "11100005000204123456781C64",
            "1110000500025359",
        ),
        (
            Request::MaskWriteRegister { address: 5, and: 0x00ff, or: 0xab00 },
            "1116000500FFAB00740A",
            "1116000500FFAB00740A",
        ),
        (
            Request::ReadWriteMultipleRegisters {
                read_address: 5,
                read_quantity: 2,
                write_address: 6,
                values: words,
            },
            "111700050002000600020412345678205E",
            "111704AB341234847B",
        ),
        (
            Request::ReadDeviceIdentification { code: 1, object: 0 },
            "112B0E0100B1B4",
            "112B0E0181000003000441636D65010452422D38020456312E3249AD",
        ),
    ] {
        exchange(0x11, request, &mut device, tx, rx);
    }
}

#[test]
fn identification_is_text() {
    let mut device = Device::default();
    let request = Request::ReadDeviceIdentification { code: 1, object: 0 };
    let mut frame = [0; MOST_FRAME];
    let len = write_request(7, &request, &mut frame).unwrap();
    let mut out = [0; MOST_FRAME];
    let len = serve(7, &frame[..len], &mut device, &mut out).unwrap();
    let Ok(Answer::Identification(who)) = request.read_answer(open(&out[..len]).unwrap().1) else { panic!() };
    let objects: Vec<_> = who.objects().collect();
    assert_eq!(objects, [(0, &b"Acme"[..]), (1, b"RB-8"), (2, b"V1.2")]);
    assert_eq!((who.conformity, who.next), (0x81, None));
    // One object, and one that is not there.
    let one = Request::ReadDeviceIdentification { code: 4, object: 1 };
    let len = write_request(7, &one, &mut frame).unwrap();
    let len = serve(7, &frame[..len], &mut device, &mut out).unwrap();
    let Ok(Answer::Identification(who)) = one.read_answer(open(&out[..len]).unwrap().1) else { panic!() };
    assert_eq!(who.objects().collect::<Vec<_>>(), [(1, &b"RB-8"[..])]);
    let none = Request::ReadDeviceIdentification { code: 4, object: 9 };
    let len = write_request(7, &none, &mut frame).unwrap();
    let len = serve(7, &frame[..len], &mut device, &mut out).unwrap();
    assert_eq!(
        none.read_answer(open(&out[..len]).unwrap().1),
        Ok(Answer::Exception(Exception::IllegalAddress))
    );
}

#[test]
fn what_does_not_fit_the_question_is_no_answer() {
    let read = Request::ReadHoldingRegisters { address: 0, quantity: 2 };
    let coil = Request::WriteSingleCoil { address: 3, value: true };
    let many = Request::WriteMultipleRegisters { address: 3, values: Words::of(&[0, 1]).unwrap() };
    for (request, pdu, mismatch) in [
        (read, &[][..], Mismatch::Length { got: 0 }),
        (read, &[4, 4, 0, 0, 0, 0], Mismatch::Function { asked: 3, got: 4 }),
        (read, &[0x84, 2], Mismatch::Function { asked: 3, got: 0x84 }),
        (read, &[3, 2, 0, 0], Mismatch::Count { expected: 4, got: 2 }),
        (read, &[3, 4, 0, 0], Mismatch::Length { got: 4 }),
        (read, &[0x83, 2, 0], Mismatch::Length { got: 3 }),
        (coil, &[5, 0, 4, 0xff, 0], Mismatch::Address { asked: 3, got: 4 }),
        (coil, &[5, 0, 3, 0, 0], Mismatch::Value { asked: 0xff00, got: 0 }),
        (many, &[16, 0, 3, 0, 2], Mismatch::Value { asked: 1, got: 2 }),
        (many, &[16, 0, 3], Mismatch::Length { got: 3 }),
    ] {
        assert_eq!(request.read_answer(pdu), Err(mismatch));
    }
}

#[test]
fn a_slave_refuses_what_the_specification_refuses() {
    for (pdu, exception) in [
        (&[3, 0, 0, 0, 0][..], Exception::IllegalValue),
        (&[3, 0, 0, 0, 126], Exception::IllegalValue),
        (&[3, 0xff, 0xff, 0, 2], Exception::IllegalAddress),
        (&[1, 0, 0, 0x07, 0xd1], Exception::IllegalValue),
        (&[5, 0, 0, 0x12, 0x34], Exception::IllegalValue),
        (&[16, 0, 0, 0, 2, 2, 0, 0], Exception::IllegalValue),
        (&[16, 0, 0, 0, 1, 4, 0, 0, 0, 0], Exception::IllegalValue),
        (&[15, 0, 0, 0, 9, 1, 0], Exception::IllegalValue),
        (&[3, 0, 0, 0, 1, 0], Exception::IllegalValue),
        (&[3, 0], Exception::IllegalValue),
        (&[0x2b, 13, 1, 0], Exception::IllegalFunction),
        (&[0x2b, 14, 5, 0], Exception::IllegalValue),
        (&[0x83, 2], Exception::IllegalFunction),
        (&[0], Exception::IllegalFunction),
        (&[], Exception::IllegalFunction),
    ] {
        assert_eq!(Request::read(pdu), Err(exception), "{pdu:02x?}");
    }
}

#[test]
fn a_master_cannot_ask_what_no_frame_holds() {
    let mut out = [0; MOST_FRAME];
    let long = [0; 300];
    for (request, unwritable) in [
        (Request::ReadCoils { address: 0, quantity: 0 }, Unwritable::Quantity { given: 0, most: 2000 }),
        (
            Request::ReadInputRegisters { address: 0, quantity: 126 },
            Unwritable::Quantity { given: 126, most: 125 },
        ),
        (Request::ReadHoldingRegisters { address: 65535, quantity: 2 }, Unwritable::Address),
        (Request::Other { function: 0x42, data: &long }, Unwritable::Room),
        (
            Request::WriteMultipleRegisters { address: 0, values: Words::of(&long).unwrap() },
            Unwritable::Quantity { given: 150, most: 123 },
        ),
    ] {
        assert_eq!(write_request(1, &request, &mut out), Err(unwritable));
    }
    assert_eq!(
        write_request(1, &Request::ReadCoils { address: 0, quantity: 1 }, &mut [0; 7]),
        Err(Unwritable::Room)
    );
}

#[test]
fn a_broadcast_is_carried_out_in_silence() {
    let mut device = Device { coils: vec![false; 4], ..Device::default() };
    let mut frame = [0; MOST_FRAME];
    let len = write_request(0, &Request::WriteSingleCoil { address: 3, value: true }, &mut frame).unwrap();
    let mut out = [0; MOST_FRAME];
    assert_eq!(serve(9, &frame[..len], &mut device, &mut out), None);
    assert!(device.coils[3]);
    let len = write_request(8, &Request::WriteSingleCoil { address: 3, value: false }, &mut frame).unwrap();
    assert_eq!(serve(9, &frame[..len], &mut device, &mut out), None);
    assert!(device.coils[3], "another unit's request is not ours");
}

/// A slave on a shared line hears requests and answers of others, noise between them, and finds its own.
#[test]
fn an_inbox_finds_its_requests_between_everything_else() {
    let line =
        ["010400010002200B", "010404013102222ACE", "FF00", "0101000000083DCC", "01010105918B", "018402C2C1"];
    let mut inbox = Inbox::new();
    let mut requests = Vec::new();
    for octet in octets(&line.concat()) {
        if let Some(len) = inbox.push(octet) {
            requests.push(hex(inbox.request(len)));
            inbox.clear(len);
        }
    }
    assert_eq!(requests, [line[0], line[3]]);
    // Noise that looks like the beginning of a long answer swallows the request; silence gives it back.
    let mut inbox = Inbox::new();
    let found: Vec<_> =
        octets("000FF0F0F0F0F0010400010002200B").into_iter().filter_map(|o| inbox.push(o)).collect();
    assert!(found.is_empty());
    let len = inbox.silence().expect("the request behind the noise");
    assert_eq!(hex(inbox.request(len)), "010400010002200B");
    inbox.clear(len);
    // The maker's own function is known by silence alone.
    assert!(octets("01428011").into_iter().all(|octet| inbox.push(octet).is_none()));
    assert_eq!(inbox.silence().map(|len| hex(inbox.request(len))).as_deref(), Some("01428011"));
}

/// The noise of the facts page that swallowed a good frame elsewhere.
#[test]
fn noise_before_an_answer() {
    let stream = octets("0003F0010404013102222ACE");
    assert_eq!(cut(Side::Answer, &stream), Cut::More, "245 octets may follow");
    assert_eq!(cut_at_silence(Side::Answer, &stream), Cut::Noise(3));
    assert_eq!(cut_at_silence(Side::Answer, &stream[3..]), Cut::Frame(9));
    assert_eq!(cut(Side::Answer, &octets("FFFF010404013102222ACE")), Cut::Noise(2));
}
