//! The poller against a real agent: Debian's snmpd, judged by snmpget and snmpwalk.

mod peer;

use peer::Snmpd;
use roundsman_core::fault::Generation;
use roundsman_driver::clock::Clock;
use roundsman_driver::snmp::{Finished, Options, Request, Snmp, reach_plan};
use roundsman_wire::snmp::Version;
use roundsman_wire::snmp::answer::{Answer, Raw};
use roundsman_wire::snmp::oid::Oid;
use roundsman_wire::snmp::plan::{Object, Plan, Table};
use roundsman_wire::snmp::session::Target;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc::Receiver;

/// Objects that stand still on a quiet machine.
const STILL_SCALARS: [&str; 7] = [
    "1.3.6.1.2.1.1.1.0",
    "1.3.6.1.2.1.1.2.0",
    "1.3.6.1.2.1.1.4.0",
    "1.3.6.1.2.1.1.5.0",
    "1.3.6.1.2.1.1.6.0",
    "1.3.6.1.2.1.1.7.0",
    "1.3.6.1.2.1.2.1.0",
];
/// ifDescr, ifType, ifMtu, ifSpeed, ifPhysAddress, ifAdminStatus; sysORID, sysORDescr; ipAdEntAddr, ipAdEntNetMask;
/// hrStorageDescr.
const STILL_COLUMNS: [&str; 11] = [
    "1.3.6.1.2.1.2.2.1.2",
    "1.3.6.1.2.1.2.2.1.3",
    "1.3.6.1.2.1.2.2.1.4",
    "1.3.6.1.2.1.2.2.1.5",
    "1.3.6.1.2.1.2.2.1.6",
    "1.3.6.1.2.1.2.2.1.7",
    "1.3.6.1.2.1.1.9.1.2",
    "1.3.6.1.2.1.1.9.1.3",
    "1.3.6.1.2.1.4.20.1.1",
    "1.3.6.1.2.1.4.20.1.3",
    "1.3.6.1.2.1.25.2.3.1.3",
];
/// sysUpTime.
const MOVING_SCALAR: &str = "1.3.6.1.2.1.1.3.0";
/// ifInOctets, ifHCInOctets, ifHCOutOctets.
const MOVING_COLUMNS: [&str; 3] =
    ["1.3.6.1.2.1.2.2.1.10", "1.3.6.1.2.1.31.1.1.1.6", "1.3.6.1.2.1.31.1.1.1.10"];

fn object(text: &str) -> Object {
    let oid: Oid = text.parse().expect("an identifier of this test");
    Object { oids: vec![oid] }
}

fn plan() -> Arc<Plan> {
    let table = |columns: &[&str]| Table {
        columns: columns.iter().map(|oid| object(oid)).collect(),
        ..Table::default()
    };
    let scalars = STILL_SCALARS.iter().chain([&MOVING_SCALAR]);
    Arc::new(Plan {
        scalars: scalars.map(|oid| object(oid)).collect(),
        tables: vec![
            table(&STILL_COLUMNS[..6]),
            table(&STILL_COLUMNS[6..8]),
            table(&STILL_COLUMNS[8..10]),
            table(&STILL_COLUMNS[10..]),
            table(&MOVING_COLUMNS),
        ],
        ..Plan::default()
    })
}

fn dotted(arcs: &[u32]) -> String {
    arcs.iter().map(|arc| format!(".{arc}")).collect()
}

/// As net-snmp prints it with `-Oqxt`.
fn printed(answer: &Answer, raw: Raw) -> String {
    match raw {
        Raw::Integer(number) => number.to_string(),
        Raw::Counter32(number) | Raw::Gauge32(number) | Raw::TimeTicks(number) => number.to_string(),
        Raw::Counter64(number) => number.to_string(),
        Raw::Octets(octets) => {
            let hex: String = answer.octets(octets).iter().map(|octet| format!("{octet:02X} ")).collect();
            format!("\"{hex}\"")
        }
        Raw::Oid(arcs) => dotted(answer.arcs(arcs)),
        Raw::Address(address) => address.map(|octet| octet.to_string()).join("."),
        Raw::Null => "NULL".to_owned(),
    }
}

/// Everything an answer holds: name → value.
fn flat(plan: &Plan, answer: &Answer) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (object, value) in plan.scalars.iter().zip(&answer.scalars) {
        let raw = value.unwrap_or_else(|absence| panic!("{}: {absence:?}", object.oids[0]));
        all.insert(format!(".{}", object.oids[0]), printed(answer, raw));
    }
    for (table, got) in plan.tables.iter().zip(&answer.tables) {
        for (object, column) in table.columns.iter().zip(&got.columns) {
            assert_eq!(column.end, Ok(()), "{}", object.oids[0]);
            for cell in &column.cells {
                let name = format!(".{}{}", object.oids[0], dotted(answer.arcs(cell.index)));
                all.insert(name, printed(answer, cell.raw));
            }
        }
    }
    all
}

async fn poll(snmp: &Snmp, answers: &mut Receiver<Finished>, target: &Target, plan: &Arc<Plan>) -> Finished {
    let request = Request {
        key: 5,
        generation: Generation(1),
        target: Arc::new(target.clone()),
        plan: Arc::clone(plan),
    };
    snmp.poll(request).expect("the queue is empty");
    answers.recv().await.expect("an answer to every poll")
}

#[tokio::test]
async fn a_poll_says_what_snmpget_and_snmpwalk_say() {
    let Some(peer) = Snmpd::start() else { return };
    let (snmp, mut answers) = Snmp::start(Clock::new(), Options::default()).expect("a socket");
    let plan = plan();
    for (version, word) in [(Version::V2c, "2c"), (Version::V1, "1")] {
        let mut target = Target::new(peer.address, b"public");
        target.version = version;
        target.timeout_ms = 3_000;
        let walks = |names: &[&str]| {
            let mut all = BTreeMap::new();
            names.iter().for_each(|name| all.extend(peer.tool("snmpwalk", word, &[], name)));
            all
        };
        // v1 has no Counter64: the HC columns are empty there.
        let moving: &[&str] = if version == Version::V1 { &MOVING_COLUMNS[..1] } else { &MOVING_COLUMNS };
        for round in 0..2 {
            let mut before = walks(moving);
            before.extend(peer.tool("snmpget", word, &[], MOVING_SCALAR));
            let finished = match version {
                Version::V2c => poll(&snmp, &mut answers, &target, &plan).await,
                Version::V1 => poll(&snmp, &mut answers, &target, &v1_plan(&plan)).await,
            };
            let mut after = walks(moving);
            after.extend(peer.tool("snmpget", word, &[], MOVING_SCALAR));
            let shape = if version == Version::V1 { v1_plan(&plan) } else { Arc::clone(&plan) };
            let mut got = flat(&shape, &finished.answer);

            for (name, low) in &before {
                let (got, high) = (got.remove(name), &after[name]);
                let number = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("{name}: {text}"));
                let middle = number(&got.unwrap_or_else(|| panic!("{name} is missing")));
                assert!(number(low) <= middle && middle <= number(high), "{name}: {low} {middle} {high}");
            }
            let mut expected = walks(&STILL_COLUMNS);
            STILL_SCALARS.iter().for_each(|name| expected.extend(peer.tool("snmpget", word, &[], name)));
            assert!(expected.len() > 20, "snmpd of this machine says little: {expected:?}");
            assert_eq!(got, expected, "{word}, poll {round}");
            assert!(finished.started.mono <= finished.finished.mono);
        }
    }
    let counters = snmp.counters();
    assert_eq!(counters.session.undecodable + counters.session.strays + counters.session.wrong_source, 0);
    assert_eq!(counters.send_errors, 0);
    assert_eq!(counters.session.unanswered, 0);
    assert!(counters.receive_buffer > 0);
}

/// Without the Counter64 columns.
fn v1_plan(plan: &Plan) -> Arc<Plan> {
    let mut plan = plan.clone();
    if let Some(moving) = plan.tables.last_mut() {
        moving.columns.truncate(1);
    }
    Arc::new(plan)
}

#[tokio::test]
async fn reach_by_snmp_and_a_silent_address() {
    let Some(peer) = Snmpd::start() else { return };
    let (snmp, mut answers) = Snmp::start(Clock::new(), Options::default()).expect("a socket");
    let plan = Arc::new(reach_plan());
    let mut target = Target::new(peer.address, b"public");
    target.timeout_ms = 3_000;
    let finished = poll(&snmp, &mut answers, &target, &plan).await;
    assert!(finished.answer.answered);
    assert!(matches!(finished.answer.scalars[..], [Ok(Raw::TimeTicks(_))]));

    // A wrong community is met with silence.
    target.community = Arc::from(&b"wrong"[..]);
    target.timeout_ms = 50;
    let finished = poll(&snmp, &mut answers, &target, &plan).await;
    assert!(!finished.answer.answered);
    assert_eq!((finished.answer.cost.requests, finished.answer.cost.retries), (1, 2));
    snmp.forget(5).await.expect("the poller lives");
}

#[tokio::test]
async fn a_slow_receiver_loses_nothing() {
    let (snmp, mut answers) = Snmp::start(Clock::new(), Options::default()).expect("a socket");
    let plan = Arc::new(reach_plan());
    // Nobody listens there.
    let mut target = Target::new("127.77.0.9:9".parse().expect("an address"), b"public");
    target.timeout_ms = 10;
    target.retries = 0;
    let target = Arc::new(target);
    const POLLS: u32 = 1_000;
    for key in 0..POLLS {
        let request = Request {
            key,
            generation: Generation(key),
            target: Arc::clone(&target),
            plan: Arc::clone(&plan),
        };
        assert_eq!(snmp.poll(request), Ok(()));
    }
    let mut seen = vec![false; POLLS as usize];
    for _ in 0..POLLS {
        // The poller goes on between any two.
        tokio::task::yield_now().await;
        let finished = answers.recv().await.expect("an answer to every poll");
        assert_eq!(finished.generation, Generation(finished.key));
        assert!(!finished.answer.answered);
        seen[finished.key as usize] = true;
    }
    assert!(seen.iter().all(|seen| *seen));
    assert_eq!(snmp.counters().outstanding, 0);
}
