//! Maintenance records of a running service: what was answered is there after a kill, numbered without gaps, once.

use crate::daemon::Daemon;
use crate::until;
use rustix::process::Signal;
use serde_json::{Value, json};

/// A site of one device that nobody reaches, since the discard port of a loopback address answers nothing.
const SITE: &str = "[site]\nname = \"试验现场\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n\
    [panel]\nlisten = \"127.0.0.1:0\"\n[credentials.all]\nsnmp = { version = \"2c\", community = \"public\" }\n\
    [[device]]\nid = \"rt\"\nname = \"核心路由器\"\nprofile = \"snmp-generic\"\ntier = \"city\"\nnetwork = \"lan\"\n\
    location = \"1F 机房\"\naddress = \"127.77.0.12:9\"\ncredentials = \"all\"\nreach = \"snmp\"\ninterval = \"1s\"\n";

fn body(fault: &Value, symptom: &str) -> String {
    json!({
        "kind": "corrective", "devices": ["rt"], "faults": [fault["id"]], "symptom": symptom,
        "process": "更换电源", "engineer": "王工", "reported_at": fault["first_bad"],
    })
    .to_string()
}

async fn numbers(daemon: &Daemon, query: &str) -> Vec<String> {
    let json = daemon.get(&format!("/api/v1/records?{query}")).await.json();
    let records = json["records"].as_array().expect("records").iter();
    records.map(|record| record["number"].as_str().expect("a number").to_owned()).collect()
}

#[tokio::test]
async fn a_record_that_was_answered_survives_a_kill() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let site = folder.path().join("site.toml");
    std::fs::write(&site, SITE).expect("the site file");
    let mut daemon = Daemon::start(&site, "info").await;
    let fault = until("the fault", async || {
        let json = daemon.get("/api/v1/faults?device=rt").await.json();
        json["faults"].get(0).cloned()
    })
    .await;
    let token = std::fs::read_to_string(folder.path().join("store/panel.token")).expect("the token");
    let token = format!("authorization: Bearer {}\r\n", token.trim());
    let mut written: Vec<String> = Vec::new();
    for round in 0..4 {
        let keyed = format!("{token}idempotency-key: record-{round}\r\n");
        let text = body(&fault, &format!("第 {round} 次"));
        let answer = daemon.send("/api/v1/records", &keyed, &text).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        // Killed right behind the answer; whoever did not hear it asks again with the same key.
        assert_eq!(daemon.end(Signal::KILL).await.code(), None);
        daemon = Daemon::start(&site, "info").await;
        let again = daemon.send("/api/v1/records", &keyed, &text).await;
        assert_eq!((again.status, again.json()["number"].clone()), (201, answer.json()["number"].clone()));
        written.insert(0, answer.json()["number"].as_str().expect("a number").to_owned());
        assert_eq!(numbers(&daemon, "device=rt").await, written);
    }
    assert_eq!(numbers(&daemon, &format!("fault={}&q=%E7%94%B5%E6%BA%90", fault["id"])).await, written);
    let sequence: Vec<&str> = written.iter().map(|number| &number[number.len() - 4..]).collect();
    assert_eq!(sequence, ["0004", "0003", "0002", "0001"]);

    let path = format!("/api/v1/records/{}/amendments", written[3]);
    let amendment =
        json!({"field": "cause", "value": "电源老化", "reason": "补记", "author": "李工"}).to_string();
    assert_eq!(daemon.send(&path, &token, &amendment).await.status, 201);
    assert_eq!(daemon.end(Signal::KILL).await.code(), None);
    let daemon = Daemon::start(&site, "info").await;
    let record = daemon.get(&format!("/api/v1/records/{}", written[3])).await.json();
    assert_eq!((&record["fields"]["cause"], &record["original"]["cause"]), (&"电源老化".into(), &"".into()));
    assert_eq!(record["original"]["symptom"], "第 0 次");
    let page = daemon.get(&format!("/faults/{}", fault["id"])).await.body;
    assert!(page.contains(&format!("href=\"/records/{}\"", written[0])), "linked from its fault");
    assert_eq!(daemon.end(Signal::TERM).await.code(), Some(0));
}
