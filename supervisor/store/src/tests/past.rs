//! Watches, presence and hidden stretches as rows, the past of an old database, and one that is handed in.

use super::*;
use crate::past::{Past, PastDevice};
use crate::schema::{MIGRATIONS, open_with};
use crate::{Batch, ClockMark, DeviceRecord, Happened, RecordFilter, Step, StoreError, begin_with};
use roundsman_core::device::{Class, Network, Tier};
use roundsman_core::fault::UNREACHABLE;
use roundsman_core::figures::account::Stretch;
use roundsman_core::figures::watch::{Moment, Watch, WatchNumber};
use roundsman_core::hidden::{Hiding, Root};
use roundsman_core::time::Now;

const MINUTE: i64 = 60_000;
const WEEK: i64 = 7 * 24 * 60 * MINUTE;

fn mark(boot: &str, minutes: i64, wall: i64, synchronised: bool) -> ClockMark {
    ClockMark { boot: boot.into(), now: Now::at((minutes * MINUTE).unsigned_abs(), wall), synchronised }
}

fn watch(number: u64, from: i64, minutes: i64, after: Option<i64>, dated: bool) -> Watch {
    let ms = |minutes: i64| (minutes * MINUTE).unsigned_abs();
    Watch {
        number: WatchNumber(number),
        from: Wall(from),
        length_ms: ms(minutes),
        after_ms: after.map(ms),
        dated,
    }
}

fn past(store: &Store, from: i64, to: i64) -> Past {
    block_on(store.reader().past(Wall(from), Wall(to))).unwrap()
}

fn site(names: &[(&str, &str)]) -> Vec<DeviceRecord> {
    let device = |(id, name): &(&str, &str)| DeviceRecord {
        id: (*id).into(),
        name: (*name).into(),
        class: Class::Router,
        profile: "huawei-vrp".into(),
        tier: Tier::County,
        network: Network::Business,
        location: "机房".into(),
    };
    names.iter().map(device).collect()
}

/// What a clock does, and the watches that it makes: start, step, restart, boot, the time learnt late and never.
#[test]
fn watches() {
    type Case<'a> = (&'a str, &'a [&'a [(&'a str, i64, i64, bool)]], Vec<Watch>);
    let t = |minutes: i64| T0 + minutes * MINUTE;
    let table: [Case<'_>; 9] = [
        (
            "one that goes on",
            &[&[("a", 5, t(0), true), ("a", 6, t(1), true)]],
            vec![watch(1, t(0), 1, None, true)],
        ),
        (
            "a step ends it",
            &[&[("a", 5, t(0), true), ("a", 6, t(61), true), ("a", 7, t(62), true)]],
            vec![watch(1, t(0), 1, None, true), watch(2, t(61), 1, Some(0), true)],
        ),
        (
            "and so does one back",
            &[&[("a", 5, t(0), true), ("a", 6, t(-59), true)]],
            vec![watch(1, t(0), 1, None, true), watch(2, t(-59), 0, Some(0), true)],
        ),
        (
            "half a second is none",
            &[&[("a", 5, t(0), true), ("a", 6, t(1) + 500, true)]],
            vec![watch(1, t(0), 1, None, true)],
        ),
        (
            "a restart",
            &[&[("a", 5, t(0), true), ("a", 6, t(1), true)], &[("a", 9, t(4), false)]],
            // What the kernel knew once in this boot is believed until its end.
            vec![watch(1, t(0), 1, None, true), watch(2, t(4), 0, Some(3), true)],
        ),
        (
            "a boot between known times",
            &[&[("a", 5, t(0), true)], &[("b", 1, t(30), true)]],
            vec![watch(1, t(0), 0, None, true), watch(2, t(30), 0, Some(30), true)],
        ),
        (
            "1970 for ever: nobody knows how long it was off",
            &[&[("a", 5, t(0), true)], &[("b", 1, 0, false), ("b", 8, 7 * MINUTE, false)]],
            vec![watch(1, t(0), 0, None, true), watch(2, 0, 7, None, false)],
        ),
        (
            "1970, and then the time: placed, over a restart too",
            &[
                &[("a", 5, t(0), true)],
                &[("b", 1, 0, false)],
                &[("b", 3, 2 * MINUTE, false), ("b", 8, t(40), true)],
            ],
            vec![
                watch(1, t(0), 0, None, true),
                watch(2, t(33), 0, Some(33), true),
                watch(3, t(35), 5, Some(2), true),
                watch(4, t(40), 0, Some(0), true),
            ],
        ),
        (
            "right before the kernel knew it: nothing moves",
            &[&[("a", 5, t(0), false), ("a", 6, t(1), true), ("a", 7, t(2), false)]],
            vec![watch(1, t(0), 2, None, true)],
        ),
    ];
    for (what, runs, expected) in table {
        let dir = tempfile::tempdir().unwrap();
        for run in runs {
            let (store, _) = open(dir.path());
            for &(boot, minutes, wall, synchronised) in *run {
                block_on(store.mark_clock(mark(boot, minutes, wall, synchronised))).unwrap();
            }
            store.close();
        }
        let (store, _) = open(dir.path());
        assert_eq!(past(&store, T0 - WEEK, T0 + WEEK).watches.as_slice(), expected, "{what}");
    }
}

/// A batch that waited for the disk while the clock was set: its transitions stay where they were judged.
#[test]
fn a_moment_before_the_latest_mark_keeps_its_watch() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let at = |minutes: i64, wall: i64| Now::at((minutes * MINUTE).unsigned_abs(), wall);
    let (before, after) = (T0 + MINUTE, T0 + 90 * MINUTE);
    let mut first = fault(1, "a");
    first.first_bad = Wall(T0);
    let steps = vec![
        Step {
            now: at(6, before),
            transition: Some(Transition {
                id: 1,
                at: Wall(before),
                change: Change::Raised,
                fault: first.clone(),
            }),
            hidden: vec![],
        },
        Step { now: at(7, after), transition: Some(ended(2, first, after)), hidden: vec![] },
    ];
    block_on(async {
        store.mark_clock(mark("b", 5, T0, true)).await.unwrap();
        store.mark_clock(mark("b", 7, after, true)).await.unwrap();
        store.commit(Batch { mark: Some(mark("b", 8, after + MINUTE, true)), steps }).await.unwrap();
    });
    let life = past(&store, T0, T0 + WEEK).faults.remove(0);
    assert_eq!((life.first_bad, life.raised), (Moment::new(1, T0), Moment::new(1, before)));
    assert_eq!(life.ended, Some((Moment::new(2, after), Ending::Cleared)));
}

#[test]
fn a_device_is_present_from_reload_to_reload() {
    let dir = tempfile::tempdir().unwrap();
    let t = |minutes: i64| T0 + minutes * MINUTE;
    let save = |store: &Store, minutes: i64, names: &[(&str, &str)]| {
        block_on(store.save_devices(site(names), mark("b", minutes, t(minutes), true))).unwrap();
    };
    let (store, _) = open(dir.path());
    save(&store, 1, &[("a", "甲"), ("b", "乙")]);
    save(&store, 2, &[("a", "甲"), ("b", "乙")]);
    save(&store, 3, &[("b", "乙二")]);
    store.close();
    let (store, _) = open(dir.path());
    save(&store, 9, &[("a", "甲"), ("b", "乙二")]);
    let lived = |watch: u64, from: i64, to: u64, until: i64| {
        Stretch::lived(Moment::new(watch, t(from)), Moment::new(to, t(until)))
    };
    let found = past(&store, T0, t(100));
    let stretches: Vec<_> = found.devices.iter().map(|life| (&*life.id, life.present.clone())).collect();
    let since = |watch, minutes| Stretch::since(Moment::new(watch, t(minutes)));
    assert_eq!(
        stretches,
        [("a", vec![lived(1, 1, 1, 3), since(2, 9)]), ("b", vec![lived(1, 1, 1, 3), since(1, 3)])]
    );
    let name = |past: &Past| past.names["b"].name.to_string();
    assert_eq!((name(&found), name(&past(&store, T0, t(2)))), ("乙二".to_owned(), "乙".to_owned()));
    assert_eq!(
        found.names["a"],
        PastDevice { name: "甲".into(), location: "机房".into(), profile: "huawei-vrp".into() }
    );
    assert_eq!(past(&store, T0 - WEEK, T0).devices, []);
}

/// What an old database does not know is unknown: no watch, no device, no distance.
#[test]
fn version_5_has_faults_and_nothing_to_measure_them_by() {
    let dir = tempfile::tempdir().unwrap();
    let old = open_with(dir.path(), &MIGRATIONS[..5]).unwrap();
    old.execute_batch(include_str!("../../testdata/v5.sql")).unwrap();
    drop(old);
    let (store, restored) = open(dir.path());
    assert_eq!((restored.open.len(), restored.next_transition, &restored.clock), (1, 5, &None));
    let found = past(&store, T0 - WEEK, T0 + WEEK);
    assert_eq!((found.watches.as_slice().len(), found.devices.len(), found.faults.len()), (0, 0, 2));
    let life = &found.faults[0];
    let (ended, _) = life.ended.unwrap();
    assert_eq!((life.raised.wall, ended.wall), (Wall(T0 + 20_000), Wall(T0 + 40_000)));
    assert!(life.raised < ended, "in the order of the transitions");
    assert_eq!(found.watches.between_ms(life.raised, ended), None);
    assert_eq!(found.watches.between_ms(life.first_bad, ended), None);

    // What comes after it is measured; the open fault began in times that nobody knows.
    let mark = |minutes: i64| mark("new", minutes, T0 + minutes * MINUTE, true);
    let end = super::ended(5, restored.open[0].clone(), T0 + 11 * MINUTE);
    let step = Step { now: mark(11).now, transition: Some(end), hidden: vec![] };
    block_on(async {
        store.save_devices(site(&[("rt-city-core", "核心")]), mark(10)).await.unwrap();
        store.commit(Batch { mark: Some(mark(11)), steps: vec![step] }).await.unwrap();
    });
    let found = past(&store, T0 - WEEK, T0 + WEEK);
    let life = found.faults.iter().find(|life| life.id == restored.open[0].id).unwrap();
    let (ended, _) = life.ended.unwrap();
    assert!(life.raised < ended && found.watches.as_slice().len() == 1, "{life:?}");
    assert_eq!(found.watches.between_ms(life.raised, ended), None);
    assert_eq!(found.devices[0].present, [Stretch::since(Moment::new(ended.watch.0, T0 + 10 * MINUTE))]);
}

/// A day in which a line fails and two stations stand behind it.
fn beginning() -> Vec<Happened> {
    let mark = |minutes: i64| mark("before", minutes, T0 + minutes * MINUTE, true);
    let out = |id: u64, device: &str, minutes: i64| Fault {
        key: FaultKey { device: device.into(), rule: UNREACHABLE.into(), instance: "".into() },
        first_bad: Wall(T0 + minutes * MINUTE),
        confirmed: Wall(T0 + minutes * MINUTE),
        ..fault(id, device)
    };
    let begin = |id: u64, fault: &Fault| Transition {
        id,
        at: fault.confirmed,
        change: Change::Raised,
        fault: fault.clone(),
    };
    let (line, station) = (out(1, "line", 10), out(2, "station", 10));
    let root = Root { fault: FaultId(1), device: "line".into() };
    let hidden = |behind| vec![Hiding { device: "station".into(), behind }];
    let step = |minutes: i64, transition, hidden| Step { now: mark(minutes).now, transition, hidden };
    let at = T0 + 40 * MINUTE;
    let steps = vec![
        step(10, Some(begin(1, &line)), vec![]),
        step(10, Some(begin(2, &station)), hidden(Some(root.clone()))),
        step(40, Some(ended(3, line, at)), hidden(None)),
        step(41, Some(ended(4, station, at + MINUTE)), vec![]),
    ];
    vec![
        Happened::Site(mark(0), site(&[("line", "线路"), ("station", "所")])),
        Happened::Judged(Batch { mark: Some(mark(41)), steps }),
        Happened::Recorded(Box::new(super::maintenance::new("换了光模块"))),
        Happened::Watched(mark(24 * 60)),
        Happened::Started,
        Happened::Watched(mark(24 * 60 + 5)),
    ]
}

#[test]
fn a_past_that_is_handed_in_is_a_past_like_any_other() {
    let dir = tempfile::tempdir().unwrap();
    begin_with(dir.path(), beginning()).unwrap();
    let (store, restored) = open(dir.path());
    assert_eq!((restored.next_fault, restored.next_transition), (FaultId(3), 5));
    assert_eq!((restored.numbers, restored.hidden), (vec![(2026, 2)], vec![]));
    let found = past(&store, T0, T0 + WEEK);
    let names: Vec<&str> = found.devices.iter().map(|life| &*life.id).collect();
    assert_eq!(names, ["line", "station"]);
    let stretch = Stretch::lived(Moment::new(1, T0 + 10 * MINUTE), Moment::new(1, T0 + 40 * MINUTE));
    assert_eq!((&found.devices[1].hidden, &found.devices[0].down), (&vec![stretch], &vec![stretch]));
    assert_eq!(found.faults[1].behind, Some(FaultId(1)));
    let lengths: Vec<u64> = found.watches.as_slice().iter().map(|watch| watch.length_ms).collect();
    assert_eq!(lengths, [24 * 3_600_000, 0]);
    assert_eq!(block_on(store.reader().transitions_after(0, 10)).unwrap().len(), 4);
    assert_eq!(block_on(store.reader().records(RecordFilter::default(), 10, None)).unwrap().len(), 1);
    block_on(store.commit(vec![raised(5, fault(3, "line"))])).unwrap();
    store.close();
    let again = begin_with(dir.path(), beginning());
    assert!(matches!(again, Err(StoreError::Contradiction { .. })), "{again:?}");
    assert_eq!(open(dir.path()).1.next_transition, 6, "and nothing was changed");
}

#[test]
fn half_a_past_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut gap = beginning();
    let Happened::Judged(batch) = &mut gap[1] else { panic!("steps") };
    batch.steps.remove(2);
    assert_eq!(begin_with(dir.path(), gap), Err(StoreError::OutOfOrder { expected: 3, got: 4 }));
    let (store, restored) = open(dir.path());
    assert_eq!((restored.next_transition, restored.clock), (1, None));
    assert_eq!(past(&store, T0, T0 + WEEK).devices, []);
    store.close();
    begin_with(dir.path(), beginning()).unwrap();
}

/// What was hidden when the service ended is hidden when it starts, until somebody says otherwise.
#[test]
fn who_is_hidden_survives_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = beginning();
    first.truncate(2);
    let Happened::Judged(batch) = &mut first[1] else { panic!("steps") };
    batch.steps.truncate(2);
    begin_with(dir.path(), first).unwrap();
    let (store, restored) = open(dir.path());
    assert_eq!(
        restored.hidden,
        [Hiding {
            device: "station".into(),
            behind: Some(Root { fault: FaultId(1), device: "line".into() })
        }]
    );
    let later = mark("later", 3, T0 + 100 * MINUTE, true);
    let hidden = vec![Hiding { device: "station".into(), behind: None }];
    let steps = vec![Step { now: later.now, transition: None, hidden }];
    block_on(store.commit(Batch { mark: Some(later), steps })).unwrap();
    let found = past(&store, T0, T0 + WEEK);
    let stretch = Stretch::lived(Moment::new(1, T0 + 10 * MINUTE), Moment::new(2, T0 + 100 * MINUTE));
    assert_eq!(found.devices[1].hidden, [stretch]);
}
