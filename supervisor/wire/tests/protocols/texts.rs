//! Text lines described as data: PJLink with its digest, logins, prompts, echoes, answers of several lines.

use crate::bench::{Bench, text, unsigned};
use roundsman_core::reading::Absence;
use roundsman_wire::bus::exchange::Await;
use roundsman_wire::bus::plan::{Member, Plan, Target};
use roundsman_wire::bus::{Line, Read, Reader, Recovery, Unit};
use roundsman_wire::field::Raw;
use roundsman_wire::params::Params;
use roundsman_wire::text::opening::Turn;
use roundsman_wire::text::pattern::Item;
use roundsman_wire::text::{
    Class, Dialogue, Layout, Pattern, Piece, Point, Request, Sign, Template, TextReader, reader,
};
use std::sync::Arc;

/// `POWR={power:0|1}` as items; `{name}` is a parameter where it is one of `params`.
fn pattern_with(line: &str, params: &[&str]) -> Pattern {
    let mut items = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let open = rest.find(['{', '*']).unwrap_or(rest.len());
        if open > 0 {
            items.push(Item::Text(Arc::from(&rest[..open])));
        }
        rest = &rest[open..];
        if let Some(behind) = rest.strip_prefix('*') {
            items.push(Item::Anything);
            rest = behind;
        } else if let Some((inner, behind)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            let (name, class) = inner.split_once(':').unwrap_or((inner, ""));
            let class = match class {
                "" => Class::Any,
                "word" => Class::Word,
                "number" => Class::Number,
                "hex" => Class::Hex,
                "digit" => Class::Digit,
                words => Class::OneOf(words.split('|').map(Arc::from).collect()),
            };
            items.push(match params.contains(&name) {
                true => Item::Param(Arc::from(name)),
                false => Item::Capture(Arc::from(name), class),
            });
            rest = behind;
        }
    }
    Pattern(items)
}

fn pattern(line: &str) -> Pattern {
    pattern_with(line, &["address"])
}

fn template(line: &str) -> Template {
    let items = pattern_with(line, &["address", "user", "password"]).0;
    let piece = |item| match item {
        Item::Text(text) => Piece::Text(text),
        Item::Param(name) => Piece::Param(name),
        other => panic!("{other:?}"),
    };
    Template(items.into_iter().map(piece).collect())
}

fn layout(ends: &[&str]) -> Layout {
    Layout {
        sent_end: b"\r".to_vec(),
        ends: ends.iter().map(|end| end.as_bytes().to_vec()).collect(),
        prompts: Vec::new(),
        echoes: false,
        denied: Vec::new(),
    }
}

fn request(send: &str, ack: &str, nak: &[(&str, Absence)]) -> Request {
    Request {
        send: template(send),
        ack: vec![pattern(ack)],
        nak: nak.iter().map(|(line, absence)| (pattern(line), *absence)).collect(),
        until: None,
        awaits: Await::Answer,
        timeout_ms: 1_000,
        rest_ms: 0,
    }
}

fn point(request: usize, capture: &str) -> Point {
    Point { request, capture: Arc::from(capture) }
}

fn plan(layout: Layout, requests: Vec<Request>, points: Vec<Point>) -> Plan {
    Plan::Text(roundsman_wire::text::Plan { layout: Arc::new(layout), requests, points })
}

fn target() -> Target {
    Target { members: vec![Member { unit: Unit(1), params: Params::default() }], tries: 2 }
}

/// A peer that answers lines.
fn lines<'a>(script: &'a [(&'a str, &'a str)]) -> impl FnMut(&[u8]) -> Vec<u8> + 'a {
    move |octets| {
        let found = script.iter().find(|(tx, _)| tx.as_bytes() == octets);
        found.map_or(Vec::new(), |(_, rx)| rx.as_bytes().to_vec())
    }
}

#[test]
fn patterns_catch() {
    let caught =
        |line: &str, text: &str, name: &str| pattern(line).captures(text.as_bytes())?.get(name).cloned();
    for (line, said, name, raw) in [
        ("%1POWR={power:digit}", "%1POWR=3", "power", Raw::Unsigned(3)),
        ("%1ERST={fan:digit}{lamp:digit}{rest}", "%1ERST=201000", "lamp", Raw::Unsigned(0)),
        ("%1LAMP={hours:number} {on:digit}*", "%1LAMP=8123 1 12 0", "hours", Raw::Signed(8123)),
        ("a {id} OK{value:hex}", "a 01 OK1f", "value", Raw::Unsigned(31)),
        ("a {id} OK{value:hex}", "a 01 OK1f", "id", Raw::Octets(b"01"[..].into())),
        ("*Temperature: \"{t:number}\"", "*s SystemUnit Temperature: \"64.0\"", "t", Raw::Float(64.0)),
        (
            "seat_state {seat:word} {state:active|passive}",
            "seat_state 212 passive",
            "state",
            Raw::Unsigned(1),
        ),
        ("< REP {n:number} MIC_STATUS {s:OFF|ON} >", "< REP 2 MIC_STATUS ON >", "s", Raw::Unsigned(1)),
        ("{all}", "x=1", "all", Raw::Octets(b"x=1"[..].into())),
        ("v={a:word};{b:word}", "v=one;two", "b", Raw::Octets(b"two"[..].into())),
        ("s={a:O|ON|OFF}", "s=OFF", "a", Raw::Unsigned(2)),
    ] {
        assert_eq!(caught(line, said, name), Some(raw), "{line} {said}");
    }
    for (line, said) in [
        ("%1POWR={power:digit}", "%1POWR=12"),
        ("%1POWR={power:digit}", "%1POWR="),
        ("a {x:number}", "a 1-2x"),
        ("a {x:number}", "a 1.2.3"),
        ("OK", "OK "),
        ("{x:hex}", "fffffffffffffffff"),
        ("{address}", "1"),
        ("x{y}z", "xz"),
    ] {
        assert_eq!(pattern(line).captures(said.as_bytes()), None, "{line} {said}");
    }
}

fn pjlink(banner: &str, password: Option<&str>) -> Bench {
    let layout = Layout { denied: vec![pattern("PJLINK ERRA")], ..layout(&["\r"]) };
    let errors = [
        ("%1*=ERR1", Absence::Unsupported),
        ("%1*=ERR2", Absence::Unsupported),
        ("%1*=ERR3", Absence::Invalid),
        ("%1*=ERR4", Absence::Invalid),
    ];
    let requests = vec![
        request("%1POWR ?", "%1POWR={power:digit}", &errors),
        request(
            "%1ERST ?",
            "%1ERST={fan:digit}{lamp:digit}{temperature:digit}{cover:digit}{filter:digit}{other:digit}",
            &errors,
        ),
        request("%1LAMP ?", "%1LAMP={hours:number} {on:digit}*", &errors),
    ];
    let points = vec![point(0, "power"), point(1, "fan"), point(1, "temperature"), point(2, "hours")];
    let params = match password {
        Some(password) => Params::default().with("password", password.as_bytes()),
        None => Params::default(),
    };
    let turns = [Turn { awaits: vec![pattern("PJLINK 0"), pattern("PJLINK 1 {nonce}")], say: None }];
    let dialogue = Dialogue::new(Arc::new(layout.clone()), turns.into(), Some(Sign::PjlinkMd5), params);
    let mut bench = Bench::new(Line::tcp(), plan(layout, requests, points), Some(Box::new(dialogue)));
    bench.banner = banner.as_bytes().to_vec();
    bench
}

const SIGNED: &str = "5d8409bc1c3fa39749434aa3a5c38682%1POWR ?\r";

#[test]
fn pjlink_with_its_digest() {
    let mut bench = pjlink("PJLINK 1 498e4a67\r", Some("JBMIAProjectorLink"));
    let script =
        [(SIGNED, "%1POWR=1\r"), ("%1ERST ?\r", "%1ERST=201000\r"), ("%1LAMP ?\r", "%1LAMP=8123 1\r")];
    let answer = bench.poll(&target(), &mut lines(&script));
    let values = [unsigned(1), unsigned(2), unsigned(1), Ok(Raw::Signed(8123))];
    assert_eq!(answer.units[0].values, values);
    assert_eq!(bench.sent[0], SIGNED.as_bytes());
}

#[test]
fn pjlink_without_a_password_and_with_errors() {
    let mut bench = pjlink("PJLINK 0\r", None);
    let script =
        [("%1POWR ?\r", "%1POWR=0\r"), ("%1ERST ?\r", "%1ERST=ERR3\r"), ("%1LAMP ?\r", "%1LAMP=ERR1\r")];
    let answer = bench.poll(&target(), &mut lines(&script));
    assert_eq!(
        answer.units[0].values,
        [unsigned(0), Err(Absence::Invalid), Err(Absence::Invalid), Err(Absence::Unsupported)]
    );
    assert!(answer.answered());
}

#[test]
fn pjlink_refuses_the_password() {
    let mut bench = pjlink("PJLINK 1 498e4a67\r", Some("JBMIAProjectorLink"));
    let answer = bench.poll(&target(), &mut lines(&[(SIGNED, "PJLINK ERRA\r")]));
    assert_eq!(answer.units[0].values, vec![Err(Absence::Denied); 4]);
    assert_eq!(bench.sent.len(), 1, "not tried again");
    let answer = bench.poll(&target(), &mut lines(&[]));
    assert_eq!(answer.units[0].values, vec![Err(Absence::Denied); 4]);
    assert_eq!(bench.opened, 1);
}

/// After a silence the connection is made anew, and the digest goes before the first request again.
#[test]
fn pjlink_over_a_connection_made_anew() {
    let mut bench = pjlink("PJLINK 1 498e4a67\r", Some("JBMIAProjectorLink"));
    let mut asked = 0;
    let answer = bench.poll(&target(), &mut |octets| {
        asked += 1;
        let answer = match std::str::from_utf8(octets).unwrap() {
            _ if asked == 1 => "",
            SIGNED => "%1POWR=1\r",
            "%1ERST ?\r" => "%1ERST=000000\r",
            _ => "%1LAMP=1 1\r",
        };
        answer.as_bytes().to_vec()
    });
    assert!(answer.units[0].values.iter().all(Result::is_ok), "{answer:?}");
    assert_eq!((bench.opened, bench.sent[1] == SIGNED.as_bytes()), (2, true));
}

/// Epson: a colon ends every answer; LG: an `x` does, and the set's number stands in it.
#[test]
fn terminators_of_all_kinds() {
    let requests = vec![
        request("PWR?", "PWR={power:hex}", &[("ERR", Absence::Unsupported)]),
        request("LAMP?", "LAMP={hours:number}", &[("ERR", Absence::Unsupported)]),
    ];
    let points = vec![point(0, "power"), point(1, "hours")];
    let mut bench = Bench::serial(plan(layout(&["\r", ":"]), requests, points));
    let script = [("PWR?\r", "PWR=01\r:"), ("LAMP?\r", "ERR\r:")];
    let answer = bench.poll(&target(), &mut lines(&script));
    assert_eq!(answer.units[0].values, [unsigned(1), Err(Absence::Unsupported)]);

    let requests = vec![request(
        "dn {address} ff",
        "n {address} OK{t:hex}",
        &[("n {address} NG*", Absence::Unsupported)],
    )];
    let mut bench = Bench::serial(plan(layout(&["x"]), requests, vec![point(0, "t")]));
    let params = Params::default().with("address", b"01".to_vec());
    let target = Target { members: vec![Member { unit: Unit(1), params }], tries: 1 };
    let answer = bench.poll(&target, &mut lines(&[("dn 01 ff\r", "n 01 OK2ax")]));
    assert_eq!(answer.units[0].values, [unsigned(42)]);
}

/// Cisco: an answer of several lines ends with `** end`; the terminal repeats what it is sent.
#[test]
fn answers_of_several_lines_and_echoes() {
    let mut ask = request("xStatus Temperature", "*s *Temperature: \"{t:number}\"", &[]);
    ask.until = Some(pattern("** end"));
    let layout = Layout { echoes: true, ..layout(&["\r\n", "\n"]) };
    let mut bench = Bench::serial(plan(layout, vec![ask], vec![point(0, "t")]));
    let rx = "xStatus Temperature\r\n\r\n*s SystemUnit Hardware Temperature: \"64.0\"\r\n*s Other: 1\r\n** end\r\n";
    let answer = bench.poll(&target(), &mut lines(&[("xStatus Temperature\r", rx)]));
    assert_eq!(answer.units[0].values, [Ok(Raw::Float(64.0))]);
}

/// An answer may begin as its request did: `mic_on 212` with another end. The echo alone is none.
#[test]
fn an_answer_may_repeat_its_request() {
    let mut bench = Bench::serial(plan(
        layout(&["\r\n"]),
        vec![request("mic 212", "mic {seat:number}", &[])],
        vec![point(0, "seat")],
    ));
    let answer = bench.poll(&target(), &mut lines(&[("mic 212\r", "mic 212\r\n")]));
    assert_eq!(answer.units[0].values, [Ok(Raw::Signed(212))]);
    let answer = bench.poll(&target(), &mut lines(&[("mic 212\r", "mic 212\rmic 212\r\n")]));
    assert_eq!(answer.units[0].values, [Ok(Raw::Signed(212))]);
    assert_eq!(bench.session.counters().echoes, 1);
    let answer = bench.poll(&target(), &mut lines(&[("mic 212\r", "mic 212\r")]));
    assert_eq!(answer.units[0].values, [Err(Absence::Timeout)]);
}

#[test]
fn a_login_comes_first() {
    let login = |last: &str, password: &str| {
        let mut bench = {
            let layout = Layout {
                prompts: vec![b"> ".to_vec()],
                denied: vec![pattern("Login incorrect")],
                ..layout(&["\r\n"])
            };
            let turns = [
                Turn { awaits: vec![pattern("login:")], say: Some(template("{user}")) },
                Turn { awaits: vec![pattern("Password:")], say: Some(template("{password}")) },
                Turn { awaits: vec![pattern(">")], say: None },
            ];
            let params =
                Params::default().with("user", b"admin".to_vec()).with("password", password.as_bytes());
            let dialogue = Dialogue::new(Arc::new(layout.clone()), turns.into(), None, params);
            let requests = vec![request("version", "version {v}", &[])];
            let plan = plan(layout, requests, vec![point(0, "v")]);
            Bench::new(Line::tcp(), plan, Some(Box::new(dialogue)))
        };
        bench.banner = b"Welcome\r\nto the terminal\r\nlogin: ".to_vec();
        let script =
            [("admin\r", "admin\r\nPassword: "), ("secret\r", last), ("version\r", "version 4.2\r\n> ")];
        (bench.poll(&target(), &mut lines(&script)), bench.sent.len())
    };
    let (answer, _) = login("\r\nLast login: never\r\n> ", "secret");
    assert_eq!(answer.units[0].values, [text("4.2")]);
    let (answer, _) = login("\r\nLogin incorrect\r\nlogin: ", "secret");
    assert_eq!(answer.units[0].values, [Err(Absence::Denied)]);
    // A password with a line end in it sends no second command.
    let (answer, sent) = login("\r\n> ", "sec\rret");
    assert_eq!(answer.units[0].values, [text("4.2")]);
    assert_eq!(sent, 3);
}

#[test]
fn unsolicited_lines_come_between() {
    let layout = layout(&["\r\n"]);
    let requests = vec![request("mic_status 212", "mic_status 212 {s:off|on}", &[])];
    let line = Line { recovery: Recovery::HoldLine, ..Line::serial(9_600) };
    let mut bench = Bench::new(line, plan(layout.clone(), requests, vec![point(0, "s")]), None);
    bench.open();
    let rx = "seat_state 213 passive\r\nmic_status 212 on\r\n";
    let answer = bench.poll(&target(), &mut lines(&[("mic_status 212\r", rx)]));
    assert_eq!(answer.units[0].values, [unsigned(1)]);
    let event = bench.session.poll_event().unwrap();
    assert_eq!(reader::said(&layout, &event), b"seat_state 213 passive");
}

#[test]
fn lines_without_an_end_are_bounded() {
    let reader = TextReader::listener(Arc::new(layout(&["\r"])));
    assert_eq!(reader.read(&[b'x'; 1_024]), Read::More);
    assert_eq!(reader.read(&[b'x'; 1_025]), Read::Noise(1_025));
    assert_eq!(reader.read(b"\r\r"), Read::Skip(1));
}
