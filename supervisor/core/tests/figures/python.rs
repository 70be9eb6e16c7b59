//! What `tests/simulation/figures.py` makes of a past, and our own figures in its words.

use roundsman_core::figures::account::{Period, Stretch};
use roundsman_core::figures::availability::{DeviceLife, Durations, Total};
use roundsman_core::figures::faults::{FaultLife, Mean, Tally};
use roundsman_core::figures::groups::Groups;
use roundsman_core::figures::health::Health;
use roundsman_core::figures::standing::Standing;
use roundsman_core::figures::watch::{Moment, Watch};
use roundsman_core::figures::{Figures, Past};
use serde_json::{Map, Value, json};
use std::path::Path;
use std::process::Command;

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/simulation/figures.py");

/// Whole seconds of milliseconds.
fn s(ms: u64) -> u64 {
    assert_eq!(ms % 1000, 0, "pasts are made of whole seconds");
    ms / 1000
}

fn moment(moment: Moment) -> Value {
    json!([moment.watch.0, moment.wall.0 / 1000])
}

fn stretch(stretch: &Stretch) -> Value {
    match *stretch {
        Stretch::Lived { from, to } => json!({ "from": moment(from), "to": to.map(moment) }),
        Stretch::Agreed { from, to } => json!({ "agreed": [from.0 / 1000, to.0 / 1000] }),
    }
}

fn device(life: &DeviceLife) -> Value {
    let list = |stretches: &[Stretch]| stretches.iter().map(stretch).collect::<Value>();
    json!({
        "id": &*life.id, "class": life.place.class.word(), "tier": life.place.tier.word(),
        "network": life.place.network.word(), "present": list(&life.present), "unwatched": list(&life.unwatched),
        "excluded": list(&life.excluded), "hidden": list(&life.hidden), "down": list(&life.down),
    })
}

fn fault(life: &FaultLife) -> Value {
    json!({
        "id": life.id.0, "number": life.number.to_string(), "device": &*life.key.device, "rule": &*life.key.rule,
        "severity": life.severity.word(), "first_bad": moment(life.first_bad), "raised": moment(life.raised),
        "acknowledged": life.acknowledged.map(moment), "cleared": life.cleared.map(moment),
        "ended": life.ended.map(|(at, _)| moment(at)), "ending": life.ended.map(|(_, how)| how.word()),
        "behind": life.behind.map(|id| id.0),
    })
}

fn watch(watch: &Watch) -> Value {
    json!({
        "number": watch.number.0, "from": watch.from.0 / 1000, "length": s(watch.length_ms),
        "after": watch.after_ms.map(s), "dated": watch.dated,
    })
}

/// A past in the words of `figures.py`.
pub(crate) fn told(period: Period, past: Past<'_>) -> Value {
    json!({
        "period": { "from": period.from().0 / 1000, "to": period.to().0 / 1000 },
        "watches": past.watches.as_slice().iter().map(watch).collect::<Value>(),
        "devices": past.devices.iter().map(device).collect::<Value>(),
        "faults": past.faults.iter().map(fault).collect::<Value>(),
    })
}

fn groups<T>(groups: &Groups<T>, told: impl Fn(&T) -> Value) -> Value {
    let keyed = |figures: Vec<(&str, &T)>| -> Value {
        figures.into_iter().map(|(key, figure)| (key.to_owned(), told(figure))).collect::<Map<_, _>>().into()
    };
    json!({
        "all": told(&groups.all),
        "classes": keyed(groups.classes.iter().map(|(class, figure)| (class.word(), figure)).collect()),
        "tiers": keyed(groups.tiers.iter().map(|(tier, figure)| (tier.word(), figure)).collect()),
        "networks": keyed(groups.networks.iter().map(|(network, figure)| (network.word(), figure)).collect()),
    })
}

fn durations(time: &Durations) -> Value {
    json!({
        "absent": s(time.absent_ms), "unknown": s(time.unknown_ms), "excluded": s(time.excluded_ms),
        "hidden": s(time.hidden_ms), "down": s(time.down_ms), "up": s(time.up_ms),
    })
}

fn total(total: &Total) -> Value {
    let mut told = durations(&total.time);
    told["devices"] = total.devices.into();
    told["unseen"] = total.unseen.into();
    told
}

fn tally(tally: &Tally) -> Value {
    let mean = |mean: &Mean| json!({ "count": mean.count, "sum": s(mean.sum_ms), "unknown": mean.unknown });
    json!({
        "carried_in": tally.carried_in, "new": tally.new, "ended": tally.ended, "open": tally.open,
        "withdrawn": tally.withdrawn, "unacknowledged": tally.unacknowledged, "hidden": tally.hidden,
        "acknowledgement": mean(&tally.acknowledgement), "repair": mean(&tally.repair),
    })
}

fn standing(standing: &Standing) -> Value {
    json!({
        "devices": standing.devices, "critical": standing.critical, "major": standing.major,
        "lesser": standing.lesser, "hidden": standing.hidden, "unseen": standing.unseen, "well": standing.well,
    })
}

fn health(health: &Option<Health>) -> Value {
    let Some(health) = health else { return Value::Null };
    json!({
        "score": health.score.0, "unavailable": health.unavailable.0, "faults": health.faults.0,
        "without_data": health.without_data.0,
    })
}

/// Our figures in the words of `figures.py`.
pub(crate) fn found(figures: &Figures) -> Value {
    let faults = &figures.faults;
    let map = |entries: Vec<(String, Value)>| Value::from(entries.into_iter().collect::<Map<_, _>>());
    let repeats = faults.repeats.iter().map(|repeat| {
        json!({
            "device": &*repeat.device, "rule": &*repeat.rule, "worst": repeat.worst.word(),
            "numbers": repeat.numbers.iter().map(ToString::to_string).collect::<Vec<_>>(),
        })
    });
    json!({
        "watched": s(figures.watched_ms),
        "repeated": s(figures.repeated_ms),
        "devices": figures.devices.iter().map(durations).collect::<Value>(),
        "time": groups(&figures.time, total),
        "faults": {
            "groups": groups(&faults.groups, tally),
            "severities": map(faults.severities.iter().map(|(k, t)| (k.word().to_owned(), tally(t))).collect()),
            "rules": map(faults.rules.iter().map(|(k, t)| (k.to_string(), tally(t))).collect()),
            "roots": map(faults.roots.iter().map(|(k, count)| (k.0.to_string(), (*count).into())).collect()),
            "repeats": repeats.collect::<Value>(),
            "repeats_left_off": faults.repeats_left_off,
        },
        "standing": groups(&figures.standing, standing),
        "health": groups(&figures.health, health),
    })
}

/// Where two answers differ, as `path: ours, theirs`.
pub(crate) fn differences(path: &str, ours: &Value, theirs: &Value, into: &mut Vec<String>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort_unstable();
            keys.dedup();
            for key in keys {
                differences(&format!("{path}.{key}"), &ours[key], &theirs[key], into);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (at, (ours, theirs)) in a.iter().zip(b).enumerate() {
                differences(&format!("{path}[{at}]"), ours, theirs, into);
            }
        }
        _ if ours == theirs => {}
        _ => into.push(format!("{path}: {ours}, python {theirs}")),
    }
}

/// Whether ALLOW_SKIP (names separated by commas) permits to go without this peer.
fn may_skip(peer: &str) -> bool {
    std::env::var("ALLOW_SKIP").is_ok_and(|names| names.split(',').any(|name| name.trim() == peer))
}

/// What Python makes of it; `None` where there is no Python and need not be.
pub(crate) fn python(file: &Path) -> Option<Value> {
    let output = match Command::new("python3").arg(SCRIPT).arg(file).output() {
        Ok(output) => output,
        Err(_) if may_skip("python3") => return None,
        Err(error) => panic!("python3 does not start ({error}): install it, or name it in ALLOW_SKIP"),
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "figures.py {}: {}\n{said}", file.display(), output.status);
    Some(serde_json::from_slice(&output.stdout).expect("figures.py prints JSON"))
}
