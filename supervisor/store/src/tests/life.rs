//! What goes in comes out, in order, and at the next start.

use super::*;
use crate::reader::{MOST_ROWS, rows};
use crate::space::Space;
use crate::writer::{Job, Work, Writer};
use crate::{
    Answer, Batch, ClockMark, DeviceRecord, FaultFilter, LatestDevice, LatestReading, Named, Step,
    StoreError, schema,
};
use roundsman_core::device::{Class, Network, Tier};
use roundsman_core::fault::{Acknowledgement, Assignment, Service, ServiceTarget, Shelf};
use roundsman_core::reading::Absence;
use roundsman_core::sla::clock::{Downtime, Kept, Standing};
use roundsman_core::sla::policy::Target;
use roundsman_core::time::{Mono, Now};
use std::time::Duration;
use tokio::sync::oneshot;

#[test]
fn every_change_and_every_kind_of_value_comes_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (store, restored) = open(dir.path());
    assert_eq!((restored.next_fault, restored.next_transition), (FaultId(1), 1));
    assert!(restored.open.is_empty() && restored.recent.is_empty() && restored.clock.is_none());
    let values = [
        None,
        Some(Value::Number(-0.1)),
        Some(Value::Counter32(u32::MAX)),
        Some(Value::Counter64(u64::MAX)),
        Some(Value::State("down".into())),
        Some(Value::Text("'; DROP TABLE fault; --".into())),
    ];
    let mut written = Vec::new();
    for (at, value) in values.into_iter().enumerate() {
        let mut f = fault(at as u64 + 1, &format!("d{at}"));
        let id = at as u64 * 6;
        f.value = value;
        f.previous = (at > 0).then_some(FaultId(at as u64));
        written.push(raised(id + 1, f.clone()));
        let from = f.severity;
        f.severity = Severity::Critical;
        f.summary = Bilingual::new("更热", "hotter");
        written.push(Transition {
            id: id + 2,
            at: Wall(T0 + 40_000),
            change: Change::Severity { from },
            fault: f.clone(),
        });
        f.acknowledged = Some(Acknowledgement { by: "王工".into(), at: Wall(T0 + 50_000) });
        f.stale = true;
        f.condition = Condition::Clearing;
        written.push(Transition {
            id: id + 3,
            at: Wall(T0 + 50_000),
            change: Change::Acknowledged,
            fault: f.clone(),
        });
        let (restored_at, change) = (Wall(T0 + 55_000), Change::Restored);
        written.push(Transition { id: id + 4, at: restored_at, change, fault: f.clone() });
        written.push(ended(id + 5, f.clone(), T0 + 60_000));
        f.condition = Condition::Active;
        f.closed_by = Some("李工".into());
        written.push(Transition { id: id + 6, at: Wall(T0 + 70_000), change: Change::Reopened, fault: f });
    }
    block_on(async {
        store.commit(written.clone()).await.unwrap();
        let reader = store.reader();
        assert_eq!(reader.transitions_after(0, 1_000).await.unwrap(), written);
        assert_eq!(reader.transitions_after(28, 1_000).await.unwrap(), written[28..]);
        assert_eq!(reader.transitions_after(0, 3).await.unwrap(), written[..3]);
        let (one, history) = reader.fault(FaultId(2)).await.unwrap().unwrap();
        assert_eq!(one, written[11].fault);
        assert_eq!(history, written[6..12]);
        assert_eq!(reader.fault(FaultId(99)).await.unwrap(), None);
        assert_eq!(reader.fault(FaultId(u64::MAX)).await.unwrap(), None);
    });
    store.close();
    let (_store, restored) = open(dir.path());
    let last: Vec<Fault> = written.chunks(6).map(|c| c[5].fault.clone()).collect();
    assert_eq!(restored.open, last);
    assert_eq!((restored.next_fault, restored.next_transition), (FaultId(7), 37));
    assert_eq!(restored.numbers, [(2026, 6)]);
}

#[test]
fn the_second_and_the_third_axis_come_back_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let by = |by: &str, ms: i64| Acknowledgement { by: by.into(), at: Wall(T0 + ms) };
    let mut written = vec![raised(1, fault(1, "trunk")), raised(2, fault(2, "county"))];
    let mut f = fault(2, "county");
    let mut then = |change: Change, change_it: &dyn Fn(&mut Fault)| {
        change_it(&mut f);
        let id = written.len() as u64 + 1;
        written.push(Transition { id, at: Wall(T0 + id as i64 * 1_000), change, fault: f.clone() });
    };
    then(Change::Assigned, &|f| {
        f.acknowledged = Some(by("王工", 2_000));
        f.assigned = Some(Assignment { to: "赵工".into(), by: "王工".into(), at: Wall(T0 + 2_000) });
    });
    then(Change::Arrived, &|f| f.arrived = Some(by("赵工", 3_000)));
    then(Change::Shelved, &|f| {
        let (at, until) = (Wall(T0 + 4_000), Wall(T0 + 3_604_000));
        f.shelf = Some(Shelf { by: "赵工".into(), at, until, reason: "备件在途".into() });
    });
    then(Change::ServiceBreach(Target::OnSite), &|f| f.service = Some(service()));
    then(Change::Hidden, &|f| f.hidden_by = Some(FaultId(1)));
    then(Change::Revealed, &|f| f.hidden_by = None);
    then(Change::Unshelved, &|f| f.shelf = None);
    then(Change::Hidden, &|f| f.hidden_by = Some(FaultId(1)));
    block_on(store.commit(written.clone())).unwrap();
    assert_eq!(block_on(store.reader().transitions_after(0, 100)).unwrap(), written);
    let found = block_on(store.reader().faults_between(Wall(T0), Wall(T0 + 30_000), 1)).unwrap();
    assert_eq!(found.iter().map(|fault| fault.id.0).collect::<Vec<_>>(), [1]);
    assert_eq!(block_on(store.reader().faults_between(Wall(T0 + 30_001), Wall(i64::MAX), 9)).unwrap(), []);
    store.close();
    let (_, restored) = open(dir.path());
    assert_eq!(restored.open[1], written.last().unwrap().fault);
    assert_eq!(restored.passed[&FaultId(2)], [Downtime::Unknown], "no clock was marked");
}

fn service() -> Service {
    let mut kept = Kept { elapsed_ms: 1_800_000, uncertain: true, ..Kept::default() };
    kept.targets[0].breached_ms = Some(1_800_000);
    let response = ServiceTarget {
        standing: Standing::Breached { at_ms: 1_800_000 },
        limit_ms: Some(1_800_000),
        elapsed_ms: 1_800_000,
        limit_at: None,
    };
    Service {
        policy: "severe".into(), name: "重大故障".into(), kept, targets: [Some(response), None, None]
    }
}

/// What passed since a clock of a service level was kept: lived, off within a boot, off across boots, and unknown.
#[test]
fn what_passed_since_a_fault_was_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let minute = 60_000_i64;
    let mark = |boot: &str, mono_min: u64, wall_min: i64, synchronised| ClockMark {
        boot: boot.into(),
        now: Now::at(mono_min * 60_000, T0 + wall_min * minute),
        synchronised,
    };
    let (store, _) = open(dir.path());
    block_on(store.mark_clock(mark("one", 100, 0, true))).unwrap();
    let fault = Fault { service: Some(service()), ..fault(1, "trunk") };
    let transition = Transition { id: 1, at: Wall(T0 + 5 * minute), change: Change::Raised, fault };
    let mark_then = mark("one", 105, 5, true);
    let step = Step { now: mark_then.now, transition: Some(transition), hidden: vec![] };
    block_on(store.commit(Batch { mark: Some(mark_then), steps: vec![step] })).unwrap();
    block_on(store.mark_clock(mark("one", 110, 10, true))).unwrap();
    store.close();
    let (store, _) = open(dir.path());
    block_on(store.mark_clock(mark("one", 130, 30, true))).unwrap();
    store.close();
    let (store, _) = open(dir.path());
    block_on(store.mark_clock(mark("two", 1, 90, true))).unwrap();
    store.close();
    let (store, _) = open(dir.path());
    block_on(store.mark_clock(mark("three", 1, 50, false))).unwrap();
    store.close();
    let (_, restored) = open(dir.path());
    let known = |until_min: i64, minutes: u64| Downtime::Known {
        until: Wall(T0 + until_min * minute),
        length_ms: minutes * 60_000,
    };
    assert_eq!(
        restored.passed[&FaultId(1)],
        [
            known(10, 5),
            known(30, 20),
            known(30, 0),
            known(90, 60),
            known(90, 0),
            Downtime::Unknown,
            known(50, 0)
        ]
    );
}

#[test]
fn lists_page_from_the_newest_and_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let many = MOST_ROWS as u64 + 5;
    let all = (1..=many).map(|id| raised(id, fault(id, &format!("d{id}"))));
    block_on(async {
        store.commit(all.collect::<Vec<_>>()).await.unwrap();
        store.commit(vec![ended(many + 1, fault(3, "d3"), T0)]).await.unwrap();
        let reader = store.reader();
        let ids = |faults: Vec<Fault>| faults.iter().map(|f| f.id.0).collect::<Vec<_>>();
        assert_eq!(reader.faults(FaultFilter::All, None, usize::MAX, None).await.unwrap().len(), MOST_ROWS);
        let page = reader.faults(FaultFilter::Open, None, 3, Some(FaultId(5))).await.unwrap();
        assert_eq!(ids(page), [4, 2, 1]);
        assert_eq!(ids(reader.faults(FaultFilter::Closed, None, 10, None).await.unwrap()), [3]);
        assert_eq!(reader.transitions_after(0, usize::MAX).await.unwrap().len(), MOST_ROWS);
    });
}

#[test]
fn what_is_out_of_order_or_contradicts_is_refused_alone() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    block_on(async {
        let gap = store.commit(vec![raised(2, fault(1, "d1"))]);
        let good = store.commit(vec![raised(1, fault(1, "d1"))]);
        // The second of two open faults of one key takes its whole call with it.
        let twice = store.commit(vec![raised(2, fault(2, "d2")), raised(3, fault(3, "d1"))]);
        let after = store.commit(vec![raised(2, fault(2, "d2"))]);
        assert_eq!(gap.await, Err(StoreError::OutOfOrder { expected: 1, got: 2 }));
        assert_eq!(good.await, Ok(()));
        let error = twice.await.unwrap_err();
        assert!(matches!(error, StoreError::Contradiction { .. }) && !error.is_passing(), "{error}");
        assert_eq!(after.await, Ok(()));
        assert_eq!(store.reader().faults(FaultFilter::All, None, 10, None).await.unwrap().len(), 2);
    });
}

#[test]
fn several_calls_share_one_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let conn = schema::open_writer(dir.path()).unwrap();
    let mut writer = Writer::new(conn, 1, Space::of(dir.path())).unwrap();
    let watcher = schema::open_reader(dir.path()).unwrap();
    let data_version = || watcher.pragma_query_value(None, "data_version", |r| r.get::<_, i64>(0)).unwrap();
    let before = data_version();
    let batch: Vec<Job> = (1..=20)
        .map(|id| Job {
            work: Work::Commit(vec![raised(id, fault(id, &format!("d{id}")))].into()),
            reply: oneshot::channel().0,
        })
        .collect();
    assert!(writer.transact(&batch).iter().all(Result::is_ok));
    assert_eq!(data_version(), before + 1, "one commit for twenty calls");
    let ids =
        rows(&watcher, "SELECT id FROM transition", [], |row| Ok(row.get::<_, i64>(0).unwrap())).unwrap();
    assert_eq!(ids.len(), 20);
}

#[test]
fn a_full_disk_is_an_error_with_a_reason_and_passes() {
    let dir = tempfile::tempdir().unwrap();
    let conn = schema::open_writer(dir.path()).unwrap();
    let pages: i64 = conn.pragma_query_value(None, "page_count", |r| r.get(0)).unwrap();
    let limit = |conn: &rusqlite::Connection, n: i64| {
        conn.pragma_update_and_check(None, "max_page_count", n, |_| Ok(())).unwrap();
    };
    limit(&conn, pages);
    let mut writer = Writer::new(conn, 1, Space::of(dir.path())).unwrap();
    let mut big = fault(1, "d1");
    big.summary.zh = "满".repeat(50_000).into();
    let job = |f: &Fault| Job {
        work: Work::Commit(vec![raised(1, f.clone())].into()),
        reply: oneshot::channel().0,
    };
    let results = writer.transact(&[job(&big)]);
    assert!(matches!(&results[0], Err(e @ StoreError::Full { .. }) if e.is_passing()), "{results:?}");
    limit(&writer.conn, pages + 1_000);
    assert_eq!(writer.transact(&[job(&big)]), [Ok(())]);
}

#[test]
fn a_lock_held_by_another_program_is_an_error_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let conn = schema::open_writer(dir.path()).unwrap();
    conn.busy_timeout(Duration::ZERO).unwrap();
    let mut writer = Writer::new(conn, 1, Space::of(dir.path())).unwrap();
    let other = rusqlite::Connection::open(dir.path().join(crate::FILE)).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let job =
        || Job { work: Work::Commit(vec![raised(1, fault(1, "d1"))].into()), reply: oneshot::channel().0 };
    let results = writer.transact(&[job()]);
    assert!(matches!(&results[0], Err(e @ StoreError::Locked { .. }) if e.is_passing()), "{results:?}");
    other.execute_batch("ROLLBACK").unwrap();
    assert_eq!(writer.transact(&[job()]), [Ok(())]);
}

#[test]
fn devices_keep_their_row_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let device = |id: &str, name: &str| DeviceRecord {
        id: id.into(),
        name: name.into(),
        class: Class::Router,
        profile: "huawei-vrp".into(),
        tier: Tier::City,
        network: Network::Business,
        location: "机房".into(),
    };
    let mark =
        |ms: i64| ClockMark { boot: "b".into(), now: Now::at(ms.unsigned_abs(), ms), synchronised: true };
    block_on(async {
        store.save_devices(vec![device("a", "甲"), device("b", "乙")], mark(1)).await.unwrap();
        store.save_devices(vec![device("b", "乙二")], mark(2)).await.unwrap();
        store.commit(vec![raised(1, fault(1, "unsaved"))]).await.unwrap();
        store
            .save_devices(vec![device("c", "丙"), device("b", "乙二"), device("a", "甲")], mark(3))
            .await
            .unwrap();
    });
    store.close();
    let conn = schema::open_reader(dir.path()).unwrap();
    let found = rows(&conn, "SELECT row, id, name, removed_at FROM device ORDER BY id", [], |row| {
        let name: String = row.get(2).unwrap();
        Ok((
            row.get::<_, i64>(0).unwrap(),
            row.get::<_, String>(1).unwrap(),
            name,
            row.get::<_, Option<i64>>(3).unwrap(),
        ))
    });
    let found = found.unwrap();
    let rows_of: Vec<i64> = found.iter().map(|f| f.0).collect();
    assert_eq!((rows_of[0], rows_of[1]), (1, 2));
    assert!(rows_of[2] > 2 && rows_of[3] > 2 && rows_of[2] != rows_of[3]);
    assert_eq!(found.iter().map(|f| f.3).collect::<Vec<_>>(), [None, None, None, Some(3)]);
    assert_eq!(found[1].2, "乙二");
}

#[test]
fn readings_and_the_clock_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mark = |mono, wall| ClockMark { boot: "boot-1".into(), now: Now::at(mono, wall), synchronised: true };
    let reading = |metric: &str, sample| LatestReading { metric: metric.into(), instance: "".into(), sample };
    let device = LatestDevice {
        device: "rt".into(),
        profile: "huawei-vrp".into(),
        taken_at: Wall(T0),
        answered: true,
        readings: vec![
            reading("cpu.load", Ok(Value::Number(38.25))),
            reading("temperature.value", Err(Absence::Unsupported)),
        ],
    };
    block_on(async {
        store.mark_clock(mark(1_000, T0)).await.unwrap();
        store.record(mark(61_000, T0 + 60_000), std::iter::empty).await.unwrap();
        let poll = Named::default().poll(Mono(111_000), &device);
        store.record(mark(121_000, T0 + 120_000), move || std::iter::once(poll.clone())).await.unwrap();
    });
    store.close();
    let (_store, restored) = open(dir.path());
    // A point that never had a value is not recorded.
    let expected =
        LatestDevice { taken_at: Wall(T0 + 110_000), readings: device.readings[..1].to_vec(), ..device };
    assert_eq!(restored.latest, [expected]);
    assert_eq!(restored.clock, Some(mark(121_000, T0 + 120_000)));
}

#[test]
fn answers_are_kept_for_a_day_and_given_once() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let answer = |key: &str, at| Answer { key: key.into(), at: Wall(at), status: 409, body: "{}".into() };
    let day = 24 * 3_600 * 1_000;
    block_on(async {
        store.remember(answer("k", T0)).await.unwrap();
        assert!(matches!(store.remember(answer("k", T0 + 1)).await, Err(StoreError::Contradiction { .. })));
        let reader = store.reader();
        assert_eq!(reader.answer("k", Wall(T0 + day)).await.unwrap(), Some(answer("k", T0)));
        assert_eq!(reader.answer("k", Wall(T0 + day + 1)).await.unwrap(), None);
        assert_eq!(reader.answer("other", Wall(T0)).await.unwrap(), None);
        store.remember(answer("k", T0 + day + 1)).await.unwrap();
    });
}

#[test]
fn a_claim_holds_the_place_of_one_answer() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let answer = |status| Answer { key: "k".into(), at: Wall(T0), status, body: status.to_string() };
    block_on(async {
        store.remember(answer(crate::CLAIMED)).await.unwrap();
        assert_eq!(store.reader().answer("k", Wall(T0)).await.unwrap(), Some(answer(crate::CLAIMED)));
        store.remember(answer(200)).await.unwrap();
        assert_eq!(store.reader().answer("k", Wall(T0)).await.unwrap(), Some(answer(200)));
        for again in [crate::CLAIMED, 200, 409] {
            let refused = store.remember(answer(again)).await;
            assert!(matches!(refused, Err(StoreError::Contradiction { .. })), "{again}");
        }
    });
}

#[test]
fn a_question_without_end_is_stopped_and_the_connection_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let hurried = store.reader().with_limit(Duration::from_millis(50));
    block_on(async {
        for _ in 0..4 {
            let endless = hurried.ask("count for ever", |conn| {
                let sql = "WITH RECURSIVE n(x) AS (VALUES (1) UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
                rows(conn, sql, [], |_| Ok(()))
            });
            assert_eq!(endless.await, Err(StoreError::TooSlow { limit_ms: 50 }));
        }
        assert_eq!(store.reader().faults(FaultFilter::All, None, 10, None).await, Ok(vec![]));
    });
}

#[test]
fn a_reader_cannot_write() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let reader = store.reader();
    let attempt = reader.ask("write", |conn| {
        conn.execute("DELETE FROM fault", []).map_err(|e| StoreError::sqlite("write", &e))
    });
    assert!(block_on(attempt).unwrap_err().to_string().contains("readonly"));
}

#[test]
fn the_faults_of_one_device_page_from_the_newest() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let of = |id: u64| {
        let mut fault = fault(id, if id.is_multiple_of(2) { "even" } else { "odd" });
        fault.key.instance = format!("port {id}").into();
        fault
    };
    let mut all: Vec<_> = (1..=9).map(|id| raised(id, of(id))).collect();
    all.push(ended(10, of(4), T0));
    all.push(ended(11, of(5), T0));
    block_on(async {
        store.commit(all).await.unwrap();
        let reader = store.reader();
        for (which, device, limit, before, expected) in [
            (FaultFilter::All, "even", 10, None, &[8, 6, 4, 2][..]),
            (FaultFilter::All, "even", 2, None, &[8, 6]),
            (FaultFilter::All, "even", 10, Some(6), &[4, 2]),
            (FaultFilter::Open, "even", 10, None, &[8, 6, 2]),
            (FaultFilter::Open, "odd", 10, Some(7), &[3, 1]),
            (FaultFilter::Closed, "odd", 10, None, &[5]),
            (FaultFilter::Closed, "odd", 10, Some(5), &[]),
            (FaultFilter::All, "nobody", 10, None, &[]),
            (FaultFilter::All, "even' OR 1=1 --", 10, None, &[]),
        ] {
            let found = reader.faults(which, Some(device.into()), limit, before.map(FaultId)).await.unwrap();
            let ids: Vec<u64> = found.iter().map(|fault| fault.id.0).collect();
            assert_eq!(ids, expected, "{which:?} {device} {limit} {before:?}");
        }
    });
    assert!(store.bytes() > 4096);
}

/// A store with years of ended faults answers as fast as a new one: each list goes along an index from the newest
/// fault on, and nothing is sorted.
#[test]
fn lists_of_faults_go_along_an_index() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let reader = store.reader();
    let plan_of = |sql: String, values: usize| {
        reader.ask("explain", move |conn| {
            let failed = |e: rusqlite::Error| StoreError::sqlite("explain", &e);
            let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).map_err(failed)?;
            let values = [&i64::MAX as &dyn rusqlite::ToSql, &100, &"d"].into_iter().take(values);
            let lines = statement
                .query_map(rusqlite::params_from_iter(values), |row| row.get::<_, String>(3))
                .map_err(failed)?;
            lines.collect::<Result<Vec<String>, _>>().map_err(failed)
        })
    };
    use FaultFilter::{All, Closed, Open};
    for (filter, of_device, expected) in [
        (Open, false, "fault_open_newest (id<?)"),
        (Closed, false, "INTEGER PRIMARY KEY (rowid<?)"),
        (All, false, "INTEGER PRIMARY KEY (rowid<?)"),
        (Open, true, "fault_device (device=? AND rowid<?)"),
        (Closed, true, "fault_device (device=? AND rowid<?)"),
        (All, true, "fault_device (device=? AND rowid<?)"),
    ] {
        let sql = crate::reader::faults_sql(filter, of_device);
        let plan = block_on(plan_of(sql, if of_device { 3 } else { 2 })).unwrap();
        let is_sound = plan.iter().all(|line| !line.starts_with("SCAN") && !line.contains("TEMP B-TREE"));
        let faults = plan.iter().find(|line| line.starts_with("SEARCH f "));
        let goes_along = faults.is_some_and(|line| line.ends_with(expected));
        assert!(is_sound && goes_along, "{filter:?}, of a device: {of_device}: {plan:#?}");
    }
}
