//! IF-MIB (RFC 2863): the ports, with traffic that follows the day.

use super::{FIRST_PORT_PLACE, Outline, integer, label, number, octets, row, text};
use crate::ber;
use crate::model::Model;
use crate::scene::share;
use crate::site::Port;
use crate::tree::{Object, Tree};

const INTERFACES: &[u32] = &[1, 3, 6, 1, 2, 1, 2];
const IF_TABLE: &[u32] = &[1, 3, 6, 1, 2, 1, 2, 2, 1];
const IF_X_TABLE: &[u32] = &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1];
const IF_TABLE_LAST_CHANGE: &[u32] = &[1, 3, 6, 1, 2, 1, 31, 1, 5];

/// Traffic at the busiest moment, in bytes a second, of the first of the ports without a use of their own; the second
/// has half of it, and so on.
const BUSIEST_PORT: f64 = 6_000_000.0;

/// Traffic at the busiest moment of a line, as a share of its speed: from this to this. Unrest adds a quarter; 70 %
/// is what an operator begins to talk about.
const LINE_SHARE: (f64, f64) = (0.14, 0.48);

/// What the card of a UPS or a printer sends and gets, in bytes a second.
const CARD: f64 = 2_000.0;

/// Mean length of a packet in bytes.
const PACKET: f64 = 620.0;

/// Share of a switch's ports that nobody plugged anything into.
const DARK: f64 = 0.3;

/// Places of [`share`] that choose traffic and dark ports.
const TRAFFIC_PLACE: u64 = 1 << 20;
const DARK_PLACE: u64 = 1 << 21;

pub(super) fn add(tree: &mut Tree, outline: &Outline<'_>) {
    tree.add(&super::below(INTERFACES, &[1]), &[0], integer(outline.ports.len() as i32));
    // No port was ever added or removed.
    tree.add(IF_TABLE_LAST_CHANGE, &[0], number(ber::TICKS, 0));
    for (at, port) in outline.ports.iter().enumerate() {
        add_port(tree, outline, at, port);
    }
}

/// Bytes a second at the busiest moment; 0 for a port that is dark.
fn traffic(outline: &Outline<'_>, at: usize, port: &Port) -> f64 {
    let line = f64::from(port.mbit) * 1e6 / 8.0;
    let drawn = |place: u64| share(outline.seed, place + at as u64);
    match outline.model {
        Model::Ups | Model::Printer => CARD,
        _ if !port.alias.is_empty() => {
            line * (LINE_SHARE.0 + (LINE_SHARE.1 - LINE_SHARE.0) * drawn(TRAFFIC_PLACE))
        }
        Model::Comware if drawn(DARK_PLACE) < DARK => 0.0,
        _ => (BUSIEST_PORT / (at as f64 + 1.0)).min(line * LINE_SHARE.1),
    }
}

fn add_port(tree: &mut Tree, outline: &Outline<'_>, at: usize, port: &Port) {
    let index = at as u32 + 1;
    let rate = traffic(outline, at, port);
    let dark = rate == 0.0;
    let count = |object: u8, mean: f64, wide: bool| Object::Count {
        port: Some(at),
        object,
        mean: if dark { 0.0 } else { mean },
        wide,
    };
    let place = FIRST_PORT_PLACE + 2 * at;
    let hardware = [0x02, 0x00, 0x00, 0x00, (index >> 8) as u8, index as u8]; // locally administered
    let speed = u64::from(port.mbit) * 1_000_000;
    let columns = [
        (1, integer(index as i32)),
        (2, text(&port.name)),
        (3, integer(6)), // ethernetCsmacd
        (4, integer(1500)),
        (5, number(ber::GAUGE32, speed.min(u32::MAX.into()))), // RFC 2863: faster ones say the most there is
        (6, octets(&hardware)),
        (7, integer(1)),
        (8, if dark { integer(2) } else { Object::Oper(at) }),
        (9, Object::Changed(at)),
        (10, count(10, rate, false)),
        (11, count(11, rate / PACKET, false)),
        (13, count(13, 0.002, false)),
        (14, count(14, 0.001, false)),
        (16, count(16, rate * 0.4, false)),
        (17, count(17, rate * 0.4 / PACKET, false)),
        (19, count(19, 0.002, false)),
        (20, count(20, 0.001, false)),
    ];
    row(tree, IF_TABLE, &[index], columns);
    let columns = [
        (1, label(&port.name, place)),
        (6, count(10, rate, true)),
        (7, count(11, rate / PACKET, true)),
        (10, count(16, rate * 0.4, true)),
        (11, count(17, rate * 0.4 / PACKET, true)),
        (15, number(ber::GAUGE32, port.mbit.into())),
        (17, integer(1)), // a connector is there
        (18, label(&port.alias, place + 1)),
        (19, number(ber::TICKS, 0)),
    ];
    row(tree, IF_X_TABLE, &[index], columns);
}
