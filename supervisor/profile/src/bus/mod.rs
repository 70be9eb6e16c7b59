//! How devices of a profile are spoken to on a bus: what a site's unit becomes on the line.
//!
//! **Duty.** [`Bus`] holds what one poll asks, how the port is set, what addresses look like; [`Bus::member`] makes a
//! unit of the site file a member of a poll, [`Bus::line`] the line's properties, [`Bus::opening`] the dialogue.
//! [`command`](crate::command) says orders, [`heard`] turns unsolicited frames and lines into events.
//!
//! **Place in the flow.** Made by the schema; `driver`'s owner of a port uses it to make targets and sessions.
//!
//! **Refuses.** No I/O. An address that means everybody is refused here, before anything is sent.

pub mod heard;

use roundsman_wire::bus::plan::{Member, Plan};
use roundsman_wire::bus::{Line, Opening, Recovery, Unit};
use roundsman_wire::field::{Order, Type};
use roundsman_wire::modbus::plan::Table;
use roundsman_wire::params::Params;
use roundsman_wire::text::opening::Turn;
use roundsman_wire::text::{self, Sign};
use roundsman_wire::{frame, frame as wire_frame};
use std::sync::Arc;

/// What a profile says of the port its devices hang on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serial {
    /// Speed; a bus of the site file has the last word.
    pub baud: Option<u32>,
    /// Character format.
    pub format: Format,
    /// Silence between two exchanges, ms, where these devices need more than others. On a shared line the longest
    /// counts.
    pub gap_ms: Option<u32>,
    /// How long an answer may take, ms, where requests say nothing else.
    pub timeout_ms: Option<u32>,
}

/// Data bits, parity, stop bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Format {
    /// 7 or 8.
    pub data_bits: u8,
    /// Parity.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

/// Parity of a character.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parity {
    /// None.
    None,
    /// Even.
    Even,
    /// Odd.
    Odd,
}

impl Default for Format {
    fn default() -> Format {
        Format { data_bits: 8, parity: Parity::None, stop_bits: 1 }
    }
}

impl Format {
    /// The format written as `8N1`.
    pub fn from_word(word: &str) -> Option<Format> {
        let [data, parity, stop] = word.as_bytes() else { return None };
        Some(Format {
            data_bits: Some(data.wrapping_sub(b'0')).filter(|bits| matches!(bits, 7 | 8))?,
            parity: match parity {
                b'N' => Parity::None,
                b'E' => Parity::Even,
                b'O' => Parity::Odd,
                _ => return None,
            },
            stop_bits: Some(stop.wrapping_sub(b'0')).filter(|bits| matches!(bits, 1 | 2))?,
        })
    }
}

/// How a parameter's number is written into a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rendering {
    /// One octet.
    U8,
    /// Two octets, the high one first.
    U16,
    /// Decimal digits.
    Decimal,
    /// Hexadecimal digits, capital.
    Hexadecimal,
}

impl Rendering {
    /// Their words.
    pub const WORDS: [&'static str; 4] = ["u8", "u16", "decimal", "hex"];

    /// The one with this word.
    pub fn from_word(word: &str) -> Option<Rendering> {
        match word {
            "u8" => Some(Rendering::U8),
            "u16" => Some(Rendering::U16),
            "decimal" => Some(Rendering::Decimal),
            "hex" => Some(Rendering::Hexadecimal),
            _ => None,
        }
    }

    /// The octets of a number, digits filled with zeros up to `width`.
    pub fn render(self, number: i64, width: u8) -> Option<Vec<u8>> {
        let width = usize::from(width);
        match self {
            Rendering::U8 => u8::try_from(number).ok().map(|octet| vec![octet]),
            Rendering::U16 => u16::try_from(number).ok().map(|word| word.to_be_bytes().to_vec()),
            Rendering::Decimal => Some(format!("{number:0width$}").into_bytes()),
            Rendering::Hexadecimal if number >= 0 => Some(format!("{number:0width$X}").into_bytes()),
            Rendering::Hexadecimal => None,
        }
    }
}

/// A parameter of requests: `address` is the unit of the site file, others stand as they are by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its name in braces.
    pub name: Arc<str>,
    /// How it is written.
    pub rendering: Rendering,
    /// Added to the number (NEC: unit 1 is `A`, 0x41).
    pub adds: i64,
    /// Least digits.
    pub width: u8,
    /// The number where the site says none.
    pub default: Option<i64>,
    /// Numbers that mean everybody: nobody answers them, and nobody is asked by them.
    pub broadcast: Vec<i64>,
}

impl Param {
    /// The usual address: one octet, 1 by default.
    pub(crate) fn address() -> Param {
        Param {
            name: Arc::from(ADDRESS),
            rendering: Rendering::U8,
            adds: 0,
            width: 0,
            default: Some(1),
            broadcast: Vec::new(),
        }
    }

    /// Its octets for a number.
    pub fn render(&self, number: i64) -> Option<Vec<u8>> {
        self.rendering.render(number.checked_add(self.adds)?, self.width)
    }
}

/// The parameter that is the unit of the site file.
pub const ADDRESS: &str = "address";

/// Why a unit cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUnit {
    /// It means every device on the line.
    #[error("unit {0} means every device on the line: name one of them")]
    Broadcast(i64),
    /// The protocol cannot write it.
    #[error("unit {0} cannot be written in this protocol")]
    Range(i64),
    /// The profile has no default for a parameter.
    #[error("the profile needs `{0}`, and nothing gives it")]
    Missing(Arc<str>),
}

/// The dialogue before the first request.
#[derive(Clone, Debug, PartialEq)]
pub struct Dialogue {
    /// Its steps.
    pub turns: Arc<[Turn]>,
    /// What is put before the first request.
    pub sign: Option<Sign>,
}

/// What a line leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// A serial port of ours, with its speed.
    Port(u32),
    /// A TCP serial server.
    Server,
    /// A TCP connection to the device itself.
    Tcp,
}

/// A profile's way to speak.
#[derive(Clone, Debug, PartialEq)]
pub struct Bus {
    /// What one poll asks of each unit.
    pub plan: Arc<Plan>,
    /// The port.
    pub serial: Serial,
    /// Parameters of requests.
    pub params: Vec<Param>,
    /// The dialogue before the first request.
    pub dialogue: Option<Dialogue>,
}

impl Bus {
    /// Speed where neither site nor profile says one.
    pub const BAUD: u32 = 9_600;

    /// The line's properties. On a shared line the owner takes the longest gap of all its devices.
    pub fn line(&self, way: Way) -> Line {
        let mut line = match way {
            Way::Port(baud) => Line::serial(baud),
            Way::Server => Line::serial_server(),
            Way::Tcp => Line::tcp(),
        };
        line.gap_ms = line.gap_ms.max(self.serial.gap_ms.unwrap_or(0));
        // Frames without an address and lines do not say whose they are.
        if way != Way::Tcp && !self.names_units() {
            line.recovery = Recovery::HoldLine;
        }
        line
    }

    /// Whether answers say whose they are.
    fn names_units(&self) -> bool {
        let names = |pattern: &frame::Pattern| {
            pattern.0.iter().any(|piece| matches!(piece, frame::Piece::Param(name) if &**name == ADDRESS))
        };
        let names_in_line = |pattern: &text::Pattern| {
            let address = |item: &text::pattern::Item| matches!(item, text::pattern::Item::Param(name) if &**name == ADDRESS);
            pattern.0.iter().any(address)
        };
        match &*self.plan {
            Plan::Modbus(_) => true,
            Plan::Frame(plan) => plan.requests.iter().all(|request| request.ack.iter().all(names)),
            Plan::Text(plan) => plan.requests.iter().all(|request| request.ack.iter().all(names_in_line)),
        }
    }

    /// A unit of the site file as a member of polls and commands; `number` is its address, where the site gives one.
    pub fn member(&self, unit: Unit, number: Option<i64>) -> Result<Member, BadUnit> {
        let mut params = Params::default();
        let own = Param::address();
        let is_modbus = matches!(*self.plan, Plan::Modbus(_));
        let has_address = self.params.iter().any(|param| &*param.name == ADDRESS);
        let address = (is_modbus && !has_address).then_some(&own);
        for param in self.params.iter().chain(address) {
            let is_address = &*param.name == ADDRESS;
            let number = number.filter(|_| is_address).or(param.default);
            let number = number.ok_or_else(|| BadUnit::Missing(param.name.clone()))?;
            // 0 is everybody on every Modbus line, 248 to 255 are reserved (SL section 2.2).
            let reserved = is_modbus && is_address && number == 0;
            if reserved || param.broadcast.contains(&number) {
                return Err(BadUnit::Broadcast(number));
            }
            if is_modbus && is_address && number > 247 {
                return Err(BadUnit::Range(number));
            }
            let octets = param.render(number).ok_or(BadUnit::Range(number))?;
            params = params.with(&param.name, octets);
        }
        Ok(Member { unit, params })
    }

    /// The dialogue before the first request of each connection, where the profile has one.
    pub fn opening(&self, user: Option<&str>, password: Option<&str>) -> Option<Box<dyn Opening>> {
        let Plan::Text(plan) = &*self.plan else { return None };
        let dialogue = self.dialogue.as_ref()?;
        let mut params = Params::default();
        for (name, value) in [("user", user), ("password", password)] {
            if let Some(value) = value {
                params = params.with(name, value.as_bytes());
            }
        }
        let turns = Arc::clone(&dialogue.turns);
        let layout = Arc::clone(&plan.layout);
        Some(Box::new(text::Dialogue::new(layout, turns, dialogue.sign, params)))
    }
}

/// What a command says on a bus.
#[derive(Clone, Debug, PartialEq)]
pub enum Say {
    /// A register, a coil, or a PDU of the maker's own.
    Modbus(Write),
    /// A frame.
    Frame(wire_frame::Request),
    /// A line.
    Text(text::Request),
}

/// What a command writes to a Modbus device.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// What.
    pub written: Written,
    /// How long the answer may take, ms.
    pub timeout_ms: u32,
    /// How long the unit is left alone afterwards, ms.
    pub rest_ms: u32,
}

/// What is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// A coil or holding registers.
    Register {
        /// `Coil` or `Holding`.
        table: Table,
        /// The first register or the coil.
        address: u16,
        /// The value: a number, or an argument.
        value: wire_frame::Piece,
        /// Its type.
        kind: Type,
        /// Orders of octets and words.
        orders: (Order, Order),
        /// By functions 15 and 16 also where one register is enough: their confirmation is no copy of the request.
        multiple: bool,
    },
    /// Function and data of the maker's own.
    Pdu {
        /// The PDU.
        pdu: Vec<u8>,
        /// Octets of the answer's PDU.
        answer_len: usize,
    },
}
