//! `roundsman demo`: the virtual site as a child process, and the service on top of it.

mod incidents;
mod paperwork;
mod past;
mod rehearsal;

use crate::cli::Demo;
use crate::service::{self, Ready};
use crate::site::Site;
use crate::supervise::View;
use crate::{print, site};
use anyhow::{Context, Result, bail};
use incidents::Weeks;
use roundsman_driver::clock::Clock;
use roundsman_simulator::generate::{CAMERA_PASSWORD_FILE, COMMUNITY_FILE, FIRST_DEVICE, VirtualSite};
use roundsman_simulator::story::{Kind, ROUND, SCRIPT, minutes};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

/// SNMP and echo ports of the virtual devices: unprivileged, and no well-known service's. Where another demo holds
/// them, the pair ten above is tried, and so on.
const SNMP_PORT: u16 = 16_100;
const ECHO_PORT: u16 = 16_107;
const PORT_STEP: u16 = 10;
const MOST_DEMOS: u16 = 20;

/// How long the virtual site may take to start.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the demo until SIGTERM or SIGINT.
pub(crate) fn run(demo: &Demo) -> Result<ExitCode> {
    free_port(demo)?;
    let folder = Folder::new(demo.data.as_deref())?;
    let path = write_site(&folder.path, demo)?;
    let site = match site::load(&path) {
        Ok(site) => site,
        Err(rejected) => return print::rejected(&rejected, false),
    };
    service::log_to_stderr();
    let devices = site.devices.len();
    let weeks = begin(&site)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut child, lines) = start_virtual_site(&path).await?;
        let told = tokio::spawn(tell(lines));
        let service = service::supervise(path.clone(), site, |ready| {
            if let Err(why) = welcome(ready, devices, demo.scale, &folder) {
                tracing::warn!(%why, "the welcome could not be printed");
            }
            if let Some(weeks) = weeks {
                fill(&path, weeks, &ready.view);
            }
        });
        let result = tokio::select! {
            result = service => result,
            status = child.wait() => Err(anyhow::anyhow!("the virtual site ended by itself: {}", status?)),
        };
        told.abort();
        let _ = child.kill().await;
        result.map(|()| ExitCode::SUCCESS)
    })
}

/// Gives a new store the weeks before: faults, who took note, maintenance records. A store that is there has a past of
/// its own.
fn begin(site: &Site) -> Result<Option<Weeks>> {
    if site.store.join(roundsman_store::FILE).exists() {
        return Ok(None);
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o750).create(&site.store)?;
    let weeks = Weeks::before(Clock::new().now().wall, site);
    roundsman_store::begin_with(&site.store, rehearsal::rehearse(site, &weeks))?;
    Ok(Some(weeks))
}

/// Has the history of those weeks filled in while the service runs.
fn fill(path: &Path, weeks: Weeks, view: &Arc<View>) {
    let view = view.clone();
    match site::load(path) {
        Ok(site) => {
            let filled = past::fill(Arc::new(site), Arc::new(weeks), view.clone(), view.store());
            tokio::spawn(async move {
                if let Err(error) = filled.await {
                    tracing::warn!(%error, "the history of the weeks before is not complete");
                }
            });
        }
        Err(rejected) => tracing::warn!("the history of the weeks before is not filled in:\n{rejected}"),
    }
}

/// Says at once, and by name, what stands in the way most often.
fn free_port(demo: &Demo) -> Result<()> {
    if !demo.listen.ip().is_loopback() {
        bail!("--listen {}: plain HTTP is served on loopback only, such as 127.0.0.1:8080", demo.listen);
    }
    TcpListener::bind(demo.listen).with_context(|| {
        format!(
            "the panel cannot listen on {}; choose another port with --listen 127.0.0.1:PORT",
            demo.listen
        )
    })?;
    Ok(())
}

/// Ports on which no other virtual site answers.
fn device_ports() -> Result<(u16, u16)> {
    let free = |port| UdpSocket::bind((FIRST_DEVICE, port)).is_ok();
    (0..MOST_DEMOS)
        .map(|demo| (SNMP_PORT + demo * PORT_STEP, ECHO_PORT + demo * PORT_STEP))
        .find(|&(snmp, echo)| free(snmp) && free(echo))
        .with_context(|| {
            format!(
                "no port from {SNMP_PORT} to {} is free on {FIRST_DEVICE} (UDP) for the virtual devices; how many demos \
                 are running?",
                SNMP_PORT + (MOST_DEMOS - 1) * PORT_STEP
            )
        })
}

/// The demo's folder; without `--data` one that goes with it.
struct Folder {
    path: PathBuf,
    fleeting: bool,
}

impl Folder {
    fn new(data: Option<&Path>) -> Result<Folder> {
        let folder = match data {
            // The store and its socket are named in the site file: they must not depend on where the demo is started.
            Some(path) => Folder { path: std::path::absolute(path)?, fleeting: false },
            None => {
                let mut random = [0; 8];
                std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut random))?;
                let name = format!("roundsman-demo-{:016x}", u64::from_ne_bytes(random));
                Folder { path: std::env::temp_dir().join(name), fleeting: true }
            }
        };
        // It holds the panel's token: nobody else's business.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder.path)
            .with_context(|| format!("making the demo's folder {}", folder.path.display()))?;
        Ok(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.fleeting {
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}

/// Writes site file, community and the cameras' password. A second start on the same folder writes them anew and finds its store again.
fn write_site(folder: &Path, demo: &Demo) -> Result<PathBuf> {
    let (snmp_port, echo_port) = device_ports()?;
    let site = VirtualSite {
        stations: demo.scale,
        snmp_port,
        echo_port,
        listen: demo.listen,
        store: "store".to_owned(),
        lines: folder.display().to_string(),
    };
    let path = folder.join("site.toml");
    std::fs::write(&path, site.text()).with_context(|| format!("writing {}", path.display()))?;
    for (name, secret) in [(COMMUNITY_FILE, "demo"), (CAMERA_PASSWORD_FILE, "demo-cameras")] {
        let file = folder.join(name);
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&file)
            .and_then(|mut file| writeln!(file, "{secret}"))
            .with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(path)
}

/// Starts the virtual site and waits until all its devices answer.
async fn start_virtual_site(path: &Path) -> Result<(Child, Lines<BufReader<ChildStdout>>)> {
    let mut child = Command::new(std::env::current_exe()?)
        .args(["simulate", "--story", "--with-parent", "--site"])
        .arg(path)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // Ctrl-C goes to every process of a terminal's group: the service ends first, then this one.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .context("starting the virtual site")?;
    let stdout = child.stdout.take().context("the virtual site has no output")?;
    let mut lines = BufReader::new(stdout).lines();
    let first = tokio::time::timeout(PATIENCE, lines.next_line()).await;
    match first {
        Ok(Ok(Some(line))) if line.starts_with("ready ") => Ok((child, lines)),
        Ok(Ok(Some(line))) => bail!("the virtual site said `{line}` instead of being ready"),
        Ok(_) => bail!("the virtual site did not start; its message stands above"),
        Err(_) => bail!("the virtual site was not ready within {} s", PATIENCE.as_secs()),
    }
}

/// Prints what happens in the virtual site.
async fn tell(mut lines: Lines<BufReader<ChildStdout>>) {
    while let Ok(Some(line)) = lines.next_line().await {
        // A closed terminal ends the telling, not the demo.
        let _ = print::line(&format!("story: {line}"));
    }
}

fn welcome(ready: &Ready, devices: usize, stations: u16, folder: &Folder) -> Result<()> {
    let keep = if folder.fleeting {
        "removed at the end; keep it with --data DIR"
    } else {
        "kept; the next start goes on from it"
    };
    print::line(&format!(
        "Panel: http://{}/#token={}\n\
         \n\
         {devices} virtual devices answer SNMP, ONVIF and RTSP on loopback or hang on virtual buses, and are polled every 10 s; faults show within half a minute.\n\
         {devices} 台虚拟设备在本机回环地址应答 SNMP、ONVIF、RTSP 或挂在虚拟总线上，每 10 秒轮询一次，半分钟内报出故障。\n\
         \n\
         {}\n\
         Data: {} ({keep})\n\
         Stop: Ctrl-C",
        ready.address,
        ready.token,
        script(stations),
        folder.path.display(),
    ))
}

/// What will happen, in both languages.
fn script(stations: u16) -> String {
    let minutes_of_a_round = ROUND.as_secs() / 60;
    let mut script = format!("Every {minutes_of_a_round} minutes · 每 {minutes_of_a_round} 分钟一轮：\n");
    // Without stations none of them can lose packets.
    for scene in SCRIPT.iter().filter(|scene| stations > 0 || scene.kind != Kind::Loss) {
        let _ = writeln!(script, "  {}–{}  {}", minutes(scene.begins), minutes(scene.ends), scene.title);
    }
    script
}
