//! `roundsman backup`, `restore`, `verify`: the database as one file, and whether it is whole.

use crate::{print, site};
use anyhow::{Context, Result};
use roundsman_driver::clock::Clock;
use roundsman_store::{Contents, FILE};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The store's folder of a site file.
fn store_of(config: &Path, as_json: bool) -> Result<Result<PathBuf, ExitCode>> {
    match site::load(config) {
        Ok(site) => Ok(Ok(site.store)),
        Err(rejected) => print::rejected(&rejected, as_json).map(Err),
    }
}

/// Copies the database into one file; the service may run meanwhile.
pub(crate) fn backup(config: &Path, to: &Path, as_json: bool) -> Result<ExitCode> {
    let dir = match store_of(config, as_json)? {
        Ok(dir) => dir,
        Err(code) => return Ok(code),
    };
    let contents = roundsman_store::backup(&dir, to).context("the backup was not made")?;
    report(
        &format!("{} is a whole backup of {}", to.display(), dir.join(FILE).display()),
        to,
        &contents,
        None,
        as_json,
    )
}

/// Puts a backup in the database's place; the service must not run.
pub(crate) fn restore(config: &Path, from: &Path, as_json: bool) -> Result<ExitCode> {
    let dir = match store_of(config, as_json)? {
        Ok(dir) => dir,
        Err(code) => return Ok(code),
    };
    let replaced = roundsman_store::restore(&dir, from, Clock::new().now().wall)
        .context("nothing was restored; the database is as it was")?;
    let path = dir.join(FILE);
    let text = format!("{} is now what {} holds", path.display(), from.display());
    report(&text, &path, &replaced.contents, replaced.kept.as_deref(), as_json)
}

/// Proves the database, or a backup, whole.
pub(crate) fn verify(config: &Path, file: Option<&Path>, as_json: bool) -> Result<ExitCode> {
    let dir = match store_of(config, as_json)? {
        Ok(dir) => dir,
        Err(code) => return Ok(code),
    };
    let path = file.map_or_else(|| dir.join(FILE), Path::to_path_buf);
    match roundsman_store::verify(&path) {
        Ok(contents) => report(&format!("{} is whole", path.display()), &path, &contents, None, as_json),
        Err(error) if as_json => {
            print::json(&json!({ "ok": false, "file": path, "error": error.to_string() }))?;
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(error.into()),
    }
}

fn report(
    text: &str,
    file: &Path,
    contents: &Contents,
    kept: Option<&Path>,
    as_json: bool,
) -> Result<ExitCode> {
    if as_json {
        let rows: serde_json::Map<_, _> =
            contents.rows.iter().map(|(name, rows)| (name.clone(), json!(rows))).collect();
        let found = json!({
            "ok": true, "file": file, "schema": contents.schema, "bytes": contents.bytes, "rows": rows, "kept": kept,
        });
        print::json(&found)?;
        return Ok(ExitCode::SUCCESS);
    }
    print::line(text)?;
    if let Some(kept) = kept {
        print::line(&format!("the former database is kept as {}", kept.display()))?;
    }
    let mut rows = vec![
        vec!["schema".to_owned(), contents.schema.to_string()],
        vec!["bytes".to_owned(), contents.bytes.to_string()],
    ];
    rows.extend(contents.rows.iter().map(|(name, rows)| vec![name.clone(), rows.to_string()]));
    print::line(print::table(&rows).trim_end())?;
    Ok(ExitCode::SUCCESS)
}
