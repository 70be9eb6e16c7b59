//! Measures the poller: polls N agents, one loopback address each, and prints what it cost.
//!
//! `cargo run --release -p roundsman-driver --example snmp_load -- BASE PORT DEVICES ROUNDS [INTERVAL_MS [USER AUTH PRIV]]`
//!
//! Device d listens on BASE + 1 + d. The plan is that of the published comparison: 10 scalars and 9 interface
//! columns. All devices of a round start together, at most 64 under way; rounds start INTERVAL_MS apart (0: at
//! once). USER is asked by SNMPv3 instead, with the passphrases AUTH (SHA-256) and PRIV (AES-128). Each device whose answer is not whole is printed once, with what is missing. Two rounds are not counted.

use roundsman_core::fault::Generation;
use roundsman_driver::clock::Clock;
use roundsman_driver::snmp::{Finished, Options, Request, Snmp};
use roundsman_wire::snmp::oid::{Oid, OidError};
use roundsman_wire::snmp::plan::{Object, Plan, Table};
use roundsman_wire::snmp::session::Target;
use roundsman_wire::snmp::user::{Auth, Keys, Privacy, Secret, User};
use rustix::time::{ClockId, clock_gettime};
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

const IN_FLIGHT: usize = 64;

fn plan() -> Result<Plan, OidError> {
    let object = |text: String| Ok(Object { oids: vec![text.parse::<Oid>()?] });
    let scalars = ["1.1", "1.2", "1.3", "1.4", "1.5", "1.6", "1.7", "2.1", "25.1.1", "31.1.5"];
    let columns = [
        "2.2.1.2",
        "2.2.1.7",
        "2.2.1.8",
        "2.2.1.13",
        "2.2.1.14",
        "2.2.1.19",
        "2.2.1.20",
        "31.1.1.1.6",
        "31.1.1.1.10",
    ];
    Ok(Plan {
        scalars: scalars
            .map(|oid| object(format!("1.3.6.1.2.1.{oid}.0")))
            .into_iter()
            .collect::<Result<_, OidError>>()?,
        tables: vec![Table {
            columns: columns
                .map(|oid| object(format!("1.3.6.1.2.1.{oid}")))
                .into_iter()
                .collect::<Result<_, OidError>>()?,
            ..Table::default()
        }],
        ..Plan::default()
    })
}

fn user(name: &str, auth: &str, privacy: &str) -> User {
    let privacy = Some((Privacy::Aes128, Secret::new(privacy.as_bytes())));
    let keys = Keys { auth: Auth::Sha256, auth_key: Secret::new(auth.as_bytes()), privacy };
    User { name: name.into(), keys: Some(keys) }
}

fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn complaint(finished: &Finished) -> Option<String> {
    let answer = &finished.answer;
    if !answer.answered {
        return Some("unanswered".to_owned());
    }
    let scalars = answer.scalars.iter().filter(|scalar| scalar.is_err()).count();
    let columns: Vec<_> =
        answer.tables[0].columns.iter().map(|column| (column.cells.len(), column.end)).collect();
    let whole = scalars == 0 && columns.iter().all(|(cells, end)| *cells == columns[0].0 && end.is_ok());
    (!whole).then(|| format!("{scalars} scalars missing, columns {columns:?}"))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, port, devices, rounds, rest @ ..] = &arguments[..] else {
        return Err("usage: snmp_load BASE PORT DEVICES ROUNDS [INTERVAL_MS [USER AUTH PRIV]]".into());
    };
    let base: u32 = base.parse::<Ipv4Addr>()?.into();
    let port: u16 = port.parse()?;
    let devices: u32 = devices.parse()?;
    let rounds: u32 = rounds.parse()?;
    let interval: u64 = rest.first().map_or(Ok(0), |text| text.parse())?;
    let user = match rest {
        [_, name, auth, privacy] => Some(Arc::new(user(name, auth, privacy))),
        _ => None,
    };

    let clock = Clock::new();
    let (snmp, mut answers) = Snmp::start(clock, Options::default())?;
    let plan = Arc::new(plan()?);
    let targets: Vec<Arc<Target>> = (0..devices)
        .map(|device| {
            let address = IpAddr::V4(Ipv4Addr::from(base + 1 + device));
            let mut target = Target::new((address, port).into(), b"public");
            target.timeout_ms = 500;
            target.user.clone_from(&user);
            Arc::new(target)
        })
        .collect();

    let mut complaints: BTreeMap<u32, (u32, String)> = BTreeMap::new();
    let (mut polls, mut requests, mut retries, mut varbinds) = (0_u64, 0_u64, 0_u64, 0_u64);
    let (mut cpu, mut began) = (cpu_ms(), clock.micros());
    for round in 0..rounds + 2 {
        let round_began = clock.micros();
        if round == 2 {
            (polls, requests, retries, varbinds) = (0, 0, 0, 0);
            (cpu, began) = (cpu_ms(), clock.micros());
        }
        let (mut next, mut under_way) = (0, 0);
        while next < devices || under_way > 0 {
            while next < devices && under_way < IN_FLIGHT {
                snmp.poll(Request {
                    key: next,
                    generation: Generation(round),
                    target: Arc::clone(&targets[next as usize]),
                    plan: Arc::clone(&plan),
                })?;
                next += 1;
                under_way += 1;
            }
            let Some(finished) = answers.recv().await else {
                return Err("the poller has ended".into());
            };
            under_way -= 1;
            polls += 1;
            requests += u64::from(finished.answer.cost.requests);
            retries += u64::from(finished.answer.cost.retries);
            varbinds += u64::from(finished.answer.cost.varbinds);
            if let Some(why) = complaint(&finished) {
                complaints.entry(finished.key).or_insert((0, why)).0 += 1;
            }
        }
        let took = (clock.micros() - round_began) / 1_000;
        tokio::time::sleep(Duration::from_millis(interval.saturating_sub(took))).await;
    }
    let (cpu, took) = (cpu_ms() - cpu, (clock.micros() - began) as f64 / 1e6);
    let per = |total: u64| total as f64 / polls as f64;
    eprintln!("{polls} polls in {took:.2} s, CPU {:.4} ms a poll", cpu / polls as f64);
    eprintln!(
        "requests {:.2}, retries {:.3}, varbinds {:.1} a poll",
        per(requests),
        per(retries),
        per(varbinds)
    );
    for (device, (times, why)) in &complaints {
        eprintln!("device {device}: {times} of {} polls not whole, first: {why}", rounds + 2);
    }
    eprintln!("{:?}", snmp.counters());
    Ok(())
}
