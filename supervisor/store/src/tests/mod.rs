//! Tests of the whole store on real files.

mod backup;
mod commands;
mod damage;
mod life;
mod maintenance;
mod model;
mod past;

use crate::{Restored, Store};
use roundsman_core::fault::{Change, Condition, Ending, Fault, FaultId, FaultKey, FaultNumber, Transition};
use roundsman_core::reading::Value;
use roundsman_core::rule::Severity;
use roundsman_core::text::Bilingual;
use roundsman_core::time::Wall;
use std::path::Path;

/// Some moment in November 2026.
const T0: i64 = 1_795_000_000_000;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

fn open(dir: &Path) -> (Store, Restored) {
    Store::open(dir, Wall(T0)).unwrap()
}

fn fault(id: u64, device: &str) -> Fault {
    Fault {
        id: FaultId(id),
        number: FaultNumber { year: 2026, sequence: id as u32 },
        key: FaultKey { device: device.into(), rule: "board-hot".into(), instance: "板卡 0".into() },
        severity: Severity::Major,
        condition: Condition::Active,
        acknowledged: None,
        stale: false,
        first_bad: Wall(T0),
        confirmed: Wall(T0 + 30_000),
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

fn raised(id: u64, fault: Fault) -> Transition {
    Transition { id, at: Wall(T0 + 30_000 + id as i64), change: Change::Raised, fault }
}

fn ended(id: u64, mut fault: Fault, at: i64) -> Transition {
    fault.condition = Condition::Cleared;
    fault.cleared = Some(Wall(at));
    fault.ending = Some(Ending::Cleared);
    Transition { id, at: Wall(at), change: Change::Ended, fault }
}
