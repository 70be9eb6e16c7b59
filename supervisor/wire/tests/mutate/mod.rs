//! Mutated octets of a kept corpus (`tests/fuzz/corpus/`): mutated, strung together, for five seconds;
//! `ROUNDSMAN_FUZZ_SECONDS` lengthens a run, `ROUNDSMAN_FUZZ_SEED` repeats one.
#![allow(dead_code, unreachable_pub, reason = "each test takes what it needs")]

use std::path::PathBuf;
use std::time::Duration;

/// splitmix64.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides.max(1)
    }
}

/// The inputs of a folder whose names begin with `sort`.
pub fn corpus(folder: &str, sort: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fuzz/corpus").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(sort)));
    paths.sort();
    assert!(paths.len() >= 10, "the corpus is small: {} inputs", paths.len());
    paths.iter().map(|path| std::fs::read(path).expect("a corpus file")).collect()
}

/// One to four seeds behind each other, most of them changed.
pub fn stream(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let mut octets = Vec::new();
    for _ in 0..=dice.roll(4) {
        octets.extend_from_slice(&corpus[dice.roll(corpus.len() as u64) as usize]);
    }
    for _ in 0..dice.roll(4) {
        let at = dice.roll(octets.len().max(1) as u64) as usize;
        match dice.roll(6) {
            0 => octets.truncate(at),
            1 => octets.insert(at.min(octets.len()), dice.roll(256) as u8),
            2 if !octets.is_empty() => drop(octets.remove(at)),
            3 => octets.extend(std::iter::repeat_n(dice.roll(256) as u8, dice.roll(600) as usize)),
            _ if !octets.is_empty() => octets[at] ^= 1 << dice.roll(8),
            _ => {}
        }
    }
    octets
}

/// One run: its chance, its end, and how to repeat it.
pub struct Run {
    pub dice: Dice,
    pub clock: FuzzClock,
    pub named: String,
}

impl Run {
    pub fn start() -> Run {
        let seconds = number("ROUNDSMAN_FUZZ_SECONDS", 5);
        let seed = number("ROUNDSMAN_FUZZ_SEED", u64::from(std::process::id()) << 20 | 1);
        Run {
            dice: Dice(seed),
            clock: FuzzClock::start(Duration::from_secs(seconds)),
            named: format!("{seconds} s, seed {seed}"),
        }
    }
}

/// A number of the environment.
pub fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Only the length of the run depends on it.
pub struct FuzzClock(std::sync::mpsc::Receiver<()>);

impl FuzzClock {
    pub fn start(length: Duration) -> FuzzClock {
        let (end, over) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // Nothing is ever sent here: a wait with an end.
            let (_keep, never) = std::sync::mpsc::channel::<()>();
            let _ = never.recv_timeout(length);
            let _ = end.send(());
        });
        FuzzClock(over)
    }

    pub fn is_over(&self) -> bool {
        self.0.try_recv().is_ok()
    }
}
