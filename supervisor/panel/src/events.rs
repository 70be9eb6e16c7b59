//! Server-sent events: transitions as they become durable, changed devices once a second, a tick every ten.

use crate::feed::Note;
use crate::problem::{Kind, Problem};
use crate::router::Panel;
use crate::view::TransitionRow;
use crate::voice::Voice;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use roundsman_core::fault::Transition;
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::{Interval, MissedTickBehavior};
use utoipa::ToSchema;

/// Watchers at a time: six panels and phones per floor, and room for reports; each costs one connection.
pub(crate) const MOST_WATCHERS: usize = 64;
/// Transitions replayed to a watcher that comes back; one that missed more is told to reset.
pub(crate) const MOST_REPLAYED: u64 = 1_000;
/// A page that hears nothing for 25 s calls itself stale.
const TICK: Duration = Duration::from_secs(10);

/// Says that the server lives, and how old its newest data are.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tick {
    #[schema(format = "date-time")]
    time: String,
    /// Unix time of the server, milliseconds.
    time_ms: i64,
    /// Milliseconds since the newest good answer of any device; null before the first.
    data_age_ms: Option<u64>,
}

/// Devices whose state may have changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangedDevices {
    /// Their ids; an empty list means all.
    devices: Vec<String>,
}

/// Too much was missed: fetch everything anew.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reset {
    /// Number of the newest transition.
    last: u64,
}

/// `transition` (id = its number), `device` (at most one a second), `tick` (every 10 s), `reset`.
#[utoipa::path(get, path = "/api/v1/events", tag = "events",
    params(("Last-Event-ID" = Option<u64>, Header, description = "Replay what came after this transition"),
        ("last" = Option<u64>, Query, description = "The same for a client that cannot set headers")),
    responses((status = 200, description = "transition: TransitionRow, device: ChangedDevices, tick: Tick, reset: Reset",
            content((TransitionRow = "text/event-stream"), (ChangedDevices = "text/event-stream"),
                (Tick = "text/event-stream"), (Reset = "text/event-stream"))),
        (status = 503, body = Problem, content_type = "application/problem+json")))]
pub(crate) async fn events(
    State(panel): State<Panel>,
    voice: Voice,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let Ok(permit) = panel.watchers.clone().try_acquire_owned() else {
        return Kind::TooManyWatchers.answer(&voice);
    };
    let header = headers.get("last-event-id").and_then(|v| v.to_str().ok());
    let in_query = uri.query().and_then(|q| q.split('&').find_map(|pair| pair.strip_prefix("last=")));
    // A reconnecting EventSource sends the header: newer than the URL it was made with.
    let last = header.or(in_query).and_then(|id| id.parse::<u64>().ok());
    let mut watcher = Watcher::new(panel, voice, permit);
    if let Some(last) = last {
        watcher.replay(last).await;
    }
    let events = stream::unfold(watcher, |mut watcher| async {
        let event = watcher.next().await?;
        Some((Ok::<Event, Infallible>(event), watcher))
    });
    Sse::new(events).into_response()
}

struct Watcher {
    panel: Panel,
    voice: Voice,
    notes: broadcast::Receiver<Note>,
    stopping: watch::Receiver<bool>,
    tick: Interval,
    /// What is to be sent before anything new; at most [`MOST_REPLAYED`].
    ahead: VecDeque<Event>,
    /// Transitions up to this one were sent.
    sent: u64,
    over: bool,
    _permit: OwnedSemaphorePermit,
}

impl Watcher {
    fn new(panel: Panel, voice: Voice, permit: OwnedSemaphorePermit) -> Watcher {
        // Listening starts before the replay is read, so that nothing falls between the two.
        let notes = panel.site.feed().subscribe();
        let stopping = panel.stopping.clone();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Watcher {
            panel,
            voice,
            notes,
            stopping,
            tick,
            ahead: VecDeque::new(),
            sent: 0,
            over: false,
            _permit: permit,
        }
    }

    async fn replay(&mut self, last: u64) {
        let newest = self.panel.site.last_transition();
        let missed = match newest.checked_sub(last) {
            Some(missed) if missed <= MOST_REPLAYED => missed,
            // More than we replay, or a number from another life of the store.
            _ => return self.reset(newest),
        };
        self.sent = last;
        if missed == 0 {
            return;
        }
        let found = self.panel.site.transitions_after(last, MOST_REPLAYED as usize).await;
        match found {
            Ok(found) if found.first().is_some_and(|t| t.id == last + 1) => {
                for transition in &found {
                    let event = self.transition(transition);
                    self.ahead.push_back(event);
                }
            }
            Ok(_) => self.reset(newest),
            Err(why) => {
                tracing::warn!(reason = why.0, "transitions could not be replayed");
                self.reset(newest);
            }
        }
    }

    fn reset(&mut self, last: u64) {
        self.ahead.clear();
        self.ahead.push_back(event("reset", &Reset { last }));
        self.sent = last;
    }

    fn transition(&mut self, transition: &Transition) -> Event {
        self.sent = transition.id;
        event("transition", &TransitionRow::of(transition, &self.voice)).id(transition.id.to_string())
    }

    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ahead.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            tokio::select! {
                biased;
                () = stopped(&mut self.stopping) => return None,
                note = self.notes.recv() => match note {
                    Ok(Note::Transition(t)) if t.id > self.sent => return Some(self.transition(&t)),
                    Ok(Note::Transition(_)) => {}
                    Ok(Note::Devices(ids)) => return Some(self.devices(&ids)),
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        self.reset(self.panel.site.last_transition());
                        self.over = true;
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                _ = self.tick.tick() => return Some(self.tick_event()),
            }
        }
    }

    fn devices(&self, ids: &[Arc<str>]) -> Event {
        event("device", &ChangedDevices { devices: ids.iter().map(|id| id.to_string()).collect() })
    }

    fn tick_event(&self) -> Event {
        let now = self.panel.site.now();
        let data_age_ms = self.panel.site.data_age_ms();
        event("tick", &Tick { time: self.voice.rfc3339(now), time_ms: now.0, data_age_ms })
    }
}

/// Ready when the server stops, or is gone.
pub(crate) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

fn event(name: &str, data: &impl Serialize) -> Event {
    // JSON has no raw line breaks, so one data line it is.
    Event::default().event(name).data(serde_json::to_string(data).unwrap_or_default())
}
