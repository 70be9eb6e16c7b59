//! Guards: whether a rule is judged at all.

use crate::device::Device;
use crate::model::{InstanceIx, Labels, Model};
use crate::reading::{Readings, Value};
use crate::rule::{Comparison, Guard, Literal};
use std::cmp::Ordering;

/// Everything a guard may look at.
pub(super) struct Surroundings<'a> {
    pub(super) device: &'a Device,
    pub(super) model: &'a Model,
    pub(super) readings: &'a Readings,
    pub(super) labels: &'a Labels,
}

/// Whether a guard holds for an instance of a device, outside of a rule: whether a command is forbidden now. `None`
/// where a reading that it needs is missing.
pub fn holds(
    guard: &Guard,
    instance: InstanceIx,
    device: &Device,
    model: &Model,
    readings: &Readings,
    labels: &Labels,
) -> Option<bool> {
    Surroundings { device, model, readings, labels }.holds(guard, instance)
}

impl Surroundings<'_> {
    /// Whether the guard holds for an instance; `None` where an input is missing and the rule is not to be judged.
    /// `and` and `or` are decided by one side alone where that is enough.
    pub(super) fn holds(&self, guard: &Guard, instance: InstanceIx) -> Option<bool> {
        match guard {
            Guard::Metric(metric, comparison, literal) => {
                let scalar = self.model.metrics.get(metric.at()).is_some_and(|m| m.table.is_none());
                let row = if scalar { InstanceIx::SCALAR } else { instance };
                let value = self.readings.get(*metric, row)?.as_ref().ok()?;
                compare(value, *comparison, literal)
            }
            Guard::Tag(comparison, word) => {
                let label = self.labels.name(instance);
                let tag = self.device.tags.iter().find(|(name, _)| *name == label).map_or("", |(_, tag)| tag);
                Some((*comparison == Comparison::Equal) == (tag == &**word))
            }
            Guard::And(left, right) => match (self.holds(left, instance), self.holds(right, instance)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            },
            Guard::Or(left, right) => match (self.holds(left, instance), self.holds(right, instance)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Guard::Not(inner) => self.holds(inner, instance).map(|holds| !holds),
        }
    }
}

fn compare(value: &Value, comparison: Comparison, literal: &Literal) -> Option<bool> {
    let ordering = match literal {
        Literal::Number(right) => value.number()?.partial_cmp(right)?,
        Literal::Word(right) => (**value.word()?).cmp(right),
    };
    Some(match comparison {
        Comparison::Equal => ordering == Ordering::Equal,
        Comparison::NotEqual => ordering != Ordering::Equal,
        Comparison::Less => ordering == Ordering::Less,
        Comparison::LessOrEqual => ordering != Ordering::Greater,
        Comparison::Greater => ordering == Ordering::Greater,
        Comparison::GreaterOrEqual => ordering != Ordering::Less,
    })
}
