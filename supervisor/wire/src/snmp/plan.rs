//! What one poll asks of an agent. Made by `profile` once, shared by all devices of a profile.

use super::oid::Oid;

/// One poll: scalars by GET, columns by GETBULK (v2c) or GETNEXT (v1) side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Scalars.
    pub scalars: Vec<Object>,
    /// Positions of the scalars that say what a device is called and not how it is; as [`Table::steady`].
    pub steady: Vec<u16>,
    /// Tables; the columns of one table are walked together.
    pub tables: Vec<Table>,
}

/// A scalar (with its instance, `.0` included) or a column (without an index), with fallbacks.
#[derive(Clone, Debug, PartialEq)]
pub struct Object {
    /// Tried in this order; the first that exists on the agent is used and remembered. Never empty.
    pub oids: Vec<Oid>,
}

/// A table's columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Columns. Never empty.
    pub columns: Vec<Object>,
    /// Positions of the columns that say what a row is called and not how it is: they change with the rows, or by
    /// somebody's hand. They are read when the rows changed, after a restart, and every so many polls.
    pub steady: Vec<u16>,
    /// Position of the scalar that changes when rows come or go (ifTableLastChange, entLastChangeTime).
    pub signal: Option<u16>,
}
