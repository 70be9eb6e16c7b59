//! The board's state.

use roundsman_registers::{CHANNELS, Channel, Quality, ResetCause, alarm};
use roundsman_rtu::{BROADCAST, function};

use crate::alarm::Beyond;
use crate::config::{Config, Flash, Saved, load, save, setting};
use crate::contact::{BUTTON, Contacts, DOOR, LEAK, MAINS};
use crate::filter::{Reading, Track};
use crate::output::Relays;
use crate::watchdog::{Vitals, Watchdog};

mod registers;

/// Who the board is.
#[derive(Clone, Copy, Debug)]
pub struct Identity {
    /// 1 emulated, 2 host, 3 Pico.
    pub board: u16,
    /// Its serial number.
    pub serial: u32,
    /// Why it started.
    pub reset: ResetCause,
    /// Whether a hardware watchdog is armed.
    pub watchdog: bool,
}

/// What the board's pins have to show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// Relays that are on, bits 0 to 3.
    pub relays: u16,
    /// The buzzer sounds.
    pub buzzer: bool,
    /// The lamp is lit.
    pub lamp: bool,
}

/// Counters; each wraps.
#[derive(Clone, Copy, Debug, Default)]
struct Counters {
    frames: u16,
    damaged: u16,
    exceptions: u16,
    foreign: u16,
    broadcasts: u16,
    sensor_errors: u16,
    saves: u16,
    save_failures: u16,
}

/// The board without its pins. `F` keeps its settings.
#[derive(Debug)]
pub struct Probe<F> {
    identity: Identity,
    flash: F,
    saved: Saved,
    config: Config,
    config_fault: bool,
    /// Unit and line speed in 100 Bd in force since the start.
    line: (u8, u16),
    last_ms: Option<u32>,
    /// Milliseconds of the running second, and whole seconds since the start.
    uptime: (u32, u32),
    since_sample_ms: u32,
    tracks: [Track; CHANNELS],
    beyond: [Beyond; CHANNELS],
    contacts: Contacts,
    inputs: u16,
    relays: Relays,
    heartbeat: u16,
    heartbeat_age_ms: u32,
    /// Alarms that were silenced: low, high, other. A new one sounds again.
    silenced: [u16; 3],
    sounding: bool,
    locate: bool,
    vitals: Vitals,
    counters: Counters,
    broadcast: bool,
    restart: bool,
}

impl<F: Flash> Probe<F> {
    /// Starts with what flash keeps, else with the defaults and the alarm `CONFIG`. A flash that was never written has
    /// that alarm too, until the first save.
    pub fn new(identity: Identity, mut flash: F) -> Probe<F> {
        let (saved, kept) = load(&mut flash);
        let config = kept.unwrap_or_default();
        Probe {
            identity,
            flash,
            saved,
            config,
            config_fault: kept.is_none(),
            line: (config.word(setting::UNIT) as u8, config.word(setting::BAUD)),
            last_ms: None,
            uptime: (0, 0),
            since_sample_ms: u32::MAX,
            tracks: [Track::default(); CHANNELS],
            beyond: [Beyond::default(); CHANNELS],
            contacts: Contacts::default(),
            inputs: MAINS,
            relays: Relays::boot(config.word(setting::BOOT_STATE)),
            heartbeat: 0,
            heartbeat_age_ms: 0,
            silenced: [0; 3],
            sounding: false,
            locate: false,
            vitals: Vitals::default(),
            counters: Counters::default(),
            broadcast: false,
            restart: false,
        }
    }

    /// Time and contacts: call it every few milliseconds. `levels` has the contacts' bits as in [`crate::contact`].
    pub fn tick(&mut self, now_ms: u32, levels: u16) -> Outputs {
        let passed = now_ms.wrapping_sub(self.last_ms.unwrap_or(now_ms));
        self.last_ms = Some(now_ms);
        let ms = u64::from(self.uptime.0) + u64::from(passed);
        self.uptime = ((ms % 1_000) as u32, self.uptime.1.wrapping_add((ms / 1_000) as u32));
        self.since_sample_ms = self.since_sample_ms.saturating_add(passed);
        self.heartbeat_age_ms = self.heartbeat_age_ms.saturating_add(passed);
        self.vitals.pass(passed);
        self.relays.pass(passed);
        let before = self.inputs;
        let levels = levels ^ self.config.word(setting::INVERTED);
        self.inputs = self.contacts.take(levels, passed, self.config.word(setting::DEBOUNCE));
        if self.inputs & !before & BUTTON != 0 {
            self.silence();
        }
        let safe = if self.heartbeat_lost() { self.config.word(setting::SAFE_RELAYS) } else { 0 };
        self.relays.hold(safe, self.config.word(setting::SAFE_STATE));
        self.outputs()
    }

    /// Whether it is time to read the sensors.
    pub fn sample_due(&self) -> bool {
        self.since_sample_ms >= self.period_ms()
    }

    /// Takes what the sensors said, in the order of [`Channel::ALL`].
    pub fn sample(&mut self, readings: &[Reading; CHANNELS]) {
        self.since_sample_ms = 0;
        self.vitals.sampled();
        for channel in Channel::ALL {
            let at = channel.index();
            if !self.config.fitted(channel) {
                self.tracks[at] = Track::default();
                self.beyond[at] = Beyond::default();
                continue;
            }
            if readings[at] == Reading::Failed {
                self.counters.sensor_errors = self.counters.sensor_errors.wrapping_add(1);
            }
            self.tracks[at].take(channel, readings[at], self.config.filter(channel));
            self.beyond[at] = self.beyond[at].judge(self.value(channel), self.config.limits(channel));
        }
    }

    /// Feeds the watchdog while both loops live; call it in every turn.
    pub fn feed(&self, watchdog: &mut impl Watchdog) {
        if self.vitals.sampling(self.period_ms()) && self.vitals.serving() {
            watchdog.feed();
        }
    }

    /// A channel's value in its steps. `None`: it is lost, out of range, not fitted or still warming up.
    pub fn value(&self, channel: Channel) -> Option<i32> {
        (self.quality(channel) == Quality::Ok).then(|| self.tracks[channel.index()].value()).flatten()
    }

    /// What a channel's value is worth. A sensor may be lost in the warm-up, but not right.
    pub fn quality(&self, channel: Channel) -> Quality {
        let quality = self.tracks[channel.index()].quality();
        if !self.config.fitted(channel) {
            Quality::NotFitted
        } else if quality == Quality::Ok && self.uptime.1 < u32::from(self.config.word(setting::WARM_UP)) {
            Quality::WarmingUp
        } else {
            quality
        }
    }

    /// The settings in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The unit it answers to, since the start.
    pub fn unit(&self) -> u8 {
        self.line.0
    }

    /// The line's speed in Bd, since the start.
    pub fn baud(&self) -> u32 {
        u32::from(self.line.1) * 100
    }

    /// Silence that ends a frame: 3.5 characters of 11 bits (SL section 2.5.1.1), in whole milliseconds and one more.
    pub fn silence_ms(&self) -> u32 {
        38_500 / self.baud().max(100) + 2
    }

    /// Whether a master asked for a restart; the board sends what it has to send first.
    pub fn restart(&self) -> bool {
        self.restart
    }

    /// Gives the flash back, for a board that starts anew.
    pub fn into_flash(self) -> F {
        self.flash
    }

    fn period_ms(&self) -> u32 {
        u32::from(self.config.word(setting::PERIOD))
    }

    fn heartbeat_lost(&self) -> bool {
        let timeout = u32::from(self.config.word(setting::HEARTBEAT));
        timeout != 0 && self.heartbeat_age_ms >= timeout * 1_000
    }

    fn sensor_lost(&self) -> bool {
        Channel::ALL
            .into_iter()
            .any(|channel| matches!(self.quality(channel), Quality::Lost | Quality::OutOfRange))
    }

    fn alarms(&self) -> [u16; 3] {
        let bits = |pick: fn(&Beyond) -> bool| {
            self.beyond.iter().enumerate().fold(0, |bits, (at, beyond)| bits | u16::from(pick(beyond)) << at)
        };
        let other = [
            (alarm::LEAK, self.inputs & LEAK != 0),
            (alarm::DOOR, self.inputs & DOOR != 0),
            (alarm::MAINS, self.inputs & MAINS == 0),
            (alarm::HEARTBEAT, self.heartbeat_lost()),
            (alarm::SENSOR, self.sensor_lost()),
            (alarm::CONFIG, self.config_fault),
        ];
        let other = other.into_iter().fold(0, |bits, (bit, is)| if is { bits | bit } else { bits });
        [bits(|beyond| beyond.low), bits(|beyond| beyond.high), other]
    }

    /// Alarms that drive the outputs.
    fn loud(&self) -> [u16; 3] {
        let [low, high, other] = self.alarms();
        [low, high, other & self.config.word(setting::MASK)]
    }

    fn silence(&mut self) {
        self.silenced = self.loud();
        self.sounding = false;
    }

    fn outputs(&mut self) -> Outputs {
        let loud = self.loud();
        // An alarm that cleared sounds again when it comes back.
        for (silenced, loud) in self.silenced.iter_mut().zip(loud) {
            *silenced &= loud;
        }
        self.shown()
    }

    fn shown(&self) -> Outputs {
        let drives = self.config.word(setting::OUTPUTS);
        let loud = self.loud();
        let fresh = loud.iter().zip(self.silenced).any(|(loud, silenced)| loud & !silenced != 0);
        Outputs {
            relays: self.relays.on(),
            buzzer: self.sounding || (drives & 1 != 0 && fresh),
            lamp: self.locate || (drives & 2 != 0 && loud != [0; 3]),
        }
    }

    fn hold_off_ms(&self) -> u32 {
        u32::from(self.config.word(setting::HOLD_OFF)) * 100
    }

    fn save(&mut self) -> bool {
        match save(&mut self.flash, self.saved, &self.config) {
            Ok(saved) => {
                self.saved = saved;
                self.config_fault = false;
                self.counters.saves = self.counters.saves.wrapping_add(1);
                true
            }
            Err(_) => {
                self.config_fault = true;
                self.counters.save_failures = self.counters.save_failures.wrapping_add(1);
                false
            }
        }
    }

    pub(crate) fn served(&mut self) {
        self.vitals.served();
    }

    pub(crate) fn count_damaged(&mut self) {
        self.counters.damaged = self.counters.damaged.wrapping_add(1);
    }

    /// A whole frame for `unit` came.
    pub(crate) fn begin(&mut self, unit: u8) {
        self.broadcast = unit == BROADCAST;
        let counter = if self.broadcast {
            &mut self.counters.broadcasts
        } else if unit == self.line.0 {
            &mut self.counters.frames
        } else {
            &mut self.counters.foreign
        };
        *counter = counter.wrapping_add(1);
    }

    /// It is answered so.
    pub(crate) fn end(&mut self, answer: &[u8]) {
        if answer.get(1).is_some_and(|code| code & function::EXCEPTION != 0) {
            self.counters.exceptions = self.counters.exceptions.wrapping_add(1);
        }
    }
}
