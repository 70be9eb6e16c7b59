//! The rows of one table of one device: which there are, which are looked at, what they are called.
//!
//! Names cost most of the work of a poll and hardly ever change. The roster therefore keeps the octets it was made
//! from; while the answer repeats them nothing is made anew.

use super::recipe::{Mark, Table, TextFormat};
use super::view::View;
use super::{has_ended, text};
use roundsman_core::model::{InstanceIx, Labels};
use roundsman_wire::snmp::answer::{self, Answer, Column, Raw};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Longest label in characters; interface and sensor names stay far below it.
const LONGEST_LABEL: usize = 128;

/// Most rows of a table, those that are not kept included.
const MOST_ROWS: usize = Answer::MOST_CELLS;

type Index = Box<[u32]>;

/// A row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    index: Index,
    instance: Option<InstanceIx>,
}

impl Row {
    pub(super) fn index(&self) -> &[u32] {
        &self.index
    }

    /// Its instance; `None` for a row that is not looked at.
    pub(super) fn instance(&self) -> Option<InstanceIx> {
        self.instance
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Roster {
    /// Sorted by index.
    rows: Vec<Row>,
    /// The label column as it was.
    labels: Vec<(Index, Box<[u8]>)>,
    /// The keep column as it was.
    kept: Vec<(Index, Mark)>,
    /// How many cells each data column had.
    widths: Vec<usize>,
}

impl Roster {
    pub(super) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Brings the roster up to what the answer says. A walk that broke off adds rows and removes none. Gives the
    /// instances that have another index than before.
    pub(super) fn follow(
        &mut self,
        recipe: &Table,
        table: &answer::Table,
        answer: &Answer,
        labels: &mut Labels,
    ) -> Vec<InstanceIx> {
        if self.is_current(recipe, table, answer) {
            return Vec::new();
        }
        let known = |row: &Row| Some((row.instance?, row.index.clone()));
        let before: HashMap<InstanceIx, Index> = self.rows.iter().filter_map(known).collect();
        if let Some(column) = recipe.label.and_then(|at| table.columns.get(at)) {
            let fresh = cells(column, answer).map(|(index, raw)| (index, octets(answer, raw).into()));
            renew(&mut self.labels, fresh, has_ended(column));
        }
        if let Some(column) = recipe.keep.as_ref().and_then(|keep| table.columns.get(keep.column)) {
            let fresh =
                cells(column, answer).filter_map(|(index, raw)| Some((index, Mark::of(answer, raw)?)));
            renew(&mut self.kept, fresh, has_ended(column));
        }
        let columns = || recipe.columns.iter().filter_map(|column| table.columns.get(column.column));
        let mut rows: Vec<(Index, ())> = self.rows.drain(..).map(|row| (row.index, ())).collect();
        let fresh = columns().flat_map(|column| cells(column, answer)).map(|(index, _)| (index, ()));
        renew(&mut rows, fresh, columns().all(has_ended));
        self.widths = columns().map(|column| column.cells.len()).collect();
        self.name(rows, recipe, labels);
        let moved = |row: &Row| {
            let instance = row.instance?;
            before.get(&instance).is_some_and(|index| *index != row.index).then_some(instance)
        };
        self.rows.iter().filter_map(moved).collect()
    }

    fn is_current(&self, recipe: &Table, table: &answer::Table, answer: &Answer) -> bool {
        let label = recipe.label.and_then(|at| table.columns.get(at));
        let keep = recipe.keep.as_ref().and_then(|keep| table.columns.get(keep.column));
        let columns = || recipe.columns.iter().filter_map(|column| table.columns.get(column.column));
        let same_widths = || {
            let widths = columns().map(|column| column.cells.len());
            !columns().all(has_ended) || widths.eq(self.widths.iter().copied())
        };
        label.is_none_or(|column| {
            repeats(&self.labels, column, answer, |raw, known| *octets(answer, raw) == **known)
        }) && keep
            .is_none_or(|column| repeats(&self.kept, column, answer, |raw, known| known.is(answer, raw)))
            && same_widths()
            && columns().all(|column| self.knows(column, answer))
    }

    /// Whether every cell of the column belongs to a known row.
    fn knows(&self, column: &Column, answer: &Answer) -> bool {
        let mut at = 0;
        column.cells.iter().all(|cell| {
            let index = answer.arcs(cell.index);
            if self.rows.get(at).is_none_or(|row| &*row.index != index) {
                match self.rows.binary_search_by(|row| (*row.index).cmp(index)) {
                    Ok(found) => at = found,
                    Err(_) => return false,
                }
            }
            at += 1;
            true
        })
    }

    /// Names the rows: those kept get the instance of their label.
    fn name(&mut self, rows: Vec<(Index, ())>, recipe: &Table, labels: &mut Labels) {
        let is_kept = |index: &Index| {
            recipe.keep.as_ref().is_none_or(|keep| {
                let at = self.kept.binary_search_by(|(known, _)| known.cmp(index));
                at.is_ok_and(|at| keep.values.contains(&self.kept[at].1))
            })
        };
        let named: Vec<(Index, Option<String>)> = rows
            .into_iter()
            .take(MOST_ROWS)
            .map(|(index, ())| {
                // No row has an index of nothing (RFC 2578, section 7.7): its label would be that of what has no rows.
                let label = (!index.is_empty() && is_kept(&index)).then(|| self.label(&index));
                (index, label)
            })
            .collect();
        let mut count: HashMap<&str, u32> = HashMap::new();
        for label in named.iter().filter_map(|(_, label)| label.as_deref()) {
            *count.entry(label).or_default() += 1;
        }
        let mut taken = HashSet::new();
        let mut rows = Vec::with_capacity(named.len());
        for (index, label) in &named {
            let instance = label.as_deref().and_then(|label| {
                let unique = count.get(label) == Some(&1);
                let plain = if unique { labels.intern(label) } else { None };
                let numbered = || labels_with_index(label, index);
                // A row may be called what another one became by its number: then it is numbered as well.
                match plain.filter(|instance| !taken.contains(instance)) {
                    Some(instance) => Some(instance),
                    None => labels.intern(&numbered()).filter(|instance| !taken.contains(instance)),
                }
            });
            taken.extend(instance);
            rows.push(Row { index: index.clone(), instance });
        }
        self.rows = rows;
    }

    /// What a row is called: its label, or its index where it has none.
    fn label(&self, index: &Index) -> String {
        let at = self.labels.binary_search_by(|(known, _)| known.cmp(index));
        let label = at.map_or(String::new(), |at| text::octets_text(&self.labels[at].1, TextFormat::Plain));
        if label.is_empty() {
            return text::dotted(index);
        }
        label.chars().take(LONGEST_LABEL).collect()
    }
}

fn labels_with_index(label: &str, index: &[u32]) -> String {
    format!("{label}#{}", text::dotted(index))
}

/// The octets a label is made of.
fn octets(answer: &Answer, raw: Raw) -> Cow<'_, [u8]> {
    match raw {
        Raw::Octets(octets) => Cow::Borrowed(answer.octets(octets)),
        other => Cow::Owned(text::made(View::of(answer, other), TextFormat::Plain).into_bytes()),
    }
}

fn cells<'a>(column: &'a Column, answer: &'a Answer) -> impl Iterator<Item = (Index, Raw)> + 'a {
    column.cells.iter().map(|cell| (Index::from(answer.arcs(cell.index)), cell.raw))
}

/// Puts `fresh` in the place of `known`, or, after a walk that broke off, over it. Sorted by index.
fn renew<T>(known: &mut Vec<(Index, T)>, fresh: impl Iterator<Item = (Index, T)>, ended: bool) {
    let mut merged: BTreeMap<Index, T> = BTreeMap::new();
    if !ended {
        merged.extend(known.drain(..));
    }
    merged.extend(fresh);
    *known = merged.into_iter().collect();
    known.truncate(MOST_ROWS);
}

/// Whether a column says what it said before; one that broke off, as far as it came.
fn repeats<T>(
    known: &[(Index, T)],
    column: &Column,
    answer: &Answer,
    same: impl Fn(Raw, &T) -> bool,
) -> bool {
    if has_ended(column) && column.cells.len() != known.len() {
        return false;
    }
    let mut at = 0;
    column.cells.iter().all(|cell| {
        let index = answer.arcs(cell.index);
        if known.get(at).is_none_or(|(known, _)| **known != *index) {
            match known.binary_search_by(|(known, _)| (**known).cmp(index)) {
                Ok(found) => at = found,
                Err(_) => return false,
            }
        }
        at += 1;
        same(cell.raw, &known[at - 1].1)
    })
}
