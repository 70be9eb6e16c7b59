//! SNMPv3 with an agent that does not bear GETBULK: the fallback to GETNEXT works inside v3 messages as outside.
//!
//! The agent is Debian's snmpd behind a relay that looks for GETBULK. Its user has no keys, so that the relay can read.

mod peer;

use peer::Snmpd;
use roundsman_core::fault::Generation;
use roundsman_driver::clock::Clock;
use roundsman_driver::snmp::{Finished, Options, Request, Snmp};
use roundsman_wire::snmp::answer::Raw;
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::plan::{Object, Plan, Table};
use roundsman_wire::snmp::session::Target;
use roundsman_wire::snmp::user::User;
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

const GET_BULK: u8 = 0xa5;
const RESPONSE: u8 = 0xa2;
const GEN_ERR: u8 = 5;

/// Where the content of the element at `at` begins, and where it ends.
fn element(message: &[u8], at: usize) -> (usize, usize) {
    let (length, head) = match message[at + 1] {
        short if short < 0x80 => (usize::from(short), 2),
        0x81 => (usize::from(message[at + 2]), 3),
        _ => (usize::from(message[at + 2]) << 8 | usize::from(message[at + 3]), 4),
    };
    (at + head, at + head + length)
}

/// Where the flags and the PDU of a v3 message without privacy stand (RFC 3412 section 6).
fn flags_and_pdu(message: &[u8]) -> (usize, usize) {
    let version = element(message, 0).0;
    let header = element(message, version).1;
    let id = element(message, header).0;
    let size = element(message, id).1;
    let flags = element(message, size).1;
    let security = element(message, header).1;
    let scoped = element(message, security).1;
    let engine = element(message, scoped).0;
    let context = element(message, engine).1;
    (element(message, flags).0, element(message, context).1)
}

/// The request as a response that says genErr; the fields of GETBULK stand where those of an error stand.
fn gen_err(request: &[u8]) -> Vec<u8> {
    let mut reply = request.to_vec();
    let (flags, pdu) = flags_and_pdu(request);
    reply[flags] &= !0x04; // nobody is asked to report
    reply[pdu] = RESPONSE;
    let id = element(request, pdu).0;
    let singles = element(request, id).1;
    let (first, end) = element(request, singles);
    reply[first..end].fill(0);
    reply[end - 1] = GEN_ERR;
    let (first, end) = element(request, end);
    reply[first..end].fill(0);
    reply
}

/// Passes everything on to `agent` but GETBULK, which it answers by genErr or not at all, and counts.
fn relay(agent: SocketAddr, says: bool, bulks: Arc<AtomicU32>) -> SocketAddr {
    let front = UdpSocket::bind("127.77.0.3:0").expect("a loopback socket");
    let address = front.local_addr().expect("its address");
    let back = UdpSocket::bind("127.0.0.1:0").expect("a loopback socket");
    back.connect(agent).expect("a loopback address");
    // Ends with the test's process.
    std::thread::spawn(move || {
        let mut buffer = vec![0; 65_535];
        while let Ok((len, from)) = front.recv_from(&mut buffer) {
            let request = &buffer[..len];
            if request[flags_and_pdu(request).1] == GET_BULK {
                bulks.fetch_add(1, Ordering::Relaxed);
                if says {
                    let _ = front.send_to(&gen_err(request), from);
                }
                continue;
            }
            if back.send(request).is_ok()
                && let Ok(len) = back.recv(&mut buffer)
            {
                let _ = front.send_to(&buffer[..len], from);
            }
        }
    });
    address
}

/// The names of the object resources (RFC 3418): several rows that stand still.
fn plan() -> Arc<Plan> {
    let object = |text: &str| Object { oids: vec![text.parse::<Oid>().expect("an identifier")] };
    let columns = vec![object("1.3.6.1.2.1.1.9.1.2"), object("1.3.6.1.2.1.1.9.1.3")];
    Arc::new(Plan {
        scalars: vec![object("1.3.6.1.2.1.1.5.0")],
        tables: vec![Table { columns, ..Table::default() }],
        ..Plan::default()
    })
}

fn cells(finished: &Finished) -> Vec<Vec<String>> {
    let answer = &finished.answer;
    let told = |raw: Raw| match raw {
        Raw::Octets(octets) => String::from_utf8_lossy(answer.octets(octets)).into_owned(),
        Raw::Oid(arcs) => format!("{:?}", answer.arcs(arcs)),
        other => format!("{other:?}"),
    };
    let columns =
        answer.tables[0].columns.iter().inspect(|column| assert_eq!(column.end, Ok(()), "{answer:?}"));
    columns.map(|column| column.cells.iter().map(|cell| told(cell.raw)).collect()).collect()
}

#[tokio::test]
async fn an_agent_that_fails_getbulk_is_read_by_getnext() {
    let Some(peer) = Snmpd::start_with("createUser open\nrouser open noauth\n") else { return };
    let (snmp, mut answers) = Snmp::start(Clock::new(), Options::default()).expect("sockets");
    let plan = plan();
    let user = Some(Arc::new(User { name: "open".into(), keys: None }));
    let mut expected = None;
    for (key, case) in ["by bulk", "genErr", "silence"].into_iter().enumerate() {
        let bulks = Arc::new(AtomicU32::new(0));
        let address = match case {
            "by bulk" => peer.address,
            _ => relay(peer.address, case == "genErr", bulks.clone()),
        };
        let mut target = Target::new(address, b"");
        target.user = user.clone();
        // Silence costs this much, an answer comes at once.
        (target.timeout_ms, target.retries) = (400, 0);
        let target = Arc::new(target);
        for round in 0..3 {
            let before = bulks.load(Ordering::Relaxed);
            let (target, plan) = (target.clone(), plan.clone());
            let request = Request { key: key as u32, generation: Generation(round), target, plan };
            snmp.poll(request).expect("the queue is empty");
            let finished = answers.recv().await.expect("an answer to every poll");
            assert_eq!(finished.remarks, [], "{case}");
            let cells = cells(&finished);
            assert!(cells[0].len() > 3 && cells[0].len() == cells[1].len(), "{case}: {cells:?}");
            assert_eq!(expected.get_or_insert_with(|| cells.clone()), &cells, "{case}, round {round}");
            let asked = bulks.load(Ordering::Relaxed) - before;
            match (case, round) {
                ("by bulk", _) => {}
                (_, 0) => assert!(asked > 0, "{case}: GETBULK is tried first"),
                _ => assert_eq!(asked, 0, "{case}, round {round}: what was learned is remembered"),
            }
        }
    }
}
