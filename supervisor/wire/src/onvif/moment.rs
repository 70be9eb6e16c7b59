//! Moments as XML Schema writes them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use roundsman_core::time::Wall;

/// `2026-11-27T08:00:00Z`, whole seconds.
pub(super) fn written(at: Wall) -> String {
    let at = Timestamp::from_second(at.0.div_euclid(1_000)).unwrap_or(Timestamp::UNIX_EPOCH);
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// An `xs:dateTime`; one without a zone is UTC. `None` as well for the year 0 that some devices send for "never".
pub(super) fn read(text: &str) -> Option<Wall> {
    let text = text.trim();
    if text.starts_with("0000") {
        return None;
    }
    let zoned = text.parse::<Timestamp>().ok();
    let at = zoned.or_else(|| in_utc(text.parse::<DateTime>().ok()?))?;
    Some(Wall(at.as_millisecond()))
}

/// A moment of the calendar in UTC.
pub(super) fn in_utc(at: DateTime) -> Option<Timestamp> {
    at.to_zoned(TimeZone::UTC).ok().map(|at| at.timestamp())
}
