//! RTU on a line: which octets answer the request, which are somebody else's, which are noise.

use crate::bus::{Read, Reader};
use roundsman_rtu::answer::Shape;
use roundsman_rtu::frame::{self, Cut, Side};
use roundsman_rtu::request::Request;
use roundsman_rtu::{MOST_FRAME, function};

/// The frame of a request PDU; `None` where it is longer than a PDU can be.
pub fn seal(unit: u8, pdu: &[u8]) -> Option<Vec<u8>> {
    let mut octets = [0; MOST_FRAME];
    octets[0] = unit;
    octets.get_mut(1..1 + pdu.len())?.copy_from_slice(pdu);
    let len = frame::seal(1 + pdu.len(), &mut octets)?;
    Some(octets[..len].to_vec())
}

/// The PDU of a frame that a [`Awaited`] called an answer.
pub fn pdu(frame: &[u8]) -> &[u8] {
    frame::open(frame).map_or(&[], |(_, pdu)| pdu)
}

/// Waits for the answer to one request.
#[derive(Clone, Debug)]
pub struct Awaited {
    unit: u8,
    /// The request's PDU.
    request: Vec<u8>,
    /// Octets of the answer's PDU, where the function is the maker's own.
    own_len: usize,
}

/// Whether the awaited answer begins here.
enum Own {
    Whole(usize),
    /// Whole, but it confirms something else than was asked.
    Other(usize),
    Begun,
    No,
}

impl Awaited {
    /// For the answer of `unit` to the request with this PDU. `own_len` is the length of the answer's PDU where the
    /// function is one of the maker's own; it is ignored for all others.
    pub fn new(unit: u8, request: &[u8], own_len: usize) -> Awaited {
        Awaited { unit, request: request.to_vec(), own_len }
    }

    fn own(&self, octets: &[u8]) -> Own {
        let asked = self.request.first().copied().unwrap_or(0);
        match *octets {
            [unit, ..] if unit != self.unit => return Own::No,
            [_, code, ..] if code & !function::EXCEPTION != asked => return Own::No,
            [_] => return Own::Begun,
            _ => {}
        }
        let Ok(request) = Request::read(&self.request) else { return Own::No };
        let is_exception = octets.get(1).is_some_and(|code| *code != asked);
        let len = match request.shape() {
            _ if is_exception => 5,
            Shape::Counted { octets: count } => match octets.get(2) {
                Some(got) if *got != count => return Own::No,
                _ => 3 + usize::from(count) + 2,
            },
            Shape::Fixed { pdu } => 1 + usize::from(pdu) + 2,
            Shape::Unknown => 1 + self.own_len + 2,
            Shape::Identification => match frame::cut(Side::Answer, octets) {
                Cut::Frame(len) => len,
                Cut::More => return Own::Begun,
                Cut::Noise(_) => return Own::No,
            },
        };
        let Some(whole) = octets.get(..len) else { return Own::Begun };
        match frame::open(whole) {
            Some((_, pdu)) if request.read_answer(pdu).is_ok() => Own::Whole(len),
            Some(_) => Own::Other(len),
            None => Own::No,
        }
    }
}

impl Reader for Awaited {
    fn is_of_one_piece(&self) -> bool {
        true
    }

    /// The awaited answer is looked for at every place: what stands before it never holds it back, even where it looks
    /// like the beginning of a long frame.
    fn read(&self, octets: &[u8]) -> Read {
        for at in 0..octets.len() {
            match self.own(&octets[at..]) {
                Own::No => {}
                Own::Whole(len) if at == 0 => return Read::Answer(len),
                Own::Other(len) if at == 0 => return Read::Unsolicited(len),
                Own::Begun if at == 0 => return Read::More,
                Own::Whole(_) | Own::Other(_) | Own::Begun => {
                    return match stranger(octets) {
                        Read::Unsolicited(len) if len <= at => Read::Unsolicited(len),
                        _ => Read::Noise(at),
                    };
                }
            }
        }
        stranger(octets)
    }
}

/// A sound frame of anybody, in either direction, at the front.
fn stranger(octets: &[u8]) -> Read {
    match (frame::cut(Side::Answer, octets), frame::cut(Side::Request, octets)) {
        (Cut::Frame(len), _) | (_, Cut::Frame(len)) => Read::Unsolicited(len),
        (Cut::More, _) | (_, Cut::More) => Read::More,
        (Cut::Noise(one), Cut::Noise(other)) => Read::Noise(one.min(other)),
    }
}

/// Listens while nothing is awaited: other masters, late answers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Overheard;

impl Reader for Overheard {
    fn is_of_one_piece(&self) -> bool {
        true
    }

    fn read(&self, octets: &[u8]) -> Read {
        stranger(octets)
    }

    fn read_at_silence(&self, octets: &[u8]) -> Read {
        match (frame::cut_at_silence(Side::Answer, octets), frame::cut_at_silence(Side::Request, octets)) {
            (Cut::Frame(len), _) | (_, Cut::Frame(len)) => Read::Unsolicited(len),
            (Cut::Noise(one), Cut::Noise(other)) => Read::Noise(one.min(other)),
            _ => Read::More,
        }
    }
}
