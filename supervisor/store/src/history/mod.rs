//! History: what was polled, for years, in few bytes and few writes.
//!
//! **Way of a sample.** A cycle of polls is one or a few `hot` rows in one transaction ([`recorder`], [`hot`]). When a
//! window of two hours is over, [`compact`] turns its rows into a *segment*: one compressed chunk per series, and one
//! per device with the times and outcomes of its polls ([`chunk`], [`numbers`]). When a day is over, [`merge`] turns
//! its windows into one segment of the day and two of roll-ups ([`rollup`]). [`retention`] drops whole segments.
//! [`read`] answers from the coarsest of them that is fine enough, and from the rows not compacted yet.
//!
//! **Why it does not wear the flash.** Chunks are numbered by segment first and series second: what is written
//! together lies together, so that a window costs the pages its bytes fill and not one page per series. Nothing is
//! rewritten but a snapshot per device and hour.
//!
//! **Steps.** All of it but the recording is done in short steps while no commit waits, each one transaction bounded
//! by [`Budget`]; there is no clock here. A segment counts from the transaction that completes it: a kill between
//! any two steps leaves rows or windows as they were, and the unfinished segment is deleted and made anew.

mod chunk;
mod clock;
mod compact;
mod downsample;
mod fill;
mod hot;
mod latest;
mod merge;
mod numbers;
mod poll;
mod read;
mod recorder;
mod retention;
mod rollup;
mod segment;
mod series;

#[cfg(test)]
mod tests;

/// Its tables.
pub(crate) const TABLES: [&str; 8] =
    ["metric", "series", "stretch", "hot", "segment", "chunk", "covered", "snapshot"];

/// What stands in them before anything was polled.
pub(crate) const EMPTY: &str = "INSERT INTO covered VALUES (1, 0, 0)";

pub use downsample::{Band, HistoryColumn, MOST_COLUMNS};
pub(crate) use fill::store as fill;
pub use fill::{DeviceDay, PastBucket, PastDay, SeriesDay};
pub(crate) use latest::readings as latest_readings;
pub use poll::{Named, Poll};
pub use read::{History, MOST_RUNS, Run, RunState, SeriesName, Span};
pub use retention::Retention;
pub(crate) use series::rename;

use crate::ClockMark;
use crate::error::StoreError;
use compact::Compaction;
use merge::Merge;
use recorder::Recorder;
use roundsman_core::time::Mono;
use rusqlite::Connection;

/// How much one step may do: a transition never waits longer than that. Both numbers were measured with
/// `tests/bench/history`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Chunks.
    chunks: usize,
    /// Samples in them.
    samples: usize,
}

impl Default for Budget {
    fn default() -> Budget {
        Budget { chunks: 200, samples: 40_000 }
    }
}

impl Budget {
    /// Takes a chunk with so many samples off; `false` when nothing is left.
    fn spend(&mut self, samples: usize) -> bool {
        self.chunks = self.chunks.saturating_sub(1);
        self.samples = self.samples.saturating_sub(samples);
        self.chunks > 0 && self.samples > 0
    }
}

/// Whether there is more to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Another step now has work.
    More,
    /// Nothing until time has passed.
    Idle,
}

/// The writer's side of history.
pub(crate) struct Keeper {
    recorder: Recorder,
    compaction: Option<Compaction>,
    merge: Option<Merge>,
    retention: Retention,
    retired: Option<Mono>,
    budget: Budget,
    /// Stretch and window in which nothing was left to do.
    settled: Option<(i64, i64)>,
    /// A transaction failed: what is in memory may not be what is stored.
    doubtful: bool,
}

impl Keeper {
    /// Goes on where the store stopped.
    pub(crate) fn start(conn: &Connection) -> Result<Keeper, StoreError> {
        let failed = |e: rusqlite::Error| StoreError::sqlite("start history", &e);
        segment::drop_unfinished(conn).map_err(failed)?;
        Ok(Keeper {
            recorder: Recorder::start(conn).map_err(failed)?,
            compaction: None,
            merge: None,
            retention: Retention::default(),
            retired: None,
            budget: Budget::default(),
            settled: None,
            doubtful: false,
        })
    }

    /// Segments came from elsewhere: there may be something to merge.
    pub(crate) fn unsettle(&mut self) {
        self.settled = None;
    }

    /// The transaction of an earlier call was taken back.
    pub(crate) fn doubt(&mut self) {
        self.doubtful = true;
    }

    fn settle(&mut self, conn: &Connection) -> Result<(), StoreError> {
        if self.doubtful {
            let (retention, retired, budget) = (self.retention, self.retired, self.budget);
            *self = Keeper { retention, retired, budget, ..Keeper::start(conn)? };
        }
        Ok(())
    }

    /// How long history is kept from now on.
    pub(crate) fn keep(&mut self, retention: Retention) {
        self.retention = retention;
    }

    /// Whether there may be something for [`Keeper::step`]: a window is over, or what is too old is due. A clock that is
    /// not synchronised is looked at every time.
    pub(crate) fn has_work(&self, mark: &ClockMark) -> bool {
        let going_on = self.recorder.stretch().filter(|stretch| stretch.synchronised);
        let now = going_on.map(|stretch| (stretch.id, stretch.window()));
        self.doubtful
            || now.is_none()
            || self.settled != now
            || retention::is_due(self.retired, mark.now.mono)
    }

    /// Records a cycle, inside the caller's transaction.
    pub(crate) fn append(
        &mut self,
        conn: &Connection,
        mark: &ClockMark,
        polls: &mut dyn Iterator<Item = Poll>,
    ) -> Result<(), StoreError> {
        self.settle(conn)?;
        self.recorder.append(conn, mark, polls).map_err(|e| StoreError::sqlite("record a cycle", &e))
    }

    /// One step, inside the caller's transaction; `mark` is the latest known.
    pub(crate) fn step(&mut self, conn: &Connection, mark: &ClockMark) -> Result<Progress, StoreError> {
        self.settle(conn)?;
        let failed = |e: rusqlite::Error| StoreError::sqlite("compact history", &e);
        if let Some(compaction) = &mut self.compaction {
            if compaction.step(conn, self.budget).map_err(failed)? {
                self.compaction = None;
            }
            return Ok(Progress::More);
        }
        if let Some(merge) = &mut self.merge {
            if merge.step(conn, self.budget)? {
                self.merge = None;
            }
            return Ok(Progress::More);
        }
        if segment::purge(conn).map_err(failed)? || compact::purge(conn).map_err(failed)? {
            return Ok(Progress::More);
        }
        self.compaction = compact::begin(conn, self.recorder.stretch(), mark.now).map_err(failed)?;
        if self.compaction.is_some() {
            return Ok(Progress::More);
        }
        // What follows trusts the wall clock.
        if !self.recorder.stretch().is_some_and(|stretch| stretch.synchronised) {
            return Ok(Progress::Idle);
        }
        self.merge = merge::begin(conn, mark.now.wall.0).map_err(failed)?;
        if self.merge.is_some() {
            return Ok(Progress::More);
        }
        if retention::is_due(self.retired, mark.now.mono) {
            self.retired = Some(mark.now.mono);
            self.retention.apply(conn, mark.now.wall.0).map_err(failed)?;
            return Ok(Progress::More);
        }
        self.settled = self.recorder.stretch().map(|stretch| (stretch.id, stretch.window()));
        Ok(Progress::Idle)
    }
}
