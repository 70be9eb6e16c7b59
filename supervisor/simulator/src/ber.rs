//! ASN.1 BER as far as SNMP uses it (RFC 3417 section 8): reading requests, writing answers.
//!
//! Written for the virtual site alone and on purpose not shared with the supervisor's codec: two that misread the
//! standard in the same way would agree with each other.

/// INTEGER.
pub(crate) const INTEGER: u8 = 0x02;
/// OCTET STRING.
pub(crate) const OCTETS: u8 = 0x04;
/// OBJECT IDENTIFIER.
pub(crate) const IDENTIFIER: u8 = 0x06;
/// SEQUENCE.
pub(crate) const SEQUENCE: u8 = 0x30;
/// IpAddress (RFC 2578 section 7.1.5).
pub(crate) const ADDRESS: u8 = 0x40;
/// Counter32.
pub(crate) const COUNTER32: u8 = 0x41;
/// Gauge32.
pub(crate) const GAUGE32: u8 = 0x42;
/// TimeTicks, 1/100 s.
pub(crate) const TICKS: u8 = 0x43;
/// Counter64.
pub(crate) const COUNTER64: u8 = 0x46;

/// Most arcs of an identifier (RFC 2578 section 3.5).
pub(crate) const MOST_ARCS: usize = 128;

/// Takes one element of the tag `tag` off the front: its content.
pub(crate) fn take<'a>(input: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    let (found, content) = take_any(input)?;
    (found == tag).then_some(content)
}

/// Takes one element off the front: tag and content. Lengths of up to 2 octets, as a datagram is not longer.
pub(crate) fn take_any<'a>(input: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (len, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81 => {
            let (&a, rest) = rest.split_first()?;
            (usize::from(a), rest)
        }
        0x82 => {
            let (&[a, b], rest) = rest.split_first_chunk::<2>()?;
            (usize::from(u16::from_be_bytes([a, b])), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(len)?;
    *input = rest;
    Some((tag, content))
}

/// Takes an INTEGER of up to 4 octets.
pub(crate) fn take_i32(input: &mut &[u8]) -> Option<i32> {
    let content = take(input, INTEGER)?;
    let first = *content.first()?;
    if content.len() > 4 {
        return None;
    }
    let sign = if first & 0x80 != 0 { -1_i32 } else { 0 };
    Some(content.iter().fold(sign, |value, &octet| (value << 8) | i32::from(octet)))
}

/// Reads the content of an identifier into `arcs`.
pub(crate) fn read_arcs(content: &[u8], arcs: &mut Vec<u32>) -> Option<()> {
    arcs.clear();
    let mut sub: u32 = 0;
    let mut open = false;
    for &octet in content {
        if sub > u32::MAX >> 7 {
            return None;
        }
        sub = (sub << 7) | u32::from(octet & 0x7f);
        open = octet & 0x80 != 0;
        if open {
            continue;
        }
        if arcs.is_empty() {
            let first = (sub / 40).min(2);
            arcs.push(first);
            arcs.push(sub - first * 40);
        } else {
            arcs.push(sub);
        }
        if arcs.len() > MOST_ARCS {
            return None;
        }
        sub = 0;
    }
    (!open && !arcs.is_empty()).then_some(())
}

/// Writes an identifier with its tag and length.
pub(crate) fn put_arcs(out: &mut Vec<u8>, arcs: &[u32]) {
    let mut content = Vec::with_capacity(arcs.len() + 8);
    let (first, rest) = match arcs {
        [a, b, rest @ ..] => (a * 40 + b, rest),
        _ => (0, &[][..]),
    };
    put_sub(&mut content, first);
    rest.iter().for_each(|&arc| put_sub(&mut content, arc));
    put(out, IDENTIFIER, &content);
}

fn put_sub(out: &mut Vec<u8>, sub: u32) {
    for shift in [28, 21, 14, 7] {
        if sub >> shift != 0 {
            out.push(0x80 | (sub >> shift) as u8 & 0x7f);
        }
    }
    out.push(sub as u8 & 0x7f);
}

/// Writes tag, length and content.
pub(crate) fn put(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    put_head(out, tag, content.len());
    out.extend_from_slice(content);
}

/// Writes tag and length.
pub(crate) fn put_head(out: &mut Vec<u8>, tag: u8, len: usize) {
    out.push(tag);
    match len {
        0..=0x7f => out.push(len as u8),
        0x80..=0xff => out.extend_from_slice(&[0x81, len as u8]),
        _ => {
            out.push(0x82);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
    }
}

/// Octets that tag and length take before `len` octets of content.
pub(crate) fn head_len(len: usize) -> usize {
    match len {
        0..=0x7f => 2,
        0x80..=0xff => 3,
        _ => 4,
    }
}

/// Writes a signed number in as few octets as it takes.
pub(crate) fn put_i32(out: &mut Vec<u8>, value: i32) {
    let octets = value.to_be_bytes();
    let spare = (0..3)
        .take_while(|&at| {
            let next_negative = octets[at + 1] & 0x80 != 0;
            (octets[at] == 0 && !next_negative) || (octets[at] == 0xff && next_negative)
        })
        .count();
    put(out, INTEGER, &octets[spare..]);
}

/// Writes an unsigned number: a leading zero octet keeps it positive.
pub(crate) fn put_u64(out: &mut Vec<u8>, tag: u8, value: u64) {
    let mut octets = [0; 9];
    octets[1..].copy_from_slice(&value.to_be_bytes());
    let spare = (0..8).take_while(|&at| octets[at] == 0 && octets[at + 1] & 0x80 == 0).count();
    put(out, tag, &octets[spare..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_as_few_octets_as_rfc_3417_asks() {
        for (value, octets) in [
            (0, &[2, 1, 0][..]),
            (127, &[2, 1, 127]),
            (128, &[2, 2, 0, 128]),
            (-1, &[2, 1, 0xff]),
            (-129, &[2, 2, 0xff, 0x7f]),
            (i32::MIN, &[2, 4, 0x80, 0, 0, 0]),
            (i32::MAX, &[2, 4, 0x7f, 0xff, 0xff, 0xff]),
        ] {
            let mut out = Vec::new();
            put_i32(&mut out, value);
            assert_eq!(out, octets, "{value}");
            assert_eq!(take_i32(&mut &out[..]), Some(value));
        }
        for (value, octets) in [
            (0, &[0x46, 1, 0][..]),
            (255, &[0x46, 2, 0, 255]),
            (u64::MAX, &[0x46, 9, 0, 255, 255, 255, 255, 255, 255, 255, 255]),
        ] {
            let mut out = Vec::new();
            put_u64(&mut out, COUNTER64, value);
            assert_eq!(out, octets, "{value}");
        }
    }

    #[test]
    fn identifiers_go_there_and_back() {
        for arcs in [
            &[1, 3, 6, 1, 2, 1, 1, 3, 0][..],
            &[1, 3, 6, 1, 4, 1, 2011, 5, u32::MAX],
            &[2, 100, 127, 128, 16383, 16384],
            &[0, 0],
        ] {
            let mut out = Vec::new();
            put_arcs(&mut out, arcs);
            let mut back = Vec::new();
            read_arcs(take(&mut &out[..], IDENTIFIER).unwrap(), &mut back).unwrap();
            assert_eq!(back, arcs);
        }
        let mut arcs = Vec::new();
        assert_eq!(read_arcs(&[0x2b, 0x86], &mut arcs), None, "cut short");
        assert_eq!(read_arcs(&[0x2b, 0x9f, 0xff, 0xff, 0xff, 0x7f], &mut arcs), None, "past 32 bits");
    }
}
