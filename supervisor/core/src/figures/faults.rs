//! Faults of a period: how many, how fast, which again and again.
//!
//! **What belongs to a period.** A fault lives from `raised` to its end, both filed under wall times
//! ([`Watches::label`]); an end is never filed before its beginning. With the period `[from, to)` it is *new* if it
//! was raised inside, *carried in* if it was raised before and had not ended before `from`; of these it *ended* if its
//! end lies inside, else it was *open* at `to`. So `carried in + new = ended + open`, and what is open at the end of
//! one period is carried into the next: an edge neither loses a fault nor counts it twice.
//!
//! **Reopening.** A number is one fault however often it reopened (within 30 minutes, DESIGN section 3): it is new
//! once, it ends with its last end.
//!
//! **Hidden ones** stand behind another fault; they are one outage and count once, under their root: in
//! [`Tally::hidden`] and [`FaultFigures::roots`], in nothing else. One whose root is not among the faults handed in
//! counts for itself: no fault disappears.
//!
//! **Times** are means over the faults that ended in the period, whenever they began: acknowledgement (MTTA) from
//! `raised`, repair (MTTR) from `first_bad` to `cleared`, the moment the condition was over. They are whole lives,
//! not the parts inside the period. A withdrawn fault was not repaired and gives none.

use super::account::Period;
use super::availability::DeviceLife;
use super::groups::{Groups, Place};
use super::watch::{Moment, Watches};
use crate::fault::{Ending, FaultId, FaultKey, FaultNumber};
use crate::rule::Severity;
use crate::text::Bilingual;
use crate::time::Wall;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Repeat offenders that are listed: what fits under one heading of a two-page summary.
pub const MOST_REPEATS: usize = 10;

/// A fault with its moments: [`crate::fault::Fault`] and the watches of its transitions.
#[derive(Clone, Debug, PartialEq)]
pub struct FaultLife {
    /// Identity; one entry a fault, of several with one identity the last counts.
    pub id: FaultId,
    /// The number people say.
    pub number: FaultNumber,
    /// What it is about.
    pub key: FaultKey,
    /// The worst severity it reached.
    pub severity: Severity,
    /// First bad evidence.
    pub first_bad: Moment,
    /// Confirmed, the first time.
    pub raised: Moment,
    /// Somebody took note.
    pub acknowledged: Option<Moment>,
    /// The condition was over; a latched fault may stay open after it.
    pub cleared: Option<Moment>,
    /// Its last end; `None` while it is open.
    pub ended: Option<(Moment, Ending)>,
    /// The fault it was hidden behind.
    pub behind: Option<FaultId>,
}

/// Where a fault stands towards a period, in the wall times it is filed under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// Raised inside the period; else carried in.
    pub is_new: bool,
    /// Ended inside it; else open at its end.
    pub has_ended: bool,
}

impl FaultLife {
    fn ended_at(&self, watches: &Watches) -> Option<Wall> {
        self.ended.map(|(ended, _)| watches.label(ended).max(watches.label(self.raised)))
    }

    /// How it belongs to the period; `None` if it does not.
    pub fn course(&self, period: Period, watches: &Watches) -> Option<Course> {
        let raised = watches.label(self.raised);
        let ended = self.ended_at(watches);
        let belongs = raised < period.to() && ended.is_none_or(|ended| ended >= period.from());
        let has_ended = ended.is_some_and(|ended| ended < period.to());
        belongs.then_some(Course { is_new: raised >= period.from(), has_ended })
    }

    /// Whether its condition was there when the period ended: open, and not merely waiting to be closed.
    pub fn is_bad_at_end(&self, period: Period, watches: &Watches) -> bool {
        let is_open = self.course(period, watches).is_some_and(|course| !course.has_ended);
        is_open && self.cleared.is_none_or(|cleared| watches.label(cleared) >= period.to())
    }
}

/// A mean of durations.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mean {
    /// How many were measured.
    pub count: u32,
    /// Their sum, in ms.
    pub sum_ms: u64,
    /// How many happened and cannot be measured ([`Watches::between_ms`]).
    pub unknown: u32,
}

impl Mean {
    fn take(&mut self, duration_ms: Option<u64>) {
        if let Some(ms) = duration_ms {
            self.count += 1;
            self.sum_ms = self.sum_ms.saturating_add(ms);
        } else {
            self.unknown += 1;
        }
    }

    /// The mean in ms, rounded down; `None` of nothing.
    pub fn mean_ms(&self) -> Option<u64> {
        self.sum_ms.checked_div(u64::from(self.count))
    }
}

/// Faults of a period, hidden ones apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Raised before the period and open at its start.
    pub carried_in: u32,
    /// Raised in it.
    pub new: u32,
    /// Ended in it, withdrawn ones included.
    pub ended: u32,
    /// Open at its end.
    pub open: u32,
    /// Of the ended: because the device, rule or instance is gone.
    pub withdrawn: u32,
    /// Of the ended: nobody ever took note.
    pub unacknowledged: u32,
    /// Carried in or new, and hidden behind another; in none of the others.
    pub hidden: u32,
    /// MTTA: `raised` to `acknowledged`, of the ended.
    pub acknowledgement: Mean,
    /// MTTR: `first_bad` to `cleared`, of the ended that were not withdrawn.
    pub repair: Mean,
}

impl Tally {
    fn take(&mut self, fault: &FaultLife, course: Course, watches: &Watches) {
        self.new += u32::from(course.is_new);
        self.carried_in += u32::from(!course.is_new);
        let Some((ended, how)) = fault.ended.filter(|_| course.has_ended) else {
            self.open += 1;
            return;
        };
        self.ended += 1;
        match fault.acknowledged {
            Some(at) => self.acknowledgement.take(watches.between_ms(fault.raised, at)),
            None => self.unacknowledged += 1,
        }
        if how == Ending::Withdrawn {
            self.withdrawn += 1;
        } else {
            self.repair.take(watches.between_ms(fault.first_bad, fault.cleared.unwrap_or(ended)));
        }
    }
}

/// A device and rule with two or more new faults in one period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// Device id.
    pub device: Arc<str>,
    /// Rule id.
    pub rule: Arc<str>,
    /// The worst severity among them.
    pub worst: Severity,
    /// Their numbers, ascending, whatever the instance.
    pub numbers: Vec<FaultNumber>,
}

/// Everything about the faults of a period.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultFigures {
    /// The whole site, and by class, tier and network. A fault of a device that was not handed in is in the whole.
    pub groups: Groups<Tally>,
    /// By severity.
    pub severities: BTreeMap<Severity, Tally>,
    /// By rule id.
    pub rules: BTreeMap<Arc<str>, Tally>,
    /// Repeat offenders, the most numbers first, then the worst, then by device and rule; at most [`MOST_REPEATS`].
    pub repeats: Vec<Repeat>,
    /// How many more repeat offenders there are.
    pub repeats_left_off: usize,
    /// Per root how many faults of the period were hidden behind it, directly or through others.
    pub roots: BTreeMap<FaultId, u32>,
}

impl FaultFigures {
    /// What is counted and when each clock starts, to be printed once on a page that shows these figures.
    pub fn formula() -> Bilingual {
        Bilingual::new(
            "平均确认时间（MTTA）= Σ（确认 − 告警成立）/ 次数；平均修复时间（MTTR）= Σ（恢复 − 首次异常）/ 次数；按本期结束的故障统计，\
             撤销的不计修复，时长无法判定的单列。短时复发沿用原编号，不计为新故障；被上级故障遮挡的归入其根因，不重复计数。",
            "MTTA = Σ (acknowledged − raised) / count; MTTR = Σ (recovered − first bad) / count, over the faults that \
             ended in the period. Withdrawn faults are not repairs; durations that cannot be known are counted apart. \
             A fault that comes back shortly keeps its number and is not a new one; those hidden behind a failed \
             device count once, under their root cause.",
        )
    }
}

/// The root a fault is hidden behind, or `None` if it stands for itself: it is behind nothing, behind a fault that is
/// not known, or behind itself.
pub fn root(fault: &FaultLife, faults: &BTreeMap<FaultId, &FaultLife>) -> Option<FaultId> {
    let mut seen = BTreeSet::from([fault.id]);
    let mut at = fault;
    while let Some(behind) = at.behind {
        if !seen.insert(behind) {
            return None;
        }
        match faults.get(&behind) {
            Some(next) => at = next,
            None => break,
        }
    }
    (at.id != fault.id).then_some(at.id)
}

/// The faults of a period.
///
/// Handed in are all that were open at some time of it, and the roots of those.
pub(super) fn of_period(
    period: Period,
    watches: &Watches,
    devices: &[DeviceLife],
    faults: &[FaultLife],
) -> FaultFigures {
    let places: BTreeMap<&str, Place> = devices.iter().map(|life| (&*life.id, life.place)).collect();
    let faults: BTreeMap<FaultId, &FaultLife> = faults.iter().map(|fault| (fault.id, fault)).collect();
    let mut figures = FaultFigures::default();
    let mut shown = Vec::new();
    for fault in faults.values() {
        let Some(course) = fault.course(period, watches) else {
            continue;
        };
        let root = root(fault, &faults);
        let take = |tally: &mut Tally| match root {
            Some(_) => tally.hidden += 1,
            None => tally.take(fault, course, watches),
        };
        match places.get(&*fault.key.device) {
            Some(&place) => figures.groups.enter(place, take),
            None => take(&mut figures.groups.all),
        }
        take(figures.severities.entry(fault.severity).or_default());
        take(figures.rules.entry(fault.key.rule.clone()).or_default());
        if let Some(root) = root {
            *figures.roots.entry(root).or_default() += 1;
        } else if course.is_new {
            shown.push(*fault);
        }
    }
    figures.repeats = repeats(&shown);
    figures.repeats_left_off = figures.repeats.len().saturating_sub(MOST_REPEATS);
    figures.repeats.truncate(MOST_REPEATS);
    figures
}

/// Devices and rules that stand at least twice in these, in the order of [`FaultFigures::repeats`].
fn repeats(new: &[&FaultLife]) -> Vec<Repeat> {
    let mut by_rule: BTreeMap<(&str, &str), Vec<&FaultLife>> = BTreeMap::new();
    for fault in new {
        by_rule.entry((&fault.key.device, &fault.key.rule)).or_default().push(fault);
    }
    let again = by_rule.into_values().filter(|faults| faults.len() >= 2);
    let repeat = |faults: Vec<&FaultLife>| {
        let FaultKey { device, rule, .. } = faults.first()?.key.clone();
        let worst = faults.iter().map(|fault| fault.severity).min()?;
        let mut numbers: Vec<FaultNumber> = faults.iter().map(|fault| fault.number).collect();
        numbers.sort_unstable();
        Some(Repeat { device, rule, worst, numbers })
    };
    let mut repeats: Vec<Repeat> = again.filter_map(repeat).collect();
    // Stable: devices and rules stay in order among equals.
    repeats.sort_by_key(|repeat| (std::cmp::Reverse(repeat.numbers.len()), repeat.worst));
    repeats
}

/// Per device id the worst severity among its own faults whose condition is there at the end of the period; hidden
/// ones do not count.
pub(super) fn worst_at_end(
    period: Period,
    watches: &Watches,
    faults: &[FaultLife],
) -> BTreeMap<Arc<str>, Severity> {
    let faults: BTreeMap<FaultId, &FaultLife> = faults.iter().map(|fault| (fault.id, fault)).collect();
    let mut worst: BTreeMap<Arc<str>, Severity> = BTreeMap::new();
    for fault in faults.values() {
        if fault.is_bad_at_end(period, watches) && root(fault, &faults).is_none() {
            let of_device = worst.entry(fault.key.device.clone()).or_insert(fault.severity);
            *of_device = fault.severity.min(*of_device);
        }
    }
    worst
}
