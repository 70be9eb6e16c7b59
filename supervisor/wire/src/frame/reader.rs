//! Finds the frame that answers a request among octets.

use super::layout::{Cut, Layout};
use super::pattern::Mask;
use crate::bus::{Read, Reader};
use roundsman_core::reading::Absence;
use std::sync::Arc;

/// How far an answer is looked for behind what may be the beginning of another frame, in octets.
const MOST_NOISE: usize = 256;

/// Waits for the answer to one request; without masks it listens.
#[derive(Clone, Debug)]
pub struct FrameReader {
    /// How frames look.
    pub layout: Arc<Layout>,
    /// Frames that answer.
    pub ack: Vec<Mask>,
    /// Frames that refuse.
    pub nak: Vec<(Mask, Absence)>,
}

impl FrameReader {
    /// One that awaits nothing.
    pub fn listener(layout: Arc<Layout>) -> FrameReader {
        FrameReader { layout, ack: Vec::new(), nak: Vec::new() }
    }

    /// What an answer says: `Ok` with its meaning, or what the values are instead.
    pub fn verdict(&self, frame: &[u8]) -> Result<Vec<u8>, Absence> {
        let meant = self.layout.meant(frame).ok_or(Absence::Malformed)?;
        match self.nak.iter().find(|(mask, _)| mask.fits(&meant)) {
            Some((_, absence)) => Err(*absence),
            None => Ok(meant),
        }
    }

    fn is_answer(&self, frame: &[u8]) -> bool {
        let masks = self.ack.iter().chain(self.nak.iter().map(|(mask, _)| mask));
        self.layout.meant(frame).is_some_and(|meant| masks.into_iter().any(|mask| mask.fits(&meant)))
    }

    fn look(&self, octets: &[u8], silent: bool) -> Read {
        match self.layout.cut(octets, silent) {
            Cut::Noise(len) => Read::Noise(len),
            Cut::Frame(len) if self.is_answer(&octets[..len]) => Read::Answer(len),
            Cut::Frame(len) => Read::Unsolicited(len),
            // What looks like the beginning of a long frame does not hold back the answer behind it.
            Cut::More => {
                let is_answer = |at: &usize| match self.layout.cut(&octets[*at..], silent) {
                    Cut::Frame(len) => self.is_answer(&octets[*at..*at + len]),
                    _ => false,
                };
                let nothing = self.ack.is_empty() && self.nak.is_empty();
                match (1..octets.len().min(MOST_NOISE)).find(|at| !nothing && is_answer(at)) {
                    Some(at) => Read::Noise(at),
                    None => Read::More,
                }
            }
        }
    }
}

impl Reader for FrameReader {
    fn is_of_one_piece(&self) -> bool {
        true
    }

    fn read(&self, octets: &[u8]) -> Read {
        self.look(octets, false)
    }

    fn read_at_silence(&self, octets: &[u8]) -> Read {
        self.look(octets, true)
    }
}
