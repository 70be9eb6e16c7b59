//! Moments as they are written in site time: in reports, and on the panel as well.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use roundsman_core::time::Wall;

/// A moment by `format` (strftime(3)); one that no calendar has is the epoch.
pub fn format(at: Wall, zone: &TimeZone, format: &str) -> String {
    let moment = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    moment.to_zoned(zone.clone()).strftime(format).to_string()
}

/// RFC 3339 with milliseconds and the site's offset.
pub fn rfc3339(at: Wall, zone: &TimeZone) -> String {
    format(at, zone, "%Y-%m-%dT%H:%M:%S%.3f%:z")
}

/// Year, month, day, hour, minute.
pub fn minute(at: Wall, zone: &TimeZone) -> String {
    format(at, zone, "%Y-%m-%d %H:%M")
}
