//! Frames described as data: the documented octets of several makers, both ways.

use crate::bench::{Bench, hex, script, unsigned};
use roundsman_core::reading::Absence;
use roundsman_wire::bus::exchange::Await;
use roundsman_wire::bus::order::{Order, Say, Verdict};
use roundsman_wire::bus::plan::{Member, Plan, Target};
use roundsman_wire::bus::{Read, Reader, Unit};
use roundsman_wire::field::{BitField, Field, Order as Octets, Raw, Type};
use roundsman_wire::frame::check::Kind;
use roundsman_wire::frame::{Check, Encoding, FrameReader, Layout, Length, Pattern, Piece, Point, Request};
use roundsman_wire::params::Params;
use std::sync::Arc;

/// `AA FF {address} .. * {check}` as pieces.
pub(crate) fn pattern(text: &str) -> Pattern {
    let piece = |word: &str| match word {
        ".." => Piece::Any,
        "*" => Piece::Rest,
        "{check}" => Piece::Check,
        "{length}" => Piece::Length,
        word if word.starts_with('{') => Piece::Param(Arc::from(word.trim_matches(['{', '}']))),
        word => Piece::Octet(u8::from_str_radix(word, 16).unwrap()),
    };
    Pattern(text.split_whitespace().map(piece).collect())
}

pub(crate) fn request(send: &str, ack: &[&str], nak: &[&str]) -> Request {
    Request {
        send: pattern(send),
        ack: ack.iter().map(|text| pattern(text)).collect(),
        nak: nak.iter().map(|text| (pattern(text), Absence::Unsupported)).collect(),
        awaits: Await::Answer,
        timeout_ms: 1_000,
        rest_ms: 0,
    }
}

pub(crate) fn mdc() -> Layout {
    Layout {
        start: vec![0xaa],
        end: Vec::new(),
        length: Length::Field { at: 3, width: 1, order: Octets::Big, adds: 5 },
        check: Some(Check { kind: Kind::Sum8, from: 1, to: -2, order: Octets::Big }),
        encoding: Encoding::Raw,
    }
}

fn number(request: usize, from: i32, to: Option<i32>, kind: Type) -> Point {
    Point { request, from, to, field: Field::big(kind) }
}

pub(crate) fn mdc_plan() -> Plan {
    Plan::Frame(roundsman_wire::frame::Plan {
        layout: Arc::new(mdc()),
        requests: vec![
            request(
                "AA 11 {address} 00 {check}",
                &["AA FF {address} 03 41 11 .. {check}"],
                &["AA FF {address} 03 4E 11 .. {check}"],
            ),
            request(
                "AA 0D {address} 00 {check}",
                &["AA FF {address} 08 41 0D .. .. .. .. .. .. {check}"],
                &[],
            ),
            request(
                "AA 83 {address} 00 {check}",
                &["AA FF {address} .. 41 83 * {check}"],
                &["AA FF {address} 03 4E 83 .. {check}"],
            ),
        ],
        points: vec![
            number(0, 6, None, Type::Unsigned(1)),
            number(1, 9, None, Type::Unsigned(1)),
            number(1, 10, None, Type::Unsigned(1)),
            number(2, 6, Some(-2), Type::Unsigned(1)),
        ],
    })
}

pub(crate) fn member(unit: u32, address: u8) -> Member {
    Member { unit: Unit(unit), params: Params::default().with("address", vec![address]) }
}

#[test]
fn samsung_mdc() {
    let target = Target { members: vec![member(1, 1)], tries: 1 };
    let lines = [
        ("AA11010012", "AAFF010341110156"),
        ("AA0D01000E", "AAFF0108410D000102012F018A"),
        ("AA83010084", "AAFF01044183800048"),
    ];
    let mut bench = Bench::serial(mdc_plan());
    let answer = bench.poll(&target, &mut script(&lines));
    assert_eq!(answer.units[0].values, [unsigned(1), unsigned(1), unsigned(47), unsigned(32_768)]);
    assert_eq!(bench.sent, lines.map(|(tx, _)| hex(tx)));
    // Newer models send the hours in three octets; one that refuses the question has none.
    let newer = [
        ("AA11010012", "AAFF01034E110163"),
        ("AA0D01000E", "AAFF0108410D000102012F018A"),
        ("AA83010084", "AAFF0105418301000 0CA".trim_end()),
    ];
    let answer = bench.poll(&target, &mut script(&newer));
    assert_eq!(
        answer.units[0].values,
        [Err(Absence::Unsupported), unsigned(1), unsigned(47), unsigned(65_536)]
    );
}

#[test]
fn a_command_in_frames() {
    let mut bench = Bench::serial(mdc_plan());
    let mut reboot = request(
        "AA 11 {address} 01 {state} {check}",
        &["AA FF {address} 03 41 11 {state} {check}"],
        &["AA FF {address} 03 4E 11 .. {check}"],
    );
    reboot.rest_ms = 15_000;
    let params = Params::default().with("address", vec![1]).with("state", vec![2]);
    let order = Order {
        member: Member { unit: Unit(1), params },
        say: Say::Frame { layout: Arc::new(mdc()), request: reboot },
    };
    let before = bench.now;
    let ordered = bench.order(&order, &mut script(&[("AA1101010215", "AAFF010341110257")]));
    assert_eq!((ordered.sent, ordered.verdict), (hex("AA1101010215"), Verdict::Acknowledged));
    let target = Target { members: vec![member(1, 1)], tries: 1 };
    bench.poll_wanted(&target, Some(&[0]), &mut script(&[("AA11010012", "AAFF010341110156")]));
    assert!(bench.now.since_ms(before) >= 15_000, "the panel is left alone while it starts");
    let ordered = bench.order(&order, &mut script(&[("AA1101010215", "AAFF01034E110163")]));
    assert_eq!(ordered.verdict, Verdict::Refused(Absence::Unsupported));
}

/// Sends and reads one request with one point.
fn ask(
    layout: Layout,
    request: Request,
    point: Point,
    params: Params,
    tx: &str,
    rx: &str,
) -> Result<Raw, Absence> {
    let layout = Arc::new(layout);
    let plan = roundsman_wire::frame::Plan { layout, requests: vec![request], points: vec![point] };
    let mut bench = Bench::serial(Plan::Frame(plan));
    let target = Target { members: vec![Member { unit: Unit(1), params }], tries: 1 };
    let answer = bench.poll(&target, &mut script(&[(tx, rx)]));
    assert_eq!(bench.sent, [hex(tx)]);
    answer.units[0].values[0].clone()
}

/// Start 01, end 0D, the length as two digits, an exclusive or behind 03.
#[test]
fn nec() {
    let layout = || Layout {
        start: vec![0x01],
        end: vec![0x0d],
        length: Length::End,
        check: Some(Check { kind: Kind::Xor8, from: 1, to: -3, order: Octets::Big }),
        encoding: Encoding::Raw,
    };
    let params = || Params::default().with("address", vec![0x41]);
    let power = ask(
        layout(),
        request(
            "01 30 {address} 30 41 30 36 02 30 31 44 36 03 {check} 0D",
            &["01 30 30 {address} 42 31 32 02 30 32 30 30 44 36 * 03 {check} 0D"],
            &[],
        ),
        number(0, -7, Some(-4), Type::Hexadecimal(4)),
        params(),
        "01304130413036023031443603740D",
        "01303041423132023032303044363030303030343030303403710D",
    );
    assert_eq!(power, unsigned(4), "off");
    let temperature = |rx| {
        let question = request(
            "01 30 {address} 30 43 30 36 02 30 32 37 39 03 {check} 0D",
            &["01 30 30 {address} 44 31 32 02 30 30 30 32 37 39 * 03 {check} 0D"],
            &["01 30 30 {address} 42 30 34 02 42 45 03 {check} 0D"],
        );
        let point = number(0, -7, Some(-4), Type::Hexadecimal(4));
        ask(layout(), question, point, params(), "01304130433036023032373903090D", rx)
    };
    assert_eq!(temperature("0130304142303402424503010D"), Err(Absence::Unsupported), "the null message");
    assert_eq!(temperature("0130304142303402424503000D"), Err(Absence::Malformed), "its checksum is wrong");
}

/// The size of the frame is its first octet, an exclusive or its last.
#[test]
fn philips_sicp() {
    let layout = || Layout {
        start: Vec::new(),
        end: Vec::new(),
        length: Length::Field { at: 0, width: 1, order: Octets::Big, adds: 0 },
        check: Some(Check { kind: Kind::Xor8, from: 0, to: -2, order: Octets::Big }),
        encoding: Encoding::Raw,
    };
    let params = || Params::default().with("address", vec![1]);
    let power = |rx| {
        let request = request(
            "{length} {address} 00 19 {check}",
            &["06 {address} .. 19 .. {check}"],
            &["06 {address} .. 00 18 {check}", "06 {address} .. 00 15 {check}"],
        );
        ask(layout(), request, number(0, 4, None, Type::Unsigned(1)), params(), "050100191D", rx)
    };
    assert_eq!(power("06010119021D"), unsigned(2));
    assert_eq!(power("06010119011E"), unsigned(1));
    assert_eq!(power("06010100181E"), Err(Absence::Unsupported));
    assert_eq!(power("060101001513"), Err(Absence::Unsupported));
    assert_eq!(power("060101000600"), Err(Absence::Malformed), "an acknowledgement is no value");
}

/// A 16-bit sum with a seed, low octet first; the reply's serial number must be the request's.
#[test]
fn novastar() {
    let layout = || Layout {
        start: vec![0xaa, 0x55],
        end: Vec::new(),
        length: Length::Field { at: 16, width: 2, order: Octets::Little, adds: 20 },
        check: Some(Check { kind: Kind::Sum16 { seed: 0x5555 }, from: 2, to: -3, order: Octets::Little }),
        encoding: Encoding::Raw,
    };
    let question = || {
        request(
            "55 AA 00 {serial} FE 00 01 00 00 00 00 00 00 00 00 0A 02 00 {check}",
            &["AA 55 00 {serial} 00 FE 01 .. .. .. .. .. .. .. .. 0A 02 00 .. .. {check}"],
            &["AA 55 01 {serial} *"],
        )
    };
    let params = || Params::default().with("serial", vec![0x32]);
    let field =
        |kind, from, bits| Point { request: 0, from, to: None, field: Field { bits, ..Field::big(kind) } };
    let (tx, rx) =
        ("55AA0032FE000100000000000000000A02009256", "AA55003200FE0100000000000000000A020080566857");
    let valid = field(Type::Unsigned(1), 18, Some(BitField { from: 7, to: 7 }));
    assert_eq!(ask(layout(), question(), valid, params(), tx, rx), unsigned(1));
    let half_degrees = field(Type::Unsigned(1), 19, None);
    assert_eq!(ask(layout(), question(), half_degrees, params(), tx, rx), unsigned(86));
    let other = params().with("serial", vec![0x33]);
    let tx = "55AA0033FE000100000000000000000A02009356";
    let half_degrees = field(Type::Unsigned(1), 19, None);
    assert_eq!(ask(layout(), question(), half_degrees, other, tx, rx), Err(Absence::Malformed), "another's");
}

/// Modbus ASCII: hexadecimal digits between a colon and a line end, LRC.
#[test]
fn ascii_hex_with_lrc() {
    let layout = Layout {
        start: b":".to_vec(),
        end: b"\r\n".to_vec(),
        length: Length::End,
        check: Some(Check { kind: Kind::Lrc, from: 1, to: -4, order: Octets::Big }),
        encoding: Encoding::AsciiHex,
    };
    let request = request(
        "3A {address} 03 00 01 00 01 {check} 0D 0A",
        &["3A {address} 03 02 .. .. {check} 0D 0A"],
        &[],
    );
    let params = Params::default().with("address", vec![0x11]);
    let tx: String = b":110300010001EA\r\n".iter().map(|octet| format!("{octet:02X}")).collect();
    let rx: String = b":1103020131B8\r\n".iter().map(|octet| format!("{octet:02X}")).collect();
    let value = ask(layout, request, number(0, 4, None, Type::Unsigned(2)), params, &tx, &rx);
    assert_eq!(value, unsigned(305));
}

#[test]
fn an_answer_is_found_behind_anything() {
    let layout = Arc::new(mdc());
    let params = Params::default().with("address", vec![1]);
    let mask = |text| pattern(text).mask(&layout, &params).unwrap();
    let ack = vec![mask("AA FF {address} 03 41 11 .. {check}")];
    let reader = FrameReader { layout: Arc::clone(&layout), ack, nak: Vec::new() };
    let answer = hex("AAFF010341110156");
    let behind = |noise: &str| [hex(noise), answer.clone()].concat();
    assert_eq!(reader.read(&answer), Read::Answer(8));
    assert_eq!(reader.read(&behind("00 55")), Read::Noise(2));
    assert_eq!(reader.read(&behind("AA 00 00 FF")), Read::Noise(4), "the beginning of a frame of 260 octets");
    assert_eq!(reader.read(&behind("AAFF0203 41110157")), Read::Unsolicited(8), "another panel's");
    assert_eq!(reader.read(&hex("AAFF010341110157")), Read::Noise(1), "a wrong sum");
    assert_eq!(reader.read(&answer[..5]), Read::More);
    let listener = FrameReader::listener(layout);
    assert_eq!(listener.read(&answer), Read::Unsolicited(8));
}

#[test]
fn silence_cuts_what_has_no_length() {
    let layout = Layout {
        start: vec![0xe6],
        end: Vec::new(),
        length: Length::Silence,
        check: None,
        encoding: Encoding::Raw,
    };
    let listener = FrameReader::listener(Arc::new(layout));
    assert_eq!(listener.read(&hex("E6F10001")), Read::More);
    assert_eq!(listener.read_at_silence(&hex("E6F10001")), Read::Unsolicited(4));
    assert_eq!(listener.read_at_silence(&hex("00E6F10001")), Read::Noise(1));
}

#[test]
fn what_cannot_be_sent_says_why() {
    let params = Params::default();
    let render = |text| pattern(text).render(&mdc(), &params).unwrap_err().to_string();
    assert_eq!(render("AA 11 {address} 00 {check}"), "nothing is given for `{address}` of the request");
    assert_eq!(render("AA .."), "what is sent leaves octets open: `..` and `*` belong into answers");
    assert_eq!(render("AA"), "length or checksum have no place in what is sent");
}
