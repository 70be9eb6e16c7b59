//! `poll --json` says what `snmpget` and `snmpwalk` say: exactly for what stands still, between a walk before and
//! one after for what moves.

use crate::peer::{Snmpd, Told};
use crate::poll;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

const SITE: &str = r#"
[site]
name = "probe"
timezone = "Asia/Shanghai"
[credentials.v2c]
snmp = { version = "2c", community = "public" }
[credentials.v1]
snmp = { version = "1", community = "public" }
[credentials.wrong]
snmp = { version = "2c", community = "not-this-one" }
"#;

fn site(peer: &Snmpd, folder: &Path) {
    let device = |id: &str, profile: &str, credentials: &str| {
        format!(
            "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"{profile}\"\ntier = \"city\"\nnetwork = \"lan\"\n\
             address = \"{}\"\ncredentials = \"{credentials}\"\n",
            peer.address
        )
    };
    let devices = [
        device("v2c", "linux-net-snmp", "v2c"),
        device("v1", "linux-net-snmp", "v1"),
        device("auto", "auto", "v2c"),
        device("wrong", "linux-net-snmp", "wrong"),
    ];
    std::fs::write(folder.join("site.toml"), SITE.to_owned() + &devices.concat()).expect("a site file");
}

/// (metric, instance) → reading.
fn readings(json: &Value) -> BTreeMap<(String, String), Value> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let list = json["readings"].as_array().expect("readings");
    list.iter().map(|r| ((text(&r["metric"]), text(&r["instance"])), r.clone())).collect()
}

/// What a metric's value is made of.
#[derive(Clone, Copy)]
enum Made {
    Text,
    /// The number on the wire times this.
    Number(f64),
    /// 1 is the first of these words.
    Words(&'static [&'static str]),
}

const UP_DOWN: Made =
    Made::Words(&["up", "down", "testing", "unknown", "dormant", "not-present", "lower-layer-down"]);

const STILL_SCALARS: [(&str, &str, Made); 7] = [
    ("system.description", "1.3.6.1.2.1.1.1.0", Made::Text),
    ("system.contact", "1.3.6.1.2.1.1.4.0", Made::Text),
    ("system.name", "1.3.6.1.2.1.1.5.0", Made::Text),
    ("system.location", "1.3.6.1.2.1.1.6.0", Made::Text),
    ("memory.total", "1.3.6.1.4.1.2021.4.5.0", Made::Number(1024.0)),
    ("swap.total", "1.3.6.1.4.1.2021.4.3.0", Made::Number(1024.0)),
    ("cpu.count", "1.3.6.1.4.1.2021.11.67.0", Made::Number(1.0)),
];

/// Of the interface table, by ifName.
const STILL_INTERFACE: [(&str, &str, Made); 3] = [
    ("interface.admin-status", "1.3.6.1.2.1.2.2.1.7", UP_DOWN),
    ("interface.oper-status", "1.3.6.1.2.1.2.2.1.8", UP_DOWN),
    ("interface.speed", "1.3.6.1.2.1.31.1.1.1.15", Made::Number(1e6)),
];

/// Of the storage table, by hrStorageDescr.
const STILL_STORAGE: [(&str, &str, Made); 2] = [
    ("storage.unit", "1.3.6.1.2.1.25.2.3.1.4", Made::Number(1.0)),
    ("storage.units-total", "1.3.6.1.2.1.25.2.3.1.5", Made::Number(1.0)),
];

/// Only ever grow: scalars.
const GROWING_SCALARS: [(&str, &str, f64); 4] = [
    ("system.uptime", "1.3.6.1.2.1.25.1.1.0", 0.01),
    ("ip.in-packets", "1.3.6.1.2.1.4.3.0", 1.0),
    ("cpu.user-ticks", "1.3.6.1.4.1.2021.11.50.0", 1.0),
    ("cpu.system-ticks", "1.3.6.1.4.1.2021.11.52.0", 1.0),
];

const IF_NAME: &str = "1.3.6.1.2.1.31.1.1.1.1";
const STORAGE_DESCR: &str = "1.3.6.1.2.1.25.2.3.1.3";
const STORAGE_TYPE: &str = "1.3.6.1.2.1.25.2.3.1.2";
const STORAGE_USED: &str = "1.3.6.1.2.1.25.2.3.1.6";
const FIXED_DISK: &str = ".1.3.6.1.2.1.25.2.1.4";

fn expected(told: &str, made: Made) -> Option<Value> {
    let number = || told.parse::<f64>().unwrap_or_else(|_| panic!("no number: {told}"));
    Some(match made {
        Made::Text => told.into(),
        // A speed of 0 is none: the profile says so.
        Made::Number(_) if number() == 0.0 => return None,
        Made::Number(scale) => Value::from((number() * scale) as i64),
        Made::Words(words) => words[number() as usize - 1].into(),
    })
}

struct Judge<'a> {
    peer: &'a Snmpd,
    version: &'static str,
    readings: BTreeMap<(String, String), Value>,
    compared: usize,
}

impl Judge<'_> {
    fn walk(&self, name: &str) -> Told {
        self.peer.tool("snmpwalk", self.version, &[], name)
    }

    fn get(&self, name: &str) -> f64 {
        let told = self.peer.tool("snmpget", self.version, &[], name);
        told[name].parse().unwrap_or_else(|_| panic!("{name}: {told:?}"))
    }

    fn is(&mut self, metric: &str, instance: &str, value: Option<Value>) {
        let key = (metric.to_owned(), instance.to_owned());
        let reading = self.readings.get(&key).unwrap_or_else(|| panic!("{key:?} is missing"));
        match value {
            Some(value) => {
                assert_eq!(reading["quality"], "good", "{key:?}");
                assert_eq!(reading["value"], value, "{key:?}");
            }
            None => assert_eq!(reading["quality"], "invalid", "{key:?}: {reading}"),
        }
        self.compared += 1;
    }

    fn between(&mut self, metric: &str, instance: &str, low: f64, high: f64) {
        let key = (metric.to_owned(), instance.to_owned());
        let value = self.readings[&key]["value"]
            .as_f64()
            .unwrap_or_else(|| panic!("{key:?}: {}", self.readings[&key]));
        assert!(low <= value && value <= high, "{key:?}: {low} {value} {high}");
        self.compared += 1;
    }

    /// Compares columns of a table whose rows are named by `labels` (index → label).
    fn table(&mut self, labels: &BTreeMap<String, String>, columns: &[(&str, &str, Made)]) {
        for (metric, oid, made) in columns {
            let told = self.walk(oid);
            let mut rows = 0;
            for (index, label) in labels {
                if let Some(told) = told.get(&format!("{oid}.{index}")) {
                    self.is(metric, label, expected(told, *made));
                    rows += 1;
                }
            }
            let got = self.readings.keys().filter(|(name, _)| name == metric).count();
            assert_eq!(got, rows, "{metric}: no more and no fewer rows than the agent has");
        }
    }
}

/// Index → label, as the profile names instances: two of one name get their index.
fn labels(column: &str, told: &Told) -> BTreeMap<String, String> {
    let of = |name: &str| name[column.len() + 1..].to_owned();
    let twice = |label: &str| told.values().filter(|other| *other == label).count() > 1;
    told.iter()
        .map(|(name, label)| match twice(label) {
            true => (of(name), format!("{label}#{}", of(name))),
            false => (of(name), label.clone()),
        })
        .collect()
}

fn compare(peer: &Snmpd, folder: &Path, device: &str, version: &'static str, octets: &str) {
    let mut judge = Judge { peer, version, readings: BTreeMap::new(), compared: 0 };
    let before: Vec<f64> = GROWING_SCALARS.iter().map(|(_, oid, scale)| judge.get(oid) * scale).collect();
    let octets_before = judge.walk(octets);
    let used_before = judge.walk(STORAGE_USED);
    let (output, json) = poll(folder, device);
    let octets_after = judge.walk(octets);
    let used_after = judge.walk(STORAGE_USED);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(json["device"], device);
    assert_eq!(json["profile"], "linux-net-snmp");
    assert!(json["requests"].as_u64().is_some_and(|n| n > 0));
    judge.readings = readings(&json);

    for (metric, oid, made) in STILL_SCALARS {
        let told = peer.tool("snmpget", version, &[], oid)[oid].clone();
        match (metric, &*told) {
            // A machine without swap.
            ("swap.total", "0") => judge.is(metric, "", Some(0.into())),
            _ => judge.is(metric, "", expected(&told, made)),
        }
    }
    for ((metric, oid, scale), before) in GROWING_SCALARS.iter().zip(before) {
        let after = judge.get(oid) * scale;
        judge.between(metric, "", before, after);
    }
    let interfaces = labels(IF_NAME, &judge.walk(IF_NAME));
    judge.table(&interfaces, &STILL_INTERFACE);
    for (index, label) in &interfaces {
        let name = format!("{octets}.{index}");
        let number = |told: &Told| told[&name].parse::<f64>().expect("a counter");
        let (low, high) = (number(&octets_before), number(&octets_after));
        judge.between("interface.in-octets", label, low, high);
    }
    let disks: Told = judge
        .walk(STORAGE_TYPE)
        .into_iter()
        .filter(|(_, kind)| kind == FIXED_DISK)
        .map(|(name, _)| name.replace(STORAGE_TYPE, STORAGE_DESCR))
        .filter_map(|name| Some((name.clone(), judge.walk(STORAGE_DESCR).remove(&name)?)))
        .collect();
    let disks = labels(STORAGE_DESCR, &disks);
    judge.table(&disks, &STILL_STORAGE);
    for (index, label) in &disks {
        let name = format!("{STORAGE_USED}.{index}");
        let number = |told: &Told| told[&name].parse::<f64>().expect("a gauge");
        let (one, other) = (number(&used_before), number(&used_after));
        // Used space goes up and down between the two walks: a hundredth of what is used besides.
        let room = one.max(other) / 100.0;
        judge.between("storage.units-used", label, one.min(other) - room, one.max(other) + room);
    }
    // Two polls were made: rates are there; of 32-bit counters only where the line is known to be slow
    // enough for the two seconds between.
    for label in interfaces.values() {
        let reading = |metric: &str| &judge.readings[&(metric.to_owned(), label.clone())];
        let slow = reading("interface.speed")["value"].as_f64().is_some_and(|bits| bits < 4e9);
        let expected = if version == "1" && !slow { "not-judged" } else { "good" };
        assert_eq!(reading("interface.in-rate")["quality"], expected, "{label}, {version}");
    }
    assert!(judge.compared > 15, "this machine's snmpd says little");
}

#[test]
fn poll_says_what_snmpget_and_snmpwalk_say() {
    let Some(peer) = Snmpd::start() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    site(&peer, folder.path());
    compare(&peer, folder.path(), "v2c", "2c", "1.3.6.1.2.1.31.1.1.1.6");
    // Version 1 has no 64-bit counters: the profile falls back.
    compare(&peer, folder.path(), "v1", "1", "1.3.6.1.2.1.2.2.1.10");
    // sysObjectID finds the profile.
    compare(&peer, folder.path(), "auto", "2c", "1.3.6.1.2.1.31.1.1.1.6");
}

#[test]
fn a_wrong_community_is_a_timeout_and_exit_1() {
    let Some(peer) = Snmpd::start() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    site(&peer, folder.path());
    let (output, json) = poll(folder.path(), "wrong");
    assert_eq!(output.status.code(), Some(1));
    let readings = readings(&json);
    assert!(readings.contains_key(&("system.name".to_owned(), String::new())), "{json}");
    for (key, reading) in readings {
        assert_eq!(reading["quality"], "timeout", "{key:?}");
        assert_eq!(reading["value"], Value::Null, "{key:?}");
    }
}
