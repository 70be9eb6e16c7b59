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
