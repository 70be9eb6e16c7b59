//! Commands that are SNMP SETs against Debian's snmpd: done and read back in v1, v2c and v3, refused in the agent's own
//! words, lost without a second try; and nothing at all where the site names nobody who may write.

use crate::daemon::Daemon;
use crate::peer::Snmpd;
use crate::until;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// A UPS as far as its commands need it: on mains, battery good, no test yet.
const AGENT: &str = "sysName ups\nrwcommunity private\n\
    createUser writer SHA-256 \"authentic-1\" AES \"privately-1\"\nrwuser writer priv\n\
    createUser reader SHA-256 \"authentic-1\" AES \"privately-1\"\nrouser reader priv\n\
    override 1.3.6.1.2.1.33.1.2.1.0 integer 2\n\
    override 1.3.6.1.2.1.33.1.4.1.0 integer 3\n\
    override -rw 1.3.6.1.2.1.33.1.7.1.0 object_id 1.3.6.1.2.1.33.1.7.7.1\n\
    override 1.3.6.1.2.1.33.1.7.3.0 integer 6\n\
    override -rw 1.3.6.1.2.1.33.1.9.8.0 integer 2\n";
const BUZZER: &str = "1.3.6.1.2.1.33.1.9.8.0";
const TEST: &str = "1.3.6.1.2.1.33.1.7.1.0";

/// Reads with `public`, writes with the section after it.
const DEVICES: [(&str, Option<&str>); 7] = [
    ("v2c", Some("write")),
    ("v1", Some("write-v1")),
    ("v3", Some("writer")),
    ("only-read", None),
    ("reads-only", Some("read")),
    ("may-not", Some("reader")),
    ("wrong", Some("wrong")),
];

fn write_site(peer: &Snmpd, folder: &Path, head: &str) {
    for (file, key) in [("auth", "authentic-1"), ("priv", "privately-1"), ("community", "private")] {
        std::fs::write(folder.join(file), format!("{key}\n")).expect("a key");
    }
    let user = |name: &str| {
        format!(
            "[credentials.{name}]\nsnmp = {{ version = \"3\", user = \"{name}\", auth = \"sha256\", \
             auth_file = \"auth\", priv = \"aes128\", priv_file = \"priv\" }}\n"
        )
    };
    let mut text = format!(
        "[site]\nname = \"x\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n{head}\
         [credentials.read]\nsnmp = {{ version = \"2c\", community = \"public\" }}\n\
         [credentials.write]\nsnmp = {{ version = \"2c\", community_file = \"community\" }}\n\
         [credentials.write-v1]\nsnmp = {{ version = \"1\", community_file = \"community\" }}\n\
         [credentials.wrong]\nsnmp = {{ version = \"2c\", community = \"not-this-one\" }}\n{}{}",
        user("writer"),
        user("reader")
    );
    for (id, writer) in DEVICES {
        let writer = writer.map(|name| format!("write_credentials = \"{name}\"\n")).unwrap_or_default();
        text += &format!(
            "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"ups-mib\"\ntier = \"city\"\nnetwork = \"lan\"\n\
             address = \"{}\"\nreach = \"snmp\"\ninterval = \"1s\"\ncredentials = \"read\"\n{writer}",
            peer.address
        );
    }
    std::fs::write(folder.join("site.toml"), text).expect("a site file");
}

fn command(folder: &Path, words: &[&str]) -> (Output, Value) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roundsman"));
    command.current_dir(folder).args(["command", "--config", "site.toml"]).args(words);
    let output = command.args(["--yes", "--json"]).output().expect("the binary starts");
    let json = serde_json::from_slice(&output.stdout).unwrap_or_default();
    (output, json)
}

/// What net-snmp's own tool reads.
fn reads(peer: &Snmpd, name: &str) -> String {
    peer.tool("snmpget", "2c", &[], name).into_values().next().expect("a value")
}

#[test]
fn a_set_is_read_back_and_a_refusal_is_in_the_agents_words() {
    let Some(peer) = Snmpd::start_as(AGENT.as_bytes()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    write_site(&peer, folder, "");
    for (device, word, number) in [("v2c", "silenced", "3"), ("v1", "disabled", "1"), ("v3", "enabled", "2")]
    {
        let (output, report) = command(folder, &[device, "buzzer", &format!("state={word}")]);
        assert_eq!(output.status.code(), Some(0), "{device}: {output:?}");
        let seen = (&report["verdict"], &report["verified"], &report["answered"]);
        assert_eq!(seen, (&"acknowledged".into(), &"yes".into(), &"noError".into()), "{device}: {report}");
        assert_eq!(report["sent"], format!("{BUZZER} = INTEGER {number}"));
        assert_eq!(reads(&peer, BUZZER), number, "{device}");
    }
    let (output, report) = command(folder, &["v2c", "battery-test"]);
    assert_eq!((output.status.code(), &report["verified"]), (Some(0), &"unknown".into()), "{report}");
    assert_eq!(report["sent"], format!("{TEST} = OID 1.3.6.1.2.1.33.1.7.7.4"));
    assert_eq!(reads(&peer, TEST), ".1.3.6.1.2.1.33.1.7.7.4");

    let (output, _) = command(folder, &["only-read", "buzzer", "state=silenced"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(2) && said.contains("write_credentials"), "{output:?}");
    for (device, verdict, why, answered) in [
        ("reads-only", "refused", "denied", Some(format!("noAccess: {BUZZER}"))),
        ("may-not", "refused", "denied", Some(format!("noAccess: {BUZZER}"))),
        ("wrong", "failed", "timeout", None),
    ] {
        let (output, report) = command(folder, &[device, "buzzer", "state=silenced"]);
        assert_eq!(output.status.code(), Some(1), "{device}: {output:?}");
        assert_eq!(
            (&report["verdict"], &report["why"]),
            (&verdict.into(), &why.into()),
            "{device}: {report}"
        );
        assert_eq!(report["answered"].as_str(), answered.as_deref(), "{device}");
        assert_eq!(reads(&peer, BUZZER), "2", "{device}: nothing was changed");
        let shown = format!("{report}{}", String::from_utf8_lossy(&output.stderr));
        assert!(!["private", "privately-1", "not-this-one"].iter().any(|key| shown.contains(key)), "{shown}");
    }
}

/// Through the service, whose polls of the same agent go on meanwhile.
#[tokio::test]
async fn the_service_sets_between_its_polls() {
    let Some(peer) = Snmpd::start_as(AGENT.as_bytes()) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    write_site(&peer, folder, "[panel]\nlisten = \"127.0.0.1:0\"\n");
    let daemon = Daemon::start(&folder.join("site.toml"), "info").await;
    let shows = async |word: &str| {
        let json = daemon.get("/api/v1/devices/v2c/readings").await.json();
        let state = json["readings"].as_array()?.iter().find(|r| r["metric"] == "buzzer.state")?;
        (state["value"] == *word).then_some(())
    };
    until("the first poll", async || shows("enabled").await).await;
    let list = daemon.get("/api/v1/devices/only-read/commands").await.json();
    assert_eq!(list["commands"][0]["forbidden"][0]["why"], "no-write-credentials", "{list}");
    let (output, report) = command(folder, &["v2c", "buzzer", "state=silenced"]);
    assert_eq!((output.status.code(), &report["verified"]), (Some(0), &"yes".into()), "{output:?}");
    until("the next poll", async || shows("silenced").await).await;
    let (output, _) = command(folder, &["only-read", "buzzer", "state=enabled"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    let list = daemon.get("/api/v1/devices/v2c/commands").await.json();
    assert_eq!(list["given"].as_array().map(Vec::len), Some(1), "{list}");
    assert_eq!(list["given"][0]["report"]["sent"], format!("{BUZZER} = INTEGER 3"));
    let device = daemon.get("/api/v1/devices/v2c").await.json();
    assert_eq!(device["polling"][0]["failed"], 0, "{device}");
}
