//! 100,000 requests with every fault at 5 %: nothing late, echoed or foreign is ever taken as data.

use crate::world::{Dice, Faults, World, pdu, seed, told};
use roundsman_core::time::Mono;
use roundsman_rtu::request::Request;
use roundsman_wire::bus::{Await, Bus, Exchange, Line, Outcome, Rank, Ticket, Unit};
use roundsman_wire::modbus::rtu::{Awaited, Overheard, seal};
use std::collections::HashMap;
use std::sync::Arc;

const UNITS: u8 = 8;
const TIMEOUT_MS: u32 = 500;

/// What was asked.
enum Asked {
    Read(u16),
    Write(u16),
}

/// What came of all of it, held against the truth.
#[derive(Debug, Default)]
struct Account {
    good: u64,
    late_taken: u64,
    foreign_taken: u64,
    wrong_register: u64,
    echo_taken: u64,
    /// Garbled octets whose CRC is right by chance: 1 of 65,536, no rule helps.
    collided: u64,
    written: u64,
    copied: u64,
    silent: u64,
    damaged: u64,
    skipped: u64,
    gone: u64,
}

fn exchange(unit: u8, pdu: &[u8]) -> Exchange {
    Exchange {
        unit: Unit(unit.into()),
        rank: Rank::Poll,
        send: seal(unit, pdu).unwrap(),
        awaits: Await::Answer,
        reader: Arc::new(Awaited::new(unit, pdu, 0)),
        timeout_ms: TIMEOUT_MS,
        tries: 2,
        rest_ms: 0,
    }
}

fn run(requests: u64, faults: Faults, seed: u64) -> (Account, World) {
    let line = Line::serial(9_600);
    let bus = Bus::new(line.clone(), Arc::new(Overheard), None);
    let mut world = World::new(bus, line, TIMEOUT_MS.into(), UNITS, Dice(seed), faults);
    let mut asked: HashMap<Ticket, (u8, Asked)> = HashMap::new();
    let mut idle: Vec<(u8, Mono)> = (1..=UNITS).map(|unit| (unit, Mono(0))).collect();
    let mut account = Account::default();
    let mut next_write = 1u16;
    while world.bus.counters().requests < requests {
        let now = world.now;
        for (unit, _) in idle.extract_if(.., |(_, at)| *at <= now) {
            let (pdu, what) = if world.dice.chance(100) {
                next_write = next_write.wrapping_add(1);
                let request = Request::WriteSingleRegister { address: 1_000, value: next_write };
                (pdu(&request), Asked::Write(next_write))
            } else {
                let address = world.dice.roll(50) as u16 * 4;
                (pdu(&Request::ReadHoldingRegisters { address, quantity: 4 }), Asked::Read(address))
            };
            let ticket = world.bus.submit(exchange(unit, &pdu), world.now).unwrap();
            asked.insert(ticket, (unit, what));
        }
        let sent_at = world.sent_at;
        let next = idle.iter().map(|(_, at)| *at).min().unwrap_or(Mono(u64::MAX));
        for (ticket, outcome) in world.step(next) {
            let (unit, what) = asked.remove(&ticket).expect("every exchange ends once");
            // What ended without the line is tried again a little later.
            let pause_ms = if matches!(outcome, Outcome::Skipped | Outcome::Gone(_)) { 200 } else { 0 };
            idle.push((unit, world.now.plus_ms(pause_ms)));
            match (outcome, what) {
                (Outcome::Answered(frame), Asked::Read(_)) if !world.was_said(&frame) => {
                    account.collided += 1
                }
                (Outcome::Answered(frame), Asked::Read(address)) => {
                    let (from, register, at_ms) = told(&frame);
                    account.good += u64::from((from, register) == (unit, address) && at_ms >= sent_at.0);
                    account.foreign_taken += u64::from(from != unit);
                    account.wrong_register += u64::from(from == unit && register != address);
                    account.late_taken += u64::from(from == unit && at_ms < sent_at.0);
                }
                (Outcome::Answered(_), Asked::Write(value)) => {
                    account.written += 1;
                    account.echo_taken += u64::from(world.slaves[&unit].written != value);
                }
                (Outcome::Copied, _) => account.copied += 1,
                (Outcome::Silent, _) => account.silent += 1,
                (Outcome::Damaged, _) => account.damaged += 1,
                (Outcome::Skipped, _) => account.skipped += 1,
                (Outcome::Gone(_), _) => account.gone += 1,
                (Outcome::Sent, _) => panic!("an answer was awaited"),
            }
        }
    }
    (account, world)
}

#[test]
fn no_late_echoed_or_foreign_answer_is_taken_as_data() {
    let seed = seed();
    let requests = 100_000;
    let (account, world) = run(requests, Faults::all(50), seed);
    eprintln!(
        "seed {seed}: {requests} requests in {} s of virtual time\n{account:?}\n{:?}\n{:?}",
        world.now.0 / 1_000,
        world.happened,
        world.bus.counters()
    );
    let taken = account.late_taken + account.foreign_taken + account.wrong_register + account.echo_taken;
    assert_eq!(taken, 0, "seed {seed}: {account:?}");
    assert!(account.collided <= 3, "seed {seed}: {account:?}");
    // Nothing of this is proven by a line that hardly answers.
    assert!(account.good > requests / 3, "seed {seed}: {account:?}");
    let counters = world.bus.counters();
    assert!(counters.late > 1_000 && counters.echoes > 1_000 && counters.foreign > 1_000, "seed {seed}");
    assert!(world.happened.gone > 1_000 && world.happened.dead > 1_000, "seed {seed}");
}

/// Without the rules the same line does take late answers as data: what is shown above can fail.
#[test]
fn the_line_is_as_bad_as_it_should_be() {
    let seed = seed();
    let line = Line { late_ms: 0, quiet_ms: 20, ..Line::serial(9_600) };
    let bus = Bus::new(line.clone(), Arc::new(Overheard), None);
    let truth = Line::serial(9_600);
    let faults = Faults { late: 300, ..Faults::default() };
    let mut world = World::new(bus, truth, TIMEOUT_MS.into(), 1, Dice(seed), faults);
    let (mut late, mut ticket) = (0, None);
    while world.bus.counters().requests < 2_000 {
        if ticket.is_none() {
            let address = world.dice.roll(50) as u16 * 4;
            let pdu = pdu(&Request::ReadHoldingRegisters { address, quantity: 4 });
            ticket = Some((world.bus.submit(exchange(1, &pdu), world.now).unwrap(), address));
        }
        let sent_at = world.sent_at;
        for (_, outcome) in world.step(Mono(u64::MAX)) {
            if let (Outcome::Answered(frame), Some((_, address))) = (outcome, ticket) {
                let (_, register, at_ms) = told(&frame);
                late += u64::from(at_ms < sent_at.0 || register != address);
            }
            ticket = None;
        }
        if world.bus.outstanding() == 0 {
            world.now = world.now.plus_ms(5);
        }
    }
    eprintln!("seed {seed}: {late} late answers taken as data without hold and quiet");
    assert!(late > 100, "seed {seed}: {late}");
}
