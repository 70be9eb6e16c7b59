//! Fixtures of devices that are not walked: `exchange`, `registers`, `order`, `hear`, and what changes in a step.

use super::bus::{self, Draft};
use super::metric::Measured;
use super::onvif;
use super::recorded::{Change, ExpectedEvent, ExpectedOrder, Recorded, Recording, Spoken};
use super::value::{filled, note_choice};
use super::{Command, Event};
use crate::diagnostic::{At, Diagnostic, Findings, did_you_mean, quoted};
use crate::document::{Entry, Fields, Node, Value};
use crate::overlay::MOST_UNITS;
use roundsman_wire::bus::plan::Plan;
use roundsman_wire::frame::layout::Cut;
use roundsman_wire::modbus::plan::Table;
use std::sync::Arc;

/// Most exchanges, registers, orders or events of one fixture.
const MOST: usize = 4_096;

/// What the fixtures of a profile may speak of beside its metrics.
pub(super) struct Told<'a> {
    pub(super) rules: &'a [Arc<str>],
    pub(super) events: &'a [Event],
    pub(super) commands: &'a [Command],
}

/// The recorded device, and where it stands.
pub(super) fn read(fields: &mut Fields<'_>, draft: &Draft, found: &mut Findings) -> Option<(Recording, At)> {
    let mut recorded = Recorded::default();
    let key = if matches!(draft.plan, Plan::Modbus(_)) { "registers" } else { "exchange" };
    let node = fields.must(key, found);
    if let Some(node) = node {
        match key {
            "registers" => recorded.registers = registers(node, found)?,
            _ => {
                let items = node.list(found)?;
                let pairs = items.iter().take(MOST).map(|node| exchange(node, draft, found));
                recorded.exchanges = pairs.collect::<Option<_>>()?;
            }
        }
    }
    if matches!(draft.plan, Plan::Text(_)) {
        let banner = fields.maybe("banner").and_then(|node| node.text(found));
        recorded.banner = banner.unwrap_or("").as_bytes().to_vec();
        recorded.user = fields.maybe("user").and_then(|node| filled(node, found)).map(Arc::from);
        recorded.password = fields.maybe("password").and_then(|node| filled(node, found)).map(Arc::from);
    }
    recorded.unit = fields.maybe("unit").and_then(|node| node.integer(found));
    if let Some(node) = fields.maybe("grid") {
        recorded.grid = Some(read_grid(node, &mut recorded.unit, found)?);
    }
    Some((Recording::Bus(Box::new(recorded)), node?.at.clone()))
}

fn read_grid(node: &Node, unit: &mut Option<i64>, found: &mut Findings) -> Option<(u8, u8)> {
    let mut fields = Fields::of(node, "`grid`", found)?;
    let rows = fields.must("rows", found).and_then(|node| node.integer(found));
    let columns = fields.must("columns", found).and_then(|node| node.integer(found));
    *unit = fields.maybe("first_unit").map_or(Some(1), |node| node.integer(found));
    fields.finish(found);
    let (rows, columns) = (rows?, columns?);
    let fits = (1..=99).contains(&rows) && (1..=99).contains(&columns) && rows * columns <= MOST_UNITS as i64;
    if !fits {
        found.note(Diagnostic::new(&node.at, format!("a grid has 1 to {MOST_UNITS} units")));
        return None;
    }
    Some((rows as u8, columns as u8))
}

/// Octets as the protocol writes them: hexadecimal for frames and PDUs, text for lines. Empty is silence.
fn octets(node: &Node, draft: &Draft, found: &mut Findings) -> Option<Vec<u8>> {
    let text = node.text(found)?;
    match draft.plan {
        Plan::Text(_) => Some(text.as_bytes().to_vec()),
        _ if text.trim().is_empty() => Some(Vec::new()),
        _ => bus::fixed_octets(node, found),
    }
}

fn exchange(node: &Node, draft: &Draft, found: &mut Findings) -> Option<(Vec<u8>, Vec<u8>)> {
    let mut fields = Fields::of(node, "an exchange", found)?;
    let tx = fields.must("tx", found).and_then(|node| octets(node, draft, found));
    let rx = fields.must("rx", found).and_then(|node| answer(node, draft, found));
    fields.finish(found);
    Some((tx?, rx?))
}

/// Octets that come back: of a device that speaks frames they are a sound one.
fn answer(node: &Node, draft: &Draft, found: &mut Findings) -> Option<Vec<u8>> {
    let octets = octets(node, draft, found)?;
    let Plan::Frame(plan) = &draft.plan else { return Some(octets) };
    if octets.is_empty() || plan.layout.cut(&octets, true) == Cut::Frame(octets.len()) {
        return Some(octets);
    }
    let what = "this is no frame of this layout: start, length, end or checksum is wrong";
    let mut right = octets;
    let mut diagnostic = Diagnostic::new(&node.at, what);
    if plan.layout.check.is_some_and(|check| check.fill(&mut right))
        && plan.layout.cut(&right, true) == Cut::Frame(right.len())
    {
        let shown: Vec<String> = right.iter().map(|octet| format!("{octet:02X}")).collect();
        diagnostic.hint = Some(format!("with the right checksum: {}", shown.join(" ")));
    }
    found.note(diagnostic);
    None
}

/// Values of registers from an address on.
fn words(node: &Node, table: Table, found: &mut Findings) -> Option<Vec<u16>> {
    let items = match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut words = Vec::new();
    for node in items {
        let number = node.integer(found)?;
        let range = if table.is_bits() { 0..=1 } else { -32_768..=65_535 };
        if !range.contains(&number) {
            let what = if table.is_bits() { "a bit is 0 or 1" } else { "a register has 16 bits" };
            found.note(Diagnostic::new(&node.at, what));
            return None;
        }
        words.push(number as u16);
    }
    Some(words)
}

fn keyed(entry: &Entry, found: &mut Findings) -> Option<(Table, u16)> {
    let node = Node { at: entry.key_at.clone(), value: Value::Text(entry.key.clone()) };
    bus::register(&node, &entry.key, found)
}

fn registers(node: &Node, found: &mut Findings) -> Option<Vec<((Table, u16), u16)>> {
    let mut registers = Vec::new();
    for entry in node.table(found)? {
        let (table, address) = keyed(entry, found)?;
        let words = words(&entry.node, table, found)?;
        if usize::from(address) + words.len() > 0x1_0000 || registers.len() + words.len() > MOST {
            found.note(Diagnostic::new(
                &entry.node.at,
                "more registers than there are, or than a fixture holds",
            ));
            return None;
        }
        let numbered = words.into_iter().enumerate();
        registers.extend(numbered.map(|(at, word)| ((table, address + at as u16), word)));
    }
    Some(registers)
}

/// What changes at the beginning of a step: `set = { "input:1" = 310 }`, or `set = [{ tx, rx }]`; `remove`.
pub(super) fn changes(fields: &mut Fields<'_>, draft: &Draft, found: &mut Findings) -> Vec<(Change, At)> {
    let mut changes = Vec::new();
    let set = fields.maybe("set");
    let remove = fields.items("remove", found);
    match (&draft.plan, set) {
        (Plan::Modbus(_), Some(node)) => {
            for entry in node.table(found).unwrap_or(&[]) {
                let Some((table, address)) = keyed(entry, found) else { continue };
                if let Some(words) = words(&entry.node, table, found) {
                    changes.push((Change::Registers(table, address, words), entry.key_at.clone()));
                }
            }
        }
        (_, Some(node)) => {
            for node in node.list(found).unwrap_or(&[]) {
                if let Some((tx, rx)) = exchange(node, draft, found) {
                    changes.push((Change::Exchange(tx, rx), node.at.clone()));
                }
            }
        }
        (_, None) => {}
    }
    for node in remove {
        match &draft.plan {
            Plan::Modbus(_) => {
                let register = node.text(found).and_then(|text| bus::register(node, text, found));
                if let Some((table, address)) = register {
                    changes.push((Change::Remove(table, address), node.at.clone()));
                }
            }
            _ => {
                if let Some(tx) = octets(node, draft, found) {
                    changes.push((Change::Exchange(tx, Vec::new()), node.at.clone()));
                }
            }
        }
    }
    changes
}

const VERDICTS: [&str; 4] = ["acknowledged", "unproven", "refused", "failed"];

/// `order`: commands with the octets they must be, both ways.
pub(super) fn orders(
    fields: &mut Fields<'_>,
    measured: &Measured,
    told: &Told<'_>,
    found: &mut Findings,
) -> Vec<ExpectedOrder> {
    let Some(draft) = &measured.bus else { return Vec::new() };
    let nodes = fields.items("order", found);
    nodes.iter().take(MOST).filter_map(|node| order(node, draft, told, found)).collect()
}

fn order(node: &Node, draft: &Draft, told: &Told<'_>, found: &mut Findings) -> Option<ExpectedOrder> {
    let mut fields = Fields::of(node, "an order", found)?;
    let command_node = fields.must("command", found);
    let arguments = fields.maybe("arg").and_then(|node| node.table(found)).unwrap_or(&[]);
    let word = |entry: &Entry, found: &mut Findings| {
        let word = match &entry.node.value {
            Value::Integer(number) => number.to_string(),
            _ => entry.node.text(found)?.to_owned(),
        };
        Some((Arc::from(entry.key.as_str()), Arc::from(word)))
    };
    let arguments = arguments.iter().filter_map(|entry| word(entry, found)).collect();
    let tx = fields.must("tx", found).and_then(|node| octets(node, draft, found));
    let rx = fields.must("rx", found).and_then(|node| answer(node, draft, found));
    let verdict_node = fields.must("is", found);
    let verdict = verdict_node.and_then(|node| {
        let word = node.text(found)?;
        let known = VERDICTS.contains(&word);
        if !known {
            note_choice(node, "what became of an order", word, &VERDICTS, found);
        }
        known.then(|| Arc::from(word))
    });
    fields.finish(found);
    let command_node = command_node?;
    let command = command_node.text(found)?;
    if !told.commands.iter().any(|known| &*known.id == command) {
        let what = format!("no command is called {}", quoted(command));
        let mut diagnostic = Diagnostic::new(&command_node.at, what);
        diagnostic.hint = did_you_mean(command, told.commands.iter().map(|command| &*command.id));
        found.note(diagnostic);
        return None;
    }
    let command = Arc::from(command);
    let at = node.at.clone();
    Some(ExpectedOrder { at, command, arguments, tx: tx?, rx: rx?, verdict: verdict? })
}

/// `hear`: what the device says of its own accord, and which event that is.
pub(super) fn hears(
    fields: &mut Fields<'_>,
    measured: &Measured,
    told: &Told<'_>,
    found: &mut Findings,
) -> Vec<ExpectedEvent> {
    if measured.bus.is_none() && measured.questions.is_empty() {
        return Vec::new();
    }
    let nodes = fields.items("hear", found);
    nodes.iter().take(MOST).filter_map(|node| hear(node, measured.bus.as_ref(), told, found)).collect()
}

fn hear(node: &Node, draft: Option<&Draft>, told: &Told<'_>, found: &mut Findings) -> Option<ExpectedEvent> {
    let mut fields = Fields::of(node, "what is heard", found)?;
    let spoken = match draft {
        Some(draft) => {
            fields.must("rx", found).and_then(|node| octets(node, draft, found)).map(Spoken::Octets)
        }
        None => onvif::message(&mut fields, found).map(Spoken::Message),
    };
    let raises = fields.maybe("event");
    let clears = fields.maybe("clears");
    let instance = fields.maybe("instance").and_then(|node| node.text(found)).unwrap_or("");
    fields.finish(found);
    let named = raises.or(clears);
    let event = match named {
        None => None,
        Some(node) => {
            let id = node.text(found)?;
            if !told.events.iter().any(|event| &*event.id == id) {
                let mut diagnostic = Diagnostic::new(&node.at, format!("no event is called {}", quoted(id)));
                diagnostic.hint = did_you_mean(id, told.events.iter().map(|event| &*event.id));
                found.note(diagnostic);
                return None;
            }
            Some(Arc::from(id))
        }
    };
    let at = node.at.clone();
    Some(ExpectedEvent {
        at,
        spoken: spoken?,
        event,
        instance: Arc::from(instance),
        clears: clears.is_some(),
    })
}
