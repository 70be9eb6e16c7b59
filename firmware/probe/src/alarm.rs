//! Limits with hysteresis.

/// One channel's limits in its steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Below it is an alarm.
    pub low: Option<i32>,
    /// Above it is an alarm.
    pub high: Option<i32>,
    /// How far a value has to come back before the alarm clears.
    pub hysteresis: i32,
}

/// Whether a channel is beyond its limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Beyond {
    /// Below the low limit.
    pub low: bool,
    /// Above the high limit.
    pub high: bool,
}

impl Beyond {
    /// Judges a value. No value (a lost sensor) clears nothing; a limit that is gone does.
    pub fn judge(self, value: Option<i32>, limits: Limits) -> Beyond {
        let Some(value) = value else {
            return Beyond {
                low: self.low && limits.low.is_some(),
                high: self.high && limits.high.is_some(),
            };
        };
        let back = |held: bool| if held { limits.hysteresis } else { 0 };
        Beyond {
            low: limits.low.is_some_and(|low| value < low + back(self.low)),
            high: limits.high.is_some_and(|high| value > high - back(self.high)),
        }
    }
}
