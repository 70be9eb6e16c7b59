//! `roundsman simulate`: the virtual site alone.
//!
//! Prints `ready N devices` once every device answers, then one line for everything that happens to a device. Lines
//! `DEVICE=FAULT` and `DEVICE=ok` on standard input steer it while it runs.

mod buses;
mod cameras;

use crate::print;
use crate::site::{self, Site, SiteEntry};
use anyhow::{Context, Result, bail};
use clap::Args;
use roundsman_core::device::{Class, Device, Tier};
use roundsman_driver::reach::Reach;
use roundsman_simulator::bare::{Bare, MOST_DEVICES};
use roundsman_simulator::clock::Clock;
use roundsman_simulator::direct::{direct, lines};
use roundsman_simulator::fault::Assignment;
use roundsman_simulator::model::Model;
use roundsman_simulator::site::{DeviceSpec, Port, Site as Virtual, USUAL_MBIT, Uplink};
use roundsman_simulator::story::{Cast, Story};
use std::net::SocketAddrV4;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

/// Community of the devices in bare mode, which have no site file.
const BARE_COMMUNITY: &str = "public";

/// Tag of the ports that lead upwards.
const UPLINK: &str = "uplink";

/// `simulate`.
#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// The site file whose devices are played; all must stand on 127.x addresses. What a device plays follows its
    /// profile; with `profile = "auto"` its id: sw-… an H3C switch, srv-… a Linux server, ups-…, prn-… a printer, rt-…
    /// a Huawei router, anything else a device of no maker. Where a [[bus]] names a path, a link to the virtual line's
    /// end is put there; tcp:// and modbus-tcp:// are answered.
    #[arg(long, value_name = "FILE", required_unless_present = "bare")]
    site: Option<PathBuf>,
    /// What is wrong from the start: silent, late:MS, slow:MS, lossy:PERCENT, duplicate, wrong-community, reboot,
    /// interface-down:NAME, hot:DEGREES, non-increasing, too-big:BYTES, branch-silent (the device and all that hangs
    /// below it), flapping:NAME (a port), on-battery (UPS), disk:PERCENT (server), toner:PERCENT (printer),
    /// hostile-name. On a bus: silent, late:MS, lossy:PERCENT, hot:DEGREES; noise:PERCENT (of the exchanges),
    /// cut:PERCENT (answers that end early), flip:PERCENT (a wrong bit), echo (requests come back, as on RS-485),
    /// foreign:PERCENT (somebody else's answer), dead-unit:UNIT (such as one panel of a wall), port-gone (unplugged, all
    /// of its bus), half-open (TCP that brings nothing any more), rough-line:PERCENT (all of that, each so often, and
    /// answers 1 to 2 s late, units dead for seconds, the port gone for a moment). Of a camera or recorder: silent, reboot,
    /// clock-skew:SECONDS, and a word for each thing that real ones do (an unknown word lists them). While it runs, lines DEVICE=FAULT and DEVICE=ok on standard input do the same (a shell stops what
    /// reads its terminal in the background: give it `< /dev/null` there).
    #[arg(long, value_name = "DEVICE=FAULT", conflicts_with = "bare")]
    fault: Vec<Assignment>,
    /// Tells a story in eight scenes, every four minutes anew: a county's trunk fails, a panel of a video wall dies, a
    /// router overheats, a disk fills up, a station loses packets, a port flaps, mains fail, the machine room gets warm.
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
    let devices = specs(&site);
    let buses = buses::lines(&site)?;
    let cameras = cameras::specs(&site)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let clock = Clock::start();
        let mut running = Virtual::start(&devices, arguments.seed, clock).await?;
        running.lay(&buses).await?;
        running.install(&cameras).await?;
        for assignment in &arguments.fault {
            running.apply(assignment)?;
        }
        let directions = lines(std::io::stdin())?;
        print::line(&format!("ready {} devices", site.devices.len()))?;
        // Whoever read these lines may be gone: the site goes on without.
        let report = |line: &str| drop(print::line(line));
        direct(&running, clock, story, directions, report).await;
        Ok(ExitCode::SUCCESS)
    })
}

/// The devices of the site as the simulator makes them.
fn specs(site: &Site) -> Vec<DeviceSpec> {
    // What hangs on a bus has no agent; others keep their place in the site.
    let mut specs: Vec<_> = site.devices.iter().map(|entry| spec(site, entry)).collect();
    // A parent has the ports that its children name, and says who is there.
    for entry in &site.devices {
        for uplink in &entry.device.uplinks {
            let Some(port) = &uplink.port else { continue };
            let Some(DeviceSpec { named_ports: named, .. }) = &mut specs[uplink.device.at()] else {
                continue;
            };
            let alias = format!("至 {}", entry.device.name);
            match named.iter_mut().find(|known| *known.name == **port) {
                Some(known) => known.alias = alias,
                None => named.push(Port { name: port.to_string(), alias, mbit: mbit(entry) }),
            }
        }
    }
    specs.into_iter().flatten().collect()
}

/// A device of the site: the higher its tier, the more ports it has.
fn spec(site: &Site, entry: &SiteEntry) -> Option<DeviceSpec> {
    let target = entry.asked.snmp()?;
    let device = &entry.device;
    let model = match entry.auto {
        true => Model::of_id(&device.id),
        false => Model::of_profile(&device.profile),
    };
    let ports = match (model, device.tier) {
        (Model::Ups | Model::Printer, _) => 1,
        (Model::Linux, _) => 2,
        (Model::Generic | Model::Vrp | Model::Comware, Tier::Province | Tier::City) => 24,
        (Model::Generic | Model::Vrp | Model::Comware, Tier::County) => 12,
        (Model::Generic | Model::Vrp | Model::Comware, Tier::Station) => 6,
    };
    let named_ports = device.tags.iter().map(|(port, tag)| Port {
        name: port.to_string(),
        alias: if &**tag == UPLINK { "上联".to_owned() } else { String::new() },
        mbit: mbit(entry),
    });
    let uplinks = device.uplinks.iter().map(|uplink| Uplink {
        device: site.devices[uplink.device.at()].device.id.clone(),
        port: uplink.port.clone(),
    });
    Some(DeviceSpec {
        id: device.id.clone(),
        model,
        name: device.id.to_string(),
        description: format!("{} (virtual, {} tier)", model.description(), device.tier.word()),
        location: device.location.to_string(),
        address: target.address,
        community: target.community.to_vec(),
        echo_port: match entry.reach {
            Some(Reach::Echo(port)) => Some(port),
            _ => None,
        },
        ports,
        named_ports: named_ports.collect(),
        uplinks: uplinks.collect(),
    })
}

/// Speed of the port at either end of a device's line.
fn mbit(entry: &SiteEntry) -> u32 {
    let known = entry.line.as_ref().map(|line| (line.speed / 1e6).round());
    // No port is slower than 1 Mbit/s, and the site file allows no line that 32 bits cannot hold.
    known.map_or(USUAL_MBIT, |mbit| mbit.max(1.0) as u32)
}

/// The story of a site: its county routers' trunks fail; they and the city's routers overheat; the stations lose
/// packets; the switches' uplinks flap.
fn story(site: &Site, seed: u64) -> Result<Story> {
    let devices = || site.devices.iter().map(|entry| &entry.device);
    let ids = |wanted: &dyn Fn(&Device) -> bool| -> Vec<Arc<str>> {
        devices().filter(|device| wanted(device)).map(|device| device.id.clone()).collect()
    };
    let stations = devices().filter(|device| device.tier == Tier::Station);
    // What the box plugs into is left in peace: whoever flaps there cuts the box itself off.
    let switches = site.devices.iter().enumerate().filter(|(at, entry)| {
        entry.device.class == Class::Switch && site.attached_to.is_none_or(|attached| attached.at() != *at)
    });
    let cast = Cast {
        trunks: ids(&|device| device.tier == Tier::County),
        hot: ids(&|device| device.class == Class::Router && matches!(device.tier, Tier::City | Tier::County)),
        disks: ids(&|device| Model::of_profile(&device.profile) == Model::Linux),
        lossy: stations
            .filter_map(|device| {
                let parent = site.devices.get(device.uplinks.first()?.device.at())?;
                Some((device.id.clone(), parent.device.id.clone()))
            })
            .collect(),
        ports: switches
            .filter_map(|(_, SiteEntry { device, .. })| {
                let (port, _) = device.tags.iter().find(|(_, tag)| &**tag == UPLINK)?;
                Some((device.id.clone(), port.clone()))
            })
            .collect(),
        batteries: ids(&|device| Model::of_profile(&device.profile) == Model::Ups),
        panels: buses::panels(site),
        rooms: buses::probes(site),
    };
    Story::new(seed, cast)
        .context("the story needs a device of the county tier and another router of the county or city tier")
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
