//! Patterns of lines: literal text, `*` for anything, `{name}` and `{name:class}` for what is caught.
//!
//! Ours instead of regular expressions: a person writes `POWR={power:0|1|2|3}` and reads it back years later, the
//! work is bounded by line and pattern alone, and nothing of the 1 MB of an expression engine is needed. What is open
//! ends where the next literal text is first found; there is no going back.

use super::Captures;
use crate::field::Raw;
use crate::params::{Missing, Params};
use std::sync::Arc;

/// What a capture takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Class {
    /// Anything, at least one octet; a string.
    Any,
    /// Octets without space; a string.
    Word,
    /// A decimal number, perhaps signed, perhaps with a point.
    Number,
    /// Hexadecimal digits; a number.
    Hex,
    /// One decimal digit; a number.
    Digit,
    /// One of these words; its position as a number.
    OneOf(Vec<Arc<str>>),
}

/// A piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// This text.
    Text(Arc<str>),
    /// What is given under this name.
    Param(Arc<str>),
    /// Anything, perhaps nothing.
    Anything,
    /// Something, caught under a name.
    Capture(Arc<str>, Class),
}

/// A pattern of a whole line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern(pub Vec<Item>);

impl Pattern {
    /// The pattern with everything given put in.
    pub fn with(&self, params: &Params) -> Result<Pattern, Missing> {
        let put_in = |item: &Item| match item {
            Item::Param(name) => {
                let octets = params.get(name).ok_or_else(|| Missing(name.clone()))?;
                Ok(Item::Text(Arc::from(String::from_utf8_lossy(octets))))
            }
            other => Ok(other.clone()),
        };
        self.0.iter().map(put_in).collect::<Result<_, _>>().map(Pattern)
    }

    /// Whether nothing in it is open.
    pub fn is_literal(&self) -> bool {
        self.0.iter().all(|item| matches!(item, Item::Text(_)))
    }

    /// What the line caught, if it fits as a whole.
    pub fn captures(&self, line: &[u8]) -> Option<Captures> {
        let mut caught = Captures::default();
        let mut rest = line;
        let mut items = self.0.iter().peekable();
        while let Some(item) = items.next() {
            let next = match items.peek() {
                Some(Item::Text(text)) => Some(text.as_bytes()),
                _ => None,
            };
            match item {
                Item::Text(text) => rest = rest.strip_prefix(text.as_bytes())?,
                Item::Param(_) => return None,
                Item::Anything => rest = &rest[open_len(rest, next, items.peek().is_none())?..],
                Item::Capture(name, class) => {
                    let len = class.len(rest, next, items.peek().is_none())?;
                    let (taken, behind) = rest.split_at_checked(len)?;
                    caught.0.push((name.clone(), class.raw(taken)?));
                    rest = behind;
                }
            }
        }
        rest.is_empty().then_some(caught)
    }
}

/// How much is open up to the next literal text; at the end of a pattern everything.
fn open_len(rest: &[u8], next: Option<&[u8]>, is_last: bool) -> Option<usize> {
    match next {
        Some(next) => find(rest, next),
        None if is_last => Some(rest.len()),
        None => Some(0),
    }
}

pub(super) fn find(octets: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    octets.windows(wanted.len()).position(|window| window == wanted)
}

impl Class {
    /// How many octets it takes of what is left.
    fn len(&self, rest: &[u8], next: Option<&[u8]>, is_last: bool) -> Option<usize> {
        let while_ = |fits: fn(u8) -> bool| rest.iter().take_while(|octet| fits(**octet)).count();
        let len = match self {
            Class::Any => match next {
                // At least one octet, even where the next text begins right here.
                Some(next) => find(rest.get(1..)?, next)? + 1,
                None if is_last => rest.len(),
                None => 1,
            },
            Class::Word => {
                let word = while_(|octet| !octet.is_ascii_whitespace());
                match next.and_then(|next| find(&rest[..word], next)) {
                    Some(at) if at > 0 => at,
                    _ => word,
                }
            }
            Class::Number => while_(|octet| octet.is_ascii_digit() || matches!(octet, b'-' | b'+' | b'.')),
            Class::Hex => while_(|octet| octet.is_ascii_hexdigit()),
            Class::Digit => usize::from(rest.first()?.is_ascii_digit()),
            Class::OneOf(words) => {
                words.iter().filter(|word| rest.starts_with(word.as_bytes())).map(|word| word.len()).max()?
            }
        };
        (len > 0).then_some(len)
    }

    fn raw(&self, taken: &[u8]) -> Option<Raw> {
        let text = || std::str::from_utf8(taken).ok();
        Some(match self {
            Class::Any | Class::Word => Raw::Octets(taken.into()),
            Class::Number => match text()?.parse::<i64>() {
                Ok(number) => Raw::Signed(number),
                Err(_) => Raw::Float(text()?.parse().ok()?),
            },
            Class::Digit => Raw::Unsigned(text()?.parse().ok()?),
            Class::Hex => Raw::Unsigned(u64::from_str_radix(text()?, 16).ok()?),
            Class::OneOf(words) => {
                Raw::Unsigned(words.iter().position(|word| word.as_bytes() == taken)? as u64)
            }
        })
    }
}
