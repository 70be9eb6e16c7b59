//! How many devices stand how at the end of a period: the table of equipment health (设备健康一览).
//!
//! A device in the site at the end is counted once, under the first that applies: the worst of its own open faults,
//! hidden behind a failed device, never observed in the period, well.

use super::account::Account;
use super::availability::{DeviceLife, Durations};
use super::groups::Groups;
use crate::rule::Severity;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Devices by how they stand; the parts add up to `devices`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// In the site at the end of the period.
    pub devices: u32,
    /// With an open critical fault.
    pub critical: u32,
    /// With an open major fault, none worse.
    pub major: u32,
    /// With an open fault of a lesser severity, none worse.
    pub lesser: u32,
    /// Behind a failed device.
    pub hidden: u32,
    /// Nothing was observed of them in the whole period (无数据).
    pub unseen: u32,
    /// None of these (正常).
    pub well: u32,
}

impl Standing {
    /// Serviceability (完好率): the share of devices that are well, 0 to 1; `None` without devices.
    pub fn serviceability(&self) -> Option<f64> {
        (self.devices > 0).then(|| f64::from(self.well) / f64::from(self.devices))
    }
}

/// The devices at the end of the account's period.
pub(super) fn at_end<'a>(
    account: &Account,
    devices: impl Iterator<Item = (&'a DeviceLife, &'a Durations)>,
    worst: &BTreeMap<Arc<str>, Severity>,
) -> Groups<Standing> {
    let mut groups: Groups<Standing> = Groups::default();
    let is_under_way =
        |stretches: &[_]| stretches.iter().any(|&stretch| account.is_under_way_at_end(stretch));
    for (life, time) in devices.filter(|(life, _)| is_under_way(&life.present)) {
        let worst = worst.get(&life.id);
        let is_hidden = is_under_way(&life.hidden);
        groups.enter(life.place, |standing| {
            standing.devices += 1;
            let part = match worst {
                Some(Severity::Critical) => &mut standing.critical,
                Some(Severity::Major) => &mut standing.major,
                Some(Severity::Minor | Severity::Warning | Severity::Indeterminate) => &mut standing.lesser,
                None if is_hidden => &mut standing.hidden,
                None if time.observed_ms() == 0 => &mut standing.unseen,
                None => &mut standing.well,
            };
            *part += 1;
        });
    }
    groups
}
