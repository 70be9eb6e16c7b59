//! `roundsman run`: the service with its doors, signals, and an orderly end.

use crate::site::{self, Site};
use crate::supervise::{Handle, Supervisor, View};
use crate::{damaged, print};
use anyhow::{Context, Result};
use roundsman_panel::{Door, serve};
use std::fs::{OpenOptions, Permissions};
use std::io::{IsTerminal, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::{TcpListener, UnixListener};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The panel's token: so many random bytes, written in hex.
const TOKEN_BYTES: usize = 16;

/// Runs the service until SIGTERM or SIGINT.
pub(crate) fn run(path: &Path) -> Result<ExitCode> {
    let site = match site::load(path) {
        Ok(site) => site,
        Err(rejected) => return print::rejected(&rejected, false),
    };
    log_to_stderr();
    for warning in &site.warnings {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(supervise(path.to_owned(), site, |ready| {
        tracing::info!(panel = %ready.address, token_file = %ready.token_file.display(), "ready");
    }))?;
    Ok(ExitCode::SUCCESS)
}

/// Log lines go to standard error; `RUST_LOG` chooses, `info` is the default. Every request without an answer is an
/// error to async-snmp; here it is a reading's quality.
pub(crate) fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,async_snmp=off"));
    let ansi = std::io::stderr().is_terminal();
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(ansi)
        .try_init();
}

/// What is known once the service is up.
pub(crate) struct Ready {
    /// Where the panel listens.
    pub address: std::net::SocketAddr,
    /// What lets its holder act on the panel.
    #[cfg_attr(not(feature = "demo"), expect(dead_code, reason = "the demo alone prints it"))]
    pub token: Arc<str>,
    /// The file it stands in.
    pub token_file: PathBuf,
    /// What the panel looks at.
    #[cfg_attr(not(feature = "demo"), expect(dead_code, reason = "the demo alone fills in a past"))]
    pub view: Arc<View>,
}

/// Starts everything, calls `ready`, and runs until a signal ends it.
pub(crate) async fn supervise(path: PathBuf, site: Site, ready: impl FnOnce(&Ready)) -> Result<()> {
    let listen = site.listen;
    let store = site.store.clone();
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("the panel cannot listen on {listen}; is another program there?"))?;
    let listener = listener.into_std()?;
    let Some(opened) = damaged::open_store(&path, &site, &listener).await? else { return Ok(()) };
    let (supervisor, handle) = Supervisor::start(path, site, opened, env!("CARGO_PKG_VERSION")).await?;
    let control = control_socket(&store)?;
    let token_file = store.join("panel.token");
    let token = token(&token_file)?;
    let (stop, stopped) = watch::channel(false);
    let address = listener.local_addr()?;
    let listener = TcpListener::from_std(listener)?;
    let panel = tokio::spawn(serve(
        listener,
        handle.view.clone(),
        Door::Panel { token: token.clone() },
        ended(stopped.clone()),
    ));
    let control = tokio::spawn(serve(control, handle.view.clone(), Door::Control, ended(stopped)));
    ready(&Ready { address, token, token_file, view: handle.view.clone() });
    let result = until_signal(supervisor, &handle).await;
    let _ = stop.send(true);
    let _ = tokio::join!(panel, control);
    let _ = std::fs::remove_file(store.join("control.sock"));
    result
}

/// Ready when the service ends.
pub(crate) async fn ended(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stop| *stop).await;
}

async fn until_signal(supervisor: Supervisor, handle: &Handle) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hang_up = signal(SignalKind::hangup())?;
    let signals = async {
        loop {
            tokio::select! {
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
                _ = hang_up.recv() => handle.reload().await,
            }
        }
        handle.stop().await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        result = supervisor.run() => result,
        () = signals => Ok(()),
    }
}

/// The control socket, for the user and group of the service. A socket left by a killed service is replaced: the
/// store's lock says that no other one runs.
fn control_socket(store: &Path) -> Result<UnixListener> {
    let path = store.join("control.sock");
    if path.exists() {
        std::fs::remove_file(&path).with_context(|| format!("removing the old {}", path.display()))?;
    }
    let listener = UnixListener::bind(&path).with_context(|| format!("opening {}", path.display()))?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o660))?;
    Ok(listener)
}

/// The panel's token, made at the first start and kept in a file for the service's user alone.
pub(crate) fn token(path: &Path) -> Result<Arc<str>> {
    if let Ok(text) = std::fs::read_to_string(path) {
        let token = text.trim();
        if token.len() >= 2 * TOKEN_BYTES {
            return Ok(token.into());
        }
    }
    let mut random = [0; TOKEN_BYTES];
    std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut random))?;
    let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("writing the panel's token to {}", path.display()))?;
    writeln!(file, "{token}")?;
    Ok(token.into())
}
