//! Backups: whole, of one snapshot, under load; refused where they would do harm; restored with nothing lost.

use super::*;
use crate::schema::FILE;
use crate::{
    ClockMark, LatestDevice, LatestReading, Named, StoreError, back_up_nightly, backup, restore, verify,
};
use roundsman_core::reading::Value;
use roundsman_core::time::{Mono, Now, Wall};
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};

fn filled(dir: &Path, faults: u64) -> Store {
    let (store, _) = open(dir);
    for id in 1..=faults {
        block_on(store.commit(vec![raised(id, fault(id, &format!("d{id}")))])).unwrap();
    }
    store
}

#[test]
fn a_backup_under_load_is_one_whole_snapshot() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 20);
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for id in 21.. {
                block_on(store.commit(vec![raised(id, fault(id, &format!("d{id}")))])).unwrap();
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for n in 0..20 {
            let to = dir.path().join(format!("backup-{n}"));
            let contents = backup(dir.path(), &to).unwrap();
            assert_eq!(verify(&to).unwrap(), contents);
            let rows = |table: &str| contents.rows.iter().find(|(name, _)| name == table).unwrap().1;
            // Each call stored one fault with one transition: a torn snapshot would have one of them only.
            assert_eq!(rows("fault"), rows("transition"), "backup {n}");
            assert!(rows("fault") >= 20);
        }
        done.store(true, Ordering::Relaxed);
    });
    let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains(".part")), "{left:?}");
}

#[test]
fn a_backup_overwrites_an_older_one_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 1);
    let to = dir.path().join("backup");
    let one = backup(dir.path(), &to).unwrap();
    block_on(store.commit(vec![raised(2, fault(2, "d2"))])).unwrap();
    assert!(backup(dir.path(), &to).unwrap().total() > one.total());
    let letter = dir.path().join("letter.txt");
    fs::write(&letter, "Dear sir").unwrap();
    let empty = dir.path().join("empty");
    fs::write(&empty, "").unwrap();
    for precious in [&letter, &empty] {
        let before = fs::read(precious).unwrap();
        assert_eq!(backup(dir.path(), precious), Err(StoreError::Occupied { path: precious.clone() }));
        assert_eq!(fs::read(precious).unwrap(), before);
    }
    let nowhere = tempfile::tempdir().unwrap();
    assert!(matches!(backup(nowhere.path(), &to), Err(StoreError::File { .. })), "no database to copy");
    assert!(verify(&to).is_ok(), "the older backup is as it was");
}

#[test]
fn restoring_brings_the_backup_back_and_keeps_what_was_there() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 3);
    let to = dir.path().join("backup");
    let saved = backup(dir.path(), &to).unwrap();
    block_on(store.commit(vec![raised(4, fault(4, "d4"))])).unwrap();
    assert!(matches!(restore(dir.path(), &to, Wall(T0)), Err(StoreError::InUse { .. })), "a service runs");
    // Killed, not closed: the newest transition stands in the journal alone.
    let killed = tempfile::tempdir().unwrap();
    for name in [FILE.to_owned(), format!("{FILE}-wal")] {
        fs::copy(dir.path().join(&name), killed.path().join(&name)).unwrap();
    }
    let replaced = restore(killed.path(), &to, Wall(T0)).unwrap();
    assert_eq!(replaced.contents, saved);
    let (_, restored) = open(killed.path());
    assert_eq!(restored.next_transition, 4);
    let kept = replaced.kept.unwrap();
    assert_eq!(kept, killed.path().join(format!("{FILE}.before-restore-{}", T0 / 1_000)));
    let former = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        let from = format!("{}{suffix}", kept.display());
        fs::copy(from, former.path().join(format!("{FILE}{suffix}"))).unwrap();
    }
    assert_eq!(open(former.path()).1.next_transition, 5, "with its journal nothing is lost");
}

#[test]
fn a_backup_that_is_not_whole_replaces_nothing() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 3).close();
    let to = dir.path().join("backup");
    backup(dir.path(), &to).unwrap();
    let whole = fs::read(&to).unwrap();
    let before = fs::read(dir.path().join(FILE)).unwrap();
    let mut broken = whole.clone();
    let middle = broken.len() / 2 / 4_096 * 4_096;
    broken[middle..middle + 64].fill(0xff);
    for bad in [&whole[..whole.len() / 2], &broken[..], b"no database at all, but long enough to be one", b""]
    {
        fs::write(&to, bad).unwrap();
        let error = restore(dir.path(), &to, Wall(T0)).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. } | StoreError::Foreign { .. }), "{error}");
        assert_eq!(fs::read(dir.path().join(FILE)).unwrap(), before);
    }
    assert!(matches!(restore(dir.path(), &dir.path().join("none"), Wall(T0)), Err(StoreError::File { .. })));
}

#[test]
fn an_empty_place_takes_a_backup_too() {
    let dir = tempfile::tempdir().unwrap();
    filled(dir.path(), 2).close();
    let to = dir.path().join("backup");
    backup(dir.path(), &to).unwrap();
    let new = tempfile::tempdir().unwrap();
    let replaced = restore(&new.path().join("deeper"), &to, Wall(T0)).unwrap();
    assert_eq!(replaced.kept, None);
    assert_eq!(open(&new.path().join("deeper")).1.next_transition, 3);
}

#[test]
fn a_nightly_backup_has_everything_but_history_and_a_store_goes_on_from_it() {
    let dir = tempfile::tempdir().unwrap();
    let store = filled(dir.path(), 5);
    let mark = |minute: u64| ClockMark {
        boot: "boot".into(),
        now: Now::at(minute * 60_000, 1_795_000_000_000 + minute as i64 * 60_000),
        synchronised: true,
    };
    let cycle = |minute: u64| {
        let poll = LatestDevice {
            device: "d1".into(),
            profile: "p".into(),
            taken_at: Wall(1_795_000_000_000 + minute as i64 * 60_000),
            answered: true,
            readings: vec![LatestReading {
                metric: "cpu.load".into(),
                instance: "".into(),
                sample: Ok(Value::Number(minute as f64)),
            }],
        };
        let poll = Named::default().poll(Mono(minute * 60_000), &poll);
        move || std::iter::once(poll.clone())
    };
    for minute in 1..=200 {
        block_on(store.record(mark(minute), cycle(minute))).unwrap();
    }
    let whole = backup(dir.path(), &dir.path().join("whole")).unwrap();
    let made = back_up_nightly(dir.path(), "2026-11-22").unwrap();
    let kept = verify(&made.path).unwrap();
    let history = crate::history::TABLES;
    for ((name, rows), (same, kept)) in whole.rows.iter().zip(&kept.rows) {
        assert_eq!(name, same);
        match history.contains(&name.as_str()) {
            true => assert_eq!(*kept, u64::from(name == "covered"), "{name}"),
            false => assert_eq!(rows, kept, "{name}"),
        }
    }
    assert!(kept.bytes < whole.bytes, "{} {}", kept.bytes, whole.bytes);
    assert!(whole.rows.iter().any(|(name, rows)| name == "hot" && *rows > 0));
    store.close();

    restore(dir.path(), &made.path, Wall(0)).unwrap();
    let (store, restored) = open(dir.path());
    assert_eq!((restored.open.len(), restored.next_transition), (5, 6));
    block_on(store.commit(vec![raised(6, fault(6, "d6"))])).unwrap();
    block_on(store.record(mark(201), cycle(201))).unwrap();
    store.close();
    assert_eq!(
        verify(&dir.path().join(FILE)).unwrap().rows.iter().find(|(name, _)| name == "hot").unwrap().1,
        1
    );
}
