//! Polls of SNMPv3 devices: the same session as for v1 and v2c, one per device, its requests carried inside v3
//! messages ([`super::exchange`]).
//!
//! **Queues.** One task per poll, bounded like those of v2c by the caller ([`MOST_OUTSTANDING`]); what they bring goes
//! over a channel with a place for each.
//!
//! **What it tells apart.** Silence is `timeout`. A refusal (RFC 3414 section 3.2: unknown user, wrong key, level,
//! decryption) proves the agent alive and is `denied`, with a [`Remark`] that says what to check. What may only be out
//! of date (engine identifier, boots, time) is discovered anew once per poll; that another engine answers is a remark.

use super::counted::Passed;
use super::exchange::{Failure, Shared, Speaker};
use super::remark::{Remark, hex};
use super::{Finished, Options, Request};
use crate::clock::Clock;
use roundsman_core::reading::Absence;
use roundsman_core::tally::Cost;
use roundsman_core::time::{Mono, Now, Wall};
use roundsman_wire::snmp::Version;
use roundsman_wire::snmp::answer::Answer;
use roundsman_wire::snmp::session::{self, MOST_OUTSTANDING, MOST_REMEMBERED, Session, Target};
use roundsman_wire::snmp::user::{Keys, User};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::sync::{Mutex, mpsc};
use tokio::task::{AbortHandle, JoinSet};

/// The device in a session of its own.
const ALONE: u32 = 0;

/// All v3 devices.
pub(super) struct Polls {
    clock: Clock,
    shared: Arc<Shared>,
    devices: HashMap<u32, Place>,
    tasks: JoinSet<()>,
    done: mpsc::Sender<Finished>,
}

struct Place {
    device: Arc<Mutex<Device>>,
    running: AbortHandle,
    /// The poll under way, or the last one.
    poll: Arc<Started>,
}

/// A poll as it was asked for. Its answer is told once, by its task or by what replaces it.
struct Started {
    request: Request,
    told: AtomicBool,
}

impl Started {
    fn tell(&self, finished: Finished, done: &mpsc::Sender<Finished>) {
        if !self.told.swap(true, Ordering::Relaxed) && done.try_send(finished).is_err() {
            tracing::warn!("the answer of an SNMPv3 poll was dropped: nobody takes answers");
        }
    }

    /// Replaced before it had an answer.
    fn unanswered(&self, now: Now) -> Finished {
        let Request { key, generation, plan, .. } = &self.request;
        let answer = Answer::unanswered(plan);
        Finished {
            key: *key,
            generation: *generation,
            started: now,
            finished: now,
            answer,
            remarks: Vec::new(),
        }
    }
}

impl Polls {
    /// No devices, no socket yet. Polls that are over come from the receiver.
    pub(super) fn new(clock: Clock, options: Options) -> (Polls, mpsc::Receiver<Finished>) {
        // A poll that is replaced may bring its answer beside the new one's.
        let (done, finished) = mpsc::channel(2 * MOST_OUTSTANDING);
        let shared = Arc::new(Shared::new(options.source, options.receive_buffer));
        (Polls { clock, shared, devices: HashMap::new(), tasks: JoinSet::new(), done }, finished)
    }

    /// Polls under way.
    pub(super) fn outstanding(&self) -> usize {
        self.tasks.len()
    }

    /// Datagrams that belonged to no request that waited.
    pub(super) fn strays(&self) -> u64 {
        self.shared.strays()
    }

    /// Takes note of tasks that ended.
    pub(super) fn reap(&mut self) {
        while self.tasks.try_join_next().is_some() {}
    }

    /// Starts a poll as `user`; one that is still under way for the device ends unanswered.
    pub(super) fn start(&mut self, request: Request, user: Arc<User>) {
        if self.devices.len() >= MOST_REMEMBERED {
            self.devices.retain(|_, place| !place.running.is_finished());
        }
        let former = self.devices.remove(&request.key);
        let device = match former {
            Some(former) => {
                former.running.abort();
                former.poll.tell(former.poll.unanswered(self.clock.now()), &self.done);
                former.device
            }
            None => Arc::default(),
        };
        let key = request.key;
        let poll = Arc::new(Started { request, told: AtomicBool::new(false) });
        let (own, started) = (device.clone(), poll.clone());
        let (shared, clock, done) = (self.shared.clone(), self.clock, self.done.clone());
        let running = self.tasks.spawn(async move {
            let finished = own.lock().await.poll(&started.request, user, &shared, clock).await;
            if let Some(finished) = finished {
                started.tell(finished, &done);
            }
        });
        self.devices.insert(key, Place { device, running, poll });
    }

    /// Forgets a device; its poll under way brings nothing.
    pub(super) fn forget(&mut self, key: u32) {
        if let Some(place) = self.devices.remove(&key) {
            place.poll.told.store(true, Ordering::Relaxed);
            place.running.abort();
        }
    }
}

/// One device.
struct Device {
    session: Session,
    speaker: Option<Speaker>,
    passed: Passed,
    /// Identifier of the engine that answered last; outlives the speaker.
    engine: Option<Vec<u8>>,
}

impl Default for Device {
    fn default() -> Device {
        let session = Session::new(RandomState::new().build_hasher().finish());
        Device { session, speaker: None, passed: Passed::default(), engine: None }
    }
}

impl Device {
    async fn poll(
        &mut self,
        request: &Request,
        user: Arc<User>,
        shared: &Shared,
        clock: Clock,
    ) -> Option<Finished> {
        let Request { key, generation, target, plan } = request;
        let inside = inside(target);
        let started = self.session.start(ALONE, *generation, &inside, plan.clone(), clock.now().mono);
        debug_assert!(started.is_ok(), "it is alone");
        // The one it replaces was told of.
        while self.session.poll_finished().is_some() {}
        self.passed.take();
        let mut remarks = Vec::new();
        let mut refused = false;
        let mut renewed = false;
        let mut heard = false;
        let finished = loop {
            if let Some(finished) = self.session.poll_finished() {
                break finished;
            }
            let Some(transmit) = self.session.poll_transmit() else {
                // The session has an answer or something to ask, always.
                tracing::error!("an SNMPv3 poll has nothing to ask and no answer");
                return None;
            };
            // After a refusal the rest of the poll is not asked.
            if refused {
                self.give_up(clock.now().mono);
                continue;
            }
            let mut reply = self.ask(&transmit.bytes, target, &user, shared, &mut remarks).await;
            if matches!(reply, Err(Failure::Silent)) && !heard {
                reply = Err(self.why_silent(target, &user, shared).await);
            }
            if matches!(reply, Err(Failure::Stale(_))) && !renewed {
                renewed = true;
                self.speaker = None;
                reply = self.ask(&transmit.bytes, target, &user, shared, &mut remarks).await;
            }
            heard |= reply.is_ok();
            match reply {
                Ok(reply) => self.session.handle_datagram(inside.address, &reply, clock.now().mono),
                Err(Failure::Silent) => self.give_up(clock.now().mono),
                Err(Failure::Refused(remark) | Failure::Stale(remark)) => {
                    refused = true;
                    remarks.push(remark);
                    self.give_up(clock.now().mono);
                }
            }
        };
        let denied = refused.then_some(Absence::Denied);
        let mut finished = told(*key, finished, denied, remarks, clock.now());
        let cost = &mut finished.answer.cost;
        *cost = Cost { varbinds: cost.varbinds, ..self.passed.take() };
        Some(finished)
    }

    /// One request; the way to the agent is made where there is none.
    async fn ask(
        &mut self,
        datagram: &[u8],
        target: &Arc<Target>,
        user: &Arc<User>,
        shared: &Shared,
        remarks: &mut Vec<Remark>,
    ) -> Result<Vec<u8>, Failure> {
        let known = self.speaker.take().filter(|speaker| speaker.target == *target);
        let fresh = known.is_none();
        let speaker = match known {
            Some(speaker) => speaker,
            None => Speaker::new(shared, target, user, false, &self.passed).await?,
        };
        let speaker = self.speaker.insert(speaker);
        let reply = speaker.exchange(datagram.to_vec()).await?;
        if fresh && let Some(now) = speaker.engine() {
            let before = self.engine.replace(now.clone());
            if let Some(before) = before.filter(|before| *before != now) {
                remarks.push(Remark::EngineReplaced { before: hex(&before), now: hex(&now) });
            }
        }
        Ok(reply)
    }

    /// Why the agent was silent from the start: knocks once, listening to unsigned reports as well. `Stale` is an agent
    /// that answers after all.
    async fn why_silent(&self, target: &Arc<Target>, user: &Arc<User>, shared: &Shared) -> Failure {
        let once = Arc::new(Target { retries: 0, ..(**target).clone() });
        let speaker = match Speaker::new(shared, &once, user, true, &self.passed).await {
            Ok(speaker) => speaker,
            Err(failure) => return failure,
        };
        match speaker.knock().await {
            Ok(()) => return Failure::Stale(Remark::Unreadable),
            Err(Failure::Silent) => {}
            Err(failure) => return failure,
        }
        // Under a wrong privacy key most agents are silent: what they decrypt is no message, and they drop it (RFC 3412
        // section 7.2). Then they answer for their engine and for the signature alone.
        let Some(keys) =
            user.keys.as_ref().filter(|keys| keys.privacy.is_some() && speaker.engine().is_some())
        else {
            return Failure::Silent;
        };
        let signed = User { name: user.name.clone(), keys: Some(Keys { privacy: None, ..keys.clone() }) };
        let Ok(speaker) = Speaker::new(shared, &once, &Arc::new(signed), true, &self.passed).await else {
            return Failure::Silent;
        };
        match speaker.knock().await {
            Ok(()) | Err(Failure::Refused(Remark::NotPermitted)) => Failure::Refused(Remark::WrongPrivacyKey),
            Err(_) => Failure::Silent,
        }
    }

    /// The outstanding request brings nothing: the library has waited and asked again already.
    fn give_up(&mut self, now: Mono) {
        let deadline = self.session.poll_timeout().unwrap_or(now);
        self.session.handle_timeout(deadline.max(now));
    }
}

/// The target as the session inside sees it: it neither waits nor checks the source, the library does.
fn inside(target: &Target) -> Target {
    Target {
        version: Version::V2c,
        community: Arc::default(),
        retries: 0,
        strict_source: false,
        user: None,
        ..target.clone()
    }
}

/// The poll as the driver tells it.
fn told(
    key: u32,
    finished: session::Finished,
    denied: Option<Absence>,
    remarks: Vec<Remark>,
    now: Now,
) -> Finished {
    let session::Finished { generation, started, mut answer, .. } = finished;
    if let Some(why) = denied {
        deny(&mut answer, why);
    }
    let took = now.mono.since_ms(started);
    let started = Now { mono: started, wall: Wall(now.wall.0.saturating_sub_unsigned(took)) };
    Finished { key, generation, started, finished: now, answer, remarks }
}

/// What was not answered was refused; a refusal is an answer too.
fn deny(answer: &mut Answer, why: Absence) {
    answer.answered = true;
    let unanswered = Absence::Timeout;
    for scalar in answer.scalars.iter_mut().filter(|scalar| **scalar == Err(unanswered)) {
        *scalar = Err(why);
    }
    let columns = answer.tables.iter_mut().flat_map(|table| &mut table.columns);
    for column in columns.filter(|column| column.end == Err(unanswered)) {
        column.end = Err(why);
    }
}
