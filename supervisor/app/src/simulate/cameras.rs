//! The cameras and recorders of a site as the simulator makes them.

use crate::site::{Asked, Site, SiteEntry};
use anyhow::{Context, Result, bail};
use roundsman_core::device::Class;
use roundsman_driver::reach::Reach;
use roundsman_simulator::camera::{CameraSpec, Ways};
use std::net::IpAddr;

/// Picture and pace of a camera whose site file expects none.
const USUAL: ((u32, u32), u32) = ((1_920, 1_080), 25);

/// Maker, model and the logins that it takes, in turn.
const MAKERS: [(&str, &str, Ways); 4] = [
    ("HIKVISION", "DS-2CD2T47", Ways::Both),
    ("Dahua", "IPC-HFW2431", Ways::Digest),
    ("UNIVIEW", "IPC2322", Ways::Token),
    ("Tiandy", "TC-C32", Ways::Both),
];

/// All of them.
pub(super) fn specs(site: &Site) -> Result<Vec<CameraSpec>> {
    let names = || site.devices.iter().filter(|entry| entry.device.class == Class::Camera);
    let channels: Vec<String> = names().map(|entry| entry.device.name.to_string()).collect();
    let cameras = site.devices.iter().filter(|entry| matches!(entry.asked, Asked::Onvif(_))).enumerate();
    cameras.map(|(at, entry)| spec(site, entry, at, &channels)).collect()
}

fn spec(site: &Site, entry: &SiteEntry, at: usize, channels: &[String]) -> Result<CameraSpec> {
    let Asked::Onvif(target) = &entry.asked else { bail!("{} is no camera", entry.device.id) };
    let IpAddr::V4(address) = target.address.ip() else {
        bail!("the device {}: the virtual site lives on 127.0.0.0/8 alone", entry.device.id)
    };
    let login = target.credentials.as_ref();
    let login = login.with_context(|| format!("the virtual camera {} needs credentials", entry.device.id))?;
    let is_recorder = entry.device.class == Class::Recorder;
    let (maker, model, ways) = MAKERS[at % MAKERS.len()];
    let expects = target.expects.clone().unwrap_or_default();
    let ((width, height), rate) = USUAL;
    let uplinks =
        entry.device.uplinks.iter().map(|uplink| site.devices[uplink.device.at()].device.id.clone());
    Ok(CameraSpec {
        id: entry.device.id.clone(),
        address,
        http_port: target.address.port(),
        rtsp_port: target.rtsp_port,
        echo_port: match entry.reach {
            Some(Reach::Echo(port)) => Some(port),
            _ => None,
        },
        user: login.user.clone(),
        password: login.password.clone(),
        ways,
        maker: maker.to_owned(),
        model: if is_recorder { "DS-7732N".to_owned() } else { model.to_owned() },
        codec: expects.codec.as_deref().unwrap_or("h264").to_uppercase(),
        size: (expects.width.unwrap_or(width), expects.height.unwrap_or(height)),
        frame_rate: expects.frame_rate.map_or(rate, |rate| rate as u32),
        channels: if is_recorder { channels.to_vec() } else { Vec::new() },
        uplinks: uplinks.collect(),
    })
}
