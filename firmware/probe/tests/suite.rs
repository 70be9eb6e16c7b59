//! All sensors of a board on one simulated bus: plugged in, pulled out, put back.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, NoAcknowledgeSource, Operation};
use roundsman_probe::driver::pms::Dust;
use roundsman_probe::driver::sensirion::crc8;
use roundsman_probe::driver::suite::Suite;
use roundsman_probe::driver::{ads, ina, sps30};
use roundsman_probe::filter::Reading;
use roundsman_registers::{CHANNELS, Channel};

/// What is on the bus. Each answers as long as it is there.
#[derive(Default)]
struct Room {
    /// SHT4x at the one address, SHT3x at the other: raw temperature and humidity.
    sht4x: Option<(u16, u16)>,
    sht3x: Option<(u16, u16)>,
    measured: [bool; 2],
    /// INA226: raw shunt and bus voltage.
    ina226: Option<(u16, u16)>,
    /// ADS1115: raw inputs.
    ads: Option<[i16; 4]>,
    input: usize,
    /// SPS30: what it weighs, once it is started.
    sps: Option<(u16, u16)>,
    weighs: bool,
    starts: usize,
    pointer: Vec<u8>,
}

#[derive(Clone, Default)]
struct Bus(Rc<RefCell<Room>>);

const NACK: ErrorKind = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Unknown);

fn words(values: &[u16]) -> Vec<u8> {
    let mut octets = Vec::new();
    for value in values {
        octets.extend(value.to_be_bytes());
        octets.push(crc8(&value.to_be_bytes()));
    }
    octets
}

impl Room {
    fn write(&mut self, address: u8, octets: &[u8]) -> Option<()> {
        match (address, octets) {
            (0x44, [0xfd]) => self.measured[0] = self.sht4x.is_some(),
            (0x45, [0x2c, 0x06]) => self.measured[1] = self.sht3x.is_some(),
            (ads::ADDRESS, [1, high, 0xe3]) => self.input = usize::from(high >> 4 & 3),
            (sps30::ADDRESS, [0x00, 0x10, ..]) => {
                self.starts += 1;
                self.sps.filter(|_| !self.weighs)?;
                self.weighs = true;
            }
            _ => {}
        }
        self.pointer = octets.to_vec();
        match address {
            0x44 => (octets == [0xfd] && self.sht4x.is_some()).then_some(()),
            0x45 => (octets == [0x2c, 0x06] && self.sht3x.is_some()).then_some(()),
            ina::ADDRESS => self.ina226.map(drop),
            ads::ADDRESS => self.ads.map(drop),
            sps30::ADDRESS => self.sps.map(drop),
            _ => None,
        }
    }

    fn read(&mut self, address: u8) -> Option<Vec<u8>> {
        match (address, &self.pointer[..]) {
            (0x44, _) => self.sht4x.filter(|_| self.measured[0]).map(|(one, other)| words(&[one, other])),
            (0x45, _) => self.sht3x.filter(|_| self.measured[1]).map(|(one, other)| words(&[one, other])),
            (ina::ADDRESS, [0xfe]) => Some(vec![0x54, 0x49]),
            (ina::ADDRESS, [1]) => self.ina226.map(|raw| raw.0.to_be_bytes().to_vec()),
            (ina::ADDRESS, [2]) => self.ina226.map(|raw| raw.1.to_be_bytes().to_vec()),
            (ads::ADDRESS, [1]) => Some(vec![0xc3, 0xe3]),
            (ads::ADDRESS, [0]) => self.ads.map(|raw| raw[self.input].to_be_bytes().to_vec()),
            (sps30::ADDRESS, [2, 2]) => Some(words(&[u16::from(self.weighs)])),
            (sps30::ADDRESS, [3, 0]) => self.sps.map(|dust| words(&[1, dust.0, 2, dust.1])),
            _ => None,
        }
    }
}

impl ErrorType for Bus {
    type Error = ErrorKind;
}

impl I2c for Bus {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        let mut room = self.0.borrow_mut();
        for operation in operations {
            match operation {
                Operation::Write(octets) => room.write(address, octets).ok_or(NACK)?,
                Operation::Read(into) => into.copy_from_slice(&room.read(address).ok_or(NACK)?),
            }
        }
        Ok(())
    }
}

/// Everything plugged in, at 23.1 Cel and 45.6 %, 30.5 Cel and 38 %, 11.98 V and 2 A, 48.1 V, 1.8 m/s.
fn full() -> Bus {
    let room = Room {
        sht4x: Some((25_502, 27_053)),
        sht3x: Some((28_274, 24_903)),
        ina226: Some((0x1f40, 0x2570)),
        ads: Some([20_253, 1_800, 0, 0]),
        sps: Some((12, 20)),
        ..Room::default()
    };
    Bus(Rc::new(RefCell::new(room)))
}

fn sample(suite: &mut Suite<Bus>, thermometer: Reading) -> [Reading; CHANNELS] {
    let mut readings = [Reading::Pending; CHANNELS];
    suite.start();
    suite.read(thermometer, &mut readings);
    readings
}

const FANS: [Channel; 4] = [Channel::Fan1, Channel::Fan2, Channel::Fan3, Channel::Fan4];

#[test]
fn every_sensor_reaches_its_channel() {
    let bus = full();
    let mut suite = Suite::new(bus.clone());
    // The second address is asked as an SHT4x first, and the dust sensor is being started.
    sample(&mut suite, Reading::Failed);
    assert_eq!(bus.0.borrow().starts, 1);
    let readings = sample(&mut suite, Reading::Value(999));
    let expected = [231, 305, 456, 380, 12, 20, 1_198, 4_810, 2_000, 0, 0, 0, 0, 180].map(Reading::Value);
    for channel in Channel::ALL {
        let at = channel.index();
        let expected = if FANS.contains(&channel) { Reading::Pending } else { expected[at] };
        assert_eq!(readings[at], expected, "{channel:?}");
    }
}

#[test]
fn what_is_pulled_out_fails_alone_and_comes_back() {
    let bus = full();
    let mut suite = Suite::new(bus.clone());
    sample(&mut suite, Reading::Failed);
    type Pull = fn(&mut Room);
    let cases: [(Pull, &[Channel]); 5] = [
        (|room| room.sht4x = None, &[Channel::Temperature1, Channel::Humidity1]),
        (|room| room.sht3x = None, &[Channel::Temperature2, Channel::Humidity2]),
        (|room| room.ina226 = None, &[Channel::Supply12, Channel::Current]),
        (|room| room.ads = None, &[Channel::Supply48, Channel::Airflow]),
        (|room| (room.sps, room.weighs) = (None, false), &[Channel::Pm25, Channel::Pm10]),
    ];
    for (pull, lost) in cases {
        let good = sample(&mut suite, Reading::Failed);
        pull(&mut bus.0.borrow_mut());
        for _ in 0..4 {
            let readings = sample(&mut suite, Reading::Failed);
            for channel in Channel::ALL {
                let at = channel.index();
                let expected = if lost.contains(&channel) { Reading::Failed } else { good[at] };
                assert_eq!(readings[at], expected, "{channel:?}");
            }
        }
        let all = full().0.take();
        let mut room = bus.0.borrow_mut();
        (room.sht4x, room.sht3x, room.ina226, room.ads, room.sps) =
            (all.sht4x, all.sht3x, all.ina226, all.ads, all.sps);
        drop(room);
        // Put back, the dust sensor waits to be started, which is tried every 30 readings.
        let back = (0..70).any(|_| sample(&mut suite, Reading::Failed) == good);
        assert!(back, "{lost:?}");
    }
}

#[test]
fn the_thermometer_on_1_wire_stands_in_for_a_second_sensor() {
    let bus = full();
    bus.0.borrow_mut().sht3x = None;
    let mut suite = Suite::new(bus.clone());
    for thermometer in [Reading::Pending, Reading::Value(251), Reading::Failed] {
        let readings = sample(&mut suite, thermometer);
        assert_eq!(readings[Channel::Temperature2.index()], thermometer);
        assert_eq!(readings[Channel::Humidity2.index()], Reading::Failed);
    }
}

#[test]
fn dust_of_the_uart_goes_first_and_its_pauses_are_no_failures() {
    let bus = full();
    bus.0.borrow_mut().sps = None;
    let mut suite = Suite::new(bus.clone());
    let at = Channel::Pm25.index();
    for _ in 0..10 {
        suite.dust(Dust { pm25: 7, pm10: 9 });
        assert_eq!(sample(&mut suite, Reading::Failed)[at..=at + 1], [Reading::Value(7), Reading::Value(9)]);
        for _ in 0..20 {
            assert_eq!(sample(&mut suite, Reading::Failed)[at], Reading::Pending);
        }
    }
    // It falls silent for good.
    let failed = (0..40).filter(|_| sample(&mut suite, Reading::Failed)[at] == Reading::Failed).count();
    assert!(failed >= 3, "{failed}");
}

#[test]
fn a_dust_sensor_that_lost_its_supply_is_started_again() {
    let bus = full();
    let mut suite = Suite::new(bus.clone());
    sample(&mut suite, Reading::Failed);
    sample(&mut suite, Reading::Failed);
    bus.0.borrow_mut().weighs = false;
    let back =
        (0..40).any(|_| sample(&mut suite, Reading::Failed)[Channel::Pm25.index()] == Reading::Value(12));
    assert!(back && bus.0.borrow().starts == 2);
}
