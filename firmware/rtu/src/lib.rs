//! Modbus RTU for both ends of the line, without std, heap or dependencies.
//!
//! **Duty.** [`request`] and [`answer`] write and read PDUs: a master writes a [`Request`](request::Request) and has it
//! read what comes back, a slave reads requests and lets [`slave`] answer them from its registers. [`frame`] puts the
//! unit before and the CRC behind, and cuts a stream of octets into frames.
//!
//! **Place in the flow.** The supervisor's master and the probe board's slave share it, so that both mean the same.
//!
//! **Refuses.** No time: when to send, how long to wait and when a line was silent belongs to each end. Octets from the
//! line never panic it; what does not fit the question is a [`Mismatch`](answer::Mismatch), never a value.
//!
//! Sections named in comments are those of "MODBUS Application Protocol Specification V1.1b3" (AP) and "MODBUS over
//! Serial Line V1.02" (SL).

#![no_std]
#![forbid(unsafe_code)]

pub mod answer;
pub mod crc;
pub mod exception;
pub mod frame;
pub mod request;
pub mod slave;
pub mod values;

/// Function codes (AP section 5.1).
pub mod function {
    /// Read coils.
    pub const READ_COILS: u8 = 0x01;
    /// Read discrete inputs.
    pub const READ_DISCRETE_INPUTS: u8 = 0x02;
    /// Read holding registers.
    pub const READ_HOLDING_REGISTERS: u8 = 0x03;
    /// Read input registers.
    pub const READ_INPUT_REGISTERS: u8 = 0x04;
    /// Write one coil.
    pub const WRITE_SINGLE_COIL: u8 = 0x05;
    /// Write one holding register.
    pub const WRITE_SINGLE_REGISTER: u8 = 0x06;
    /// Write several coils.
    pub const WRITE_MULTIPLE_COILS: u8 = 0x0f;
    /// Write several holding registers.
    pub const WRITE_MULTIPLE_REGISTERS: u8 = 0x10;
    /// Change bits of one holding register.
    pub const MASK_WRITE_REGISTER: u8 = 0x16;
    /// Write some holding registers, then read some.
    pub const READ_WRITE_MULTIPLE_REGISTERS: u8 = 0x17;
    /// Encapsulated interface; only [`READ_DEVICE_IDENTIFICATION`] of it is known here.
    pub const ENCAPSULATED_INTERFACE: u8 = 0x2b;
    /// MEI type of the device identification (AP section 6.21).
    pub const READ_DEVICE_IDENTIFICATION: u8 = 0x0e;
    /// Set in the function of an answer that is an exception.
    pub const EXCEPTION: u8 = 0x80;
}

/// The unit that means every slave; none answers (SL section 2.2).
pub const BROADCAST: u8 = 0;

/// Longest PDU in octets: function and data (AP section 4.1).
pub const MOST_PDU: usize = 253;
/// Longest frame in octets: unit, PDU, CRC (SL section 2.5.1).
pub const MOST_FRAME: usize = 256;
/// Shortest frame in octets: unit, function, CRC.
pub const LEAST_FRAME: usize = 4;

/// Most coils or discrete inputs one request reads (AP sections 6.1 and 6.2).
pub const MOST_BITS_READ: u16 = 2_000;
/// Most registers one request reads (AP sections 6.3 and 6.4).
pub const MOST_WORDS_READ: u16 = 125;
/// Most coils one request writes (AP section 6.11).
pub const MOST_BITS_WRITTEN: u16 = 1_968;
/// Most registers one request writes (AP section 6.12).
pub const MOST_WORDS_WRITTEN: u16 = 123;
/// Most registers written by a request that reads as well (AP section 6.17).
pub const MOST_WORDS_EXCHANGED: u16 = 121;
