//! Counters to rates: never negative, never across a restart.
//!
//! A counter of 32 bits wraps (RFC 2578 section 7.1.6), so a decrease is taken as one wrap if the way through zero is
//! shorter than the way back; a counter of 64 bits never wraps in practice (section 7.1.10), so a decrease there is a
//! restart.

use crate::reading::Value;
use crate::time::Mono;

/// `sysUpTime` counts 1/100 s in 32 bits and starts again after 497 days (RFC 3418): seconds until it wraps.
pub const UPTIME_WRAP_S: f64 = 42_949_672.96;

/// How far `sysUpTime` and our own clock may drift apart between two polls, in seconds, beside 1 % of the time
/// between them. Covers a reply that came on the last retry.
const UPTIME_SLACK_S: f64 = 5.0;

/// A counter's value, with what is known of its width.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Count {
    /// 32 bits; wraps to 0.
    Bits32(u32),
    /// 64 bits; does not wrap.
    Bits64(u64),
    /// A number that only grows; does not wrap.
    Number(f64),
}

impl Count {
    /// The value as a count, where it is a number of any kind.
    pub fn of(value: &Value) -> Option<Count> {
        match value {
            Value::Counter32(x) => Some(Count::Bits32(*x)),
            Value::Counter64(x) => Some(Count::Bits64(*x)),
            Value::Number(x) => Some(Count::Number(*x)),
            Value::State(_) | Value::Text(_) => None,
        }
    }
}

/// Change per second from `earlier` to `later`, `elapsed_ms` apart; `None` where the counter restarted, changed its
/// width, or no time passed.
pub fn rate(earlier: Count, later: Count, elapsed_ms: u64) -> Option<f64> {
    if elapsed_ms == 0 {
        return None;
    }
    let change = match (earlier, later) {
        (Count::Bits32(from), Count::Bits32(to)) => {
            let forward = to.wrapping_sub(from);
            let restarted = to < from && forward > u32::MAX / 2;
            (!restarted).then_some(f64::from(forward))?
        }
        (Count::Bits64(from), Count::Bits64(to)) => to.checked_sub(from)? as f64,
        (Count::Number(from), Count::Number(to)) if to >= from => to - from,
        _ => return None,
    };
    Some(change * 1000.0 / elapsed_ms as f64)
}

/// Time that two polls may be further apart, or nearer, than their answers: a reply that came on the last retry.
const ANSWER_SLACK_S: f64 = 5.0;

/// [`rate`] for a counter of octets on a line of known speed. A counter of 32 bits counts to 4.3 GB: a gigabit line
/// passes that in 34 s. Where more than one wrap would have been possible, or the line could not have carried the
/// change, there is none.
pub fn octet_rate(earlier: Count, later: Count, elapsed_ms: u64, line_bits: Option<f64>) -> Carried {
    let (Count::Bits32(from), Count::Bits32(to)) = (earlier, later) else {
        return rate(earlier, later, elapsed_ms).map_or(Carried::Restarted, Carried::Rate);
    };
    let Some(line_bits) = line_bits else {
        return Carried::Ambiguous;
    };
    let elapsed_s = elapsed_ms as f64 / 1000.0;
    let most = line_bits / 8.0 * (elapsed_s * 1.05 + ANSWER_SLACK_S);
    if most >= f64::from(u32::MAX) {
        return Carried::Ambiguous;
    }
    let forward = f64::from(to.wrapping_sub(from));
    match (forward <= most, to < from) {
        _ if elapsed_ms == 0 => Carried::Restarted,
        (true, _) => Carried::Rate(forward / elapsed_s),
        (false, true) => Carried::Restarted,
        // More than the line carries: its speed is not what it says, so nothing is known of wraps.
        (false, false) => Carried::Ambiguous,
    }
}

/// What came of two values of a counter of octets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Carried {
    /// Octets per second.
    Rate(f64),
    /// The counter began anew, or no time passed.
    Restarted,
    /// The counter may have wrapped more often than can be told.
    Ambiguous,
}

/// Whether a device restarted between two readings of its uptime (seconds), told apart from the wrap of
/// `sysUpTime` (librenms#1426: a wrap reported as a reboot).
pub fn restarted(earlier: (f64, Mono), later: (f64, Mono)) -> bool {
    let elapsed_s = later.1.since_ms(earlier.1) as f64 / 1000.0;
    let slack_s = UPTIME_SLACK_S + elapsed_s / 100.0;
    let wrapped = earlier.0 + elapsed_s - UPTIME_WRAP_S;
    if wrapped > -slack_s && (later.0 - wrapped).abs() <= slack_s {
        return false;
    }
    later.0 + slack_s < elapsed_s || later.0 < earlier.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rates() {
        let c32 = Count::Bits32;
        let c64 = Count::Bits64;
        let table: &[(Count, Count, u64, Option<f64>)] = &[
            (c64(1_000), c64(61_000), 60_000, Some(1_000.0)),
            (c64(1_000), c64(1_000), 60_000, Some(0.0)),
            (c64(1_000), c64(999), 60_000, None),
            (c64(u64::MAX), c64(0), 60_000, None),
            (c32(4_294_967_290), c32(4), 1_000, Some(10.0)),
            (c32(3_000_000_000), c32(5), 1_000, Some(1_294_967_301.0)),
            (c32(1_000_000), c32(5), 1_000, None),
            (c32(5), c64(10), 1_000, None),
            (c64(5), c64(10), 0, None),
            (Count::Number(5.0), Count::Number(7.0), 2_000, Some(1.0)),
            (Count::Number(5.0), Count::Number(4.0), 2_000, None),
        ];
        for (earlier, later, elapsed_ms, expected) in table {
            assert_eq!(rate(*earlier, *later, *elapsed_ms), *expected, "{earlier:?} → {later:?}");
        }
    }

    #[test]
    fn octets_of_32_bits_are_right_or_absent() {
        const MEGABIT: f64 = 1e6;
        let c32 = Count::Bits32;
        let near = u32::MAX - 295;
        let table = [
            (
                "100 Mb/s, a minute",
                c32(1_000),
                c32(61_000),
                60_000,
                Some(100.0 * MEGABIT),
                Carried::Rate(1_000.0),
            ),
            ("one wrap", c32(near), c32(704), 1_000, Some(100.0 * MEGABIT), Carried::Rate(1_000.0)),
            ("1 Gb/s, a minute: it may wrap twice", c32(5), c32(10), 60_000, Some(1e9), Carried::Ambiguous),
            ("1 Gb/s, ten seconds", c32(0), c32(1_000_000_000), 10_000, Some(1e9), Carried::Rate(1e8)),
            (
                "1 Gb/s, a wrap in ten seconds",
                c32(near),
                c32(999_999_704),
                10_000,
                Some(1e9),
                Carried::Rate(1e8),
            ),
            ("10 Gb/s, two seconds", c32(5), c32(10), 2_000, Some(1e10), Carried::Ambiguous),
            (
                "a restart that looks like a wrap",
                c32(3_000_000_000),
                c32(5),
                60_000,
                Some(100.0 * MEGABIT),
                Carried::Restarted,
            ),
            (
                "more than the line carries",
                c32(0),
                c32(4_000_000_000),
                60_000,
                Some(10.0 * MEGABIT),
                Carried::Ambiguous,
            ),
            ("a line of unknown speed", c32(5), c32(10), 60_000, None, Carried::Ambiguous),
            ("64 bits need no line", Count::Bits64(0), Count::Bits64(60), 60_000, None, Carried::Rate(1.0)),
            ("no time", c32(5), c32(10), 0, Some(MEGABIT), Carried::Restarted),
        ];
        for (case, earlier, later, elapsed_ms, line, expected) in table {
            assert_eq!(octet_rate(earlier, later, elapsed_ms, line), expected, "{case}");
        }
    }

    #[test]
    fn a_wrap_of_the_uptime_is_no_restart() {
        let wrap = UPTIME_WRAP_S;
        let table = [
            ("ordinary", 100.0, 160.2, 60_000, false),
            ("wrap between polls", wrap - 20.0, 40.0, 60_000, false),
            ("wrap, reply late by 3 s", wrap - 20.0, 43.0, 60_000, false),
            ("reboot", 86_400.0, 12.0, 60_000, true),
            ("reboot shortly before the wrap would come", wrap - 4_000.0, 12.0, 60_000, true),
            ("short-lived: restarted again, now older than before", 10.0, 40.0, 60_000, true),
            ("clock of the device runs 0.5 % slow", 1_000_000.0, 1_003_582.0, 3_600_000, false),
            ("suspended for ten minutes", 5_000.0, 5_001.0, 601_000, false),
        ];
        for (name, before, after, elapsed_ms, expected) in table {
            let found = restarted((before, Mono(0)), (after, Mono(elapsed_ms)));
            assert_eq!(found, expected, "{name}");
        }
    }

    proptest! {
        /// Whatever a line carries: the rate said is the true one, or none is said.
        #[test]
        fn never_a_wrong_octet_rate(
            from: u32,
            share in 0.0..=1.0_f64,
            line in prop::sample::select(vec![1e7, 1e8, 1e9, 1e10, 1e11]),
            elapsed_ms in 500_u64..3_600_000,
        ) {
            let carried = (line / 8.0 * share * elapsed_ms as f64 / 1000.0).floor();
            let to = ((u64::from(from) + carried as u64) & u64::from(u32::MAX)) as u32;
            let said = octet_rate(Count::Bits32(from), Count::Bits32(to), elapsed_ms, Some(line));
            let truth = carried * 1000.0 / elapsed_ms as f64;
            match said {
                Carried::Rate(rate) => prop_assert!((rate - truth).abs() <= truth * 1e-9, "{rate} for {truth}"),
                Carried::Restarted => prop_assert!(false, "what the line can carry is no restart"),
                Carried::Ambiguous => {}
            }
        }

        #[test]
        fn never_negative(a: u64, b: u64, narrow: bool, elapsed_ms in 0u64..100_000_000) {
            let pair = if narrow {
                (Count::Bits32(a as u32), Count::Bits32(b as u32))
            } else {
                (Count::Bits64(a), Count::Bits64(b))
            };
            if let Some(rate) = rate(pair.0, pair.1, elapsed_ms) {
                prop_assert!(rate >= 0.0 && rate.is_finite());
            }
        }
    }
}
