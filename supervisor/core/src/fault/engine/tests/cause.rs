//! A network whose devices are reached through each other: one root cause, and nothing from those behind it.

use super::*;
use crate::device::Uplink;

/// Devices, who is alive, and whether a datagram is lost now and then.
pub(super) struct Net {
    pub(super) engine: Engine,
    uplinks: Vec<Vec<u32>>,
    pub(super) alive: Vec<bool>,
    /// It answers reach probes, but no poll.
    pub(super) deaf: Vec<bool>,
    /// A device reads so many degrees.
    pub(super) degrees: Vec<f64>,
    pub(super) now: Now,
    pub(super) asks: Vec<Ask>,
    pub(super) heard: Vec<Transition>,
    pub(super) hidden: BTreeMap<Arc<str>, Option<FaultId>>,
    /// Loss of a whole poll in a thousand, and the dice.
    loss: u64,
    dice: u64,
}

const BOX: u32 = 0;

impl Net {
    /// The box on the first device.
    pub(super) fn new(uplinks: &[&[u32]]) -> Net {
        let uplinks: Vec<Vec<u32>> = uplinks.iter().map(|up| up.to_vec()).collect();
        let mut net = Net {
            engine: Engine::new(Settings::default()),
            alive: vec![true; uplinks.len()],
            deaf: vec![false; uplinks.len()],
            degrees: vec![40.0; uplinks.len()],
            uplinks,
            now: Now::at(1_000_000, 1_795_000_000_000),
            asks: vec![],
            heard: vec![],
            hidden: BTreeMap::new(),
            loss: 0,
            dice: 1,
        };
        net.load();
        net
    }

    fn site(&self) -> Site {
        let device = |(at, up): (usize, &Vec<u32>)| SiteDevice {
            device: Device {
                uplinks: up.iter().map(|&up| Uplink { device: DeviceIx(up), port: None }).collect(),
                ..device(&format!("d{at}"))
            },
            model: Arc::new(model()),
        };
        Site {
            devices: self.uplinks.iter().enumerate().map(device).collect(),
            attached_to: Some(DeviceIx(BOX)),
            sla: vec![],
        }
    }

    pub(super) fn load(&mut self) {
        self.engine.load(self.site(), self.now);
        self.drain();
    }

    /// The service ends, and starts with what the store kept.
    fn restart(&mut self) {
        let faults: Vec<Fault> = self.engine.faults().cloned().collect();
        let root = |fault: FaultId| crate::hidden::Root {
            fault,
            device: self.heard.iter().find(|t| t.fault.id == fault).unwrap().fault.key.device.clone(),
        };
        let hidden = self
            .hidden
            .iter()
            .map(|(device, behind)| Hiding { device: device.clone(), behind: behind.map(root) });
        let kept = Kept {
            faults,
            next_transition: self.heard.len() as u64 + 1,
            hidden: hidden.collect(),
            ..Kept::default()
        };
        self.engine = Engine::new(Settings::default());
        self.engine.restore(kept, self.now);
        self.asks.clear();
        self.load();
    }

    fn is_reached(&self, device: usize) -> bool {
        let mut reached = vec![false; self.alive.len()];
        let mut next = vec![BOX as usize];
        while let Some(at) = next.pop() {
            if reached[at] || !self.alive[at] {
                continue;
            }
            reached[at] = true;
            let beside = |other: &usize| {
                self.uplinks[at].contains(&(*other as u32)) || self.uplinks[*other].contains(&(at as u32))
            };
            next.extend((0..self.alive.len()).filter(beside));
        }
        reached[device]
    }

    fn is_lost(&mut self) -> bool {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % 1_000 < self.loss
    }

    pub(super) fn drain(&mut self) {
        while let Some(effect) = self.engine.poll_effect() {
            match effect {
                Effect::Commit { transition, .. } => self.heard.push(*transition),
                Effect::Ask(ask) => self.asks.push(ask),
                Effect::Hide(changes) => {
                    let changes = changes
                        .into_iter()
                        .map(|hiding| (hiding.device, hiding.behind.map(|root| root.fault)));
                    self.hidden.extend(changes);
                }
                Effect::Refuse { why, .. } => panic!("{why:?}"),
            }
        }
    }

    pub(super) fn poll(&mut self, device: DeviceIx) {
        let answers = self.is_reached(device.at()) && !self.deaf[device.at()] && !self.is_lost();
        let mut readings = Readings::new(self.now, answers);
        let degrees = Ok(Value::Number(self.degrees[device.at()]));
        readings
            .add(TEMPERATURE, [(InstanceIx::SCALAR, if answers { degrees } else { Err(Absence::Timeout) })]);
        let labels = Labels::default();
        let generation = self.engine.generation(device);
        let event = Event::Polled { device, generation, readings: &readings, labels: &labels };
        self.engine.handle(event, self.now);
        self.drain();
    }

    /// Answers what is asked for up to a moment, and lets time pass to it.
    pub(super) fn pass(&mut self, until: Now) {
        while let Some(next) = (0..self.asks.len()).min_by_key(|at| self.asks[*at].at) {
            if self.asks[next].at > until.mono {
                break;
            }
            let ask = self.asks.remove(next);
            self.now = self.now.plus_ms(ask.at.since_ms(self.now.mono));
            if ask.generation != self.engine.generation(ask.device) {
                continue;
            }
            match ask.probe {
                Probe::Poll => self.poll(ask.device),
                Probe::Reach => {
                    let answered = self.is_reached(ask.device.at()) && !self.is_lost();
                    let Ask { device, generation, .. } = ask;
                    self.engine.handle(Event::Reached { device, generation, answered }, self.now);
                    self.drain();
                }
            }
        }
        self.now = until;
        self.engine.handle(Event::Tick, self.now);
        self.drain();
    }

    /// Polls all once a minute, those far from the box first, each in a second of its own.
    pub(super) fn minutes(&mut self, count: u32) {
        for _ in 0..count {
            let end = self.now.plus_ms(60_000);
            for device in (0..self.alive.len() as u32).rev() {
                self.poll(DeviceIx(device));
                let next = self.now.plus_ms(500);
                self.pass(next);
            }
            self.pass(end);
        }
    }

    fn name(fault: &Fault) -> String {
        format!("{} {}", fault.key.device, fault.key.rule)
    }

    /// What people hear: transitions of faults that are not hidden.
    pub(super) fn told(&self) -> Vec<String> {
        let told = self.heard.iter().filter(|transition| transition.fault.hidden_by.is_none());
        told.map(|t| format!("{} {}", Net::name(&t.fault), t.change.word())).collect()
    }

    pub(super) fn open(&self) -> Vec<String> {
        self.engine.faults().filter(|fault| fault.hidden_by.is_none()).map(Net::name).collect()
    }

    pub(super) fn hidden(&self) -> Vec<&str> {
        self.hidden.iter().filter(|(_, root)| root.is_some()).map(|(device, _)| &**device).collect()
    }
}

/// 0 the switch with the box, 1 the core on it... here the box's own device is the top: 1 aggregation, 2 and 3 counties
/// behind it, 4 a station of county 2, 5 a county with a second line to the core.
const COUNTIES: &[&[u32]] = &[&[], &[0], &[1], &[1], &[2], &[1, 0]];

#[test]
fn one_fault_speaks_for_all_behind_it_and_one_word_is_said_on_recovery() {
    let mut net = Net::new(&COUNTIES[..5]);
    net.minutes(2);
    net.alive[1] = false;
    net.minutes(3);
    assert_eq!(net.told(), ["d1 unreachable raised"]);
    assert_eq!(net.hidden(), ["d2", "d3", "d4"]);
    let root = net.heard.iter().find(|t| Net::name(&t.fault) == "d1 unreachable").unwrap().fault.id;
    assert!(
        net.engine.faults().all(|f| f.id == root || f.hidden_by == Some(root)),
        "the pointer leads to the root"
    );
    assert_eq!(net.engine.faults().count(), 4);
    net.alive[1] = true;
    net.minutes(3);
    assert_eq!(net.told(), ["d1 unreachable raised", "d1 unreachable ended"]);
    assert_eq!((net.engine.faults().count(), net.hidden()), (0, vec![]));
}

#[test]
fn losses_on_the_way_make_nobody_speak() {
    let wide: Vec<Vec<u32>> = (0..79)
        .map(|at| match at {
            0 => vec![],
            1 => vec![0],
            at => vec![1 + (at % 3) * (at / 20)],
        })
        .collect();
    let wide: Vec<&[u32]> = wide.iter().map(Vec::as_slice).collect();
    for seed in 1..20 {
        let mut net = Net::new(&wide);
        (net.loss, net.dice) = (50, seed);
        net.minutes(3);
        net.alive[1] = false;
        net.minutes(4);
        assert_eq!(net.hidden().len(), 77, "seed {seed}");
        net.alive[1] = true;
        net.minutes(4);
        assert_eq!(net.told(), ["d1 unreachable raised", "d1 unreachable ended"], "seed {seed}");
    }
}

#[test]
fn a_second_way_keeps_a_device_in_sight_and_its_loss_is_a_fault_of_its_own() {
    let mut net = Net::new(COUNTIES);
    net.minutes(2);
    net.alive[1] = false;
    net.minutes(3);
    assert_eq!(net.hidden(), ["d2", "d3", "d4"]);
    assert_eq!(net.open(), ["d1 unreachable", "d5 redundancy-lost"]);
    net.alive[1] = true;
    net.minutes(3);
    assert_eq!(net.open(), Vec::<String>::new());
    let told = net.told();
    assert_eq!(told.len(), 4, "{told:?}");
}

#[test]
fn who_fails_before_the_root_or_with_it_is_revealed_when_the_way_is_free() {
    // A county is out by itself, then the aggregation, which comes back; the county does not.
    let mut net = Net::new(COUNTIES);
    net.minutes(1);
    net.alive[2] = false;
    net.minutes(2);
    assert_eq!(net.open(), ["d2 unreachable"]);
    assert_eq!(net.hidden(), ["d4"]);
    net.alive[1] = false;
    net.minutes(2);
    assert_eq!(net.open(), ["d1 unreachable", "d5 redundancy-lost"]);
    net.alive[1] = true;
    net.minutes(3);
    assert_eq!(net.open(), ["d2 unreachable"]);
    assert_eq!(net.hidden(), ["d4"]);
    net.alive[2] = true;
    net.minutes(3);
    assert_eq!((net.open(), net.hidden()), (vec![], vec![]));
    let of_the_county: Vec<String> = net.told().into_iter().filter(|line| line.starts_with("d2")).collect();
    assert_eq!(of_the_county, ["d2 unreachable raised", "d2 unreachable revealed", "d2 unreachable ended"]);
    assert!(net.heard.iter().any(|t| t.change == Change::Hidden && &*t.fault.key.device == "d2"));
    assert!(!net.told().iter().any(|line| line.starts_with("d4")), "{:?}", net.told());
}

#[test]
fn a_value_that_was_bad_before_the_way_was_cut_speaks_again_after_a_fresh_poll() {
    let mut net = Net::new(&COUNTIES[..5]);
    net.degrees[3] = 95.0;
    net.minutes(3);
    assert_eq!(net.open(), ["d3 burnt", "d3 hot"]);
    net.alive[1] = false;
    net.minutes(3);
    assert_eq!(net.open(), ["d1 unreachable"]);
    // One of them is over when it comes back, the other is not.
    net.degrees[3] = 80.0;
    net.alive[1] = true;
    net.minutes(4);
    assert_eq!(net.open(), ["d3 hot"]);
    // The one that latches is over and waits for a person, without having spoken again.
    let burnt = net.engine.faults().find(|f| &*f.key.rule == "burnt").unwrap();
    assert_eq!((burnt.condition, burnt.hidden_by.is_some()), (Condition::Cleared, true));
}

#[test]
fn a_verdict_does_not_wait_for_those_that_answer() {
    let mut net = Net::new(COUNTIES);
    net.minutes(2);
    let begun = net.now;
    net.alive[4] = false;
    net.minutes(1);
    let raised = &net.heard[0];
    assert_eq!(Net::name(&raised.fault), "d4 unreachable");
    assert!(raised.at.0 - begun.wall.0 < 9_000, "{}", raised.at.0 - begun.wall.0);
}

#[test]
fn a_restart_in_the_middle_says_nothing_twice() {
    for before in 0..6 {
        for after in 0..4 {
            let mut net = Net::new(&COUNTIES[..5]);
            net.minutes(1);
            net.alive[1] = false;
            net.minutes(before);
            net.restart();
            net.minutes(2);
            net.alive[1] = true;
            net.minutes(after);
            net.restart();
            net.minutes(4);
            assert_eq!(net.told(), ["d1 unreachable raised", "d1 unreachable ended"], "{before} {after}");
            assert_eq!(net.hidden(), Vec::<&str>::new(), "{before} {after}");
        }
    }
}

#[test]
fn without_a_place_of_the_box_nothing_is_hidden() {
    let mut net = Net::new(&COUNTIES[..3]);
    let site = Site { attached_to: None, ..net.site() };
    net.engine.load(site, net.now);
    net.minutes(1);
    net.alive[1] = false;
    net.minutes(2);
    assert_eq!(net.open(), ["d2 unreachable", "d1 unreachable"]);
}
