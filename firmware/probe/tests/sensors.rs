//! The dust sensors, octet by octet.

use embedded_hal::i2c::ErrorKind;
use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
use proptest::prelude::*;
use roundsman_probe::driver::pms::{Dust, Pms};
use roundsman_probe::driver::sps30::{ADDRESS, Fault, Sps30};

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
    let mut sensor = Sps30::new(bus.clone());
    assert_eq!(sensor.start(), Ok(()));
    assert_eq!(sensor.read(), Ok(None));
    assert_eq!(sensor.read(), Ok(Some(Dust { pm25: 12, pm10: 20 })));
    assert_eq!(sensor.read(), Err(Fault::Crc));
    assert_eq!(sensor.read(), Err(Fault::Bus(ErrorKind::Other)));
    bus.done();
}
