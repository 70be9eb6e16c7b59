//! `roundsman simulate`: the virtual site alone.
//!
//! Prints `ready N devices` once every device answers, then one line for everything that happens to a device. Lines
//! `DEVICE=FAULT` and `DEVICE=ok` on standard input steer it while it runs.

use crate::print;
use crate::site::{self, Site, SiteEntry};
use anyhow::{Context, Result, bail};
use clap::Args;
use roundsman_core::device::Tier;
use roundsman_driver::reach::Reach;
use roundsman_simulator::bare::{Bare, MOST_DEVICES};
use roundsman_simulator::clock::Clock;
use roundsman_simulator::direct::{direct, lines};
use roundsman_simulator::fault::Assignment;
use roundsman_simulator::site::{DeviceSpec, Site as Virtual};
use roundsman_simulator::story::Story;
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Community of the devices in bare mode, which have no site file.
const BARE_COMMUNITY: &str = "public";

/// `simulate`.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The site file whose devices are played; all must stand on 127.x addresses.
    #[arg(long, value_name = "FILE", required_unless_present = "bare")]
    site: Option<PathBuf>,
    /// What is wrong from the start: silent, late:MS, lossy:PERCENT, duplicate, wrong-community, reboot,
    /// interface-down:NAME, hot:DEGREES, non-increasing, too-big:BYTES. While it runs, lines DEVICE=FAULT and
    /// DEVICE=ok on standard input do the same (a shell stops what reads its terminal in the background: give it
    /// `< /dev/null` there).
    #[arg(long, value_name = "DEVICE=FAULT", conflicts_with = "bare")]
    fault: Vec<Assignment>,
    /// Every two minutes a county router falls silent and another router overheats.
    #[arg(long, conflicts_with = "bare")]
    story: bool,
    /// Chooses values and story.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Instead of a site: this many devices on one socket, for measuring; community `public`.
    #[arg(long, value_name = "N", conflicts_with = "site", value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_DEVICES)))]
    bare: Option<u32>,
    /// Bare mode: address and port of the first device, the others follow it.
    #[arg(long, value_name = "ADDR", default_value = "127.20.0.1:16161", requires = "bare")]
    listen: SocketAddrV4,
    /// Ends when the process that started it ends.
    #[arg(long, hide = true)]
    with_parent: bool,
}

/// Runs until it is ended by a signal.
pub(crate) fn run(arguments: &Simulate) -> Result<ExitCode> {
    crate::service::log_to_stderr();
    if arguments.with_parent {
        end_with_parent()?;
    }
    match (&arguments.site, arguments.bare) {
        (_, Some(count)) => bare(arguments, count),
        (Some(path), None) => virtual_site(arguments, path),
        (None, None) => bail!("either --site or --bare is needed"),
    }
}

fn bare(arguments: &Simulate, count: u32) -> Result<ExitCode> {
    let community = BARE_COMMUNITY.as_bytes();
    let bare = Bare::bind(arguments.listen, count, community, arguments.seed, Clock::start())
        .with_context(|| format!("answering on {}", arguments.listen))?;
    print::line(&format!("ready {count} devices from {}:{}", arguments.listen.ip(), bare.port()?))?;
    Err(bare.run()).context("the socket of the bare devices failed")
}

fn virtual_site(arguments: &Simulate, path: &Path) -> Result<ExitCode> {
    let site = match site::load(path) {
        Ok(site) => site,
        Err(rejected) => return print::rejected(&rejected, false),
    };
    let story = match arguments.story {
        true => Some(story(&site, arguments.seed)?),
        false => None,
    };
    let devices: Vec<DeviceSpec> = site.devices.iter().map(spec).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let clock = Clock::start();
        let running = Virtual::start(&devices, arguments.seed, clock).await?;
        for assignment in &arguments.fault {
            running.apply(assignment)?;
        }
        let directions = lines(std::io::stdin())?;
        print::line(&format!("ready {} devices", devices.len()))?;
        // Whoever read these lines may be gone: the site goes on without.
        let report = |line: &str| drop(print::line(line));
        direct(&running, clock, story, directions, report).await;
        Ok(ExitCode::SUCCESS)
    })
}

/// A device of the site as the simulator makes it: the higher its tier, the more ports it has.
fn spec(entry: &SiteEntry) -> DeviceSpec {
    let device = &entry.device;
    let ports = match device.tier {
        Tier::Province | Tier::City => 24,
        Tier::County => 12,
        Tier::Station => 6,
    };
    let named_ports = device.tags.iter().map(|(port, tag)| {
        let alias = if &**tag == "uplink" { "上联" } else { "" };
        (port.to_string(), alias.to_owned())
    });
    DeviceSpec {
        id: device.id.clone(),
        name: device.id.to_string(),
        description: format!("Roundsman virtual {}, {} tier", device.class.word(), device.tier.word()),
        location: device.location.to_string(),
        address: entry.target.address,
        community: entry.target.community.to_vec(),
        echo_port: match entry.reach {
            Some(Reach::Echo(port)) => Some(port),
            _ => None,
        },
        ports,
        named_ports: named_ports.collect(),
    }
}

/// The story of a site: its county routers fall silent; they and the city's routers overheat.
fn story(site: &Site, seed: u64) -> Result<Story> {
    let ids = |tiers: &[Tier]| -> Vec<Arc<str>> {
        let entries = site.devices.iter().filter(|entry| tiers.contains(&entry.device.tier));
        entries.map(|entry| entry.device.id.clone()).collect()
    };
    Story::new(seed, ids(&[Tier::County]), ids(&[Tier::City, Tier::County]))
        .context("the story needs a device of the county tier and another one of the county or city tier")
}

/// Asks the system to end this process when the one that started it dies, however it dies.
fn end_with_parent() -> Result<()> {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    let parent = getppid();
    set_parent_process_death_signal(Some(Signal::TERM))?;
    if getppid() != parent {
        bail!("the process that started this one has ended");
    }
    Ok(())
}
