//! Which columns of a plan need not be read in every poll, and what tells that they must.

use super::metric::Measured;
use roundsman_core::model::{Kind, MetricIx};
use roundsman_core::rule::Rule;
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::plan::{Object, Table};

/// Scalars that change when rows of the tables below these identifiers come or go.
const SIGNALS: [(&[u32], &[&[u32]]); 2] = [
    // ifTableLastChange (RFC 2863): ifTable, ifXTable.
    (&[1, 3, 6, 1, 2, 1, 31, 1, 5, 0], &[&[1, 3, 6, 1, 2, 1, 2, 2], &[1, 3, 6, 1, 2, 1, 31, 1, 1]]),
    // entLastChangeTime (RFC 6933): the physical entities, and their sensors (RFC 3433).
    (&[1, 3, 6, 1, 2, 1, 47, 1, 4, 1, 0], &[&[1, 3, 6, 1, 2, 1, 47, 1], &[1, 3, 6, 1, 2, 1, 99, 1]]),
];

impl Measured {
    /// Marks texts, and the names and selections of rows, as steady, unless a rule watches them, and has the signals of
    /// tables asked for.
    pub(super) fn rest(&mut self, rules: &[Rule]) {
        let is_text: Vec<bool> = self.model.metrics.iter().map(|metric| metric.kind == Kind::Text).collect();
        let is_lively =
            |metric: MetricIx| !is_text[metric.at()] || rules.iter().any(|rule| rule.on == metric);
        let scalars = &self.recipes.scalars;
        let lively: Vec<usize> = scalars.iter().filter(|s| is_lively(s.metric)).map(|s| s.scalar).collect();
        let is_steady = |slot: &u16| !lively.contains(&usize::from(*slot));
        self.plan.steady = (0..self.plan.scalars.len() as u16).filter(is_steady).collect();
        for at in 0..self.plan.tables.len() {
            let Some(recipe) = self.recipes.tables.get(at) else { continue };
            let columns = self.plan.tables[at].columns.len();
            let lively = recipe.columns.iter().filter(|column| is_lively(column.metric));
            let lively: Vec<u16> = lively.map(|column| column.column as u16).collect();
            // Which rows there are is seen by a column that is always read.
            if lively.is_empty() {
                continue;
            }
            let steady = (0..columns as u16).filter(|column| !lively.contains(column)).collect();
            let signal = signal(&self.plan.tables[at]).map(|oid| self.ask_for(oid));
            let table = &mut self.plan.tables[at];
            (table.steady, table.signal) = (steady, signal);
        }
    }

    /// Position of a scalar of the plan, which is added where no metric reads it.
    fn ask_for(&mut self, oid: Oid) -> u16 {
        let object = Object { oids: vec![oid] };
        let at = self.plan.scalars.iter().position(|known| *known == object).unwrap_or_else(|| {
            self.plan.scalars.push(object);
            self.plan.scalars.len() - 1
        });
        at as u16
    }
}

fn signal(table: &Table) -> Option<Oid> {
    let below = |above: &&[u32]| {
        let oids = || table.columns.iter().flat_map(|column| &column.oids);
        oids().any(|oid| oid.arcs().starts_with(above))
    };
    let (signal, _) = SIGNALS.iter().find(|(_, tables)| tables.iter().any(below))?;
    Oid::new(signal).ok()
}
