//! The one writer: a thread that owns the writing connection and makes jobs durable, several in one transaction.

use crate::command::{self, CommandOutcome, NewCommand};
use crate::error::StoreError;
use crate::history::{self, Keeper, Poll, Progress, Retention};
use crate::login::{self, LoginRefusals};
use crate::maintenance::{self, Outcome, Write};
use crate::space::Space;
use crate::watches::At;
use crate::{Answer, Batch, CLAIMED, ClockMark, DeviceRecord, PastDay, hidden, presence, records, watches};
use roundsman_core::time::Wall;
use rusqlite::{Connection, params};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc, oneshot};

/// Jobs that may wait. When it is full the caller is told at once: the disk does not keep up, and what waits in
/// the caller's hands is bounded there.
pub const MOST_WAITING: usize = 1_024;
/// Jobs in one transaction: bounds how long the first of them waits for the last.
const MOST_TOGETHER: usize = 64;
/// Batches after which history takes a step although jobs wait: a storm of hours must not let its rows pile up.
const MOST_IN_A_ROW: usize = 64;
/// Polls of one call of [`crate::Store::record`]: at 226 points each some milliseconds.
pub const MOST_POLLS: usize = 256;
/// Answers kept for repeated requests; beyond it the oldest go.
const MOST_ANSWERS: i64 = 10_000;
/// How long an answer is kept.
pub(crate) const ANSWER_LIFE_MS: i64 = 24 * 3_600 * 1_000;

/// Makes the polls of a cycle.
pub(crate) type Polls = Box<dyn Fn() -> Box<dyn Iterator<Item = Poll>> + Send>;

/// What the writer can be asked to do.
pub(crate) enum Work {
    Commit(Batch),
    Devices(Vec<DeviceRecord>, ClockMark),
    Clock(ClockMark),
    Remember(Answer),
    /// The closure makes the polls, one after the other, on the writer's thread.
    Record(ClockMark, Polls),
    Renamed {
        device: Arc<str>,
        from: Arc<str>,
        to: Arc<str>,
    },
    Keep(Retention),
    Fill(Box<PastDay>, Wall),
    /// Clears the flag if history has nothing to do.
    Ask(Arc<AtomicBool>),
    /// A maintenance record or an amendment, and where to leave what came of it.
    Maintenance(Write, Outcome),
    /// A command that is about to be sent, and where to leave its number.
    Command(Box<NewCommand>, Arc<Mutex<Option<i64>>>),
    /// What came of one.
    Obeyed(Box<CommandOutcome>),
    /// Refused logins of a device.
    Login(Box<LoginRefusals>),
}

/// Work and the one who waits for it.
pub(crate) struct Job {
    pub(crate) work: Work,
    pub(crate) reply: oneshot::Sender<Result<(), StoreError>>,
}

/// The thread's state.
pub(crate) struct Writer {
    pub(crate) conn: Connection,
    /// Id of the transition that is due.
    pub(crate) next: u64,
    watches: watches::Keeper,
    history: Keeper,
    /// Room on the disk.
    pub(crate) space: Space,
    /// The latest recorded cycle's clock, as long as history may have work since then.
    unsettled: Option<ClockMark>,
}

impl Writer {
    /// On an open database; `next` is the id of the transition that is due.
    pub(crate) fn new(conn: Connection, next: u64, space: Space) -> Result<Writer, StoreError> {
        let history = Keeper::start(&conn)?;
        Ok(Writer { conn, next, watches: watches::Keeper::default(), history, space, unsettled: None })
    }

    /// Works until every sender is gone, then folds the journal into the file.
    ///
    /// It never waits for company: while one transaction is being flushed the next jobs gather in the queue and
    /// share the following one, so that a lone transition is as fast as the disk. While no job waits, history takes
    /// its steps.
    pub(crate) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut batch = Vec::with_capacity(MOST_TOGETHER);
        let mut in_a_row = 0;
        loop {
            if in_a_row >= MOST_IN_A_ROW {
                in_a_row = 0;
                self.tidy();
            }
            match jobs.try_recv() {
                Ok(job) => batch.push(job),
                Err(mpsc::error::TryRecvError::Disconnected) => break,
                Err(mpsc::error::TryRecvError::Empty) if self.unsettled.is_some() => {
                    in_a_row = 0;
                    self.tidy();
                    continue;
                }
                Err(mpsc::error::TryRecvError::Empty) => match jobs.blocking_recv() {
                    Some(job) => batch.push(job),
                    None => break,
                },
            }
            while batch.len() < MOST_TOGETHER {
                match jobs.try_recv() {
                    Ok(job) => batch.push(job),
                    Err(_) => break,
                }
            }
            in_a_row += 1;
            let results = self.transact(&batch);
            for (job, result) in batch.drain(..).zip(results) {
                // A caller that went away does not need its answer; the work is done all the same.
                let _ = job.reply.send(result);
            }
        }
        if let Err(error) = self.conn.pragma(None, "wal_checkpoint", "TRUNCATE", |_| Ok(())) {
            tracing::warn!(%error, "the journal could not be folded in at the end; the next start does it");
        }
    }

    /// One step of history, one transaction. A failing one is tried again after the next recorded cycle.
    fn tidy(&mut self) {
        self.space.look();
        if self.space.is_paused() {
            self.unsettled = None;
        }
        let Some(mark) = self.unsettled.clone() else { return };
        match self.step(&mark) {
            Ok(Progress::More) => {}
            Ok(Progress::Idle) => self.unsettled = None,
            Err(error) => {
                tracing::error!(%error, "history could not be compacted, it is tried again in a minute");
                self.unsettled = None;
                self.history.doubt();
                self.roll_back();
            }
        }
    }

    fn step(&mut self, mark: &ClockMark) -> Result<Progress, StoreError> {
        let failed = |e: rusqlite::Error| StoreError::sqlite("compact history", &e);
        self.conn.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        let progress = self.history.step(&self.conn, mark)?;
        self.conn.execute_batch("COMMIT").map_err(failed)?;
        Ok(progress)
    }

    fn roll_back(&self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::error!(%error, "rollback failed");
        }
    }

    /// One transaction for all of them; a job that fails is taken back alone. Where the disk is full it is tried
    /// again with the reserve, and without history.
    pub(crate) fn transact(&mut self, batch: &[Job]) -> Vec<Result<(), StoreError>> {
        self.space.look();
        let mut done = self.attempt_or_take_back(batch);
        if matches!(done, Err(StoreError::Full { .. })) && self.space.give_up_reserve() {
            done = self.attempt_or_take_back(batch);
        }
        self.space.note_written(matches!(done, Err(StoreError::Full { .. })));
        done.unwrap_or_else(|error| {
            tracing::warn!(%error, jobs = batch.len(), "a transaction failed");
            vec![Err(error); batch.len()]
        })
    }

    fn attempt_or_take_back(&mut self, batch: &[Job]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let before = (self.next, self.watches.clone());
        self.attempt(batch).inspect_err(|_| {
            (self.next, self.watches) = before;
            self.history.doubt();
            self.roll_back();
        })
    }

    fn attempt(&mut self, batch: &[Job]) -> Result<Vec<Result<(), StoreError>>, StoreError> {
        let failed = |e: rusqlite::Error| StoreError::sqlite("commit", &e);
        self.conn.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
        if let [job] = batch {
            // What fails alone is taken back with its transaction: no savepoint needs to note the pages it changes.
            let result = self.apply_or_take_back(job, "ROLLBACK")?;
            if result.is_ok() {
                self.conn.execute_batch("COMMIT").map_err(failed)?;
            }
            return Ok(vec![result]);
        }
        let mut results = Vec::with_capacity(batch.len());
        for job in batch {
            self.conn.execute_batch("SAVEPOINT job").map_err(failed)?;
            results.push(self.apply_or_take_back(job, "ROLLBACK TO job")?);
            self.conn.execute_batch("RELEASE job").map_err(failed)?;
        }
        self.conn.execute_batch("COMMIT").map_err(failed)?;
        Ok(results)
    }

    /// The outer error ends the whole transaction.
    fn apply_or_take_back(
        &mut self,
        job: &Job,
        take_back: &str,
    ) -> Result<Result<(), StoreError>, StoreError> {
        let before = (self.next, self.watches.clone());
        let result = self.apply(&job.work);
        if let Err(error) = &result {
            // SQLite ends the whole transaction by itself on an I/O error; on a full disk the others fail too.
            if self.conn.is_autocommit() || matches!(error, StoreError::Full { .. }) {
                return Err(error.clone());
            }
            (self.next, self.watches) = before;
            if matches!(job.work, Work::Record(..)) {
                self.history.doubt();
            }
            self.conn.execute_batch(take_back).map_err(|e| StoreError::sqlite("commit", &e))?;
        }
        Ok(result)
    }

    fn apply(&mut self, work: &Work) -> Result<(), StoreError> {
        match work {
            Work::Commit(batch) => self.commit(batch),
            Work::Devices(devices, mark) => self.save_devices(devices, mark),
            Work::Clock(mark) => self.mark(mark).map(|_| ()),
            Work::Remember(answer) => {
                remember(&self.conn, answer).map_err(|e| StoreError::sqlite("keep an answer", &e))
            }
            Work::Record(mark, polls) => self.record(mark, &mut *polls()),
            Work::Renamed { device, from, to } => records::device_row(&self.conn, device)
                .and_then(|row| history::rename(&self.conn, row, from, to))
                .map_err(|e| StoreError::sqlite("rename a series", &e)),
            Work::Keep(retention) => {
                self.history.keep(*retention);
                Ok(())
            }
            Work::Fill(day, now) => {
                self.history.unsettle();
                history::fill(&self.conn, day, *now)
            }
            Work::Ask(busy) => {
                busy.store(self.unsettled.is_some(), Ordering::Relaxed);
                Ok(())
            }
            Work::Maintenance(write, outcome) => {
                let written = maintenance::apply(&self.conn, write)?;
                *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(written);
                Ok(())
            }
            Work::Command(new, number) => {
                let given = command::give(&self.conn, new)?;
                *number.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
                Ok(())
            }
            Work::Obeyed(outcome) => command::end(&self.conn, outcome),
            Work::Login(of) => login::keep(&self.conn, of),
        }
    }

    fn record(&mut self, mark: &ClockMark, polls: &mut dyn Iterator<Item = Poll>) -> Result<(), StoreError> {
        if self.space.is_paused() {
            return Err(StoreError::HistoryPaused);
        }
        self.history.append(&self.conn, mark, polls)?;
        self.mark(mark)?;
        if self.history.has_work(mark) {
            self.unsettled = Some(mark.clone());
        }
        Ok(())
    }

    /// What is marked from now on is another run of the supervisor.
    pub(crate) fn restart(&mut self) {
        self.watches.restart();
    }

    /// The watch goes on until `mark`.
    pub(crate) fn mark(&mut self, mark: &ClockMark) -> Result<At, StoreError> {
        self.watches.mark(&self.conn, mark).map_err(|e| StoreError::sqlite("mark the clock", &e))
    }

    pub(crate) fn save_devices(
        &mut self,
        devices: &[DeviceRecord],
        mark: &ClockMark,
    ) -> Result<(), StoreError> {
        let at = self.mark(mark)?;
        presence::save(&self.conn, devices, at).map_err(|e| StoreError::sqlite("save devices", &e))
    }

    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<(), StoreError> {
        let failed = |e: rusqlite::Error| StoreError::sqlite("store a transition", &e);
        for step in &batch.steps {
            let at = batch.mark.as_ref().map(|mark| self.mark(&ClockMark { now: step.now, ..mark.clone() }));
            let at = at.transpose()?;
            if let Some(transition) = &step.transition {
                if transition.id != self.next {
                    let (expected, got) = (self.next, transition.id);
                    return Err(StoreError::OutOfOrder { expected, got });
                }
                let watch = at.map(|at| at.watch).or(self.watches.current());
                records::write(&self.conn, transition, watch).map_err(failed)?;
                self.next += 1;
            }
            // Without a clock there is no saying how long.
            if let Some(at) = at {
                hidden::write(&self.conn, &step.hidden, at).map_err(failed)?;
            }
        }
        if let Some(mark) = &batch.mark {
            self.mark(mark)?;
        }
        Ok(())
    }
}

fn remember(conn: &Connection, answer: &Answer) -> rusqlite::Result<()> {
    conn.prepare_cached("DELETE FROM answer WHERE at < ?1")?
        .execute([answer.at.0.saturating_sub(ANSWER_LIFE_MS)])?;
    conn.prepare_cached("DELETE FROM answer WHERE key = ?1 AND status = ?2")?
        .execute(params![answer.key, CLAIMED])?;
    conn.prepare_cached("INSERT INTO answer (key, at, status, body) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![answer.key, answer.at.0, answer.status, answer.body])?;
    conn.prepare_cached(
        "DELETE FROM answer WHERE key IN (SELECT key FROM answer ORDER BY at DESC, key LIMIT -1 OFFSET ?1)",
    )?
    .execute([MOST_ANSWERS])?;
    Ok(())
}
