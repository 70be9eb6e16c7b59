//! The binary against a real agent: Debian's snmpd on loopback, private to each test, and net-snmp's tools as judges.
//!
//! One test program for all of it, so that it is linked once. Nothing here waits a fixed time: [`until`] asks again
//! until what is awaited is there, and only a hang reaches [`PATIENCE`].

mod backup;
mod daemon;
mod dice;
mod farm;
mod full;
mod kills;
mod line;
mod peer;
mod records;
mod report;
mod said;
mod service;
mod set;
mod shown;
mod snmpd;
mod thin;
mod trunk;
mod v3;
mod virtual_site;
mod way;

use serde_json::Value;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

/// Far longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(90);

/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// One poll of `device` by `folder/site.toml` with the real binary, and the JSON it printed.
fn poll(folder: &Path, device: &str) -> (Output, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_roundsman"))
        .args(["poll", "--config", "site.toml", device, "--json"])
        .current_dir(folder)
        .output()
        .expect("the binary starts");
    let json = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    (output, json)
}

/// Asks `look` until it gives something; `what` is named if it never does.
async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    };
    match tokio::time::timeout(PATIENCE, looking).await {
        Ok(seen) => seen,
        Err(_) => panic!("never came: {what}"),
    }
}
