//! The clocks of service levels: one for each fault that people are told of, by the first policy that is for it.
//!
//! A hidden fault has none; it gets one when it is revealed. A shelf stops nothing. What ended keeps its clock for as
//! long as it may come back, and goes on with it then.

use super::{Fault, FaultId, Service, ServiceTarget};
use crate::device::{Class, Device, Network, Tier};
use crate::sla::clock::{Clock, Downtime, Signal};
use crate::sla::policy::{Case, Policy, Starts, Target, choose};
use crate::time::{Mono, Now};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Longest time between the first bad evidence and the verdict that counts for a contract that begins there, ms. The
/// two are wall times, and the clock may have been set between them.
const MOST_AGO_MS: i64 = 60 * 60_000;

/// A signal of a fault's clock.
pub(super) type Told = (FaultId, Signal);

/// All clocks that run, and the policies they go by.
#[derive(Clone, Debug, Default)]
pub(super) struct Clocks {
    policies: Vec<Arc<Policy>>,
    places: BTreeMap<Arc<str>, (Tier, Class, Network)>,
    utc_offset_s: i32,
    running: BTreeMap<FaultId, Clock>,
    /// When each of them is looked at again.
    dues: BTreeMap<FaultId, Mono>,
    /// What the store kept, until the policies are there.
    kept: Vec<(FaultId, Service, Vec<Downtime>)>,
}

impl Clocks {
    pub(super) fn new(utc_offset_s: i32) -> Clocks {
        Clocks { utc_offset_s, ..Clocks::default() }
    }

    /// A clock as the store kept it, and what passed since.
    pub(super) fn restore(&mut self, id: FaultId, service: Service, passed: Vec<Downtime>) {
        self.kept.push((id, service, passed));
    }

    /// Takes policies and places over. A clock whose policy was changed goes by the new one; where it is gone the old
    /// one stays: what was promised is not taken back.
    pub(super) fn load<'a>(
        &mut self,
        policies: Vec<Arc<Policy>>,
        devices: impl Iterator<Item = &'a Device>,
        now: Now,
    ) -> Vec<Told> {
        let place = |device: &Device| (device.id.clone(), (device.tier, device.class, device.network));
        self.places = devices.map(place).collect();
        self.policies = policies;
        for (id, service, passed) in std::mem::take(&mut self.kept) {
            let policy = self.policies.iter().find(|policy| policy.id == service.policy).cloned();
            if let Some(policy) = policy {
                let clock = Clock::restore(policy, service.kept, &passed, now, self.utc_offset_s);
                self.put(id, clock);
            }
        }
        let mut told = Vec::new();
        for id in self.running.keys().copied().collect::<Vec<_>>() {
            let Some(clock) = self.running.get_mut(&id) else { continue };
            let held = clock.policy();
            let changed = self.policies.iter().find(|policy| policy.id == held.id && *policy != held);
            let signals = match changed {
                Some(policy) => clock.rebind(policy.clone(), now, self.utc_offset_s),
                None => Vec::new(),
            };
            told.extend(self.looked_at(id, signals));
        }
        told
    }

    /// Starts the clock of a fault that people are told of from now on, if any policy is for it.
    pub(super) fn begin(&mut self, fault: &Fault, now: Now) {
        let Some(policy) = self.policy_of(fault) else { return };
        let ago_ms = match policy.starts {
            Starts::FirstBad => fault.confirmed.0.saturating_sub(fault.first_bad.0).clamp(0, MOST_AGO_MS),
            Starts::Confirmed | Starts::Notified => 0,
        };
        let clock = Clock::start(policy.clone(), ago_ms.unsigned_abs(), now, self.utc_offset_s);
        self.put(fault.id, clock);
    }

    /// A fault came back with the clock that it had.
    pub(super) fn reopen(&mut self, id: FaultId, clock: Option<Clock>, now: Now) -> Vec<Told> {
        if let Some(clock) = clock {
            self.put(id, clock);
        }
        let offset = self.utc_offset_s;
        let signals = self.running.get_mut(&id).map(|clock| clock.reopen(now, offset));
        self.looked_at(id, signals.unwrap_or_default())
    }

    /// Its severity changed: another policy may be for it.
    pub(super) fn rebind(&mut self, fault: &Fault, now: Now) -> Vec<Told> {
        let policy = self.policy_of(fault).cloned();
        let offset = self.utc_offset_s;
        let (Some(clock), Some(policy)) = (self.running.get_mut(&fault.id), policy) else {
            return Vec::new();
        };
        let signals = if clock.policy().id == policy.id {
            clock.advance(now, offset)
        } else {
            clock.rebind(policy, now, offset)
        };
        self.looked_at(fault.id, signals)
    }

    /// A target of a fault is done.
    pub(super) fn stop(&mut self, id: FaultId, target: Target, now: Now) -> Vec<Told> {
        let offset = self.utc_offset_s;
        let signals = self.running.get_mut(&id).map(|clock| clock.stop(target, now, offset));
        self.looked_at(id, signals.unwrap_or_default())
    }

    /// Takes a clock away: its fault is over, or hidden.
    pub(super) fn take(&mut self, id: FaultId) -> Option<Clock> {
        self.dues.remove(&id);
        self.running.remove(&id)
    }

    /// When the first of them is to be looked at.
    pub(super) fn due(&self) -> Option<Mono> {
        self.dues.values().min().copied()
    }

    /// Looks at those that are due.
    pub(super) fn tick(&mut self, now: Now) -> Vec<Told> {
        let is_due = |(_, due): &(&FaultId, &Mono)| **due <= now.mono;
        let due: Vec<FaultId> = self.dues.iter().filter(is_due).map(|(id, _)| *id).collect();
        let mut told = Vec::new();
        for id in due {
            let offset = self.utc_offset_s;
            let signals = self.running.get_mut(&id).map(|clock| clock.advance(now, offset));
            told.extend(self.looked_at(id, signals.unwrap_or_default()));
        }
        told
    }

    /// How the clock of a fault stands.
    pub(super) fn service(&self, id: FaultId) -> Option<Service> {
        let clock = self.running.get(&id)?;
        let of = |target: Target| {
            Some(ServiceTarget {
                standing: clock.standing(target)?,
                limit_ms: clock.policy().limit_ms(target),
                elapsed_ms: clock.elapsed_ms(target),
                limit_at: clock.limit_at(target, self.utc_offset_s),
            })
        };
        Some(Service {
            policy: clock.policy().id.clone(),
            name: clock.policy().name.clone(),
            kept: clock.kept().clone(),
            targets: [of(Target::Response), of(Target::OnSite), of(Target::Restore)],
        })
    }

    fn policy_of(&self, fault: &Fault) -> Option<&Arc<Policy>> {
        let (tier, class, network) = *self.places.get(&fault.key.device)?;
        choose(&self.policies, &Case { severity: fault.severity, tier, class, network })
    }

    fn put(&mut self, id: FaultId, clock: Clock) {
        self.running.insert(id, clock);
        self.looked_at(id, Vec::new());
    }

    /// Notes when a clock is looked at again.
    fn looked_at(&mut self, id: FaultId, signals: Vec<Signal>) -> Vec<Told> {
        match self.running.get(&id).and_then(|clock| clock.next_due(self.utc_offset_s)) {
            Some(due) => self.dues.insert(id, due),
            None => self.dues.remove(&id),
        };
        signals.into_iter().map(|signal| (id, signal)).collect()
    }
}
