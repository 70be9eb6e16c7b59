//! Readings as people read them: in groups, with units, with the reason where there is no value.

use crate::figure::{self, Figure};
use crate::site::{DeviceState, Limit, SiteReading};
use crate::voice::Voice;
use roundsman_core::model::Kind;
use roundsman_core::reading::Value;
use std::borrow::Cow;

/// Rows of one group; a device may have thousands.
const MOST_ROWS: usize = 40;
/// Groups.
const MOST_GROUPS: usize = 40;
/// Longest text that stands in a column of numbers, characters.
const SHORT: usize = 24;
/// The group that has a table of its own.
pub(super) const INTERFACE: &str = "interface";

/// One reading in a table.
pub(super) struct Line {
    pub(super) title: String,
    pub(super) instance: String,
    pub(super) value: Figure,
    /// There is no value; `value` says why.
    pub(super) absent: bool,
    /// A text too long for a column of numbers.
    pub(super) long: bool,
    /// The severity of the limit it is beyond.
    pub(super) over: Option<&'static str>,
}

/// Readings whose metrics begin with the same word.
pub(super) struct Group {
    pub(super) title: String,
    pub(super) rows: Vec<Line>,
    /// Rows that are not shown.
    pub(super) more: usize,
}

/// The worst limit that a value is beyond.
pub(super) fn over(x: f64, limits: &[Limit]) -> Option<&'static str> {
    let beyond = |limit: &&Limit| if limit.above { x > limit.at } else { x < limit.at };
    limits
        .iter()
        .filter(beyond)
        .map(|limit| limit.severity)
        .min()
        .map(|severity| DeviceState::of(severity).word())
}

/// The value of a reading, or why there is none.
pub(super) fn figure(reading: &SiteReading, v: &Voice) -> Figure {
    match &reading.sample {
        Ok(Value::State(word)) => Figure { text: v.word(word), unit: String::new() },
        Ok(Value::Number(x)) if &*reading.unit == "s" && *x >= 120.0 => {
            Figure { text: v.duration((*x * 1_000.0) as u64), unit: String::new() }
        }
        Ok(value) => figure::value(value, &reading.unit),
        Err(absence) => Figure { text: v.text(&absence.name()), unit: String::new() },
    }
}

pub(super) fn title(reading: &SiteReading, v: &Voice) -> String {
    let title = v.text(&reading.title);
    if title.is_empty() { reading.metric.to_string() } else { title }
}

fn line(reading: &SiteReading, v: &Voice) -> Line {
    let value = figure(reading, v);
    let number = reading.sample.as_ref().ok().and_then(Value::number);
    Line {
        title: title(reading, v),
        instance: reading.instance.to_string(),
        absent: reading.sample.is_err(),
        long: value.text.chars().count() > SHORT,
        over: number.and_then(|x| over(x, &reading.limits)),
        value,
    }
}

/// The first half of a metric's name.
pub(super) fn group_of(metric: &str) -> &str {
    metric.split('.').next().unwrap_or("")
}

/// What people call the group of a metric; its word where nobody named it.
pub(super) fn group_name(metric: &str, v: &Voice) -> String {
    let group = group_of(metric);
    v.find(&format!("group.{group}")).map_or_else(|| group.to_owned(), Cow::into_owned)
}

/// All readings but those of interfaces and raw counters, whose rates say more, in groups in the order of the profile.
pub(super) fn groups(readings: &[SiteReading], v: &Voice) -> Vec<Group> {
    let mut groups: Vec<(&str, Group)> = Vec::new();
    for reading in readings.iter().filter(|r| r.kind != Kind::Counter && group_of(&r.metric) != INTERFACE) {
        let name = group_of(&reading.metric);
        let at = groups.iter().position(|(known, _)| *known == name).or_else(|| {
            (groups.len() < MOST_GROUPS).then(|| {
                groups.push((name, Group { title: group_name(name, v), rows: Vec::new(), more: 0 }));
                groups.len() - 1
            })
        });
        let Some((_, group)) = at.and_then(|at| groups.get_mut(at)) else {
            continue;
        };
        if group.rows.len() < MOST_ROWS {
            group.rows.push(line(reading, v));
        } else {
            group.more += 1;
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// The first few scalar numbers of a device, those first that a rule watches: what a strip shows of it.
pub(super) fn telling(readings: &[SiteReading], most: usize, v: &Voice) -> Vec<(String, Figure)> {
    let wanted = |r: &&SiteReading| {
        r.kind == Kind::Gauge
            && r.instance.is_empty()
            && r.sample.is_ok()
            && !["system", "ip", "line"].contains(&group_of(&r.metric))
    };
    let mut found: Vec<&SiteReading> = readings.iter().filter(wanted).collect();
    found.sort_by_key(|r| r.limits.is_empty());
    found.into_iter().take(most).map(|r| (title(r, v), figure(r, v))).collect()
}
