//! A copy of the database without its history: what cannot be had again in few bytes. History is a hundred times as
//! large; copied every night it would wear the flash more than everything else together.

use crate::error::StoreError;
use crate::history;
use crate::schema;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::path::Path;

/// Writes everything of a snapshot but its history into a new file at `part`.
pub(crate) fn copy(source: &Connection, part: &Path) -> Result<(), StoreError> {
    let failed = |e: rusqlite::Error| StoreError::opening(part, "copy faults and records to", &e);
    let target = schema::blank(part)?;
    // Rows come table by table: what they point at may come later.
    target.pragma_update(None, "foreign_keys", false).map_err(failed)?;
    target.execute_batch("BEGIN").map_err(failed)?;
    fill(source, &target).map_err(failed)?;
    let version = schema::version(source).map_err(failed)?;
    target.pragma_update(None, "user_version", version).map_err(failed)?;
    target.execute_batch("COMMIT").map_err(failed)
}

fn fill(source: &Connection, target: &Connection) -> rusqlite::Result<()> {
    let tables = statements(source, "type = 'table'")?;
    for (name, sql) in &tables {
        target.execute_batch(sql)?;
        if !history::TABLES.contains(&name.as_str()) {
            copy_rows(source, target, name)?;
        }
    }
    target.execute_batch(history::EMPTY)?;
    // Triggers refuse changes of what is written; while it is written here they would refuse that.
    for (_, sql) in statements(source, "type <> 'table'")? {
        target.execute_batch(&sql)?;
    }
    Ok(())
}

/// Names and definitions of what the database is made of, in the order it was made.
fn statements(source: &Connection, which: &str) -> rusqlite::Result<Vec<(String, String)>> {
    let select = format!(
        "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' AND {which} ORDER BY rowid"
    );
    source.prepare(&select)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

fn copy_rows(source: &Connection, target: &Connection, table: &str) -> rusqlite::Result<()> {
    // A name of our own migrations; quoted all the same.
    let name = table.replace('"', "\"\"");
    let mut select = source.prepare(&format!("SELECT * FROM \"{name}\""))?;
    let columns = select.column_count();
    let places = vec!["?"; columns].join(", ");
    let mut insert = target.prepare(&format!("INSERT INTO \"{name}\" VALUES ({places})"))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let values = (0..columns).map(|at| row.get(at)).collect::<rusqlite::Result<Vec<Value>>>()?;
        insert.execute(params_from_iter(values))?;
    }
    Ok(())
}
