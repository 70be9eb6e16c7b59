//! The running virtual site: per device an agent on a hidden port, the fault proxy and the echo on its address.

use crate::agent::{Agent, Device};
use crate::bus::{LineError, LineSpec, Rider, lay};
use crate::camera::{Camera, CameraSpec};
use crate::clock::Clock;
use crate::fault::{Assignment, Fault};
use crate::mib::{Outline, tree};
use crate::model::Model;
use crate::proxy::{LONGEST_DATAGRAM, Line, echo, relay};
use crate::scene::{Doing, Scene, Trouble, mix};
use crate::tree::Tree;
use std::collections::{HashMap, HashSet};
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// Most ports of a device: its tree stays below 30,000 objects.
const MOST_PORTS: usize = 1_000;

/// How many port names an error lists.
const PORTS_SHOWN: usize = 6;

/// Speed of a port where nobody says another, in Mbit/s.
pub const USUAL_MBIT: u32 = 1_000;

/// A port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// ifName.
    pub name: String,
    /// ifAlias: what it is used for; empty for ports without a use of their own.
    pub alias: String,
    /// Speed in Mbit/s.
    pub mbit: u32,
}

/// What a device hangs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Uplink {
    /// Id of the parent.
    pub device: Arc<str>,
    /// The parent's port, where it is known.
    pub port: Option<Arc<str>>,
}

/// A device to be made.
#[derive(Clone, Debug)]
pub struct DeviceSpec {
    /// Its id in the site file.
    pub id: Arc<str>,
    /// What it is.
    pub model: Model,
    /// sysName.
    pub name: String,
    /// sysDescr.
    pub description: String,
    /// sysLocation.
    pub location: String,
    /// Where SNMP is answered; 127.0.0.0/8.
    pub address: SocketAddr,
    /// The community it answers to.
    pub community: Vec<u8>,
    /// Port of its echo on the same address, if it has one.
    pub echo_port: Option<u16>,
    /// Number of ports.
    pub ports: usize,
    /// Ports with a name of their own; they come first, the others are numbered through.
    pub named_ports: Vec<Port>,
    /// What it hangs on.
    pub uplinks: Vec<Uplink>,
}

/// The virtual site cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A device stands elsewhere.
    #[error(
        "the device {device} is at {address}: the virtual site lives on 127.0.0.0/8 alone, so that it cannot be taken \
         for a real device"
    )]
    NotLoopback {
        /// Its id.
        device: Arc<str>,
        /// Its address.
        address: SocketAddr,
    },
    /// A socket cannot be had.
    #[error(
        "the device {device} cannot answer on {address}: {why}; is another virtual site running, or is the port below \
         1024?"
    )]
    Bind {
        /// Its id.
        device: Arc<str>,
        /// Where it should answer.
        address: SocketAddr,
        /// What the system said.
        why: io::Error,
    },
    /// A bus cannot be made.
    #[error(transparent)]
    Line(#[from] LineError),
}

/// A fault cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// There is no such device.
    #[error("no device of the virtual site has the id `{0}`")]
    NoDevice(Arc<str>),
    /// There is no such port.
    #[error("the device {device} has no port `{port}`; it has {known}")]
    NoPort {
        /// The device.
        device: Arc<str>,
        /// What was asked for.
        port: Arc<str>,
        /// Some that it has.
        known: String,
    },
    /// The device has nothing that could break in this way.
    #[error("the device {device} has no {part}: `{fault}` is for devices of the profile {profile}")]
    NoPart {
        /// The device.
        device: Arc<str>,
        /// The fault as it was written.
        fault: String,
        /// What is missing.
        part: &'static str,
        /// The profile of devices that have it.
        profile: &'static str,
    },
    /// The fault is one of buses, and the device is on none.
    #[error("the device {device} is on no bus: `{fault}` is for devices that are")]
    NoBus {
        /// The device.
        device: Arc<str>,
        /// The fault as it was written.
        fault: String,
    },
    /// The device is on a bus, and the fault is nothing that happens there.
    #[error("the device {device} is on a bus, where there is no `{fault}`")]
    NotOnBus {
        /// The device.
        device: Arc<str>,
        /// The fault as it was written.
        fault: String,
    },
    /// The device is a camera or recorder, and the fault is nothing that happens to one.
    #[error("the device {device} is a camera or recorder, which know no `{fault}`")]
    NotOfCameras {
        /// The device.
        device: Arc<str>,
        /// The fault as it was written.
        fault: String,
    },
    /// The device has no such unit.
    #[error("the device {device} has no unit {unit}; it has {known}")]
    NoUnit {
        /// The device.
        device: Arc<str>,
        /// What was asked for.
        unit: u8,
        /// Those that it has.
        known: String,
    },
    /// Its line ends at no TCP port.
    #[error("the bus of {device} is no TCP port: nothing can be half open there")]
    NotTcp {
        /// The device.
        device: Arc<str>,
    },
}

struct Member {
    model: Model,
    scene: Arc<Mutex<Scene>>,
    line: Arc<Line>,
    ports: Vec<Arc<str>>,
    uplinks: Vec<Uplink>,
}

/// A virtual site; it ends when dropped.
pub struct Site {
    clock: Clock,
    seed: u64,
    members: HashMap<Arc<str>, Member>,
    /// Devices on buses.
    riders: HashMap<Arc<str>, Rider>,
    cameras: HashMap<Arc<str>, Camera>,
    /// What is wrong with whom.
    faults: Mutex<HashMap<Arc<str>, Fault>>,
    tasks: JoinSet<()>,
}

impl Site {
    /// Starts all devices. When it returns they answer.
    pub async fn start(devices: &[DeviceSpec], seed: u64, clock: Clock) -> Result<Site, StartError> {
        allow_many_sockets();
        let mut members = HashMap::new();
        let mut tasks = JoinSet::new();
        for (at, device) in devices.iter().enumerate() {
            let member = start(device, mix(seed, at as u64), clock, &mut tasks).await?;
            members.insert(device.id.clone(), member);
        }
        Ok(Site {
            clock,
            seed,
            members,
            riders: HashMap::new(),
            cameras: HashMap::new(),
            faults: Mutex::default(),
            tasks,
        })
    }

    /// Starts buses beside them. When it returns their ports are there.
    pub async fn lay(&mut self, lines: &[LineSpec]) -> Result<(), StartError> {
        for (at, line) in lines.iter().enumerate() {
            let seed = mix(self.seed, 0x1_0000 + at as u64);
            let riders = lay(line, seed, self.clock, &mut self.tasks).await?;
            let ids = line.members.iter().map(|member| member.id.clone());
            self.riders.extend(ids.zip(riders));
        }
        Ok(())
    }

    /// Starts cameras and recorders beside them. When it returns they answer.
    pub async fn install(&mut self, cameras: &[CameraSpec]) -> Result<(), StartError> {
        for (at, spec) in cameras.iter().enumerate() {
            let seed = mix(self.seed, 0x2_0000 + at as u64);
            let camera = Camera::start(spec, seed, self.clock, &mut self.tasks).await?;
            self.cameras.insert(spec.id.clone(), camera);
        }
        Ok(())
    }

    /// Makes a device faulty or whole again. What was wrong with it before ends.
    pub fn apply(&self, assignment: &Assignment) -> Result<(), ApplyError> {
        let device = &assignment.device;
        if let Some(rider) = self.riders.get(device) {
            let fault = assignment.fault.as_ref();
            fault.map_or(Ok(()), |fault| can_ride(rider, device, fault))?;
            rider.set_fault(fault, self.clock.now_s());
            return Ok(());
        }
        let now = self.clock.now_s();
        if let Some(camera) = self.cameras.get(device) {
            assignment.fault.as_ref().map_or(Ok(()), |fault| can_film(device, fault))?;
            if assignment.fault == Some(Fault::Reboot) {
                camera.restart();
            }
        } else {
            let member = self.members.get(device).ok_or_else(|| ApplyError::NoDevice(device.clone()))?;
            if let Some(fault) = &assignment.fault {
                member.can_have(device, fault)?;
            }
            if assignment.fault == Some(Fault::Reboot) {
                member.scene.lock().unwrap_or_else(PoisonError::into_inner).reboot(now);
            }
        }
        let mut faults = self.faults.lock().unwrap_or_else(PoisonError::into_inner);
        match &assignment.fault {
            Some(fault) => faults.insert(device.clone(), fault.clone()),
            None => faults.remove(device),
        };
        self.settle(&faults, now);
        Ok(())
    }

    /// Brings every device into the state that the faults ask for: one that is cut off concerns its neighbours.
    fn settle(&self, faults: &HashMap<Arc<str>, Fault>, now: f64) {
        let cut = self.cut_off(faults);
        let dead_ports = self.dead_ports(faults);
        for (id, member) in &self.members {
            let fault = faults.get(id);
            let mut scene = member.scene.lock().unwrap_or_else(PoisonError::into_inner);
            for (at, port) in member.ports.iter().enumerate() {
                let doing = match fault {
                    Some(Fault::InterfaceDown(name)) if name == port => Doing::Down,
                    Some(Fault::Flapping(name)) if name == port => Doing::Flapping,
                    _ if dead_ports.contains(&(id, port)) => Doing::Down,
                    _ => Doing::Up,
                };
                scene.set_port(at, doing, now);
            }
            scene.set_trouble(trouble(fault), now);
            drop(scene);
            member.line.set(if cut.contains(id) { Some(Fault::Silent) } else { fault.cloned() });
        }
        for (id, camera) in &self.cameras {
            let fault = faults.get(id);
            let uplinks = camera.uplinks();
            let is_cut = !uplinks.is_empty() && uplinks.iter().all(|uplink| cut.contains(uplink));
            camera.set_silent(is_cut || matches!(fault, Some(Fault::Silent | Fault::BranchSilent)));
            camera.set_quirk(match fault {
                Some(Fault::Camera(quirk)) => Some(*quirk),
                _ => None,
            });
        }
    }

    /// The devices behind a trunk that is down: those whose every way up begins or ends at one.
    fn cut_off(&self, faults: &HashMap<Arc<str>, Fault>) -> HashSet<Arc<str>> {
        let trunks = faults.iter().filter(|(_, fault)| **fault == Fault::BranchSilent);
        let mut cut: HashSet<Arc<str>> = trunks.map(|(id, _)| id.clone()).collect();
        loop {
            let behind = |member: &Member| {
                !member.uplinks.is_empty() && member.uplinks.iter().all(|uplink| cut.contains(&uplink.device))
            };
            let members = self.members.iter().filter(|(id, member)| !cut.contains(*id) && behind(member));
            let more: Vec<_> = members.map(|(id, _)| id.clone()).collect();
            if more.is_empty() {
                return cut;
            }
            cut.extend(more);
        }
    }

    /// The parents' ports at the other end of trunks that are down.
    fn dead_ports<'a>(&'a self, faults: &HashMap<Arc<str>, Fault>) -> HashSet<(&'a Arc<str>, &'a Arc<str>)> {
        let trunks = faults.iter().filter(|(_, fault)| **fault == Fault::BranchSilent);
        let uplinks = trunks.filter_map(|(id, _)| self.members.get(id)).flat_map(|member| &member.uplinks);
        uplinks.filter_map(|uplink| Some((&uplink.device, uplink.port.as_ref()?))).collect()
    }
}

/// What a fault does inside the device.
fn trouble(fault: Option<&Fault>) -> Trouble {
    match fault {
        Some(Fault::Hot(degrees)) => Trouble { heat: Some(*degrees), ..Trouble::default() },
        Some(Fault::Disk(percent)) => Trouble { disk: Some(f64::from(*percent)), ..Trouble::default() },
        Some(Fault::Toner(percent)) => Trouble { toner: Some(f64::from(*percent)), ..Trouble::default() },
        Some(Fault::OnBattery) => Trouble { on_battery: true, ..Trouble::default() },
        Some(Fault::HostileName) => Trouble { hostile: true, ..Trouble::default() },
        _ => Trouble::default(),
    }
}

impl Member {
    /// Whether the device has what the fault breaks.
    fn can_have(&self, device: &Arc<str>, fault: &Fault) -> Result<(), ApplyError> {
        let (part, profile, model) = match fault {
            Fault::InterfaceDown(name) | Fault::Flapping(name) => return self.has_port(device, name),
            Fault::OnBattery => ("battery", "ups-mib", Model::Ups),
            Fault::Disk(_) => ("disk", "linux-net-snmp", Model::Linux),
            Fault::Toner(_) => ("toner", "printer-mib", Model::Printer),
            Fault::Noise(_)
            | Fault::Cut(_)
            | Fault::Flip(_)
            | Fault::Echo
            | Fault::Foreign(_)
            | Fault::DeadUnit(_)
            | Fault::PortGone
            | Fault::HalfOpen
            | Fault::RoughLine(_) => {
                return Err(ApplyError::NoBus { device: device.clone(), fault: fault.to_string() });
            }
            Fault::Camera(_) => {
                return Err(ApplyError::NoPart {
                    device: device.clone(),
                    fault: fault.to_string(),
                    part: "camera",
                    profile: "onvif-generic",
                });
            }
            _ => return Ok(()),
        };
        if self.model == model {
            return Ok(());
        }
        Err(ApplyError::NoPart { device: device.clone(), fault: fault.to_string(), part, profile })
    }

    fn has_port(&self, device: &Arc<str>, name: &Arc<str>) -> Result<(), ApplyError> {
        if self.ports.contains(name) {
            return Ok(());
        }
        Err(ApplyError::NoPort {
            device: device.clone(),
            port: name.clone(),
            known: self.ports[..self.ports.len().min(PORTS_SHOWN)].join(", "),
        })
    }
}

/// Whether a fault is one of cameras.
fn can_film(device: &Arc<str>, fault: &Fault) -> Result<(), ApplyError> {
    match fault {
        Fault::Camera(_) | Fault::Silent | Fault::BranchSilent | Fault::Reboot => Ok(()),
        _ => Err(ApplyError::NotOfCameras { device: device.clone(), fault: fault.to_string() }),
    }
}

/// Whether a device on a bus has what the fault breaks.
fn can_ride(rider: &Rider, device: &Arc<str>, fault: &Fault) -> Result<(), ApplyError> {
    match fault {
        Fault::DeadUnit(unit) if !rider.units.contains(unit) => Err(ApplyError::NoUnit {
            device: device.clone(),
            unit: *unit,
            known: rider.units.iter().map(u8::to_string).collect::<Vec<_>>().join(", "),
        }),
        Fault::HalfOpen if !rider.is_tcp => Err(ApplyError::NotTcp { device: device.clone() }),
        Fault::Silent
        | Fault::BranchSilent
        | Fault::Late(_)
        | Fault::Lossy(_)
        | Fault::Noise(_)
        | Fault::Cut(_)
        | Fault::Flip(_)
        | Fault::Echo
        | Fault::Foreign(_)
        | Fault::DeadUnit(_)
        | Fault::PortGone
        | Fault::HalfOpen
        | Fault::RoughLine(_) => Ok(()),
        Fault::Hot(_) if rider.kind.can_heat() => Ok(()),
        _ => Err(ApplyError::NotOnBus { device: device.clone(), fault: fault.to_string() }),
    }
}

async fn start(
    device: &DeviceSpec,
    seed: u64,
    clock: Clock,
    tasks: &mut JoinSet<()>,
) -> Result<Member, StartError> {
    let IpAddr::V4(ip) = device.address.ip() else {
        return Err(not_loopback(device));
    };
    if !ip.is_loopback() {
        return Err(not_loopback(device));
    }
    let bind = async |port: u16| {
        let address = SocketAddr::V4(SocketAddrV4::new(ip, port));
        UdpSocket::bind(address).await.map(Arc::new).map_err(|why| StartError::Bind {
            device: device.id.clone(),
            address,
            why,
        })
    };
    let front = bind(device.address.port()).await?;
    let hidden = bind(0).await?;
    let agent_address = hidden.local_addr().map_err(|why| StartError::Bind {
        device: device.id.clone(),
        address: device.address,
        why,
    })?;
    let ports = ports(device);
    let names = ports.iter().map(|port| port.name.as_str().into()).collect();
    let tree = tree(&Outline {
        model: device.model,
        description: &device.description,
        location: &device.location,
        address: ip,
        ports: &ports,
        seed,
    });
    let scene = Arc::new(Mutex::new(Scene::new(seed, ports.len(), clock.now_s())));
    let line = Arc::new(Line::new(seed));
    if let Some(port) = device.echo_port {
        tasks.spawn(echo(bind(port).await?, line.clone()));
    }
    tasks.spawn(relay(front, agent_address, line.clone()));
    tasks.spawn(serve(hidden, tree, scene.clone(), device.clone(), clock));
    Ok(Member { model: device.model, scene, line, ports: names, uplinks: device.uplinks.clone() })
}

fn not_loopback(device: &DeviceSpec) -> StartError {
    StartError::NotLoopback { device: device.id.clone(), address: device.address }
}

/// The named ports, then as many numbered ones as are missing.
fn ports(device: &DeviceSpec) -> Vec<Port> {
    let mut ports = device.named_ports.clone();
    ports.truncate(MOST_PORTS);
    let missing = device.ports.min(MOST_PORTS).saturating_sub(ports.len());
    let named = |name: &String| device.named_ports.iter().any(|port| port.name == *name);
    let numbered = device.model.port_names().filter(|name| !named(name)).take(missing);
    ports.extend(numbered.map(|name| Port { name, alias: String::new(), mbit: USUAL_MBIT }));
    ports
}

/// The agent behind the proxy.
async fn serve(socket: Arc<UdpSocket>, tree: Tree, scene: Arc<Mutex<Scene>>, spec: DeviceSpec, clock: Clock) {
    let mut agent = Agent::default();
    let mut datagram = vec![0; LONGEST_DATAGRAM];
    let mut answer = Vec::new();
    loop {
        let Ok((len, from)) = socket.recv_from(&mut datagram).await else {
            continue;
        };
        let now = clock.now_s();
        let answers = {
            let scene = scene.lock().unwrap_or_else(PoisonError::into_inner);
            let device = Device { tree: &tree, scene: &scene, name: &spec.name, community: &spec.community };
            agent.answer(&datagram[..len], device, now, &mut answer)
        };
        if answers {
            let _ = socket.send_to(&answer, from).await;
        }
    }
}

/// A device takes up to three sockets and one per client, and shells commonly allow 1,024 open files: as many as the
/// system lets us have without rights.
fn allow_many_sockets() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    if let Err(why) = setrlimit(Resource::Nofile, limit) {
        tracing::warn!(%why, "the limit of open files stays as it is");
    }
}
