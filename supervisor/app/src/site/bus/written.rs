//! `[[bus]]` as it is written.

use crate::site::values;
use roundsman_driver::bus::{Format, Rs485};
use roundsman_profile::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use roundsman_profile::document::{Fields, Node, Value};
use roundsman_profile::schema::duration_ms;
use roundsman_wire::bus::Echo;
use roundsman_wire::modbus::mbap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

/// Most buses of one site.
const MOST_BUSES: usize = 256;

/// Longest pause that a bus may be told to keep, ms.
const LONGEST_PAUSE_MS: u64 = 60_000;

/// Speeds that ports have.
const BAUD: std::ops::RangeInclusive<i64> = 50..=4_000_000;

/// `echo`, with its words.
const ECHO: [(&str, Echo); 3] = [("learn", Echo::Learn), ("always", Echo::Always), ("never", Echo::Never)];

/// A `[[bus]]` as written.
pub(in crate::site) struct Written<'a> {
    pub(super) id: &'a str,
    pub(super) node: &'a Node,
    pub(super) port: Place,
    pub(super) baud: Option<Speed>,
    pub(super) format: Option<Format>,
    pub(super) gap_ms: Option<u32>,
    pub(super) late_ms: Option<u32>,
    pub(super) echo: Option<Echo>,
    pub(super) rs485: Option<Rs485>,
}

/// `baud`.
#[derive(Clone, Copy)]
pub(super) enum Speed {
    Baud(u32),
    /// No line is behind the port.
    None,
}

/// `port`.
pub(super) enum Place {
    Path(PathBuf),
    Tcp(SocketAddr),
    Rfc2217(SocketAddr),
    ModbusTcp(SocketAddr),
}

/// Reads the `[[bus]]` sections.
pub(in crate::site) fn read<'a>(nodes: &'a [Node], found: &mut Findings) -> Vec<Written<'a>> {
    if let Some(node) = nodes.get(MOST_BUSES) {
        found.note(Diagnostic::new(&node.at, format!("one box has at most {MOST_BUSES} buses")));
    }
    let mut buses: Vec<Written<'a>> = Vec::new();
    for node in nodes.iter().take(MOST_BUSES) {
        let Some(bus) = read_bus(node, found) else { continue };
        if let Some(first) = buses.iter().find(|known| known.id == bus.id) {
            let (line, _) = first.node.at.position();
            let what = format!("two buses have the id {}", quoted(bus.id));
            let hint = format!("the first one stands in line {line}; give one of them another id");
            found.note(Diagnostic::new(&bus.node.at, what).label("the second one").hint(hint));
            continue;
        }
        buses.push(bus);
    }
    buses
}

fn read_bus<'a>(node: &'a Node, found: &mut Findings) -> Option<Written<'a>> {
    let mut fields = Fields::of(node, "a bus", found)?;
    let id_node = values::must(&mut fields, "a bus", "id", "id = \"wall-10f\"", found);
    let id = id_node.and_then(|n| values::id(n, found));
    let example =
        "port = \"/dev/serial/by-id/usb-…\", \"tcp://192.0.2.9:4001\" or \"modbus-tcp://192.0.2.9\"";
    let port = values::must(&mut fields, "a bus", "port", example, found).and_then(|n| place(n, found));
    let baud = fields.maybe("baud").map(|n| baud(n, found));
    let format = fields.maybe("format").map(|n| format(n, found));
    let gap_ms = fields.maybe("gap").map(|n| pause_ms(n, found));
    let late_ms = fields.maybe("late").map(|n| pause_ms(n, found));
    let echo = fields.maybe("echo").map(|n| one_of(n, ECHO, "whether it echoes", found));
    let rs485 =
        fields.maybe("rs485").map(|n| one_of(n, Rs485::ALL, "how the transceiver is switched", found));
    fields.finish(found);
    let (port, id_node) = (port?, id_node?);
    if matches!(port, Place::Tcp(_) | Place::ModbusTcp(_))
        && let Some(node) = node.get("baud").or(node.get("format"))
    {
        let what = "the speed of a line behind a server is set at the server";
        found.note(
            Diagnostic::new(&node.at, what)
                .hint("leave `baud` and `format` out here, or say \"rfc2217://…\" if the server knows it"),
        );
        return None;
    }
    if let (Some(node), false) = (node.get("rs485"), matches!(port, Place::Path(_))) {
        let what = "the transceiver of a line behind a server is the server's affair";
        found.note(
            Diagnostic::new(&node.at, what).hint("leave `rs485` out; it is for a serial port of this box"),
        );
        return None;
    }
    Some(Written {
        id: id?,
        node: id_node,
        port,
        baud: baud.map_or(Some(None), |read| read.map(Some))?,
        format: format.map_or(Some(None), |read| read.map(Some))?,
        gap_ms: gap_ms.map_or(Some(None), |read| read.map(Some))?,
        late_ms: late_ms.map_or(Some(None), |read| read.map(Some))?,
        echo: echo.map_or(Some(None), |read| read.map(Some))?,
        rs485: rs485.map_or(Some(None), |read| read.map(Some))?,
    })
}

fn place(node: &Node, found: &mut Findings) -> Option<Place> {
    let text = node.text(found)?;
    let hint = "a device node such as \"/dev/serial/by-id/usb-…\"; \"tcp://192.0.2.9:4001\", a serial server that \
                passes octets on, or \"rfc2217://…\", one that is told the speed; \"modbus-tcp://192.0.2.9\", a Modbus TCP \
                gateway";
    let place = match text.split_once("://") {
        None if text.starts_with('/') => Some(Place::Path(PathBuf::from(text))),
        Some(("tcp", address)) => address.parse().ok().map(Place::Tcp),
        Some(("rfc2217", address)) => address.parse().ok().map(Place::Rfc2217),
        Some(("modbus-tcp", address)) => with_port(address, mbap::PORT).map(Place::ModbusTcp),
        _ => None,
    };
    if place.is_none() {
        found.note(Diagnostic::new(&node.at, format!("{} is no port", quoted(text))).hint(hint));
    }
    place
}

/// An address whose port may be left out.
pub(super) fn with_port(text: &str, port: u16) -> Option<SocketAddr> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, port)))
}

fn baud(node: &Node, found: &mut Findings) -> Option<Speed> {
    if let Value::Text(word) = &node.value
        && word == "none"
    {
        return Some(Speed::None);
    }
    let number = node.integer(found)?;
    let baud = BAUD.contains(&number).then_some(Speed::Baud(number as u32));
    if baud.is_none() {
        let what = format!("a line has {} to {} baud", BAUD.start(), BAUD.end());
        found
            .note(Diagnostic::new(&node.at, what).hint(
                "as it is set at the devices, such as 9600; \"none\" where no line is behind the port",
            ));
    }
    baud
}

fn format(node: &Node, found: &mut Findings) -> Option<Format> {
    let text = node.text(found)?;
    let format = Format::from_word(text);
    if format.is_none() {
        let what = format!("{} is no character format", quoted(text));
        let hint = "data bits 7 or 8, parity N, E or O, stop bits 1 or 2, such as \"8N1\"";
        found.note(Diagnostic::new(&node.at, what).hint(hint));
    }
    format
}

fn pause_ms(node: &Node, found: &mut Findings) -> Option<u32> {
    let ms = duration_ms(node, found)?;
    if ms > LONGEST_PAUSE_MS {
        let what = "a line waits for a minute at most";
        found.note(Diagnostic::new(&node.at, what).hint("such as gap = \"40ms\", late = \"2s\""));
        return None;
    }
    Some(ms as u32)
}

/// One of some words.
fn one_of<T: Copy, const N: usize>(
    node: &Node,
    known: [(&'static str, T); N],
    what: &str,
    found: &mut Findings,
) -> Option<T> {
    let word = node.text(found)?;
    let one = known.iter().find(|(known, _)| *known == word).map(|(_, one)| *one);
    if one.is_none() {
        let mut diagnostic = Diagnostic::new(&node.at, format!("{} says not {what}", quoted(word)));
        diagnostic.hint = did_you_mean(word, known.map(|(word, _)| word));
        found.note(diagnostic);
    }
    one
}
