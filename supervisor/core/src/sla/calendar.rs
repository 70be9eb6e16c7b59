//! Service hours: which wall time counts.
//!
//! A [`Calendar`] is a week of local hours and the dates that differ from it. It knows no zone: every question brings
//! the site's offset from UTC, and the whole interval asked about is laid out with that one offset.
//!
//! **Cost.** The service time since a fixed date is known from whole weeks, a correction for the
//! dates that differ and the hours of one day; an interval is the difference of two of these. So a question costs a
//! search in the list of dates, whether it is about a minute or about fifty years.

use crate::figures::spans::{Span, Spans};
use crate::time::Wall;
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// A day in ms.
pub const DAY_MS: i64 = 86_400_000;

/// How far [`Calendar::after`] looks ahead: fifty years. Hours that give no time until then never will.
const FARTHEST_DAYS: i64 = 18_263;

/// Local times beyond this (36 million years) are taken as this, so that no sum overflows.
const EDGE_MS: i64 = 1 << 60;

/// A local date, in days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i64);

impl Day {
    /// The date of a local time in ms since 1970-01-01 00:00 local.
    fn of(local_ms: i64) -> Day {
        Day(local_ms.div_euclid(DAY_MS))
    }

    /// Its first millisecond.
    fn start_ms(self) -> i64 {
        self.0 * DAY_MS
    }

    /// Whole weeks since Monday 1969-12-29, and the day of the week, 0 for Monday.
    fn week(self) -> (i64, usize) {
        // 1970-01-01 was a Thursday.
        let since_monday = self.0 + 3;
        (since_monday.div_euclid(7), since_monday.rem_euclid(7) as usize)
    }
}

/// Dates that differ from the week.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holidays {
    /// Dates without service. A date in both lists is off.
    pub off: BTreeSet<Day>,
    /// Dates that are worked although they fall on a weekend (调休): they have the hours of the first day of the
    /// week that has any, Monday as a rule.
    pub worked: BTreeSet<Day>,
}

/// A date that differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Exception {
    day: Day,
    worked: bool,
    /// Service time that this date and all before it have beyond what the week gives them, in ms.
    surplus_ms: i64,
}

/// Service hours: a week of local hours, and the dates that differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Hours of each day, Monday first, in ms since midnight.
    week: [Spans; 7],
    /// Service time of the week before each of its days; last, of the whole week.
    before_ms: [i64; 8],
    /// The day of the week whose hours worked dates have.
    model: usize,
    exceptions: Vec<Exception>,
}

fn length_ms(spans: &Spans) -> i64 {
    spans.length_ms() as i64
}

impl Calendar {
    /// The hours of each day of the week, Monday first, as spans of ms since local midnight (what is outside the day
    /// is cut off), and the dates that differ.
    pub fn new(week: [Spans; 7], holidays: &Holidays) -> Calendar {
        let day: Spans = [Span::new(0, DAY_MS)].into_iter().collect();
        let week = week.map(|hours| hours.intersection(&day));
        let mut before_ms = [0; 8];
        for (at, hours) in week.iter().enumerate() {
            before_ms[at + 1] = before_ms[at] + length_ms(hours);
        }
        let model = week.iter().position(|hours| !hours.is_empty()).unwrap_or(0);
        let mut surplus_ms = 0;
        let dates: BTreeSet<Day> = holidays.off.union(&holidays.worked).copied().collect();
        let exceptions = dates.into_iter().map(|day| {
            let worked = !holidays.off.contains(&day);
            let has_ms = if worked { length_ms(&week[model]) } else { 0 };
            surplus_ms += has_ms - length_ms(&week[day.week().1]);
            Exception { day, worked, surplus_ms }
        });
        let exceptions = exceptions.collect();
        Calendar { week, before_ms, model, exceptions }
    }

    /// 7×24: all time counts, holidays too.
    pub fn always() -> Calendar {
        let day = || [Span::new(0, DAY_MS)].into_iter().collect();
        Calendar::new(std::array::from_fn(|_| day()), &Holidays::default())
    }

    /// Whether all time counts, so that the wall clock does not matter.
    pub fn is_always(&self) -> bool {
        self.before_ms[7] == 7 * DAY_MS && self.exceptions.iter().all(|exception| exception.worked)
    }

    /// Service time in the `length_ms` that begin at `from`, in ms; the site is `utc_offset_s` seconds ahead of UTC.
    pub fn service_ms(&self, from: Wall, length_ms: u64, utc_offset_s: i32) -> u64 {
        let to = Wall(from.0.saturating_add_unsigned(length_ms));
        self.total(local(to, utc_offset_s)).abs_diff(self.total(local(from, utc_offset_s)))
    }

    /// The first moment by which `service_ms` of service time have passed since `from`; `None` if that is more than
    /// fifty years ahead.
    pub fn after(&self, from: Wall, service_ms: u64, utc_offset_s: i32) -> Option<Wall> {
        if service_ms == 0 {
            return Some(from);
        }
        let start_ms = local(from, utc_offset_s);
        let goal = self.total(start_ms).checked_add_unsigned(service_ms)?;
        // The first day at whose end the goal is reached.
        let mut first = Day::of(start_ms).0;
        let mut last = first + FARTHEST_DAYS;
        let is_reached = |day: i64| self.total(Day(day + 1).start_ms()) >= goal;
        if !is_reached(last) {
            return None;
        }
        while first < last {
            let middle = first + (last - first) / 2;
            if is_reached(middle) {
                last = middle;
            } else {
                first = middle + 1;
            }
        }
        let day = Day(first);
        let mut missing_ms = goal - self.total(day.start_ms());
        let span = self.hours(day).iter().find(|span| {
            let length_ms = span.to - span.from;
            let is_in = missing_ms <= length_ms;
            missing_ms -= if is_in { 0 } else { length_ms };
            is_in
        })?;
        let local_ms = day.start_ms() + span.from + missing_ms;
        Some(Wall(local_ms.saturating_sub(i64::from(utc_offset_s) * 1_000)))
    }

    /// Service time from Monday 1969-12-29 00:00 to a local time, in ms; negative before that. Dates that differ are
    /// counted from the first of them on, so only differences mean anything.
    fn total(&self, local_ms: i64) -> i64 {
        let day = Day::of(local_ms);
        let (weeks, weekday) = day.week();
        let earlier = self.exceptions.partition_point(|exception| exception.day < day);
        let surplus_ms = earlier.checked_sub(1).map_or(0, |at| self.exceptions[at].surplus_ms);
        let today = Span::new(0, local_ms - day.start_ms());
        let today_ms: i64 = self.hours(day).iter().map(|span| span.clip(today).length_ms() as i64).sum();
        weeks * self.before_ms[7] + self.before_ms[weekday] + surplus_ms + today_ms
    }

    /// The hours of a date.
    fn hours(&self, day: Day) -> &[Span] {
        let weekday = match self.exceptions.binary_search_by_key(&day, |exception| exception.day) {
            Ok(at) if self.exceptions[at].worked => self.model,
            Ok(_) => return &[],
            Err(_) => day.week().1,
        };
        self.week[weekday].as_slice()
    }
}

/// The local time of a moment, in ms since 1970-01-01 00:00 local.
fn local(wall: Wall, utc_offset_s: i32) -> i64 {
    wall.0.saturating_add(i64::from(utc_offset_s) * 1_000).clamp(-EDGE_MS, EDGE_MS)
}
