//! The clocks of a fault's service level: what is promised, how much of it is left, what was kept.

use crate::drawing::ring;
use crate::voice::Voice;
use askama::Template;
use roundsman_core::fault::{Fault, ServiceTarget};
use roundsman_core::sla::clock::Standing;
use roundsman_core::sla::policy::Target;
use roundsman_core::time::Wall;

/// One target.
struct Line {
    /// Shape and colour: ok, warning, minor, critical or pending.
    state: &'static str,
    ring: String,
    name: String,
    /// What is left, or what came of it.
    what: String,
    limit: String,
}

/// The part of the page.
#[derive(Template)]
#[template(path = "page/fault-service.html")]
pub(super) struct Clocks<'a> {
    v: &'a Voice,
    name: String,
    lines: Vec<Line>,
    uncertain: bool,
}

/// From this share of a limit on it is shown as near: where policies usually warn.
const NEAR: f64 = 0.8;

fn line(target: Target, of: &ServiceTarget, now: Wall, v: &Voice) -> Line {
    let left_ms = of.limit_at.map(|at| at.0.saturating_sub(now.0));
    // While it runs what is left says how much is used, also where the hours of service stand still.
    let limit_ms = of.limit_ms.unwrap_or(0).max(1) as f64;
    let used = match (of.standing, left_ms) {
        (Standing::Running, Some(left_ms)) => 1.0 - (left_ms as f64 / limit_ms).clamp(0.0, 1.0),
        (Standing::Breached { .. }, _) => 1.0,
        _ => (of.elapsed_ms as f64 / limit_ms).clamp(0.0, 1.0),
    };
    let left = v.duration(left_ms.unwrap_or(0).max(0).unsigned_abs());
    let (state, what) = match of.standing {
        Standing::Running if used >= NEAR => ("minor", v.n("service.left", left)),
        Standing::Running => ("warning", v.n("service.left", left)),
        Standing::Met => ("ok", v.n("service.met", v.duration(of.elapsed_ms))),
        Standing::Breached { .. } => ("critical", v.t("service.breached").into_owned()),
        Standing::Unneeded => ("pending", v.t("service.unneeded").into_owned()),
    };
    Line {
        state,
        ring: ring(used),
        name: v.text(&target.name()),
        what,
        limit: of.limit_ms.map(|ms| v.n("service.limit", v.duration(ms))).unwrap_or_default(),
    }
}

/// The clocks of a fault.
pub(super) fn of<'a>(fault: &Fault, now: Wall, v: &'a Voice) -> Clocks<'a> {
    let service = fault.service.as_ref();
    let targets = service.into_iter().flat_map(|service| Target::ALL.iter().zip(&service.targets));
    Clocks {
        v,
        name: service.map(|service| service.name.to_string()).unwrap_or_default(),
        lines: targets.filter_map(|(target, of)| Some(line(*target, of.as_ref()?, now, v))).collect(),
        uncertain: service.is_some_and(|service| service.kept.uncertain),
    }
}
