//! `report weekly` beside a running service and without one: the same summary both ways.

use crate::daemon::Daemon;
use crate::until;
use rustix::process::Signal;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// A device where nobody answers: one fault, soon.
const SITE: &str = "[site]\nname = \"试验现场\"\ntimezone = \"Asia/Shanghai\"\nlanguage = \"en\"\nclock = \"trusted\"\n[store]\npath = \"store\"\n\
    [panel]\nlisten = \"127.0.0.1:0\"\n[credentials.all]\nsnmp = { version = \"2c\", community = \"public\" }\n\
    [[device]]\nid = \"nobody\"\nname = \"无人应答\"\nprofile = \"snmp-generic\"\ntier = \"city\"\nnetwork = \"lan\"\n\
    address = \"127.77.0.11:9\"\ncredentials = \"all\"\nreach = \"snmp\"\ninterval = \"1s\"\n";

fn weekly(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roundsman"));
    command.current_dir(folder).args(["report", "weekly", "--config", "site.toml"]).args(more);
    command.output().expect("the binary starts")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn the_summary_is_the_same_from_the_service_and_from_its_database() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    std::fs::write(folder.join("site.toml"), SITE).expect("the site file");

    let nothing = weekly(folder, &[]);
    assert_eq!(nothing.status.code(), Some(1), "{nothing:?}");
    assert!(error(&nothing).contains("the service has not run yet"), "{nothing:?}");
    for (week, said) in [
        ("2026-W54", "`2026-W54` does not exist: 2026 has 53 weeks"),
        ("47", "`47` is no ISO week; write the year and the week, such as 2026-W47"),
    ] {
        let refused = weekly(folder, &["--week", week]);
        assert!(refused.status.code() == Some(2) && error(&refused).contains(said), "{refused:?}");
    }

    let daemon = Daemon::start(&folder.join("site.toml"), "info").await;
    until("the fault", async || {
        let faults = daemon.get("/api/v1/faults").await.json();
        (faults["faults"].as_array()?.len() == 1).then_some(())
    })
    .await;
    let last = json(&weekly(folder, &["--format", "json"]));
    assert_eq!((last["complete"].as_bool(), last["language"].as_str()), (Some(true), Some("en")));
    let list = daemon.get("/reports").await.body;
    let at = list.find("/reports/weekly/").expect("the running week") + "/reports/weekly/".len();
    let running = list[at..].split('"').next().expect("its name").to_owned();
    let asked = ["--week", &running, "--format", "json", "--language", "zh-CN"];
    let beside = json(&weekly(folder, &asked));
    assert_eq!(beside["site"], "试验现场");
    assert_eq!(beside["faults"]["items"][0]["device_name"], "无人应答", "{beside}");
    let future = weekly(folder, &["--week", "2099-W01"]);
    assert!(future.status.code() == Some(2) && error(&future).contains("has not begun"), "{future:?}");
    assert!(daemon.end(Signal::TERM).await.success());

    let without = json(&weekly(folder, &asked));
    for part in ["week", "from", "site", "open_faults", "root_causes", "records"] {
        let numbers = |report: &Value| match &report[part]["items"] {
            Value::Array(items) => items.iter().map(|item| item["number"].clone()).collect(),
            _ => vec![report[part].clone()],
        };
        assert_eq!(numbers(&without), numbers(&beside), "{part}");
    }
    let future = weekly(folder, &["--week", "2099-W01"]);
    assert!(future.status.code() == Some(2) && error(&future).contains("has not begun"), "{future:?}");
    let written = weekly(folder, &["--week", &running, "-o", "week.html"]);
    assert!(written.status.success() && written.stdout.is_empty(), "{written:?}");
    let page = std::fs::read_to_string(folder.join("week.html")).expect("the page");
    assert!(page.contains("Weekly equipment health summary") && page.contains("无人应答"), "{page}");
    let nowhere = weekly(folder, &["--week", &running, "-o", "no/such/folder.html"]);
    assert!(
        nowhere.status.code() == Some(1) && error(&nowhere).contains("no/such/folder.html"),
        "{nowhere:?}"
    );
}
