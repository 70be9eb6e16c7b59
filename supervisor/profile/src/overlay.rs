//! A site's own limits laid over a profile's rules, and a profile of one unit as that of a grid of them.
//!
//! **Duty.** [`with_limits`] takes `rule.board-hot.major.above = 70` of a site file and gives the profile as if its
//! own file had said so, checked by the same reader: an error points at the line of the site file.
//! [`with_grid`] makes each metric of a unit a column of a table whose rows are `r1c1`, `r1c2` and so on.
//!
//! **Refuses.** A site changes limits and times of existing levels or adds a level; what a rule looks at, its guard
//! and its advice belong to the profile.

use crate::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use crate::document::{Entry, Node, Value};
use crate::schema::{self, Profile};
use crate::translate::recipe::Grid;
use roundsman_core::device;
use roundsman_core::model::{Table, TableIx};
use std::sync::Arc;

/// Most units of a grid: a line has 247.
pub const MOST_UNITS: usize = 247;

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

/// What the units of a grid are called, row by row.
pub fn grid_labels(rows: u8, columns: u8) -> Vec<Arc<str>> {
    device::Grid { rows, columns }.labels().map(Arc::from).take(MOST_UNITS).collect()
}

/// The profile of `rows` times `columns` units; itself where it is not one of a bus. The rows of its table are in the
/// order of the target's members.
pub fn with_grid(profile: &Profile, rows: u8, columns: u8) -> Profile {
    let mut profile = profile.clone();
    if profile.bus.is_none() {
        return profile;
    }
    let mut model = (*profile.model).clone();
    let table = TableIx(model.tables.len() as u16);
    model.tables.push(Table { group: Arc::from("unit"), discontinuity: None, speed: None });
    for recipe in &profile.recipes.points {
        model.metrics[recipe.metric.at()].table = Some(table);
    }
    // What is computed of a unit is computed for each.
    for derive in &model.derives {
        let mut of_unit = false;
        derive.calc.each_metric(&mut |metric| of_unit |= model.metrics[metric.at()].table == Some(table));
        if of_unit {
            model.metrics[derive.metric.at()].table = Some(table);
        }
    }
    profile.model = Arc::new(model);
    profile.recipes.grid = Some(Grid { table, labels: grid_labels(rows, columns) });
    profile
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
