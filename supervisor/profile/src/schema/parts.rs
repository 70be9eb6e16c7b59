//! `[[event]]`, `[[command]]` and `[[check]]`: parsed and checked here, carried out elsewhere.

use super::metric::Measured;
use super::rule::find_metric;
use super::value::{bilingual, duration_ms, filled, kebab, note_choice, oid};
use super::{Argument, Check, Command, Event, Set, Signal, Verify};
use crate::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use crate::document::{Fields, Node, Value};
use roundsman_core::rule::Severity;
use std::sync::Arc;

/// Most events, commands and checks of each sort: a page and a patrol sheet hold no more.
const MOST: usize = 256;

/// Placeholders that every command may use beside its own arguments.
const BUILT_IN: [&str; 2] = ["address", "check"];

fn all<'a, T>(
    fields: &mut Fields<'a>,
    key: &'static str,
    found: &mut Findings,
    id: impl Fn(&T) -> &Arc<str>,
    mut read: impl FnMut(&'a Node, &mut Findings) -> Option<T>,
) -> Vec<T> {
    let mut things: Vec<T> = Vec::new();
    let nodes = fields.items(key, found);
    if nodes.len() > MOST {
        found.note(Diagnostic::new(fields.at(), format!("more than {MOST} of `{key}`")));
    }
    for node in nodes.iter().take(MOST) {
        let Some(thing) = read(node, found) else { continue };
        if things.iter().any(|known| id(known) == id(&thing)) {
            found.note(Diagnostic::new(&node.at, format!("`{key}` has two `{}`", id(&thing))));
            continue;
        }
        things.push(thing);
    }
    things
}

/// Reads all events. Which rules they raise is checked by [`check_events`] when the rules are known.
pub(super) fn events(fields: &mut Fields<'_>, found: &mut Findings) -> Vec<Event> {
    all(fields, "event", found, |event: &Event| &event.id, read_event)
}

/// Every event must raise a rule that there is.
pub(super) fn check_events(events: &[Event], rules: &[Arc<str>], found: &mut Findings) {
    for event in events {
        if rules.contains(&event.rule) {
            continue;
        }
        let mut diagnostic = Diagnostic::new(&event.rule_at, format!("no rule is called `{}`", event.rule));
        diagnostic.hint = did_you_mean(&event.rule, rules.iter().map(|rule| &**rule));
        found.note(diagnostic);
    }
}

fn read_event(node: &Node, found: &mut Findings) -> Option<Event> {
    let mut fields = Fields::of(node, "an event", found)?;
    let id = fields.must("id", found).and_then(|n| kebab(n, found));
    let raise = read_signal(&mut fields, node, found);
    let rule_node = fields.must("rule", found);
    let rule = rule_node.and_then(|n| kebab(n, found));
    let severity = fields.maybe("severity").and_then(|n| {
        let word = n.text(found)?;
        let severity = Severity::from_word(word);
        if severity.is_none() {
            let known: Vec<&str> = Severity::ALL.iter().map(|s| s.word()).collect();
            note_choice(n, "a severity", word, &known, found);
        }
        severity
    });
    let instance = fields.maybe("instance").and_then(|n| oid(n, found));
    let clear = fields.maybe("clear").and_then(|n| {
        let mut fields = Fields::of(n, "`clear`", found)?;
        let signal = read_signal(&mut fields, n, found);
        fields.finish(found);
        signal
    });
    let expires_ms = fields.maybe("expires").and_then(|n| duration_ms(n, found));
    fields.finish(found);
    let id = id?;
    if clear.is_none() && expires_ms.is_none() {
        found.note(
            Diagnostic::new(&node.at, format!("nothing ever ends the event `{id}`"))
                .hint("say what clears it (`clear`), when it expires (`expires = \"10m\"`), or both"),
        );
        return None;
    }
    Some(Event {
        id: Arc::from(id),
        raise: raise?,
        rule: Arc::from(rule?),
        rule_at: rule_node?.at.clone(),
        severity,
        instance,
        clear,
        expires_ms,
    })
}

/// Exactly one of `trap`, `topic`, `line`.
fn read_signal(fields: &mut Fields<'_>, node: &Node, found: &mut Findings) -> Option<Signal> {
    let trap = fields.maybe("trap");
    let topic = fields.maybe("topic");
    let line = fields.maybe("line");
    match (trap, topic, line) {
        (Some(trap), None, None) => oid(trap, found).map(Signal::Trap),
        (None, Some(topic), None) => filled(topic, found).map(|text| Signal::Topic(Arc::from(text))),
        (None, None, Some(line)) => filled(line, found).map(|text| Signal::Line(Arc::from(text))),
        _ => {
            found.note(Diagnostic::new(&node.at, "exactly one of `trap`, `topic`, `line` is expected"));
            None
        }
    }
}

/// Reads all commands.
pub(super) fn commands(fields: &mut Fields<'_>, measured: &Measured, found: &mut Findings) -> Vec<Command> {
    let read = |node: &Node, found: &mut Findings| read_command(node, measured, found);
    all(fields, "command", found, |command: &Command| &command.id, read)
}

fn read_command(node: &Node, measured: &Measured, found: &mut Findings) -> Option<Command> {
    let mut fields = Fields::of(node, "a command", found)?;
    let id = fields.must("id", found).and_then(|n| kebab(n, found));
    let name = fields.must("name", found).and_then(|n| bilingual(n, "a name", found));
    let arguments = read_arguments(&mut fields, found);
    let send = fields.maybe("send");
    let set = fields.items("set", found);
    let confirm = fields.maybe("confirm").map(|n| {
        let word = n.text(found).unwrap_or("");
        if word != "two-step" {
            note_choice(n, "`confirm`", word, &["two-step"], found);
        }
    });
    let verify = fields.maybe("verify").and_then(|n| read_verify(n, &arguments, measured, found));
    fields.finish(found);
    if send.is_some() != set.is_empty() {
        found.note(Diagnostic::new(&node.at, "a command has either `send` or `set`"));
        return None;
    }
    let send = send.and_then(|n| {
        let text = filled(n, found)?;
        placeholders(n, text, &arguments, found);
        Some(Arc::from(text))
    });
    let set = set.iter().filter_map(|n| read_set(n, &arguments, found)).collect();
    Some(Command {
        id: Arc::from(id?),
        name: name?,
        arguments,
        send,
        set,
        two_step: confirm.is_some(),
        verify,
    })
}

fn read_arguments(fields: &mut Fields<'_>, found: &mut Findings) -> Vec<Argument> {
    let entries = fields.maybe("arg").and_then(|n| n.table(found)).unwrap_or(&[]);
    let mut arguments = Vec::new();
    for entry in entries {
        let Some(choices) = entry.node.table(found) else {
            continue;
        };
        if choices.is_empty() {
            found.note(Diagnostic::new(
                &entry.key_at,
                format!("the argument {} has no value", quoted(&entry.key)),
            ));
        }
        let pair = |choice: &crate::document::Entry, found: &mut Findings| {
            Some((Arc::from(choice.key.as_str()), Arc::from(choice.node.text(found)?)))
        };
        arguments.push(Argument {
            name: Arc::from(entry.key.as_str()),
            choices: choices.iter().filter_map(|choice| pair(choice, found)).collect(),
        });
    }
    arguments
}

/// Every `{name}` in a text must be an argument or built in.
fn placeholders(node: &Node, text: &str, arguments: &[Argument], found: &mut Findings) {
    let mut from = 0;
    while let Some(open) = text[from..].find('{').map(|at| at + from) {
        let Some(close) = text[open..].find('}').map(|at| at + open) else {
            let at = node.at.inside(text, open..text.len());
            found.note(Diagnostic::new(&at, "this brace is never closed"));
            return;
        };
        let name = &text[open + 1..close];
        let known = || BUILT_IN.into_iter().chain(arguments.iter().map(|a| &*a.name));
        if !known().any(|k| k == name) {
            let at = node.at.inside(text, open..close + 1);
            let mut diagnostic = Diagnostic::new(&at, format!("there is no argument {}", quoted(name)));
            diagnostic.hint = did_you_mean(name, known());
            found.note(diagnostic);
        }
        from = close + 1;
    }
}

fn read_set(node: &Node, arguments: &[Argument], found: &mut Findings) -> Option<Set> {
    let mut fields = Fields::of(node, "`set`", found)?;
    let oid = fields.must("oid", found).and_then(|n| oid(n, found));
    let value = fields.must("value", found);
    fields.finish(found);
    let value = value?;
    let text = match &value.value {
        Value::Text(text) => {
            placeholders(value, text, arguments, found);
            text.clone()
        }
        _ => value.integer(found)?.to_string(),
    };
    Some(Set { oid: oid?, value: Arc::from(text), integer: matches!(value.value, Value::Integer(_)) })
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
        placeholders(n, text, arguments, found);
        Some(Arc::from(text))
    });
    let within_ms = fields.must("within", found).and_then(|n| duration_ms(n, found));
    fields.finish(found);
    Some(Verify { metric: metric?, is: is?, within_ms: within_ms? })
}

/// Reads all check items.
pub(super) fn checks(fields: &mut Fields<'_>, found: &mut Findings) -> Vec<Check> {
    all(
        fields,
        "check",
        found,
        |check: &Check| &check.id,
        |node, found| {
            let mut fields = Fields::of(node, "a check item", found)?;
            let id = fields.must("id", found).and_then(|n| kebab(n, found));
            let ask = fields.must("ask", found).and_then(|n| bilingual(n, "a question", found));
            let answer = fields.must("answer", found);
            let answers: Vec<Arc<str>> =
                answer?.text(found)?.split('|').map(|a| Arc::from(a.trim())).collect();
            fields.finish(found);
            if answers.len() < 2 || answers.iter().any(|a| a.is_empty()) {
                let what = "a check item has two or more answers to choose from";
                found.note(Diagnostic::new(&answer?.at, what).hint("such as \"ok|fault\""));
                return None;
            }
            Some(Check { id: Arc::from(id?), ask: ask?, answers })
        },
    )
}
