//! Known weeks through the whole way: supervisor, store, figures. The calendar is jiff's, in the site's zone.
//!
//! One device besides the switch of the box: it breaks on Tuesday at 10:00 and is mended two hours later.

use crate::product::{Product, block_on};
use crate::world::{BootClock, DEVICES, Event, Physics, TICK};
use jiff::civil::date;
use jiff::tz::TimeZone;
use roundsman_core::figures::account::Period;
use roundsman_core::figures::availability::Durations;
use roundsman_core::figures::{self, Figures, figures};
use roundsman_core::time::Wall;
use roundsman_store::{Past, Store};

const HOUR: u64 = 3_600;
/// The camera.
const CAMERA: usize = 3;

/// A week and what happens in it, in hours after its begin.
struct Week<'a> {
    what: &'a str,
    zone: &'a str,
    year: i16,
    week: i8,
    happens: &'a [(u64, Event)],
    /// How long the box is watched, hours after the week's begin.
    until: u64,
    /// Seconds of the camera: absent, unknown, down, up.
    time: [u64; 4],
    repeated: u64,
    /// Faults of the week.
    faults: u32,
}

/// The wall times of an ISO week, s.
fn span(zone: &str, year: i16, week: i8) -> (i64, i64) {
    let zone = TimeZone::get(zone).expect("a zone");
    // 4 January is in week 1 of its year, whatever the day.
    let first = date(year, 1, 4);
    let monday = first - jiff::Span::new().days(i64::from(first.weekday().to_monday_zero_offset()));
    let monday = monday + jiff::Span::new().weeks(i64::from(week) - 1);
    let at = |day: jiff::civil::Date| day.to_zoned(zone.clone()).expect("a midnight").timestamp().as_second();
    (at(monday), at(monday + jiff::Span::new().weeks(1)))
}

const BREAK: (u64, Event) = (34, Event::Break(CAMERA));
const MEND: (u64, Event) = (36, Event::Mend(CAMERA));
const BOOT: (u64, Event) = (0, Event::Boot(BootClock::Right));
/// From the first poll that failed to the second that was good.
const DOWN: u64 = 2 * HOUR + 2;

fn weeks() -> Vec<Week<'static>> {
    let usual = Week {
        what: "a usual week",
        zone: "Asia/Shanghai",
        year: 2026,
        week: 47,
        happens: &[BOOT, BREAK, MEND],
        until: 168,
        time: [0, 0, DOWN, 168 * HOUR - DOWN],
        repeated: 0,
        faults: 1,
    };
    vec![
        Week {
            what: "empty: the box never ran",
            happens: &[],
            time: [168 * HOUR, 0, 0, 0],
            faults: 0,
            ..usual
        },
        Week {
            what: "off from Tuesday 11:00 for three days, the camera is mended meanwhile",
            happens: &[BOOT, BREAK, (35, Event::PowerOff), MEND, (107, Event::Boot(BootClock::Right))],
            // The last mark is a minute before the power fails; down goes on until somebody looks.
            time: [0, 72 * HOUR + TICK, HOUR - TICK + 2, 168 * HOUR - 73 * HOUR - 2],
            ..usual
        },
        Week {
            what: "added on Thursday noon, without its failure on Tuesday",
            happens: &[BOOT, (0, Event::Remove(CAMERA)), BREAK, MEND, (84, Event::Add(CAMERA))],
            time: [84 * HOUR, 0, 0, 84 * HOUR],
            faults: 0,
            ..usual
        },
        Week {
            what: "1970 at boot, set on Wednesday: placed later",
            happens: &[(0, Event::Boot(BootClock::Epoch)), BREAK, MEND, (60, Event::Synchronise)],
            ..usual
        },
        Week {
            what: "1970 at boot and for ever: never placed, unknown, and its fault is of no week",
            happens: &[(0, Event::Boot(BootClock::Epoch)), BREAK, MEND],
            time: [0, 168 * HOUR, 0, 0],
            faults: 0,
            ..usual
        },
        Week {
            what: "a day forward on Wednesday: a day without a name",
            happens: &[BOOT, BREAK, MEND, (60, Event::Step(86_400))],
            until: 144,
            time: [0, 24 * HOUR, DOWN, 144 * HOUR - DOWN],
            ..usual
        },
        Week {
            what: "a day back on Wednesday: eight days were lived",
            happens: &[BOOT, BREAK, MEND, (60, Event::Step(-86_400))],
            until: 192,
            time: [0, 0, DOWN, 192 * HOUR - DOWN],
            repeated: 24 * HOUR,
            ..usual
        },
        Week { what: "the 53rd week of 2026", week: 53, ..usual },
        Week {
            what: "summer time begins",
            zone: "Europe/Berlin",
            week: 13,
            until: 167,
            time: [0, 0, DOWN, 167 * HOUR - DOWN],
            ..usual
        },
        Week {
            what: "summer time ends",
            zone: "Europe/Berlin",
            week: 43,
            until: 169,
            time: [0, 0, DOWN, 169 * HOUR - DOWN],
            ..usual
        },
        usual,
    ]
}

fn figures_of(past: &Past, (from, to): (i64, i64)) -> Figures {
    let period = Period::new(Wall(from * 1000), Wall(to * 1000));
    figures(period, figures::Past { watches: &past.watches, devices: &past.devices, faults: &past.faults })
}

/// Lives a week at its events and an hour's marks between: nothing happens at the other polls.
fn live(week: &Week<'_>, span: (i64, i64)) -> Past {
    let dir = tempfile::tempdir().expect("a folder");
    let mut physics = Physics::new();
    physics.in_site = std::array::from_fn::<bool, DEVICES, _>(|id| matches!(id, 0 | 1 | CAMERA));
    let mut product = Product::new(dir.path(), span.0 * 1000);
    let mut ticks: Vec<u64> = (0..=week.until).map(|hour| hour * HOUR).collect();
    // What happens is seen at once, and the last mark before it is a minute old.
    ticks.extend(week.happens.iter().filter(|(hour, _)| *hour > 0).map(|(hour, _)| hour * HOUR - TICK));
    ticks.sort_unstable();
    ticks.dedup();
    for at in ticks {
        for (_, event) in week.happens.iter().filter(|(hour, _)| hour * HOUR == at) {
            physics.apply(*event);
            product.happens(at, *event, &physics);
        }
        for second in 0..=9 {
            product.second(at + second, &physics);
        }
    }
    product.past(span.0 * 1000, span.1 * 1000)
}

#[test]
fn known_weeks() {
    for week in weeks() {
        let span = span(week.zone, week.year, week.week);
        let figures = figures_of(&live(&week, span), span);
        let absent = Durations { absent_ms: figures.period.length_ms(), ..Durations::default() };
        // Three devices, the camera is the last of them; none where the box never ran.
        let Durations { absent_ms, unknown_ms, excluded_ms, hidden_ms, down_ms, up_ms } =
            figures.devices.last().copied().unwrap_or(absent);
        assert_eq!((excluded_ms, hidden_ms), (0, 0), "{}", week.what);
        let time = [absent_ms, unknown_ms, down_ms, up_ms].map(|ms| ms / 1000);
        assert_eq!(time, week.time, "{}: {figures:#?}", week.what);
        assert_eq!(figures.repeated_ms / 1000, week.repeated, "{}", week.what);
        let all = figures.faults.groups.all;
        assert_eq!((all.new, all.ended, all.open), (week.faults, week.faults, 0), "{}", week.what);
    }
}

/// The week before and the week after have nothing of it but the devices.
#[test]
fn a_week_has_what_is_its_own() {
    let weeks = weeks();
    let usual = weeks.last().expect("a usual week");
    let (from, to) = span(usual.zone, usual.year, usual.week);
    let dir = tempfile::tempdir().expect("a folder");
    let mut product = Product::new(dir.path(), from * 1000);
    let physics = Physics::new();
    product.happens(0, BOOT.1, &physics);
    product.second(0, &physics);
    product.second(168 * HOUR, &physics);
    drop(product);
    let (store, _) = Store::open(dir.path(), Wall(to * 1000)).expect("the store opens");
    let past = |from: i64, to: i64| {
        block_on(store.reader().past(Wall(from * 1000), Wall(to * 1000))).expect("the past is read")
    };
    let week = to - from;
    assert_eq!(past(from - week, from).devices, []);
    assert_eq!(past(from, to).devices.len(), 7);
    // Nobody said that they are gone, and nobody watched.
    let after = past(to, to + week);
    assert_eq!(after.devices.len(), 7);
    assert_eq!(figures_of(&after, (to, to + week)).time.all.unseen, 7);
}
