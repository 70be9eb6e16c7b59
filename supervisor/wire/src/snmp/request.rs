//! Writes requests: GET, GETNEXT, GETBULK in BER with the shortest lengths, octet for octet as net-snmp does.
//!
//! A request keeps its encoded names, so that asking again under another id writes the header alone.

use super::Version;
use super::oid::{push_subidentifier, subidentifier_len};

/// What is asked for. The numbers are the PDU tags (RFC 3416 section 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// GetRequest.
    Get,
    /// GetNextRequest.
    Next,
    /// GetBulkRequest (not in v1).
    Bulk {
        /// How many of the leading names are asked for once (`non-repeaters`).
        singles: u16,
        /// How many successors of each further name are asked for (`max-repetitions`).
        repetitions: u16,
    },
}

const INTEGER: u8 = 0x02;
const OCTET_STRING: u8 = 0x04;
const NULL: u8 = 0x05;
const OBJECT_IDENTIFIER: u8 = 0x06;
const SEQUENCE: u8 = 0x30;

/// A request without its header: the encoded variable bindings.
#[derive(Clone, Debug, Default)]
pub struct Request {
    binds: Vec<u8>,
}

impl Request {
    /// Forgets the names.
    pub fn clear(&mut self) {
        self.binds.clear();
    }

    /// Adds a name: `prefix` in BER ([`Oid::ber`](super::oid::Oid::ber)), and the arcs of `index` behind it.
    pub fn name(&mut self, prefix: &[u8], index: &[u32]) {
        let name = prefix.len() + index.iter().map(|&arc| subidentifier_len(arc.into())).sum::<usize>();
        self.binds.push(SEQUENCE);
        push_length(&mut self.binds, 1 + length_len(name) + name + 2);
        self.binds.push(OBJECT_IDENTIFIER);
        push_length(&mut self.binds, name);
        self.binds.extend_from_slice(prefix);
        for &arc in index {
            push_subidentifier(&mut self.binds, arc.into());
        }
        self.binds.extend([NULL, 0]);
    }

    /// The whole message under request id `id`.
    pub fn seal(&self, version: Version, community: &[u8], id: i32, ask: Ask) -> Vec<u8> {
        let (tag, first, second) = match ask {
            Ask::Get => (0xa0, 0, 0),
            Ask::Next => (0xa1, 0, 0),
            Ask::Bulk { singles, repetitions } => (0xa5, i32::from(singles), i32::from(repetitions)),
        };
        let numbers = [id, first, second];
        let list = 1 + length_len(self.binds.len()) + self.binds.len();
        let pdu = numbers.into_iter().map(integer_len).sum::<usize>() + list;
        let text = 1 + length_len(community.len()) + community.len();
        let message = 3 + text + 1 + length_len(pdu) + pdu;

        let mut out = Vec::with_capacity(message + 4);
        out.push(SEQUENCE);
        push_length(&mut out, message);
        out.extend([INTEGER, 1, version.number()]);
        out.push(OCTET_STRING);
        push_length(&mut out, community.len());
        out.extend_from_slice(community);
        out.push(tag);
        push_length(&mut out, pdu);
        for number in numbers {
            push_integer(&mut out, number);
        }
        out.push(SEQUENCE);
        push_length(&mut out, self.binds.len());
        out.extend_from_slice(&self.binds);
        out
    }
}

/// Octets that the length field of `len` octets takes.
fn length_len(len: usize) -> usize {
    match len {
        0..=0x7f => 1,
        0x80..=0xff => 2,
        0x100..=0xffff => 3,
        _ => 4,
    }
}

fn push_length(out: &mut Vec<u8>, len: usize) {
    let octets = (len as u32).to_be_bytes();
    match length_len(len) {
        1 => out.push(octets[3]),
        wide => {
            out.push(0x80 | (wide - 1) as u8);
            out.extend_from_slice(&octets[5 - wide..]);
        }
    }
}

/// Octets of an INTEGER with its tag and length: two's complement without redundant sign octets.
fn integer_len(number: i32) -> usize {
    2 + integer_octets(number)
}

fn integer_octets(number: i32) -> usize {
    let bits = 33 - if number < 0 { number.leading_ones() } else { number.leading_zeros() };
    bits.div_ceil(8) as usize
}

fn push_integer(out: &mut Vec<u8>, number: i32) {
    let wide = integer_octets(number);
    out.extend([INTEGER, wide as u8]);
    out.extend_from_slice(&number.to_be_bytes()[4 - wide..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snmp::oid::Oid;

    fn oid(arcs: &[u32]) -> Oid {
        Oid::new(arcs).expect("a test's identifier")
    }

    fn request(names: &[&[u32]]) -> Request {
        let mut request = Request::default();
        for name in names {
            request.name(oid(name).ber(), &[]);
        }
        request
    }

    fn octets(hex: &str) -> Vec<u8> {
        hex.split_whitespace().map(|pair| u8::from_str_radix(pair, 16).expect("a vector is hex")).collect()
    }

    /// Dumped by net-snmp 5.9 (`snmpget -d`, `snmpgetnext -d`, `snmpbulkget -d`), community `public`.
    #[test]
    fn writes_what_net_snmp_writes() {
        type Case = (&'static str, Version, i32, Ask, &'static [&'static [u32]], &'static str);
        let cases: [Case; 4] = [
            (
                "snmpget -v2c",
                Version::V2c,
                0x6f08_5423,
                Ask::Get,
                &[&[1, 3, 6, 1, 2, 1, 1, 3, 0], &[1, 3, 6, 1, 2, 1, 1, 5, 0]],
                "30 37 02 01 01 04 06 70 75 62 6C 69 63 A0 2A 02 04 6F 08 54 23 02 01 00 02 01 00 30 1C 30 0C 06
                 08 2B 06 01 02 01 01 03 00 05 00 30 0C 06 08 2B 06 01 02 01 01 05 00 05 00",
            ),
            (
                "snmpgetnext -v1, arcs of every length",
                Version::V1,
                0x01d2_ee42,
                Ask::Next,
                &[
                    &[1, 3, 6, 1, 2, 1, 2, 2, 1, 2],
                    &[1, 3, 6, 1, 4, 1, 2011, 4_294_967_295, 128],
                ],
                "30 3E 02 01 00 04 06 70 75 62 6C 69 63 A1 31 02 04 01 D2 EE 42 02 01 00 02 01 00 30 23 30 0D 06
                 09 2B 06 01 02 01 02 02 01 02 05 00 30 12 06 0E 2B 06 01 04 01 8F 5B 8F FF FF FF 7F 81 00 05 00",
            ),
            (
                "snmpbulkget -v2c -Cn1 -Cr300",
                Version::V2c,
                0x1e9a_7bb5,
                Ask::Bulk {
                    singles: 1,
                    repetitions: 300,
                },
                &[
                    &[1, 3, 6, 1, 2, 1, 1, 3],
                    &[1, 3, 6, 1, 2, 1, 2, 2, 1, 2],
                    &[1, 3, 6, 1, 2, 1, 2, 2, 1, 10],
                ],
                "30 47 02 01 01 04 06 70 75 62 6C 69 63 A5 3A 02 04 1E 9A 7B B5 02 01 01 02 02 01 2C 30 2B 30 0B
                 06 07 2B 06 01 02 01 01 03 05 00 30 0D 06 09 2B 06 01 02 01 02 02 01 02 05 00 30 0D 06 09 2B 06
                 01 02 01 02 02 01 0A 05 00",
            ),
            (
                "snmpget -v1, roots 2.999 and 0.0",
                Version::V1,
                0x6ba3_7ac8,
                Ask::Get,
                &[
                    &[1, 3, 6, 1, 2, 1, 1, 3, 0],
                    &[1, 3, 6, 1, 2, 1, 1, 55, 0],
                    &[2, 999, 1],
                    &[0, 0],
                ],
                "30 47 02 01 00 04 06 70 75 62 6C 69 63 A0 3A 02 04 6B A3 7A C8 02 01 00 02 01 00 30 2C 30 0C 06
                 08 2B 06 01 02 01 01 03 00 05 00 30 0C 06 08 2B 06 01 02 01 01 37 00 05 00 30 07 06 03 88 37 01
                 05 00 30 05 06 01 00 05 00",
            ),
        ];
        for (case, version, id, ask, names, expected) in cases {
            let written = request(names).seal(version, b"public", id, ask);
            assert_eq!(written, octets(expected), "{case}");
        }
    }

    #[test]
    fn a_name_may_come_in_two_parts() {
        let mut parts = Request::default();
        parts.name(oid(&[1, 3, 6, 1]).ber(), &[2, 1, 70_000]);
        let whole = request(&[&[1, 3, 6, 1, 2, 1, 70_000]]);
        let seal = |request: &Request| request.seal(Version::V2c, b"", 1, Ask::Get);
        assert_eq!(seal(&parts), seal(&whole));
    }

    #[test]
    fn integers_take_the_fewest_octets() {
        for (number, expected) in [
            (0, vec![2, 1, 0]),
            (127, vec![2, 1, 127]),
            (128, vec![2, 2, 0, 128]),
            (-1, vec![2, 1, 255]),
            (-129, vec![2, 2, 255, 127]),
            (i32::MAX, vec![2, 4, 127, 255, 255, 255]),
            (i32::MIN, vec![2, 4, 128, 0, 0, 0]),
        ] {
            let mut out = Vec::new();
            push_integer(&mut out, number);
            assert_eq!(out, expected, "{number}");
        }
    }
}
