//! A value that a fault drives away from what the device has by itself, and back.

/// How long the way takes, either way, in seconds.
pub(crate) const COURSE_S: f64 = 10.0;

/// Where such a value stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Forced {
    target: f64,
    driven: bool,
    /// Share of the way at `since`, and since when it is driven or let go.
    share: f64,
    since: f64,
}

impl Forced {
    /// Drives it towards `to`; `None` lets it go.
    pub(crate) fn set(&mut self, to: Option<f64>, now: f64) {
        if to.is_some() == self.driven && to.is_none_or(|to| to == self.target) {
            return;
        }
        let share = self.share(now);
        *self = Forced { target: to.unwrap_or(self.target), driven: to.is_some(), share, since: now };
    }

    /// The value, where the device by itself would have `own`.
    pub(crate) fn value(&self, own: f64, now: f64) -> f64 {
        own + (self.target - own) * self.share(now)
    }

    fn share(&self, now: f64) -> f64 {
        let way = (now - self.since) / COURSE_S;
        (self.share + if self.driven { way } else { -way }).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_in_ten_seconds_each() {
        let mut forced = Forced::default();
        assert_eq!(forced.value(40.0, 100.0), 40.0);
        forced.set(Some(80.0), 100.0);
        assert_eq!((forced.value(40.0, 105.0), forced.value(40.0, 110.0)), (60.0, 80.0));
        forced.set(Some(80.0), 111.0);
        assert_eq!(forced.value(40.0, 112.0), 80.0, "said twice");
        forced.set(None, 200.0);
        forced.set(None, 204.0);
        assert_eq!((forced.value(40.0, 205.0), forced.value(40.0, 210.0)), (60.0, 40.0));
    }
}
