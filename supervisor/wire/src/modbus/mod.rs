//! Modbus, the master's side.
//!
//! **Duty.** [`rtu`] knows an answer among everything else on a serial line.
//!
//! **Place in the flow.** Under [`bus`](crate::bus); the PDUs are those of `roundsman-rtu`.
//!
//! **Refuses.** No framing but RTU's: Modbus TCP is the driver's.

pub mod rtu;
