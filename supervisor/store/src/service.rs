//! Clocks of service levels as a cell of a row, and what passed since they were kept.

use crate::error::StoreError;
use crate::past::passed_since;
use roundsman_core::fault::{FaultId, Service, ServiceTarget};
use roundsman_core::sla::clock::{Downtime, Kept, Progress, Standing, Stop};
use roundsman_core::time::Wall;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// As it is written.
pub(crate) fn text(service: &Service) -> String {
    let stop = |stop: &Stop| json!([stop.elapsed_ms, stop.limit_ms, stop.uncertain]);
    let progress = |of: &Progress| json!([of.stopped.as_ref().map(stop), of.warned, of.breached_ms]);
    let target = |of: &ServiceTarget| {
        let standing = match of.standing {
            Standing::Running => json!("running"),
            Standing::Met => json!("met"),
            Standing::Breached { at_ms } => json!(at_ms),
            Standing::Unneeded => json!("unneeded"),
        };
        json!([standing, of.limit_ms, of.elapsed_ms, of.limit_at.map(|at| at.0)])
    };
    let kept = &service.kept;
    json!({
        "policy": &*service.policy,
        "name": &*service.name,
        "elapsed_ms": kept.elapsed_ms,
        "bound_ms": kept.bound_ms,
        "uncertain": kept.uncertain,
        "progress": kept.targets.iter().map(progress).collect::<Value>(),
        "targets": service.targets.iter().map(|of| of.as_ref().map(target)).collect::<Value>(),
    })
    .to_string()
}

/// As it is read; `None` where it is not what [`text`] writes.
pub(crate) fn read(text: &str) -> Option<Service> {
    let value: Value = serde_json::from_str(text).ok()?;
    let word = |key: &str| value[key].as_str().map(Into::into);
    let three = |key: &str| value[key].as_array().filter(|list| list.len() == 3);
    let mut kept = Kept {
        elapsed_ms: value["elapsed_ms"].as_u64()?,
        bound_ms: value["bound_ms"].as_u64()?,
        uncertain: value["uncertain"].as_bool()?,
        ..Kept::default()
    };
    let mut targets = [None, None, None];
    for (at, written) in three("progress")?.iter().enumerate() {
        kept.targets[at] = progress(written)?;
    }
    for (at, written) in three("targets")?.iter().enumerate().filter(|(_, written)| !written.is_null()) {
        targets[at] = Some(target(written)?);
    }
    Some(Service { policy: word("policy")?, name: word("name")?, kept, targets })
}

fn progress(written: &Value) -> Option<Progress> {
    let stop = |written: &Value| {
        let (elapsed_ms, uncertain) = (written[0].as_u64()?, written[2].as_bool()?);
        Some(Stop { elapsed_ms, limit_ms: written[1].as_u64(), uncertain })
    };
    let stopped = match &written[0] {
        Value::Null => None,
        written => Some(stop(written)?),
    };
    Some(Progress { stopped, warned: written[1].as_bool()?, breached_ms: written[2].as_u64() })
}

fn target(written: &Value) -> Option<ServiceTarget> {
    let standing = match (written[0].as_str(), written[0].as_u64()) {
        (Some("running"), _) => Standing::Running,
        (Some("met"), _) => Standing::Met,
        (Some("unneeded"), _) => Standing::Unneeded,
        (_, Some(at_ms)) => Standing::Breached { at_ms },
        _ => return None,
    };
    Some(ServiceTarget {
        standing,
        limit_ms: written[1].as_u64(),
        elapsed_ms: written[2].as_u64()?,
        limit_at: written[3].as_i64().map(Wall),
    })
}

/// What passed since the latest transition of each of these faults until the clock was marked last.
pub(crate) fn passed(
    conn: &Connection,
    faults: impl Iterator<Item = FaultId>,
) -> Result<BTreeMap<FaultId, Vec<Downtime>>, StoreError> {
    let failed = |e: rusqlite::Error| StoreError::sqlite("read what passed since", &e);
    let mut passed = BTreeMap::new();
    for fault in faults {
        let id = crate::records::integer(fault.0).map_err(failed)?;
        let sql = "SELECT watch, at FROM transition WHERE fault = ?1 ORDER BY id DESC LIMIT 1";
        let latest: Option<(Option<i64>, i64)> =
            conn.query_row(sql, [id], |row| Ok((row.get(0)?, row.get(1)?))).optional().map_err(failed)?;
        let since = match latest {
            Some((Some(watch), at)) => passed_since(conn, watch, Wall(at))?,
            // Nobody knows when it was.
            _ => vec![Downtime::Unknown],
        };
        passed.insert(fault, since);
    }
    Ok(passed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let stop = Stop { elapsed_ms: 60_000, limit_ms: None, uncertain: true };
        let progress = [
            Progress { stopped: Some(stop), warned: true, breached_ms: Some(7) },
            Progress::default(),
            Progress { stopped: Some(Stop { limit_ms: Some(9), ..stop }), warned: false, breached_ms: None },
        ];
        let target = |standing| {
            let limit_at = Some(Wall(-5));
            Some(ServiceTarget { standing, limit_ms: Some(3), elapsed_ms: 2, limit_at })
        };
        for standing in
            [Standing::Running, Standing::Met, Standing::Unneeded, Standing::Breached { at_ms: u64::MAX }]
        {
            let service = Service {
                policy: "network \"critical\"".into(),
                name: "网络重大故障".into(),
                kept: Kept { elapsed_ms: u64::MAX, bound_ms: 1, uncertain: true, targets: progress },
                targets: [target(standing), None, target(Standing::Running)],
            };
            assert_eq!(read(&text(&service)), Some(service));
        }
        for broken in ["", "{}", "[]", "{\"policy\":1}", "null"] {
            assert_eq!(read(broken), None, "{broken}");
        }
    }
}
