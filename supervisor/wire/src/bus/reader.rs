//! What octets are: the bus asks, the protocols answer.

use std::fmt::Debug;

/// What the octets at the front are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// The beginning of something: more must come.
    More,
    /// The answer that is awaited, so many octets.
    Answer(usize),
    /// Sound, but not what is awaited: another unit's, another request's, or the device's own accord; so many octets.
    Unsolicited(usize),
    /// So many octets are known and tell nothing: a prompt, an empty line, a terminal's echo.
    Skip(usize),
    /// So many octets mean nothing.
    Noise(usize),
}

impl Read {
    /// How many octets it takes.
    pub(super) fn len(self) -> usize {
        match self {
            Read::More => 0,
            Read::Answer(len) | Read::Unsolicited(len) | Read::Skip(len) | Read::Noise(len) => len,
        }
    }
}

/// Tells what octets are. A pure function of them: it is asked again with more.
pub trait Reader: Debug + Send + Sync {
    /// What is at the front of `octets`, which are never empty. Takes at least one octet unless it says
    /// [`Read::More`].
    fn read(&self, octets: &[u8]) -> Read;

    /// The same, when nothing more came for the line's gap.
    fn read_at_silence(&self, octets: &[u8]) -> Read {
        self.read(octets)
    }

    /// Whether octets that the line's quiet time lies between never belong to one thing. Not so of answers of several
    /// lines.
    fn is_of_one_piece(&self) -> bool {
        false
    }
}

/// What the dialogue at the opening of a port does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// It waits for more octets.
    More,
    /// It took so many octets of those shown and sends these.
    Say {
        /// Octets taken.
        taken: usize,
        /// Octets to send; may be empty.
        send: Vec<u8>,
    },
    /// It took so many octets and is over: requests may go.
    Open {
        /// Octets taken.
        taken: usize,
    },
    /// The credentials were refused.
    Denied,
}

/// A dialogue that comes before the first request: banners, logins.
pub trait Opening: Debug + Send {
    /// The port was opened. Nothing was received yet.
    fn begin(&mut self) -> Step;

    /// Octets came, none of which was taken yet.
    fn read(&mut self, octets: &[u8]) -> Step;

    /// Whether it is over although nothing more came: its last word was its own.
    fn is_over(&self) -> bool {
        false
    }

    /// Put before the first request after each opening (PJLink's digest).
    fn preamble(&mut self) -> Vec<u8> {
        Vec::new()
    }
}
