//! Object identifiers as sequences of arcs.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// An object identifier. Ordered arc by arc (RFC 2578 section 7.1: the order of GETNEXT).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Oid(Arc<[u32]>);

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
        Ok(Oid(Arc::from(arcs)))
    }

    /// Its arcs, two at least.
    pub fn arcs(&self) -> &[u32] {
        &self.0
    }

    /// Whether `arcs` lie strictly below this one.
    pub fn is_above(&self, arcs: &[u32]) -> bool {
        arcs.len() > self.0.len() && arcs.starts_with(&self.0)
    }

    /// This one with further arcs behind it.
    pub fn join(&self, index: &[u32]) -> Result<Oid, OidError> {
        let mut arcs = self.0.to_vec();
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
        for (at, arc) in self.0.iter().enumerate() {
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
