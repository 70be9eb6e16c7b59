//! `serial`, `modbus`, `frame`, `text`, `param`, `request`: how a device on a bus is spoken to.
//!
//! [`head`] reads them before the metrics, which name registers and requests; a [`Draft`] then collects the points
//! that the metrics ask for and becomes the profile's [`Bus`](crate::bus::Bus).

mod frame;
mod modbus;
mod pattern;
mod point;
mod text;

pub(super) use modbus::register;
pub(super) use pattern::fixed as fixed_octets;
pub(super) use point::Wanted;

use super::Signal;
use super::value::{duration_ms, kebab, note_choice};
use crate::bus::{Bus, Dialogue, Format, Param, Rendering, Serial};
use crate::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use crate::document::{Entry, Fields, Node};
use roundsman_wire::bus::exchange::Await;
use roundsman_wire::bus::plan::Plan;
use roundsman_wire::{frame as wire_frame, modbus as wire_modbus, text as wire_text};
use std::sync::Arc;

/// Most requests of a profile; one poll sends all of them, one after the other.
const MOST_REQUESTS: usize = 128;
/// Most parameters of a profile.
const MOST_PARAMS: usize = 16;
/// Speeds that serial ports have.
const BAUDS: std::ops::RangeInclusive<i64> = 300..=4_000_000;
/// Usual time for an answer, ms.
const TIMEOUT_MS: u32 = 1_000;

/// A profile's way to speak, while it is read.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(super) plan: Plan,
    serial: Serial,
    params: Vec<Param>,
    dialogue: Option<Dialogue>,
    /// Names of the requests, in the order of the plan's.
    pub(super) requests: Vec<Arc<str>>,
    /// Orders that `modbus` gives to all registers.
    pub(super) orders: modbus::Orders,
}

impl Draft {
    /// What the profile keeps.
    pub(super) fn finish(self) -> Bus {
        Bus { plan: Arc::new(self.plan), serial: self.serial, params: self.params, dialogue: self.dialogue }
    }

    /// Names that patterns may use in braces, beside those of a command.
    pub(super) fn names(&self) -> Vec<Arc<str>> {
        self.params.iter().map(|param| param.name.clone()).collect()
    }

    /// The point of a metric that names a register.
    pub(super) fn register(
        &mut self,
        node: &Node,
        fields: &mut Fields<'_>,
        found: &mut Findings,
    ) -> Option<Wanted> {
        if !matches!(self.plan, Plan::Modbus(_)) {
            let what = "only a Modbus device has registers";
            found.note(Diagnostic::new(&node.at, what).hint("from = { request = \"…\" }"));
            return None;
        }
        point::from_register(self, node, fields, found)
    }

    /// The point of a metric that stands in an answer.
    pub(super) fn answer(&mut self, node: &Node, found: &mut Findings) -> Option<Wanted> {
        point::from_answer(self, node, found)
    }

    /// The request called `name`.
    pub(super) fn request(&self, name: &str) -> Option<usize> {
        self.requests.iter().position(|known| **known == *name)
    }
}

/// What the head of a profile says of a bus.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// Whether it names a protocol; without a draft it was refused, and what needs it is not refused a second time.
    pub(super) is_given: bool,
    pub(super) draft: Option<Draft>,
}

/// Reads everything that says how the device is spoken to.
pub(super) fn head(fields: &mut Fields<'_>, found: &mut Findings) -> Head {
    let draft = read_head(fields, found);
    let is_given = ["modbus", "frame", "text"].into_iter().any(|key| fields.maybe(key).is_some());
    Head { is_given, draft }
}

fn read_head(fields: &mut Fields<'_>, found: &mut Findings) -> Option<Draft> {
    let modbus = fields.maybe("modbus");
    let frame = fields.maybe("frame");
    let text = fields.maybe("text");
    let serial = fields.maybe("serial");
    let params = fields.maybe("param");
    let requests = fields.maybe("request");
    let given: Vec<&Node> = [modbus, frame, text].into_iter().flatten().collect();
    if given.len() > 1 {
        let what = "a device speaks one protocol: `modbus`, `frame` or `text`";
        found.note(Diagnostic::new(&given[1].at, what).label("the second one"));
        return None;
    }
    let Some(_) = given.first() else {
        for (node, key) in [(serial, "serial"), (params, "param"), (requests, "request")] {
            if let Some(node) = node {
                let what = format!("`{key}` needs a protocol: `modbus`, `frame` or `text`");
                found.note(Diagnostic::new(&node.at, what));
            }
        }
        return None;
    };
    let serial = serial.map_or(Some(Serial::default()), |node| read_serial(node, found))?;
    let params = read_params(params, text.is_some(), found);
    let names: Vec<Arc<str>> = params.iter().map(|param| param.name.clone()).collect();
    let timeout_ms = serial.timeout_ms.unwrap_or(TIMEOUT_MS);
    let mut draft = Draft {
        plan: Plan::Modbus(wire_modbus::plan::Plan::new(Vec::new())),
        serial,
        params,
        dialogue: None,
        requests: Vec::new(),
        orders: modbus::Orders::default(),
    };
    if let Some(node) = modbus {
        if let Some(requests) = requests {
            let what = "a Modbus device has registers, no requests";
            found.note(Diagnostic::new(&requests.at, what).hint("metrics name them: reg = \"input:1\""));
        }
        let (plan, orders, gap_ms) = modbus::head(node, timeout_ms, found)?;
        draft.serial.gap_ms = gap_ms.or(draft.serial.gap_ms);
        draft.plan = Plan::Modbus(plan);
        draft.orders = orders;
        return Some(draft);
    }
    read_requests(draft, (frame, text), requests, &names, timeout_ms, found)
}

/// The requests of a device that speaks frames or text.
fn read_requests(
    mut draft: Draft,
    (frame, text): (Option<&Node>, Option<&Node>),
    requests: Option<&Node>,
    names: &[Arc<str>],
    timeout_ms: u32,
    found: &mut Findings,
) -> Option<Draft> {
    let entries = requests.and_then(|node| node.table(found)).unwrap_or(&[]);
    if entries.len() > MOST_REQUESTS
        && let Some(node) = requests
    {
        found.note(Diagnostic::new(&node.at, format!("more than {MOST_REQUESTS} requests")));
    }
    let entries = &entries[..entries.len().min(MOST_REQUESTS)];
    draft.requests = entries.iter().filter_map(|entry| named(entry, found)).collect();
    if let Some(node) = frame {
        let layout = Arc::new(frame::layout(node, found)?);
        let read = |entry: &Entry, found: &mut Findings| {
            frame::request(&entry.node, &layout, names, timeout_ms, true, found)
        };
        let requests: Vec<_> = entries.iter().filter_map(|entry| read(entry, found)).collect();
        let whole = requests.len() == entries.len();
        draft.plan = Plan::Frame(wire_frame::Plan { layout, requests, points: Vec::new() });
        return whole.then_some(draft);
    }
    let (layout, dialogue) = text::layout(text?, names, found)?;
    draft.dialogue = dialogue;
    let read =
        |entry: &Entry, found: &mut Findings| text::request(&entry.node, names, timeout_ms, true, found);
    let requests: Vec<_> = entries.iter().filter_map(|entry| read(entry, found)).collect();
    let whole = requests.len() == entries.len();
    draft.plan = Plan::Text(wire_text::Plan { layout, requests, points: Vec::new() });
    whole.then_some(draft)
}

fn named(entry: &Entry, found: &mut Findings) -> Option<Arc<str>> {
    if super::value::is_kebab(&entry.key) {
        return Some(Arc::from(entry.key.as_str()));
    }
    let what = format!("{} is no name of a request", quoted(&entry.key));
    found.note(Diagnostic::new(&entry.key_at, what).hint("kebab case: `request.panel-time`"));
    None
}

fn read_serial(node: &Node, found: &mut Findings) -> Option<Serial> {
    let mut fields = Fields::of(node, "`serial`", found)?;
    let mut serial = Serial::default();
    if let Some(node) = fields.maybe("baud") {
        let baud = node.integer(found)?;
        if !BAUDS.contains(&baud) {
            let what = format!("{baud} is no speed of a serial port");
            found.note(Diagnostic::new(&node.at, what).hint("such as 9600, 19200 or 115200"));
            return None;
        }
        serial.baud = Some(baud as u32);
    }
    if let Some(node) = fields.maybe("format") {
        let word = node.text(found)?;
        match Format::from_word(word) {
            Some(format) => serial.format = format,
            None => {
                let what = format!("{} is no character format", quoted(word));
                found.note(
                    Diagnostic::new(&node.at, what).hint("data bits, parity, stop bits: 8N1, 8E1, 7O1, 8N2"),
                );
                return None;
            }
        }
    }
    serial.gap_ms = short_ms(&mut fields, "gap", found);
    serial.timeout_ms = short_ms(&mut fields, "timeout", found);
    fields.finish(found);
    Some(serial)
}

/// A duration of at most an hour.
pub(super) fn short_ms(fields: &mut Fields<'_>, key: &'static str, found: &mut Findings) -> Option<u32> {
    const MOST_MS: u64 = 3_600_000;
    let node = fields.maybe(key)?;
    let ms = duration_ms(node, found)?;
    if ms > MOST_MS {
        found.note(Diagnostic::new(&node.at, "longer than an hour"));
        return None;
    }
    Some(ms as u32)
}

fn read_params(node: Option<&Node>, is_text: bool, found: &mut Findings) -> Vec<Param> {
    let Some(node) = node else {
        return if is_text { Vec::new() } else { vec![Param::address()] };
    };
    let entries = node.table(found).unwrap_or(&[]);
    if entries.len() > MOST_PARAMS {
        found.note(Diagnostic::new(&node.at, format!("more than {MOST_PARAMS} parameters")));
    }
    entries.iter().take(MOST_PARAMS).filter_map(|entry| read_param(entry, found)).collect()
}

fn read_param(entry: &Entry, found: &mut Findings) -> Option<Param> {
    if !super::value::is_kebab(&entry.key) || pattern::RESERVED.contains(&entry.key.as_str()) {
        let what = format!("{} is no name of a parameter", quoted(&entry.key));
        let hint = "kebab case, and none of check, length, user, password";
        found.note(Diagnostic::new(&entry.key_at, what).hint(hint));
        return None;
    }
    let mut fields = Fields::of(&entry.node, "a parameter", found)?;
    let rendering = fields.must("type", found).and_then(|node| {
        let word = node.text(found)?;
        let rendering = Rendering::from_word(word);
        if rendering.is_none() {
            note_choice(node, "a parameter's type", word, &Rendering::WORDS, found);
        }
        rendering
    });
    let whole = |key: &'static str, fields: &mut Fields<'_>, found: &mut Findings| {
        fields.maybe(key).and_then(|node| node.integer(found))
    };
    let adds = whole("adds", &mut fields, found).unwrap_or(0);
    let width = whole("width", &mut fields, found).unwrap_or(0).clamp(0, 16) as u8;
    let default = whole("default", &mut fields, found);
    let broadcast = fields.items("broadcast", found);
    let broadcast = broadcast.iter().filter_map(|node| node.integer(found)).collect();
    let at = fields.maybe("default").map(|node| node.at.clone());
    fields.finish(found);
    let param =
        Param { name: Arc::from(entry.key.as_str()), rendering: rendering?, adds, width, default, broadcast };
    if let (Some(default), Some(at)) = (default, at)
        && param.render(default).is_none()
    {
        found.note(Diagnostic::new(&at, format!("{default} does not fit this parameter's type")));
        return None;
    }
    Some(param)
}

/// `awaits`, and what goes without saying: with an answer described it is awaited, without one it may come.
fn read_awaits(fields: &mut Fields<'_>, has_ack: bool, found: &mut Findings) -> Option<Await> {
    let Some(node) = fields.maybe("awaits") else {
        return Some(if has_ack { Await::Answer } else { Await::Perhaps });
    };
    match node.text(found)? {
        "answer" => Some(Await::Answer),
        "perhaps" => Some(Await::Perhaps),
        "nothing" => Some(Await::Nothing),
        other => {
            note_choice(node, "`awaits`", other, &["answer", "perhaps", "nothing"], found);
            None
        }
    }
}

/// What a command of this profile says; `arguments` are the names it may use in braces.
pub(super) fn say(
    draft: &Draft,
    fields: &mut Fields<'_>,
    arguments: &[Arc<str>],
    found: &mut Findings,
) -> Option<crate::bus::Say> {
    let mut names = draft.names();
    names.extend_from_slice(arguments);
    let timeout_ms = draft.serial.timeout_ms.unwrap_or(TIMEOUT_MS);
    match &draft.plan {
        Plan::Modbus(_) => modbus::say(fields, draft, &names, timeout_ms, found),
        Plan::Frame(plan) => {
            let request = frame::keys(fields, &plan.layout, &names, timeout_ms, false, found)?;
            Some(crate::bus::Say::Frame(request))
        }
        Plan::Text(_) => text::keys(fields, &names, timeout_ms, false, found).map(crate::bus::Say::Text),
    }
}

/// A line of an event.
pub(super) fn said(draft: &Draft, node: &Node, found: &mut Findings) -> Option<Signal> {
    let Plan::Text(_) = &draft.plan else {
        let what = "only a device that speaks text says lines";
        found.note(Diagnostic::new(&node.at, what).hint("frame = \"E6 .. ..\""));
        return None;
    };
    let names = draft.names();
    pattern::pattern(node, |text| pattern::line(text, &names), found).map(Signal::Said)
}

/// A frame of an event.
pub(super) fn heard(draft: Option<&Draft>, node: &Node, found: &mut Findings) -> Option<Signal> {
    let Some(Plan::Frame(_)) = draft.map(|draft| &draft.plan) else {
        let what = "only a device that speaks frames sends frames";
        found.note(Diagnostic::new(&node.at, what).hint("the profile needs `frame`"));
        return None;
    };
    pattern::pattern(node, |text| pattern::octets(text, &[]), found).map(Signal::Frame)
}

/// The capture of a line that names an event's instance.
pub(super) fn caught(pattern: &wire_text::Pattern, node: &Node, found: &mut Findings) -> Option<Arc<str>> {
    let name = kebab(node, found)?;
    let captures = pattern.0.iter().filter_map(|item| match item {
        wire_text::pattern::Item::Capture(name, _) => Some(name.clone()),
        _ => None,
    });
    let captures: Vec<Arc<str>> = captures.collect();
    let known = captures.iter().find(|known| ***known == *name);
    if known.is_none() {
        note_unknown(node, "capture in the line called", name, &captures, found);
    }
    known.cloned()
}

/// The field of a frame that names an event's instance.
pub(super) fn field(node: &Node, found: &mut Findings) -> Option<wire_frame::Point> {
    let mut fields = Fields::of(node, "`instance`", found)?;
    let point = point::frame_point(&mut fields, Some(0), found);
    fields.finish(found);
    point
}

/// A name in kebab case that an unknown one may have meant.
fn note_unknown(node: &Node, what: &str, word: &str, known: &[Arc<str>], found: &mut Findings) {
    let mut diagnostic = Diagnostic::new(&node.at, format!("there is no {what} {}", quoted(word)));
    diagnostic.hint = did_you_mean(word, known.iter().map(|name| &**name));
    found.note(diagnostic);
}

/// A capture's or request's name.
fn name<'a>(node: &'a Node, found: &mut Findings) -> Option<&'a str> {
    kebab(node, found)
}
