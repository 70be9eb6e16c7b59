//! The probe board without a board: readings in, outputs and Modbus answers out. No std, no heap, no clock.
//!
//! **Duty.** A [`Probe`](probe::Probe) filters samples, judges their quality, raises alarms by itself, drives relays,
//! buzzer and lamp, and keeps its configuration. A [`Slave`](slave::Slave) answers a Modbus master from it by the map of
//! `firmware/registers`. [`driver`] has the sensors no well-kept crate reads.
//!
//! **Place in the flow.** A board (emulated, Pico, or a host program) turns the same loop: read contacts, `tick`; when a
//! sample is due, read the sensors, `sample`; give each octet of the line to the slave and send what it answers; feed the
//! watchdog.
//!
//! **Refuses.** No pins, no time source. Ticks are milliseconds in a `u32` that wraps; durations are gathered from the
//! difference of two calls, so only a pause of 49 days between two calls would be mistaken.

#![no_std]
#![forbid(unsafe_code)]

pub mod alarm;
pub mod config;
pub mod contact;
pub mod driver;
pub mod filter;
pub mod output;
pub mod probe;
pub mod slave;
pub mod watchdog;
