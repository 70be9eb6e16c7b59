//! Debian's snmpd as a peer, private to one test, and net-snmp's tools as judges.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running snmpd; ends with the value.
pub(crate) struct Snmpd {
    child: Child,
    pub(crate) address: SocketAddr,
    folder: tempfile::TempDir,
}

impl Drop for Snmpd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Whether ALLOW_SKIP (names separated by commas) permits to go without this peer.
fn may_skip(peer: &str) -> bool {
    std::env::var("ALLOW_SKIP").is_ok_and(|names| names.split(',').any(|name| name.trim() == peer))
}

/// The identifier of an engine: text (RFC 3411 section 5, format 4).
const ENGINE: &str = "engineID old\n";

fn spawn(folder: &Path, address: SocketAddr) -> std::io::Result<Child> {
    // What it keeps itself is called snmpd.conf: the configuration has another name.
    let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
    Command::new("snmpd")
        .args(["-f", "-C", "-m", "", "-Ln", "-c"])
        .arg(folder.join("agent.conf"))
        .arg(format!("udp:{address}"))
        .env("PATH", path)
        .env("SNMP_PERSISTENT_DIR", folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

#[allow(dead_code, reason = "each test binary uses its part of the peer")]
impl Snmpd {
    /// Starts one on a free port of a loopback address; `None` where it is missing and may be.
    pub(crate) fn start() -> Option<Snmpd> {
        Snmpd::start_with("")
    }

    /// Starts one with further lines in its configuration.
    pub(crate) fn start_with(lines: &str) -> Option<Snmpd> {
        let text = format!(
            "sysName peer\nsysLocation here\nsysContact noc@example.invalid\nsysServices 78\n{ENGINE}{lines}"
        );
        Snmpd::start_as(text.as_bytes())
    }

    /// Starts one that says these things of itself, in any encoding.
    pub(crate) fn start_as(lines: &[u8]) -> Option<Snmpd> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let conf = [b"rocommunity public\n", lines].concat();
        std::fs::write(folder.path().join("agent.conf"), conf).expect("its configuration");
        let free = UdpSocket::bind("127.77.0.2:0").and_then(|socket| socket.local_addr());
        let address = free.expect("a free port");
        let child = match spawn(folder.path(), address) {
            Ok(child) => child,
            Err(_) if may_skip("snmpd") => return None,
            Err(error) => panic!("snmpd does not start ({error}): install it, or name it in ALLOW_SKIP"),
        };
        let peer = Snmpd { child, address, folder };
        peer.answers();
        Some(peer)
    }

    fn answers(&self) {
        // snmpget itself waits: twenty tries of half a second.
        let up = self.tool("snmpget", "2c", &["-r", "20", "-t", "0.5"], "1.3.6.1.2.1.1.3.0");
        assert!(!up.is_empty(), "snmpd does not answer on {}", self.address);
    }

    /// Kills it.
    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it anew on the same address.
    pub(crate) fn start_again(&mut self) {
        self.stop();
        self.child = spawn(self.folder.path(), self.address).expect("snmpd starts a second time");
        self.answers();
    }

    /// Stops it and takes away what it keeps: how often its engine has started.
    pub(crate) fn forget_boots(&mut self) -> String {
        self.stop();
        let kept = self.folder.path().join("snmpd.conf");
        let text = std::fs::read_to_string(&kept).expect("what snmpd keeps");
        assert!(text.contains("engineBoots"), "{text}");
        std::fs::remove_file(&kept).expect("removed");
        text
    }

    /// Starts it anew with another engine.
    pub(crate) fn replace_engine(&mut self) {
        self.forget_boots();
        let conf = self.folder.path().join("agent.conf");
        let text = std::fs::read_to_string(&conf).expect("its configuration");
        std::fs::write(&conf, text.replace(ENGINE, "engineID new\n")).expect("its configuration");
        self.start_again();
    }

    /// What `snmpget` or `snmpwalk` says: name → value, strings in hex, time in ticks.
    pub(crate) fn tool(
        &self,
        tool: &str,
        version: &str,
        options: &[&str],
        name: &str,
    ) -> BTreeMap<String, String> {
        let output = Command::new(tool)
            .args(["-v", version, "-c", "public", "-m", "", "-Onqxt"])
            .args(options)
            .arg(self.address.to_string())
            .arg(name)
            .output();
        let output =
            output.unwrap_or_else(|error| panic!("{tool} does not start ({error}): install Debian's snmp"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut all: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            match (line.split_once(' '), all.last_mut()) {
                (Some((name, value)), _) if name.starts_with(".1.") => {
                    all.push((name.to_owned(), value.to_owned()));
                }
                // Long strings go on in the next line.
                (_, Some((_, value))) => value.push_str(line),
                _ => {}
            }
        }
        all.into_iter().collect()
    }
}
