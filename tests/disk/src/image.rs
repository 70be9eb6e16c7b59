//! What a disk could hold: the log followed up to a moment, and the dice for what was not flushed then.

use crate::Op;
use std::collections::BTreeMap;
use std::path::Path;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// Numbers that follow from a seed (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(pub u64);

impl Dice {
    /// The next number.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// Below `end`, which is more than 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.roll() % end
    }
}

/// A change that was not flushed.
#[derive(Clone, Debug)]
enum Pending {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Clone, Debug, Default)]
struct Content {
    flushed: Vec<u8>,
    pending: Vec<Pending>,
}

/// A name of the folder.
#[derive(Clone, Debug, Default)]
struct Entry {
    /// The file behind it; none while it is removed.
    content: Option<Content>,
    /// Whether the name is on the disk.
    is_durable: bool,
    /// What a removal that was not flushed may bring back.
    removed: Option<Content>,
}

/// A disk at a place of the log.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    entries: BTreeMap<String, Entry>,
}

impl Disk {
    /// With the files of a folder whose names begin so as they are, all of them flushed.
    ///
    /// # Errors
    /// What reading them brings.
    pub fn of(folder: &Path, names: &str) -> std::io::Result<Disk> {
        let mut disk = Disk::default();
        for file in std::fs::read_dir(folder)? {
            let file = file?;
            let name = file.file_name().to_string_lossy().into_owned();
            if !name.starts_with(names) {
                continue;
            }
            let flushed = std::fs::read(file.path())?;
            let content = Some(Content { flushed, pending: Vec::new() });
            disk.entries.insert(name, Entry { content, is_durable: true, removed: None });
        }
        Ok(disk)
    }

    /// Goes one step along the log.
    pub fn follow(&mut self, op: &Op) {
        match op {
            Op::Create(name) => {
                let entry = self.entries.entry(name.clone()).or_default();
                // A name that comes again is in the journal of the file system behind its removal.
                *entry = Entry { content: Some(Content::default()), is_durable: false, removed: None };
            }
            Op::Write(name, at, bytes) => self.pend(name, Pending::Write(*at as usize, bytes.clone())),
            Op::Truncate(name, length) => self.pend(name, Pending::Truncate(*length as usize)),
            Op::Sync(name) => {
                let entry = self.entries.entry(name.clone()).or_default();
                let content = entry.content.get_or_insert_default();
                for change in std::mem::take(&mut content.pending) {
                    match change {
                        Pending::Write(at, bytes) => put(&mut content.flushed, at, &bytes),
                        Pending::Truncate(length) => content.flushed.resize(length, 0),
                    }
                }
                entry.is_durable = true;
            }
            Op::Delete(name, is_flushed) => {
                let entry = self.entries.entry(name.clone()).or_default();
                let content = entry.content.take();
                entry.removed = content.filter(|_| entry.is_durable && !is_flushed);
            }
            Op::Mark(_) => {}
        }
    }

    fn pend(&mut self, name: &str, change: Pending) {
        let entry = self.entries.entry(name.to_owned()).or_default();
        entry.content.get_or_insert_default().pending.push(change);
    }

    /// Bytes that a power cut now could lose.
    pub fn at_risk(&self) -> usize {
        let contents = self.entries.values().filter_map(|entry| entry.content.as_ref());
        let pending = contents.flat_map(|content| &content.pending);
        pending.map(|change| if let Pending::Write(_, bytes) = change { bytes.len() } else { 0 }).sum()
    }

    /// Writes the folder as the disk could hold it if the power went now.
    ///
    /// # Errors
    /// What writing it brings.
    pub fn cut(&self, dice: &mut Dice, folder: &Path) -> std::io::Result<()> {
        // Nothing, little, half, most or all of what was not flushed had reached the disk by itself.
        let luck = [0, 5, 50, 95, 100][dice.below(5) as usize];
        for (name, entry) in &self.entries {
            let content = match (&entry.content, &entry.removed) {
                (Some(_), _) if !entry.is_durable && dice.below(100) >= luck => continue,
                (Some(content), _) => content,
                (None, Some(removed)) if dice.below(2) == 0 => removed,
                (None, _) => continue,
            };
            std::fs::write(folder.join(name), content.cut(dice, luck))?;
        }
        Ok(())
    }
}

impl Content {
    fn cut(&self, dice: &mut Dice, luck: u64) -> Vec<u8> {
        let mut data = self.flushed.clone();
        for change in &self.pending {
            match change {
                Pending::Truncate(length) if dice.below(100) < luck => data.resize(*length, 0),
                Pending::Truncate(_) => {}
                Pending::Write(at, bytes) => {
                    for (at, sector) in sectors(*at, bytes) {
                        match dice.below(100) {
                            roll if roll < luck => put(&mut data, at, sector),
                            // The file grew, what was to stand there did not come.
                            roll if roll % 4 == 0 => put_length(&mut data, at + sector.len()),
                            // Torn in the middle of the sector.
                            roll if roll % 16 == 1 => {
                                put(&mut data, at, &sector[..dice.below(sector.len() as u64) as usize]);
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
        data
    }
}

/// The pieces of a write as sectors of the file hold them.
fn sectors(at: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let from = at + done;
        let length = (SECTOR - from % SECTOR).min(bytes.len() - done);
        let piece = (length > 0).then(|| (from, &bytes[done..done + length]));
        done += length;
        piece
    })
}

fn put_length(data: &mut Vec<u8>, length: usize) {
    if data.len() < length {
        data.resize(length, 0);
    }
}

fn put(data: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    put_length(data, at + bytes.len());
    data[at..at + bytes.len()].copy_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(at: u64, bytes: &[u8]) -> Op {
        Op::Write("f".to_owned(), at, bytes.to_vec())
    }

    /// What different cuts leave of a file.
    fn left(log: &[Op]) -> Vec<Option<Vec<u8>>> {
        let mut disk = Disk::default();
        log.iter().for_each(|op| disk.follow(op));
        let mut seen: Vec<Option<Vec<u8>>> = (0..200)
            .map(|seed| {
                let folder = tempfile();
                disk.cut(&mut Dice(seed), &folder).unwrap();
                let found = std::fs::read(folder.join("f")).ok();
                std::fs::remove_dir_all(&folder).unwrap();
                found
            })
            .collect();
        seen.sort();
        seen.dedup();
        seen
    }

    fn tempfile() -> std::path::PathBuf {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("roundsman-disk-{}-{count}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn what_was_flushed_stays() {
        let (name, sync) = ("f".to_owned(), Op::Sync("f".to_owned()));
        let log = [Op::Create(name), write(0, b"abc"), write(1, b"x"), sync];
        assert_eq!(left(&log), [Some(b"axc".to_vec())]);
    }

    #[test]
    fn what_was_not_flushed_is_there_or_not_sector_by_sector() {
        let (name, sync) = ("f".to_owned(), Op::Sync("f".to_owned()));
        let log = [Op::Create(name), write(0, &[1; 1_024]), sync, write(0, &[2; 1_024])];
        let seen = left(&log);
        let whole = |a: u8, b: u8| [[a; 512], [b; 512]].concat();
        for (a, b) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
            assert!(seen.contains(&Some(whole(a, b))), "{a} {b}");
        }
        assert!(seen.len() > 4, "some are torn");
    }

    #[test]
    fn names_come_and_go_with_their_flush() {
        let (name, sync) = ("f".to_owned(), Op::Sync("f".to_owned()));
        let made = [Op::Create(name.clone()), write(0, b"a")];
        assert!(left(&made).contains(&None) && left(&made).contains(&Some(b"a".to_vec())));
        let removed = |flushed| {
            [Op::Create(name.clone()), write(0, b"a"), sync.clone(), Op::Delete(name.clone(), flushed)]
        };
        assert_eq!(left(&removed(true)), [None]);
        assert_eq!(left(&removed(false)), [None, Some(b"a".to_vec())]);
    }
}
