//! Reach against real peers on loopback.

use roundsman_core::reading::Absence;
use roundsman_driver::clock::Clock;
use roundsman_driver::reach::{How, ProbeError, Prober, Reach};
use std::net::IpAddr;
use tokio::net::{TcpListener, UdpSocket};

const HOST: &str = "127.77.0.3";

fn host() -> IpAddr {
    HOST.parse().expect("an address")
}

#[tokio::test]
async fn tcp_made_and_refused_both_prove_the_host_alive() {
    let prober = Prober::new(Clock::new());
    let listener = TcpListener::bind((HOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("its address").port();
    let reached = prober.probe(host(), Reach::Tcp(port), 5_000).await.expect("a probe");
    assert!(reached.answered() && reached.outcome.is_ok(), "{reached:?}");
    drop(listener);
    let reached = prober.probe(host(), Reach::Tcp(port), 5_000).await.expect("a probe");
    assert!(reached.answered() && reached.how == How::Tcp, "{reached:?}");
}

#[tokio::test]
async fn echo_wants_its_own_payload_back() {
    let prober = Prober::new(Clock::new());
    let peer = UdpSocket::bind((HOST, 0)).await.expect("a port");
    let port = peer.local_addr().expect("its address").port();
    let answering = tokio::spawn(async move {
        let mut buffer = [0; 64];
        let (len, from) = peer.recv_from(&mut buffer).await.expect("a request");
        // A stale echo first: it must not count.
        peer.send_to(b"something else", from).await.expect("sent");
        peer.send_to(&buffer[..len], from).await.expect("sent");
        let (len, from) = peer.recv_from(&mut buffer).await.expect("a request");
        buffer[len - 1] ^= 1;
        peer.send_to(&buffer[..len], from).await.expect("sent");
        peer
    });
    let reached = prober.probe(host(), Reach::Echo(port), 5_000).await.expect("a probe");
    assert!(reached.answered() && reached.outcome.is_ok(), "{reached:?}");
    let reached = prober.probe(host(), Reach::Echo(port), 200).await.expect("a probe");
    assert_eq!((reached.outcome, reached.answered()), (Err(Absence::Timeout), false));
    drop(answering.await.expect("the peer ends"));
    // Nobody listens: the host itself says so, and lives.
    let reached = prober.probe(host(), Reach::Echo(port), 5_000).await.expect("a probe");
    assert_eq!((reached.outcome, reached.answered()), (Err(Absence::Refused), true));
}

#[tokio::test]
async fn icmp_works_or_says_what_to_change() {
    let prober = Prober::new(Clock::new());
    match prober.available() {
        Ok(how) => {
            let reached = prober.probe(host(), Reach::Icmp, 5_000).await.expect("a probe");
            assert!(reached.answered() && reached.how == how, "{reached:?}");
        }
        Err(error) => {
            assert!(error.to_string().contains("ping_group_range"), "{error}");
            assert_eq!(prober.probe(host(), Reach::Icmp, 100).await, Err(error));
        }
    }
}

#[tokio::test]
async fn snmp_is_not_its_part() {
    let prober = Prober::new(Clock::new());
    assert_eq!(prober.probe(host(), Reach::Snmp, 100).await, Err(ProbeError::ByCaller));
}
