//! Which objects a virtual device has: system, IF-MIB, IP-MIB, ENTITY-MIB with one temperature sensor.

use crate::ber;
use crate::tree::{Object, Tree};
use std::net::Ipv4Addr;

const SYSTEM: &[u32] = &[1, 3, 6, 1, 2, 1, 1];
const INTERFACES: &[u32] = &[1, 3, 6, 1, 2, 1, 2];
const IF_TABLE: &[u32] = &[1, 3, 6, 1, 2, 1, 2, 2, 1];
const IF_X_TABLE: &[u32] = &[1, 3, 6, 1, 2, 1, 31, 1, 1, 1];
const IF_TABLE_LAST_CHANGE: &[u32] = &[1, 3, 6, 1, 2, 1, 31, 1, 5];
const HR_SYSTEM_UPTIME: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 1, 1];
const IP: &[u32] = &[1, 3, 6, 1, 2, 1, 4];
const IP_ADDRESSES: &[u32] = &[1, 3, 6, 1, 2, 1, 4, 20, 1];
const ENTITIES: &[u32] = &[1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1];
const SENSORS: &[u32] = &[1, 3, 6, 1, 2, 1, 99, 1, 1, 1];

/// sysObjectID: below the number that RFC 5612 sets aside for examples, so that it is no maker's.
const OBJECT_ID: &[u32] = &[1, 3, 6, 1, 4, 1, 32473, 1, 1];

/// entPhysicalIndex of chassis and sensor.
const CHASSIS: u32 = 1;
const SENSOR: u32 = 2;

/// Speed of every port in Mbit/s.
const PORT_MBIT: u32 = 1000;

/// Mean traffic of a port in bytes a second: the busiest first, then falling.
const BUSIEST_PORT: f64 = 6_000_000.0;

/// Mean length of a packet in bytes.
const PACKET: f64 = 620.0;

/// What a tree is made of.
pub(crate) struct Outline<'a> {
    pub(crate) description: &'a str,
    pub(crate) location: &'a str,
    pub(crate) address: Ipv4Addr,
    /// Names and aliases of the ports in the order of their index.
    pub(crate) ports: &'a [(String, String)],
}

/// The tree of a device.
pub(crate) fn tree(outline: &Outline<'_>) -> Tree {
    let mut tree = Tree::default();
    system(&mut tree, outline);
    for (at, (name, alias)) in outline.ports.iter().enumerate() {
        port(&mut tree, at, name, alias);
    }
    ip(&mut tree, outline.address);
    entities(&mut tree);
    tree.sort();
    tree
}

fn system(tree: &mut Tree, outline: &Outline<'_>) {
    let mut id = Vec::new();
    ber::put_arcs(&mut id, OBJECT_ID);
    let scalars = [
        (1, text(outline.description)),
        (2, Object::Fixed(id.into())),
        (3, Object::Uptime),
        (4, text("信息中心 运维组")),
        (5, Object::Name),
        (6, text(outline.location)),
        (7, integer(78)), // layers 2, 3, 4 and 7
    ];
    for (last, object) in scalars {
        tree.add(&below(SYSTEM, last), &[0], object);
    }
    tree.add(&below(INTERFACES, 1), &[0], integer(outline.ports.len() as i32));
    // No port was ever added or removed.
    tree.add(IF_TABLE_LAST_CHANGE, &[0], number(ber::TICKS, 0));
    tree.add(HR_SYSTEM_UPTIME, &[0], Object::Uptime);
}

fn port(tree: &mut Tree, at: usize, name: &str, alias: &str) {
    let index = at as u32 + 1;
    let rate = BUSIEST_PORT / f64::from(index);
    let count = |object: u8, mean: f64, wide: bool| Object::Count { port: Some(at), object, mean, wide };
    let hardware = [0x02, 0x00, 0x00, 0x00, (index >> 8) as u8, index as u8]; // locally administered
    let columns = [
        (1, integer(index as i32)),
        (2, text(name)),
        (3, integer(6)), // ethernetCsmacd
        (4, integer(1500)),
        (5, number(ber::GAUGE32, u64::from(PORT_MBIT) * 1_000_000)),
        (6, octets(&hardware)),
        (7, integer(1)),
        (8, Object::Oper(at)),
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
    for (column, object) in columns {
        tree.add(&below(IF_TABLE, column), &[index], object);
    }
    let columns = [
        (1, text(name)),
        (6, count(10, rate, true)),
        (7, count(11, rate / PACKET, true)),
        (10, count(16, rate * 0.4, true)),
        (11, count(17, rate * 0.4 / PACKET, true)),
        (15, number(ber::GAUGE32, PORT_MBIT.into())),
        (17, integer(1)), // a connector is there
        (18, text(alias)),
        (19, number(ber::TICKS, 0)),
    ];
    for (column, object) in columns {
        tree.add(&below(IF_X_TABLE, column), &[index], object);
    }
}

fn ip(tree: &mut Tree, address: Ipv4Addr) {
    let count = |object: u8, mean: f64| Object::Count { port: None, object, mean, wide: false };
    let scalars = [
        (1, integer(1)), // forwarding
        (2, integer(64)),
        (3, count(3, 900.0)),
        (4, count(4, 0.002)),
        (5, count(5, 0.002)),
        (8, count(8, 0.002)),
        (10, count(110, 850.0)),
        (11, count(111, 0.002)),
        (12, count(112, 0.005)),
    ];
    for (last, object) in scalars {
        tree.add(&below(IP, last), &[0], object);
    }
    let index = address.octets().map(u32::from);
    let fixed = |octets: [u8; 4]| {
        let mut out = Vec::new();
        ber::put(&mut out, ber::ADDRESS, &octets);
        Object::Fixed(out.into())
    };
    tree.add(&below(IP_ADDRESSES, 1), &index, fixed(address.octets()));
    tree.add(&below(IP_ADDRESSES, 2), &index, integer(1));
    tree.add(&below(IP_ADDRESSES, 3), &index, fixed([255, 255, 255, 0]));
}

fn entities(tree: &mut Tree) {
    for (index, class, name) in [(CHASSIS, 3, "Chassis"), (SENSOR, 8, "Chassis temperature")] {
        tree.add(&below(ENTITIES, 2), &[index], text(name));
        tree.add(&below(ENTITIES, 5), &[index], integer(class));
        tree.add(&below(ENTITIES, 7), &[index], text(name));
    }
    let sensor = [
        (1, integer(8)), // celsius
        (2, integer(9)), // units
        (3, integer(1)), // one decimal
        (4, Object::Temperature),
        (5, integer(1)), // ok
    ];
    for (column, object) in sensor {
        tree.add(&below(SENSORS, column), &[SENSOR], object);
    }
}

fn below(arcs: &[u32], last: u32) -> Vec<u32> {
    [arcs, &[last]].concat()
}

fn text(text: &str) -> Object {
    octets(text.as_bytes())
}

fn octets(octets: &[u8]) -> Object {
    let mut out = Vec::new();
    ber::put(&mut out, ber::OCTETS, octets);
    Object::Fixed(out.into())
}

fn integer(value: i32) -> Object {
    let mut out = Vec::new();
    ber::put_i32(&mut out, value);
    Object::Fixed(out.into())
}

fn number(tag: u8, value: u64) -> Object {
    let mut out = Vec::new();
    ber::put_u64(&mut out, tag, value);
    Object::Fixed(out.into())
}
