//! Figures of a period: availability, faults, health, and how they compare.
//!
//! **Duty.** From what happened (when the box watched, what became of each device and fault) to the numbers a manager
//! reads. Every number can be repeated by hand from the durations and counts beside it; `tests/simulation/figures.py`
//! does so in another way.
//!
//! **Place in the flow.** The store hands in the past, the weekly summary and the panel print what comes out.
//!
//! **Refuses.** No clock and no calendar: a period is a span of wall time, and who knows weeks, zones and 53-week
//! years hands it in. No percentage of what was not observed: unknown is never counted as up, and a figure of
//! nothing is `None`.
//!
//! - [`spans`]: sets of time. [`watch`]: what the box's clock called its time. [`account`]: the period laid out so
//!   that every millisecond counts once, whatever the clock did.
//! - [`availability`], [`faults`], [`standing`], [`health`], [`comparison`]: one meaning each; [`groups`] has them by
//!   class, tier and network.

pub mod account;
pub mod availability;
pub mod comparison;
pub mod faults;
pub mod groups;
pub mod health;
pub mod spans;
pub mod standing;
pub mod watch;

use account::{Account, Period};
use availability::{DeviceLife, Durations, Total};
use faults::{FaultFigures, FaultLife};
use groups::Groups;
use health::Health;
use standing::Standing;
use watch::Watches;

/// What happened, as far as a period needs it.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// When the box watched.
    pub watches: &'a Watches,
    /// Every device that was in the site at some time of the period, each once.
    pub devices: &'a [DeviceLife],
    /// Every fault that was open at some time of the period, and the roots of the hidden ones.
    pub faults: &'a [FaultLife],
}

/// The figures of one period.
#[derive(Clone, Debug, PartialEq)]
pub struct Figures {
    /// Which period.
    pub period: Period,
    /// How long the box watched in it, in ms.
    pub watched_ms: u64,
    /// How much of that was lived twice because the clock was set back, in ms; say so on the page where it is not 0.
    pub repeated_ms: u64,
    /// Time of each device, in the order they were handed in.
    pub devices: Vec<Durations>,
    /// Time of all, and by class, tier and network.
    pub time: Groups<Total>,
    /// Faults.
    pub faults: FaultFigures,
    /// How the devices stand at the end.
    pub standing: Groups<Standing>,
    /// Health of all, and of each class, tier and network that has a device at the end; `None` where nothing that
    /// should run was observed.
    pub health: Groups<Option<Health>>,
}

/// The figures of a period.
pub fn figures(period: Period, past: Past) -> Figures {
    let Past { watches, devices, faults } = past;
    let account = Account::new(period, watches);
    let times: Vec<Durations> = devices.iter().map(|life| availability::of_device(&account, life)).collect();
    let time = availability::sums(devices.iter().zip(&times));
    let worst = faults::worst_at_end(period, watches, faults);
    let standing = standing::at_end(&account, devices.iter().zip(&times), &worst);
    let health = time.join(&standing, |total, standing| Health::of(&total.time, standing));
    Figures {
        period,
        watched_ms: account.watched_ms(),
        repeated_ms: account.repeated_ms(),
        faults: faults::of_period(period, watches, devices, faults),
        devices: times,
        time,
        standing,
        health,
    }
}
