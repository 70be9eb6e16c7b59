//! UCD-SNMP-MIB and HOST-RESOURCES-MIB (RFC 2790), as net-snmp's agent on a Linux server answers them.

use super::{gauge, integer, measured, row, scalars, scaled, text};
use crate::ber;
use crate::scene::Quantity;
use crate::tree::{Object, Tree};

const UCD: &[u32] = &[1, 3, 6, 1, 4, 1, 2021];
const LOAD: &[u32] = &[1, 3, 6, 1, 4, 1, 2021, 10, 1];
const HOST_SYSTEM: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 1];
const STORAGE: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 2, 3, 1];
const STORAGE_RAM: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 2, 1, 2];
const STORAGE_DISK: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 2, 1, 4];
const PROCESSORS: &[u32] = &[1, 3, 6, 1, 2, 1, 25, 3, 3, 1];

/// hrDeviceIndex of the first processor, as net-snmp numbers it.
const FIRST_PROCESSOR: u32 = 196_608;

/// Processors.
const COUNT: u32 = 4;

/// Busy ticks (1/100 s) by the last arcs of ssCpuRaw…: mean a second of all processors at the busiest moment. What is
/// left is idle. Together they stay below half of all there are.
const BUSY: [(u8, f64); 7] = [(50, 118.0), (51, 1.0), (52, 38.0), (54, 6.0), (56, 0.5), (61, 2.5), (64, 0.5)];

/// Memory in KiB.
const MEMORY: f64 = 16_318_412.0;
const SWAP: f64 = 8_388_604.0;

/// A file system: hrStorageIndex, path, size in GiB, percent used at rest and at the busiest moment.
const DISKS: [(u32, &str, f64, f64, f64); 3] =
    [(31, "/", 60.0, 41.0, 42.0), (36, "/var", 120.0, 52.0, 55.0), (37, "/data", 900.0, 61.0, 64.0)];

/// The file system that a fault fills.
const FILLS: &str = "/data";

/// hrStorageAllocationUnits.
const UNIT: f64 = 4_096.0;

pub(super) fn add(tree: &mut Tree) {
    let load = |place: u16, low: f64, high: f64| Quantity::Load { place, low, high };
    scalars(tree, HOST_SYSTEM, [(&[5], gauge(load(10, 1.0, 4.0))), (&[6], gauge(load(11, 190.0, 265.0)))]);
    // Free memory falls by day, buffers hardly move: programs never hold more than half of it.
    scalars(
        tree,
        UCD,
        [
            (&[4, 3], integer(SWAP as i32)),
            (&[4, 4], measured(load(12, SWAP * 0.97, SWAP * 0.9))),
            (&[4, 5], integer(MEMORY as i32)),
            (&[4, 6], measured(load(13, MEMORY * 0.34, MEMORY * 0.24))),
            (&[4, 14], measured(load(14, MEMORY * 0.04, MEMORY * 0.05))),
            (&[4, 15], measured(load(15, MEMORY * 0.3, MEMORY * 0.28))),
            (&[11, 53], Object::Idle { processors: f64::from(COUNT), busy: &BUSY }),
            (&[11, 67], integer(COUNT as i32)),
        ],
    );
    for (object, mean) in BUSY {
        let ticks = Object::Count { port: None, object, mean, wide: false };
        tree.add(&super::below(UCD, &[11, object.into()]), &[0], ticks);
    }
    for (index, place, high) in [(1, 16, 1.9), (2, 17, 1.7), (3, 18, 1.5)] {
        let hundredths =
            Object::Measured { quantity: load(place, 0.15, high), scale: 100.0, tag: ber::INTEGER };
        row(tree, LOAD, &[index], [(5, hundredths)]);
    }
    add_storage(tree);
    for at in 0..COUNT {
        let busy = scaled(load(20 + at as u16, 3.0, 44.0), 1.0);
        row(tree, PROCESSORS, &[FIRST_PROCESSOR + at], [(2, busy)]);
    }
}

fn add_storage(tree: &mut Tree) {
    let kind = |arcs: &[u32]| {
        let mut out = Vec::new();
        ber::put_arcs(&mut out, arcs);
        Object::Fixed(out.into())
    };
    let memory = [
        (2, kind(STORAGE_RAM)),
        (3, text("Physical memory")),
        (4, integer(1024)),
        (5, integer(MEMORY as i32)),
        (6, integer((MEMORY * 0.7) as i32)),
    ];
    row(tree, STORAGE, &[1], memory);
    for (index, path, gibibytes, low, high) in DISKS {
        let total = gibibytes * f64::from(1 << 30) / UNIT;
        let columns = [
            (2, kind(STORAGE_DISK)),
            (3, text(path)),
            (4, integer(UNIT as i32)),
            (5, integer(total as i32)),
            (6, measured(Quantity::Disk { total, low, high, fills: path == FILLS })),
        ];
        row(tree, STORAGE, &[index], columns);
    }
}
