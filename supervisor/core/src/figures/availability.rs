//! How long each device was up, down, and neither.
//!
//! Every millisecond of the account belongs to exactly one of six kinds; the first that applies: **absent** (not in
//! the site), **unknown** (the box, or this device, was not watched), **excluded** (it need not run), **hidden**
//! (behind a failed device: nobody can say how it is), **down**, **up**. So a device that fails in a maintenance
//! window is not down, and one whose uplink fails while it is down is hidden from then on.
//!
//! Availability (可用率) is (should run − down) / should run, where a device should run while it is observed and
//! neither excluded nor hidden; operations practice, DESIGN section 1 for what counts as downtime. Unknown time is in
//! neither part. A group's is made of sums of durations, never of a mean of percentages: a device that was observed
//! for an hour weighs an hour.

use super::account::{Account, Stretch};
use super::groups::{Groups, Place};
use super::spans::Spans;
use crate::text::Bilingual;
use std::ops::AddAssign;
use std::sync::Arc;

/// What happened to a device. The stretches of one kind may overlap and come in any order; they count once.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceLife {
    /// The site file's id.
    pub id: Arc<str>,
    /// Where it belongs; if that changed, where it belonged last.
    pub place: Place,
    /// When it was in the site.
    pub present: Vec<Stretch>,
    /// When nothing was known of it though the box watched: its `no-data` faults, its bus or driver not running.
    pub unwatched: Vec<Stretch>,
    /// When it need not run: maintenance windows, out of service, outside its `hours`.
    pub excluded: Vec<Stretch>,
    /// When it stood behind a failed device.
    pub hidden: Vec<Stretch>,
    /// When it was down of its own: `unreachable`, `first_bad` to `cleared`; a reopened fault has one for each time.
    pub down: Vec<Stretch>,
}

/// Time by kind, in ms; the six do not overlap.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    /// Not in the site.
    pub absent_ms: u64,
    /// In the site, not watched.
    pub unknown_ms: u64,
    /// Watched, need not run.
    pub excluded_ms: u64,
    /// Watched, should run, behind a failed device.
    pub hidden_ms: u64,
    /// Watched, should run, down.
    pub down_ms: u64,
    /// Watched, should run, not down.
    pub up_ms: u64,
}

impl AddAssign for Durations {
    fn add_assign(&mut self, other: Durations) {
        for (sum, part) in [
            (&mut self.absent_ms, other.absent_ms),
            (&mut self.unknown_ms, other.unknown_ms),
            (&mut self.excluded_ms, other.excluded_ms),
            (&mut self.hidden_ms, other.hidden_ms),
            (&mut self.down_ms, other.down_ms),
            (&mut self.up_ms, other.up_ms),
        ] {
            *sum = sum.saturating_add(part);
        }
    }
}

impl Durations {
    /// Time that should run and whose outcome is known: up and down.
    pub fn should_run_ms(&self) -> u64 {
        self.up_ms.saturating_add(self.down_ms)
    }

    /// Time in the site and watched: excluded, hidden, down and up.
    pub fn observed_ms(&self) -> u64 {
        self.should_run_ms().saturating_add(self.hidden_ms).saturating_add(self.excluded_ms)
    }

    /// Time in the site.
    pub fn in_site_ms(&self) -> u64 {
        self.observed_ms().saturating_add(self.unknown_ms)
    }

    /// All of it: the period, and what a step back repeated.
    pub fn total_ms(&self) -> u64 {
        self.in_site_ms().saturating_add(self.absent_ms)
    }

    /// Availability, 0 to 1; `None` where nothing that should run was observed.
    pub fn availability(&self) -> Option<f64> {
        let should_run_ms = self.should_run_ms();
        (should_run_ms > 0).then(|| self.up_ms as f64 / should_run_ms as f64)
    }

    /// The formula, to be printed once on a page that shows availability.
    pub fn formula() -> Bilingual {
        Bilingual::new(
            "可用率 =（应运行时长 − 故障时长）/ 应运行时长。应运行时长为已监控的时长，不含维护窗口、停用和被上级故障遮挡的时段；\
             未监控的时段单列为无数据，不按正常计。分组可用率由各设备时长合计得出。",
            "Availability = (should run − down) / should run. Should run is the time watched, without maintenance \
             windows, time out of service and time hidden behind a failed device. Time not watched is shown as no data \
             and not counted as up. A group's availability is that of its devices' summed time.",
        )
    }
}

/// Time of several devices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    /// Devices that were in the site at some time of the period.
    pub devices: u32,
    /// Those of them that were never observed in it.
    pub unseen: u32,
    /// Their time, summed.
    pub time: Durations,
}

/// A device's time in a period.
pub fn of_device(account: &Account, life: &DeviceLife) -> Durations {
    let set = |span| [span].into_iter().collect::<Spans>();
    let present = account.place(&life.present).intersection(&set(account.whole()));
    let watched = set(account.watched()).difference(&account.place(&life.unwatched));
    let observed = present.intersection(&watched);
    let needed = observed.difference(&account.place(&life.excluded));
    let in_sight = needed.difference(&account.place(&life.hidden));
    let up = in_sight.difference(&account.place(&life.down));
    let less = |whole: &Spans, part: &Spans| whole.length_ms().saturating_sub(part.length_ms());
    Durations {
        absent_ms: account.whole().length_ms().saturating_sub(present.length_ms()),
        unknown_ms: less(&present, &observed),
        excluded_ms: less(&observed, &needed),
        hidden_ms: less(&needed, &in_sight),
        down_ms: less(&in_sight, &up),
        up_ms: up.length_ms(),
    }
}

/// Sums of the devices' times. Devices that were not in the site at any time of the period are left out.
pub(super) fn sums<'a>(devices: impl Iterator<Item = (&'a DeviceLife, &'a Durations)>) -> Groups<Total> {
    let mut groups: Groups<Total> = Groups::default();
    for (life, time) in devices.filter(|(_, time)| time.in_site_ms() > 0) {
        groups.enter(life.place, |total| {
            total.devices = total.devices.saturating_add(1);
            total.unseen = total.unseen.saturating_add(u32::from(time.observed_ms() == 0));
            total.time += *time;
        });
    }
    groups
}
