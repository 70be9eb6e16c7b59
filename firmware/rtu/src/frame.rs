//! Frames: unit, PDU, CRC (SL section 2.5.1).
//!
//! A frame ends by its length, which the function says in either direction; silence of 3.5 characters (SL section
//! 2.5.1.1) is a help where the caller sees it, never a need: USB adapters, serial servers and schedulers blur it.

use crate::answer::identification_len;
use crate::crc::crc16;
use crate::request::{Request, Unwritable};
use crate::{LEAST_FRAME, MOST_FRAME, function};

/// Which way a frame goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// From the master.
    Request,
    /// From a slave.
    Answer,
}

/// What octets at the front of a stream are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The beginning of a frame: more must come.
    More,
    /// A frame of so many octets, its CRC right.
    Frame(usize),
    /// So many octets belong to no frame.
    Noise(usize),
}

/// Writes a request's frame to the front of `out` and gives its length.
pub fn write_request(unit: u8, request: &Request<'_>, out: &mut [u8]) -> Result<usize, Unwritable> {
    let (first, rest) = out.split_first_mut().ok_or(Unwritable::Room)?;
    *first = unit;
    let pdu = request.write(rest)?;
    seal(pdu + 1, out).ok_or(Unwritable::Room)
}

/// Puts the CRC behind the first `len` octets and gives the frame's length; `None` where there is no room.
pub fn seal(len: usize, frame: &mut [u8]) -> Option<usize> {
    let crc = crc16(frame.get(..len)?);
    frame.get_mut(len..len + 2)?.copy_from_slice(&crc.to_le_bytes());
    Some(len + 2)
}

/// Unit and PDU of a frame; `None` where it is too short, too long or its CRC is wrong.
pub fn open(frame: &[u8]) -> Option<(u8, &[u8])> {
    if !(LEAST_FRAME..=MOST_FRAME).contains(&frame.len()) {
        return None;
    }
    let (body, crc) = frame.split_at_checked(frame.len() - 2)?;
    if crc != crc16(body).to_le_bytes() {
        return None;
    }
    let (&unit, pdu) = body.split_first()?;
    Some((unit, pdu))
}

/// How long the frame is that begins here.
enum Length {
    Known(usize),
    More,
    Never,
}

impl Length {
    fn at_most(len: usize) -> Length {
        if len <= MOST_FRAME { Length::Known(len) } else { Length::Never }
    }
}

fn length(side: Side, octets: &[u8]) -> Length {
    let (Some(&code), data) = (octets.get(1), octets.get(2..).unwrap_or(&[])) else {
        return Length::More;
    };
    let counted = |at: usize| match octets.get(at) {
        Some(count) => Length::at_most(at + 1 + usize::from(*count) + 2),
        None => Length::More,
    };
    match (side, code) {
        (Side::Request, function::READ_COILS..=function::WRITE_SINGLE_REGISTER) => Length::Known(8),
        (Side::Request, function::WRITE_MULTIPLE_COILS | function::WRITE_MULTIPLE_REGISTERS) => counted(6),
        (Side::Request, function::READ_WRITE_MULTIPLE_REGISTERS) => counted(10),
        (Side::Request, function::ENCAPSULATED_INTERFACE) => match data.first() {
            Some(&function::READ_DEVICE_IDENTIFICATION) => Length::Known(7),
            Some(_) => Length::Never,
            None => Length::More,
        },
        (_, function::MASK_WRITE_REGISTER) => Length::Known(10),
        (
            Side::Answer,
            function::READ_COILS..=function::READ_INPUT_REGISTERS | function::READ_WRITE_MULTIPLE_REGISTERS,
        ) => counted(2),
        (
            Side::Answer,
            function::WRITE_SINGLE_COIL
            | function::WRITE_SINGLE_REGISTER
            | function::WRITE_MULTIPLE_COILS
            | function::WRITE_MULTIPLE_REGISTERS,
        ) => Length::Known(8),
        (Side::Answer, function::ENCAPSULATED_INTERFACE) => match data.first() {
            Some(&function::READ_DEVICE_IDENTIFICATION) => match identification_len(data) {
                Some(len) => Length::at_most(2 + len + 2),
                None if data.len() > MOST_FRAME => Length::Never,
                None => Length::More,
            },
            Some(_) => Length::Never,
            None => Length::More,
        },
        (Side::Answer, code) if code > function::EXCEPTION => Length::Known(5),
        _ => Length::Never,
    }
}

/// What begins at the front of `octets`.
fn begins(side: Side, octets: &[u8]) -> Option<Cut> {
    match length(side, octets) {
        Length::Known(len) => match octets.get(..len) {
            Some(frame) => open(frame).map(|_| Cut::Frame(len)),
            None => Some(Cut::More),
        },
        Length::More => Some(Cut::More),
        Length::Never => None,
    }
}

/// Cuts the front of a stream that goes one way. Noise is skipped octet by octet up to what may be a frame; noise that
/// looks like the beginning of a long frame holds back what follows until that length is there, or until
/// [`cut_at_silence`] is asked.
pub fn cut(side: Side, octets: &[u8]) -> Cut {
    for at in 0..octets.len() {
        match begins(side, &octets[at..]) {
            None => {}
            Some(cut) if at == 0 => return cut,
            Some(_) => return Cut::Noise(at),
        }
    }
    if octets.is_empty() { Cut::More } else { Cut::Noise(octets.len()) }
}

/// Cuts the front of what came before a silence: nothing more belongs to it. A function that is not known here is cut
/// by the silence alone. Never [`Cut::More`] unless there is nothing.
pub fn cut_at_silence(side: Side, octets: &[u8]) -> Cut {
    for at in 0..octets.len() {
        let rest = &octets[at..];
        let cut = match begins(side, rest) {
            Some(Cut::Frame(len)) => Some(len),
            _ => open(rest).map(|_| rest.len()),
        };
        match cut {
            Some(len) if at == 0 => return Cut::Frame(len),
            Some(_) => return Cut::Noise(at),
            None => {}
        }
    }
    if octets.is_empty() { Cut::More } else { Cut::Noise(octets.len()) }
}
