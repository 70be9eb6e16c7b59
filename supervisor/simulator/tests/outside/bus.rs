//! Virtual lines as mbpoll (libmodbus) and plain sockets see them.

use crate::{PATIENCE, QUIET, may_skip};
use roundsman_simulator::bus::{Framing, Kind, LineSpec, MemberSpec, PortSpec};
use roundsman_simulator::clock::Clock;
use roundsman_simulator::site::Site;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

fn member(id: &str, kind: Kind, units: &[u8]) -> MemberSpec {
    MemberSpec { id: id.into(), kind, units: units.to_vec(), password: None }
}

/// Four slaves on one line.
fn slaves() -> Vec<MemberSpec> {
    vec![
        member("sensor", Kind::Sensor, &[1]),
        member("meter", Kind::Meter, &[2]),
        member("relays", Kind::Relays, &[3]),
        member("host", Kind::Host, &[4]),
    ]
}

async fn site(port: PortSpec, baud: u32, framing: Framing, members: Vec<MemberSpec>) -> Site {
    let mut site = Site::start(&[], 1, Clock::start()).await.unwrap();
    site.lay(&[LineSpec { id: "line".into(), port, baud, framing, members }]).await.unwrap();
    site
}

fn free(net: u8) -> SocketAddr {
    TcpListener::bind((Ipv4Addr::new(127, net, 0, 1), 0)).unwrap().local_addr().unwrap()
}

/// Whether mbpoll is here; without it a test fails, unless ALLOW_SKIP names it.
async fn has_mbpoll() -> bool {
    match Command::new("mbpoll").arg("-V").output().await {
        Ok(_) => true,
        Err(_) if may_skip("mbpoll") => false,
        Err(why) => {
            panic!("mbpoll does not start ({why}): install Debian's mbpoll, or name it in ALLOW_SKIP")
        }
    }
}

/// The values that mbpoll prints, and whether it was content.
async fn mbpoll(arguments: &[&str]) -> (bool, Vec<i64>) {
    let output = Command::new("mbpoll").args(["-1", "-q", "-0"]).args(arguments).output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let value = |line: &str| {
        let (_, value) = line.strip_prefix('[')?.split_once("]:")?;
        value.split_whitespace().next()?.parse().ok()
    };
    (output.status.success(), text.lines().filter_map(value).collect())
}

/// Everything that mbpoll can ask the four slaves, over whatever `to` leads to.
async fn interrogate(to: &[&str]) {
    let ask = async |arguments: &[&str]| mbpoll(&[arguments, to].concat()).await;
    let (sound, climate) = ask(&["-a", "1", "-t", "3", "-r", "1", "-c", "2"]).await;
    assert!(sound && (180..300).contains(&climate[0]) && (400..500).contains(&climate[1]), "{climate:?}");
    let (sound, mains) = ask(&["-a", "2", "-t", "3", "-r", "0", "-c", "10"]).await;
    assert!(sound && (2_200..2_300).contains(&mains[0]) && mains[7] == 500 && mains[8] == 95, "{mains:?}");
    assert_eq!(ask(&["-a", "3", "-t", "0", "-r", "0", "-c", "4"]).await, (true, vec![1, 0, 1, 0]));
    let wrote = mbpoll(&[&["-a", "3", "-t", "0", "-r", "1"], to, &["1"]].concat()).await;
    assert!(wrote.0, "{wrote:?}");
    assert_eq!(ask(&["-a", "3", "-t", "0", "-r", "0", "-c", "4"]).await, (true, vec![1, 1, 1, 0]));
    assert_eq!(ask(&["-a", "4", "-t", "3", "-r", "1", "-c", "2"]).await, (true, vec![24, 24]));
    let wrote = mbpoll(&[&["-a", "4", "-t", "4", "-r", "0"], to, &["2"]].concat()).await;
    assert!(wrote.0, "{wrote:?}");
    assert_eq!(ask(&["-a", "4", "-t", "4", "-r", "0"]).await, (true, vec![2]));
    assert_eq!(ask(&["-a", "4", "-t", "1", "-r", "0", "-c", "3"]).await, (true, vec![0, 0, 0]));
    assert!(!ask(&["-a", "1", "-t", "3", "-r", "10"]).await.0, "no such register");
    assert!(!ask(&["-a", "9", "-t", "3", "-r", "1"]).await.0, "no such unit");
}

fn rtu(link: &Path) -> [&str; 7] {
    ["-m", "rtu", "-b", "9600", "-P", "none", link.to_str().unwrap()]
}

#[tokio::test]
async fn mbpoll_reads_and_writes_over_a_pty() {
    if !has_mbpoll().await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("line");
    let site = site(PortSpec::Pty(link.clone()), 9_600, Framing::Rtu, slaves()).await;
    interrogate(&rtu(&link)).await;

    let sensor: Vec<&str> = [&["-a", "1", "-t", "3", "-r", "1"][..], &rtu(&link)].concat();
    let apply = |fault: &str| site.apply(&fault.parse().unwrap()).unwrap();
    apply("sensor=silent");
    assert!(!mbpoll(&sensor).await.0);
    apply("sensor=port-gone");
    wait_for(|| !link.exists()).await;
    apply("sensor=ok");
    wait_for(|| link.exists()).await;
    assert!(mbpoll(&sensor).await.0, "plugged in again");
    drop(site);
    wait_for(|| link.symlink_metadata().is_err()).await;
}

#[tokio::test]
async fn mbpoll_reads_and_writes_over_modbus_tcp() {
    if !has_mbpoll().await {
        return;
    }
    let address = free(81);
    let site = site(PortSpec::Tcp(address), 0, Framing::ModbusTcp, slaves()).await;
    let (ip, port) = (address.ip().to_string(), address.port().to_string());
    interrogate(&["-m", "tcp", "-p", &port, &ip]).await;
    site.apply(&"host=port-gone".parse().unwrap()).unwrap();
    timeout(PATIENCE, async { while TcpStream::connect(address).await.is_ok() {} }).await.unwrap();
    site.apply(&"host=ok".parse().unwrap()).unwrap();
    timeout(PATIENCE, async { while TcpStream::connect(address).await.is_err() {} }).await.unwrap();
}

/// Waits until it is so.
async fn wait_for(is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("it does not come");
}

/// Sends, and gives what comes within `within` up to so many octets.
async fn exchange(stream: &mut TcpStream, request: &[u8], len: usize) -> Vec<u8> {
    stream.write_all(request).await.unwrap();
    let mut answer = vec![0; len];
    match timeout(if len == 0 { QUIET } else { PATIENCE }, stream.read_exact(&mut answer)).await {
        Ok(read) => drop(read.unwrap()),
        Err(_) => answer.clear(),
    }
    answer
}

#[tokio::test]
async fn a_wall_behind_a_serial_server() {
    let address = free(82);
    let wall = vec![member("wall", Kind::Panels, &[1, 2, 3, 4, 5, 6, 7, 8, 9])];
    let site = site(PortSpec::Tcp(address), 9_600, Framing::Rtu, wall).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let power = [0xaa, 0x11, 1, 0, 0x12];
    let on = [0xaa, 0xff, 1, 3, 0x41, 0x11, 1, 0x56];
    assert_eq!(exchange(&mut stream, &power, 8).await, on);
    assert_eq!(exchange(&mut stream, &[0xaa, 0x11, 9, 0, 0x1a], 8).await[2], 9);

    let apply = |fault: &str| site.apply(&fault.parse().unwrap());
    apply("wall=echo").unwrap();
    assert_eq!(exchange(&mut stream, &power, 13).await, [&power[..], &on].concat());
    let unit = apply("wall=dead-unit:12").unwrap_err().to_string();
    assert!(unit.contains("it has 1, 2, 3"), "{unit}");
    assert!(apply("wall=disk:90").unwrap_err().to_string().contains("on a bus"));
    apply("wall=half-open").unwrap();
    let mut octet = [0];
    stream.write_all(&power).await.unwrap();
    assert!(timeout(QUIET, stream.read(&mut octet)).await.is_err(), "open, and nothing comes");
    let mut another = TcpStream::connect(address).await.unwrap();
    another.write_all(&power).await.unwrap();
    assert!(timeout(QUIET, another.read(&mut octet)).await.is_err());
    apply("wall=ok").unwrap();
    let mut fresh = TcpStream::connect(address).await.unwrap();
    assert_eq!(exchange(&mut fresh, &power, 8).await, on);
    assert!(timeout(QUIET, stream.read(&mut octet)).await.is_err(), "the old connection stays half open");
}

#[tokio::test]
async fn a_projector_greets_every_connection_with_another_number() {
    let address = free(83);
    let projector = MemberSpec { password: Some("secret".to_owned()), ..member("pj", Kind::Projector, &[1]) };
    let _site = site(PortSpec::Tcp(address), 0, Framing::Rtu, vec![projector]).await;
    let mut greetings = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        greetings.push(exchange(&mut stream, b"", 18).await);
        assert_eq!(exchange(&mut stream, b"%1POWR ?\r", 12).await, b"PJLINK ERRA\r");
    }
    assert!(greetings[0].starts_with(b"PJLINK 1 ") && greetings[0] != greetings[1], "{greetings:?}");
}

#[tokio::test]
async fn a_projector_hangs_up_when_nothing_is_asked() {
    let address = free(85);
    let _site =
        site(PortSpec::Tcp(address), 0, Framing::Rtu, vec![member("pj", Kind::Projector, &[1])]).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let mut said = Vec::new();
    // Half a minute, as the specification has it.
    timeout(PATIENCE * 10, stream.read_to_end(&mut said)).await.expect("it hangs up").unwrap();
    assert_eq!(said, b"PJLINK 0\r");
}

#[tokio::test]
async fn lines_that_cannot_be() {
    let refuse = async |port, members| {
        let mut site = Site::start(&[], 1, Clock::start()).await.unwrap();
        let line = LineSpec { id: "line".into(), port, baud: 9_600, framing: Framing::Rtu, members };
        site.lay(&[line]).await.unwrap_err().to_string()
    };
    let mixed = vec![member("wall", Kind::Panels, &[1]), member("sensor", Kind::Sensor, &[2])];
    let here = || PortSpec::Tcp("127.84.0.1:0".parse().unwrap());
    assert!(refuse(here(), mixed).await.contains("all of one protocol"));
    assert!(refuse(here(), vec![]).await.contains("needs units"));
    let real = PortSpec::Pty("/dev/ttyUSB0".into());
    assert!(refuse(real, slaves()).await.contains("never below /dev"));
    let elsewhere = PortSpec::Tcp("192.0.2.9:4001".parse().unwrap());
    assert!(refuse(elsewhere, slaves()).await.contains("127.0.0.0/8 alone"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("line"), "somebody's").unwrap();
    let taken = PortSpec::Pty(folder.path().join("line"));
    assert!(refuse(taken, slaves()).await.contains("something that is no link"));
}
