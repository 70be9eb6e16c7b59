//! ENTITY-MIB (RFC 6933) and ENTITY-SENSOR-MIB (RFC 3433): the chassis and its temperature.

use super::{integer, row, scaled, text};
use crate::scene::Quantity;
use crate::tree::Tree;

const ENTITIES: &[u32] = &[1, 3, 6, 1, 2, 1, 47, 1, 1, 1, 1];
const SENSORS: &[u32] = &[1, 3, 6, 1, 2, 1, 99, 1, 1, 1];

/// entPhysicalIndex of chassis and sensor.
const CHASSIS: u32 = 1;
const SENSOR: u32 = 2;

/// entPhysicalClass.
pub(super) const MODULE: i32 = 9;
pub(super) const PORT: i32 = 10;

pub(super) fn add(tree: &mut Tree) {
    entity(tree, CHASSIS, 3, "Chassis");
    entity(tree, SENSOR, 8, "Chassis temperature");
    let sensor = [
        (1, integer(8)), // celsius
        (2, integer(9)), // units
        (3, integer(1)), // one decimal
        (4, scaled(Quantity::Temperature { above: 0.0 }, 10.0)),
        (5, integer(1)), // ok
    ];
    row(tree, SENSORS, &[SENSOR], sensor);
}

/// Adds a part of the device.
pub(super) fn entity(tree: &mut Tree, index: u32, class: i32, name: &str) {
    row(tree, ENTITIES, &[index], [(2, text(name)), (5, integer(class)), (7, text(name))]);
}
