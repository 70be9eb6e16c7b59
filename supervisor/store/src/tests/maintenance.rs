//! Maintenance records: nothing changes an original, numbers have no gaps, a repeated request writes once.

use super::*;
use crate::{FILE, NewAmendment, NewRecord, RecordFilter, StoreError};
use roundsman_core::record::{Content, Correction, Field, Kind, Record, RecordNumber, Refusal, Why, Wrong};
use rusqlite::Connection;
use std::sync::Arc;

fn content(symptom: &str, changes: &[(Field, &str)]) -> Content {
    let mut fields = vec![
        (Field::Kind, "corrective"),
        (Field::Devices, "rt-1\t核心路由器\t华为 VRP\t1F 机房"),
        (Field::Symptom, symptom),
        (Field::Process, "更换风扇"),
        (Field::Engineer, "王工"),
    ];
    fields.retain(|(field, _)| changes.iter().all(|(changed, _)| changed != field));
    Content::read(fields.into_iter().chain(changes.iter().copied())).unwrap()
}

pub(super) fn new(symptom: &str) -> NewRecord {
    NewRecord { at: Wall(T0), year: 2026, by: "panel".into(), content: content(symptom, &[]), key: None }
}

fn amendment(number: RecordNumber, field: Field, value: &str) -> NewAmendment {
    let correction = Correction::new(field, value, "笔误", "李工").unwrap();
    NewAmendment { number, at: Wall(T0 + 60_000), by: "panel".into(), correction, key: None }
}

fn number(sequence: u32) -> RecordNumber {
    RecordNumber { year: 2026, sequence }
}

fn add(store: &Store, new: NewRecord) -> Record {
    block_on(store.add_record(new)).unwrap().unwrap()
}

#[test]
fn what_is_written_comes_back_whole_with_its_amendments() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    block_on(store.commit(vec![raised(1, fault(1, "rt-1"))])).unwrap();
    let all = content(
        "'; DROP TABLE maintenance; --",
        &[
            (Field::Faults, "1\t2026\t1"),
            (Field::Reported, "1794981780000"),
            (Field::Restored, "1794981880000"),
            (Field::Parts, "风扇\tA1\tB2\n光模块\t\tC3"),
            (Field::Cost, "1280.50"),
            (Field::Level, "major"),
            (Field::Satisfaction, "satisfied"),
            (Field::Warranty, "out"),
            (Field::Remaining, "第一行\n\n第二行"),
        ],
    );
    let written = add(&store, NewRecord { content: all.clone(), ..new("x") });
    assert_eq!((written.number, &written.original), (number(1), &all));
    let amended = block_on(store.amend_record(amendment(number(1), Field::Cost, "300"))).unwrap().unwrap();
    assert_eq!(amended.original, all, "the original stays");
    assert_eq!(amended.current().text(Field::Cost), "300.00");
    store.close();
    let (store, _) = open(dir.path());
    assert_eq!(block_on(store.reader().record(number(1))).unwrap(), Some(amended));
    assert_eq!(block_on(store.reader().record(number(2))).unwrap(), None);
}

#[test]
fn the_database_itself_refuses_every_change_of_what_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    add(&store, new("一"));
    add(&store, new("二"));
    block_on(store.amend_record(amendment(number(1), Field::Symptom, "三"))).unwrap().unwrap();
    let before = block_on(store.reader().records(RecordFilter::default(), 10, None)).unwrap();
    let conn = Connection::open(dir.path().join(FILE)).unwrap();
    for sql in [
        "UPDATE maintenance SET at = 0",
        "UPDATE maintenance SET id = 9 WHERE id = 2",
        "DELETE FROM maintenance",
        "INSERT INTO maintenance VALUES (4, 2026, 4, 0, 'x', NULL)",
        "INSERT INTO maintenance VALUES (3, 2027, 2, 0, 'x', NULL)",
        "REPLACE INTO maintenance VALUES (2, 2026, 2, 0, 'x', NULL)",
        "REPLACE INTO maintenance VALUES (3, 2026, 2, 0, 'x', NULL)",
        "UPDATE maintenance_field SET value = 'x'",
        "DELETE FROM maintenance_field",
        "INSERT INTO maintenance_field VALUES (1, 'cause', 'x')",
        "INSERT INTO maintenance_field VALUES (2, 'cause', 'x')",
        "REPLACE INTO maintenance_field VALUES (2, 'symptom', 'x')",
        "UPDATE maintenance_amendment SET value = 'x'",
        "UPDATE OR REPLACE maintenance_amendment SET reason = 'x'",
        "DELETE FROM maintenance_amendment",
        "REPLACE INTO maintenance_amendment VALUES (1, 1, 0, 'x', 'x', 'cause', 'x', 'x', NULL)",
    ] {
        let refused = conn.execute(sql, []).map_err(|e| e.to_string());
        assert!(refused.as_ref().is_err_and(|why| why.contains("maintenance")), "{sql}: {refused:?}");
    }
    assert_eq!(block_on(store.reader().records(RecordFilter::default(), 10, None)).unwrap(), before);
}

#[test]
fn numbers_have_no_gaps_when_many_write_at_once_and_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let mut wanted = 1;
    for round in 0..3 {
        let (store, _) = open(dir.path());
        let store = Arc::new(store);
        let threads: Vec<_> = (0..8)
            .map(|thread| {
                let store = store.clone();
                std::thread::spawn(move || {
                    let one = |n: u32| {
                        // Every third is refused by the database: its number goes to another.
                        let mut new = new(&format!("{round} {thread} {n}"));
                        if n.is_multiple_of(3) {
                            new.content.set(Field::Faults, "999\t2026\t999").unwrap();
                        }
                        block_on(store.add_record(new))
                    };
                    (0..12)
                        .filter_map(|n| one(n).ok())
                        .map(|record| record.unwrap().number)
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let mut numbers: Vec<RecordNumber> = threads.into_iter().flat_map(|t| t.join().unwrap()).collect();
        numbers.sort_unstable();
        let expected: Vec<RecordNumber> = (wanted..wanted + 64).map(number).collect();
        assert_eq!(numbers, expected);
        wanted += 64;
        Arc::into_inner(store).unwrap().close();
    }
    let (store, _) = open(dir.path());
    let next_year = add(&store, NewRecord { year: 2027, ..new("新年") });
    assert_eq!(next_year.number.to_string(), "M-2027-0001");
    // The clock went back over new year.
    assert_eq!(add(&store, new("旧年")).number, number(wanted));
}

#[test]
fn a_power_cut_after_the_answer_loses_no_record() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    for n in 1..=6 {
        add(&store, new(&n.to_string()));
        let cut = tempfile::tempdir().unwrap();
        for name in [FILE.to_owned(), format!("{FILE}-wal")] {
            std::fs::copy(dir.path().join(&name), cut.path().join(&name)).unwrap();
        }
        let (after, _) = open(cut.path());
        let found = block_on(after.reader().records(RecordFilter::default(), 100, None)).unwrap();
        assert_eq!(found.len(), n);
        assert_eq!(&*found[0].original.symptom, n.to_string());
    }
}

#[test]
fn a_key_writes_once_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let keyed = |symptom: &str, key: &str| NewRecord { key: Some(key.into()), ..new(symptom) };
    // In one transaction and in several.
    let (first, second) = (store.add_record(keyed("一", "k")), store.add_record(keyed("一", "k")));
    let (first, second) = (block_on(first).unwrap().unwrap(), block_on(second).unwrap().unwrap());
    assert_eq!(first, second);
    store.close();
    let (store, _) = open(dir.path());
    let mut renamed = keyed("一", "k");
    renamed.content.set(Field::Devices, "rt-1\t改了名\t\t").unwrap();
    assert_eq!(add(&store, renamed), first, "the device's name is not the caller's");
    assert_eq!(block_on(store.add_record(keyed("二", "k"))).unwrap(), Err(Refusal::KeyReused));
    assert_eq!(add(&store, keyed("二", "l")).number, number(2));
    let amend =
        |value: &str| NewAmendment { key: Some("a".into()), ..amendment(number(1), Field::Symptom, value) };
    let once = block_on(store.amend_record(amend("三"))).unwrap().unwrap();
    assert_eq!(block_on(store.amend_record(amend("三"))).unwrap().unwrap(), once);
    assert_eq!(once.amendments.len(), 1);
    assert_eq!(block_on(store.amend_record(amend("四"))).unwrap(), Err(Refusal::KeyReused));
}

#[test]
fn what_is_refused_leaves_nothing_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let unknown = content("x", &[(Field::Faults, "7\t2026\t7")]);
    let error = block_on(store.add_record(NewRecord { content: unknown, ..new("x") })).unwrap_err();
    assert!(matches!(error, StoreError::Contradiction { .. }), "{error}");
    assert_eq!(block_on(store.reader().records(RecordFilter::default(), 10, None)).unwrap(), []);
    add(&store, new("一"));
    let refused = |new| block_on(store.amend_record(new)).unwrap().unwrap_err();
    assert_eq!(refused(amendment(number(9), Field::Cause, "x")), Refusal::NoSuchRecord);
    let why = vec![Wrong { field: Field::Engineer, why: Why::Missing }];
    assert_eq!(refused(amendment(number(1), Field::Engineer, "")), Refusal::Wrong(why));
    assert_eq!(block_on(store.reader().record(number(1))).unwrap().unwrap().amendments, []);
}

#[test]
fn records_are_found_by_what_they_say_now() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    block_on(store.commit(vec![raised(1, fault(1, "rt-1"))])).unwrap();
    let day = 86_400_000;
    let at = |n: i64| (T0 + n * day).to_string();
    let write = |symptom: &str, changes: &[(Field, &str)]| {
        add(&store, NewRecord { content: content(symptom, changes), ..new("x") });
    };
    write("风扇异响", &[(Field::Faults, "1\t2026\t1"), (Field::Reported, &at(-3))]);
    write("Link DOWN 100%_\\", &[(Field::Devices, "sw-2\t接入交换机\t\t"), (Field::Reported, &at(-2))]);
    write("", &[(Field::Kind, "preventive"), (Field::Devices, "rt-1\t核心路由器\t\t\nsw-2\t交换机\t\t")]);
    let found = |filter: RecordFilter| {
        let records = block_on(store.reader().records(filter, 10, None)).unwrap();
        records.iter().map(|record| record.number.sequence).collect::<Vec<_>>()
    };
    let any = RecordFilter::default;
    let text = |text: &str| RecordFilter { text: text.to_owned(), ..any() };
    assert_eq!(found(any()), [3, 2, 1]);
    assert_eq!(found(RecordFilter { device: Some("rt-1".into()), ..any() }), [3, 1]);
    assert_eq!(found(RecordFilter { device: Some("nobody".into()), ..any() }), [0_u32; 0]);
    assert_eq!(found(RecordFilter { fault: Some(FaultId(1)), ..any() }), [1]);
    assert_eq!(found(RecordFilter { fault: Some(FaultId(u64::MAX)), ..any() }), [0_u32; 0]);
    assert_eq!(found(RecordFilter { kind: Some(Kind::Preventive), ..any() }), [3]);
    let (from, to) = (Some(Wall(T0 - 2 * day)), Some(Wall(T0)));
    assert_eq!(found(RecordFilter { from, to, ..any() }), [2], "from is in, to is out");
    for (words, wanted) in [
        ("异响", &[1][..]),
        ("link down", &[2]),
        ("down link", &[2]),
        ("100%_\\", &[2]),
        ("%", &[2]),
        ("交换机", &[3, 2]),
        ("F-2026-0001", &[1]),
        ("m-2026-0003", &[3]),
        ("风扇 交换机 异响", &[]),
        (" ", &[3, 2, 1]),
    ] {
        assert_eq!(found(text(words)), wanted, "{words}");
    }
    // The amendment counts, not what it corrected.
    block_on(store.amend_record(amendment(number(1), Field::Devices, "sw-2\t交换机\t\t"))).unwrap().unwrap();
    block_on(store.amend_record(amendment(number(1), Field::Symptom, "噪声"))).unwrap().unwrap();
    assert_eq!(found(RecordFilter { device: Some("rt-1".into()), ..any() }), [3]);
    assert_eq!((found(text("异响")), found(text("噪声"))), (vec![], vec![1]));

    let page = |limit, before| {
        let records = block_on(store.reader().records(any(), limit, before)).unwrap();
        records.iter().map(|record| record.number.sequence).collect::<Vec<_>>()
    };
    assert_eq!(
        (page(2, None), page(2, Some(number(2))), page(2, Some(number(99)))),
        (vec![3, 2], vec![1], vec![])
    );
}
