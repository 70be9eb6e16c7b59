//! The task that owns a port.

use super::stream::{self, Failed, Stream};
use super::{Command, Counters, Finished, IDLE_MS, Outcome, RETRY_MS, Request, Settings, Standing};
use crate::clock::Clock;
use roundsman_core::fault::Generation;
use roundsman_core::reading::Absence;
use roundsman_core::time::{Mono, Now, Wall};
use roundsman_wire::bus::answer::Answer;
use roundsman_wire::bus::order::{Ordered, Verdict};
use roundsman_wire::bus::session::{self, Session};
use roundsman_wire::bus::{self as wire, Action, Lost};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Marks the session's keys of looks, apart from those of devices.
const LOOK_KEY: u32 = 1 << 31;
/// Octets taken in by one read.
const READ: usize = 1_024;

type Opening = Pin<Box<dyn Future<Output = Result<Stream, Failed>> + Send>>;

/// The port as its owner sees it.
enum Held {
    /// Not open.
    Nothing,
    /// Being opened.
    Coming(Opening),
    /// Open.
    Open(Open),
}

/// An open port.
struct Open {
    stream: Stream,
    /// When something came last, or it was opened.
    last: Mono,
    /// Whether anything came.
    heard: bool,
}

impl Open {
    /// When it is closed if nothing comes; a serial port never is.
    fn idle_at(&self) -> Option<Mono> {
        (self.stream.end() == Lost::Closed).then_some(self.last.plus_ms(IDLE_MS))
    }
}

pub(super) struct Owner {
    clock: Clock,
    settings: Settings,
    session: Session,
    held: Held,
    queue: mpsc::Receiver<Command>,
    outcomes: mpsc::Sender<Outcome>,
    /// Outcomes the receiver has not made room for.
    waiting: VecDeque<Outcome>,
    /// Who waits for a command, by its id; as many as the session takes.
    orders: HashMap<u64, oneshot::Sender<Ordered>>,
    /// Who waits for a look, by its key.
    looks: HashMap<u32, oneshot::Sender<Finished>>,
    /// Given to the next of either.
    next: u32,
    counters: Arc<Mutex<Counters>>,
    own: Counters,
    /// Why it is not open, and when the next attempt may be made.
    lost: Lost,
    retry_ms: u64,
    retry_at: Mono,
    buffer: Vec<u8>,
}

/// What woke the task.
enum Woken {
    Command(Option<Command>),
    /// Octets, so many of them; 0 is the end.
    Read(std::io::Result<usize>, Vec<u8>),
    Opened(Result<Stream, Failed>),
    Room(bool),
    Time,
}

impl Owner {
    pub(super) fn new(
        clock: Clock,
        mut settings: Settings,
        queue: mpsc::Receiver<Command>,
        outcomes: mpsc::Sender<Outcome>,
        counters: Arc<Mutex<Counters>>,
    ) -> Owner {
        let opening = settings.opening.take();
        let session = Session::new(settings.line.clone(), Arc::clone(&settings.listener), opening);
        Owner {
            clock,
            session,
            settings,
            held: Held::Nothing,
            queue,
            outcomes,
            waiting: VecDeque::new(),
            orders: HashMap::new(),
            looks: HashMap::new(),
            next: 0,
            counters,
            own: Counters::default(),
            lost: Lost::Closed,
            retry_ms: RETRY_MS.0,
            retry_at: Mono(0),
            buffer: vec![0; READ],
        }
    }

    /// Runs until nobody holds the handle, or nobody takes what comes.
    pub(super) async fn run(mut self) {
        loop {
            self.work().await;
            self.own.wakeups += 1;
            self.show();
            let now = self.clock.now();
            match self.woken(now).await {
                Woken::Command(Some(command)) => self.take(command),
                Woken::Command(None) | Woken::Room(false) => return,
                Woken::Room(true) => {}
                Woken::Read(read, octets) => self.read(read, &octets),
                Woken::Opened(opened) => self.opened(opened),
                Woken::Time => self.look_at_the_clock(),
            }
        }
    }

    async fn woken(&mut self, now: Now) -> Woken {
        let due = self.due().map_or(60_000, |due| due.since_ms(now.mono));
        let mut octets = Vec::new();
        let port = async {
            match &mut self.held {
                Held::Nothing => std::future::pending().await,
                Held::Coming(opening) => Woken::Opened(opening.await),
                Held::Open(open) => {
                    let read = open.stream.read(&mut octets, &mut self.buffer).await;
                    Woken::Read(read, std::mem::take(&mut octets))
                }
            }
        };
        let has_room = self.waiting.is_empty();
        tokio::select! {
            biased;
            permit = self.outcomes.reserve(), if !has_room => match permit {
                Ok(permit) => {
                    if let Some(outcome) = self.waiting.pop_front() {
                        permit.send(outcome);
                    }
                    Woken::Room(true)
                }
                Err(_) => Woken::Room(false),
            },
            woken = port => woken,
            command = self.queue.recv(), if has_room => Woken::Command(command),
            () = tokio::time::sleep(Duration::from_millis(due)) => Woken::Time,
        }
    }

    /// When something is due without any event.
    fn due(&self) -> Option<Mono> {
        let idle = match &self.held {
            Held::Open(open) => open.idle_at(),
            _ => None,
        };
        let again = matches!(self.held, Held::Nothing) && self.wants_open();
        [self.session.poll_timeout(), idle, again.then_some(self.retry_at)].into_iter().flatten().min()
    }

    /// Whether the port is to be open although nobody waits for it: a gone one comes back by itself.
    fn wants_open(&self) -> bool {
        self.settings.keeps_open && self.own.standing != Standing::Resting
    }

    fn take(&mut self, command: Command) {
        let now = self.clock.now();
        match command {
            Command::Poll(Request { key, generation, ask }) => {
                let (members, points) = (ask.target.members.len(), ask.plan.points());
                if let Err(error) = self.session.start(key, generation, ask, now.mono) {
                    tracing::warn!(bus = %self.settings.id, %error, "poll not started");
                    let answer = Answer::without(members, points, Absence::Timeout);
                    let finished = Finished { key, generation, started: now, finished: now, answer };
                    self.waiting.push_back(Outcome::Polled(finished));
                }
            }
            Command::Order(order, reply) => {
                self.next = (self.next + 1) % LOOK_KEY;
                let id = u64::from(self.next);
                match self.session.order(id, &order, now.mono) {
                    Ok(()) => drop(self.orders.insert(id, reply)),
                    Err(error) => {
                        tracing::warn!(bus = %self.settings.id, %error, "command not sent");
                        let (outcome, verdict) = (wire::Outcome::Skipped, Verdict::Failed(Absence::Timeout));
                        let _ = reply.send(Ordered { id, sent: Vec::new(), outcome, verdict });
                    }
                }
            }
            Command::Look(ask, reply) => {
                self.next = (self.next + 1) % LOOK_KEY;
                let key = LOOK_KEY | self.next;
                // Not started: whoever waits hears that by the reply's end.
                if self.session.start(key, Generation::default(), ask, now.mono).is_ok() {
                    self.looks.insert(key, reply);
                }
            }
            Command::Forget(key) => self.session.forget(key),
        }
    }

    /// Writes, opens and closes as the session wants, in the order of its seam, until it wants nothing more.
    async fn work(&mut self) {
        loop {
            let now = self.clock.now().mono;
            while let Some(octets) = self.session.poll_transmit(now) {
                let Held::Open(open) = &mut self.held else { break };
                if let Err(error) = open.stream.write(&octets).await {
                    self.gone(stream::lost(&error), &error.to_string());
                }
            }
            match self.session.poll_action() {
                Some(action) => self.act(action),
                None => break,
            }
        }
        while let Some(session::Finished { key, generation, started, answer }) = self.session.poll_finished()
        {
            let now = self.clock.now();
            let started = Now { mono: started, wall: Wall(now.wall.0 - now.mono.since_ms(started) as i64) };
            let finished = Finished { key, generation, started, finished: now, answer };
            if key & LOOK_KEY == 0 {
                self.waiting.push_back(Outcome::Polled(finished));
            } else {
                self.session.forget(key);
                // Whoever asked may be gone.
                let _ = self.looks.remove(&key).map(|reply| reply.send(finished));
            }
        }
        while let Some(ordered) = self.session.poll_ordered() {
            let _ = self.orders.remove(&ordered.id).map(|reply| reply.send(ordered));
        }
        while let Some(octets) = self.session.poll_event() {
            let bus = Arc::clone(&self.settings.id);
            self.waiting.push_back(Outcome::Heard { bus, octets });
        }
        while let Some(outcome) = self.waiting.pop_front() {
            if let Err(mpsc::error::TrySendError::Full(outcome)) = self.outcomes.try_send(outcome) {
                self.waiting.push_front(outcome);
                break;
            }
        }
    }

    fn act(&mut self, action: Action) {
        let now = self.clock.now().mono;
        match action {
            // An attempt has just failed: who waits is not kept waiting for the next.
            Action::Open if matches!(self.held, Held::Nothing) && now < self.retry_at => {
                self.session.handle_port(wire::Port::Gone(self.lost), now);
            }
            Action::Open if !matches!(self.held, Held::Coming(_)) => self.open(),
            Action::Open => {}
            Action::Reopen => self.open(),
            Action::Close => {
                self.held = Held::Nothing;
                self.own.standing = Standing::Resting;
            }
        }
    }

    /// Closes the port, if it is open, and opens it.
    fn open(&mut self) {
        self.held = Held::Nothing;
        self.held = Held::Coming(Box::pin(Stream::open(self.settings.port.clone())));
    }

    fn opened(&mut self, opened: Result<Stream, Failed>) {
        let now = self.clock.now().mono;
        match opened {
            Ok(stream) => {
                if self.own.standing != Standing::Open && self.own.failed > 0 {
                    tracing::info!(bus = %self.settings.id, port = %self.settings.port, "the port is open");
                }
                self.own.opened += 1;
                self.own.standing = Standing::Open;
                // A connection may be taken and dropped at once: only what comes over it proves it.
                if stream.end() != Lost::Closed {
                    self.retry_ms = RETRY_MS.0;
                }
                self.held = Held::Open(Open { stream, last: now, heard: false });
                self.session.handle_port(wire::Port::Open, now);
            }
            Err(error) => {
                self.own.failed += 1;
                self.gone(error.lost, &error.to_string());
            }
        }
    }

    fn read(&mut self, read: std::io::Result<usize>, octets: &[u8]) {
        let now = self.clock.now().mono;
        let Held::Open(open) = &mut self.held else { return };
        let end = open.stream.end();
        match read {
            Ok(0) if end == Lost::Closed && !open.heard => self.gone(Lost::HalfOpen, "it was closed at once"),
            Ok(0) => self.gone(end, "it hung up"),
            Ok(_) => {
                (open.last, open.heard) = (now, true);
                self.retry_ms = RETRY_MS.0;
                self.session.handle_octets(octets, now);
            }
            // A terminal whose other end is gone gives EIO.
            Err(error) => {
                self.gone(if end == Lost::Closed { stream::lost(&error) } else { end }, &error.to_string())
            }
        }
    }

    fn look_at_the_clock(&mut self) {
        let now = self.clock.now().mono;
        if let Held::Open(open) = &self.held
            && open.idle_at().is_some_and(|idle_at| now >= idle_at)
        {
            self.gone(Lost::Closed, "nothing came for five minutes");
        }
        if self.session.poll_timeout().is_some_and(|due| due <= now) {
            self.session.handle_timeout(now);
        }
        if matches!(self.held, Held::Nothing) && self.wants_open() && now >= self.retry_at {
            self.open();
        }
    }

    /// The port is not open any more, or could not be opened.
    fn gone(&mut self, lost: Lost, why: &str) {
        let now = self.clock.now().mono;
        let standing = if lost == Lost::Closed { Standing::Resting } else { Standing::Gone(lost) };
        if standing != Standing::Resting && self.own.standing != standing {
            tracing::warn!(bus = %self.settings.id, port = %self.settings.port, why, "the port is gone");
        }
        self.own.standing = standing;
        self.lost = lost;
        self.held = Held::Nothing;
        if lost != Lost::Closed {
            self.retry_at = now.plus_ms(self.retry_ms);
            self.retry_ms = (self.retry_ms * 2).min(RETRY_MS.1);
        }
        self.session.handle_port(wire::Port::Gone(lost), now);
    }

    fn show(&mut self) {
        self.own.line = self.session.counters();
        self.own.outstanding = self.session.outstanding();
        *self.counters.lock().unwrap_or_else(PoisonError::into_inner) = self.own;
    }
}
