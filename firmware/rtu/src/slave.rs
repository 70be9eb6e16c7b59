//! A slave: requests in, answers out of its registers.
//!
//! [`Inbox`] collects octets and says when a request is whole, [`serve`] answers it. On a line with other slaves their
//! answers are heard as well and are skipped by their own length. A broadcast is carried out and not answered (SL
//! section 2.2).

use crate::exception::Exception;
use crate::frame::{Cut, Side, cut, cut_at_silence, open, seal};
use crate::request::{Request, Unwritable, Writer};
use crate::values::{Bits, Words};
use crate::{BROADCAST, MOST_FRAME, function};

/// A table of single bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BitTable {
    /// Coils: read and written.
    Coils,
    /// Discrete inputs: read only.
    DiscreteInputs,
}

/// A table of 16-bit registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordTable {
    /// Holding registers: read and written.
    Holding,
    /// Input registers: read only.
    Input,
}

/// What a slave is made of. What it does not have is [`Exception::IllegalAddress`]; without an own implementation a
/// function is not known.
pub trait Registers {
    /// One coil or discrete input.
    fn bit(&mut self, table: BitTable, address: u16) -> Result<bool, Exception> {
        let _ = (table, address);
        Err(Exception::IllegalFunction)
    }

    /// One register.
    fn word(&mut self, table: WordTable, address: u16) -> Result<u16, Exception> {
        let _ = (table, address);
        Err(Exception::IllegalFunction)
    }

    /// Writes coils from `address` on: all of them or, with an exception, none.
    fn write_bits(&mut self, address: u16, values: Bits<'_>) -> Result<(), Exception> {
        let _ = (address, values);
        Err(Exception::IllegalFunction)
    }

    /// Writes holding registers from `address` on: all of them or, with an exception, none.
    fn write_words(&mut self, address: u16, values: Words<'_>) -> Result<(), Exception> {
        let _ = (address, values);
        Err(Exception::IllegalFunction)
    }

    /// Content of an object of the device identification: 0 maker, 1 product code, 2 revision. All objects from 0 on
    /// are there up to the last, and together they fit into one PDU.
    fn identification(&mut self, object: u8) -> Option<&[u8]> {
        let _ = object;
        None
    }

    /// A function of the maker's own: writes what follows the function to `out` and gives its length.
    fn other(&mut self, function: u8, data: &[u8], out: &mut [u8]) -> Result<usize, Exception> {
        let _ = (function, data, out);
        Err(Exception::IllegalFunction)
    }
}

/// Answers a frame: gives the length of the answer's frame in `out`. `None`: it is not for `unit`, it is a broadcast,
/// or it is damaged; the slave keeps silent.
pub fn serve(
    unit: u8,
    frame: &[u8],
    registers: &mut impl Registers,
    out: &mut [u8; MOST_FRAME],
) -> Option<usize> {
    let (to, pdu) = open(frame)?;
    if to != unit && to != BROADCAST {
        return None;
    }
    out[0] = unit;
    let len = answer(pdu, registers, &mut out[1..]);
    if to == BROADCAST { None } else { seal(1 + len, out) }
}

/// Carries a request PDU out and writes the PDU of the answer, which may be an exception, to `out`; gives its length.
/// `out` has room for the longest PDU. For transports other than the serial line.
pub fn answer(pdu: &[u8], registers: &mut impl Registers, out: &mut [u8]) -> usize {
    let done = Request::read(pdu).and_then(|request| carry_out(&request, registers, out));
    match done {
        Ok(len) => len,
        Err(exception) => {
            let code = pdu.first().copied().unwrap_or(0) | function::EXCEPTION;
            for (to, octet) in out.iter_mut().zip([code, exception.code()]) {
                *to = octet;
            }
            2
        }
    }
}

impl From<Unwritable> for Exception {
    /// An answer that does not fit into a PDU: more was asked for than can be told.
    fn from(_: Unwritable) -> Exception {
        Exception::IllegalValue
    }
}

fn carry_out(
    request: &Request<'_>,
    registers: &mut impl Registers,
    out: &mut [u8],
) -> Result<usize, Exception> {
    let mut to = Writer::new(out);
    to.octet(request.function())?;
    match *request {
        Request::ReadCoils { address, quantity } => {
            read_bits(&mut to, registers, BitTable::Coils, address, quantity)?;
        }
        Request::ReadDiscreteInputs { address, quantity } => {
            read_bits(&mut to, registers, BitTable::DiscreteInputs, address, quantity)?;
        }
        Request::ReadHoldingRegisters { address, quantity } => {
            read_words(&mut to, registers, WordTable::Holding, address, quantity)?;
        }
        Request::ReadInputRegisters { address, quantity } => {
            read_words(&mut to, registers, WordTable::Input, address, quantity)?;
        }
        Request::WriteSingleCoil { address, value } => {
            let octets = [u8::from(value)];
            registers.write_bits(address, Bits::of(&octets, 1).ok_or(Exception::IllegalValue)?)?;
            to.word(address)?;
            to.word(if value { 0xff00 } else { 0 })?;
        }
        Request::WriteSingleRegister { address, value } => {
            write_word(registers, address, value)?;
            to.word(address)?;
            to.word(value)?;
        }
        Request::WriteMultipleCoils { address, values } => {
            registers.write_bits(address, values)?;
            to.word(address)?;
            to.word(values.count())?;
        }
        Request::WriteMultipleRegisters { address, values } => {
            registers.write_words(address, values)?;
            to.word(address)?;
            to.word(values.count())?;
        }
        Request::MaskWriteRegister { address, and, or } => {
            let value = registers.word(WordTable::Holding, address)?;
            write_word(registers, address, (value & and) | (or & !and))?;
            to.word(address)?;
            to.word(and)?;
            to.word(or)?;
        }
        Request::ReadWriteMultipleRegisters { read_address, read_quantity, write_address, values } => {
            // The write comes first (AP section 6.17).
            registers.write_words(write_address, values)?;
            read_words(&mut to, registers, WordTable::Holding, read_address, read_quantity)?;
        }
        Request::ReadDeviceIdentification { code, object } => {
            identify(&mut to, registers, code, object)?;
        }
        Request::Other { function, data } => {
            let len = registers.other(function, data, &mut out[1..])?;
            return Ok(1 + len.min(crate::MOST_PDU - 1));
        }
    }
    Ok(to.len())
}

fn write_word(registers: &mut impl Registers, address: u16, value: u16) -> Result<(), Exception> {
    let octets = value.to_be_bytes();
    registers.write_words(address, Words::of(&octets).ok_or(Exception::IllegalValue)?)
}

fn read_bits(
    to: &mut Writer<'_>,
    registers: &mut impl Registers,
    table: BitTable,
    address: u16,
    quantity: u16,
) -> Result<(), Exception> {
    let octets = quantity.div_ceil(8);
    to.octet(octets as u8)?;
    let room = to.room(usize::from(octets))?;
    room.fill(0);
    for at in 0..quantity {
        if registers.bit(table, address.wrapping_add(at))? {
            room[usize::from(at / 8)] |= 1 << (at % 8);
        }
    }
    Ok(())
}

fn read_words(
    to: &mut Writer<'_>,
    registers: &mut impl Registers,
    table: WordTable,
    address: u16,
    quantity: u16,
) -> Result<(), Exception> {
    to.octet((quantity * 2) as u8)?;
    for at in 0..quantity {
        to.word(registers.word(table, address.wrapping_add(at))?)?;
    }
    Ok(())
}

/// Objects 0 to 2 are basic, up to 6 regular, the others extended (AP section 6.21).
fn identify(
    to: &mut Writer<'_>,
    registers: &mut impl Registers,
    code: u8,
    object: u8,
) -> Result<(), Exception> {
    let last = (0..=u8::MAX).take_while(|object| registers.identification(*object).is_some()).last();
    let last = last.ok_or(Exception::IllegalFunction)?;
    let conformity = 0x80
        | if last > 6 {
            3
        } else if last > 2 {
            2
        } else {
            1
        };
    let (first, end) = match code {
        4 if object > last => return Err(Exception::IllegalAddress),
        4 => (object, object),
        // One that is not known begins from the start.
        _ => (
            if object > last { 0 } else { object },
            last.min(match code {
                1 => 2,
                2 => 6,
                _ => u8::MAX,
            }),
        ),
    };
    let count = (end + 1).saturating_sub(first);
    to.octets(&[function::READ_DEVICE_IDENTIFICATION, code, conformity, 0, 0, count])?;
    for object in first..=end {
        let content = registers.identification(object).ok_or(Exception::DeviceFailure)?;
        to.octets(&[object, content.len() as u8])?;
        to.octets(content)?;
    }
    Ok(())
}

/// Octets of the line until they are a frame. One buffer, no allocation.
#[derive(Debug)]
pub struct Inbox {
    octets: [u8; MOST_FRAME],
    len: usize,
}

impl Default for Inbox {
    fn default() -> Inbox {
        Inbox { octets: [0; MOST_FRAME], len: 0 }
    }
}

impl Inbox {
    /// An empty one.
    pub fn new() -> Inbox {
        Inbox::default()
    }

    /// An octet came. Gives the length of a request that is whole now: read it by [`Inbox::request`], then
    /// [`Inbox::clear`].
    pub fn push(&mut self, octet: u8) -> Option<usize> {
        if self.len == MOST_FRAME {
            self.drop(1);
        }
        self.octets[self.len] = octet;
        self.len += 1;
        self.settle(false)
    }

    /// The line was silent for 3.5 characters: what is here is a frame, or never will be one. Gives the length of a
    /// request.
    pub fn silence(&mut self) -> Option<usize> {
        let request = self.settle(true);
        if request.is_none() {
            self.len = 0;
        }
        request
    }

    /// The request at the front.
    pub fn request(&self, len: usize) -> &[u8] {
        &self.octets[..len.min(self.len)]
    }

    /// Drops the first `len` octets, those of a request that was served.
    pub fn clear(&mut self, len: usize) {
        self.drop(len);
    }

    /// How many octets wait.
    pub fn waiting(&self) -> usize {
        self.len
    }

    fn drop(&mut self, count: usize) {
        let count = count.min(self.len);
        self.octets.copy_within(count..self.len, 0);
        self.len -= count;
    }

    /// Skips other slaves' answers, and the noise before a frame. Noise that nothing follows stays until the line is
    /// silent: a function that is not known here can be cut by that alone.
    fn settle(&mut self, silent: bool) -> Option<usize> {
        let mut at = 0;
        while at < self.len {
            let octets = &self.octets[at..self.len];
            let look = |side| if silent { cut_at_silence(side, octets) } else { cut(side, octets) };
            match (look(Side::Request), look(Side::Answer)) {
                (Cut::Frame(len), _) => {
                    self.drop(at);
                    return Some(len);
                }
                (_, Cut::Frame(len)) => {
                    self.drop(at + len);
                    at = 0;
                }
                (Cut::More, _) | (_, Cut::More) => return None,
                (Cut::Noise(one), Cut::Noise(other)) => at += one.min(other),
            }
        }
        None
    }
}
