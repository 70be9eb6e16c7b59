//! A serial port behind telnet: the octets of a line between telnet's own, and how the port is set (RFC 2217).
//!
//! The subset: binary both ways, no go-aheads, speed, data bits, parity and stop bits, no flow control. What the server
//! tells of modem and line state is skipped.

/// Interpret as command (RFC 854).
const IAC: u8 = 255;
const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const SB: u8 = 250;
const SE: u8 = 240;

/// Options: binary (RFC 856), suppress go-ahead (RFC 858), com port (RFC 2217).
const BINARY: u8 = 0;
const NO_GO_AHEAD: u8 = 3;
const COM_PORT: u8 = 44;

/// Commands of the com port option; the server's answers are 100 above.
const SET_BAUDRATE: u8 = 1;
const SET_DATASIZE: u8 = 2;
const SET_PARITY: u8 = 3;
const SET_STOPSIZE: u8 = 4;
const SET_CONTROL: u8 = 5;
const NO_FLOW_CONTROL: u8 = 1;

/// Longest subnegotiation that is kept; the rest of it is dropped.
const MOST_NEGOTIATED: usize = 64;

/// How the port is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Speed.
    pub baud: u32,
    /// 7 or 8.
    pub data_bits: u8,
    /// 1 none, 2 odd, 3 even (RFC 2217 section 3).
    pub parity: u8,
    /// 1 or 2.
    pub stop_bits: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Data,
    Command,
    Option(u8),
    Negotiation,
    NegotiationCommand,
}

/// One connection.
#[derive(Clone, Debug)]
pub struct Rfc2217 {
    settings: Settings,
    at: At,
    negotiated: Vec<u8>,
    /// What the server said to the speed.
    baud: Option<u32>,
    refused: bool,
}

impl Rfc2217 {
    /// A connection that was just made.
    pub fn new(settings: Settings) -> Rfc2217 {
        Rfc2217 { settings, at: At::Data, negotiated: Vec::new(), baud: None, refused: false }
    }

    /// What is sent first.
    pub fn begin(&self) -> Vec<u8> {
        let mut octets = Vec::new();
        for option in [BINARY, NO_GO_AHEAD] {
            octets.extend([IAC, WILL, option, IAC, DO, option]);
        }
        octets.extend([IAC, WILL, COM_PORT]);
        let Settings { baud, data_bits, parity, stop_bits } = self.settings;
        let mut set = |command: u8, value: &[u8]| {
            octets.extend([IAC, SB, COM_PORT, command]);
            octets.extend(Self::wrap(value));
            octets.extend([IAC, SE]);
        };
        set(SET_BAUDRATE, &baud.to_be_bytes());
        set(SET_DATASIZE, &[data_bits]);
        set(SET_PARITY, &[parity]);
        set(SET_STOPSIZE, &[stop_bits]);
        set(SET_CONTROL, &[NO_FLOW_CONTROL]);
        octets
    }

    /// Whether the server has set the port as it should be; `Some(false)` where it will not.
    pub fn is_set(&self) -> Option<bool> {
        match (self.refused, self.baud) {
            (true, _) => Some(false),
            (false, Some(baud)) => Some(baud == self.settings.baud),
            (false, None) => None,
        }
    }

    /// Octets of the line as they go over the connection.
    pub fn wrap(octets: &[u8]) -> Vec<u8> {
        let doubled = octets.iter().flat_map(|octet| match *octet {
            IAC => [Some(IAC), Some(IAC)],
            other => [Some(other), None],
        });
        doubled.flatten().collect()
    }

    /// Octets that came; those of the line are appended to `line`, what must be answered to `reply`.
    pub fn take(&mut self, octets: &[u8], line: &mut Vec<u8>, reply: &mut Vec<u8>) {
        for octet in octets.iter().copied() {
            self.at = match (self.at, octet) {
                (At::Data, IAC) => At::Command,
                (At::Data, _) | (At::Command, IAC) => {
                    line.push(octet);
                    At::Data
                }
                (At::Command, WILL | WONT | DO | DONT) => At::Option(octet),
                (At::Command, SB) => {
                    self.negotiated.clear();
                    At::Negotiation
                }
                (At::Command, _) => At::Data,
                (At::Option(verb), option) => {
                    self.option(verb, option, reply);
                    At::Data
                }
                (At::Negotiation, IAC) => At::NegotiationCommand,
                (At::Negotiation, _) | (At::NegotiationCommand, IAC) => {
                    if self.negotiated.len() < MOST_NEGOTIATED {
                        self.negotiated.push(octet);
                    }
                    At::Negotiation
                }
                (At::NegotiationCommand, _) => {
                    self.negotiated();
                    At::Data
                }
            };
        }
    }

    /// What was offered at the beginning is not said again: two ends that answer answers never stop (RFC 854).
    fn option(&mut self, verb: u8, option: u8, reply: &mut Vec<u8>) {
        match (verb, option) {
            (DONT, COM_PORT) => self.refused = true,
            (DO | WILL, BINARY | NO_GO_AHEAD) | (DO, COM_PORT) | (DONT | WONT, _) => {}
            (DO, other) => reply.extend([IAC, WONT, other]),
            (_, other) => reply.extend([IAC, DONT, other]),
        }
    }

    fn negotiated(&mut self) {
        if let [COM_PORT, command, a, b, c, d, ..] = self.negotiated[..]
            && command == SET_BAUDRATE + 100
        {
            self.baud = Some(u32::from_be_bytes([a, b, c, d]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SETTINGS: Settings = Settings { baud: 9_600, data_bits: 8, parity: 1, stop_bits: 1 };

    #[test]
    fn the_port_is_set_and_the_server_confirms() {
        let mut port = Rfc2217::new(SETTINGS);
        let begin = port.begin();
        let speed = [IAC, SB, COM_PORT, SET_BAUDRATE, 0, 0, 0x25, 0x80, IAC, SE];
        assert!(begin.windows(speed.len()).any(|octets| octets == speed));
        let (mut line, mut reply) = (Vec::new(), Vec::new());
        port.take(&[IAC, DO, COM_PORT, IAC, DO, BINARY, IAC, WILL, BINARY], &mut line, &mut reply);
        assert_eq!((port.is_set(), &line, &reply), (None, &vec![], &vec![]));
        port.take(&[IAC, SB, COM_PORT, 101, 0, 0, 0x25, 0x80, IAC, SE, 1, 2], &mut line, &mut reply);
        assert_eq!((port.is_set(), &line), (Some(true), &vec![1, 2]));
    }

    #[test]
    fn a_server_that_does_not_know_it_is_told_apart() {
        let mut port = Rfc2217::new(SETTINGS);
        let (mut line, mut reply) = (Vec::new(), Vec::new());
        port.take(&[IAC, DONT, COM_PORT, IAC, DO, 24, IAC, WILL, 1], &mut line, &mut reply);
        assert_eq!(port.is_set(), Some(false));
        assert_eq!(reply, [IAC, WONT, 24, IAC, DONT, 1]);
        let mut port = Rfc2217::new(SETTINGS);
        port.take(&[IAC, SB, COM_PORT, 101, 0, 0, 0x4B, 0, IAC, SE], &mut line, &mut reply);
        assert_eq!(port.is_set(), Some(false), "another speed");
    }

    proptest! {
        /// Octets of the line come through whatever they are, and however they are cut.
        #[test]
        fn a_line_is_transparent(octets in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..400) {
            let wrapped = Rfc2217::wrap(&octets);
            let cut = cut.min(wrapped.len());
            let mut port = Rfc2217::new(SETTINGS);
            let (mut line, mut reply) = (Vec::new(), Vec::new());
            port.take(&wrapped[..cut], &mut line, &mut reply);
            port.take(&wrapped[cut..], &mut line, &mut reply);
            prop_assert_eq!(line, octets);
            prop_assert!(reply.is_empty());
        }

        /// Whatever comes, nothing panics and nothing grows.
        #[test]
        fn garbage_is_survived(octets in prop::collection::vec(any::<u8>(), 0..2_000)) {
            let mut port = Rfc2217::new(SETTINGS);
            let (mut line, mut reply) = (Vec::new(), Vec::new());
            port.take(&octets, &mut line, &mut reply);
            prop_assert!(line.len() <= octets.len() && reply.len() <= octets.len() * 3);
            prop_assert!(port.negotiated.len() <= MOST_NEGOTIATED);
        }
    }
}
