//! Questions: two read-only connections, each on its own thread, each question bounded in time and size.

use crate::error::StoreError;
use crate::records::{self, FAULT_COLUMNS, TRANSITION_COLUMNS};
use crate::writer::ANSWER_LIFE_MS;
use crate::{Answer, schema};
use roundsman_core::fault::{Fault, FaultId, Transition};
use roundsman_core::time::Wall;
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Connections that answer questions: one for the panel while the other makes a report.
const CONNECTIONS: usize = 2;
/// Questions that may wait; past it the caller is told at once.
const MOST_WAITING: usize = 64;
/// How long a question may take, from asking to answer.
const LIMIT: Duration = Duration::from_secs(2);
/// SQLite instructions between two looks at whether the asker still waits: some tens of microseconds.
const INSTRUCTIONS_BETWEEN_LOOKS: i32 = 10_000;
/// Most rows of one answer.
pub const MOST_ROWS: usize = 1_000;

/// Which faults.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FaultFilter {
    /// Not ended.
    #[default]
    Open,
    /// Ended.
    Closed,
    /// Both.
    All,
}

type Question = Box<dyn FnOnce(&mut Connection) + Send>;

/// Asks the database. Cheap to clone; dropping the last one ends its threads.
#[derive(Clone)]
pub struct Reader {
    questions: mpsc::Sender<Question>,
    limit: Duration,
}

/// Stops the question when its asker is gone, by timeout or by a dropped connection.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Reader {
    /// Opens the connections and starts their threads.
    pub(crate) fn start(dir: &Path) -> Result<Reader, StoreError> {
        let (questions, waiting) = mpsc::channel::<Question>(MOST_WAITING);
        let waiting = Arc::new(Mutex::new(waiting));
        for n in 0..CONNECTIONS {
            let mut conn = schema::open_reader(dir)?;
            let waiting = waiting.clone();
            std::thread::Builder::new()
                .name(format!("store-read-{n}"))
                .spawn(move || {
                    loop {
                        // A panicking question cannot leave the queue half-changed, so a poisoned lock is good.
                        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv();
                        let Some(question) = next else { break };
                        question(&mut conn);
                    }
                })
                .map_err(|e| StoreError::file(dir, "start a reader thread for", &e))?;
        }
        Ok(Reader { questions, limit: LIMIT })
    }

    /// A reader of a store that no service has open; one that is open may be read as well.
    ///
    /// # Errors
    /// There is no database in the folder, it is none of ours, or of another version.
    pub fn open(dir: &Path) -> Result<Reader, StoreError> {
        schema::readable(dir)?;
        Reader::start(dir)
    }

    /// The same reader with another limit of time.
    pub(crate) fn with_limit(&self, limit: Duration) -> Reader {
        Reader { questions: self.questions.clone(), limit }
    }

    /// Runs `question` on one of the connections.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        doing: &'static str,
        question: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let limit_ms = self.limit.as_millis() as u64;
        let stop = Arc::new(AtomicBool::new(false));
        let guard = StopOnDrop(stop.clone());
        let (reply, answer) = oneshot::channel();
        let job: Question = Box::new(move |conn| {
            let _ = reply.send(bounded(conn, stop, doing, limit_ms, question));
        });
        self.questions.try_send(job).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => StoreError::Overloaded { limit: MOST_WAITING },
            mpsc::error::TrySendError::Closed(_) => StoreError::Closed,
        })?;
        let answer = tokio::time::timeout(self.limit, answer).await;
        drop(guard);
        match answer {
            Ok(Ok(result)) => result,
            Ok(Err(_)) => Err(StoreError::Closed),
            Err(_) => Err(StoreError::TooSlow { limit_ms }),
        }
    }

    /// Faults, newest first, at most `limit` (and never more than [`MOST_ROWS`]); of one device if it is named; with
    /// `before` only those with a smaller id, for the next page. A device that the store does not know has none.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn faults(
        &self,
        filter: FaultFilter,
        device: Option<Arc<str>>,
        limit: usize,
        before: Option<FaultId>,
    ) -> Result<Vec<Fault>, StoreError> {
        let sql = faults_sql(filter, device.is_some());
        let before = before.and_then(|id| i64::try_from(id.0).ok()).unwrap_or(i64::MAX);
        let limit = limit.min(MOST_ROWS) as i64;
        self.ask("list faults", move |conn| match device {
            Some(device) => rows(conn, &sql, params![before, limit, device], records::fault),
            None => rows(conn, &sql, params![before, limit], records::fault),
        })
        .await
    }

    /// Faults that were confirmed from one moment to another, both included, the first first, at most `limit` (and never
    /// more than [`MOST_ROWS`]).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn faults_between(&self, from: Wall, to: Wall, limit: usize) -> Result<Vec<Fault>, StoreError> {
        let limit = limit.min(MOST_ROWS) as i64;
        self.ask("list the faults of a time", move |conn| {
            let sql = format!(
                "SELECT {FAULT_COLUMNS} FROM fault f JOIN device d ON d.row = f.device
                 WHERE f.confirmed BETWEEN ?1 AND ?2 ORDER BY f.confirmed, f.id LIMIT ?3"
            );
            rows(conn, &sql, params![from.0, to.0, limit], records::fault)
        })
        .await
    }

    /// One fault and what happened to it, oldest first (of more than [`MOST_ROWS`] transitions the newest); `None`
    /// if there is no such fault.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn fault(&self, id: FaultId) -> Result<Option<(Fault, Vec<Transition>)>, StoreError> {
        let Ok(id) = i64::try_from(id.0) else {
            return Ok(None);
        };
        self.ask("read a fault", move |conn| {
            let sql = format!(
                "SELECT {FAULT_COLUMNS} FROM fault f JOIN device d ON d.row = f.device WHERE f.id = ?1"
            );
            let Some(fault) = rows(conn, &sql, params![id], records::fault)?.pop() else {
                return Ok(None);
            };
            let sql = format!(
                "SELECT {TRANSITION_COLUMNS} FROM transition t JOIN fault f ON f.id = t.fault
                 JOIN device d ON d.row = f.device WHERE t.fault = ?1 ORDER BY t.id DESC LIMIT ?2"
            );
            let mut transitions = rows(conn, &sql, params![id, MOST_ROWS as i64], records::transition)?;
            transitions.reverse();
            Ok(Some((fault, transitions)))
        })
        .await
    }

    /// The devices that a fault hides, by their names in the site file and in the order of their rows, at most
    /// [`MOST_ROWS`]; of one that has ended those that it hid.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn hidden_by(&self, id: FaultId) -> Result<Vec<Arc<str>>, StoreError> {
        let Ok(id) = i64::try_from(id.0) else {
            return Ok(Vec::new());
        };
        self.ask("list whom a fault hides", move |conn| {
            let sql = "SELECT DISTINCT d.id FROM hidden h JOIN device d ON d.row = h.device
                       JOIN fault f ON f.id = h.root
                       WHERE h.root = ?1 AND (f.ending IS NOT NULL OR h.to_watch IS NULL)
                       ORDER BY d.row LIMIT ?2";
            rows(conn, sql, params![id, MOST_ROWS as i64], |row| {
                let id: rusqlite::Result<String> = row.get(0);
                id.map(Arc::from).map_err(|e| StoreError::sqlite("list whom a fault hides", &e))
            })
        })
        .await
    }

    /// The transitions after number `id` in order, at most `limit` (and never more than [`MOST_ROWS`]).
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn transitions_after(&self, id: u64, limit: usize) -> Result<Vec<Transition>, StoreError> {
        let Ok(id) = i64::try_from(id) else {
            return Ok(Vec::new());
        };
        self.ask("replay transitions", move |conn| {
            let sql = format!(
                "SELECT {TRANSITION_COLUMNS} FROM transition t JOIN fault f ON f.id = t.fault
                 JOIN device d ON d.row = f.device WHERE t.id > ?1 ORDER BY t.id LIMIT ?2"
            );
            rows(conn, &sql, params![id, limit.min(MOST_ROWS) as i64], records::transition)
        })
        .await
    }

    /// The answer that was given to this Idempotency-Key within the 24 hours before `now`.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn answer(&self, key: &str, now: Wall) -> Result<Option<Answer>, StoreError> {
        let key = key.to_owned();
        let since = now.0.saturating_sub(ANSWER_LIFE_MS);
        self.ask("look up an answer", move |conn| {
            conn.prepare_cached("SELECT key, at, status, body FROM answer WHERE key = ?1 AND at >= ?2")
                .and_then(|mut s| {
                    s.query_row(params![key, since], |row| {
                        Ok(Answer {
                            key: row.get::<_, String>(0)?.into(),
                            at: Wall(row.get(1)?),
                            status: row.get(2)?,
                            body: row.get(3)?,
                        })
                    })
                    .optional()
                })
                .map_err(|e| StoreError::sqlite("look up an answer", &e))
        })
        .await
    }
}

/// The list of faults below `?1`, at most `?2`, of the device `?3` if there is one. Each variant goes along an index
/// (or the row numbers) from the newest on and stops at the limit; a test holds the query plans to it.
pub(crate) fn faults_sql(filter: FaultFilter, of_device: bool) -> String {
    let condition = match filter {
        FaultFilter::Open => "f.ending IS NULL",
        FaultFilter::Closed => "f.ending IS NOT NULL",
        FaultFilter::All => "true",
    };
    // The device's row is looked up first: the index of its faults is then in the order of their ids.
    let device = if of_device { "AND f.device = (SELECT row FROM device WHERE id = ?3)" } else { "" };
    format!(
        "SELECT {FAULT_COLUMNS} FROM fault f JOIN device d ON d.row = f.device
         WHERE {condition} {device} AND f.id < ?1 ORDER BY f.id DESC LIMIT ?2"
    )
}

/// Runs a question that ends as soon as `stop` is set.
fn bounded<T>(
    conn: &mut Connection,
    stop: Arc<AtomicBool>,
    doing: &'static str,
    limit_ms: u64,
    question: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let stopped = stop.clone();
    conn.progress_handler(INSTRUCTIONS_BETWEEN_LOOKS, Some(move || stop.load(Ordering::Relaxed)))
        .map_err(|e| StoreError::sqlite(doing, &e))?;
    if stopped.load(Ordering::Relaxed) {
        return Err(StoreError::TooSlow { limit_ms });
    }
    question(conn)
}

/// All rows of a query, each read by `read`.
pub(crate) fn rows<T>(
    conn: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: fn(&rusqlite::Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let failed = |e: rusqlite::Error| StoreError::sqlite("read", &e);
    let mut statement = conn.prepare_cached(sql).map_err(failed)?;
    let mut found = statement.query(params).map_err(failed)?;
    let mut all = Vec::new();
    while let Some(row) = found.next().map_err(failed)? {
        all.push(read(row)?);
    }
    Ok(all)
}
