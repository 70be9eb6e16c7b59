//! The view's state with real site files, real profiles and recorded answers; no network, no store.

use super::super::polled::Runtime;
use super::lens::{Lenses, MOST_SERIES};
use super::state::State;
use crate::site;
use roundsman_core::device::DeviceIx;
use roundsman_core::fault::{Change, Condition, Ending, Fault, FaultId, FaultKey, FaultNumber, Transition};
use roundsman_core::hidden::{Hiding, Root};
use roundsman_core::rule::Severity;
use roundsman_core::tally::{Cost, Counts, Driver, Polled};
use roundsman_core::text::Bilingual;
use roundsman_core::time::{Now, Wall};
use roundsman_driver::reach::Reach;
use roundsman_driver::snmp::remark::Remark;
use roundsman_panel::{Charted, DeviceState, Headlines, Limit, SiteDevice};
use roundsman_profile::snmprec::{NewValue, Walk};
use roundsman_store::{LatestDevice, Step};
use roundsman_wire::snmp::answer::Answer;
use roundsman_wire::snmp::oid::Oid;
use std::sync::Arc;

const HEAD: &str = "[site]\nname = \"试验\"\ntimezone = \"Asia/Shanghai\"\n";

/// A loaded site with its state.
struct Bench {
    folder: tempfile::TempDir,
    devices: Vec<Runtime>,
    state: State,
    at_ms: u64,
}

impl Bench {
    fn new(attached_to: &str, devices: &[&str]) -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let mut bench = Bench { folder, devices: vec![], state: State::new(0), at_ms: 0 };
        bench.load(attached_to, devices);
        bench
    }

    /// Loads the site anew, as a reload does. A device is `id profile uplinks`, and more lines.
    fn load(&mut self, attached_to: &str, devices: &[&str]) {
        let mut text = HEAD.to_owned();
        if !attached_to.is_empty() {
            text += &format!("attached_to = \"{attached_to}\"\n");
        }
        text += "[credentials.all]\nsnmp = { version = \"2c\", community = \"public\" }\n";
        for device in devices {
            let (first, more) = device.split_once('\n').unwrap_or((device, ""));
            let mut words = first.split_whitespace();
            let (id, profile) = (words.next().unwrap(), words.next().unwrap());
            let uplinks: Vec<String> = words.map(|id| format!("{{ device = \"{id}\" }}")).collect();
            text += &format!(
                "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"{profile}\"\ntier = \"city\"\nnetwork = \"lan\"\n\
                 address = \"192.0.2.1\"\ncredentials = \"all\"\nuplink = [{}]\n{more}\n",
                uplinks.join(", ")
            );
        }
        let path = self.folder.path().join("site.toml");
        std::fs::write(&path, text).unwrap();
        let site = site::load(&path).unwrap_or_else(|rejected| panic!("{}", rejected.render(false)));
        let mut lenses = Lenses::default();
        let mut old = std::mem::take(&mut self.devices).into_iter();
        for (at, entry) in site.devices.into_iter().enumerate() {
            let lens = lenses.of(&entry.profile);
            let old = old.next().filter(|old| old.entry.device.id == entry.device.id);
            self.devices.push(Runtime::new(entry, at as u32, Reach::Snmp, lens, false, old));
        }
        self.state.load(&self.devices, |_| false);
    }

    /// One poll a minute later; `None` is no answer.
    fn poll(&mut self, device: usize, walk: Option<&Walk>) {
        self.at_ms += 60_000;
        let now = Now::at(self.at_ms, self.at_ms as i64);
        let runtime = &mut self.devices[device];
        let plan = runtime.plan();
        let answer = walk.map_or_else(|| Answer::unanswered(&plan), |walk| walk.answer(&plan));
        let readings = runtime.read(&answer, now);
        runtime.keep(readings);
        let latest = runtime.latest.clone().unwrap();
        self.state.keep(DeviceIx(device as u32), &latest, now);
    }

    fn shown(&self, id: &str) -> SiteDevice {
        self.state.site_device(self.state.device(id).unwrap(), self.state.worst_of(id))
    }

    fn headlines(&self, id: &str) -> Headlines {
        self.shown(id).headlines
    }

    fn figures(&self, id: &str) -> Vec<Charted> {
        self.state.device(id).unwrap().detail().figures
    }

    /// A durable transition of the fault with this number.
    fn fault(&mut self, id: u64, device: &str, rule: &str, ends: bool) {
        let fault = Fault {
            id: FaultId(id),
            number: FaultNumber { year: 2026, sequence: id as u32 },
            key: FaultKey { device: device.into(), rule: rule.into(), instance: "".into() },
            severity: Severity::Major,
            condition: if ends { Condition::Cleared } else { Condition::Active },
            acknowledged: None,
            stale: false,
            first_bad: Wall(0),
            confirmed: Wall(0),
            cleared: ends.then_some(Wall(1)),
            ending: ends.then_some(Ending::Cleared),
            closed_by: None,
            value: None,
            cause: "".into(),
            summary: Bilingual::default(),
            advice: Bilingual::default(),
            previous: None,
            hidden_by: None,
            assigned: None,
            arrived: None,
            shelf: None,
            service: None,
        };
        let change = if ends { Change::Ended } else { Change::Raised };
        let id = self.state.last_transition + 1;
        let transition = Some(Transition { id, at: Wall(0), change, fault });
        self.state.publish(&Step { now: Now::default(), transition, hidden: vec![] });
    }

    /// It is durable that a device stands behind another one, or for itself.
    fn hides(&mut self, device: &str, behind: Option<(u64, &str)>) {
        let root = |(fault, device): (u64, &str)| Root { fault: FaultId(fault), device: device.into() };
        let hidden = vec![Hiding { device: device.into(), behind: behind.map(root) }];
        self.state.publish(&Step { now: Now::default(), transition: None, hidden });
    }

    /// Per device its state and what it is hidden behind.
    fn standing(&self) -> String {
        let one = |device: &SiteDevice| {
            let behind = device.behind.as_ref().map(|root| format!("<{root}")).unwrap_or_default();
            format!("{}:{}{behind}", device.id, device.state.word())
        };
        self.state.site_devices().iter().map(one).collect::<Vec<_>>().join(" ")
    }
}

fn recording(path: &str) -> Walk {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../device-profiles");
    Walk::parse(&std::fs::read_to_string(folder.join(path)).unwrap()).unwrap()
}

fn oid(text: &str) -> Oid {
    text.parse().unwrap()
}

fn server() -> Walk {
    recording("server/fixtures/net-snmp-server.snmprec")
}

fn gateway() -> Walk {
    recording("router/fixtures/net-snmp-gateway.snmprec")
}

#[test]
fn headlines_are_those_of_the_latest_poll() {
    let mut bench = Bench::new("", &["srv linux-net-snmp", "rt huawei-vrp", "ups ups-mib"]);
    assert_eq!(bench.headlines("srv"), Headlines::default(), "before the first poll");
    let mut walk = server();
    bench.poll(0, Some(&walk));
    assert_eq!(bench.headlines("srv").cpu_load, None, "a rate needs a second poll");
    for (ticks, per_s) in [(50, 50), (52, 10), (54, 20), (53, 120)] {
        walk.grow(&oid(&format!("1.3.6.1.4.1.2021.11.{ticks}.0")), per_s).unwrap();
    }
    walk.pass_ms(60_000);
    bench.poll(0, Some(&walk));
    let headlines = bench.headlines("srv");
    assert_eq!(headlines.cpu_load, Some(40.0));
    assert!((headlines.memory_used.unwrap() - 1.35).abs() < 0.01, "{headlines:?}");
    assert_eq!((headlines.temperature, headlines.trunk), (None, None));
    bench.poll(0, None);
    assert_eq!(bench.headlines("srv"), Headlines::default(), "no answer, no figures");

    // A maker whose boards each have a processor and a sensor: the busiest and the hottest.
    bench.poll(1, Some(&recording("router/fixtures/huawei-s5720.snmprec")));
    let headlines = bench.headlines("rt");
    assert!(headlines.cpu_load.is_some() && headlines.memory_used.is_some(), "{headlines:?}");
    assert!(headlines.temperature.is_some_and(|cel| (20.0..80.0).contains(&cel)), "{headlines:?}");
}

#[test]
fn the_trunk_is_the_first_uplink_that_is_up() {
    let tags = "tag = { eth0 = \"uplink\", lo = \"uplink\", ifb0 = \"monitored\" }";
    let with_line = format!("rt snmp-generic\nline = \"2M\"\n{tags}");
    let without = format!("rt2 snmp-generic\n{tags}");
    let mut bench =
        Bench::new("", &[&with_line, &without, "rt3 snmp-generic\ntag = { nowhere = \"uplink\" }"]);
    let mut walk = gateway();
    bench.poll(0, Some(&walk));
    bench.poll(1, Some(&walk));
    let trunk = bench.headlines("rt").trunk.unwrap();
    assert_eq!((trunk.up, trunk.in_rate, trunk.speed), (Some(true), None, Some(2e6)));
    assert_eq!(bench.headlines("rt2").trunk.unwrap().speed, None, "eth0 says no speed");
    assert_eq!(&*bench.shown("rt").line, "2M");
    walk.grow(&oid("1.3.6.1.2.1.31.1.1.1.6.4"), 1_000_000).unwrap();
    walk.grow(&oid("1.3.6.1.2.1.31.1.1.1.10.4"), 250_000).unwrap();
    walk.pass_ms(60_000);
    bench.at_ms = 60_000;
    bench.poll(0, Some(&walk));
    let trunk = bench.headlines("rt").trunk.unwrap();
    assert_eq!((trunk.in_rate, trunk.out_rate), (Some(8e6), Some(2e6)));
    // The first line breaks: the second one carries.
    let set = |walk: &mut Walk, interface: u32, state| {
        walk.set(&oid(&format!("1.3.6.1.2.1.2.2.1.8.{interface}")), &NewValue::Number(state)).unwrap();
    };
    set(&mut walk, 4, 7);
    bench.poll(1, Some(&walk));
    assert_eq!(bench.headlines("rt2").trunk.map(|t| (t.up, t.speed)), Some((Some(true), Some(1e7))), "lo");
    set(&mut walk, 1, 2);
    bench.poll(1, Some(&walk));
    assert_eq!(bench.headlines("rt2").trunk.map(|t| (t.up, t.speed)), Some((Some(false), None)), "eth0");
    bench.poll(1, None);
    assert_eq!(bench.headlines("rt2").trunk, None, "unreachable");
    bench.poll(2, Some(&walk));
    assert_eq!(bench.headlines("rt3").trunk, None, "no such interface");
}

#[test]
fn what_the_store_kept_has_no_figures() {
    let mut bench = Bench::new("", &["srv linux-net-snmp"]);
    bench.poll(0, Some(&server()));
    assert!(bench.headlines("srv").memory_used.is_some());
    let kept: LatestDevice = bench.devices[0].latest.as_ref().unwrap().for_store(&"srv".into()).latest();
    let mut again = Bench::new("", &["srv linux-net-snmp"]);
    again.devices[0].restore(&kept);
    again.state.load(&again.devices, |_| false);
    assert_eq!(again.headlines("srv"), Headlines::default());
    assert!(again.state.device("srv").unwrap().latest.as_ref().unwrap().named().len() > 20);
    assert_eq!(again.shown("srv").state, DeviceState::Pending);
}

#[test]
fn figures_name_their_series_and_stay_while_the_device_is_silent() {
    let gateway_site = "rt snmp-generic\ntag = { eth0 = \"uplink\" }";
    let mut bench = Bench::new("", &["srv linux-net-snmp", gateway_site]);
    assert_eq!(bench.figures("srv").len(), 0, "nothing is known yet");
    let mut walk = server();
    walk.set(&oid("1.3.6.1.4.1.2021.10.1.5.1"), &NewValue::Number(700)).unwrap();
    bench.poll(0, Some(&walk));
    let figures = bench.figures("srv");
    assert!(figures.len() <= MOST_SERIES);
    let names: Vec<&str> = figures.iter().map(|series| &*series.metric).collect();
    insta::assert_compact_debug_snapshot!(names);
    let load = figures.iter().find(|series| &*series.metric == "load.one-minute").unwrap();
    assert_eq!((&*load.title.en, &*load.instance, load.now), ("Load, 1 min", "", Some(7.0)));
    let used = figures.iter().find(|series| &*series.metric == "memory.used").unwrap();
    assert_eq!(used.limits.first(), Some(&Limit { severity: Severity::Major, at: 96.0, above: true }));

    bench.poll(0, None);
    let silent = bench.figures("srv");
    assert!(silent.iter().map(|series| &*series.metric).eq(names.iter().copied()));
    assert!(silent.iter().all(|series| series.now.is_none()));

    let mut walk = gateway();
    for _ in 0..2 {
        bench.poll(1, Some(&walk));
        walk.grow(&oid("1.3.6.1.2.1.31.1.1.1.6.4"), 1_000_000).unwrap();
        walk.pass_ms(60_000);
    }
    let figures = bench.figures("rt");
    let rate = figures.iter().find(|series| &*series.metric == "interface.in-rate").unwrap();
    assert_eq!((&*rate.instance, rate.now), ("eth0", Some(8e6)));
}

#[test]
fn what_a_rule_watches_is_charted_if_it_is_a_number() {
    let mut bench = Bench::new("", &["srv linux-net-snmp"]);
    bench.poll(0, Some(&server()));
    let shown = bench.state.device("srv").unwrap();
    let disk = shown.watched("storage-full", "/").unwrap();
    assert_eq!((&*disk.metric, &*disk.unit, &*disk.instance), ("storage.used", "%", "/"));
    assert!(disk.now.is_some() && disk.limits.len() == 3);
    assert!(shown.watched("storage-full", "/gone").unwrap().now.is_none(), "its past may still be there");
    assert!(shown.watched("unreachable", "").is_none());
    assert!(shown.watched("interface-down", "eth0").is_none(), "a state");
}

#[test]
fn limits_are_those_of_the_rules_with_the_sites_changes() {
    let changed = "srv linux-net-snmp\nrule.storage-full.minor = { above = 70, clear = 65 }";
    let mut bench = Bench::new("", &[changed, "srv2 linux-net-snmp", "ups ups-mib"]);
    bench.poll(0, Some(&server()));
    bench.poll(1, Some(&server()));
    bench.poll(2, Some(&recording("ups/fixtures/eaton-93e.snmprec")));
    let limits = |id: &str, metric: &str| {
        let latest = bench.state.device(id).unwrap().latest.clone().unwrap();
        let readings = latest.named();
        let of: Vec<_> = readings.iter().filter(|reading| &*reading.metric == metric).collect();
        assert!(
            of.windows(2).all(|pair| Arc::ptr_eq(&pair[0].limits, &pair[1].limits)),
            "{metric} shares them"
        );
        of[0].limits.iter().map(|l| (l.severity.word(), l.at, l.above)).collect::<Vec<_>>()
    };
    let usual = [("critical", 97.0, true), ("major", 92.0, true), ("minor", 85.0, true)];
    assert_eq!(limits("srv2", "storage.used"), usual);
    assert_eq!(limits("srv", "storage.used"), [usual[0], usual[1], ("minor", 70.0, true)]);
    assert_eq!(limits("srv", "storage.free"), []);
    assert_eq!(limits("ups", "input.voltage"), [("minor", 253.0, true), ("minor", 187.0, false)]);
    assert_eq!(limits("ups", "battery.charge"), [("minor", 80.0, false)]);
}

#[test]
fn polls_are_counted_across_a_change_of_profile() {
    let mut bench = Bench::new("", &["rt snmp-generic"]);
    let cost = Cost { requests: 4, retries: 1, octets_out: 80, octets_in: 700, ..Cost::default() };
    let poll = |took_ms, answered| Polled { answered, took_ms, late_ms: Some(2), cost };
    let refused = [Remark::UnknownUser];
    bench.state.count(DeviceIx(0), Driver::Snmp, &poll(30, true), &[]);
    bench.load("", &["rt linux-net-snmp"]);
    bench.state.replace(DeviceIx(0), &bench.devices[0]);
    bench.state.count(DeviceIx(0), Driver::Snmp, &poll(70, false), &refused);
    bench.state.count(DeviceIx(0), Driver::Reach, &poll(5, true), &[]);
    bench.state.count_missed(DeviceIx(0), Driver::Snmp, 2);
    let detail = bench.state.device("rt").unwrap().detail();
    assert_eq!(detail.remarks, [Remark::UnknownUser.text()], "a probe says nothing of it");
    bench.state.count(DeviceIx(0), Driver::Snmp, &poll(20, true), &[]);
    let detail = bench.state.device("rt").unwrap().detail();
    assert_eq!(detail.remarks, []);
    let [(Driver::Snmp, snmp), (Driver::Reach, reach)] = &detail.polling[..] else {
        panic!("{:?}", detail.polling);
    };
    let expected = Counts {
        polls: 3,
        failed: 1,
        missed: 2,
        requests: 15,
        retries: 3,
        octets_out: 240,
        octets_in: 2_100,
        ..Counts::default()
    };
    assert_eq!((snmp.counts, snmp.last_ms, reach.counts.polls), (expected, Some(20), 1));
    assert_eq!(snmp.latency.map(|spread| (spread.p50, spread.most)), Some((30, 70)));
    assert_eq!((&*detail.protocol, &*detail.credentials), ("SNMP v2c", "all"));
}

#[test]
fn hidden_is_shown_once_it_is_durable_until_it_is_durable_that_it_is_not() {
    let devices = ["core snmp-generic", "agg snmp-generic core", "county snmp-generic agg"];
    let mut bench = Bench::new("core", &devices);
    let walk = gateway();
    (0..3).for_each(|device| bench.poll(device, Some(&walk)));
    bench.poll(1, None);
    bench.poll(2, None);
    bench.fault(1, "agg", "unreachable", false);
    bench.fault(2, "county", "unreachable", false);
    assert_eq!(bench.standing(), "core:ok agg:major county:major");
    bench.hides("county", Some((1, "agg")));
    assert_eq!(bench.standing(), "core:ok agg:major county:hidden<agg");
    assert_eq!(
        (bench.state.hidden_behind("county"), bench.state.hidden_behind("agg")),
        (Some("agg".into()), None)
    );
    bench.load("core", &devices);
    assert_eq!(bench.standing(), "core:pending agg:major county:hidden<agg", "a reload changes nothing");
    bench.fault(1, "agg", "unreachable", true);
    assert_eq!(bench.standing(), "core:pending agg:pending county:hidden<agg", "nobody has asked it yet");
    bench.hides("county", None);
    assert_eq!(bench.standing(), "core:pending agg:pending county:major");
}
