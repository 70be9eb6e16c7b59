//! How figures and times are said in the report's language.

use crate::moment;
use crate::week::Week;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use roundsman_core::text::{Bilingual, Language};
use roundsman_core::time::Wall;

/// A language and a zone.
#[derive(Clone, Debug)]
pub(crate) struct Voice {
    pub(crate) language: Language,
    pub(crate) zone: TimeZone,
}

/// How long something lasted in both languages, in its two largest units.
pub(crate) fn lasting(ms: u64) -> Bilingual {
    let minutes = ms / 60_000;
    let (days, hours, rest) = (minutes / 1_440, minutes / 60 % 24, minutes % 60);
    let pair = |a: u64, large: [&str; 2], b: u64, small: [&str; 2]| {
        let one = |at: usize| match b {
            0 => format!("{a} {}", large[at]),
            b => format!("{a} {} {b} {}", large[at], small[at]),
        };
        Bilingual::new(one(0), one(1))
    };
    match minutes {
        0 => Bilingual::new("不足 1 分钟", "under 1 min"),
        1..60 => Bilingual::new(format!("{rest} 分钟"), format!("{rest} min")),
        60..1_440 => pair(hours, ["小时", "h"], rest, ["分钟", "min"]),
        _ => pair(days, ["天", "d"], hours, ["小时", "h"]),
    }
}

/// A share in basis points as it is printed: 9,991 is `99.91%`.
pub(crate) fn percent(basis_points: u32) -> String {
    format!("{}.{:02}%", basis_points / 100, basis_points % 100)
}

/// A share in basis points, rounded down: 100.00 % is printed only of the whole. `None` of nothing.
pub(crate) fn share(part: u64, whole: u64) -> Option<u32> {
    let points = (u128::from(part) * 10_000).checked_div(u128::from(whole))?;
    u32::try_from(points).ok()
}

impl Voice {
    /// One of two texts.
    pub(crate) fn say<'a>(&self, zh: &'a str, en: &'a str) -> &'a str {
        self.language.choose(zh, en)
    }

    /// A text in this language; in the other one where this one is empty.
    pub(crate) fn text(&self, text: &Bilingual) -> String {
        text.said(self.language).to_owned()
    }

    pub(crate) fn tag(&self) -> &'static str {
        self.language.tag()
    }

    pub(crate) fn lasting(&self, ms: u64) -> String {
        self.text(&lasting(ms))
    }

    pub(crate) fn rfc3339(&self, at: Wall) -> String {
        moment::rfc3339(at, &self.zone)
    }

    pub(crate) fn minute(&self, at: Wall) -> String {
        moment::minute(at, &self.zone)
    }

    /// Month, day, hour, minute.
    pub(crate) fn short(&self, at: Wall) -> String {
        moment::format(at, &self.zone, "%m-%d %H:%M")
    }

    /// `2026 年第 47 周（11 月 16 日 — 11 月 22 日）`.
    pub(crate) fn week(&self, week: Week) -> String {
        let (year, number) = (week.year(), week.number());
        match self.language {
            Language::Chinese => format!("{year} 年第 {number} 周"),
            Language::English => format!("Week {number}, {year}"),
        }
    }

    /// First and last day of a week.
    pub(crate) fn days(&self, week: Week) -> String {
        format!("{} — {}", self.date(week.monday()), self.date(week.sunday()))
    }

    pub(crate) fn date(&self, date: Date) -> String {
        date.strftime("%Y-%m-%d").to_string()
    }

    /// A weekday, 0 for Monday, as a chart names it.
    pub(crate) fn weekday(&self, after_monday: usize) -> &'static str {
        const ZH: [&str; 7] = ["周一", "周二", "周三", "周四", "周五", "周六", "周日"];
        const EN: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
        let names = self.language.choose(ZH, EN);
        names.get(after_monday).copied().unwrap_or("")
    }
}
