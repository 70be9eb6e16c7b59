//! A TOML file as a tree in which every value knows its place, and typed reading of it.
//!
//! **Duty.** [`parse`] gives the tree, [`Fields`] reads one table of it key by key: what nobody asked for is an
//! unknown key. Unlike a deserialiser it goes on after an error, so that a person sees all of them at once.
//!
//! **Place in the flow.** Under [`schema`](crate::schema) and under the site file's reader.
//!
//! **Refuses.** It knows no key: meaning belongs to the readers.

use crate::diagnostic::{At, Diagnostic, Findings, Source, did_you_mean, quoted};
use std::sync::Arc;
use toml::de::{DeTable, DeValue};

/// A value and its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it stands.
    pub at: At,
    /// What it is.
    pub value: Value,
}

/// A TOML value.
#[derive(Clone, Debug)]
pub enum Value {
    /// A string.
    Text(String),
    /// An integer.
    Integer(i64),
    /// A float.
    Float(f64),
    /// A boolean.
    Boolean(bool),
    /// A date or time, as it is written.
    Date(String),
    /// An array.
    List(Vec<Node>),
    /// A table, inline or not.
    Table(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_at: At,
    /// Its value.
    pub node: Node,
}

impl Node {
    /// What it is, in words.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::Boolean(_) => "a boolean",
            Value::Date(_) => "a date",
            Value::List(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    fn expected(&self, what: &str, found: &mut Findings) {
        found.note(Diagnostic::new(&self.at, format!("{what} is expected, this is {}", self.kind())));
    }

    /// Its text; else an error is noted.
    pub fn text(&self, found: &mut Findings) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => {
                self.expected("a string", found);
                None
            }
        }
    }

    /// Its integer; else an error is noted.
    pub fn integer(&self, found: &mut Findings) -> Option<i64> {
        match self.value {
            Value::Integer(number) => Some(number),
            _ => {
                self.expected("an integer", found);
                None
            }
        }
    }

    /// Its number, integer or finite float; else an error is noted.
    pub fn number(&self, found: &mut Findings) -> Option<f64> {
        match self.value {
            Value::Integer(number) => Some(number as f64),
            Value::Float(number) if number.is_finite() => Some(number),
            _ => {
                self.expected("a finite number", found);
                None
            }
        }
    }

    /// Its boolean; else an error is noted.
    pub fn boolean(&self, found: &mut Findings) -> Option<bool> {
        match self.value {
            Value::Boolean(boolean) => Some(boolean),
            _ => {
                self.expected("`true` or `false`", found);
                None
            }
        }
    }

    /// Its items; else an error is noted.
    pub fn list(&self, found: &mut Findings) -> Option<&[Node]> {
        match &self.value {
            Value::List(items) => Some(items),
            _ => {
                self.expected("a list", found);
                None
            }
        }
    }

    /// Its entries; else an error is noted.
    pub fn table(&self, found: &mut Findings) -> Option<&[Entry]> {
        match &self.value {
            Value::Table(entries) => Some(entries),
            _ => {
                self.expected("a table", found);
                None
            }
        }
    }

    /// Its text, where it is one.
    pub fn plain_text(&self) -> Option<String> {
        match &self.value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// The value of a key, where this is a table that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        match &self.value {
            Value::Table(entries) => entries.iter().find(|e| e.key == key).map(|e| &e.node),
            _ => None,
        }
    }
}

impl Node {
    /// The tree as TOML again, without comments, keys in alphabetical order.
    pub fn to_toml(&self) -> String {
        match self.plain() {
            toml::Value::Table(table) => table.to_string(),
            other => other.to_string(),
        }
    }

    fn plain(&self) -> toml::Value {
        match &self.value {
            Value::Text(text) => toml::Value::String(text.clone()),
            Value::Integer(number) => toml::Value::Integer(*number),
            Value::Float(number) => toml::Value::Float(*number),
            Value::Boolean(boolean) => toml::Value::Boolean(*boolean),
            Value::Date(date) => {
                date.parse().map_or(toml::Value::String(date.clone()), toml::Value::Datetime)
            }
            Value::List(items) => toml::Value::Array(items.iter().map(Node::plain).collect()),
            Value::Table(entries) => {
                let entries = entries.iter().map(|entry| (entry.key.clone(), entry.node.plain()));
                toml::Value::Table(entries.collect())
            }
        }
    }
}

/// Parses a file. Errors of TOML itself are noted, all of them, and then there is no tree.
pub fn parse(source: &Arc<Source>, found: &mut Findings) -> Option<Node> {
    let before = found.count();
    let (tree, errors) = DeTable::parse_recoverable(&source.text);
    for error in errors {
        let at = source.at(error.span().unwrap_or(0..0));
        found.note(Diagnostic::new(&at, format!("this is no valid TOML: {}", error.message())));
    }
    if found.count() > before {
        return None;
    }
    let root = Value::Table(entries(source, tree.get_ref(), found));
    (found.count() == before).then(|| Node { at: source.at(0..0), value: root })
}

fn entries(source: &Arc<Source>, table: &DeTable<'_>, found: &mut Findings) -> Vec<Entry> {
    let mut entries: Vec<Entry> = table
        .iter()
        .map(|(key, value)| Entry {
            key: key.get_ref().to_string(),
            key_at: source.at(key.span()),
            node: node(source, value.span(), value.get_ref(), found),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_at.span().start);
    entries
}

fn node(
    source: &Arc<Source>,
    span: std::ops::Range<usize>,
    value: &DeValue<'_>,
    found: &mut Findings,
) -> Node {
    let at = source.at(span);
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(digits) => match i64::from_str_radix(digits.as_str(), digits.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => {
                found.note(Diagnostic::new(&at, "this integer does not fit into 64 bits"));
                Value::Integer(0)
            }
        },
        DeValue::Float(digits) => match digits.as_str().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => {
                found.note(Diagnostic::new(&at, "this float cannot be read"));
                Value::Float(0.0)
            }
        },
        DeValue::Boolean(boolean) => Value::Boolean(*boolean),
        DeValue::Datetime(date) => Value::Date(date.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| node(source, item.span(), item.get_ref(), found)).collect())
        }
        DeValue::Table(table) => Value::Table(entries(source, table, found)),
    };
    Node { at, value }
}

/// One table, read key by key. Call [`Fields::finish`] at the end: keys that nobody asked for are unknown.
pub struct Fields<'a> {
    entries: &'a [Entry],
    at: &'a At,
    what: &'static str,
    known: Vec<&'static str>,
}

impl<'a> Fields<'a> {
    /// Starts to read a table; `what` names it in errors, such as "a metric". Not a table: noted, and `None`.
    pub fn of(node: &'a Node, what: &'static str, found: &mut Findings) -> Option<Fields<'a>> {
        Some(Fields { entries: node.table(found)?, at: &node.at, what, known: Vec::new() })
    }

    /// Where the table stands.
    pub fn at(&self) -> &'a At {
        self.at
    }

    /// The value of a key that may be left out.
    pub fn maybe(&mut self, key: &'static str) -> Option<&'a Node> {
        if !self.known.contains(&key) {
            self.known.push(key);
        }
        self.entries.iter().find(|e| e.key == key).map(|e| &e.node)
    }

    /// The value of a key; left out, that is noted.
    pub fn must(&mut self, key: &'static str, found: &mut Findings) -> Option<&'a Node> {
        let node = self.maybe(key);
        if node.is_none() {
            let what = self.what;
            found.note(
                Diagnostic::new(self.at, format!("{what} needs the key `{key}`"))
                    .label(format!("`{key}` is missing")),
            );
        }
        node
    }

    /// The text of a key that may be left out.
    pub fn maybe_text(&mut self, key: &'static str, found: &mut Findings) -> Option<&'a str> {
        self.maybe(key)?.text(found)
    }

    /// The items of a list that may be left out.
    pub fn items(&mut self, key: &'static str, found: &mut Findings) -> &'a [Node] {
        self.maybe(key).and_then(|node| node.list(found)).unwrap_or(&[])
    }

    /// Notes every key that nobody asked for.
    pub fn finish(self, found: &mut Findings) {
        for entry in self.entries {
            if self.known.contains(&entry.key.as_str()) {
                continue;
            }
            let mut diagnostic =
                Diagnostic::new(&entry.key_at, format!("{} has no key {}", self.what, quoted(&entry.key)))
                    .label("unknown key");
            diagnostic.hint = did_you_mean(&entry.key, self.known.iter().copied());
            found.note(diagnostic);
        }
    }
}
