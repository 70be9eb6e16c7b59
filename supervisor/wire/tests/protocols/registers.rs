//! Modbus: types, merged reads, exceptions.

use crate::bench::{Bench, hex, script, text, unsigned};
use roundsman_core::reading::Absence;
use roundsman_rtu::MOST_FRAME;
use roundsman_rtu::exception::Exception;
use roundsman_rtu::slave::{BitTable, Registers, WordTable, serve};
use roundsman_rtu::values::Bits;
use roundsman_wire::bus::Unit;
use roundsman_wire::bus::order::{Order, Say, Verdict};
use roundsman_wire::bus::plan::{Plan, Target};
use roundsman_wire::field::{BitField, Field, Order as Octets, Raw, Type};
use roundsman_wire::modbus::plan::{Memory, Plan as Registers_, Point, Table, blocks};
use std::collections::BTreeMap;

fn point(table: Table, address: u16, kind: Type) -> Point {
    Point { table, address, field: Field::big(kind) }
}

fn input(address: u16, kind: Type) -> Point {
    point(Table::Input, address, kind)
}

fn low_word_first(address: u16) -> Point {
    let field = Field { words: Octets::Little, ..Field::big(Type::Unsigned(4)) };
    Point { table: Table::Input, address, field }
}

/// A slave with holes: registers that are written down.
#[derive(Default)]
struct Device {
    words: BTreeMap<u16, u16>,
    bits: BTreeMap<u16, bool>,
    says: Option<Exception>,
    /// How often it says so.
    times: usize,
}

impl Registers for Device {
    fn word(&mut self, _: WordTable, address: u16) -> Result<u16, Exception> {
        self.words.get(&address).copied().ok_or(Exception::IllegalAddress)
    }

    fn bit(&mut self, _: BitTable, address: u16) -> Result<bool, Exception> {
        self.bits.get(&address).copied().ok_or(Exception::IllegalAddress)
    }

    fn write_bits(&mut self, address: u16, values: Bits<'_>) -> Result<(), Exception> {
        let value = values.get(0).ok_or(Exception::IllegalValue)?;
        self.bits.get_mut(&address).map(|bit| *bit = value).ok_or(Exception::IllegalAddress)
    }
}

impl Device {
    fn answer(&mut self, frame: &[u8]) -> Vec<u8> {
        let mut out = [0; MOST_FRAME];
        if let (Some(says), true) = (self.says, self.times > 0) {
            self.times -= 1;
            let body = [frame[0], frame[1] | 0x80, says.code()];
            return [&body[..], &roundsman_rtu::crc::crc16(&body).to_le_bytes()].concat();
        }
        serve(1, frame, self, &mut out).map_or(Vec::new(), |len| out[..len].to_vec())
    }
}

fn requests(plan: &Registers_) -> Vec<(u16, u16)> {
    let blocks = blocks(plan, &Memory::default(), &[]);
    blocks.iter().map(|block| (block.address, block.quantity)).collect()
}

#[test]
fn reads_are_merged_within_limits() {
    let points = vec![
        input(30, Type::Unsigned(2)),
        input(0, Type::Unsigned(4)),
        input(2, Type::Unsigned(2)),
        input(11, Type::Unsigned(2)),
        point(Table::Holding, 3, Type::Unsigned(2)),
        point(Table::Coil, 0, Type::Unsigned(1)),
        point(Table::Coil, 7, Type::Unsigned(1)),
    ];
    let plan = Registers_::new(points);
    assert_eq!(requests(&plan), [(0, 8), (3, 1), (0, 12), (30, 1)]);
    let short = Registers_ { max_registers: 3, ..plan.clone() };
    assert_eq!(requests(&short), [(0, 8), (3, 1), (0, 3), (11, 1), (30, 1)]);
    let close = Registers_ { max_gap: 0, ..plan.clone() };
    assert_eq!(requests(&close), [(0, 1), (7, 1), (3, 1), (0, 3), (11, 1), (30, 1)]);
    let wide = Registers_ { max_gap: 125, ..plan };
    assert_eq!(requests(&wide), [(0, 8), (3, 1), (0, 31)]);
    // Fields that share a register are one read; one that does not fit at all is read nevertheless.
    let shared = Registers_::new(vec![
        input(5, Type::Unsigned(2)),
        input(5, Type::Signed(2)),
        input(5, Type::Float(4)),
    ]);
    assert_eq!(requests(&shared), [(5, 2)]);
    let long = Registers_ { max_registers: 1, ..Registers_::new(vec![input(5, Type::Text(8))]) };
    assert_eq!(requests(&long), [(5, 4)]);
}

#[test]
fn the_meter_of_the_facts_page() {
    let points = vec![
        input(0, Type::Unsigned(2)),
        low_word_first(1),
        low_word_first(3),
        low_word_first(5),
        input(7, Type::Unsigned(2)),
        input(8, Type::Unsigned(2)),
        input(9, Type::Unsigned(2)),
    ];
    let mut bench = Bench::serial(Plan::Modbus(Registers_::new(points)));
    let rx = "010414089803E80000089800000000000001F40064000063CE";
    let answer = bench.poll(&Target::single(Unit(1), 1), &mut script(&[("01040000000A700D", rx)]));
    let said = &answer.units[0];
    assert!(said.answered);
    let values: Vec<_> = [2200, 1000, 2200, 0, 500, 100, 0].into_iter().map(unsigned).collect();
    assert_eq!(said.values, values);
    assert_eq!((answer.cost.requests, answer.cost.octets_out, answer.cost.octets_in), (1, 8, 25));
}

#[test]
fn the_thermometer_below_zero() {
    let points = vec![input(1, Type::Signed(2)), input(2, Type::Unsigned(2))];
    let mut bench = Bench::serial(Plan::Modbus(Registers_::new(points)));
    let lines = [("010400010002200B", "010404FF330222BAE6")];
    let answer = bench.poll(&Target::single(Unit(1), 1), &mut script(&lines));
    assert_eq!(answer.units[0].values, [Ok(Raw::Signed(-205)), unsigned(546)]);
}

#[test]
fn strings_bits_and_bit_fields() {
    let field = |from, to| Field { bits: Some(BitField { from, to }), ..Field::big(Type::Unsigned(2)) };
    let holding = |address, field| Point { table: Table::Holding, address, field };
    let points = vec![
        holding(0, Field::big(Type::Text(5))),
        holding(3, field(0, 3)),
        holding(3, field(15, 15)),
        holding(4, Field::big(Type::Bcd(2))),
        holding(5, Field::big(Type::Unsigned(1))),
        point(Table::Discrete, 2, Type::Unsigned(1)),
    ];
    let mut bench = Bench::serial(Plan::Modbus(Registers_::new(points)));
    let words = [(0, 0x4142), (1, 0x4344), (2, 0x4500), (3, 0x800a), (4, 0x1234), (5, 0x00ff)];
    let mut device = Device { words: words.into(), bits: [(2, true)].into(), ..Device::default() };
    let answer = bench.poll(&Target::single(Unit(1), 1), &mut |frame| device.answer(frame));
    assert_eq!(
        answer.units[0].values,
        [text("ABCDE"), unsigned(10), unsigned(1), unsigned(1234), unsigned(255), unsigned(1)]
    );
}

/// A merged read that is refused is split, and what was learned is kept.
#[test]
fn holes_are_found_once() {
    let points: Vec<Point> = (0..8).map(|n| input(n * 4, Type::Unsigned(2))).collect();
    let mut bench = Bench::serial(Plan::Modbus(Registers_::new(points)));
    // Registers 0 to 13 without gap, then single ones; 20 is not there.
    let words = (0..14).chain([16, 24, 28]).map(|n| (n, n + 100)).collect();
    let mut device = Device { words, ..Device::default() };
    let target = Target::single(Unit(1), 1);
    let first = bench.poll(&target, &mut |frame| device.answer(frame));
    let values: Vec<_> =
        (0..8u64).map(|n| if n == 5 { Err(Absence::Unsupported) } else { unsigned(n * 4 + 100) }).collect();
    assert_eq!(first.units[0].values, values);
    let second = bench.poll(&target, &mut |frame| device.answer(frame));
    assert_eq!(second.units[0].values, values);
    assert!(first.cost.requests > second.cost.requests, "{} {}", first.cost.requests, second.cost.requests);
    assert_eq!(second.cost.requests, 4, "0 to 13, 16, 24, 28; 20 is not asked for");
}

#[test]
fn exceptions_are_qualities() {
    for (exception, absence, alive) in [
        (Exception::IllegalFunction, Absence::Unsupported, true),
        (Exception::IllegalAddress, Absence::Unsupported, true),
        (Exception::IllegalValue, Absence::Unsupported, true),
        (Exception::DeviceFailure, Absence::Invalid, true),
        (Exception::Acknowledge, Absence::Timeout, true),
        (Exception::Busy, Absence::Timeout, true),
        (Exception::MemoryParity, Absence::Invalid, true),
        (Exception::GatewayPath, Absence::Unreachable, false),
        (Exception::GatewayTarget, Absence::Timeout, false),
        (Exception::Other(77), Absence::Malformed, true),
    ] {
        let plan = Registers_::new(vec![input(0, Type::Unsigned(2))]);
        let mut bench = Bench::serial(Plan::Modbus(plan));
        let mut device = Device { says: Some(exception), times: 9, ..Device::default() };
        let answer = bench.poll(&Target::single(Unit(1), 1), &mut |frame| device.answer(frame));
        assert_eq!(answer.units[0].values, [Err(absence)], "{exception:?}");
        assert_eq!(answer.answered(), alive, "{exception:?}");
    }
}

#[test]
fn a_busy_device_is_asked_again_later() {
    let plan = Registers_::new(vec![input(0, Type::Unsigned(2))]);
    let mut bench = Bench::serial(Plan::Modbus(plan));
    let words = [(0, 5)].into();
    let mut device = Device { words, says: Some(Exception::Busy), times: 2, ..Device::default() };
    let before = bench.now;
    let answer = bench.poll(&Target::single(Unit(1), 1), &mut |frame| device.answer(frame));
    assert_eq!(answer.units[0].values, [unsigned(5)]);
    assert!(bench.now.since_ms(before) >= 1_000, "it was left alone in between");
}

#[test]
fn a_silent_device_costs_one_exchange_and_its_retry() {
    let points = (0..20).map(|n| input(n * 100, Type::Unsigned(2))).collect();
    let mut bench = Bench::serial(Plan::Modbus(Registers_::new(points)));
    let answer = bench.poll(&Target::single(Unit(1), 1), &mut |_| Vec::new());
    assert_eq!(answer.units[0].values, vec![Err(Absence::Timeout); 20]);
    assert!(!answer.answered());
    assert_eq!(bench.sent.len(), 2);
}

#[test]
fn only_what_is_wanted_is_read_back() {
    let points = vec![input(0, Type::Unsigned(2)), input(100, Type::Unsigned(2))];
    let mut bench = Bench::serial(Plan::Modbus(Registers_::new(points)));
    let mut device = Device { words: [(0, 1), (100, 2)].into(), ..Device::default() };
    let target = Target::single(Unit(1), 1);
    let answer = bench.poll_wanted(&target, Some(&[1]), &mut |frame| device.answer(frame));
    assert_eq!(answer.units[0].values, [Err(Absence::NotJudged), unsigned(2)]);
    assert_eq!(bench.sent.len(), 1);
}

/// Written behind what was read; what the device says of it changes no value, and a silent device gets none.
#[test]
fn a_heartbeat_is_written_once_a_poll() {
    let points = vec![input(0, Type::Unsigned(2)), input(100, Type::Unsigned(2))];
    let plan = Registers_ { heartbeat: Some(7), ..Registers_::new(points) };
    let target = Target::single(Unit(1), 1);
    let beat = |frame: &[u8]| frame[1..6] == [6, 0, 7, 0, 1];
    for is_taken in [true, false] {
        let mut bench = Bench::serial(Plan::Modbus(plan.clone()));
        let mut device = Device { words: [(0, 1), (100, 2)].into(), ..Device::default() };
        let answer = bench.poll(&target, &mut |frame| match beat(frame) && is_taken {
            true => frame.to_vec(),
            false => device.answer(frame),
        });
        assert_eq!(answer.units[0].values, [unsigned(1), unsigned(2)], "taken: {is_taken}");
        assert_eq!(bench.sent.iter().map(|sent| beat(sent)).collect::<Vec<_>>(), [false, false, true]);
    }
    let mut bench = Bench::serial(Plan::Modbus(plan));
    bench.poll(&target, &mut |_| Vec::new());
    assert!(!bench.sent.iter().any(|sent| beat(sent)));
}

#[test]
fn commands() {
    let plan = Registers_::new(vec![point(Table::Coil, 0, Type::Unsigned(1))]);
    let mut bench = Bench::serial(Plan::Modbus(plan));
    let mut device = Device { bits: [(0, false)].into(), ..Device::default() };
    let target = Target::single(Unit(1), 1);
    let say = |pdu: &str| Order {
        member: target.members[0].clone(),
        say: Say::Modbus { pdu: hex(pdu), own_len: 1, timeout_ms: 1_000, rest_ms: 0 },
    };
    // One copy may be the echo: only reading back proves it.
    let ordered = bench.order(&say("050000FF00"), &mut |frame| device.answer(frame));
    assert_eq!(ordered.sent, hex("01050000FF008C3A"));
    assert_eq!(ordered.verdict, Verdict::Unproven);
    let answer = bench.poll(&target, &mut |frame| device.answer(frame));
    assert_eq!(answer.units[0].values, [unsigned(1)]);
    // Function 15 confirms without a copy.
    let ordered = bench.order(&say("0F0000000101 00"), &mut |frame| device.answer(frame));
    assert_eq!(ordered.verdict, Verdict::Acknowledged);
    let ordered = bench.order(&say("050009FF00"), &mut |frame| device.answer(frame));
    assert_eq!(ordered.verdict, Verdict::Refused(Absence::Unsupported));
    let ordered = bench.order(&say("050000FF00"), &mut |_| Vec::new());
    assert_eq!(ordered.verdict, Verdict::Failed(Absence::Timeout));
    // The meter's own function; its answer is a copy as well.
    let reset = [("01428011", "01428011")];
    assert_eq!(bench.order(&say("42"), &mut script(&reset)).verdict, Verdict::Unproven);
    let refused = bench.order(&say("42"), &mut |frame| {
        let body = [frame[0], 0xc2, 4];
        [&body[..], &roundsman_rtu::crc::crc16(&body).to_le_bytes()].concat()
    });
    assert_eq!(refused.verdict, Verdict::Refused(Absence::Invalid));
}
