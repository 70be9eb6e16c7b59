//! What stands on the form, field by field, and the one text of each field that the store keeps.
//!
//! The text of a field ([`Content::text`]) is the same for the same value, and [`Content::set`] reads it back: numbers
//! for moments (milliseconds since the epoch), words for choices, one line for each entry of a list with tabs between
//! its parts. Text of people goes through [`safe`], so it holds no tab of its own.

use super::field::{Field, Kind, Satisfaction, Shape, Warranty, Why, Wrong};
use crate::fault::{FaultId, FaultNumber};
use crate::rule::Severity;
use crate::text::{is_hidden, safe};
use crate::time::Wall;
use std::sync::Arc;

/// Entries of a list: a form has a page, not a book.
const MOST_ENTRIES: usize = 20;
/// Characters of one part of an entry.
const LONGEST_PART: usize = 80;
/// Moments that make sense: 2000-01-01 to 2100-01-01 in UTC, milliseconds.
const TIMES: std::ops::Range<i64> = 946_684_800_000..4_102_444_800_000;
/// The largest amount, in hundredths.
const MOST_MONEY: u64 = 9_999_999_999;

/// A device as it was when the record was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRef {
    /// Id of the site file.
    pub id: Arc<str>,
    /// Name then.
    pub name: Arc<str>,
    /// Model then.
    pub model: Arc<str>,
    /// Place then; may be empty.
    pub place: Arc<str>,
}

/// A fault that the work belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultRef {
    /// Identity.
    pub id: FaultId,
    /// Number.
    pub number: FaultNumber,
}

/// A part that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is.
    pub name: Arc<str>,
    /// Serial number of the one taken out; may be empty.
    pub old_serial: Arc<str>,
    /// Serial number of the one put in; may be empty.
    pub new_serial: Arc<str>,
}

/// An amount in hundredths of the site's currency (分).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Money(pub u64);

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Money {
    /// Reads `1280`, `1280.5` or `1280.50`.
    pub fn parse(text: &str) -> Option<Money> {
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(part) || part.len() > 2 {
            return None;
        }
        let hundredths = part.parse::<u64>().ok()? * if part.len() == 1 { 10 } else { 1 };
        let all = whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(hundredths)?;
        (all <= MOST_MONEY).then_some(Money(all))
    }
}

/// What stands on the form; empty where nothing was entered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// What kind of work; none only before it was filled in.
    pub kind: Option<Kind>,
    /// Devices worked on.
    pub devices: Vec<DeviceRef>,
    /// Serial number of the device.
    pub serial: Arc<str>,
    /// Whether it was under warranty.
    pub warranty: Option<Warranty>,
    /// Faults it belongs to.
    pub faults: Vec<FaultRef>,
    /// How bad it was.
    pub level: Option<Severity>,
    /// Who reported it.
    pub reporter: Arc<str>,
    /// When it was reported.
    pub reported: Option<Wall>,
    /// When somebody took it on.
    pub responded: Option<Wall>,
    /// When somebody was there.
    pub arrived: Option<Wall>,
    /// When it worked again.
    pub restored: Option<Wall>,
    /// What was seen.
    pub symptom: Arc<str>,
    /// Why it was so.
    pub cause: Arc<str>,
    /// What was done.
    pub process: Arc<str>,
    /// Parts replaced.
    pub parts: Vec<Part>,
    /// What the test afterwards gave.
    pub result: Arc<str>,
    /// What is left to do.
    pub remaining: Arc<str>,
    /// What it cost.
    pub cost: Option<Money>,
    /// Who did the work.
    pub engineer: Arc<str>,
    /// What the user thought of it.
    pub satisfaction: Option<Satisfaction>,
}

impl Content {
    /// Reads a whole form.
    ///
    /// # Errors
    /// Everything that does not fit, at most one reason a field.
    pub fn read<'a>(fields: impl IntoIterator<Item = (Field, &'a str)>) -> Result<Content, Vec<Wrong>> {
        let mut content = Content::default();
        let mut wrong: Vec<Wrong> =
            fields.into_iter().filter_map(|(field, text)| content.set(field, text).err()).collect();
        for more in content.check() {
            if wrong.iter().all(|known| known.field != more.field) {
                wrong.push(more);
            }
        }
        wrong.sort_by_key(|wrong| wrong.field);
        if wrong.is_empty() { Ok(content) } else { Err(wrong) }
    }

    /// Sets one field from its text; the empty text empties it.
    ///
    /// # Errors
    /// The text does not fit the field, which stays as it was.
    pub fn set(&mut self, field: Field, text: &str) -> Result<(), Wrong> {
        self.try_set(field, text).map_err(|why| Wrong { field, why })
    }

    fn try_set(&mut self, field: Field, text: &str) -> Result<(), Why> {
        match field {
            Field::Kind => self.kind = word(text, Kind::from_word)?,
            Field::Warranty => self.warranty = word(text, Warranty::from_word)?,
            Field::Level => self.level = word(text, level)?,
            Field::Satisfaction => self.satisfaction = word(text, Satisfaction::from_word)?,
            Field::Reported => self.reported = time(text)?,
            Field::Responded => self.responded = time(text)?,
            Field::Arrived => self.arrived = time(text)?,
            Field::Restored => self.restored = time(text)?,
            Field::Cost => {
                self.cost = match text.trim() {
                    "" => None,
                    text => Some(Money::parse(text).ok_or(Why::NotMoney)?),
                };
            }
            Field::Devices => self.devices = entries(text, device)?,
            Field::Faults => self.faults = entries(text, fault)?,
            Field::Parts => self.parts = entries(text, part)?,
            Field::Serial => self.serial = words_of(field, text)?,
            Field::Reporter => self.reporter = words_of(field, text)?,
            Field::Symptom => self.symptom = words_of(field, text)?,
            Field::Cause => self.cause = words_of(field, text)?,
            Field::Process => self.process = words_of(field, text)?,
            Field::Result => self.result = words_of(field, text)?,
            Field::Remaining => self.remaining = words_of(field, text)?,
            Field::Engineer => self.engineer = words_of(field, text)?,
            Field::Reason | Field::Author => return Err(Why::Unknown),
        }
        Ok(())
    }

    /// The text of a field; empty where nothing was entered.
    pub fn text(&self, field: Field) -> String {
        let time = |at: Option<Wall>| at.map(|at| at.0.to_string()).unwrap_or_default();
        let chosen = |word: Option<&'static str>| word.unwrap_or_default().to_owned();
        match field {
            Field::Kind => chosen(self.kind.map(Kind::word)),
            Field::Warranty => chosen(self.warranty.map(Warranty::word)),
            Field::Level => chosen(self.level.map(Severity::word)),
            Field::Satisfaction => chosen(self.satisfaction.map(Satisfaction::word)),
            Field::Reported => time(self.reported),
            Field::Responded => time(self.responded),
            Field::Arrived => time(self.arrived),
            Field::Restored => time(self.restored),
            Field::Cost => self.cost.map(|cost| cost.to_string()).unwrap_or_default(),
            Field::Devices => {
                lines(&self.devices, |d| format!("{}\t{}\t{}\t{}", d.id, d.name, d.model, d.place))
            }
            Field::Faults => {
                lines(&self.faults, |f| format!("{}\t{}\t{}", f.id.0, f.number.year, f.number.sequence))
            }
            Field::Parts => lines(&self.parts, |p| format!("{}\t{}\t{}", p.name, p.old_serial, p.new_serial)),
            Field::Serial => self.serial.to_string(),
            Field::Reporter => self.reporter.to_string(),
            Field::Symptom => self.symptom.to_string(),
            Field::Cause => self.cause.to_string(),
            Field::Process => self.process.to_string(),
            Field::Result => self.result.to_string(),
            Field::Remaining => self.remaining.to_string(),
            Field::Engineer => self.engineer.to_string(),
            Field::Reason | Field::Author => String::new(),
        }
    }

    /// What is wrong with the form as a whole: what is missing for its kind, and times out of order.
    pub fn check(&self) -> Vec<Wrong> {
        let mut wrong = Vec::new();
        let mut need = |field, is_there: bool| {
            if !is_there {
                wrong.push(Wrong { field, why: Why::Missing });
            }
        };
        need(Field::Kind, self.kind.is_some());
        if matches!(self.kind, Some(Kind::Corrective | Kind::Spare)) {
            need(Field::Devices, !self.devices.is_empty());
        }
        if self.kind == Some(Kind::Corrective) {
            need(Field::Symptom, !self.symptom.is_empty());
        }
        need(Field::Process, !self.process.is_empty());
        if self.kind == Some(Kind::Spare) {
            need(Field::Parts, !self.parts.is_empty());
        }
        need(Field::Engineer, !self.engineer.is_empty());
        let times = [
            (Field::Reported, self.reported),
            (Field::Responded, self.responded),
            (Field::Arrived, self.arrived),
            (Field::Restored, self.restored),
        ];
        let mut latest: Option<(Field, Wall)> = None;
        for (field, at) in times {
            let Some(at) = at else { continue };
            match latest {
                Some((other, before)) if at < before => {
                    wrong.push(Wrong { field, why: Why::Before(other) });
                }
                _ => latest = Some((field, at)),
            }
        }
        wrong
    }
}

fn word<T>(text: &str, from_word: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Why> {
    match text.trim() {
        "" => Ok(None),
        text => from_word(text).map(Some).ok_or(Why::UnknownWord),
    }
}

/// A person decides how bad it was: `indeterminate` is no answer.
fn level(word: &str) -> Option<Severity> {
    Severity::from_word(word).filter(|severity| *severity != Severity::Indeterminate)
}

fn time(text: &str) -> Result<Option<Wall>, Why> {
    match text.trim() {
        "" => Ok(None),
        text => {
            let ms = text.parse::<i64>().ok().filter(|ms| TIMES.contains(ms));
            ms.map(|ms| Some(Wall(ms))).ok_or(Why::NotATime)
        }
    }
}

/// Text of a person for this field: safe, without empty lines at its ends, not too long.
fn words_of(field: Field, text: &str) -> Result<Arc<str>, Why> {
    let (most, text) = match field.shape() {
        Shape::Paragraph(most) => (most, paragraph(text)),
        Shape::Line(most) => (most, safe(text, usize::MAX)),
        _ => return Err(Why::Unknown),
    };
    if text.chars().count() > most { Err(Why::TooLong { most }) } else { Ok(text.into()) }
}

/// Every line made safe, blank lines at the ends left out, never two blank ones in a row.
fn paragraph(text: &str) -> String {
    let mut out = String::new();
    let mut blank = false;
    for line in text.lines() {
        let line = safe(line, usize::MAX);
        if line.is_empty() {
            blank = !out.is_empty();
            continue;
        }
        if !out.is_empty() {
            out.push_str(if blank { "\n\n" } else { "\n" });
        }
        out.push_str(&line);
        blank = false;
    }
    out
}

fn lines<T>(entries: &[T], line: impl Fn(&T) -> String) -> String {
    entries.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn entries<T: PartialEq>(text: &str, read: impl Fn(&[&str]) -> Result<T, Why>) -> Result<Vec<T>, Why> {
    let mut all = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let cells: Vec<&str> = line.split('\t').collect();
        let entry = read(&cells)?;
        // Named twice is named once.
        if !all.contains(&entry) {
            all.push(entry);
        }
        if all.len() > MOST_ENTRIES {
            return Err(Why::TooMany { most: MOST_ENTRIES });
        }
    }
    Ok(all)
}

fn cell(text: &str) -> Result<Arc<str>, Why> {
    let text = safe(text, usize::MAX);
    if text.chars().count() > LONGEST_PART {
        return Err(Why::TooLong { most: LONGEST_PART });
    }
    Ok(text.into())
}

fn device(cells: &[&str]) -> Result<DeviceRef, Why> {
    let [id, name, model, place] = cells else { return Err(Why::NotAnEntry) };
    if id.is_empty() || name.is_empty() || id.contains(is_hidden) {
        return Err(Why::NotAnEntry);
    }
    // What the site file and profiles may hold is longer than what a person types here.
    let kept = |text: &str| Arc::from(safe(text, 200));
    Ok(DeviceRef { id: (*id).into(), name: kept(name), model: kept(model), place: kept(place) })
}

fn fault(cells: &[&str]) -> Result<FaultRef, Why> {
    let [id, year, sequence] = cells else { return Err(Why::NotAnEntry) };
    let read = || {
        let number = FaultNumber { year: year.parse().ok()?, sequence: sequence.parse().ok()? };
        Some(FaultRef { id: FaultId(id.parse().ok()?), number })
    };
    read().ok_or(Why::NotAnEntry)
}

fn part(cells: &[&str]) -> Result<Part, Why> {
    let [name, old, new] = cells else { return Err(Why::NotAnEntry) };
    let part = Part { name: cell(name)?, old_serial: cell(old)?, new_serial: cell(new)? };
    if part.name.is_empty() { Err(Why::NotAnEntry) } else { Ok(part) }
}
