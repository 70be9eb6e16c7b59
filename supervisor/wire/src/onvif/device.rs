//! What the device service says (Core Specification, sections 8.1 to 8.3).

use jiff::civil::{DateTime, date};
use jiff::tz::TimeZone;
use roundsman_core::time::Wall;

use super::MOST_LISTED;
use super::moment::in_utc;
use super::xml::{Element, cut};

/// Longest zone that is kept.
const MOST_ZONE: usize = 64;

/// The device's clock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceTime {
    /// What it calls UTC; worked out of its local time and zone where it does not say.
    pub utc: Wall,
    /// Its zone, as it writes it (POSIX), where it does.
    pub zone: Option<Box<str>>,
    /// Whether it is set by NTP.
    pub by_ntp: bool,
    /// How far its zone is from UTC at that moment.
    offset_ms: i64,
}

/// How far a device's clock is from ours, positive when it is ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skew {
    /// What a token is signed with: the device compares with what it calls UTC, right or wrong.
    pub signing_ms: i64,
    /// What is reported: the error of its clock. A device that calls its local time UTC shows the right time on its
    /// pictures, so the zone is taken out where that alone explains most of it.
    pub reported_ms: i64,
}

impl DeviceTime {
    /// Reads the answer of GetSystemDateAndTime. `None` when it tells no moment.
    pub fn read(answer: &Element) -> Option<DeviceTime> {
        let said = answer.child("SystemDateAndTime")?;
        let zone_text = said.said(&["TimeZone", "TZ"]);
        let zone = zone_text.and_then(|text| TimeZone::posix(text).ok());
        let local = said.child("LocalDateTime").and_then(civil);
        let utc = said.child("UTCDateTime").and_then(civil).and_then(in_utc);
        let from_local = || {
            let zone = zone.clone().unwrap_or(TimeZone::UTC);
            local?.to_zoned(zone).ok().map(|at| at.timestamp())
        };
        let utc = utc.or_else(from_local)?;
        let offset_s = zone.map_or(0, |zone| zone.to_offset(utc).seconds());
        Some(DeviceTime {
            utc: Wall(utc.as_millisecond()),
            zone: zone_text.map(|text| cut(text, MOST_ZONE).into()),
            by_ntp: said.said(&["DateTimeType"]).is_some_and(|kind| kind.eq_ignore_ascii_case("NTP")),
            offset_ms: i64::from(offset_s) * 1_000,
        })
    }

    /// How far it is from ours, `now` being the middle of question and answer.
    pub fn skew(&self, now: Wall) -> Skew {
        let signing_ms = self.utc.0.saturating_sub(now.0);
        let as_local = signing_ms.saturating_sub(self.offset_ms);
        // Half an hour is the least that zones differ by: nearer than a quarter, the zone is the reason.
        let is_local =
            self.offset_ms != 0 && as_local.abs() < 15 * 60_000 && signing_ms.abs() > as_local.abs();
        Skew { signing_ms, reported_ms: if is_local { as_local } else { signing_ms } }
    }
}

fn civil(at: &Element) -> Option<DateTime> {
    let part = |path: &[&str]| at.said(path)?.parse::<i16>().ok();
    let small = |path: &[&str]| part(path).and_then(|part| i8::try_from(part).ok());
    let (year, month, day) = (part(&["Date", "Year"])?, small(&["Date", "Month"])?, small(&["Date", "Day"])?);
    // The calendar knows no second 60.
    let second = small(&["Time", "Second"])?.min(59);
    let (hour, minute) = (small(&["Time", "Hour"])?, small(&["Time", "Minute"])?);
    if !(1970..=9998).contains(&year) || !(0..24).contains(&hour) || !(0..60).contains(&minute) || second < 0
    {
        return None;
    }
    let day = jiff::civil::Date::new(year, month, day).ok()?;
    Some(date(day.year(), day.month(), day.day()).at(hour, minute, second, 0))
}

/// Who a device is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Information {
    /// Its maker.
    pub maker: Option<Box<str>>,
    /// Its model.
    pub model: Option<Box<str>>,
    /// Its firmware's version.
    pub firmware: Option<Box<str>>,
    /// Its serial number.
    pub serial: Option<Box<str>>,
    /// Its hardware's name.
    pub hardware: Option<Box<str>>,
}

impl Information {
    /// Reads the answer of GetDeviceInformation.
    pub fn read(answer: &Element) -> Information {
        let said = |name: &str| answer.said(&[name]).map(Box::from);
        Information {
            maker: said("Manufacturer"),
            model: said("Model"),
            firmware: said("FirmwareVersion"),
            serial: said("SerialNumber"),
            hardware: said("HardwareId"),
        }
    }
}

/// Services by namespace, and the addresses the device gives them.
pub fn services(answer: &Element) -> Vec<(Box<str>, Box<str>)> {
    let service = |service: &Element| {
        Some((Box::from(service.said(&["Namespace"])?), Box::from(service.said(&["XAddr"])?)))
    };
    answer.all("Service").filter_map(service).take(MOST_LISTED).collect()
}

/// The same from the answer of GetCapabilities, which older devices give instead.
pub fn capabilities(answer: &Element) -> Vec<(Box<str>, Box<str>)> {
    use super::call::{DEVICE, EVENTS, MEDIA, SEARCH};
    let Some(all) = answer.child("Capabilities") else { return Vec::new() };
    let places: [(&str, &[&str]); 4] = [
        (DEVICE, &["Device", "XAddr"]),
        (MEDIA, &["Media", "XAddr"]),
        (EVENTS, &["Events", "XAddr"]),
        (SEARCH, &["Extension", "Search", "XAddr"]),
    ];
    places
        .into_iter()
        .filter_map(|(namespace, path)| Some((Box::from(namespace), Box::from(all.said(path)?))))
        .collect()
}

/// The hardware address of the first enabled interface, as the device writes it.
pub fn hardware_address(answer: &Element) -> Option<Box<str>> {
    let is_enabled = |interface: &&Element| interface.said(&["Enabled"]) != Some("false");
    let interfaces = || answer.all("NetworkInterfaces");
    let interface = interfaces().find(is_enabled).or_else(|| interfaces().next())?;
    interface.said(&["Info", "HwAddress"]).map(Box::from)
}

/// The host name.
pub fn host_name(answer: &Element) -> Option<Box<str>> {
    answer.said(&["HostnameInformation", "Name"]).map(Box::from)
}
