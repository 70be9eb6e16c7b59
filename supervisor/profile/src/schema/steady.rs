//! Which columns of a plan need not be read in every poll, and what tells that they must.

use super::metric::Measured;
use crate::translate::recipe::Table as Recipe;
use roundsman_core::model::Kind;
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
    /// Marks names, selections and texts of tables as steady, unless a rule watches them, and has the signals of their
    /// tables asked for.
    pub(super) fn rest(&mut self, rules: &[Rule]) {
        for at in 0..self.plan.tables.len() {
            let Some(recipe) = self.recipes.tables.get(at) else { continue };
            let columns = self.plan.tables[at].columns.len();
            let lively: Vec<u16> = lively(recipe, rules, |metric| self.model.metrics[metric].kind).collect();
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

/// Positions of the columns that are read in every poll.
fn lively<'a>(
    recipe: &'a Recipe,
    rules: &'a [Rule],
    kind: impl Fn(usize) -> Kind + 'a,
) -> impl Iterator<Item = u16> + 'a {
    let is_watched = |metric| rules.iter().any(|rule| rule.on == metric);
    let lively =
        recipe.columns.iter().filter(move |c| kind(c.metric.at()) != Kind::Text || is_watched(c.metric));
    lively.map(|column| column.column as u16)
}

fn signal(table: &Table) -> Option<Oid> {
    let below = |above: &&[u32]| {
        let oids = || table.columns.iter().flat_map(|column| &column.oids);
        oids().any(|oid| oid.arcs().starts_with(above))
    };
    let (signal, _) = SIGNALS.iter().find(|(_, tables)| tables.iter().any(below))?;
    Oid::new(signal).ok()
}
