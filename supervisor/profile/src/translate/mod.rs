//! Raw answers to readings. Pure: no I/O, no clock, no judgement.
//!
//! **Duty.** A [`Translator`] stands for one device: it scales numbers, names states, refuses sentinels, cleans text,
//! and gives table rows their stable labels.
//!
//! **Place in the flow.** Behind the driver (or a fixture), before `core`'s derivation and engine.
//!
//! **Refuses.** It computes nothing over two polls, and it never invents a value: what did not come back is an
//! [`Absence`](roundsman_core::reading::Absence).

mod onvif;
pub(crate) mod recipe;
mod roster;
mod text;
mod view;

use crate::schema::Profile;
use recipe::{Column, Point, Table, TextFormat};
use roster::Roster;
use roundsman_core::model::{InstanceIx, Labels};
use roundsman_core::reading::{Absence, Readings, Sample};
use roundsman_core::time::Now;
use roundsman_wire::onvif::health;
use roundsman_wire::snmp::answer::{self, Answer};
use roundsman_wire::{bus, field};
use std::cmp::Ordering;
use std::sync::Arc;
use text::Texts;
use view::View;

/// What one device's answers mean, with what must be remembered of it between polls. Starts anew with a new profile.
#[derive(Clone, Debug, Default)]
pub struct Translator {
    labels: Labels,
    rosters: Vec<Roster>,
    texts: Texts,
    /// Readings of the last poll: room for as many is made at once.
    read: usize,
}

impl Translator {
    /// The labels of the device's instances.
    pub fn labels(&self) -> &Labels {
        &self.labels
    }

    /// The readings of one poll. `answer` is the answer to the profile's plan, whichever protocol that is of; of an
    /// answer of another shape, what is missing counts as not answered.
    pub fn translate<'a>(
        &mut self,
        profile: &Profile,
        answer: impl Into<Answered<'a>>,
        now: Now,
    ) -> Readings {
        match answer.into() {
            Answered::Snmp(answer) => self.of_snmp(profile, answer, now),
            Answered::Bus(answer) => self.of_bus(profile, answer, now),
            Answered::Onvif(answer) => self.of_onvif(profile, answer, now),
        }
    }

    /// The readings of a device on a bus: scalars, or columns of a grid.
    fn of_bus(&mut self, profile: &Profile, answer: &bus::answer::Answer, now: Now) -> Readings {
        let mut readings = Readings::new(now, answer.answered());
        readings.reserve(self.read);
        self.texts.begin();
        let grid = profile.recipes.grid.as_ref();
        let scalar = [Arc::from("")];
        let labels = grid.map_or(&scalar[..], |grid| &grid.labels);
        let units: Vec<(InstanceIx, Option<&bus::answer::Said>)> = labels
            .iter()
            .enumerate()
            .filter_map(|(at, label)| Some((self.labels.intern(label)?, answer.units.get(at))))
            .collect();
        for recipe in &profile.recipes.points {
            let texts = &mut self.texts;
            let mut sample = |said: Option<&bus::answer::Said>| {
                let said = said.ok_or(Absence::Timeout)?;
                match worthless(recipe, &profile.recipes.points, said, answer, texts) {
                    Some(absence) => Err(absence),
                    None => value(recipe, said, answer, texts),
                }
            };
            readings.add(recipe.metric, units.iter().map(|(instance, said)| (*instance, sample(*said))));
        }
        if let Some(grid) = grid
            && answer.answered()
        {
            readings.mark_complete(grid.table);
        }
        self.read = readings.iter().len();
        readings
    }

    fn of_snmp(&mut self, profile: &Profile, answer: &Answer, now: Now) -> Readings {
        let mut readings = Readings::new(now, answer.answered);
        readings.reserve(self.read);
        self.texts.begin();
        for scalar in &profile.recipes.scalars {
            let raw = answer.scalars.get(scalar.scalar).copied();
            let raw = raw.unwrap_or(Err(Absence::Timeout));
            let sample = raw.and_then(|raw| scalar.convert.sample(View::of(answer, raw), &mut self.texts));
            readings.add(scalar.metric, [(InstanceIx::SCALAR, sample)]);
        }
        self.rosters.resize_with(profile.recipes.tables.len(), Roster::default);
        let tables = profile.recipes.tables.iter().zip(&mut self.rosters);
        for (at, (recipe, roster)) in tables.enumerate() {
            let Some(table) = answer.tables.get(at) else {
                continue;
            };
            for moved in roster.follow(recipe, table, answer, &mut self.labels) {
                readings.mark_moved(recipe.table, moved);
            }
            for column in &recipe.columns {
                add_column(column, table, roster, answer, &mut self.texts, &mut readings);
            }
            if answer.answered && is_complete(recipe, table) {
                readings.mark_complete(recipe.table);
            }
        }
        self.read = readings.iter().len();
        readings
    }
}

/// What came back for a profile's plan, whichever protocol brought it.
#[derive(Clone, Copy, Debug)]
pub enum Answered<'a> {
    /// By SNMP, for `Profile::plan`.
    Snmp(&'a Answer),
    /// Over a bus, for `Profile::bus`.
    Bus(&'a bus::answer::Answer),
    /// Of a camera or recorder, for `Profile::questions`.
    Onvif(&'a health::Answer),
}

impl<'a> From<&'a Answer> for Answered<'a> {
    fn from(answer: &'a Answer) -> Answered<'a> {
        Answered::Snmp(answer)
    }
}

impl<'a> From<&'a bus::answer::Answer> for Answered<'a> {
    fn from(answer: &'a bus::answer::Answer) -> Answered<'a> {
        Answered::Bus(answer)
    }
}

impl<'a> From<&'a health::Answer> for Answered<'a> {
    fn from(answer: &'a health::Answer) -> Answered<'a> {
        Answered::Onvif(answer)
    }
}

/// Why there is no value by what the unit itself says of it.
fn worthless(
    recipe: &Point,
    points: &[Point],
    said: &bus::answer::Said,
    answer: &bus::answer::Answer,
    texts: &mut Texts,
) -> Option<Absence> {
    let worth = recipe.worth.as_ref()?;
    let state = value(points.get(worth.state)?, said, answer, texts).ok()?;
    let known = worth.words.iter().find(|(word, _)| state.word() == Some(word));
    known.map(|(_, absence)| *absence)
}

/// The value of one point of one unit.
fn value(
    recipe: &Point,
    said: &bus::answer::Said,
    answer: &bus::answer::Answer,
    texts: &mut Texts,
) -> Sample {
    let Some(point) = recipe.point else {
        // Where nobody on the line answers, it is the line that is silent, not this unit.
        return match (said.answered, answer.answered()) {
            (true, _) => recipe.convert.sample(View::Integer(1), texts),
            (false, true) => recipe.convert.sample(View::Integer(0), texts),
            (false, false) => Err(Absence::Timeout),
        };
    };
    match said.values.get(point) {
        Some(Ok(raw)) => recipe.convert.sample(View::of_field(raw, recipe.is_wide), texts),
        Some(Err(absence)) => Err(*absence),
        None => Err(Absence::Timeout),
    }
}

/// A field as text that is safe to show.
pub(crate) fn text_of(raw: field::Raw) -> Arc<str> {
    text::made(View::of_field(&raw, true), TextFormat::Plain).into()
}

/// Whether every column of the table that this agent has was walked to its end.
fn is_complete(recipe: &Table, table: &answer::Table) -> bool {
    let keep = recipe.keep.as_ref().map(|keep| keep.column);
    let hidden = recipe.label.iter().copied().chain(keep);
    let columns = recipe.columns.iter().map(|column| column.column);
    hidden.chain(columns).all(|at| table.columns.get(at).is_some_and(has_ended))
}

/// Whether nothing more is to be had of a column: walked to its end, or not there.
fn has_ended(column: &answer::Column) -> bool {
    matches!(column.end, Ok(()) | Err(Absence::Unsupported))
}

/// Adds a column's readings row by row: its cells, and for rows that the walk did not reach the reason why.
fn add_column(
    column: &Column,
    table: &answer::Table,
    roster: &Roster,
    answer: &Answer,
    texts: &mut Texts,
    readings: &mut Readings,
) {
    let Some(raw) = table.columns.get(column.column) else {
        return;
    };
    let lost = match raw.end {
        Err(absence) if absence != Absence::Unsupported => Some(absence),
        _ => None,
    };
    let convert = column.convert(raw.alternative);
    let mut cells = raw.cells.iter().peekable();
    let samples = roster.rows().iter().filter_map(|row| {
        let cell = loop {
            let Some(cell) = cells.peek() else { break None };
            match answer.arcs(cell.index).cmp(row.index()) {
                // A cell of a row that is not in the roster: the answer is out of order or past its limits.
                Ordering::Less => cells.next(),
                Ordering::Equal => break cells.next(),
                Ordering::Greater => break None,
            };
        };
        let instance = row.instance()?;
        match cell {
            Some(cell) => Some((instance, convert.sample(View::of(answer, cell.raw), texts))),
            None => lost.map(|absence| (instance, Err(absence))),
        }
    });
    // Where every known row has its value, the lost end of the column is said by itself: there may be more rows.
    let more = lost.filter(|_| !raw.cells.is_empty() && raw.cells.len() >= roster.rows().len());
    readings.add(column.metric, samples.chain(more.map(|absence| (InstanceIx::SCALAR, Err(absence)))));
    if readings.of(column.metric).is_empty() && raw.cells.is_empty() {
        let absence = lost.unwrap_or(Absence::Unsupported);
        readings.add(column.metric, [(InstanceIx::SCALAR, Err(absence))]);
    }
}

#[cfg(test)]
mod tests;
