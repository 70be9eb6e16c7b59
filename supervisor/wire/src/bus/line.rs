//! What is known of a line, and what becomes of its port.

use roundsman_core::reading::Absence;

/// Whether a line gives back what is sent on it, as RS-485 without receive suppression does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    /// Found out by looking, exchange by exchange.
    #[default]
    Learn,
    /// Always; an exchange without its echo failed.
    Always,
    /// Never: what equals the request is its answer.
    Never,
}

/// What is done after an exchange without a sound answer, beside waiting for silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// The unit is left alone for [`Line::late_ms`]: its answers name it, so the others go on.
    HoldUnit,
    /// The whole line is left alone for [`Line::late_ms`]: answers do not say whose they are.
    HoldLine,
    /// The connection is made anew: nothing late can come over another one.
    Reopen,
}

/// A line's properties. Everything in milliseconds but the time of an octet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Time one octet takes, in µs (11 bits at 9,600 baud: 1,146); 0 where it does not count, as over TCP.
    pub octet_us: u32,
    /// Silence kept between the end of one exchange and the next request; 3.5 characters or more.
    pub gap_ms: u32,
    /// Silence kept after a request that nobody answers (SL section 2.4.1 asks for 100 to 200 ms).
    pub turnaround_ms: u32,
    /// How long nothing must come after an error until it counts as over.
    pub quiet_ms: u32,
    /// How long a line that does not get quiet is waited for.
    pub quiet_ms_most: u32,
    /// How long after its timeout an answer may still come. This is an assumption that everything rests on: see the
    /// rules in [`bus`](super).
    pub late_ms: u32,
    /// How long opening the port and its dialogue may take.
    pub open_ms: u32,
    /// Echo.
    pub echo: Echo,
    /// Recovery.
    pub recovery: Recovery,
}

impl Line {
    /// A serial line of this speed, on a port of ours.
    pub fn serial(baud: u32) -> Line {
        let octet_us = 11_000_000 / baud.max(1);
        Line {
            octet_us,
            // 3.5 characters, and what schedulers and USB adapters add to it.
            gap_ms: (octet_us * 7 / 2).div_ceil(1_000).max(2) + 3,
            turnaround_ms: 150,
            quiet_ms: 100,
            quiet_ms_most: 3_000,
            late_ms: 1_000,
            open_ms: 5_000,
            echo: Echo::Learn,
            recovery: Recovery::HoldUnit,
        }
    }

    /// A serial line behind a TCP serial server, whose speed is the server's affair. `gap_ms` has to allow for it.
    pub fn serial_server() -> Line {
        Line { octet_us: 0, gap_ms: 20, ..Line::serial(9_600) }
    }

    /// A TCP connection to the device itself.
    pub fn tcp() -> Line {
        Line {
            octet_us: 0,
            gap_ms: 0,
            echo: Echo::Never,
            recovery: Recovery::Reopen,
            ..Line::serial(115_200)
        }
    }

    /// Time that `octets` take, rounded up.
    pub(super) fn time_ms(&self, octets: usize) -> u64 {
        (octets as u64 * u64::from(self.octet_us)).div_ceil(1_000)
    }
}

/// News of a port, told by who owns it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// It is open and fresh: nothing of before is in its buffers.
    Open,
    /// It is gone, or could not be opened.
    Gone(Lost),
}

/// Why a port is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Lost {
    /// Never opened yet, or closed by the other end in peace: opened again when it is needed.
    Closed,
    /// The device node vanished, or the network has no way to the address.
    Unplugged,
    /// Connection refused, or another program holds the port.
    Refused,
    /// Nothing came over it for so long that it was closed.
    HalfOpen,
    /// The dialogue at its opening ended with a refusal of the credentials.
    Denied,
}

impl Lost {
    /// What a reading over it says.
    pub fn absence(self) -> Absence {
        match self {
            Lost::Closed | Lost::HalfOpen => Absence::Timeout,
            Lost::Unplugged => Absence::Unreachable,
            Lost::Refused => Absence::Refused,
            Lost::Denied => Absence::Denied,
        }
    }
}
