//! Requests: written by a master, read by a slave.

use crate::answer::Shape;
use crate::exception::Exception;
use crate::values::{Bits, Words};
use crate::{
    MOST_BITS_READ, MOST_BITS_WRITTEN, MOST_PDU, MOST_WORDS_EXCHANGED, MOST_WORDS_READ, MOST_WORDS_WRITTEN,
    function,
};

/// A request PDU. Addresses count from 0 (AP section 4.4), whatever a manual's numbering (40001 …) suggests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request<'a> {
    /// Read `quantity` coils.
    ReadCoils {
        /// The first one.
        address: u16,
        /// How many, 1 to 2,000.
        quantity: u16,
    },
    /// Read `quantity` discrete inputs.
    ReadDiscreteInputs {
        /// The first one.
        address: u16,
        /// How many, 1 to 2,000.
        quantity: u16,
    },
    /// Read `quantity` holding registers.
    ReadHoldingRegisters {
        /// The first one.
        address: u16,
        /// How many, 1 to 125.
        quantity: u16,
    },
    /// Read `quantity` input registers.
    ReadInputRegisters {
        /// The first one.
        address: u16,
        /// How many, 1 to 125.
        quantity: u16,
    },
    /// Write one coil.
    WriteSingleCoil {
        /// Which.
        address: u16,
        /// To what.
        value: bool,
    },
    /// Write one holding register.
    WriteSingleRegister {
        /// Which.
        address: u16,
        /// To what.
        value: u16,
    },
    /// Write coils.
    WriteMultipleCoils {
        /// The first one.
        address: u16,
        /// To what, 1 to 1,968 of them.
        values: Bits<'a>,
    },
    /// Write holding registers.
    WriteMultipleRegisters {
        /// The first one.
        address: u16,
        /// To what, 1 to 123 of them.
        values: Words<'a>,
    },
    /// Change a holding register to `(value & and) | (or & !and)`.
    MaskWriteRegister {
        /// Which.
        address: u16,
        /// Bits that are kept.
        and: u16,
        /// Bits that are set where they are not kept.
        or: u16,
    },
    /// Write holding registers, then read some.
    ReadWriteMultipleRegisters {
        /// The first one read.
        read_address: u16,
        /// How many are read, 1 to 125.
        read_quantity: u16,
        /// The first one written.
        write_address: u16,
        /// To what, 1 to 121 of them.
        values: Words<'a>,
    },
    /// Read who the device is.
    ReadDeviceIdentification {
        /// 1 basic, 2 regular, 3 extended, 4 one object.
        code: u8,
        /// The object to begin with.
        object: u8,
    },
    /// A function of the maker's own.
    Other {
        /// Its code.
        function: u8,
        /// What follows it.
        data: &'a [u8],
    },
}

/// Why a request cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwritable {
    /// Nothing is asked for, or more than the function can.
    Quantity {
        /// How many were meant.
        given: u16,
        /// How many the function can.
        most: u16,
    },
    /// The last address lies behind 65,535.
    Address,
    /// The buffer given, or the longest PDU, is too short for it.
    Room,
}

impl core::fmt::Display for Unwritable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Unwritable::Quantity { given, most } => {
                write!(f, "a quantity of {given}, where the function takes 1 to {most}")
            }
            Unwritable::Address => f.write_str("the last address lies behind 65535"),
            Unwritable::Room => f.write_str("longer than a Modbus PDU or the buffer for it"),
        }
    }
}

impl core::error::Error for Unwritable {}

/// Puts octets behind each other, as far as there is room.
pub(crate) struct Writer<'a> {
    out: &'a mut [u8],
    len: usize,
}

impl<'a> Writer<'a> {
    pub(crate) fn new(out: &'a mut [u8]) -> Writer<'a> {
        let most = out.len().min(MOST_PDU);
        Writer { out: &mut out[..most], len: 0 }
    }

    pub(crate) fn octets(&mut self, octets: &[u8]) -> Result<(), Unwritable> {
        let room = self.out.get_mut(self.len..self.len + octets.len()).ok_or(Unwritable::Room)?;
        room.copy_from_slice(octets);
        self.len += octets.len();
        Ok(())
    }

    pub(crate) fn octet(&mut self, octet: u8) -> Result<(), Unwritable> {
        self.octets(&[octet])
    }

    pub(crate) fn word(&mut self, word: u16) -> Result<(), Unwritable> {
        self.octets(&word.to_be_bytes())
    }

    /// Room for `len` octets, to be filled by the caller.
    pub(crate) fn room(&mut self, len: usize) -> Result<&mut [u8], Unwritable> {
        let room = self.out.get_mut(self.len..self.len + len).ok_or(Unwritable::Room)?;
        self.len += len;
        Ok(room)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

/// Takes words from the front of a PDU's data.
struct Data<'a>(&'a [u8]);

impl<'a> Data<'a> {
    fn octet(&mut self) -> Result<u8, Exception> {
        let (first, rest) = self.0.split_first().ok_or(Exception::IllegalValue)?;
        self.0 = rest;
        Ok(*first)
    }

    fn word(&mut self) -> Result<u16, Exception> {
        Ok(u16::from_be_bytes([self.octet()?, self.octet()?]))
    }

    /// The values at the end, as many as their count says.
    fn rest(&mut self, count: u8) -> Result<&'a [u8], Exception> {
        let rest = core::mem::take(&mut self.0);
        if rest.len() == usize::from(count) { Ok(rest) } else { Err(Exception::IllegalValue) }
    }

    fn end(&self) -> Result<(), Exception> {
        if self.0.is_empty() { Ok(()) } else { Err(Exception::IllegalValue) }
    }
}

/// A slave says 3 to a quantity that is no good, and 2 to an address that is none (AP figure 9, for all functions).
fn check(address: u16, quantity: u16, most: u16) -> Result<(), Exception> {
    match spans(address, quantity, most) {
        Ok(()) => Ok(()),
        Err(Unwritable::Address) => Err(Exception::IllegalAddress),
        Err(_) => Err(Exception::IllegalValue),
    }
}

fn spans(address: u16, quantity: u16, most: u16) -> Result<(), Unwritable> {
    if quantity == 0 || quantity > most {
        return Err(Unwritable::Quantity { given: quantity, most });
    }
    if u32::from(address) + u32::from(quantity) > 0x1_0000 {
        return Err(Unwritable::Address);
    }
    Ok(())
}

impl<'a> Request<'a> {
    /// The function's code.
    pub fn function(&self) -> u8 {
        match self {
            Request::ReadCoils { .. } => function::READ_COILS,
            Request::ReadDiscreteInputs { .. } => function::READ_DISCRETE_INPUTS,
            Request::ReadHoldingRegisters { .. } => function::READ_HOLDING_REGISTERS,
            Request::ReadInputRegisters { .. } => function::READ_INPUT_REGISTERS,
            Request::WriteSingleCoil { .. } => function::WRITE_SINGLE_COIL,
            Request::WriteSingleRegister { .. } => function::WRITE_SINGLE_REGISTER,
            Request::WriteMultipleCoils { .. } => function::WRITE_MULTIPLE_COILS,
            Request::WriteMultipleRegisters { .. } => function::WRITE_MULTIPLE_REGISTERS,
            Request::MaskWriteRegister { .. } => function::MASK_WRITE_REGISTER,
            Request::ReadWriteMultipleRegisters { .. } => function::READ_WRITE_MULTIPLE_REGISTERS,
            Request::ReadDeviceIdentification { .. } => function::ENCAPSULATED_INTERFACE,
            Request::Other { function, .. } => *function,
        }
    }

    /// Writes the PDU to the front of `out` and gives its length.
    pub fn write(&self, out: &mut [u8]) -> Result<usize, Unwritable> {
        let mut to = Writer::new(out);
        to.octet(self.function())?;
        match *self {
            Request::ReadCoils { address, quantity } | Request::ReadDiscreteInputs { address, quantity } => {
                spans(address, quantity, MOST_BITS_READ)?;
                to.word(address)?;
                to.word(quantity)?;
            }
            Request::ReadHoldingRegisters { address, quantity }
            | Request::ReadInputRegisters { address, quantity } => {
                spans(address, quantity, MOST_WORDS_READ)?;
                to.word(address)?;
                to.word(quantity)?;
            }
            Request::WriteSingleCoil { address, value } => {
                to.word(address)?;
                to.word(if value { 0xff00 } else { 0 })?;
            }
            Request::WriteSingleRegister { address, value } => {
                to.word(address)?;
                to.word(value)?;
            }
            Request::WriteMultipleCoils { address, values } => {
                spans(address, values.count(), MOST_BITS_WRITTEN)?;
                to.word(address)?;
                to.word(values.count())?;
                to.octet(values.octets().len() as u8)?;
                to.octets(values.octets())?;
            }
            Request::WriteMultipleRegisters { address, values } => {
                spans(address, values.count(), MOST_WORDS_WRITTEN)?;
                to.word(address)?;
                to.word(values.count())?;
                to.octet(values.octets().len() as u8)?;
                to.octets(values.octets())?;
            }
            Request::MaskWriteRegister { address, and, or } => {
                to.word(address)?;
                to.word(and)?;
                to.word(or)?;
            }
            Request::ReadWriteMultipleRegisters { read_address, read_quantity, write_address, values } => {
                spans(read_address, read_quantity, MOST_WORDS_READ)?;
                spans(write_address, values.count(), MOST_WORDS_EXCHANGED)?;
                to.word(read_address)?;
                to.word(read_quantity)?;
                to.word(write_address)?;
                to.word(values.count())?;
                to.octet(values.octets().len() as u8)?;
                to.octets(values.octets())?;
            }
            Request::ReadDeviceIdentification { code, object } => {
                to.octets(&[function::READ_DEVICE_IDENTIFICATION, code, object])?;
            }
            Request::Other { data, .. } => to.octets(data)?,
        }
        Ok(to.len())
    }

    /// Reads a request PDU, as a slave does. The exception is what the slave has to answer.
    pub fn read(pdu: &'a [u8]) -> Result<Request<'a>, Exception> {
        let (&code, data) = pdu.split_first().ok_or(Exception::IllegalFunction)?;
        let mut from = Data(data);
        let request = match code {
            function::READ_COILS
            | function::READ_DISCRETE_INPUTS
            | function::READ_HOLDING_REGISTERS
            | function::READ_INPUT_REGISTERS => return reading(code, &mut from),
            function::WRITE_SINGLE_COIL => {
                let address = from.word()?;
                let value = match from.word()? {
                    0xff00 => true,
                    0 => false,
                    _ => return Err(Exception::IllegalValue),
                };
                Request::WriteSingleCoil { address, value }
            }
            function::WRITE_SINGLE_REGISTER => {
                Request::WriteSingleRegister { address: from.word()?, value: from.word()? }
            }
            function::WRITE_MULTIPLE_COILS => {
                let (address, quantity) = (from.word()?, from.word()?);
                check(address, quantity, MOST_BITS_WRITTEN)?;
                let count = from.octet()?;
                let values = Bits::of(from.rest(count)?, quantity).ok_or(Exception::IllegalValue)?;
                Request::WriteMultipleCoils { address, values }
            }
            function::WRITE_MULTIPLE_REGISTERS => {
                let (address, quantity) = (from.word()?, from.word()?);
                check(address, quantity, MOST_WORDS_WRITTEN)?;
                let count = from.octet()?;
                let values = words(from.rest(count)?, quantity)?;
                Request::WriteMultipleRegisters { address, values }
            }
            function::MASK_WRITE_REGISTER => {
                Request::MaskWriteRegister { address: from.word()?, and: from.word()?, or: from.word()? }
            }
            function::READ_WRITE_MULTIPLE_REGISTERS => {
                let (read_address, read_quantity) = (from.word()?, from.word()?);
                check(read_address, read_quantity, MOST_WORDS_READ)?;
                let (write_address, quantity) = (from.word()?, from.word()?);
                check(write_address, quantity, MOST_WORDS_EXCHANGED)?;
                let count = from.octet()?;
                let values = words(from.rest(count)?, quantity)?;
                Request::ReadWriteMultipleRegisters { read_address, read_quantity, write_address, values }
            }
            function::ENCAPSULATED_INTERFACE => {
                if from.octet()? != function::READ_DEVICE_IDENTIFICATION {
                    return Err(Exception::IllegalFunction);
                }
                let (code, object) = (from.octet()?, from.octet()?);
                if !(1..=4).contains(&code) {
                    return Err(Exception::IllegalValue);
                }
                Request::ReadDeviceIdentification { code, object }
            }
            function if function >= function::EXCEPTION || function == 0 => {
                return Err(Exception::IllegalFunction);
            }
            function => return Ok(Request::Other { function, data }),
        };
        from.end()?;
        Ok(request)
    }

    /// What an answer to this looks like.
    pub fn shape(&self) -> Shape {
        match *self {
            Request::ReadCoils { quantity, .. } | Request::ReadDiscreteInputs { quantity, .. } => {
                Shape::Counted { octets: quantity.div_ceil(8) as u8 }
            }
            Request::ReadHoldingRegisters { quantity, .. }
            | Request::ReadInputRegisters { quantity, .. }
            | Request::ReadWriteMultipleRegisters { read_quantity: quantity, .. } => {
                Shape::Counted { octets: (quantity * 2) as u8 }
            }
            Request::WriteSingleCoil { .. }
            | Request::WriteSingleRegister { .. }
            | Request::WriteMultipleCoils { .. }
            | Request::WriteMultipleRegisters { .. } => Shape::Fixed { pdu: 5 },
            Request::MaskWriteRegister { .. } => Shape::Fixed { pdu: 7 },
            Request::ReadDeviceIdentification { .. } => Shape::Identification,
            Request::Other { .. } => Shape::Unknown,
        }
    }
}

fn words(octets: &[u8], quantity: u16) -> Result<Words<'_>, Exception> {
    Words::of(octets).filter(|words| words.count() == quantity).ok_or(Exception::IllegalValue)
}

/// A request that reads one table.
fn reading<'a>(code: u8, from: &mut Data<'_>) -> Result<Request<'a>, Exception> {
    let (address, quantity) = (from.word()?, from.word()?);
    from.end()?;
    let bits = code <= function::READ_DISCRETE_INPUTS;
    check(address, quantity, if bits { MOST_BITS_READ } else { MOST_WORDS_READ })?;
    Ok(match code {
        function::READ_COILS => Request::ReadCoils { address, quantity },
        function::READ_DISCRETE_INPUTS => Request::ReadDiscreteInputs { address, quantity },
        function::READ_HOLDING_REGISTERS => Request::ReadHoldingRegisters { address, quantity },
        _ => Request::ReadInputRegisters { address, quantity },
    })
}
