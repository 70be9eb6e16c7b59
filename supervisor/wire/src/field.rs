//! Typed fields in octets: numbers of every width and order, BCD, digits as text, bit fields, strings.
//!
//! **Duty.** [`Field::read`] makes a [`Raw`] of the octets of a register, a frame or a file.
//!
//! **Place in the flow.** Under [`modbus`](crate::modbus) and [`frame`](crate::frame); scaling and sentinels are
//! `profile`'s.
//!
//! **Refuses.** Octets that are too few or no number give nothing.

/// A raw value, whichever protocol brought it.
#[derive(Clone, Debug, PartialEq)]
pub enum Raw {
    /// A number with a sign.
    Signed(i64),
    /// A number without.
    Unsigned(u64),
    /// A float; not a number as well, which some meters say for "none".
    Float(f64),
    /// A string, as it came.
    Octets(Box<[u8]>),
}

/// Which part comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The high one.
    #[default]
    Big,
    /// The low one.
    Little,
}

/// What octets are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Unsigned, so many octets, 1 to 8.
    Unsigned(u8),
    /// Two's complement, so many octets, 1 to 8.
    Signed(u8),
    /// IEEE 754, 4 or 8 octets.
    Float(u8),
    /// Two decimal digits an octet.
    Bcd(u8),
    /// Decimal digits as text, perhaps signed and with a point.
    Decimal(u8),
    /// Hexadecimal digits as text.
    Hexadecimal(u8),
    /// Text.
    Text(u8),
}

impl Type {
    /// How many octets.
    pub fn octets(self) -> usize {
        match self {
            Type::Unsigned(n)
            | Type::Signed(n)
            | Type::Float(n)
            | Type::Bcd(n)
            | Type::Decimal(n)
            | Type::Hexadecimal(n)
            | Type::Text(n) => usize::from(n),
        }
    }

    /// The same over another number of octets.
    #[must_use]
    pub fn over(self, octets: u8) -> Type {
        match self {
            Type::Unsigned(_) => Type::Unsigned(octets),
            Type::Signed(_) => Type::Signed(octets),
            Type::Float(_) => Type::Float(octets),
            Type::Bcd(_) => Type::Bcd(octets),
            Type::Decimal(_) => Type::Decimal(octets),
            Type::Hexadecimal(_) => Type::Hexadecimal(octets),
            Type::Text(_) => Type::Text(octets),
        }
    }
}

/// Bits of a number, counted from the low one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BitField {
    /// The lowest.
    pub from: u8,
    /// The highest, inclusive; below 64.
    pub to: u8,
}

/// A field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// What it is.
    pub kind: Type,
    /// Order of the octets inside a word of two.
    pub bytes: Order,
    /// Order of the words.
    pub words: Order,
    /// Only these bits of it.
    pub bits: Option<BitField>,
}

impl Field {
    /// A field with the high octet first.
    pub fn big(kind: Type) -> Field {
        Field { kind, bytes: Order::Big, words: Order::Big, bits: None }
    }

    /// The value of just these octets.
    pub fn read(&self, octets: &[u8]) -> Option<Raw> {
        if octets.len() != self.kind.octets() {
            return None;
        }
        let mut room = [0; 8];
        let ordered = match self.kind {
            Type::Text(_) => return Some(Raw::Octets(self.text(octets))),
            Type::Decimal(_) => return decimal(octets),
            Type::Hexadecimal(_) => return self.cut(hexadecimal(octets)?).map(Raw::Unsigned),
            _ => self.ordered(octets, &mut room)?,
        };
        match self.kind {
            Type::Unsigned(_) => self.cut(unsigned(ordered)).map(Raw::Unsigned),
            Type::Bcd(_) => bcd(ordered).map(Raw::Unsigned),
            Type::Signed(n) if self.bits.is_none() => {
                let shift = 64 - 8 * u32::from(n);
                Some(Raw::Signed(((unsigned(ordered) << shift) as i64) >> shift))
            }
            Type::Signed(_) => self.cut(unsigned(ordered)).map(Raw::Unsigned),
            Type::Float(4) => Some(Raw::Float(f32::from_be_bytes(ordered.try_into().ok()?).into())),
            Type::Float(8) => Some(Raw::Float(f64::from_be_bytes(ordered.try_into().ok()?))),
            _ => None,
        }
    }

    /// The octets with the high one first.
    fn ordered<'a>(&self, octets: &[u8], room: &'a mut [u8; 8]) -> Option<&'a [u8]> {
        let to = room.get_mut(..octets.len())?;
        to.copy_from_slice(octets);
        if octets.len() % 2 == 1 {
            // No words: the order is that of the octets.
            if self.bytes == Order::Little {
                to.reverse();
            }
            return Some(to);
        }
        if self.bytes == Order::Little {
            to.chunks_exact_mut(2).for_each(<[u8]>::reverse);
        }
        if self.words == Order::Little {
            // Words in reverse order: everything in reverse, then each word back.
            to.reverse();
            to.chunks_exact_mut(2).for_each(<[u8]>::reverse);
        }
        Some(to)
    }

    /// Text; where the low octet of each word comes first, turned.
    fn text(&self, octets: &[u8]) -> Box<[u8]> {
        let mut text = octets.to_vec();
        if self.bytes == Order::Little {
            text.chunks_exact_mut(2).for_each(<[u8]>::reverse);
        }
        text.into()
    }

    fn cut(&self, number: u64) -> Option<u64> {
        let Some(BitField { from, to }) = self.bits else { return Some(number) };
        let width = u32::from(to.checked_sub(from)?) + 1;
        let mask = if width >= 64 { u64::MAX } else { (1 << width) - 1 };
        Some(number.checked_shr(from.into())? & mask)
    }
}

fn unsigned(octets: &[u8]) -> u64 {
    octets.iter().fold(0, |number, octet| number << 8 | u64::from(*octet))
}

fn bcd(octets: &[u8]) -> Option<u64> {
    octets.iter().try_fold(0u64, |number, octet| {
        let (high, low) = (octet >> 4, octet & 0xf);
        (high <= 9 && low <= 9).then(|| number * 100 + u64::from(high * 10 + low))
    })
}

/// Digits, perhaps with spaces around them.
fn decimal(octets: &[u8]) -> Option<Raw> {
    let text = std::str::from_utf8(octets).ok()?.trim();
    if let Ok(number) = text.parse::<i64>() {
        return Some(Raw::Signed(number));
    }
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.'));
    text.parse::<f64>().ok().filter(|_| plain).map(Raw::Float)
}

fn hexadecimal(octets: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(octets).ok()?.trim();
    let digits = text.bytes().all(|b| b.is_ascii_hexdigit());
    u64::from_str_radix(text, 16).ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(kind: Type, bytes: Order, words: Order) -> Field {
        Field { kind, bytes, words, bits: None }
    }

    #[test]
    fn every_width_and_order() {
        use Order::{Big, Little};
        for (kind, bytes, words, octets, raw) in [
            (Type::Unsigned(1), Big, Big, &[0xff][..], Raw::Unsigned(255)),
            (Type::Signed(1), Big, Big, &[0xff], Raw::Signed(-1)),
            (Type::Unsigned(2), Big, Big, &[0x01, 0x31], Raw::Unsigned(305)),
            (Type::Signed(2), Big, Big, &[0xff, 0x33], Raw::Signed(-205)),
            (Type::Unsigned(2), Little, Big, &[0x31, 0x01], Raw::Unsigned(305)),
            (Type::Unsigned(3), Big, Big, &[0x01, 0x00, 0x00], Raw::Unsigned(65_536)),
            (Type::Unsigned(3), Little, Little, &[0x01, 0x02, 0x00], Raw::Unsigned(513)),
            (Type::Unsigned(4), Big, Big, &[1, 2, 3, 4], Raw::Unsigned(0x0102_0304)),
            (Type::Unsigned(4), Big, Little, &[3, 4, 1, 2], Raw::Unsigned(0x0102_0304)),
            (Type::Unsigned(4), Little, Big, &[2, 1, 4, 3], Raw::Unsigned(0x0102_0304)),
            (Type::Unsigned(4), Little, Little, &[4, 3, 2, 1], Raw::Unsigned(0x0102_0304)),
            (Type::Signed(4), Big, Little, &[0xff, 0xfe, 0xff, 0xff], Raw::Signed(-2)),
            (Type::Unsigned(8), Big, Little, &[7, 8, 5, 6, 3, 4, 1, 2], Raw::Unsigned(0x0102_0304_0506_0708)),
            (Type::Signed(8), Big, Big, &[0xff; 8], Raw::Signed(-1)),
            (Type::Float(4), Big, Big, &[0x43, 0x5c, 0x80, 0x00], Raw::Float(220.5)),
            (Type::Float(4), Big, Little, &[0x80, 0x00, 0x43, 0x5c], Raw::Float(220.5)),
            (Type::Float(8), Big, Big, &[0x40, 0x6b, 0x90, 0, 0, 0, 0, 0], Raw::Float(220.5)),
            (Type::Bcd(3), Big, Big, &[0x12, 0x34, 0x56], Raw::Unsigned(123_456)),
            (Type::Decimal(4), Big, Big, b" -12", Raw::Signed(-12)),
            (Type::Decimal(4), Big, Big, b"64.5", Raw::Float(64.5)),
            (Type::Hexadecimal(4), Big, Big, b"0032", Raw::Unsigned(50)),
            (Type::Text(4), Big, Big, b"AB-1", Raw::Octets(b"AB-1"[..].into())),
            (Type::Text(4), Little, Big, b"BA1-", Raw::Octets(b"AB-1"[..].into())),
        ] {
            let read = field(kind, bytes, words).read(octets);
            assert_eq!(read, Some(raw), "{kind:?} {bytes:?} {words:?} {octets:02x?}");
        }
    }

    #[test]
    fn bits_count_from_the_low_one() {
        let field = |from, to| Field { bits: Some(BitField { from, to }), ..Field::big(Type::Unsigned(2)) };
        assert_eq!(field(0, 0).read(&[0x80, 0x01]), Some(Raw::Unsigned(1)));
        assert_eq!(field(15, 15).read(&[0x80, 0x01]), Some(Raw::Unsigned(1)));
        assert_eq!(field(4, 7).read(&[0x00, 0xa5]), Some(Raw::Unsigned(10)));
        assert_eq!(field(63, 63).read(&[0xff, 0xff]), Some(Raw::Unsigned(0)));
        assert_eq!(field(5, 4).read(&[0, 0]), None);
    }

    #[test]
    fn what_is_no_number_gives_nothing() {
        for (kind, octets) in [
            (Type::Unsigned(2), &[1][..]),
            (Type::Unsigned(9), &[0; 9]),
            (Type::Float(3), &[0; 3]),
            (Type::Bcd(1), &[0x1a]),
            (Type::Decimal(3), b"1e3"),
            (Type::Decimal(3), b"inf"),
            (Type::Hexadecimal(2), b"+1"),
            (Type::Hexadecimal(2), b"zz"),
            (Type::Decimal(2), &[0xff, 0xff]),
        ] {
            assert_eq!(Field::big(kind).read(octets), None, "{kind:?} {octets:02x?}");
        }
    }
}
