//! Settings: the holding registers that are kept, and the two slots of flash that keep them.

use roundsman_registers::{CONFIG, CONFIGS, Channel, LIMIT, OFFSET, POINTS, Space, Type};

use crate::alarm::Limits;
use crate::filter::Filter;

const WORDS: usize = CONFIGS as usize;

/// What a register takes.
#[derive(Clone, Copy)]
struct Rule {
    least: i32,
    most: i32,
    signed: bool,
    sentinel: Option<u16>,
}

/// The map's limits without its texts, so that the board's flash does not hold these.
static RULES: [Rule; WORDS] = rules();

const fn rules() -> [Rule; WORDS] {
    // A reserved register takes 0.
    let mut rules = [Rule { least: 0, most: 0, signed: false, sentinel: None }; WORDS];
    let mut at = 0;
    while at < POINTS.len() {
        let point = &POINTS[at];
        if matches!(point.space, Space::Holding)
            && point.address >= CONFIG
            && let Some((least, most)) = point.writable
        {
            let signed = matches!(point.kind, Type::I16);
            rules[(point.address - CONFIG) as usize] = Rule { least, most, signed, sentinel: point.sentinel };
        }
        at += 1;
    }
    rules
}

/// Settings of one register each, by their holding register.
pub mod setting {
    /// Unit, 1 to 247.
    pub const UNIT: u16 = 20;
    /// Line speed in 100 Bd.
    pub const BAUD: u16 = 21;
    /// Time between samples in ms.
    pub const PERIOD: u16 = 22;
    /// Median window, odd.
    pub const WINDOW: u16 = 23;
    /// Shift of the mean.
    pub const SHIFT: u16 = 24;
    /// Warm-up in s.
    pub const WARM_UP: u16 = 25;
    /// Debounce in ms.
    pub const DEBOUNCE: u16 = 26;
    /// Heartbeat timeout in s, 0 never.
    pub const HEARTBEAT: u16 = 27;
    /// Relays with a safe state, bits.
    pub const SAFE_RELAYS: u16 = 28;
    /// Their safe state, bits.
    pub const SAFE_STATE: u16 = 29;
    /// Relays at boot, bits.
    pub const BOOT_STATE: u16 = 30;
    /// Hold-off in 0.1 s.
    pub const HOLD_OFF: u16 = 31;
    /// What alarms drive: bit 0 buzzer, 1 lamp.
    pub const OUTPUTS: u16 = 32;
    /// Bits of `alarm-other` that drive the outputs.
    pub const MASK: u16 = 33;
    /// Tachometer pulses of a revolution.
    pub const PULSES: u16 = 34;
    /// Inverted contacts, bits.
    pub const INVERTED: u16 = 35;
    /// Fitted channels, bits.
    pub const FITTED: u16 = 36;
}

/// The settings in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    words: [u16; WORDS],
}

/// Defaults of the registers from [`CONFIG`] on.
const SETTINGS: [u16; 17] = [1, 96, 1_000, 5, 2, 5, 50, 120, 0, 0, 0, 10, 3, 0x1d, 2, 0, 0x3fff];

/// Default limits: low, high, hysteresis. Inlet 18 to 27 Cel and at most 60 %, elsewhere 5 to 45 Cel and 8 to 80 %
/// (GB 50174-2017, annex A); supplies within about 10 %. What has no limit of its own waits for the site.
const fn default_limits(channel: Channel) -> (Option<i16>, Option<i16>, u16) {
    match channel {
        Channel::Temperature1 => (Some(180), Some(270), 5),
        Channel::Temperature2 => (Some(50), Some(450), 10),
        Channel::Humidity1 => (Some(80), Some(600), 20),
        Channel::Humidity2 => (Some(80), Some(800), 20),
        Channel::Supply12 => (Some(1_080), Some(1_320), 20),
        Channel::Supply48 => (Some(4_300), Some(5_700), 50),
        Channel::Pm25 | Channel::Pm10 | Channel::Current | Channel::Airflow => (None, None, 0),
        Channel::Fan1 | Channel::Fan2 | Channel::Fan3 | Channel::Fan4 => (None, None, 100),
    }
}

impl Default for Config {
    fn default() -> Config {
        let mut words = [0; WORDS];
        words[..SETTINGS.len()].copy_from_slice(&SETTINGS);
        for channel in Channel::ALL {
            let (low, high, hysteresis) = default_limits(channel);
            let at = usize::from(LIMIT - CONFIG) + 3 * channel.index();
            words[at] = low.map_or(channel.sentinel(), |low| low as u16);
            words[at + 1] = high.map_or(channel.sentinel(), |high| high as u16);
            words[at + 2] = hysteresis;
        }
        Config { words }
    }
}

/// A register does not take a value, or the values contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

impl Config {
    /// What a register holds; registers outside read 0.
    pub fn word(&self, address: u16) -> u16 {
        let at = usize::from(address.wrapping_sub(CONFIG));
        self.words.get(at).copied().unwrap_or(0)
    }

    /// Writes registers from `address` on: all or none.
    pub fn write(&mut self, address: u16, values: impl Iterator<Item = u16>) -> Result<(), Refused> {
        let mut next = *self;
        let first = usize::from(address.checked_sub(CONFIG).ok_or(Refused)?);
        for (at, value) in (first..).zip(values) {
            *next.words.get_mut(at).ok_or(Refused)? = value;
        }
        next.check()?;
        *self = next;
        Ok(())
    }

    fn check(&self) -> Result<(), Refused> {
        for (word, rule) in self.words.iter().zip(&RULES) {
            let value = if rule.signed { i32::from(*word as i16) } else { i32::from(*word) };
            if rule.sentinel != Some(*word) && !(rule.least..=rule.most).contains(&value) {
                return Err(Refused);
            }
        }
        let crossed = Channel::ALL
            .into_iter()
            .map(|channel| self.limits(channel))
            .any(|limits| matches!((limits.low, limits.high), (Some(low), Some(high)) if low > high));
        if crossed || self.word(setting::WINDOW).is_multiple_of(2) { Err(Refused) } else { Ok(()) }
    }

    /// A channel's limits.
    pub fn limits(&self, channel: Channel) -> Limits {
        let at = LIMIT + 3 * channel.index() as u16;
        let limit = |address| {
            let word = self.word(address);
            let value = if channel.signed() { i32::from(word as i16) } else { i32::from(word) };
            (word != channel.sentinel()).then_some(value)
        };
        Limits { low: limit(at), high: limit(at + 1), hysteresis: i32::from(self.word(at + 2)) }
    }

    /// How a channel is filtered.
    pub fn filter(&self, channel: Channel) -> Filter {
        Filter {
            window: usize::from(self.word(setting::WINDOW)),
            shift: u32::from(self.word(setting::SHIFT)),
            offset: i32::from(self.word(OFFSET + channel.index() as u16) as i16),
        }
    }

    /// Whether a channel is fitted.
    pub fn fitted(&self, channel: Channel) -> bool {
        self.word(setting::FITTED) >> channel.index() & 1 == 1
    }
}

/// Octets of a slot.
pub const SLOT: usize = 2 + 2 + 4 + 2 * WORDS + 4;
const MARK: [u8; 2] = *b"RC";

/// The flash could not be erased or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FlashFault;

/// Two slots of flash, 0 and 1, each erased on its own.
pub trait Flash {
    /// Reads a slot.
    fn read(&mut self, slot: usize, out: &mut [u8; SLOT]) -> Result<(), FlashFault>;
    /// Erases a slot.
    fn erase(&mut self, slot: usize) -> Result<(), FlashFault>;
    /// Writes an erased slot.
    fn write(&mut self, slot: usize, octets: &[u8; SLOT]) -> Result<(), FlashFault>;
}

/// CRC-32 (ISO-HDLC), bit by bit: a save is rare, a table is 1 KiB of flash.
fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(!0_u32, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
    })
}

fn pack(generation: u32, config: &Config) -> [u8; SLOT] {
    let mut out = [0; SLOT];
    out[..2].copy_from_slice(&MARK);
    out[2..4].copy_from_slice(&CONFIGS.to_be_bytes());
    out[4..8].copy_from_slice(&generation.to_be_bytes());
    for (to, word) in out[8..].chunks_exact_mut(2).zip(config.words) {
        to.copy_from_slice(&word.to_be_bytes());
    }
    let crc = crc32(&out[..SLOT - 4]);
    out[SLOT - 4..].copy_from_slice(&crc.to_be_bytes());
    out
}

fn unpack(octets: &[u8; SLOT]) -> Option<(u32, Config)> {
    let crc = octets.last_chunk::<4>()?;
    let count = u16::from_be_bytes([octets[2], octets[3]]);
    if octets[..2] != MARK || count != CONFIGS || u32::from_be_bytes(*crc) != crc32(&octets[..SLOT - 4]) {
        return None;
    }
    let generation = u32::from_be_bytes(*octets[4..].first_chunk()?);
    let mut words = [0; WORDS];
    for (word, from) in words.iter_mut().zip(octets[8..].chunks_exact(2)) {
        *word = u16::from_be_bytes([from[0], from[1]]);
    }
    let config = Config { words };
    config.check().ok()?;
    Some((generation, config))
}

/// What flash keeps. The slot in force is never touched: a save erases and writes the other one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Which save it is; 0 where nothing was ever saved.
    pub generation: u32,
    /// The slot the next save takes.
    next: usize,
}

/// Reads the newest valid slot. `None` for the configuration: neither is valid.
pub fn load(flash: &mut impl Flash) -> (Saved, Option<Config>) {
    let mut slot = |at| {
        let mut octets = [0; SLOT];
        flash.read(at, &mut octets).ok().and_then(|()| unpack(&octets))
    };
    match (slot(0), slot(1)) {
        (None, None) => (Saved { generation: 0, next: 0 }, None),
        (Some((generation, config)), None) => (Saved { generation, next: 1 }, Some(config)),
        (None, Some((generation, config))) => (Saved { generation, next: 0 }, Some(config)),
        // Generations wrap: the one ahead by less than half of all is the newer.
        (Some(one), Some(other)) if other.0.wrapping_sub(one.0) < 1 << 31 => {
            (Saved { generation: other.0, next: 0 }, Some(other.1))
        }
        (Some(one), Some(_)) => (Saved { generation: one.0, next: 1 }, Some(one.1)),
    }
}

/// Saves a configuration and reads it back. After a failure the last one saved is still there.
pub fn save(flash: &mut impl Flash, saved: Saved, config: &Config) -> Result<Saved, FlashFault> {
    let generation = saved.generation.wrapping_add(1);
    let octets = pack(generation, config);
    flash.erase(saved.next)?;
    flash.write(saved.next, &octets)?;
    let mut back = [0; SLOT];
    flash.read(saved.next, &mut back)?;
    if back == octets { Ok(Saved { generation, next: 1 - saved.next }) } else { Err(FlashFault) }
}
