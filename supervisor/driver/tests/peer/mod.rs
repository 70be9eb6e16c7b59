//! Debian's snmpd as a peer, private to one test, and net-snmp's tools as judges.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, Command, Stdio};

/// A running snmpd; ends with the value.
pub(crate) struct Snmpd {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: tempfile::TempDir,
}

impl Drop for Snmpd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether ALLOW_SKIP (names separated by commas) permits to go without this peer.
fn may_skip(peer: &str) -> bool {
    std::env::var("ALLOW_SKIP").is_ok_and(|names| names.split(',').any(|name| name.trim() == peer))
}

impl Snmpd {
    /// Starts one on a free port of a loopback address; `None` where it is missing and may be.
    pub(crate) fn start() -> Option<Snmpd> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let conf = folder.path().join("snmpd.conf");
        let text = "rocommunity public\nsysName peer\nsysLocation here\nsysContact noc@example.invalid\nsysServices 78\n";
        std::fs::write(&conf, text).expect("its configuration");
        let free = UdpSocket::bind("127.77.0.2:0").and_then(|socket| socket.local_addr());
        let address = free.expect("a free port");
        let path = format!("{}:/usr/sbin:/sbin", std::env::var("PATH").unwrap_or_default());
        let child = Command::new("snmpd")
            .args(["-f", "-C", "-m", "", "-Ln", "-c"])
            .arg(&conf)
            .arg(format!("udp:{address}"))
            .env("PATH", path)
            .env("SNMP_PERSISTENT_DIR", folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let child = match child {
            Ok(child) => child,
            Err(_) if may_skip("snmpd") => return None,
            Err(error) => panic!("snmpd does not start ({error}): install it, or name it in ALLOW_SKIP"),
        };
        let peer = Snmpd { child, address, _folder: folder };
        // snmpget itself waits: ten tries of half a second.
        let up = peer.tool("snmpget", "2c", &["-r", "10", "-t", "0.5"], "1.3.6.1.2.1.1.3.0");
        assert!(!up.is_empty(), "snmpd does not answer on {}", peer.address);
        Some(peer)
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
