//! Faults and transitions as rows, and back.

use crate::error::StoreError;
use crate::service;
use roundsman_core::fault::{
    Acknowledgement, Assignment, Change, Condition, Ending, Fault, FaultId, FaultKey, FaultNumber, Service,
    Shelf, Transition,
};
use roundsman_core::reading::Value;
use roundsman_core::rule::Severity;
use roundsman_core::sla::policy::Target;
use roundsman_core::text::Bilingual;
use roundsman_core::time::Wall;
use rusqlite::types::Value as Cell;
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::sync::Arc;

/// What a row of `fault f` joined with `device d` must select, in the order that [`fault`] reads.
pub(crate) const FAULT_COLUMNS: &str = "f.id, f.year, f.sequence, d.id, f.rule, f.instance, f.cause, f.advice_zh, \
     f.advice_en, f.previous, f.severity, f.condition, f.acknowledged_by, f.acknowledged_at, f.stale, f.first_bad, \
     f.confirmed, f.cleared, f.ending, f.value_kind, f.value, f.summary_zh, f.summary_en, f.closed_by, f.hidden_by, \
     f.assigned_to, f.assigned_by, f.assigned_at, f.arrived_by, f.arrived_at, f.shelved_by, f.shelved_at, \
     f.shelved_until, f.shelf_reason, f.service";

/// The same for a row of `transition t` joined with its fault and device; [`transition`] reads it.
pub(crate) const TRANSITION_COLUMNS: &str = "f.id, f.year, f.sequence, d.id, f.rule, f.instance, f.cause, \
     f.advice_zh, f.advice_en, f.previous, t.severity, t.condition, t.acknowledged_by, t.acknowledged_at, t.stale, \
     t.first_bad, t.confirmed, t.cleared, t.ending, t.value_kind, t.value, t.summary_zh, t.summary_en, t.closed_by, t.hidden_by, \
     t.assigned_to, t.assigned_by, t.assigned_at, t.arrived_by, t.arrived_at, t.shelved_by, t.shelved_at, \
     t.shelved_until, t.shelf_reason, t.service, \
     t.id, t.at, t.change, t.severity_from";

/// Column of the first field that only a transition has.
const TRANSITION_AT: usize = 35;

/// Row of the device `id`, made (with what little is known) if the site's devices were not saved yet.
pub(crate) fn device_row(conn: &Connection, id: &str) -> rusqlite::Result<i64> {
    let known = conn
        .prepare_cached("SELECT row FROM device WHERE id = ?1")?
        .query_row([id], |row| row.get(0))
        .optional()?;
    if let Some(row) = known {
        return Ok(row);
    }
    conn.prepare_cached("INSERT INTO device (id, name, class, profile) VALUES (?1, ?1, '', '')")?
        .execute([id])?;
    Ok(conn.last_insert_rowid())
}

/// Writes one transition, the watch it happened in where that is known, and the fault as it stands after it.
pub(crate) fn write(conn: &Connection, transition: &Transition, watch: Option<i64>) -> rusqlite::Result<()> {
    write_fault(conn, transition)?;
    write_transition(conn, transition, watch)
}

fn acknowledgement_cells(fault: &Fault) -> (Option<&str>, Option<i64>) {
    match &fault.acknowledged {
        Some(ack) => (Some(&*ack.by), Some(ack.at.0)),
        None => (None, None),
    }
}

fn write_fault(conn: &Connection, transition: &Transition) -> rusqlite::Result<()> {
    let f = &transition.fault;
    let device = device_row(conn, &f.key.device)?;
    let (value_kind, value) = value_cells(f.value.as_ref());
    let (by, at) = acknowledgement_cells(f);
    let id = integer(f.id.0)?;
    conn.prepare_cached(
        "INSERT INTO fault (id, year, sequence, device, rule, instance, severity, condition, acknowledged_by,
           acknowledged_at, stale, first_bad, confirmed, cleared, ending, value_kind, value, cause, summary_zh,
           summary_en, advice_zh, advice_en, previous, changed_at, closed_by, hidden_by,
           assigned_to, assigned_by, assigned_at, arrived_by, arrived_at, shelved_by, shelved_at, shelved_until,
           shelf_reason, service)
         VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19,?20,?21,?22,?23,?24,?25,?26,
           ?27,?28,?29,?30,?31,?32,?33,?34,?35,?36)
         ON CONFLICT (id) DO UPDATE SET severity = excluded.severity, condition = excluded.condition,
           acknowledged_by = excluded.acknowledged_by, acknowledged_at = excluded.acknowledged_at,
           stale = excluded.stale, first_bad = excluded.first_bad, confirmed = excluded.confirmed,
           cleared = excluded.cleared, ending = excluded.ending, value_kind = excluded.value_kind,
           value = excluded.value, cause = excluded.cause, summary_zh = excluded.summary_zh,
           summary_en = excluded.summary_en, advice_zh = excluded.advice_zh, advice_en = excluded.advice_en,
           changed_at = excluded.changed_at, closed_by = excluded.closed_by, hidden_by = excluded.hidden_by,
           assigned_to = excluded.assigned_to, assigned_by = excluded.assigned_by,
           assigned_at = excluded.assigned_at, arrived_by = excluded.arrived_by, arrived_at = excluded.arrived_at,
           shelved_by = excluded.shelved_by, shelved_at = excluded.shelved_at,
           shelved_until = excluded.shelved_until, shelf_reason = excluded.shelf_reason,
           service = excluded.service",
    )?
    .execute(params![
        id,
        f.number.year,
        f.number.sequence,
        device,
        f.key.rule,
        f.key.instance,
        f.severity.word(),
        f.condition.word(),
        by,
        at,
        f.stale,
        f.first_bad.0,
        f.confirmed.0,
        f.cleared.map(|w| w.0),
        f.ending.map(Ending::word),
        value_kind,
        value,
        f.cause,
        f.summary.zh,
        f.summary.en,
        f.advice.zh,
        f.advice.en,
        f.previous.map(|p| integer(p.0)).transpose()?,
        transition.at.0,
        f.closed_by,
        f.hidden_by.map(|root| integer(root.0)).transpose()?,
        f.assigned.as_ref().map(|assigned| &assigned.to),
        f.assigned.as_ref().map(|assigned| &assigned.by),
        f.assigned.as_ref().map(|assigned| assigned.at.0),
        f.arrived.as_ref().map(|arrived| &arrived.by),
        f.arrived.as_ref().map(|arrived| arrived.at.0),
        f.shelf.as_ref().map(|shelf| &shelf.by),
        f.shelf.as_ref().map(|shelf| shelf.at.0),
        f.shelf.as_ref().map(|shelf| shelf.until.0),
        f.shelf.as_ref().map(|shelf| &shelf.reason),
        f.service.as_ref().map(service::text),
    ])?;
    Ok(())
}

/// The fault as it stands after it is the row that [`write_fault`] wrote just now.
fn write_transition(conn: &Connection, transition: &Transition, watch: Option<i64>) -> rusqlite::Result<()> {
    let from = match transition.change {
        Change::Severity { from } => Some(from.word()),
        _ => None,
    };
    conn.prepare_cached(
        "INSERT INTO transition (id, at, change, severity_from, watch, fault, severity, condition, acknowledged_by,
           acknowledged_at, stale, first_bad, confirmed, cleared, ending, value_kind, value, summary_zh, summary_en,
           closed_by, hidden_by, assigned_to, assigned_by, assigned_at, arrived_by, arrived_at, shelved_by,
           shelved_at, shelved_until, shelf_reason, service)
         SELECT ?1, ?2, ?3, ?4, ?5, id, severity, condition, acknowledged_by,
           acknowledged_at, stale, first_bad, confirmed, cleared, ending, value_kind, value, summary_zh, summary_en,
           closed_by, hidden_by, assigned_to, assigned_by, assigned_at, arrived_by, arrived_at, shelved_by,
           shelved_at, shelved_until, shelf_reason, service
         FROM fault WHERE id = ?6",
    )?
    .execute(params![
        integer(transition.id)?,
        transition.at.0,
        transition.change.word(),
        from,
        watch,
        integer(transition.fault.id.0)?,
    ])?;
    Ok(())
}

/// A number of ours as SQLite's signed integer.
pub(crate) fn integer(id: u64) -> rusqlite::Result<i64> {
    i64::try_from(id).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

fn value_cells(value: Option<&Value>) -> (Option<&'static str>, Cell) {
    match value {
        None => (None, Cell::Null),
        Some(Value::Number(x)) => (Some("number"), Cell::Real(*x)),
        Some(Value::Counter32(x)) => (Some("counter32"), Cell::Integer(i64::from(*x))),
        // SQLite's integers are signed: the bits are kept, see `read_value`.
        Some(Value::Counter64(x)) => (Some("counter64"), Cell::Integer(x.cast_signed())),
        Some(Value::State(x)) => (Some("state"), Cell::Text(x.to_string())),
        Some(Value::Text(x)) => (Some("text"), Cell::Text(x.to_string())),
    }
}

fn read_value(kind: Option<String>, cell: Cell) -> Result<Option<Value>, StoreError> {
    let value = match (kind.as_deref(), cell) {
        (None, _) => return Ok(None),
        (Some("number"), Cell::Real(x)) => Value::Number(x),
        (Some("counter32"), Cell::Integer(x)) => match u32::try_from(x) {
            Ok(x) => Value::Counter32(x),
            Err(_) => return Err(unreadable(format!("counter32 {x}"))),
        },
        (Some("counter64"), Cell::Integer(x)) => Value::Counter64(x.cast_unsigned()),
        (Some("state"), Cell::Text(x)) => Value::State(x.into()),
        (Some("text"), Cell::Text(x)) => Value::Text(x.into()),
        (Some(kind), cell) => return Err(unreadable(format!("value {cell:?} of kind {kind:?}"))),
    };
    Ok(Some(value))
}

fn unreadable(reason: String) -> StoreError {
    StoreError::Unreadable { what: "fault", reason }
}

fn word<T>(row: &Row<'_>, at: usize, from_word: impl Fn(&str) -> Option<T>) -> Result<T, StoreError> {
    let word: String = cell(row, at)?;
    from_word(&word).ok_or_else(|| unreadable(format!("unknown word {word:?}")))
}

fn cell<T: rusqlite::types::FromSql>(row: &Row<'_>, at: usize) -> Result<T, StoreError> {
    row.get(at).map_err(|e| unreadable(e.to_string()))
}

fn text(row: &Row<'_>, at: usize) -> Result<Arc<str>, StoreError> {
    cell::<String>(row, at).map(Arc::from)
}

fn condition(word: &str) -> Option<Condition> {
    [Condition::Active, Condition::Clearing, Condition::Cleared].into_iter().find(|c| c.word() == word)
}

/// Who did something and when, from two cells in a row.
fn note(row: &Row<'_>, at: usize) -> Result<Option<Acknowledgement>, StoreError> {
    match (cell::<Option<String>>(row, at)?, cell::<Option<i64>>(row, at + 1)?) {
        (Some(by), Some(at)) => Ok(Some(Acknowledgement { by: by.into(), at: Wall(at) })),
        (None, None) => Ok(None),
        other => Err(unreadable(format!("who and when are there by half: {other:?}"))),
    }
}

fn assignment(row: &Row<'_>) -> Result<Option<Assignment>, StoreError> {
    let to: Option<String> = cell(row, 25)?;
    match (to, note(row, 26)?) {
        (Some(to), Some(Acknowledgement { by, at })) => Ok(Some(Assignment { to: to.into(), by, at })),
        (None, None) => Ok(None),
        other => Err(unreadable(format!("an assignment is there by half: {other:?}"))),
    }
}

fn shelf(row: &Row<'_>) -> Result<Option<Shelf>, StoreError> {
    let (until, reason): (Option<i64>, Option<String>) = (cell(row, 32)?, cell(row, 33)?);
    match (note(row, 30)?, until, reason) {
        (Some(Acknowledgement { by, at }), Some(until), Some(reason)) => {
            Ok(Some(Shelf { by, at, until: Wall(until), reason: reason.into() }))
        }
        (None, None, None) => Ok(None),
        other => Err(unreadable(format!("a shelf is there by half: {other:?}"))),
    }
}

fn service(row: &Row<'_>) -> Result<Option<Service>, StoreError> {
    let text: Option<String> = cell(row, 34)?;
    let read = |text: &String| {
        service::read(text).ok_or_else(|| unreadable(format!("the clock of a service level {text:?}")))
    };
    text.as_ref().map(read).transpose()
}

/// Reads a fault from a row that selected [`FAULT_COLUMNS`].
pub(crate) fn fault(row: &Row<'_>) -> Result<Fault, StoreError> {
    let ending: Option<String> = cell(row, 18)?;
    let ending = ending
        .map(|word| Ending::from_word(&word).ok_or_else(|| unreadable(format!("unknown ending {word:?}"))))
        .transpose()?;
    Ok(Fault {
        id: FaultId(cell(row, 0)?),
        number: FaultNumber { year: cell(row, 1)?, sequence: cell(row, 2)? },
        key: FaultKey { device: text(row, 3)?, rule: text(row, 4)?, instance: text(row, 5)? },
        cause: text(row, 6)?,
        advice: Bilingual::new(text(row, 7)?, text(row, 8)?),
        previous: cell::<Option<u64>>(row, 9)?.map(FaultId),
        severity: word(row, 10, Severity::from_word)?,
        condition: word(row, 11, condition)?,
        acknowledged: note(row, 12)?,
        assigned: assignment(row)?,
        arrived: note(row, 28)?,
        shelf: shelf(row)?,
        service: service(row)?,
        stale: cell(row, 14)?,
        first_bad: Wall(cell(row, 15)?),
        confirmed: Wall(cell(row, 16)?),
        cleared: cell::<Option<i64>>(row, 17)?.map(Wall),
        ending,
        value: read_value(cell(row, 19)?, cell(row, 20)?)?,
        summary: Bilingual::new(text(row, 21)?, text(row, 22)?),
        closed_by: cell::<Option<String>>(row, 23)?.map(Arc::from),
        hidden_by: cell::<Option<u64>>(row, 24)?.map(FaultId),
    })
}

/// Reads a transition from a row that selected [`TRANSITION_COLUMNS`].
pub(crate) fn transition(row: &Row<'_>) -> Result<Transition, StoreError> {
    let change: String = cell(row, TRANSITION_AT + 2)?;
    let change = match change.as_str() {
        "raised" => Change::Raised,
        "reopened" => Change::Reopened,
        "severity" => Change::Severity { from: word(row, TRANSITION_AT + 3, Severity::from_word)? },
        "acknowledged" => Change::Acknowledged,
        "assigned" => Change::Assigned,
        "arrived" => Change::Arrived,
        "shelved" => Change::Shelved,
        "unshelved" => Change::Unshelved,
        "response-warning" => Change::ServiceWarning(Target::Response),
        "on-site-warning" => Change::ServiceWarning(Target::OnSite),
        "restore-warning" => Change::ServiceWarning(Target::Restore),
        "response-breach" => Change::ServiceBreach(Target::Response),
        "on-site-breach" => Change::ServiceBreach(Target::OnSite),
        "restore-breach" => Change::ServiceBreach(Target::Restore),
        "hidden" => Change::Hidden,
        "revealed" => Change::Revealed,
        "restored" => Change::Restored,
        "ended" => Change::Ended,
        other => return Err(unreadable(format!("unknown change {other:?}"))),
    };
    Ok(Transition {
        id: cell(row, TRANSITION_AT)?,
        at: Wall(cell(row, TRANSITION_AT + 1)?),
        change,
        fault: fault(row)?,
    })
}
