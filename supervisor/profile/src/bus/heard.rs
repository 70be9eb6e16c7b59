//! What a device says of its own accord: frames and lines to events.

use super::Bus;
use crate::schema::{Event, EventInstance, Profile, Signal};
use crate::translate::text_of;
use roundsman_wire::bus::plan::Plan;
use roundsman_wire::params::Params;
use roundsman_wire::text::reader::said;
use std::sync::Arc;

/// An event that was heard.
#[derive(Clone, Debug)]
pub struct Heard<'a> {
    /// Which.
    pub event: &'a Event,
    /// Whether it is the sign that clears it.
    pub clears: bool,
    /// The instance it is about; empty where it names none.
    pub instance: Arc<str>,
}

/// The events of an unsolicited frame or line. Usually one; a line that raises one event may clear another.
pub fn heard<'a>(profile: &'a Profile, octets: &[u8]) -> Vec<Heard<'a>> {
    let Some(bus) = &profile.bus else { return Vec::new() };
    let mut all = Vec::new();
    for event in &profile.events {
        let signs = [(Some(&event.raise), false), (event.clear.as_ref(), true)];
        for (sign, clears) in signs {
            if let Some(instance) = sign.and_then(|sign| fits(bus, event, sign, octets)) {
                all.push(Heard { event, clears, instance });
            }
        }
    }
    all
}

/// The instance, where the sign fits; empty where the event names none.
fn fits(bus: &Bus, event: &Event, sign: &Signal, octets: &[u8]) -> Option<Arc<str>> {
    match (sign, &*bus.plan) {
        (Signal::Frame(pattern), Plan::Frame(plan)) => {
            let meant = plan.layout.meant(octets)?;
            let mask = pattern.mask(&plan.layout, &Params::default()).ok()?;
            if !mask.fits(&meant) {
                return None;
            }
            Some(match &event.instance {
                Some(EventInstance::Field(point)) => text_of(point.read(&meant)?),
                _ => Arc::from(""),
            })
        }
        (Signal::Said(pattern), Plan::Text(plan)) => {
            let caught = pattern.captures(said(&plan.layout, octets))?;
            Some(match &event.instance {
                Some(EventInstance::Capture(name)) => text_of(caught.get(name)?.clone()),
                _ => Arc::from(""),
            })
        }
        _ => None,
    }
}
