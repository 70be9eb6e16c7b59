//! Sans-IO codecs and sessions: bytes in, bytes out, time passed in.
//!
//! **Duty.** Speaks the devices' protocols without touching a socket: what to send, what an answer means, when to
//! ask again.
//!
//! **Place in the flow.** `driver` moves the bytes; `profile` says what to ask and turns [`snmp::answer::Answer`]s
//! into readings.
//!
//! **Refuses.** No I/O, no clock, no judgement about values. Bytes from the network never panic it and never grow it
//! without bound.

pub mod bus;
pub mod field;
pub mod frame;
pub mod modbus;
pub mod onvif;
pub mod params;
pub mod rfc2217;
pub mod rtsp;
pub mod snmp;
pub mod text;
