//! One device as the view keeps it.

use super::super::polled::Runtime;
use super::headlines;
use super::lens::{Lens, Pick, Series};
use crate::site::{Asked, SiteEntry};
use roundsman_core::device::{Device, Grid};
use roundsman_core::model::{InstanceIx, Kind, MetricIx};
use roundsman_core::reading::{Reading, Readings};
use roundsman_core::tally::{DeviceTally, Driver};
use roundsman_core::text::Bilingual;
use roundsman_driver::snmp::remark::Remark;
use roundsman_panel::{Charted, DeviceDetail, Headlines, SiteReading};
use roundsman_profile::schema::Profile;
use roundsman_store::Poll;
use roundsman_wire::bus::plan::Plan;
use roundsman_wire::snmp::Version;
use std::sync::Arc;

/// The readings of one device's latest poll, with what it takes to name them.
#[derive(Debug)]
pub(crate) struct Latest {
    pub(in crate::supervise) readings: Arc<Readings>,
    /// Labels of its instances, by their index.
    names: Arc<[Arc<str>]>,
    lens: Arc<Lens>,
    headlines: Headlines,
    /// The interface that is the trunk.
    trunk: Option<InstanceIx>,
}

impl Latest {
    /// Of a poll of this process. `uplinks` are the interfaces tagged `uplink`, `line` the configured speed in bit/s.
    pub(in crate::supervise) fn new(
        readings: Readings,
        names: Arc<[Arc<str>]>,
        lens: Arc<Lens>,
        uplinks: &[InstanceIx],
        line: Option<f64>,
    ) -> Latest {
        let (headlines, trunk) = headlines::read(&lens, &readings, uplinks, line);
        Latest { readings: Arc::new(readings), names, lens, headlines, trunk }
    }

    /// What the store kept of an earlier process: readings with their time, but no figures for lists, which show no
    /// age.
    pub(in crate::supervise) fn restored(
        readings: Readings,
        names: Arc<[Arc<str>]>,
        lens: Arc<Lens>,
    ) -> Latest {
        Latest { readings: Arc::new(readings), names, lens, headlines: Headlines::default(), trunk: None }
    }

    /// Labels of its instances, by their index.
    pub(super) fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    fn name(&self, instance: InstanceIx) -> Arc<str> {
        self.names.get(instance.0 as usize).cloned().unwrap_or_default()
    }

    /// As history takes it.
    pub(in crate::supervise) fn for_store(&self, device: &Arc<str>) -> Poll {
        Poll {
            device: device.clone(),
            profile: self.lens.profile.id.clone(),
            model: self.lens.profile.model.clone(),
            names: self.names.clone(),
            readings: self.readings.clone(),
        }
    }

    /// Readings by names instead of indices.
    pub(super) fn named(&self) -> Vec<SiteReading> {
        let model = &self.lens.profile.model;
        let taken_at = self.readings.taken_at.wall;
        let named = |reading: &Reading| {
            let metric = model.metrics.get(reading.metric.at())?;
            Some(SiteReading {
                metric: metric.name.clone(),
                title: metric.title.clone(),
                kind: metric.kind,
                limits: self.lens.limits(reading.metric).clone(),
                instance: self.name(reading.instance),
                unit: metric.unit.clone(),
                sample: reading.sample.clone(),
                taken_at,
            })
        };
        // In the order of the profile: what probes measured came in last.
        let mut readings: Vec<&Reading> = self.readings.iter().collect();
        readings.sort_by_key(|reading| reading.metric);
        readings.into_iter().filter_map(named).collect()
    }
}

/// A device.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) device: Device,
    pub(super) profile_name: Bilingual,
    pub(super) reach: Arc<str>,
    /// Speed of its line as written; may be empty.
    pub(super) line: Arc<str>,
    protocol: &'static str,
    credentials: Arc<str>,
    /// Whether the site names credentials that may write to its SNMP agent.
    pub(super) is_writable: bool,
    /// How its units are placed, where it is several.
    pub(super) grid: Option<Grid>,
    lens: Arc<Lens>,
    pub(super) latest: Option<Arc<Latest>>,
    /// Polled since the start, with whatever outcome.
    pub(super) known: bool,
    /// The latest poll that was answered: names the figures whose past is shown while the device is silent.
    answered: Option<Arc<Latest>>,
    /// How its polls go, by what carries them out; those that have polled it only.
    tallies: Vec<(Driver, DeviceTally)>,
    /// What its latest poll said beside the answer.
    remarks: Vec<Bilingual>,
}

impl Shown {
    /// A device after a start, a reload or with another profile.
    pub(super) fn new(runtime: &Runtime, known: bool) -> Shown {
        let SiteEntry { device, profile, asked, writer, credentials, line, .. } = &runtime.entry;
        Shown {
            device: device.clone(),
            profile_name: profile.name.clone(),
            reach: runtime.reached_by.clone(),
            line: line.as_ref().map(|line| line.text.clone()).unwrap_or_default(),
            protocol: match (asked, profile.bus.as_ref().map(|bus| &*bus.plan)) {
                (Asked::Snmp(target), _) => match (&target.user, target.version) {
                    (Some(_), _) => "SNMP v3",
                    (None, Version::V1) => "SNMP v1",
                    (None, Version::V2c) => "SNMP v2c",
                },
                (Asked::Bus { .. }, Some(Plan::Modbus(_))) => "Modbus",
                (Asked::Bus { .. }, _) => "RS-232/485, TCP",
                (Asked::Onvif(_), _) => "ONVIF, RTSP",
            },
            credentials: credentials.clone(),
            is_writable: writer.is_some(),
            grid: match asked {
                Asked::Bus { grid, .. } => *grid,
                Asked::Snmp(_) | Asked::Onvif(_) => None,
            },
            lens: runtime.lens.clone(),
            latest: runtime.latest.clone(),
            known,
            answered: None,
            tallies: Vec::new(),
            remarks: Vec::new(),
        }
    }

    /// Takes over what the same device remembers from before: how its polls went.
    pub(super) fn carry_on(&mut self, old: Shown) {
        self.tallies = old.tallies;
    }

    /// Its profile, the site's limits applied.
    pub(super) fn profile(&self) -> &Profile {
        &self.lens.profile
    }

    /// How its polls by this driver go.
    pub(super) fn tally(&mut self, driver: Driver) -> &mut DeviceTally {
        let at = self.tallies.iter().position(|(known, _)| *known == driver);
        let at = at.unwrap_or_else(|| {
            self.tallies.reserve_exact(1);
            self.tallies.push((driver, DeviceTally::default()));
            self.tallies.len() - 1
        });
        &mut self.tallies[at].1
    }

    /// What its latest poll said beside the answer.
    pub(super) fn remark(&mut self, remarks: &[Remark]) {
        if !(remarks.is_empty() && self.remarks.is_empty()) {
            self.remarks = remarks.iter().map(Remark::text).collect();
        }
    }

    /// How its polls go, by driver.
    pub(super) fn tallies(&self) -> &[(Driver, DeviceTally)] {
        &self.tallies
    }

    /// The latest poll.
    pub(super) fn keep(&mut self, latest: &Arc<Latest>) {
        self.latest = Some(latest.clone());
        // A poll that asked who it is, or with a profile that was replaced meanwhile, has other figures.
        if self.is_answering() && Arc::ptr_eq(&latest.lens, &self.lens) {
            self.answered = Some(latest.clone());
        }
        self.known = true;
    }

    /// Whether the latest poll brought any valid reply.
    pub(super) fn is_answering(&self) -> bool {
        self.latest.as_ref().is_some_and(|latest| latest.readings.answered)
    }

    pub(super) fn headlines(&self) -> Headlines {
        self.latest.as_ref().map(|latest| latest.headlines).unwrap_or_default()
    }

    pub(super) fn detail(&self) -> DeviceDetail {
        DeviceDetail {
            protocol: self.protocol.into(),
            credentials: self.credentials.clone(),
            tags: self.device.tags.clone(),
            line_probe_s: self.device.line.probe_s,
            polling: self.tallies.iter().map(|(driver, tally)| (*driver, tally.summary())).collect(),
            remarks: self.remarks.clone(),
            figures: self.figures(),
            commands: self.lens.profile.commands.len(),
            grid: self.grid,
        }
    }

    /// The figures whose past its page shows: those that any poll named.
    fn figures(&self) -> Vec<Charted> {
        let Some(known) = self.answered.as_ref().or(self.latest.as_ref()) else {
            return Vec::new();
        };
        let trunk = known.trunk.map(|trunk| known.name(trunk));
        let trunk = trunk.or_else(|| self.device.uplink_labels().next().cloned());
        let figure = |series: &Series| {
            let instance = match series.pick {
                Pick::Trunk => trunk.clone()?,
                Pick::Highest => known.name(headlines::where_highest(&known.readings, series.metric)?),
            };
            Some(self.charted(series.metric, instance))
        };
        self.lens
            .series(trunk.is_some(), self.device.line.probe_s.is_some())
            .iter()
            .filter_map(figure)
            .collect()
    }

    /// What a rule watches on an instance, if that is a number.
    pub(super) fn watched(&self, rule: &str, instance: &str) -> Option<Charted> {
        let model = &self.lens.profile.model;
        let rule = model.rules.iter().find(|known| &*known.id == rule)?;
        let is_number = model.metrics.get(rule.on.at())?.kind == Kind::Gauge;
        is_number.then(|| self.charted(rule.on, instance.into()))
    }

    fn charted(&self, metric: MetricIx, instance: Arc<str>) -> Charted {
        let known = &self.lens.profile.model.metrics[metric.at()];
        let latest = self.latest.as_ref().filter(|latest| Arc::ptr_eq(&latest.lens, &self.lens));
        let now = latest.and_then(|latest| {
            let row = latest.names.iter().position(|name| *name == instance)?;
            headlines::number(&latest.readings, Some(metric), InstanceIx(row as u32))
        });
        Charted {
            metric: known.name.clone(),
            title: known.title.clone(),
            instance,
            unit: known.unit.clone(),
            now,
            limits: self.lens.limits(metric).clone(),
        }
    }
}
