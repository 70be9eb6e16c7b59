//! Power cuts, damaged, foreign, newer and older files.

use super::*;
use crate::schema::{FILE, LOCK, MIGRATIONS, open_with};
use crate::{
    ClockMark, FaultFilter, History, LatestDevice, LatestReading, Named, SeriesName, Span, StoreError,
};
use roundsman_core::fault::Acknowledgement;
use roundsman_core::time::{Mono, Now};
use rusqlite::Connection;
use std::fs;

fn copy(from: &Path, to: &Path, wal_bytes: Option<u64>) {
    fs::copy(from.join(FILE), to.join(FILE)).unwrap();
    let wal = format!("{FILE}-wal");
    fs::copy(from.join(&wal), to.join(&wal)).unwrap();
    if let Some(length) = wal_bytes {
        fs::File::options().write(true).open(to.join(&wal)).unwrap().set_len(length).unwrap();
    }
}

#[test]
fn a_power_cut_loses_nothing_that_was_answered() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let written: Vec<Transition> = (1..=12).map(|id| raised(id, fault(id, &format!("d{id}")))).collect();
    for n in 0..12 {
        block_on(store.commit(vec![written[n].clone()])).unwrap();
        let cut = tempfile::tempdir().unwrap();
        copy(dir.path(), cut.path(), None);
        let (after, restored) = open(cut.path());
        assert_eq!(restored.next_transition, n as u64 + 2);
        assert_eq!(block_on(after.reader().transitions_after(0, 100)).unwrap(), written[..=n]);
    }
}

#[test]
fn a_journal_torn_anywhere_gives_whole_transactions_or_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    // Two transitions a call: an odd number of them would be half a transaction.
    for n in 0..6_u64 {
        let two = [2 * n + 1, 2 * n + 2].map(|id| raised(id, fault(id, &format!("d{id}"))));
        block_on(store.commit(two.to_vec())).unwrap();
    }
    let length = fs::metadata(dir.path().join(format!("{FILE}-wal"))).unwrap().len();
    let mut seen = std::collections::BTreeSet::new();
    for cut_at in (0..length).step_by(1_777) {
        let cut = tempfile::tempdir().unwrap();
        copy(dir.path(), cut.path(), Some(cut_at));
        let (_store, restored) = open(cut.path());
        let stored = restored.next_transition - 1;
        assert_eq!(stored % 2, 0, "cut at {cut_at} of {length}");
        assert_eq!(restored.open.len() as u64, stored);
        seen.insert(stored);
    }
    assert!(seen.len() > 3, "the cuts fell on too few transactions: {seen:?}");
}

#[test]
fn one_process_at_a_time() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let second = Store::open(dir.path(), Wall(T0)).map(|_| ());
    assert_eq!(second, Err(StoreError::InUse { path: dir.path().join(LOCK) }));
    store.close();
    open(dir.path());
}

fn refused(dir: &Path) -> StoreError {
    let before = fs::read(dir.join(FILE)).ok();
    let error = Store::open(dir, Wall(T0)).map(|_| ()).unwrap_err();
    assert_eq!(fs::read(dir.join(FILE)).ok(), before, "a refused file must stay as it is");
    error
}

#[test]
fn a_damaged_file_is_refused_and_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let all = (1..=400).map(|id| raised(id, fault(id, &format!("d{id}"))));
    block_on(store.commit(all.collect::<Vec<_>>())).unwrap();
    store.close();
    let file = dir.path().join(FILE);
    let good = fs::read(&file).unwrap();
    assert!(good.len() > 60_000);
    let mut holes = good.clone();
    holes[20_000..40_000].fill(0x5a);
    let mut header = good.clone();
    header[..16].fill(0);
    let broken: [(&str, &[u8]); 4] = [
        ("empty", b""),
        ("text", b"this is no database, it is a letter to the manager"),
        ("holes", &holes),
        ("header", &header),
    ];
    for (name, bytes) in broken {
        fs::write(&file, bytes).unwrap();
        let error = refused(dir.path());
        assert!(matches!(error, StoreError::Damaged { .. }), "{name}: {error}");
        assert!(error.to_string().contains("roundsman restore FILE"), "{name}: {error}");
    }
    fs::write(&file, &good[..good.len() / 2]).unwrap();
    assert!(matches!(refused(dir.path()), StoreError::Damaged { .. }));
    fs::write(&file, &good).unwrap();
    assert_eq!(open(dir.path()).1.open.len(), 400);
}

#[test]
fn a_lost_file_beside_its_journal_is_not_a_fresh_start() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    block_on(store.commit(vec![raised(1, fault(1, "d1"))])).unwrap();
    let cut = tempfile::tempdir().unwrap();
    copy(dir.path(), cut.path(), None);
    fs::remove_file(cut.path().join(FILE)).unwrap();
    assert!(matches!(refused(cut.path()), StoreError::Damaged { .. }));
}

#[test]
fn a_foreign_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let other = Connection::open(dir.path().join(FILE)).unwrap();
    other.execute_batch("CREATE TABLE bookmarks (url TEXT)").unwrap();
    drop(other);
    assert!(matches!(refused(dir.path()), StoreError::Foreign { .. }));
}

#[test]
fn a_newer_database_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).0.close();
    let conn = Connection::open(dir.path().join(FILE)).unwrap();
    conn.pragma_update(None, "user_version", 99).unwrap();
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(conn);
    let error = refused(dir.path());
    let known = MIGRATIONS.len() as i64;
    assert_eq!(error, StoreError::Newer { path: dir.path().join(FILE), found: 99, known });
}

#[test]
fn version_1_is_migrated_and_a_copy_of_it_kept() {
    let dir = tempfile::tempdir().unwrap();
    let old = open_with(dir.path(), &MIGRATIONS[..1]).unwrap();
    old.execute_batch(include_str!("../../testdata/v1.sql")).unwrap();
    drop(old);

    let (store, restored) = Store::open(dir.path(), Wall(T0 + 60_000)).unwrap();
    assert_eq!(restored.open.len(), 1);
    let open = &restored.open[0];
    assert_eq!(open.number.to_string(), "F-2026-0001");
    assert_eq!(open.acknowledged, Some(Acknowledgement { by: "王工".into(), at: Wall(T0 + 60_000) }));
    assert_eq!(open.value, Some(Value::Number(68.5)));
    assert_eq!(restored.recent[0].ending, Some(Ending::Withdrawn));
    assert_eq!((restored.next_fault, restored.next_transition), (FaultId(3), 6));
    assert_eq!((restored.clock, restored.hidden), (None, vec![]), "a mark alone is no watch");
    block_on(async {
        let history = store.reader().fault(FaultId(1)).await.unwrap().unwrap().1;
        assert_eq!(history[1].change, Change::Severity { from: Severity::Minor });
        assert_eq!(&*history[0].fault.summary.zh, "板卡温度 61 ℃");
        store.commit(vec![raised(6, fault(3, "new"))]).await.unwrap();
        assert_eq!(store.reader().faults(FaultFilter::Open, None, 9, None).await.unwrap().len(), 2);
    });

    let kept = Connection::open(dir.path().join(format!("{FILE}.before-v2"))).unwrap();
    let version: i64 = kept.pragma_query_value(None, "user_version", |r| r.get(0)).unwrap();
    let transitions: i64 = kept.query_row("SELECT count(*) FROM transition", [], |r| r.get(0)).unwrap();
    assert_eq!((version, transitions), (1, 5));
}

#[test]
fn version_4_with_data_takes_up_history() {
    let dir = tempfile::tempdir().unwrap();
    let old = open_with(dir.path(), &MIGRATIONS[..4]).unwrap();
    old.execute_batch(include_str!("../../testdata/v1.sql")).unwrap();
    old.execute_batch(
        "INSERT INTO latest VALUES (0, x'0100'); INSERT INTO answer VALUES ('k', 1, 200, '{}');",
    )
    .unwrap();
    drop(old);

    let (store, restored) = Store::open(dir.path(), Wall(T0 + 60_000)).unwrap();
    assert_eq!((restored.open.len(), restored.next_transition), (1, 6));
    assert!(restored.latest.is_empty());
    let reading =
        LatestReading { metric: "cpu.load".into(), instance: "".into(), sample: Ok(Value::Number(38.25)) };
    let device = LatestDevice {
        device: "rt-city-core".into(),
        profile: "huawei-vrp".into(),
        taken_at: Wall(T0 + 119_000),
        answered: true,
        readings: vec![reading],
    };
    let mark = ClockMark { boot: "b0".into(), now: Now::at(65_000, T0 + 120_000), synchronised: true };
    let poll = Named::default().poll(Mono(64_000), &device);
    let name = SeriesName { device: "rt-city-core".into(), metric: "cpu.load".into(), instance: "".into() };
    let span = Span { from: Wall(T0), to: Wall(T0 + 3_600_000), points: 10, interval_ms: 60_000 };
    block_on(async {
        store.record(mark, move || std::iter::once(poll.clone())).await.unwrap();
        let Some(History::Numbers { columns, .. }) = store.reader().history(name, span).await.unwrap() else {
            panic!("a number");
        };
        assert_eq!((columns.len(), columns[0].band.unwrap().last), (1, 38.25));
    });
    store.close();
    assert_eq!(open(dir.path()).1.latest, [device]);
}

#[test]
fn a_new_database_needs_no_copy() {
    let dir = tempfile::tempdir().unwrap();
    open(dir.path()).0.close();
    let mut names = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap());
    assert!(names.all(|name| !name.contains("before") && !name.ends_with(".new")));
}

#[test]
fn a_failing_migration_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(open_with(dir.path(), &MIGRATIONS[..1]).unwrap());
    let bad = [MIGRATIONS[0], "CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);"];
    let error = open_with(dir.path(), &bad).map(|_| ()).unwrap_err();
    assert!(matches!(&error, StoreError::Migration { version: 2, .. }), "{error}");
    let conn = open_with(dir.path(), &MIGRATIONS[..1]).unwrap();
    let half: i64 =
        conn.query_row("SELECT count(*) FROM sqlite_schema WHERE name = 'half'", [], |r| r.get(0)).unwrap();
    assert_eq!(half, 0);
}
