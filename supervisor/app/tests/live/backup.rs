//! `backup`, `restore` and `verify` beside and without a running service.

use crate::daemon::Daemon;
use crate::until;
use rustix::process::Signal;
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};

/// A device where nobody answers: one fault, soon.
const SITE: &str = "[site]\nname = \"试验现场\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n\
    [panel]\nlisten = \"127.0.0.1:0\"\n[credentials.all]\nsnmp = { version = \"2c\", community = \"public\" }\n\
    [[device]]\nid = \"nobody\"\nname = \"nobody\"\nprofile = \"snmp-generic\"\ntier = \"city\"\nnetwork = \"lan\"\n\
    address = \"127.77.0.10:9\"\ncredentials = \"all\"\nreach = \"snmp\"\ninterval = \"1s\"\n";

fn roundsman(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_roundsman"));
    command
        .current_dir(folder)
        .args(arguments)
        .args(["--config", "site.toml"])
        .output()
        .expect("the binary starts")
}

fn found(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

async fn open_faults(daemon: &Daemon) -> usize {
    daemon.get("/api/v1/faults").await.json()["faults"].as_array().expect("a list").len()
}

#[tokio::test]
async fn a_backup_taken_while_the_service_runs_brings_its_faults_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    std::fs::write(folder.join("site.toml"), SITE).expect("the site file");
    let daemon = Daemon::start(&folder.join("site.toml"), "info").await;
    until("the fault", async || (open_faults(&daemon).await == 1).then_some(())).await;

    let made = roundsman(folder, &["backup", "safe.db", "--json"]);
    assert!(made.status.success(), "{made:?}");
    assert_eq!(found(&made)["rows"]["fault"], 1);
    let refused = roundsman(folder, &["restore", "safe.db"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("in use by another roundsman"), "{refused:?}");
    assert!(roundsman(folder, &["verify"]).status.success(), "beside the service");
    assert!(daemon.end(Signal::KILL).await.code().is_none());

    // The database is lost to a bad page: the service says so and does not start empty.
    let database = folder.join("store/roundsman.db");
    std::fs::write(&database, vec![0xff; 64 * 1_024]).expect("the damage");
    let bad = roundsman(folder, &["verify", "--json"]);
    assert_eq!((bad.status.code(), &found(&bad)["ok"]), (Some(1), &Value::Bool(false)));
    let ended = roundsman(folder, &["run"]);
    assert!(
        !ended.status.success() && String::from_utf8_lossy(&ended.stderr).contains("restore"),
        "{ended:?}"
    );

    let restored = roundsman(folder, &["restore", "safe.db", "--json"]);
    assert!(restored.status.success(), "{restored:?}");
    let kept = found(&restored)["kept"].as_str().expect("the former database").to_owned();
    assert!(folder.join(kept).exists());
    let daemon = Daemon::start(&folder.join("site.toml"), "info").await;
    assert_eq!(open_faults(&daemon).await, 1, "known from the first moment");
    assert!(daemon.end(Signal::TERM).await.success());
}
