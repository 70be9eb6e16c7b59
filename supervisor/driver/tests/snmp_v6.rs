//! SNMP over IPv6: Debian's snmpd behind a relay on `::1`, so that the datagrams of the poller are IPv6 end to end.

mod peer;

use peer::Snmpd;
use roundsman_core::fault::Generation;
use roundsman_driver::clock::Clock;
use roundsman_driver::snmp::{Options, Request, Snmp, reach_plan};
use roundsman_wire::snmp::answer::Raw;
use roundsman_wire::snmp::session::Target;
use roundsman_wire::snmp::user::{Auth, Keys, Privacy, Secret, User};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

/// Passes datagrams on between `::1` and `agent`; with `other_source` the answers leave from another port.
fn relay(agent: SocketAddr, other_source: bool) -> SocketAddr {
    let front = UdpSocket::bind("[::1]:0").expect("this machine has ::1");
    let address = front.local_addr().expect("its address");
    let other = UdpSocket::bind("[::1]:0").expect("a second socket");
    let back = UdpSocket::bind("127.0.0.1:0").expect("a loopback socket");
    back.connect(agent).expect("a loopback address");
    // Ends with the test's process.
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_535];
        while let Ok((len, from)) = front.recv_from(&mut buffer) {
            let passed = back.send(&buffer[..len]).and_then(|_| back.recv(&mut buffer));
            let source = if other_source { &other } else { &front };
            if let Ok(len) = passed {
                let _ = source.send_to(&buffer[..len], from);
            }
        }
    });
    address
}

#[tokio::test]
async fn an_agent_is_polled_over_ipv6_and_its_source_is_judged() {
    let Some(peer) = Snmpd::start() else { return };
    let (snmp, mut answers) = Snmp::start(Clock::new(), Options::default()).expect("a socket");
    let plan = Arc::new(reach_plan());
    for (other_source, strict_source, answered) in
        [(false, true, true), (true, false, true), (true, true, false)]
    {
        let mut target = Target::new(relay(peer.address, other_source), b"public");
        target.strict_source = strict_source;
        // Long where an answer is taken, short where none will be.
        target.timeout_ms = if answered { 3_000 } else { 200 };
        target.retries = 0;
        let request =
            Request { key: 5, generation: Generation(1), target: Arc::new(target), plan: Arc::clone(&plan) };
        snmp.poll(request).expect("the queue is empty");
        let answer = answers.recv().await.expect("an answer to every poll").answer;
        let case = format!("from another source: {other_source}, strict: {strict_source}");
        assert_eq!(answer.answered, answered, "{case}");
        assert_eq!(matches!(answer.scalars[..], [Ok(Raw::TimeTicks(_))]), answered, "{case}");
    }
    assert_eq!(snmp.counters().session.wrong_source, 1);
}

#[tokio::test]
async fn snmpv3_goes_over_ipv6_as_well() {
    let agent = "createUser sealed SHA-256 \"authentic-1\" AES \"privately-1\"\nrouser sealed priv\n";
    let Some(peer) = Snmpd::start_with(agent) else { return };
    let (snmp, mut answers) = Snmp::start(Clock::new(), Options::default()).expect("sockets");
    let plan = Arc::new(reach_plan());
    let keys = Keys {
        auth: Auth::Sha256,
        auth_key: Secret::new(b"authentic-1"),
        privacy: Some((Privacy::Aes128, Secret::new(b"privately-1"))),
    };
    let user = Arc::new(User { name: "sealed".into(), keys: Some(keys) });
    for (key, other_source, strict_source, answered) in
        [(1, false, true, true), (2, true, false, true), (3, true, true, false)]
    {
        let mut target = Target::new(relay(peer.address, other_source), b"");
        target.strict_source = strict_source;
        target.timeout_ms = if answered { 3_000 } else { 200 };
        target.retries = 0;
        target.user = Some(user.clone());
        let request =
            Request { key, generation: Generation(1), target: Arc::new(target), plan: Arc::clone(&plan) };
        snmp.poll(request).expect("the queue is empty");
        let finished = answers.recv().await.expect("an answer to every poll");
        let case = format!("from another source: {other_source}, strict: {strict_source}");
        assert_eq!(finished.answer.answered, answered, "{case}");
        assert_eq!(matches!(finished.answer.scalars[..], [Ok(Raw::TimeTicks(_))]), answered, "{case}");
        // Discovery of the engine and of its time, then the question; octets of the v3 messages, both ways.
        let cost = finished.answer.cost;
        if answered {
            assert!((2..=4).contains(&cost.requests) && cost.retries == 0, "{case}: {cost:?}");
            assert!(cost.octets_out > 150 && cost.octets_in > 150, "{case}: {cost:?}");
        } else {
            assert!(cost.timeouts > 0 && cost.octets_in == 0, "{case}: {cost:?}");
        }
    }
    assert!(snmp.counters().v3_strays > 0, "answers of another source");
}
