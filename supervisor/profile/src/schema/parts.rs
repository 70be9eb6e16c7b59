//! `[[event]]` and `[[check]]`: parsed and checked here, carried out elsewhere.

use super::bus;
use super::metric::Measured;
use super::onvif;
use super::value::{bilingual, duration_ms, filled, kebab, note_choice, oid};
use super::{Check, Event, EventInstance, Signal};
use crate::diagnostic::{Diagnostic, Findings, did_you_mean};
use crate::document::{Fields, Node, Value};
use roundsman_core::rule::Severity;
use std::sync::Arc;

/// Most events, commands and checks of each sort: a page and a patrol sheet hold no more.
const MOST: usize = 256;

/// A list of things with ids of their own.
pub(super) fn all<'a, T>(
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
pub(super) fn events(fields: &mut Fields<'_>, measured: &Measured, found: &mut Findings) -> Vec<Event> {
    let read = |node: &Node, found: &mut Findings| read_event(node, measured, found);
    all(fields, "event", found, |event: &Event| &event.id, read)
}

/// How long a fault that events raise stays without another sign; `None` where one of them is only ever cleared.
pub(super) fn stays_ms(events: &[Event], rule: &str) -> Option<u64> {
    let of_rule = events.iter().filter(|event| *event.rule == *rule);
    of_rule
        .map(|event| event.expires_ms)
        .reduce(|one, other| one.zip(other).map(|(one, other)| one.max(other)))
        .flatten()
}

/// The rules that events raise, even those of events that were refused.
pub(super) fn raised(fields: &mut Fields<'_>) -> Vec<String> {
    let Some(Value::List(events)) = fields.maybe("event").map(|node| &node.value) else {
        return Vec::new();
    };
    events.iter().filter_map(|event| event.get("rule")?.plain_text()).collect()
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

fn read_event(node: &Node, measured: &Measured, found: &mut Findings) -> Option<Event> {
    let mut fields = Fields::of(node, "an event", found)?;
    let id = fields.must("id", found).and_then(|n| kebab(n, found));
    let raise = read_signal(&mut fields, node, measured, found);
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
    let instance = fields.maybe("instance");
    let instance = instance.map_or(Some(None), |n| read_instance(n, raise.as_ref(), found).map(Some));
    let clear = fields.maybe("clear").and_then(|n| {
        let mut fields = Fields::of(n, "`clear`", found)?;
        let signal = read_signal(&mut fields, n, measured, found);
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
        instance: instance?,
        clear,
        expires_ms,
    })
}

/// Exactly one of `trap`, `topic`, `line`, `frame`.
fn read_signal(
    fields: &mut Fields<'_>,
    node: &Node,
    measured: &Measured,
    found: &mut Findings,
) -> Option<Signal> {
    let trap = fields.maybe("trap");
    let topic = fields.maybe("topic");
    let line = fields.maybe("line");
    let frame = fields.maybe("frame");
    match (trap, topic, line, frame) {
        (Some(trap), None, None, None) => oid(trap, found).map(Signal::Trap),
        (None, Some(topic), None, None) => onvif::topic(fields, topic, found),
        (None, None, Some(line), None) => match &measured.bus {
            Some(draft) => bus::said(draft, line, found),
            None => filled(line, found).map(|text| Signal::Line(Arc::from(text))),
        },
        (None, None, None, Some(frame)) => bus::heard(measured.bus.as_ref(), frame, found),
        _ => {
            found.note(Diagnostic::new(
                &node.at,
                "exactly one of `trap`, `topic`, `line`, `frame` is expected",
            ));
            None
        }
    }
}

/// The instance: of a trap a varbind, of a line a capture, of a frame a field, of a message a name in its source.
fn read_instance(node: &Node, raise: Option<&Signal>, found: &mut Findings) -> Option<EventInstance> {
    match raise {
        Some(Signal::Said(pattern)) => bus::caught(pattern, node, found).map(EventInstance::Capture),
        Some(Signal::Frame(_)) => bus::field(node, found).map(EventInstance::Field),
        Some(Signal::Topic { .. }) => filled(node, found).map(|name| EventInstance::Source(Arc::from(name))),
        _ => oid(node, found).map(EventInstance::Varbind),
    }
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
