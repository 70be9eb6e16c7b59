//! What the tests of damage and of power cuts have the store keep.

use roundsman_core::fault::{Condition, Fault, FaultId, FaultKey, FaultNumber};
use roundsman_core::reading::Value;
use roundsman_core::rule::Severity;
use roundsman_core::text::Bilingual;
use roundsman_core::time::Wall;

/// Waits for an answer of the store.
pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
    runtime.expect("a runtime").block_on(future)
}

/// A fault of a device of its own, just raised.
pub(crate) fn raised(id: u64, at: Wall) -> Fault {
    Fault {
        id: FaultId(id),
        number: FaultNumber { year: 2026, sequence: id as u32 },
        key: FaultKey {
            device: format!("d{id}").into(),
            rule: "board-hot".into(),
            instance: "板卡 0".into(),
        },
        severity: Severity::Major,
        condition: Condition::Active,
        acknowledged: None,
        stale: false,
        first_bad: at,
        confirmed: at,
        cleared: None,
        ending: None,
        closed_by: None,
        value: Some(Value::Number(68.5)),
        cause: "temperatureUnacceptable".into(),
        summary: Bilingual::new("板卡温度 68.5 ℃", "Board at 68.5 °C"),
        advice: Bilingual::new("检查风扇与滤网", "Check fans and filter"),
        previous: None,
        hidden_by: None,
        assigned: None,
        arrived: None,
        shelf: None,
        service: None,
    }
}
