//! One level of one rule on one instance: quiet, pending, active, clearing.
//!
//! Raising takes one further bad poll, or the level's `for`; clearing takes two good polls beyond the deadband, and
//! the level's clear time. A value between limit and deadband raises nothing and clears nothing.

use crate::reading::Value;
use crate::rule::{Level, Test};
use crate::time::Mono;

/// Good polls in a row that it takes to clear (facts: clear after 2 good polls plus the deadband).
pub(super) const GOOD_POLLS_TO_CLEAR: u32 = 2;

/// Where a level stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing to say.
    #[default]
    Quiet,
    /// Bad, not confirmed.
    Pending {
        /// Since the first bad value.
        since: Mono,
    },
    /// Confirmed.
    Active,
    /// Confirmed, good again for so many polls.
    Clearing {
        /// Since the first good value.
        since: Mono,
        /// Good polls so far.
        polls: u32,
    },
}

impl Stage {
    /// Whether the level is confirmed and not over.
    pub(super) fn holds(self) -> bool {
        matches!(self, Stage::Active | Stage::Clearing { .. })
    }

    /// The stage after one more judged value.
    pub(super) fn next(self, level: &Level, side: Side, now: Mono) -> Stage {
        match (self, side) {
            (Stage::Quiet, Side::Bad) if level.hold_ms == Some(0) => Stage::Active,
            (Stage::Quiet, Side::Bad) => Stage::Pending { since: now },
            (Stage::Pending { since }, Side::Bad) => {
                if now.since_ms(since) >= level.hold_ms.unwrap_or(0) {
                    Stage::Active
                } else {
                    self
                }
            }
            (Stage::Quiet | Stage::Pending { .. }, _) => Stage::Quiet,
            (Stage::Active | Stage::Clearing { .. }, Side::Bad | Side::Between) => Stage::Active,
            (Stage::Active, Side::Good) => Stage::Clearing { since: now, polls: 1 },
            (Stage::Clearing { since, polls }, Side::Good) => {
                let polls = polls.saturating_add(1);
                let over = polls >= GOOD_POLLS_TO_CLEAR && now.since_ms(since) >= level.clear_ms;
                if over { Stage::Quiet } else { Stage::Clearing { since, polls } }
            }
        }
    }
}

/// Which side of a level's test a value lies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// Beyond the limit.
    Bad,
    /// Between the limit and the deadband.
    Between,
    /// Good beyond the deadband.
    Good,
}

/// On which side of `test` a value lies; `None` where the test does not fit the value. `reference` is the value that
/// counts as normal for [`Test::Changed`].
pub(super) fn side(test: &Test, value: &Value, reference: Option<&Value>) -> Option<Side> {
    let by = |bad: bool, good: bool| match (bad, good) {
        (true, _) => Side::Bad,
        (false, true) => Side::Good,
        (false, false) => Side::Between,
    };
    match test {
        Test::Above { limit, clear } => value.number().map(|x| by(x > *limit, x <= *clear)),
        Test::Below { limit, clear } => value.number().map(|x| by(x < *limit, x >= *clear)),
        Test::Outside { low, high, deadband } => {
            value.number().map(|x| by(x < *low || x > *high, x >= *low + *deadband && x <= *high - *deadband))
        }
        Test::Expect(words) => value.word().map(|word| by(!words.contains(word), true)),
        Test::Changed => Some(by(reference.is_some_and(|reference| reference != value), true)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::Severity;

    fn level(hold_ms: Option<u64>, clear_ms: u64) -> Level {
        Level { severity: Severity::Major, test: Test::Above { limit: 65.0, clear: 60.0 }, hold_ms, clear_ms }
    }

    /// Values at one poll a minute; the stages after each, by initial.
    fn run(level: &Level, values: &[f64]) -> String {
        let mut stage = Stage::Quiet;
        let mut stages = String::new();
        for (at, value) in values.iter().enumerate() {
            let side = side(&level.test, &Value::Number(*value), None).unwrap_or(Side::Between);
            stage = stage.next(level, side, Mono(at as u64 * 60_000));
            stages.push(match stage {
                Stage::Quiet => 'q',
                Stage::Pending { .. } => 'p',
                Stage::Active => 'a',
                Stage::Clearing { .. } => 'c',
            });
        }
        stages
    }

    #[test]
    fn stages() {
        type Case<'a> = (&'a str, Option<u64>, u64, &'a [f64], &'a str);
        let table: &[Case] = &[
            ("one bad value raises nothing", None, 0, &[70.0, 50.0, 70.0, 50.0], "pqpq"),
            ("two do", None, 0, &[70.0, 70.0, 50.0, 50.0], "pacq"),
            ("at once where the rule says so", Some(0), 0, &[70.0, 50.0, 50.0], "acq"),
            ("for 2 minutes", Some(120_000), 0, &[70.0, 70.0, 70.0], "ppa"),
            (
                "the deadband neither raises nor clears",
                None,
                0,
                &[62.0, 70.0, 62.0, 70.0, 70.0, 62.0],
                "qpqpaa",
            ),
            ("a bad value ends the clearing", None, 0, &[70.0, 70.0, 50.0, 70.0, 50.0, 50.0], "pacacq"),
            ("a value in the deadband ends it too", None, 0, &[70.0, 70.0, 50.0, 62.0, 50.0, 50.0], "pacacq"),
            ("clear for 3 minutes", None, 180_000, &[70.0, 70.0, 50.0, 50.0, 50.0, 50.0], "pacccq"),
            ("the limit itself is good enough not to raise", None, 0, &[65.0, 65.0, 65.0], "qqq"),
        ];
        for (name, hold_ms, clear_ms, values, expected) in table {
            assert_eq!(run(&level(*hold_ms, *clear_ms), values), *expected, "{name}");
        }
    }

    #[test]
    fn sides() {
        let state = |word: &str| Value::State(word.into());
        let outside = Test::Outside { low: 18.0, high: 27.0, deadband: 1.0 };
        let expect = Test::Expect(vec!["up".into(), "dormant".into()]);
        let table = [
            (&outside, Value::Number(17.9), None, Some(Side::Bad)),
            (&outside, Value::Number(18.5), None, Some(Side::Between)),
            (&outside, Value::Number(20.0), None, Some(Side::Good)),
            (&outside, Value::Number(27.1), None, Some(Side::Bad)),
            (&outside, state("up"), None, None),
            (&expect, state("down"), None, Some(Side::Bad)),
            (&expect, state("dormant"), None, Some(Side::Good)),
            (&expect, Value::Number(1.0), None, None),
            (&Test::Changed, state("a"), None, Some(Side::Good)),
            (&Test::Changed, state("a"), Some(state("b")), Some(Side::Bad)),
            (&Test::Changed, state("a"), Some(state("a")), Some(Side::Good)),
            (&Test::Below { limit: 10.0, clear: 20.0 }, Value::Counter64(9), None, Some(Side::Bad)),
            (&Test::Below { limit: 10.0, clear: 20.0 }, Value::Number(20.0), None, Some(Side::Good)),
        ];
        for (test, value, reference, expected) in table {
            assert_eq!(side(test, &value, reference.as_ref()), expected, "{test:?} {value:?}");
        }
    }
}
