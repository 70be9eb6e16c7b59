//! Modbus TCP: the frames of a [`session`](crate::bus::session) in the header that TCP has for them, and back.
//!
//! The session speaks RTU whatever the line is. Towards a Modbus TCP device its frames lose their CRC and get the MBAP
//! header ("MODBUS Messaging on TCP/IP Implementation Guide" V1.0b, section 3.1.3); answers lose the header and get a
//! CRC. The header's transaction number is what RTU lacks: an answer to another request is dropped here.

use super::rtu::{pdu, seal};
use roundsman_rtu::MOST_PDU;

/// Octets of the header: transaction, protocol, length, unit.
const HEADER: usize = 7;

/// Port of a Modbus TCP device where nothing else is said.
pub const PORT: u16 = 502;

/// What came is no Modbus TCP: nothing that follows can be told apart, the connection has to be made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what came is no Modbus TCP: protocol {protocol}, length {len}; expected protocol 0 and 2 to {most}", most = MOST_PDU + 1)]
pub struct Broken {
    /// The header's protocol.
    pub protocol: u16,
    /// The header's length.
    pub len: u16,
}

/// One connection.
#[derive(Clone, Debug, Default)]
pub struct Mbap {
    transaction: u16,
    /// Octets of an answer that has only begun; at most one frame and one read.
    held: Vec<u8>,
    /// Answers to requests that nobody waits for any more.
    pub dropped: u64,
}

impl Mbap {
    /// An RTU frame as it goes over TCP.
    pub fn wrap(&mut self, frame: &[u8]) -> Vec<u8> {
        self.transaction = self.transaction.wrapping_add(1);
        let (unit, pdu) = (frame.first().copied().unwrap_or(0), pdu(frame));
        let mut octets = Vec::with_capacity(HEADER + pdu.len());
        octets.extend(self.transaction.to_be_bytes());
        octets.extend([0, 0]);
        octets.extend((pdu.len() as u16 + 1).to_be_bytes());
        octets.push(unit);
        octets.extend(pdu);
        octets
    }

    /// Octets that came; the answer to the last request is appended to `frames` as an RTU frame.
    pub fn take(&mut self, octets: &[u8], frames: &mut Vec<u8>) -> Result<(), Broken> {
        self.held.extend(octets);
        let mut at = 0;
        while let Some(header) = self.held.get(at..at + HEADER) {
            let word = |place: usize| u16::from_be_bytes([header[place], header[place + 1]]);
            let (transaction, protocol, len) = (word(0), word(2), word(4));
            if protocol != 0 || !(2..=MOST_PDU + 1).contains(&usize::from(len)) {
                self.held.clear();
                return Err(Broken { protocol, len });
            }
            let end = at + HEADER - 1 + usize::from(len);
            let Some(body) = self.held.get(at + HEADER..end) else { break };
            match seal(header[6], body).filter(|_| transaction == self.transaction) {
                Some(frame) => frames.extend(frame),
                None => self.dropped += 1,
            }
            at = end;
        }
        self.held.drain(..at);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The answer of a device to what [`Mbap::wrap`] gave, with this transaction.
    fn answer(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
        let len = pdu.len() as u16 + 1;
        [&transaction.to_be_bytes()[..], &[0, 0], &len.to_be_bytes(), &[unit], pdu].concat()
    }

    #[test]
    fn a_request_goes_out_as_the_guide_says() {
        let mut mbap = Mbap::default();
        let frame = seal(0x11, &[0x03, 0x00, 0x6B, 0x00, 0x03]).unwrap();
        assert_eq!(mbap.wrap(&frame), [0, 1, 0, 0, 0, 6, 0x11, 0x03, 0x00, 0x6B, 0x00, 0x03]);
        assert_eq!(mbap.wrap(&frame)[..2], [0, 2]);
    }

    #[test]
    fn an_answer_to_another_request_is_dropped() {
        let mut mbap = Mbap::default();
        mbap.wrap(&seal(1, &[4, 0, 0, 0, 1]).unwrap());
        mbap.wrap(&seal(1, &[4, 0, 9, 0, 1]).unwrap());
        let (late, right) = (answer(1, 1, &[4, 2, 0, 7]), answer(2, 1, &[4, 2, 0, 8]));
        let mut frames = Vec::new();
        mbap.take(&[late, right].concat(), &mut frames).unwrap();
        assert_eq!(frames, seal(1, &[4, 2, 0, 8]).unwrap());
        assert_eq!(mbap.dropped, 1);
    }

    #[test]
    fn what_is_no_modbus_tcp_is_an_error() {
        let mut mbap = Mbap::default();
        let broken = mbap.take(b"HTTP/1.1 400", &mut Vec::new()).unwrap_err();
        assert_eq!(broken, Broken { protocol: 0x5450, len: 0x2F31 });
        assert_eq!(mbap.take(&[0, 0, 0, 0, 0, 1, 1], &mut Vec::new()), Err(Broken { protocol: 0, len: 1 }));
    }

    proptest! {
        /// However the answer is cut into reads, the frame comes out once.
        #[test]
        fn an_answer_may_come_in_pieces(
            pdu in prop::collection::vec(any::<u8>(), 1..MOST_PDU), unit in 1_u8..248, cut in 0_usize..300
        ) {
            let mut mbap = Mbap::default();
            mbap.wrap(&seal(unit, &[4, 0, 0, 0, 1]).unwrap());
            let octets = answer(1, unit, &pdu);
            let cut = cut.min(octets.len());
            let mut frames = Vec::new();
            mbap.take(&octets[..cut], &mut frames).unwrap();
            mbap.take(&octets[cut..], &mut frames).unwrap();
            prop_assert_eq!(frames, seal(unit, &pdu).unwrap());
        }

        /// Whatever comes, nothing panics and what is held is bounded.
        #[test]
        fn garbage_is_survived(reads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..600), 0..8)) {
            let mut mbap = Mbap::default();
            for octets in reads {
                let _ = mbap.take(&octets, &mut Vec::new());
                prop_assert!(mbap.held.len() <= HEADER + MOST_PDU);
            }
        }
    }
}
