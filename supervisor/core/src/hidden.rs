//! Who stands behind whom: a device that cannot be reached because another one failed (DESIGN section 3).
//!
//! The engine decides it; the store keeps the stretches, the panel shows them.

use crate::fault::FaultId;
use std::sync::Arc;

/// A device that is hidden behind a failed one from now on, or is hidden no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hiding {
    /// The site file's id.
    pub device: Arc<str>,
    /// What it stands behind; `None`: it stands for itself again.
    pub behind: Option<Root>,
}

/// The failure that hides others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The `unreachable` fault.
    pub fault: FaultId,
    /// The device that it is of.
    pub device: Arc<str>,
}
