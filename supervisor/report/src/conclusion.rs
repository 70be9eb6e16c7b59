//! The week in one sentence (一句话结论), by rules from its figures.
//!
//! The first rule that holds gives the verdict; the order is the order in which a manager must hear it. What the lead
//! does not say follows in further sentences, so that nothing of weight is left out: time without data, open faults,
//! repeat offenders. The rules look at [`Grounds`] alone: who reads the page can check them against its figures.
//!
//! | rule | holds when | level |
//! |---|---|---|
//! | `no-devices` | no device was in the site | unknown |
//! | `nothing-observed` | no device was observed at all | unknown |
//! | `mostly-unobserved` | less than half of the week was watched, or of the devices' time observed | unknown |
//! | `critical-open` | a device has an open critical fault at the end | trouble |
//! | `below-target` | availability is below the target | watch; trouble at ten times the downtime it allows |
//! | `major-open` | a device has an open major fault at the end | watch |
//! | `repeated` | a device had the same fault again and again | watch |
//! | `unobserved` | more than half a percent of either was not | watch |
//! | `recovered-critical` | critical faults came and all went | calm |
//! | `open` | lesser faults are open | calm |
//! | `recovered` | faults came and all went | calm |
//! | `quiet` | none of these: no fault | calm |

use crate::voice::{lasting, percent, share};
use roundsman_core::text::Bilingual;
use std::sync::Arc;

/// Below this share of observed time (basis points) a week is not judged.
const HALF: u32 = 5_000;
/// Time without data is said from this share of observed time on (basis points): half a percent, an hour of the week.
const NEARLY_ALL: u32 = 9_950;
/// A target missed by this many times the downtime it allows is more than a bad week.
const FAR: u32 = 10;
/// Devices that a sentence names.
const MOST_NAMED: usize = 3;

/// How a week was, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Nothing to do beyond the usual.
    Calm,
    /// Something wants an eye.
    Watch,
    /// Something wants action now.
    Trouble,
    /// Too little was seen to say.
    Unknown,
}

impl Level {
    /// Its name in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Level::Calm => "calm",
            Level::Watch => "watch",
            Level::Trouble => "trouble",
            Level::Unknown => "unknown",
        }
    }

    /// Its name for people.
    pub fn name(self) -> Bilingual {
        match self {
            Level::Calm => Bilingual::new("平稳", "Calm"),
            Level::Watch => Bilingual::new("关注", "Watch"),
            Level::Trouble => Bilingual::new("须处理", "Action needed"),
            Level::Unknown => Bilingual::new("数据不足", "Not enough data"),
        }
    }
}

/// The device that was down the longest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorstDevice {
    /// Its name.
    pub name: Arc<str>,
    /// How long, ms.
    pub down_ms: u64,
}

/// What the rules look at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Grounds {
    /// Devices that were in the site at some time of the week.
    pub devices: u32,
    /// Share of their time that was observed, basis points; `None` without any.
    pub observed: Option<u32>,
    /// Their time that was not observed, ms, summed.
    pub unknown_ms: u64,
    /// Time of the week in which the box watched, ms.
    pub watched_ms: u64,
    /// Time of the week in which it did not, ms.
    pub unwatched_ms: u64,
    /// Availability, basis points; `None` where nothing that should run was observed.
    pub availability: Option<u32>,
    /// What it is held to, basis points.
    pub target: u32,
    /// Who was down the longest.
    pub worst: Option<WorstDevice>,
    /// Names of the devices with an open critical fault at the end.
    pub open_critical: Vec<Arc<str>>,
    /// Names of those with an open major one.
    pub open_major: Vec<Arc<str>>,
    /// Devices that were never observed.
    pub unseen: u32,
    /// Faults raised.
    pub new: u32,
    /// Critical ones among them.
    pub new_critical: u32,
    /// Faults ended.
    pub ended: u32,
    /// Faults open at the end.
    pub open: u32,
    /// Devices and rules with two or more new faults.
    pub repeats: usize,
    /// The one with the most, and how many.
    pub most_repeated: Option<(Arc<str>, usize)>,
}

/// The week in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conclusion {
    /// In a word.
    pub level: Level,
    /// Which rule gave the lead.
    pub rule: &'static str,
    /// The one sentence.
    pub lead: Bilingual,
    /// What it leaves out and must be heard, in order; may be empty.
    pub further: Vec<Bilingual>,
}

/// The names of devices in a sentence.
fn named(names: &[Arc<str>]) -> Bilingual {
    let shown: Vec<&str> = names.iter().take(MOST_NAMED).map(|name| &**name).collect();
    let more = names.len() > MOST_NAMED;
    let (etc_zh, etc_en) = if more { ("等", " and others") } else { ("", "") };
    Bilingual::new(format!("{}{etc_zh}", shown.join("、")), format!("{}{etc_en}", shown.join(", ")))
}

/// `1 fault`, `2 faults`.
fn many(count: impl Into<u64>, one: &str, more: &str) -> String {
    match count.into() {
        1 => format!("1 {one}"),
        n => format!("{n} {more}"),
    }
}

/// The share of the week that was watched, or of the devices' time that was observed, whichever is less.
fn seen(grounds: &Grounds) -> u32 {
    let week_ms = grounds.watched_ms.saturating_add(grounds.unwatched_ms);
    share(grounds.watched_ms, week_ms).unwrap_or(0).min(grounds.observed.unwrap_or(0))
}

fn unobserved(grounds: &Grounds) -> Option<Bilingual> {
    if seen(grounds) >= NEARLY_ALL {
        return None;
    }
    let missing_share = 10_000_u32.saturating_sub(grounds.observed.unwrap_or(0));
    let missing = percent(missing_share);
    let box_off = (grounds.unwatched_ms >= 60_000).then(|| lasting(grounds.unwatched_ms));
    Some(match box_off {
        // The devices joined when it began to watch.
        Some(off) if missing_share == 0 => Bilingual::new(
            format!("本周有 {}未在监控，未按正常计。", off.zh),
            format!("The week has {} without monitoring; they are not counted as normal.", off.en),
        ),
        Some(off) => Bilingual::new(
            format!("巡检主机有 {}未在监控，设备时间的 {missing} 无数据，未按正常计。", off.zh),
            format!(
                "The supervisor did not watch for {}; {missing} of the devices' time has no data and is not counted \
                 as normal.",
                off.en
            ),
        ),
        None => Bilingual::new(
            format!("设备时间的 {missing} 无数据，未按正常计。"),
            format!("{missing} of the devices' time has no data and is not counted as normal."),
        ),
    })
}

fn critical_open(grounds: &Grounds) -> Option<Bilingual> {
    if grounds.open_critical.is_empty() {
        return None;
    }
    let (n, names) = (grounds.open_critical.len(), named(&grounds.open_critical));
    let devices = many(n as u64, "device has an open critical fault", "devices have an open critical fault");
    Some(Bilingual::new(
        format!("{n} 台设备的紧急故障尚未恢复（{}），须优先处理。", names.zh),
        format!("{devices} ({}): deal with it first.", names.en),
    ))
}

fn major_open(grounds: &Grounds) -> Option<Bilingual> {
    if grounds.open_major.is_empty() {
        return None;
    }
    let (n, names) = (grounds.open_major.len(), named(&grounds.open_major));
    let devices = many(n as u64, "device has an open major fault", "devices have an open major fault");
    Some(Bilingual::new(
        format!("{n} 台设备的重要故障尚未恢复（{}），须跟进处理。", names.zh),
        format!("{devices} ({}): follow up.", names.en),
    ))
}

fn below_target(grounds: &Grounds) -> Option<Bilingual> {
    let availability = grounds.availability.filter(|availability| *availability < grounds.target)?;
    let (is, wanted) = (percent(availability), percent(grounds.target));
    let cause = grounds.worst.as_ref().map(|worst| {
        let lasted = lasting(worst.down_ms);
        Bilingual::new(
            format!("，其中{}中断最久，累计{}", spaced(&worst.name), spaced(&lasted.zh)),
            format!("; {} was down the longest, {} in all", worst.name, lasted.en),
        )
    });
    let cause = cause.unwrap_or_default();
    Some(Bilingual::new(
        format!("可用率 {is}，低于目标 {wanted}{}。", cause.zh),
        format!("Availability was {is}, below the target of {wanted}{}.", cause.en),
    ))
}

/// A name inside a Chinese sentence: set off where it begins or ends in Latin letters or digits.
fn spaced(name: &str) -> String {
    let before = if name.starts_with(|c: char| c.is_ascii()) { " " } else { "" };
    let after = if name.ends_with(|c: char| c.is_ascii()) { " " } else { "" };
    format!("{before}{name}{after}")
}

fn repeated(grounds: &Grounds) -> Option<Bilingual> {
    let (name, times) = grounds.most_repeated.as_ref()?;
    let name_zh = spaced(name);
    let name_zh = name_zh.trim_start();
    Some(match grounds.repeats {
        0 | 1 => Bilingual::new(
            format!("{name_zh}反复故障（本周 {times} 次），原因待查。"),
            format!("{name} failed again and again ({times} times this week): find the cause."),
        ),
        n => Bilingual::new(
            format!("{name_zh}等 {n} 项反复故障（最多 {times} 次），原因待查。"),
            format!(
                "{name} and {} more failed again and again (up to {times} times): find the cause.",
                n - 1
            ),
        ),
    })
}

fn lesser_open(grounds: &Grounds) -> Option<Bilingual> {
    (grounds.open > 0).then(|| {
        Bilingual::new(
            format!("期末遗留未恢复故障 {} 起，见“遗留问题”。", grounds.open),
            format!("{} open at the end, see the open issues.", many(grounds.open, "fault is", "faults are")),
        )
    })
}

fn unseen(grounds: &Grounds) -> Option<Bilingual> {
    (grounds.unseen > 0).then(|| {
        Bilingual::new(
            format!("{} 台设备全周无数据，请核实其配置与连接。", grounds.unseen),
            format!(
                "{} no data in the whole week: check configuration and connection.",
                many(grounds.unseen, "device has", "devices have")
            ),
        )
    })
}

/// `本周总体平稳，`: what stands before a lead that is no bad news.
fn calm(zh: &str, en: &str) -> Bilingual {
    Bilingual::new(format!("本周总体平稳，{zh}"), format!("The week was calm on the whole: {en}"))
}

/// The lead: level, rule and sentence.
fn lead(grounds: &Grounds) -> (Level, &'static str, Bilingual) {
    let (observed, seen) = (grounds.observed.unwrap_or(0), seen(grounds));
    if grounds.devices == 0 {
        let text = Bilingual::new(
            "本周没有在册设备，无法评价。",
            "No device was in the site this week: there is nothing to judge.",
        );
        return (Level::Unknown, "no-devices", text);
    }
    if grounds.availability.is_none() && observed == 0 {
        let text = Bilingual::new(
            "本周无监控数据，不能评价设备运行情况。",
            "Nothing was monitored this week: how the equipment did is not known.",
        );
        return (Level::Unknown, "nothing-observed", text);
    }
    if seen < HALF && observed > seen {
        let watched = lasting(grounds.watched_ms);
        let text = Bilingual::new(
            format!("本周仅监控{}，数据不足以评价；以下数字只反映已监控的时段。", spaced(&watched.zh)),
            format!(
                "Only {} of the week were monitored, too little to judge it; the figures below speak of the monitored \
                 time alone.",
                watched.en
            ),
        );
        return (Level::Unknown, "mostly-unobserved", text);
    }
    if seen < HALF {
        let share = percent(observed);
        let text = Bilingual::new(
            format!("本周监控覆盖率仅 {share}，数据不足以评价；以下数字只反映已监控的时段。"),
            format!(
                "Only {share} of the devices' time was monitored, too little to judge the week; the figures below \
                 speak of the monitored time alone."
            ),
        );
        return (Level::Unknown, "mostly-unobserved", text);
    }
    if let Some(text) = critical_open(grounds) {
        return (Level::Trouble, "critical-open", text);
    }
    if let Some(text) = below_target(grounds) {
        let missing = 10_000_u32.saturating_sub(grounds.availability.unwrap_or(0));
        let allowed = 10_000_u32.saturating_sub(grounds.target);
        let level = if missing >= FAR * allowed { Level::Trouble } else { Level::Watch };
        return (level, "below-target", text);
    }
    if let Some(text) = major_open(grounds) {
        // Below the target it would have been said before.
        let text = match grounds.availability {
            Some(_) => Bilingual::new(
                format!("本周可用率达标，但 {}", text.zh),
                format!("Availability met its target, but {}", text.en),
            ),
            None => text,
        };
        return (Level::Watch, "major-open", text);
    }
    if let Some(text) = repeated(grounds) {
        let text = Bilingual::new(format!("本周基本平稳，但{}", text.zh), text.en);
        return (Level::Watch, "repeated", text);
    }
    if seen < NEARLY_ALL {
        let text = Bilingual::new(
            "已监控的时段内设备总体平稳，但本周监控不完整。",
            "The equipment was calm while it was watched, but monitoring was not complete this week.",
        );
        return (Level::Watch, "unobserved", text);
    }
    let rest = match (grounds.new_critical, grounds.open, grounds.new + grounds.ended) {
        (1.., 0, _) => (
            "recovered-critical",
            calm(
                &format!("发生紧急故障 {} 起，均已恢复，持续观察。", grounds.new_critical),
                &format!(
                    "{}, all recovered; keep watching.",
                    many(grounds.new_critical, "critical fault", "critical faults")
                ),
            ),
        ),
        (_, 1.., _) => (
            "open",
            calm(
                &format!("无紧急、重要故障遗留；次要及以下故障 {} 起未恢复，跟踪处理。", grounds.open),
                &format!(
                    "nothing critical or major is left open; {} to be followed up.",
                    many(grounds.open, "lesser fault is", "lesser faults are")
                ),
            ),
        ),
        (_, _, 1..) => (
            "recovered",
            calm(
                &format!("新增故障 {} 起，均已恢复，持续观察。", grounds.new),
                &format!("{}, all recovered; keep watching.", many(grounds.new, "new fault", "new faults")),
            ),
        ),
        _ => ("quiet", calm("未发生故障。", "no faults.")),
    };
    (Level::Calm, rest.0, rest.1)
}

/// The conclusion of a week.
pub fn conclude(grounds: &Grounds) -> Conclusion {
    let (level, rule, lead) = lead(grounds);
    let mut further = Vec::new();
    if !matches!(rule, "no-devices" | "nothing-observed") {
        let says = |its: &[&str]| its.contains(&rule);
        further.extend(unobserved(grounds));
        further.extend(critical_open(grounds).filter(|_| !says(&["critical-open"])));
        further.extend(below_target(grounds).filter(|_| !says(&["below-target"])));
        further.extend(major_open(grounds).filter(|_| !says(&["major-open"])));
        further.extend(repeated(grounds).filter(|_| !says(&["repeated"])));
        let is_told = !grounds.open_critical.is_empty() || !grounds.open_major.is_empty();
        further.extend(lesser_open(grounds).filter(|_| !says(&["open"]) && !is_told));
        further.extend(unseen(grounds));
    }
    Conclusion { level, rule, lead, further }
}

#[cfg(test)]
mod tests;
