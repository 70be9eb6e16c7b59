//! Polls on their way to history: gathered as they end, recorded once a minute.

use super::numbers;
use super::view::Latest;
use roundsman_core::time::Now;
use roundsman_store::{MOST_POLLS, Poll, Store};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Polls that may wait for their minute. A thousand devices polled every 10 s make 6,000 a minute; past that the
/// oldest are left out, and history has a gap.
const MOST_WAITING: usize = 16_384;

type Waiting = (Arc<str>, Arc<Latest>);

/// Gathers polls.
pub(super) struct Recorder {
    store: Arc<Store>,
    waiting: VecDeque<Waiting>,
    /// An earlier minute is still being stored; another one would overtake it.
    under_way: Option<JoinHandle<()>>,
}

impl Recorder {
    pub(super) fn new(store: Arc<Store>) -> Recorder {
        Recorder { store, waiting: VecDeque::new(), under_way: None }
    }

    /// Takes a poll that ended.
    pub(super) fn take(&mut self, device: &Arc<str>, latest: &Arc<Latest>) {
        if self.waiting.len() >= MOST_WAITING {
            if self.waiting.len().is_multiple_of(1_024) {
                tracing::error!(
                    waiting = self.waiting.len(),
                    "history does not keep up, the oldest polls are left out"
                );
            }
            self.waiting.pop_front();
        }
        self.waiting.push_back((device.clone(), latest.clone()));
    }

    /// Has the store record what was gathered, unless it is still at the minute before.
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
            tracing::error!(%error, "recording the minute before ended by a panic");
        }
        self.record(now).await;
    }

    fn record(&mut self, now: Now) -> impl Future<Output = ()> + Send + use<> {
        let mark = numbers::clock_mark(now);
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
                        Poll { taken_at: latest.readings.taken_at.mono, poll: latest.for_store(device) }
                    })
                };
                if let Err(error) = store.record(mark.clone(), polls).await {
                    tracing::error!(%error, "polls of the last minute were not stored, history has a gap");
                }
            }
        }
    }
}
