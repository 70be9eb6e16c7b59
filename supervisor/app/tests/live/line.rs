//! The quality of lines over loopback: a virtual site whose lines lose packets or are slow, and the service that looks.

use crate::daemon::Daemon;
use crate::until;
use rustix::process::Signal;
use serde_json::Value;
use std::net::UdpSocket;
use std::path::Path;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Id, fault, how it is reached (`echo` on a port of its own), and whether its line is looked at.
const DEVICES: [(&str, &str, &str, bool); 6] = [
    ("well", "ok", "echo", true),
    ("lossy", "lossy:25", "echo", true),
    ("slow", "slow:150", "echo", true),
    ("dead", "silent", "echo", true),
    ("by-snmp", "ok", "snmp", true),
    ("plain", "ok", "echo", false),
];

fn site_file() -> String {
    let mut text = "[site]\nname = \"试验现场\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n\
                    [panel]\nlisten = \"127.0.0.1:0\"\n[credentials.all]\n\
                    snmp = { version = \"2c\", community = \"public\" }\n"
        .to_owned();
    for (at, (id, _, reach, looked_at)) in DEVICES.iter().enumerate() {
        let ip = format!("127.77.9.{}", at + 1);
        let free = || {
            let socket = UdpSocket::bind((&*ip, 0)).expect("a port");
            (socket.local_addr().expect("its address").port(), socket)
        };
        let ((port, _one), (echo, _other)) = (free(), free());
        let reach = if *reach == "echo" { format!("echo:{echo}") } else { (*reach).to_owned() };
        text += &format!(
            "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"snmp-generic\"\ntier = \"city\"\n\
             network = \"lan\"\naddress = \"{ip}:{port}\"\ncredentials = \"all\"\nreach = \"{reach}\"\ninterval = \"2s\"\n"
        );
        if *looked_at {
            text += "line = \"100M\"\nline_quality = \"1s\"\n\
                     rule.line-lossy.major = { above = 5, clear = 1, for = \"5s\", clear_for = \"5s\" }\n\
                     rule.line-slow.warning = { above = 100, clear = 70, for = \"5s\", clear_for = \"5s\" }\n";
        }
    }
    text
}

async fn simulate(site: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roundsman"));
    command.args(["simulate", "--site"]).arg(site);
    for (id, fault, ..) in DEVICES.iter().filter(|(_, fault, ..)| *fault != "ok") {
        command.args(["--fault", &format!("{id}={fault}")]);
    }
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut simulator = command.spawn().expect("the virtual site starts");
    let mut said = BufReader::new(simulator.stdout.take().expect("its output")).lines();
    let ready = said.next_line().await.expect("a line").expect("no end");
    assert!(ready.starts_with("ready"), "{ready}");
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    simulator
}

/// Value and quality of a reading; `None` where there is none of that name.
async fn reading(daemon: &Daemon, device: &str, metric: &str) -> Option<(Value, String)> {
    let answer = daemon.get(&format!("/api/v1/devices/{device}/readings")).await.json();
    let found = answer["readings"].as_array()?.iter().find(|reading| reading["metric"] == metric)?;
    Some((found["value"].clone(), found["quality"].as_str()?.to_owned()))
}

/// Waits for a good value.
async fn good(daemon: &Daemon, device: &str, metric: &str) -> f64 {
    until(&format!("{device}: {metric}"), async || {
        let (value, quality) = reading(daemon, device, metric).await?;
        (quality == "good").then(|| value.as_f64().expect("a number"))
    })
    .await
}

/// Device and rule of all faults, sorted.
async fn faults(daemon: &Daemon) -> Vec<String> {
    let answer = daemon.get("/api/v1/faults?state=all").await.json();
    let all = answer["faults"].as_array().expect("faults").iter();
    let name = |fault: &Value| {
        let word = |key: &str| fault[key].as_str().expect("a word").to_owned();
        format!("{} {}:{}", word("device"), word("rule"), word("severity"))
    };
    let mut names: Vec<String> = all.map(name).collect();
    names.sort();
    names
}

#[tokio::test]
async fn partial_loss_is_told_apart_from_down_and_slow() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = folder.path().join("site.toml");
    std::fs::write(&site, site_file()).expect("the site file");
    let _simulator = simulate(&site).await;
    let daemon = Daemon::start(&site, "info").await;
    let wanted = ["dead unreachable:critical", "lossy line-lossy:major", "slow line-slow:warning"];
    let mut seen = Vec::new();
    let look = async || {
        let now = faults(&daemon).await;
        if now != seen {
            eprintln!("faults: {now:?}");
            seen = now;
        }
        (seen == wanted).then_some(())
    };
    until("the faults of the lines", look).await;

    assert!(good(&daemon, "lossy", "line.loss").await > 5.0);
    assert_eq!(good(&daemon, "by-snmp", "line.loss").await, 0.0);
    assert_eq!(good(&daemon, "slow", "line.loss").await, 0.0);
    // Half to one and a half of 150 ms: never sooner, whatever the machine does.
    assert!(good(&daemon, "slow", "line.latency").await >= 75.0);
    assert!(good(&daemon, "slow", "line.jitter").await > 5.0);
    assert!(good(&daemon, "well", "line.latency").await <= good(&daemon, "well", "line.latency-p95").await);
    let (value, quality) = reading(&daemon, "dead", "line.loss").await.expect("the reading");
    assert_eq!((value, &*quality), (Value::Null, "unreachable"), "a dead device has no loss");
    assert_eq!(reading(&daemon, "plain", "line.loss").await, None, "nobody looks at its line");

    // A reload keeps the window where it is asked the same, forgets it at another address, and ends the faults of a
    // line that nobody looks at any more.
    let text = std::fs::read_to_string(&site).expect("the site file");
    let lossy = text.find("id = \"lossy\"").expect("its device");
    let off = text[lossy..].find("line_quality = \"1s\"").expect("its key") + lossy;
    let changed =
        format!("{}line_quality = \"off\"{}", &text[..off], &text[off + "line_quality = \"1s\"".len()..]);
    std::fs::write(&site, changed).expect("the site file");
    daemon.signal(Signal::HUP);
    daemon.says("site file taken over").await;
    let taken_at = async || daemon.get("/api/v1/devices/well").await.json()["last_poll"].clone();
    let before = taken_at().await;
    until("a poll after the reload", async || (taken_at().await != before).then_some(())).await;
    let (_, quality) = reading(&daemon, "well", "line.loss").await.expect("the reading");
    assert_eq!(quality, "good", "its window is kept");
    until("the lossy line is forgotten", async || {
        let answer = daemon.get("/api/v1/faults?state=open").await.json();
        let open = answer["faults"].as_array()?.iter().any(|fault| fault["device"] == "lossy");
        (!open && reading(&daemon, "lossy", "line.loss").await.is_none()).then_some(())
    })
    .await;
    assert_eq!(faults(&daemon).await, wanted, "no other fault came up meanwhile");
    assert!(daemon.end(Signal::TERM).await.success());
}

/// `poll` looks at the line at once.
#[tokio::test]
async fn a_single_poll_has_the_lines_figures() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = folder.path().join("site.toml");
    std::fs::write(&site, site_file().replace("127.77.9.", "127.77.10.")).expect("the site file");
    let _simulator = simulate(&site).await;
    for (device, expected) in [("well", Some(0.0)), ("by-snmp", Some(0.0)), ("plain", None)] {
        let (output, json) = {
            let folder = folder.path().to_owned();
            tokio::task::spawn_blocking(move || crate::poll(&folder, device)).await.expect("it ends")
        };
        let readings = json["readings"].as_array().expect("readings");
        let of = |metric: &str| readings.iter().find(|reading| reading["metric"] == metric);
        let loss = of("line.loss").map(|reading| reading["value"].as_f64().expect("a number"));
        assert_eq!(loss, expected, "{device}");
        let said = String::from_utf8_lossy(&output.stderr).contains("20 probes within 2 s");
        assert_eq!(said, expected.is_some(), "{device}");
        assert_eq!(of("line.latency").is_some(), expected.is_some());
    }
}
