//! Sensors on I²C, 1-Wire and a UART, octet by octet; [`suite`] reads all of a board's.
//!
//! They are ours rather than crates for one reason: a measurement is started and fetched by two calls, so that nothing
//! waits while a master asks. No driver keeps the bus; each takes it for a call.

pub mod ads;
pub mod ds18b20;
pub mod ina;
pub mod one_wire;
pub mod pms;
pub mod sensirion;
pub mod sht;
pub mod sps30;
pub mod suite;
