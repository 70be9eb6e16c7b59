//! `frame` and requests in frames.

use super::pattern::{self, fixed, patterns, refusals};
use super::{read_awaits, short_ms};
use crate::diagnostic::{Diagnostic, Findings};
use crate::document::{Fields, Node, Value};
use crate::schema::value::note_choice;
use roundsman_wire::field::Order;
use roundsman_wire::frame::check::Kind;
use roundsman_wire::frame::{Check, Encoding, Layout, Length, MOST_FRAME, Pattern, Piece, Request};
use std::sync::Arc;

/// Positions that fit into a frame, either side.
const MOST_AT: i64 = MOST_FRAME as i64;

/// A position in a frame.
pub(super) fn position(node: &Node, found: &mut Findings) -> Option<i32> {
    let at = node.integer(found)?;
    if at.abs() > MOST_AT {
        found.note(
            Diagnostic::new(&node.at, format!("a frame has at most {MOST_FRAME} octets"))
                .hint("positions count from 0, negative ones from the end"),
        );
        return None;
    }
    Some(at as i32)
}

/// `big` or `little`.
pub(super) fn order(node: &Node, found: &mut Findings) -> Option<Order> {
    match node.text(found)? {
        "big" => Some(Order::Big),
        "little" => Some(Order::Little),
        other => {
            note_choice(node, "an order", other, &["big", "little"], found);
            None
        }
    }
}

/// How all frames look.
pub(super) fn layout(node: &Node, found: &mut Findings) -> Option<Layout> {
    let mut fields = Fields::of(node, "`frame`", found)?;
    let start = fields.maybe("start").map_or(Some(Vec::new()), |node| fixed(node, found));
    let end = fields.maybe("end").map_or(Some(Vec::new()), |node| fixed(node, found));
    let length = fields.maybe("length");
    let check = fields.maybe("check").map_or(Some(None), |node| read_check(node, found).map(Some));
    let encoding = fields.maybe("encoding").map_or(Some(Encoding::Raw), |node| match node.text(found)? {
        "raw" => Some(Encoding::Raw),
        "ascii-hex" => Some(Encoding::AsciiHex),
        other => {
            note_choice(node, "an encoding", other, &["raw", "ascii-hex"], found);
            None
        }
    });
    fields.finish(found);
    let (start, end, check, encoding) = (start?, end?, check?, encoding?);
    let length = match length {
        Some(node) => read_length(node, found)?,
        None if !end.is_empty() => Length::End,
        None => {
            found.note(
                Diagnostic::new(&node.at, "nothing says where a frame ends")
                    .label("`length` or `end` is missing")
                    .hint("length = { at = 3, adds = 5 }, length = 8, length = \"silence\", or end = \"0D\""),
            );
            return None;
        }
    };
    if encoding == Encoding::AsciiHex && (start.is_empty() || end.is_empty() || length != Length::End) {
        let what = "hexadecimal digits stand between `start` and `end`, without a `length`";
        found.note(Diagnostic::new(&node.at, what).hint("start = \"3A\", end = \"0D 0A\""));
        return None;
    }
    if start.is_empty() && check.is_none() && length != Length::Silence && end.is_empty() {
        let what = "nothing tells a frame from noise";
        found.note(Diagnostic::new(&node.at, what).hint("give `start`, `end` or `check`"));
        return None;
    }
    Some(Layout { start, end, length, check, encoding })
}

fn read_length(node: &Node, found: &mut Findings) -> Option<Length> {
    match &node.value {
        Value::Integer(len) if (1..=MOST_AT).contains(len) => Some(Length::Fixed(*len as u16)),
        Value::Integer(_) => {
            found.note(Diagnostic::new(&node.at, format!("a frame has 1 to {MOST_FRAME} octets")));
            None
        }
        Value::Text(word) if word == "silence" => Some(Length::Silence),
        Value::Text(word) => {
            note_choice(node, "a length", word, &["silence"], found);
            None
        }
        _ => {
            let mut fields = Fields::of(node, "`length`", found)?;
            let at_node = fields.must("at", found);
            let at = at_node.and_then(|node| position(node, found));
            let width = fields.maybe("width").map_or(Some(1), |node| node.integer(found));
            let width_at = fields.maybe("width").map_or(&node.at, |node| &node.at);
            let adds = fields.maybe("adds").map_or(Some(0), |node| position(node, found));
            let order = fields.maybe("order").map_or(Some(Order::Big), |node| order(node, found));
            fields.finish(found);
            let width = match width? {
                width @ 1..=2 => width as u8,
                _ => {
                    found.note(Diagnostic::new(width_at, "a length has 1 or 2 octets"));
                    return None;
                }
            };
            let Ok(at) = u16::try_from(at?) else {
                let what = "the length's own place cannot count from the end";
                found.note(Diagnostic::new(&at_node?.at, what));
                return None;
            };
            Some(Length::Field { at, width, order: order?, adds: adds? })
        }
    }
}

const KINDS: [&str; 5] = ["sum8", "sum16", "xor8", "crc16", "lrc"];

fn read_check(node: &Node, found: &mut Findings) -> Option<Check> {
    let mut fields = Fields::of(node, "`check`", found)?;
    let kind_node = fields.must("kind", found);
    let seed_node = fields.maybe("seed");
    let seed = seed_node.map_or(Some(0), |node| match u16::try_from(node.integer(found)?) {
        Ok(seed) => Some(seed),
        Err(_) => {
            found.note(Diagnostic::new(&node.at, "a seed has 16 bits"));
            None
        }
    });
    let from = fields.must("from", found).and_then(|node| position(node, found));
    let to_node = fields.must("to", found);
    let to = to_node.and_then(|node| position(node, found));
    let order_node = fields.maybe("order");
    let order = order_node.map_or(Some(None), |node| order(node, found).map(Some));
    fields.finish(found);
    let kind_node = kind_node?;
    let kind = match kind_node.text(found)? {
        "sum8" => Kind::Sum8,
        "sum16" => Kind::Sum16 { seed: seed? },
        "xor8" => Kind::Xor8,
        "crc16" => Kind::Crc16,
        "lrc" => Kind::Lrc,
        other => {
            note_choice(kind_node, "a checksum", other, &KINDS, found);
            return None;
        }
    };
    if let (Some(node), false) = (seed_node, matches!(kind, Kind::Sum16 { .. })) {
        found.note(Diagnostic::new(&node.at, "only sum16 has a seed"));
    }
    // Modbus and NovaStar, the only ones of two octets here, send the low one first.
    let check = Check { kind, from: from?, to: to?, order: order?.unwrap_or(Order::Little) };
    let room = -(check.width() as i32);
    if check.to < 0 && check.to > room - 1 {
        let what = "behind what it covers there is no place for the checksum";
        let hint = format!("it stands right behind `to`, so `to` is {} at most", room - 1);
        found.note(Diagnostic::new(&to_node?.at, what).hint(hint));
        return None;
    }
    Some(check)
}

/// A request of a poll.
pub(super) fn request(
    node: &Node,
    layout: &Layout,
    names: &[Arc<str>],
    timeout_ms: u32,
    must_answer: bool,
    found: &mut Findings,
) -> Option<Request> {
    let mut fields = Fields::of(node, "a request", found)?;
    let request = keys(&mut fields, layout, names, timeout_ms, must_answer, found);
    fields.finish(found);
    request
}

/// The keys of a request, or of a command that is one.
pub(super) fn keys(
    fields: &mut Fields<'_>,
    layout: &Layout,
    names: &[Arc<str>],
    timeout_ms: u32,
    must_answer: bool,
    found: &mut Findings,
) -> Option<Request> {
    let send_node = fields.must("send", found);
    let parse = |text: &str| pattern::octets(text, names);
    let send = send_node.and_then(|node| pattern::pattern(node, parse, found));
    let ack_node = if must_answer { fields.must("ack", found) } else { fields.maybe("ack") };
    let ack = ack_node.map_or(Some(Vec::new()), |node| patterns(node, parse, found));
    let nak = fields.maybe("nak").map_or(Some(Vec::new()), |node| refusals(node, parse, found));
    let timeout_ms = short_ms(fields, "timeout", found).unwrap_or(timeout_ms);
    let rest_ms = short_ms(fields, "pacing", found).unwrap_or(0);
    let awaits = read_awaits(fields, ack_node.is_some(), found);
    let (send, send_node) = (send?, send_node?);
    check_sent(send_node, &send, layout, found)?;
    if must_answer {
        ack_node?;
    }
    for (node, pattern) in ack_node.into_iter().flat_map(pattern::one_or_more).zip(ack.iter().flatten()) {
        check_answer(node, pattern, layout, found)?;
    }
    Some(Request { send, ack: ack?, nak: nak?, awaits: awaits?, timeout_ms, rest_ms })
}

/// What is sent must be a frame of this layout, as far as that can be seen before it is rendered.
fn check_sent(node: &Node, send: &Pattern, layout: &Layout, found: &mut Findings) -> Option<()> {
    let wrong = |what: &str, hint: &str, found: &mut Findings| {
        found.note(Diagnostic::new(&node.at, what).hint(hint));
        None
    };
    if send.0.iter().any(|piece| matches!(piece, Piece::Any | Piece::Rest)) {
        return wrong("what is sent leaves octets open", "`..` and `*` belong into answers", found);
    }
    match (layout.check, send.0.iter().filter(|piece| **piece == Piece::Check).count()) {
        (None, 1..) => wrong("`frame` describes no checksum", "frame.check = { kind = \"sum8\", … }", found),
        (Some(_), 0) => wrong("the checksum is missing in what is sent", "end it with {check}", found),
        (_, 2..) => wrong("there are two checksums in what is sent", "it has one", found),
        _ => Some(()),
    }
}

/// An answer must begin as every frame does, or it would never be seen.
fn check_answer(node: &Node, ack: &Pattern, layout: &Layout, found: &mut Findings) -> Option<()> {
    let begins = ack.0.iter().zip(&layout.start).all(|(piece, start)| match piece {
        Piece::Octet(octet) => octet == start,
        _ => true,
    });
    if !begins {
        let start: Vec<String> = layout.start.iter().map(|octet| format!("{octet:02X}")).collect();
        let what = format!("every frame that comes begins with {}, this one does not", start.join(" "));
        found.note(Diagnostic::new(&node.at, what).hint("`frame.start` is how answers begin"));
        return None;
    }
    if let (Length::Fixed(len), false) = (layout.length, ack.0.contains(&Piece::Rest)) {
        let params = ack.0.iter().any(|piece| matches!(piece, Piece::Param(_)));
        let width = |piece: &Piece| match piece {
            Piece::Check => layout.check.map_or(0, |check| check.width()),
            _ => 1,
        };
        let got: usize = ack.0.iter().map(width).sum();
        if !params && got != usize::from(len) {
            let what = format!("a frame has {len} octets here, this pattern has {got}");
            found.note(Diagnostic::new(&node.at, what));
            return None;
        }
    }
    Some(())
}
