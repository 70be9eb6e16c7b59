//! SNMP v1 and v2c.

pub mod answer;
pub mod oid;
pub mod plan;
