//! The service's life against one agent: readings, faults, acknowledgement, restart, reload, kill.

use crate::daemon::{Answer, Daemon, Events, post_control, run};
use crate::peer::Snmpd;
use crate::until;
use rustix::process::Signal;
use serde_json::Value;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;

const LOG: &str = "info";

/// Where nobody answers: the discard port of a loopback address.
const NOBODY: &str = "127.77.0.9:9";

struct Place {
    folder: tempfile::TempDir,
    peer: Snmpd,
    /// Accepts connections by its backlog alone: a device that is reached while its agent is silent.
    door: TcpListener,
}

impl Place {
    fn site(&self) -> PathBuf {
        self.folder.path().join("site.toml")
    }

    fn store(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    fn token(&self) -> String {
        let token = std::fs::read_to_string(self.store().join("panel.token")).expect("the token");
        format!("authorization: Bearer {}\r\n", token.trim())
    }

    /// Writes the site file with these devices.
    fn write(&self, devices: &[&str]) {
        let head = "[site]\nname = \"试验现场\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n\
                    [panel]\nlisten = \"127.0.0.1:0\"\n[credentials.all]\nsnmp = { version = \"2c\", community = \"public\" }\n";
        let here = self.peer.address.to_string();
        let door = format!("tcp:{}", self.door.local_addr().expect("its port").port());
        let device = |id: &&str| {
            let (profile, address, reach) = match *id {
                "reached" => ("linux-net-snmp", &*here, &*door),
                "nobody" => ("snmp-generic", NOBODY, "snmp"),
                _ => ("auto", &*here, "snmp"),
            };
            format!(
                "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"{profile}\"\ntier = \"city\"\n\
                 network = \"lan\"\naddress = \"{address}\"\ncredentials = \"all\"\nreach = \"{reach}\"\ninterval = \"1s\"\n"
            )
        };
        let devices: String = devices.iter().map(device).collect();
        std::fs::write(self.site(), head.to_owned() + &devices).expect("the site file");
    }
}

async fn faults(daemon: &Daemon, state: &str) -> Vec<Value> {
    let answer = daemon.get(&format!("/api/v1/faults?state={state}")).await;
    answer.json()["faults"].as_array().expect("faults").clone()
}

async fn open_fault(daemon: &Daemon, device: &str) -> Option<Value> {
    let mut faults = faults(daemon, "open").await;
    faults.retain(|fault| fault["device"] == device);
    assert!(faults.len() <= 1, "{faults:?}");
    faults.pop()
}

async fn reading(daemon: &Daemon, device: &str, metric: &str) -> Option<Value> {
    let answer = daemon.get(&format!("/api/v1/devices/{device}/readings")).await;
    let json = answer.json();
    let list = json["readings"].as_array()?;
    list.iter().find(|reading| reading["metric"] == metric).cloned()
}

async fn good_reading(daemon: &Daemon, device: &str) {
    until(&format!("good readings of {device}"), async || {
        let reading = reading(daemon, device, "system.name").await?;
        (reading["quality"] == "good" && reading["value"] == "peer").then_some(())
    })
    .await;
}

async fn ending(daemon: &Daemon, id: u64, wanted: &str) {
    until(&format!("fault {id} {wanted}"), async || {
        let fault = daemon.get(&format!("/api/v1/faults/{id}")).await.json();
        (fault["ending"] == wanted).then_some(())
    })
    .await;
}

/// The sum of a counter of `/metrics`.
async fn count(daemon: &Daemon, name: &str) -> f64 {
    let text = daemon.get("/metrics").await.body;
    let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| panic!("{name} is not in:\n{text}"));
    line.rsplit(' ').next().and_then(|number| number.parse().ok()).expect("a number")
}

fn id(fault: &Value) -> u64 {
    fault["id"].as_u64().expect("an id")
}

fn acknowledge(fault: &Value) -> String {
    format!("/api/v1/faults/{}/acknowledge", id(fault))
}

async fn doors_open(daemon: &Daemon) {
    let page = daemon.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("试验现场"), "{}", page.body);
    let healthz = Answer { status: 200, body: "ok\n".to_owned() };
    assert_eq!(daemon.get("/healthz").await, healthz);
    assert!(count(daemon, "roundsman_polls_total{driver=\"snmp\"}").await >= 0.0);
    let description = daemon.get("/api/openapi.json").await.json();
    assert!(description["paths"]["/api/v1/devices/{id}/readings"].is_object());
}

async fn a_second_one_is_refused(site: &Path, store: &Path) {
    let output = run(site, LOG).output().await.expect("the binary starts");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(errors.contains("store"), "{errors}");
    assert!(errors.to_lowercase().contains("another"), "says what to look for: {errors}");
    assert!(store.join("control.sock").exists(), "the first one keeps its door");
}

/// Both kinds of absence are raised, heard over the event stream, and acknowledged.
async fn raised_and_acknowledged(daemon: &Daemon, place: &Place, events: &mut Events) -> [Value; 3] {
    let is_raised = |data: &Value| data["change"] == "raised" && data["fault"]["device"] == "reached";
    let (event, data) = events.transition(is_raised).await;
    assert_eq!(data["id"], event, "the event's id is the transition's number");
    let mut open = Vec::new();
    for (device, rule) in [("reached", "no-data"), ("silent", "unreachable"), ("nobody", "unreachable")] {
        let fault = until(&format!("fault of {device}"), async || open_fault(daemon, device).await).await;
        assert_eq!(fault["rule"], rule, "{fault}");
        assert!(fault["advice"].as_str().is_some_and(|advice| advice.len() > 10), "{fault}");
        assert_eq!(fault["operator"], "none");
        open.push(fault);
    }
    let [reached, silent, nobody] = <[Value; 3]>::try_from(open).expect("three");

    let path = acknowledge(&reached);
    assert_eq!(daemon.post(&path, "").await.status, 401);
    let wrong = "authorization: Bearer 00000000000000000000000000000000\r\n";
    let refused = daemon.post(&path, wrong).await.status;
    assert!(refused == 401 || refused == 403, "{refused}");
    let keyed = format!("{}idempotency-key: shift-7\r\n", place.token());
    let answer = daemon.post(&path, &keyed).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["operator"], "acknowledged");
    assert_eq!(daemon.post(&path, &keyed).await, answer, "the same key, the same answer");
    let again = daemon.post(&path, &place.token()).await;
    assert_eq!(again.status, 409, "acknowledged already: {again:?}");

    // Through the control socket the peer's uid is the operator; no token.
    let answer = post_control(&place.store(), &acknowledge(&silent)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let uid = format!("uid:{}", rustix::process::getuid().as_raw());
    let fault = daemon.get(&format!("/api/v1/faults/{}", id(&silent))).await.json();
    assert_eq!(fault["acknowledged_by"], uid);
    [reached, silent, nobody]
}

/// After a restart: the same faults, acknowledged, none raised twice although polls go on failing.
async fn kept_over_a_restart(daemon: &Daemon, place: &Place, before: &[Value; 3]) {
    until("ten failed polls", async || {
        (count(daemon, "roundsman_polls_failed_total{driver=\"snmp\"}").await >= 10.0).then_some(())
    })
    .await;
    for (fault, operator) in before.iter().zip(["acknowledged", "acknowledged", "none"]) {
        let device = fault["device"].as_str().expect("an id");
        let kept = open_fault(daemon, device).await.expect("the fault is still open");
        assert_eq!((&kept["id"], &kept["number"]), (&fault["id"], &fault["number"]));
        assert_eq!(kept["first_bad"], fault["first_bad"]);
        assert_eq!(kept["operator"], operator, "{kept}");
    }
    assert_eq!(faults(daemon, "all").await.len(), 3);
    let keyed = format!("{}idempotency-key: shift-7\r\n", place.token());
    let answer = daemon.post(&acknowledge(&before[0]), &keyed).await;
    assert_eq!(answer.status, 200, "answers to keys are kept too: {answer:?}");
}

async fn reloads(daemon: &Daemon, place: &mut Place, before: &[Value; 3]) {
    // A device that is gone takes its fault along.
    place.write(&["reached", "nobody"]);
    daemon.signal(Signal::HUP);
    ending(daemon, id(&before[1]), "withdrawn").await;
    assert_eq!(daemon.get("/api/v1/devices/silent").await.status, 404);
    assert!(open_fault(daemon, "reached").await.is_some(), "faults of those that stay, stay");

    // A broken file changes nothing.
    std::fs::write(place.site(), "[site]\nname = ").expect("the site file");
    daemon.signal(Signal::HUP);
    daemon.says("the old one stays in force").await;
    let devices = daemon.get("/api/v1/devices").await.json();
    assert_eq!(devices["devices"].as_array().map(Vec::len), Some(2));

    // The agent is back: cleared. A new device is polled.
    place.peer.start_again();
    ending(daemon, id(&before[0]), "cleared").await;
    place.write(&["reached", "nobody", "late"]);
    daemon.signal(Signal::HUP);
    good_reading(daemon, "late").await;
    good_reading(daemon, "reached").await;

    // Another name for the site, and a limit for a device whose profile was found by itself.
    let text = std::fs::read_to_string(place.site()).expect("the site file");
    let limit = "rule.memory-full.minor = { above = 0.01, clear = 0.005, for = \"0s\" }\n";
    std::fs::write(place.site(), text.replace("试验现场", "新现场") + limit).expect("the site file");
    daemon.signal(Signal::HUP);
    let fault = until("a fault by the new limit", async || open_fault(daemon, "late").await).await;
    assert_eq!(fault["rule"], "memory-full", "{fault}");
    assert!(daemon.get("/").await.body.contains("新现场"));
}

#[tokio::test]
async fn a_life_with_one_agent() {
    let Some(peer) = Snmpd::start() else { return };
    let door = TcpListener::bind((peer.address.ip(), 0)).await.expect("a port");
    let mut place = Place { folder: tempfile::tempdir().expect("a temporary folder"), peer, door };
    place.write(&["reached", "silent", "nobody"]);
    let daemon = Daemon::start(&place.site(), LOG).await;
    doors_open(&daemon).await;
    good_reading(&daemon, "reached").await;
    good_reading(&daemon, "silent").await;
    let found = daemon.get("/api/v1/devices/silent").await.json();
    assert_eq!(found["profile"], "linux-net-snmp", "found by sysObjectID: {found}");
    assert_eq!(found["state"], "ok");
    a_second_one_is_refused(&place.site(), &place.store()).await;

    let mut events = daemon.events().await;
    place.peer.stop();
    let open = raised_and_acknowledged(&daemon, &place, &mut events).await;
    drop(events);
    assert_eq!(daemon.end(Signal::TERM).await.code(), Some(0));
    assert!(!place.store().join("control.sock").exists());

    let daemon = Daemon::start(&place.site(), LOG).await;
    kept_over_a_restart(&daemon, &place, &open).await;
    reloads(&daemon, &mut place, &open).await;

    // What was answered is durable: killed right behind the answer, it is there after the start.
    let answer = daemon.post(&acknowledge(&open[2]), &place.token()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(daemon.end(Signal::KILL).await.code(), None);
    let daemon = Daemon::start(&place.site(), LOG).await;
    let kept = open_fault(&daemon, "nobody").await.expect("the fault is still open");
    assert_eq!(kept["operator"], "acknowledged", "{kept}");
    assert_eq!(daemon.end(Signal::TERM).await.code(), Some(0));
}
