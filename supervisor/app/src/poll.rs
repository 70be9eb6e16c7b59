//! `roundsman poll`: one device, now, through the same driver, profile and derivation as the service.

use crate::site::{self, Asked, Site, SiteEntry};
use crate::supervise::{Checked, Over, line as probing};
use crate::{print, supervise};
use anyhow::{Context, Result, anyhow, bail};
use roundsman_core::derive::{Derivation, Expression, Uplink};
use roundsman_core::fault::Generation;
use roundsman_core::line::{self, ENOUGH, Window};
use roundsman_core::model::Model;
use roundsman_core::reading::{Readings, Value as Reading, quality};
use roundsman_core::text;
use roundsman_driver::bus::{self, Bus, MOST_OUTCOMES};
use roundsman_driver::clock::Clock;
use roundsman_driver::onvif::Http;
use roundsman_driver::onvif::camera::Camera;
use roundsman_driver::reach::{Prober, Reach};
use roundsman_driver::snmp::remark::Remark;
use roundsman_driver::snmp::{self, Finished, Options, Request, Snmp};
use roundsman_profile::diagnostic::{Findings, did_you_mean};
use roundsman_profile::translate::Translator;
use roundsman_wire::bus::Rank;
use roundsman_wire::bus::session::Ask;
use roundsman_wire::onvif::login::Kept;
use roundsman_wire::snmp::plan::Plan;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Time between the two polls that rates need.
const BETWEEN: Duration = Duration::from_secs(2);

/// Time between two probes of the line: [`ENOUGH`] of them fit between the two polls. Ten minutes, which the service
/// looks at, nobody waits for.
const PROBE_EVERY_MS: u32 = 100;

/// How long a probe waits for its answer, in ms.
const PROBE_TIMEOUT_MS: u32 = 2_000;

/// Polls a device and prints what came back.
pub(crate) fn run(path: &Path, device: &str, as_json: bool) -> Result<ExitCode> {
    let mut site = match site::load(path) {
        Ok(site) => site,
        Err(rejected) => return print::rejected(&rejected, as_json),
    };
    let Some(at) = site.devices.iter().position(|entry| &*entry.device.id == device) else {
        let hint =
            did_you_mean(device, site.devices.iter().map(|entry| &*entry.device.id)).unwrap_or_default();
        eprintln!("roundsman: {} has no device `{device}`; {hint}", path.display());
        return Ok(ExitCode::from(print::BAD_FILE));
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let polled = runtime.block_on(poll(&mut site, at))?;
    print_polled(&polled, &site, as_json)?;
    if polled.foreign > 0 {
        eprintln!(
            "roundsman: {} answers to the requests for {} came from another address than {} and were dropped; if the \
             device answers from another of its interfaces, set `strict_source = false` for it",
            polled.foreign, polled.entry.device.id, polled.entry.device.address
        );
    }
    Ok(ExitCode::from(u8::from(!polled.entry.profile.model.has_data(&polled.readings))))
}

struct Polled {
    entry: SiteEntry,
    readings: Readings,
    labels: roundsman_core::model::Labels,
    elapsed_ms: u64,
    requests: u32,
    /// Answers that came from another address than was asked.
    foreign: u64,
    remarks: Vec<Remark>,
}

async fn poll(site: &mut Site, at: usize) -> Result<Polled> {
    let clock = Clock::new();
    let mut drivers = Drivers::start(clock, site, at)?;
    let mut entry = site.devices[at].clone();
    let began = clock.now();
    let mut requests = 0;
    let mut remarks = Vec::new();
    if entry.auto {
        let said = drivers.ask(&entry, supervise::identity_plan()).await?;
        requests += said.counted(None).cost.requests;
        let profile = said.identity().and_then(|said| supervise::identified(&site.catalogue, said));
        remarks.extend(said.remarks);
        if let Some(profile) = profile {
            let mut found = Findings::default();
            let applied = site.limits.apply(at, entry.device.tier, &profile, &mut found);
            if let Some(rejected) = found.into_rejected() {
                tracing::warn!("limits of the site do not fit the profile that was found:\n{rejected}");
            }
            entry.profile = applied.unwrap_or(profile);
        }
    }
    let mut translator = Translator::default();
    let mut derivation = Derivation::default();
    let rounds = if needs_two(&entry.profile.model) { 2 } else { 1 };
    let mut readings = Readings::default();
    for round in 1..=rounds {
        let pause = if round > 1 { BETWEEN } else { Duration::ZERO };
        let looks = round == rounds && entry.device.line.probe_s.is_some();
        let look = async { if looks { Some(look_at_line(clock, &mut drivers, &entry).await) } else { None } };
        let ((), window) = tokio::join!(tokio::time::sleep(pause), look);
        let over = drivers.ask(&entry, entry.profile.plan.clone()).await?;
        requests += over.counted(None).cost.requests;
        let model = &entry.profile.model;
        readings = translator.translate(&entry.profile, &over.brought, over.finished);
        if let Some(window) = window.transpose()? {
            line::add_to(&mut readings, model, &window.quality(clock.now().mono));
        }
        let interfaces = entry.device.uplink_interfaces(translator.labels());
        let uplink = Uplink { speed: entry.device.line.speed, interfaces: &interfaces };
        derivation.apply(model, &mut readings, uplink);
        remarks.extend(over.remarks);
        if !model.has_data(&readings) {
            break;
        }
    }
    let elapsed_ms = clock.now().mono.since_ms(began.mono);
    let foreign = drivers.snmp.counters().session.wrong_source;
    remarks.dedup();
    let labels = translator.labels().clone();
    Ok(Polled { entry, readings, labels, elapsed_ms, requests, foreign, remarks })
}

/// A short burst of reach probes, so that the line's figures are there at once.
async fn look_at_line(clock: Clock, drivers: &mut Drivers, entry: &SiteEntry) -> Result<Window> {
    let prober = Arc::new(Prober::new(clock));
    let usual = if prober.available().is_ok() { Reach::Icmp } else { Reach::Snmp };
    let reach = entry.reach.unwrap_or(usual);
    let mut window = Window::new(PROBE_EVERY_MS);
    let mut probes = JoinSet::new();
    for nth in 0..ENOUGH {
        if nth > 0 {
            tokio::time::sleep(Duration::from_millis(PROBE_EVERY_MS.into())).await;
        }
        let sent = clock.now().mono;
        if reach == Reach::Snmp {
            // The poller carries out one poll of a device at a time.
            let Some(target) = entry.asked.snmp() else { break };
            let target = probing::probe_target(target, PROBE_TIMEOUT_MS);
            let entry = SiteEntry { asked: Asked::Snmp(target), ..entry.clone() };
            let probed = drivers.ask(&entry, Arc::new(snmp::reach_plan())).await?.counted(None);
            window.add(sent, probed.answered.then_some(probed.took_ms * 1_000));
        } else if let Some(address) = entry.address {
            let prober = prober.clone();
            probes.spawn(async move { (sent, prober.probe(address, reach, PROBE_TIMEOUT_MS).await) });
        }
    }
    while let Some(probed) = probes.join_next().await {
        match probed? {
            (sent, Ok(reached)) => {
                if let Some(took_us) = probing::outcome(&reached) {
                    window.add(sent, took_us);
                }
            }
            (_, Err(error)) => tracing::warn!(%error, "the quality of the line cannot be probed"),
        }
    }
    Ok(window)
}

/// What asks the device: SNMP, and the one bus that it hangs on.
struct Drivers {
    clock: Clock,
    snmp: Snmp,
    answers: mpsc::Receiver<Finished>,
    bus: Option<(Bus, mpsc::Receiver<bus::Outcome>)>,
}

impl Drivers {
    fn start(clock: Clock, site: &Site, at: usize) -> Result<Drivers> {
        let (snmp, answers) = Snmp::start(clock, Options::default())?;
        let bus = match &site.devices[at].asked {
            Asked::Bus { bus, .. } => site.buses.iter().find(|entry| entry.id == *bus),
            Asked::Snmp(_) | Asked::Onvif(_) => None,
        };
        let bus = bus.and_then(|entry| entry.settings()).map(|settings| {
            let (outcomes, receiver) = mpsc::channel(MOST_OUTCOMES);
            (Bus::start(clock, settings, outcomes), receiver)
        });
        Ok(Drivers { clock, snmp, answers, bus })
    }

    /// Asks the device: its SNMP agent by `plan`, a bus by what its profile asks.
    async fn ask(&mut self, entry: &SiteEntry, plan: Arc<Plan>) -> Result<Over> {
        let (key, generation) = (0, Generation::default());
        match (&entry.asked, &mut self.bus) {
            (Asked::Snmp(target), _) => {
                self.snmp.poll(Request { key, generation, target: target.clone(), plan })?;
                let finished = self.answers.recv().await;
                Ok(finished.ok_or_else(|| anyhow!("the SNMP poller ended before it answered"))?.into())
            }
            (Asked::Bus { target, .. }, Some((owner, outcomes))) => {
                let plan = entry.profile.bus.as_ref().map(|bus| bus.plan.clone());
                let plan =
                    plan.ok_or_else(|| anyhow!("profile `{}` is not one of a bus", entry.profile.id))?;
                let ask = Ask { plan, target: target.clone(), rank: Rank::Poll, wanted: None };
                owner.poll(bus::Request { key, generation, ask })?;
                while let Some(outcome) = outcomes.recv().await {
                    if let bus::Outcome::Polled(finished) = outcome {
                        return Ok(finished.into());
                    }
                }
                bail!("the owner of the bus ended before it answered")
            }
            (Asked::Bus { bus, .. }, None) => bail!("there is no bus `{bus}`"),
            (Asked::Onvif(target), _) => {
                // A person asks: refusals of before do not count.
                let camera = Camera::new(Http::new()?, (**target).clone(), Kept::default());
                let started = self.clock.now();
                let answer = camera.check(&entry.profile.questions).await;
                Ok(Checked { key, generation, started, finished: self.clock.now(), answer }.into())
            }
        }
    }
}

fn needs_two(model: &Model) -> bool {
    fn over_time(e: &Expression) -> bool {
        match e {
            Expression::Rate(_) | Expression::Restarted(_) => true,
            Expression::Binary(_, left, right) => over_time(left) || over_time(right),
            Expression::Min(list) | Expression::Max(list) => list.iter().any(over_time),
            _ => false,
        }
    }
    model.derives.iter().any(|derive| over_time(&derive.calc))
}

fn print_polled(polled: &Polled, site: &Site, as_json: bool) -> Result<()> {
    if polled.readings.iter().any(|reading| polled.entry.profile.model.is_of_line(reading.metric)) {
        eprintln!(
            "roundsman: the figures of the line are those of {ENOUGH} probes within {} s; the service looks at {} \
             probes, one every {} s",
            ENOUGH as u32 * PROBE_EVERY_MS / 1_000,
            line::WINDOW,
            polled.entry.device.line.probe_s.unwrap_or_default()
        );
    }
    for remark in &polled.remarks {
        eprintln!("roundsman: {}: {}", polled.entry.device.id, remark.text().en);
    }
    let model = &polled.entry.profile.model;
    let taken_at = jiff::Timestamp::from_millisecond(polled.readings.taken_at.wall.0)
        .context("the wall clock is out of range")?
        .to_zoned(site.zone.clone())
        .strftime("%Y-%m-%dT%H:%M:%S%.3f%:z")
        .to_string();
    if as_json {
        let reading = |r: &roundsman_core::reading::Reading| {
            let metric = &model.metrics[r.metric.at()];
            json!({
                "metric": &*metric.name,
                "instance": &*polled.labels.name(r.instance),
                "value": r.sample.as_ref().map(value).unwrap_or(Value::Null),
                "unit": &*metric.unit,
                "quality": quality(&r.sample).word(),
                "taken_at": &taken_at,
            })
        };
        return print::json(&json!({
            "device": &*polled.entry.device.id,
            "profile": &*polled.entry.profile.id,
            "readings": polled.readings.iter().map(reading).collect::<Vec<_>>(),
            "elapsed_ms": polled.elapsed_ms,
            "requests": polled.requests,
        }));
    }
    let row = |r: &roundsman_core::reading::Reading| {
        let metric = &model.metrics[r.metric.at()];
        let shown = match &r.sample {
            Ok(value) => format!("{} {}", text::value(value), text::unit(&metric.unit)),
            Err(absence) => format!("– {}", absence.word()),
        };
        vec![metric.name.to_string(), polled.labels.name(r.instance).to_string(), shown]
    };
    let rows: Vec<Vec<String>> = polled.readings.iter().map(row).collect();
    print::line(print::table(&rows).trim_end())?;
    print::line(&format!(
        "{} ({}): {} of {} readings good, {} requests, {} ms",
        polled.entry.device.id,
        polled.entry.profile.id,
        polled.readings.good(),
        rows.len(),
        polled.requests,
        polled.elapsed_ms
    ))
}

fn value(value: &Reading) -> Value {
    match value {
        Reading::Number(x) if x.fract() == 0.0 && x.abs() < 9e15 => json!(*x as i64),
        Reading::Number(x) => json!(x),
        Reading::Counter32(x) => json!(x),
        Reading::Counter64(x) => json!(x),
        Reading::State(word) | Reading::Text(word) => json!(&**word),
    }
}
