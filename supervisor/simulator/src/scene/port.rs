//! One port: up, down or flapping, and for how long its counters stood still.

/// A flapping port is down for so many seconds, then up for so many. Eleven seconds share no factor with the usual
/// poll intervals: whatever they are, some polls in a row find it down and some find it up.
const FLAP_DOWN_S: f64 = 8.0;
const FLAP_UP_S: f64 = 3.0;

/// What a port does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Doing {
    /// It is up.
    #[default]
    Up,
    /// It is down.
    Down,
    /// It goes down and up again every few seconds, down first.
    Flapping,
}

/// One port.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Port {
    doing: Doing,
    /// Since when.
    since: f64,
    /// Seconds it was down before: its counters stood still.
    paused_s: f64,
    /// When it last went up or down before `since`, if it ever did.
    changed: Option<f64>,
}

impl Port {
    /// Has it do something else from now on.
    pub(crate) fn set(&mut self, doing: Doing, now: f64) {
        if self.doing == doing {
            return;
        }
        let was_up = self.is_up(now);
        let paused_s = self.paused_s + self.down_s(now);
        let changed = self.changed_at(now);
        *self = Port { doing, since: now, paused_s, changed };
        if was_up != self.is_up(now) {
            self.changed = Some(now);
        }
    }

    /// The device starts anew: counters begin at 0.
    pub(crate) fn restart(&mut self, now: f64) {
        *self = Port { doing: self.doing, since: now, ..Port::default() };
    }

    /// Whether it is up.
    pub(crate) fn is_up(&self, now: f64) -> bool {
        match self.doing {
            Doing::Up => true,
            Doing::Down => false,
            Doing::Flapping => self.in_flap(now).1 >= FLAP_DOWN_S,
        }
    }

    /// When it last went up or down.
    pub(crate) fn changed_at(&self, now: f64) -> Option<f64> {
        if self.doing != Doing::Flapping {
            return self.changed;
        }
        let (flaps, rest) = self.in_flap(now);
        let up = if rest >= FLAP_DOWN_S { FLAP_DOWN_S } else { 0.0 };
        Some(self.since + flaps * (FLAP_DOWN_S + FLAP_UP_S) + up)
    }

    /// The moment that its counters show.
    pub(crate) fn counts_until(&self, now: f64) -> f64 {
        now - self.paused_s - self.down_s(now)
    }

    /// Seconds down since it does what it does.
    fn down_s(&self, now: f64) -> f64 {
        match self.doing {
            Doing::Up => 0.0,
            Doing::Down => (now - self.since).max(0.0),
            Doing::Flapping => {
                let (flaps, rest) = self.in_flap(now);
                flaps * FLAP_DOWN_S + rest.min(FLAP_DOWN_S)
            }
        }
    }

    /// Whole flaps so far, and seconds into the one that goes on.
    fn in_flap(&self, now: f64) -> (f64, f64) {
        let passed = (now - self.since).max(0.0);
        let flaps = (passed / (FLAP_DOWN_S + FLAP_UP_S)).floor();
        (flaps, passed - flaps * (FLAP_DOWN_S + FLAP_UP_S))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flapping_as_a_table() {
        let mut port = Port::default();
        port.set(Doing::Flapping, 100.0);
        for (at, up, changed, counted) in [
            (100.0, false, 100.0, 100.0),
            (107.0, false, 100.0, 100.0),
            (108.0, true, 108.0, 100.0),
            (110.0, true, 108.0, 102.0),
            (111.0, false, 111.0, 103.0),
            (121.0, true, 119.0, 105.0),
        ] {
            assert_eq!(
                (port.is_up(at), port.changed_at(at), port.counts_until(at)),
                (up, Some(changed), counted),
                "at {at}"
            );
        }
        port.set(Doing::Up, 123.0);
        assert_eq!((port.changed_at(130.0), port.counts_until(133.0)), (Some(123.0), 116.0));
        port.restart(140.0);
        assert_eq!((port.changed_at(150.0), port.counts_until(150.0)), (None, 150.0));
    }

    #[test]
    fn at_any_interval_three_polls_in_a_row_find_a_flapping_port_down() {
        for interval in [5.0, 10.0, 15.0, 20.0, 30.0, 60.0] {
            for phase in 0..44 {
                let mut port = Port::default();
                port.set(Doing::Flapping, 0.0);
                let polls =
                    (0..12).map(|poll| port.is_up(f64::from(phase) / 4.0 + f64::from(poll) * interval));
                let (mut down, mut longest, mut ups) = (0, 0, 0);
                for up in polls {
                    down = if up { 0 } else { down + 1 };
                    longest = longest.max(down);
                    ups += u32::from(up);
                }
                assert!(longest >= 3 && ups > 0, "every {interval} s from {phase}: {longest}, {ups}");
            }
        }
    }
}
