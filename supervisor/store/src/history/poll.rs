//! A poll as history takes it.

use super::hot::Outcome;
use crate::latest::{LatestDevice, LatestReading};
use roundsman_core::model::{InstanceIx, Kind, Labels, Metric, MetricIx, Model, Record};
use roundsman_core::reading::{Absence, Readings, Sample, Value};
use roundsman_core::time::{Mono, Now};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A poll that ended, with what it takes to name its readings. Cheap to copy: all of it is shared.
#[derive(Clone, Debug)]
pub struct Poll {
    /// Device id.
    pub device: Arc<str>,
    /// Id of the profile that made the readings.
    pub profile: Arc<str>,
    /// Names its metrics and says which of them history keeps.
    pub model: Arc<Model>,
    /// The labels of its instances, by their index.
    pub names: Arc<[Arc<str>]>,
    /// What it brought. Its wall time is worked out from its steady time and the cycle's mark, so that a step of the
    /// clock between the two does not tear it from its neighbours. Without an answer the quality of the readings says
    /// why; they are not stored one by one.
    pub readings: Arc<Readings>,
}

impl Poll {
    /// When it ended, on the steady clock.
    pub(super) fn taken_at(&self) -> Mono {
        self.readings.taken_at.mono
    }

    /// Its points that history keeps.
    pub(super) fn points(&self) -> impl Iterator<Item = (MetricIx, InstanceIx, &Sample)> {
        let is_kept = |metric: MetricIx| {
            self.model.metrics.get(metric.at()).is_some_and(|metric| metric.record != Record::None)
        };
        let all = self.readings.iter().filter(move |reading| is_kept(reading.metric));
        all.map(|reading| (reading.metric, reading.instance, &reading.sample))
    }

    /// The names of a point: metric and instance.
    pub(super) fn names(&self, metric: MetricIx, instance: InstanceIx) -> (&str, &str) {
        let metric = self.model.metrics.get(metric.at()).map_or("", |metric| &*metric.name);
        (metric, self.names.get(instance.0 as usize).map_or("", |label| &**label))
    }

    pub(super) fn outcome(&self) -> Outcome {
        if self.readings.answered {
            return Ok(());
        }
        let mut counts = BTreeMap::<Absence, usize>::new();
        for absence in self.points().filter_map(|(.., sample)| sample.as_ref().err()) {
            *counts.entry(*absence).or_default() += 1;
        }
        Err(counts.into_iter().max_by_key(|(_, n)| *n).map_or(Absence::Timeout, |(absence, _)| absence))
    }

    /// The same by names: indices do not outlive the process.
    pub fn latest(&self) -> LatestDevice {
        let label = |instance: InstanceIx| self.names.get(instance.0 as usize).cloned().unwrap_or_default();
        let named = |(metric, instance, sample): (MetricIx, InstanceIx, &Sample)| LatestReading {
            metric: self.model.metrics[metric.at()].name.clone(),
            instance: label(instance),
            sample: sample.clone(),
        };
        LatestDevice {
            device: self.device.clone(),
            profile: self.profile.clone(),
            taken_at: self.readings.taken_at.wall,
            answered: self.readings.answered,
            readings: self.points().map(named).collect(),
        }
    }
}

/// Polls of one device that are known by names, such as those of an example.
#[derive(Debug, Default)]
pub struct Named {
    model: Arc<Model>,
    labels: Labels,
    names: Arc<[Arc<str>]>,
}

impl Named {
    /// The poll that brought `latest`, ended at `taken_at`. A point that stands in it twice counts once.
    pub fn poll(&mut self, taken_at: Mono, latest: &LatestDevice) -> Poll {
        let mut points = BTreeMap::new();
        for reading in &latest.readings {
            let metric = match self.model.metric(&reading.metric) {
                Some(known) => known,
                None => self.add(&reading.metric, &reading.sample),
            };
            if let Some(instance) = self.labels.intern(&reading.instance) {
                points.entry(metric).or_insert_with(BTreeMap::new).insert(instance, reading.sample.clone());
            }
        }
        if self.names.len() != self.labels.names().len() {
            self.names = self.labels.names().into();
        }
        let mut readings = Readings::new(Now { mono: taken_at, wall: latest.taken_at }, latest.answered);
        points.into_iter().for_each(|(metric, samples)| readings.add(metric, samples));
        Poll {
            device: latest.device.clone(),
            profile: latest.profile.clone(),
            model: self.model.clone(),
            names: self.names.clone(),
            readings: Arc::new(readings),
        }
    }

    fn add(&mut self, name: &Arc<str>, sample: &Sample) -> MetricIx {
        let kind = match sample {
            Ok(Value::State(_)) => Kind::State,
            Ok(Value::Text(_)) => Kind::Text,
            Ok(Value::Counter32(_) | Value::Counter64(_)) => Kind::Counter,
            Ok(Value::Number(_)) | Err(_) => Kind::Gauge,
        };
        let model = Arc::make_mut(&mut self.model);
        model.metrics.push(Metric {
            name: name.clone(),
            title: Default::default(),
            kind,
            unit: "".into(),
            record: Record::Every,
            table: None,
        });
        MetricIx((model.metrics.len() - 1) as u16)
    }
}
