//! Object identifiers as sequences of arcs.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// An object identifier. Ordered arc by arc (RFC 2578 section 7.1: the order of GETNEXT).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid {
    arcs: Arc<[u32]>,
    /// The same in BER, without tag and length: names are compared and written many times, and encoded once.
    ber: Arc<[u8]>,
}

/// Why a text is no object identifier.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidError {
    /// Empty, or fewer than two arcs.
    #[error("an object identifier has at least two arcs, such as 1.3.6.1")]
    TooShort,
    /// More than [`Oid::MOST_ARCS`] (RFC 2578 section 3.5).
    #[error("an object identifier has at most 128 arcs")]
    TooLong,
    /// A part that is no number from 0 to 4294967295.
    #[error("`{0}` is no arc: a number from 0 to 4294967295 is expected")]
    Arc(String),
    /// The first arc is 0, 1 or 2; under 0 and 1 the second is at most 39 (X.690 section 8.19.4).
    #[error("no object identifier begins with {0}.{1}")]
    Root(u32, u32),
}

impl Oid {
    /// Most arcs an identifier may have (RFC 2578 section 3.5).
    pub const MOST_ARCS: usize = 128;

    /// From arcs.
    pub fn new(arcs: &[u32]) -> Result<Oid, OidError> {
        match arcs {
            [] | [_] => return Err(OidError::TooShort),
            [first, second, ..] if *first > 2 || (*first < 2 && *second > 39) => {
                return Err(OidError::Root(*first, *second));
            }
            _ if arcs.len() > Oid::MOST_ARCS => return Err(OidError::TooLong),
            _ => {}
        }
        // The first two arcs share one subidentifier (X.690 section 8.19.4).
        let mut ber = Vec::with_capacity(arcs.len() + 4);
        push_subidentifier(&mut ber, u64::from(arcs[0]) * 40 + u64::from(arcs[1]));
        arcs[2..].iter().for_each(|&arc| push_subidentifier(&mut ber, arc.into()));
        Ok(Oid { arcs: Arc::from(arcs), ber: Arc::from(ber) })
    }

    /// Its arcs, two at least.
    pub fn arcs(&self) -> &[u32] {
        &self.arcs
    }

    /// Its content octets in BER (X.690 section 8.19), without tag and length.
    pub fn ber(&self) -> &[u8] {
        &self.ber
    }

    /// Whether it names the one instance of a scalar (RFC 2578 section 7.5).
    pub fn is_scalar(&self) -> bool {
        self.arcs.last() == Some(&0)
    }

    /// Whether `arcs` lie strictly below this one.
    pub fn is_above(&self, arcs: &[u32]) -> bool {
        arcs.len() > self.arcs.len() && arcs.starts_with(&self.arcs)
    }

    /// This one with further arcs behind it.
    pub fn join(&self, index: &[u32]) -> Result<Oid, OidError> {
        let mut arcs = self.arcs.to_vec();
        arcs.extend_from_slice(index);
        Oid::new(&arcs)
    }
}

impl FromStr for Oid {
    type Err = OidError;

    /// Reads `1.3.6.1`; one leading dot is allowed.
    fn from_str(text: &str) -> Result<Oid, OidError> {
        let mut arcs = Vec::with_capacity(16);
        for part in text.strip_prefix('.').unwrap_or(text).split('.') {
            if arcs.len() >= Oid::MOST_ARCS {
                return Err(OidError::TooLong);
            }
            let digits = !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
            match part.parse() {
                Ok(arc) if digits => arcs.push(arc),
                _ => return Err(OidError::Arc(part.chars().take(20).collect())),
            }
        }
        Oid::new(&arcs)
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, arc) in self.arcs.iter().enumerate() {
            if at > 0 {
                f.write_str(".")?;
            }
            write!(f, "{arc}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Octets that a subidentifier takes.
pub(super) fn subidentifier_len(value: u64) -> usize {
    ((64 - value.leading_zeros()).max(1)).div_ceil(7) as usize
}

/// Appends a subidentifier: seven bits an octet, the high bit set in all but the last (X.690 section 8.19.2).
pub(super) fn push_subidentifier(out: &mut Vec<u8>, value: u64) {
    for septet in (0..subidentifier_len(value)).rev() {
        let more = if septet > 0 { 0x80 } else { 0 };
        out.push((value >> (7 * septet)) as u8 & 0x7f | more);
    }
}
