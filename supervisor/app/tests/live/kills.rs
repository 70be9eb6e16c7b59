//! SIGKILL at random moments while faults come and go and people write: whatever was answered is there, once.
//!
//! A virtual site's faults change all the time; one client acknowledges them, another writes maintenance records and
//! amends them, a third listens to the event stream. All of them note what the service confirmed. The service is
//! killed at a random moment, its database verified, and started again on it: everything noted must be there, under
//! the same numbers, with the same content; the transitions must go on without a gap; no outage may have two numbers.
//!
//! `KILLS` says how often (20), `KILLS_SEED` which moments (1).

mod account;
mod life;

use crate::daemon::Daemon;
use crate::dice::Dice;
use crate::until;
use crate::virtual_site::VirtualSite;
use account::Account;
use rustix::process::Signal;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Kills of an ordinary run.
const KILLS: u64 = 20;

/// When the service is killed, in ms after it is up: sometimes before it has polled, sometimes after faults of the
/// poll before last were raised.
const KILL_AFTER_MS: std::ops::Range<u64> = 20..2_600;

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap_or_else(|_| panic!("{name}={text}")))
}

fn verified(site: &VirtualSite) {
    let output = Command::new(env!("CARGO_BIN_EXE_roundsman"))
        .args(["verify", "--json", "--config"])
        .arg(site.config())
        .output()
        .expect("the binary starts");
    assert!(output.status.success(), "the database is not whole: {output:?}");
}

#[tokio::test]
async fn what_was_answered_survives_every_kill() {
    let (kills, seed) = (number("KILLS", KILLS), number("KILLS_SEED", 1));
    eprintln!("KILLS={kills} KILLS_SEED={seed}");
    let mut dice = Dice(seed);
    let site = VirtualSite::start(Dice(dice.next())).await;
    let account = Arc::new(Mutex::new(Account::default()));
    for kill in 1..=kills {
        let daemon = Daemon::start(&site.config(), "warn,roundsman=info").await;
        let life = life::Life::new(&site, &daemon, account.clone());
        life.catch_up(&mut dice).await;
        let clients = life.go_on(dice.next());
        if kill == 1 {
            // An absence takes longer to be believed than most lives are: these faults must be there to be kept.
            until("faults of the silent devices", async || {
                account.lock().ok()?.has_all_silent().then_some(())
            })
            .await;
        }
        let after = dice.within(KILL_AFTER_MS);
        tokio::time::sleep(Duration::from_millis(after)).await;
        assert_eq!(daemon.end(Signal::KILL).await.code(), None);
        clients.ended().await;
        verified(&site);
        eprintln!("kill {kill} after {after} ms: {}", account.lock().expect("the account"));
    }
    let daemon = Daemon::start(&site.config(), "warn,roundsman=info").await;
    let life = life::Life::new(&site, &daemon, account.clone());
    life.catch_up(&mut dice).await;
    life.look_at_everything().await;
    assert!(daemon.end(Signal::TERM).await.success());
    verified(&site);
    account.lock().expect("the account").is_in_order(kills);
}
