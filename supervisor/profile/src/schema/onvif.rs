//! `call`, `probe` and `read`: metrics of cameras and recorders, asked by ONVIF, RTSP and HTTP; their fixtures (`said`);
//! the messages of their event service (`topic`).

use super::Signal;
use super::keys::read_keys;
use super::metric::Measured;
use super::recorded::{Change, Recording, Told};
use super::value::{filled, kebab, note_choice};
use crate::diagnostic::{At, Diagnostic, Findings};
use crate::document::{Entry, Fields, Node, Value};
use crate::translate::recipe::Item as Recipe;
use roundsman_core::model::{Kind, TableIx};
use roundsman_core::reading::Absence;
use roundsman_wire::onvif::MOST_LISTED;
use roundsman_wire::onvif::call::Errand;
use roundsman_wire::onvif::events::{Notification, Operation};
use roundsman_wire::onvif::health::{self, Question, Row};
use std::sync::Arc;

/// Most values of one message.
const MOST_DATA: usize = 16;

/// Where the value of a metric comes from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    node: &'a Node,
    /// `None` where it was refused: what needs it is not refused a second time.
    question: Option<Question>,
}

/// `call` or `probe` of a metric or table; `None` where neither is given.
pub(super) fn source<'a>(fields: &mut Fields<'a>, found: &mut Findings) -> Option<Source<'a>> {
    let (call, probe) = (fields.maybe("call"), fields.maybe("probe"));
    if let (Some(_), Some(node)) = (call, probe) {
        found.note(Diagnostic::new(&node.at, "a metric comes of a `call` or of a `probe`, not of both"));
        return Some(Source { node, question: None });
    }
    let node = call.or(probe)?;
    let question = node.text(found).and_then(|word| {
        let question = Question::from_word(word).filter(|question| question.is_call() == call.is_some());
        if question.is_none() {
            let what = if call.is_some() { "a call" } else { "a probe" };
            let fits = |question: &Question| question.is_call() == call.is_some();
            let known: Vec<&str> =
                Question::ALL.iter().filter(|(_, question)| fits(question)).map(|(word, _)| *word).collect();
            note_choice(node, what, word, &known, found);
        }
        question
    });
    Some(Source { node, question })
}

impl Measured {
    /// A metric of a camera or recorder, whose other keys are still in `fields`.
    pub(super) fn of_onvif(
        &mut self,
        mut fields: Fields<'_>,
        name: Option<(&str, &Node)>,
        source: Source<'_>,
        table: Option<TableIx>,
        found: &mut Findings,
    ) {
        let read_node = fields.must("read", found);
        let word = read_node.and_then(|node| node.text(found));
        let read = read_keys(&mut fields, name.map_or("", |(name, _)| name), 1, found);
        for key in ["oid", "reg", "from"] {
            if let Some(node) = fields.maybe(key) {
                let what = format!("a device that is asked by ONVIF has no `{key}`");
                found.note(Diagnostic::new(&node.at, what));
            }
        }
        fields.finish(found);
        let (Some((name, name_node)), Some(question), Some(word), Some(read_node), Some(read)) =
            (name, source.question, word, read_node, read)
        else {
            self.refused.extend(name.map(|(name, _)| name.to_owned()));
            return;
        };
        if question.is_list() != table.is_some() {
            let what = match table {
                Some(_) => format!("`{}` has one answer for the device, no rows", question.word()),
                None => format!("`{}` has rows: it is asked by a [[table]]", question.word()),
            };
            found.note(Diagnostic::new(&source.node.at, what));
            self.refused.push(name.to_owned());
            return;
        }
        let Some(item) = question.item(word) else {
            let known: Vec<&str> = question.items().iter().map(|(word, _)| *word).collect();
            note_choice(read_node, "what the answer tells", word, &known, found);
            self.refused.push(name.to_owned());
            return;
        };
        if !fits(question.items()[item].1, &read, read_node, found) {
            self.refused.push(name.to_owned());
            return;
        }
        let convert = read.convert.clone();
        if let Some(metric) = self.add(name, name_node, read, table, found) {
            if !self.questions.contains(&question) {
                self.questions.push(question);
            }
            self.recipes.items.push(Recipe { metric, question, item, table, convert });
        }
    }

    /// A table of a camera or recorder: what its question lists.
    pub(super) fn list_of_onvif(
        &mut self,
        mut fields: Fields<'_>,
        group: Option<(&str, &Node)>,
        source: Source<'_>,
        found: &mut Findings,
    ) {
        let metrics = fields.must("metric", found).and_then(|n| n.list(found)).unwrap_or(&[]);
        fields.finish(found);
        let Some((group, group_node)) = group else { return };
        let Some(table) = self.new_table(group, group_node, metrics, found) else { return };
        for node in metrics {
            let Some(mut fields) = Fields::of(node, "a table's metric", found) else { continue };
            let name_node = fields.must("name", found);
            let name = name_node.and_then(|n| kebab(n, found)).map(|name| format!("{group}.{name}"));
            self.of_onvif(fields, name.as_deref().zip(name_node), source, Some(table), found);
        }
    }
}

/// Whether a metric is of the kind, unit and words of an item.
fn fits(is: health::Kind, read: &super::keys::Read, node: &Node, found: &mut Findings) -> bool {
    let what = match is {
        health::Kind::Number(unit) if read.kind != Kind::Gauge || *read.unit != *unit => {
            format!("this is a gauge in {unit}")
        }
        health::Kind::Text if read.kind != Kind::Text => "this is a text".to_owned(),
        health::Kind::State(words) => {
            let same = read.kind == Kind::State
                && words.len() == read.words.len()
                && read.words.iter().all(|word| words.contains(&&**word));
            if same {
                return true;
            }
            let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!("this is a state: enum = [{}]", words.join(", "))
        }
        _ => return true,
    };
    found.note(Diagnostic::new(&node.at, what));
    false
}

/// What a command has a camera or recorder do.
pub(super) fn errand(node: &Node, measured: &Measured, found: &mut Findings) -> Option<Errand> {
    if measured.questions.is_empty() {
        let what = "only a device that is asked by ONVIF is called";
        found.note(Diagnostic::new(&node.at, what).hint("metrics with `call` or `probe` make it one"));
        return None;
    }
    let word = node.text(found)?;
    let errand = Errand::ALL.iter().find(|(known, _)| *known == word).map(|(_, errand)| *errand);
    if errand.is_none() {
        note_choice(node, "what a command calls", word, &Errand::ALL.map(|(word, _)| word), found);
    }
    errand
}

/// The signal of a message: its topic, and values that its data must have.
pub(super) fn topic(fields: &mut Fields<'_>, node: &Node, found: &mut Findings) -> Option<Signal> {
    let topic = filled(node, found)?;
    if topic.contains(':') || topic.ends_with(['/', '.']) {
        let what = "a topic stands here without prefixes, and without what some devices write at its end";
        found.note(Diagnostic::new(&node.at, what).hint("topic = \"VideoSource/SignalLoss\""));
        return None;
    }
    let data = pairs(fields.maybe("data"), found)?;
    Some(Signal::Topic { topic: Arc::from(topic), data })
}

fn pairs(node: Option<&Node>, found: &mut Findings) -> Option<Vec<(Arc<str>, Arc<str>)>> {
    let entries = node.map_or(Some(&[][..]), |node| node.table(found))?;
    let pair = |entry: &Entry, found: &mut Findings| {
        Some((Arc::from(entry.key.as_str()), Arc::from(entry.node.text(found)?)))
    };
    entries.iter().take(MOST_DATA).map(|entry| pair(entry, found)).collect()
}

/// The message of a fixture's `hear`.
pub(super) fn message(fields: &mut Fields<'_>, found: &mut Findings) -> Option<Notification> {
    let topic = fields.must("topic", found).and_then(|node| filled(node, found));
    let (source, data) = (pairs(fields.maybe("source"), found), pairs(fields.maybe("data"), found));
    let operation = match fields.maybe_text("operation", found) {
        Some("initialized") => Operation::Initialized,
        Some("deleted") => Operation::Deleted,
        _ => Operation::Changed,
    };
    let plain = |pairs: Vec<(Arc<str>, Arc<str>)>| {
        pairs.iter().map(|(name, value)| (Box::from(&**name), Box::from(&**value))).collect()
    };
    let (source, data) = (plain(source?), plain(data?));
    Some(Notification { topic: topic?.into(), at: None, operation, source, data })
}

/// The recorded device, and where it stands.
pub(super) fn recording(fields: &mut Fields<'_>, found: &mut Findings) -> Option<(Recording, At)> {
    let node = fields.must("said", found)?;
    let entries = node.table(found)?;
    let told = entries.iter().map(|entry| told(entry, found)).collect::<Option<Vec<_>>>()?;
    Some((Recording::Onvif(told), node.at.clone()))
}

/// What is said from the beginning of a step on: `set = { login = { state = "refused" } }`.
pub(super) fn changes(fields: &mut Fields<'_>, found: &mut Findings) -> Vec<(Change, At)> {
    let entries = fields.maybe("set").and_then(|node| node.table(found)).unwrap_or(&[]);
    let change = |entry: &Entry, found: &mut Findings| {
        let (question, told) = told(entry, found)?;
        Some((Change::Told(question, told), entry.key_at.clone()))
    };
    entries.iter().filter_map(|entry| change(entry, found)).collect()
}

/// Items of one row, a list of rows, the file of an answer, or why nothing comes.
fn told(entry: &Entry, found: &mut Findings) -> Option<(Question, Told)> {
    let Some(question) = Question::from_word(&entry.key) else {
        let at = Node { at: entry.key_at.clone(), ..entry.node.clone() };
        note_choice(&at, "a question", &entry.key, &Question::ALL.map(|(word, _)| word), found);
        return None;
    };
    let node = &entry.node;
    let told = match &node.value {
        Value::Text(word) => {
            let Some(absence) = Absence::from_word(word) else {
                let known: Vec<&str> = Absence::ALL.iter().map(|absence| absence.word()).collect();
                note_choice(node, "a quality", word, &known, found);
                return None;
            };
            Told::Said(Err(absence))
        }
        Value::List(rows) => {
            let rows = rows.iter().take(MOST_LISTED).map(|node| row(question, node, found));
            Told::Said(Ok(rows.collect::<Option<_>>()?))
        }
        _ => match node.get("xml") {
            Some(file) => Told::Document(Arc::from(filled(file, found)?), file.at.clone()),
            None => Told::Said(Ok(vec![row(question, node, found)?])),
        },
    };
    Some((question, told))
}

fn row(question: Question, node: &Node, found: &mut Findings) -> Option<Row> {
    let mut row = Row::of(question);
    for entry in node.table(found)? {
        if entry.key == "label" && question.is_list() {
            row.label = entry.node.text(found)?.into();
            continue;
        }
        let Some(item) = question.item(&entry.key) else {
            let what = format!("the answer to `{}` tells no `{}`", question.word(), entry.key);
            let known: Vec<&str> = question.items().iter().map(|(word, _)| *word).collect();
            found.note(Diagnostic::new(&entry.key_at, what).hint(known.join(", ")));
            return None;
        };
        row = match question.items()[item].1 {
            health::Kind::Number(_) => row.number(&entry.key, Some(entry.node.number(found)?)),
            health::Kind::Text => row.text(&entry.key, Some(entry.node.text(found)?)),
            health::Kind::State(words) => {
                let word = entry.node.text(found)?;
                if !words.contains(&word) {
                    note_choice(&entry.node, "a word of this state", word, words, found);
                    return None;
                }
                row.state(&entry.key, word)
            }
        };
    }
    Some(row)
}
