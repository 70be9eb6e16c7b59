//! What a report is made of: what happened, what people call it, and the maintenance records beside it.

use jiff::tz::TimeZone;
use roundsman_core::fault::{Fault, FaultId};
use roundsman_core::figures::availability::DeviceLife;
use roundsman_core::figures::faults::FaultLife;
use roundsman_core::figures::watch::Watches;
use roundsman_core::record::Record;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What happened in a span of time that holds the week and the four before it ([`crate::week::Week::reach`]).
#[derive(Clone, Debug, Default)]
pub struct Past {
    /// When the box watched.
    pub watches: Watches,
    /// Every device that was in the site at some time of the span.
    pub devices: Vec<DeviceLife>,
    /// Every fault that was open at some time of the span, and the roots of the hidden ones.
    pub faults: Vec<FaultLife>,
    /// What people call these devices, by id.
    pub names: BTreeMap<Arc<str>, Named>,
    /// The faults as they stand now: what was seen, what to do, who took note.
    pub details: BTreeMap<FaultId, Fault>,
    /// Maintenance records that happened in the span or soon after it, in any order.
    pub records: Vec<Record>,
}

/// What people call a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Its name.
    pub name: Arc<str>,
    /// Where it stands; may be empty.
    pub location: Arc<str>,
}

impl Past {
    /// What people call a device; its id where nobody named it.
    pub fn name(&self, device: &str) -> Arc<str> {
        let named = self.names.get(device).map(|named| named.name.clone());
        named.filter(|name| !name.is_empty()).unwrap_or_else(|| device.into())
    }
}

/// Whose report it is.
#[derive(Clone, Debug)]
pub struct About {
    /// The site's name.
    pub site: Arc<str>,
    /// Its zone: weeks and days begin there, and times are said in it.
    pub zone: TimeZone,
}
