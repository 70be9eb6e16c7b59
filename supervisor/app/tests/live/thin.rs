//! Thin lines: agents that answer late count how many requests are open behind each uplink, and in all. More devices
//! are due than the bounds let through, so that the bounds are reached; they are never passed.

use crate::daemon::Daemon;
use crate::until;
use rustix::process::Signal;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::UdpSocket;

/// The bounds of `core::schedule`.
const BEHIND_UPLINK: usize = 8;
const IN_FLIGHT: usize = 64;

const UPLINKS: usize = 12;
const DEVICES_EACH: usize = 20;

/// How late an answer is: within the patience of a request, so that none is asked twice.
const LATE: Duration = Duration::from_millis(250);

/// What is open now and was at most.
#[derive(Debug, Default)]
struct Open {
    now: usize,
    most: usize,
}

/// Behind each uplink; the last one is the box as a whole.
struct Account {
    open: Mutex<Vec<Open>>,
    answered: AtomicUsize,
}

impl Account {
    fn change(&self, uplink: Option<usize>, by: isize) {
        let mut open = self.open.lock().expect("the account");
        let whole = open.len() - 1;
        for at in uplink.into_iter().chain([whole]) {
            let place = &mut open[at];
            place.now = place.now.checked_add_signed(by).expect("every answer had a request");
            place.most = place.most.max(place.now);
        }
    }
}

/// Tag, content, rest.
fn element(octets: &[u8]) -> (u8, &[u8], &[u8]) {
    let (length, head) = match octets[1] {
        short if short < 0x80 => (usize::from(short), 2),
        0x81 => (usize::from(octets[2]), 3),
        _ => (usize::from(octets[2]) << 8 | usize::from(octets[3]), 4),
    };
    (octets[0], &octets[head..head + length], &octets[head + length..])
}

fn put(out: &mut Vec<u8>, tag: u8, content: &[u8]) {
    let length = u16::try_from(content.len()).expect("a short message").to_be_bytes();
    out.extend([tag, 0x82, length[0], length[1]]);
    out.extend(content);
}

/// sysUpTime without its instance.
const UPTIME: [u8; 7] = [0x2b, 6, 1, 2, 1, 1, 3];

/// The answer of an agent that has sysUpTime and nothing else (RFC 3416).
fn answer(request: &[u8]) -> Vec<u8> {
    let message = element(request).1;
    let (_, _, rest) = element(message);
    let (_, community, rest) = element(rest);
    let (kind, asked, _) = element(rest);
    let (_, id, rest) = element(asked);
    let (_, _, rest) = element(rest);
    let (_, _, rest) = element(rest);
    let mut names = element(rest).1;
    let mut binds = Vec::new();
    while !names.is_empty() {
        let (_, bind, others) = element(names);
        names = others;
        let name = element(bind).1;
        let exactly = kind == 0xa0;
        let mut bind = Vec::new();
        match name.strip_prefix(&UPTIME) {
            Some(instance) if exactly == (instance == [0]) => {
                put(&mut bind, 0x06, &[&UPTIME[..], &[0]].concat());
                put(&mut bind, 0x43, &[0x10, 0x20, 0x30]);
            }
            _ => {
                put(&mut bind, 0x06, name);
                put(&mut bind, if exactly { 0x80 } else { 0x82 }, &[]);
            }
        }
        put(&mut binds, 0x30, &bind);
    }
    let mut pdu = Vec::new();
    put(&mut pdu, 0x02, id);
    pdu.extend([2, 1, 0, 2, 1, 0]);
    put(&mut pdu, 0x30, &binds);
    let mut content = vec![2, 1, 1];
    put(&mut content, 0x04, community);
    put(&mut content, 0xa2, &pdu);
    let mut whole = Vec::new();
    put(&mut whole, 0x30, &content);
    whole
}

/// An agent on an address of its own; ends with the test.
async fn agent(ip: &str, uplink: Option<usize>, account: &Arc<Account>) -> SocketAddr {
    let socket = Arc::new(UdpSocket::bind((ip, 0)).await.expect("a loopback address"));
    let address = socket.local_addr().expect("its address");
    let account = account.clone();
    tokio::spawn(async move {
        let mut buffer = vec![0; 4_096];
        while let Ok((len, from)) = socket.recv_from(&mut buffer).await {
            account.change(uplink, 1);
            let answer = answer(&buffer[..len]);
            let (socket, account) = (socket.clone(), account.clone());
            tokio::spawn(async move {
                tokio::time::sleep(LATE).await;
                account.change(uplink, -1);
                account.answered.fetch_add(1, Ordering::Relaxed);
                let _ = socket.send_to(&answer, from).await;
            });
        }
    });
    address
}

#[tokio::test]
async fn no_more_than_eight_requests_are_open_behind_an_uplink() {
    let open = std::iter::repeat_with(Open::default).take(UPLINKS + 1).collect();
    let account = Arc::new(Account { open: Mutex::new(open), answered: AtomicUsize::new(0) });
    let folder = tempfile::tempdir().expect("a folder");
    let mut site = "[site]\nname = \"thin\"\ntimezone = \"Asia/Shanghai\"\n[store]\npath = \"store\"\n\
                    [panel]\nlisten = \"127.0.0.1:0\"\n[credentials.all]\n\
                    snmp = { version = \"2c\", community = \"public\" }\n"
        .to_owned();
    let mut device = |id: &str, address: SocketAddr, uplink: &str| {
        write!(
            site,
            "[[device]]\nid = \"{id}\"\nname = \"{id}\"\nprofile = \"snmp-generic\"\ntier = \"county\"\n\
             network = \"business\"\naddress = \"{address}\"\ncredentials = \"all\"\nreach = \"snmp\"\n\
             interval = \"2s\"\n{uplink}"
        )
        .expect("a string takes everything");
    };
    for uplink in 0..UPLINKS {
        let root = format!("county-{uplink}");
        device(&root, agent(&format!("127.77.20.{}", uplink + 1), None, &account).await, "");
        for at in 0..DEVICES_EACH {
            let ip = format!("127.77.{}.{}", 21 + uplink, at + 1);
            let address = agent(&ip, Some(uplink), &account).await;
            device(&format!("station-{uplink}-{at}"), address, &format!("uplink = \"{root}\"\n"));
        }
    }
    let path = folder.path().join("site.toml");
    std::fs::write(&path, site).expect("the site file");
    let daemon = Daemon::start(&path, "warn,roundsman=info").await;
    // Each device was asked for some rounds.
    let devices = UPLINKS * (DEVICES_EACH + 1);
    until("some rounds of polls", async || {
        (account.answered.load(Ordering::Relaxed) > 6 * devices).then_some(())
    })
    .await;
    let text = daemon.get("/metrics").await.body;
    let failed =
        text.lines().find_map(|line| line.strip_prefix("roundsman_polls_failed_total{driver=\"snmp\"} "));
    assert_eq!(failed, Some("0"), "all agents answer in time");
    daemon.end(Signal::TERM).await;
    let open = account.open.lock().expect("the account");
    let most: Vec<usize> = open.iter().map(|open| open.most).collect();
    assert_eq!(
        most[..UPLINKS].iter().max(),
        Some(&BEHIND_UPLINK),
        "open at once behind each uplink: {most:?}"
    );
    assert_eq!(most[UPLINKS], IN_FLIGHT, "open at once in all");
}
