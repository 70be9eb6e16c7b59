//! The weekly summary as a value: everything that is printed, and nothing else.
//!
//! [`weekly`] computes it from the past; [`crate::html`] and [`crate::json`] say it. One file a section.

mod days;
mod faults;
mod groups;
mod indicators;
mod records;

pub use days::Day;
pub use faults::{FaultRow, RepeatRow, RootRow, Treatment};
pub use groups::{Group, Grouping};
pub(crate) use groups::{abnormal, lines_by};
pub use indicators::{Indicator, Measure, Unit};
pub use records::{LeftOver, RecordRow};

use crate::conclusion::{Conclusion, Grounds, WorstDevice, conclude};
use crate::voice::share;
use crate::{About, Past, Week, WeekError};
use jiff::tz::TimeZone;
use roundsman_core::figures::account::Period;
use roundsman_core::figures::comparison::PAST_PERIODS;
use roundsman_core::figures::health::Health;
use roundsman_core::figures::{self, Figures};
use roundsman_core::rule::Severity;
use roundsman_core::time::Wall;
use std::sync::Arc;

/// Availability that the site is held to, in basis points: what leased lines are sold with (99.9 %, 8.76 h a year).
pub const TARGET_BASIS_POINTS: u32 = 9_990;

/// A list of which only so many entries are printed.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed<T> {
    /// What is printed, what matters most first.
    pub rows: Vec<T>,
    /// How many more there are; said on the page.
    pub left_off: usize,
}

impl<T> Listed<T> {
    fn most(mut rows: Vec<T>, most: usize) -> Listed<T> {
        let left_off = rows.len().saturating_sub(most);
        rows.truncate(most);
        Listed { rows, left_off }
    }

    /// How many there are, printed or not.
    pub fn count(&self) -> usize {
        self.rows.len() + self.left_off
    }
}

/// The summary of one week.
#[derive(Clone, Debug)]
pub struct Weekly {
    /// The site's name.
    pub site: Arc<str>,
    /// Its zone.
    pub zone: TimeZone,
    /// Which week.
    pub week: Week,
    /// What it covers: the whole week, of the running one what has passed.
    pub period: Period,
    /// Whether the week still runs; the weeks it is compared with are then cut at the same point.
    pub is_running: bool,
    /// When it was made.
    pub made_at: Wall,
    /// What it all means.
    pub conclusion: Conclusion,
    /// The figures with what to hold them against.
    pub indicators: Vec<Indicator>,
    /// Health of the whole site with its sum; `None` where nothing was observed.
    pub health: Option<Health>,
    /// How long the box watched in the period, ms.
    pub watched_ms: u64,
    /// How much of that was lived twice because the clock was set back, ms.
    pub repeated_ms: u64,
    /// Time of the devices in the site that nobody watched, ms, summed over devices.
    pub unknown_ms: u64,
    /// Time of the devices in the site, ms, summed over devices.
    pub in_site_ms: u64,
    /// The week day by day.
    pub days: Vec<Day>,
    /// Devices by class, tier and network, the whole first.
    pub groups: Vec<Group>,
    /// Faults of the week, those behind others left out: the worst first.
    pub faults: Listed<FaultRow>,
    /// Devices with the same fault again and again.
    pub repeats: Listed<RepeatRow>,
    /// Faults that others stood behind.
    pub roots: Listed<RootRow>,
    /// Maintenance of the week.
    pub records: Listed<RecordRow>,
    /// Faults that were open at the end, the worst first.
    pub open: Listed<FaultRow>,
    /// What maintenance left to do.
    pub left_over: Listed<LeftOver>,
}

/// A week in a list of them.
#[derive(Clone, Debug)]
pub struct Brief {
    /// Which week.
    pub week: Week,
    /// Whether it still runs.
    pub is_running: bool,
    /// Whether the box watched at any time of it.
    pub has_data: bool,
    /// What it means.
    pub conclusion: Conclusion,
    /// Availability, basis points; `None` where nothing that should run was observed.
    pub availability: Option<u32>,
    /// Health of the whole site.
    pub health: Option<Health>,
    /// Faults that were raised in it, hidden ones left out.
    pub new_faults: u32,
    /// Faults that were open at its end.
    pub open_faults: u32,
}

/// The part of a week that has passed, and whether it still runs.
fn passed(week: Week, zone: &TimeZone, now: Wall) -> Result<(Period, bool), WeekError> {
    let span = week.span(zone);
    if now <= span.from() {
        return Err(WeekError::NotYet { week, running: Week::holding(now, zone) });
    }
    Ok((Period::new(span.from(), span.to().min(now)), now < span.to()))
}

fn figures_of(period: Period, past: &Past) -> Figures {
    let Past { watches, devices, faults, .. } = past;
    figures::figures(period, figures::Past { watches, devices, faults })
}

/// The figures of the weeks before, newest first, each cut at the same point as this one.
fn before(week: Week, zone: &TimeZone, period: Period, is_running: bool, past: &Past) -> Vec<Figures> {
    let cut = |week: Week| {
        let span = week.span(zone);
        let same = Wall(span.from().0.saturating_add_unsigned(period.length_ms()));
        Period::new(span.from(), if is_running { same.min(span.to()) } else { span.to() })
    };
    (1..=PAST_PERIODS as i32).map(|n| figures_of(cut(week.plus(-n)), past)).collect()
}

/// The summary of a week, as far as it has passed.
///
/// # Errors
/// The week has not begun.
pub fn weekly(past: &Past, about: &About, week: Week, now: Wall) -> Result<Weekly, WeekError> {
    let zone = &about.zone;
    let (period, is_running) = passed(week, zone, now)?;
    let figures = figures_of(period, past);
    let before = before(week, zone, period, is_running, past);
    let sorted = faults::sorted(period, past);
    let time = &figures.time.all.time;
    let left_over = records::left_over(Period::new(week.reach(zone).from(), period.to()), past);
    Ok(Weekly {
        site: about.site.clone(),
        zone: zone.clone(),
        week,
        period,
        is_running,
        made_at: now,
        conclusion: conclude(&grounds(&figures, past)),
        indicators: indicators::all(&figures, &before),
        health: figures.health.all,
        watched_ms: figures.watched_ms,
        repeated_ms: figures.repeated_ms,
        unknown_ms: time.unknown_ms,
        in_site_ms: time.in_site_ms(),
        days: days::of(week, zone, period, past),
        groups: groups::all(&figures),
        open: faults::open(&sorted),
        faults: faults::listed(sorted),
        repeats: faults::repeats(&figures, past),
        roots: faults::roots(&figures, past),
        records: records::of_period(period, past),
        left_over,
    })
}

/// A week for a list of weeks.
///
/// # Errors
/// The week has not begun.
pub fn brief(past: &Past, zone: &TimeZone, week: Week, now: Wall) -> Result<Brief, WeekError> {
    let (period, is_running) = passed(week, zone, now)?;
    let figures = figures_of(period, past);
    let time = &figures.time.all.time;
    let tally = &figures.faults.groups.all;
    Ok(Brief {
        week,
        is_running,
        has_data: figures.watched_ms > 0,
        conclusion: conclude(&grounds(&figures, past)),
        availability: share(time.up_ms, time.should_run_ms()),
        health: figures.health.all,
        new_faults: tally.new,
        open_faults: tally.open,
    })
}

/// What the conclusion looks at.
fn grounds(figures: &Figures, past: &Past) -> Grounds {
    let time = &figures.time.all.time;
    let tally = &figures.faults.groups.all;
    let standing = &figures.standing.all;
    let name = |id: &str| past.name(id);
    let of_severity = |severity| figures.faults.severities.get(&severity).copied().unwrap_or_default();
    let down = past.devices.iter().zip(&figures.devices).max_by_key(|(_, time)| time.down_ms);
    let worst = down.filter(|(_, time)| time.down_ms > 0);
    let open = |severity| {
        let mut devices: Vec<Arc<str>> = Vec::new();
        for fault in faults::own(figures.period, past).filter(|own| own.fault.severity == severity) {
            let name = name(&fault.fault.key.device);
            if fault.fault.is_bad_at_end(figures.period, &past.watches) && !devices.contains(&name) {
                devices.push(name);
            }
        }
        devices
    };
    let repeats = figures.faults.repeats.first();
    Grounds {
        devices: figures.time.all.devices,
        observed: share(time.observed_ms(), time.in_site_ms()),
        unknown_ms: time.unknown_ms,
        watched_ms: figures.watched_ms.saturating_sub(figures.repeated_ms),
        unwatched_ms: figures
            .period
            .length_ms()
            .saturating_sub(figures.watched_ms.saturating_sub(figures.repeated_ms)),
        availability: share(time.up_ms, time.should_run_ms()),
        target: TARGET_BASIS_POINTS,
        worst: worst.map(|(life, time)| WorstDevice { name: name(&life.id), down_ms: time.down_ms }),
        open_critical: open(Severity::Critical),
        open_major: open(Severity::Major),
        unseen: standing.unseen,
        new: tally.new,
        new_critical: of_severity(Severity::Critical).new,
        ended: tally.ended,
        open: tally.open,
        repeats: figures.faults.repeats.len() + figures.faults.repeats_left_off,
        most_repeated: repeats.map(|repeat| (name(&repeat.device), repeat.numbers.len())),
    }
}
