//! Debian's snmpd on a free port of a loopback address, and what its own tools say of it.

/// The same peer as the driver's tests have.
#[path = "../../../driver/tests/peer/mod.rs"]
mod agent;

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};

/// Name → value, as `snmpget` or `snmpwalk` print them.
pub(crate) type Told = BTreeMap<String, String>;

/// An snmpd; ends with the value.
pub(crate) struct Snmpd(agent::Snmpd);

impl Deref for Snmpd {
    type Target = agent::Snmpd;

    fn deref(&self) -> &agent::Snmpd {
        &self.0
    }
}

impl DerefMut for Snmpd {
    fn deref_mut(&mut self) -> &mut agent::Snmpd {
        &mut self.0
    }
}

impl Snmpd {
    /// Starts one; `None` where it is missing and may be.
    pub(crate) fn start() -> Option<Snmpd> {
        Snmpd::start_as("sysName peer\nsysLocation 机房\nsysContact noc@example.invalid\n".as_bytes())
    }

    /// Starts one that says these things of itself, in any encoding.
    pub(crate) fn start_as(system: &[u8]) -> Option<Snmpd> {
        agent::Snmpd::start_as(system).map(Snmpd)
    }

    /// What `snmpget` or `snmpwalk` says: strings as text, time in ticks, enums as numbers.
    pub(crate) fn tool(&self, tool: &str, version: &str, options: &[&str], name: &str) -> Told {
        let told = self.0.tool(tool, version, options, name).into_iter();
        told.map(|(name, value)| (name.trim_start_matches('.').to_owned(), plain(value))).collect()
    }
}

/// `"70 65 65 72 "` → `peer`; what is no string stays.
fn plain(value: String) -> String {
    let Some(hex) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) else {
        return value;
    };
    let octets = hex
        .split_ascii_whitespace()
        .map(|octet| u8::from_str_radix(octet, 16).unwrap_or_else(|_| panic!("no hex: {value}")));
    String::from_utf8(octets.collect()).unwrap_or(value)
}
