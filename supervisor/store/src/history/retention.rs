//! How long what is kept; past that whole segments go.

use super::rollup::Tier;
use super::segment;
use roundsman_core::time::Mono;
use rusqlite::{Connection, OptionalExtension, params};

const DAY_MS: i64 = 24 * 3_600_000;

/// How often a segment of each tier may go. One a day is the rule; a clock that is wrong for some hours costs some
/// days at the far end instead of everything.
const EVERY_MS: u64 = 3_600_000;

/// Stretches beyond which those that nothing refers to are removed.
const MOST_STRETCHES: i64 = 100;

/// How long history is kept, in milliseconds, by what it is.
///
/// | | every sample | by 5 minutes | by the hour |
/// |---|---|---|---|
/// | numbers, and how polls went | `raw` | `five_minutes` | `hours` |
/// | states, texts | `raw` | – | their changes: `hours` |
/// | samples without a date | `raw`, from when they were compressed | – | – |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Every sample.
    pub raw_ms: i64,
    /// Minimum, maximum, mean, count and bad of each 5 minutes.
    pub five_minutes_ms: i64,
    /// The same of each hour.
    pub hours_ms: i64,
}

/// 14 days of samples (last week's trouble can still be looked at in full), 13 weeks by 5 minutes (a quarter's report
/// and the comparison with the one before), 3 years by the hour (the term of a maintenance contract).
impl Default for Retention {
    fn default() -> Retention {
        Retention { raw_ms: 14 * DAY_MS, five_minutes_ms: 13 * 7 * DAY_MS, hours_ms: 3 * 366 * DAY_MS }
    }
}

impl Retention {
    fn of(&self, tier: Tier) -> i64 {
        match tier {
            Tier::Raw => self.raw_ms,
            Tier::FiveMinutes => self.five_minutes_ms,
            Tier::Hour => self.hours_ms,
        }
    }

    /// Marks the oldest segment of each tier for deletion if its time is over at the wall time `now`, and removes
    /// stretches that nothing refers to.
    pub(crate) fn apply(&self, conn: &Connection, now: i64) -> rusqlite::Result<()> {
        for tier in [Tier::Raw, Tier::FiveMinutes, Tier::Hour] {
            let before = now.saturating_sub(self.of(tier));
            let oldest: Option<i64> = conn
                .prepare_cached(
                    "SELECT id FROM segment WHERE state = 1 AND tier = ?1
                       AND CASE WHEN stretch IS NULL THEN t1 + shift ELSE made_at END < ?2 ORDER BY id LIMIT 1",
                )?
                .query_row(params![tier as i64, before], |row| row.get(0))
                .optional()?;
            if let Some(id) = oldest {
                segment::drop_one(conn, id)?;
            }
        }
        let stretches: i64 = conn.query_row("SELECT count(*) FROM stretch", [], |row| row.get(0))?;
        if stretches > MOST_STRETCHES {
            conn.execute(
                "DELETE FROM stretch WHERE id < (SELECT max(id) FROM stretch)
                   AND id NOT IN (SELECT stretch FROM hot)
                   AND id NOT IN (SELECT stretch FROM segment WHERE stretch IS NOT NULL)",
                [],
            )?;
        }
        Ok(())
    }
}

/// Whether it is time again.
pub(crate) fn is_due(last: Option<Mono>, now: Mono) -> bool {
    last.is_none_or(|last| now.since_ms(last) >= EVERY_MS)
}
