//! What went wrong in the demo's site in the weeks before it is started: made up from a seed, the same for every demo
//! that is started in the same week.

use crate::site::Site;
use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use roundsman_core::device::{Class, DeviceIx, Tier};
use roundsman_core::time::Wall;

/// Weeks before the one that runs: what a weekly summary compares with.
const WEEKS: i64 = 4;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// Nothing is wrong any more so long before the start.
const QUIET_MS: i64 = 40 * MINUTE_MS;

/// Two incidents of one device lie at least so far apart: sooner the same fault would reopen.
const APART_MS: i64 = 60 * MINUTE_MS;

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A county's router is silent, and with it its stations.
    Branch,
    /// A device is silent.
    Silent,
    /// A router's board is too hot.
    Hot,
    /// A server's disk is nearly full.
    Disk,
    /// The line to the Internet is nearly full.
    Busy,
}

/// One of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Incident {
    pub(super) kind: Kind,
    /// Where.
    pub(super) device: DeviceIx,
    pub(super) from: Wall,
    pub(super) to: Wall,
    /// When somebody took note of it.
    pub(super) noticed: Option<Wall>,
    /// Somebody wrote a maintenance record.
    pub(super) recorded: bool,
    /// Chooses words.
    pub(super) chance: u64,
}

/// The weeks before.
#[derive(Clone, Debug)]
pub(super) struct Weeks {
    /// Monday, 00:00 in site time.
    pub(super) from: Wall,
    /// The start of the demo.
    pub(super) to: Wall,
    /// When the box was off: work on the mains.
    pub(super) away: (Wall, Wall),
    /// In the order of their beginnings.
    pub(super) incidents: Vec<Incident>,
}

/// A number that looks like chance and follows from `seed` and `place` alone (splitmix64).
pub(super) fn chance(seed: u64, place: u64) -> u64 {
    let mut x = seed ^ place.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The same from 0 to 1.
pub(super) fn share(seed: u64, place: u64) -> f64 {
    chance(seed, place) as f64 / u64::MAX as f64
}

fn local(at: Wall, zone: &TimeZone) -> Zoned {
    Timestamp::from_millisecond(at.0).unwrap_or_default().to_zoned(zone.clone())
}

fn wall(at: &Zoned) -> Wall {
    Wall(at.timestamp().as_millisecond())
}

/// Throws the dice for one week.
struct Dice<'a> {
    site: &'a Site,
    week: Zoned,
    seed: u64,
    thrown: u64,
}

impl Dice<'_> {
    fn share(&mut self) -> f64 {
        self.thrown += 1;
        share(self.seed, self.thrown)
    }

    fn between(&mut self, low: i64, high: i64) -> i64 {
        low + ((high - low) as f64 * self.share()) as i64
    }

    /// One of the devices that fit.
    fn device(&mut self, fits: impl Fn(&crate::site::SiteEntry) -> bool) -> Option<DeviceIx> {
        let all: Vec<usize> =
            self.site.devices.iter().enumerate().filter(|(_, e)| fits(e)).map(|(at, _)| at).collect();
        let share = self.share();
        let at = *all.get(((all.len() as f64 * share) as usize).min(all.len().saturating_sub(1)))?;
        Some(DeviceIx(at as u32))
    }

    /// Something on one of the days (0 is Monday) between two hours of the day, lasting from so many to so many minutes.
    fn incident(
        &mut self,
        kind: Kind,
        device: Option<DeviceIx>,
        (days, hours, minutes): ((i64, i64), (i64, i64), (i64, i64)),
    ) -> Option<Incident> {
        let day = self.between(days.0, days.1 + 1);
        let minute = self.between(hours.0 * 60, hours.1 * 60);
        let lasted_ms = self.between(minutes.0 * MINUTE_MS, minutes.1 * MINUTE_MS) / 10_000 * 10_000;
        let begin =
            self.week.checked_add(day.days()).and_then(|day| day.checked_add(minute.minutes())).ok()?;
        let from = wall(&begin);
        let to = Wall(from.0 + lasted_ms);
        let at_work = (8..18).contains(&begin.hour())
            && !matches!(begin.weekday(), Weekday::Saturday | Weekday::Sunday);
        let after_ms = self.between(3 * MINUTE_MS, if at_work { 14 } else { 70 } * MINUTE_MS);
        let noticed = Wall(from.0 + after_ms);
        let looks = self.share() < if at_work { 0.95 } else { 0.5 };
        let writes = self.share() < 0.7;
        self.thrown += 1;
        Some(Incident {
            kind,
            device: device?,
            from,
            to,
            noticed: (looks && noticed < to).then_some(noticed),
            recorded: writes && lasted_ms >= 30 * MINUTE_MS,
            chance: chance(self.seed, self.thrown),
        })
    }
}

/// What the week brought.
fn week(dice: &mut Dice<'_>, nth: i64) -> Vec<Incident> {
    let station = |e: &crate::site::SiteEntry| e.device.tier == Tier::Station;
    let county = |e: &crate::site::SiteEntry| e.device.tier == Tier::County;
    let mut found = Vec::new();
    let branch = dice.device(county);
    found.extend(dice.incident(Kind::Branch, branch, ((0, 4), (9, 16), (18, 75))));
    for _ in 0..4 {
        let device = dice.device(station);
        found.extend(dice.incident(Kind::Silent, device, ((0, 6), (7, 20), (12, 190))));
    }
    // One station whose power is bad, the same in every week.
    let weak = DeviceIx(dice.site.devices.iter().rposition(station).unwrap_or(0) as u32);
    if dice.site.devices.iter().any(station) {
        for day in [1, 2, 4].into_iter().take(if nth >= WEEKS - 1 { 3 } else { 1 }) {
            found.extend(dice.incident(Kind::Silent, Some(weak), ((day, day), (12, 15), (15, 50))));
        }
    }
    let hot = dice.device(|e| e.device.tier == Tier::City && &*e.device.profile == "huawei-vrp");
    found.extend(dice.incident(Kind::Hot, hot, ((0, 6), (13, 16), (25, 80))));
    if nth % 2 == 1 {
        let server = dice.device(|e| e.device.class == Class::Server);
        found.extend(dice.incident(Kind::Disk, server, ((1, 3), (2, 4), (240, 420))));
    }
    let internet = dice.device(|e| &*e.device.id == "rt-city-internet");
    found.extend(dice.incident(Kind::Busy, internet, ((0, 4), (9, 10), (40, 90))));
    found
}

impl Weeks {
    /// The weeks before `now`, and what of this one has passed.
    pub(super) fn before(now: Wall, site: &Site) -> Weeks {
        let today = local(now, &site.zone).start_of_day().unwrap_or_else(|_| local(now, &site.zone));
        let back = i64::from(today.weekday().to_monday_zero_offset());
        let monday = today.checked_sub(back.days()).unwrap_or(today);
        let first = monday.checked_sub((WEEKS * 7).days()).unwrap_or_else(|_| monday.clone());
        let seed = first.timestamp().as_second().unsigned_abs();
        // Saturday night of the week before the last whole one.
        let off = first.checked_add(((WEEKS - 2) * 7 + 5).days()).unwrap_or_else(|_| first.clone());
        let off = Wall(wall(&off).0 + 70 * MINUTE_MS);
        let away = (off, Wall(off.0 + 150 * MINUTE_MS));
        let mut incidents: Vec<Incident> = Vec::new();
        for nth in 0..=WEEKS {
            let begins = first.checked_add((nth * 7).days()).unwrap_or_else(|_| first.clone());
            let mut dice = Dice { site, week: begins, seed: chance(seed, nth as u64), thrown: 0 };
            incidents.extend(week(&mut dice, nth));
        }
        incidents.sort_by_key(|incident| incident.from);
        let mut kept: Vec<Incident> = Vec::new();
        for incident in incidents {
            let is_over = incident.to.0 < now.0 - QUIET_MS;
            let is_watched = incident.to.0 + HOUR_MS < away.0.0 || incident.from.0 > away.1.0 + HOUR_MS;
            // A branch has more devices than the one that is named; no two incidents meet anywhere then.
            let meets = |other: &Incident| {
                let near = incident.from.0 < other.to.0 + APART_MS;
                near && (other.device == incident.device
                    || [incident.kind, other.kind].contains(&Kind::Branch))
            };
            if is_over && is_watched && !kept.iter().any(meets) {
                kept.push(incident);
            }
        }
        Weeks { from: wall(&first), to: now, away, incidents: kept }
    }
}

impl Incident {
    /// The devices that are silent in it.
    pub(super) fn silent(&self, site: &Site) -> Vec<DeviceIx> {
        match self.kind {
            Kind::Silent => vec![self.device],
            Kind::Branch => {
                let hangs = |at: &usize| {
                    let uplinks = &site.devices[*at].device.uplinks;
                    *at == self.device.at() || uplinks.iter().any(|uplink| uplink.device == self.device)
                };
                (0..site.devices.len()).filter(hangs).map(|at| DeviceIx(at as u32)).collect()
            }
            Kind::Hot | Kind::Disk | Kind::Busy => Vec::new(),
        }
    }
}
