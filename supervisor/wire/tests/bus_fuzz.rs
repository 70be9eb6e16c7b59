//! Fuzzes what reads from a line: RTU, frames, text with its dialogue, each through a whole session, for five seconds;
//! `ROUNDSMAN_FUZZ_SECONDS` lengthens it, `ROUNDSMAN_FUZZ_SEED` repeats a run.
//!
//! The corpus (`tests/fuzz/corpus/bus/`) holds documented octets and inputs that once found something. They are mutated,
//! strung together, cut into pieces and brought at any time; a poll is always under way.

mod mutate;

use mutate::{Dice, Run, corpus, stream};
use roundsman_core::fault::Generation;
use roundsman_core::reading::Absence;
use roundsman_core::time::Mono;
use roundsman_wire::bus::exchange::Await;
use roundsman_wire::bus::plan::{Member, Plan, Target};
use roundsman_wire::bus::session::{Ask, Session};
use roundsman_wire::bus::{Action, Line, Lost, Opening, Port, Rank, Unit};
use roundsman_wire::field::{Field, Order, Type};
use roundsman_wire::frame::check::Kind;
use roundsman_wire::frame::{self, Check, Encoding, Length, Piece};
use roundsman_wire::modbus::plan::{Plan as Registers, Point, Table};
use roundsman_wire::params::Params;
use roundsman_wire::text::opening::Turn;
use roundsman_wire::text::pattern::Item;
use roundsman_wire::text::{self, Class, Dialogue, Pattern, Sign, Template};
use std::sync::Arc;

/// What happened, to see that the run reached something.
#[derive(Debug, Default)]
struct Tally {
    streams: u64,
    polls: u64,
    good: u64,
}

fn fuzz(sort: &str, line: &Line, plan: Plan, target: Target, opening: &dyn Fn() -> Option<Box<dyn Opening>>) {
    let corpus = corpus("bus", sort);
    let Run { mut dice, clock, named } = Run::start();
    let (plan, target) = (Arc::new(plan), Arc::new(target));
    let mut session = Session::new(line.clone(), plan.listener(), opening());
    let mut now = Mono(1_000);
    session.handle_port(Port::Open, now);
    let mut tally = Tally::default();
    while !clock.is_over() {
        for _ in 0..100 {
            if session.outstanding() == 0 {
                let (plan, target) = (Arc::clone(&plan), Arc::clone(&target));
                let ask = Ask { plan, target, rank: Rank::Command, wanted: None };
                session.start(1, Generation(0), ask, now).expect("room for one poll");
            }
            while session.poll_transmit(now).is_some() {}
            if session.poll_action() == Some(Action::Open) || dice.roll(50) == 0 {
                let port = [Port::Open, Port::Gone(Lost::Closed), Port::Gone(Lost::Unplugged)];
                session.handle_port(port[dice.roll(3) as usize], now);
            }
            tally.streams += 1;
            let octets = stream(&corpus, &mut dice);
            for piece in octets.chunks(1 + dice.roll(40) as usize) {
                now = now.plus_ms([0, 1, 5, 30][dice.roll(4) as usize]);
                session.handle_octets(piece, now);
            }
            // Refused credentials and silent units rest for a minute.
            now = if dice.roll(10) == 0 { now.plus_ms(61_000) } else { now };
            if let Some(due) = session.poll_timeout().filter(|_| dice.roll(2) == 0) {
                now = Mono(now.0.max(due.0));
                session.handle_timeout(now);
            }
            while let Some(finished) = session.poll_finished() {
                tally.polls += 1;
                let values = finished.answer.units.iter().flat_map(|unit| &unit.values);
                tally.good += values.filter(|value| value.is_ok()).count() as u64;
            }
            while session.poll_event().is_some() {}
            // Nothing piles up.
            assert!(session.outstanding() <= 1);
        }
    }
    eprintln!("{sort} fuzz, {named}: {tally:?}, {:?}", session.counters());
    assert!(tally.polls > 100 && tally.good > 100, "{tally:?}");
}

#[test]
fn rtu_never_panics() {
    let point = |table, address, kind| Point { table, address, field: Field::big(kind) };
    let points = vec![
        point(Table::Input, 1, Type::Signed(2)),
        point(Table::Input, 2, Type::Unsigned(2)),
        point(Table::Input, 40, Type::Text(20)),
        point(Table::Coil, 0, Type::Unsigned(1)),
    ];
    let plan = Plan::Modbus(Registers::new(points));
    fuzz("rtu", &Line::serial(9_600), plan, Target::single(Unit(1), 1), &|| None);
}

/// Octets, `..` as `None`, `*` as -1, the check as -2.
fn pattern(pieces: &[i16]) -> frame::Pattern {
    let piece = |piece: &i16| match piece {
        -1 => Piece::Rest,
        -2 => Piece::Check,
        -3 => Piece::Any,
        octet => Piece::Octet(*octet as u8),
    };
    frame::Pattern(pieces.iter().map(piece).collect())
}

fn frames(layout: frame::Layout, send: &[i16], ack: &[i16]) -> Plan {
    let request = frame::Request {
        send: pattern(send),
        ack: vec![pattern(ack)],
        nak: vec![(pattern(&[0xaa, 0xff, 1, 3, 0x4e, -1]), Absence::Unsupported)],
        awaits: Await::Answer,
        timeout_ms: 500,
        rest_ms: 0,
    };
    let point = |from, to| frame::Point { request: 0, from, to, field: Field::big(Type::Unsigned(1)) };
    let points = vec![point(6, None), point(-2, None), point(4, Some(-2))];
    Plan::Frame(frame::Plan { layout: Arc::new(layout), requests: vec![request], points })
}

#[test]
fn frames_never_panic() {
    let mdc = frame::Layout {
        start: vec![0xaa],
        end: Vec::new(),
        length: Length::Field { at: 3, width: 1, order: Order::Big, adds: 5 },
        check: Some(Check { kind: Kind::Sum8, from: 1, to: -2, order: Order::Big }),
        encoding: Encoding::Raw,
    };
    let plan = frames(mdc, &[0xaa, 0x11, 1, 0, -2], &[0xaa, 0xff, 1, 3, 0x41, 0x11, -3, -2]);
    fuzz("frame", &Line::serial(9_600), plan, Target::single(Unit(1), 1), &|| None);
}

#[test]
fn frames_with_an_end_or_none_never_panic() {
    for (length, end, encoding) in [
        (Length::End, b"\r\n".to_vec(), Encoding::AsciiHex),
        (Length::End, b"\r".to_vec(), Encoding::Raw),
        (Length::Silence, Vec::new(), Encoding::Raw),
        (Length::Fixed(4), Vec::new(), Encoding::Raw),
        (Length::Field { at: 0, width: 2, order: Order::Little, adds: -300 }, Vec::new(), Encoding::Raw),
    ] {
        let layout = frame::Layout { start: Vec::new(), end, length, check: None, encoding };
        let listener = frame::FrameReader::listener(Arc::new(layout.clone()));
        let mask = pattern(&[-1]).mask(&layout, &Params::default()).expect("nothing is named");
        let reader = frame::FrameReader { ack: vec![mask], ..listener };
        let corpus = corpus("bus", "frame");
        let mut dice = Dice(7);
        for _ in 0..20_000 {
            let octets = stream(&corpus, &mut dice);
            if !octets.is_empty() {
                use roundsman_wire::bus::Reader;
                let _ = (reader.read(&octets), reader.read_at_silence(&octets), reader.verdict(&octets));
            }
        }
    }
}

#[test]
fn text_never_panics() {
    let text = |text: &str| Item::Text(Arc::from(text));
    let caught = |name: &str, class| Item::Capture(Arc::from(name), class);
    let request = |send: &str, ack: Vec<Item>| text::Request {
        send: Template(vec![text::Piece::Text(Arc::from(send))]),
        ack: vec![Pattern(ack)],
        nak: vec![(Pattern(vec![Item::Anything, text("=ERR"), caught("n", Class::Digit)]), Absence::Invalid)],
        until: None,
        awaits: Await::Answer,
        timeout_ms: 500,
        rest_ms: 0,
    };
    let layout = Arc::new(text::Layout {
        sent_end: b"\r".to_vec(),
        ends: vec![b"\r\n".to_vec(), b"\r".to_vec(), b":".to_vec()],
        prompts: vec![b">".to_vec()],
        echoes: true,
        denied: vec![Pattern(vec![text("PJLINK ERRA")])],
    });
    let mut several = request(
        "xStatus",
        vec![text("*s"), Item::Anything, text("\""), caught("t", Class::Number), text("\"")],
    );
    several.until = Some(Pattern(vec![text("** end")]));
    let plan = Plan::Text(text::Plan {
        layout: Arc::clone(&layout),
        requests: vec![
            request("%1POWR ?", vec![text("%1POWR="), caught("power", Class::Hex)]),
            request(
                "%1LAMP ?",
                vec![text("%1LAMP="), caught("h", Class::Number), text(" "), caught("on", Class::Any)],
            ),
            several,
        ],
        points: [(0, "power"), (1, "h"), (1, "on"), (2, "t")]
            .map(|(request, capture)| text::Point { request, capture: Arc::from(capture) })
            .to_vec(),
    });
    let target = Target { members: vec![Member { unit: Unit(1), params: Params::default() }], tries: 2 };
    let turns: Arc<[Turn]> = Arc::new([Turn {
        awaits: vec![
            Pattern(vec![text("PJLINK 0")]),
            Pattern(vec![text("PJLINK 1 "), caught("nonce", Class::Any)]),
            Pattern(vec![text("login")]),
        ],
        say: None,
    }]);
    fuzz("text", &Line::tcp(), plan, target, &|| {
        let params = Params::default().with("password", b"secret".to_vec());
        Some(Box::new(Dialogue::new(Arc::clone(&layout), Arc::clone(&turns), Some(Sign::PjlinkMd5), params)))
    });
}
