//! A disk that fills up under the running service: history stops first, faults and records go on, all of it comes back.
//!
//! The store is a small file system in memory, in a mount namespace of the service's own (`unshare`, no privilege
//! needed where user namespaces are allowed). Where that is not possible the test fails, unless ALLOW_SKIP names
//! `unshare`.

use crate::daemon::{Daemon, run};
use crate::dice::Dice;
use crate::until;
use crate::virtual_site::VirtualSite;
use rustix::fs::statvfs;
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Size of the file system: what history needs to go on, the reserve, and some room to fill.
const SIZE: &str = "160m";

/// Records written out of the reserve.
const AFTER_RESERVE: usize = 40;

const MIB: u64 = 1 << 20;

/// A service on a small disk.
struct Small<'a> {
    site: &'a VirtualSite,
    daemon: Daemon,
    /// The store, seen from outside of the namespace.
    store: PathBuf,
}

impl Small<'_> {
    fn free(&self) -> u64 {
        let stat = statvfs(&self.store).expect("its file system");
        stat.f_bavail * stat.f_frsize
    }

    /// Fills the disk until so many bytes are left.
    fn fill(&self, left: u64) {
        let mut filler = OpenOptions::new().create(true).append(true).open(self.filler()).expect("a file");
        let piece = vec![0x5a; 64 * 1_024];
        while self.free() > left {
            let length = (self.free() - left).min(piece.len() as u64) as usize;
            if filler.write_all(&piece[..length]).is_err() {
                break;
            }
        }
    }

    fn filler(&self) -> PathBuf {
        self.store.join("filler")
    }

    fn has_reserve(&self) -> bool {
        self.store.join("roundsman.reserve").exists()
    }

    fn token(&self) -> String {
        let token = std::fs::read_to_string(self.store.join("panel.token")).expect("the token");
        format!("authorization: Bearer {}\r\n", token.trim())
    }

    async fn metric(&self, name: &str) -> u64 {
        let text = self.daemon.get("/metrics").await.body;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.and_then(|number| number.parse().ok()).unwrap_or_else(|| panic!("{name} is not in:\n{text}"))
    }

    async fn history_is(&self, paused: bool) {
        until(&format!("history paused: {paused}"), async || {
            (self.metric("roundsman_history_paused").await == u64::from(paused)).then_some(())
        })
        .await;
    }

    /// Rows of recorded polls that are not compacted yet, counted by `roundsman verify` in the service's namespace.
    async fn recorded(&self) -> u64 {
        let output = Command::new("nsenter")
            .args(["--target", &self.daemon.id().to_string(), "--user", "--preserve-credentials", "--mount"])
            .arg(env!("CARGO_BIN_EXE_roundsman"))
            .args(["verify", "--json", "--config"])
            .arg(self.site.config())
            .output()
            .await
            .expect("nsenter starts");
        assert!(output.status.success(), "{output:?}");
        let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        found["rows"]["hot"].as_u64().expect("a count")
    }

    async fn recording_goes_on(&self) {
        let before = self.recorded().await;
        until("recorded polls", async || (self.recorded().await > before).then_some(())).await;
    }

    /// Writes a record with this text; its number, or nothing where it was refused for want of room.
    async fn write(&self, text: &str) -> Option<String> {
        let body = json!({
            "kind": "corrective", "devices": ["silent-0"], "symptom": text, "process": "更换电源", "engineer": "王工",
        });
        let answer = self.daemon.send("/api/v1/records", &self.token(), &body.to_string()).await;
        match answer.status {
            201 => Some(answer.json()["number"].as_str().expect("a number").to_owned()),
            503 => {
                assert!(answer.json()["detail"].as_str().is_some_and(|text| text.len() > 10), "{answer:?}");
                None
            }
            _ => panic!("{answer:?}"),
        }
    }

    /// A fault is raised or changes, and an open one can be acknowledged.
    async fn faults_go_on(&self) {
        let mut events = self.daemon.events().await;
        let (_, heard) = events.transition(|data| data["change"] != "acknowledged").await;
        assert!(heard["id"].as_u64() > Some(0));
        let open = until("a fault nobody has acknowledged", async || {
            let open = self.daemon.get("/api/v1/faults?state=open").await.json();
            open["faults"].as_array()?.iter().find(|fault| fault["operator"] == "none")?["id"].as_u64()
        })
        .await;
        let path = format!("/api/v1/faults/{open}/acknowledge");
        assert_eq!(self.daemon.post(&path, &self.token()).await.status, 200);
    }

    async fn page_says(&self, chinese: &str, english: &str) {
        for (language, words) in [("zh-CN", chinese), ("en", english)] {
            let page = self.daemon.get(&format!("/devices?lang={language}")).await.body;
            assert!(page.contains(words), "{words} is not in {page}");
        }
    }
}

fn may_skip() -> bool {
    std::env::var("ALLOW_SKIP").is_ok_and(|names| names.split(',').any(|name| name.trim() == "unshare"))
}

/// The service with its store on a file system of its own.
async fn start<'a>(site: &'a VirtualSite, store: &Path) -> Option<Small<'a>> {
    std::fs::create_dir_all(store).expect("the store's folder");
    let script = "mount -t tmpfs -o size=$0 tmpfs \"$1\" && shift && exec \"$@\"";
    let service = run(&site.config(), "info");
    let inside = || {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script, SIZE]).arg(store);
        command
    };
    let possible = inside().arg("true").output().await;
    if !possible.as_ref().is_ok_and(|output| output.status.success()) {
        assert!(
            may_skip(),
            "no small file system can be mounted here ({possible:?}); name unshare in ALLOW_SKIP to go without"
        );
        return None;
    }
    let daemon = Daemon::start_as(inside(), service).await;
    let store = PathBuf::from(format!("/proc/{}/root{}", daemon.id(), store.display()));
    Some(Small { site, daemon, store })
}

#[tokio::test]
async fn a_full_disk_stops_history_and_nothing_else() {
    let site = VirtualSite::start(Dice(7)).await;
    let store = site.config().with_file_name("store");
    let Some(small) = start(&site, &store).await else { return };
    small.recording_goes_on().await;
    assert!(small.has_reserve(), "a reserve is laid aside");
    assert_eq!(small.metric("roundsman_history_paused").await, 0);

    small.fill(30 * MIB);
    small.history_is(true).await;
    small.page_says("历史数据已暂停记录", "History is not recorded").await;
    let before = small.recorded().await;
    small.faults_go_on().await;
    let mut confirmed = vec![small.write("磁盘将满").await.expect("room for a record")];
    assert_eq!(small.recorded().await, before, "no poll is recorded meanwhile");

    // To the last byte: the reserve is given up for what people write.
    small.fill(0);
    let long = "长".repeat(1_000);
    while small.has_reserve() {
        confirmed.push(small.write(&long).await.expect("faults and records have the reserve"));
    }
    for _ in 0..AFTER_RESERVE {
        confirmed.push(small.write(&long).await.expect("faults and records have the reserve"));
    }
    small.faults_go_on().await;

    // Somebody takes that, too: now it is said that nothing is stored, and nothing is answered that is not.
    let refused = async {
        loop {
            small.fill(0);
            match small.write(&long).await {
                Some(number) => confirmed.push(number),
                None => break,
            }
        }
    };
    tokio::time::timeout(crate::PATIENCE, refused).await.expect("a disk without any room");
    assert_eq!(small.metric("roundsman_store_refused").await, 1);
    small.page_says("磁盘已满", "The disk is full").await;

    std::fs::remove_file(small.filler()).expect("room again");
    confirmed.push(until("a record is stored again", async || small.write("又有空间").await).await);
    small.history_is(false).await;
    small.recording_goes_on().await;
    until("the reserve", async || small.has_reserve().then_some(())).await;
    small.faults_go_on().await;
    for number in &confirmed {
        let record = small.daemon.get(&format!("/api/v1/records/{number}")).await;
        assert_eq!((record.status, record.json()["number"].as_str()), (200, Some(&**number)));
    }
    let page = small.daemon.get("/devices").await.body;
    assert!(!page.contains("id=\"storage\""), "nothing is left to say");
    eprintln!("{} records were confirmed on the way to the last byte", confirmed.len());
    assert!(small.daemon.end(Signal::TERM).await.success());
}
