//! I/O only: SNMP over one shared socket, buses, cameras, reachability, the clock.
//!
//! **Duty.** Moves octets between devices and the sans-IO sessions of `wire`, and reads the clock for the whole
//! supervisor.
//!
//! **Place in the flow.** The schedule says when; this crate asks; `profile` turns the answers into readings.
//!
//! **Refuses.** Never judges a value, keeps no state of a device beyond what makes the next poll cheaper, writes
//! nothing to disk.

pub mod bus;
pub mod clock;
pub mod onvif;
pub mod reach;
pub mod snmp;
