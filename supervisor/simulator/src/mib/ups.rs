//! UPS-MIB (RFC 1628): a UPS of 20 kVA with three phases.

use super::{integer, measured, row, scalars, scaled};
use crate::scene::Quantity;
use crate::tree::Tree;

const UPS: &[u32] = &[1, 3, 6, 1, 2, 1, 33, 1];
const INPUT: &[u32] = &[1, 3, 6, 1, 2, 1, 33, 1, 3, 3, 1];
const OUTPUT: &[u32] = &[1, 3, 6, 1, 2, 1, 33, 1, 4, 4, 1];
const BYPASS: &[u32] = &[1, 3, 6, 1, 2, 1, 33, 1, 5, 3, 1];

/// What each phase can carry, in watts.
const PHASE_W: f64 = 6_000.0;

/// Load of each phase at rest and at the busiest moment, in percent.
const LOADS: [(f64, f64); 3] = [(24.0, 41.0), (21.0, 36.0), (27.0, 44.0)];

pub(super) fn add(tree: &mut Tree) {
    scalars(
        tree,
        UPS,
        [
            (&[2, 1], measured(Quantity::BatteryStatus)),
            (&[2, 2], measured(Quantity::OnBattery)),
            (&[2, 3], measured(Quantity::TimeLeft)),
            (&[2, 4], measured(Quantity::Charge)),
            (&[2, 5], scaled(Quantity::BatteryVolts, 10.0)),
            (&[2, 7], measured(Quantity::Load { place: 10, low: 24.0, high: 26.5 })),
            (&[3, 2], integer(3)),
            (&[4, 1], measured(Quantity::Source)),
            (&[4, 2], integer(500)),
            (&[4, 3], integer(3)),
            (&[5, 2], integer(3)),
            (&[6, 1], measured(Quantity::Alarms)),
            (&[7, 3], integer(6)),
            (&[9, 8], integer(2)),
        ],
    );
    for (at, (low, high)) in LOADS.into_iter().enumerate() {
        let line = [at as u32 + 1];
        let place = 20 + 10 * at as u16;
        // The mains sags a little where all of the town works.
        let mains = |above: f64| Quantity::Mains { place, low: 230.0 + above, high: 225.0 + above };
        // Load, power and current are the same thing thrice: one place, so that they agree.
        let load = |factor: f64| Quantity::Load { place: place + 1, low: low * factor, high: high * factor };
        let watts = PHASE_W / 100.0;
        let amperes = watts / 220.0;
        let drawn = Quantity::Mains { place: place + 1, low: low * amperes, high: high * amperes };
        let frequency = Quantity::Mains { place, low: 50.0, high: 50.0 };
        let input = [(2, scaled(frequency, 10.0)), (3, measured(mains(at as f64))), (4, scaled(drawn, 10.0))];
        row(tree, INPUT, &line, input);
        let output = [
            (2, integer(220)),
            (3, scaled(load(amperes), 10.0)),
            (4, measured(load(watts))),
            (5, measured(load(1.0))),
        ];
        row(tree, OUTPUT, &line, output);
        row(tree, BYPASS, &line, [(2, measured(mains(at as f64 + 1.0)))]);
    }
}
