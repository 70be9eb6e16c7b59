//! A random site: who hangs on whom, where the box is attached, which rules hold.

use crate::dice::Dice;
use roundsman_core::device::{Class, Device, DeviceIx, Network, Tier, Uplink};
use roundsman_core::fault::engine::{Site, SiteDevice};
use roundsman_core::model::{Kind, Metric, MetricIx, Model, Record, Table, TableIx};
use roundsman_core::rule::{Comparison, Guard, Level, Literal, Rule, Severity, Test};
use roundsman_core::text::Bilingual;
use std::collections::BTreeSet;
use std::sync::Arc;

pub(crate) const TEMPERATURE: MetricIx = MetricIx(0);
pub(crate) const OPER: MetricIx = MetricIx(1);
pub(crate) const ADMIN: MetricIx = MetricIx(2);
pub(crate) const SERIAL: MetricIx = MetricIx(3);
pub(crate) const PORTS: TableIx = TableIx(0);
/// Labels of the two ports, instances 1 and 2.
pub(crate) const PORT: [&str; 2] = ["GE1", "GE2"];

/// Devices that the site has at the least.
const FEWEST: usize = 50;

/// A place in the site where a device may stand; its position is its number in the whole simulation.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) id: Arc<str>,
    tier: Tier,
    /// Places it hangs on, all of them earlier ones.
    pub(crate) uplinks: Vec<usize>,
    pub(crate) interval_s: u32,
    /// Which of the models it has now.
    model: usize,
    /// Whether the site file has it now.
    pub(crate) present: bool,
}

/// The site as its file says it now.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) places: Vec<Place>,
    pub(crate) attached: Option<usize>,
    models: Vec<Arc<Model>>,
    /// Uplinks in both directions.
    pub(crate) near: Vec<Vec<usize>>,
    /// Places in the order of the site file.
    pub(crate) order: Vec<usize>,
}

/// The place of a device by its id.
pub(crate) fn place_of(id: &str) -> usize {
    id[1..].parse().expect("an id of the simulation")
}

impl Plan {
    /// Four tiers, some with a second uplink, some beside each other; a few places are free at first.
    pub(crate) fn random(dice: &mut Dice) -> Plan {
        let cities = 3 + dice.below(4) as usize;
        let counties = 10 + dice.below(8) as usize;
        let count = 54 + dice.below(8) as usize;
        let mut places = Vec::new();
        for at in 0..count {
            let (tier, from, to) = match at {
                0 => (Tier::Province, 0, 0),
                at if at <= cities => (Tier::City, 0, 1),
                at if at <= cities + counties => (Tier::County, 1, cities + 1),
                _ => (Tier::Station, cities + 1, cities + counties + 1),
            };
            let any = |dice: &mut Dice| from + dice.below((to - from) as u64) as usize;
            let mut uplinks = BTreeSet::new();
            if at > 0 {
                uplinks.insert(any(dice));
                if dice.chance(6) {
                    // A second line to the tier above, or across to a neighbour: a ring when read undirected.
                    uplinks.insert(if dice.chance(2) { any(dice) } else { at - 1 });
                }
            }
            let interval_s = dice.pick(if at <= cities { &[600, 900] } else { &[900, 1_200, 1_800] });
            let (model, present) = (dice.below(3) as usize, at + 4 < count);
            let id = format!("d{at}").into();
            places.push(Place {
                id,
                tier,
                uplinks: uplinks.into_iter().collect(),
                interval_s,
                model,
                present,
            });
        }
        let mut near = vec![Vec::new(); count];
        for (at, place) in places.iter().enumerate() {
            for &uplink in &place.uplinks {
                near[at].push(uplink);
                near[uplink].push(at);
            }
        }
        let attached = (!dice.chance(8)).then(|| dice.below(count as u64 - 4) as usize);
        let models = (0..3).map(|kind| Arc::new(model(dice, kind))).collect();
        Plan { places, attached, models, near, order: (0..count).collect() }
    }

    pub(crate) fn model(&self, at: usize) -> &Arc<Model> {
        &self.models[self.places[at].model]
    }

    /// Whether nothing that the site file has hangs on it.
    fn is_removable(&self, at: usize) -> bool {
        let in_use = |other: &Place| other.present && other.uplinks.contains(&at);
        self.places[at].present && self.attached != Some(at) && !self.places.iter().any(in_use)
    }

    /// Whether all it hangs on is there.
    fn is_addable(&self, at: usize) -> bool {
        let place = &self.places[at];
        !place.present && place.uplinks.iter().all(|&uplink| self.places[uplink].present)
    }

    /// Somebody edits the site file: devices leave and come, have another profile, stand in another order.
    pub(crate) fn edit(&mut self, dice: &mut Dice) {
        let count = self.places.len() as u64;
        for _ in 0..dice.below(4) {
            let at = dice.below(count) as usize;
            let few = self.places.iter().filter(|place| place.present).count() <= FEWEST;
            if few && self.is_removable(at) {
                let free = (0..self.places.len()).find(|&at| self.is_addable(at));
                free.into_iter().for_each(|at| self.places[at].present = true);
            } else if self.is_removable(at) {
                self.places[at].present = false;
            } else if self.is_addable(at) {
                self.places[at].present = true;
            } else {
                self.places[at].model = dice.below(3) as usize;
            }
        }
        if dice.chance(3) {
            self.order.rotate_left(dice.below(count) as usize);
        }
    }

    /// The places of the devices as the engine has them, and the site for it.
    pub(crate) fn site(&self) -> (Vec<usize>, Site) {
        let loaded: Vec<usize> = self.order.iter().copied().filter(|&at| self.places[at].present).collect();
        let ix = |place: usize| loaded.iter().position(|&at| at == place).map(|at| DeviceIx(at as u32));
        let device = |&at: &usize| {
            let place = &self.places[at];
            let uplinks = place.uplinks.iter().filter_map(|&up| Some(Uplink { device: ix(up)?, port: None }));
            let device = Device {
                id: place.id.clone(),
                name: place.id.clone(),
                class: Class::Router,
                profile: "simulated".into(),
                tier: place.tier,
                network: Network::Business,
                location: "".into(),
                address: "".into(),
                uplinks: uplinks.collect(),
                interval_s: place.interval_s,
                tags: vec![],
                line: Default::default(),
            };
            SiteDevice { device, model: self.model(at).clone() }
        };
        let devices = loaded.iter().map(device).collect();
        let attached_to = self.attached.and_then(ix);
        (loaded, Site { devices, attached_to, sla: vec![] })
    }
}

fn rule(id: &str, on: MetricIx, levels: Vec<Level>) -> Rule {
    Rule {
        id: id.into(),
        name: Bilingual::new(id, id),
        on,
        when: None,
        levels,
        latch: false,
        stays_ms: None,
        cause: "other".into(),
        advice: Bilingual::new("查", "look"),
    }
}

/// One of three models: the same metrics, other times; the last one has fewer rules.
fn model(dice: &mut Dice, kind: usize) -> Model {
    let metric = |name: &str, kind, table| Metric {
        name: name.into(),
        title: Bilingual::new(name, name),
        kind,
        unit: "".into(),
        record: Record::Every,
        table,
    };
    let level = |severity, test, hold_ms, clear_ms| Level { severity, test, hold_ms, clear_ms };
    let above = |limit, clear| Test::Above { limit, clear };
    let hot = vec![
        level(Severity::Critical, above(75.0, 70.0), dice.pick(&[None, Some(30_000)]), 0),
        level(Severity::Major, above(65.0, 60.0), dice.pick(&[None, Some(120_000), Some(1_200_000)]), 0),
    ];
    let down = Test::Expect(vec!["up".into()]);
    let down =
        level(Severity::Critical, down, dice.pick(&[None, Some(20_000)]), dice.pick(&[0, 60_000, 2_400_000]));
    let burnt = level(Severity::Minor, above(90.0, 85.0), Some(0), 0);
    let exchanged = level(Severity::Warning, Test::Changed, Some(0), 0);
    let stays_ms = Some(dice.pick(&[600_000, 3_600_000]));
    let mut rules = vec![
        Rule {
            when: Some(Guard::Metric(ADMIN, Comparison::Equal, Literal::Word("up".into()))),
            ..rule("port-down", OPER, vec![down])
        },
        Rule { latch: true, ..rule("burnt", TEMPERATURE, vec![burnt]) },
        rule("exchanged", SERIAL, vec![exchanged]),
    ];
    if kind < 2 {
        rules.insert(0, rule("hot", TEMPERATURE, hot));
        rules.push(Rule { stays_ms, ..rule("motion", TEMPERATURE, vec![]) });
        rules.push(Rule { stays_ms, latch: true, ..rule("tamper", TEMPERATURE, vec![]) });
    }
    Model {
        metrics: vec![
            metric("temperature.value", Kind::Gauge, None),
            metric("interface.oper-status", Kind::State, Some(PORTS)),
            metric("interface.admin-status", Kind::State, Some(PORTS)),
            metric("system.serial", Kind::Text, None),
        ],
        tables: vec![Table { group: "interface".into(), discontinuity: None, speed: None }],
        derives: vec![],
        rules,
        uptime: None,
        line: vec![],
    }
}
