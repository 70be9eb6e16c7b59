//! The store: what must survive a power cut, in one SQLite file.
//!
//! **Duty.** Makes transitions durable before anybody hears of them; keeps faults with their transitions, the
//! site's devices, when the box watched them, maintenance records, the history of the polls, and the answers to
//! repeated requests; gives all of it back at the next start, and the past of a week to who reckons it.
//!
//! **Place in the flow.** The shell hands in the fault engine's `Commit` effects ([`Store::commit`]) and publishes
//! them after the answer; the panel's questions go through [`Reader`].
//!
//! **Refuses.** It publishes nothing, judges nothing, reads no clock. It never starts empty in the place of a
//! damaged file, never stores transitions out of order or with a gap, and never lets a question hold up a write.

mod backup;
mod beginning;
mod bytes;
mod clock;
mod command;
mod error;
mod extract;
mod hidden;
mod history;
mod journal;
mod latest;
mod login;
mod maintenance;
mod nightly;
mod past;
mod presence;
mod reader;
mod records;
mod restore;
mod schema;
mod service;
mod space;
mod watches;
mod writer;

#[cfg(test)]
mod tests;

pub use backup::{Contents, Replaced, backup, restore, verify};
pub use beginning::{Happened, begin_with};
pub use clock::step_ms;
pub use command::{CommandOutcome, GivenCommand, NewCommand};
pub use error::StoreError;
pub use history::{
    Band, DeviceDay, History, HistoryColumn, MOST_COLUMNS, MOST_RUNS, Named, PastBucket, PastDay, Poll,
    Retention, Run, RunState, SeriesDay, SeriesName, Span,
};
pub use latest::{LatestDevice, LatestReading};
pub use login::LoginRefusals;
pub use maintenance::{NewAmendment, NewRecord, RecordFilter};
pub use nightly::{BACKUPS, Copy, back_up_nightly, newest_good, nightly};
pub use past::{Past, PastDevice};
pub use reader::{FaultFilter, MOST_ROWS, Reader};
pub use restore::Restored;
pub use schema::{FILE, LOCK, RESERVE};
pub use space::{HISTORY_PAUSES_BELOW, HISTORY_RESUMES_FROM, RESERVE_BYTES, Room};
pub use writer::{MOST_POLLS, MOST_WAITING};

use maintenance::{Outcome, Write};
use roundsman_core::device::{Class, Device, Network, Tier};
use roundsman_core::fault::Transition;
use roundsman_core::hidden::Hiding;
use roundsman_core::record::{Record, Refusal};
use roundsman_core::time::{Now, Wall};
use space::Space;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};
use writer::{Job, Work, Writer};

/// A device as the store knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRecord {
    /// The site file's id.
    pub id: Arc<str>,
    /// Name shown to people.
    pub name: Arc<str>,
    /// Class.
    pub class: Class,
    /// Id of the resolved profile.
    pub profile: Arc<str>,
    /// Its tier.
    pub tier: Tier,
    /// Its network.
    pub network: Network,
    /// Where it stands; may be empty.
    pub location: Arc<str>,
}

impl From<&Device> for DeviceRecord {
    fn from(device: &Device) -> DeviceRecord {
        DeviceRecord {
            id: device.id.clone(),
            name: device.name.clone(),
            class: device.class,
            profile: device.profile.clone(),
            tier: device.tier,
            network: device.network,
            location: device.location.clone(),
        }
    }
}

/// Both clocks of one moment and the boot they belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockMark {
    /// The kernel's boot id.
    pub boot: Arc<str>,
    /// CLOCK_BOOTTIME and wall clock, read together.
    pub now: Now,
    /// Whether the kernel reports the wall clock as synchronised.
    pub synchronised: bool,
}

/// What happened at one moment, to be made durable together.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// When it was judged, by both clocks; the wall half is the transition's `at`.
    pub now: Now,
    /// The transition; `None` where only who is hidden changed.
    pub transition: Option<Transition>,
    /// Whom it hid and whom it revealed.
    pub hidden: Vec<Hiding>,
}

/// Steps to be made durable, all or none, in the order they were judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// The clock when they are handed over. Transitions without it have an order and no length: nobody can know how
    /// much time passed between them.
    pub mark: Option<ClockMark>,
    /// The steps.
    pub steps: Vec<Step>,
}

impl From<Vec<Transition>> for Batch {
    fn from(transitions: Vec<Transition>) -> Batch {
        let step = |transition: Transition| Step {
            now: Now { wall: transition.at, ..Now::default() },
            transition: Some(transition),
            hidden: Vec::new(),
        };
        Batch { mark: None, steps: transitions.into_iter().map(step).collect() }
    }
}

/// Status of an answer that is not there yet: its key is claimed by a request under way, or by one that was when the
/// service ended.
pub const CLAIMED: u16 = 102;

/// The answer given to a request that carried an Idempotency-Key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The key, made unique to its caller and route by the panel.
    pub key: Arc<str>,
    /// When it was given.
    pub at: Wall,
    /// HTTP status.
    pub status: u16,
    /// Body.
    pub body: String,
}

/// The open store. One process at a time has it.
pub struct Store {
    jobs: mpsc::Sender<Job>,
    writer: JoinHandle<()>,
    reader: Reader,
    room: Arc<space::Shared>,
    dir: PathBuf,
    _lock: File,
}

impl Store {
    /// Opens (or makes) the database in `dir`, checks and migrates it, and reads what the start needs. `now` tells
    /// which ended faults may still reopen. Blocks for the duration of the check (about 0.1 s for 35 MB).
    ///
    /// # Errors
    /// A lock held by another process, a damaged, foreign or newer file, a failed migration; see [`StoreError`].
    pub fn open(dir: &Path, now: Wall) -> Result<(Store, Restored), StoreError> {
        let lock = schema::lock(dir)?;
        let conn = schema::open_writer(dir)?;
        maintenance::check(&conn, &dir.join(FILE))?;
        let restored = restore::restore(&conn, now).map_err(|error| error.at_start(dir))?;
        let reader = Reader::start(dir)?;
        let (jobs, waiting) = mpsc::channel(MOST_WAITING);
        let work =
            Writer::new(conn, restored.next_transition, Space::of(dir)).map_err(|e| e.at_start(dir))?;
        let room = work.space.shared();
        let writer = std::thread::Builder::new()
            .name("store-write".to_owned())
            .spawn(move || work.run(waiting))
            .map_err(|e| StoreError::file(dir, "start the writer thread for", &e))?;
        let store = Store { jobs, writer, reader, room, dir: dir.to_owned(), _lock: lock };
        Ok((store, restored))
    }

    /// Makes a batch of transitions durable, all or none, with whom they hid; the future answers after the flush. The order is the order of the
    /// calls, not of the awaits, and dropping the future cancels nothing. Calls waiting at the same time share one
    /// transaction.
    ///
    /// # Errors
    /// Nothing of the call is stored then; [`StoreError::is_passing`] tells whether to try again. Later calls are
    /// refused as [`StoreError::OutOfOrder`] until the missing ones are in.
    pub fn commit(
        &self,
        batch: impl Into<Batch>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static {
        self.submit(Work::Commit(batch.into()))
    }

    /// Stores the site's devices: new ones get a row number of their own for ever, missing ones are marked as
    /// removed at `mark`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn save_devices(
        &self,
        devices: Vec<DeviceRecord>,
        mark: ClockMark,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        self.submit(Work::Devices(devices, mark))
    }

    /// Records a cycle of polls and marks the clock, in one transaction; meant for whenever [`MOST_POLLS`] have gathered,
    /// once a minute, and at the end. `polls` is
    /// called on the writer's thread, and its polls are taken one at a time. A large site hands them in by several
    /// calls of at most [`MOST_POLLS`], each after the answer to the one before, so that a transition never waits long;
    /// the calls come in the order of their marks.
    ///
    /// # Errors
    /// Nothing of the call is stored then; [`StoreError::HistoryPaused`] while the disk has little room, see
    /// [`StoreError`].
    pub fn record<Polls>(
        &self,
        mark: ClockMark,
        polls: impl Fn() -> Polls + Send + 'static,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + 'static
    where
        Polls: Iterator<Item = Poll> + 'static,
    {
        self.submit(Work::Record(mark, Box::new(move || Box::new(polls()))))
    }

    /// Has history go on: what device `device` calls `to` now it called `from` before.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn renamed(
        &self,
        device: Arc<str>,
        from: Arc<str>,
        to: Arc<str>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        self.submit(Work::Renamed { device, from, to })
    }

    /// Stores a day of a past that was not polled here, in one transaction: for a demonstration, or what another system
    /// measured. `now` is said as the time of its making.
    ///
    /// # Errors
    /// [`StoreError::Contradiction`] if history has samples of that time already, or buckets do not fit.
    pub fn fill(
        &self,
        day: PastDay,
        now: Wall,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        self.submit(Work::Fill(Box::new(day), now))
    }

    /// Says how long history is kept from now on; [`Retention::default`] until then.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn keep_history(
        &self,
        retention: Retention,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        self.submit(Work::Keep(retention))
    }

    /// Whether history has nothing left to do at the time of the latest recorded cycle. Nobody needs to ask: the
    /// writer takes its steps by itself while nothing else waits.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn is_settled(&self) -> Result<bool, StoreError> {
        let busy = Arc::new(AtomicBool::new(true));
        self.submit(Work::Ask(busy.clone())).await?;
        Ok(!busy.load(Ordering::Relaxed))
    }

    /// Marks the clock alone (at the start, after a step).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub fn mark_clock(&self, mark: ClockMark) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        self.submit(Work::Clock(mark))
    }

    /// Keeps the answer to a request for 24 hours, at most 10,000 of them. One of the status [`CLAIMED`] holds the place
    /// of another that may come once.
    ///
    /// # Errors
    /// [`StoreError::Contradiction`] if the key has an answer already; see [`StoreError`].
    pub fn remember(&self, answer: Answer) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        self.submit(Work::Remember(answer))
    }

    /// Writes a maintenance record under the next number of its year; answers after the flush. A key that has written
    /// the same record before answers with that one.
    ///
    /// # Errors
    /// Outside: nothing is stored, see [`StoreError`]. Inside: it was refused, and why.
    pub fn add_record(
        &self,
        new: NewRecord,
    ) -> impl Future<Output = Result<Result<Record, Refusal>, StoreError>> + Send + use<> {
        self.write_record(Write::Record(Box::new(new)))
    }

    /// Writes an amendment beside a maintenance record; answers with the record after the flush.
    ///
    /// # Errors
    /// As [`Store::add_record`].
    pub fn amend_record(
        &self,
        new: NewAmendment,
    ) -> impl Future<Output = Result<Result<Record, Refusal>, StoreError>> + Send + use<> {
        self.write_record(Write::Amendment(Box::new(new)))
    }

    fn write_record(
        &self,
        write: Write,
    ) -> impl Future<Output = Result<Result<Record, Refusal>, StoreError>> + Send + use<> {
        let outcome = Outcome::default();
        let done = self.submit(Work::Maintenance(write, outcome.clone()));
        async move {
            done.await?;
            let found = outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
            found.ok_or(StoreError::Closed)
        }
    }

    /// Puts a command on record before it is sent; answers with its number after the flush.
    ///
    /// # Errors
    /// Nothing is stored, see [`StoreError`]: then it is not to be sent.
    pub fn give_command(
        &self,
        new: NewCommand,
    ) -> impl Future<Output = Result<i64, StoreError>> + Send + use<> {
        let number = Arc::new(Mutex::new(None));
        let done = self.submit(Work::Command(Box::new(new), number.clone()));
        async move {
            done.await?;
            let given = number.lock().unwrap_or_else(PoisonError::into_inner).take();
            given.ok_or(StoreError::Closed)
        }
    }

    /// Keeps the refused logins of a device over a restart.
    ///
    /// # Errors
    /// Nothing is stored, see [`StoreError`].
    pub fn keep_login(
        &self,
        of: LoginRefusals,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        self.submit(Work::Login(Box::new(of)))
    }

    /// Puts on record what came of a command.
    ///
    /// # Errors
    /// Nothing is stored, see [`StoreError`].
    pub fn end_command(
        &self,
        outcome: CommandOutcome,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        self.submit(Work::Obeyed(Box::new(outcome)))
    }

    /// Where to ask questions.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Jobs that wait for the writer now, 0 to [`MOST_WAITING`].
    pub fn queued(&self) -> usize {
        self.jobs.max_capacity() - self.jobs.capacity()
    }

    /// What the database and its journal take on disk now, bytes. Looks at two files, reads none.
    pub fn bytes(&self) -> u64 {
        schema::bytes(&self.dir)
    }

    /// How much room the disk has, and what waits for more; as the writer saw it before its latest transaction.
    pub fn room(&self) -> Room {
        self.room.room()
    }

    /// Finishes what waits, folds the journal in and closes; blocks meanwhile.
    pub fn close(self) {
        let Store { jobs, writer, reader, room: _, dir: _, _lock } = self;
        drop(jobs);
        drop(reader);
        if writer.join().is_err() {
            tracing::error!("the store's writer thread ended by a panic");
        }
    }

    fn submit(&self, work: Work) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let (reply, answer) = oneshot::channel();
        let sent = self.jobs.try_send(Job { work, reply }).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded { limit: MOST_WAITING },
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        });
        async move {
            sent?;
            answer.await.unwrap_or(Err(StoreError::Closed))
        }
    }
}
