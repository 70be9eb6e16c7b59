//! Maintenance records as rows: written once by the writer's thread, found and read by the reader.
//!
//! A record, its number and its Idempotency-Key are one transaction, so that a request that is repeated after a power
//! cut finds what the first one wrote. Triggers refuse every change of an original (migration of the same name).

mod find;
mod write;

pub use find::RecordFilter;
pub(crate) use write::{Outcome, Write, apply};

use crate::error::StoreError;
use crate::reader::rows;
use roundsman_core::record::{Amendment, Content, Correction, Field, Record, RecordNumber};
use roundsman_core::time::Wall;
use rusqlite::{Connection, Row, params};
use std::path::Path;

/// A record to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecord {
    /// When it is written.
    pub at: Wall,
    /// Year of `at` in site time: that of its number.
    pub year: u16,
    /// The account (or token) that writes it.
    pub by: std::sync::Arc<str>,
    /// What stands on the form, checked.
    pub content: Content,
    /// Idempotency-Key, made unique to its caller and route.
    pub key: Option<std::sync::Arc<str>>,
}

/// An amendment to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAmendment {
    /// Of which record.
    pub number: RecordNumber,
    /// When it is written.
    pub at: Wall,
    /// The account (or token) that writes it.
    pub by: std::sync::Arc<str>,
    /// What is to change.
    pub correction: Correction,
    /// Idempotency-Key, made unique to its caller and route.
    pub key: Option<std::sync::Arc<str>>,
}

/// Reads every text of every record: long ones lie on pages of their own, which a check of the database's structure
/// does not look into. Some thousand records take some milliseconds.
///
/// # Errors
/// [`StoreError::Damaged`] if one is no text any more.
pub(crate) fn check(conn: &Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |e: rusqlite::Error| StoreError::opening(path, "check the records of", &e);
    let sql = "SELECT record, value FROM maintenance_field
               UNION ALL SELECT record, value || reason || author FROM maintenance_amendment";
    let mut statement = conn.prepare(sql).map_err(failed)?;
    let mut found = statement.query([]).map_err(failed)?;
    while let Some(row) = found.next().map_err(failed)? {
        let text = row.get_ref(1).map_err(failed)?;
        // What people write has no zero bytes; a page that was lost has nothing else.
        let is_legible = text.as_str().is_ok_and(|text| !text.contains('\0'));
        if !is_legible {
            let reason = format!(
                "the text of maintenance record {:?} is not legible",
                row.get_ref(0).map_err(failed)?
            );
            return Err(StoreError::Damaged { path: path.to_owned(), reason });
        }
    }
    Ok(())
}

fn unreadable(reason: String) -> StoreError {
    StoreError::Unreadable { what: "maintenance record", reason }
}

fn cell<T: rusqlite::types::FromSql>(row: &Row<'_>, at: usize) -> Result<T, StoreError> {
    row.get(at).map_err(|e| unreadable(e.to_string()))
}

fn field(row: &Row<'_>, at: usize) -> Result<Field, StoreError> {
    let word: String = cell(row, at)?;
    Field::from_word(&word).ok_or_else(|| unreadable(format!("unknown field {word:?}")))
}

/// The row number of a record, if there is one with this number.
fn id_of(conn: &Connection, number: RecordNumber) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM maintenance WHERE year = ?1 AND sequence = ?2";
    Ok(rows(conn, sql, params![number.year, number.sequence], |row| cell(row, 0))?.pop())
}

/// A record with its amendments, by row number.
fn read(conn: &Connection, id: i64) -> Result<Option<Record>, StoreError> {
    let sql = "SELECT year, sequence, at, by FROM maintenance WHERE id = ?1";
    let head = rows(conn, sql, [id], |row| {
        let number = RecordNumber { year: cell(row, 0)?, sequence: cell(row, 1)? };
        Ok((number, Wall(cell(row, 2)?), cell::<String>(row, 3)?))
    })?;
    let Some((number, at, by)) = head.into_iter().next() else { return Ok(None) };
    let mut original = Content::default();
    let sql = "SELECT field, value FROM maintenance_field WHERE record = ?1";
    for (field, value) in rows(conn, sql, [id], |row| Ok((field(row, 0)?, cell::<String>(row, 1)?)))? {
        original.set(field, &value).map_err(|wrong| unreadable(wrong.text().en.to_string()))?;
    }
    let sql = "SELECT at, by, author, field, value, reason FROM maintenance_amendment WHERE record = ?1 ORDER BY id";
    let amendments = rows(conn, sql, [id], |row| {
        let change = Correction {
            author: cell::<String>(row, 2)?.into(),
            field: field(row, 3)?,
            value: cell::<String>(row, 4)?.into(),
            reason: cell::<String>(row, 5)?.into(),
        };
        Ok(Amendment { at: Wall(cell(row, 0)?), by: cell::<String>(row, 1)?.into(), change })
    })?;
    Ok(Some(Record { number, at, by: by.into(), original, amendments }))
}
