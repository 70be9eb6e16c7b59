//! The table of weeks: each a past that is not plain, and the figures that must stand on the page.

use super::*;
use made::MINUTE;
use roundsman_core::device::{Class, Network, Tier};
use roundsman_core::rule::Severity;
use roundsman_report::weekly::Measure;

const PLACE: (Class, Tier, Network) = (Class::Router, Tier::City, Network::Business);

/// One router, watched for the whole week, and what else happened.
fn router(happened: impl FnOnce(&mut Made)) -> Past {
    let mut made = Made::default();
    made.watch(MONDAY, MONDAY + WEEK);
    made.device("rt", "路由器", "", PLACE, MONDAY);
    happened(&mut made);
    made.build()
}

fn of(weekly: &Weekly, measure: Measure) -> Option<f64> {
    let indicator = weekly.indicators.iter().find(|indicator| indicator.measure == measure).unwrap();
    indicator.comparison.this.map(|value| (value * 100.0).round() / 100.0)
}

#[test]
fn the_table_of_weeks() {
    let off = {
        let mut made = Made::default();
        made.watch(MONDAY, MONDAY + DAY);
        made.watch(MONDAY + 4 * DAY, MONDAY + WEEK);
        made.device("rt", "路由器", "", PLACE, MONDAY);
        made.build()
    };
    let across = {
        let mut made = Made::default();
        made.watch(MONDAY - WEEK, MONDAY + WEEK);
        made.device("rt", "路由器", "", PLACE, MONDAY - WEEK);
        made.fault("rt", Severity::Critical, made::SILENT, MONDAY - HOUR, Some(3 * HOUR), None);
        made.build()
    };
    type Figures = (&'static str, Option<f64>, Option<f64>, Option<f64>, usize);
    // Rule, availability, coverage, new faults, open ones.
    let cases: [(&str, Past, Figures); 9] = [
        ("empty", Past::default(), ("no-devices", None, None, None, 0)),
        ("quiet", router(|_| ()), ("quiet", Some(100.0), Some(100.0), Some(0.0), 0)),
        ("box off for three days", off, ("unobserved", Some(100.0), Some(57.14), Some(0.0), 0)),
        (
            "device added on Thursday",
            router(|made| made.device("new", "新", "", PLACE, MONDAY + 3 * DAY)),
            ("quiet", Some(100.0), Some(100.0), Some(0.0), 0),
        ),
        (
            "a second down is not 100 %",
            router(|made| {
                made.fault("rt", Severity::Critical, made::SILENT, MONDAY + DAY, Some(1_000), None);
            }),
            ("recovered-critical", Some(99.99), Some(100.0), Some(1.0), 0),
        ),
        (
            "down at the end",
            router(|made| {
                made.fault("rt", Severity::Critical, made::SILENT, MONDAY + 6 * DAY, None, None);
            }),
            ("critical-open", Some(85.71), Some(100.0), Some(1.0), 1),
        ),
        ("down over midnight", across, ("below-target", Some(98.8), Some(100.0), Some(0.0), 0)),
        (
            "no data for a day",
            router(|made| made.unwatched("rt", MONDAY, MONDAY + DAY)),
            ("unobserved", Some(100.0), Some(85.71), Some(0.0), 0),
        ),
        (
            "under maintenance all week",
            router(|made| made.excluded("rt", MONDAY, MONDAY + WEEK)),
            ("quiet", None, Some(100.0), Some(0.0), 0),
        ),
    ];
    for (what, past, (rule, availability, coverage, new, open)) in cases {
        let weekly = of_week_47(&past);
        assert_eq!(weekly.conclusion.rule, rule, "{what}");
        assert_eq!(of(&weekly, Measure::Availability), availability, "{what}");
        assert_eq!(of(&weekly, Measure::Coverage), coverage, "{what}");
        assert_eq!(of(&weekly, Measure::NewFaults), new, "{what}");
        assert_eq!(weekly.open.count(), open, "{what}");
        let days: Vec<_> = weekly.days.iter().map(|day| day.coverage).collect();
        if what == "box off for three days" {
            assert_eq!(days, [10_000, 0, 0, 0, 10_000, 10_000, 10_000].map(Some), "{what}");
            let first_four = weekly.days.iter().take(4).map(|day| day.availability).collect::<Vec<_>>();
            assert_eq!(first_four, [Some(10_000), None, None, None], "{what}");
        }
    }
}

/// Weeks of 167 and 169 hours, and of a 53-week year, in their zones.
#[test]
fn weeks_of_other_lengths() {
    for (name, zone, hours) in [
        ("2026-W13", "Europe/Berlin", 167),
        ("2026-W43", "Europe/Berlin", 169),
        ("2026-W10", "America/New_York", 167),
        ("2026-W44", "America/New_York", 169),
        ("2026-W53", "Asia/Shanghai", 168),
        ("2020-W53", "Asia/Shanghai", 168),
    ] {
        let about = about(zone);
        let span = week(name).span(&about.zone);
        let mut made = Made::default();
        made.watch(span.from().0, span.to().0);
        made.device("rt", "路由器", "", PLACE, span.from().0);
        made.fault("rt", Severity::Minor, made::SILENT, span.to().0 - HOUR, None, None);
        let weekly = weekly(&made.build(), &about, week(name), span.to()).unwrap();
        assert!(!weekly.is_running, "{name}");
        assert_eq!(weekly.in_site_ms, hours * 3_600_000, "{name} {zone}");
        assert_eq!(weekly.unknown_ms, 0, "{name} {zone}");
        let share = (100.0 * (hours - 1) as f64 / hours as f64 * 100.0).floor() / 100.0;
        assert_eq!(of(&weekly, Measure::Availability), Some(share), "{name} {zone}");
        let html = html::page(&weekly, Language::English).unwrap();
        assert_eq!(html.contains("clocks were changed"), hours != 168, "{name} {zone}");
    }
}

#[test]
fn a_week_to_come_is_refused_and_says_which_one_runs() {
    let past = Past::default();
    let error = weekly(&past, &about("Asia/Shanghai"), week("2026-W48"), Wall(MONDAY + HOUR)).unwrap_err();
    assert_eq!(error.to_string(), "2026-W48 has not begun; the running week is 2026-W47");
}

/// Work that was left over stays on the page for four weeks more, until somebody came back to the device.
#[test]
fn what_maintenance_left_over_is_not_dropped() {
    use roundsman_core::record::Field;
    let words = |left: &'static str| {
        [
            (Field::Process, "检查"),
            (Field::Remaining, left),
            (Field::Engineer, "王建国"),
            (Field::Level, "minor"),
        ]
    };
    let past = |again: bool| {
        let mut made = Made::default();
        made.watch(MONDAY - 3 * WEEK, MONDAY + WEEK);
        made.device("rt", "路由器", "", PLACE, MONDAY - 3 * WEEK);
        made.record("rt", None, MONDAY - 2 * WEEK, words("备件待到货"));
        if again {
            made.record("rt", None, MONDAY + DAY, words(""));
        }
        made.build()
    };
    assert_eq!(of_week_47(&past(false)).left_over.rows.len(), 1);
    assert_eq!(of_week_47(&past(true)).left_over.rows.len(), 0);
    let then = weekly(&past(true), &about("Asia/Shanghai"), week("2026-W45"), Wall(MONDAY)).unwrap();
    assert_eq!(then.left_over.rows.len(), 1, "as it was then");
    assert_eq!(then.records.count(), 1);
}

#[test]
fn a_fault_that_nobody_could_time_is_counted_apart() {
    let past = {
        let mut made = Made::default();
        made.watch(MONDAY, MONDAY + DAY);
        made.device("rt", "路由器", "", PLACE, MONDAY);
        made.fault("rt", Severity::Minor, made::HOT, MONDAY + HOUR, Some(10 * MINUTE), Some(MINUTE));
        made.build()
    };
    let weekly = of_week_47(&past);
    let repair = weekly.indicators.iter().find(|i| i.measure == Measure::Repair).unwrap();
    assert_eq!((repair.comparison.this, repair.unknown), (Some(10.0), 0));
}
