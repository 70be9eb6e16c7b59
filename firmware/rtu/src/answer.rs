//! Answers: read by the master that asked, checked against what it asked.
//!
//! A read's answer carries no address (AP section 6.3): that its values are those of the registers asked for is known
//! from nothing but unit, function and byte count. Only order and time on the line protect against an answer that
//! comes late; the supervisor's bus has the rules for that.

use crate::exception::Exception;
use crate::function;
use crate::request::Request;
use crate::values::{Bits, Words};

/// What is known of an answer's length before it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Function, byte count, that many octets.
    Counted {
        /// The byte count that must stand there.
        octets: u8,
    },
    /// A PDU of always this length.
    Fixed {
        /// Octets of the PDU.
        pdu: u8,
    },
    /// A device identification: its objects say how long it is.
    Identification,
    /// A function of the maker's own.
    Unknown,
}

/// A sound answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// Coils or discrete inputs, as many as were asked for.
    Bits(Bits<'a>),
    /// Registers, as many as were asked for.
    Words(Words<'a>),
    /// What was to be written is confirmed. (On a line with echo it may be the echo: read back.)
    Written,
    /// Who the device is.
    Identification(Identification<'a>),
    /// What followed the function of the maker's own.
    Other(&'a [u8]),
    /// The slave refused.
    Exception(Exception),
}

/// Why something is no answer to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// No octets, or fewer or more than the function says.
    Length {
        /// How many octets the PDU has.
        got: usize,
    },
    /// Another function.
    Function {
        /// What was asked.
        asked: u8,
        /// What came.
        got: u8,
    },
    /// Another byte count.
    Count {
        /// What was expected.
        expected: u8,
        /// What came.
        got: u8,
    },
    /// Another address is confirmed.
    Address {
        /// What was asked.
        asked: u16,
        /// What came.
        got: u16,
    },
    /// Another value or quantity is confirmed.
    Value {
        /// What was asked.
        asked: u16,
        /// What came.
        got: u16,
    },
}

impl core::fmt::Display for Mismatch {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Mismatch::Length { got } => write!(f, "a PDU of {got} octets is no answer to this"),
            Mismatch::Function { asked, got } => write!(f, "function {got:#04x} answers {asked:#04x}"),
            Mismatch::Count { expected, got } => {
                write!(f, "{got} octets of values where {expected} were asked for")
            }
            Mismatch::Address { asked, got } => write!(f, "address {got} is confirmed, {asked} was written"),
            Mismatch::Value { asked, got } => write!(f, "{got} is confirmed, {asked} was written"),
        }
    }
}

impl core::error::Error for Mismatch {}

impl Request<'_> {
    /// Reads the PDU of an answer to this request. What fits it in every part is an [`Answer`], an exception included.
    pub fn read_answer<'p>(&self, pdu: &'p [u8]) -> Result<Answer<'p>, Mismatch> {
        let asked = self.function();
        let length = Mismatch::Length { got: pdu.len() };
        let (&got, data) = pdu.split_first().ok_or(length)?;
        if got == asked | function::EXCEPTION {
            return match data {
                [code] => Ok(Answer::Exception(Exception::of(*code))),
                _ => Err(length),
            };
        }
        if got != asked {
            return Err(Mismatch::Function { asked, got });
        }
        match *self {
            Request::ReadCoils { quantity, .. } | Request::ReadDiscreteInputs { quantity, .. } => {
                let octets = counted(data, quantity.div_ceil(8) as u8)?;
                Bits::of(octets, quantity).map(Answer::Bits).ok_or(length)
            }
            Request::ReadHoldingRegisters { quantity, .. }
            | Request::ReadInputRegisters { quantity, .. }
            | Request::ReadWriteMultipleRegisters { read_quantity: quantity, .. } => {
                let octets = counted(data, (quantity * 2) as u8)?;
                Words::of(octets).map(Answer::Words).ok_or(length)
            }
            Request::WriteSingleCoil { address, value } => {
                confirmed(data, &[address, if value { 0xff00 } else { 0 }])
            }
            Request::WriteSingleRegister { address, value } => confirmed(data, &[address, value]),
            Request::WriteMultipleCoils { address, values } => confirmed(data, &[address, values.count()]),
            Request::WriteMultipleRegisters { address, values } => {
                confirmed(data, &[address, values.count()])
            }
            Request::MaskWriteRegister { address, and, or } => confirmed(data, &[address, and, or]),
            Request::ReadDeviceIdentification { code, .. } => {
                Identification::read(data, code).map(Answer::Identification).ok_or(length)
            }
            Request::Other { .. } => Ok(Answer::Other(data)),
        }
    }
}

fn counted(data: &[u8], expected: u8) -> Result<&[u8], Mismatch> {
    match data.split_first() {
        Some((&got, _)) if got != expected => Err(Mismatch::Count { expected, got }),
        Some((_, octets)) if octets.len() == usize::from(expected) => Ok(octets),
        _ => Err(Mismatch::Length { got: data.len() + 1 }),
    }
}

/// The first word is the address, the others values or a quantity.
fn confirmed<'a>(data: &[u8], asked: &[u16]) -> Result<Answer<'a>, Mismatch> {
    let words = Words::of(data).filter(|words| usize::from(words.count()) == asked.len());
    let words = words.ok_or(Mismatch::Length { got: data.len() + 1 })?;
    for (at, (got, &asked)) in words.iter().zip(asked).enumerate() {
        if got != asked && at == 0 {
            return Err(Mismatch::Address { asked, got });
        }
        if got != asked {
            return Err(Mismatch::Value { asked, got });
        }
    }
    Ok(Answer::Written)
}

/// Octets of an identification before its first object: MEI type, code, conformity, more follows, next, count.
const IDENTIFICATION_HEAD: usize = 6;

/// Who a device is: maker, product, revision and more, as text (AP section 6.21).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identification<'a> {
    /// What the device can: 1 basic, 2 regular, 3 extended; with 0x80 also one by one.
    pub conformity: u8,
    /// The object to go on with, where not all fitted into one answer.
    pub next: Option<u8>,
    objects: &'a [u8],
}

impl<'a> Identification<'a> {
    fn read(data: &'a [u8], code: u8) -> Option<Identification<'a>> {
        let (head, objects) = data.split_at_checked(IDENTIFICATION_HEAD)?;
        let &[mei, got, conformity, more, next, _] = head else { return None };
        let whole = identification_len(data)? == data.len();
        let ours = mei == function::READ_DEVICE_IDENTIFICATION && got == code;
        (whole && ours).then_some(Identification {
            conformity,
            next: (more == 0xff).then_some(next),
            objects,
        })
    }

    /// The objects: number and content. 0 is the maker, 1 the product code, 2 the revision.
    pub fn objects(self) -> impl Iterator<Item = (u8, &'a [u8])> {
        let mut rest = self.objects;
        core::iter::from_fn(move || {
            let (head, tail) = rest.split_at_checked(2)?;
            let (content, tail) = tail.split_at_checked(usize::from(head[1]))?;
            rest = tail;
            Some((head[0], content))
        })
    }
}

/// Octets of an identification behind the function, as far as its objects are there to say it.
pub(crate) fn identification_len(data: &[u8]) -> Option<usize> {
    let mut len = IDENTIFICATION_HEAD;
    for _ in 0..*data.get(IDENTIFICATION_HEAD - 1)? {
        len += 2 + usize::from(*data.get(len + 1)?);
    }
    Some(len)
}
