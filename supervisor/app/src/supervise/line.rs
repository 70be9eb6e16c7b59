//! Reach probes between the polls: what the line to a device is like.
//!
//! One task for all lines. Those that are due in the same second are probed together, neighbours in the site file in
//! different ones ([`Rounds`]). Outcomes go into the device's window; its poll takes the figures from there. A site
//! without `line` and `line_quality` never wakes it.
//!
//! Bounds: [`MOST_OF_A_DEVICE`] probes of a device at a time (its next turn is skipped), [`MOST_BEHIND_UPLINK`] behind
//! one uplink, and the box's probes together as many as the loop allows; who finds no place waits for one.

use super::polled::Runtime;
use super::{LINE_KEY, REACH_TIMEOUT_MS};
use roundsman_core::device::DeviceIx;
use roundsman_core::fault::Generation;
use roundsman_core::line::{Quality, Rounds, Window};
use roundsman_core::reading::Absence;
use roundsman_core::time::Mono;
use roundsman_driver::clock::Clock;
use roundsman_driver::reach::{Prober, Reach, Reached};
use roundsman_driver::snmp::{self, Finished, Snmp};
use roundsman_wire::snmp::session::Target;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Probes under way behind one uplink: county lines are thin.
const MOST_BEHIND_UPLINK: usize = 8;

/// Probes of one device under way: at one a second the second goes out before the first is lost.
const MOST_OF_A_DEVICE: usize = 3;

/// What is known of one device's line; shared by the loop and the task that probes.
#[derive(Debug)]
pub(super) struct Watched {
    window: Mutex<Window>,
    /// Probes that wait or are under way.
    under_way: AtomicUsize,
    /// That it cannot be probed has been said.
    complained: AtomicBool,
    /// The place behind its uplink that a probe by SNMP holds until its answer has come through the loop.
    place: Mutex<Option<OwnedSemaphorePermit>>,
}

impl Watched {
    pub(super) fn new(spacing_s: u32) -> Watched {
        Watched {
            window: Mutex::new(Window::new(spacing_s * 1_000)),
            under_way: AtomicUsize::new(0),
            complained: AtomicBool::new(false),
            place: Mutex::default(),
        }
    }

    /// Another pace after a reload; probes on their way count as ever. One by SNMP may have been forgotten meanwhile.
    pub(super) fn go_on(&self, spacing_s: u32) {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).set_spacing(spacing_s * 1_000);
        if self.leave().is_some() {
            self.end();
        }
    }

    pub(super) fn quality(&self, now: Mono) -> Result<Quality, Absence> {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).quality(now)
    }

    /// A probe by SNMP is over.
    pub(super) fn finished(&self, finished: &Finished) {
        let took_us = finished.finished.mono.since_ms(finished.started.mono) * 1_000;
        self.add(finished.started.mono, finished.answer.answered.then_some(took_us));
        if self.leave().is_some() {
            self.end();
        }
    }

    /// Gives the place back that a probe by SNMP holds.
    fn leave(&self) -> Option<OwnedSemaphorePermit> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn add(&self, sent: Mono, took_us: Option<u64>) {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).add(sent, took_us);
    }

    /// Whether another probe may start; then it has to end.
    fn begin(&self, most: usize) -> bool {
        let free = |under_way: usize| (under_way < most).then_some(under_way + 1);
        self.under_way.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).is_ok()
    }

    fn end(&self) {
        self.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What a probe says of the line: a round trip in µs, or that there was none. `None` where it says nothing, as when
/// nobody listens at the echo's port of a host that lives.
pub(crate) fn outcome(reached: &Reached) -> Option<Option<u64>> {
    match reached.outcome {
        Ok(took_us) => Some(Some(took_us)),
        Err(Absence::Refused) => None,
        Err(_) => Some(None),
    }
}

/// A target for one probe: asked once, since a retry would hide what was lost.
pub(crate) fn probe_target(target: &Target, timeout_ms: u32) -> Arc<Target> {
    Arc::new(Target { retries: 0, timeout_ms, ..target.clone() })
}

/// One line to probe.
#[derive(Debug)]
struct Line {
    id: Arc<str>,
    way: Way,
    watched: Arc<Watched>,
    /// Places behind its uplink.
    behind: Arc<Semaphore>,
}

#[derive(Debug)]
enum Way {
    Reach(IpAddr, Reach),
    /// By the poller's key.
    Snmp(u32, Arc<Target>),
}

/// The lines to probe now, and when.
#[derive(Debug, Default)]
struct Lines {
    lines: Vec<Arc<Line>>,
    rounds: Rounds,
}

/// The task that probes, as the loop holds it; it ends with this.
#[derive(Debug)]
pub(super) struct Probing(watch::Sender<Arc<Lines>>);

/// What the task works with.
#[derive(Clone)]
pub(super) struct Means {
    pub(super) clock: Clock,
    pub(super) prober: Arc<Prober>,
    pub(super) snmp: Snmp,
    /// Places for probes of the whole box.
    pub(super) places: Arc<Semaphore>,
}

impl Probing {
    pub(super) fn start(means: Means) -> Probing {
        let (sender, lines) = watch::channel(Arc::default());
        tokio::spawn(run(means, lines));
        Probing(sender)
    }

    /// Probes the lines of these devices from now on, and no others.
    pub(super) fn load(&self, devices: &[Runtime]) {
        let mut places: HashMap<DeviceIx, Arc<Semaphore>> = HashMap::new();
        let free = || Arc::new(Semaphore::new(MOST_BEHIND_UPLINK));
        let (mut lines, mut spacings) = (Vec::new(), Vec::new());
        for runtime in devices {
            let device = &runtime.entry.device;
            let (Some(watched), Some(spacing_s)) = (&runtime.line, device.line.probe_s) else { continue };
            let behind = match device.uplinks.first() {
                Some(uplink) => places.entry(uplink.device).or_insert_with(free).clone(),
                None => free(),
            };
            let way = match runtime.reach {
                Reach::Snmp => {
                    let Some(target) = runtime.entry.asked.snmp() else { continue };
                    Way::Snmp(runtime.key, probe_target(target, REACH_TIMEOUT_MS))
                }
                reach => {
                    let Some(address) = runtime.entry.address else { continue };
                    Way::Reach(address, reach)
                }
            };
            let (id, watched) = (device.id.clone(), watched.clone());
            lines.push(Arc::new(Line { id, way, watched, behind }));
            spacings.push(spacing_s);
        }
        self.0.send_replace(Arc::new(Lines { lines, rounds: Rounds::new(spacings) }));
    }
}

async fn run(means: Means, mut changes: watch::Receiver<Arc<Lines>>) {
    let mut lines = changes.borrow_and_update().clone();
    let second = || means.clock.now().mono.0 / 1_000;
    let mut last = second();
    loop {
        // What was slept through is not made up for.
        last = last.max(second().saturating_sub(1));
        let next = lines.rounds.next_after(last);
        let wait_ms = next.map(|next| Mono(next * 1_000).since_ms(means.clock.now().mono));
        tokio::select! {
            changed = changes.changed() => match changed {
                Ok(()) => lines = changes.borrow_and_update().clone(),
                Err(_) => return,
            },
            () = tokio::time::sleep(Duration::from_millis(wait_ms.unwrap_or_default())), if wait_ms.is_some() => {
                if let Some(next) = next.filter(|next| *next <= second()) {
                    last = next;
                    for at in lines.rounds.due(next) {
                        start(&means, &lines.lines[at]);
                    }
                }
            }
        }
    }
}

fn start(means: &Means, line: &Arc<Line>) {
    // The poller carries out one poll under a key at a time.
    let most = if matches!(line.way, Way::Snmp(..)) { 1 } else { MOST_OF_A_DEVICE };
    if line.watched.begin(most) {
        tokio::spawn(probe(means.clone(), line.clone()));
    }
}

async fn probe(means: Means, line: Arc<Line>) {
    let (Ok(_place), Ok(behind)) = (means.places.acquire().await, line.behind.clone().acquire_owned().await)
    else {
        return;
    };
    let watched = &line.watched;
    let sent = means.clock.now().mono;
    match &line.way {
        Way::Reach(address, reach) => {
            match means.prober.probe(*address, *reach, REACH_TIMEOUT_MS).await {
                Ok(reached) => {
                    if let Some(took_us) = outcome(&reached) {
                        watched.add(sent, took_us);
                    }
                }
                // It says nothing about the line.
                Err(error) => {
                    if !watched.complained.swap(true, Ordering::Relaxed) {
                        tracing::warn!(device = %line.id, %error, "the quality of the line cannot be probed");
                    }
                }
            }
            watched.end();
        }
        Way::Snmp(key, target) => {
            *watched.place.lock().unwrap_or_else(PoisonError::into_inner) = Some(behind);
            let request = snmp::Request {
                key: key | LINE_KEY,
                generation: Generation::default(),
                target: target.clone(),
                plan: Arc::new(snmp::reach_plan()),
            };
            if let Err(busy) = means.snmp.poll(request) {
                tracing::debug!(device = %line.id, %busy, "probe of the line not started");
                if watched.leave().is_some() {
                    watched.end();
                }
            }
        }
    }
}
