//! Damage at random places of a database and its journal: it opens with everything, or says what is wrong. Never a
//! panic, never an empty start.
//!
//! A page or a journal frame that was zeroed or overwritten is what a worn flash leaves. Single sectors and single bits
//! inside a page are worse to find: SQLite keeps no checksum of a page, so that a changed letter of a text stays a text.
//! For those the test asks only that no row is lost. `DAMAGE_SEED` chooses the places.

mod made;

use made::{block_on, raised};
use roundsman_core::fault::{Change, Transition};
use roundsman_core::record::{Content, Field, Record};
use roundsman_core::time::Wall;
use roundsman_disk::Dice;
use roundsman_store::{FILE, NewRecord, RecordFilter, Store, StoreError, backup, newest_good, restore};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// Some moment in November 2026.
const T0: i64 = 1_795_000_000_000;
const PAGE: usize = 4_096;
/// Page with its header in the journal.
const FRAME: usize = 24 + PAGE;
/// Databases damaged.
const SEEDS: u64 = 100;
/// Calls that write the confirmed data; few enough that the journal is not folded in meanwhile.
const CALLS: u64 = 160;

/// What was confirmed.
#[derive(Debug, Default, PartialEq)]
struct Confirmed {
    transitions: Vec<Transition>,
    records: Vec<Record>,
}

impl Confirmed {
    fn of(store: &Store) -> Result<Confirmed, StoreError> {
        block_on(async {
            let transitions = store.reader().transitions_after(0, 1_000).await?;
            let mut records = store.reader().records(RecordFilter::default(), 1_000, None).await?;
            records.sort_by_key(|record| record.number);
            Ok(Confirmed { transitions, records })
        })
    }
}

fn transition(id: u64) -> Transition {
    Transition { id, at: Wall(T0 + id as i64), change: Change::Raised, fault: raised(id, Wall(T0)) }
}

fn record(n: u64) -> NewRecord {
    let text = format!("第 {n} 条 {}", "长".repeat((n * 7 % 900) as usize));
    let fields = [
        (Field::Kind, "corrective"),
        (Field::Devices, "rt-1\t核心路由器\t华为 VRP\t1F 机房"),
        (Field::Symptom, &*text),
        (Field::Process, "更换风扇"),
        (Field::Engineer, "王工"),
    ];
    let content = Content::read(fields).expect("a whole form");
    NewRecord { at: Wall(T0), year: 2026, by: "panel".into(), content, key: None }
}

/// A database as a killed service leaves it, with its journal, and what it had confirmed.
fn killed(folder: &Path) -> Confirmed {
    let work = tempfile::tempdir().expect("a folder");
    // What made the tables is folded in: the journal has nothing but the work below.
    Store::open(work.path(), Wall(T0)).expect("a new store").0.close();
    let (store, _) = Store::open(work.path(), Wall(T0)).expect("the store");
    let mut id = 0;
    block_on(async {
        for n in 0..CALLS {
            id += 1;
            store.commit(vec![transition(id)]).await.expect("stored");
            if n % 2 == 0 {
                store.add_record(record(n)).await.expect("stored").expect("it fits");
            }
        }
    });
    let confirmed = Confirmed::of(&store).expect("what was stored");
    assert_eq!(confirmed.transitions.len() as u64, CALLS);
    backup(work.path(), &folder.join("backup")).expect("a backup");
    for name in [FILE.to_owned(), format!("{FILE}-wal")] {
        fs::copy(work.path().join(&name), folder.join(&name)).expect("a copy");
    }
    confirmed
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Harm {
    PageZeroed,
    PageOverwritten,
    SectorZeroed,
    BitFlipped,
}

/// Harms one place; the offset it begins at.
fn harm(bytes: &mut [u8], is_journal: bool, how: Harm, dice: &mut Dice) -> usize {
    let (unit, first) = match (how, is_journal) {
        (Harm::PageZeroed | Harm::PageOverwritten, true) => (FRAME, 32),
        (Harm::PageZeroed | Harm::PageOverwritten, false) => (PAGE, 0),
        (Harm::SectorZeroed, _) => (512, 0),
        (Harm::BitFlipped, _) => (1, 0),
    };
    let at = first + dice.below(((bytes.len() - first) / unit) as u64) as usize * unit;
    let place = &mut bytes[at..at + unit];
    match how {
        Harm::PageZeroed | Harm::SectorZeroed => place.fill(0),
        Harm::PageOverwritten => place.iter_mut().for_each(|byte| *byte = dice.roll() as u8),
        Harm::BitFlipped => place[0] ^= 1 << dice.below(8),
    }
    at
}

#[test]
fn damage_anywhere_is_refused_with_words_or_harmless() {
    let seed = std::env::var("DAMAGE_SEED").map_or(1, |text| text.parse().expect("a number"));
    let whole = tempfile::tempdir().expect("a folder");
    let confirmed = killed(whole.path());
    let mut dice = Dice(seed);
    let mut seen: BTreeMap<(Harm, bool, &str), usize> = BTreeMap::new();
    for n in 0..SEEDS {
        let folder = tempfile::tempdir().expect("a folder");
        for name in [FILE, &format!("{FILE}-wal"), "backup"] {
            fs::copy(whole.path().join(name), folder.path().join(name)).expect("a copy");
        }
        let is_journal = n % 2 == 0;
        let file = folder.path().join(if is_journal { format!("{FILE}-wal") } else { FILE.to_owned() });
        if !is_journal {
            // In the file itself is what was folded in: all of it here.
            Store::open(folder.path(), Wall(T0)).expect("it is whole").0.close();
        }
        let mut bytes = fs::read(&file).expect("the file");
        let how = [Harm::PageZeroed, Harm::PageOverwritten, Harm::SectorZeroed, Harm::BitFlipped]
            [(n / 2 % 4) as usize];
        let at = harm(&mut bytes, is_journal, how, &mut dice);
        fs::write(&file, &bytes).expect("the damage");
        let place = format!("seed {seed}, {how:?} at {at} of {} in {}", bytes.len(), file.display());
        let outcome = outcome(folder.path(), &confirmed, &place);
        match (how, outcome) {
            (_, "refused" | "whole") => {}
            // The last transaction of the journal looks as if it had never been flushed; more is never lost.
            (_, "newest lost") if is_journal => {}
            (Harm::SectorZeroed | Harm::BitFlipped, "changed" | "told when asked") if !is_journal => {}
            _ => panic!("{place}: {outcome}"),
        }
        *seen.entry((how, is_journal, outcome)).or_default() += 1;
    }
    for ((how, is_journal, outcome), count) in &seen {
        eprintln!("{how:?} in {}: {outcome} {count}", if *is_journal { "the journal" } else { "the file" });
    }
    let count = |wanted: &str| {
        seen.iter().filter(|((_, _, outcome), _)| *outcome == wanted).map(|(_, n)| n).sum::<usize>()
    };
    assert!(count("refused") > SEEDS as usize / 3 && count("newest lost") < 6, "{seen:?}");
}

/// What came of opening it; where it is refused, that it is as it was and that a backup goes on.
fn outcome(folder: &Path, confirmed: &Confirmed, place: &str) -> &'static str {
    // An empty journal is none: who read the database last removes it, a moment after its writer ended.
    let read = |name| fs::read(folder.join(name)).ok().filter(|bytes: &Vec<u8>| !bytes.is_empty());
    let files = || [FILE.to_owned(), format!("{FILE}-wal")].map(read);
    let before = files();
    let found = match Store::open(folder, Wall(T0)) {
        Ok((store, _)) => match Confirmed::of(&store) {
            Ok(found) => Ok(found),
            Err(error) => {
                assert!(error.to_string().contains("roundsman verify"), "{place}: {error}");
                return "told when asked";
            }
        },
        Err(error) => Err(error),
    };
    match found {
        Ok(found) if found == *confirmed => "whole",
        Ok(found) => {
            let (rows, all) = (found.transitions.len(), confirmed.transitions.len());
            assert!(
                rows + 2 >= all && found.records.len() + 2 >= confirmed.records.len(),
                "{place}: {rows} of {all}"
            );
            let is_prefix = confirmed.transitions.starts_with(&found.transitions)
                && confirmed.records.starts_with(&found.records);
            if is_prefix { "newest lost" } else { "changed" }
        }
        Err(error) => {
            assert!(error.to_string().contains("roundsman restore FILE"), "{place}: {error}");
            assert!(files() == before, "{place}: a refused database stays as it is");
            fs::create_dir_all(folder.join("backups")).expect("a folder");
            let night = folder.join("backups/roundsman-2026-11-21.db");
            fs::copy(folder.join("backup"), &night).expect("a nightly backup");
            let (copy, _) = newest_good(folder).expect("a whole backup");
            assert_eq!(copy.path, night);
            let kept = restore(folder, &copy.path, Wall(T0)).expect("it is restored").kept;
            assert_eq!(fs::read(kept.expect("the damaged one")).ok(), before[0], "{place}");
            let (store, _) = Store::open(folder, Wall(T0)).expect("it goes on");
            assert_eq!(Confirmed::of(&store).as_ref(), Ok(confirmed), "{place}");
            "refused"
        }
    }
}
