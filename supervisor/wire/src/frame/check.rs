//! Checksums of frames.

use super::span;
use crate::field::Order;
use roundsman_rtu::crc::crc16;

/// How it is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Sum of the octets, low 8 bits (Samsung MDC).
    Sum8,
    /// Sum of the octets and a seed, low 16 bits (NovaStar: 0x5555).
    Sum16 {
        /// What the sum begins with.
        seed: u16,
    },
    /// Exclusive or of the octets (NEC, Philips).
    Xor8,
    /// CRC-16 of Modbus.
    Crc16,
    /// Two's complement of the sum, low 8 bits (Modbus ASCII).
    Lrc,
}

/// A checksum: over which octets, how, and in which order it stands behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Check {
    /// How it is reckoned.
    pub kind: Kind,
    /// The first octet it covers.
    pub from: i32,
    /// The last octet it covers; it stands right behind it.
    pub to: i32,
    /// Its own order, where it has two octets.
    pub order: Order,
}

impl Check {
    /// How many octets it has.
    pub fn width(&self) -> usize {
        match self.kind {
            Kind::Sum8 | Kind::Xor8 | Kind::Lrc => 1,
            Kind::Sum16 { .. } | Kind::Crc16 => 2,
        }
    }

    /// Where it stands in a frame of `len` octets.
    pub fn place(&self, len: usize) -> Option<std::ops::Range<usize>> {
        let end = span(self.from, self.to, len)?.end;
        (end + self.width() <= len).then(|| end..end + self.width())
    }

    fn of(&self, frame: &[u8]) -> Option<[u8; 2]> {
        let covered = frame.get(span(self.from, self.to, frame.len())?)?;
        let sum = |seed: u16| covered.iter().fold(seed, |sum, octet| sum.wrapping_add(u16::from(*octet)));
        let word = match self.kind {
            Kind::Sum8 => sum(0) & 0xff,
            Kind::Sum16 { seed } => sum(seed),
            Kind::Xor8 => covered.iter().fold(0, |sum, octet| sum ^ u16::from(*octet)),
            Kind::Crc16 => crc16(covered),
            Kind::Lrc => sum(0).wrapping_neg() & 0xff,
        };
        Some(match (self.width(), self.order) {
            (1, _) => [word as u8, 0],
            (_, Order::Big) => word.to_be_bytes(),
            (_, Order::Little) => word.to_le_bytes(),
        })
    }

    /// Puts it into its place; `false` where there is none.
    pub fn fill(&self, frame: &mut [u8]) -> bool {
        let Some((octets, place)) = self.of(frame).zip(self.place(frame.len())) else { return false };
        let Some(room) = frame.get_mut(place) else { return false };
        room.copy_from_slice(&octets[..self.width()]);
        true
    }

    /// Whether it is right.
    pub fn holds(&self, frame: &[u8]) -> bool {
        match (self.of(frame), self.place(frame.len())) {
            (Some(octets), Some(place)) => frame.get(place) == Some(&octets[..self.width()]),
            _ => false,
        }
    }
}
