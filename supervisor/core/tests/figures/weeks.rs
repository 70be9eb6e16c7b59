//! Time of known weeks.

use crate::lives::{HOUR_MS, at, device, hours, in_hours, of, since_1970, undated, usual, wall, watch, week};
use roundsman_core::device::{Class, Network};
use roundsman_core::figures::account::{Period, Stretch};
use roundsman_core::figures::availability::DeviceLife;
use roundsman_core::figures::watch::Watch;

struct Week {
    what: &'static str,
    watches: Vec<Watch>,
    life: DeviceLife,
    /// Absent, unknown, excluded, hidden, down, up, in hours.
    time: [i64; 6],
    repeated: i64,
    /// In percent, rounded to a tenth of a thousandth.
    availability: Option<f64>,
}

fn weeks_of_clocks() -> Vec<Week> {
    vec![
        Week {
            what: "a usual week",
            watches: usual(),
            life: device("d"),
            time: [0, 0, 0, 0, 0, 168],
            repeated: 0,
            availability: Some(100.0),
        },
        Week {
            what: "empty: the box never ran",
            watches: vec![],
            life: DeviceLife { down: vec![Stretch::since(at(0, -10))], ..device("d") },
            time: [0, 168, 0, 0, 0, 0],
            repeated: 0,
            availability: None,
        },
        Week {
            what: "the box was off from Tuesday to Thursday; the device failed before and came back after",
            watches: vec![watch(1, -50, 24, None), watch(2, 96, 200, Some(72))],
            life: DeviceLife { down: vec![Stretch::lived(at(1, 23), at(2, 98))], ..device("d") },
            time: [0, 72, 0, 0, 3, 93],
            repeated: 0,
            availability: Some(96.875),
        },
        Week {
            what: "the clock showed 1970 at boot and was set six hours later: these six are in no week",
            watches: vec![watch(1, -50, 48, None), undated(2, 6, None), watch(3, 72, 200, Some(0))],
            life: DeviceLife { down: vec![Stretch::lived(since_1970(2, 1), at(3, 74))], ..device("d") },
            time: [0, 24, 0, 0, 2, 142],
            repeated: 0,
            availability: Some(98.6111),
        },
        Week {
            what: "the clock showed 1970 all week",
            watches: vec![undated(1, 168, None)],
            life: device("d"),
            time: [0, 168, 0, 0, 0, 0],
            repeated: 0,
            availability: None,
        },
        Week {
            what: "the clock was set a day forward on Wednesday noon, the device was down for two hours then",
            watches: vec![watch(1, -50, 60, None), watch(2, 84, 200, Some(0))],
            life: DeviceLife { down: vec![Stretch::lived(at(1, 59), at(2, 85))], ..device("d") },
            time: [0, 24, 0, 0, 2, 142],
            repeated: 0,
            availability: Some(98.6111),
        },
        Week {
            what: "a day back: eight days were observed, and the two hours stay two",
            watches: vec![watch(1, -50, 60, None), watch(2, 36, 200, Some(0))],
            life: DeviceLife { down: vec![Stretch::lived(at(1, 59), at(2, 37))], ..device("d") },
            time: [0, 0, 0, 0, 2, 190],
            repeated: 24,
            availability: Some(98.9583),
        },
        Week {
            what: "a stretch the wrong way round is nothing, though its wall times ascend after a step back",
            watches: vec![watch(1, 100, 110, None), watch(2, 0, 20, Some(0))],
            life: DeviceLife { present: vec![Stretch::lived(at(2, 10), at(1, 105))], ..device("d") },
            time: [168, 0, 0, 0, 0, 0],
            repeated: 0,
            availability: None,
        },
        Week {
            what: "a maintenance window counts each time the clock shows it",
            watches: vec![watch(1, -50, 60, None), watch(2, 36, 200, Some(0))],
            life: DeviceLife {
                excluded: vec![Stretch::Agreed { from: wall(40), to: wall(44) }],
                ..device("d")
            },
            time: [0, 0, 8, 0, 0, 184],
            repeated: 24,
            availability: Some(100.0),
        },
    ]
}

fn weeks_of_lives() -> Vec<Week> {
    let usual_week = |what, life, time, availability| Week {
        what,
        watches: usual(),
        life,
        time,
        repeated: 0,
        availability: Some(availability),
    };
    vec![
        usual_week(
            "added on Thursday noon",
            DeviceLife { present: vec![Stretch::since(at(1, 84))], ..device("d") },
            [84, 0, 0, 0, 0, 84],
            100.0,
        ),
        usual_week(
            "removed on Tuesday, back on Friday",
            DeviceLife { present: vec![hours(-90, 24), hours(96, 168)], ..device("d") },
            [72, 0, 0, 0, 0, 96],
            100.0,
        ),
        usual_week(
            "overlapping faults count once",
            DeviceLife {
                down: vec![hours(15, 30), hours(10, 20), hours(20, 21), hours(17, 18)],
                ..device("d")
            },
            [0, 0, 0, 0, 20, 148],
            88.0952,
        ),
        usual_week(
            "down before the week, and again and still",
            DeviceLife { down: vec![hours(-20, 2), Stretch::since(at(1, 160))], ..device("d") },
            [0, 0, 0, 0, 10, 158],
            94.0476,
        ),
        usual_week(
            "down in a maintenance window is not down",
            DeviceLife {
                excluded: vec![Stretch::Agreed { from: wall(10), to: wall(20) }],
                down: vec![hours(8, 22)],
                ..device("d")
            },
            [0, 0, 10, 0, 4, 154],
            97.4684,
        ),
        usual_week(
            "what stands behind a failed device is neither up nor down",
            DeviceLife { hidden: vec![hours(12, 24)], down: vec![hours(10, 30)], ..device("d") },
            [0, 0, 0, 12, 8, 148],
            94.8718,
        ),
        usual_week(
            "no data is unknown, whatever else is said of it",
            DeviceLife {
                unwatched: vec![hours(0, 100)],
                excluded: vec![hours(10, 20)],
                hidden: vec![hours(20, 30)],
                down: vec![hours(30, 40)],
                ..device("d")
            },
            [0, 100, 0, 0, 0, 68],
            100.0,
        ),
        usual_week(
            "down before it was added is not down",
            DeviceLife { present: vec![hours(100, 168)], down: vec![hours(90, 117)], ..device("d") },
            [100, 0, 0, 0, 17, 51],
            75.0,
        ),
    ]
}

#[test]
fn known_weeks() {
    for Week { what, watches, life, time, repeated, availability } in
        weeks_of_clocks().into_iter().chain(weeks_of_lives())
    {
        let figures = of(week(), watches, &[life], &[]);
        assert_eq!(in_hours(&figures.devices[0]), time, "{what}");
        assert_eq!(figures.repeated_ms as i64, repeated * HOUR_MS, "{what}");
        let percent = figures.devices[0].availability().map(|share| (share * 1e6).round() / 1e4);
        assert_eq!(percent, availability, "{what}");
    }
}

/// The calendar is handed in: an hour less or more for summer time, a 53rd week between two years.
#[test]
fn periods_of_any_length() {
    for (what, from, to, length) in [
        ("spring forward", 0, 167, 167),
        ("autumn back", 0, 169, 169),
        ("2026-W53, 28 December to 3 January", 1008, 1176, 168),
        ("a week that is not over", 0, 60, 60),
        ("nothing", 10, 10, 0),
        ("the wrong way round", 10, 5, 0),
    ] {
        let figures = of(Period::new(wall(from), wall(to)), usual(), &[device("d")], &[]);
        assert_eq!(in_hours(&figures.devices[0]), [0, 0, 0, 0, 0, length], "{what}");
    }
}

/// A group's availability is that of its summed time: a camera seen for an hour does not weigh a week.
#[test]
fn groups_sum_durations() {
    let late = DeviceLife { present: vec![hours(167, 168)], down: vec![hours(167, 168)], ..device("late") };
    let mut router = DeviceLife { present: vec![hours(0, 8)], unwatched: vec![hours(0, 8)], ..device("r") };
    router.place.class = Class::Router;
    router.place.network = Network::Business;
    let gone = DeviceLife { present: vec![hours(-9, 0)], ..device("gone") };
    let time = of(week(), usual(), &[late, device("all-week"), router, gone], &[]).time;
    assert_eq!((time.all.devices, time.all.unseen), (3, 1));
    let cameras = time.classes[&Class::Camera];
    assert_eq!(in_hours(&cameras.time), [167, 0, 0, 0, 1, 168]);
    assert_eq!(cameras.time.availability(), Some(168.0 / 169.0));
    assert_eq!(time.classes[&Class::Router].time.availability(), None);
    assert_eq!(time.networks.keys().collect::<Vec<_>>(), [&Network::Business, &Network::Lan]);
    assert_eq!(of(week(), usual(), &[], &[]).time.all.time.availability(), None);
}
