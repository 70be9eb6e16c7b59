//! A raw value as the recipes look at it, whichever protocol brought it.

use roundsman_wire::field;
use roundsman_wire::snmp::answer::{Answer, Raw};

/// A raw value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum View<'a> {
    /// A number with a sign.
    Integer(i64),
    /// A number of at most 32 bits.
    Unsigned32(u32),
    /// A number of at most 64 bits.
    Unsigned64(u64),
    /// A float.
    Float(f64),
    /// A string.
    Octets(&'a [u8]),
    /// An object identifier.
    Oid(&'a [u32]),
    /// An IPv4 address.
    Address([u8; 4]),
    /// No value.
    Null,
}

impl<'a> View<'a> {
    /// Of an SNMP answer.
    pub(crate) fn of(answer: &'a Answer, raw: Raw) -> View<'a> {
        match raw {
            Raw::Integer(x) => View::Integer(x),
            Raw::Counter32(x) | Raw::Gauge32(x) | Raw::TimeTicks(x) => View::Unsigned32(x),
            Raw::Counter64(x) => View::Unsigned64(x),
            Raw::Octets(octets) => View::Octets(answer.octets(octets)),
            Raw::Oid(arcs) => View::Oid(answer.arcs(arcs)),
            Raw::Address(octets) => View::Address(octets),
            Raw::Null => View::Null,
        }
    }

    /// Of a field on a bus; `is_wide`: it has more than 32 bits even while its number is small.
    pub(crate) fn of_field(raw: &'a field::Raw, is_wide: bool) -> View<'a> {
        match raw {
            field::Raw::Signed(x) => View::Integer(*x),
            field::Raw::Unsigned(x) => match u32::try_from(*x) {
                Ok(x) if !is_wide => View::Unsigned32(x),
                _ => View::Unsigned64(*x),
            },
            field::Raw::Float(x) => View::Float(*x),
            field::Raw::Octets(octets) => View::Octets(octets),
        }
    }

    /// The value as a whole number, where it is one.
    pub(crate) fn integer(self) -> Option<i64> {
        match self {
            View::Integer(x) => Some(x),
            View::Unsigned32(x) => Some(i64::from(x)),
            View::Unsigned64(x) => i64::try_from(x).ok(),
            _ => None,
        }
    }

    /// One bit of an octet string, 0 or 1. Bit 0 is the high one of the first octet, and octets that were left out at
    /// the end are zero (BITS, RFC 2578 section 7.1.4).
    pub(crate) fn bit(self, at: u16) -> Option<i64> {
        let View::Octets(octets) = self else { return None };
        let octet = octets.get(usize::from(at / 8)).copied().unwrap_or(0);
        Some(i64::from(octet >> (7 - at % 8) & 1))
    }

    /// The value as a number; text may begin with one ("52 PERCENT", "44292kB", "0.15").
    pub(crate) fn number(self) -> Option<f64> {
        match self {
            View::Unsigned64(x) => Some(x as f64),
            View::Float(x) => Some(x),
            View::Octets(octets) => leading_number(octets),
            other => other.integer().map(|x| x as f64),
        }
    }
}

fn leading_number(octets: &[u8]) -> Option<f64> {
    let text = octets.trim_ascii();
    let signed = usize::from(text.first().is_some_and(|b| matches!(b, b'-' | b'+')));
    let length = text[signed..].iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
    std::str::from_utf8(&text[..signed + length]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_count_from_the_high_one_of_the_first_octet() {
        for (octets, at, bit) in [
            (&[0x80, 0x02][..], 0, Some(1)),
            (&[0x80, 0x02], 1, Some(0)),
            (&[0x80, 0x02], 14, Some(1)),
            (&[0x04], 5, Some(1)),
            (&[0x04], 14, Some(0)),
            (&[], 0, Some(0)),
        ] {
            assert_eq!(View::Octets(octets).bit(at), bit, "bit {at}");
        }
        assert_eq!(View::Integer(4).bit(5), None);
    }

    #[test]
    fn text_may_begin_with_a_number() {
        for (text, number) in [
            ("52 PERCENT", Some(52.0)),
            (" 44292kB", Some(44292.0)),
            ("-3.5", Some(-3.5)),
            ("0.15", Some(0.15)),
            ("none", None),
            ("", None),
            ("-", None),
        ] {
            assert_eq!(leading_number(text.as_bytes()), number, "{text}");
        }
    }
}
