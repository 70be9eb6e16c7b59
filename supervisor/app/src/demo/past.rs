//! History of the weeks before: filled in as roll-ups once the panel is up and every device has said how it is, so that
//! the past leads to the present.

use super::incidents::{Incident, Kind, Weeks, share};
use crate::print;
use crate::site::Site;
use crate::supervise::View;
use anyhow::Result;
use roundsman_core::reading::Value;
use roundsman_core::time::Wall;
use roundsman_panel::{Charted, Site as _};
use roundsman_simulator::load_at;
use roundsman_store::{DeviceDay, PastBucket, PastDay, SeriesDay, Store};
use std::sync::Arc;
use std::time::Duration;

const FIVE_MS: i64 = 300_000;
const DAY_MS: i64 = 86_400_000;

/// Polls in 5 minutes.
const POLLS: u32 = 30;

/// How often it is looked whether the devices have said enough.
const LOOK: Duration = Duration::from_millis(500);
/// After so many looks it begins with those that have.
const MOST_LOOKS: u32 = 90;

/// What the line of a virtual device is like, until it has been looked at for long enough to say.
const LINE: [(&str, f64); 3] = [("line.loss", 0.0), ("line.latency", 0.4), ("line.jitter", 0.1)];

/// A figure of the line that nobody knows yet, as it usually is.
fn usual(mut figure: Charted) -> Charted {
    let known = LINE.iter().find(|(metric, _)| *figure.metric == **metric);
    figure.now = figure.now.or(known.map(|(_, usual)| *usual));
    figure
}

/// A device with the figures it has now.
struct Known {
    id: Arc<str>,
    figures: Vec<Charted>,
    /// Incidents it was part of.
    incidents: Vec<Incident>,
}

/// Fills the weeks in, the newest day first, and says how far it is.
pub(super) async fn fill(
    site: Arc<Site>,
    weeks: Arc<Weeks>,
    view: Arc<View>,
    store: Arc<Store>,
) -> Result<()> {
    let known = Arc::new(known(&site, &weeks, &view).await);
    let last = weeks.to.0.div_euclid(DAY_MS);
    let first = weeks.from.0.div_euclid(DAY_MS);
    let days = last - first + 1;
    print::line(&format!("past: {days} days of history are being filled in · 正在补全 {days} 天的历史"))?;
    let all = u32::try_from(days).unwrap_or(u32::MAX);
    view.fills(0, all);
    for (nth, done) in (first..=last).rev().zip(1_u32..) {
        let (known, weeks_then) = (known.clone(), weeks.clone());
        let day = tokio::task::spawn_blocking(move || day(&known, &weeks_then, nth * DAY_MS)).await?;
        store.fill(day, weeks.to).await?;
        view.fills(done, all);
        if done.is_multiple_of(7) && done < all {
            print::line(&format!("past: {done}/{days} days · 已补全 {done}/{days} 天"))?;
        }
    }
    print::line(&format!("past: all {days} days are there · 历史补全完毕，共 {days} 天"))
}

/// Waits until every device has a figure, as long as that takes no longer than it should.
async fn known(site: &Site, weeks: &Weeks, view: &View) -> Vec<Known> {
    let figures = |id: &Arc<str>| -> Vec<Charted> {
        let figures = view.detail(id).map(|detail| detail.figures).unwrap_or_default();
        figures.into_iter().map(usual).collect()
    };
    let has_said = |id: &Arc<str>| {
        let figures = figures(id);
        !figures.is_empty() && figures.iter().all(|figure| figure.now.is_some())
    };
    let mut looks = 0;
    while looks < MOST_LOOKS && !site.devices.iter().all(|entry| has_said(&entry.device.id)) {
        looks += 1;
        tokio::time::sleep(LOOK).await;
    }
    let devices = site.devices.iter().enumerate();
    let one = |(at, entry): (usize, &crate::site::SiteEntry)| {
        let id = entry.device.id.clone();
        let own = |incident: &&Incident| {
            incident.device.at() == at || incident.silent(site).iter().any(|device| device.at() == at)
        };
        let incidents: Vec<Incident> = weeks.incidents.iter().filter(own).copied().collect();
        let mut figures = figures(&id);
        if incidents.iter().any(|incident| incident.kind == Kind::Disk) {
            figures.extend(view.watched(&id, "storage-full", "/data"));
        }
        // Another board may be the busiest one a minute later.
        let others = view.readings(&id).unwrap_or_default().into_iter().filter_map(|reading| {
            let is_one = !reading.metric.starts_with("interface.") && !reading.instance.is_empty();
            let like = figures.iter().find(|figure| is_one && figure.metric == reading.metric)?;
            let now = reading.sample.as_ref().ok().and_then(Value::number)?;
            (like.instance != reading.instance).then(|| Charted {
                instance: reading.instance.clone(),
                now: Some(now),
                ..like.clone()
            })
        });
        let others: Vec<Charted> = others.collect();
        figures.extend(others);
        figures.retain(|figure| figure.now.is_some());
        Known { id, figures, incidents }
    };
    devices.map(one).collect()
}

fn day(known: &[Known], weeks: &Weeks, from: i64) -> PastDay {
    let is_watched = |at: i64| {
        let away = (weeks.away.0.0..weeks.away.1.0).contains(&at);
        at >= weeks.from.0 && at + FIVE_MS <= weeks.to.0 && !away
    };
    let times: Vec<i64> =
        (0..DAY_MS / FIVE_MS).map(|n| from + n * FIVE_MS).filter(|at| is_watched(*at)).collect();
    PastDay { from: Wall(from), devices: known.iter().map(|known| known.day(&times, weeks.to)).collect() }
}

impl Known {
    fn day(&self, times: &[i64], now: Wall) -> DeviceDay {
        let polls = times.iter().map(|&at| {
            let silent = self.silent_share(at);
            let bad = (f64::from(POLLS) * silent).round() as u32;
            PastBucket { at: Wall(at), values: None, count: POLLS - bad, bad }
        });
        let polls: Vec<PastBucket> = polls.collect();
        let series = self.figures.iter().zip(0_u64..).map(|(figure, nth)| {
            let good = polls.iter().filter(|bucket| bucket.count > 0);
            let buckets = good.map(|bucket| {
                let (low, mean, high) = self.values(figure, nth, bucket.at.0, now);
                PastBucket { values: Some((low, mean, high)), bad: 0, ..*bucket }
            });
            SeriesDay {
                metric: figure.metric.clone(),
                instance: figure.instance.clone(),
                buckets: buckets.collect(),
            }
        });
        let series = series.collect();
        DeviceDay { device: self.id.clone(), polls, series }
    }

    /// How much of 5 minutes the device was silent.
    fn silent_share(&self, at: i64) -> f64 {
        let silent = self.incidents.iter().filter(|i| matches!(i.kind, Kind::Silent | Kind::Branch));
        let inside =
            |i: &Incident| (i.to.0.min(at + FIVE_MS) - i.from.0.max(at)).max(0) as f64 / FIVE_MS as f64;
        silent.map(inside).sum::<f64>().min(1.0)
    }

    /// Smallest, mean and largest value of 5 minutes: what it is now, moved by the load of the hour.
    fn values(&self, figure: &Charted, nth: u64, at: i64, now: Wall) -> (f64, f64, f64) {
        let middle = (at + FIVE_MS / 2) as f64 / 1_000.0;
        let (then, today) = (load_at(middle), load_at(now.0 as f64 / 1_000.0));
        let present = figure.now.unwrap_or_default();
        let seed =
            self.id.bytes().fold(nth, |seed, byte| seed.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let unrest = share(seed, (at / FIVE_MS).cast_unsigned()) - 0.5;
        let trouble = self.incidents.iter().find(|i| i.from.0 < at + FIVE_MS && at < i.to.0).map(|i| i.kind);
        let (mean, spread) = match (&*figure.unit, trouble) {
            ("%", Some(Kind::Disk)) if &*figure.instance == "/data" => (94.0, 0.3),
            ("Cel", Some(Kind::Hot)) => (present + 26.0 + unrest, 0.8),
            ("bit/s", Some(Kind::Busy)) => {
                (present * (then / today).max(1.6) * (1.0 + 0.1 * unrest), present * 0.1)
            }
            ("Cel", _) => (present + 7.0 * (then - today) + 0.8 * unrest, 0.4),
            // A disk does not empty itself in the evening.
            ("%", _) if figure.metric.starts_with("storage.") => (present + 0.4 * unrest, 0.1),
            // A probe is lost now and then: one of sixty.
            ("%", _) if figure.metric.starts_with("line.") => (if unrest > 0.47 { 1.67 } else { 0.0 }, 0.0),
            ("%", _) => {
                let swing = present.clamp(4.0, 60.0) * 0.5;
                ((present + swing * (then - today) + 2.0 * unrest).clamp(0.5, 99.0), 0.8)
            }
            ("bit/s" | "/s", _) => {
                (present * then / today * (1.0 + 0.3 * unrest), present * then / today * 0.18)
            }
            _ => {
                let mean = present * (1.0 + 0.3 * (then - today) + 0.04 * unrest);
                (mean, mean.abs() * 0.02)
            }
        };
        let floor = if present >= 0.0 { 0.0 } else { f64::MIN };
        let rounded = |x: f64| (x * 100.0).round() / 100.0;
        let (low, high) = (rounded((mean - spread).max(floor)), rounded(mean + spread));
        (low, rounded(mean).clamp(low, high), high)
    }
}
