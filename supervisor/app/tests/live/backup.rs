//! `backup`, `restore` and `verify` beside and without a running service.

use crate::daemon::{Answer, Daemon};
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
    let daemon = Daemon::start_damaged(&folder.join("site.toml")).await;
    daemon.says("no whole backup is on this box").await;
    let page = daemon.get("/").await;
    assert!(page.status == 503 && page.body.contains("本机未找到完好的备份"), "{page:?}");
    assert!(daemon.end(Signal::TERM).await.success());

    let restored = roundsman(folder, &["restore", "safe.db", "--json"]);
    assert!(restored.status.success(), "{restored:?}");
    let kept = found(&restored)["kept"].as_str().expect("the former database").to_owned();
    assert!(folder.join(kept).exists());
    let daemon = Daemon::start(&folder.join("site.toml"), "info").await;
    assert_eq!(open_faults(&daemon).await, 1, "known from the first moment");
    assert!(daemon.end(Signal::TERM).await.success());
}

/// Posts the form of the page with this token.
async fn press(daemon: &Daemon, token: &str) -> Answer {
    let head = "content-type: application/x-www-form-urlencoded\r\n";
    daemon.send("/restore", head, &format!("token={token}")).await
}

#[tokio::test]
async fn a_damaged_database_is_shown_with_the_newest_whole_backup_and_its_button() {
    let folder = tempfile::tempdir().expect("a folder");
    let (site, store) = (folder.path().join("site.toml"), folder.path().join("store"));
    std::fs::write(&site, SITE).expect("the site file");
    let daemon = Daemon::start(&site, "info").await;
    until("the fault", async || (open_faults(&daemon).await == 1).then_some(())).await;
    std::fs::create_dir(store.join("backups")).expect("the folder of the nights");
    let good = store.join("backups/roundsman-2026-11-20.db");
    let made = roundsman(folder.path(), &["backup", good.to_str().expect("a path")]);
    assert!(made.status.success(), "{made:?}");
    assert!(daemon.end(Signal::KILL).await.code().is_none());
    // The backup of the night after is damaged, too.
    let mut bytes = std::fs::read(&good).expect("the backup");
    let half = bytes.len() / 2;
    bytes[half..].fill(0);
    std::fs::write(store.join("backups/roundsman-2026-11-21.db"), bytes).expect("another backup");
    let damage = vec![0xff; 64 * 1_024];
    std::fs::write(store.join("roundsman.db"), &damage).expect("the damage");

    let daemon = Daemon::start_damaged(&site).await;
    daemon.says(&format!("roundsman restore {}", good.display())).await;
    let page = daemon.get("/devices").await;
    assert_eq!(page.status, 503);
    for words in [
        "数据库损坏，巡检已停止",
        "Restore this backup",
        "The database is damaged",
        "试验现场",
        "roundsman-2026-11-20.db",
    ] {
        assert!(page.body.contains(words), "{words} is not in {}", page.body);
    }
    let api = daemon.get("/api/v1/faults").await;
    assert_eq!((api.status, api.json()["type"].as_str()), (503, Some("urn:roundsman:problem:store-damaged")));
    assert_eq!(daemon.get("/healthz").await.status, 503);
    assert!(daemon.get("/assets/panel.css").await.body.contains("#notices"));
    assert_eq!(press(&daemon, "00000000000000000000000000000000").await.status, 403);
    assert_eq!(press(&daemon, "").await.status, 403);
    assert_eq!(
        std::fs::read(store.join("roundsman.db")).expect("still there"),
        damage,
        "nothing without the token"
    );

    let token = std::fs::read_to_string(store.join("panel.token")).expect("the token");
    let pressed = press(&daemon, token.trim()).await;
    assert!(pressed.status == 200 && pressed.body.contains("http-equiv=\"refresh\""), "{pressed:?}");
    daemon.says("ready panel=").await;
    assert_eq!(open_faults(&daemon).await, 1, "known from the first moment, on the same address");
    let kept = std::fs::read_dir(&store).expect("the store").filter_map(Result::ok).find(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with("roundsman.db.before-restore-") && !name.ends_with("-wal")
    });
    assert_eq!(std::fs::read(kept.expect("the damaged one").path()).expect("it"), damage);
    assert!(daemon.end(Signal::TERM).await.success());
}
