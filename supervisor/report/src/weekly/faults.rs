//! The faults of the week: which were worst, which came again, which hid others, which are still open.

use super::Listed;
use super::records::first_line;
use crate::Past;
use roundsman_core::fault::{Ending, Fault, FaultId, FaultNumber};
use roundsman_core::figures::Figures;
use roundsman_core::figures::account::Period;
use roundsman_core::figures::faults::{Course, FaultLife, root};
use roundsman_core::record::{Record, RecordNumber};
use roundsman_core::rule::Severity;
use roundsman_core::text::Bilingual;
use roundsman_core::time::Wall;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Faults that are printed one by one: with the other sections they fill two pages.
const MOST_FAULTS: usize = 8;
/// Open faults that are printed.
const MOST_OPEN: usize = 10;
/// Repeat offenders that are printed.
const MOST_REPEATS: usize = 5;
/// Root causes that are printed.
const MOST_ROOTS: usize = 5;

/// What was done about a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Treatment {
    /// A maintenance record says what.
    Recorded {
        /// Its number.
        number: RecordNumber,
        /// What was done.
        process: Arc<str>,
    },
    /// Somebody took note.
    Acknowledged,
    /// Nobody took note, and it is open.
    Unattended,
    /// Nobody took note before it ended.
    EndedByItself,
}

/// A fault with its life.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultRow {
    /// Identity.
    pub id: FaultId,
    /// The number people say.
    pub number: FaultNumber,
    /// The worst severity it reached.
    pub severity: Severity,
    /// Device id.
    pub device: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Where it stands; empty where nobody said it or the name does.
    pub location: Arc<str>,
    /// What was seen.
    pub what: Bilingual,
    /// What to do next; may be empty.
    pub advice: Bilingual,
    /// First bad evidence, in the wall time it is filed under.
    pub began: Wall,
    /// When its condition was over; `None` while it lasts.
    pub recovered: Option<Wall>,
    /// How its life ended; `None` while it is open at the end of the period.
    pub ended: Option<Ending>,
    /// How long the condition lasted: of an ended one by the monotonic clock (`None` where nobody can know), of an
    /// open one its age at the end of the period by the calendar. ms.
    pub lasted_ms: Option<u64>,
    /// Whether it was raised in the week; else it was carried in.
    pub is_new: bool,
    /// Whether somebody took note before the period's end.
    pub is_acknowledged: bool,
    /// What was done.
    pub treatment: Treatment,
}

/// A device and rule with two or more new faults in the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatRow {
    /// Device id.
    pub device: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// What was seen last.
    pub what: Bilingual,
    /// The worst severity.
    pub worst: Severity,
    /// The faults' numbers, ascending.
    pub numbers: Vec<FaultNumber>,
}

/// A fault that others stood behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootRow {
    /// Its number.
    pub number: FaultNumber,
    /// Name of its device.
    pub name: Arc<str>,
    /// What was seen.
    pub what: Bilingual,
    /// Faults behind it.
    pub hidden: u32,
}

/// A fault of the period that stands for itself.
pub(super) struct Own<'a> {
    pub(super) fault: &'a FaultLife,
    course: Course,
}

/// The faults of the period that are behind no other, as [`Figures`] counts them.
pub(super) fn own(period: Period, past: &Past) -> impl Iterator<Item = Own<'_>> {
    let by_id: BTreeMap<FaultId, &FaultLife> = past.faults.iter().map(|fault| (fault.id, fault)).collect();
    let own: Vec<&FaultLife> =
        by_id.values().filter(|fault| root(fault, &by_id).is_none()).copied().collect();
    own.into_iter().filter_map(move |fault| Some(Own { fault, course: fault.course(period, &past.watches)? }))
}

/// Rows of all of them, the worst first: by severity, open before ended, then the longest.
pub(super) fn sorted(period: Period, past: &Past) -> Vec<FaultRow> {
    let mut rows: Vec<FaultRow> = own(period, past).map(|own| row(&own, period, past)).collect();
    rows.sort_by_key(|row| (row.severity, row.ended.is_some(), Reverse(row.lasted_ms), row.id));
    rows
}

fn row(own: &Own, period: Period, past: &Past) -> FaultRow {
    let (fault, watches) = (own.fault, &past.watches);
    let inside = |at: &Wall| *at < period.to();
    let began = watches.label(fault.first_bad);
    let ended = fault.ended.filter(|_| own.course.has_ended);
    let over = fault.cleared.or(ended.map(|(at, _)| at));
    let recovered = over.map(|at| watches.label(at)).filter(inside);
    let lasted_ms = match over.filter(|_| recovered.is_some()) {
        Some(over) => watches.between_ms(fault.first_bad, over),
        None => Some(u64::try_from(period.to().0.saturating_sub(began.0)).unwrap_or(0)),
    };
    let named = past.names.get(&fault.key.device);
    let detail = past.details.get(&fault.id);
    let took_note = fault.acknowledged.map(|at| watches.label(at)).is_some_and(|at| inside(&at));
    let treatment = match treated(fault.id, past) {
        Some((number, process)) => Treatment::Recorded { number, process },
        None if took_note => Treatment::Acknowledged,
        None if ended.is_some() => Treatment::EndedByItself,
        None => Treatment::Unattended,
    };
    FaultRow {
        id: fault.id,
        number: fault.number,
        severity: fault.severity,
        device: fault.key.device.clone(),
        name: past.name(&fault.key.device),
        // A name that says the place already needs it no second time.
        location: named
            .map(|named| named.location.clone())
            .filter(|location| !past.name(&fault.key.device).contains(&**location))
            .unwrap_or_default(),
        what: said(detail, fault),
        advice: detail.map(|detail| detail.advice.clone()).unwrap_or_default(),
        began,
        recovered,
        ended: ended.map(|(_, how)| how),
        lasted_ms,
        is_new: own.course.is_new,
        is_acknowledged: took_note,
        treatment,
    }
}

/// What was seen; where the store lost the fault's text, what it is about.
fn said(detail: Option<&Fault>, fault: &FaultLife) -> Bilingual {
    detail.map(|detail| detail.summary.clone()).unwrap_or_else(|| {
        let about = [&*fault.key.rule, &*fault.key.instance].join(" ");
        Bilingual::new(about.trim(), about.trim())
    })
}

/// The latest maintenance record that names the fault, and the first line of what was done.
fn treated(id: FaultId, past: &Past) -> Option<(RecordNumber, Arc<str>)> {
    let about = |record: &&Record| record.current().faults.iter().any(|fault| fault.id == id);
    let record = past.records.iter().filter(about).max_by_key(|record| record.number)?;
    let process = record.current().process;
    Some((record.number, first_line(&process)))
}

/// The faults that are printed.
pub(super) fn listed(rows: Vec<FaultRow>) -> Listed<FaultRow> {
    Listed::most(rows, MOST_FAULTS)
}

/// Those that were open at the end.
pub(super) fn open(rows: &[FaultRow]) -> Listed<FaultRow> {
    Listed::most(rows.iter().filter(|row| row.ended.is_none()).cloned().collect(), MOST_OPEN)
}

/// Repeat offenders.
pub(super) fn repeats(figures: &Figures, past: &Past) -> Listed<RepeatRow> {
    let row = |repeat: &roundsman_core::figures::faults::Repeat| {
        let last = past.faults.iter().filter(|fault| repeat.numbers.contains(&fault.number));
        let last = last.max_by_key(|fault| fault.number)?;
        Some(RepeatRow {
            name: past.name(&repeat.device),
            device: repeat.device.clone(),
            what: said(past.details.get(&last.id), last),
            worst: repeat.worst,
            numbers: repeat.numbers.clone(),
        })
    };
    let mut listed =
        Listed::most(figures.faults.repeats.iter().filter_map(row).collect::<Vec<_>>(), MOST_REPEATS);
    listed.left_off += figures.faults.repeats_left_off;
    listed
}

/// Root causes, those with the most behind them first.
pub(super) fn roots(figures: &Figures, past: &Past) -> Listed<RootRow> {
    let row = |(id, hidden): (&FaultId, &u32)| {
        let fault = past.faults.iter().find(|fault| fault.id == *id)?;
        Some(RootRow {
            number: fault.number,
            name: past.name(&fault.key.device),
            what: said(past.details.get(id), fault),
            hidden: *hidden,
        })
    };
    let mut rows: Vec<RootRow> = figures.faults.roots.iter().filter_map(row).collect();
    rows.sort_by_key(|row| (Reverse(row.hidden), row.number));
    Listed::most(rows, MOST_ROOTS)
}
