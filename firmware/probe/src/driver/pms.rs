//! Plantower PMS5003: frames of 32 octets on a UART, one a second (data manual V2.3, appendix I).

use heapless::Vec;

const FRAME: usize = 32;
const HEAD: [u8; 4] = [0x42, 0x4d, 0, 28];

/// Dust in air, as the sensor's "atmospheric environment" values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dust {
    /// PM2.5 in µg/m³.
    pub pm25: u16,
    /// PM10 in µg/m³.
    pub pm10: u16,
}

/// Collects a frame.
#[derive(Debug, Default)]
pub struct Pms {
    octets: Vec<u8, FRAME>,
}

impl Pms {
    /// One that has heard nothing.
    pub fn new() -> Pms {
        Pms::default()
    }

    /// An octet came. Gives what a whole frame with a right sum says.
    pub fn octet(&mut self, octet: u8) -> Option<Dust> {
        if self.octets.push(octet).is_err() {
            self.octets.clear();
        }
        while !self.octets.is_empty() {
            let len = self.octets.len().min(HEAD.len());
            if self.octets[..len] != HEAD[..len] {
                self.octets.remove(0);
                continue;
            }
            if !self.octets.is_full() {
                return None;
            }
            let word = |at: usize| u16::from_be_bytes([self.octets[at], self.octets[at + 1]]);
            let sum: u16 = self.octets[..FRAME - 2].iter().map(|octet| u16::from(*octet)).sum();
            if sum == word(FRAME - 2) {
                let dust = Dust { pm25: word(12), pm10: word(14) };
                self.octets.clear();
                return Some(dust);
            }
            self.octets.remove(0);
        }
        None
    }
}
