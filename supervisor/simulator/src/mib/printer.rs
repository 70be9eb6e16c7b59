//! Printer-MIB (RFC 3805) and the printer's part of HOST-RESOURCES-MIB (RFC 2790).

use super::{Outline, integer, measured, row, text};
use crate::ber;
use crate::scene::Quantity;
use crate::tree::{Object, Tree};

const DEVICES: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 3, 2, 1];
const PRINTERS: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 3, 5, 1];
const DEVICE_PRINTER: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 3, 1, 5];
const GENERAL: &[u32] = &[1, 3, 6, 1, 2, 1, 43, 5, 1, 1];
const COVERS: &[u32] = &[1, 3, 6, 1, 2, 1, 43, 6, 1, 1];
const CONSOLE: &[u32] = &[1, 3, 6, 1, 2, 1, 43, 16, 5, 1];
const INPUTS: &[u32] = &[1, 3, 6, 1, 2, 1, 43, 8, 2, 1];
const MARKERS: &[u32] = &[1, 3, 6, 1, 2, 1, 43, 10, 2, 1];
const SUPPLIES: &[u32] = &[1, 3, 6, 1, 2, 1, 43, 11, 1, 1];

/// hrDeviceIndex of the printer.
const PRINTER: u32 = 1;

/// Pages a second at the busiest moment.
const PAGES: f64 = 0.05;

/// prtMarkerSuppliesClass: what is used up, and what fills and tells how much room is left.
const CONSUMED: i32 = 3;
const FILLED: i32 = 4;

/// prtMarkerSuppliesType.
const TONER: i32 = 3;
const WASTE_TONER: i32 = 4;

/// Supplies: description, class, type, pages that a full (or empty) one lasts. The first is the one that a fault
/// empties.
const SUPPLY: [(&str, i32, i32, f64); 5] = [
    ("Black Toner Cartridge", CONSUMED, TONER, 24_000.0),
    ("Cyan Toner Cartridge", CONSUMED, TONER, 15_000.0),
    ("Magenta Toner Cartridge", CONSUMED, TONER, 15_000.0),
    ("Yellow Toner Cartridge", CONSUMED, TONER, 15_000.0),
    ("Waste Toner Box", FILLED, WASTE_TONER, 24_000.0),
];

/// Trays: name, sheets they hold, sheets in them at rest and at the busiest moment.
const TRAYS: [(&str, i32, f64, f64); 2] = [("Tray 1", 550, 480.0, 310.0), ("Tray 2", 550, 430.0, 350.0)];

pub(super) fn add(tree: &mut Tree, outline: &Outline<'_>) {
    let mut kind = Vec::new();
    ber::put_arcs(&mut kind, DEVICE_PRINTER);
    let device = [
        (2, Object::Fixed(kind.into())),
        (3, text(outline.description)),
        (5, integer(2)), // running
    ];
    row(tree, DEVICES, &[PRINTER], device);
    // 3 is idle.
    row(tree, PRINTERS, &[PRINTER], [(1, integer(3)), (2, Object::Bits(Quantity::PrinterErrors))]);
    row(tree, GENERAL, &[PRINTER], [(16, text("文印室打印机")), (17, text("RM0000001"))]);
    row(tree, COVERS, &[PRINTER, 1], [(2, text("Front Cover")), (3, integer(4))]); // closed
    row(tree, CONSOLE, &[PRINTER, 1], [(2, text("就绪"))]);
    let pages = Object::Count { port: None, object: 4, mean: PAGES, wide: false };
    row(tree, MARKERS, &[PRINTER, 1], [(3, integer(7)), (4, pages)]); // 7: impressions
    for (at, (name, class, kind, full)) in SUPPLY.into_iter().enumerate() {
        let number = at as u32 + 1;
        let left = Quantity::Supply { place: 10 + at as u16, full, first: at == 0 };
        let columns = [
            (2, integer(1)),
            (4, integer(class)),
            (5, integer(kind)),
            (6, text(name)),
            (7, integer(7)), // impressions
            (8, integer(full as i32)),
            (9, measured(left)),
        ];
        row(tree, SUPPLIES, &[PRINTER, number], columns);
    }
    for (at, (name, holds, rest, busy)) in TRAYS.into_iter().enumerate() {
        let sheets = Quantity::Load { place: 20 + at as u16, low: rest, high: busy };
        let columns = [
            (2, integer(3)), // sheetFeedAutoRemovableTray
            (8, integer(8)), // sheets
            (9, integer(holds)),
            (10, measured(sheets)),
            (12, text("iso-a4-white")),
            (13, text(name)),
            (18, text(name)),
        ];
        row(tree, INPUTS, &[PRINTER, at as u32 + 1], columns);
    }
}
