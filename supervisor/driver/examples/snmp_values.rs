//! Soak: polls N agents at an interval and compares every counter with the agents' formula.
//!
//! `cargo run --release -p roundsman-driver --example snmp_values -- BASE PORT DEVICES ROUNDS INTERVAL_MS`
//!
//! Device d (0 …) listens on BASE + 1 + d. Its ifHCInOctets of row i is 1,000,000 i + 1,000 t (i + d mod 7), its
//! ifHCOutOctets 1,000,000 i + 500 t (i + d mod 7), rounded down, t the seconds since the agents' start in whole
//! milliseconds; its sysUpTime is t + 1,000 s. When the agents started is found by asking them for sysUpTime: as near
//! as a hundredth of a second allows, and between the moments of asking and hearing. A value is right if it lies
//! between the formula at the poll's start, reckoned with the latest start of the agents, and the formula at its end,
//! reckoned with the earliest.

use roundsman_core::fault::Generation;
use roundsman_driver::clock::Clock;
use roundsman_driver::snmp::{Finished, Options, Request, Snmp, reach_plan};
use roundsman_wire::snmp::answer::{Answer, Raw};
use roundsman_wire::snmp::oid::{Oid, OidError};
use roundsman_wire::snmp::plan::{Object, Plan, Table};
use roundsman_wire::snmp::session::Target;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc::Receiver;

const IN_FLIGHT: usize = 64;
/// Times that the agents are asked when they started.
const ASKED: usize = 2_000;
/// sysUpTime at the agents' start, ms.
const UPTIME_AT_START_MS: u64 = 1_000_000;
/// ifHCInOctets and ifHCOutOctets (RFC 2863) with what a row's octets grow by per second.
const COLUMNS: [(&str, u64); 2] = [("1.3.6.1.2.1.31.1.1.1.6", 1_000), ("1.3.6.1.2.1.31.1.1.1.10", 500)];

fn plan() -> Result<Plan, OidError> {
    let object = |text: &str| Ok(Object { oids: vec![text.parse::<Oid>()?] });
    let columns = COLUMNS.iter().map(|(column, _)| object(column)).collect::<Result<_, OidError>>()?;
    Ok(Plan {
        scalars: vec![object("1.3.6.1.2.1.1.3.0")?],
        tables: vec![Table { columns, ..Table::default() }],
        ..Plan::default()
    })
}

/// When the agents started, µs of this box's clock: not before the first, not after the second.
struct Start {
    earliest: u64,
    latest: u64,
}

async fn find_start(
    clock: Clock,
    snmp: &Snmp,
    answers: &mut Receiver<Finished>,
    target: &Arc<Target>,
) -> Result<Start, Box<dyn std::error::Error>> {
    let plan = Arc::new(reach_plan());
    let mut start = Start { earliest: 0, latest: u64::MAX };
    for round in 0..ASKED {
        let asked = clock.micros();
        let (target, plan) = (Arc::clone(target), Arc::clone(&plan));
        snmp.poll(Request { key: u32::MAX, generation: Generation(round as u32), target, plan })?;
        let finished = answers.recv().await.ok_or("the poller has ended")?;
        let heard = clock.micros();
        let [Ok(Raw::TimeTicks(ticks))] = finished.answer.scalars[..] else {
            return Err("the first device does not say its sysUpTime".into());
        };
        let running = (u64::from(ticks) * 10 - UPTIME_AT_START_MS) * 1_000;
        // The tick may have lasted for almost ten milliseconds already.
        start.earliest = start.earliest.max(asked.saturating_sub(running + 10_000));
        start.latest = start.latest.min(heard.saturating_sub(running));
    }
    Ok(start)
}

/// Values right, and those that are not.
#[derive(Default)]
struct Judged {
    right: u64,
    wrong: u64,
    absent: u64,
}

impl Judged {
    fn judge(&mut self, device: u32, answer: &Answer, sent: u64, received: u64, start: &Start) {
        for (column, (name, rate)) in answer.tables[0].columns.iter().zip(COLUMNS) {
            if column.end != Ok(()) || column.cells.is_empty() {
                self.absent += 1;
                eprintln!("device {device} {name}: {:?} after {} rows", column.end, column.cells.len());
            }
            for cell in &column.cells {
                let row = answer.arcs(cell.index).first().copied().map_or(0, u64::from);
                let at = |micros: u64, start: u64| {
                    let ms = micros.saturating_sub(start) / 1_000;
                    1_000_000 * row + ms * rate * (row + u64::from(device % 7)) / 1_000
                };
                let (low, high) = (at(sent, start.latest), at(received, start.earliest));
                match cell.raw {
                    Raw::Counter64(count) if (low..=high).contains(&count) => self.right += 1,
                    other => {
                        self.wrong += 1;
                        eprintln!("device {device} {name}.{row}: {other:?} is not in {low}..={high}");
                    }
                }
            }
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [base, port, devices, rounds, interval] = &arguments[..] else {
        return Err("usage: snmp_values BASE PORT DEVICES ROUNDS INTERVAL_MS".into());
    };
    let base: u32 = base.parse::<Ipv4Addr>()?.into();
    let port: u16 = port.parse()?;
    let (devices, rounds): (u32, u32) = (devices.parse()?, rounds.parse()?);
    let clock = Clock::new();
    let (snmp, mut answers) = Snmp::start(clock, Options::default())?;
    let targets: Vec<Arc<Target>> = (0..devices)
        .map(|device| {
            let address = IpAddr::V4(Ipv4Addr::from(base + 1 + device));
            Arc::new(Target::new((address, port).into(), b"public"))
        })
        .collect();
    let start = find_start(clock, &snmp, &mut answers, &targets[0]).await?;
    eprintln!("the agents' start is known to {} µs", start.latest.saturating_sub(start.earliest));
    let plan = Arc::new(plan()?);
    let mut judged = Judged::default();
    let (mut polls, mut late) = (0_u64, 0_u64);
    let mut tick = tokio::time::interval(Duration::from_millis(interval.parse::<u64>()?.max(1)));
    for round in 0..rounds {
        tick.tick().await;
        let began = clock.micros();
        let mut under_way: HashMap<u32, u64> = HashMap::new();
        let mut waiting = 0..devices;
        loop {
            while under_way.len() < IN_FLIGHT
                && let Some(key) = waiting.next()
            {
                under_way.insert(key, clock.micros());
                let (target, plan) = (Arc::clone(&targets[key as usize]), Arc::clone(&plan));
                snmp.poll(Request { key, generation: Generation(round), target, plan })?;
            }
            if under_way.is_empty() {
                break;
            }
            let finished = answers.recv().await.ok_or("the poller has ended")?;
            let received = clock.micros();
            let sent = under_way.remove(&finished.key).ok_or("an answer to nothing")?;
            judged.judge(finished.key, &finished.answer, sent, received, &start);
            polls += 1;
        }
        let interval_us = tick.period().as_micros() as u64;
        late += u64::from(clock.micros() - began > interval_us);
    }
    let Judged { right, wrong, absent } = judged;
    eprintln!(
        "{polls} polls, {right} values right, {wrong} wrong, {absent} columns absent, {late} rounds longer than the interval"
    );
    eprintln!("{:?}", snmp.counters());
    if wrong + absent > 0 { Err("there are wrong values".into()) } else { Ok(()) }
}
