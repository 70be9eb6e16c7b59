//! Polls on their way to history: gathered as they end, recorded as soon as they fill a cycle, and once a minute
//! what there is.
//!
//! A cycle takes so many polls anyway: waiting for the minute would write nothing less and hold all of them, with
//! every reading, in memory meanwhile.

use super::marks::Marker;
use super::view::Latest;
use roundsman_core::time::Now;
use roundsman_store::{MOST_POLLS, Store, StoreError};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Polls that may wait for the store: twenty seconds of a thousand devices polled every 10 s, some 25 MB of readings.
/// Past that the oldest are left out, and history has a gap.
const MOST_WAITING: usize = 2_048;

type Waiting = (Arc<str>, Arc<Latest>);

/// Gathers polls.
pub(super) struct Recorder {
    store: Arc<Store>,
    marker: Marker,
    waiting: VecDeque<Waiting>,
    /// Polls that had no place since the store last took some.
    left_out: usize,
    /// Earlier polls are still being stored; others would overtake them.
    under_way: Option<JoinHandle<()>>,
}

impl Recorder {
    pub(super) fn new(store: Arc<Store>, marker: Marker) -> Recorder {
        Recorder { store, marker, waiting: VecDeque::new(), left_out: 0, under_way: None }
    }

    /// Takes a poll that ended.
    pub(super) fn take(&mut self, device: &Arc<str>, latest: &Arc<Latest>, now: Now) {
        if self.waiting.len() >= MOST_WAITING {
            self.left_out += 1;
            self.waiting.pop_front();
        }
        self.waiting.push_back((device.clone(), latest.clone()));
        if self.waiting.len() >= MOST_POLLS {
            self.go_on(now);
        }
    }

    /// Has the store record what was gathered, unless it is still at what came before.
    pub(super) fn go_on(&mut self, now: Now) {
        if self.under_way.as_ref().is_none_or(JoinHandle::is_finished) {
            self.under_way = Some(tokio::spawn(self.record(now)));
        }
    }

    /// Records what was gathered, after what is under way: at the end of the service.
    pub(super) async fn finish(&mut self, now: Now) {
        if let Some(under_way) = self.under_way.take()
            && let Err(error) = under_way.await
        {
            tracing::error!(%error, "recording earlier polls ended by a panic");
        }
        self.record(now).await;
    }

    fn record(&mut self, now: Now) -> impl Future<Output = ()> + Send + use<> {
        let left_out = std::mem::take(&mut self.left_out);
        if left_out > 0 {
            tracing::error!(polls = left_out, "the store did not keep up, history has a gap");
        }
        let mark = self.marker.mark(now);
        let waiting: Vec<Waiting> = std::mem::take(&mut self.waiting).into();
        let store = self.store.clone();
        async move {
            if waiting.is_empty()
                && let Err(error) = store.mark_clock(mark.clone()).await
            {
                tracing::error!(%error, "the clock was not marked");
            }
            // One after the other: a transition waits for one of them at most.
            for slice in waiting.chunks(MOST_POLLS) {
                let slice: Arc<[Waiting]> = slice.into();
                let polls = move || {
                    let slice = slice.clone();
                    (0..slice.len()).map(move |at| {
                        let (device, latest) = &slice[at];
                        latest.for_store(device)
                    })
                };
                match store.record(mark.clone(), polls).await {
                    Ok(()) => {}
                    // Said once by the store and shown on the panel; a line for each cycle would help to fill the disk.
                    Err(StoreError::HistoryPaused) => drop(store.mark_clock(mark.clone()).await),
                    Err(error) => tracing::error!(%error, "polls were not stored, history has a gap"),
                }
            }
        }
    }
}
