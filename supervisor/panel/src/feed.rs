//! From the supervise loop to everybody who watches: one ring shared by all watchers.

use roundsman_core::fault::Transition;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::broadcast;

/// Notes a watcher may lag behind. One that lags further is told to reset and dropped: the ring is shared, so a
/// stalled watcher holds no memory of its own and delays nobody.
pub const RING: usize = 256;
/// Changed devices are gathered this long into one note.
const GATHER: Duration = Duration::from_secs(1);
/// Most device ids in one note; past it the note names none, which means all.
const MOST_NAMED: usize = 256;

/// What watchers are told.
#[derive(Clone, Debug)]
pub(crate) enum Note {
    /// A durable transition.
    Transition(Arc<Transition>),
    /// The states of these devices may have changed; an empty list means all.
    Devices(Arc<[Arc<str>]>),
}

#[derive(Default)]
struct Gathered {
    ids: BTreeSet<Arc<str>>,
    waiting: bool,
}

/// The site publishes here, after the commit. Cheap to clone.
#[derive(Clone)]
pub struct Feed {
    ring: broadcast::Sender<Note>,
    gathered: Arc<Mutex<Gathered>>,
}

impl Default for Feed {
    fn default() -> Feed {
        Feed { ring: broadcast::Sender::new(RING), gathered: Arc::default() }
    }
}

impl Feed {
    /// Tells everybody about a transition that is durable.
    pub fn transition(&self, transition: &Transition) {
        // Nobody listening is no error.
        let _ = self.ring.send(Note::Transition(Arc::new(transition.clone())));
    }

    /// Notes that the state (or the first poll) of a device changed; watchers hear of it within a second, together
    /// with the others. Must be called inside the runtime.
    pub fn device_changed(&self, id: &Arc<str>) {
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        if gathered.ids.len() <= MOST_NAMED {
            gathered.ids.insert(id.clone());
        }
        if !gathered.waiting {
            gathered.waiting = true;
            let feed = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(GATHER).await;
                feed.flush();
            });
        }
    }

    fn flush(&self) {
        let gathered = std::mem::take(&mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner));
        let ids: Arc<[Arc<str>]> =
            if gathered.ids.len() > MOST_NAMED { [].into() } else { gathered.ids.into_iter().collect() };
        let _ = self.ring.send(Note::Devices(ids));
    }

    pub(crate) fn subscribe(&self) -> broadcast::Receiver<Note> {
        self.ring.subscribe()
    }
}
