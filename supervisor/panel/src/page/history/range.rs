//! How far back a chart looks.

use crate::voice::Voice;
use roundsman_core::time::Wall;
use roundsman_store::Span;

/// How far back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Range {
    #[default]
    Hour,
    Day,
    Week,
    /// 13 weeks: as long as 5 minutes are kept by default, and what a quarter's report covers.
    Quarter,
}

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const WEEK_MS: i64 = 7 * 24 * HOUR_MS;

impl Range {
    pub(super) const ALL: [Range; 4] = [Range::Hour, Range::Day, Range::Week, Range::Quarter];

    /// The word in addresses.
    pub(super) fn word(self) -> &'static str {
        match self {
            Range::Hour => "1h",
            Range::Day => "24h",
            Range::Week => "7d",
            Range::Quarter => "13w",
        }
    }

    /// The range of an address; an hour where it has none or another.
    pub(crate) fn from_word(word: &str) -> Range {
        Range::ALL.into_iter().find(|range| range.word() == word).unwrap_or_default()
    }

    pub(super) fn name(self, v: &Voice) -> String {
        let key = match self {
            Range::Hour => "history.hour",
            Range::Day => "history.day",
            Range::Week => "history.week",
            Range::Quarter => "history.quarter",
        };
        v.t(key).into_owned()
    }

    fn length_ms(self) -> i64 {
        match self {
            Range::Hour => HOUR_MS,
            Range::Day => 24 * HOUR_MS,
            Range::Week => WEEK_MS,
            Range::Quarter => 13 * WEEK_MS,
        }
    }

    /// The end moves on in steps, so that a chart nobody would see a difference in stays the same text.
    fn step_ms(self) -> i64 {
        match self {
            Range::Hour => 10_000,
            Range::Day => MINUTE_MS,
            Range::Week => 5 * MINUTE_MS,
            Range::Quarter => HOUR_MS,
        }
    }

    /// The time up to `now`, in so many columns, of a device polled every `interval_s`.
    pub(super) fn span(self, now: Wall, points: usize, interval_s: u32) -> Span {
        let step_ms = self.step_ms();
        let to = now.0.div_euclid(step_ms).saturating_add(1).saturating_mul(step_ms);
        Span {
            from: Wall(to.saturating_sub(self.length_ms())),
            to: Wall(to),
            points,
            interval_ms: u64::from(interval_s) * 1_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_ends_at_its_next_step_and_stays_there_until_it_is_reached() {
        for (range, length_ms, step_ms) in [
            (Range::Hour, 3_600_000, 10_000),
            (Range::Day, 86_400_000, 60_000),
            (Range::Week, 604_800_000, 300_000),
            (Range::Quarter, 7_862_400_000, 3_600_000),
        ] {
            let early = range.span(Wall(1_794_981_600_000), 100, 60);
            let late = range.span(Wall(1_794_981_600_000 + step_ms - 1), 100, 60);
            assert_eq!(early, late);
            assert_eq!(early.to.0 - early.from.0, length_ms);
            assert_eq!(early.to.0 % step_ms, 0);
            assert!(range.span(early.to, 100, 60) != early);
            assert_eq!(Range::from_word(range.word()), range);
        }
        assert_eq!(Range::from_word("a year"), Range::Hour);
    }
}
