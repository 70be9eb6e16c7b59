//! Answers as long as UDP allows, over a real socket: taken whole, or refused as what they are; never wrong.

use roundsman_core::fault::Generation;
use roundsman_core::reading::Absence;
use roundsman_driver::clock::Clock;
use roundsman_driver::snmp::{Finished, Options, Request, Snmp};
use roundsman_wire::snmp::answer::Raw;
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::plan::{Object, Plan};
use roundsman_wire::snmp::session::Target;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;

/// Longest payload of a datagram over IPv4 (RFC 768, RFC 791).
const LONGEST: usize = 65_507;

/// sysDescr.0 and sysName.0.
const NAMES: [&[u8]; 2] = [&[0x2b, 6, 1, 2, 1, 1, 1, 0], &[0x2b, 6, 1, 2, 1, 1, 5, 0]];

fn put(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    let length = u32::try_from(content.len()).expect("a message").to_be_bytes();
    out.extend([tag, 0x83, length[1], length[2], length[3]]);
    out.extend(content);
}

/// The octet of the text at a place: no two neighbours are the same, no two stretches either.
fn letter(at: usize) -> u8 {
    b'a' + u8::try_from((at * 7 + at / 26) % 26).expect("a letter")
}

/// A response whose first value is so long that the whole has `octets`; the second is short.
fn response(id: &[u8], octets: usize) -> Vec<u8> {
    let build = |length: usize| {
        let text: Vec<u8> = (0..length).map(letter).collect();
        let mut binds = Vec::new();
        for (name, value) in NAMES.iter().zip([&text[..], b"behind it"]) {
            let mut bind = Vec::new();
            put(&mut bind, 0x06, name);
            put(&mut bind, 0x04, value);
            put(&mut binds, 0x30, &bind);
        }
        let mut pdu = Vec::new();
        put(&mut pdu, 0x02, id);
        pdu.extend([2, 1, 0, 2, 1, 0]);
        put(&mut pdu, 0x30, &binds);
        let mut content = vec![2, 1, 1];
        put(&mut content, 0x04, b"public");
        put(&mut content, 0xa2, &pdu);
        let mut whole = Vec::new();
        put(&mut whole, 0x30, &content);
        whole
    };
    let around = build(0).len();
    let whole = build(octets - around);
    assert_eq!(whole.len(), octets);
    whole
}

/// Answers every request with so many octets; cut off behind `kept`. Ends with the test's process.
fn agent(octets: usize, kept: usize) -> SocketAddr {
    let socket = UdpSocket::bind("127.77.0.4:0").expect("a loopback socket");
    let address = socket.local_addr().expect("its address");
    std::thread::spawn(move || {
        let mut buffer = vec![0; 2_048];
        while let Ok((len, from)) = socket.recv_from(&mut buffer) {
            // The request's id: the first element of the PDU, its tag 0xa0 behind the community.
            let request = &buffer[..len];
            let community = 7 + usize::from(request[6]);
            let pdu = community + 2;
            let id = &request[pdu + 2..pdu + 2 + usize::from(request[pdu + 1])];
            let reply = response(id, octets);
            socket.send_to(&reply[..kept.min(reply.len())], from).expect("a datagram of this size");
        }
    });
    address
}

async fn poll(octets: usize, kept: usize) -> (Finished, roundsman_driver::snmp::Counters) {
    let (snmp, mut answers) = Snmp::start(Clock::new(), Options::default()).expect("a socket");
    let object = |text: &str| Object { oids: vec![text.parse::<Oid>().expect("an identifier")] };
    let scalars = vec![object("1.3.6.1.2.1.1.1.0"), object("1.3.6.1.2.1.1.5.0")];
    let plan = Arc::new(Plan { scalars, ..Plan::default() });
    let mut target = Target::new(agent(octets, kept), b"public");
    (target.timeout_ms, target.retries) = (if kept < octets { 200 } else { 5_000 }, 0);
    snmp.poll(Request { key: 1, generation: Generation(1), target: Arc::new(target), plan }).expect("room");
    let finished = answers.recv().await.expect("an answer to every poll");
    (finished, snmp.counters())
}

#[tokio::test]
async fn an_answer_up_to_the_longest_datagram_is_taken_whole() {
    for octets in [1_473, 16_384, 65_000, LONGEST - 1, LONGEST] {
        let (finished, counters) = poll(octets, octets).await;
        let answer = &finished.answer;
        let [Ok(Raw::Octets(long)), Ok(Raw::Octets(short))] = answer.scalars[..] else {
            panic!("{octets}: {:?}", answer.scalars);
        };
        let long = answer.octets(long);
        assert!(long.len() + 200 > octets && long.len() < octets, "{octets}: {}", long.len());
        assert!(long.iter().enumerate().all(|(at, octet)| *octet == letter(at)), "{octets}");
        assert_eq!(answer.octets(short), b"behind it", "{octets}");
        assert_eq!((answer.cost.octets_in, counters.session.undecodable), (octets as u64, 0));
    }
}

#[tokio::test]
async fn one_that_was_cut_on_the_way_is_no_answer() {
    for kept in [LONGEST - 1, LONGEST / 2, 100] {
        let (finished, counters) = poll(LONGEST, kept).await;
        assert!(!finished.answer.answered, "{kept}");
        assert_eq!(finished.answer.scalars, [Err(Absence::Timeout); 2], "{kept}");
        assert_eq!((counters.session.undecodable, finished.answer.cost.ignored.rejected), (1, 1), "{kept}");
    }
}
