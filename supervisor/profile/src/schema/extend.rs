//! `extends` and `remove`: a profile laid over its bases.
//!
//! The lists of named things are merged by their name: a thing of the same name is laid over key by key (a key given
//! again replaces the base's value whole), a new one is added behind. The columns of a table are merged the same way.
//! Identity, matching, fixtures and `absent` belong to each profile alone and are not inherited.

use crate::diagnostic::{Diagnostic, Findings, did_you_mean, quoted};
use crate::document::{Entry, Node, Value};

/// The lists that are merged, and the key that names their items.
const MERGED: [(&str, &str); 7] = [
    ("metric", "name"),
    ("table", "group"),
    ("derive", "name"),
    ("rule", "id"),
    ("event", "id"),
    ("command", "id"),
    ("check", "id"),
];

/// The tables that are merged key by key.
const MERGED_TABLES: [&str; 2] = ["param", "request"];

/// Tables that say how a device is spoken to: what the upper does not say is inherited whole.
const INHERITED: [&str; 4] = ["serial", "modbus", "frame", "text"];

/// `over` laid over `base`.
pub(crate) fn lay_over(base: &Node, over: &Node) -> Node {
    let mut result = over.clone();
    let Value::Table(entries) = &mut result.value else {
        return result;
    };
    for (list, name) in MERGED {
        let Some(inherited) = base.get(list) else { continue };
        match entries.iter_mut().find(|entry| entry.key == list) {
            Some(own) => own.node = merge_lists(inherited, &own.node, name),
            None => entries.push(inherit(list, inherited)),
        }
    }
    for table in MERGED_TABLES.into_iter().chain(INHERITED) {
        let Some(inherited) = base.get(table) else { continue };
        match entries.iter_mut().find(|entry| entry.key == table) {
            Some(own) if MERGED_TABLES.contains(&table) => own.node = merge_items(inherited, &own.node),
            Some(_) => {}
            None => entries.push(inherit(table, inherited)),
        }
    }
    result
}

fn inherit(key: &str, node: &Node) -> Entry {
    Entry { key: key.to_owned(), key_at: node.at.clone(), node: node.clone() }
}

fn merge_lists(base: &Node, over: &Node, name: &str) -> Node {
    let (Value::List(base_items), Value::List(over_items)) = (&base.value, &over.value) else {
        return over.clone();
    };
    let mut items = base_items.clone();
    for item in over_items {
        let same = items
            .iter_mut()
            .find(|known| named(known, name).is_some() && named(known, name) == named(item, name));
        match same {
            // Only the base's items may be laid over; a name twice in one file is an error found later.
            Some(known) if known.at.source() != over.at.source() || is_untouched(known, base_items) => {
                *known = merge_items(known, item);
            }
            _ => items.push(item.clone()),
        }
    }
    Node { at: over.at.clone(), value: Value::List(items) }
}

fn is_untouched(node: &Node, base: &[Node]) -> bool {
    base.iter().any(|item| item.at == node.at)
}

fn named<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    match &node.get(key)?.value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// One item over its namesake. It stands at the place of the upper one: from there on that profile answers for it.
fn merge_items(base: &Node, over: &Node) -> Node {
    let (Value::Table(base_entries), Value::Table(over_entries)) = (&base.value, &over.value) else {
        return over.clone();
    };
    let mut entries = base_entries.clone();
    for entry in over_entries {
        match entries.iter_mut().find(|known| known.key == entry.key) {
            Some(known) if entry.key == "metric" => {
                known.node = merge_lists(&known.node, &entry.node, "name");
                known.key_at = entry.key_at.clone();
            }
            Some(known) => *known = entry.clone(),
            None => entries.push(entry.clone()),
        }
    }
    Node { at: over.at.clone(), value: Value::Table(entries) }
}

/// Takes out of `base` what `remove` names: metrics, columns and derived metrics by `group.name`, tables by their
/// group, everything else by its id.
pub(crate) fn remove(base: &mut Node, names: &[Node], found: &mut Findings) {
    for node in names {
        let Some(name) = node.text(found) else { continue };
        let mut known = Vec::new();
        if !take_out(base, name, &mut known) {
            let mut diagnostic =
                Diagnostic::new(&node.at, format!("nothing inherited is called {}", quoted(name)));
            diagnostic.hint = did_you_mean(name, known.iter().map(String::as_str));
            found.note(diagnostic);
        }
    }
}

fn take_out(base: &mut Node, name: &str, known: &mut Vec<String>) -> bool {
    let Value::Table(entries) = &mut base.value else {
        return false;
    };
    let mut taken = false;
    for (list, key) in MERGED {
        let Some(entry) = entries.iter_mut().find(|entry| entry.key == list) else {
            continue;
        };
        let Value::List(items) = &mut entry.node.value else {
            continue;
        };
        known.extend(items.iter().filter_map(|item| named(item, key).map(str::to_owned)));
        let before = items.len();
        items.retain(|item| named(item, key) != Some(name));
        taken |= items.len() < before;
        if list == "table" {
            taken |= take_column(items, name, known);
        }
    }
    taken
}

fn take_column(tables: &mut [Node], name: &str, known: &mut Vec<String>) -> bool {
    let mut taken = false;
    for table in tables {
        let Some(group) = named(table, "group").map(str::to_owned) else {
            continue;
        };
        let Value::Table(entries) = &mut table.value else {
            continue;
        };
        let Some(entry) = entries.iter_mut().find(|entry| entry.key == "metric") else {
            continue;
        };
        let Value::List(columns) = &mut entry.node.value else {
            continue;
        };
        let whole = |column: &Node| named(column, "name").map(|column| format!("{group}.{column}"));
        known.extend(columns.iter().filter_map(whole));
        let before = columns.len();
        columns.retain(|column| whole(column).as_deref() != Some(name));
        taken |= columns.len() < before;
    }
    taken
}
