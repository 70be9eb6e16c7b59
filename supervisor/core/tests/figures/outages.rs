//! Known faults, and what they make of a week.

use crate::lives::{
    HOUR_MS, WEEK, at, device, fault, hours, of, since_1970, undated, usual, wall, watch, week,
};
use roundsman_core::fault::{Ending, FaultId};
use roundsman_core::figures::account::{Period, Stretch};
use roundsman_core::figures::availability::DeviceLife;
use roundsman_core::figures::faults::{FaultLife, MOST_REPEATS, Mean, Tally};
use roundsman_core::figures::standing::Standing;
use roundsman_core::figures::watch::Watches;
use roundsman_core::rule::Severity;

/// What is open at the end of the 53rd week is carried into the first.
#[test]
fn a_fault_over_new_year() {
    let faults = [fault(1, "d", 1170, Some(1180))];
    let counts = |from, to| {
        let tally = of(Period::new(wall(from), wall(to)), usual(), &[device("d")], &faults).faults.groups.all;
        [tally.carried_in, tally.new, tally.ended, tally.open]
    };
    assert_eq!(counts(840, 1008), [0, 0, 0, 0], "2026-W52");
    assert_eq!(counts(1008, 1176), [0, 1, 0, 1], "2026-W53");
    assert_eq!(counts(1176, 1344), [1, 0, 1, 0], "2027-W01");
    assert_eq!(counts(1344, 1512), [0, 0, 0, 0], "2027-W02");
}

fn mean(count: u32, hours: i64) -> Mean {
    Mean { count, sum_ms: (hours * HOUR_MS) as u64, unknown: 0 }
}

#[test]
fn edges_of_the_week() {
    let one_new = Tally { new: 1, ..Tally::default() };
    let ended = Tally { ended: 1, acknowledgement: mean(1, 1), ..Tally::default() };
    for (what, fault, expected) in [
        ("over before", fault(1, "d", -20, Some(-1)), Tally::default()),
        (
            "over at the first moment",
            fault(1, "d", -20, Some(0)),
            Tally { carried_in: 1, repair: mean(1, 20), ..ended },
        ),
        ("raised at the first moment", fault(1, "d", -1, None), Tally { open: 1, ..one_new }),
        ("inside", fault(1, "d", 10, Some(14)), Tally { new: 1, repair: mean(1, 4), ..ended }),
        (
            "over at the last moment is over next week",
            fault(1, "d", 160, Some(WEEK)),
            Tally { open: 1, ..one_new },
        ),
        ("raised at the last moment is next week's", fault(1, "d", WEEK - 1, None), Tally::default()),
        (
            "all week and longer",
            fault(1, "d", -500, Some(500)),
            Tally { carried_in: 1, open: 1, ..Tally::default() },
        ),
        (
            "withdrawn is not repaired",
            FaultLife { ended: Some((at(1, 14), Ending::Withdrawn)), ..fault(1, "d", 10, Some(14)) },
            Tally { new: 1, withdrawn: 1, ..ended },
        ),
        (
            "latched: repaired when the condition was over, ended when it was closed",
            FaultLife { ended: Some((at(1, 100), Ending::Closed)), ..fault(1, "d", 10, Some(14)) },
            Tally { new: 1, repair: mean(1, 4), ..ended },
        ),
        (
            "nobody took note",
            FaultLife { acknowledged: None, ..fault(1, "d", 10, Some(14)) },
            Tally { new: 1, ended: 1, unacknowledged: 1, repair: mean(1, 4), ..Tally::default() },
        ),
    ] {
        let figures = of(week(), usual(), &[device("d")], &[fault]);
        assert_eq!(figures.faults.groups.all, expected, "{what}");
    }
}

/// The clock was set back from Monday into Sunday while a fault was open: it belongs to the new week alone.
#[test]
fn a_step_back_over_the_edge_of_the_week() {
    let watches = vec![watch(1, -50, 5, None), watch(2, -10, 168, Some(0))];
    let fault = FaultLife {
        cleared: Some(at(2, -5)),
        ended: Some((at(2, -5), Ending::Cleared)),
        ..fault(1, "d", 1, None)
    };
    let counts = |from, to| {
        let period = Period::new(wall(from), wall(to));
        let tally =
            of(period, watches.clone(), &[device("d")], std::slice::from_ref(&fault)).faults.groups.all;
        ([tally.carried_in, tally.new, tally.ended, tally.open], tally.repair)
    };
    assert_eq!(counts(-168, 0), ([0, 0, 0, 0], Mean::default()));
    assert_eq!(counts(0, 168), ([0, 1, 1, 0], mean(1, 9)), "four hours to the step, five after it");
    assert_eq!(counts(168, 336), ([0, 0, 0, 0], Mean::default()));
}

/// Times of faults that the clock was set under, or the box was off under.
#[test]
fn times_are_monotonic() {
    for (what, watches, from, to, expected) in [
        (
            "a day forward",
            vec![watch(1, 0, 60, None), watch(2, 84, 168, Some(0))],
            at(1, 59),
            at(2, 85),
            Some(2),
        ),
        (
            "a day back",
            vec![watch(1, 0, 60, None), watch(2, 36, 168, Some(0))],
            at(1, 59),
            at(2, 37),
            Some(2),
        ),
        (
            "off, both synchronised",
            vec![watch(1, 0, 24, None), watch(2, 96, 168, Some(72))],
            at(1, 20),
            at(2, 97),
            Some(77),
        ),
        (
            "off, nobody knows",
            vec![watch(1, 0, 24, None), watch(2, 96, 168, None)],
            at(1, 20),
            at(2, 97),
            None,
        ),
        (
            "1970, then set",
            vec![undated(1, 6, None), watch(2, 72, 168, Some(0))],
            since_1970(1, 1),
            at(2, 74),
            Some(7),
        ),
        ("within 1970", vec![undated(1, 6, None)], since_1970(1, 1), since_1970(1, 4), Some(3)),
        ("from before the records", vec![watch(2, 0, 168, None)], at(1, -20), at(2, 1), None),
    ] {
        let watches = Watches::new(watches);
        let found = watches.between_ms(from, to).map(|ms| ms as i64 / HOUR_MS);
        assert_eq!(found, expected, "{what}");
        if from < to {
            assert_eq!(watches.between_ms(to, from), None, "{what}, backwards");
        }
    }
}

/// The wall time of a fault's first evidence, after the clock was set back a day in watch 2 and forward in watch 3.
#[test]
fn moments_without_a_watch() {
    let watches = [watch(1, 0, 60, None), watch(2, 36, 48, Some(0)), watch(3, 70, 168, Some(0))];
    let watches = Watches::new(watches.to_vec());
    for (what, hour, later, expected) in [
        ("the same watch", 80, at(3, 81), Some(at(3, 80))),
        ("before the step forward", 47, at(3, 70), Some(at(2, 47))),
        ("the nearer of two", 40, at(3, 70), Some(at(2, 40))),
        ("not later than what followed it", 45, at(2, 44), Some(at(1, 45))),
        ("before the step back", 59, at(2, 37), Some(at(1, 59))),
        ("a time the clock never showed", 65, at(3, 80), None),
        ("from before the records", -5, at(1, 3), None),
    ] {
        assert_eq!(watches.moment_before(wall(hour), later), expected, "{what}");
    }
}

/// What cannot be measured is said, and not averaged.
#[test]
fn unmeasured_repairs_are_counted_apart() {
    let off = vec![watch(1, 0, 24, None), watch(2, 96, 168, None)];
    let across = FaultLife {
        cleared: Some(at(2, 97)),
        ended: Some((at(2, 97), Ending::Cleared)),
        ..fault(2, "d", 20, None)
    };
    let figures = of(week(), off, &[device("d")], &[fault(1, "d", 2, Some(8)), across]);
    let repair = figures.faults.groups.all.repair;
    assert_eq!(repair, Mean { count: 1, sum_ms: 6 * HOUR_MS as u64, unknown: 1 });
    assert_eq!(repair.mean_ms(), Some(6 * HOUR_MS as u64));
    assert_eq!(Mean::default().mean_ms(), None);
}

/// A county line fails, three stations disappear behind it: one outage.
#[test]
fn hidden_faults_count_once_under_their_root() {
    let behind = |id, root| FaultLife { behind: Some(FaultId(root)), ..fault(id, "station", 10, Some(20)) };
    let faults = [
        fault(1, "county", 10, Some(20)),
        behind(2, 1),
        behind(3, 1),
        behind(4, 3),
        // Behind one that nobody knows, and two behind each other: they stand for themselves.
        behind(5, 99),
        behind(6, 7),
        behind(7, 6),
    ];
    let found = of(week(), usual(), &[device("county"), device("station")], &faults).faults;
    assert_eq!((found.groups.all.new, found.groups.all.hidden, found.groups.all.repair.count), (4, 3, 4));
    assert_eq!(found.roots.into_iter().collect::<Vec<_>>(), [(FaultId(1), 3)]);
    assert_eq!(found.repeats.len(), 1, "hidden ones do not make a repeat offender: {:?}", found.repeats);
    assert_eq!(found.repeats[0].numbers.iter().map(|n| n.sequence).collect::<Vec<_>>(), [5, 6, 7]);
}

#[test]
fn repeat_offenders() {
    let of_device = |id, name: &str, hour| fault(id, name, hour, Some(hour + 2));
    let mut faults = vec![
        of_device(1, "twice", 5),
        of_device(2, "twice", 50),
        of_device(3, "thrice", 5),
        of_device(4, "thrice", 20),
        of_device(5, "thrice", 40),
        // The same number again, as a reopening leaves it: one fault.
        of_device(6, "once", 10),
        of_device(6, "once", 10),
        // Last week's does not count.
        of_device(7, "carried", -2),
        of_device(8, "carried", 30),
    ];
    faults[0].severity = Severity::Critical;
    faults[1].key.instance = "GE0/0/1".into();
    for extra in 0..MOST_REPEATS as u64 + 1 {
        let name = format!("extra-{extra:02}");
        faults.push(of_device(100 + 2 * extra, &name, 3));
        faults.push(of_device(101 + 2 * extra, &name, 60));
    }
    let found = of(week(), usual(), &[], &faults).faults;
    let told: Vec<_> = found.repeats.iter().map(|r| (&*r.device, r.numbers.len(), r.worst)).collect();
    assert_eq!(
        told[..3],
        [("thrice", 3, Severity::Major), ("twice", 2, Severity::Critical), ("extra-00", 2, Severity::Major)]
    );
    assert_eq!((told.len(), found.repeats_left_off), (MOST_REPEATS, 3));
    assert_eq!(found.groups.classes.len(), 0, "a fault of an unknown device has no class");
}

/// A device counts once, with its worst.
#[test]
fn the_table_of_equipment_health() {
    let critical = FaultLife { severity: Severity::Critical, ..fault(2, "both", 20, None) };
    let latched = FaultLife { cleared: Some(at(1, 30)), ..fault(5, "latched", 20, None) };
    let behind = FaultLife { behind: Some(FaultId(1)), ..fault(6, "behind", 21, None) };
    let warning = FaultLife { severity: Severity::Warning, ..fault(7, "warned", 21, None) };
    let faults = [
        fault(1, "both", 10, None),
        critical,
        fault(3, "major", 100, None),
        fault(4, "repaired", 100, Some(120)),
        latched,
        behind,
        warning,
    ];
    let devices = [
        device("both"),
        device("major"),
        device("repaired"),
        device("latched"),
        device("warned"),
        DeviceLife { hidden: vec![Stretch::since(at(1, 20))], ..device("behind") },
        DeviceLife { unwatched: vec![hours(-9, 999)], ..device("dark") },
        DeviceLife { present: vec![hours(0, 100)], ..device("gone") },
    ];
    let figures = of(week(), usual(), &devices, &faults);
    let expected = Standing { devices: 7, critical: 1, major: 1, lesser: 1, hidden: 1, unseen: 1, well: 2 };
    assert_eq!(figures.standing.all, expected);
    assert_eq!(figures.standing.all.serviceability(), Some(2.0 / 7.0));
    assert_eq!(Standing::default().serviceability(), None);
}
