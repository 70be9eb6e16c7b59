//! Another agent answers at a device's address: the built-in rule [`REPLACED`].
//!
//! It is no condition that lasts or comes back to normal, but something a person should know: the fault stays until
//! somebody acknowledges it, a day at most. That the agent changes again in the meantime gives it the day anew.

use super::register::Draft;
use super::{Fault, FaultKey, REPLACED};
use crate::rule::Severity;
use crate::text::Bilingual;
use crate::time::{Mono, Now};
use std::sync::Arc;

/// How long it stays open, ms: until the same shift is there again.
pub(super) const STAYS_MS: u64 = 24 * 60 * 60 * 1000;

/// Key of the fault of a device.
pub(super) fn key(device: &Arc<str>) -> FaultKey {
    FaultKey { device: device.clone(), rule: REPLACED.into(), instance: "".into() }
}

/// The fault; `what` says what was seen.
pub(super) fn draft(device: &Arc<str>, what: Bilingual, now: Now) -> Draft {
    Draft {
        key: key(device),
        severity: Severity::Warning,
        first_bad: now.wall,
        value: None,
        cause: "configurationOrCustomizationError".into(),
        summary: what,
        advice: Bilingual::new(
            "核对是否有计划内更换；如有，补录维保记录并确认本条；如无，检查是否有设备占用了该地址",
            "If the device or a board was replaced on purpose, write the maintenance record and acknowledge this; if not, see whether something else has taken the address",
        ),
    }
}

/// When a fault that was kept across a start ends.
pub(super) fn until(fault: &Fault, now: Now) -> Mono {
    let age_ms = now.wall.0.saturating_sub(fault.confirmed.0).max(0).unsigned_abs();
    now.mono.plus_ms(STAYS_MS.saturating_sub(age_ms))
}
