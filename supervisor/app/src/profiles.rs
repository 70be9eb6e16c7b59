//! `roundsman profile test|list|show`.

use crate::print;
use anyhow::Result;
use roundsman_core::model::{Kind, Record};
use roundsman_core::rule::{Level, Rule, Test};
use roundsman_profile::catalogue::{Catalogue, Item, Origin};
use roundsman_profile::diagnostic::{Rejected, did_you_mean};
use roundsman_profile::proof::prove;
use serde_json::{Value, json};
use std::path::Path;
use std::process::ExitCode;

fn catalogue(path: Option<&Path>) -> Result<Catalogue, Rejected> {
    path.map_or_else(Catalogue::embedded, Catalogue::with_folder)
}

/// Runs the fixtures: of all profiles, or of those found at `path`.
pub(crate) fn test(path: Option<&Path>, as_json: bool) -> Result<ExitCode> {
    let catalogue = match catalogue(path) {
        Ok(catalogue) => catalogue,
        Err(rejected) => return print::rejected(&rejected, as_json),
    };
    let chosen = |item: &&Item| path.is_none() || matches!(item.origin, Origin::File(_));
    let mut results = Vec::new();
    let mut failed = 0;
    for item in catalogue.list().filter(chosen) {
        let id = &*item.profile.id;
        match prove(item) {
            Ok(proof) if as_json => results.push(json!({
                "profile": id, "ok": true, "fixtures": proof.fixtures, "metrics": proof.metrics,
                "rules": proof.rules, "polls": proof.polls,
            })),
            Ok(proof) => print::line(&format!(
                "ok     {id}: {} fixtures, {} metrics good, {} rules fired and stayed silent, {} polls",
                proof.fixtures, proof.metrics, proof.rules, proof.polls
            ))?,
            Err(rejected) => {
                failed += 1;
                if as_json {
                    let errors: Vec<Value> = rejected.diagnostics().iter().map(print::diagnostic).collect();
                    results.push(json!({ "profile": id, "ok": false, "errors": errors }));
                } else {
                    print::line(&format!("FAILED {id}"))?;
                    print::rejected(&rejected, false)?;
                }
            }
        }
    }
    if as_json {
        print::json(&json!({ "ok": failed == 0, "profiles": results }))?;
    }
    Ok(ExitCode::from(u8::from(failed > 0)))
}

/// Lists all profiles.
pub(crate) fn list(path: Option<&Path>, as_json: bool) -> Result<ExitCode> {
    let catalogue = match catalogue(path) {
        Ok(catalogue) => catalogue,
        Err(rejected) => return print::rejected(&rejected, as_json),
    };
    let row = |item: &Item| {
        let profile = &item.profile;
        vec![
            profile.id.to_string(),
            profile.class.word().to_owned(),
            profile.name.zh.to_string(),
            profile.name.en.to_string(),
            origin(&item.origin),
        ]
    };
    let rows: Vec<Vec<String>> = catalogue.list().map(row).collect();
    if as_json {
        let entry = |r: &Vec<String>| json!({"id": r[0], "class": r[1], "name": {"zh": r[2], "en": r[3]}, "origin": r[4]});
        print::json(&json!({ "profiles": rows.iter().map(entry).collect::<Vec<_>>() }))?;
    } else {
        print::line(print::table(&rows).trim_end())?;
    }
    Ok(ExitCode::SUCCESS)
}

fn origin(origin: &Origin) -> String {
    match origin {
        Origin::Embedded(_) => "embedded".to_owned(),
        Origin::File(path) => path.display().to_string(),
    }
}

/// Shows one profile, everything it inherits included.
pub(crate) fn show(id: &str, path: Option<&Path>, as_json: bool) -> Result<ExitCode> {
    let catalogue = match catalogue(path) {
        Ok(catalogue) => catalogue,
        Err(rejected) => return print::rejected(&rejected, as_json),
    };
    let Some(item) = catalogue.item(id) else {
        let hint = did_you_mean(id, catalogue.list().map(|item| &*item.profile.id)).unwrap_or_default();
        eprintln!("roundsman: no profile is called `{id}`; {hint}");
        return Ok(ExitCode::from(print::BAD_FILE));
    };
    let shown = shown(item);
    if as_json {
        print::json(&shown)?;
        return Ok(ExitCode::SUCCESS);
    }
    let profile = &item.profile;
    print::line(&format!(
        "{} ({}): {} / {}",
        profile.id,
        profile.class.word(),
        profile.name.zh,
        profile.name.en
    ))?;
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    let cells = |section: &str, keys: &[&str]| -> Vec<Vec<String>> {
        let rows = shown[section].as_array().into_iter().flatten();
        rows.map(|row| keys.iter().map(|key| text(row, key)).collect()).collect()
    };
    print::line("\nmetrics")?;
    print::line(print::table(&cells("metrics", &["name", "kind", "unit", "record", "title"])).trim_end())?;
    print::line("\nrules")?;
    print::line(print::table(&cells("rules", &["id", "on", "levels", "name"])).trim_end())?;
    Ok(ExitCode::SUCCESS)
}

fn shown(item: &Item) -> Value {
    let profile = &item.profile;
    let model = &profile.model;
    let metric = |metric: &roundsman_core::model::Metric| {
        json!({
            "name": &*metric.name, "title": &*metric.title.zh, "kind": kind(metric.kind), "unit": &*metric.unit,
            "record": record(metric.record), "table": metric.table.map(|t| model.tables[t.at()].group.to_string()),
        })
    };
    let rule = |rule: &Rule| {
        let levels: Vec<String> = rule.levels.iter().map(level).collect();
        json!({
            "id": &*rule.id, "name": &*rule.name.zh, "on": &*model.metrics[rule.on.at()].name,
            "levels": levels.join("; "), "advice": { "zh": &*rule.advice.zh, "en": &*rule.advice.en },
        })
    };
    json!({
        "id": &*profile.id, "class": profile.class.word(),
        "name": { "zh": &*profile.name.zh, "en": &*profile.name.en },
        "origin": origin(&item.origin), "extends": profile.extends.iter().map(|id| id.to_string()).collect::<Vec<_>>(),
        "match": profile.matchers.iter().map(|m| m.prefix.to_string()).collect::<Vec<_>>(),
        "metrics": model.metrics.iter().map(metric).collect::<Vec<_>>(),
        "rules": model.rules.iter().map(rule).collect::<Vec<_>>(),
        "fixtures": profile.fixtures.iter().map(|fixture| fixture.recording.name().to_string()).collect::<Vec<_>>(),
    })
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Gauge => "gauge",
        Kind::Counter => "counter",
        Kind::State => "state",
        Kind::Text => "text",
    }
}

fn record(record: Record) -> &'static str {
    match record {
        Record::Every => "every",
        Record::Change => "change",
        Record::None => "none",
    }
}

fn level(level: &Level) -> String {
    let test = match &level.test {
        Test::Above { limit, clear } => format!("above {limit}, clear {clear}"),
        Test::Below { limit, clear } => format!("below {limit}, clear {clear}"),
        Test::Outside { low, high, deadband } => format!("outside {low} to {high}, deadband {deadband}"),
        Test::Expect(words) => format!("not {}", words.join(" or ")),
        Test::Changed => "changed".to_owned(),
    };
    match level.hold_ms {
        Some(hold_ms) => format!("{} {test}, for {} s", level.severity.word(), hold_ms as f64 / 1000.0),
        None => format!("{} {test}", level.severity.word()),
    }
}
