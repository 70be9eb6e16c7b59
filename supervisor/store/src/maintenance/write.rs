//! Writing: the number is allotted, the key looked up and the amendment judged inside the transaction, where nobody
//! else writes.

use super::{NewAmendment, NewRecord, id_of, read};
use crate::error::StoreError;
use crate::reader::rows;
use crate::records::{device_row, integer};
use roundsman_core::record::{Content, Field, Record, RecordNumber, Refusal};
use rusqlite::{Connection, params};
use std::sync::{Arc, Mutex};

/// What is to be written.
pub(crate) enum Write {
    Record(Box<NewRecord>),
    Amendment(Box<NewAmendment>),
}

/// Where the writer leaves what came of it; read after the commit alone.
pub(crate) type Outcome = Arc<Mutex<Option<Result<Record, Refusal>>>>;

/// Writes it, or says why not and writes nothing.
pub(crate) fn apply(conn: &Connection, write: &Write) -> Result<Result<Record, Refusal>, StoreError> {
    match write {
        Write::Record(new) => add(conn, new),
        Write::Amendment(new) => amend(conn, new),
    }
}

fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::sqlite("store a maintenance record", &error)
}

/// The newest row number of a table plus one.
fn next(conn: &Connection, sql: &str, year: Option<u16>) -> Result<i64, StoreError> {
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    match year {
        Some(year) => statement.query_row([year], |row| row.get(0)),
        None => statement.query_row([], |row| row.get(0)),
    }
    .map_err(failed)
}

fn found(conn: &Connection, sql: &str, key: Option<&Arc<str>>) -> Result<Option<i64>, StoreError> {
    let Some(key) = key else { return Ok(None) };
    Ok(rows(conn, sql, [&**key], |row| super::cell(row, 0))?.pop())
}

fn whole(conn: &Connection, id: i64) -> Result<Record, StoreError> {
    read(conn, id)?.ok_or_else(|| super::unreadable(format!("row {id} is not there")))
}

fn add(conn: &Connection, new: &NewRecord) -> Result<Result<Record, Refusal>, StoreError> {
    if let Some(id) = found(conn, "SELECT id FROM maintenance WHERE key = ?1", new.key.as_ref())? {
        let known = whole(conn, id)?;
        return Ok(if is_same(&known.original, &new.content) { Ok(known) } else { Err(Refusal::KeyReused) });
    }
    let id = next(conn, "SELECT coalesce(max(id), 0) + 1 FROM maintenance", None)?;
    let sequence =
        next(conn, "SELECT coalesce(max(sequence), 0) + 1 FROM maintenance WHERE year = ?1", Some(new.year))?;
    let sequence = u32::try_from(sequence).map_err(|e| super::unreadable(e.to_string()))?;
    conn.prepare_cached(
        "INSERT INTO maintenance (id, year, sequence, at, by, key) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )
    .and_then(|mut s| s.execute(params![id, new.year, sequence, new.at.0, new.by, new.key]))
    .map_err(failed)?;
    let mut insert = conn
        .prepare_cached("INSERT INTO maintenance_field (record, field, value) VALUES (?1, ?2, ?3)")
        .map_err(failed)?;
    for field in Field::of_record() {
        let text = new.content.text(field);
        if !text.is_empty() {
            insert.execute(params![id, field.word(), text]).map_err(failed)?;
        }
    }
    let record = Record {
        number: RecordNumber { year: new.year, sequence },
        at: new.at,
        by: new.by.clone(),
        original: new.content.clone(),
        amendments: Vec::new(),
    };
    index(conn, id, &record, &new.content)?;
    Ok(Ok(record))
}

/// Whether two forms say the same, apart from what devices were called at the time.
fn is_same(one: &Content, other: &Content) -> bool {
    let ids = |content: &Content| content.devices.iter().map(|d| d.id.clone()).collect::<Vec<_>>();
    let bare = |content: &Content| Content { devices: Vec::new(), ..content.clone() };
    ids(one) == ids(other) && bare(one) == bare(other)
}

fn amend(conn: &Connection, new: &NewAmendment) -> Result<Result<Record, Refusal>, StoreError> {
    let Some(id) = id_of(conn, new.number)? else { return Ok(Err(Refusal::NoSuchRecord)) };
    let record = whole(conn, id)?;
    let change = &new.correction;
    let sql = "SELECT record FROM maintenance_amendment WHERE key = ?1";
    if let Some(of) = found(conn, sql, new.key.as_ref())? {
        let is_same = of == id && record.amendments.iter().any(|known| known.change == *change);
        return Ok(if is_same { Ok(record) } else { Err(Refusal::KeyReused) });
    }
    let content = match record.amended(change) {
        Ok(content) => content,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let row = next(conn, "SELECT coalesce(max(id), 0) + 1 FROM maintenance_amendment", None)?;
    conn.prepare_cached(
        "INSERT INTO maintenance_amendment (id, record, at, by, author, field, value, reason, key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .and_then(|mut s| {
        s.execute(params![
            row,
            id,
            new.at.0,
            new.by,
            change.author,
            change.field.word(),
            change.value,
            change.reason,
            new.key
        ])
    })
    .map_err(failed)?;
    let record = whole(conn, id)?;
    index(conn, id, &record, &content)?;
    Ok(Ok(record))
}

/// What the record is found by, from how it stands now.
fn index(conn: &Connection, id: i64, record: &Record, content: &Content) -> Result<(), StoreError> {
    let numbers = content.faults.iter().map(|fault| fault.number.to_string());
    let texts = Field::of_record().map(|field| content.text(field));
    let text: Vec<String> = std::iter::once(record.number.to_string()).chain(numbers).chain(texts).collect();
    let kind = content.text(Field::Kind);
    let write = || -> rusqlite::Result<()> {
        conn.prepare_cached(
            "INSERT INTO maintenance_now (record, kind, happened, text) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (record) DO UPDATE SET kind = excluded.kind, happened = excluded.happened,
               text = excluded.text",
        )?
        .execute(params![id, kind, record.happened(content).0, text.join("\n").to_lowercase()])?;
        conn.prepare_cached("DELETE FROM maintenance_device WHERE record = ?1")?.execute([id])?;
        conn.prepare_cached("DELETE FROM maintenance_fault WHERE record = ?1")?.execute([id])?;
        for device in &content.devices {
            let row = device_row(conn, &device.id)?;
            conn.prepare_cached("INSERT OR IGNORE INTO maintenance_device (device, record) VALUES (?1, ?2)")?
                .execute([row, id])?;
        }
        for fault in &content.faults {
            conn.prepare_cached("INSERT OR IGNORE INTO maintenance_fault (fault, record) VALUES (?1, ?2)")?
                .execute([integer(fault.id.0)?, id])?;
        }
        Ok(())
    };
    write().map_err(failed)
}
