//! The trunk to the counties dies: 17 counties and 60 stations behind it, at 5 % of loss on every line. One fault speaks
//! and names what it hides, and one word is said on recovery.

use crate::daemon::Daemon;
use crate::until;
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

const COUNTIES: usize = 17;
const STATIONS: usize = 60;
/// Counties with a second line where the site has some.
const SAFE: [usize; 3] = [3, 8, 15];

/// Ids of a county's stations.
fn stations_of(county: usize) -> impl Iterator<Item = String> {
    (0..STATIONS).filter(move |at| at % COUNTIES == county).map(|at| format!("station-{at}"))
}

/// What is behind the trunk; of those with a second line nothing.
fn behind(is_redundant: bool) -> Vec<String> {
    let cut = (0..COUNTIES).filter(|county| !(is_redundant && SAFE.contains(county)));
    cut.flat_map(|county| std::iter::once(format!("county-{county}")).chain(stations_of(county))).collect()
}

/// The site; `third` is the third number of its addresses.
fn write(folder: &Path, third: u8, is_redundant: bool) -> PathBuf {
    let mut text =
        "[site]\nname = \"试验现场\"\ntimezone = \"Asia/Shanghai\"\nattached_to = \"core\"\n[store]\n\
                    path = \"store\"\n[panel]\nlisten = \"127.0.0.1:0\"\n[credentials.all]\n\
                    snmp = { version = \"2c\", community = \"public\" }\n"
            .to_owned();
    let mut last = 0;
    let mut add = |id: &str, tier: &str, uplinks: &[&str]| {
        last += 1;
        let ip = format!("127.77.{third}.{last}");
        let port = UdpSocket::bind((&*ip, 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
        let uplinks: Vec<String> = uplinks.iter().map(|id| format!("{{ device = \"{id}\" }}")).collect();
        text += &format!(
            "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"snmp-generic\"\ntier = \"{tier}\"\n\
             network = \"business\"\naddress = \"{ip}:{port}\"\ncredentials = \"all\"\nreach = \"snmp\"\n\
             interval = \"5s\"\nuplink = [{}]\n",
            uplinks.join(", ")
        );
    };
    add("core", "city", &[]);
    add("trunk", "city", &["core"]);
    for county in 0..COUNTIES {
        let id = format!("county-{county}");
        let both: &[&str] = &["trunk", "core"];
        add(&id, "county", if is_redundant && SAFE.contains(&county) { both } else { &both[..1] });
        stations_of(county).for_each(|station| add(&station, "station", &[&id]));
    }
    let path = folder.join("site.toml");
    std::fs::write(&path, text).expect("the site file");
    path
}

/// The virtual site, every line at 5 % of loss.
async fn simulate(site: &Path, ids: &[String]) -> (Child, ChildStdin) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roundsman"));
    command.args(["simulate", "--site"]).arg(site);
    for id in ids {
        command.args(["--fault", &format!("{id}=lossy:5")]);
    }
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut simulator = pipes.spawn().expect("the virtual site starts");
    let mut said = BufReader::new(simulator.stdout.take().expect("its output")).lines();
    let ready = said.next_line().await.expect("a line").expect("no end");
    assert!(ready.starts_with("ready"), "{ready}");
    tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
    let directions = simulator.stdin.take().expect("its input");
    (simulator, directions)
}

async fn direct(directions: &mut ChildStdin, ids: &[String], fault: &str) {
    let lines: String = ids.iter().map(|id| format!("{id}={fault}\n")).collect();
    directions.write_all(lines.as_bytes()).await.expect("the virtual site takes directions");
}

async fn faults(daemon: &Daemon) -> Vec<Value> {
    let json = daemon.get("/api/v1/faults?state=all").await.json();
    json["faults"].as_array().expect("faults").clone()
}

/// Per fault that was ever told of: its device and rule, and the changes that were.
async fn told(daemon: &Daemon) -> BTreeMap<String, Vec<String>> {
    let mut told = BTreeMap::new();
    for fault in faults(daemon).await {
        let whole = daemon.get(&format!("/api/v1/faults/{}", fault["id"])).await.json();
        let transitions = whole["transitions"].as_array().expect("its transitions");
        let spoken = transitions.iter().filter(|transition| transition["fault"]["suppression"] == "none");
        let changes: Vec<String> = spoken.filter_map(|t| t["change"].as_str().map(str::to_owned)).collect();
        if !changes.is_empty() {
            let name = |key: &str| whole[key].as_str().expect("a word").to_owned();
            told.insert(format!("{} {}", name("device"), name("rule")), changes);
        }
    }
    told
}

async fn dies_and_comes_back(third: u8, is_redundant: bool) -> BTreeMap<String, Vec<String>> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = write(folder.path(), third, is_redundant);
    let mut all = behind(false);
    all.extend(["core".to_owned(), "trunk".to_owned()]);
    let (_simulator, mut directions) = simulate(&site, &all).await;
    let daemon = Daemon::start(&site, "info").await;
    until("all of them polled and well", async || {
        let json = daemon.get("/api/v1/devices").await.json();
        json["devices"].as_array()?.iter().all(|device| device["state"] == "ok").then_some(())
    })
    .await;
    let mut cut = behind(is_redundant);
    let expected = cut.len();
    cut.push("trunk".to_owned());
    direct(&mut directions, &cut, "silent").await;
    let root = until("the root names all behind it", async || {
        let open = faults(&daemon).await;
        let root = open.iter().find(|f| f["device"] == "trunk" && f["rule"] == "unreachable")?.clone();
        let whole = daemon.get(&format!("/api/v1/faults/{}", root["id"])).await.json();
        (whole["hides"]["count"] == expected).then_some(whole)
    })
    .await;
    let counties = (0..COUNTIES).filter(|county| !(is_redundant && SAFE.contains(county))).count();
    assert_eq!(
        root["hides"]["tiers"],
        serde_json::json!({ "county": counties, "station": expected - counties })
    );
    // All of them have found out by themselves as well, and nobody heard of it.
    until("every device behind it has its own hidden fault", async || {
        let open = faults(&daemon).await;
        let hidden = open.iter().filter(|f| f["hidden_by"] == root["id"] && f["rule"] == "unreachable");
        (hidden.count() == expected).then_some(())
    })
    .await;
    direct(&mut directions, &cut, "lossy:5").await;
    until("everything is over", async || {
        let open = daemon.get("/api/v1/faults?state=open").await.json();
        open["faults"].as_array()?.is_empty().then_some(())
    })
    .await;
    let told = told(&daemon).await;
    assert_eq!(daemon.end(Signal::TERM).await.code(), Some(0));
    told
}

#[tokio::test]
async fn one_fault_speaks_for_77_devices_and_one_word_is_said_on_recovery() {
    let told = dies_and_comes_back(16, false).await;
    let expected = [("trunk unreachable".to_owned(), vec!["raised".to_owned(), "ended".to_owned()])];
    assert_eq!(told, expected.into_iter().collect());
}

#[tokio::test]
async fn counties_with_a_second_line_stay_in_sight_and_say_that_one_is_lost() {
    let told = dies_and_comes_back(17, true).await;
    let mut names: Vec<String> =
        SAFE.iter().map(|county| format!("county-{county} redundancy-lost")).collect();
    names.push("trunk unreachable".to_owned());
    names.sort();
    assert_eq!(told.keys().cloned().collect::<Vec<_>>(), names);
    assert!(told.values().all(|changes| *changes == ["raised", "ended"]), "{told:?}");
}
