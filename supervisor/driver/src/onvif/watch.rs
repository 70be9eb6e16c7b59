//! What a camera or recorder tells of its own accord: one subscription, pulled for messages as long as it lives.
//!
//! Ten minutes are asked for and renewed when four fifths of what the device grants are over. A subscription is not ended
//! but left to run out, since some devices drop all of them along with one. What fails is begun anew: at once where the
//! device has forgotten the subscription, else after a while that grows.

use roundsman_core::time::Mono;
use roundsman_wire::onvif::answer::Refusal;
use roundsman_wire::onvif::call::{Addressing, Call};
use roundsman_wire::onvif::events::{Notification, PullPoint, lives, notifications};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

use super::camera::{Camera, Telling};
use super::services::{Services, path_of};
use super::{Failure, chance};

/// How long a subscription is asked for, s.
const ASKED_S: u32 = 600;

/// The same of a device that refuses or forgets the time, ms: it is taken to live as long as was asked for.
const ASSUMED_MS: i64 = ASKED_S as i64 * 1_000;

/// Least and most that a device is believed to grant, ms.
const BELIEVED_MS: std::ops::RangeInclusive<i64> = 10_000..=3_600_000;

/// How long one pull waits for messages, s. A device answers as soon as there are any.
const PULL_S: u32 = 50;

/// How much longer than that its answer may take, ms.
const GRACE_MS: u64 = 8_000;

/// Most messages of one pull.
const PULL_LIMIT: u32 = 32;

/// Waits between attempts, s: the first after a failure, and what it grows to.
const WAITS_S: (u64, u64) = (5, 60);

/// How long a device that forgot a subscription is left alone before the next, s.
const AGAIN_S: u64 = 1;

/// How long a device without an event service is left alone, s: an update of its firmware may bring one.
const MISSING_S: u64 = 3_600;

/// Least time between two answers of a pull without messages, ms: some devices answer at once instead of waiting.
const BREATH: Duration = Duration::from_millis(1_000);

/// A message, and whose it is.
#[derive(Clone, Debug)]
pub struct Told {
    /// The key that the watch was started with.
    pub key: u32,
    /// What was said.
    pub message: Notification,
}

/// A subscription as it is held.
struct Held {
    path: Box<str>,
    point: PullPoint,
    renew_at: Mono,
}

/// Why a subscription is over.
enum Over {
    /// Nobody takes the messages any more.
    Unwanted,
    /// The device has forgotten it.
    Forgotten {
        /// Whether it told anything before: one that forgets at once is not asked at once again.
        told: bool,
    },
    /// Anything else.
    Failed(Failure),
}

/// Takes messages from a device until nobody wants them any more. A queue that is full makes the device wait.
pub async fn watch(camera: Arc<Camera>, key: u32, messages: mpsc::Sender<Told>) {
    let mut let_in = camera.let_in.subscribe();
    let mut wait_s = WAITS_S.0;
    loop {
        let services = tokio::select! {
            () = messages.closed() => return,
            // The camera itself holds the sender.
            services = let_in.wait_for(Option::is_some) => match services {
                Ok(services) => services.clone().unwrap_or_default(),
                Err(_) => return,
            },
        };
        let pause_s = match camera.hold(&services, key, &messages, &mut wait_s).await {
            Err(Over::Unwanted) => return,
            Err(Over::Forgotten { told: true }) => AGAIN_S,
            Err(Over::Forgotten { told: false }) => {
                camera.telling.send_replace(Telling::Failed);
                wait_s
            }
            Err(Over::Failed(Failure::Fault(fault))) if fault.refusal == Refusal::NotSupported => {
                camera.telling.send_replace(Telling::Missing);
                MISSING_S
            }
            Err(Over::Failed(failure)) => {
                tracing::debug!(address = %camera.target().address, %failure, "no messages for now");
                camera.telling.send_replace(Telling::Failed);
                wait_s
            }
            Ok(()) => {
                camera.telling.send_replace(Telling::Missing);
                MISSING_S
            }
        };
        tokio::select! {
            () = messages.closed() => return,
            () = tokio::time::sleep(Duration::from_secs(pause_s)) => {}
        }
        wait_s = (wait_s * 2).min(WAITS_S.1);
    }
}

impl Camera {
    /// One subscription from its beginning to its end. `Ok` where the device has no event service.
    async fn hold(
        &self,
        services: &Services,
        key: u32,
        messages: &mpsc::Sender<Told>,
        wait_s: &mut u64,
    ) -> Result<(), Over> {
        let Some(events) = &services.events else { return Ok(()) };
        let mut held = self.subscribe(events).await.map_err(Over::Failed)?;
        let mut told = false;
        loop {
            let left_ms = held.renew_at.since_ms(self.clock.now().mono);
            if left_ms == 0 {
                self.renew(&mut held).await?;
                continue;
            }
            let forgotten = |failure| over(failure, told);
            let seconds = (left_ms / 1_000).clamp(1, u64::from(PULL_S)) as u32;
            let pull = tokio::select! {
                () = messages.closed() => return Err(Over::Unwanted),
                pull = self.pull(&held, seconds) => pull.map_err(forgotten)?,
            };
            *wait_s = WAITS_S.0;
            if !std::mem::replace(&mut told, true) {
                self.telling.send_replace(Telling::Subscribed);
            }
            let is_idle = pull.is_empty();
            for message in pull {
                if messages.send(Told { key, message }).await.is_err() {
                    return Err(Over::Unwanted);
                }
            }
            if is_idle {
                tokio::time::sleep(BREATH).await;
            }
        }
    }

    async fn subscribe(&self, events: &str) -> Result<Held, Failure> {
        let answer = self.device.call(&Call::CreatePullPoint(ASKED_S), events, None).await?;
        let point = PullPoint::read(&answer);
        // An empty address, or a name: the device means its event service.
        let path = path_of(&self.device.base, &point.address).unwrap_or_else(|| events.into());
        let renew_at = self.renew_at(point.lives_ms);
        Ok(Held { path, point, renew_at })
    }

    fn renew_at(&self, lives_ms: Option<i64>) -> Mono {
        let lives_ms = lives_ms.unwrap_or(ASSUMED_MS).clamp(*BELIEVED_MS.start(), *BELIEVED_MS.end());
        self.clock.now().mono.plus_ms(lives_ms as u64 * 4 / 5)
    }

    async fn pull(&self, held: &Held, seconds: u32) -> Result<Vec<Notification>, Failure> {
        let device = self.device.patient(u64::from(seconds) * 1_000 + GRACE_MS);
        let call = Call::PullMessages(seconds, PULL_LIMIT);
        let answer = device.call(&call, &held.path, Some(&self.to(held))).await?;
        Ok(notifications(&answer))
    }

    /// Keeps it for longer; where the device cannot, a new one takes its place.
    async fn renew(&self, held: &mut Held) -> Result<(), Over> {
        let call = Call::Renew(ASKED_S);
        match self.device.call(&call, &held.path, Some(&self.to(held))).await {
            Ok(answer) => {
                held.renew_at = self.renew_at(lives(&answer));
                Ok(())
            }
            Err(Failure::Fault(_) | Failure::Unread { .. }) => Err(Over::Forgotten { told: true }),
            Err(failure) => Err(Over::Failed(failure)),
        }
    }

    fn to<'a>(&self, held: &'a Held) -> Addressing<'a> {
        let message = u128::from_be_bytes(chance(self.clock));
        Addressing { to: &held.point.address, parameters: &held.point.parameters, message }
    }
}

/// What a failure of a pull says of the subscription.
fn over(failure: Failure, told: bool) -> Over {
    match failure {
        Failure::Fault(fault) if !matches!(fault.refusal, Refusal::NotAuthorized | Refusal::Locked) => {
            Over::Forgotten { told }
        }
        other => Over::Failed(other),
    }
}
