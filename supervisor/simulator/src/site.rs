//! The running virtual site: per device an agent on a hidden port, the fault proxy and the echo on its address.

use crate::agent::{Agent, Device};
use crate::clock::Clock;
use crate::fault::{Assignment, Fault};
use crate::mib::{Outline, tree};
use crate::proxy::{LONGEST_DATAGRAM, Line, echo, relay};
use crate::scene::{Scene, mix};
use crate::tree::Tree;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::UdpSocket;
use tokio::task::JoinSet;

/// Most ports of a device: its tree stays below 30,000 objects.
const MOST_PORTS: usize = 1_000;

/// How many port names an error lists.
const PORTS_SHOWN: usize = 6;

/// A device to be made.
#[derive(Clone, Debug)]
pub struct DeviceSpec {
    /// Its id in the site file.
    pub id: Arc<str>,
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
    /// Ports by name with what they are used for (ifAlias); they come first, the others are numbered through.
    pub named_ports: Vec<(String, String)>,
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
}

struct Member {
    scene: Arc<Mutex<Scene>>,
    line: Arc<Line>,
    ports: Vec<String>,
}

/// A virtual site; it ends when dropped.
pub struct Site {
    clock: Clock,
    members: HashMap<Arc<str>, Member>,
    _tasks: JoinSet<()>,
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
        Ok(Site { clock, members, _tasks: tasks })
    }

    /// Makes a device faulty or whole again. What was wrong with it before ends.
    pub fn apply(&self, assignment: &Assignment) -> Result<(), ApplyError> {
        let device = &assignment.device;
        let member = self.members.get(device).ok_or_else(|| ApplyError::NoDevice(device.clone()))?;
        let port = match &assignment.fault {
            Some(Fault::InterfaceDown(name)) => Some(member.port(device, name)?),
            _ => None,
        };
        let now = self.clock.now_s();
        let mut scene = member.scene.lock().unwrap_or_else(PoisonError::into_inner);
        scene.all_ports_up(now);
        match &assignment.fault {
            Some(Fault::Reboot) => scene.reboot(now),
            Some(Fault::Hot(degrees)) => scene.set_heat(Some(*degrees), now),
            _ => scene.set_heat(None, now),
        }
        if let Some(port) = port {
            scene.set_port(port, false, now);
        }
        drop(scene);
        member.line.set(assignment.fault.clone());
        Ok(())
    }
}

impl Member {
    fn port(&self, device: &Arc<str>, name: &Arc<str>) -> Result<usize, ApplyError> {
        self.ports.iter().position(|port| **port == **name).ok_or_else(|| ApplyError::NoPort {
            device: device.clone(),
            port: name.clone(),
            known: self.ports[..self.ports.len().min(PORTS_SHOWN)].join(", "),
        })
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
    let names = ports.iter().map(|(name, _)| name.clone()).collect();
    let tree = tree(&Outline {
        description: &device.description,
        location: &device.location,
        address: ip,
        ports: &ports,
    });
    let scene = Arc::new(Mutex::new(Scene::new(seed, ports.len(), clock.now_s())));
    let line = Arc::new(Line::new(seed));
    if let Some(port) = device.echo_port {
        tasks.spawn(echo(bind(port).await?, line.clone()));
    }
    tasks.spawn(relay(front, agent_address, line.clone()));
    tasks.spawn(serve(hidden, tree, scene.clone(), device.clone(), clock));
    Ok(Member { scene, line, ports: names })
}

fn not_loopback(device: &DeviceSpec) -> StartError {
    StartError::NotLoopback { device: device.id.clone(), address: device.address }
}

/// The named ports, then as many numbered ones as are missing.
fn ports(device: &DeviceSpec) -> Vec<(String, String)> {
    let mut ports = device.named_ports.clone();
    let wanted = device.ports.min(MOST_PORTS);
    let numbered = (0..).map(|number| format!("GigabitEthernet0/0/{number}"));
    let mut numbered = numbered.filter(|name| !device.named_ports.iter().any(|(named, _)| named == name));
    while ports.len() < wanted {
        ports.extend(numbered.next().map(|name| (name, String::new())));
    }
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
