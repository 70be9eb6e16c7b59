//! Every fault of the virtual site on one of 64 devices: the right quality there, and not one missed or failed poll on
//! the other 63.

use crate::daemon::Daemon;
use crate::until;
use rustix::process::Signal;
use serde_json::Value;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

const DEVICES: usize = 64;
const PORT: &str = "GigabitEthernet0/0/1";

/// A site of 64 devices and the service that watches it.
struct Farm {
    simulator: Child,
    directions: ChildStdin,
    daemon: Daemon,
    ids: Vec<String>,
    _folder: tempfile::TempDir,
}

/// What a device's page knows.
struct Seen {
    readings: Vec<Value>,
    polling: Value,
}

impl Seen {
    fn reading(&self, metric: &str, instance: &str) -> &Value {
        let found = self.readings.iter().find(|r| r["metric"] == metric && r["instance"] == instance);
        found.unwrap_or(&Value::Null)
    }

    fn quality(&self, metric: &str, instance: &str) -> &str {
        self.reading(metric, instance)["quality"].as_str().unwrap_or("")
    }

    fn says(&self, metric: &str, instance: &str, value: &str) -> bool {
        self.reading(metric, instance)["value"] == value
    }

    fn number(&self, metric: &str, instance: &str) -> Option<f64> {
        self.reading(metric, instance)["value"].as_f64()
    }

    fn counted(&self, what: &str) -> u64 {
        self.polling[what].as_u64().unwrap_or(0)
    }

    /// Whether the latest poll brought all it should.
    fn is_whole(&self) -> bool {
        let silent = |r: &&Value| ["timeout", "malformed"].contains(&r["quality"].as_str().unwrap_or(""));
        !self.readings.is_empty() && self.readings.iter().find(silent).is_none()
    }

    fn is_silent(&self) -> bool {
        self.quality("system.uptime", "") == "timeout"
    }
}

impl Farm {
    /// The first four are a generic router, a UPS, a server and a printer, polled every second; the others routers,
    /// every two.
    async fn start(net: u8) -> Farm {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let config = folder.path().join("site.toml");
        let kinds = ["snmp-generic", "ups-mib", "linux-net-snmp", "printer-mib"];
        let ids: Vec<String> = (0..DEVICES)
            .map(|at| kinds.get(at).map_or_else(|| format!("rt-{at}"), |kind| format!("first-{kind}")))
            .collect();
        std::fs::write(&config, site(&ids, net)).expect("the site file");
        let (simulator, directions) = simulate(&config).await;
        let daemon = Daemon::start(&config, "warn,roundsman=info").await;
        let farm = Farm { simulator, directions, daemon, ids, _folder: folder };
        for id in &farm.ids {
            until(&format!("good readings of {id}"), async || farm.seen(id).await.is_whole().then_some(()))
                .await;
        }
        farm
    }

    async fn seen(&self, id: &str) -> Seen {
        let readings = self.daemon.get(&format!("/api/v1/devices/{id}/readings")).await.json();
        let device = self.daemon.get(&format!("/api/v1/devices/{id}")).await.json();
        let polling = device["polling"].as_array().and_then(|all| all.iter().find(|p| p["driver"] == "snmp"));
        Seen {
            readings: readings["readings"].as_array().cloned().unwrap_or_default(),
            polling: polling.cloned().unwrap_or_default(),
        }
    }

    async fn direct(&mut self, id: &str, fault: &str) {
        let line = format!("{id}={fault}\n");
        self.directions.write_all(line.as_bytes()).await.expect("the virtual site takes directions");
    }

    /// Has a device fail, waits until `shows` is true of it, given what it showed before, and until it is well again.
    async fn suffer(&mut self, at: usize, fault: &str, shows: impl Fn(&Seen, &Seen) -> bool) {
        let id = self.ids[at].clone();
        let before = self.seen(&id).await;
        self.direct(&id, fault).await;
        until(&format!("{id} shows {fault}"), async || shows(&self.seen(&id).await, &before).then_some(()))
            .await;
        let polls = self.seen(&id).await.counted("polls");
        self.direct(&id, "ok").await;
        until(&format!("{id} is well after {fault}"), async || {
            let seen = self.seen(&id).await;
            (seen.is_whole() && seen.counted("polls") > polls + 1).then_some(())
        })
        .await;
    }

    /// All devices but the first four, and those of the first four that are named, missed nothing.
    async fn end(mut self, also_well: &[usize]) {
        let well = self.ids.iter().enumerate().filter(|(at, _)| *at >= 4 || also_well.contains(at));
        let mut polls = 0;
        for (_, id) in well {
            let seen = self.seen(id).await;
            let counted = ["failed", "missed"].map(|what| seen.counted(what));
            assert_eq!(counted, [0, 0], "failed and missed polls of {id}: {}", seen.polling);
            polls += seen.counted("polls");
        }
        assert!(polls > DEVICES as u64 * 3, "{polls} polls of the others");
        let _ = self.simulator.kill().await;
        self.daemon.end(Signal::TERM).await;
    }
}

fn site(ids: &[String], net: u8) -> String {
    let mut text = "[site]\nname = \"farm\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n\
                    [panel]\nlisten = \"127.0.0.1:0\"\n[credentials.all]\n\
                    snmp = { version = \"2c\", community = \"public\" }\n"
        .to_owned();
    for (at, id) in ids.iter().enumerate() {
        let ip = format!("127.77.{net}.{}", at + 1);
        let port = UdpSocket::bind((&*ip, 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
        let profile = id.strip_prefix("first-").unwrap_or("snmp-generic");
        let interval = if at < 4 { "1s" } else { "2s" };
        text += &format!(
            "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"{profile}\"\ntier = \"station\"\n\
             network = \"lan\"\naddress = \"{ip}:{port}\"\ncredentials = \"all\"\nreach = \"snmp\"\n\
             interval = \"{interval}\"\n"
        );
    }
    text
}

async fn simulate(config: &Path) -> (Child, ChildStdin) {
    let mut simulator = Command::new(env!("CARGO_BIN_EXE_roundsman"))
        .args(["simulate", "--site"])
        .arg(config)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the virtual site starts");
    let mut said = BufReader::new(simulator.stdout.take().expect("its output")).lines();
    let ready = said.next_line().await.expect("a line").expect("no end");
    assert!(ready.starts_with("ready"), "{ready}");
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    let directions = simulator.stdin.take().expect("its input");
    (simulator, directions)
}

#[tokio::test]
async fn datagrams_that_do_not_come_or_come_otherwise() {
    let mut farm = Farm::start(41).await;
    let more = |what: &'static str| move |now: &Seen, before: &Seen| now.counted(what) > before.counted(what);
    let router = 0;
    farm.suffer(router, "silent", |now, before| now.is_silent() && more("timeouts")(now, before)).await;
    farm.suffer(router, "late:600", |now, _| now.is_whole() && now.counted("last_ms") >= 600).await;
    // Later than the patience of a request, within that of the poll: the answer to the first try is taken.
    farm.suffer(router, "late:1300", |now, before| {
        now.is_whole() && now.counted("last_ms") >= 1_300 && more("retries")(now, before)
    })
    .await;
    // Later than any poll: the device is silent, and its page says why.
    farm.suffer(router, "late:4000", |now, before| now.is_silent() && more("strays")(now, before)).await;
    farm.suffer(router, "lossy:40", |now, before| now.is_whole() && more("retries")(now, before)).await;
    farm.suffer(router, "duplicate", |now, before| now.is_whole() && more("duplicates")(now, before)).await;
    farm.suffer(router, "wrong-community", |now, before| now.is_silent() && more("rejected")(now, before))
        .await;
    farm.suffer(router, "branch-silent", |now, _| now.is_silent()).await;
    farm.end(&[1, 2, 3]).await;
}

#[tokio::test]
async fn answers_that_are_out_of_order_or_too_big() {
    let mut farm = Farm::start(42).await;
    let router = 0;
    farm.suffer(router, "non-increasing", |now, _| {
        now.quality("system.uptime", "") == "good" && now.readings.iter().any(|r| r["quality"] == "malformed")
    })
    .await;
    farm.suffer(router, "too-big:484", |now, before| {
        now.is_whole() && now.counted("polls") > before.counted("polls") + 1
    })
    .await;
    farm.suffer(router, "reboot", |now, _| now.number("system.restarted", "") == Some(1.0)).await;
    farm.suffer(router, "hostile-name", |now, before| {
        let name = now.reading("system.name", "");
        now.is_whole()
            && name["quality"] == "good"
            && name["value"] != before.reading("system.name", "")["value"]
    })
    .await;
    farm.end(&[1, 2, 3]).await;
}

#[tokio::test]
async fn devices_that_are_in_trouble_and_say_so() {
    let mut farm = Farm::start(43).await;
    let (router, ups, server, printer) = (0, 1, 2, 3);
    let down = |now: &Seen, _: &Seen| now.says("interface.oper-status", PORT, "down") && now.is_whole();
    farm.suffer(router, &format!("interface-down:{PORT}"), down).await;
    farm.suffer(router, &format!("flapping:{PORT}"), down).await;
    farm.suffer(router, "hot:80", |now, _| {
        let degrees = now.readings.iter().filter(|r| r["metric"] == "temperature.value");
        degrees.filter_map(|r| r["value"].as_f64()).any(|degrees| degrees > 75.0)
    })
    .await;
    farm.suffer(ups, "on-battery", |now, _| now.says("output.source", "", "battery")).await;
    farm.suffer(server, "disk:96", |now, _| {
        let used = now.readings.iter().filter(|r| r["metric"] == "storage.used");
        used.filter_map(|r| r["value"].as_f64()).any(|used| used > 95.0)
    })
    .await;
    farm.suffer(printer, "toner:3", |now, _| {
        let left = now.readings.iter().filter(|r| r["metric"] == "supply.remaining");
        left.filter_map(|r| r["value"].as_f64()).any(|left| left < 5.0)
    })
    .await;
    farm.end(&[]).await;
}
