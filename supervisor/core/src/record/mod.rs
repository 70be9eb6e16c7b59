//! Maintenance records (维保记录): what was done to devices, by whom, and what came of it.
//!
//! **Duty.** The record's number, its fields ([`Content`], as on the paper form), their limits, and how it is corrected:
//! a record is written once; an [`Amendment`] beside it says which field has another value now, who says so and why.
//! [`Record::current`] folds them.
//!
//! **Place in the flow.** The panel reads people's words into a [`Content`], the store numbers and keeps it, reports
//! count it.
//!
//! **Refuses.** Nothing here changes or removes what was written. It allots no number and reads no clock: store and
//! shell do.

mod content;
mod field;
#[cfg(test)]
mod tests;

pub use content::{Content, DeviceRef, FaultRef, Money, Part};
pub use field::{Field, Kind, Satisfaction, Shape, Warranty, Why, Wrong};

use crate::text::safe;
use crate::time::Wall;
use std::sync::Arc;

/// Amendments of one record: more of them, and it is another record that is wanted.
pub const MOST_AMENDMENTS: usize = 200;
/// Characters of an amendment's reason.
pub const LONGEST_REASON: usize = 300;
/// Characters of a person's name.
pub const LONGEST_NAME: usize = 40;

/// The number people say: `M-2026-0042`. Without gaps inside a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordNumber {
    /// Year in site time when it was written.
    pub year: u16,
    /// Running number in that year, from 1.
    pub sequence: u32,
}

impl std::fmt::Display for RecordNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "M-{}-{:04}", self.year, self.sequence)
    }
}

impl RecordNumber {
    /// Reads what [`Display`](std::fmt::Display) writes; the leading zeros and the case of the letter do not matter,
    /// since people type it.
    pub fn parse(text: &str) -> Option<RecordNumber> {
        let rest = text.strip_prefix(['M', 'm'])?.strip_prefix('-')?;
        let (year, sequence) = rest.split_once('-')?;
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year) || !digits(sequence) {
            return None;
        }
        let (year, sequence) = (year.parse().ok()?, sequence.parse().ok()?);
        (sequence > 0).then_some(RecordNumber { year, sequence })
    }
}

/// A correction: one field, its new value, and why. The original stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Amendment {
    /// When it was written.
    pub at: Wall,
    /// The account (or token) that wrote it.
    pub by: Arc<str>,
    /// What is to change.
    pub change: Correction,
}

/// What somebody wants to correct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Which field.
    pub field: Field,
    /// Its new value in the form of [`Content::text`].
    pub value: Arc<str>,
    /// Why; never empty.
    pub reason: Arc<str>,
    /// Name of the person who says so; never empty.
    pub author: Arc<str>,
}

impl Correction {
    /// A correction from people's words.
    ///
    /// # Errors
    /// A missing or too long reason or name.
    pub fn new(field: Field, value: &str, reason: &str, author: &str) -> Result<Correction, Vec<Wrong>> {
        let (reason, author) = (safe(reason, usize::MAX), safe(author, usize::MAX));
        let mut wrong = Vec::new();
        for (text, field, most) in
            [(&reason, Field::Reason, LONGEST_REASON), (&author, Field::Author, LONGEST_NAME)]
        {
            match text.chars().count() {
                0 => wrong.push(Wrong { field, why: Why::Missing }),
                n if n > most => wrong.push(Wrong { field, why: Why::TooLong { most } }),
                _ => {}
            }
        }
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(Correction { field, value: value.into(), reason: reason.into(), author: author.into() })
    }
}

/// A record with everything that was ever said about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its number.
    pub number: RecordNumber,
    /// When it was written.
    pub at: Wall,
    /// The account (or token) that wrote it.
    pub by: Arc<str>,
    /// What was written first; never changed.
    pub original: Content,
    /// Corrections, oldest first.
    pub amendments: Vec<Amendment>,
}

impl Record {
    /// The record as it stands: the original with every amendment in it.
    pub fn current(&self) -> Content {
        let mut content = self.original.clone();
        for amendment in &self.amendments {
            // Each was accepted by `Record::amended`; one that a newer version wrote and this one cannot read leaves
            // the field as it was.
            let _ = content.set(amendment.change.field, &amendment.change.value);
        }
        content
    }

    /// When it happened: the earliest time on the form, else when it was written.
    pub fn happened(&self, content: &Content) -> Wall {
        let times = [content.reported, content.responded, content.arrived, content.restored];
        times.into_iter().flatten().next().unwrap_or(self.at)
    }

    /// The record as it would stand with one more amendment.
    ///
    /// # Errors
    /// Why the correction does not fit; the record stays as it is.
    pub fn amended(&self, correction: &Correction) -> Result<Content, Refusal> {
        if self.amendments.len() >= MOST_AMENDMENTS {
            return Err(Refusal::TooManyAmendments);
        }
        let before = self.current();
        let field = correction.field;
        let mut after = before.clone();
        after.set(field, &correction.value).map_err(|wrong| Refusal::Wrong(vec![wrong]))?;
        if after == before {
            return Err(Refusal::Wrong(vec![Wrong { field, why: Why::Unchanged }]));
        }
        let wrong = after.check();
        if wrong.is_empty() { Ok(after) } else { Err(Refusal::Wrong(wrong)) }
    }
}

/// Why a record or an amendment was not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such record.
    NoSuchRecord,
    /// The Idempotency-Key has been used for something else.
    KeyReused,
    /// The record has [`MOST_AMENDMENTS`].
    TooManyAmendments,
    /// Fields that do not fit, each with the reason; never empty.
    Wrong(Vec<Wrong>),
}
