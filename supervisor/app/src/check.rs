//! `roundsman check`: everything about a site file that can be known without reaching for a device.

use crate::{print, site};
use anyhow::Result;
use serde_json::json;
use std::path::Path;
use std::process::ExitCode;

/// Checks a site file.
pub(crate) fn run(path: &Path, as_json: bool) -> Result<ExitCode> {
    let site = match site::load(path) {
        Ok(site) => site,
        Err(rejected) => return print::rejected(&rejected, as_json),
    };
    if as_json {
        let warnings: Vec<_> = site.warnings.iter().map(print::diagnostic).collect();
        print::json(&json!({
            "ok": true,
            "site": &*site.name,
            "devices": site.devices.len(),
            "profiles": site.catalogue.list().len(),
            "overrides": site.limits.lines(),
            "sla": site.sla.iter().map(|policy| site::sla::line(policy)).collect::<Vec<_>>(),
            "warnings": warnings,
        }))?;
        return Ok(ExitCode::SUCCESS);
    }
    for warning in &site.warnings {
        print::line(&format!("warning: {warning}"))?;
    }
    for place in site.limits.lines() {
        print::line(&format!("overridden: {place}"))?;
    }
    for policy in &site.sla {
        print::line(&format!("sla: {}", site::sla::line(policy)))?;
    }
    let auto = site.devices.iter().filter(|entry| entry.auto).count();
    let profiles = site.catalogue.list().len();
    print::line(&format!(
        "{}: good. Devices: {} ({auto} with profile = \"auto\"), profiles known: {profiles}",
        site.name,
        site.devices.len()
    ))?;
    Ok(ExitCode::SUCCESS)
}
