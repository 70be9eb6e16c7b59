//! What the board does by itself and on request.

mod bench;

use bench::{Bench, GOOD, Memory, exception};
use roundsman_probe::config::setting;
use roundsman_probe::contact::{BUTTON, DOOR, LEAK, MAINS};
use roundsman_probe::filter::{Reading, revolutions};
use roundsman_probe::probe::Probe;
use roundsman_probe::watchdog::Watchdog;
use roundsman_registers::{CHANNELS, COILS, CONFIG, CONFIGS, DISCRETES, INPUTS, LIMIT, MAGIC, command};
use roundsman_rtu::frame::write_request;
use roundsman_rtu::request::Request;
use roundsman_rtu::values::{Bits, Words};

#[test]
fn one_read_has_everything() {
    let mut bench = Bench::new();
    bench.run(20_000);
    let inputs = bench.inputs(0, INPUTS);
    assert_eq!(inputs[..11], [MAGIC, 1, 1, 2, 1, 0xe240, 1, 0, 0, 19, 1]);
    assert_eq!(inputs[20..34], GOOD.map(|value| value as u16));
    assert_eq!(inputs[40..54], [0; CHANNELS]);
    assert_eq!(inputs[11..15], [0, 0, 0x20, 7], "only the flash that was never written is an alarm");
    assert_eq!(inputs[70], 1 | 1 << 12 | 1 << 15);
}

/// The octets of version 1 on the line: an address that moves, or a scale that changes, is seen here.
#[test]
fn the_octets_of_version_1_are_frozen() {
    let mut bench = Bench::new();
    bench.run(20_000);
    let mut frame = [0; 8];
    let len =
        write_request(1, &Request::ReadInputRegisters { address: 20, quantity: 14 }, &mut frame).unwrap();
    let answer = bench.line(&frame[..len]).remove(0);
    let hex: String = answer.iter().map(|octet| format!("{octet:02x}")).collect();
    assert_eq!(hex, include_str!("values-1.txt").trim());
}

#[test]
fn limits_raise_and_clear_with_hysteresis_without_a_supervisor() {
    let mut bench = Bench::new();
    bench.run(20_000);
    assert_eq!((bench.outputs.buzzer, bench.outputs.lamp), (false, false));
    // (what the sensor says, alarm): limit 27.0, hysteresis 0.5.
    for (value, high) in
        [(270, false), (271, true), (268, true), (266, true), (265, false), (264, false), (270, false)]
    {
        bench.readings[0] = Reading::Value(value);
        bench.run(60_000);
        assert_eq!(bench.input(12) & 1 == 1, high, "at {value}, which reads {}", bench.input(20));
        assert_eq!(bench.write(0, 1), 0);
        assert_eq!(bench.outputs.lamp, high);
    }
}

#[test]
fn a_lost_sensor_is_seen_and_clears_nothing() {
    let mut bench = Bench::new();
    bench.readings[0] = Reading::Value(300);
    bench.run(20_000);
    assert_eq!(bench.input(12), 1);
    for (says, quality) in [(Reading::Failed, 1), (Reading::Value(2_000), 2)] {
        bench.readings[0] = says;
        bench.run(5_000);
        assert_eq!((bench.input(20), bench.input(40)), (0x8000, quality));
        assert_eq!(bench.input(12), 1, "a lost sensor clears no alarm");
        assert_eq!(bench.input(13) & 0x10, 0x10);
    }
    bench.readings[0] = Reading::Value(231);
    bench.run(2_000);
    assert_eq!((bench.input(20), bench.input(40), bench.input(12)), (231, 0, 0));
    assert_eq!(bench.write(setting::FITTED, 0x3ffe), 0);
    bench.readings[0] = Reading::Failed;
    bench.run(5_000);
    assert_eq!(
        (bench.input(20), bench.input(40), bench.input(13) & 0x10),
        (0x8000, 4, 0),
        "not fitted is not lost"
    );
}

#[test]
fn a_spike_does_not_pass_and_two_failures_keep_the_value() {
    let mut bench = Bench::new();
    bench.run(20_000);
    for spike in [Reading::Value(900), Reading::Failed, Reading::Failed] {
        bench.readings[0] = spike;
        bench.run(1_000);
        assert_eq!(bench.input(20), 231);
    }
}

#[test]
fn a_wider_window_takes_no_value_nobody_measured() {
    let mut bench = Bench::new();
    for window in [3, 7, 5, 1, 7] {
        assert_eq!(bench.write(setting::WINDOW, window), 0);
        for _ in 0..10 {
            bench.run(1_000);
            assert!([0x8000, 231].contains(&bench.input(20)));
        }
    }
    assert_eq!(bench.write(setting::WINDOW, 4), 3, "a median is taken of an odd number");
}

#[test]
fn warm_up_shows_no_value() {
    let mut bench = Bench::new();
    bench.run(4_000);
    assert_eq!((bench.input(20), bench.input(40)), (0x8000, 3));
    bench.run(2_000);
    assert_eq!((bench.input(20), bench.input(40)), (231, 0));
}

#[test]
fn contacts_rest_before_they_count_and_the_button_silences() {
    let mut bench = Bench::new();
    bench.run(20_000);
    for bounce in 0..20 {
        bench.levels = if bounce % 2 == 0 { MAINS | LEAK } else { MAINS };
        bench.run(40);
        assert_eq!(bench.input(70) & LEAK, 0);
    }
    bench.levels = MAINS | LEAK | DOOR;
    bench.run(100);
    assert_eq!(bench.input(13) & 3, 3);
    assert!(bench.outputs.buzzer && bench.outputs.lamp);
    bench.levels |= BUTTON;
    bench.run(100);
    assert!(!bench.outputs.buzzer && bench.outputs.lamp, "the lamp stays as long as the alarm");
    bench.levels = LEAK;
    bench.run(100);
    assert!(bench.outputs.buzzer, "another alarm, the mains, sounds again");
    assert_eq!(bench.coil(4, false), 0);
    bench.run(10);
    assert!(!bench.outputs.buzzer);
    bench.levels = MAINS;
    bench.run(100);
    bench.levels = MAINS | LEAK;
    bench.run(100);
    assert!(bench.outputs.buzzer, "an alarm that came back sounds again");
}

#[test]
fn relays_hold_off_pulse_and_go_safe() {
    let mut bench = Bench::new();
    bench.run(2_000);
    assert_eq!(bench.coil(0, true), 0);
    assert_eq!(bench.coil(0, false), 6, "too soon after the last change");
    assert_eq!(bench.coil(0, true), 0, "no change");
    bench.run(1_000);
    assert_eq!(bench.outputs.relays, 1);
    assert_eq!(bench.coil(0, false), 0);
    assert_eq!(bench.write(2, 5), 0);
    bench.run(400);
    assert_eq!((bench.outputs.relays, bench.holding(2)), (2, 1));
    bench.run(110);
    assert_eq!((bench.outputs.relays, bench.holding(2)), (0, 0), "a pulse ends by itself, hold-off or not");
    // Both or none: relay 2 is held off, so relay 3 stays.
    let octets = [0b0110];
    let both = Request::WriteMultipleCoils { address: 0, values: Bits::of(&octets, 4).unwrap() };
    assert_eq!(exception(&bench.ask(&both)), 6);
    bench.run(1_000);
    assert_eq!(bench.outputs.relays, 0);
    assert_eq!(exception(&bench.ask(&both)), 0);
    assert_eq!(bench.write_all(setting::HEARTBEAT, &[3, 0b1010, 0b1000]), 0);
    bench.run(1_500);
    assert_eq!(bench.outputs.relays, 0b1100, "relay 4 on, 2 off, 3 as it was");
    assert_eq!(bench.coil(1, true), 6, "safe until the heartbeat is back");
    assert_eq!(bench.write(0, 7), 0);
    bench.run(1_500);
    assert_eq!((bench.input(16), bench.outputs.relays), (7, 0b1100), "nothing moves by itself");
    assert_eq!(bench.coil(1, true), 0);
}

#[test]
fn the_boot_state_comes_from_flash() {
    let mut bench = Bench::new();
    assert_eq!(bench.write(setting::BOOT_STATE, 0b0101), 0);
    assert_eq!(bench.write(setting::UNIT, 17), 0);
    assert_eq!(bench.write(5, command::SAVE), 0);
    assert_eq!(bench.input(13) & 0x20, 0);
    assert_eq!(bench.write(5, command::RESET), 0);
    assert!(bench.probe.restart());
    let mut next = Bench::starting(bench.probe.into_flash(), 0);
    next.run(10);
    assert_eq!(next.outputs.relays, 0b0101);
    assert_eq!(next.probe.unit(), 17);
    assert_eq!(next.ask_unit(1, &Request::ReadInputRegisters { address: 0, quantity: 1 }), None);
}

#[test]
fn power_may_go_at_any_octet_of_a_save() {
    let mut bench = Bench::new();
    let mut saved = 0;
    let mut last = 1;
    // Two saves first, so that both slots were used.
    for unit in [5, 6] {
        assert_eq!((bench.write(setting::UNIT, unit), bench.write(5, command::SAVE)), (0, 0));
        last = unit;
    }
    let flash = bench.probe.into_flash();
    for power in 0..=2 * flash.slots[0].len() {
        let mut bench = Bench::starting(Memory { power, ..flash.clone() }, 0);
        let unit = bench.probe.unit();
        bench.probe.tick(0, MAINS);
        let request = |address, value| Request::WriteSingleRegister { address, value };
        assert_eq!(exception(&bench.ask_unit(unit, &request(setting::UNIT, 99)).unwrap()), 0);
        let code = exception(&bench.ask_unit(unit, &request(5, command::SAVE)).unwrap());
        let memory = Memory { power: usize::MAX, ..bench.probe.into_flash() };
        let now = u16::from(Probe::new(bench::IDENTITY, memory).unit());
        // The last octets of an erased slot may be the ones to be written, so a cut there may keep the new one.
        assert!(now == last || now == 99, "after {power} octets the unit is {now}");
        assert!(code == 4 || now == 99);
        saved += usize::from(now == 99);
    }
    assert!(saved >= 1);
}

#[test]
fn exceptions_say_what_is_wrong() {
    let mut bench = Bench::new();
    let before = *bench.probe.config();
    let read = |address, quantity| Request::ReadInputRegisters { address, quantity };
    let code = |bench: &mut Bench, request: &Request<'_>| exception(&bench.ask(request));
    assert_eq!(code(&mut bench, &read(INPUTS - 1, 2)), 2);
    assert_eq!(code(&mut bench, &Request::ReadCoils { address: 0, quantity: COILS + 1 }), 2);
    assert_eq!(code(&mut bench, &Request::ReadDiscreteInputs { address: 0, quantity: DISCRETES }), 0);
    assert_eq!(code(&mut bench, &Request::ReadHoldingRegisters { address: CONFIG, quantity: CONFIGS }), 0);
    assert_eq!(code(&mut bench, &Request::ReadHoldingRegisters { address: 6, quantity: 1 }), 2);
    // A function nobody knows is cut by silence.
    let mut frame = [0; 8];
    let len = write_request(1, &Request::Other { function: 0x41, data: &[1] }, &mut frame).unwrap();
    assert!(bench.line(&frame[..len]).is_empty());
    let answer = bench.slave.turn(bench.now + 50, &mut bench.probe).map(<[u8]>::to_vec).unwrap();
    assert_eq!(answer[..3], [1, 0xc1, 1]);
    for (address, value, says) in [
        (setting::UNIT, 0, 3),
        (setting::UNIT, 248, 3),
        (setting::PERIOD, 99, 3),
        (LIMIT, 5_000, 3),
        (LIMIT, 271, 3), // above the high limit
        (LIMIT, 0x8000, 0),
        (LIMIT, 180, 0),
        (CONFIG + 18, 1, 3), // reserved
        (5, 9, 3),
        (1, 6_001, 3),
        (6, 0, 2),
        (CONFIG + CONFIGS, 0, 2),
    ] {
        assert_eq!(bench.write(address, value), says, "{value} to holding register {address}");
    }
    assert_eq!(bench.write_all(setting::UNIT, &[7, 0]), 3);
    assert_eq!(*bench.probe.config(), before, "several registers are written all or none");
    let octets = [0, 9];
    let exchange = Request::ReadWriteMultipleRegisters {
        read_address: 0,
        read_quantity: 1,
        write_address: 0,
        values: Words::of(&octets).unwrap(),
    };
    assert_eq!(bench.ask(&exchange), [0x17, 2, 0, 9]);
    let who = bench.ask(&Request::ReadDeviceIdentification { code: 1, object: 0 });
    assert!(who.windows(15).any(|part| part == b"roundsman-probe"));
}

#[test]
fn a_broadcast_is_a_heartbeat_or_nothing() {
    let mut bench = Bench::new();
    bench.run(2_000);
    let heartbeat = Request::WriteSingleRegister { address: 0, value: 77 };
    assert_eq!(bench.ask_unit(0, &heartbeat), None);
    assert_eq!(bench.ask_unit(0, &Request::WriteSingleCoil { address: 0, value: true }), None);
    assert_eq!(bench.ask_unit(0, &Request::WriteSingleRegister { address: setting::UNIT, value: 9 }), None);
    bench.run(10);
    assert_eq!((bench.input(16), bench.outputs.relays, bench.holding(setting::UNIT)), (77, 0, 1));
    assert_eq!(bench.input(64), 3);
    assert_eq!(bench.ask_unit(9, &heartbeat), None);
    assert_eq!(bench.input(63), 1);
}

#[derive(Default)]
struct Fed(u32);

impl Watchdog for Fed {
    fn feed(&mut self) {
        self.0 += 1;
    }
}

#[test]
fn the_watchdog_is_fed_only_while_both_loops_live() {
    let fed = |bench: &Bench| {
        let mut watchdog = Fed::default();
        bench.probe.feed(&mut watchdog);
        watchdog.0 == 1
    };
    let mut bench = Bench::new();
    bench.run(20_000);
    assert!(fed(&bench));
    for _ in 0..600 {
        bench.now += 10;
        bench.probe.tick(bench.now, MAINS);
        bench.slave.turn(bench.now, &mut bench.probe);
    }
    assert!(!fed(&bench), "sampling stopped");
    bench.run(1_000);
    assert!(fed(&bench));
    for _ in 0..300 {
        bench.now += 10;
        bench.probe.tick(bench.now, MAINS);
        bench.probe.sample(&bench.readings);
    }
    assert!(!fed(&bench), "the slave stopped");
}

#[test]
fn eight_weeks_pass_over_the_wrap_of_the_ticks() {
    let start = u32::MAX - 7 * 86_400_000;
    let mut bench = Bench::starting(Memory::default(), start);
    for day in 1..=56_u32 {
        bench.run_by(86_400_000, 500);
        assert_eq!(bench.write(0, day as u16), 0);
        let inputs = bench.inputs(0, INPUTS);
        let uptime = u32::from(inputs[8]) << 16 | u32::from(inputs[9]);
        assert!(uptime.abs_diff(day * 86_400) <= 1, "day {day}: {uptime} s");
        assert_eq!(inputs[20], 231);
        assert_eq!(inputs[15], 0, "the age of the heartbeat just written");
        assert_eq!(inputs[13] & 8, 0);
    }
}

#[test]
fn tachometers() {
    for (pulses, ms, each, says) in
        [(80, 1_000, 2, 2_400), (0, 1_000, 2, 0), (1, 1_000, 8, 7), (u32::MAX, 1, 1, 30_001)]
    {
        assert_eq!(revolutions(pulses, ms, each), Reading::Value(says));
    }
    assert_eq!(revolutions(1, 0, 2), Reading::Pending);
}
