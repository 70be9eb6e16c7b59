//! The service level of a fault, as records and pages have it.

use crate::sla::clock::{Kept, Standing};
use crate::time::Wall;
use std::sync::Arc;

/// How one target of a service level stands, as of the fault's latest transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceTarget {
    /// Running, met, breached, or not needed any more.
    pub standing: Standing,
    /// Its limit by the policy that holds, in ms of service time.
    pub limit_ms: Option<u64>,
    /// Service time so far, or until it was done, in ms.
    pub elapsed_ms: u64,
    /// When the limit is reached, while it runs and has not passed it.
    pub limit_at: Option<Wall>,
}

/// The clock of the service level that a fault falls under, as of its latest transition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Id of the policy.
    pub policy: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// What the clock goes on from after a restart.
    pub kept: Kept,
    /// The targets in the order of [`Target::ALL`](crate::sla::policy::Target::ALL); `None` where the policy has no limit.
    pub targets: [Option<ServiceTarget>; 3],
}
