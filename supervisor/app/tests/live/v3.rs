//! SNMPv3 through the binary: `poll --json` says over v3 what it says over v2c, and what is wrong with the credentials.

use crate::peer::Snmpd;
use crate::poll;
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
