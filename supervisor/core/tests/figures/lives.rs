//! Pasts in hours of a week, for tables.

use crate::random::MONDAY_MS;
use roundsman_core::device::{Class, Network, Tier};
use roundsman_core::fault::{Ending, FaultId, FaultKey, FaultNumber};
use roundsman_core::figures::account::{Period, Stretch};
use roundsman_core::figures::availability::{DeviceLife, Durations};
use roundsman_core::figures::faults::FaultLife;
use roundsman_core::figures::groups::Place;
use roundsman_core::figures::watch::{Moment, Watch, WatchNumber, Watches};
use roundsman_core::figures::{Figures, Past, figures};
use roundsman_core::rule::Severity;
use roundsman_core::time::Wall;

pub(crate) const HOUR_MS: i64 = 3_600_000;
/// Hours of a week.
pub(crate) const WEEK: i64 = 168;

/// The wall time so many hours after Monday 00:00.
pub(crate) fn wall(hour: i64) -> Wall {
    Wall(MONDAY_MS + hour * HOUR_MS)
}

/// Such an hour in a watch.
pub(crate) fn at(watch: u64, hour: i64) -> Moment {
    Moment { watch: WatchNumber(watch), wall: wall(hour) }
}

pub(crate) fn week() -> Period {
    Period::new(wall(0), wall(WEEK))
}

/// A watch from an hour to another.
pub(crate) fn watch(number: u64, from: i64, to: i64, after: Option<i64>) -> Watch {
    Watch {
        number: WatchNumber(number),
        from: wall(from),
        length_ms: ((to - from) * HOUR_MS) as u64,
        after_ms: after.map(|hours| (hours * HOUR_MS) as u64),
        dated: true,
    }
}

/// A watch under a clock that shows 1970.
pub(crate) fn undated(number: u64, hours: i64, after: Option<i64>) -> Watch {
    Watch { from: Wall(0), dated: false, ..watch(number, 0, hours, after) }
}

/// So many hours after 1970, in an undated watch.
pub(crate) fn since_1970(watch: u64, hours: i64) -> Moment {
    Moment::new(watch, hours * HOUR_MS)
}

/// The usual week: one watch from long before to long after.
pub(crate) fn usual() -> Vec<Watch> {
    vec![watch(1, -1000, 2000, None)]
}

/// A camera that was always there and always up.
pub(crate) fn device(id: &str) -> DeviceLife {
    DeviceLife {
        id: id.into(),
        place: Place { class: Class::Camera, tier: Tier::City, network: Network::Lan },
        present: vec![Stretch::since(at(0, -5000))],
        unwatched: Vec::new(),
        excluded: Vec::new(),
        hidden: Vec::new(),
        down: Vec::new(),
    }
}

/// An hour to another of watch 1.
pub(crate) fn hours(from: i64, to: i64) -> Stretch {
    Stretch::lived(at(1, from), at(1, to))
}

/// Absent, unknown, excluded, hidden, down, up.
pub(crate) fn in_hours(time: &Durations) -> [i64; 6] {
    [time.absent_ms, time.unknown_ms, time.excluded_ms, time.hidden_ms, time.down_ms, time.up_ms].map(|ms| {
        assert_eq!(ms as i64 % HOUR_MS, 0, "{time:?}");
        ms as i64 / HOUR_MS
    })
}

/// A major fault of a camera, raised an hour after it began, acknowledged one later, ended at the given hour.
pub(crate) fn fault(id: u64, device: &str, first_bad: i64, ended: Option<i64>) -> FaultLife {
    FaultLife {
        id: FaultId(id),
        number: FaultNumber { year: 2026, sequence: id as u32 },
        key: FaultKey { device: device.into(), rule: "unreachable".into(), instance: "".into() },
        severity: Severity::Major,
        first_bad: at(1, first_bad),
        raised: at(1, first_bad + 1),
        acknowledged: Some(at(1, first_bad + 2)),
        cleared: ended.map(|hour| at(1, hour)),
        ended: ended.map(|hour| (at(1, hour), Ending::Cleared)),
        behind: None,
    }
}

/// The figures of a past.
pub(crate) fn of(
    period: Period,
    watches: Vec<Watch>,
    devices: &[DeviceLife],
    faults: &[FaultLife],
) -> Figures {
    figures(period, Past { watches: &Watches::new(watches), devices, faults })
}
