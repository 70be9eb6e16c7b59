//! `modbus`, registers and what is written to them.

use super::{Draft, frame, pattern, short_ms};
use crate::bus::{Say, Write, Written};
use crate::diagnostic::{Diagnostic, Findings, quoted};
use crate::document::{Fields, Node, Value};
use crate::schema::value::{note_choice, note_fault};
use roundsman_rtu::MOST_WORDS_READ;
use roundsman_wire::field::Order;
use roundsman_wire::frame as wire_frame;
use roundsman_wire::modbus::plan::{Plan, Table};
use std::sync::Arc;

/// Orders of octets in a register and of registers in a value.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::schema) struct Orders {
    pub(super) bytes: Order,
    pub(super) words: Order,
}

/// What `modbus` says of all registers; the gap that the device needs on its line.
pub(super) fn head(
    node: &Node,
    timeout_ms: u32,
    found: &mut Findings,
) -> Option<(Plan, Orders, Option<u32>)> {
    let mut fields = Fields::of(node, "`modbus`", found)?;
    let orders = read_orders(&mut fields, Orders::default(), found);
    let gap_ms = short_ms(&mut fields, "gap", found);
    let timeout_ms = short_ms(&mut fields, "timeout", found).unwrap_or(timeout_ms);
    let most = i64::from(MOST_WORDS_READ);
    let max_registers = bounded(&mut fields, "max_registers", 1, most, most, found);
    let max_gap = bounded(&mut fields, "max_gap", 0, most, 8, found);
    let heartbeat =
        fields.maybe("heartbeat").map_or(Some(None), |node| read_heartbeat(node, found).map(Some));
    fields.finish(found);
    let (max_registers, max_gap, heartbeat) = (max_registers?, max_gap?, heartbeat?);
    let plan = Plan { points: Vec::new(), max_registers, max_gap, timeout_ms, heartbeat };
    Some((plan, orders?, gap_ms))
}

/// `heartbeat = "holding:0"`.
fn read_heartbeat(node: &Node, found: &mut Findings) -> Option<u16> {
    let (table, address) = register(node, node.text(found)?, found)?;
    if table != Table::Holding {
        let what = "a heartbeat is written into a holding register";
        found.note(Diagnostic::new(&node.at, what).hint("heartbeat = \"holding:0\""));
        return None;
    }
    Some(address)
}

fn bounded(
    fields: &mut Fields<'_>,
    key: &'static str,
    least: i64,
    most: i64,
    usual: i64,
    found: &mut Findings,
) -> Option<u16> {
    let Some(node) = fields.maybe(key) else { return Some(usual as u16) };
    let number = node.integer(found)?;
    if !(least..=most).contains(&number) {
        found.note(Diagnostic::new(&node.at, format!("`{key}` is from {least} to {most}")));
        return None;
    }
    Some(number as u16)
}

/// `byte_order` and `word_order`, which are apart.
pub(super) fn read_orders(fields: &mut Fields<'_>, usual: Orders, found: &mut Findings) -> Option<Orders> {
    let bytes = fields.maybe("byte_order").map_or(Some(usual.bytes), |node| frame::order(node, found));
    let words = fields.maybe("word_order").map_or(Some(usual.words), |node| frame::order(node, found));
    Some(Orders { bytes: bytes?, words: words? })
}

const TABLES: [(&str, Table); 4] = [
    ("coil", Table::Coil),
    ("discrete", Table::Discrete),
    ("holding", Table::Holding),
    ("input", Table::Input),
];

/// `"input:1"`: a table and a zero-based address.
pub(in crate::schema) fn register(node: &Node, text: &str, found: &mut Findings) -> Option<(Table, u16)> {
    let Some((word, address)) = text.split_once(':') else {
        found.note(
            Diagnostic::new(&node.at, format!("{} is no register", quoted(text)))
                .hint("a table and a zero-based address, such as \"input:1\" or \"coil:0\""),
        );
        return None;
    };
    let Some((_, table)) = TABLES.iter().find(|(known, _)| *known == word) else {
        note_choice(node, "a table", word, &TABLES.map(|(word, _)| word), found);
        return None;
    };
    match address.parse::<u32>() {
        Ok(address) if address <= 0xffff => Some((*table, address as u16)),
        parsed => {
            let what = format!("{} is no address", quoted(address));
            let hint = match parsed {
                Ok(_) => "addresses go from 0 to 65535; a manual's 40001 is holding:0, its 30002 is input:1",
                Err(_) => "a number from 0 to 65535, counted from 0",
            };
            found.note(Diagnostic::new(&node.at, what).hint(hint));
            None
        }
    }
}

/// What a command does: `write`, or `send` with a PDU of the maker's own.
pub(super) fn say(
    fields: &mut Fields<'_>,
    draft: &Draft,
    names: &[Arc<str>],
    timeout_ms: u32,
    found: &mut Findings,
) -> Option<Say> {
    let at = fields.at().clone();
    let write = fields.maybe("write");
    let send = fields.maybe("send");
    let ack = fields.maybe("ack");
    let timeout_ms = short_ms(fields, "timeout", found).unwrap_or(timeout_ms);
    let rest_ms = short_ms(fields, "pacing", found).unwrap_or(0);
    let written = match (write, send) {
        (Some(node), None) => read_write(node, draft, names, found)?,
        (None, Some(node)) => read_pdu(node, ack, found)?,
        _ => {
            found.note(
                Diagnostic::new(&at, "a command of a Modbus device has either `write` or `send`")
                    .hint("write = { reg = \"coil:0\", value = \"{state}\" }"),
            );
            return None;
        }
    };
    Some(Say::Modbus(Write { written, timeout_ms, rest_ms }))
}

/// A PDU of the maker's own: always the same octets, and how long the answer is.
fn read_pdu(node: &Node, ack: Option<&Node>, found: &mut Findings) -> Option<Written> {
    let pdu = pattern::fixed(node, found)?;
    if matches!(pdu.first(), Some(0 | 0x80..)) || pdu.len() > roundsman_rtu::MOST_PDU {
        let what = "this is no function of Modbus";
        found.note(
            Diagnostic::new(&node.at, what).hint("the function and its data, without unit and CRC: \"42\""),
        );
        return None;
    }
    let answer = match ack {
        Some(node) => {
            let text = node.text(found)?;
            match pattern::octets(text, &[]) {
                Ok(pattern) => pattern.0.len(),
                Err(fault) => {
                    note_fault(node, fault, "this pattern cannot be read", found);
                    return None;
                }
            }
        }
        None => {
            found.note(
                Diagnostic::new(&node.at, "a function of the maker's own has an answer of a known length")
                    .label("`ack` is missing")
                    .hint("ack = \"42\""),
            );
            return None;
        }
    };
    Some(Written::Pdu { pdu, answer_len: answer })
}

fn read_write(node: &Node, draft: &Draft, names: &[Arc<str>], found: &mut Findings) -> Option<Written> {
    let mut fields = Fields::of(node, "`write`", found)?;
    let reg = fields.must("reg", found);
    let register = reg.and_then(|node| register(node, node.text(found)?, found));
    let value = fields.must("value", found);
    let kind = fields.maybe("type").map_or(Some(None), |node| super::point::kind(node, found).map(Some));
    let kind_at = fields.maybe("type").map(|node| node.at.clone());
    let orders = read_orders(&mut fields, draft.orders, found);
    let multiple = fields.maybe("multiple").map_or(Some(false), |node| node.boolean(found));
    fields.finish(found);
    let ((table, address), reg) = (register?, reg?);
    if !matches!(table, Table::Coil | Table::Holding) {
        let what = "this table is read only";
        found.note(Diagnostic::new(&reg.at, what).hint("coil and holding are written"));
        return None;
    }
    let kind = kind?.unwrap_or(roundsman_wire::field::Type::Unsigned(2));
    use roundsman_wire::field::Type;
    if !matches!(kind, Type::Unsigned(2 | 4) | Type::Signed(2 | 4) | Type::Float(4)) {
        let at = kind_at.as_ref().unwrap_or(&reg.at);
        found.note(Diagnostic::new(at, "this type cannot be written").hint("u16, i16, u32, i32 or f32"));
        return None;
    }
    let value = read_value(value?, names, found)?;
    Some(Written::Register {
        table,
        address,
        value,
        kind,
        orders: (orders?.bytes, orders?.words),
        multiple: multiple?,
    })
}

/// A number, or an argument in braces.
fn read_value(node: &Node, names: &[Arc<str>], found: &mut Findings) -> Option<wire_frame::Piece> {
    match &node.value {
        Value::Integer(number) if u8::try_from(*number).is_ok() => {
            Some(wire_frame::Piece::Octet(*number as u8))
        }
        Value::Text(text) => {
            let parsed = pattern::octets(text, names);
            match parsed.map(|pattern| pattern.0) {
                Ok(pieces) if matches!(pieces[..], [wire_frame::Piece::Param(_)]) => {
                    pieces.into_iter().next()
                }
                Ok(_) => {
                    found.note(Diagnostic::new(
                        &node.at,
                        "one argument in braces is expected, such as \"{state}\"",
                    ));
                    None
                }
                Err(fault) => {
                    note_fault(node, fault, "this value cannot be read", found);
                    None
                }
            }
        }
        _ => {
            found.note(Diagnostic::new(
                &node.at,
                "a number from 0 to 255, or an argument such as \"{state}\"",
            ));
            None
        }
    }
}
