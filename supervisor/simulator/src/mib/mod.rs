//! Which objects a virtual device has: system, IF-MIB, IP-MIB, ENTITY-MIB with one temperature sensor, and what its
//! model has beside.

mod comware;
mod entities;
mod interfaces;
mod linux;
mod printer;
mod ups;
mod vrp;

use crate::ber;
use crate::model::Model;
use crate::scene::Quantity;
use crate::site::Port;
use crate::tree::{Object, Tree};
use std::net::Ipv4Addr;

const SYSTEM: &[u32] = &[1, 3, 6, 1, 2, 1, 1];
const HR_SYSTEM_UPTIME: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 1, 1];
const IP: &[u32] = &[1, 3, 6, 1, 2, 1, 4];
const IP_ADDRESSES: &[u32] = &[1, 3, 6, 1, 2, 1, 4, 20, 1];

/// Places of a device's names, beside sysName's 0: sysLocation, then two for each port (ifName, ifAlias).
const LOCATION_PLACE: usize = 1;
const FIRST_PORT_PLACE: usize = 2;

/// What a tree is made of.
pub(crate) struct Outline<'a> {
    pub(crate) model: Model,
    pub(crate) description: &'a str,
    pub(crate) location: &'a str,
    pub(crate) address: Ipv4Addr,
    /// The ports in the order of their index.
    pub(crate) ports: &'a [Port],
    /// Chooses what differs between devices of one model and does not move.
    pub(crate) seed: u64,
}

/// The tree of a device.
pub(crate) fn tree(outline: &Outline<'_>) -> Tree {
    let mut tree = Tree::default();
    system(&mut tree, outline);
    interfaces::add(&mut tree, outline);
    ip(&mut tree, outline.address);
    entities::add(&mut tree);
    match outline.model {
        Model::Generic => {}
        Model::Vrp => vrp::add(&mut tree, outline),
        Model::Comware => comware::add(&mut tree, outline),
        Model::Linux => linux::add(&mut tree),
        Model::Ups => ups::add(&mut tree),
        Model::Printer => printer::add(&mut tree, outline),
    }
    tree.sort();
    tree
}

fn system(tree: &mut Tree, outline: &Outline<'_>) {
    let mut id = Vec::new();
    ber::put_arcs(&mut id, outline.model.object_id());
    let services = match outline.model {
        Model::Generic | Model::Vrp => 78,                // layers 2, 3, 4 and 7
        Model::Comware => 6,                              // layers 2 and 3
        Model::Linux | Model::Ups | Model::Printer => 72, // layers 4 and 7
    };
    let scalars = [
        (1, text(outline.description)),
        (2, Object::Fixed(id.into())),
        (3, Object::Uptime),
        (4, text("信息中心 运维组")),
        (5, Object::Name),
        (6, label(outline.location, LOCATION_PLACE)),
        (7, integer(services)),
    ];
    for (last, object) in scalars {
        tree.add(&below(SYSTEM, &[last]), &[0], object);
    }
    tree.add(HR_SYSTEM_UPTIME, &[0], Object::Uptime);
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
        tree.add(&below(IP, &[last]), &[0], object);
    }
    let index = address.octets().map(u32::from);
    let fixed = |octets: [u8; 4]| {
        let mut out = Vec::new();
        ber::put(&mut out, ber::ADDRESS, &octets);
        Object::Fixed(out.into())
    };
    tree.add(&below(IP_ADDRESSES, &[1]), &index, fixed(address.octets()));
    tree.add(&below(IP_ADDRESSES, &[2]), &index, integer(1));
    tree.add(&below(IP_ADDRESSES, &[3]), &index, fixed([255, 255, 255, 0]));
}

fn below(arcs: &[u32], rest: &[u32]) -> Vec<u32> {
    [arcs, rest].concat()
}

/// Adds the columns of one row of a table.
fn row<const N: usize>(tree: &mut Tree, table: &[u32], index: &[u32], columns: [(u32, Object); N]) {
    for (column, object) in columns {
        tree.add(&below(table, &[column]), index, object);
    }
}

/// Adds scalars below one branch.
fn scalars<const N: usize>(tree: &mut Tree, branch: &[u32], objects: [(&[u32], Object); N]) {
    for (rest, object) in objects {
        tree.add(&below(branch, rest), &[0], object);
    }
}

fn text(text: &str) -> Object {
    octets(text.as_bytes())
}

fn label(text: &str, place: usize) -> Object {
    let mut out = Vec::new();
    ber::put(&mut out, ber::OCTETS, text.as_bytes());
    Object::Label { text: out.into(), place }
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

/// Something measured as INTEGER, in its own unit.
fn measured(quantity: Quantity) -> Object {
    scaled(quantity, 1.0)
}

/// Something measured as INTEGER, in units of 1/`scale`.
fn scaled(quantity: Quantity, scale: f64) -> Object {
    Object::Measured { quantity, scale, tag: ber::INTEGER }
}

/// Something measured as Gauge32, in its own unit.
fn gauge(quantity: Quantity) -> Object {
    Object::Measured { quantity, scale: 1.0, tag: ber::GAUGE32 }
}

#[cfg(test)]
mod tests;
