//! Refused logins, as rows: what a restart must not forget, so that no device locks the account.

use crate::error::StoreError;
use crate::reader::rows;
use crate::records::device_row;
use rusqlite::{Connection, params};
use std::sync::Arc;

/// The refusals of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginRefusals {
    /// The device.
    pub device: Arc<str>,
    /// Which credentials they were: a salt, and a digest of it with user and password.
    pub fingerprint: Vec<u8>,
    /// Refusals since any of its doors let us in.
    pub refusals: u8,
    /// Refusals of each door in a row: ONVIF, snapshot, RTSP.
    pub own: [u8; 3],
    /// Whether the device said that it is locked.
    pub locked: bool,
}

impl LoginRefusals {
    fn is_none(&self) -> bool {
        (self.refusals, self.own, self.locked) == (0, [0; 3], false)
    }
}

/// Writes them; without any there is no row.
pub(crate) fn keep(conn: &Connection, of: &LoginRefusals) -> Result<(), StoreError> {
    let write = || -> rusqlite::Result<()> {
        let device = device_row(conn, &of.device)?;
        if of.is_none() {
            conn.prepare_cached("DELETE FROM login WHERE device = ?1")?.execute([device])?;
            return Ok(());
        }
        let [onvif, snapshot, rtsp] = of.own;
        conn.prepare_cached(
            "INSERT OR REPLACE INTO login (device, fingerprint, refusals, onvif, snapshot, rtsp, locked)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![device, of.fingerprint, of.refusals, onvif, snapshot, rtsp, of.locked])?;
        Ok(())
    };
    write().map_err(|error| StoreError::sqlite("keep the refusals of a login", &error))
}

/// All of them.
pub(crate) fn all(conn: &Connection) -> Result<Vec<LoginRefusals>, StoreError> {
    let sql = "SELECT d.id, l.fingerprint, l.refusals, l.onvif, l.snapshot, l.rtsp, l.locked
               FROM login l JOIN device d ON d.row = l.device ORDER BY l.device";
    rows(conn, sql, [], |row| {
        let read = || -> rusqlite::Result<LoginRefusals> {
            Ok(LoginRefusals {
                device: row.get::<_, String>(0)?.into(),
                fingerprint: row.get(1)?,
                refusals: row.get(2)?,
                own: [row.get(3)?, row.get(4)?, row.get(5)?],
                locked: row.get(6)?,
            })
        };
        read().map_err(|error| StoreError::sqlite("read the refusals of logins", &error))
    })
}
