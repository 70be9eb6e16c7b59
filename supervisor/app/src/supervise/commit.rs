//! Transitions on their way to the store: in order, one batch at a time, tried again with a pause. Whom they hide goes
//! with them into the same transaction.

use super::Event;
use super::marks::Marker;
use anyhow::{Result, bail};
use roundsman_core::fault::{RequestId, Transition};
use roundsman_core::hidden::Hiding;
use roundsman_core::time::{Mono, Now};
use roundsman_driver::clock::Clock;
use roundsman_store::{Batch, Step, Store, StoreError};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// Transitions that may wait for a store that does not take them. Past that the service ends: started again, it
/// judges from what is durable. A whole site failing at once makes a few for each device.
pub(crate) const MOST_WAITING: usize = 50_000;

/// Transitions of one batch: one transaction stays short.
const MOST_IN_A_BATCH: usize = 1_000;

/// First pause after a refusal, in ms; doubled up to [`LONGEST_PAUSE_MS`].
const FIRST_PAUSE_MS: u64 = 1_000;

/// Longest pause between two tries, in ms.
const LONGEST_PAUSE_MS: u64 = 30_000;

/// What is not durable yet.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// When it was judged, the transition, and whom it hid.
    pub step: Step,
    /// The operator's request it fulfils.
    pub request: Option<RequestId>,
}

/// Hands transitions to the store.
pub(super) struct Committer {
    store: Arc<Store>,
    marker: Marker,
    waiting: VecDeque<Waiting>,
    under_way: bool,
    pause_ms: u64,
    retry_at: Option<Mono>,
}

impl Committer {
    pub(super) fn new(store: Arc<Store>, marker: Marker) -> Committer {
        Committer {
            store,
            marker,
            waiting: VecDeque::new(),
            under_way: false,
            pause_ms: FIRST_PAUSE_MS,
            retry_at: None,
        }
    }

    /// Takes a transition over.
    pub(super) fn take(&mut self, transition: Transition, request: Option<RequestId>, now: Now) {
        let step = Step { now, transition: Some(transition), hidden: Vec::new() };
        self.waiting.push_back(Waiting { step, request });
    }

    /// Takes over who is hidden from now on: with the transition of the same moment that hid them, where there is one.
    pub(super) fn hide(&mut self, changes: Vec<Hiding>, now: Now) {
        match self.waiting.back_mut().filter(|waiting| waiting.step.now == now) {
            Some(waiting) => waiting.step.hidden.extend(changes),
            None => {
                let step = Step { now, transition: None, hidden: changes };
                self.waiting.push_back(Waiting { step, request: None });
            }
        }
    }

    /// Starts the next batch, if none is under way and no pause runs.
    pub(super) fn go_on(&mut self, events: &mpsc::Sender<Event>, now: Now) {
        let paused = self.retry_at.is_some_and(|at| at > now.mono);
        if self.under_way || paused || self.waiting.is_empty() {
            return;
        }
        self.retry_at = None;
        self.under_way = true;
        let count = self.waiting.len().min(MOST_IN_A_BATCH);
        let batch: Vec<Waiting> = self.waiting.drain(..count).collect();
        let began = Clock::new().micros();
        let mark = Some(self.marker.mark(now));
        let steps = batch.iter().map(|waiting| waiting.step.clone()).collect();
        let committed = self.store.commit(Batch { mark, steps });
        let events = events.clone();
        tokio::spawn(async move {
            let result = committed.await;
            let took = Duration::from_micros(Clock::new().micros().saturating_sub(began));
            let _ = events.send(Event::Committed(batch, result, took)).await;
        });
    }

    /// The batch is durable.
    pub(super) fn succeeded(&mut self) {
        self.under_way = false;
        self.pause_ms = FIRST_PAUSE_MS;
    }

    /// The batch was refused: it is tried again, unless that cannot help.
    pub(super) fn failed(&mut self, batch: Vec<Waiting>, error: StoreError, now: Mono) -> Result<()> {
        self.under_way = false;
        if !error.is_passing() {
            bail!("the store refuses transitions for good: {error}");
        }
        for waiting in batch.into_iter().rev() {
            self.waiting.push_front(waiting);
        }
        if self.waiting.len() > MOST_WAITING {
            bail!("{} transitions wait for the store, it still refuses: {error}", self.waiting.len());
        }
        tracing::error!(%error, waiting = self.waiting.len(), "transitions are not stored yet, nobody hears of them");
        self.retry_at = Some(now.plus_ms(self.pause_ms));
        self.pause_ms = (self.pause_ms * 2).min(LONGEST_PAUSE_MS);
        Ok(())
    }

    /// When a refused batch is tried again.
    pub(super) fn retry_at(&self) -> Option<Mono> {
        self.retry_at
    }

    /// Transitions that wait for their batch.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether anything is not durable yet.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way || !self.waiting.is_empty()
    }
}
