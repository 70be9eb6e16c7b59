//! Measures the owner of a bus on a pseudo-terminal.
//!
//! `bus_load slave LINK` answers every unit at the far end of a pair whose near end LINK leads to;
//! `bus_load LINK UNITS REQUESTS [GAP_MS]` polls sensors (XY-MD02, one request a poll) there, each as soon as its last
//! poll is over, and prints what a request cost this process. 200 requests are not counted.

use roundsman_core::fault::Generation;
use roundsman_driver::bus::{Bus, Format, MOST_OUTCOMES, Outcome, Port, Request, Settings};
use roundsman_driver::clock::Clock;
use roundsman_profile::bus::Parity;
use roundsman_profile::catalogue::Catalogue;
use roundsman_rtu::exception::Exception;
use roundsman_rtu::slave::{Inbox, Registers, WordTable, serve};
use roundsman_wire::bus::plan::Target;
use roundsman_wire::bus::session::Ask;
use roundsman_wire::bus::{Line, Rank, Unit};
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};
use rustix::time::{ClockId, clock_gettime};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::mpsc;

type Failure = Box<dyn std::error::Error>;

/// Requests before the count begins.
const WARM_UP: u64 = 200;

/// 23.5 degrees, 54.6 %.
struct Sensor;

impl Registers for Sensor {
    fn word(&mut self, _table: WordTable, address: u16) -> Result<u16, Exception> {
        Ok(if address == 1 { 235 } else { 546 })
    }
}

fn slave(link: &Path) -> Result<(), Failure> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    // Kept open, so that the master's going does not close the pair.
    let theirs = ioctl_tiocgptpeer(&ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY)?;
    let mut settings = tcgetattr(&theirs)?;
    settings.make_raw();
    tcsetattr(&theirs, OptionalActions::Now, &settings)?;
    std::os::unix::fs::symlink(ptsname(&ours, Vec::new())?.to_str()?, link)?;
    let (mut inbox, mut octets, mut out) = (Inbox::new(), [0; 256], [0; 256]);
    loop {
        let read = rustix::io::read(&ours, &mut octets)?;
        for octet in &octets[..read] {
            let Some(len) = inbox.push(*octet) else { continue };
            let unit = inbox.request(len).first().copied().unwrap_or(0);
            if let Some(len) = serve(unit, inbox.request(len), &mut Sensor, &mut out) {
                rustix::io::write(&ours, &out[..len])?;
            }
            inbox.clear(len);
        }
    }
}

fn cpu_us() -> f64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as f64 * 1e6 + time.tv_nsec as f64 / 1e3
}

async fn master(link: &Path, units: u32, requests: u64, gap_ms: u32) -> Result<(), Failure> {
    let clock = Clock::new();
    let catalogue = Catalogue::embedded().map_err(|rejected| rejected.render(false))?;
    let profile = catalogue.get("xy-md02").ok_or("no profile xy-md02")?;
    let bus = profile.bus.as_ref().ok_or("it is on no bus")?;
    let format = Format { data_bits: 8, parity: Parity::None, stop_bits: 1 };
    let settings = Settings {
        id: "bench".into(),
        port: Port::Serial { path: link.to_owned(), baud: None, format, rs485: None },
        line: Line { octet_us: 0, gap_ms, ..Line::serial(115_200) },
        listener: bus.plan.listener(),
        opening: None,
        keeps_open: true,
    };
    let (outcomes, mut receiver) = mpsc::channel(MOST_OUTCOMES);
    let owner = Bus::start(clock, settings, outcomes);
    let targets: Vec<Arc<Target>> = (1..=units)
        .map(|unit| {
            Ok(Arc::new(Target { members: vec![bus.member(Unit(unit), Some(unit.into()))?], tries: 1 }))
        })
        .collect::<Result<_, Failure>>()?;
    let poll = |key: u32| {
        let target = targets[key as usize].clone();
        let ask = Ask { plan: bus.plan.clone(), target, rank: Rank::Poll, wanted: None };
        owner.poll(Request { key, generation: Generation::default(), ask })
    };
    (0..units).try_for_each(poll)?;
    let (mut done, mut bad) = (0, 0);
    let (mut cpu, mut began, mut before) = (cpu_us(), clock.micros(), owner.counters());
    while let Some(outcome) = receiver.recv().await {
        let Outcome::Polled(finished) = outcome else { continue };
        done += 1;
        bad += u64::from(!finished.answer.answered());
        if done == WARM_UP {
            (cpu, began, before, bad) = (cpu_us(), clock.micros(), owner.counters(), 0);
        }
        if done == WARM_UP + requests {
            break;
        }
        poll(finished.key)?;
    }
    let (took_us, after) = ((clock.micros() - began) as f64, owner.counters());
    writeln!(
        std::io::stdout(),
        "{requests} requests to {units} units, gap {gap_ms} ms: {:.0} a second, CPU {:.4} ms a request, {:.2} wake-ups a \
         request, {bad} unanswered",
        requests as f64 * 1e6 / took_us,
        (cpu_us() - cpu) / requests as f64 / 1e3,
        (after.wakeups - before.wakeups) as f64 / requests as f64,
    )?;
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match &arguments[..] {
        [word, link] if word == "slave" => slave(Path::new(link)),
        [link, units, requests, rest @ ..] => {
            let gap_ms = rest.first().map_or(Ok(0), |text| text.parse())?;
            master(Path::new(link), units.parse()?, requests.parse()?, gap_ms).await
        }
        _ => Err("usage: bus_load slave LINK | bus_load LINK UNITS REQUESTS [GAP_MS]".into()),
    }
}
