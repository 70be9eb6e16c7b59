//! What a SET changes: names and values, as a command's words make them.

use super::oid::Oid;
use std::fmt;
use std::sync::Arc;

/// A value to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// INTEGER.
    Integer(i32),
    /// Unsigned32, which is Gauge32 on the wire (RFC 2578 section 7.1.7).
    Unsigned(u32),
    /// OCTET STRING.
    Text(Arc<str>),
    /// OBJECT IDENTIFIER.
    Name(Oid),
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Setting::Integer(number) => write!(f, "INTEGER {number}"),
            Setting::Unsigned(number) => write!(f, "Unsigned32 {number}"),
            Setting::Text(text) => write!(f, "STRING {text:?}"),
            Setting::Name(name) => write!(f, "OID {name}"),
        }
    }
}

/// An object and what it is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Which.
    pub oid: Oid,
    /// To what.
    pub value: Setting,
}

impl fmt::Display for Binding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.oid, self.value)
    }
}
