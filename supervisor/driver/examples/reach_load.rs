//! Measures what a reach probe costs: sends some, paced as those of shared seconds are, and prints the CPU of each.
//!
//! `cargo run --release -p roundsman-driver --example reach_load -- REACH ADDRESS PROBES [SNMP_PORT]`
//!
//! REACH is as in a site file: icmp, tcp:PORT, echo:PORT, snmp. Ten probes start together, every 10 ms. The one who
//! answers must be another process, or the kernel (icmp; tcp to a closed port).

use roundsman_core::fault::Generation;
use roundsman_driver::clock::Clock;
use roundsman_driver::reach::{Prober, Reach};
use roundsman_driver::snmp::{Options, Request, Snmp, reach_plan};
use roundsman_wire::snmp::session::Target;
use rustix::time::{ClockId, clock_gettime};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

const AT_ONCE: u32 = 10;
const PAUSE: Duration = Duration::from_millis(10);
const TIMEOUT_MS: u32 = 2_000;

fn cpu_us() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

#[tokio::main(flavor = "current_thread")]
#[allow(clippy::print_stdout, reason = "it prints figures")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [reach, address, probes, port @ ..] = words.as_slice() else {
        return Err("REACH ADDRESS PROBES [SNMP_PORT]".into());
    };
    let (reach, address, probes): (Reach, IpAddr, u32) = (reach.parse()?, address.parse()?, probes.parse()?);
    let port = port.first().map_or(Ok(161), |port| port.parse())?;
    let clock = Clock::new();
    let prober = Arc::new(Prober::new(clock));
    let (snmp, mut answers) = Snmp::start(clock, Options::default())?;
    let mut target = Target::new((address, port).into(), b"public");
    (target.retries, target.timeout_ms) = (0, TIMEOUT_MS);
    let (target, plan) = (Arc::new(target), Arc::new(reach_plan()));
    // The first ones open what is opened once.
    let (mut began, mut answered, mut took_us) = (0.0, 0, 0);
    for round in 0..=probes / AT_ONCE {
        if round == 1 {
            (began, answered, took_us) = (cpu_us(), 0, 0);
        }
        let mut under_way = tokio::task::JoinSet::new();
        for key in 0..AT_ONCE {
            if reach == Reach::Snmp {
                let generation = Generation::default();
                snmp.poll(Request { key, generation, target: target.clone(), plan: plan.clone() })?;
            } else {
                let prober = prober.clone();
                under_way.spawn(async move { prober.probe(address, reach, TIMEOUT_MS).await });
            }
        }
        if reach == Reach::Snmp {
            for _ in 0..AT_ONCE {
                let finished = answers.recv().await.ok_or("the poller ended")?;
                answered += u32::from(finished.answer.answered);
            }
        }
        while let Some(probed) = under_way.join_next().await {
            let probed = probed??;
            answered += u32::from(probed.answered());
            took_us += probed.outcome.unwrap_or(0);
        }
        tokio::time::sleep(PAUSE).await;
    }
    let sent = probes / AT_ONCE * AT_ONCE;
    println!(
        "{reach}: {sent} probes, {answered} answered, {:.1} us CPU each, mean round trip {} us",
        (cpu_us() - began) / f64::from(sent),
        took_us / u64::from(answered.max(1))
    );
    Ok(())
}
