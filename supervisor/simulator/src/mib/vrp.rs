//! HUAWEI-ENTITY-EXTENT-MIB: boards, optics, fans and power supplies, as routers with VRP answer them.

use super::entities::{MODULE, PORT, entity};
use super::{Outline, integer, measured, row, text};
use crate::scene::Quantity;
use crate::tree::Tree;

/// hwEntityStateTable, hwOpticalModuleInfoTable, hwFanStatusTable, hwPwrStatusTable.
const BOARDS: &[u32] = &[1, 3, 6, 1, 4, 1, 2011, 5, 25, 31, 1, 1, 1, 1];
const OPTICS: &[u32] = &[1, 3, 6, 1, 4, 1, 2011, 5, 25, 31, 1, 1, 3, 1];
const FANS: &[u32] = &[1, 3, 6, 1, 4, 1, 2011, 5, 25, 31, 1, 1, 10, 1];
const SUPPLIES: &[u32] = &[1, 3, 6, 1, 4, 1, 2011, 5, 25, 31, 1, 1, 18, 1];

/// entPhysicalIndex of the first board, and of the first optical port, as the makers number them.
const FIRST_BOARD: u32 = 67_108_873;
const FIRST_OPTICAL_PORT: u32 = 67_436_558;

/// Where boards power off, in degrees Celsius.
const LIMIT: i32 = 68;

/// Ports with a use of their own are optical, as far as so many.
const MOST_OPTICS: usize = 4;

/// A router with more ports than this has a line card beside its main board.
const SMALL: usize = 12;

pub(super) fn add(tree: &mut Tree, outline: &Outline<'_>) {
    let boards: &[&str] =
        if outline.ports.len() > SMALL { &["MPU Board 0", "LPU Board 1"] } else { &["MPU Board 0"] };
    for (at, name) in boards.iter().enumerate() {
        let index = FIRST_BOARD + 64 * at as u32;
        let place = 10 + 2 * at as u16;
        entity(tree, index, MODULE, name);
        let columns = [
            (2, integer(3)), // enabled
            (5, measured(Quantity::Load { place, low: 6.0, high: 42.0 })),
            (7, measured(Quantity::Load { place: place + 1, low: 38.0, high: 52.0 })),
            (11, measured(Quantity::Temperature { above: 3.0 })),
            (12, integer(LIMIT)),
        ];
        row(tree, BOARDS, &[index], columns);
    }
    for fan in [1_u32, 2] {
        let speed = Quantity::Load { place: 30 + fan as u16, low: 28.0, high: 45.0 };
        row(tree, FANS, &[0, fan], [(5, measured(speed)), (6, integer(1)), (7, integer(1))]);
        // A supply for each fan: supplying.
        row(tree, SUPPLIES, &[0, fan], [(6, integer(1))]);
    }
    let optical = outline.ports.iter().filter(|port| !port.alias.is_empty()).take(MOST_OPTICS);
    for (at, port) in optical.enumerate() {
        let index = FIRST_OPTICAL_PORT + 64 * at as u32;
        entity(tree, index, PORT, &port.name);
        let received = -520 - 110 * at as i32;
        let columns = [
            (5, measured(Quantity::Temperature { above: -4.0 })),
            (13, integer(-1639)),
            (15, integer(-1125)),
            // The lanes' columns are text, one lane after the other.
            (32, text(&format!("{received}.00"))),
            (33, text("-248.00")),
        ];
        row(tree, OPTICS, &[index], columns);
    }
}
