//! SNMPv3 through the binary: `poll --json` says over v3 what it says over v2c, and what is wrong with the credentials.

use crate::daemon::Daemon;
use crate::peer::Snmpd;
use crate::{poll, until};
use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeMap;

const AGENT: &str =
    "sysName peer\ncreateUser roundsman SHA-256 \"authentic-1\" AES \"privately-1\"\nrouser roundsman priv\n";

const SITE: &str = r#"
[site]
name = "probe"
timezone = "Asia/Shanghai"
[credentials.v2c]
snmp = { version = "2c", community = "public" }
[credentials.v3]
snmp = { version = "3", user = "roundsman", auth = "sha256", auth_file = "auth", priv = "aes128", priv_file = "priv" }
[credentials.wrong-key]
snmp = { version = "3", user = "roundsman", auth = "sha256", auth_file = "wrong", priv = "aes128", priv_file = "priv" }
[credentials.wrong-user]
snmp = { version = "3", user = "nobody", auth = "sha256", auth_file = "auth" }
"#;

/// (metric, instance) → quality, and the value where it is a word: numbers move between two polls.
fn words(json: &Value) -> BTreeMap<(String, String), (String, Option<String>)> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    // snmpd counts ticks every 5 s: a share over the 2 s between two polls is there or not.
    let derived = |r: &&Value| r["metric"] != "cpu.load" && r["metric"] != "cpu.wait";
    let list = json["readings"].as_array().expect("readings").iter().filter(derived);
    let value = |r: &Value| r["value"].as_str().map(str::to_owned);
    list.map(|r| ((text(&r["metric"]), text(&r["instance"])), (text(&r["quality"]), value(r)))).collect()
}

#[test]
fn v3_says_what_v2c_says_and_wrong_credentials_are_told_apart() {
    let Some(peer) = Snmpd::start_as(AGENT.as_bytes()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    for (file, key) in [("auth", "authentic-1"), ("priv", "privately-1"), ("wrong", "not-this-one")] {
        std::fs::write(folder.join(file), format!("{key}\n")).expect("a key");
    }
    let device = |(id, profile, credentials): (&str, &str, &str)| {
        format!(
            "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"{profile}\"\ntier = \"city\"\nnetwork = \"lan\"\n\
             address = \"{}\"\ncredentials = \"{credentials}\"\nreach = \"snmp\"\n",
            peer.address
        )
    };
    let devices = [
        ("v2c", "linux-net-snmp", "v2c"),
        ("v3", "linux-net-snmp", "v3"),
        ("auto", "auto", "v3"),
        ("wrong-key", "linux-net-snmp", "wrong-key"),
        ("wrong-user", "auto", "wrong-user"),
    ];
    std::fs::write(folder.join("site.toml"), SITE.to_owned() + &devices.map(device).concat())
        .expect("a site file");

    let expected = words(&poll(folder, "v2c").1);
    assert!(expected.values().filter(|(quality, _)| quality == "good").count() > 20, "{expected:?}");
    for device in ["v3", "auto"] {
        let (output, json) = poll(folder, device);
        assert!(output.status.success() && json["profile"] == "linux-net-snmp", "{device}: {output:?}");
        assert_eq!(words(&json), expected, "{device}");
        assert!(output.stderr.is_empty(), "{device}: {output:?}");
    }
    for (device, said) in
        [("wrong-key", "check the passphrase in auth_file"), ("wrong-user", "does not know this SNMPv3 user")]
    {
        let (output, json) = poll(folder, device);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{device}: nothing good came back");
        assert!(stderr.contains(said), "{device}: {stderr}");
        let words = words(&json);
        let denied = words.values().filter(|(quality, _)| quality == "denied").count();
        assert!(
            denied > 0 && !words.values().any(|(quality, _)| quality == "timeout"),
            "{device}: {words:?}"
        );
        let shown = format!("{stderr}{json}");
        assert!(
            !["authentic-1", "privately-1", "not-this-one"].iter().any(|key| shown.contains(key)),
            "{shown}"
        );
    }
}

/// Open faults of a device, as rule and severity.
async fn faults(daemon: &Daemon, device: &str) -> Vec<(String, String)> {
    let json = daemon.get(&format!("/api/v1/faults?device={device}")).await.json();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let list = json["faults"].as_array().expect("faults");
    list.iter().map(|fault| (text(&fault["rule"]), text(&fault["severity"]))).collect()
}

/// The service, not one poll: a wrong key raises its fault with a sentence on the device's page, the right one clears
/// it; a replaced board is told of.
#[tokio::test]
async fn the_service_watches_over_v3() {
    let agent = format!("{AGENT}engineID old\n");
    let Some(mut peer) = Snmpd::start_as(agent.as_bytes()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let key = |file: &str, key: &str| std::fs::write(folder.join(file), format!("{key}\n")).expect("a key");
    key("auth", "authentic-1");
    key("priv", "privately-1");
    key("wrong", "not-this-one");
    let head = "[store]\npath = \"store\"\n[panel]\nlisten = \"127.0.0.1:0\"\n";
    let device = |(id, credentials): (&str, &str)| {
        format!(
            "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"linux-net-snmp\"\ntier = \"city\"\n\
             network = \"lan\"\naddress = \"{}\"\ncredentials = \"{credentials}\"\nreach = \"snmp\"\ninterval = \"1s\"\n",
            peer.address
        )
    };
    let site = folder.join("site.toml");
    let (sections, credentials) = SITE.split_at(SITE.find("[credentials").expect("credentials"));
    let devices = [("right", "v3"), ("wrong", "wrong-key")].map(device).concat();
    std::fs::write(&site, format!("{sections}{head}{credentials}{devices}")).expect("a site file");
    let daemon = Daemon::start(&site, "info").await;

    until("good readings over v3", async || {
        let json = daemon.get("/api/v1/devices/right/readings").await.json();
        let name = json["readings"].as_array()?.iter().find(|r| r["metric"] == "system.name")?;
        (name["quality"] == "good" && name["value"] == "peer").then_some(())
    })
    .await;
    until("the fault of the wrong key", async || {
        (faults(&daemon, "wrong").await == [("no-data".to_owned(), "major".to_owned())]).then_some(())
    })
    .await;
    let wrong = daemon.get("/api/v1/devices/wrong").await.json();
    assert!(wrong["remarks"][0].as_str().is_some_and(|text| text.contains("auth_file")), "{wrong}");
    assert_eq!(wrong["polling"][0]["driver"], "snmp-v3", "{wrong}");
    assert!(wrong["polling"][0]["failed"] == 0, "a refusal is an answer: {wrong}");
    let page = daemon.get("/devices/wrong").await.body;
    assert!(page.contains("核对认证口令与认证算法"), "{page}");
    assert!(!page.contains("not-this-one") && !wrong.to_string().contains("not-this-one"));
    assert_eq!(faults(&daemon, "right").await, []);

    // Somebody corrects the key and has the site file read again.
    key("wrong", "authentic-1");
    daemon.signal(Signal::HUP);
    until("the fault is over", async || faults(&daemon, "wrong").await.is_empty().then_some(())).await;
    let mended = daemon.get("/api/v1/devices/wrong").await.json();
    assert_eq!(mended["remarks"].as_array().map(Vec::len), Some(0), "{mended}");

    // Another board answers at the address.
    peer.replace_engine();
    until("the replaced board", async || {
        let found = faults(&daemon, "right").await;
        found.contains(&("board-replaced".to_owned(), "warning".to_owned())).then_some(())
    })
    .await;
    let log = daemon.log().join("\n");
    assert!(!["authentic-1", "privately-1", "not-this-one"].iter().any(|key| log.contains(key)), "{log}");
    daemon.end(Signal::TERM).await;
}
