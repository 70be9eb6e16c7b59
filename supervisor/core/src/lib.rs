//! The domain of Roundsman.
//!
//! **Duty.** Devices, points and readings; rates and derived metrics; rules; the topology; the schedule; the fault
//! engine; the figures of a period. Everything the product *decides* is decided here.
//!
//! **Place in the flow.** `profile` and `driver` hand in readings, `store` and `panel` take out effects and
//! snapshots, the weekly summary hands in the past and takes out figures; this crate stands on the ground floor and
//! knows none of them.
//!
//! **Refuses.** No tokio, no SQL, no serde, no clock, no I/O, no logging. Time comes in as [`time::Now`]; effects go
//! out as values.

pub mod derive;
pub mod device;
pub mod fault;
pub mod figures;
pub mod hidden;
pub mod line;
pub mod model;
pub mod rate;
pub mod reading;
pub mod record;
pub mod rule;
pub mod schedule;
pub mod sla;
pub mod tally;
pub mod text;
pub mod time;
pub mod topology;
pub mod vocabulary;
