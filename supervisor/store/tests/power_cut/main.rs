//! Power cuts at 500 places of a store's life: whatever was answered before is there afterwards, and nothing is half.
//!
//! The real store works on a disk that logs what is written and flushed (`tests/disk`): transitions, maintenance
//! records and their amendments, two days of polls with their compaction, several lives. For each place the disk gives
//! a folder as a power cut could have left it, and the ordinary [`Store::open`] opens it. Some of these are cut again
//! while they are opened. `CUTS_SEED` chooses the places.

mod ledger;
#[path = "../made/mod.rs"]
mod made;
mod work;

use ledger::{Ledger, Noted};
use made::block_on;
use roundsman_core::time::Wall;
use roundsman_disk::{Dice, Disk, Op, Recorder, install};
use roundsman_store::{FILE, Store, verify};
use std::path::Path;

/// Places where the power is cut.
const CUTS: usize = 500;

/// Every so many cuts the opening is cut, too.
const CUT_AGAIN: usize = 20;

/// 1 November 2026, 00:00 UTC.
const T0: i64 = 1_793_491_200_000;

/// Rising places of a log, where a test wants to cut it.
fn places(dice: &mut Dice, log: &[Op], count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).map(|_| dice.below(log.len() as u64) as usize + 1).collect();
    places.sort_unstable();
    places
}

/// What was answered when the log had come to this place.
fn answered<'a>(ledger: &'a Ledger, log: &[Op]) -> &'a Noted {
    let mark = log.iter().rev().find_map(|op| if let Op::Mark(mark) = op { Some(*mark) } else { None });
    &ledger.noted[mark.unwrap_or(0) as usize]
}

/// Opens what a cut left and compares; gives the store back for more.
fn opened(ledger: &Ledger, noted: &Noted, folder: &Path, place: &str) -> Store {
    // A lock file and a first database are there before anything can be answered.
    let contents = verify(&folder.join(FILE)).unwrap_or_else(|error| panic!("{place}: {error}"));
    assert!(contents.total() > 0, "{place}: empty");
    let (store, restored) = Store::open(folder, Wall(T0)).unwrap_or_else(|error| panic!("{place}: {error}"));
    block_on(ledger.compare(&store, &restored, noted, place));
    store
}

/// Cuts the power while the store is opened again and closed.
fn cut_again(recorder: &Recorder, dice: &mut Dice, ledger: &Ledger, noted: &Noted, folder: &Path) -> usize {
    let mut disk = Disk::of(folder, FILE).expect("its files");
    recorder.watch(folder);
    opened(ledger, noted, folder, "first").close();
    let log = recorder.take();
    let mut followed = 0;
    let places = places(dice, &log, 3);
    for place in &places {
        log[followed..*place].iter().for_each(|op| disk.follow(op));
        followed = *place;
        let again = tempfile::tempdir().expect("a folder");
        disk.cut(dice, again.path()).expect("the cut");
        opened(ledger, noted, again.path(), &format!("opening, {place} of {}", log.len())).close();
    }
    places.len()
}

#[test]
fn a_power_cut_anywhere_loses_nothing_that_was_answered() {
    let seed = std::env::var("CUTS_SEED").map_or(1, |text| text.parse().expect("a number"));
    let (recorder, mut dice) = (install(), Dice(seed));
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().canonicalize().expect("its path");
    Store::open(&path, Wall(T0)).expect("a new store").0.close();
    let mut disk = Disk::of(&path, FILE).expect("its files");
    recorder.watch(&path);
    let ledger = work::lives(&path, recorder, &mut dice);
    let log = recorder.take();
    let (mut followed, mut cuts, mut at_risk) = (0, 0, 0);
    for place in places(&mut dice, &log, CUTS) {
        log[followed..place].iter().for_each(|op| disk.follow(op));
        followed = place;
        at_risk += usize::from(disk.at_risk() > 0);
        let noted = answered(&ledger, &log[..place]);
        let left = tempfile::tempdir().expect("a folder");
        let left_path = left.path().canonicalize().expect("its path");
        disk.cut(&mut dice, &left_path).expect("the cut");
        if cuts % CUT_AGAIN == 0 {
            cuts += cut_again(recorder, &mut dice, &ledger, noted, &left_path);
        } else {
            let store = opened(&ledger, noted, &left_path, &format!("{place} of {}", log.len()));
            block_on(ledger.goes_on(&store));
        }
        cuts += 1;
    }
    eprintln!("CUTS_SEED={seed}: {cuts} cuts in {} operations, {at_risk} with unflushed bytes", log.len());
    assert!(cuts >= CUTS && at_risk > CUTS / 4, "the cuts hit nothing: {at_risk}");
}
