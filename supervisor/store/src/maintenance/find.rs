//! Finding: newest first, by what a record says now.

use super::{cell, id_of, read};
use crate::error::StoreError;
use crate::reader::{MOST_ROWS, Reader, rows};
use roundsman_core::fault::FaultId;
use roundsman_core::record::{Kind, Record, RecordNumber};
use roundsman_core::time::Wall;
use rusqlite::types::Value;
use std::sync::Arc;

/// Words of a search that are looked for; further ones are ignored.
const MOST_WORDS: usize = 5;

/// Which records; what is not set does not matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordFilter {
    /// Of this device.
    pub device: Option<Arc<str>>,
    /// Of this fault.
    pub fault: Option<FaultId>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Happened at this moment or later.
    pub from: Option<Wall>,
    /// Happened before this moment.
    pub to: Option<Wall>,
    /// Each word of it stands somewhere in the record, in small or capital letters.
    pub text: String,
}

impl RecordFilter {
    /// The conditions, and what stands for their question marks.
    fn conditions(&self) -> (String, Vec<Value>) {
        let mut sql = String::from("true");
        let mut values = Vec::new();
        let mut add = |condition: &str, value: Value| {
            sql.push_str(" AND ");
            sql.push_str(condition);
            values.push(value);
        };
        if let Some(device) = &self.device {
            let of = "r.id IN (SELECT m.record FROM maintenance_device m JOIN device d ON d.row = m.device WHERE d.id = ?)";
            add(of, Value::Text(device.to_string()));
        }
        if let Some(fault) = self.fault {
            let id = i64::try_from(fault.0).unwrap_or(-1);
            add("r.id IN (SELECT record FROM maintenance_fault WHERE fault = ?)", Value::Integer(id));
        }
        if let Some(kind) = self.kind {
            add("n.kind = ?", Value::Text(kind.word().to_owned()));
        }
        if let Some(from) = self.from {
            add("n.happened >= ?", Value::Integer(from.0));
        }
        if let Some(to) = self.to {
            add("n.happened < ?", Value::Integer(to.0));
        }
        for word in self.text.split_whitespace().take(MOST_WORDS) {
            add("instr(n.text, ?) > 0", Value::Text(word.to_lowercase()));
        }
        (sql, values)
    }
}

impl Reader {
    /// Maintenance records with their amendments, the latest written first, at most `limit` (and never more than
    /// [`MOST_ROWS`]); with `before` only those written before that one, for the next page.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn records(
        &self,
        filter: RecordFilter,
        limit: usize,
        before: Option<RecordNumber>,
    ) -> Result<Vec<Record>, StoreError> {
        let (conditions, mut values) = filter.conditions();
        let sql = format!(
            "SELECT r.id FROM maintenance r JOIN maintenance_now n ON n.record = r.id
             WHERE {conditions} AND r.id < ? ORDER BY r.id DESC LIMIT ?"
        );
        self.ask("list maintenance records", move |conn| {
            let before = match before {
                // A number that nobody has is before everything and behind nothing.
                Some(number) => id_of(conn, number)?.unwrap_or(0),
                None => i64::MAX,
            };
            values.extend([Value::Integer(before), Value::Integer(limit.min(MOST_ROWS) as i64)]);
            let ids: Vec<i64> = rows(conn, &sql, rusqlite::params_from_iter(values), |row| cell(row, 0))?;
            ids.into_iter().filter_map(|id| read(conn, id).transpose()).collect()
        })
        .await
    }

    /// One maintenance record with its amendments.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn record(&self, number: RecordNumber) -> Result<Option<Record>, StoreError> {
        self.ask("read a maintenance record", move |conn| match id_of(conn, number)? {
            Some(id) => read(conn, id),
            None => Ok(None),
        })
        .await
    }
}
