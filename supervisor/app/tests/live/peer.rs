//! Debian's snmpd on a free port of a loopback address, and what its own tools say of it.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Name → value, as `snmpget` or `snmpwalk` print them.
pub(crate) type Told = BTreeMap<String, String>;

/// An snmpd; ends with the value.
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

fn spawn(folder: &Path, address: SocketAddr) -> std::io::Result<Child> {
    // What it keeps itself is called snmpd.conf and moved away at each start: the configuration has another name.
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

impl Snmpd {
    /// Starts one; `None` where it is missing and may be.
    pub(crate) fn start() -> Option<Snmpd> {
        Snmpd::start_as("sysName peer\nsysLocation 机房\nsysContact noc@example.invalid\n".as_bytes())
    }

    /// Starts one that says these things of itself, in any encoding.
    pub(crate) fn start_as(system: &[u8]) -> Option<Snmpd> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let conf = [b"rocommunity public\n", system].concat();
        std::fs::write(folder.path().join("agent.conf"), conf).expect("its configuration");
        let free = UdpSocket::bind("127.77.0.3:0").and_then(|socket| socket.local_addr());
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
        let up = self.tool("snmpget", &["-v2c", "-r20", "-t0.5"], "1.3.6.1.2.1.1.3.0");
        assert!(!up.is_empty(), "snmpd does not answer on {}", self.address);
    }

    /// Kills it.
    pub(crate) fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it anew on the same address.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(self.folder.path(), self.address).expect("snmpd starts a second time");
        self.answers();
    }

    /// What `snmpget` or `snmpwalk` says: strings as text, time in ticks, enums as numbers.
    pub(crate) fn tool(&self, tool: &str, options: &[&str], name: &str) -> Told {
        let output = Command::new(tool)
            .args(options)
            .args(["-c", "public", "-m", "", "-Onqxt"])
            .arg(self.address.to_string())
            .arg(name)
            .output()
            .unwrap_or_else(|error| panic!("{tool} does not start ({error}): install Debian's snmp"));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut all: Vec<(String, String)> = Vec::new();
        for line in text.lines() {
            match (line.split_once(' '), all.last_mut()) {
                (Some((name, value)), _) if name.starts_with(".1.") => {
                    all.push((name[1..].to_owned(), value.to_owned()));
                }
                // Long strings go on in the next line.
                (_, Some((_, value))) => value.push_str(line),
                _ => {}
            }
        }
        all.into_iter().map(|(name, value)| (name, plain(value))).collect()
    }
}

/// `"70 65 65 72 "` → `peer`; what is no string stays.
fn plain(value: String) -> String {
    let Some(hex) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) else {
        return value;
    };
    let octets = hex
        .split_ascii_whitespace()
        .map(|octet| u8::from_str_radix(octet, 16).unwrap_or_else(|_| panic!("no hex: {value}")));
    String::from_utf8(octets.collect()).unwrap_or(value)
}
