//! One backup a night, made beside the loop.
//!
//! A day of backups begins at a quiet hour of the site's zone: the first look after it finds none of that day and has
//! one made. A box that was off at that hour makes it up.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use roundsman_core::time::{Mono, Now, Wall};
use roundsman_store::{back_up_nightly, nightly};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// When a day of backups begins, after midnight in the site's zone: people sleep, and the hour that daylight saving
/// moves is over.
const QUIET: SignedDuration = SignedDuration::from_mins(3 * 60 + 10);

/// Pause after one that was not made, in ms: room or luck may be back.
const AGAIN_AFTER_MS: u64 = 3_600_000;

/// The newest backup, for the panel.
#[derive(Debug, Default)]
pub(crate) struct Backups(Mutex<Option<(Wall, u64)>>);

impl Backups {
    /// When it was made, and its bytes.
    pub(crate) fn newest(&self) -> Option<(Wall, u64)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks which one is the newest.
    fn look(&self, store: &Path) {
        let newest = nightly(store).first().map(|copy| (copy.at, copy.bytes));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = newest;
    }
}

/// Has the backups made.
pub(super) struct Nightly {
    store: PathBuf,
    backups: Arc<Backups>,
    not_before: Mono,
    under_way: Option<tokio::task::JoinHandle<bool>>,
}

impl Nightly {
    pub(super) fn new(store: &Path, backups: Arc<Backups>) -> Nightly {
        backups.look(store);
        Nightly { store: store.to_owned(), backups, not_before: Mono(0), under_way: None }
    }

    /// Starts the backup of this day if there is none; called once a minute.
    pub(super) async fn go_on(&mut self, now: Now, zone: &TimeZone) {
        if let Some(under_way) = self.under_way.take_if(|task| task.is_finished())
            && !under_way.await.unwrap_or(false)
        {
            self.not_before = now.mono.plus_ms(AGAIN_AFTER_MS);
        }
        if self.under_way.is_some() || now.mono < self.not_before {
            return;
        }
        let day = day(now.wall, zone);
        let name = format!("roundsman-{day}.db");
        if nightly(&self.store).iter().any(|copy| copy.path.ends_with(&name)) {
            return;
        }
        let (store, backups) = (self.store.clone(), self.backups.clone());
        self.under_way = Some(tokio::task::spawn_blocking(move || {
            let made = back_up_nightly(&store, &day);
            backups.look(&store);
            match &made {
                Ok(copy) => tracing::info!(path = %copy.path.display(), bytes = copy.bytes, "backed up"),
                Err(error) => {
                    tracing::error!(%error, "the nightly backup was not made, it is tried again in an hour")
                }
            }
            made.is_ok()
        }));
    }
}

/// The day of backups that a moment belongs to.
fn day(at: Wall, zone: &TimeZone) -> String {
    let moment = Timestamp::from_millisecond(at.0).unwrap_or_default();
    let quiet = moment.checked_sub(QUIET).unwrap_or(moment);
    quiet.to_zoned(zone.clone()).date().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_the_quiet_hour_of_the_site() {
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        for (time, expected) in [
            ("2026-11-22T03:09:59+08:00", "2026-11-21"),
            ("2026-11-22T03:10:00+08:00", "2026-11-22"),
            ("2026-11-22T23:59:59+08:00", "2026-11-22"),
            ("2026-11-23T00:30:00+08:00", "2026-11-22"),
        ] {
            let at: Timestamp = time.parse().unwrap();
            assert_eq!(day(Wall(at.as_millisecond()), &zone), expected, "{time}");
        }
    }
}
