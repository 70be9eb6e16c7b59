//! The journal, looked at before SQLite does.
//!
//! SQLite takes a journal (`-wal`) up to its first frame that does not fit and forgets the rest: right after a power
//! cut, when the last transaction was on its way to the disk, and a silent loss when a page in the middle was damaged.
//! The two can be told apart: each commit is flushed before the next begins, so behind the first bad frame a power cut
//! leaves at most one commit. Each frame carries a running checksum, so that what follows a bad frame can still be
//! proven.
//!
//! What cannot be told apart: damage to the very last transaction, which looks as if it had never been finished.
//!
//! Layout: <https://www.sqlite.org/fileformat2.html#the_write_ahead_log>.

use crate::error::StoreError;
use crate::schema::sibling;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// Checksums are made of words of this byte order, by the last bit of the magic number.
const MAGIC: u32 = 0x377f_0682;
const VERSION: u32 = 3_007_000;
/// The page size that this program's databases have.
const USUAL_PAGE: usize = 4_096;

/// Commits that a power cut can leave behind a frame that did not reach the disk: that of the transaction that was
/// being flushed.
const UNFLUSHED_COMMITS: usize = 1;

type Sum = (u32, u32);

/// What the journal's header says.
struct Header {
    page: usize,
    big_endian: bool,
    salt: [u8; 8],
    sum: Sum,
}

/// A frame without its page.
struct Frame {
    page: u32,
    commits: bool,
    salt: [u8; 8],
    sum: Sum,
}

/// Refuses a journal that was damaged behind its back.
pub(crate) fn check(database: &Path) -> Result<(), StoreError> {
    let path = sibling(database, "-wal");
    let length = std::fs::metadata(&path).map_or(0, |file| file.len());
    if length <= HEADER as u64 {
        return Ok(());
    }
    let reading = |e: io::Error| StoreError::file(&path, "read", &e);
    let mut file = File::open(&path).map_err(reading)?;
    let mut head = [0; HEADER];
    file.read_exact(&mut head).map_err(reading)?;
    let found = match header(&head) {
        Some(header) => behind_a_bad_frame(&mut io::BufReader::new(file), &header).map_err(reading)?,
        None => without_header(&mut file, database).map_err(reading)?,
    };
    match found {
        Some(reason) => Err(StoreError::Damaged { path: database.to_owned(), reason }),
        None => Ok(()),
    }
}

/// Says what is wrong if whole, flushed transactions follow a frame that does not fit.
fn behind_a_bad_frame(file: &mut impl Read, header: &Header) -> io::Result<Option<String>> {
    let (mut before, mut commits, mut bad, mut at) = (Some(header.sum), 0, None, 0_u64);
    let mut page = vec![0; header.page];
    while let Some((frame, sum)) = next(file, &mut page, header.big_endian, before)? {
        at += 1;
        let is_ours = frame.salt == header.salt;
        if !(is_ours && sum == Some(frame.sum)) {
            // Not chained to what is before it: if it is of this journal, what follows may be chained to it.
            commits = 0;
            bad = bad.or(Some(at));
        } else if let Some(bad) = bad {
            commits += usize::from(frame.commits);
            if commits > UNFLUSHED_COMMITS {
                let reason =
                    format!("frame {bad} of its journal does not fit, and whole transactions follow it");
                return Ok(Some(reason));
            }
        }
        before = is_ours.then_some(frame.sum);
    }
    Ok(None)
}

/// A header that does not fit is what a power cut leaves when the journal began anew; then all that follows it is in
/// the database already.
fn without_header(file: &mut File, database: &Path) -> io::Result<Option<String>> {
    let mut pages: HashMap<u32, u64> = HashMap::new();
    for big_endian in [false, true] {
        file.seek(SeekFrom::Start(HEADER as u64))?;
        let (mut before, mut salt, mut at) = (None, [0; 8], HEADER as u64);
        let mut page = vec![0; USUAL_PAGE];
        let mut open: Vec<(u32, u64)> = Vec::new();
        let mut reader = io::BufReader::new(&mut *file);
        while let Some((frame, sum)) = next(&mut reader, &mut page, big_endian, before)? {
            if frame.salt == salt && sum == Some(frame.sum) {
                open.push((frame.page, at + FRAME_HEADER as u64));
                if frame.commits {
                    pages.extend(open.drain(..));
                }
            } else {
                open.clear();
            }
            (before, salt) = (Some(frame.sum), frame.salt);
            at += (FRAME_HEADER + USUAL_PAGE) as u64;
        }
    }
    let mut main = File::open(database)?;
    let (mut ours, mut theirs) = (vec![0; USUAL_PAGE], vec![0; USUAL_PAGE]);
    for (page, at) in pages {
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut ours)?;
        main.seek(SeekFrom::Start(u64::from(page.saturating_sub(1)) * USUAL_PAGE as u64))?;
        let is_there = main.read_exact(&mut theirs).is_ok() && ours == theirs;
        if !is_there {
            return Ok(Some("the head of its journal does not fit, and transactions follow it".to_owned()));
        }
    }
    Ok(None)
}

/// The next frame and the checksum it should have behind `before`; none at the end, or where a part of one is left.
fn next(
    file: &mut impl Read,
    page: &mut [u8],
    big_endian: bool,
    before: Option<Sum>,
) -> io::Result<Option<(Frame, Option<Sum>)>> {
    let mut head = [0; FRAME_HEADER];
    let whole = file.read_exact(&mut head).and_then(|()| file.read_exact(page));
    match whole {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let mut salt = [0; 8];
    salt.copy_from_slice(&head[8..16]);
    let frame = Frame {
        page: word(&head, 0),
        commits: word(&head, 4) != 0,
        salt,
        sum: (word(&head, 16), word(&head, 20)),
    };
    let sum = before.map(|sum| checksum(checksum(sum, &head[..8], big_endian), page, big_endian));
    Ok(Some((frame, sum)))
}

fn header(head: &[u8; HEADER]) -> Option<Header> {
    let (magic, page) = (word(head, 0), word(head, 8) as usize);
    let big_endian = magic == MAGIC + 1;
    let fits = (magic == MAGIC || big_endian)
        && word(head, 4) == VERSION
        && (512..=65_536).contains(&page)
        && page.is_power_of_two();
    let sum = checksum((0, 0), &head[..24], big_endian);
    let mut salt = [0; 8];
    salt.copy_from_slice(&head[16..24]);
    (fits && sum == (word(head, 24), word(head, 28))).then_some(Header { page, big_endian, salt, sum })
}

/// A big-endian word at an offset that is inside.
fn word(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().fold(0, |word, byte| word << 8 | u32::from(*byte))
}

/// SQLite's running checksum over pairs of words.
fn checksum(before: Sum, bytes: &[u8], big_endian: bool) -> Sum {
    let read = |four: &[u8]| {
        let word = word(four, 0);
        if big_endian { word } else { word.swap_bytes() }
    };
    bytes.chunks_exact(8).fold(before, |(a, b), eight| {
        let a = a.wrapping_add(read(&eight[..4])).wrapping_add(b);
        (a, b.wrapping_add(read(&eight[4..])).wrapping_add(a))
    })
}
