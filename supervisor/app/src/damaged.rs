//! A damaged database at the start: said in the log and on the panel's address, until a backup is restored there.
//!
//! The service never goes on with an empty database, and a panel that shows nothing tells nobody what to do. So the
//! address answers with one page, and its button does what `roundsman restore` does. Nothing is restored without a
//! person.

use crate::service::{ended, token};
use crate::site::Site;
use anyhow::{Context, Result};
use roundsman_driver::clock::Clock;
use roundsman_panel::{Damage, RestoreRequest, serve_damaged};
use roundsman_store::{Restored, Store, StoreError, newest_good, restore};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

/// The open store and what it kept; `None` where a signal came while it was damaged.
pub(crate) async fn open_store(
    config: &Path,
    site: &Site,
    listener: &std::net::TcpListener,
) -> Result<Option<(Store, Restored)>> {
    // Names, addresses and readings of the site are not for everybody on the box.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o750)
        .create(&site.store)
        .with_context(|| format!("the store's folder {} cannot be made", site.store.display()))?;
    loop {
        match Store::open(&site.store, Clock::new().now().wall) {
            Ok(opened) => return Ok(Some(opened)),
            Err(error @ StoreError::Damaged { .. }) => {
                if !restored_by_hand(config, site, listener, &error).await? {
                    return Ok(None);
                }
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Shows the damage until somebody restores the backup; false if a signal ended it.
async fn restored_by_hand(
    config: &Path,
    site: &Site,
    listener: &std::net::TcpListener,
    error: &StoreError,
) -> Result<bool> {
    let dir = site.store.clone();
    let good = tokio::task::spawn_blocking(move || newest_good(&dir)).await?;
    let whole = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let file = good.as_ref().map(|(copy, _)| whole(&copy.path));
    let shown = file.as_ref().map_or_else(|| "FILE".to_owned(), |file| file.display().to_string());
    let command = format!("roundsman restore {shown} --config {}", whole(config).display());
    let panel = listener.local_addr()?;
    match &file {
        Some(_) => {
            tracing::error!(%panel, %error, "nothing is watched; restore the newest whole backup on the panel, or: {command}");
        }
        None => {
            tracing::error!(%panel, %error, "nothing is watched; no whole backup is on this box, fetch one and: {command}");
        }
    }
    let damage = Damage {
        site: site.name.clone(),
        zone: site.zone.clone(),
        what: error.to_string(),
        backup: good
            .map(|(copy, contents)| (whole(&copy.path).display().to_string(), copy.at, contents.total())),
        command,
        found: Clock::new().now().wall,
        token: token(&site.store.join("panel.token"))?,
    };
    let listener = TcpListener::from_std(listener.try_clone()?)?;
    let (stop, stopped) = watch::channel(false);
    let (serving, requests) = serve_damaged(listener, damage, ended(stopped));
    let serving = tokio::spawn(serving);
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let is_restored = tokio::select! {
        () = pressed(requests, &site.store, file) => true,
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
    };
    let _ = stop.send(true);
    serving.await?;
    Ok(is_restored)
}

/// Waits until the button has put a backup in place.
async fn pressed(mut requests: mpsc::Receiver<RestoreRequest>, store: &Path, file: Option<PathBuf>) {
    while let Some(reply) = requests.recv().await {
        let outcome = match file.clone() {
            Some(file) => {
                let dir = store.to_owned();
                let now = Clock::new().now().wall;
                let done = tokio::task::spawn_blocking(move || restore(&dir, &file, now)).await;
                done.map_err(|e| e.to_string()).and_then(|done| done.map_err(|e| e.to_string()))
            }
            None => Err("no whole backup is on this box".to_owned()),
        };
        if let Ok(replaced) = &outcome {
            tracing::info!(kept = ?replaced.kept, rows = replaced.contents.total(), "a backup was restored");
        }
        let is_done = outcome.is_ok();
        let _ = reply.send(outcome.map(drop));
        if is_done {
            return;
        }
    }
    // The page is gone only when the service ends.
    std::future::pending::<()>().await;
}
