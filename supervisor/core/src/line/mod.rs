//! How good the line to a device is: loss, latency and jitter of reach probes between the polls.
//!
//! **Duty.** A [`Window`] keeps the outcomes of the last probes of one device and says what they come to; [`Rounds`]
//! says when which line is probed. A device that is down is no lossy line: see [`Window::quality`].
//!
//! **Place in the flow.** The shell probes and fills the windows; at a device's regular poll [`add_to`] puts the
//! figures among its readings, where rules, history and panel find them like any other.

mod rounds;
mod window;

pub use rounds::Rounds;
pub use window::{ENOUGH, Quality, WINDOW, Window};

use crate::device::words;
use crate::model::{InstanceIx, Model};
use crate::reading::{Absence, Readings, Sample, Value};
use crate::text::Bilingual;

/// The line from a device towards what it hangs on, as the site describes it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Line {
    /// Its speed in bit/s, where the site says it. It goes before the port's own: a line of 100 Mbit/s ends in a port of
    /// 1 Gbit/s.
    pub speed: Option<f64>,
    /// Seconds between two probes that look at its quality, 1 to 60; `None`: nobody looks at it.
    pub probe_s: Option<u32>,
}

words! {
    /// What probes say of a line.
    Figure {
        /// Share of the probes without an answer in time, %.
        Loss = "loss" "丢包率" "Packet loss",
        /// Median of the round trips, ms.
        Latency = "latency" "时延" "Latency",
        /// The round trip that 95 of 100 do not exceed, ms (nearest rank).
        LatencyP95 = "latency-p95" "时延（95%）" "Latency, 95th percentile",
        /// Mean absolute difference of the round trips of two probes one after the other, ms: the delay variation of
        /// RFC 3393 over neighbours, of round trips, without the smoothing of RFC 3550.
        Jitter = "jitter" "时延抖动" "Jitter",
    }
}

impl Figure {
    /// Its unit (UCUM).
    pub fn unit(self) -> &'static str {
        match self {
            Figure::Loss => "%",
            Figure::Latency | Figure::LatencyP95 | Figure::Jitter => "ms",
        }
    }

    fn sample(self, quality: &Quality) -> Sample {
        let number = match self {
            Figure::Loss => Some(quality.loss),
            Figure::Latency => quality.latency_ms,
            Figure::LatencyP95 => quality.latency_p95_ms,
            Figure::Jitter => quality.jitter_ms,
        };
        number.map(Value::Number).ok_or(Absence::NotJudged)
    }
}

/// Puts what a window says among the readings of a poll, under the metrics that the profile has for it.
pub fn add_to(readings: &mut Readings, model: &Model, quality: &Result<Quality, Absence>) {
    for (metric, figure) in &model.line {
        let sample = quality.as_ref().map_err(|absence| *absence).and_then(|quality| figure.sample(quality));
        readings.add(*metric, [(InstanceIx::SCALAR, sample)]);
    }
}
