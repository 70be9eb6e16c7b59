//! From samples to a value: median against spikes, exponential mean against noise, quality.

use roundsman_registers::{Channel, Quality};

/// Longest median window.
pub const MOST_WINDOW: usize = 7;
/// Failed readings in a row after which a sensor is lost. One failure alone keeps the last value.
pub const FAILURES: u8 = 3;
/// Binary places of the exponential mean.
const PLACES: u32 = 8;

/// What a sensor said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reading {
    /// A value in the channel's steps, before calibration.
    Value(i32),
    /// It did not answer, or its checksum was wrong.
    Failed,
    /// Nothing new yet.
    #[default]
    Pending,
}

/// How a channel is filtered.
#[derive(Clone, Copy, Debug)]
pub struct Filter {
    /// Samples the median is taken of, 1 to 7.
    pub window: usize,
    /// The mean takes a 2^-n part of each new median; 0 takes it whole.
    pub shift: u32,
    /// Added to each reading.
    pub offset: i32,
}

/// One channel's filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Track {
    recent: [i32; MOST_WINDOW],
    window: usize,
    filled: usize,
    next: usize,
    mean: i32,
    failures: u8,
    quality: Quality,
}

impl Track {
    /// Takes a reading. Values outside the channel's range do not enter the filter.
    pub fn take(&mut self, channel: Channel, reading: Reading, by: Filter) {
        match reading {
            Reading::Pending => {}
            Reading::Failed => self.fail(Quality::Lost),
            Reading::Value(raw) => {
                let value = raw.saturating_add(by.offset);
                let (least, most) = channel.range();
                if (least..=most).contains(&value) {
                    self.enter(value, by);
                } else {
                    self.fail(Quality::OutOfRange);
                }
            }
        }
    }

    fn fail(&mut self, quality: Quality) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES {
            // What was measured before the gap says nothing about the time after it.
            self.filled = 0;
            self.next = 0;
            self.quality = quality;
        }
    }

    fn enter(&mut self, value: i32, by: Filter) {
        let window = by.window.clamp(1, MOST_WINDOW);
        if self.window != window {
            self.window = window;
            self.filled = 0;
            self.next = 0;
        }
        let first = self.filled == 0;
        self.recent[self.next] = value;
        self.next = (self.next + 1) % window;
        self.filled = (self.filled + 1).min(window);
        let median = self.median() << PLACES;
        self.mean = if first { median } else { self.mean + ((median - self.mean) >> by.shift.min(6)) };
        self.failures = 0;
        self.quality = Quality::Ok;
    }

    fn median(&self) -> i32 {
        let mut sorted = self.recent;
        let sorted = &mut sorted[..self.filled];
        sorted.sort_unstable();
        sorted[self.filled / 2]
    }

    /// The value, where there is one.
    pub fn value(&self) -> Option<i32> {
        (self.quality == Quality::Ok).then_some((self.mean + (1 << (PLACES - 1))) >> PLACES)
    }

    /// What the value is worth.
    pub fn quality(&self) -> Quality {
        self.quality
    }
}

/// Revolutions a minute of `pulses` in `window_ms`; at most what the channel can mean plus one, which is out of range.
pub fn revolutions(pulses: u32, window_ms: u32, pulses_each: u16) -> Reading {
    let span = u64::from(window_ms) * u64::from(pulses_each);
    if span == 0 {
        return Reading::Pending;
    }
    let most = Channel::Fan1.range().1 + 1;
    Reading::Value(i32::try_from(u64::from(pulses) * 60_000 / span).unwrap_or(most).min(most))
}
