//! All sensors of a board, whichever are plugged in: what each says goes to its channels.

use embedded_hal::i2c::I2c;
use roundsman_registers::{CHANNELS, Channel};

use super::pms::Dust;
use super::sht::{self, Sht};
use super::{ads, ina, sps30};
use crate::filter::Reading;

/// Time from [`Suite::start`] to [`Suite::read`] in ms.
pub const CONVERSION_MS: u32 = sht::CONVERSION_MS;
/// Shunt of the 12 V supply in mOhm.
pub const SHUNT_MOHM: i32 = 10;
/// The 48 V supply comes through 180 kOhm and 10 kOhm.
const DIVIDER_48: i32 = 19;
/// The air flow transmitter's 0 to 10 V mean 0 to 20 m/s and come through 30 kOhm and 10 kOhm: so many µV to 0.01 m/s.
const MICROVOLT_AIRFLOW: i32 = 1_250;
/// Readings without dust after which the sensor is started again, and said to have failed. It measures once a second.
const SILENT: u8 = 30;

const INPUT_48: u8 = 0;
const INPUT_AIRFLOW: u8 = 1;

/// The sensors on I²C, with what others heard.
#[derive(Debug)]
pub struct Suite<I> {
    bus: I,
    climates: [Sht; 2],
    /// Of the UART's dust sensor, since the last reading.
    heard: Option<Dust>,
    /// Whether that sensor is the one that is plugged in.
    by_uart: bool,
    /// Readings since dust was known.
    silent: u8,
}

impl<I: I2c> Suite<I> {
    /// Sensors that were never asked.
    pub fn new(bus: I) -> Suite<I> {
        Suite { bus, climates: sht::ADDRESSES.map(Sht::new), heard: None, by_uart: false, silent: SILENT }
    }

    /// The dust sensor on the UART said this; it goes before the one on I²C.
    pub fn dust(&mut self, dust: Dust) {
        self.heard = Some(dust);
    }

    /// Starts what has to be started.
    pub fn start(&mut self) {
        for climate in &mut self.climates {
            climate.start(&mut self.bus);
        }
    }

    /// What all of them say, [`CONVERSION_MS`] after the start; fans are left alone. `thermometer` is the 1-Wire
    /// sensor's reading: it is temperature 2 where no second sensor on I²C has answered.
    pub fn read(&mut self, thermometer: Reading, readings: &mut [Reading; CHANNELS]) {
        let mut set = |channel: Channel, reading| readings[channel.index()] = reading;
        let places =
            [(Channel::Temperature1, Channel::Humidity1), (Channel::Temperature2, Channel::Humidity2)];
        for (climate, (temperature, humidity)) in self.climates.iter_mut().zip(places) {
            let said = climate.read(&mut self.bus);
            set(temperature, reading(said.map(|said| said.decicelsius)));
            set(humidity, reading(said.map(|said| said.permille)));
        }
        if !self.climates[1].known() {
            set(Channel::Temperature2, thermometer);
        }
        let supply = ina::read(&mut self.bus, SHUNT_MOHM).ok();
        set(Channel::Supply12, reading(supply.map(|supply| supply.centivolt)));
        set(Channel::Current, reading(supply.map(|supply| supply.milliampere)));
        let supply_48 = ads::read(&mut self.bus, INPUT_48).ok();
        set(Channel::Supply48, reading(supply_48.map(|microvolt| microvolt * DIVIDER_48 / 10_000)));
        let airflow = ads::read(&mut self.bus, INPUT_AIRFLOW).ok();
        set(Channel::Airflow, reading(airflow.map(|microvolt| (microvolt / MICROVOLT_AIRFLOW).max(0))));
        let (pm25, pm10) = self.read_dust();
        set(Channel::Pm25, pm25);
        set(Channel::Pm10, pm10);
    }

    fn read_dust(&mut self) -> (Reading, Reading) {
        let said = match self.heard.take() {
            Some(dust) => {
                self.by_uart = true;
                Ok(Some(dust))
            }
            // It says something every 0.2 to 2.3 s.
            None if self.by_uart => {
                self.by_uart = self.silent < SILENT;
                Ok(None)
            }
            None if self.silent >= SILENT => {
                self.silent = 0;
                // After power on, or when it lost its supply; one that measures refuses it.
                let _ = sps30::start(&mut self.bus);
                Err(())
            }
            None => sps30::read(&mut self.bus).map_err(drop),
        };
        match said {
            Ok(Some(dust)) => {
                self.silent = 0;
                (Reading::Value(dust.pm25.into()), Reading::Value(dust.pm10.into()))
            }
            other => {
                self.silent = self.silent.saturating_add(1);
                let reading = if other.is_ok() { Reading::Pending } else { Reading::Failed };
                (reading, reading)
            }
        }
    }
}

fn reading(value: Option<i32>) -> Reading {
    value.map_or(Reading::Failed, Reading::Value)
}
