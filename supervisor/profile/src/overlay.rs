//! A site's own limits laid over a profile's rules.
//!
//! **Duty.** [`with_limits`] takes `rule.board-hot.major.above = 70` of a site file and gives the profile as if its
//! own file had said so, checked by the same reader: an error points at the line of the site file.
//!
//! **Refuses.** A site changes limits and times of existing levels or adds a level; what a rule looks at, its guard
//! and its advice belong to the profile.

use crate::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use crate::document::{Entry, Node, Value};
use crate::schema::{self, Profile};
use std::sync::Arc;

/// The levels that a site may change.
const LEVELS: [&str; 4] = ["critical", "major", "minor", "warning"];

/// `profile` with `limits` (a table of rule ids, each a table of levels) over its rules. Everything that is wrong is
/// noted; then there is no profile.
pub fn with_limits(profile: &Profile, limits: &Node, found: &mut Findings) -> Option<Arc<Profile>> {
    let before = found.count();
    let mut document = profile.document.clone();
    let Value::Table(sections) = &mut document.value else {
        return None;
    };
    let rules = sections.iter_mut().find(|section| section.key == "rule");
    let mut none = Vec::new();
    let rules = match rules.map(|section| &mut section.node.value) {
        Some(Value::List(rules)) => rules,
        _ => &mut none,
    };
    for limit in limits.table(found)? {
        let ids: Vec<String> = rules.iter().filter_map(|rule| text_of(rule, "id")).collect();
        let Some(at) = ids.iter().position(|id| *id == limit.key) else {
            let what = format!("profile `{}` has no rule {}", profile.id, quoted(&limit.key));
            let mut diagnostic = Diagnostic::new(&limit.key_at, what).label("unknown rule");
            diagnostic.hint = did_you_mean(&limit.key, ids.iter().map(String::as_str));
            found.note(diagnostic);
            continue;
        };
        lay_levels(&mut rules[at], limit, found);
    }
    if found.count() > before {
        return None;
    }
    schema::read(&document, found).map(Arc::new)
}

fn lay_levels(rule: &mut Node, limit: &Entry, found: &mut Findings) {
    let Some(levels) = limit.node.table(found) else {
        return;
    };
    let Value::Table(own) = &mut rule.value else {
        return;
    };
    for level in levels {
        if !LEVELS.contains(&level.key.as_str()) {
            let what = format!("a site changes the levels of a rule, {} is none", quoted(&level.key));
            let mut diagnostic = Diagnostic::new(&level.key_at, what);
            diagnostic.hint = did_you_mean(&level.key, LEVELS);
            found.note(diagnostic);
            continue;
        }
        match own.iter_mut().find(|known| known.key == level.key) {
            Some(known) => lay_keys(&mut known.node, &level.node, found),
            None => own.push(level.clone()),
        }
    }
}

fn lay_keys(base: &mut Node, over: &Node, found: &mut Findings) {
    let Some(keys) = over.table(found) else { return };
    base.at = over.at.clone();
    let Value::Table(own) = &mut base.value else {
        return;
    };
    for key in keys {
        match own.iter_mut().find(|known| known.key == key.key) {
            Some(known) => *known = key.clone(),
            None => own.push(key.clone()),
        }
    }
}

fn text_of(node: &Node, key: &str) -> Option<String> {
    match &node.get(key)?.value {
        Value::Text(text) => Some(text.clone()),
        _ => None,
    }
}
