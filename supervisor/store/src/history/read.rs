//! Questions about the past of one series.
//!
//! Each time is answered from the coarsest segment that is fine enough for the columns asked for, from a finer one
//! where that is not made yet, from a coarser one where the finer is gone, and from `hot` for what is not compacted
//! yet. Samples of which the date is not known are in no answer, except those of the stretch that goes on: whoever asks
//! now reads the same clock. Times in which nothing was polled are gaps.

use super::chunk::{self, Column, Mark, SeriesKind, Status, decode_polls};
use super::clock::RowClock;
use super::downsample::{HistoryColumn, What, columns, width_ms};
use super::rollup::{self, Tier};
use super::{hot, segment, series};
use crate::error::StoreError;
use crate::reader::Reader;
use roundsman_core::reading::Absence;
use roundsman_core::time::Wall;
use rusqlite::{Connection, OptionalExtension, params};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Most runs of one answer; of more the newest.
pub const MOST_RUNS: usize = 1_000;

/// Names that are followed back when a series was renamed.
const MOST_NAMES: usize = 8;

/// Buckets that a column must hold before roll-ups are fine enough.
const BUCKETS_OF_A_COLUMN: i64 = 2;

/// Which series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeriesName {
    /// Device id.
    pub device: Arc<str>,
    /// Metric name; `poll.outcome` is how the polls of the device went.
    pub metric: Arc<str>,
    /// Instance label; empty for a scalar.
    pub instance: Arc<str>,
}

/// Which time, and how fine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Begin.
    pub from: Wall,
    /// End, not included.
    pub to: Wall,
    /// Columns wanted, 1 to [`MOST_COLUMNS`](super::MOST_COLUMNS).
    pub points: usize,
    /// How often the device is polled, ms: longer silence is a gap.
    pub interval_ms: u64,
}

/// What a state or text was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// The word.
    Word(Arc<str>),
    /// None, and why: the point's quality, or how the polls failed (`not-judged` where only the hour is known).
    Bad(Absence),
}

/// A time during which a state or text stayed the same in every poll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// The first poll that said so.
    pub from: Wall,
    /// The last one.
    pub to: Wall,
    /// What.
    pub state: RunState,
}

/// The past of a series.
#[derive(Clone, Debug, PartialEq)]
pub enum History {
    /// Of numbers and of polls: columns, oldest first; times without any poll have none.
    Numbers {
        /// Width of a column, ms.
        width_ms: i64,
        /// The columns.
        columns: Vec<HistoryColumn>,
    },
    /// Of states and texts: runs, oldest first; between them nothing is known.
    Words {
        /// The runs.
        runs: Vec<Run>,
        /// Whether older ones were left out.
        truncated: bool,
    },
}

impl Reader {
    /// The past of a series; `None` if there is no such series.
    ///
    /// # Errors
    /// See [`StoreError`]; a chunk that cannot be read is a gap.
    pub async fn history(&self, name: SeriesName, span: Span) -> Result<Option<History>, StoreError> {
        self.ask("read history", move |conn| history(conn, &name, span, true)).await
    }
}

/// As [`Reader::history`]; `provisional` shows what is not dated yet where the clock had it when it was polled, as
/// long as its stretch goes on.
pub(crate) fn history(
    conn: &Connection,
    name: &SeriesName,
    span: Span,
    provisional: bool,
) -> Result<Option<History>, StoreError> {
    let failed = |e: rusqlite::Error| StoreError::sqlite("read history", &e);
    // One state of the database: a window must not be seen both as rows and as chunks.
    let tx = conn.unchecked_transaction().map_err(failed)?;
    let Some(mut question) = Question::new(&tx, name, span).map_err(failed)? else { return Ok(None) };
    question.provisional = provisional;
    let is_word = question.kind.is_word();
    let mut found = Found::default();
    question.read_segments(&tx, &mut found)?;
    question.read_hot(&tx, &mut found).map_err(failed)?;
    let bounds = (span.from.0, span.to.0);
    let interval_ms = i64::try_from(span.interval_ms).unwrap_or(i64::MAX);
    Ok(Some(if is_word {
        found.runs(bounds, interval_ms)
    } else {
        found.items.sort_by_key(|(at, _)| *at);
        History::Numbers {
            width_ms: width_ms(bounds, span.points),
            columns: columns(found.items, bounds, span.points, interval_ms),
        }
    }))
}

/// Every sample of a series, for tests: what `hot` and the finest segments hold.
#[cfg(test)]
pub(crate) fn samples(conn: &Connection, name: &SeriesName) -> Result<Vec<(i64, What)>, StoreError> {
    let span = Span { from: Wall(i64::MIN / 4), to: Wall(i64::MAX / 4), points: 1, interval_ms: 1 };
    let failed = |e: rusqlite::Error| StoreError::sqlite("read history", &e);
    let Some(question) = Question::new(conn, name, span).map_err(failed)? else { return Ok(Vec::new()) };
    let question = Question { wanted: Tier::Raw, ..question };
    let mut found = Found::default();
    question.read_segments(conn, &mut found)?;
    question.read_hot(conn, &mut found).map_err(failed)?;
    found.items.sort_by_key(|(at, _)| *at);
    Ok(found.items)
}

struct Question {
    device: i64,
    kind: SeriesKind,
    /// The series and those it continues.
    ids: Vec<u32>,
    polls: u32,
    from: i64,
    to: i64,
    wanted: Tier,
    provisional: bool,
}

/// A segment that answers for some time.
struct Source {
    id: i64,
    tier: Tier,
    shift: i64,
}

/// What was found, in no order.
#[derive(Default)]
struct Found {
    items: Vec<(i64, What)>,
    /// What a word was in each poll, and how long that stands for where only hours are left.
    states: Vec<(i64, RunState, i64)>,
}

impl Question {
    fn new(conn: &Connection, name: &SeriesName, span: Span) -> rusqlite::Result<Option<Question>> {
        let device: Option<i64> = conn
            .prepare_cached("SELECT row FROM device WHERE id = ?1")?
            .query_row([&*name.device], |row| row.get(0))
            .optional()?;
        let Some(device) = device else { return Ok(None) };
        let polls = series::newest(conn, device, series::POLLS, "")?;
        let newest = series::newest(conn, device, &name.metric, &name.instance)?;
        let (Some((polls, _)), Some((newest, kind))) = (polls, newest) else { return Ok(None) };
        let mut ids = vec![newest];
        let mut previous = conn.prepare_cached("SELECT previous FROM series WHERE id = ?1")?;
        while let Some(last) = ids.last().copied()
            && ids.len() < MOST_NAMES
        {
            match previous.query_row([last], |row| row.get::<_, Option<u32>>(0))? {
                Some(older) if !ids.contains(&older) => ids.push(older),
                _ => break,
            }
        }
        let (from, to) = (span.from.0, span.to.0);
        let width = width_ms((from, to), span.points);
        let fine_enough = |tier: &Tier| tier.width_ms() * BUCKETS_OF_A_COLUMN <= width;
        let wanted = if kind.is_word() {
            Tier::Raw
        } else {
            [Tier::Hour, Tier::FiveMinutes].into_iter().find(fine_enough).unwrap_or(Tier::Raw)
        };
        Ok(Some(Question { device, kind, ids, polls, from, to, wanted, provisional: false }))
    }

    /// For each time the segment that answers for it.
    fn sources(&self, conn: &Connection) -> rusqlite::Result<Vec<Source>> {
        let mut select = conn.prepare_cached(
            "SELECT origin, id, tier, shift FROM segment
             WHERE state = 1 AND stretch IS NULL AND t1 + shift >= ?1 AND t0 + shift < ?2 ORDER BY origin, tier",
        )?;
        let mut rows = select.query(params![self.from, self.to])?;
        let mut best: BTreeMap<i64, Source> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let number = row.get(2)?;
            let Some(tier) = Tier::from_number(number) else { continue };
            let (origin, source) = (row.get(0)?, Source { id: row.get(1)?, tier, shift: row.get(3)? });
            if tier == Tier::FiveMinutes && self.kind.is_word() {
                continue;
            }
            // They come from the finest to the coarsest.
            if !best.contains_key(&origin) || tier <= self.wanted {
                best.insert(origin, source);
            }
        }
        Ok(best.into_values().collect())
    }

    fn read_segments(&self, conn: &Connection, found: &mut Found) -> Result<(), StoreError> {
        let sources = self.sources(conn).map_err(|e| StoreError::sqlite("read history", &e))?;
        for source in sources {
            match source.tier {
                Tier::Raw => self.samples(conn, &source, found)?,
                tier if self.kind.is_word() => self.hours(conn, &source, tier, found)?,
                tier => self.buckets(conn, &source, tier, found)?,
            }
        }
        Ok(())
    }

    fn samples(&self, conn: &Connection, source: &Source, found: &mut Found) -> Result<(), StoreError> {
        let Some(mut polls) = segment::get(conn, source.id, self.polls, decode_polls)? else { return Ok(()) };
        polls.times.iter_mut().for_each(|at| *at = at.saturating_add(source.shift));
        for (at, status) in polls.times.iter().zip(polls.outcomes.iter()) {
            let outcome = if let Status::Bad(absence) = status { Err(absence) } else { Ok(()) };
            found.poll(*at, outcome, self.kind);
        }
        for id in &self.ids {
            match segment::get(conn, source.id, *id, Column::decode)? {
                Some(Column::Numbers(statuses, values)) => {
                    found.numbers(&polls, &statuses, values.into_iter())
                }
                Some(Column::Counters(statuses, values)) => {
                    found.numbers(&polls, &statuses, values.into_iter().map(|n| n as f64));
                }
                Some(Column::Words(marks)) => found.words(&polls, marks, source.shift),
                None => {}
            }
        }
        Ok(())
    }

    fn buckets(
        &self,
        conn: &Connection,
        source: &Source,
        tier: Tier,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        let width = tier.width_ms();
        for id in &self.ids {
            let buckets = segment::get(conn, source.id, *id, |blob| rollup::decode(tier, blob))?;
            for bucket in buckets.unwrap_or_default() {
                found.items.push((bucket.start, What::Bucket(bucket, width)));
            }
        }
        let polls = segment::get(conn, source.id, self.polls, |blob| rollup::decode(tier, blob))?;
        for bucket in polls.unwrap_or_default().iter().filter(|bucket| bucket.bad > 0) {
            found.items.push((bucket.start, What::Failed(bucket.bad)));
        }
        Ok(())
    }

    /// Words of which only the changes and the hours with polls are left.
    fn hours(
        &self,
        conn: &Connection,
        source: &Source,
        tier: Tier,
        found: &mut Found,
    ) -> Result<(), StoreError> {
        let width = tier.width_ms();
        let polls =
            segment::get(conn, source.id, self.polls, |blob| rollup::decode(tier, blob))?.unwrap_or_default();
        for bucket in polls.iter().filter(|bucket| bucket.count == 0) {
            found.states.push((bucket.start, RunState::Bad(Absence::NotJudged), width));
        }
        for id in &self.ids {
            let Some(Column::Words(marks)) = segment::get(conn, source.id, *id, Column::decode)? else {
                continue;
            };
            let edges = |bucket: &rollup::Bucket| [bucket.start, bucket.start + width - 1];
            let changes = marks.iter().map(|(at, _)| at.saturating_add(source.shift));
            let mut times: Vec<i64> =
                polls.iter().filter(|b| b.count > 0).flat_map(edges).chain(changes).collect();
            times.sort_unstable();
            let mut marks = marks.into_iter().peekable();
            let mut now = Mark::Gone;
            for at in times {
                while let Some((_, mark)) = marks.next_if(|(when, _)| when.saturating_add(source.shift) <= at)
                {
                    now = mark;
                }
                found.state(at, &now, width);
            }
        }
        Ok(())
    }

    fn read_hot(&self, conn: &Connection, found: &mut Found) -> rusqlite::Result<()> {
        let covered: i64 = conn.query_row("SELECT cycle FROM covered", [], |row| row.get(0))?;
        let select = format!(
            "SELECT h.body, {} FROM hot h JOIN stretch s ON s.id = h.stretch
             WHERE h.id >= ?1 AND h.id & 65535 = ?2 ORDER BY h.id",
            RowClock::COLUMNS
        );
        let mut rows = conn.prepare_cached(&select)?;
        let mut rows = rows.query([hot::row_of(covered + 1, 0), hot::part_of(self.device)])?;
        let newest: Option<i64> = if self.provisional {
            conn.prepare_cached("SELECT max(id) FROM stretch")?.query_row([], |row| row.get(0))?
        } else {
            None
        };
        let mut window = None;
        let mut carried = hot::Carried::default();
        while let Some(row) = rows.next()? {
            let clock = RowClock::read(row, 1)?;
            let Some(wall) = clock.wall().or_else(|| clock.provisional(newest?)) else { continue };
            let result = hot::sections(row.get_ref(0)?.as_blob()?, |section| {
                if section.device != self.device {
                    return Ok(());
                }
                // A window stands for itself.
                let own = Some((clock.stretch, clock.window()));
                if window != own {
                    carried = hot::Carried::default();
                    window = own;
                }
                let at = wall.saturating_sub(section.before_ms);
                found.poll(at, section.outcome, self.kind);
                if section.outcome.is_ok() {
                    carried.take(&section, |_| {})?;
                    for point in self.ids.iter().filter_map(|id| carried.now().get(id)) {
                        found.point(at, point, self.kind);
                    }
                }
                Ok(())
            });
            if let Err(reason) = result {
                tracing::error!(reason, "a cycle of history cannot be read and counts as a gap");
            }
        }
        Ok(())
    }
}

impl Found {
    fn poll(&mut self, at: i64, outcome: Result<(), Absence>, kind: SeriesKind) {
        match outcome {
            Err(absence) if kind.is_word() => self.states.push((at, RunState::Bad(absence), 0)),
            Err(_) => self.items.push((at, What::Failed(1))),
            Ok(()) if kind == SeriesKind::Polls => {
                let bucket = rollup::Bucket { start: at, values: None, count: 1, bad: 0 };
                self.items.push((at, What::Bucket(bucket, 0)));
            }
            Ok(()) => {}
        }
    }

    fn numbers(
        &mut self,
        polls: &chunk::Polls,
        statuses: &chunk::Statuses,
        mut values: impl Iterator<Item = f64>,
    ) {
        for (at, status) in polls.times.iter().zip(statuses.iter()) {
            match status {
                Status::Absent => {}
                Status::Bad(_) => self.items.push((*at, What::Bad)),
                Status::Good => self.items.extend(values.next().map(|x| (*at, What::Value(x)))),
            }
        }
    }

    /// The marks of a segment: each came with one of its polls, in the same order.
    fn words(&mut self, polls: &chunk::Polls, marks: Vec<(i64, Mark)>, shift: i64) {
        let mut marks = marks.into_iter().peekable();
        let mut now = Mark::Gone;
        for (at, status) in polls.times.iter().zip(polls.outcomes.iter()) {
            // By equality: after a small step back a later change may have an earlier time.
            while let Some((_, mark)) = marks.next_if(|(when, _)| when.saturating_add(shift) == *at) {
                now = mark;
            }
            if status == Status::Good {
                self.state(*at, &now, 0);
            }
        }
    }

    fn state(&mut self, at: i64, mark: &Mark, stands_for: i64) {
        let state = match mark {
            Mark::Word(word) => RunState::Word(word.clone()),
            Mark::Bad(absence) => RunState::Bad(*absence),
            Mark::Gone => return,
        };
        self.states.push((at, state, stands_for));
    }

    fn point(&mut self, at: i64, point: &hot::Point, kind: SeriesKind) {
        match point {
            hot::Point::Number(x) => self.items.push((at, What::Value(*x))),
            hot::Point::Counter(n) => self.items.push((at, What::Value(*n as f64))),
            hot::Point::Bad(absence) if kind.is_word() => self.state(at, &Mark::Bad(*absence), 0),
            hot::Point::Bad(_) => self.items.push((at, What::Bad)),
            hot::Point::Word(text) => self.state(at, &Mark::Word(text.clone()), 0),
            hot::Point::Gone => {}
        }
    }

    fn runs(mut self, (from, to): (i64, i64), interval_ms: i64) -> History {
        self.states.sort_by_key(|(at, ..)| *at);
        let gap = interval_ms.saturating_mul(5) / 2;
        let (mut runs, mut truncated) = (VecDeque::<Run>::new(), false);
        for (at, state, stands_for) in self.states {
            if at < from || at >= to {
                continue;
            }
            match runs.back_mut() {
                Some(run) if run.state == state && at.saturating_sub(run.to.0) <= gap.max(stands_for) => {
                    run.to = Wall(at);
                }
                _ => runs.push_back(Run { from: Wall(at), to: Wall(at), state }),
            }
            if runs.len() > MOST_RUNS {
                runs.pop_front();
                truncated = true;
            }
        }
        History::Words { runs: runs.into(), truncated }
    }
}
