//! The sensors on I²C and UART, octet by octet, on the numbers of their datasheets.

use embedded_hal::i2c::ErrorKind;
use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
use proptest::prelude::*;
use roundsman_probe::driver::ina::Supply;
use roundsman_probe::driver::pms::{Dust, Pms};
use roundsman_probe::driver::sensirion::{Fault, crc8};
use roundsman_probe::driver::sht::{self, Climate, Sht};
use roundsman_probe::driver::sps30::{self, ADDRESS};
use roundsman_probe::driver::{ads, ina};

/// A frame as the data manual lays it out: 12 and 20 µg/m³ at octets 12 and 14.
fn pms_frame() -> [u8; 32] {
    let mut frame = [0; 32];
    frame[..4].copy_from_slice(&[0x42, 0x4d, 0, 28]);
    frame[13] = 12;
    frame[15] = 20;
    let sum: u16 = frame.iter().map(|octet| u16::from(*octet)).sum();
    frame[30..].copy_from_slice(&sum.to_be_bytes());
    frame
}

#[test]
fn pms5003_finds_its_frame_behind_noise_and_checks_the_sum() {
    let mut pms = Pms::new();
    let mut line = vec![0x42, 0x42, 0x4d, 0, 28, 9, 9];
    line.extend([0x11; 40]);
    let mut bad = pms_frame();
    bad[13] = 13;
    line.extend(bad);
    line.extend(pms_frame());
    let dust: Vec<Dust> = line.iter().filter_map(|octet| pms.octet(*octet)).collect();
    assert_eq!(dust, [Dust { pm25: 12, pm10: 20 }]);
}

proptest! {
    #[test]
    fn pms5003_bears_any_octets(noise in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut pms = Pms::new();
        for octet in noise {
            pms.octet(octet);
        }
        // Noise may look like a frame's beginning; at most one frame is lost to it.
        let found = (0..2).flat_map(|_| pms_frame()).filter_map(|octet| pms.octet(octet)).count();
        prop_assert!(found >= 1);
    }
}

#[test]
fn sps30_starts_waits_reads_and_checks() {
    // 8, 12, 16 and 20 µg/m³.
    let mass = [0, 8, 0x38, 0, 12, 0xfc, 0, 16, 0xc2, 0, 20, 0x6];
    let expected = [
        Transaction::write(ADDRESS, vec![0x00, 0x10, 0x05, 0x00, 0xf6]),
        Transaction::write(ADDRESS, vec![0x02, 0x02]),
        Transaction::read(ADDRESS, vec![0, 0, 0x81]),
        Transaction::write(ADDRESS, vec![0x02, 0x02]),
        Transaction::read(ADDRESS, vec![0, 1, 0xb0]),
        Transaction::write(ADDRESS, vec![0x03, 0x00]),
        Transaction::read(ADDRESS, mass.to_vec()),
        Transaction::write(ADDRESS, vec![0x02, 0x02]),
        Transaction::read(ADDRESS, vec![0, 1, 0xb1]),
        Transaction::write(ADDRESS, vec![0x02, 0x02]).with_error(ErrorKind::Other),
    ];
    let mut bus = Mock::new(&expected);
    assert_eq!(sps30::start(&mut bus), Ok(()));
    assert_eq!(sps30::read(&mut bus), Ok(None));
    assert_eq!(sps30::read(&mut bus), Ok(Some(Dust { pm25: 12, pm10: 20 })));
    assert_eq!(sps30::read(&mut bus), Err(Fault::Crc));
    assert_eq!(sps30::read(&mut bus), Err(Fault::Bus(ErrorKind::Other)));
    bus.done();
}

const SHT4X: u8 = 0xfd;
const SHT3X: [u8; 2] = [0x2c, 0x06];
/// Orders that turn on the heater of an SHT4x (its datasheet, table 7).
const HEATERS: [u8; 6] = [0x39, 0x32, 0x2f, 0x24, 0x1e, 0x15];

/// Two words, each with its checksum.
fn words(temperature: u16, humidity: u16) -> Vec<u8> {
    [temperature, humidity]
        .into_iter()
        .flat_map(|word| {
            let octets = word.to_be_bytes();
            [octets[0], octets[1], crc8(&octets)]
        })
        .collect()
}

#[test]
fn checksum_of_the_datasheet() {
    assert_eq!(crc8(&[0xbe, 0xef]), 0x92);
}

#[test]
fn sht_of_either_kind_is_found_and_kept() {
    let nack = ErrorKind::NoAcknowledge(embedded_hal::i2c::NoAcknowledgeSource::Unknown);
    let at = sht::ADDRESSES[0];
    let mut spoiled = words(0x6666, 0x8000);
    spoiled[5] ^= 1;
    let mut bus = Mock::new(&[
        // An SHT3x refuses what an SHT4x would understand.
        Transaction::write(at, vec![SHT4X]).with_error(nack),
        Transaction::write(at, SHT3X.to_vec()),
        Transaction::read(at, words(0x6666, 0x8000)),
        // One wrong octet changes nothing about what it is.
        Transaction::write(at, SHT3X.to_vec()),
        Transaction::read(at, spoiled),
        Transaction::write(at, SHT3X.to_vec()),
        Transaction::read(at, words(0, 0xffff)),
    ]);
    let mut sensor = Sht::new(at);
    let mut measure = || {
        sensor.start(&mut bus);
        (sensor.read(&mut bus), sensor.known())
    };
    assert_eq!(measure(), (None, false));
    assert_eq!(measure(), (Some(Climate { decicelsius: 250, permille: 500 }), true));
    assert_eq!(measure(), (None, true));
    assert_eq!(measure(), (Some(Climate { decicelsius: -450, permille: 1_000 }), true));
    bus.done();
}

#[test]
fn sht4x_cuts_its_humidity_off_and_is_asked_anew_when_another_is_put_in() {
    let at = sht::ADDRESSES[1];
    let lost = ErrorKind::Bus;
    let mut bus = Mock::new(&[
        Transaction::write(at, vec![SHT4X]),
        Transaction::read(at, words(0x6666, 0x8000)),
        Transaction::write(at, vec![SHT4X]),
        Transaction::read(at, words(0xffff, 0)),
        Transaction::write(at, vec![SHT4X]),
        Transaction::read(at, words(0xbeef, 0xffff)),
        Transaction::write(at, vec![SHT4X]).with_error(lost),
        Transaction::write(at, vec![SHT4X]).with_error(lost),
        Transaction::write(at, vec![SHT4X]).with_error(lost),
        Transaction::write(at, SHT3X.to_vec()),
    ]);
    let mut sensor = Sht::new(at);
    for (decicelsius, permille) in [(250, 565), (1_300, 0), (855, 1_000)] {
        sensor.start(&mut bus);
        assert_eq!(sensor.read(&mut bus), Some(Climate { decicelsius, permille }));
    }
    for known in [true, true, false] {
        sensor.start(&mut bus);
        assert_eq!((sensor.read(&mut bus), sensor.known()), (None, known));
    }
    sensor.start(&mut bus);
    bus.done();
    assert!(!HEATERS.contains(&SHT3X[0]), "asked as an SHT3x, an SHT4x would heat itself");
}

/// What a register of an INA reads.
fn ina_register(register: u8, value: u16) -> Transaction {
    Transaction::write_read(ina::ADDRESS, vec![register], value.to_be_bytes().to_vec())
}

#[test]
fn ina219_and_ina226_on_the_example_of_their_datasheets() {
    // 11.98 V, and 20 mV over the shunt (SBOS448G table 8, SBOS547B table 5); no maker register in an INA219.
    let supply = Supply { centivolt: 1_198, milliampere: 2_000 };
    for (maker, shunt, voltage, expected) in [
        (0xffff, 0x07d0, 0x5d98, supply),
        (0x5449, 0x1f40, 0x2570, supply),
        // An offset below zero is none, a current that flows back is one.
        (0x399f, 0xfffe, 0x5d98, Supply { milliampere: 0, ..supply }),
        (0x5449, 0xe0c0, 0x2570, Supply { milliampere: -2_000, ..supply }),
    ] {
        let mut bus =
            Mock::new(&[ina_register(0xfe, maker), ina_register(0x01, shunt), ina_register(0x02, voltage)]);
        assert_eq!(ina::read(&mut bus, 10), Ok(expected));
        bus.done();
    }
    let gone = ErrorKind::Bus;
    let mut bus = Mock::new(&[
        ina_register(0xfe, 0x5449),
        ina_register(0x01, 0x1f40),
        ina_register(0x02, 0).with_error(gone),
    ]);
    assert_eq!(ina::read(&mut bus, 10), Err(gone));
    bus.done();
}

#[test]
fn ads1115_waits_for_its_conversion_but_not_for_ever() {
    let asked = |config: u8| Transaction::write_read(ads::ADDRESS, vec![1], vec![config, 0xe3]);
    let begun = |input: u8| Transaction::write(ads::ADDRESS, vec![1, 0xc3 | input << 4, 0xe3]);
    let result = |steps: u16| Transaction::write_read(ads::ADDRESS, vec![0], steps.to_be_bytes().to_vec());
    let mut bus = Mock::new(&[
        begun(0),
        asked(0x43),
        asked(0xc3),
        result(0x7fff),
        begun(3),
        asked(0xf3),
        result(0xffff),
    ]);
    assert_eq!(ads::read(&mut bus, 0), Ok(4_095_875));
    assert_eq!(ads::read(&mut bus, 3), Ok(-125));
    bus.done();
    let mut never = vec![begun(1)];
    never.extend((0..8).map(|_| asked(0x53)));
    let mut bus = Mock::new(&never);
    assert_eq!(ads::read(&mut bus, 1), Err(ads::Fault::Busy));
    bus.done();
}
