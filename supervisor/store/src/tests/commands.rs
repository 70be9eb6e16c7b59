//! Commands on record: as they were given, newest first, a page at a time, each with what came of it.

use super::*;
use crate::{CommandOutcome, GivenCommand, NewCommand, StoreError};

fn given(device: &str, at: i64, unit: &str) -> NewCommand {
    NewCommand {
        at: Wall(T0 + at),
        by: "panel".into(),
        device: device.into(),
        unit: unit.into(),
        command: "power".into(),
        arguments: r#"{"state":"on"}"#.into(),
    }
}

fn list(store: &Store, device: &str, limit: usize, before: Option<i64>) -> Vec<GivenCommand> {
    block_on(store.reader().commands(device.into(), limit, before)).unwrap()
}

#[test]
fn a_device_has_its_own_newest_first_over_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut ids = Vec::new();
    for (device, at, unit) in
        [("wall", 1, "r1c1"), ("relay", 2, ""), ("wall", 3, "r1c2"), ("wall", 4, "r2c1")]
    {
        ids.push(block_on(store.give_command(given(device, at, unit))).unwrap());
    }
    let outcome = CommandOutcome { id: ids[2], at: Wall(T0 + 9), good: true, report: "{}".into() };
    block_on(store.end_command(outcome.clone())).unwrap();
    let expected = [
        GivenCommand { id: ids[3], given: given("wall", 4, "r2c1"), outcome: None },
        GivenCommand { id: ids[2], given: given("wall", 3, "r1c2"), outcome: Some(outcome) },
        GivenCommand { id: ids[0], given: given("wall", 1, "r1c1"), outcome: None },
    ];
    assert_eq!(list(&store, "wall", 10, None), expected);
    store.close();
    let (store, _) = open(dir.path());
    assert_eq!(list(&store, "wall", 10, None), expected, "after a restart too");
    assert_eq!(list(&store, "wall", 2, None), expected[..2]);
    assert_eq!(list(&store, "wall", 2, Some(ids[2])), expected[2..]);
    assert_eq!(list(&store, "nobody", 10, None), []);
}

#[test]
fn an_outcome_of_no_command_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let outcome = CommandOutcome { id: 7, at: Wall(T0), good: true, report: "{}".into() };
    let refused: Result<(), StoreError> = block_on(store.end_command(outcome));
    assert!(refused.is_err());
}
