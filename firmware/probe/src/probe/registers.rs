//! The board as Modbus registers.

use roundsman_registers::{
    CHANNELS, COILS, CONFIG, CONFIGS, Channel, DISCRETES, INPUTS, MAGIC, MAKER, MAP_CURRENT, MAP_MIN,
    PRODUCT, QUALITY, RELAYS, VALUE, command,
};
use roundsman_rtu::exception::Exception;
use roundsman_rtu::slave::{BitTable, Registers, WordTable};
use roundsman_rtu::values::{Bits, Words};

use super::Probe;
use crate::config::{Config, Flash, Refused};
use crate::output::Held;

/// Major and minor version of the firmware in one register, and its patch level: 0.1.0.
const VERSION: (u16, u16) = (0x0001, 0);
/// What FC 43/14 says: maker, product code, revision.
const IDENTIFICATION: [&str; 3] = [MAKER, PRODUCT, "0.1.0"];

impl From<Held> for Exception {
    fn from(_: Held) -> Exception {
        Exception::Busy
    }
}

impl From<Refused> for Exception {
    fn from(_: Refused) -> Exception {
        Exception::IllegalValue
    }
}

impl<F: Flash> Probe<F> {
    fn input(&self, address: u16) -> u16 {
        let channel = |first: u16| Channel::ALL.get(usize::from(address.wrapping_sub(first))).copied();
        if let Some(channel) = channel(VALUE) {
            return self.value(channel).map_or(channel.sentinel(), |value| value as u16);
        }
        if let Some(channel) = channel(QUALITY) {
            return self.quality(channel) as u16;
        }
        let [low, high, other] = self.alarms();
        match address {
            0 => MAGIC,
            1 => MAP_CURRENT,
            2 => MAP_MIN,
            3 => self.identity.board,
            4 => (self.identity.serial >> 16) as u16,
            5 => self.identity.serial as u16,
            6 => VERSION.0,
            7 => VERSION.1,
            8 => (self.uptime.1 >> 16) as u16,
            9 => self.uptime.1 as u16,
            10 => self.identity.reset as u16,
            11 => low,
            12 => high,
            13 => other,
            14 => self.vitals_word(),
            15 => u16::try_from(self.heartbeat_age_ms / 1_000).unwrap_or(u16::MAX),
            16 => self.heartbeat,
            17 => self.saved.generation as u16,
            60 => self.counters.frames,
            61 => self.counters.damaged,
            62 => self.counters.exceptions,
            63 => self.counters.foreign,
            64 => self.counters.broadcasts,
            65 => self.counters.sensor_errors,
            66 => self.counters.saves,
            67 => self.counters.save_failures,
            70 => self.discretes(),
            71 => self.coils(),
            _ => 0,
        }
    }

    fn vitals_word(&self) -> u16 {
        let period = self.period_ms();
        u16::from(self.identity.watchdog)
            | u16::from(self.vitals.sampling(period)) << 1
            | u16::from(self.vitals.serving()) << 2
    }

    fn discretes(&self) -> u16 {
        let any = self.alarms() != [0; 3];
        self.inputs
            | u16::from(any) << 12
            | u16::from(self.heartbeat_lost()) << 13
            | u16::from(self.sensor_lost()) << 14
            | u16::from(self.config_fault) << 15
    }

    fn coils(&self) -> u16 {
        let shown = self.shown();
        shown.relays | u16::from(shown.buzzer) << 4 | u16::from(shown.lamp) << 5
    }

    fn obey(&mut self, order: u16) -> Result<(), Exception> {
        match order {
            command::SAVE if self.save() => {}
            command::SAVE => return Err(Exception::DeviceFailure),
            command::DEFAULTS => self.config = Config::default(),
            command::SILENCE => self.silence(),
            command::CLEAR_COUNTERS => self.counters = super::Counters::default(),
            command::RESET => self.restart = true,
            _ => return Err(Exception::IllegalValue),
        }
        Ok(())
    }

    /// One of the registers that act at once.
    fn act(&mut self, address: u16, value: u16) -> Result<(), Exception> {
        match address {
            0 => {
                self.heartbeat = value;
                self.heartbeat_age_ms = 0;
                Ok(())
            }
            1..=4 if value > 6_000 => Err(Exception::IllegalValue),
            1..=4 => {
                let hold_off = self.hold_off_ms();
                Ok(self.relays.pulse(usize::from(address - 1), u32::from(value) * 100, hold_off)?)
            }
            5 => self.obey(value),
            _ => Err(Exception::IllegalAddress),
        }
    }
}

impl<F: Flash> Registers for Probe<F> {
    fn bit(&mut self, table: BitTable, address: u16) -> Result<bool, Exception> {
        let (bits, count) = match table {
            BitTable::Coils => (self.coils(), COILS),
            BitTable::DiscreteInputs => (self.discretes(), DISCRETES),
        };
        if address < count { Ok(bits >> address & 1 == 1) } else { Err(Exception::IllegalAddress) }
    }

    fn word(&mut self, table: WordTable, address: u16) -> Result<u16, Exception> {
        match table {
            WordTable::Input if address < INPUTS => Ok(self.input(address)),
            WordTable::Holding => match address {
                0 => Ok(self.heartbeat),
                1..=4 => Ok((self.relays.left_ms(usize::from(address - 1)).div_ceil(100)) as u16),
                5 => Ok(0),
                _ if (CONFIG..CONFIG + CONFIGS).contains(&address) => Ok(self.config.word(address)),
                _ => Err(Exception::IllegalAddress),
            },
            WordTable::Input => Err(Exception::IllegalAddress),
        }
    }

    /// Relays first: they alone may refuse, so a refusal changes nothing.
    fn write_bits(&mut self, address: u16, values: Bits<'_>) -> Result<(), Exception> {
        let end = u32::from(address) + u32::from(values.count());
        if self.broadcast || end > u32::from(COILS) {
            return Err(Exception::IllegalAddress);
        }
        let on = values
            .iter()
            .enumerate()
            .fold(0_u16, |on, (at, is)| on | u16::from(is) << (usize::from(address) + at));
        let mask = ((1_u16 << values.count()) - 1) << address;
        let relays = mask & ((1 << RELAYS) - 1);
        let hold_off = self.hold_off_ms();
        if relays != 0 {
            self.relays.set(relays, on, hold_off)?;
        }
        if mask >> 4 & 1 == 1 {
            if on >> 4 & 1 == 1 {
                self.sounding = true;
            } else {
                self.silence();
            }
        }
        if mask >> 5 & 1 == 1 {
            self.locate = on >> 5 & 1 == 1;
        }
        Ok(())
    }

    /// The registers that act at once are written one by one, so that none of several has acted when another refuses.
    /// By broadcast, only the heartbeat: a relay or a setting that changes on every board at once and says nothing back
    /// is not safe.
    fn write_words(&mut self, address: u16, values: Words<'_>) -> Result<(), Exception> {
        if self.broadcast && (address != 0 || values.count() != 1) {
            return Err(Exception::IllegalAddress);
        }
        match (address, values.count(), values.get(0)) {
            (0..=5, 1, Some(value)) => self.act(address, value),
            _ if address >= CONFIG
                && u32::from(address) + u32::from(values.count()) <= u32::from(CONFIG + CONFIGS) =>
            {
                Ok(self.config.write(address, values.iter())?)
            }
            _ => Err(Exception::IllegalAddress),
        }
    }

    fn identification(&mut self, object: u8) -> Option<&[u8]> {
        IDENTIFICATION.get(usize::from(object)).map(|text| text.as_bytes())
    }
}

const _: () = assert!(VALUE as usize + CHANNELS <= QUALITY as usize);
