//! `reg` and `from`: where a metric's value comes from.

use super::frame::position;
use super::{Draft, frame, modbus, name, note_unknown};
use crate::diagnostic::{Diagnostic, Findings};
use crate::document::{Fields, Node, Value};
use crate::schema::value::note_choice;
use roundsman_wire::bus::plan::Plan;
use roundsman_wire::field::{BitField, Field, Order, Type};
use roundsman_wire::modbus::plan::Point as Register;
use roundsman_wire::text::pattern::Item;
use roundsman_wire::{frame as wire_frame, text as wire_text};
use std::sync::Arc;

/// Most octets of a string in registers or in a frame.
const MOST_TEXT: u8 = 250;

/// What a metric asks of the plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// A point of it, and how many octets its numbers have.
    Point(usize, u8),
    /// Whether the unit answers at all.
    Answered,
}

/// Words of types.
const TYPES: [(&str, Type); 15] = [
    ("u8", Type::Unsigned(1)),
    ("i8", Type::Signed(1)),
    ("u16", Type::Unsigned(2)),
    ("i16", Type::Signed(2)),
    ("u24", Type::Unsigned(3)),
    ("u32", Type::Unsigned(4)),
    ("i32", Type::Signed(4)),
    ("u64", Type::Unsigned(8)),
    ("i64", Type::Signed(8)),
    ("f32", Type::Float(4)),
    ("f64", Type::Float(8)),
    ("bcd", Type::Bcd(2)),
    ("decimal", Type::Decimal(2)),
    ("hex", Type::Hexadecimal(2)),
    ("text", Type::Text(2)),
];

/// A type by its word; those without a width of their own may give it in octets: `text8`, `bcd4`.
pub(super) fn kind(node: &Node, found: &mut Findings) -> Option<Type> {
    let word = node.text(found)?;
    let digits = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let stem = &word[..word.len() - digits.len()];
    let open = TYPES[11..].iter().find(|(known, _)| *known == stem);
    if let Some((_, kind)) = TYPES.iter().find(|(known, _)| *known == word) {
        return Some(*kind);
    }
    if let (Some((_, kind)), Ok(octets)) = (open, digits.parse::<u8>()) {
        let most = if matches!(kind, Type::Text(_)) { MOST_TEXT } else { 8 };
        if (1..=most).contains(&octets) {
            return Some(kind.over(octets));
        }
        found.note(Diagnostic::new(&node.at, format!("`{stem}` has 1 to {most} octets")));
        return None;
    }
    note_choice(node, "a type", word, &TYPES.map(|(word, _)| word), found);
    None
}

/// `bits = 3` or `bits = [4, 7]`, counted from the low one.
fn bits(fields: &mut Fields<'_>, kind: Option<Type>, found: &mut Findings) -> Option<Option<BitField>> {
    let Some(node) = fields.maybe("bits") else { return Some(None) };
    let pair = match &node.value {
        Value::List(items) if items.len() == 2 => (items[0].integer(found)?, items[1].integer(found)?),
        _ => {
            let bit = node.integer(found)?;
            (bit, bit)
        }
    };
    let width = kind.map_or(64, |kind| 8 * kind.octets() as i64);
    if pair.0 < 0 || pair.0 > pair.1 || pair.1 >= width || pair.1 >= 64 {
        let what = format!("bits count from 0, the low one, to {}", width.min(64) - 1);
        found.note(Diagnostic::new(&node.at, what).hint("one bit, or [lowest, highest]"));
        return None;
    }
    Some(Some(BitField { from: pair.0 as u8, to: pair.1 as u8 }))
}

/// A metric of a Modbus device: adds its point to the plan.
pub(super) fn from_register(
    draft: &mut Draft,
    node: &Node,
    fields: &mut Fields<'_>,
    found: &mut Findings,
) -> Option<Wanted> {
    let register = modbus::register(node, node.text(found)?, found);
    let kind_node = fields.maybe("type");
    let kind = kind_node.map_or(Some(Type::Unsigned(2)), |node| kind(node, found));
    let orders = modbus::read_orders(fields, draft.orders, found);
    let bits = bits(fields, kind, found);
    let ((table, address), kind, orders, bits) = (register?, kind?, orders?, bits?);
    if table.is_bits()
        && let Some(node) = kind_node
    {
        let what = "a coil or discrete input is one bit";
        found.note(Diagnostic::new(&node.at, what).hint("leave `type` out"));
        return None;
    }
    let field = Field { kind, bytes: orders.bytes, words: orders.words, bits };
    let point = Register { table, address, field };
    if u32::from(address) + u32::from(point.width()) > 0x1_0000 {
        found.note(Diagnostic::new(&node.at, "its last register lies behind 65535"));
        return None;
    }
    if point.width() > roundsman_rtu::MOST_WORDS_READ {
        found.note(Diagnostic::new(&node.at, "no request reads so many registers at once"));
        return None;
    }
    let Plan::Modbus(plan) = &mut draft.plan else { return None };
    plan.points.push(point);
    Some(Wanted::Point(plan.points.len() - 1, kind.octets() as u8))
}

/// A metric out of an answer: adds its point to the plan.
pub(super) fn from_answer(draft: &mut Draft, node: &Node, found: &mut Findings) -> Option<Wanted> {
    let mut fields = Fields::of(node, "`from`", found)?;
    if let Some(node) = fields.maybe("unit") {
        let word = node.text(found)?;
        if word != "answers" {
            note_choice(node, "what is known of a unit", word, &["answers"], found);
            return None;
        }
        fields.finish(found);
        return Some(Wanted::Answered);
    }
    let request_node = fields.must("request", found);
    let request = request_node.and_then(|node| {
        let name = name(node, found)?;
        let request = draft.request(name);
        if request.is_none() {
            note_unknown(node, "request", name, &draft.requests, found);
        }
        request
    });
    let wanted = match &mut draft.plan {
        Plan::Modbus(_) => {
            let what = "a metric of a Modbus device names a register";
            found.note(Diagnostic::new(&node.at, what).hint("reg = \"input:1\""));
            return None;
        }
        Plan::Frame(plan) => {
            let point = frame_point(&mut fields, request, found);
            fields.finish(found);
            let point = point?;
            check_reach(plan, &point, node, found)?;
            let octets = point.field.kind.octets() as u8;
            plan.points.push(point);
            Wanted::Point(plan.points.len() - 1, octets)
        }
        Plan::Text(plan) => {
            let capture_node = fields.must("capture", found);
            let capture = capture_node.and_then(|node| name(node, found));
            fields.finish(found);
            let (request, capture) = (request?, capture?);
            check_caught(plan, request, capture_node?, capture, found)?;
            plan.points.push(wire_text::Point { request, capture: Arc::from(capture) });
            Wanted::Point(plan.points.len() - 1, 8)
        }
    };
    Some(wanted)
}

pub(super) fn frame_point(
    fields: &mut Fields<'_>,
    request: Option<usize>,
    found: &mut Findings,
) -> Option<wire_frame::Point> {
    let from = fields.must("at", found).and_then(|node| position(node, found));
    let to = fields.maybe("to").map_or(Some(None), |node| position(node, found).map(Some));
    let kind = fields.must("type", found).and_then(|node| kind(node, found));
    let order = fields.maybe("order").map_or(Some(Order::Big), |node| frame::order(node, found));
    // With `to` the field may be wider than its type's usual width.
    let wide = if to == Some(None) { kind } else { None };
    let bits = bits(fields, wide, found);
    let (order, kind) = (order?, kind?);
    let field = Field { kind, bytes: order, words: order, bits: bits? };
    Some(wire_frame::Point { request: request?, from: from?, to: to?, field })
}

/// Where an answer's pattern has a known length, the value must lie inside.
fn check_reach(
    plan: &wire_frame::Plan,
    point: &wire_frame::Point,
    node: &Node,
    found: &mut Findings,
) -> Option<()> {
    use wire_frame::Piece;
    let request = plan.requests.get(point.request)?;
    let width = |piece: &Piece| match piece {
        Piece::Check => plan.layout.check.map_or(0, |check| check.width()),
        Piece::Rest => 0,
        _ => 1,
    };
    let known = |ack: &&wire_frame::Pattern| !ack.0.contains(&Piece::Rest);
    let lens: Vec<usize> =
        request.ack.iter().filter(known).map(|ack| ack.0.iter().map(width).sum()).collect();
    let outside = lens.iter().find(|len| point.read(&vec![b'1'; **len]).is_none());
    if let (Some(len), true) = (outside, lens.len() == request.ack.len()) {
        let what = format!("this lies outside of the answer, which has {len} octets");
        found
            .note(Diagnostic::new(&node.at, what).hint("positions count from 0, negative ones from the end"));
        return None;
    }
    Some(())
}

fn check_caught(
    plan: &wire_text::Plan,
    request: usize,
    node: &Node,
    capture: &str,
    found: &mut Findings,
) -> Option<()> {
    let acks = &plan.requests.get(request)?.ack;
    let items = acks.iter().flat_map(|ack| &ack.0);
    let caught: Vec<Arc<str>> = items
        .filter_map(|item| match item {
            Item::Capture(name, _) => Some(name.clone()),
            _ => None,
        })
        .collect();
    if caught.iter().any(|known| **known == *capture) {
        return Some(());
    }
    note_unknown(node, "capture in the answer called", capture, &caught, found);
    None
}
