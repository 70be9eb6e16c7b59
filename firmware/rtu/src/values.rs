//! Coils and registers as they lie in a PDU, without a copy.

/// Registers: big-endian words (AP section 4.2).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    /// Words over octets; `None` where their number is odd.
    pub fn of(octets: &'a [u8]) -> Option<Words<'a>> {
        octets.len().is_multiple_of(2).then_some(Words(octets))
    }

    /// The octets.
    pub fn octets(self) -> &'a [u8] {
        self.0
    }

    /// How many words.
    pub fn count(self) -> u16 {
        (self.0.len() / 2) as u16
    }

    /// One of them.
    pub fn get(self, at: usize) -> Option<u16> {
        match self.0.get(at * 2..at * 2 + 2)? {
            &[high, low] => Some(u16::from_be_bytes([high, low])),
            _ => None,
        }
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = u16> + 'a {
        (0..usize::from(self.count())).filter_map(move |at| self.get(at))
    }
}

impl core::fmt::Debug for Words<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Coils or discrete inputs: the first one is the low bit of the first octet (AP section 6.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Bits<'a> {
    octets: &'a [u8],
    count: u16,
}

impl<'a> Bits<'a> {
    /// The first `count` bits of `octets`; `None` where the octets are not just as many as that takes.
    pub fn of(octets: &'a [u8], count: u16) -> Option<Bits<'a>> {
        (octets.len() == usize::from(count).div_ceil(8)).then_some(Bits { octets, count })
    }

    /// The octets; bits behind the last one are whatever they were.
    pub fn octets(self) -> &'a [u8] {
        self.octets
    }

    /// How many bits.
    pub fn count(self) -> u16 {
        self.count
    }

    /// One of them.
    pub fn get(self, at: usize) -> Option<bool> {
        if at >= usize::from(self.count) {
            return None;
        }
        self.octets.get(at / 8).map(|octet| octet >> (at % 8) & 1 == 1)
    }

    /// All of them.
    pub fn iter(self) -> impl Iterator<Item = bool> + 'a {
        (0..usize::from(self.count)).filter_map(move |at| self.get(at))
    }
}

impl core::fmt::Debug for Bits<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter().map(u8::from)).finish()
    }
}
