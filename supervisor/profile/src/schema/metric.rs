//! `[[metric]]` and `[[table]]`: the model, the plan, and the recipes that turn one into the other.

use super::bus::{Draft, Head, Wanted};
use super::keys::{Read, read_keys, read_metric, read_reach, usual_record};
use super::onvif;
use super::value::{dotted, kebab, oid, oids};
use super::{MOST_METRICS, MOST_TABLES};
use crate::diagnostic::{At, Diagnostic, Findings};
use crate::document::{Fields, Node, Value};
use crate::translate::recipe::{Column, Keep, Mark, Point, Recipes, Scalar, Table as TableRecipe};
use roundsman_core::line::Figure;
use roundsman_core::model::{self, Metric, MetricIx, Model, TableIx};
use roundsman_wire::onvif::health::Question;
use roundsman_wire::snmp::plan::{self, Object, Plan};
use std::sync::Arc;

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
    /// How the device is spoken to, where it is on a bus.
    pub(super) bus: Option<Draft>,
    /// Whether the profile says so, even where that was refused.
    pub(super) is_on_bus: bool,
    /// What is asked by ONVIF, in the order of the metrics.
    pub(super) questions: Vec<Question>,
    pub(super) plan: Plan,
    pub(super) recipes: Recipes,
    pub(super) words: Words,
    /// Where each metric stands.
    pub(super) at: Vec<At>,
    /// Names of metrics that were refused: what reads them is not refused a second time.
    pub(super) refused: Vec<String>,
    /// Which metrics said nothing of `record`.
    pub(super) record_open: Vec<bool>,
}

/// Reads all metrics of a profile.
pub(super) fn read(fields: &mut Fields<'_>, head: Head, found: &mut Findings) -> Measured {
    let Head { is_given, draft } = head;
    let mut measured = Measured { bus: draft, is_on_bus: is_given, ..Measured::default() };
    let metrics = fields.items("metric", found);
    for node in metrics {
        measured.scalar(node, found);
    }
    for node in metrics {
        measured.quality(node, found);
    }
    let tables = fields.items("table", found);
    if tables.len() > MOST_TABLES {
        found.note(Diagnostic::new(fields.at(), format!("more than {MOST_TABLES} tables")));
    }
    for node in tables.iter().take(MOST_TABLES) {
        measured.table(node, found);
    }
    measured.derives(fields.items("derive", found), found);
    measured.settle();
    measured
}

impl Measured {
    fn scalar(&mut self, node: &Node, found: &mut Findings) {
        let Some(mut fields) = Fields::of(node, "a metric", found) else {
            return;
        };
        let name_node = fields.must("name", found);
        let name = name_node.and_then(|n| dotted(n, found));
        if let Some(reach) = fields.maybe("reach") {
            let read = read_reach(&mut fields, reach, found);
            fields.finish(found);
            return self.of_line(name.zip(name_node), read, found);
        }
        if let Some(source) = onvif::source(&mut fields, found) {
            return self.of_onvif(fields, name.zip(name_node), source, None, found);
        }
        let oid = fields.maybe("oid");
        if fields.maybe("reg").is_some() || fields.maybe("from").is_some() {
            return self.on_bus(fields, name.zip(name_node), found);
        }
        if let (Some(_), Some(oid)) = (&self.bus, oid) {
            let what = "a device on a bus has no object identifiers";
            found
                .note(Diagnostic::new(&oid.at, what).hint("reg = \"input:1\" or from = { request = \"…\" }"));
        }
        let read = read_metric(&mut fields, name.unwrap_or(""), found);
        fields.finish(found);
        let (Some(name), Some(name_node), Some(read)) = (name, name_node, read) else {
            self.refused.extend(name.map(str::to_owned));
            return;
        };
        let at = self.plan.scalars.iter().position(|o| *o == read.object);
        let scalar = at.unwrap_or_else(|| {
            self.plan.scalars.push(read.object.clone());
            self.plan.scalars.len() - 1
        });
        let convert = read.convert.clone();
        if let Some(node) = read.scales_at {
            let what = "one scale for each identifier goes with a table's metric alone";
            let hint = "a scalar has one scale; make it two metrics";
            found.note(Diagnostic::new(&node, what).hint(hint));
        }
        let read = Read { scales_at: None, ..read };
        if let Some(metric) = self.add(name, name_node, read, None, found) {
            self.recipes.scalars.push(Scalar { metric, scalar, convert });
        }
    }

    /// A metric of a device on a bus.
    fn on_bus(&mut self, mut fields: Fields<'_>, name: Option<(&str, &Node)>, found: &mut Findings) {
        let (reg, from) = (fields.maybe("reg"), fields.maybe("from"));
        // Read when all metrics are known.
        fields.maybe("quality");
        let wanted = match (&mut self.bus, reg, from) {
            (None, ..) if self.is_on_bus => None,
            (None, Some(node), _) | (None, _, Some(node)) => {
                let what = "nothing says how the device is spoken to";
                let hint = "a profile with `reg` or `from` has `modbus`, `frame` or `text`";
                found.note(Diagnostic::new(&node.at, what).hint(hint));
                None
            }
            (_, Some(_), Some(node)) => {
                found.note(Diagnostic::new(&node.at, "a metric has either `reg` or `from`"));
                None
            }
            (Some(draft), Some(node), None) => draft.register(node, &mut fields, found),
            (Some(draft), None, Some(node)) => draft.answer(node, found),
            (_, None, None) => None,
        };
        let read = read_keys(&mut fields, name.map_or("", |(name, _)| name), 1, found);
        fields.finish(found);
        let (Some((name, name_node)), Some(wanted), Some(read)) = (name, wanted, read) else {
            self.refused.extend(name.map(|(name, _)| name.to_owned()));
            return;
        };
        if wanted == Wanted::Answered && read.words.len() != 2 {
            let what = "whether a unit answers is a state of two words";
            found.note(Diagnostic::new(&name_node.at, what).hint("enum = [\"silent\", \"ok\"]"));
            return;
        }
        let convert = read.convert.clone();
        if let Some(metric) = self.add(name, name_node, read, None, found) {
            let (point, octets) = match wanted {
                Wanted::Point(point, octets) => (Some(point), octets),
                Wanted::Answered => (None, 1),
            };
            self.recipes.points.push(Point { metric, point, is_wide: octets > 4, convert, worth: None });
        }
    }

    /// A metric that reach probes measure.
    fn of_line(&mut self, name: Option<(&str, &Node)>, read: Option<(Read, Figure)>, found: &mut Findings) {
        let (Some((name, name_node)), Some((read, figure))) = (name, read) else {
            self.refused.extend(name.map(|(name, _)| name.to_owned()));
            return;
        };
        if let Some(metric) = self.add(name, name_node, read, None, found) {
            self.model.line.push((metric, figure));
        }
    }

    fn table(&mut self, node: &Node, found: &mut Findings) {
        let Some(mut fields) = Fields::of(node, "a table", found) else {
            return;
        };
        let group_node = fields.must("group", found);
        let group = group_node.and_then(|n| kebab(n, found));
        if let Some(source) = onvif::source(&mut fields, found) {
            return self.list_of_onvif(fields, group.zip(group_node), source, found);
        }
        let indexed = read_index(&mut fields, found);
        let mut columns = Vec::new();
        let label = fields.maybe("label").and_then(|n| oids(n, found));
        let label = label.map(|oids| column(&mut columns, Object { oids }));
        let keep = fields.maybe("keep").and_then(|n| read_keep(n, &mut columns, found));
        let metrics = fields.must("metric", found).and_then(|n| n.list(found)).unwrap_or(&[]);
        fields.finish(found);
        let (Some(group), Some(group_node), true) = (group, group_node, indexed) else {
            return;
        };
        let Some(table) = self.new_table(group, group_node, metrics, found) else { return };
        let mut recipe = TableRecipe { table, label, keep, columns: Vec::new() };
        for node in metrics {
            self.column(node, group, &mut recipe, &mut columns, found);
        }
        self.recipes.tables.push(recipe);
        self.plan.tables.push(plan::Table { columns, ..plan::Table::default() });
    }

    /// Begins a table with these metrics; `None` where there is one of this name.
    pub(super) fn new_table(
        &mut self,
        group: &str,
        group_node: &Node,
        metrics: &[Node],
        found: &mut Findings,
    ) -> Option<TableIx> {
        if self.model.tables.iter().any(|t| &*t.group == group) {
            found.note(Diagnostic::new(&group_node.at, format!("there are two tables `{group}`")));
            return None;
        }
        if metrics.is_empty() {
            found.note(Diagnostic::new(&group_node.at, format!("the table `{group}` has no metric")));
        }
        let table = TableIx(self.model.tables.len() as u16);
        self.model.tables.push(model::Table { group: Arc::from(group), discontinuity: None, speed: None });
        Some(table)
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
            self.refused.push(whole);
            return;
        };
        let convert = read.convert.clone();
        let others = read.others.clone().into();
        let at = column(columns, read.object.clone());
        if let Some(metric) = self.add(&whole, name_node, read, Some(recipe.table), found) {
            recipe.columns.push(Column { metric, column: at, convert, others });
        }
    }

    pub(super) fn add(
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
            found.note(Diagnostic::new(&node.at, format!("a profile has at most {MOST_METRICS} metrics")));
            return false;
        }
        true
    }
}

fn column(columns: &mut Vec<Object>, object: Object) -> usize {
    columns.iter().position(|known| *known == object).unwrap_or_else(|| {
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
