//! A device with several uplinks that has lost one of them has a fault of its own, [`REDUNDANCY_LOST`].

use super::{Engine, FaultKey, Watched};
use crate::device::{Device, DeviceIx};
use crate::fault::register::Draft;
use crate::fault::{Ending, REDUNDANCY_LOST};
use crate::rule::Severity;
use crate::text::Bilingual;
use crate::time::Now;

impl Engine {
    /// Raises and ends what tells of a way that is lost while another is left.
    pub(super) fn look_at_redundancy(&mut self, now: Now) {
        self.causes.degraded = false;
        for at in 0..self.causes.redundant.len() {
            let device = self.causes.redundant[at];
            let uplinks = distinct_uplinks(&self.devices[device.at()].site.device);
            let is_lost = |uplink: &DeviceIx| {
                let way = &self.devices[uplink.at()].way;
                way.out.is_some() || way.cut.is_some()
            };
            let lost: Vec<bool> = uplinks.iter().map(is_lost).collect();
            let left = lost.iter().filter(|lost| !**lost).count();
            self.causes.degraded |= left < lost.len();
            let Watched { site, way, .. } = &self.devices[device.at()];
            let speaks = left > 0 && way.out.is_none() && way.cut.is_none() && way.said.is_none();
            let id = site.device.id.clone();
            for (uplink, is_lost) in uplinks.into_iter().zip(lost) {
                let parent = &self.devices[uplink.at()].site.device;
                let key = FaultKey {
                    device: id.clone(),
                    rule: REDUNDANCY_LOST.into(),
                    instance: parent.id.clone(),
                };
                let name = parent.name.clone();
                match (self.register.find(&key), is_lost) {
                    (None, true) if speaks => {
                        self.register.raise(redundancy_lost(key, &name, left, now), now);
                    }
                    (Some(fault), false) => self.register.end(fault, Ending::Cleared, now),
                    _ => {}
                }
            }
        }
    }
}

pub(super) fn distinct_uplinks(device: &Device) -> Vec<DeviceIx> {
    let mut uplinks: Vec<DeviceIx> = device.uplinks.iter().map(|uplink| uplink.device).collect();
    uplinks.sort();
    uplinks.dedup();
    uplinks
}

fn redundancy_lost(key: FaultKey, uplink: &str, left: usize, now: Now) -> Draft {
    Draft {
        key,
        severity: Severity::Minor,
        first_bad: now.wall,
        value: None,
        cause: "lossOfRedundancy".into(),
        summary: Bilingual::new(
            format!("冗余降级：经“{uplink}”的上联不可用，尚余 {left} 条"),
            format!("Redundancy lost: no way through {uplink}, {left} left"),
        ),
        advice: Bilingual::new(
            "业务未中断；处理上联设备的故障，恢复前避免对其余上联做变更",
            "Service goes on; see to the uplink's own fault and change nothing on the other uplinks until it is back",
        ),
    }
}
