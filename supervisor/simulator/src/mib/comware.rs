//! HH3C-ENTITY-EXT-MIB, HH3C-LswDEVM-MIB and HH3C-TRANSCEIVER-INFO-MIB, as switches with Comware answer them.

use super::entities::{MODULE, entity};
use super::{Outline, integer, measured, row};
use crate::scene::Quantity;
use crate::tree::Tree;

/// hh3cEntityExtStateTable, hh3cdevMFanStatusTable, hh3cdevMPowerStatusTable, hh3cTransceiverInfoTable.
const BOARDS: &[u32] = &[1, 3, 6, 1, 4, 1, 25506, 2, 6, 1, 1, 1, 1];
const FANS: &[u32] = &[1, 3, 6, 1, 4, 1, 25506, 8, 35, 9, 1, 1, 1];
const SUPPLIES: &[u32] = &[1, 3, 6, 1, 4, 1, 25506, 8, 35, 9, 1, 2, 1];
const OPTICS: &[u32] = &[1, 3, 6, 1, 4, 1, 25506, 2, 70, 1, 1, 1];

/// entPhysicalIndex of the board, as the maker numbers it.
const BOARD: u32 = 212;

/// Ports with a use of their own are optical, as far as so many.
const MOST_OPTICS: usize = 4;

pub(super) fn add(tree: &mut Tree, outline: &Outline<'_>) {
    entity(tree, BOARD, MODULE, "Board 1");
    let columns = [
        (3, integer(3)), // enabled
        (6, measured(Quantity::Load { place: 10, low: 9.0, high: 33.0 })),
        (8, measured(Quantity::Load { place: 11, low: 44.0, high: 56.0 })),
        (12, measured(Quantity::Temperature { above: 2.0 })),
        (19, integer(2)), // normal
    ];
    row(tree, BOARDS, &[BOARD], columns);
    for part in [1, 2] {
        row(tree, FANS, &[part], [(2, integer(1))]);
        row(tree, SUPPLIES, &[part], [(2, integer(1))]);
    }
    let optical = outline.ports.iter().enumerate().filter(|(_, port)| !port.alias.is_empty());
    for (at, _) in optical.take(MOST_OPTICS) {
        let columns = [
            (9, integer(-229)),
            (11, integer(-730)),
            (12, integer(-254 - 60 * at as i32 % 300)),
            (14, integer(-990)),
            (15, measured(Quantity::Temperature { above: -3.0 })),
        ];
        row(tree, OPTICS, &[at as u32 + 1], columns);
    }
}
