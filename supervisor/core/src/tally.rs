//! How polling goes: what one poll cost, and what is counted of a device, of a driver and of the loop.
//!
//! **Bounded.** Counters and two rings of milliseconds each: a device costs [`Tally`] 512 octets at most for each driver
//! that serves it (a test holds it there), whatever happens to it. Percentiles are of what the rings hold, which is the
//! recent past; counters run from the start of the process.

use crate::device::words;
use crate::text::Bilingual;

words! {
    /// What carries polls out. A new driver is a new variant here: all that counts and shows goes by [`Driver::ALL`].
    Driver {
        /// SNMP v1 and v2c.
        Snmp = "snmp" "SNMP v1/v2c" "SNMP v1/v2c",
        /// SNMPv3.
        SnmpV3 = "snmp-v3" "SNMP v3" "SNMP v3",
        /// Serial lines, serial servers, Modbus TCP, text over TCP.
        Bus = "bus" "总线" "Bus",
        /// ONVIF, with RTSP and snapshots.
        Onvif = "onvif" "ONVIF" "ONVIF",
        /// Reach probes, by whatever way.
        Reach = "reach" "可达性探测" "Reach probe",
    }
}

/// What one poll cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Requests sent, retries not counted.
    pub requests: u32,
    /// Requests sent again.
    pub retries: u32,
    /// Requests that stayed without an answer after their retries.
    pub timeouts: u32,
    /// Values received (SNMP: variable bindings).
    pub varbinds: u32,
    /// Octets sent, payload of the transport.
    pub octets_out: u64,
    /// Octets received, payload of the transport, of answers that were taken.
    pub octets_in: u64,
    /// What came beside the answers since the device's last poll ended.
    pub ignored: Ignored,
}

/// Datagrams of a device that were no answer to anything it was asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    /// From its address, for no request that waits: most often later than the poll waited.
    pub strays: u32,
    /// Further answers to a request that had been answered.
    pub duplicates: u32,
    /// Refused: from another source, with another community or version, or not readable.
    pub rejected: u32,
}

/// One poll, or one probe, that is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// Whether any valid answer came.
    pub answered: bool,
    /// From its start to its end, ms.
    pub took_ms: u64,
    /// From when it was due to its start, ms; `None` where nothing was due, as with a probe asked for by the engine.
    pub late_ms: Option<u64>,
    /// What it cost.
    pub cost: Cost,
}

/// Counters since the start of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Polls ended.
    pub polls: u64,
    /// Of these, without a valid answer.
    pub failed: u64,
    /// Polls that were due and could not be started before the next was due.
    pub missed: u64,
    /// Requests sent, retries included.
    pub requests: u64,
    /// Of these, sent again.
    pub retries: u64,
    /// Requests without an answer after their retries.
    pub timeouts: u64,
    /// See [`Ignored::strays`].
    pub strays: u64,
    /// See [`Ignored::duplicates`].
    pub duplicates: u64,
    /// See [`Ignored::rejected`].
    pub rejected: u64,
    /// Octets sent.
    pub octets_out: u64,
    /// Octets received.
    pub octets_in: u64,
}

impl Counts {
    /// Takes a poll that ended.
    pub fn take(&mut self, poll: &Polled) {
        let Cost { requests, retries, timeouts, varbinds: _, octets_out, octets_in, ignored } = poll.cost;
        self.polls += 1;
        self.failed += u64::from(!poll.answered);
        self.requests += u64::from(requests) + u64::from(retries);
        self.retries += u64::from(retries);
        self.timeouts += u64::from(timeouts);
        self.strays += u64::from(ignored.strays);
        self.duplicates += u64::from(ignored.duplicates);
        self.rejected += u64::from(ignored.rejected);
        self.octets_out += octets_out;
        self.octets_in += octets_in;
    }
}

impl std::ops::Add for Counts {
    type Output = Counts;

    fn add(self, other: Counts) -> Counts {
        Counts {
            polls: self.polls + other.polls,
            failed: self.failed + other.failed,
            missed: self.missed + other.missed,
            requests: self.requests + other.requests,
            retries: self.retries + other.retries,
            timeouts: self.timeouts + other.timeouts,
            strays: self.strays + other.strays,
            duplicates: self.duplicates + other.duplicates,
            rejected: self.rejected + other.rejected,
            octets_out: self.octets_out + other.octets_out,
            octets_in: self.octets_in + other.octets_in,
        }
    }
}

/// The latest `N` durations in ms, those past 65 s as 65,535.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recent<const N: usize> {
    ms: [u16; N],
    /// Where the next one goes; `N` at most.
    next: u16,
    /// How many there are; `N` at most.
    len: u16,
}

impl<const N: usize> Default for Recent<N> {
    fn default() -> Recent<N> {
        Recent { ms: [0; N], next: 0, len: 0 }
    }
}

impl<const N: usize> Recent<N> {
    /// Takes a duration; past `N` the oldest goes.
    pub fn add(&mut self, ms: u64) {
        if let Some(place) = self.ms.get_mut(usize::from(self.next)) {
            *place = u16::try_from(ms).unwrap_or(u16::MAX);
        }
        let following = self.next + 1;
        self.next = if usize::from(following) < N { following } else { 0 };
        if usize::from(self.len) < N {
            self.len += 1;
        }
    }

    /// How they are spread; `None` while there are none.
    pub fn spread(&self) -> Option<Spread> {
        let mut sorted = self.ms;
        let sorted = sorted.get_mut(..usize::from(self.len))?;
        sorted.sort_unstable();
        // The nearest rank: the smallest value that so many in a hundred do not exceed.
        let rank = |percent: usize| (sorted.len() * percent).div_ceil(100).max(1) - 1;
        let at = |percent| sorted.get(rank(percent)).copied().map(u32::from);
        Some(Spread { p50: at(50)?, p95: at(95)?, p99: at(99)?, most: at(100)?, of: self.len.into() })
    }

    /// The latest one.
    pub fn last(&self) -> Option<u32> {
        let latest = usize::from(self.next).checked_sub(1).or(N.checked_sub(1))?;
        (self.len > 0).then(|| self.ms.get(latest).copied().map(u32::from)).flatten()
    }
}

/// How durations are spread, ms (percentiles by the nearest rank).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spread {
    /// Half of them take no longer.
    pub p50: u32,
    /// 95 of 100 take no longer.
    pub p95: u32,
    /// 99 of 100 take no longer.
    pub p99: u32,
    /// The longest.
    pub most: u32,
    /// Of how many.
    pub of: u32,
}

/// How the polls of one device by one driver, or of a driver as a whole, go. `LATENCY` and `LATENESS` are how many of
/// the latest durations it keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally<const LATENCY: usize, const LATENESS: usize> {
    /// Counters.
    pub counts: Counts,
    latency: Recent<LATENCY>,
    lateness: Recent<LATENESS>,
}

/// Of a device: two hours of latency at the usual interval.
pub type DeviceTally = Tally<128, 64>;
/// Of a driver: a minute of 1,000 devices at the usual interval.
pub type DriverTally = Tally<1024, 1024>;

impl<const LATENCY: usize, const LATENESS: usize> Tally<LATENCY, LATENESS> {
    /// Takes a poll that ended.
    pub fn add(&mut self, poll: &Polled) {
        self.counts.take(poll);
        self.latency.add(poll.took_ms);
        if let Some(late_ms) = poll.late_ms {
            self.lateness.add(late_ms);
        }
    }

    /// What it amounts to.
    pub fn summary(&self) -> Summary {
        Summary {
            counts: self.counts,
            last_ms: self.latency.last(),
            latency: self.latency.spread(),
            lateness: self.lateness.spread(),
        }
    }
}

/// A [`Tally`] as it stands at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Counters.
    pub counts: Counts,
    /// Duration of the latest poll, ms.
    pub last_ms: Option<u32>,
    /// Durations of the latest polls, from their start to their end.
    pub latency: Option<Spread>,
    /// How late the latest polls were started.
    pub lateness: Option<Spread>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_a_sorted_list() {
        type Case<'a> = (&'a str, Vec<u64>, Option<(u32, u32, u32, u32, u32)>);
        let table: Vec<Case<'_>> = vec![
            ("nothing", vec![], None),
            ("one", vec![7], Some((7, 7, 7, 7, 1))),
            ("two", vec![9, 3], Some((3, 9, 9, 9, 2))),
            ("a hundred, falling", (1..=100).rev().collect(), Some((50, 95, 99, 100, 100))),
            ("more than it holds: the latest", (1..=1_000).collect(), Some((936, 994, 999, 1_000, 128))),
            ("beyond its range", vec![70_000, u64::MAX, 1], Some((65_535, 65_535, 65_535, 65_535, 3))),
        ];
        for (name, durations, expected) in table {
            let mut recent = Recent::<128>::default();
            durations.iter().for_each(|ms| recent.add(*ms));
            let found = recent.spread().map(|s| (s.p50, s.p95, s.p99, s.most, s.of));
            assert_eq!(found, expected, "{name}");
            let last = durations.last().map(|ms| u32::try_from(*ms).map_or(65_535, |ms| ms.min(65_535)));
            assert_eq!(recent.last(), last, "{name}");
        }
    }

    #[test]
    fn a_device_stays_small() {
        let octets = size_of::<DeviceTally>();
        assert!(octets <= 512, "{octets} octets");
    }

    #[test]
    fn a_poll_is_counted_once_in_every_place_it_belongs_to() {
        let cost = Cost {
            requests: 4,
            retries: 2,
            timeouts: 1,
            varbinds: 90,
            octets_out: 400,
            octets_in: 3_000,
            ignored: Ignored { strays: 3, duplicates: 5, rejected: 7 },
        };
        let mut tally = DeviceTally::default();
        tally.add(&Polled { answered: true, took_ms: 12, late_ms: Some(1), cost });
        tally.add(&Polled { answered: false, took_ms: 3_000, late_ms: None, cost: Cost::default() });
        let found = tally.summary();
        let expected = Counts {
            polls: 2,
            failed: 1,
            missed: 0,
            requests: 6,
            retries: 2,
            timeouts: 1,
            strays: 3,
            duplicates: 5,
            rejected: 7,
            octets_out: 400,
            octets_in: 3_000,
        };
        assert_eq!(found.counts, expected);
        assert_eq!(found.last_ms, Some(3_000));
        assert_eq!(found.lateness.map(|spread| (spread.most, spread.of)), Some((1, 1)));
    }
}
