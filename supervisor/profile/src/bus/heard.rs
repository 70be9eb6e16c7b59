//! What a device says of its own accord: frames, lines and messages to events.

use super::Bus;
use crate::schema::{Event, EventInstance, Profile, Signal};
use crate::translate::text_of;
use roundsman_wire::bus::plan::Plan;
use roundsman_wire::field;
use roundsman_wire::onvif::events::{Notification, Operation};
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

/// The events of a message of a camera or recorder. Where the device says that what it told of is gone, that clears.
pub fn told<'a>(profile: &'a Profile, message: &Notification) -> Vec<Heard<'a>> {
    let mut all = Vec::new();
    for event in &profile.events {
        let signs = [(Some(&event.raise), false), (event.clear.as_ref(), true)];
        let is_gone = message.operation == Operation::Deleted;
        let sign =
            signs.into_iter().find(|(sign, _)| sign.is_some_and(|sign| is_told(sign, message, is_gone)));
        if let Some((_, clears)) = sign {
            let instance = match &event.instance {
                Some(EventInstance::Source(name)) => item(&message.source, name).unwrap_or(""),
                _ => "",
            };
            let instance = text_of(field::Raw::Octets(instance.as_bytes().into()));
            all.push(Heard { event, clears: clears || is_gone, instance });
        }
    }
    all
}

fn item<'a>(items: &'a [(Box<str>, Box<str>)], name: &str) -> Option<&'a str> {
    items.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
}

/// Whether a message is this sign; of what is gone its topic alone counts.
fn is_told(sign: &Signal, message: &Notification, is_gone: bool) -> bool {
    let Signal::Topic { topic, data } = sign else { return false };
    let holds = |(name, due): &(Arc<str>, Arc<str>)| {
        // Some devices write `1` and `0` for `true` and `false`.
        let plain = |value: &str| match value.trim() {
            "1" => "true".to_owned(),
            "0" => "false".to_owned(),
            other => other.to_lowercase(),
        };
        item(&message.data, name).is_some_and(|is| plain(is) == plain(due))
    };
    **topic == *message.topic && (is_gone || data.iter().all(holds))
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
