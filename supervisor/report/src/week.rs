//! ISO weeks (ISO 8601 section 4.2.2.3): Monday to Sunday, numbered so that week 1 has the year's first Thursday.
//!
//! A year has 52 or 53 of them. In a zone that changes its clocks one of them has 167 hours and one 169: a week is a
//! span of wall time between two midnights, never a number of seconds.

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use roundsman_core::figures::account::Period;
use roundsman_core::figures::comparison::PAST_PERIODS;
use roundsman_core::text::Bilingual;
use roundsman_core::time::Wall;
use std::fmt;

/// Years that make sense for a box that keeps records: all in which its clock may honestly be.
const YEARS: std::ops::RangeInclusive<i16> = 2000..=2100;

/// A week of a year; only one that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Week {
    year: i16,
    number: i8,
}

/// Why a text names no week.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeekError {
    /// It has another form.
    #[error("`{0}` is no ISO week; write the year and the week, such as 2026-W47")]
    Form(String),
    /// The year has fewer weeks.
    #[error("`{year}-W{number:02}` does not exist: {year} has {weeks} weeks")]
    NoSuch {
        /// The year that was named.
        year: i16,
        /// The week that was named.
        number: i8,
        /// How many the year has.
        weeks: i8,
    },
    /// It has not begun.
    #[error("{week} has not begun; the running week is {running}")]
    NotYet {
        /// The week that was named.
        week: Week,
        /// The one that is running.
        running: Week,
    },
}

impl WeekError {
    /// The same for people in both languages.
    pub fn text(&self) -> Bilingual {
        let zh = match self {
            WeekError::Form(text) => format!("“{text}”不是 ISO 周，请写作 2026-W47 的形式。"),
            WeekError::NoSuch { year, number, weeks } => {
                format!("{year}-W{number:02} 不存在：{year} 年共 {weeks} 周。")
            }
            WeekError::NotYet { week, running } => format!("{week} 尚未开始，当前为 {running}。"),
        };
        Bilingual::new(zh, format!("{self}."))
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-W{:02}", self.year, self.number)
    }
}

impl Week {
    /// A week of a year from 2000 to 2100.
    ///
    /// # Errors
    /// The year is outside, or has no such week.
    pub fn new(year: i16, number: i8) -> Result<Week, WeekError> {
        let monday = |number| ISOWeekDate::new(year, number, Weekday::Monday);
        let first = monday(1).ok().filter(|_| YEARS.contains(&year));
        let first = first.ok_or_else(|| WeekError::Form(format!("{year}-W{number:02}")))?;
        match monday(number) {
            Ok(_) => Ok(Week { year, number }),
            Err(_) => Err(WeekError::NoSuch { year, number, weeks: first.weeks_in_year() }),
        }
    }

    /// Reads what [`Display`](fmt::Display) writes: `2026-W47`. The case of the letter does not matter.
    ///
    /// # Errors
    /// Another form, or a week that the year does not have.
    pub fn parse(text: &str) -> Result<Week, WeekError> {
        // What is handed back in the error has a bound.
        let form = || WeekError::Form(text.chars().take(20).collect());
        let (year, number) = text.split_once("-W").or_else(|| text.split_once("-w")).ok_or_else(form)?;
        let digits = |text: &str, most: usize| text.len() == most && text.bytes().all(|b| b.is_ascii_digit());
        if !digits(year, 4) || !digits(number, 2) {
            return Err(form());
        }
        Week::new(year.parse().map_err(|_| form())?, number.parse().map_err(|_| form())?)
    }

    /// The week that holds a moment; of one outside of [2000, 2100] the nearest.
    pub fn holding(at: Wall, zone: &TimeZone) -> Week {
        let moment = Timestamp::from_millisecond(at.0).unwrap_or_default();
        let date = moment.to_zoned(zone.clone()).date().iso_week_date();
        match date.year() {
            year if year < *YEARS.start() => Week { year: *YEARS.start(), number: 1 },
            year if year > *YEARS.end() => Week { year: *YEARS.end(), number: 52 },
            year => Week { year, number: date.week() },
        }
    }

    /// The ISO year.
    pub fn year(self) -> i16 {
        self.year
    }

    /// 1 to 53.
    pub fn number(self) -> i8 {
        self.number
    }

    /// Its Monday.
    pub fn monday(self) -> Date {
        // A `Week` is made of one that exists.
        ISOWeekDate::new(self.year, self.number, Weekday::Monday).map(ISOWeekDate::date).unwrap_or_default()
    }

    /// Its Sunday.
    pub fn sunday(self) -> Date {
        self.day(6)
    }

    /// Its days from Monday, 0 to 6.
    pub fn day(self, after_monday: i32) -> Date {
        self.monday().saturating_add(after_monday.days())
    }

    /// The week so many weeks later, earlier where negative.
    #[must_use]
    pub fn plus(self, weeks: i32) -> Week {
        let date = self.monday().saturating_add(weeks.weeks()).iso_week_date();
        Week { year: date.year(), number: date.week() }
    }

    /// The week before it.
    #[must_use]
    pub fn previous(self) -> Week {
        self.plus(-1)
    }

    /// The week after it.
    #[must_use]
    pub fn next(self) -> Week {
        self.plus(1)
    }

    /// From its first midnight to its last in a zone: 168 hours, or one more or less where clocks change.
    pub fn span(self, zone: &TimeZone) -> Period {
        Period::new(midnight(self.monday(), zone), midnight(self.day(7), zone))
    }

    /// Its seven days in a zone.
    pub fn days(self, zone: &TimeZone) -> [Period; 7] {
        let day = |n: i32| Period::new(midnight(self.day(n), zone), midnight(self.day(n + 1), zone));
        [0, 1, 2, 3, 4, 5, 6].map(day)
    }

    /// The span whose past a summary of this week needs: the four weeks before it and itself.
    pub fn reach(self, zone: &TimeZone) -> Period {
        let first = self.plus(-(PAST_PERIODS as i32));
        Period::new(first.span(zone).from(), self.span(zone).to())
    }
}

/// The first moment of a day in a zone (some zones change their clocks at midnight: then it is not 00:00).
fn midnight(date: Date, zone: &TimeZone) -> Wall {
    let moment = date.to_zoned(zone.clone()).and_then(|day| day.start_of_day());
    Wall(moment.map(|moment| moment.timestamp().as_millisecond()).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    #[test]
    fn texts_are_read_or_refused_with_the_remedy() {
        for (text, expected) in [
            ("2026-W47", Ok("2026-W47")),
            ("2026-w01", Ok("2026-W01")),
            ("2020-W53", Ok("2020-W53")),
            ("2026-W53", Ok("2026-W53")),
            ("2026-W54", Err("`2026-W54` does not exist: 2026 has 53 weeks")),
            ("2025-W53", Err("`2025-W53` does not exist: 2025 has 52 weeks")),
            ("2026-W00", Err("`2026-W00` does not exist: 2026 has 53 weeks")),
            ("2026-W1", Err("`2026-W1` is no ISO week; write the year and the week, such as 2026-W47")),
            ("2026-11-16", Err("`2026-11-16` is no ISO week; write the year and the week, such as 2026-W47")),
            ("1970-W01", Err("`1970-W01` is no ISO week; write the year and the week, such as 2026-W47")),
            ("+026-W47", Err("`+026-W47` is no ISO week; write the year and the week, such as 2026-W47")),
            ("", Err("`` is no ISO week; write the year and the week, such as 2026-W47")),
        ] {
            let read = Week::parse(text).map(|week| week.to_string()).map_err(|error| error.to_string());
            assert_eq!(read, expected.map(str::to_owned).map_err(str::to_owned), "{text}");
        }
    }

    /// Week, zone, first and last moment, hours, the week before and after.
    #[test]
    fn spans_of_weeks() {
        for (week, name, from, to, hours, before, after) in [
            (
                "2026-W47",
                "Asia/Shanghai",
                "2026-11-16T00:00:00+08",
                "2026-11-23T00:00:00+08",
                168,
                "2026-W46",
                "2026-W48",
            ),
            (
                "2026-W53",
                "Asia/Shanghai",
                "2026-12-28T00:00:00+08",
                "2027-01-04T00:00:00+08",
                168,
                "2026-W52",
                "2027-W01",
            ),
            (
                "2020-W53",
                "Asia/Shanghai",
                "2020-12-28T00:00:00+08",
                "2021-01-04T00:00:00+08",
                168,
                "2020-W52",
                "2021-W01",
            ),
            (
                "2027-W01",
                "Asia/Shanghai",
                "2027-01-04T00:00:00+08",
                "2027-01-11T00:00:00+08",
                168,
                "2026-W53",
                "2027-W02",
            ),
            (
                "2026-W13",
                "Europe/Berlin",
                "2026-03-23T00:00:00+01",
                "2026-03-30T00:00:00+02",
                167,
                "2026-W12",
                "2026-W14",
            ),
            (
                "2026-W43",
                "Europe/Berlin",
                "2026-10-19T00:00:00+02",
                "2026-10-26T00:00:00+01",
                169,
                "2026-W42",
                "2026-W44",
            ),
            (
                "2026-W10",
                "America/New_York",
                "2026-03-02T00:00:00-05",
                "2026-03-09T00:00:00-04",
                167,
                "2026-W09",
                "2026-W11",
            ),
            (
                "2026-W44",
                "America/New_York",
                "2026-10-26T00:00:00-04",
                "2026-11-02T00:00:00-05",
                169,
                "2026-W43",
                "2026-W45",
            ),
            // Clocks went from 23:59:59 on Saturday to 01:00 on Sunday: that day has no midnight.
            (
                "2018-W44",
                "America/Sao_Paulo",
                "2018-10-29T00:00:00-03",
                "2018-11-05T00:00:00-02",
                167,
                "2018-W43",
                "2018-W45",
            ),
        ] {
            let (week, zone) = (Week::parse(week).unwrap(), zone(name));
            let wall = |text: &str| Wall(text.parse::<Timestamp>().unwrap().as_millisecond());
            let span = week.span(&zone);
            assert_eq!((span.from(), span.to()), (wall(from), wall(to)), "{week} {name}");
            assert_eq!(span.length_ms(), hours * 3_600_000, "{week} {name}");
            assert_eq!(
                (week.previous().to_string(), week.next().to_string()),
                (before.to_owned(), after.to_owned())
            );
            assert_eq!(Week::holding(span.from(), &zone), week);
            assert_eq!(Week::holding(Wall(span.to().0 - 1), &zone), week);
            assert_eq!(Week::holding(span.to(), &zone), week.next());
            let days = week.days(&zone);
            assert_eq!(days.iter().map(|day| day.length_ms()).sum::<u64>(), span.length_ms());
            assert!(days.windows(2).all(|two| two[0].to() == two[1].from()), "{week} {name}");
            assert_eq!(week.reach(&zone).from(), week.plus(-4).span(&zone).from());
        }
    }

    #[test]
    fn every_year_is_walked_without_a_gap_and_no_moment_panics() {
        let mut week = Week::new(2000, 1).unwrap();
        let mut long = Vec::new();
        while week.year() < 2100 {
            assert_eq!(week.next().previous(), week);
            if week.number() == 53 {
                long.push(week.year());
            }
            week = week.next();
        }
        assert_eq!(long[..5], [2004, 2009, 2015, 2020, 2026]);
        for at in [i64::MIN, -1, 0, i64::MAX] {
            assert!(YEARS.contains(&Week::holding(Wall(at), &TimeZone::UTC).year()));
        }
    }
}
