//! `[[derive]]`: derived metrics, put into the order of their computation, and what follows from them.

use super::calc::{self, Calc, Resolver};
use super::keys::{Read, read_record};
use super::metric::Measured;
use super::value::{bilingual, dotted, note_fault};
use crate::diagnostic::{Diagnostic, Findings};
use crate::document::{Fields, Node};
use roundsman_core::derive::Expression;
use roundsman_core::model::{Derive, Kind, Record, TableIx};
use roundsman_core::text::Bilingual;
use std::sync::Arc;

impl Measured {
    /// Derived metrics, put into an order in which each one reads only what stands before it.
    pub(super) fn derives(&mut self, nodes: &[Node], found: &mut Findings) {
        let mut waiting: Vec<Draft<'_>> = Vec::new();
        for node in nodes {
            match Draft::read(node, found) {
                Some(draft) => waiting.push(draft),
                None => self.refused.extend(node.get("name").and_then(Node::plain_text)),
            }
        }
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
                self.refused.extend(names);
                return;
            };
            let draft = waiting.remove(ready);
            if draft.reads.iter().any(|read| self.refused.contains(read)) {
                self.refused.push(draft.name.to_owned());
                continue;
            }
            let name = draft.name.to_owned();
            if self.derive(draft, found).is_none() {
                self.refused.push(name);
            }
        }
    }

    fn derive(&mut self, draft: Draft<'_>, found: &mut Findings) -> Option<()> {
        let mut resolver = Resolver { metrics: &self.model.metrics, table: None };
        let calc = match resolver.expression(&draft.calc) {
            Ok(calc) => calc,
            Err(fault) => {
                note_fault(draft.calc_node, fault, "this `calc` cannot be computed", found);
                return None;
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
            return None;
        }
        let read = Read::computed(draft.title, draft.unit, draft.record);
        let metric = self.add(draft.name, draft.name_node, read, table, found)?;
        self.model.derives.push(Derive { metric, calc });
        Some(())
    }

    /// What follows from everything together: history of counters, restarts, discontinuities.
    pub(super) fn settle(&mut self) {
        let mut rated = vec![false; self.model.metrics.len()];
        for derive in &self.model.derives {
            mark_rates(&derive.calc, &mut rated);
        }
        for (at, metric) in self.model.metrics.iter_mut().enumerate() {
            if self.record_open[at] && metric.kind == Kind::Counter && !rated[at] {
                metric.record = Record::Every;
            }
        }
        self.model.uptime =
            self.model.metric("system.uptime").filter(|m| self.model.metrics[m.at()].kind == Kind::Gauge);
        for at in 0..self.model.tables.len() {
            let name = format!("{}.counter-discontinuity", self.model.tables[at].group);
            self.model.tables[at].discontinuity = self.model.metric(&name);
            let speed = self.model.metric(&format!("{}.speed", self.model.tables[at].group));
            self.model.tables[at].speed = speed.filter(|m| &*self.model.metrics[m.at()].unit == "bit/s");
        }
    }
}

fn mark_rates(calc: &Expression, rated: &mut [bool]) {
    match calc {
        Expression::Rate(metric) => rated[metric.at()] = true,
        Expression::Binary(_, left, right) | Expression::DewPoint(left, right) => {
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
            calc::parse(text).map_err(|fault| note_fault(n, fault, "this `calc` cannot be read", found)).ok()
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
