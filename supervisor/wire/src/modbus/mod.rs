//! Modbus, the master's side.
//!
//! **Duty.** [`plan`] merges what a profile asks into few requests and remembers what a device refuses, [`reading`] is
//! one poll, PDU by PDU, [`rtu`] knows an answer among everything else on a serial line.
//!
//! **Place in the flow.** Under [`bus`](crate::bus) for RTU, over a port or a serial server. For Modbus TCP the driver
//! works a [`reading::Reading`] off itself: `block()` gives the request, `take` the PDU that came, `fail` that none did.
//! The PDUs are those of `roundsman-rtu`.
//!
//! **Refuses.** No framing but RTU's. No scaling: what a number means is `profile`'s.

pub mod mbap;
pub mod plan;
pub mod reading;
pub mod rtu;
