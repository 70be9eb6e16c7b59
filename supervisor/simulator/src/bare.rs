//! Bare mode: many agents on one socket, for measuring the poller.
//!
//! One socket on the wildcard address, bound to the loopback interface; each datagram says which 127.x address it came
//! to (IP_PKTINFO, ip(7)) and the answer leaves from there. No proxy, no echo, no faults; values by the same formulas.

use crate::agent::{Agent, Device};
use crate::clock::Clock;
use crate::mib::{Outline, tree};
use crate::model::Model;
use crate::scene::{Scene, mix};
use crate::site::{Port, USUAL_MBIT};
use crate::tree::{Object, Tree};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn, recvmsg, sendmsg, setsockopt, sockopt,
};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::AsRawFd;

/// Most devices of one process: all of 127.x.0.0/16 but a few, 60 MiB.
pub const MOST_DEVICES: u32 = 60_000;

/// Ports of each device.
const PORTS: usize = 24;

/// Wished receive buffer in bytes: a whole site's requests of one tick. The system gives what `rmem_max` allows.
const RECEIVE_BUFFER: usize = 8 << 20;

/// Longest request that is read; pollers stay within an Ethernet frame.
const LONGEST_REQUEST: usize = 2_048;

/// Many agents on one socket.
pub struct Bare {
    socket: Socket,
    first: u32,
    tree: Tree,
    scenes: Vec<Scene>,
    names: Vec<String>,
    community: Vec<u8>,
    clock: Clock,
}

impl Bare {
    /// `count` devices from the address `first` upwards, all on its port, answering to `community`.
    pub fn bind(
        first: SocketAddrV4,
        count: u32,
        community: &[u8],
        seed: u64,
        clock: Clock,
    ) -> io::Result<Bare> {
        let start = u32::from(*first.ip());
        let last = start.checked_add(count.saturating_sub(1));
        let inside = first.ip().is_loopback() && last.is_some_and(|last| Ipv4Addr::from(last).is_loopback());
        if count == 0 || count > MOST_DEVICES || !inside {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!(
                    "1 to {MOST_DEVICES} devices within 127.0.0.0/8 are expected, not {count} from {first}"
                ),
            ));
        }
        let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
        let _ = socket.set_recv_buffer_size(RECEIVE_BUFFER);
        socket.bind_device(Some(b"lo"))?;
        setsockopt(&socket, sockopt::Ipv4PacketInfo, &true)?;
        socket.bind(&SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, first.port()).into())?;
        let port = |name| Port { name, alias: String::new(), mbit: USUAL_MBIT };
        let ports: Vec<_> = Model::Generic.port_names().take(PORTS).map(port).collect();
        let tree = tree(&Outline {
            model: Model::Generic,
            description: Model::Generic.description(),
            location: "loopback",
            address: Ipv4Addr::new(192, 0, 2, 1), // one tree for all: the same address in each
            ports: &ports,
            seed,
        });
        let now = clock.now_s();
        Ok(Bare {
            socket,
            first: start,
            tree,
            scenes: (0..count).map(|at| Scene::new(mix(seed, at.into()), PORTS, now)).collect(),
            names: (0..count).map(|at| format!("bare-{at}")).collect(),
            community: community.to_vec(),
            clock,
        })
    }

    /// The port it answers on.
    pub fn port(&self) -> io::Result<u16> {
        let address = self.socket.local_addr()?.as_socket_ipv4();
        address
            .map(|address| address.port())
            .ok_or_else(|| io::Error::other("the socket has no IPv4 address"))
    }

    /// What the counter `name` (its whole identifier) of a device says at a moment of the clock, for whoever checks
    /// what was read; `None` where there is no such counter. It never falls.
    pub fn counter(&self, device: u32, name: &[u32], now_s: f64) -> Option<u64> {
        let scene = self.scenes.get(device as usize)?;
        match self.tree.get(name)?.object {
            Object::Count { port, object, mean, wide } => {
                let count = scene.counter(port, object.into(), mean, now_s);
                Some(if wide { count } else { u64::from(count as u32) })
            }
            _ => None,
        }
    }

    /// Answers until the socket fails; says why.
    pub fn run(&self) -> io::Error {
        let mut agent = Agent::default();
        let mut datagram = vec![0; LONGEST_REQUEST];
        let mut answer = Vec::new();
        let mut space = nix::cmsg_space!(nix::libc::in_pktinfo);
        let socket = self.socket.as_raw_fd();
        loop {
            let (len, from, mut local) = {
                let mut parts = [IoSliceMut::new(&mut datagram)];
                let received = recvmsg::<SockaddrIn>(socket, &mut parts, Some(&mut space), MsgFlags::empty());
                let message = match received {
                    Ok(message) => message,
                    Err(nix::errno::Errno::EINTR) => continue,
                    Err(why) => return why.into(),
                };
                let local = message.cmsgs().ok().and_then(|mut all| {
                    all.find_map(|one| match one {
                        ControlMessageOwned::Ipv4PacketInfo(info) => Some(info),
                        _ => None,
                    })
                });
                let (Some(from), Some(local)) = (message.address, local) else {
                    continue;
                };
                (message.bytes, from, local)
            };
            let at = u32::from_be(local.ipi_addr.s_addr).wrapping_sub(self.first) as usize;
            let (Some(scene), Some(name)) = (self.scenes.get(at), self.names.get(at)) else {
                continue;
            };
            let device = Device { tree: &self.tree, scene, name, community: &self.community };
            if !agent.answer(&datagram[..len], device, self.clock.now_s(), &mut answer) {
                continue;
            }
            local.ipi_spec_dst = local.ipi_addr;
            let control = [ControlMessage::Ipv4PacketInfo(&local)];
            // A full send buffer loses the answer, as a network would; the poller asks again.
            let _ = sendmsg(socket, &[IoSlice::new(&answer)], &control, MsgFlags::MSG_DONTWAIT, Some(&from));
        }
    }
}
