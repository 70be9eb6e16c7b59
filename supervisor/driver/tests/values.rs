//! Every value read lies between what the agent's formula says at the poll's start and at its end: late, double or
//! mixed-up answers of another device, another port or another poll would not.
//!
//! The agents are the product's simulator in its bare mode, in this process, so that both sides have one clock.
//! `VALUES_DEVICES`, `VALUES_ROUNDS` and `VALUES_INTERVAL_MS` make a soak of it (`tests/soak/values`).

use roundsman_core::fault::Generation;
use roundsman_driver::clock::Clock;
use roundsman_driver::snmp::{Finished, Options, Request, Snmp};
use roundsman_simulator::bare::Bare;
use roundsman_wire::snmp::answer::Raw;
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::plan::{Object, Plan, Table};
use roundsman_wire::snmp::session::Target;
use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::sync::Arc;
use std::time::Duration;

/// ifHCInOctets, ifHCOutOctets, ifInUcastPkts, ifOutUcastPkts (RFC 2863); the first two never wrap.
const COLUMNS: [&str; 4] =
    ["1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.31.1.1.1.10", "1.3.6.1.2.1.2.2.1.11", "1.3.6.1.2.1.2.2.1.17"];
const PORTS: usize = 24;
const IN_FLIGHT: usize = 64;

fn asked(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().map_or(usual, |text| text.parse().expect("a number"))
}

fn plan() -> Arc<Plan> {
    let object = |text: &str| Object { oids: vec![text.parse::<Oid>().expect("an identifier")] };
    let columns = COLUMNS.iter().map(|column| object(column)).collect();
    Arc::new(Plan {
        scalars: vec![object("1.3.6.1.2.1.1.3.0")],
        tables: vec![Table { columns, ..Table::default() }],
        ..Plan::default()
    })
}

/// Compared values, and what is wrong with others.
#[derive(Default)]
struct Judged {
    right: u64,
    wrong: Vec<String>,
}

impl Judged {
    fn judge(&mut self, bare: &Bare, finished: &Finished, sent_s: f64, received_s: f64) {
        let answer = &finished.answer;
        for (column, text) in answer.tables[0].columns.iter().zip(COLUMNS) {
            if column.end != Ok(()) || column.cells.len() != PORTS {
                self.wrong.push(format!(
                    "device {} {text}: {:?}, {} rows",
                    finished.key,
                    column.end,
                    column.cells.len()
                ));
                continue;
            }
            let name: Vec<u32> = text.split('.').map(|arc| arc.parse().expect("an arc")).collect();
            for cell in &column.cells {
                let name = [&name[..], answer.arcs(cell.index)].concat();
                let at = |moment| bare.counter(finished.key, &name, moment);
                let read = match cell.raw {
                    Raw::Counter64(count) => count,
                    Raw::Counter32(count) => count.into(),
                    other => panic!("{name:?} is {other:?}"),
                };
                match (at(sent_s), at(received_s)) {
                    // A 32-bit counter may wrap in between.
                    (Some(low), Some(high)) if low > high => {
                        self.right += u64::from(read >= low || read <= high)
                    }
                    (Some(low), Some(high)) if (low..=high).contains(&read) => self.right += 1,
                    expected => {
                        self.wrong.push(format!("device {} {name:?}: {read}, {expected:?}", finished.key))
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn every_value_lies_between_the_formula_at_send_and_at_receive() {
    let devices = u32::try_from(asked("VALUES_DEVICES", 250)).expect("devices");
    let (rounds, interval_ms) = (asked("VALUES_ROUNDS", 16), asked("VALUES_INTERVAL_MS", 0));
    let clock = roundsman_simulator::clock::Clock::start();
    let first = SocketAddrV4::new(Ipv4Addr::new(127, 98, 0, 1), 0);
    let bare = Arc::new(Bare::bind(first, devices, b"public", 11, clock).expect("agents"));
    let port = bare.port().expect("their port");
    let running = Arc::clone(&bare);
    // Ends with the test's process.
    std::thread::spawn(move || running.run());
    let targets: Vec<Arc<Target>> = (0..devices)
        .map(|device| {
            let ip = Ipv4Addr::from(u32::from(*first.ip()) + device);
            Arc::new(Target::new(SocketAddr::from((ip, port)), b"public"))
        })
        .collect();
    let (snmp, mut answers) = Snmp::start(Clock::new(), Options::default()).expect("a socket");
    let plan = plan();
    let mut judged = Judged::default();
    let mut polls = 0_u64;
    let mut tick = tokio::time::interval(Duration::from_millis(interval_ms.max(1)));
    for round in 0..rounds {
        tick.tick().await;
        let mut sent_s = HashMap::new();
        let mut waiting = 0..devices;
        loop {
            while sent_s.len() < IN_FLIGHT
                && let Some(key) = waiting.next()
            {
                sent_s.insert(key, clock.now_s());
                let (target, plan) = (Arc::clone(&targets[key as usize]), Arc::clone(&plan));
                let request = Request { key, generation: Generation(round as u32), target, plan };
                snmp.poll(request).expect("room");
            }
            if sent_s.is_empty() {
                break;
            }
            let finished = answers.recv().await.expect("an answer to every poll");
            let received_s = clock.now_s();
            let sent_s = sent_s.remove(&finished.key).expect("it was asked");
            judged.judge(&bare, &finished, sent_s, received_s);
            polls += 1;
        }
    }
    let Judged { right, wrong } = &judged;
    eprintln!("{polls} polls, {right} values right, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{} wrong, the first: {:?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    assert_eq!(*right, polls * (PORTS * COLUMNS.len()) as u64);
}
