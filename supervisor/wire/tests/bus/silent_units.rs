//! Two of eight units dead: what it costs the others.

use crate::world::{Dice, Faults, World, pdu, seed, told};
use roundsman_core::time::Mono;
use roundsman_rtu::request::Request;
use roundsman_wire::bus::{Await, Bus, Exchange, Line, Outcome, Rank, Ticket, Unit};
use roundsman_wire::modbus::rtu::{Awaited, Overheard, seal};
use std::collections::HashMap;
use std::sync::Arc;

const UNITS: u8 = 8;
/// Reads of one poll.
const READS: u16 = 3;

/// From due to end of the polls of units 1 to 6 in ms: the longest, once the dead are known to be, and the mean of all.
/// Units 7 and 8 are dead or not.
fn lateness(interval_ms: u64, dead: bool, shared_tick: bool, seed: u64) -> (u64, f64) {
    let line = Line::serial(9_600);
    let bus = Bus::new(line.clone(), Arc::new(Overheard), None);
    let mut world = World::new(bus, line, 1_000, UNITS, Dice(seed), Faults::default());
    if dead {
        world.dead_until = HashMap::from([(7, Mono(u64::MAX)), (8, Mono(u64::MAX))]).into_iter().collect();
    }
    let offset = |unit: u8| if shared_tick { 0 } else { u64::from(unit) * interval_ms / u64::from(UNITS) };
    let mut due: Vec<(Mono, u8)> = (1..=UNITS).map(|unit| (world.now.plus_ms(offset(unit)), unit)).collect();
    let mut running: HashMap<Ticket, (u8, u16, Mono)> = HashMap::new();
    let (mut worst, mut sum, mut count) = (0, 0, 0u64);
    let known = world.now.plus_ms(interval_ms * 3);
    let end = world.now.plus_ms(interval_ms * 200);
    let ask = |world: &mut World, unit: u8, read: u16| {
        let pdu = pdu(&Request::ReadHoldingRegisters { address: read * 4, quantity: 4 });
        let exchange = Exchange {
            unit: Unit(unit.into()),
            rank: Rank::Poll,
            send: seal(unit, &pdu).unwrap(),
            awaits: Await::Answer,
            reader: Arc::new(Awaited::new(unit, &pdu, 0)),
            timeout_ms: 1_000,
            tries: 2,
            rest_ms: 0,
        };
        world.bus.submit(exchange, world.now).unwrap()
    };
    while world.now < end {
        for (when, unit) in &mut due {
            if *when <= world.now && !running.values().any(|(other, ..)| other == unit) {
                let ticket = ask(&mut world, *unit, 0);
                running.insert(ticket, (*unit, 0, *when));
                *when = when.plus_ms(interval_ms);
            }
        }
        let next = due.iter().map(|(when, _)| *when).min().unwrap();
        for (ticket, outcome) in world.step(next) {
            let (unit, read, when) = running.remove(&ticket).unwrap();
            match outcome {
                Outcome::Answered(frame) => {
                    assert_eq!(told(&frame).0, unit);
                    if read + 1 < READS {
                        let ticket = ask(&mut world, unit, read + 1);
                        running.insert(ticket, (unit, read + 1, when));
                    } else if unit <= 6 {
                        let late = world.now.since_ms(when);
                        worst = if when > known { worst.max(late) } else { worst };
                        sum += late;
                        count += 1;
                    }
                }
                _ => assert!(unit > 6, "only the dead are silent"),
            }
        }
    }
    (worst, sum as f64 / count as f64)
}

#[test]
fn two_dead_of_eight_hardly_cost_the_others() {
    let seed = seed();
    for (interval_ms, shared_tick) in [(10_000, true), (10_000, false), (30_000, true), (60_000, true)] {
        let (worst_alive, mean_alive) = lateness(interval_ms, false, shared_tick, seed);
        let (worst, mean) = lateness(interval_ms, true, shared_tick, seed);
        let tenth = interval_ms as f64 / 10.0;
        eprintln!(
            "seed {seed}, interval {} s, {}: from due to end {mean:.0} ms (worst {worst}) with two dead, \
             {mean_alive:.0} ms (worst {worst_alive}) with all alive: lateness {:.2} % of the interval, worst {:.2} %",
            interval_ms / 1_000,
            if shared_tick { "due together" } else { "spread" },
            (mean - mean_alive) * 100.0 / interval_ms as f64,
            (worst.saturating_sub(worst_alive)) as f64 * 100.0 / interval_ms as f64,
        );
        assert!(mean - mean_alive <= tenth, "interval {interval_ms}");
        // At worst somebody becomes due just when the look for a silent unit has begun.
        assert!(worst <= worst_alive + 1_000 + 200, "interval {interval_ms}: {worst}");
    }
}
