//! The cameras and recorders of a running supervisor: each is checked by a task of its own and watched for what it tells
//! of its own accord, kept over a reload that leaves it as it is.

use super::polled::Runtime;
use crate::site::{Asked, Fingerprint};
use roundsman_core::fault::Generation;
use roundsman_core::time::Now;
use roundsman_driver::clock::Clock;
use roundsman_driver::onvif::camera::Camera;
use roundsman_driver::onvif::watch::{Told, watch};
use roundsman_driver::onvif::{Failure, Http};
use roundsman_store::{LoginRefusals, Store};
use roundsman_wire::onvif::health::{Answer, Question};
use roundsman_wire::onvif::login::Kept;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// What comes of cameras waits for the loop; further ones make their tasks wait.
pub(super) const MOST_CHECKED: usize = 256;

/// A check that is over.
#[derive(Debug)]
pub(crate) struct Checked {
    /// The key it was started with.
    pub key: u32,
    /// The engine's generation at its start.
    pub generation: Generation,
    /// When it began.
    pub started: Now,
    /// When it ended.
    pub finished: Now,
    /// What it brought.
    pub answer: Answer,
}

/// What comes of cameras.
#[derive(Debug)]
pub(super) enum Outcome {
    /// A check ended.
    Checked(Checked),
    /// One told something of its own accord.
    Told(Told),
}

/// One of them.
struct Owned {
    camera: Arc<Camera>,
    /// Of its checks and messages.
    key: u32,
    watching: AbortHandle,
    fingerprint: Fingerprint,
    /// What the store has of its refusals.
    stored: Arc<Mutex<Kept>>,
}

/// All of them, as the loop holds them.
pub(super) struct Cameras {
    clock: Clock,
    http: Http,
    store: Arc<Store>,
    outcomes: mpsc::Sender<Outcome>,
    owned: HashMap<Arc<str>, Owned>,
    /// Refusals of an earlier run, until their devices are loaded.
    kept: HashMap<Arc<str>, LoginRefusals>,
}

impl Cameras {
    /// None yet; what comes of them comes from the receiver.
    pub(super) fn new(
        clock: Clock,
        store: Arc<Store>,
        kept: &[LoginRefusals],
    ) -> Result<(Cameras, mpsc::Receiver<Outcome>), Failure> {
        let (outcomes, receiver) = mpsc::channel(MOST_CHECKED);
        let kept = kept.iter().map(|of| (of.device.clone(), of.clone())).collect();
        Ok((Cameras { clock, http: Http::new()?, store, outcomes, owned: HashMap::new(), kept }, receiver))
    }

    /// These from now on, and no others.
    pub(super) fn load(&mut self, devices: &[Runtime]) {
        let mut before = std::mem::take(&mut self.owned);
        for runtime in devices {
            let Asked::Onvif(target) = &runtime.entry.asked else { continue };
            let id = &runtime.entry.device.id;
            let old = before.remove(id);
            let same =
                old.as_ref().is_some_and(|old| old.camera.target() == &**target && old.key == runtime.key);
            let owned = match old {
                Some(old) if same => old,
                old => {
                    old.inspect(|old| old.watching.abort());
                    self.begin(id, target, runtime.key)
                }
            };
            self.owned.insert(id.clone(), owned);
        }
        before.into_values().for_each(|gone| gone.watching.abort());
        self.kept.clear();
    }

    fn begin(&mut self, id: &Arc<str>, target: &roundsman_driver::onvif::camera::Target, key: u32) -> Owned {
        let credentials = target.credentials.as_ref();
        let kept = self.kept.remove(id);
        let known = kept.as_ref().and_then(|kept| {
            let fingerprint = Fingerprint::kept(&kept.fingerprint, credentials)?;
            let LoginRefusals { refusals, own, locked, .. } = *kept;
            Some((fingerprint, Kept { refusals, own, locked }))
        });
        let (fingerprint, kept) = known.unwrap_or_else(|| (Fingerprint::new(credentials), Kept::default()));
        let camera = Arc::new(Camera::new(self.http.clone(), target.clone(), kept));
        let (messages, mut told) = mpsc::channel(1);
        let outcomes = self.outcomes.clone();
        let watched = camera.clone();
        let watching = tokio::spawn(async move {
            let pass_on = async {
                while let Some(told) = told.recv().await {
                    if outcomes.send(Outcome::Told(told)).await.is_err() {
                        return;
                    }
                }
            };
            tokio::join!(watch(watched, key, messages), pass_on);
        });
        let stored = Arc::new(Mutex::new(kept));
        Owned { camera, key, watching: watching.abort_handle(), fingerprint, stored }
    }

    /// The camera of a device.
    pub(super) fn of(&self, id: &str) -> Option<Arc<Camera>> {
        self.owned.get(id).map(|owned| owned.camera.clone())
    }

    /// Begins a check; it comes back as an outcome. `false` where there is no such device.
    pub(super) fn check(&self, id: &Arc<str>, generation: Generation, questions: Arc<[Question]>) -> bool {
        let Some(owned) = self.owned.get(id) else { return false };
        let Owned { camera, key, fingerprint, stored, .. } = owned;
        let (camera, key, stored) = (camera.clone(), *key, stored.clone());
        let keep =
            Keep { store: self.store.clone(), id: id.clone(), fingerprint: fingerprint.clone(), stored };
        let (clock, outcomes) = (self.clock, self.outcomes.clone());
        tokio::spawn(async move {
            let started = clock.now();
            let answer = camera.check(&questions).await;
            keep.refusals(camera.kept()).await;
            let checked = Checked { key, generation, started, finished: clock.now(), answer };
            // The loop is gone when the service ends.
            let _ = outcomes.send(Outcome::Checked(checked)).await;
        });
        true
    }
}

/// Where the refusals of a device are kept.
struct Keep {
    store: Arc<Store>,
    id: Arc<str>,
    fingerprint: Fingerprint,
    stored: Arc<Mutex<Kept>>,
}

impl Keep {
    /// Stores them where they are others than those that are stored.
    async fn refusals(&self, kept: Kept) {
        let stored = || self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        if *stored() == kept {
            return;
        }
        let Kept { refusals, own, locked } = kept;
        let (device, fingerprint) = (self.id.clone(), self.fingerprint.octets().to_vec());
        match self.store.keep_login(LoginRefusals { device, fingerprint, refusals, own, locked }).await {
            Ok(()) => *stored() = kept,
            Err(error) => tracing::error!(device = %self.id, %error, "refused logins were not kept"),
        }
    }
}
