//! RTP packets (RFC 3550, section 5.1).

/// A packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<'a> {
    /// Payload type.
    pub kind: u8,
    /// The last packet of a frame, where the payload's format says so.
    pub marker: bool,
    /// Sequence number.
    pub sequence: u16,
    /// Timestamp in the clock of the payload's format.
    pub timestamp: u32,
    /// The payload.
    pub payload: &'a [u8],
}

impl<'a> Packet<'a> {
    /// Reads one. `None` for what is none: another version, or shorter than it says.
    pub fn read(octets: &'a [u8]) -> Option<Packet<'a>> {
        let [first, second, rest @ ..] = octets else { return None };
        let (version, padded, extended) = (first >> 6, first & 0x20 != 0, first & 0x10 != 0);
        if version != 2 {
            return None;
        }
        let sequence = u16::from_be_bytes(rest.get(..2)?.try_into().ok()?);
        let timestamp = u32::from_be_bytes(rest.get(2..6)?.try_into().ok()?);
        let sources = usize::from(first & 0x0f);
        let mut payload = octets.get(12 + 4 * sources..)?;
        if extended {
            let words = usize::from(u16::from_be_bytes(payload.get(2..4)?.try_into().ok()?));
            payload = payload.get(4 + 4 * words..)?;
        }
        if padded {
            let padding = usize::from(*payload.last()?);
            payload = payload.get(..payload.len().checked_sub(padding)?)?;
        }
        Some(Packet { kind: second & 0x7f, marker: second & 0x80 != 0, sequence, timestamp, payload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_read_with_sources_extension_and_padding() {
        let plain = [0x80, 0xe0, 0x12, 0x34, 0, 0, 0, 9, 1, 2, 3, 4, 0x65, 0x88];
        let packet =
            Packet { kind: 96, marker: true, sequence: 0x1234, timestamp: 9, payload: &[0x65, 0x88] };
        assert_eq!(Packet::read(&plain), Some(packet));
        let all =
            [0xb1, 0x60, 0, 1, 0, 0, 0, 9, 1, 2, 3, 4, 5, 5, 5, 5, 0xbe, 0xde, 0, 1, 7, 7, 7, 7, 0x41, 0, 2];
        let packet = Packet { kind: 96, marker: false, sequence: 1, timestamp: 9, payload: &[0x41] };
        assert_eq!(Packet::read(&all), Some(packet));
        for len in 0..12 {
            assert_eq!(Packet::read(&plain[..len]), None, "{len}");
        }
        let mut other = plain;
        other[0] = 0x40;
        assert_eq!(Packet::read(&other), None, "version 1");
        let mut padded = plain;
        (padded[0], padded[13]) = (0xa0, 200);
        assert_eq!(Packet::read(&padded), None, "more padding than payload");
    }
}
