//! Bare mode: 200 devices on one socket, each on its own address.

use crate::{Client, PATIENCE, tool};
use roundsman_simulator::bare::Bare;
use roundsman_simulator::clock::Clock;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

const DEVICES: u32 = 200;

/// The devices answer until the test's process ends.
fn start(first: Ipv4Addr) -> u16 {
    let bare =
        Bare::bind(SocketAddrV4::new(first, 0), DEVICES, crate::COMMUNITY.as_bytes(), 3, Clock::start())
            .unwrap();
    let port = bare.port().unwrap();
    std::thread::spawn(move || bare.run());
    port
}

#[tokio::test]
async fn two_hundred_devices_answer_from_the_address_they_were_asked_at() {
    let first = Ipv4Addr::new(127, 97, 0, 200);
    let port = start(first);
    let at = |number: u32| SocketAddr::from((Ipv4Addr::from(u32::from(first) + number), port));
    let mut uptimes = Vec::new();
    for number in 0..DEVICES {
        // A connected socket hears only the address it asked.
        let client = Client::to(at(number)).await;
        client.send(&crate::uptime_request(number as u8)).await;
        let answer = client.next(PATIENCE).await.unwrap_or_else(|| panic!("device {number} is silent"));
        let id = [0x11, 0x22, 0x33, number as u8];
        assert!(answer.windows(4).any(|window| window == id), "device {number}");
        uptimes.push(answer[answer.len() - 4..].to_vec());
    }
    uptimes.sort();
    uptimes.dedup();
    assert!(uptimes.len() > 190, "every device has an uptime of its own");
    let beyond = Client::to(at(DEVICES)).await;
    beyond.send(&crate::uptime_request(1)).await;
    assert_eq!(beyond.next(crate::QUIET).await, None);

    let community = crate::COMMUNITY;
    let Some((good, text)) = tool("snmpbulkwalk", "2c", community, at(150), &["-Cr40", ".1.3"]).await else {
        return;
    };
    assert!(good, "{text}");
    assert_eq!(text.lines().filter(|line| line.starts_with(".1.3.6.1.2.1.2.2.1.10.")).count(), 24);
    let (_, name) = tool("snmpget", "2c", community, at(150), &[".1.3.6.1.2.1.1.5.0"]).await.unwrap();
    assert!(name.contains("bare-150"), "{name}");
}

#[test]
fn only_loopback() {
    for (first, count) in [
        (Ipv4Addr::new(192, 0, 2, 1), 1),
        (Ipv4Addr::new(127, 255, 255, 200), 100),
        (Ipv4Addr::new(127, 97, 1, 1), 0),
    ] {
        let error =
            Bare::bind(SocketAddrV4::new(first, 0), count, b"public", 1, Clock::start()).err().unwrap();
        assert!(error.to_string().contains("127.0.0.0/8"), "{error}");
    }
}
