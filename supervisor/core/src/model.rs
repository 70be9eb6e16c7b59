//! What the domain knows of a profile: its metrics, what is derived from them, its rules.

use crate::derive::Expression;
use crate::line::Figure;
use crate::reading::Readings;
use crate::rule::Rule;
use crate::text::Bilingual;
use std::collections::HashMap;
use std::sync::Arc;

/// Position of a metric in its profile's [`Model::metrics`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MetricIx(pub u16);

impl MetricIx {
    /// The index as a position in a slice.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// Position of a table in its profile's [`Model::tables`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableIx(pub u16);

impl TableIx {
    /// The index as a position in a slice.
    pub fn at(self) -> usize {
        self.0 as usize
    }
}

/// An instance (row) of one device, interned by [`Labels`]; [`InstanceIx::SCALAR`] for scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstanceIx(pub u32);

impl InstanceIx {
    /// The instance of every scalar; its label is the empty string.
    pub const SCALAR: InstanceIx = InstanceIx(0);
}

/// Kind of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number that goes up and down.
    Gauge,
    /// A number that only goes up until it wraps or restarts.
    Counter,
    /// One of a few named states.
    State,
    /// Free text.
    Text,
}

/// What history keeps of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// Every sample.
    Every,
    /// Changes only.
    Change,
    /// Nothing.
    None,
}

/// One metric of a profile.
#[derive(Clone, Debug)]
pub struct Metric {
    /// `group.name` in kebab case, the same across makes.
    pub name: Arc<str>,
    /// Name shown to people; falls back to `name`.
    pub title: Bilingual,
    /// Kind.
    pub kind: Kind,
    /// UCUM unit, empty where there is none.
    pub unit: Arc<str>,
    /// What history keeps.
    pub record: Record,
    /// The table it is a column of; `None` for scalars.
    pub table: Option<TableIx>,
}

/// One table of a profile: instances that come and go together.
#[derive(Clone, Debug)]
pub struct Table {
    /// The group, such as `interface`.
    pub group: Arc<str>,
    /// The column whose change means that this instance's counters restarted (ifCounterDiscontinuityTime,
    /// RFC 2863): the metric named `<group>.counter-discontinuity`, if the profile has one.
    pub discontinuity: Option<MetricIx>,
    /// The line speed of an instance in bit/s: the metric named `<group>.speed`, if the profile has one. It says how
    /// often a counter of 32 bits may have wrapped.
    pub speed: Option<MetricIx>,
}

/// A derived metric: where its value goes, and how it is computed.
#[derive(Clone, Debug)]
pub struct Derive {
    /// The metric it gives. Always behind every metric its expression reads.
    pub metric: MetricIx,
    /// How.
    pub calc: Expression,
}

/// Everything the domain needs of a profile. Shared by all devices of the profile, cloned only where a site
/// overrides a rule.
#[derive(Clone, Debug, Default)]
pub struct Model {
    /// Metrics; a [`MetricIx`] points in here. At most 65,535.
    pub metrics: Vec<Metric>,
    /// Tables; a [`TableIx`] points in here.
    pub tables: Vec<Table>,
    /// Derived metrics in the order of computation.
    pub derives: Vec<Derive>,
    /// Rules.
    pub rules: Vec<Rule>,
    /// `system.uptime` in seconds, if the profile has it: restarts are seen by it.
    pub uptime: Option<MetricIx>,
    /// Metrics that reach probes measure, not the device: what they say of its line.
    pub line: Vec<(MetricIx, Figure)>,
}

impl Model {
    /// The metric called `name`.
    pub fn metric(&self, name: &str) -> Option<MetricIx> {
        self.metrics.iter().position(|m| &*m.name == name).map(|at| MetricIx(at as u16))
    }

    /// Whether reach probes measure this metric, not the device.
    pub fn is_of_line(&self, metric: MetricIx) -> bool {
        self.line.iter().any(|(known, _)| *known == metric)
    }

    /// Whether the device itself brought any value in this poll. What probes say of its line does not count.
    pub fn has_data(&self, readings: &Readings) -> bool {
        readings.iter().any(|reading| reading.sample.is_ok() && !self.is_of_line(reading.metric))
    }
}

/// Instance labels of one device, interned: stable for as long as the daemon runs.
#[derive(Clone, Debug)]
pub struct Labels {
    names: Vec<Arc<str>>,
    known: HashMap<Arc<str>, InstanceIx>,
}

impl Default for Labels {
    fn default() -> Labels {
        let scalar: Arc<str> = Arc::from("");
        Labels { names: vec![scalar.clone()], known: HashMap::from([(scalar, InstanceIx::SCALAR)]) }
    }
}

impl Labels {
    /// Most labels one device may have; further ones are refused, so that an agent that invents names cannot fill
    /// the memory.
    pub const MOST: usize = 8192;

    /// The instance with this label, made if it is new; `None` past [`Labels::MOST`].
    pub fn intern(&mut self, label: &str) -> Option<InstanceIx> {
        if let Some(&known) = self.known.get(label) {
            return Some(known);
        }
        if self.names.len() >= Labels::MOST {
            return None;
        }
        let name: Arc<str> = Arc::from(label);
        let instance = InstanceIx(self.names.len() as u32);
        self.names.push(name.clone());
        self.known.insert(name, instance);
        Some(instance)
    }

    /// The instance with this label, if there is one.
    pub fn find(&self, label: &str) -> Option<InstanceIx> {
        self.known.get(label).copied()
    }

    /// All labels; an [`InstanceIx`] is a position in here.
    pub fn names(&self) -> &[Arc<str>] {
        &self.names
    }

    /// The label of an instance; empty for the scalar and for an instance of another device.
    pub fn name(&self, instance: InstanceIx) -> Arc<str> {
        self.names.get(instance.0 as usize).unwrap_or(&self.names[0]).clone()
    }
}
