//! What happened in a span of time, as the figures of a week and its report need it.

use crate::error::StoreError;
use crate::reader::Reader;
use roundsman_core::fault::{Fault, FaultId};
use roundsman_core::figures::availability::DeviceLife;
use roundsman_core::figures::faults::FaultLife;
use roundsman_core::figures::watch::Watches;
use roundsman_core::time::Wall;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What happened in a span of time, as far as figures and reports need it.
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// When the box watched: all watches that touch the span, and those back to the oldest fault in it.
    pub watches: Watches,
    /// Every device that was in the site at some time of the span.
    pub devices: Vec<DeviceLife>,
    /// Every fault that was open at some time of the span, and the roots of the hidden ones.
    pub faults: Vec<FaultLife>,
    /// What people call these devices, by id.
    pub names: BTreeMap<Arc<str>, PastDevice>,
    /// The faults as they stand now: summary, advice, who acknowledged.
    pub details: BTreeMap<FaultId, Fault>,
}

/// What people call a device: as the site file had it last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PastDevice {
    /// Name shown to people.
    pub name: Arc<str>,
    /// Where it stands, for people; empty where it was never said.
    pub location: Arc<str>,
    /// Id of its profile.
    pub profile: Arc<str>,
}

impl Reader {
    /// What happened between two wall times: at most some five weeks at once.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn past(&self, from: Wall, to: Wall) -> Result<Past, StoreError> {
        self.ask("read the past", move |_| {
            let reason = format!("from {} to {}: not kept yet", from.0, to.0);
            Err(StoreError::Unreadable { what: "past", reason })
        })
        .await
    }
}
