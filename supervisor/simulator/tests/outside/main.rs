//! The virtual site as it is seen from outside: net-snmp's tools and plain sockets.

mod bare;
mod bus;
mod camera;
mod site;

use roundsman_simulator::clock::Clock;
use roundsman_simulator::model::Model;
use roundsman_simulator::site::{DeviceSpec, Port, Site, Uplink};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;
use tokio::process::Command;

/// How long an answer is waited for that should come.
pub(crate) const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer is waited for that should not come.
pub(crate) const QUIET: Duration = Duration::from_millis(400);

pub(crate) const COMMUNITY: &str = "secret";

/// A site on addresses of its own.
pub(crate) struct Outside {
    pub(crate) site: Site,
    pub(crate) devices: Vec<DeviceSpec>,
}

impl Outside {
    /// `count` devices from 127.`net`.0.1 upwards, on ports that are free there.
    pub(crate) async fn start(net: u8, count: u8) -> Outside {
        Outside::of(net, count, |_| Model::Generic, |_| vec![]).await
    }

    /// Devices as `model` and `uplinks` say it of each number.
    pub(crate) async fn of(
        net: u8,
        count: u8,
        model: impl Fn(u8) -> Model,
        uplinks: impl Fn(u8) -> Vec<Uplink>,
    ) -> Outside {
        let free = |at: u8| {
            let socket = UdpSocket::bind((Ipv4Addr::new(127, net, 0, at), 0)).unwrap();
            (socket.local_addr().unwrap(), socket)
        };
        let devices: Vec<DeviceSpec> = (1..=count)
            .map(|at| {
                let ((address, _one), (echo, _other)) = (free(at), free(at));
                DeviceSpec {
                    id: format!("rt-{at}").into(),
                    model: model(at),
                    name: format!("router {at}"),
                    description: "a virtual router".to_owned(),
                    location: "1F 机房".to_owned(),
                    address,
                    community: COMMUNITY.as_bytes().to_vec(),
                    echo_port: Some(echo.port()),
                    ports: 12,
                    named_ports: vec![Port {
                        name: "Trunk1".to_owned(),
                        alias: "上联".to_owned(),
                        mbit: 1_000,
                    }],
                    uplinks: uplinks(at),
                }
            })
            .collect();
        let site = Site::start(&devices, 7, Clock::start()).await.unwrap();
        Outside { site, devices }
    }

    pub(crate) fn set(&self, line: &str) {
        self.site.apply(&line.parse().unwrap()).unwrap();
    }

    pub(crate) fn address(&self, at: usize) -> SocketAddr {
        self.devices[at].address
    }

    pub(crate) fn echo(&self, at: usize) -> SocketAddr {
        let device = &self.devices[at];
        SocketAddr::new(device.address.ip(), device.echo_port.unwrap())
    }
}

/// A net-snmp tool: whether it succeeded, and all that it printed. `None` where it is missing and may be.
pub(crate) async fn tool(
    tool: &str,
    version: &str,
    community: &str,
    address: SocketAddr,
    arguments: &[&str],
) -> Option<(bool, String)> {
    let output = Command::new(tool)
        .args(["-v", version, "-c", community, "-m", "", "-Onqt", "-r", "0", "-t", "2"])
        .arg(address.to_string())
        .args(arguments)
        .output()
        .await;
    let output = match output {
        Ok(output) => output,
        Err(_) if may_skip("snmp") => return None,
        Err(why) => {
            panic!("{tool} does not start ({why}): install Debian's snmp, or name snmp in ALLOW_SKIP")
        }
    };
    let text = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

fn may_skip(peer: &str) -> bool {
    std::env::var("ALLOW_SKIP").is_ok_and(|names| names.split(',').any(|name| name.trim() == peer))
}

/// GET of sysUpTime.0, community [`COMMUNITY`], written by hand (RFC 3416): 43 octets.
pub(crate) fn uptime_request(request_id: u8) -> Vec<u8> {
    let mut octets = vec![0x30, 0x29, 0x02, 0x01, 0x01, 0x04, 0x06];
    octets.extend_from_slice(COMMUNITY.as_bytes());
    octets.extend_from_slice(&[0xa0, 0x1c, 0x02, 0x04, 0x11, 0x22, 0x33, request_id]);
    octets.extend_from_slice(&[0x02, 0x01, 0x00, 0x02, 0x01, 0x00, 0x30, 0x0e, 0x30, 0x0c]);
    octets.extend_from_slice(&[0x06, 0x08, 0x2b, 6, 1, 2, 1, 1, 3, 0, 0x05, 0x00]);
    octets
}

/// A plain client.
pub(crate) struct Client(tokio::net::UdpSocket);

impl Client {
    pub(crate) async fn to(address: SocketAddr) -> Client {
        let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(address).await.unwrap();
        Client(socket)
    }

    pub(crate) async fn send(&self, octets: &[u8]) {
        self.0.send(octets).await.unwrap();
    }

    /// The next datagram within `wait`.
    pub(crate) async fn next(&self, wait: Duration) -> Option<Vec<u8>> {
        let mut buffer = vec![0; 65_536];
        let len = tokio::time::timeout(wait, self.0.recv(&mut buffer)).await.ok()?.unwrap();
        buffer.truncate(len);
        Some(buffer)
    }
}
