//! What one poll asks of an agent. Made by `profile` once, shared by all devices of a profile.

use super::oid::Oid;

/// One poll: scalars by GET, columns by GETBULK (v2c) or GETNEXT (v1) side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// Scalars.
    pub scalars: Vec<Object>,
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
}
