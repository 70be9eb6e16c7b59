//! The small things that stand in many places of a profile: names, object identifiers, durations, two-language text.

use super::lexer::Fault;
use crate::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use crate::document::{Fields, Node, Value};
use roundsman_core::text::Bilingual;
use roundsman_wire::snmp::oid::Oid;
use std::ops::RangeInclusive;

/// Most identifiers one metric may fall back through: the answer notes the one used in an octet, and more than a few
/// are a mistake.
pub(super) const MOST_FALLBACKS: usize = 8;

/// Longest name, id or word of a state, in characters: they stand in pages and topics.
pub(super) const LONGEST_NAME: usize = 64;

/// Longest hold or clear time: a week.
const LONGEST_MS: u64 = 7 * 24 * 3_600_000;

/// Whether `text` is kebab case: `[a-z][a-z0-9]*(-[a-z0-9]+)*`.
pub(crate) fn is_kebab(text: &str) -> bool {
    text.len() <= LONGEST_NAME
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// An id or the name of a column or group.
pub(crate) fn kebab<'a>(node: &'a Node, found: &mut Findings) -> Option<&'a str> {
    let text = node.text(found)?;
    if is_kebab(text) {
        return Some(text);
    }
    found.note(
        Diagnostic::new(&node.at, format!("{} is no name in kebab case", quoted(text)))
            .hint("lower-case letters, digits and single hyphens, beginning with a letter: `fan-state`"),
    );
    None
}

/// A metric's whole name, `group.name`.
pub(crate) fn dotted<'a>(node: &'a Node, found: &mut Findings) -> Option<&'a str> {
    let text = node.text(found)?;
    if let Some((group, name)) = text.split_once('.')
        && is_kebab(group)
        && is_kebab(name)
    {
        return Some(text);
    }
    found.note(
        Diagnostic::new(&node.at, format!("{} is no metric name", quoted(text)))
            .hint("a metric is named `group.name` in kebab case, such as `system.uptime`"),
    );
    None
}

/// One object identifier.
pub(crate) fn oid(node: &Node, found: &mut Findings) -> Option<Oid> {
    let text = node.text(found)?;
    match text.parse() {
        Ok(oid) => Some(oid),
        Err(error) => {
            let message = format!("{} is no object identifier: {error}", quoted(text));
            found.note(
                Diagnostic::new(&node.at, message).hint("numbers with dots, such as 1.3.6.1.2.1.1.5.0"),
            );
            None
        }
    }
}

/// One identifier, or a list of them tried in order.
pub(crate) fn oids(node: &Node, found: &mut Findings) -> Option<Vec<Oid>> {
    let Value::List(items) = &node.value else {
        return Some(vec![oid(node, found)?]);
    };
    if items.is_empty() || items.len() > MOST_FALLBACKS {
        let message =
            format!("1 to {MOST_FALLBACKS} object identifiers are expected, these are {}", items.len());
        found.note(Diagnostic::new(&node.at, message));
        return None;
    }
    let oids: Vec<Option<Oid>> = items.iter().map(|item| oid(item, found)).collect();
    oids.into_iter().collect()
}

/// Text in both languages: `{ zh = "…", en = "…" }`.
pub(crate) fn bilingual(node: &Node, what: &'static str, found: &mut Findings) -> Option<Bilingual> {
    let mut fields = Fields::of(node, what, found)?;
    let zh = fields.must("zh", found).and_then(|n| filled(n, found));
    let en = fields.must("en", found).and_then(|n| filled(n, found));
    fields.finish(found);
    Some(Bilingual::new(zh?, en?))
}

/// Text that says something.
pub(crate) fn filled<'a>(node: &'a Node, found: &mut Findings) -> Option<&'a str> {
    let text = node.text(found)?;
    if text.trim().is_empty() {
        found.note(Diagnostic::new(&node.at, "this text is empty"));
        return None;
    }
    Some(text)
}

/// A duration in ms: a number with `ms`, `s`, `m`, `h` or `d`, up to a week.
pub fn duration_ms(node: &Node, found: &mut Findings) -> Option<u64> {
    let text = node.text(found)?;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit_ms = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => 0,
    };
    let ms = number.parse::<u64>().ok().and_then(|n| n.checked_mul(unit_ms));
    if unit_ms == 0 || ms.is_none() {
        found.note(
            Diagnostic::new(&node.at, format!("{} is no duration", quoted(text)))
                .label(if number.is_empty() { "a number is missing" } else { "unknown unit" })
                .hint("a whole number with ms, s, m, h or d, such as \"90s\" or \"2m\""),
        );
        return None;
    }
    let ms = ms?;
    if ms > LONGEST_MS {
        found.note(Diagnostic::new(&node.at, "this duration is longer than a week (7d)"));
        return None;
    }
    Some(ms)
}

/// `[low, high]` with low below high.
pub(crate) fn interval(node: &Node, found: &mut Findings) -> Option<RangeInclusive<f64>> {
    let items = node.list(found)?;
    if let [low, high] = items {
        let (low, high) = (low.number(found)?, high.number(found)?);
        if low < high {
            return Some(low..=high);
        }
    }
    found.note(Diagnostic::new(&node.at, "two numbers are expected, `[low, high]`, the lower one first"));
    None
}

/// Notes an error of one of the small languages at its place inside the string.
pub(super) fn note_fault(node: &Node, fault: Fault, what: &str, found: &mut Findings) {
    let at = match &node.value {
        Value::Text(text) => node.at.inside(text, fault.span),
        _ => node.at.clone(),
    };
    let mut diagnostic = Diagnostic::new(&at, format!("{what}: {}", fault.what));
    diagnostic.hint = fault.hint;
    found.note(diagnostic);
}

/// Notes that a word is none of those allowed.
pub(super) fn note_choice(node: &Node, what: &str, word: &str, known: &[&str], found: &mut Findings) {
    let mut diagnostic = Diagnostic::new(&node.at, format!("{what} is never {}", quoted(word)));
    diagnostic.hint = did_you_mean(word, known.iter().copied());
    found.note(diagnostic);
}
