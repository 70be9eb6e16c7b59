//! SNMP v1 and v2c.
//!
//! **Duty.** [`request`] writes what is sent, [`decode`] reads what comes back, [`session`] knows for every device
//! what to ask next, when to ask again and when a poll is over.
//!
//! **Place in the flow.** `profile` makes a [`plan::Plan`]; [`session::Session`] carries it out over the datagrams
//! that `driver` moves, and gives back an [`answer::Answer`].
//!
//! **Refuses.** No v3 messages: another library seals them in `driver`, which knows who asks from [`user`]. No traps. SET
//! ([`set`] says what) is `driver`'s as well: it is rare, and whoever gives a command waits for its outcome.

pub mod answer;
pub mod decode;
pub mod oid;
pub mod plan;
pub mod request;
pub mod session;
pub mod set;
pub mod user;

/// Version of the protocol, as it stands in the message (RFC 1157 section 4, RFC 1901 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Version {
    /// SNMPv1: no GETBULK, no Counter64, an error for the whole request where one object is missing.
    V1,
    /// SNMPv2c.
    V2c,
}

impl Version {
    /// The number in the message.
    pub fn number(self) -> u8 {
        match self {
            Version::V1 => 0,
            Version::V2c => 1,
        }
    }
}
