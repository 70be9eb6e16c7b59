//! What a port leads to, as a stream of octets: a serial port, a serial server, a device.

use super::serial::{self, Serial};
use super::{Format, Parity, Port};
use roundsman_wire::bus::Lost;
use roundsman_wire::modbus::mbap::Mbap;
use roundsman_wire::rfc2217::{Rfc2217, Settings};
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long a connection may take to be made. Below the time that the session waits for the port.
const CONNECT: Duration = Duration::from_secs(4);
/// How long a serial server may take to set its port.
const SET: Duration = Duration::from_secs(2);
/// How long the kernel may take to accept a request's octets: more is a line that is held.
const WRITE: Duration = Duration::from_secs(3);
/// A peer that vanished without a word is found out within a minute (ser2net keeps the port for the dead one else).
const KEEPALIVE: TcpKeepalive = TcpKeepalive::new()
    .with_time(Duration::from_secs(30))
    .with_interval(Duration::from_secs(10))
    .with_retries(3);

/// Why there is no stream.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub(super) struct Failed {
    what: &'static str,
    pub(super) source: io::Error,
    /// What it means to those who wait.
    pub(super) lost: Lost,
}

#[derive(Debug)]
pub(super) enum Stream {
    Serial(Serial),
    Tcp(TcpStream),
    /// A serial server that set its port.
    Rfc2217(TcpStream, Box<Rfc2217>),
    /// A Modbus TCP device.
    Modbus(TcpStream, Box<Mbap>),
}

impl Stream {
    pub(super) async fn open(port: Port) -> Result<Stream, Failed> {
        match port {
            Port::Serial { path, baud, format, rs485 } => {
                let open = move || serial::open(&path, baud, format, rs485);
                let opened = tokio::task::spawn_blocking(open).await;
                let opened = opened.map_err(io::Error::other).flatten().and_then(Serial::new);
                opened.map(Stream::Serial).map_err(|source| Failed {
                    what: "opening the serial port",
                    lost: lost(&source),
                    source,
                })
            }
            Port::Tcp(address) => connect(address).await.map(Stream::Tcp),
            Port::Rfc2217 { address, baud, format } => {
                let mut tcp = connect(address).await?;
                let set = tokio::time::timeout(SET, negotiate(&mut tcp, rfc2217(baud, format))).await;
                let set = set.map_err(io::Error::from).flatten();
                let what = "having the serial server set its port (RFC 2217)";
                let port = set.map_err(|source| Failed { what, lost: Lost::Refused, source })?;
                Ok(Stream::Rfc2217(tcp, Box::new(port)))
            }
            Port::ModbusTcp(address) => connect(address).await.map(|tcp| Stream::Modbus(tcp, Box::default())),
        }
    }

    /// Reads what came to the end of `octets`; 0 read is the end. May be dropped without losing any.
    pub(super) async fn read(&mut self, octets: &mut Vec<u8>, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Stream::Serial(serial) => {
                let len = serial.read(buffer).await?;
                octets.extend(&buffer[..len]);
                Ok(len)
            }
            Stream::Tcp(tcp) => {
                let len = tcp.read(buffer).await?;
                octets.extend(&buffer[..len]);
                Ok(len)
            }
            Stream::Rfc2217(tcp, port) => {
                let len = tcp.read(buffer).await?;
                let mut reply = Vec::new();
                port.take(&buffer[..len], octets, &mut reply);
                // A few octets once in a while; where there is no room for them the server does without.
                let _ = tcp.try_write(&reply);
                Ok(len)
            }
            Stream::Modbus(tcp, mbap) => {
                let len = tcp.read(buffer).await?;
                mbap.take(&buffer[..len], octets).map_err(io::Error::other)?;
                Ok(len)
            }
        }
    }

    pub(super) async fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        let written = async {
            match self {
                Stream::Serial(serial) => serial.write(octets).await,
                Stream::Tcp(tcp) => tcp.write_all(octets).await,
                Stream::Rfc2217(tcp, _) => tcp.write_all(&Rfc2217::wrap(octets)).await,
                Stream::Modbus(tcp, mbap) => tcp.write_all(&mbap.wrap(octets)).await,
            }
        };
        tokio::time::timeout(WRITE, written).await.map_err(io::Error::from).flatten()
    }

    /// What the end of it means: a port that hangs up was unplugged, a peer closes in peace.
    pub(super) fn end(&self) -> Lost {
        match self {
            Stream::Serial(_) => Lost::Unplugged,
            Stream::Tcp(_) | Stream::Rfc2217(..) | Stream::Modbus(..) => Lost::Closed,
        }
    }
}

fn rfc2217(baud: u32, format: Format) -> Settings {
    let parity = match format.parity {
        Parity::None => 1,
        Parity::Odd => 2,
        Parity::Even => 3,
    };
    Settings { baud, data_bits: format.data_bits, parity, stop_bits: format.stop_bits }
}

/// Says how the port is to be set and waits until the server has done so. Octets of the line that come meanwhile
/// belong to nobody.
async fn negotiate(tcp: &mut TcpStream, settings: Settings) -> io::Result<Rfc2217> {
    let mut port = Rfc2217::new(settings);
    tcp.write_all(&port.begin()).await?;
    let mut buffer = [0; 256];
    loop {
        let len = tcp.read(&mut buffer).await?;
        let mut reply = Vec::new();
        port.take(&buffer[..len], &mut Vec::new(), &mut reply);
        tcp.write_all(&reply).await?;
        match port.is_set() {
            Some(true) => return Ok(port),
            Some(false) => return Err(io::Error::other("it does not know RFC 2217, or has no such speed")),
            None if len == 0 => return Err(io::ErrorKind::ConnectionReset.into()),
            None => {}
        }
    }
}

/// What an error of a port means to those who wait for it.
pub(super) fn lost(error: &io::Error) -> Lost {
    use io::ErrorKind as Kind;
    match error.kind() {
        Kind::ConnectionRefused | Kind::ResourceBusy | Kind::WouldBlock | Kind::PermissionDenied => {
            Lost::Refused
        }
        Kind::TimedOut | Kind::ConnectionReset | Kind::BrokenPipe => Lost::HalfOpen,
        _ => Lost::Unplugged,
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, Failed> {
    let connected = tokio::time::timeout(CONNECT, TcpStream::connect(address)).await;
    let tuned = connected.map_err(io::Error::from).flatten().and_then(|tcp| {
        // A request is one small segment: waiting for more would cost 40 ms each.
        tcp.set_nodelay(true)?;
        SockRef::from(&tcp).set_tcp_keepalive(&KEEPALIVE)?;
        Ok(tcp)
    });
    // Nobody there: the way may be long, the answer is none.
    let lost = |source: &io::Error| match source.kind() {
        io::ErrorKind::TimedOut => Lost::Unplugged,
        _ => lost(source),
    };
    tuned.map_err(|source| Failed { what: "connecting", lost: lost(&source), source })
}
