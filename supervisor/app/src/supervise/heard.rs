//! What devices on a bus say of their own accord.

use super::Supervisor;
use crate::site::Asked;
use roundsman_core::device::DeviceIx;
use roundsman_core::fault::{self, Sign};
use roundsman_core::time::Now;
use roundsman_profile::bus::heard::heard;

impl Supervisor {
    /// A frame or line that nobody had asked for: a sign of each event of each device on the bus that it fits.
    pub(super) fn heard(&mut self, bus: &str, octets: &[u8], now: Now) {
        let mut fits = false;
        for (at, runtime) in self.devices.iter().enumerate() {
            let entry = &runtime.entry;
            if !matches!(&entry.asked, Asked::Bus { bus: own, .. } if **own == *bus) {
                continue;
            }
            for said in heard(&entry.profile, octets) {
                fits = true;
                let sign = if said.clears { Sign::Good } else { Sign::Bad(said.event.severity) };
                tracing::debug!(device = %entry.device.id, event = %said.event.id, ?sign, "a device spoke");
                let (device, rule, instance) = (DeviceIx(at as u32), &*said.event.rule, said.instance);
                self.engine.handle(fault::Event::Said { device, rule, instance, sign }, now);
            }
        }
        if !fits {
            tracing::debug!(bus, octets = octets.len(), "something came that nobody had asked for");
        }
    }
}
