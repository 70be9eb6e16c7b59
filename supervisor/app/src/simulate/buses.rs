//! The buses of a site as the simulator makes them.

use crate::site::{Asked, BusEntry, Site};
use anyhow::{Context, Result, bail};
use roundsman_driver::bus::Port;
use roundsman_simulator::bus::{Framing, Kind, LineSpec, MemberSpec, PortSpec};
use roundsman_wire::bus::plan::{Member, Target};
use std::sync::Arc;

/// Speed of the virtual line behind a serial server, whose site file names none.
const USUAL_BAUD: u32 = 9_600;

/// The name of a unit's address among what its requests hold.
const ADDRESS: &str = "address";

/// All buses with their devices.
pub(super) fn lines(site: &Site) -> Result<Vec<LineSpec>> {
    site.buses.iter().map(|bus| line(site, bus)).collect()
}

fn line(site: &Site, bus: &BusEntry) -> Result<LineSpec> {
    let (port, baud, framing) = match &bus.port {
        Port::Serial { path, baud, .. } => {
            (PortSpec::Pty(path.clone()), (*baud).unwrap_or(USUAL_BAUD), Framing::Rtu)
        }
        // A bus of the site is a line behind a serial server; else the port is the device's own.
        Port::Tcp(address) => {
            let baud = if bus.keeps_open { USUAL_BAUD } else { 0 };
            (PortSpec::Tcp(*address), baud, Framing::Rtu)
        }
        Port::ModbusTcp(address) => (PortSpec::Tcp(*address), 0, Framing::ModbusTcp),
        Port::Rfc2217 { .. } => bail!(
            "the bus {}: nothing in the virtual site speaks RFC 2217; write tcp:// for a virtual serial server",
            bus.id
        ),
    };
    let mut members = Vec::new();
    for entry in &site.devices {
        let Asked::Bus { bus: id, target, .. } = &entry.asked else { continue };
        if *id != bus.id {
            continue;
        }
        let (device, profile) = (&entry.device.id, &entry.device.profile);
        let kind = Kind::of_profile(profile).with_context(|| {
            let known = Kind::ALL.map(Kind::profile).join(", ");
            format!("the device {device}: nothing in the virtual site plays the profile {profile}; it plays {known}")
        })?;
        members.push(MemberSpec {
            id: device.clone(),
            kind,
            units: units(target),
            password: bus.password().map(str::to_owned),
        });
    }
    Ok(LineSpec { id: bus.id.clone(), port, baud, framing, members })
}

/// The panels of all video walls: one of several can die without its wall.
pub(super) fn panels(site: &Site) -> Vec<(Arc<str>, u8)> {
    let walls = site.devices.iter().filter_map(|entry| match &entry.asked {
        Asked::Bus { target, .. } if Kind::of_profile(&entry.device.profile) == Some(Kind::Panels) => {
            Some((&entry.device.id, units(target)))
        }
        _ => None,
    });
    let walls = walls.filter(|(_, units)| units.len() > 1);
    walls.flat_map(|(id, units)| units.into_iter().map(|unit| (id.clone(), unit))).collect()
}

/// The probe boards: a room of one can get warm.
pub(super) fn probes(site: &Site) -> Vec<Arc<str>> {
    let devices = site.devices.iter().map(|entry| &entry.device);
    devices
        .filter(|device| Kind::of_profile(&device.profile) == Some(Kind::Probe))
        .map(|d| d.id.clone())
        .collect()
}

fn units(target: &Target) -> Vec<u8> {
    let address = |member: &Member| member.params.get(ADDRESS).and_then(|octets| octets.first().copied());
    target.members.iter().map(|member| address(member).unwrap_or(member.unit.0 as u8)).collect()
}
