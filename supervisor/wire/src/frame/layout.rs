//! Where a frame begins and ends, and what proves it.

use super::MOST_FRAME;
use super::check::Check;
use crate::field::Order;

/// What says how long a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// Always so many octets.
    Fixed(u16),
    /// A number in the frame.
    Field {
        /// Its first octet.
        at: u16,
        /// One or two octets.
        width: u8,
        /// Their order.
        order: Order,
        /// What is added to it for the whole frame's length.
        adds: i32,
    },
    /// The end mark.
    End,
    /// The line's silence.
    Silence,
}

/// How octets are written on the line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// As they are.
    #[default]
    Raw,
    /// As two hexadecimal digits each, between start and end.
    AsciiHex,
}

/// How all frames of a protocol look.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// How every frame begins; may be empty where the silence cuts.
    pub start: Vec<u8>,
    /// How every frame ends; may be empty.
    pub end: Vec<u8>,
    /// What says how long it is.
    pub length: Length,
    /// What proves it.
    pub check: Option<Check>,
    /// How octets are written.
    pub encoding: Encoding,
}

/// What octets at the front are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The beginning of a frame.
    More,
    /// A frame of so many octets on the line, its check right.
    Frame(usize),
    /// So many octets belong to no frame.
    Noise(usize),
}

impl Layout {
    /// Cuts the front of what came. `silent`: nothing more comes for the line's gap.
    pub fn cut(&self, octets: &[u8], silent: bool) -> Cut {
        let begins = |at: usize| {
            let rest = &octets[at..];
            rest.starts_with(&self.start) || self.start.starts_with(rest)
        };
        let Some(at) = (0..octets.len()).find(|&at| begins(at)) else {
            return if octets.is_empty() { Cut::More } else { Cut::Noise(octets.len()) };
        };
        if at > 0 {
            return Cut::Noise(at);
        }
        if octets.len() < self.start.len() {
            return Cut::More;
        }
        let Some(len) = self.length(octets, silent) else { return Cut::Noise(1) };
        match octets.get(..len) {
            _ if len > MOST_FRAME => Cut::Noise(1),
            None => Cut::More,
            Some(frame) if len > 0 && self.is_sound(frame) => Cut::Frame(len),
            Some(_) => Cut::Noise(1),
        }
    }

    /// How long the frame at the front is, or at least is; `None` where it cannot be one.
    fn length(&self, octets: &[u8], silent: bool) -> Option<usize> {
        let unknown = octets.len() + 1;
        match self.length {
            Length::Fixed(len) => Some(usize::from(len)),
            Length::Field { at, width, order, adds } => {
                let at = usize::from(at);
                let Some(field) = octets.get(at..at + usize::from(width)) else { return Some(unknown) };
                let number = match order {
                    Order::Big => field.iter().fold(0, |n, octet| n << 8 | i64::from(*octet)),
                    Order::Little => field.iter().rev().fold(0, |n, octet| n << 8 | i64::from(*octet)),
                };
                let least = at + usize::from(width).max(self.start.len());
                usize::try_from(number + i64::from(adds)).ok().filter(|len| *len >= least)
            }
            Length::End => {
                let body = octets.get(self.start.len()..)?;
                let end = body.windows(self.end.len().max(1)).position(|window| window == self.end);
                match end {
                    Some(at) => Some(self.start.len() + at + self.end.len()),
                    None if octets.len() >= MOST_FRAME => None,
                    None => Some(unknown),
                }
            }
            Length::Silence if silent => Some(octets.len()),
            Length::Silence => Some(unknown),
        }
    }

    fn is_sound(&self, frame: &[u8]) -> bool {
        if !frame.ends_with(&self.end) {
            return false;
        }
        match (self.check, self.meant(frame)) {
            (_, None) => false,
            (Some(check), Some(meant)) => check.holds(&meant),
            (None, Some(_)) => true,
        }
    }

    /// What a frame on the line means: of an ASCII-hex one, start and end as they are and the digits as octets.
    pub fn meant(&self, frame: &[u8]) -> Option<Vec<u8>> {
        if self.encoding == Encoding::Raw {
            return Some(frame.to_vec());
        }
        let body = frame.strip_prefix(&*self.start)?.strip_suffix(&*self.end)?;
        if body.len() % 2 == 1 {
            return None;
        }
        let mut meant = self.start.clone();
        for pair in body.chunks_exact(2) {
            let digits = std::str::from_utf8(pair).ok().filter(|_| pair.iter().all(u8::is_ascii_hexdigit));
            meant.push(u8::from_str_radix(digits?, 16).ok()?);
        }
        meant.extend_from_slice(&self.end);
        Some(meant)
    }

    /// Fills in length and check, and writes the octets as they go on the line; `None` where they have no place.
    pub fn write(&self, mut frame: Vec<u8>, fills_length: bool) -> Option<Vec<u8>> {
        if let (true, Length::Field { at, width, order, adds }) = (fills_length, self.length) {
            let number = u16::try_from(i64::try_from(frame.len()).ok()? - i64::from(adds)).ok()?;
            let octets = match order {
                Order::Big => number.to_be_bytes(),
                Order::Little => number.to_le_bytes(),
            };
            let room = frame.get_mut(usize::from(at)..usize::from(at) + usize::from(width))?;
            match (width, octets) {
                (2, octets) => room.copy_from_slice(&octets),
                _ => room.fill(u8::try_from(number).ok()?),
            }
        }
        if let Some(check) = self.check
            && !check.fill(&mut frame)
        {
            return None;
        }
        if self.encoding == Encoding::Raw {
            return Some(frame);
        }
        let body = frame.get(self.start.len()..frame.len().checked_sub(self.end.len())?)?;
        let mut line = self.start.clone();
        line.extend(body.iter().flat_map(|octet| format!("{octet:02X}").into_bytes()));
        line.extend_from_slice(&self.end);
        Some(line)
    }
}
