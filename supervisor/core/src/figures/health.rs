//! The health score (健康度), 0 to 100, with its sums printed beside it.
//!
//! **Why points are taken off.** A manager must be able to repeat the score with a pencil from figures that stand on
//! the same page. So there is one line of arithmetic: 100 less three deductions, each with a limit, the limits adding
//! up to 100.
//!
//! - **Not available, up to 50.** 5 points for each percent of (should run − down) / should run that is missing.
//!   Half of the score, because running is what the equipment is for. Five for one, because the scale that matters
//!   is the uppermost: leased lines are sold with 99.9 %, 90 % is a breakdown, and a plain percentage would call
//!   both good. It is made of summed time, so a site of 1,200 devices and one of 20 are measured alike.
//! - **Open faults, up to 30.** 2 points for each percent of the devices that have an open critical fault at the end
//!   of the period, 1 for a major one (a device counts once, with its worst). A share, again so that size does not
//!   matter. Lesser severities cost nothing: they are there to be seen early, and a score that sinks when people watch
//!   more closely teaches them not to.
//! - **Without data, up to 20.** 0.2 points for each percent of the time in the site that is unknown or hidden behind
//!   a failed device. What nobody saw is not called healthy (未监控不算正常); it costs less than downtime, because it
//!   is our ignorance and not the equipment's failure.
//!
//! Excluded time (maintenance windows, out of service) costs nothing and earns nothing.
//!
//! **Rounding.** Deductions are exact integers, rounded up to a tenth: the printed line adds up to the last digit, and
//! 100.0 is printed only if nothing at all was missing. Time that moves from up to down, unknown or hidden, and a
//! device whose fault gets worse, never raise the score.

use super::availability::Durations;
use super::standing::Standing;
use crate::text::Bilingual;

/// Points per percent not available.
const UNAVAILABLE_PER_PERCENT: u64 = 5;
/// Most points for not being available.
const UNAVAILABLE_MOST: u64 = 50;
/// Points per percent of devices with an open critical fault.
const CRITICAL_PER_PERCENT: u64 = 2;
/// Points per percent of devices with an open major fault.
const MAJOR_PER_PERCENT: u64 = 1;
/// Most points for open faults.
const FAULTS_MOST: u64 = 30;
/// Most points for time without data; they are the share itself.
const WITHOUT_DATA_MOST: u64 = 20;

/// A number with one decimal, in tenths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tenths(pub u16);

impl std::fmt::Display for Tenths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

/// A health score and what it is made of: `score = 100 − unavailable − faults − without_data`, to the last digit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Health {
    /// 0 to 100.
    pub score: Tenths,
    /// Taken off for not being available, up to 50.
    pub unavailable: Tenths,
    /// Taken off for open faults, up to 30.
    pub faults: Tenths,
    /// Taken off for time without data, up to 20.
    pub without_data: Tenths,
}

/// `points` times `part / whole`, at most `most`, in tenths and rounded up; 0 of no whole.
fn deduction(points: u64, part: u64, whole: u64, most: u64) -> Tenths {
    let (tenths, most) = (u128::from(points) * 10 * u128::from(part), u128::from(most) * 10);
    let rounded = if whole == 0 { 0 } else { tenths.div_ceil(u128::from(whole)) };
    Tenths(u16::try_from(rounded.min(most)).unwrap_or(u16::MAX))
}

impl Health {
    /// The score of some devices, given their summed time and how they stand at the end; `None` if nothing that should
    /// run was observed.
    pub fn of(time: &Durations, standing: &Standing) -> Option<Health> {
        if time.should_run_ms() == 0 {
            return None;
        }
        let per_share = |per_percent: u64| per_percent * 100;
        let points = per_share(UNAVAILABLE_PER_PERCENT);
        let unavailable = deduction(points, time.down_ms, time.should_run_ms(), UNAVAILABLE_MOST);
        // Both kinds in one sum, so that it is rounded once.
        let weighted = u64::from(standing.critical) * CRITICAL_PER_PERCENT
            + u64::from(standing.major) * MAJOR_PER_PERCENT;
        let faults = deduction(per_share(1), weighted, u64::from(standing.devices), FAULTS_MOST);
        let dark_ms = time.unknown_ms.saturating_add(time.hidden_ms);
        let without_data = deduction(WITHOUT_DATA_MOST, dark_ms, time.in_site_ms(), WITHOUT_DATA_MOST);
        let left =
            [unavailable, faults, without_data].iter().fold(1000, |left: u16, d| left.saturating_sub(d.0));
        Some(Health { score: Tenths(left), unavailable, faults, without_data })
    }

    /// The formula, to be printed once on a page that shows scores.
    pub fn formula() -> Bilingual {
        let per_percent = Tenths((WITHOUT_DATA_MOST / 10) as u16);
        Bilingual::new(
            format!(
                "健康度 = 100 − 不可用 − 未消除故障 − 无数据。不可用：可用率每低 1% 扣 {UNAVAILABLE_PER_PERCENT} 分，\
                 最多 {UNAVAILABLE_MOST} 分；未消除故障：期末存在紧急故障的设备每占 1% 扣 {CRITICAL_PER_PERCENT} 分，\
                 重要故障扣 {MAJOR_PER_PERCENT} 分，最多 {FAULTS_MOST} 分；无数据：未监控或被上级故障遮挡的时间每占 1% \
                 扣 {per_percent} 分，最多 {WITHOUT_DATA_MOST} 分。各项向上取至 0.1 分；维护窗口与停用不计。"
            ),
            format!(
                "Health = 100 − not available − open faults − without data. Not available: \
                 {UNAVAILABLE_PER_PERCENT} points for each 1% of availability missing, at most {UNAVAILABLE_MOST}. \
                 Open faults: {CRITICAL_PER_PERCENT} points for each 1% of devices with a critical fault at the end \
                 of the period, {MAJOR_PER_PERCENT} for a major one, at most {FAULTS_MOST}. Without data: \
                 {per_percent} points for each 1% of time not watched or hidden behind a failed device, at most \
                 {WITHOUT_DATA_MOST}. Each is rounded up to 0.1. Maintenance windows and devices out of service do \
                 not count."
            ),
        )
    }

    /// This score's sum: `100 − 7.7 − 3.9 − 0.0 = 88.4`, with its words.
    pub fn sum(&self) -> Bilingual {
        let Health { score, unavailable, faults, without_data } = self;
        Bilingual::new(
            format!(
                "100 − {unavailable}（不可用）− {faults}（未消除故障）− {without_data}（无数据）= {score}"
            ),
            format!(
                "100 − {unavailable} (not available) − {faults} (open faults) − {without_data} (without data) = {score}"
            ),
        )
    }
}
