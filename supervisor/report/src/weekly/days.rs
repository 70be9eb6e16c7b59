//! The week day by day, for the two charts.

use super::figures_of;
use crate::voice::share;
use crate::{Past, Week};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use roundsman_core::figures::account::Period;
use roundsman_core::rule::Severity;
use roundsman_core::time::Wall;

/// A day of the week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Day {
    /// Which.
    pub date: Date,
    /// Whether any of it has passed.
    pub has_begun: bool,
    /// Availability of the whole site, basis points; `None` where nothing that should run was observed.
    pub availability: Option<u32>,
    /// Share of the devices' time that was watched, basis points; `None` without devices.
    pub coverage: Option<u32>,
    /// Faults raised on it by severity, in the order of [`Severity::ALL`]; hidden ones are left out.
    pub new: [u32; 5],
}

impl Day {
    /// Faults raised on it.
    pub fn raised(&self) -> u32 {
        self.new.iter().sum()
    }
}

/// The seven days, of which those to come are empty.
pub(super) fn of(week: Week, zone: &TimeZone, period: Period, past: &Past) -> Vec<Day> {
    let cut = |day: Period| Period::new(day.from(), Wall(day.to().0.min(period.to().0)));
    let day = |(n, day): (i32, Period)| {
        let has_begun = day.from() < period.to();
        let figures = figures_of(cut(day), past);
        let time = &figures.time.all.time;
        let new = |severity: &Severity| figures.faults.severities.get(severity).map_or(0, |tally| tally.new);
        let mut counts = [0; 5];
        counts.iter_mut().zip(Severity::ALL).for_each(|(count, severity)| *count = new(severity));
        Day {
            date: week.day(n),
            has_begun,
            availability: share(time.up_ms, time.should_run_ms()),
            coverage: share(time.observed_ms(), time.in_site_ms()),
            new: counts,
        }
    };
    (0..).zip(week.days(zone)).map(day).collect()
}
