//! What happened on a line.

/// Counts since the bus began; for the line's page and for self-observation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Requests sent, retries included.
    pub requests: u64,
    /// Of these, sent again.
    pub retries: u64,
    /// Sound answers.
    pub answers: u64,
    /// Tries that ended in silence.
    pub timeouts: u64,
    /// Tries that ended with octets that were no answer.
    pub damaged: u64,
    /// Answers that came after they had been given up.
    pub late: u64,
    /// Echoes of requests, taken away.
    pub echoes: u64,
    /// Exchanges that ended with a copy of the request, answer or echo.
    pub copies: u64,
    /// Sound frames or lines that nobody had asked for.
    pub foreign: u64,
    /// Octets that meant nothing.
    pub noise_octets: u64,
    /// Exchanges of long silent units that were not sent.
    pub skipped: u64,
    /// Exchanges not taken for lack of room.
    pub refused: u64,
    /// Events dropped because nobody fetched them.
    pub events_dropped: u64,
    /// Times the line did not get quiet after an error.
    pub never_quiet: u64,
    /// Times the port went away.
    pub lost: u64,
    /// Times the bus asked for the port to be made anew.
    pub reopened: u64,
    /// Octets sent.
    pub octets_out: u64,
    /// Octets received.
    pub octets_in: u64,
}
