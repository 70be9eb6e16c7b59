//! `[[rule]]`: when a reading means a fault.

use super::MOST_RULES;
use super::guard::{self, Scope};
use super::metric::Measured;
use super::value::{bilingual, duration_ms, filled, interval, kebab, note_fault};
use crate::diagnostic::{At, Diagnostic, Findings, did_you_mean, quoted};
use crate::document::{Fields, Node};
use roundsman_core::fault::{NO_DATA, REPLACED, UNREACHABLE};
use roundsman_core::model::{Kind, MetricIx};
use roundsman_core::rule::{Level, Rule, Severity, Test};
use roundsman_core::text::Bilingual;
use std::sync::Arc;

/// Most words in one `expect`.
const MOST_EXPECTED: usize = 64;

/// The keys of a rule's levels, worst first.
const LEVELS: [(&str, Severity); 4] = [
    ("critical", Severity::Critical),
    ("major", Severity::Major),
    ("minor", Severity::Minor),
    ("warning", Severity::Warning),
];

/// Reads all rules; beside each its place.
pub(super) fn read(
    fields: &mut Fields<'_>,
    measured: &Measured,
    raised: &[String],
    found: &mut Findings,
) -> Vec<(Rule, At)> {
    let mut rules: Vec<(Rule, At)> = Vec::new();
    let nodes = fields.items("rule", found);
    if nodes.len() > MOST_RULES {
        found.note(Diagnostic::new(fields.at(), format!("a profile has at most {MOST_RULES} rules")));
    }
    for node in nodes.iter().take(MOST_RULES) {
        let Some((rule, at)) = read_rule(node, measured, raised, found) else {
            continue;
        };
        if rules.iter().any(|(known, _)| known.id == rule.id) {
            found.note(
                Diagnostic::new(&at, format!("there are two rules `{}`", rule.id)).label("the second one"),
            );
            continue;
        }
        rules.push((rule, at));
    }
    rules
}

fn read_rule(
    node: &Node,
    measured: &Measured,
    raised: &[String],
    found: &mut Findings,
) -> Option<(Rule, At)> {
    let mut fields = Fields::of(node, "a rule", found)?;
    let id_node = fields.must("id", found);
    let id = id_node.and_then(|n| kebab(n, found));
    let on = fields.must("on", found).and_then(|n| find_metric(n, measured, found));
    let guard = fields.maybe("when");
    let when = match (guard, on) {
        (Some(node), Some(on)) => node.text(found).and_then(|text| {
            if measured.refused.iter().any(|refused| text.contains(refused.as_str())) {
                return None;
            }
            let scope = Scope {
                model: &measured.model,
                words: &measured.words,
                table: measured.model.metrics[on.at()].table,
            };
            guard::parse(text, &scope)
                .map_err(|fault| note_fault(node, fault, "this `when` cannot be read", found))
                .ok()
        }),
        _ => None,
    };
    let levels = read_levels(&mut fields, on, measured, found);
    let latch = fields.maybe("latch").and_then(|n| n.boolean(found)).unwrap_or(false);
    let cause = fields.must("cause", found).and_then(|n| read_cause(n, found));
    let name = fields.maybe("name").and_then(|n| bilingual(n, "a name", found));
    let advice = fields.must("advice", found).and_then(|n| bilingual(n, "an advice", found));
    fields.finish(found);
    let (id, id_node) = (id?, id_node?);
    if id == UNREACHABLE || id == NO_DATA || id == REPLACED {
        let what = format!("`{id}` is built in, no profile may redefine it");
        found.note(Diagnostic::new(&id_node.at, what));
        return None;
    }
    let (on, levels) = (on?, levels?);
    if levels.is_empty() && !raised.iter().any(|rule| rule == id) {
        found.note(
            Diagnostic::new(&id_node.at, format!("the rule `{id}` has no level and no event raises it"))
                .hint("add one of critical, major, minor, warning, such as major = { above = 90 }"),
        );
        return None;
    }
    let rule = Rule {
        id: Arc::from(id),
        name: name.unwrap_or_else(|| Bilingual::new(id, id)),
        on,
        when,
        levels,
        latch,
        stays_ms: None,
        cause: Arc::from(cause?),
        advice: advice?,
    };
    Some((rule, id_node.at.clone()))
}

/// The metric a node names.
pub(super) fn find_metric(node: &Node, measured: &Measured, found: &mut Findings) -> Option<MetricIx> {
    let name = node.text(found)?;
    let metric = measured.model.metric(name);
    if metric.is_none() && !measured.refused.iter().any(|refused| refused == name) {
        let mut diagnostic = Diagnostic::new(&node.at, format!("no metric is called {}", quoted(name)));
        diagnostic.hint = did_you_mean(name, measured.model.metrics.iter().map(|m| &*m.name));
        found.note(diagnostic);
    }
    metric
}

/// X.733 names its probable causes in camel case.
fn read_cause<'a>(node: &'a Node, found: &mut Findings) -> Option<&'a str> {
    let cause = filled(node, found)?;
    let camel = cause.starts_with(|c: char| c.is_ascii_lowercase())
        && cause.bytes().all(|b| b.is_ascii_alphanumeric());
    if !camel {
        found.note(
            Diagnostic::new(&node.at, format!("{} is no probable cause of X.733", quoted(cause)))
                .hint("camel case, such as `thresholdCrossed` or `communicationsSubsystemFailure`"),
        );
        return None;
    }
    Some(cause)
}

fn read_levels(
    fields: &mut Fields<'_>,
    on: Option<MetricIx>,
    measured: &Measured,
    found: &mut Findings,
) -> Option<Vec<Level>> {
    let before = found.count();
    let mut levels: Vec<Level> = Vec::new();
    for (key, severity) in LEVELS {
        let Some(node) = fields.maybe(key) else { continue };
        let Some(level) = read_level(node, severity, on, measured, found) else {
            continue;
        };
        if let Some(worse) = levels.last() {
            check_order(node, worse, &level, found);
        }
        levels.push(level);
    }
    (found.count() == before).then_some(levels)
}

/// A milder level whose limit lies beyond a worse one's would never be seen.
fn check_order(node: &Node, worse: &Level, milder: &Level, found: &mut Findings) {
    let reversed = match (&worse.test, &milder.test) {
        (Test::Above { limit: worse, .. }, Test::Above { limit: milder, .. }) => milder >= worse,
        (Test::Below { limit: worse, .. }, Test::Below { limit: milder, .. }) => milder <= worse,
        _ => false,
    };
    if reversed {
        let (worse, milder) = (worse.severity.word(), milder.severity.word());
        let what = format!("`{milder}` is never seen: `{worse}` begins before it");
        found.note(Diagnostic::new(&node.at, what).hint("the worse the level, the further out its limit"));
    }
}

fn read_level(
    node: &Node,
    severity: Severity,
    on: Option<MetricIx>,
    measured: &Measured,
    found: &mut Findings,
) -> Option<Level> {
    let mut fields = Fields::of(node, "a level", found)?;
    let tests = ["above", "below", "outside", "expect", "changed"];
    let given: Vec<&'static str> = tests.into_iter().filter(|key| fields.maybe(key).is_some()).collect();
    let clear = fields.maybe("clear");
    let deadband = fields.maybe("deadband");
    let hold = fields.maybe("for");
    let hold_ms = hold.and_then(|n| duration_ms(n, found));
    let clear_ms = fields.maybe("clear_for").and_then(|n| duration_ms(n, found)).unwrap_or(0);
    let [key] = given[..] else {
        fields.finish(found);
        found.note(
            Diagnostic::new(&node.at, "a level has exactly one test")
                .label(if given.is_empty() { "it has none" } else { "it has several" })
                .hint(format!("one of {}", tests.join(", "))),
        );
        return None;
    };
    let value = fields.maybe(key)?;
    fields.finish(found);
    refuse_strangers(key, clear, deadband, found);
    let test = match key {
        "above" => read_limit(value, clear, true, found),
        "below" => read_limit(value, clear, false, found),
        "outside" => read_outside(value, deadband, found),
        "expect" => read_expect(value, on, measured, found),
        _ => {
            if !value.boolean(found)? {
                found.note(
                    Diagnostic::new(&value.at, "`changed` is only ever true").hint("leave the level out"),
                );
            }
            Some(Test::Changed)
        }
    };
    check_kind(value, key, on, measured, found)?;
    Some(Level { severity, test: test?, hold_ms, clear_ms })
}

fn refuse_strangers(key: &str, clear: Option<&Node>, deadband: Option<&Node>, found: &mut Findings) {
    if let Some(node) = clear
        && !matches!(key, "above" | "below")
    {
        found.note(
            Diagnostic::new(&node.at, format!("`clear` does not go with `{key}`"))
                .hint("it goes with above and below"),
        );
    }
    if let Some(node) = deadband
        && key != "outside"
    {
        found.note(
            Diagnostic::new(&node.at, format!("`deadband` does not go with `{key}`"))
                .hint("it goes with outside; above and below have `clear`"),
        );
    }
}

fn check_kind(
    node: &Node,
    key: &str,
    on: Option<MetricIx>,
    measured: &Measured,
    found: &mut Findings,
) -> Option<()> {
    let metric = &measured.model.metrics[on?.at()];
    let fits = match metric.kind {
        Kind::Gauge => key != "expect",
        Kind::Counter => false,
        Kind::State | Kind::Text => matches!(key, "expect" | "changed"),
    };
    if fits {
        return Some(());
    }
    let (what, hint) = match metric.kind {
        Kind::Counter => (
            "a counter only ever goes up, no limit makes sense of it",
            "look at its rate: a [[derive]] with rate()",
        ),
        Kind::Gauge => ("a number is no word", "use above, below or outside"),
        Kind::State | Kind::Text => ("a word has no size", "use expect = [\"…\"] or changed = true"),
    };
    found.note(
        Diagnostic::new(&node.at, format!("`{key}` does not fit `{}`: {what}", metric.name)).hint(hint),
    );
    None
}

fn read_limit(node: &Node, clear: Option<&Node>, above: bool, found: &mut Findings) -> Option<Test> {
    let limit = node.number(found)?;
    let clear_value = clear.map_or(Some(limit), |n| n.number(found))?;
    let wrong = if above { clear_value > limit } else { clear_value < limit };
    if let (true, Some(clear)) = (wrong, clear) {
        let (side, key) = if above { ("at or below", "above") } else { ("at or above", "below") };
        let what = format!("`clear` = {clear_value} lies on the bad side of `{key}` = {limit}");
        found.note(Diagnostic::new(&clear.at, what).hint(format!("it must be {side} {limit}")));
        return None;
    }
    Some(if above {
        Test::Above { limit, clear: clear_value }
    } else {
        Test::Below { limit, clear: clear_value }
    })
}

fn read_outside(node: &Node, deadband: Option<&Node>, found: &mut Findings) -> Option<Test> {
    let range = interval(node, found)?;
    let (low, high) = (*range.start(), *range.end());
    let width = deadband.map_or(Some(0.0), |n| n.number(found))?;
    if let Some(deadband) = deadband
        && (width < 0.0 || low + width > high - width)
    {
        let what = format!("a deadband of {width} leaves nothing good between {low} and {high}");
        found.note(Diagnostic::new(&deadband.at, what).hint("0 or more, and less than half of the range"));
        return None;
    }
    Some(Test::Outside { low, high, deadband: width })
}

fn read_expect(node: &Node, on: Option<MetricIx>, measured: &Measured, found: &mut Findings) -> Option<Test> {
    let items = node.list(found)?;
    if items.is_empty() || items.len() > MOST_EXPECTED {
        found.note(Diagnostic::new(&node.at, format!("1 to {MOST_EXPECTED} words are expected here")));
        return None;
    }
    let state = on.filter(|on| measured.model.metrics[on.at()].kind == Kind::State);
    let mut words = Vec::new();
    for item in items {
        let word = item.text(found)?;
        if let Some(on) = state
            && !measured.words.of(on).iter().any(|known| &**known == word)
        {
            let name = &measured.model.metrics[on.at()].name;
            let mut diagnostic = Diagnostic::new(&item.at, format!("`{name}` is never {}", quoted(word)));
            diagnostic.hint = did_you_mean(word, measured.words.of(on).iter().map(|w| &**w));
            found.note(diagnostic);
            continue;
        }
        words.push(Arc::from(word));
    }
    (words.len() == items.len()).then_some(Test::Expect(words))
}
