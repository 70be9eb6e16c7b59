//! Maintenance of the week, and what it left to do.

use super::Listed;
use crate::Past;
use roundsman_core::fault::FaultNumber;
use roundsman_core::figures::account::Period;
use roundsman_core::record::{Content, Kind, Record, RecordNumber};
use roundsman_core::time::Wall;
use std::sync::Arc;

/// Records that are printed.
const MOST_RECORDS: usize = 5;
/// Left-overs that are printed.
const MOST_LEFT_OVER: usize = 4;

/// A maintenance record of the week.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordRow {
    /// Its number.
    pub number: RecordNumber,
    /// What kind of work.
    pub kind: Option<Kind>,
    /// When it happened.
    pub at: Wall,
    /// Names of the devices.
    pub devices: Vec<Arc<str>>,
    /// Numbers of the faults it belongs to.
    pub faults: Vec<FaultNumber>,
    /// What was done, the first line.
    pub process: Arc<str>,
    /// Names of replaced parts.
    pub parts: Vec<Arc<str>>,
    /// Who did it.
    pub engineer: Arc<str>,
}

/// What a record says is left to do.
#[derive(Clone, Debug, PartialEq)]
pub struct LeftOver {
    /// The record's number.
    pub number: RecordNumber,
    /// When the work happened.
    pub at: Wall,
    /// Names of its devices.
    pub devices: Vec<Arc<str>>,
    /// What is left, the first line.
    pub what: Arc<str>,
    /// Who did the work.
    pub engineer: Arc<str>,
}

fn names(content: &Content) -> Vec<Arc<str>> {
    content.devices.iter().map(|device| device.name.clone()).collect()
}

/// The first line of a text; the number of the first step says nothing alone.
pub(super) fn first_line(text: &str) -> Arc<str> {
    let line = text.lines().next().unwrap_or_default();
    let step = ["1. ", "1.", "1、", "1）"].into_iter().find_map(|step| line.strip_prefix(step));
    step.unwrap_or(line).trim().into()
}

/// The records that happened in the period as they stand now, in the order they happened.
fn inside(period: Period, past: &Past) -> Vec<(Wall, RecordNumber, Content)> {
    let placed = |record: &Record| {
        let now = record.current();
        (record.happened(&now), record.number, now)
    };
    let mut found: Vec<_> = past
        .records
        .iter()
        .map(placed)
        .filter(|(at, _, _)| *at >= period.from() && *at < period.to())
        .collect();
    found.sort_by_key(|(at, number, _)| (*at, *number));
    found
}

/// The maintenance that is printed.
pub(super) fn of_period(period: Period, past: &Past) -> Listed<RecordRow> {
    let row = |(at, number, now): (Wall, RecordNumber, Content)| RecordRow {
        number,
        kind: now.kind,
        at,
        devices: names(&now),
        faults: now.faults.iter().map(|fault| fault.number).collect(),
        process: first_line(&now.process),
        parts: now.parts.iter().map(|part| part.name.clone()).collect(),
        engineer: now.engineer,
    };
    Listed::most(inside(period, past).into_iter().map(row).collect(), MOST_RECORDS)
}

/// What maintenance left to do, the oldest first. It has no end of its own: it stays on the page for as long as the
/// past reaches (four weeks more), or until a later record is about the same device.
pub(super) fn left_over(reach: Period, past: &Past) -> Listed<LeftOver> {
    let all = inside(reach, past);
    let is_followed = |number: RecordNumber, content: &Content| {
        let same = |other: &Content| {
            other.devices.iter().any(|device| content.devices.iter().any(|ours| ours.id == device.id))
        };
        all.iter().any(|(_, later, other)| *later > number && same(other))
    };
    let stands = |(_, number, now): &&(Wall, RecordNumber, Content)| {
        !now.remaining.is_empty() && !is_followed(*number, now)
    };
    let row = |(at, number, now): &(Wall, RecordNumber, Content)| LeftOver {
        number: *number,
        at: *at,
        devices: names(now),
        what: first_line(&now.remaining),
        engineer: now.engineer.clone(),
    };
    Listed::most(all.iter().filter(stands).map(row).collect(), MOST_LEFT_OVER)
}
