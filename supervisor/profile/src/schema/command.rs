//! `[[command]]`: what a device can be told to do.

use super::bus;
use super::guard::{self, Scope};
use super::metric::Measured;
use super::onvif;
use super::parts::all;
use super::rule::find_metric;
use super::value::{bilingual, duration_ms, filled, kebab, note_choice, note_fault, oid};
use super::{Argument, Choice, Command, Does, Set, Syntax, Verify};
use crate::bus::Rendering;
use crate::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use crate::document::{Entry, Fields, Node, Value};
use roundsman_core::rule::Guard;
use roundsman_wire::snmp::set::Setting;
use std::sync::Arc;

/// The longest time until a command shows, ms: the panel and the command line wait for it.
const MOST_WITHIN_MS: u64 = 240_000;

/// Reads all commands.
pub(super) fn read(fields: &mut Fields<'_>, measured: &Measured, found: &mut Findings) -> Vec<Command> {
    let read = |node: &Node, found: &mut Findings| read_command(node, measured, found);
    all(fields, "command", found, |command: &Command| &command.id, read)
}

fn read_command(node: &Node, measured: &Measured, found: &mut Findings) -> Option<Command> {
    let mut fields = Fields::of(node, "a command", found)?;
    let id = fields.must("id", found).and_then(|n| kebab(n, found));
    let name = fields.must("name", found).and_then(|n| bilingual(n, "a name", found));
    let arguments = read_arguments(&mut fields, found);
    let set = fields.maybe("set");
    let says = ["send", "write"].into_iter().find_map(|key| fields.maybe(key));
    let calls = fields.maybe("call");
    let does = match (set, says.or(calls), &measured.bus) {
        (None, Some(_), _) if calls.is_some() && says.is_none() => {
            calls.and_then(|node| onvif::errand(node, measured, found)).map(Does::Call)
        }
        (Some(set), None, _) => {
            let items = set.list(found).unwrap_or(&[]);
            Some(Does::Set(items.iter().filter_map(|n| read_set(n, &arguments, found)).collect()))
        }
        (None, Some(_), Some(draft)) => {
            let names: Vec<Arc<str>> = arguments.iter().map(|argument| argument.name.clone()).collect();
            bus::say(draft, &mut fields, &names, found).map(Does::Say)
        }
        (None, Some(_), None) if measured.is_on_bus => None,
        (None, Some(says), None) => {
            let what = "nothing says how the device is spoken to";
            let hint = "a profile with `send` or `write` has `modbus`, `frame` or `text`";
            found.note(Diagnostic::new(&says.at, what).hint(hint));
            None
        }
        _ => {
            found.note(Diagnostic::new(&node.at, "a command has either `send`, `write`, `call` or `set`"));
            None
        }
    };
    let confirm = fields.maybe("confirm").map(|n| {
        let word = n.text(found).unwrap_or("");
        if word != "two-step" {
            note_choice(n, "`confirm`", word, &["two-step"], found);
        }
    });
    let forbidden = fields.maybe("forbid_when");
    let forbidden = forbidden.map_or(Some(None), |n| read_guard(n, measured, found).map(Some));
    let verify = fields.maybe("verify").and_then(|n| read_verify(n, &arguments, measured, found));
    fields.finish(found);
    Some(Command {
        id: Arc::from(id?),
        name: name?,
        arguments,
        does: does?,
        two_step: confirm.is_some(),
        forbidden: forbidden?,
        verify,
    })
}

/// `forbid_when`: a guard over the device's own metrics.
fn read_guard(node: &Node, measured: &Measured, found: &mut Findings) -> Option<Guard> {
    let text = node.text(found)?;
    if measured.refused.iter().any(|refused| text.contains(refused.as_str())) {
        return None;
    }
    let scope = Scope { model: &measured.model, words: &measured.words, table: None };
    guard::parse(text, &scope)
        .map_err(|fault| note_fault(node, fault, "this `forbid_when` cannot be read", found))
        .ok()
}

fn read_arguments(fields: &mut Fields<'_>, found: &mut Findings) -> Vec<Argument> {
    let entries = fields.maybe("arg").and_then(|n| n.table(found)).unwrap_or(&[]);
    entries.iter().filter_map(|entry| read_argument(entry, found)).collect()
}

/// Words with what is sent for each, or `{ min, max }` of a whole number.
fn read_argument(entry: &Entry, found: &mut Findings) -> Option<Argument> {
    let choices = entry.node.table(found)?;
    let name: Arc<str> = Arc::from(entry.key.as_str());
    if choices.is_empty() {
        let what = format!("the argument {} has no value", quoted(&entry.key));
        found.note(Diagnostic::new(&entry.key_at, what));
        return None;
    }
    if entry.node.get("min").is_some() || entry.node.get("max").is_some() {
        let mut fields = Fields::of(&entry.node, "an argument", found)?;
        let least = fields.must("min", found).and_then(|n| n.integer(found));
        let most = fields.must("max", found).and_then(|n| n.integer(found));
        let rendering = fields.maybe("type").map_or(Some(None), |n| {
            let word = n.text(found)?;
            let rendering = Rendering::from_word(word);
            if rendering.is_none() {
                note_choice(n, "a number's type", word, &Rendering::WORDS, found);
            }
            rendering.map(Some)
        });
        let width = fields.maybe("width").and_then(|n| n.integer(found)).unwrap_or(0).clamp(0, 16) as u8;
        fields.finish(found);
        let (least, most) = (least?, most?);
        if least > most {
            found.note(Diagnostic::new(&entry.node.at, "`min` lies above `max`"));
            return None;
        }
        let choice = Choice::Number { least, most };
        return Some(Argument { name, choice, rendering: rendering?, width });
    }
    let pair = |choice: &Entry, found: &mut Findings| {
        Some((Arc::from(choice.key.as_str()), Arc::from(choice.node.text(found)?)))
    };
    let words = choices.iter().filter_map(|choice| pair(choice, found)).collect();
    Some(Argument { name, choice: Choice::Words(words), rendering: None, width: 0 })
}

/// Every `{name}` in a text must be an argument; `None` where one is not.
fn placeholders(node: &Node, text: &str, arguments: &[Argument], found: &mut Findings) -> Option<()> {
    let (mut from, before) = (0, found.count());
    while let Some(open) = text[from..].find('{').map(|at| at + from) {
        let Some(close) = text[open..].find('}').map(|at| at + open) else {
            let at = node.at.inside(text, open..text.len());
            found.note(Diagnostic::new(&at, "this brace is never closed"));
            return None;
        };
        let name = &text[open + 1..close];
        let known = || arguments.iter().map(|a| &*a.name);
        if !known().any(|k| k == name) {
            let at = node.at.inside(text, open..close + 1);
            let mut diagnostic = Diagnostic::new(&at, format!("there is no argument {}", quoted(name)));
            diagnostic.hint = did_you_mean(name, known());
            found.note(diagnostic);
        }
        from = close + 1;
    }
    (found.count() == before).then_some(())
}

fn read_set(node: &Node, arguments: &[Argument], found: &mut Findings) -> Option<Set> {
    let mut fields = Fields::of(node, "`set`", found)?;
    let oid = fields.must("oid", found).and_then(|n| oid(n, found));
    let value = fields.must("value", found);
    let kind = fields.maybe("type");
    fields.finish(found);
    let syntax = match kind {
        Some(node) => syntax(node, found)?,
        None => Syntax::Integer,
    };
    let value = value?;
    let text: Arc<str> = match &value.value {
        Value::Text(_) if kind.is_none() => {
            let hint = "type = \"integer\", or unsigned, string, oid";
            found.note(Diagnostic::new(&value.at, "nothing says of which type this is").hint(hint));
            return None;
        }
        Value::Text(text) => {
            placeholders(value, text, arguments, found)?;
            text.as_str().into()
        }
        _ => value.integer(found)?.to_string().into(),
    };
    let set = Set { oid: oid?, value: text, syntax };
    every_choice_fits(value, &set, arguments, found)?;
    Some(set)
}

fn syntax(node: &Node, found: &mut Findings) -> Option<Syntax> {
    let word = node.text(found)?;
    let known = Syntax::ALL.iter().find(|(known, _)| *known == word);
    if known.is_none() {
        note_choice(node, "`type`", word, &Syntax::ALL.map(|(word, _)| word), found);
    }
    known.map(|(_, syntax)| *syntax)
}

/// Whatever a person chooses, there is a value of the type: else the error would come when the command is given.
fn every_choice_fits(node: &Node, set: &Set, arguments: &[Argument], found: &mut Findings) -> Option<()> {
    let named = arguments.iter().find(|argument| set.value.contains(&format!("{{{}}}", argument.name)));
    let choices: Vec<String> = match named.map(|argument| &argument.choice) {
        Some(Choice::Words(words)) => words.iter().map(|(_, sent)| sent.to_string()).collect(),
        Some(Choice::Number { least, most }) => vec![least.to_string(), most.to_string()],
        // Of several arguments each may fit beside the others only: such a value is text.
        None => vec![String::new()],
    };
    for choice in choices {
        let filled = named.map_or_else(
            || set.value.to_string(),
            |argument| set.value.replace(&format!("{{{}}}", argument.name), &choice),
        );
        if setting(set.syntax, &filled).is_none() {
            let word =
                Syntax::ALL.iter().find(|(_, syntax)| *syntax == set.syntax).map_or("", |(word, _)| *word);
            let what = format!("{} is no value of the type `{word}`", quoted(&filled));
            found.note(Diagnostic::new(&node.at, what));
            return None;
        }
    }
    Some(())
}

/// Longest text that is set, octets: what fits into a datagram beside the rest.
const LONGEST_TEXT: usize = 255;

/// A text as a value of a type; `None` where it is none.
pub(crate) fn setting(syntax: Syntax, text: &str) -> Option<Setting> {
    Some(match syntax {
        Syntax::Integer => Setting::Integer(text.parse().ok()?),
        Syntax::Unsigned => Setting::Unsigned(text.parse().ok()?),
        Syntax::Text => (text.len() <= LONGEST_TEXT).then(|| Setting::Text(text.into()))?,
        Syntax::Name => Setting::Name(text.parse().ok()?),
    })
}

fn read_verify(
    node: &Node,
    arguments: &[Argument],
    measured: &Measured,
    found: &mut Findings,
) -> Option<Verify> {
    let mut fields = Fields::of(node, "`verify`", found)?;
    let metric = fields.must("metric", found).and_then(|n| find_metric(n, measured, found));
    let is = fields.must("is", found).and_then(|n| {
        let text = filled(n, found)?;
        placeholders(n, text, arguments, found)?;
        Some(Arc::from(text))
    });
    let within_ms = fields.must("within", found).and_then(|n| {
        let within_ms = duration_ms(n, found)?;
        if within_ms > MOST_WITHIN_MS {
            let what = format!("a command is read back within {} s at most", MOST_WITHIN_MS / 1_000);
            found.note(Diagnostic::new(&n.at, what).hint("whoever gave it waits for as long"));
        }
        Some(within_ms)
    });
    fields.finish(found);
    Some(Verify { metric: metric?, is: is?, within_ms: within_ms? })
}
