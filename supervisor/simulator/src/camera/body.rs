//! A virtual camera or recorder: what it is, what is wrong with it, what its doors share.

use super::login::{Account, Admission, Known, Ways};
use super::quirk::{EVENTS, Quirk};
use super::text::moment;
use crate::clock::Clock;
use std::collections::VecDeque;
use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Subscriptions that it holds at once.
const MOST_SUBSCRIPTIONS: usize = 4;

/// Messages that wait for a subscriber.
const MOST_MESSAGES: usize = 64;

/// How long it is away when it restarts, s.
const RESTART_S: f64 = 8.0;

/// A camera or recorder to be made.
#[derive(Clone, Debug)]
pub struct CameraSpec {
    /// Its id in the site file.
    pub id: Arc<str>,
    /// Its address; 127.0.0.0/8.
    pub address: Ipv4Addr,
    /// Port of its services and pictures.
    pub http_port: u16,
    /// Port of its streams.
    pub rtsp_port: u16,
    /// Port of its echo, if it has one.
    pub echo_port: Option<u16>,
    /// Who may ask.
    pub user: String,
    /// Their password.
    pub password: String,
    /// How they may show it.
    pub ways: Ways,
    /// Maker and model as it says them.
    pub maker: String,
    /// The same.
    pub model: String,
    /// `H264` or `H265`, as it says of its first profile.
    pub codec: String,
    /// Width and height of the first profile.
    pub size: (u32, u32),
    /// Frames a second of the first profile.
    pub frame_rate: u32,
    /// What it records, by the names of its channels; a camera records nothing.
    pub channels: Vec<String>,
    /// What it hangs on.
    pub uplinks: Vec<Arc<str>>,
}

/// A subscription.
#[derive(Debug)]
pub(super) struct Subscription {
    pub(super) id: u64,
    until: f64,
    messages: VecDeque<String>,
}

#[derive(Debug, Default)]
struct State {
    quirk: Option<Quirk>,
    is_silent: bool,
    account: Account,
    subscriptions: Vec<Subscription>,
    next_subscription: u64,
    /// Until when it is away.
    away_until: f64,
    requests: u64,
}

/// It.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) spec: CameraSpec,
    pub(super) clock: Clock,
    /// Something to tell, or something that changed.
    pub(super) changed: Notify,
    state: Mutex<State>,
}

impl Body {
    pub(super) fn new(spec: CameraSpec, clock: Clock) -> Body {
        Body { spec, clock, changed: Notify::new(), state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with it.
    pub(super) fn quirk(&self) -> Option<Quirk> {
        self.state().quirk
    }

    pub(super) fn is(&self, quirk: Quirk) -> bool {
        self.quirk() == Some(quirk)
    }

    /// Whether nobody can reach it, or it restarts.
    pub(super) fn is_away(&self) -> bool {
        let state = self.state();
        state.is_silent || self.clock.now_s() < state.away_until
    }

    pub(super) fn is_silent(&self) -> bool {
        self.state().is_silent
    }

    pub(super) fn set_silent(&self, is_silent: bool) {
        self.state().is_silent = is_silent;
    }

    /// Something is wrong with it from now on, or nothing; whoever subscribed hears of it.
    pub(super) fn set_quirk(&self, quirk: Option<Quirk>) {
        {
            let mut state = self.state();
            let before = std::mem::replace(&mut state.quirk, quirk);
            if before == Some(Quirk::Locked) || before == Some(Quirk::WrongPassword) {
                state.account.unlock();
            }
            if quirk == Some(Quirk::DeadSubscription) {
                state.subscriptions.clear();
            }
            let at = moment(self.clock.now_s());
            for event in EVENTS.iter().filter(|event| event.is_on(before) != event.is_on(quirk)) {
                let message = message(event, event.is_on(quirk), "Changed", &at);
                state.subscriptions.iter_mut().for_each(|subscription| subscription.tell(message.clone()));
            }
        }
        self.changed.notify_waiters();
    }

    /// It restarts: away for a while, without its subscriptions.
    pub(super) fn restart(&self) {
        {
            let mut state = self.state();
            state.away_until = self.clock.now_s() + RESTART_S;
            state.subscriptions.clear();
        }
        self.changed.notify_waiters();
    }

    /// Counts a request; gives its number.
    pub(super) fn count(&self) -> u64 {
        let mut state = self.state();
        state.requests += 1;
        state.requests
    }

    /// What its own clock shows, in seconds since 1970.
    pub(super) fn own_s(&self) -> f64 {
        let skew = match self.quirk() {
            Some(Quirk::ClockSkew(seconds)) => seconds as f64,
            _ => 0.0,
        };
        self.clock.now_s() + skew
    }

    /// Lets in or not, by what an envelope and a header show.
    pub(super) fn admits(
        &self,
        xml: &str,
        header: Option<&str>,
        asked: (&str, &str),
        is_soap: bool,
    ) -> Admission {
        let (own_s, now) = (self.own_s(), self.clock.now_s());
        let mut state = self.state();
        if state.quirk == Some(Quirk::Locked) {
            return Admission::Locked;
        }
        let password = match state.quirk {
            Some(Quirk::WrongPassword) => "nobody knows it",
            _ => &self.spec.password,
        };
        let known = Known { user: &self.spec.user, password };
        let takes = |way: Ways| !is_soap || self.spec.ways == Ways::Both || self.spec.ways == way;
        let shown = if takes(Ways::Digest) {
            state.account.digest(header, asked, known, now)
        } else {
            Admission::Missing
        };
        let admission = match shown {
            Admission::Missing if is_soap && takes(Ways::Token) => {
                state.account.token(xml, known, own_s, now)
            }
            other => other,
        };
        if admission == Admission::Wrong {
            let (method, uri) = asked;
            tracing::info!(device = %self.spec.id, count = state.account.wrong, method, uri, "a wrong login");
        }
        admission
    }

    /// A new subscription for so many seconds; `None` where it holds as many as it can.
    pub(super) fn subscribe(&self, seconds: u64) -> Option<u64> {
        let now = self.clock.now_s();
        let mut state = self.state();
        state.subscriptions.retain(|subscription| subscription.until > now);
        let is_full = state.subscriptions.len() >= MOST_SUBSCRIPTIONS;
        if is_full || state.quirk == Some(Quirk::SubscriptionLimit) {
            return None;
        }
        state.next_subscription += 1;
        let id = state.next_subscription;
        let at = moment(self.clock.now_s());
        let quirk = state.quirk;
        let messages = EVENTS.iter().map(|event| message(event, event.is_on(quirk), "Initialized", &at));
        let messages = messages.collect();
        state.subscriptions.push(Subscription { id, until: now + seconds as f64, messages });
        Some(id)
    }

    /// The messages that wait for a subscriber, so many at most; `None` where there is no such subscription.
    pub(super) fn pull(&self, id: u64, limit: usize) -> Option<Vec<String>> {
        let now = self.clock.now_s();
        let mut state = self.state();
        state.subscriptions.retain(|subscription| subscription.until > now);
        let subscription = state.subscriptions.iter_mut().find(|subscription| subscription.id == id)?;
        let many = subscription.messages.len().min(limit.max(1));
        Some(subscription.messages.drain(..many).collect())
    }

    /// Keeps a subscription; whether there is one.
    pub(super) fn renew(&self, id: u64, seconds: u64) -> bool {
        let until = self.clock.now_s() + seconds as f64;
        let mut state = self.state();
        let known = state.subscriptions.iter_mut().find(|subscription| subscription.id == id);
        known.map(|subscription| subscription.until = until).is_some()
    }

    /// Ends a subscription; whether there was one.
    pub(super) fn unsubscribe(&self, id: u64) -> bool {
        let mut state = self.state();
        let before = state.subscriptions.len();
        state.subscriptions.retain(|subscription| subscription.id != id);
        state.subscriptions.len() < before
    }
}

impl Subscription {
    fn tell(&mut self, message: String) {
        if self.messages.len() >= MOST_MESSAGES {
            self.messages.pop_front();
        }
        self.messages.push_back(message);
    }
}

fn message(event: &super::quirk::Event, is_on: bool, operation: &str, at: &str) -> String {
    let (name, value) = event.source;
    format!(
        "<wsnt:NotificationMessage><wsnt:Topic Dialect=\"http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet\">{}\
         </wsnt:Topic><wsnt:Message><tt:Message UtcTime=\"{at}\" PropertyOperation=\"{operation}\"><tt:Source>\
         <tt:SimpleItem Name=\"{name}\" Value=\"{value}\"/></tt:Source><tt:Data><tt:SimpleItem Name=\"{}\" Value=\"{is_on}\"/>\
         </tt:Data></tt:Message></wsnt:Message></wsnt:NotificationMessage>",
        event.topic, event.state
    )
}
