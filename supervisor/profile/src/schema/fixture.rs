//! `[[fixture]]` and `absent`: what a profile is proven with.

use super::metric::Measured;
use super::onvif;
use super::recording::{self, Told};
use super::value::{duration_ms, filled, note_choice, oid};
use super::{Expect, Expected, ExpectedFault, Fixture, Grow, ReachOutcome, Recording, SetTo, Step};
use crate::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use crate::document::{Entry, Fields, Node, Value};
use roundsman_core::fault::{NO_DATA, UNREACHABLE};
use roundsman_core::line::WINDOW;
use roundsman_core::model::MetricIx;
use roundsman_core::rule::Severity;
use roundsman_wire::snmp::oid::Oid;
use std::sync::Arc;

/// Most fixtures of a profile, and most steps of a fixture: more is a mistake, and each costs polls.
const MOST: usize = 64;

/// Longest virtual time of one step: a day of polls.
const LONGEST_STEP_MS: u64 = 24 * 3_600_000;

/// What the fixtures of a profile may speak of.
struct Scope<'a> {
    measured: &'a Measured,
    told: &'a Told<'a>,
}

/// Reads all fixtures.
pub(super) fn read(
    fields: &mut Fields<'_>,
    measured: &Measured,
    told: &Told<'_>,
    found: &mut Findings,
) -> Vec<Fixture> {
    let scope = Scope { measured, told };
    let nodes = fields.items("fixture", found);
    if nodes.len() > MOST {
        found.note(Diagnostic::new(fields.at(), format!("more than {MOST} fixtures")));
    }
    let nodes = nodes.iter().take(MOST);
    nodes.filter_map(|node| read_fixture(node, &scope, found)).collect()
}

/// Reads `absent`: metrics that no fixture can show, and why.
pub(super) fn absent(fields: &mut Fields<'_>, measured: &Measured, found: &mut Findings) -> Vec<MetricIx> {
    let entries = fields.maybe("absent").and_then(|n| n.table(found)).unwrap_or(&[]);
    let mut absent = Vec::new();
    for entry in entries {
        filled(&entry.node, found);
        absent.extend(find(&entry.key, entry, measured, found));
    }
    absent
}

fn find(name: &str, entry: &Entry, measured: &Measured, found: &mut Findings) -> Option<MetricIx> {
    let metric = measured.model.metric(name);
    if metric.is_none() {
        let mut diagnostic = Diagnostic::new(&entry.key_at, format!("no metric is called {}", quoted(name)));
        diagnostic.hint = did_you_mean(name, measured.model.metrics.iter().map(|m| &*m.name));
        found.note(diagnostic);
    }
    metric
}

fn read_fixture(node: &Node, scope: &Scope<'_>, found: &mut Findings) -> Option<Fixture> {
    let mut fields = Fields::of(node, "a fixture", found)?;
    let recording = match &scope.measured.bus {
        Some(draft) => recording::read(&mut fields, draft, found),
        None if !scope.measured.questions.is_empty() => onvif::recording(&mut fields, found),
        None => {
            let node = fields.must("walk", found);
            let walk = node.and_then(|n| Some(Recording::Walk(Arc::from(filled(n, found)?))));
            walk.zip(node.map(|node| node.at.clone()))
        }
    };
    let is_grid = matches!(&recording, Some((Recording::Bus(recorded), _)) if recorded.grid.is_some());
    let orders = recording::orders(&mut fields, scope.measured, scope.told, found);
    let hears = recording::hears(&mut fields, scope.measured, scope.told, found);
    let tags = read_tags(&mut fields, found);
    let line = fields.maybe("line").and_then(|n| read_line(n, found));
    let reach = read_reach(&mut fields, found);
    let expect = read_expect(&mut fields, scope, is_grid, found);
    let faults = read_faults(&mut fields, scope, found);
    let steps = fields.items("then", found);
    if steps.len() > MOST {
        found.note(Diagnostic::new(&node.at, format!("more than {MOST} steps in one fixture")));
    }
    let then = steps.iter().take(MOST).filter_map(|n| read_step(n, scope, is_grid, found)).collect();
    fields.finish(found);
    let (recording, recording_at) = recording?;
    Some(Fixture {
        at: node.at.clone(),
        recording,
        recording_at,
        orders,
        hears,
        tags,
        line,
        reach,
        expect,
        faults,
        then,
    })
}

fn read_tags(fields: &mut Fields<'_>, found: &mut Findings) -> Vec<(Arc<str>, Arc<str>)> {
    let entries = fields.maybe("tag").and_then(|n| n.table(found)).unwrap_or(&[]);
    let pair = |entry: &Entry, found: &mut Findings| {
        Some((Arc::from(entry.key.as_str()), Arc::from(entry.node.text(found)?)))
    };
    entries.iter().filter_map(|entry| pair(entry, found)).collect()
}

fn read_step(node: &Node, scope: &Scope<'_>, is_grid: bool, found: &mut Findings) -> Option<Step> {
    let mut fields = Fields::of(node, "a step", found)?;
    let after = fields.must("after", found);
    let after_ms = after.and_then(|n| duration_ms(n, found));
    if let (Some(node), Some(ms)) = (after, after_ms)
        && !(1..=LONGEST_STEP_MS).contains(&ms)
    {
        found.note(Diagnostic::new(&node.at, "a step takes from 1 ms to a day"));
    }
    let is_walked = scope.measured.bus.is_none() && scope.measured.questions.is_empty();
    let changes = match &scope.measured.bus {
        Some(draft) => recording::changes(&mut fields, draft, found),
        None if is_walked => Vec::new(),
        None => onvif::changes(&mut fields, found),
    };
    let set = fields.maybe("set").filter(|_| is_walked);
    let set = set.and_then(|n| n.table(found)).unwrap_or(&[]);
    let set = set.iter().filter_map(|entry| read_set(entry, found)).collect();
    let grow = fields.maybe("grow").filter(|_| is_walked).and_then(|n| n.table(found)).unwrap_or(&[]);
    let grow = grow.iter().filter_map(|entry| read_grow(entry, found)).collect();
    let remove = if is_walked { fields.items("remove", found) } else { &[] };
    let remove = remove.iter().filter_map(|n| Some((oid(n, found)?, n.at.clone()))).collect();
    let reach = read_reach(&mut fields, found);
    let expect = read_expect(&mut fields, scope, is_grid, found);
    let faults = read_faults(&mut fields, scope, found);
    fields.finish(found);
    Some(Step { at: node.at.clone(), after_ms: after_ms?, set, grow, remove, changes, reach, expect, faults })
}

/// `line`: a speed in bit/s.
fn read_line(node: &Node, found: &mut Findings) -> Option<f64> {
    let speed = node.number(found)?;
    if speed <= 0.0 {
        found
            .note(Diagnostic::new(&node.at, "a line is faster than 0").hint("in bit/s, such as 100_000_000"));
        return None;
    }
    Some(speed)
}

/// `reach`: outcomes of probes, in turn; `"lost"`, or how long the answer takes.
fn read_reach(fields: &mut Fields<'_>, found: &mut Findings) -> Vec<ReachOutcome> {
    let items = fields.items("reach", found);
    if items.len() > WINDOW {
        let what = format!("more than {WINDOW} outcomes: probes further back are not looked at");
        found.note(Diagnostic::new(&items[WINDOW].at, what));
    }
    let outcome = |node: &Node| match &node.value {
        Value::Text(word) if word == "lost" => Some(None),
        _ => Some(Some(duration_ms(node, found)?.saturating_mul(1_000))),
    };
    items.iter().take(WINDOW).filter_map(outcome).collect()
}

fn key_oid(entry: &Entry, found: &mut Findings) -> Option<Oid> {
    match entry.key.parse() {
        Ok(oid) => Some(oid),
        Err(error) => {
            let what = format!("{} is no object identifier: {error}", quoted(&entry.key));
            found.note(Diagnostic::new(&entry.key_at, what));
            None
        }
    }
}

fn read_grow(entry: &Entry, found: &mut Findings) -> Option<Grow> {
    let oid = key_oid(entry, found)?;
    let Ok(per_s) = u64::try_from(entry.node.integer(found)?) else {
        found.note(Diagnostic::new(&entry.node.at, "it grows by 0 or more every second"));
        return None;
    };
    let at = entry.key_at.clone();
    Some(Grow { oid, at, per_s })
}

fn read_set(entry: &Entry, found: &mut Findings) -> Option<SetTo> {
    let oid = key_oid(entry, found)?;
    let value = match &entry.node.value {
        Value::Text(text) => crate::snmprec::NewValue::Text(text.clone()),
        _ => crate::snmprec::NewValue::Number(entry.node.integer(found)?),
    };
    Some(SetTo { oid, at: entry.key_at.clone(), value })
}

fn read_expect(
    fields: &mut Fields<'_>,
    scope: &Scope<'_>,
    is_grid: bool,
    found: &mut Findings,
) -> Vec<Expect> {
    let entries = fields.maybe("expect").and_then(|n| n.table(found)).unwrap_or(&[]);
    let mut expected = Vec::new();
    for entry in entries {
        let (name, instance) = match entry.key.split_once('[') {
            Some((name, rest)) => (name, Some(rest.strip_suffix(']').unwrap_or(rest))),
            None => (entry.key.as_str(), None),
        };
        let Some(metric) = find(name, entry, scope.measured, found) else {
            continue;
        };
        let table = is_grid || scope.measured.model.metrics[metric.at()].table.is_some();
        if table != instance.is_some() {
            let what = if table {
                format!("`{name}` is a column: which row is meant?")
            } else {
                format!("`{name}` is a scalar and has no rows")
            };
            found.note(
                Diagnostic::new(&entry.key_at, what).hint(
                    "rows are written `metric[label]`; a column that is absent as a whole is `metric[]`",
                ),
            );
            continue;
        }
        let value = match &entry.node.value {
            Value::Text(text) => Expected::Word(Arc::from(text.as_str())),
            _ => match entry.node.number(found) {
                Some(number) => Expected::Number(number),
                None => continue,
            },
        };
        expected.push(Expect {
            at: entry.key_at.clone(),
            metric,
            instance: Arc::from(instance.unwrap_or("")),
            value,
        });
    }
    expected
}

/// `"rule:severity"` or `"rule[instance]:severity"`.
fn read_faults(fields: &mut Fields<'_>, scope: &Scope<'_>, found: &mut Findings) -> Vec<ExpectedFault> {
    let mut faults = Vec::new();
    for node in fields.items("faults", found) {
        let Some(text) = node.text(found) else { continue };
        let parts = text.rsplit_once(':').and_then(|(point, severity)| match point.split_once('[') {
            Some((rule, rest)) => Some((rule, Some(rest.strip_suffix(']')?), severity)),
            None => Some((point, None, severity)),
        });
        let Some((rule, instance, severity)) = parts else {
            found.note(
                Diagnostic::new(&node.at, format!("{} names no fault", quoted(text)))
                    .hint("rule:severity or rule[instance]:severity, such as \"board-hot:major\""),
            );
            continue;
        };
        let built_in = [UNREACHABLE, NO_DATA].contains(&rule);
        if !built_in && !scope.told.rules.iter().any(|known| &**known == rule) {
            let mut diagnostic = Diagnostic::new(&node.at, format!("no rule is called {}", quoted(rule)));
            diagnostic.hint = did_you_mean(rule, scope.told.rules.iter().map(|r| &**r));
            found.note(diagnostic);
            continue;
        }
        let Some(severity) = Severity::from_word(severity) else {
            let known: Vec<&str> = Severity::ALL.iter().map(|s| s.word()).collect();
            note_choice(node, "a severity", severity, &known, found);
            continue;
        };
        faults.push(ExpectedFault {
            at: node.at.clone(),
            rule: Arc::from(rule),
            instance: instance.map(Arc::from),
            severity,
        });
    }
    faults
}
