//! `roundsman simulate` with faults that come and go as the dice fall.

use crate::dice::Dice;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

/// Devices whose temperature rises and falls.
const CHANGING: usize = 40;

/// Devices that are silent from beginning to end: outages that go on through every kill.
pub(crate) const SILENT: [&str; 3] = ["silent-0", "silent-1", "silent-2"];

/// Pause between two changes of the site, in ms.
const CHANGE_EVERY_MS: std::ops::Range<u64> = 30..160;

/// The running virtual site and the folder of the service that watches it.
pub(crate) struct VirtualSite {
    folder: tempfile::TempDir,
    _simulator: Child,
    changes: JoinHandle<()>,
}

impl Drop for VirtualSite {
    fn drop(&mut self) {
        self.changes.abort();
    }
}

impl VirtualSite {
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.path().join("site.toml")
    }

    /// The head that makes its sender the operator.
    pub(crate) fn token(&self) -> String {
        let token = std::fs::read_to_string(self.folder.path().join("store/panel.token")).expect("the token");
        format!("authorization: Bearer {}\r\n", token.trim())
    }

    /// Starts it; faults begin at once.
    pub(crate) async fn start(mut dice: Dice) -> VirtualSite {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let changing: Vec<String> = (0..CHANGING).map(|n| format!("changing-{n}")).collect();
        let ids = changing.iter().map(String::as_str).chain(SILENT);
        let config = folder.path().join("site.toml");
        std::fs::write(&config, file(ids)).expect("the site file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_roundsman"));
        command.args(["simulate", "--site"]).arg(&config);
        for id in SILENT {
            command.args(["--fault", &format!("{id}=silent")]);
        }
        let mut simulator = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the virtual site starts");
        let mut said = BufReader::new(simulator.stdout.take().expect("its output")).lines();
        let ready = said.next_line().await.expect("a line").expect("no end");
        assert!(ready.starts_with("ready"), "{ready}");
        let mut directions = simulator.stdin.take().expect("its input");
        let changes = tokio::spawn(async move {
            tokio::spawn(async move { while let Ok(Some(_)) = said.next_line().await {} });
            loop {
                let device = &changing[dice.within(0..CHANGING as u64) as usize];
                let fault = ["ok", "ok", "hot:70", "hot:85"][dice.within(0..4) as usize];
                let line = format!("{device}={fault}\n");
                directions.write_all(line.as_bytes()).await.expect("the virtual site takes directions");
                tokio::time::sleep(Duration::from_millis(dice.within(CHANGE_EVERY_MS))).await;
            }
        });
        VirtualSite { folder, _simulator: simulator, changes }
    }
}

fn file<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut text = "[site]\nname = \"试验现场\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n\
                    [panel]\nlisten = \"127.0.0.1:0\"\n[credentials.all]\n\
                    snmp = { version = \"2c\", community = \"public\" }\n"
        .to_owned();
    for (at, id) in ids.enumerate() {
        let ip = format!("127.77.8.{}", at + 1);
        let port = UdpSocket::bind((&*ip, 0)).and_then(|socket| socket.local_addr()).expect("a port").port();
        text += &format!(
            "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"snmp-generic\"\ntier = \"city\"\n\
             network = \"lan\"\naddress = \"{ip}:{port}\"\ncredentials = \"all\"\nreach = \"snmp\"\ninterval = \"1s\"\n"
        );
    }
    text
}
