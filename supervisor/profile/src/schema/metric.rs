//! `[[metric]]`, `[[table]]` and `[[derive]]`: the model, the plan, and the recipes that turn one into the other.

use super::calc::{self, Calc, Resolver};
use super::lexer::Fault;
use super::value::{bilingual, dotted, interval, is_kebab, kebab, oid, oids};
use super::{MOST_METRICS, MOST_TABLES};
use crate::diagnostic::{At, Diagnostic, Findings, did_you_mean, quoted};
use crate::document::{Fields, Node, Value};
use crate::translate::recipe::{
    Column, Convert, Keep, Mark, Number, Recipes, Scalar, Table as TableRecipe, TextFormat,
};
use roundsman_core::model::{self, Derive, Kind, Metric, MetricIx, Model, Record, TableIx};
use roundsman_core::text::Bilingual;
use roundsman_wire::snmp::plan::{self, Object, Plan};
use std::sync::Arc;

/// Most words one state may have.
const MOST_WORDS: usize = 256;

/// The words of each state metric, by its position.
#[derive(Debug, Default)]
pub(super) struct Words(Vec<Vec<Arc<str>>>);

impl Words {
    /// The words a metric may say; empty unless it is a state.
    pub(super) fn of(&self, metric: MetricIx) -> &[Arc<str>] {
        self.0.get(metric.at()).map_or(&[], Vec::as_slice)
    }
}

/// What the metrics of a profile come to.
#[derive(Default)]
pub(super) struct Measured {
    pub(super) model: Model,
    pub(super) plan: Plan,
    pub(super) recipes: Recipes,
    pub(super) words: Words,
    /// Where each metric stands.
    pub(super) at: Vec<At>,
    /// Which metrics said nothing of `record`.
    record_open: Vec<bool>,
}

/// Reads all metrics of a profile.
pub(super) fn read(fields: &mut Fields<'_>, found: &mut Findings) -> Measured {
    let mut measured = Measured::default();
    for node in fields.items("metric", found) {
        measured.scalar(node, found);
    }
    let tables = fields.items("table", found);
    if tables.len() > MOST_TABLES {
        found.note(Diagnostic::new(
            fields.at(),
            format!("more than {MOST_TABLES} tables"),
        ));
    }
    for node in tables.iter().take(MOST_TABLES) {
        measured.table(node, found);
    }
    measured.derives(fields.items("derive", found), found);
    measured.settle();
    measured
}

/// What a metric's own keys say.
struct Read {
    title: Bilingual,
    kind: Kind,
    unit: Arc<str>,
    record: Option<Record>,
    object: Object,
    convert: Convert,
    words: Vec<Arc<str>>,
}

impl Measured {
    fn scalar(&mut self, node: &Node, found: &mut Findings) {
        let Some(mut fields) = Fields::of(node, "a metric", found) else {
            return;
        };
        let name_node = fields.must("name", found);
        let name = name_node.and_then(|n| dotted(n, found));
        let read = read_metric(&mut fields, name.unwrap_or(""), found);
        fields.finish(found);
        let (Some(name), Some(name_node), Some(read)) = (name, name_node, read) else {
            return;
        };
        let at = self.plan.scalars.iter().position(|o| *o == read.object);
        let scalar = at.unwrap_or_else(|| {
            self.plan.scalars.push(read.object.clone());
            self.plan.scalars.len() - 1
        });
        let convert = read.convert.clone();
        if let Some(metric) = self.add(name, name_node, read, None, found) {
            self.recipes.scalars.push(Scalar {
                metric,
                scalar,
                convert,
            });
        }
    }

    fn table(&mut self, node: &Node, found: &mut Findings) {
        let Some(mut fields) = Fields::of(node, "a table", found) else {
            return;
        };
        let group_node = fields.must("group", found);
        let group = group_node.and_then(|n| kebab(n, found));
        let indexed = read_index(&mut fields, found);
        let mut columns = Vec::new();
        let label = fields.maybe("label").and_then(|n| oids(n, found));
        let label = label.map(|oids| column(&mut columns, Object { oids }));
        let keep = fields
            .maybe("keep")
            .and_then(|n| read_keep(n, &mut columns, found));
        let metrics = fields
            .must("metric", found)
            .and_then(|n| n.list(found))
            .unwrap_or(&[]);
        fields.finish(found);
        let (Some(group), Some(group_node), true) = (group, group_node, indexed) else {
            return;
        };
        if self.model.tables.iter().any(|t| &*t.group == group) {
            found.note(Diagnostic::new(
                &group_node.at,
                format!("there are two tables `{group}`"),
            ));
            return;
        }
        if metrics.is_empty() {
            found.note(Diagnostic::new(
                &node.at,
                format!("the table `{group}` has no metric"),
            ));
        }
        let table = TableIx(self.model.tables.len() as u16);
        self.model.tables.push(model::Table {
            group: Arc::from(group),
            discontinuity: None,
        });
        let mut recipe = TableRecipe {
            table,
            label,
            keep,
            columns: Vec::new(),
        };
        for node in metrics {
            self.column(node, group, &mut recipe, &mut columns, found);
        }
        self.recipes.tables.push(recipe);
        self.plan.tables.push(plan::Table { columns });
    }

    fn column(
        &mut self,
        node: &Node,
        group: &str,
        recipe: &mut TableRecipe,
        columns: &mut Vec<Object>,
        found: &mut Findings,
    ) {
        let Some(mut fields) = Fields::of(node, "a table's metric", found) else {
            return;
        };
        let name_node = fields.must("name", found);
        let name = name_node.and_then(|n| kebab(n, found));
        let whole = format!("{group}.{}", name.unwrap_or(""));
        let read = read_metric(&mut fields, &whole, found);
        fields.finish(found);
        let (Some(_), Some(name_node), Some(read)) = (name, name_node, read) else {
            return;
        };
        let convert = read.convert.clone();
        let at = column(columns, read.object.clone());
        if let Some(metric) = self.add(&whole, name_node, read, Some(recipe.table), found) {
            recipe.columns.push(Column {
                metric,
                column: at,
                convert,
            });
        }
    }

    fn add(
        &mut self,
        name: &str,
        node: &Node,
        read: Read,
        table: Option<TableIx>,
        found: &mut Findings,
    ) -> Option<MetricIx> {
        if !self.is_new(name, node, found) {
            return None;
        }
        let metric = MetricIx(self.model.metrics.len() as u16);
        self.record_open.push(read.record.is_none());
        self.words.0.push(read.words);
        self.at.push(node.at.clone());
        self.model.metrics.push(Metric {
            name: Arc::from(name),
            title: read.title,
            kind: read.kind,
            unit: read.unit,
            record: read.record.unwrap_or(usual_record(read.kind)),
            table,
        });
        Some(metric)
    }

    fn is_new(&self, name: &str, node: &Node, found: &mut Findings) -> bool {
        if let Some(known) = self.model.metric(name) {
            let (line, _) = self.at[known.at()].position();
            let file = self.at[known.at()].file();
            found.note(
                Diagnostic::new(&node.at, format!("there are two metrics `{name}`"))
                    .label("the second one")
                    .hint(format!("the first one stands in {file}, line {line}")),
            );
            return false;
        }
        if self.model.metrics.len() >= MOST_METRICS {
            found.note(Diagnostic::new(
                &node.at,
                format!("a profile has at most {MOST_METRICS} metrics"),
            ));
            return false;
        }
        true
    }

    /// Derived metrics, put into an order in which each one reads only what stands before it.
    fn derives(&mut self, nodes: &[Node], found: &mut Findings) {
        let mut waiting: Vec<Draft<'_>> = nodes.iter().filter_map(|n| Draft::read(n, found)).collect();
        while !waiting.is_empty() {
            let names: Vec<String> = waiting.iter().map(|draft| draft.name.to_owned()).collect();
            let ready = waiting.iter().position(|draft| {
                let own = |read: &String| names.contains(read) && self.model.metric(read).is_none();
                !draft.reads.iter().any(own)
            });
            let Some(ready) = ready else {
                for draft in &waiting {
                    let what = format!("`{}` is derived from itself", draft.name);
                    let hint = format!("these wait for each other: {}", names.join(", "));
                    found.note(Diagnostic::new(&draft.calc_node.at, what).hint(hint));
                }
                return;
            };
            let draft = waiting.remove(ready);
            self.derive(draft, found);
        }
    }

    fn derive(&mut self, draft: Draft<'_>, found: &mut Findings) {
        let mut resolver = Resolver {
            metrics: &self.model.metrics,
            table: None,
        };
        let calc = match resolver.expression(&draft.calc) {
            Ok(calc) => calc,
            Err(fault) => {
                note_fault(draft.calc_node, fault, "this `calc` cannot be computed", found);
                return;
            }
        };
        let table = resolver.table;
        let group = draft.name.split('.').next().unwrap_or("");
        let home = self.model.tables.iter().position(|t| &*t.group == group);
        let home = home.map(|at| TableIx(at as u16));
        if home != table {
            let what = match table {
                Some(table) => format!(
                    "this is computed for each row of the table `{0}`, its name must begin with `{0}.`",
                    self.model.tables[table.at()].group
                ),
                None => format!("this is one value for the device, but `{group}` is a table"),
            };
            found.note(Diagnostic::new(&draft.name_node.at, what));
            return;
        }
        let read = Read {
            title: draft.title,
            kind: Kind::Gauge,
            unit: draft.unit,
            record: draft.record,
            object: Object { oids: Vec::new() },
            convert: Convert::Number(Number::default()),
            words: Vec::new(),
        };
        if let Some(metric) = self.add(draft.name, draft.name_node, read, table, found) {
            self.model.derives.push(Derive { metric, calc });
        }
    }

    /// What follows from everything together: history of counters, restarts, discontinuities.
    fn settle(&mut self) {
        let mut rated = vec![false; self.model.metrics.len()];
        for derive in &self.model.derives {
            mark_rates(&derive.calc, &mut rated);
        }
        for (at, metric) in self.model.metrics.iter_mut().enumerate() {
            if self.record_open[at] && metric.kind == Kind::Counter && !rated[at] {
                metric.record = Record::Every;
            }
        }
        self.model.uptime = self
            .model
            .metric("system.uptime")
            .filter(|m| self.model.metrics[m.at()].kind == Kind::Gauge);
        for at in 0..self.model.tables.len() {
            let name = format!("{}.counter-discontinuity", self.model.tables[at].group);
            self.model.tables[at].discontinuity = self.model.metric(&name);
        }
    }
}

fn mark_rates(calc: &roundsman_core::derive::Expression, rated: &mut [bool]) {
    use roundsman_core::derive::Expression;
    match calc {
        Expression::Rate(metric) => rated[metric.at()] = true,
        Expression::Binary(_, left, right) => {
            mark_rates(left, rated);
            mark_rates(right, rated);
        }
        Expression::Min(arguments) | Expression::Max(arguments) => {
            arguments.iter().for_each(|a| mark_rates(a, rated));
        }
        _ => {}
    }
}

/// A derived metric as it is written.
struct Draft<'a> {
    name: &'a str,
    name_node: &'a Node,
    calc: Calc,
    calc_node: &'a Node,
    reads: Vec<String>,
    title: Bilingual,
    unit: Arc<str>,
    record: Option<Record>,
}

impl<'a> Draft<'a> {
    fn read(node: &'a Node, found: &mut Findings) -> Option<Draft<'a>> {
        let mut fields = Fields::of(node, "a derived metric", found)?;
        let name_node = fields.must("name", found);
        let name = name_node.and_then(|n| dotted(n, found));
        let calc_node = fields.must("calc", found);
        let calc = calc_node.and_then(|n| {
            let text = n.text(found)?;
            calc::parse(text)
                .map_err(|fault| note_fault(n, fault, "this `calc` cannot be read", found))
                .ok()
        });
        let unit = fields.maybe_text("unit", found).unwrap_or("");
        if let Some(kind) = fields.maybe("kind")
            && kind.text(found).is_some_and(|kind| kind != "gauge")
        {
            found.note(Diagnostic::new(&kind.at, "what is calculated is a gauge").hint("leave `kind` out"));
        }
        let record = fields.maybe("record").and_then(|n| read_record(n, found));
        let title = fields.maybe("title").and_then(|n| bilingual(n, "a title", found));
        fields.finish(found);
        let (name, calc) = (name?, calc?);
        let mut reads = Vec::new();
        calc.reads(&mut reads);
        Some(Draft {
            name,
            name_node: name_node?,
            calc,
            calc_node: calc_node?,
            reads,
            title: title.unwrap_or_else(|| Bilingual::new(name, name)),
            unit: Arc::from(unit),
            record,
        })
    }
}

/// Notes an error of one of the small languages at its place inside the string.
pub(super) fn note_fault(node: &Node, fault: Fault, what: &str, found: &mut Findings) {
    let at = match &node.value {
        Value::Text(text) => node.at.inside(text, fault.span),
        _ => node.at.clone(),
    };
    let mut diagnostic = Diagnostic::new(&at, format!("{what}: {}", fault.what));
    diagnostic.hint = fault.hint;
    found.note(diagnostic);
}

fn column(columns: &mut Vec<Object>, object: Object) -> usize {
    columns
        .iter()
        .position(|known| *known == object)
        .unwrap_or_else(|| {
            columns.push(object);
            columns.len() - 1
        })
}

/// `index`: the names of the parts of a row's index; they say what an unlabelled instance such as `1.3` means.
fn read_index(fields: &mut Fields<'_>, found: &mut Findings) -> bool {
    let Some(node) = fields.must("index", found) else {
        return false;
    };
    let Some(parts) = node.list(found) else {
        return false;
    };
    if parts.is_empty() {
        found
            .note(Diagnostic::new(&node.at, "an index has at least one part").hint("such as [\"if-index\"]"));
        return false;
    }
    let names: Vec<_> = parts.iter().filter_map(|part| kebab(part, found)).collect();
    names.len() == parts.len()
}

fn read_keep(node: &Node, columns: &mut Vec<Object>, found: &mut Findings) -> Option<Keep> {
    let mut fields = Fields::of(node, "`keep`", found)?;
    let oid = fields.must("oid", found).and_then(|n| oid(n, found));
    let list = fields.must("in", found);
    let values: Option<Vec<Mark>> = list
        .and_then(|n| n.list(found))
        .map(|items| items.iter().filter_map(|item| read_mark(item, found)).collect());
    if let (Some(list), Some(values)) = (list, &values)
        && values.is_empty()
    {
        found.note(Diagnostic::new(&list.at, "no row would be kept").hint("name at least one value"));
    }
    fields.finish(found);
    let values = values?.into();
    let column = column(columns, Object { oids: vec![oid?] });
    Some(Keep { column, values })
}

/// A number, or an object identifier as a string.
fn read_mark(node: &Node, found: &mut Findings) -> Option<Mark> {
    match node.value {
        Value::Text(_) => oid(node, found).map(|oid| Mark::Oid(oid.arcs().into())),
        _ => node.integer(found).map(Mark::Number),
    }
}

fn usual_record(kind: Kind) -> Record {
    match kind {
        Kind::Gauge => Record::Every,
        Kind::State | Kind::Text => Record::Change,
        Kind::Counter => Record::None,
    }
}

fn read_record(node: &Node, found: &mut Findings) -> Option<Record> {
    match node.text(found)? {
        "every" => Some(Record::Every),
        "change" => Some(Record::Change),
        "none" => Some(Record::None),
        other => {
            note_choice(node, "`record`", other, &["every", "change", "none"], found);
            None
        }
    }
}

/// Notes that a word is none of those allowed.
pub(super) fn note_choice(node: &Node, what: &str, word: &str, known: &[&str], found: &mut Findings) {
    let mut diagnostic = Diagnostic::new(&node.at, format!("{what} is never {}", quoted(word)));
    diagnostic.hint = did_you_mean(word, known.iter().copied());
    found.note(diagnostic);
}

fn read_metric(fields: &mut Fields<'_>, name: &str, found: &mut Findings) -> Option<Read> {
    let oids = fields.must("oid", found).and_then(|n| oids(n, found));
    let kind_node = fields.must("kind", found);
    let kind = kind_node.and_then(|node| match node.text(found)? {
        "gauge" => Some(Kind::Gauge),
        "counter" => Some(Kind::Counter),
        "state" => Some(Kind::State),
        "text" => Some(Kind::Text),
        other => {
            note_choice(
                node,
                "a metric's kind",
                other,
                &["gauge", "counter", "state", "text"],
                found,
            );
            None
        }
    });
    let unit = fields.maybe_text("unit", found).unwrap_or("");
    let record = fields.maybe("record").and_then(|n| read_record(n, found));
    let title = fields.maybe("title").and_then(|n| bilingual(n, "a title", found));
    let (convert, words) = read_convert(fields, kind, found)?;
    Some(Read {
        title: title.unwrap_or_else(|| Bilingual::new(name, name)),
        kind: kind?,
        unit: Arc::from(unit),
        record,
        object: Object { oids: oids? },
        convert,
        words,
    })
}

/// The keys that say how a raw value becomes one of this kind; those of other kinds are refused.
fn read_convert(
    fields: &mut Fields<'_>,
    kind: Option<Kind>,
    found: &mut Findings,
) -> Option<(Convert, Vec<Arc<str>>)> {
    let scale = fields.maybe("scale");
    let range = fields.maybe("range");
    let invalid_node = fields.maybe("invalid");
    let words = fields.maybe("enum");
    let format = fields.maybe("format");
    let kind = kind?;
    let mut refuse = |node: Option<&Node>, key: &str, allowed: &[Kind], hint: &str| {
        if let Some(node) = node
            && !allowed.contains(&kind)
        {
            let what = format!("`{key}` does not go with this kind of metric");
            found.note(Diagnostic::new(&node.at, what).hint(hint));
        }
    };
    refuse(
        scale,
        "scale",
        &[Kind::Gauge],
        "only gauges are scaled; a counter's rate is scaled in its [[derive]]",
    );
    refuse(range, "range", &[Kind::Gauge], "only gauges have a range");
    refuse(
        invalid_node,
        "invalid",
        &[Kind::Gauge, Kind::Counter, Kind::State],
        "for gauges, counters and states",
    );
    refuse(words, "enum", &[Kind::State], "only states have words");
    refuse(format, "format", &[Kind::Text], "only texts have a format");
    let invalid: Vec<f64> = invalid_node
        .and_then(|n| n.list(found))
        .unwrap_or(&[])
        .iter()
        .filter_map(|item| item.number(found))
        .collect();
    let invalid: Box<[f64]> = invalid.into();
    match kind {
        Kind::Gauge => {
            let scale = scale.map_or(Some(1.0), |n| read_scale(n, found))?;
            let range = range.and_then(|n| interval(n, found));
            Some((Convert::Number(Number::new(scale, invalid, range)), Vec::new()))
        }
        Kind::Counter => Some((Convert::Counter { invalid }, Vec::new())),
        Kind::State => {
            let Some(node) = words else {
                found.note(
                    Diagnostic::new(fields.at(), "a state needs the words of its numbers")
                        .label("`enum` is missing")
                        .hint("enum = { 1 = \"up\", 2 = \"down\" }"),
                );
                return None;
            };
            let pairs = read_words(node, found)?;
            let mut words: Vec<Arc<str>> = Vec::new();
            for (_, word) in &pairs {
                if !words.contains(word) {
                    words.push(word.clone());
                }
            }
            let words_of = pairs.into();
            Some((
                Convert::State {
                    words: words_of,
                    invalid,
                },
                words,
            ))
        }
        Kind::Text => {
            let format = match format {
                None => TextFormat::Plain,
                Some(node) => match node.text(found)? {
                    "mac" => TextFormat::Mac,
                    "hex" => TextFormat::Hex,
                    other => {
                        note_choice(node, "a text's format", other, &["mac", "hex"], found);
                        return None;
                    }
                },
            };
            Some((Convert::Text(format), Vec::new()))
        }
    }
}

fn read_scale(node: &Node, found: &mut Findings) -> Option<f64> {
    let scale = node.number(found)?;
    if scale == 0.0 {
        found.note(Diagnostic::new(&node.at, "a scale of 0 would make every value 0"));
        return None;
    }
    Some(scale)
}

/// `enum`: a table from number to word, or a list of words counted from 0.
fn read_words(node: &Node, found: &mut Findings) -> Option<Vec<(i64, Arc<str>)>> {
    let mut pairs = Vec::new();
    match &node.value {
        Value::Table(entries) => {
            for entry in entries {
                match entry.key.parse::<i64>() {
                    Ok(number) => pairs.push((number, &entry.node)),
                    Err(_) => {
                        let what = format!("{} is no number", quoted(&entry.key));
                        let hint =
                            "number on the left, word on the right: enum = { 1 = \"up\", 2 = \"down\" }";
                        found.note(Diagnostic::new(&entry.key_at, what).hint(hint));
                    }
                }
            }
        }
        Value::List(items) => pairs.extend(items.iter().enumerate().map(|(at, item)| (at as i64, item))),
        _ => {
            node.table(found);
            return None;
        }
    }
    if pairs.is_empty() || pairs.len() > MOST_WORDS {
        found.note(Diagnostic::new(
            &node.at,
            format!("an enum has 1 to {MOST_WORDS} words"),
        ));
        return None;
    }
    let mut words = Vec::new();
    for (number, node) in pairs {
        let word = node.text(found)?;
        if !is_kebab(word) {
            let what = format!("{} is no word of a state", quoted(word));
            found.note(Diagnostic::new(&node.at, what).hint("kebab case, such as `lower-layer-down`"));
            return None;
        }
        words.push((number, Arc::from(word)));
    }
    words.sort_by_key(|(number, _)| *number);
    Some(words)
}
