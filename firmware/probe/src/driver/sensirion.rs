//! What Sensirion's sensors have in common: words of two octets, each with its checksum.

/// Why there is no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault<E> {
    /// The bus failed, or nobody answered.
    Bus(E),
    /// A checksum was wrong.
    Crc,
}

/// CRC-8 of a word: polynomial 0x31, from 0xff. `0xbeef` gives `0x92` (SHT4x datasheet, section 4.4).
pub fn crc8(octets: &[u8]) -> u8 {
    octets.iter().fold(0xff, |crc, octet| {
        (0..8).fold(crc ^ octet, |crc: u8, _| if crc & 0x80 != 0 { crc << 1 ^ 0x31 } else { crc << 1 })
    })
}

/// A word and its checksum, as they came.
pub fn word<E>(from: &[u8]) -> Result<u16, Fault<E>> {
    match *from {
        [high, low, crc] if crc == crc8(&[high, low]) => Ok(u16::from_be_bytes([high, low])),
        _ => Err(Fault::Crc),
    }
}
