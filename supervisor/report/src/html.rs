//! The summary as HTML: one self-contained page, or the sheet of it for a page of the panel.
//!
//! The page has its style inside and fetches nothing; it holds no script. Printed it is A4, portrait, made for two
//! sides. Everything that devices and people wrote is escaped by the template.

use crate::Week;
use crate::chart;
use crate::voice::{Voice, percent};
use crate::weekly::{
    FaultRow, Group, Grouping, Indicator, LeftOver, Measure, RecordRow, RepeatRow, RootRow, Treatment, Unit,
    Weekly, abnormal, lines_by,
};
use askama::Template;
use jiff::tz::TimeZone;
use roundsman_core::fault::{Ending, FaultNumber};
use roundsman_core::figures::availability::Durations;
use roundsman_core::figures::comparison::{Change, Direction, Verdict};
use roundsman_core::figures::faults::FaultFigures;
use roundsman_core::figures::health::Health;
use roundsman_core::rule::Severity;
use roundsman_core::text::{Bilingual, Language};
use roundsman_core::time::Wall;
use std::borrow::Borrow;
use std::fmt::Display;
use std::sync::Arc;

/// How the sheet looks, for a page that has the panel's roles of colour; classes begin at `.weekly`.
pub const STYLE: &str = include_str!("../assets/weekly.css");
/// Roles of colour and the ground of a page of its own.
const PAGE_STYLE: &str = include_str!("../assets/page.css");
/// Characters of what was done in the table of faults; the record has the rest.
const LONGEST_PROCESS: usize = 28;
/// Fault numbers of a repeat offender.
const MOST_NUMBERS: usize = 6;
/// Fault numbers beside a maintenance record.
const MOST_NUMBERS_BESIDE: usize = 2;

#[derive(Template)]
#[template(path = "sheet.html")]
struct Sheet<'a> {
    w: &'a Weekly,
    v: &'a Voice,
    /// `h1` where the sheet is the page, `h2` inside another one.
    heading: &'static str,
}

#[derive(Template)]
#[template(path = "page.html")]
struct Page<'a> {
    v: &'a Voice,
    title: String,
    style: &'a str,
    page_style: &'a str,
    sheet: String,
}

fn voice(weekly: &Weekly, language: Language) -> Voice {
    Voice { language, zone: weekly.zone.clone() }
}

/// The sheet alone, to be put into a page that has [`STYLE`].
///
/// # Errors
/// A template that could not be rendered.
pub fn sheet(weekly: &Weekly, language: Language) -> Result<String, askama::Error> {
    Sheet { w: weekly, v: &voice(weekly, language), heading: "h2" }.render()
}

/// The whole page.
///
/// # Errors
/// A template that could not be rendered.
pub fn page(weekly: &Weekly, language: Language) -> Result<String, askama::Error> {
    let v = &voice(weekly, language);
    let sheet = Sheet { w: weekly, v, heading: "h1" }.render()?;
    let title = format!("{} · {} · {}", title(v), weekly.site, weekly.week);
    Page { v, title, style: STYLE, page_style: PAGE_STYLE, sheet }.render()
}

/// What a week is called: `2026 年第 47 周`.
pub fn week_name(week: Week, language: Language) -> String {
    Voice { language, zone: TimeZone::UTC }.week(week)
}

/// Its first and last day.
pub fn week_days(week: Week, language: Language) -> String {
    Voice { language, zone: TimeZone::UTC }.days(week)
}

/// A share in basis points as the sheet prints it: `99.91%`; a dash where nothing was observed.
pub fn share(points: Option<u32>) -> String {
    points.map_or_else(|| "—".to_owned(), percent)
}

fn title(v: &Voice) -> &'static str {
    v.say("设备健康周报", "Weekly equipment health summary")
}

/// A text cut at so many characters.
fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text[..at].trim_end()),
        None => text.to_owned(),
    }
}

/// `A、B 等 5 台`.
fn names(names: &[Arc<str>], v: &Voice) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(|name| &**name).collect();
    let list = shown.join(v.say("、", ", "));
    match names.len() {
        0..=3 => list,
        n => v
            .say("%l 等 %n 台", "%l and others, %n in all")
            .replace("%l", &list)
            .replace("%n", &n.to_string()),
    }
}

fn numbers(numbers: &[FaultNumber], most: usize) -> String {
    let shown: Vec<String> = numbers.iter().take(most).map(FaultNumber::to_string).collect();
    let more = if numbers.len() > most { " …" } else { "" };
    format!("{}{more}", shown.join(" "))
}

impl Sheet<'_> {
    fn title(&self) -> &'static str {
        title(self.v)
    }

    fn covers(&self) -> String {
        let (v, w) = (self.v, self.w);
        let hours = w.period.length_ms() / 3_600_000;
        match w.is_running {
            true => {
                v.say("进行中，数据截至 %n", "running, data up to %n").replace("%n", &v.minute(w.period.to()))
            }
            false if hours == 168 => v.say("整周", "whole week").to_owned(),
            // Clocks were changed in it.
            false => v
                .say("整周（%n 小时，含夏令时切换）", "whole week (%n hours, clocks were changed)")
                .replace("%n", &hours.to_string()),
        }
    }

    /// A figure of an indicator as it is printed.
    fn figure(&self, measure: &Measure, value: &Option<f64>) -> String {
        let Some(value) = *value else {
            // Nothing happened whose length could be measured; or nobody watched.
            let word =
                if measure.unit() == Unit::Minutes { "—" } else { self.v.say("无数据", "no data") };
            return word.to_owned();
        };
        match measure.unit() {
            Unit::Percent => format!("{value:.2}%"),
            Unit::Points => format!("{value:.1}"),
            Unit::Count => format!("{value:.0}"),
            Unit::Minutes => self.v.lasting((value * 60_000.0) as u64),
        }
    }

    /// How it changed: `↑ 0.12 个百分点`.
    fn change(&self, indicator: &Indicator) -> String {
        let Some(change) = indicator.comparison.against_previous else {
            return "—".to_owned();
        };
        let v = self.v;
        let by = change.by.abs();
        let text = match indicator.measure.unit() {
            _ if change.direction == Direction::Level => return v.say("持平", "level").to_owned(),
            Unit::Percent => format!("{by:.2} {}", v.say("个百分点", "pp")),
            Unit::Points => format!("{by:.1} {}", v.say("分", "points")),
            Unit::Count => self.with_share(format!("{by:.0}"), &change),
            Unit::Minutes => self.with_share(v.lasting((by * 60_000.0) as u64), &change),
        };
        format!("{} {text}", if change.direction == Direction::Up { "↑" } else { "↓" })
    }

    fn with_share(&self, text: String, change: &Change) -> String {
        match change.relative {
            Some(relative) => format!("{text} ({:.0}%)", relative.abs() * 100.0),
            None => text,
        }
    }

    fn verdict(&self, indicator: &Indicator) -> &'static str {
        match indicator.comparison.against_previous.map(|change| change.verdict) {
            Some(Verdict::Better) => "better",
            Some(Verdict::Worse) => "worse",
            _ => "same",
        }
    }

    /// A word beside the arrow, since no colour says anything alone.
    fn verdict_word(&self, indicator: &Indicator) -> &'static str {
        match self.verdict(indicator) {
            "better" => self.v.say("改善", "better"),
            "worse" => self.v.say("变差", "worse"),
            _ => "",
        }
    }

    fn target(&self, indicator: &Indicator) -> String {
        indicator.target.map_or_else(|| "—".to_owned(), |target| format!("≥ {target:.2}%"))
    }

    fn misses(&self, indicator: &Indicator) -> bool {
        indicator.target.zip(indicator.comparison.this).is_some_and(|(target, this)| this < target - 0.000_1)
    }

    /// The mean of the weeks before; of counts with a decimal.
    fn mean(&self, indicator: &Indicator) -> String {
        match (indicator.measure.unit(), indicator.comparison.mean) {
            (Unit::Count, Some(mean)) => format!("{mean:.1}"),
            (_, mean) => self.figure(&indicator.measure, &mean),
        }
    }

    /// How many weeks the mean is of, where it is not the usual four.
    fn mean_of(&self, indicator: &Indicator) -> String {
        match indicator.comparison.mean_of {
            0 | 4 => String::new(),
            n => self.v.say("（%n 周）", " (%n weeks)").replace("%n", &n.to_string()),
        }
    }

    fn groups(&self) -> Vec<(&'static str, Vec<&Group>)> {
        let v = self.v;
        [
            ("", Grouping::All),
            (v.say("按类型", "By class"), Grouping::Class),
            (v.say("按层级", "By tier"), Grouping::Tier),
            (v.say("按网络", "By network"), Grouping::Network),
        ]
        .into_iter()
        .map(|(name, by)| (name, lines_by(&self.w.groups, by)))
        .filter(|(_, lines)| !lines.is_empty())
        .collect()
    }

    fn abnormal(&self, group: &Group) -> u32 {
        abnormal(&group.standing)
    }

    fn score(&self, group: &Group) -> String {
        group.health.map_or_else(|| "—".to_owned(), |health| health.score.to_string())
    }

    fn share(&self, points: &Option<u32>) -> String {
        share(*points)
    }

    /// New faults of the week by severity, those that came.
    fn severities(&self) -> Vec<(Severity, u32)> {
        let count = |at: usize| self.w.days.iter().map(|day| day.new.get(at).copied().unwrap_or(0)).sum();
        Severity::ALL
            .iter()
            .enumerate()
            .map(|(at, severity)| (*severity, count(at)))
            .filter(|(_, n)| *n > 0)
            .collect()
    }

    fn lasted(&self, row: &FaultRow) -> String {
        match (row.lasted_ms, row.recovered) {
            (None, _) => self.v.say("无法判定", "not known").to_owned(),
            (Some(ms), Some(_)) => self.v.lasting(ms),
            (Some(ms), None) => self.v.say("已 %n", "%n so far").replace("%n", &self.v.lasting(ms)),
        }
    }

    /// How old an open fault is.
    fn age(&self, row: &FaultRow) -> String {
        row.lasted_ms.map_or_else(|| self.v.say("无法判定", "not known").to_owned(), |ms| self.v.lasting(ms))
    }

    /// What stands where a list is empty: nothing happened, or nobody watched.
    fn nothing(&self, zh: &'static str, en: &'static str) -> String {
        match self.w.watched_ms {
            0 => self
                .v
                .say("本期无监控数据，情况不明。", "Nothing was watched in the week: not known.")
                .to_owned(),
            _ => self.v.say(zh, en).to_owned(),
        }
    }

    fn recovered(&self, row: &FaultRow) -> String {
        let v = self.v;
        match (row.recovered, row.ended) {
            (Some(at), Some(_)) => v.short(at),
            (Some(at), None) => format!("{} {}", v.short(at), v.say("待关闭", "to be closed")),
            (None, Some(Ending::Withdrawn)) => v.say("已撤销", "withdrawn").to_owned(),
            (None, Some(_)) => v.say("已关闭", "closed").to_owned(),
            (None, None) => v.say("未恢复", "open").to_owned(),
        }
    }

    fn treatment(&self, row: &FaultRow) -> String {
        let v = self.v;
        match &row.treatment {
            Treatment::Recorded { number, process } => {
                format!("{number} {}", clipped(process, LONGEST_PROCESS))
            }
            Treatment::Acknowledged if row.ended.is_some() => {
                v.say("已确认，已恢复", "acknowledged, recovered").to_owned()
            }
            Treatment::Acknowledged => v.say("已确认，处理中", "acknowledged, in hand").to_owned(),
            Treatment::Unattended => v.say("无人确认", "nobody took note").to_owned(),
            Treatment::EndedByItself => v.say("已恢复，无人确认", "recovered, nobody took note").to_owned(),
        }
    }

    fn repeat_numbers(&self, row: &RepeatRow) -> String {
        numbers(&row.numbers, MOST_NUMBERS)
    }

    fn root_words(&self, row: &RootRow) -> String {
        let text = self.v.say("%n 起", "%n");
        text.replace("%n", &row.hidden.to_string())
    }

    fn devices(&self, list: &[Arc<str>]) -> String {
        names(list, self.v)
    }

    fn record_what(&self, row: &RecordRow) -> String {
        let what = clipped(&row.process, 2 * LONGEST_PROCESS);
        match row.parts.is_empty() {
            true => what,
            false => format!(
                "{what} {}",
                self.v.say("更换：%n", "Replaced: %n").replace("%n", &names(&row.parts, self.v))
            ),
        }
    }

    fn record_faults(&self, row: &RecordRow) -> String {
        if row.faults.is_empty() { "—".to_owned() } else { numbers(&row.faults, MOST_NUMBERS_BESIDE) }
    }

    fn kind(&self, row: &RecordRow) -> String {
        row.kind.map(|kind| self.v.text(&kind.name())).unwrap_or_default()
    }

    fn left_what(&self, row: &LeftOver) -> String {
        clipped(&row.what, 2 * LONGEST_PROCESS)
    }

    fn more(&self, zh: &str, en: &str, count: impl Display) -> String {
        self.v.say(zh, en).replace("%n", &count.to_string())
    }

    /// What the reader must know of the week's time before believing its figures.
    fn reservations(&self) -> Vec<String> {
        let (v, w) = (self.v, self.w);
        let mut found = Vec::new();
        let unwatched = w.period.length_ms().saturating_sub(w.watched_ms.saturating_sub(w.repeated_ms));
        if unwatched >= 60_000 {
            let text = v.say(
                "本期有 %n未监控（主机停机或时钟未校准），计为无数据。",
                "%n of the period were not watched (the box was off or its clock not set): no data.",
            );
            found.push(text.replace("%n", &v.lasting(unwatched)));
        }
        if w.repeated_ms > 0 {
            let text = v.say(
                "时钟回拨使 %n重复记录，按实际经过的时间统计。",
                "The clock was set back: %n were lived twice and are counted as they were lived.",
            );
            found.push(text.replace("%n", &v.lasting(w.repeated_ms)));
        }
        let unknown: u32 = w.indicators.iter().map(|indicator| indicator.unknown).sum();
        if unknown > 0 {
            let text = v.say(
                "有 %n 项时长跨越停机，无法判定，未计入平均值。",
                "%n durations cross a time without watch and cannot be known; the means leave them out.",
            );
            found.push(text.replace("%n", &unknown.to_string()));
        }
        found
    }

    fn formulas(&self) -> [String; 4] {
        let v = self.v;
        let own = v.say(
            "监控覆盖率 = 已监控时长 / 在册时长。完好率 = 期末正常台数 / 总台数。百分数向下取至 0.01%，100.00% 表示毫无缺失。环比 = 本期 − 上期；四周均值取前四周中有数据的各周。",
            "Coverage = time watched / time in the site. Serviceability = devices that are well at the end / devices. Percentages are rounded down to 0.01%: 100.00% means that nothing is missing. Change = this week − the week before; the mean is of those of the four weeks before that have data.",
        );
        [
            v.text(&Durations::formula()),
            v.text(&Health::formula()),
            v.text(&FaultFigures::formula()),
            own.to_owned(),
        ]
    }

    fn signs(&self) -> Vec<&'static str> {
        let v = self.v;
        vec![
            v.say("编制", "Prepared by"),
            v.say("审核", "Checked by"),
            v.say("批准", "Approved by"),
            v.say("甲方确认（盖章）", "Client (seal)"),
        ]
    }

    fn availability_chart(&self) -> String {
        chart::availability(&self.w.days, self.v)
    }

    fn faults_chart(&self) -> String {
        chart::faults(&self.w.days, self.v)
    }

    /// Fields come from the template by reference, names by value.
    fn text(&self, text: impl Borrow<Bilingual>) -> String {
        self.v.text(text.borrow())
    }

    fn further(&self) -> Vec<String> {
        self.w.conclusion.further.iter().map(|said| self.v.text(said)).collect()
    }

    fn week(&self) -> String {
        self.v.week(self.w.week)
    }

    fn days(&self) -> String {
        self.v.days(self.w.week)
    }

    fn short(&self, at: &Wall) -> String {
        self.v.short(*at)
    }

    fn made(&self) -> String {
        self.v.minute(self.w.made_at)
    }
}
