//! The two small pattern languages: octets of frames, lines of text.
//!
//! ```text
//! frame = ("AA" | "AA01" | "'text'" | ".." | "*" | "{name}" | "{check}" | "{length}")*   separated by blanks
//! line  = literal text | "{}" anything | "{name}" | "{name:class}" | "{{" | "}}"
//! class = "word" | "number" | "hex" | "digit" | word "|" word …
//! ```

use crate::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use crate::document::{Node, Value};
use crate::schema::lexer::Fault;
use crate::schema::value::{is_kebab, note_choice, note_fault};
use roundsman_core::reading::Absence;
use roundsman_wire::text::pattern::Item;
use roundsman_wire::{frame, text};
use std::sync::Arc;

/// Names in braces that mean something of their own.
pub(super) const RESERVED: [&str; 4] = ["check", "length", "user", "password"];
/// Longest pattern in octets or characters.
const LONGEST: usize = 1_024;

/// A name in braces must be known.
fn known(name: &str, names: &[Arc<str>], span: std::ops::Range<usize>) -> Result<Arc<str>, Fault> {
    match names.iter().find(|known| &***known == name) {
        Some(known) => Ok(known.clone()),
        None => {
            let mut fault = Fault::new(format!("nothing is called {}", quoted(name)), span);
            let builtin = ["check", "length"];
            fault.hint = did_you_mean(name, names.iter().map(|name| &**name).chain(builtin));
            Err(fault)
        }
    }
}

/// Words between blanks with their places; what stands in single quotes is one word.
fn words(text: &str) -> Vec<(usize, &str)> {
    let mut words = Vec::new();
    let mut from = None;
    let mut quoted = false;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        quoted ^= c == '\'';
        let ends = (c.is_whitespace() && !quoted) || at == text.len();
        match from {
            None if !ends => from = Some(at),
            Some(start) if ends => {
                words.push((start, &text[start..at]));
                from = None;
            }
            _ => {}
        }
    }
    words
}

/// A pattern of a frame.
pub(super) fn octets(text: &str, names: &[Arc<str>]) -> Result<frame::Pattern, Fault> {
    use frame::Piece;
    let mut pieces = Vec::new();
    if text.len() > LONGEST {
        return Err(Fault::new("this is longer than any frame", 0..text.len()));
    }
    for (at, word) in words(text) {
        let span = at..at + word.len();
        match word {
            ".." => pieces.push(Piece::Any),
            "*" if pieces.contains(&Piece::Rest) => {
                return Err(Fault::new("`*` stands once in a pattern", span));
            }
            "*" => pieces.push(Piece::Rest),
            "{check}" => pieces.push(Piece::Check),
            "{length}" => pieces.push(Piece::Length),
            _ => match (word.strip_prefix('{'), word.strip_prefix('\'')) {
                (Some(rest), _) => {
                    let Some(name) = rest.strip_suffix('}') else {
                        return Err(Fault::new("this brace is never closed", span));
                    };
                    pieces.push(Piece::Param(known(name, names, span)?));
                }
                (_, Some(rest)) => {
                    let Some(text) = rest.strip_suffix('\'') else {
                        return Err(Fault::new("this quote is never closed", span));
                    };
                    pieces.extend(text.bytes().map(Piece::Octet));
                }
                _ => pieces.extend(hexadecimal(word, span)?.into_iter().map(Piece::Octet)),
            },
        }
    }
    if pieces.is_empty() {
        return Err(Fault::new("there are no octets here", 0..text.len()));
    }
    Ok(frame::Pattern(pieces))
}

fn hexadecimal(word: &str, span: std::ops::Range<usize>) -> Result<Vec<u8>, Fault> {
    let digits = word.bytes().all(|b| b.is_ascii_hexdigit());
    if !digits || !word.len().is_multiple_of(2) {
        let fault = Fault::new(format!("{} is no octet", quoted(word)), span);
        return Err(fault.hint("two hexadecimal digits, `..`, `*`, `{name}` or 'text'"));
    }
    let octets = (0..word.len()).step_by(2).map(|at| u8::from_str_radix(&word[at..at + 2], 16).unwrap_or(0));
    Ok(octets.collect())
}

/// Octets without anything open: `"AA 55"`.
pub(in crate::schema) fn fixed(node: &Node, found: &mut Findings) -> Option<Vec<u8>> {
    let text = node.text(found)?;
    let octet = |piece: &frame::Piece| match piece {
        frame::Piece::Octet(octet) => Some(*octet),
        _ => None,
    };
    match octets(text, &[]) {
        Ok(pattern) => {
            let octets: Option<Vec<u8>> = pattern.0.iter().map(octet).collect();
            if octets.is_none() {
                found.note(
                    Diagnostic::new(&node.at, "nothing may be left open here").hint("such as \"AA 55\""),
                );
            }
            octets
        }
        Err(fault) => {
            note_fault(node, fault, "these octets cannot be read", found);
            None
        }
    }
}

/// A pattern of a line.
pub(super) fn line(text: &str, names: &[Arc<str>]) -> Result<text::Pattern, Fault> {
    let mut items = Vec::new();
    let mut literal = String::new();
    if text.len() > LONGEST {
        return Err(Fault::new("this is longer than any line", 0..text.len()));
    }
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if rest.starts_with("{{") || rest.starts_with("}}") {
            literal.push(c);
            at += 2;
        } else if c == '{' {
            let Some(close) = rest.find('}') else {
                return Err(Fault::new("this brace is never closed", at..text.len()).hint("`{{` is a brace"));
            };
            if !literal.is_empty() {
                items.push(Item::Text(Arc::from(std::mem::take(&mut literal))));
            }
            let span = at..at + close + 1;
            let item = open(&rest[1..close], names, span.clone())?;
            if let (
                Some(Item::Capture(_, text::Class::Any) | Item::Anything),
                Item::Capture(..) | Item::Anything,
            ) = (items.last(), &item)
            {
                let fault = Fault::new("where the one before it ends cannot be known", span);
                return Err(fault.hint("put text between them, or give a class: `{name:digit}`"));
            }
            items.push(item);
            at += close + 1;
        } else if c == '}' {
            return Err(Fault::new("this brace was never opened", at..at + 1).hint("`}}` is a brace"));
        } else {
            literal.push(c);
            at += c.len_utf8();
        }
    }
    if !literal.is_empty() {
        items.push(Item::Text(Arc::from(literal)));
    }
    Ok(text::Pattern(items))
}

/// What stands in braces.
fn open(inner: &str, names: &[Arc<str>], span: std::ops::Range<usize>) -> Result<Item, Fault> {
    if inner.is_empty() {
        return Ok(Item::Anything);
    }
    let (name, class) = inner.split_once(':').unwrap_or((inner, ""));
    if !is_kebab(name) {
        return Err(Fault::new(format!("{} is no name", quoted(name)), span).hint("kebab case"));
    }
    if class.is_empty() && names.iter().any(|known| &**known == name) {
        return known(name, names, span).map(Item::Param);
    }
    let class = match class {
        "" => text::Class::Any,
        "word" => text::Class::Word,
        "number" => text::Class::Number,
        "hex" => text::Class::Hex,
        "digit" => text::Class::Digit,
        words if words.contains('|') && words.split('|').all(|word| !word.is_empty()) => {
            text::Class::OneOf(words.split('|').map(Arc::from).collect())
        }
        other => {
            let mut fault = Fault::new(format!("{} is no class", quoted(other)), span);
            fault.hint = did_you_mean(other, ["word", "number", "hex", "digit", "OFF|ON"]);
            return Err(fault);
        }
    };
    Ok(Item::Capture(Arc::from(name), class))
}

/// What is sent as a line: text and names.
pub(super) fn template(text: &str, names: &[Arc<str>]) -> Result<text::Template, Fault> {
    let piece = |item: &Item| match item {
        Item::Text(text) => Ok(text::Piece::Text(text.clone())),
        Item::Param(name) => Ok(text::Piece::Param(name.clone())),
        Item::Anything => Err(Fault::new("what is sent leaves nothing open", 0..text.len())),
        Item::Capture(name, _) => {
            let at = text.find(&format!("{{{name}")).unwrap_or(0);
            known(name, names, at..at + name.len() + 2).map(text::Piece::Param)
        }
    };
    line(text, names)?.0.iter().map(piece).collect::<Result<_, _>>().map(text::Template)
}

/// The items of a list, or the thing itself.
pub(super) fn one_or_more(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

/// Qualities that a refusal may stand for.
const QUALITIES: [(&str, Absence); 4] = [
    ("unsupported", Absence::Unsupported),
    ("invalid", Absence::Invalid),
    ("denied", Absence::Denied),
    ("timeout", Absence::Timeout),
];

/// The quality named by a word.
fn quality(node: &Node, found: &mut Findings) -> Option<Absence> {
    let word = node.text(found)?;
    let known = QUALITIES.iter().find(|(known, _)| *known == word);
    if known.is_none() {
        note_choice(node, "a refusal", word, &QUALITIES.map(|(word, _)| word), found);
    }
    known.map(|(_, absence)| *absence)
}

/// `nak`: a pattern, a list of them, or a table from pattern to quality. Without a quality: `unsupported`.
pub(super) fn refusals<P>(
    node: &Node,
    parse: impl Fn(&str) -> Result<P, Fault>,
    found: &mut Findings,
) -> Option<Vec<(P, Absence)>> {
    if let Value::Table(entries) = &node.value {
        let mut refusals = Vec::new();
        for entry in entries {
            let absence = quality(&entry.node, found)?;
            match parse(&entry.key) {
                Ok(pattern) => refusals.push((pattern, absence)),
                Err(fault) => {
                    let at = entry.key_at.inside(&entry.key, fault.span);
                    let mut diagnostic =
                        Diagnostic::new(&at, format!("this pattern cannot be read: {}", fault.what));
                    diagnostic.hint = fault.hint;
                    found.note(diagnostic);
                    return None;
                }
            }
        }
        return Some(refusals);
    }
    let patterns = patterns(node, parse, found)?;
    Some(patterns.into_iter().map(|pattern| (pattern, Absence::Unsupported)).collect())
}

/// A pattern, or a list of them.
pub(super) fn patterns<P>(
    node: &Node,
    parse: impl Fn(&str) -> Result<P, Fault>,
    found: &mut Findings,
) -> Option<Vec<P>> {
    one_or_more(node).iter().map(|node| pattern(node, &parse, found)).collect()
}

/// One pattern.
pub(super) fn pattern<P>(
    node: &Node,
    parse: impl Fn(&str) -> Result<P, Fault>,
    found: &mut Findings,
) -> Option<P> {
    let text = node.text(found)?;
    parse(text).map_err(|fault| note_fault(node, fault, "this pattern cannot be read", found)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_inside_of_itself(text in r"[ A-F0-9{}'.*:|a-z{}临]{0,40}") {
            let names: [Arc<str>; 2] = [Arc::from("address"), Arc::from("state")];
            let fits = |fault: &Fault| fault.span.end <= text.len();
            prop_assert!(octets(&text, &names).err().as_ref().is_none_or(fits));
            prop_assert!(line(&text, &names).err().as_ref().is_none_or(fits));
            prop_assert!(template(&text, &names).err().as_ref().is_none_or(fits));
        }
    }
}
