//! The probe board's register map: one source for the board, the supervisor's profile and the printed table.
//!
//! **Duty.** Says what lies at which Modbus address, since which map version, in which type, scale and unit, what a
//! lost sensor reads as and what may be written. [`compat`] says what a supervisor can read of an older or newer board.
//!
//! **Place in the flow.** `firmware/probe` answers by it, the profile `roundsman-probe` is checked against it, `MAP.md`
//! is printed from it.
//!
//! **Refuses.** No values and no Modbus: addresses only.
//!
//! Rules of a map: an address never changes its meaning. A new point takes a reserved address and a new
//! [`MAP_CURRENT`]. [`MAP_MIN`] rises only when a point is withdrawn. Reserved addresses inside a block read 0, so that
//! one merged read spans it. Numbers of two registers have the high word first.

#![no_std]
#![forbid(unsafe_code)]

pub mod compat;
mod points;

pub use points::{POINTS, point};

/// What input register 0 reads: `RM`.
pub const MAGIC: u16 = 0x524d;
/// What FC 43/14 says: the maker, object 0.
pub const MAKER: &str = "Roundsman";
/// What FC 43/14 says: the product code, object 1.
pub const PRODUCT: &str = "roundsman-probe";
/// The newest map version written here.
pub const MAP_CURRENT: u16 = 1;
/// The oldest map version whose readers still read this map rightly.
pub const MAP_MIN: u16 = 1;

/// A Modbus table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Space {
    /// Input registers, FC 4.
    Input,
    /// Holding registers, FC 3, 6, 16, 22, 23.
    Holding,
    /// Coils, FC 1, 5, 15.
    Coil,
    /// Discrete inputs, FC 2.
    Discrete,
}

/// How a point's octets are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// One bit.
    Bit,
    /// One register, unsigned.
    U16,
    /// One register, two's complement.
    I16,
    /// Two registers, high word first, unsigned.
    U32,
}

impl Type {
    /// How many addresses a point of this type takes.
    pub const fn width(self) -> u16 {
        match self {
            Type::U32 => 2,
            _ => 1,
        }
    }
}

/// One point of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// Name, as in the profile.
    pub name: &'static str,
    /// What it is, in Chinese.
    pub zh: &'static str,
    /// What it is, in English.
    pub en: &'static str,
    /// The table it lies in.
    pub space: Space,
    /// Its first address, counted from 0.
    pub address: u16,
    /// How it is read.
    pub kind: Type,
    /// The value is the register's content divided by this.
    pub divisor: u16,
    /// UCUM unit; empty where there is none.
    pub unit: &'static str,
    /// What the register reads when the sensor is lost, or what a threshold holds when there is none.
    pub sentinel: Option<u16>,
    /// Least and most a master may write, in the register's own steps; `None` is read only. The sentinel may be
    /// written as well.
    pub writable: Option<(i32, i32)>,
    /// The map version it came with.
    pub since: u16,
}

/// Measured channels. Channel `n` reads at [`VALUE`]` + n`, its quality at [`QUALITY`]` + n`, its low limit, high limit
/// and hysteresis at [`LIMIT`]` + 3 n`, its calibration offset at [`OFFSET`]` + n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Channel {
    /// Air temperature 1, 0.1 Cel: the inlet.
    Temperature1,
    /// Air temperature 2, 0.1 Cel: the outlet.
    Temperature2,
    /// Relative humidity 1, 0.1 %.
    Humidity1,
    /// Relative humidity 2, 0.1 %.
    Humidity2,
    /// Dust up to 2.5 µm, ug/m3.
    Pm25,
    /// Dust up to 10 µm, ug/m3.
    Pm10,
    /// The 12 V supply, 0.01 V.
    Supply12,
    /// The 48 V supply, 0.01 V.
    Supply48,
    /// Current of the 12 V supply, mA.
    Current,
    /// Fan 1, revolutions a minute.
    Fan1,
    /// Fan 2.
    Fan2,
    /// Fan 3.
    Fan3,
    /// Fan 4.
    Fan4,
    /// Air flow, 0.01 m/s.
    Airflow,
}

/// How many channels there are.
pub const CHANNELS: usize = 14;

impl Channel {
    /// All of them, in the order of their addresses.
    pub const ALL: [Channel; CHANNELS] = [
        Channel::Temperature1,
        Channel::Temperature2,
        Channel::Humidity1,
        Channel::Humidity2,
        Channel::Pm25,
        Channel::Pm10,
        Channel::Supply12,
        Channel::Supply48,
        Channel::Current,
        Channel::Fan1,
        Channel::Fan2,
        Channel::Fan3,
        Channel::Fan4,
        Channel::Airflow,
    ];

    /// Its position, 0 to 13.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether its registers are two's complement.
    pub const fn signed(self) -> bool {
        matches!(self, Channel::Temperature1 | Channel::Temperature2)
    }

    /// What its registers read when the sensor is lost; as a limit: none.
    pub const fn sentinel(self) -> u16 {
        if self.signed() { LOST_I16 } else { LOST_U16 }
    }

    /// Least and most a sensor can mean; outside, the reading is out of range.
    pub const fn range(self) -> (i32, i32) {
        match self {
            Channel::Temperature1 | Channel::Temperature2 => (-400, 1_250),
            Channel::Humidity1 | Channel::Humidity2 => (0, 1_000),
            Channel::Pm25 | Channel::Pm10 => (0, 5_000),
            Channel::Supply12 => (0, 3_000),
            Channel::Supply48 => (0, 7_500),
            Channel::Current => (0, 20_000),
            Channel::Fan1 | Channel::Fan2 | Channel::Fan3 | Channel::Fan4 => (0, 30_000),
            Channel::Airflow => (0, 3_000),
        }
    }
}

/// A lost sensor's register where it is two's complement.
pub const LOST_I16: u16 = 0x8000;
/// A lost sensor's register where it is unsigned.
pub const LOST_U16: u16 = 0xffff;

/// First input register of the channels' values.
pub const VALUE: u16 = 20;
/// First input register of the channels' [`Quality`].
pub const QUALITY: u16 = 40;
/// First holding register of the channels' limits, three each: low, high, hysteresis.
pub const LIMIT: u16 = 40;
/// First holding register of the channels' calibration offsets.
pub const OFFSET: u16 = 82;
/// How many input registers the block has that one read takes.
pub const INPUTS: u16 = 80;
/// First holding register that is kept in flash.
pub const CONFIG: u16 = 20;
/// How many holding registers are kept in flash.
pub const CONFIGS: u16 = 76;
/// How many discrete inputs there are.
pub const DISCRETES: u16 = 16;
/// How many coils there are.
pub const COILS: u16 = 6;
/// How many relays there are: coils 0 to 3.
pub const RELAYS: usize = 4;
/// How many free contacts there are.
pub const CONTACTS: usize = 8;

/// What a channel's value is worth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u16)]
pub enum Quality {
    /// Measured.
    Ok = 0,
    /// The sensor does not answer; the value reads the sentinel.
    Lost = 1,
    /// The sensor answers what it cannot mean; the value reads the sentinel.
    OutOfRange = 2,
    /// Nothing trustworthy yet since reset; the value reads the sentinel.
    #[default]
    WarmingUp = 3,
    /// The channel is configured as not fitted; the value reads the sentinel.
    NotFitted = 4,
}

/// Why the board started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u16)]
pub enum ResetCause {
    /// The board cannot tell.
    #[default]
    Unknown = 0,
    /// Power came.
    PowerOn = 1,
    /// The hardware watchdog bit.
    Watchdog = 2,
    /// A master asked for it.
    Software = 3,
    /// The reset pin.
    Pin = 4,
    /// The supply sagged.
    BrownOut = 5,
}

/// Bits of the input register `alarm-other`.
pub mod alarm {
    /// Water.
    pub const LEAK: u16 = 1;
    /// The door is open.
    pub const DOOR: u16 = 1 << 1;
    /// No mains.
    pub const MAINS: u16 = 1 << 2;
    /// No supervisor for longer than configured.
    pub const HEARTBEAT: u16 = 1 << 3;
    /// At least one sensor is lost or out of range.
    pub const SENSOR: u16 = 1 << 4;
    /// No valid configuration was in flash, or it could not be written; defaults or unsaved settings apply.
    pub const CONFIG: u16 = 1 << 5;
}

/// Values of the holding register `command`; it reads 0.
pub mod command {
    /// Save the configuration in flash.
    pub const SAVE: u16 = 1;
    /// Take the defaults; not saved by itself.
    pub const DEFAULTS: u16 = 2;
    /// Silence the buzzer until another alarm comes.
    pub const SILENCE: u16 = 3;
    /// Set the error counters to 0.
    pub const CLEAR_COUNTERS: u16 = 4;
    /// Restart the board after the answer.
    pub const RESET: u16 = 5;
}
