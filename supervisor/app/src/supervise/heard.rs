//! What devices say of their own accord: on a bus, or by the event service of a camera.

use super::Supervisor;
use crate::site::Asked;
use roundsman_core::device::DeviceIx;
use roundsman_core::fault::engine::Engine;
use roundsman_core::fault::{self, Sign};
use roundsman_core::time::Now;
use roundsman_driver::onvif::watch::Told;
use roundsman_profile::bus::heard::{Heard, heard, told};

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
                take(&mut self.engine, (DeviceIx(at as u32), &entry.device.id), said, now);
            }
        }
        if !fits {
            tracing::debug!(bus, octets = octets.len(), "something came that nobody had asked for");
        }
    }

    /// A message of a camera's or recorder's event service.
    pub(super) fn told(&mut self, Told { key, message }: Told, now: Now) {
        let Some(&device) = self.by_key.get(&key) else { return };
        let entry = &self.devices[device.at()].entry;
        let events = told(&entry.profile, &message);
        if events.is_empty() {
            tracing::trace!(device = %entry.device.id, topic = %message.topic, "a message that is no event here");
        }
        for said in events {
            take(&mut self.engine, (device, &entry.device.id), said, now);
        }
    }
}

/// A sign goes to the engine.
fn take(engine: &mut Engine, (device, id): (DeviceIx, &str), said: Heard<'_>, now: Now) {
    let sign = if said.clears { Sign::Good } else { Sign::Bad(said.event.severity) };
    tracing::debug!(device = id, event = %said.event.id, ?sign, "a device spoke");
    let (rule, instance) = (&*said.event.rule, said.instance);
    engine.handle(fault::Event::Said { device, rule, instance, sign }, now);
}
