//! What is shown of devices: who is hidden behind a failed one, and what agents say of themselves, however hostile.

use crate::daemon::Daemon;
use crate::peer::Snmpd;
use crate::until;
use rustix::process::Signal;
use serde_json::Value;

/// Writes a site of these devices: id, address, reach, uplink.
fn write(folder: &tempfile::TempDir, attached_to: &str, devices: &[[&str; 3]]) -> std::path::PathBuf {
    let mut text = format!(
        "[site]\nname = \"试验现场\"\ntimezone = \"Asia/Shanghai\"\nattached_to = \"{attached_to}\"\n[store]\npath = \"store\"\n\
         [panel]\nlisten = \"127.0.0.1:0\"\n[credentials.all]\nsnmp = {{ version = \"2c\", community = \"public\" }}\n"
    );
    for [id, address, uplink] in devices {
        text += &format!(
            "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"snmp-generic\"\ntier = \"city\"\nnetwork = \"lan\"\n\
             address = \"{address}\"\ncredentials = \"all\"\nreach = \"snmp\"\ninterval = \"1s\"\nuplink = [{uplink}]\n"
        );
    }
    let path = folder.path().join("site.toml");
    std::fs::write(&path, text).expect("the site file");
    path
}

async fn states(daemon: &Daemon) -> Vec<String> {
    let json = daemon.get("/api/v1/devices").await.json();
    let word = |device: &Value| device["state"].as_str().expect("a state").to_owned();
    json["devices"].as_array().expect("devices").iter().map(word).collect()
}

/// The faults of a device: rule and suppression.
async fn faults(daemon: &Daemon, device: &str) -> Vec<(String, String)> {
    let json = daemon.get(&format!("/api/v1/faults?device={device}")).await.json();
    let word = |fault: &Value, key: &str| fault[key].as_str().expect("a word").to_owned();
    let faults = json["faults"].as_array().expect("faults").iter();
    faults.map(|fault| (word(fault, "rule"), word(fault, "suppression"))).collect()
}

#[tokio::test]
async fn what_a_failed_device_cuts_off_is_shown_as_hidden() {
    let Some(peer) = Snmpd::start() else { return };
    let here = peer.address.to_string();
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Nobody answers on the discard ports: a line and what hangs on it are down, one device there answers all the same.
    let site = write(
        &folder,
        "core",
        &[
            ["core", &here, ""],
            ["line", "127.77.0.9:9", "{ device = \"core\" }"],
            ["station", "127.77.0.10:9", "{ device = \"line\" }"],
            ["alive", &here, "{ device = \"line\" }"],
            ["desk", "127.77.0.11:9", "{ device = \"core\" }"],
        ],
    );
    let daemon = Daemon::start(&site, "info").await;
    let wanted = ["ok", "critical", "hidden", "ok", "critical"];
    until("the station hidden behind the line", async || {
        let raised = faults(&daemon, "station").await.len() + faults(&daemon, "desk").await.len();
        (raised == 2 && states(&daemon).await == wanted).then_some(())
    })
    .await;
    let unreachable = |suppression: &str| vec![("unreachable".to_owned(), suppression.to_owned())];
    assert_eq!(faults(&daemon, "line").await, unreachable("none"), "the root stands for itself");
    assert_eq!(faults(&daemon, "station").await, unreachable("hidden"));
    assert_eq!(faults(&daemon, "desk").await, unreachable("none"));
    assert_eq!(faults(&daemon, "core").await, []);
    assert_eq!(daemon.end(Signal::TERM).await.code(), Some(0));

    // Attached to nothing that is known: nothing is hidden, from the first moment after the start.
    let text = std::fs::read_to_string(&site).expect("the site file");
    std::fs::write(&site, text.replace("attached_to = \"core\"\n", "")).expect("the site file");
    let daemon = Daemon::start(&site, "info").await;
    assert_eq!(states(&daemon).await[2], "critical");
    assert_eq!(faults(&daemon, "station").await, unreachable("none"));
    assert_eq!(daemon.end(Signal::TERM).await.code(), Some(0));
}

#[tokio::test]
async fn what_agents_say_of_themselves_is_shown_safely() {
    let long = "长".repeat(70);
    let mut system = format!("sysName {long}<script>alert(1)</script>\n").into_bytes();
    system.extend("sysContact 值班\u{202e}gpj.exe\u{202c} \u{200b}\u{2066}noc\u{2069}\u{feff}\n".as_bytes());
    // Half a character, then GBK.
    system.extend(b"sysLocation 1F \xe6\x9c \xbb\xfa\xb7\xbf\n");
    let Some(peer) = Snmpd::start_as(&system) else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = write(&folder, "rt", &[["rt", &peer.address.to_string(), ""]]);
    let daemon = Daemon::start(&site, "info").await;
    let value = async |metric: &str| {
        let json = daemon.get("/api/v1/devices/rt/readings").await.json();
        let readings = json["readings"].as_array()?;
        let reading = readings.iter().find(|reading| reading["metric"] == metric)?;
        reading["value"].as_str().map(str::to_owned)
    };
    let name = until("its name", async || value("system.name").await).await;
    assert_eq!(name, format!("{long}<script>alert(1)</script>"));
    let contact = value("system.contact").await.expect("its contact");
    assert_eq!(contact, "值班gpj.exe noc");
    let location = value("system.location").await.expect("its location");
    assert!(location.starts_with("1F \u{fffd}") && !location.contains(char::is_control), "{location:?}");
    let page = daemon.get("/devices/rt").await.body;
    assert!(!page.contains("<script>alert"), "escaped on the page");
    assert!(!page.contains('\u{202e}'));
    assert_eq!(daemon.end(Signal::TERM).await.code(), Some(0));
}
