//! Questions to one camera or recorder over HTTP, logged in as the device wants it.

pub mod camera;
pub mod discover;
mod http;
mod picture;
mod services;
mod shown;
pub mod stream;
pub mod watch;

use roundsman_core::reading::Absence;
use roundsman_core::tally::Cost;
use roundsman_core::time::Wall;
use roundsman_wire::onvif::address::Base;
use roundsman_wire::onvif::answer::{self, Fault, Refusal, Unread};
use roundsman_wire::onvif::call::{Addressing, Call, envelope};
use roundsman_wire::onvif::device::{DeviceTime, Skew};
use roundsman_wire::onvif::login::{Door, Kept, Login, Next, Reply, Show, Way};
use roundsman_wire::onvif::token::Token;
use roundsman_wire::onvif::xml::{Element, MOST_OCTETS};
use roundsman_wire::rtsp::message::Broken;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

use crate::clock::Clock;
pub use http::Http;
use http::{Answer, Request};
use shown::Challenges;

/// Requests that one question may take: without a login, with each of two ways, with a challenge that was too old.
const MOST_TRIES: usize = 4;

/// Who logs in.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// No connection.
    #[error("cannot be reached: {0}")]
    Unreachable(String),
    /// The connection was closed before the answer was whole.
    #[error("closed the connection: {0}")]
    Closed(String),
    /// The answer was not whole in time.
    #[error("did not answer within {timeout_ms} ms")]
    Silent {
        /// The limit.
        timeout_ms: u64,
    },
    /// The answer was cut.
    #[error("answered with more than {most} octets")]
    TooLong {
        /// The limit.
        most: usize,
    },
    /// The login was refused, or none is configured and one is wanted.
    #[error("refuses the login")]
    Refused,
    /// Nothing is tried any more, so that the device does not lock the account: see [`Login`].
    #[error(
        "the login was refused before; it is not tried again until the credentials change or somebody asks"
    )]
    Stopped,
    /// The device says that the account or our address is locked.
    #[error("says that the account or this address is locked")]
    Locked,
    /// The device answered with a fault.
    #[error("answers with a fault: {0}")]
    Fault(Fault),
    /// The answer is none to this question.
    #[error("HTTP {status}: {unread}")]
    Unread {
        /// The status of the answer.
        status: u16,
        /// What was wrong with it.
        unread: Unread,
    },
    /// The stream's server refused a request.
    #[error("answers {method} with status {status}")]
    Status {
        /// What was asked.
        method: &'static str,
        /// The status.
        status: u16,
    },
    /// What came of the stream's server is no RTSP.
    #[error("cannot be read: {0}")]
    NoRtsp(Broken),
    /// There is no such stream or picture, or it has no video.
    #[error("has no such stream or picture")]
    Missing,
    /// What came in the place of a picture is none.
    #[error("sends something that is no picture")]
    NoPicture,
}

impl Failure {
    /// What it means for a reading.
    pub fn absence(&self) -> Absence {
        match self {
            Failure::Unreachable(why) if why.contains("refused") => Absence::Refused,
            Failure::Unreachable(_) => Absence::Unreachable,
            Failure::Silent { .. } | Failure::Closed(_) => Absence::Timeout,
            Failure::Refused | Failure::Stopped | Failure::Locked => Absence::Denied,
            Failure::Missing => Absence::Unsupported,
            Failure::Fault(fault) if fault.refusal == Refusal::NotSupported => Absence::Unsupported,
            _ => Absence::Malformed,
        }
    }
}

/// What is learned of a device.
#[derive(Debug, Default)]
struct Learned {
    login: Login,
    challenges: Challenges,
    /// How far its clock is ahead of ours, to sign by.
    signing_ms: i64,
    /// It closes connections on requests that show nothing.
    closes: bool,
    /// What was spent since somebody looked.
    spent: Cost,
}

/// One device. Clones share what is learned of it.
#[derive(Clone, Debug)]
pub struct Device {
    http: Http,
    base: Base,
    credentials: Option<Credentials>,
    timeout_ms: u64,
    clock: Clock,
    learned: Arc<Mutex<Learned>>,
    /// A login that was under way is answered.
    answered: Arc<Notify>,
}

impl Device {
    /// A device at an address; `kept` is what an earlier run knew of its refusals.
    pub fn new(
        http: Http,
        base: Base,
        credentials: Option<Credentials>,
        timeout_ms: u64,
        kept: Kept,
    ) -> Device {
        let learned = Learned { login: Login::new(kept), ..Learned::default() };
        let learned = Arc::new(Mutex::new(learned));
        Device { http, base, credentials, timeout_ms, clock: Clock::new(), learned, answered: Arc::default() }
    }

    /// What has to be kept of the refusals.
    pub fn kept(&self) -> Kept {
        self.learned(|learned| learned.login.kept())
    }

    /// A person asks: everything is tried anew.
    pub fn release(&self) {
        self.learned(|learned| {
            learned.login.release();
            learned.challenges = Challenges::default();
        });
        self.answered.notify_waiters();
    }

    /// Whether nothing is shown at a door any more.
    pub fn is_stopped(&self, door: Door) -> bool {
        self.learned(|learned| learned.login.stopped(door))
    }

    /// The same device, whose answers may take so long.
    pub fn patient(&self, timeout_ms: u64) -> Device {
        Device { timeout_ms, ..self.clone() }
    }

    /// What was spent on it since this was asked last: requests, and octets of bodies.
    pub fn spent(&self) -> Cost {
        self.learned(|learned| std::mem::take(&mut learned.spent))
    }

    fn learned<T>(&self, f: impl FnOnce(&mut Learned) -> T) -> T {
        // Nothing in here panics halfway through a change.
        f(&mut self.learned.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The device's clock, asked without a login where the device allows it. Later questions are signed by it. The
    /// second value is how far it is from ours.
    pub async fn time(&self, path: &str) -> Result<(DeviceTime, Skew), Failure> {
        let began = self.clock.now().wall;
        let call = Call::SystemDateAndTime;
        let anonymous = self.once(&call, path, None, Way::Plain).await?;
        let said = match self.judge(&call, Way::Plain, &anonymous) {
            (Some(Reply::Refused { .. } | Reply::Locked), _) => self.call(&call, path, None).await?,
            (_, said) => said?,
        };
        let ended = self.clock.now().wall;
        let unread = || Failure::Unread {
            status: 200,
            unread: Unread::Other { came: "SystemDateAndTime".into(), expected: call.operation() },
        };
        let time = DeviceTime::read(&said).ok_or_else(unread)?;
        let skew = time.skew(Wall(began.0 + (ended.0 - began.0) / 2));
        self.learned(|learned| learned.signing_ms = skew.signing_ms);
        Ok((time, skew))
    }

    /// Asks one question at a path of the device and gives the answer's element.
    pub async fn call(
        &self,
        call: &Call<'_>,
        path: &str,
        to: Option<&Addressing<'_>>,
    ) -> Result<Element, Failure> {
        let door = Door::Onvif;
        let mut way = self.learned(|learned| learned.login.begin(door)).ok_or(Failure::Stopped)?;
        for _ in 0..MOST_TRIES {
            if way != Way::Plain && self.credentials.is_none() {
                return Err(Failure::Refused);
            }
            let showing = self.show(door, way).await?;
            let answer = match self.once(call, path, to, way).await {
                Err(Failure::Closed(_)) if self.is_worth_another(&showing) => continue,
                other => other?,
            };
            let (reply, said) = self.judge(call, way, &answer);
            let Some(reply) = reply else { return said };
            match showing.heard(reply) {
                Next::Done => return said,
                Next::Again(next) => way = next,
                Next::Stop if reply == Reply::Locked => return Err(Failure::Locked),
                Next::Stop => return Err(Failure::Refused),
            }
        }
        Err(Failure::Refused)
    }

    /// Waits until a login may be shown, for as long as an answer may take.
    async fn show(&self, door: Door, way: Way) -> Result<Showing<'_>, Failure> {
        let waiting = async {
            loop {
                let answered = self.answered.notified();
                let showing = |is_proven| Showing { device: self, door, way, is_proven };
                match self.learned(|learned| learned.login.show(door, way)) {
                    Show::Proven => return Ok(showing(true)),
                    Show::Now => return Ok(showing(false)),
                    Show::Never => return Err(Failure::Stopped),
                    Show::Later => answered.await,
                }
            }
        };
        let waited = tokio::time::timeout(Duration::from_millis(self.timeout_ms), waiting).await;
        waited.unwrap_or(Err(Failure::Silent { timeout_ms: self.timeout_ms }))
    }

    /// Whether a request whose connection was closed on a login is sent again. Some devices refuse so, and count it: it
    /// counts here as well. Only one that closes on requests without a login too is shown it once more.
    fn is_worth_another(&self, showing: &Showing<'_>) -> bool {
        if showing.is_proven {
            return false;
        }
        showing.heard(Reply::Refused { digest: false, basic: false, stale: false });
        self.learned(|learned| learned.closes && !learned.login.stopped(showing.door))
    }

    /// One request, and a second one where the first found its connection closed: devices do that to one they kept open.
    /// A login that was never let in is not shown twice so: the device may have counted it before it closed.
    async fn once(
        &self,
        call: &Call<'_>,
        path: &str,
        to: Option<&Addressing<'_>>,
        way: Way,
    ) -> Result<Answer, Failure> {
        let url = self.url(path);
        let content_type = call.content_type();
        let body = self.written(call, to, way);
        let authorization = self.credentials.as_ref().and_then(|credentials| {
            self.learned(|learned| {
                learned.challenges.respond(way, credentials, ("POST", path), body.as_bytes())
            })
        });
        let request = Request {
            url: &url,
            content_type: Some(&content_type),
            authorization: authorization.as_deref(),
            body,
        };
        match self.send(&request, MOST_OCTETS).await {
            Err(Failure::Closed(_)) if call.repeats() && self.is_let_in(Door::Onvif, way) => {
                self.learned(|learned| learned.closes |= way == Way::Plain);
                self.send(&request, MOST_OCTETS).await
            }
            other => other,
        }
    }

    async fn send(&self, request: &Request<'_>, most: usize) -> Result<Answer, Failure> {
        let answer = self.http.send(request, self.timeout_ms, most).await;
        self.learned(|learned| {
            learned.spent.requests += 1;
            learned.spent.octets_out += request.body.len() as u64;
            learned.spent.octets_in += answer.as_ref().map_or(0, |answer| answer.body.len() as u64);
        });
        answer
    }

    fn url(&self, path: &str) -> String {
        let Base { scheme, host, port } = &self.base;
        format!("{scheme}://{host}:{port}{path}")
    }

    /// Whether a request that goes this way shows nothing, or what was let in last.
    fn is_let_in(&self, door: Door, way: Way) -> bool {
        way == Way::Plain || self.learned(|learned| learned.login.begin(door)) == Some(way)
    }

    fn written(&self, call: &Call<'_>, to: Option<&Addressing<'_>>, way: Way) -> String {
        let Some(credentials) = self.credentials.as_ref().filter(|_| way == Way::Token) else {
            return envelope(call, None, to);
        };
        let signing_ms = self.learned(|learned| learned.signing_ms);
        let token = Token {
            user: &credentials.user,
            password: &credentials.password,
            nonce: chance(self.clock),
            created: Wall(self.clock.now().wall.0.saturating_add(signing_ms)),
        };
        envelope(call, Some(&token), to)
    }

    /// What an answer means for the login, and what it says. `None`: it says nothing about the login.
    fn judge(&self, call: &Call<'_>, way: Way, answer: &Answer) -> (Option<Reply>, Result<Element, Failure>) {
        let offered = self.learned(|learned| learned.challenges.hear(&answer.challenges, way));
        let status = answer.status;
        let refused = |failure| {
            let reply = Reply::Refused { digest: offered.digest, basic: offered.basic, stale: offered.stale };
            (Some(reply), Err(failure))
        };
        match answer::read(call, &answer.body) {
            Ok(_) if status == 401 => refused(Failure::Refused),
            Ok(said) => (Some(Reply::Accepted), Ok(said)),
            Err(Unread::Fault(fault)) => match fault.refusal {
                Refusal::Locked => (Some(Reply::Locked), Err(Failure::Locked)),
                Refusal::NotAuthorized => refused(Failure::Refused),
                _ if status == 401 => refused(Failure::Refused),
                _ => (None, Err(Failure::Fault(fault))),
            },
            // A page of a web server says it by its status alone.
            Err(_) if matches!(status, 401 | 403) => refused(Failure::Refused),
            // Some devices answer a token they refuse by this status alone.
            Err(_) if status == 400 && way == Way::Token => refused(Failure::Refused),
            Err(unread) => (None, Err(Failure::Unread { status, unread })),
        }
    }
}

/// A login that is shown. However its request ends, others may go on.
struct Showing<'a> {
    device: &'a Device,
    door: Door,
    way: Way,
    /// Whether it shows nothing, or what was let in last.
    is_proven: bool,
}

impl Showing<'_> {
    /// What came of it.
    fn heard(&self, reply: Reply) -> Next {
        self.device.learned(|learned| learned.login.heard(self.door, self.way, reply))
    }
}

impl Drop for Showing<'_> {
    fn drop(&mut self) {
        if !self.is_proven {
            self.device.learned(|learned| learned.login.shown());
            self.device.answered.notify_waiters();
        }
    }
}

/// Sixteen octets nobody can guess; where the kernel has none yet, ones that differ.
fn chance(clock: Clock) -> [u8; 16] {
    let mut nonce = u128::from(clock.micros()).to_be_bytes();
    // Short only before the kernel's pool is filled at boot, where a token must differ and need not be secret.
    let _ = rustix::rand::getrandom(&mut nonce, rustix::rand::GetRandomFlags::NONBLOCK);
    nonce
}
